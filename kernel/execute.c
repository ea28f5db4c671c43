// SPDX-License-Identifier: GPL-2.0
/*
 * Execution of core's actions, strictly in order; none of them sleeps. Plans,
 * packets, marks and bitmaps that stand together in the list take effect at one
 * position of the transfer log: they are executed under one hold of its lock.
 */
#include <linux/slab.h>

#include "glue.h"
#include "execute.h"

/* --- at one position of the log ---------------------------------------------- */

static bool at_one_position(u8 type)
{
	return type == ACT_PLAN || type == ACT_SEND || type == ACT_MARK_UNDONE ||
	       type == ACT_SEND_BITMAP;
}

/* Plans and markers are allocated before the lock is taken. */
static void *prepare(const struct core_action *a)
{
	struct drbd_marker *m;
	struct drbd_plan *plan;

	if (a->type == ACT_PLAN) {
		plan = kmalloc(sizeof(*plan), GFP_NOIO | __GFP_NOFAIL);
		plan->core = a->plan;
		return plan;
	}
	if (a->type == ACT_MARK_UNDONE)
		return NULL;
	m = kzalloc(sizeof(*m), GFP_NOIO | __GFP_NOFAIL);
	if (a->type == ACT_SEND)
		m->packet = a->packet;
	else
		m->bitmap_of = a->pd->glue;
	return m;
}

static void publish(struct drbd_resource *res, struct drbd_device *dev, struct drbd_plan *plan)
{
	const struct io_plan *old = dev->ldev.plan;

	drbd_log_publish(&res->log, &dev->ldev, &plan->core);
	if (old)
		kfree_rcu(container_of(old, struct drbd_plan, core), rcu);
}

static void mark_undone(struct drbd_resource *res, struct drbd_peer_device *pd, s32 slot)
{
	struct drbd_device *dev = pd->dev;
	struct log_entry *e;
	u64 at = 0, first, last;

	spin_lock(&dev->bm_lock);
	while ((e = drbd_log_unretired(&res->log, &dev->ldev, &at)))
		if (drbd_bitmap_bits_out(&dev->bitmap->core, e->sector, e->size, &first, &last))
			drbd_bitmap_set(&dev->bitmap->core, slot, first, last);
	spin_unlock(&dev->bm_lock);
}

static s32 slot_of(const struct core_peer_device *pd)
{
	return pd->dev->md.peer[pd->conn->peer_node_id].bitmap_index;
}

static void at_position(struct drbd_resource *res, const struct core_action *a, void *prepared)
{
	struct drbd_connection *conn = a->conn ? a->conn->glue : NULL;
	u64 now = ktime_get_ns() / NSEC_PER_MSEC;

	switch (a->type) {
	case ACT_PLAN:
		publish(res, a->dev->glue, prepared);
		break;
	case ACT_MARK_UNDONE:
		mark_undone(res, a->pd->glue, slot_of(a->pd));
		break;
	case ACT_SEND_BITMAP:
		spin_lock(&((struct drbd_device *)a->dev->glue)->bm_lock);
		drbd_bitmap_lock(&((struct drbd_device *)a->dev->glue)->bitmap->core,
				 slot_of(a->pd), BITMAP_NO_CLEAR);
		spin_unlock(&((struct drbd_device *)a->dev->glue)->bm_lock);
		fallthrough;
	default:
		if (drbd_log_enter_marker(&res->log, 1u << conn->index, prepared, now))
			break;
		/* the link is gone, and with it whoever wanted to hear it; or the peer
		 * has not read for so long that even the reserve is used up */
		kfree(prepared);
		if (res->log.conn[conn->index].attached)
			drbd_link_failed(conn, CONN_NETWORK_FAILURE);
	}
}

static u32 run_at_position(struct drbd_resource *res, u32 from)
{
	struct core_action *actions = res->core.actions;
	void *prepared[16];
	u32 n, i;

	for (n = 0; n < ARRAY_SIZE(prepared) && from + n < res->core.nr_actions &&
	     at_one_position(actions[from + n].type); n++)
		prepared[n] = prepare(&actions[from + n]);
	spin_lock_irq(&res->log_lock);
	for (i = 0; i < n; i++)
		at_position(res, &actions[from + i], prepared[i]);
	spin_unlock_irq(&res->log_lock);
	for (i = 0; i < n; i++)
		if (actions[from + i].type == ACT_PLAN) {
			drbd_submit_kick(actions[from + i].dev->glue);
			drbd_disk_offer(actions[from + i].dev->glue);
		}
	drbd_senders_kick(res);
	return n;
}

/* --- the others ---------------------------------------------------------------- */

static void send_meta(struct drbd_resource *res, const struct core_action *a)
{
	drbd_ack_queue(a->conn->glue, a->packet.cmd, a->packet.vnr, a->packet.body, a->packet.len);
}

static void ping(struct drbd_resource *res, const struct core_action *a)
{
	drbd_ping(a->conn->glue);
}

static void tell_receiver(struct drbd_connection *conn, enum drbd_link_order order, u32 delay_ms)
{
	conn->order_delay_ms = delay_ms;
	smp_store_release(&conn->order, order);
	wake_up(&conn->rcv_wait);
}

static void go_on(struct drbd_resource *res, const struct core_action *a)
{
	struct drbd_connection *conn = a->conn->glue;

	smp_store_release(&conn->go_on, true);
	wake_up(&conn->rcv_wait);
}

static void start_receiver(struct drbd_resource *res, const struct core_action *a)
{
	struct drbd_connection *conn = a->conn->glue;

	conn->order = ORDER_NONE;
	conn->dropped = false;
	conn->go_on = false;
	if (drbd_thread_start(&conn->receiver, drbd_receiver, conn, 'r', res->name)) {
		drbd_err(res, "no memory to start the receiver: connect again later");
		conn->receiver = NULL;
		drbd_post(res, &conn->ev_exit);
	}
}

static void stop_receiver(struct drbd_resource *res, const struct core_action *a)
{
	struct drbd_connection *conn = a->conn->glue;

	tell_receiver(conn, ORDER_STOP, 0);
	drbd_tcp_shutdown(conn);
}

static void drop_link(struct drbd_resource *res, const struct core_action *a)
{
	struct drbd_connection *conn = a->conn->glue;

	smp_store_release(&conn->dropped, true);
	drbd_tcp_shutdown(conn);
	wake_up(&conn->rcv_wait);
	wake_up(&conn->idle_wait);
}

static void reconnect(struct drbd_resource *res, const struct core_action *a)
{
	tell_receiver(a->conn->glue, ORDER_RECONNECT, a->delay_ms);
}

static void resolve_peer(struct drbd_resource *res, struct drbd_connection *conn,
			 enum log_resolve how)
{
	struct drbd_sink sink;

	drbd_sink_init(&sink);
	spin_lock_irq(&res->log_lock);
	drbd_log_resolve_peer(&res->log, conn->index, res->log.head, how, &sink.core);
	spin_unlock_irq(&res->log_lock);
	drbd_sink_run(res, &sink);
	drbd_retire_kick(res);
}

static void resolve_lost(struct drbd_resource *res, const struct core_action *a)
{
	resolve_peer(res, a->conn->glue, LOG_RESOLVE_LOST);
}

static void resolve_resend(struct drbd_resource *res, const struct core_action *a)
{
	resolve_peer(res, a->conn->glue, LOG_RESOLVE_RESEND);
}

static void resolve_disk(struct drbd_resource *res, const struct core_action *a)
{
	struct drbd_device *dev = a->dev->glue;
	struct drbd_sink sink;

	drbd_sink_init(&sink);
	spin_lock_irq(&res->log_lock);
	drbd_log_resolve_disk(&res->log, &dev->ldev, res->log.head, LOG_RESOLVE_LOST, &sink.core);
	spin_unlock_irq(&res->log_lock);
	drbd_sink_run(res, &sink);
	drbd_retire_kick(res);
}

static void release(struct drbd_resource *res, const struct core_action *a)
{
	struct drbd_device *dev = a->dev->glue;
	struct drbd_sink sink;

	drbd_sink_init(&sink);
	spin_lock_irq(&res->log_lock);
	drbd_log_release(&res->log, &dev->ldev, &sink.core);
	spin_unlock_irq(&res->log_lock);
	drbd_sink_run(res, &sink);
	drbd_submit_kick(dev);
}

static void set_all_bits(struct drbd_resource *res, const struct core_action *a)
{
	struct drbd_device *dev = a->dev->glue;

	dev->set_bits_pd = a->pd ? a->pd->glue : NULL;
	dev->clear_bits = a->type == ACT_CLEAR_ALL_BITS;
	queue_work(drbd_md_wq, &dev->set_bits_work);
}

static void start_resync(struct drbd_resource *res, const struct core_action *a)
{
	drbd_rs_start(a->pd->glue);
}

static void stop_resync(struct drbd_resource *res, const struct core_action *a)
{
	drbd_rs_stop(a->pd->glue);
}

static void start_verify(struct drbd_resource *res, const struct core_action *a)
{
	drbd_ov_start(a->pd->glue, a->sectors, a->stop);
}

static void stop_verify(struct drbd_resource *res, const struct core_action *a)
{
	drbd_ov_stop(a->pd->glue);
}

static void write_md(struct drbd_resource *res, const struct core_action *a)
{
	drbd_md_write(a->dev->glue, a->md_gen);
}

static void write_bitmap(struct drbd_resource *res, const struct core_action *a)
{
	queue_work(drbd_md_wq, &((struct drbd_device *)a->dev->glue)->bm_work);
}

static void set_size(struct drbd_resource *res, const struct core_action *a)
{
	struct drbd_device *dev = a->dev->glue;

	drbd_bitmap_resize(dev, a->sectors);
	drbd_disk_set_size(dev, a->sectors);
}

static void resize(struct drbd_resource *res, const struct core_action *a)
{
	struct drbd_device *dev = a->dev->glue;

	dev->resize_to = a->sectors;
	dev->resize_set_from = a->stop;
	/* the work that makes transactions of the activity log: never both at once */
	queue_work(dev->submit_wq, &dev->resize_work);
}

static void drain(struct drbd_resource *res, const struct core_action *a)
{
	struct drbd_device *dev = a->dev->glue;

	spin_lock_irq(&res->log_lock);
	drbd_log_close_epoch(&res->log);
	dev->drain_to = res->log.head;
	res->drain_wanted = true;
	spin_unlock_irq(&res->log_lock);
	drbd_senders_kick(res);
	drbd_retire_kick(res);
}

static void block_opens(struct drbd_resource *res, const struct core_action *a)
{
	drbd_disk_block_opens(a->dev->glue);
}

static void allow_opens(struct drbd_resource *res, const struct core_action *a)
{
	drbd_disk_allow_opens(a->dev->glue);
}

static void close_disk(struct drbd_resource *res, const struct core_action *a)
{
	drbd_backing_close_when_idle(a->dev->glue);
}

static void helper(struct drbd_resource *res, const struct core_action *a)
{
	struct drbd_event *answer = NULL;

	if (a->wait)
		answer = a->pd ? &((struct drbd_peer_device *)a->pd->glue)->ev_helper :
			 a->dev ? &((struct drbd_device *)a->dev->glue)->ev_helper :
			 &((struct drbd_connection *)a->conn->glue)->ev_helper;
	drbd_helper_run(res, a->conn ? a->conn->glue : NULL, a->dev ? a->dev->glue : NULL,
			core_helper_name(a->helper), answer);
}

static void notify(struct drbd_resource *res, const struct core_action *a)
{
	drbd_notify_changes(res);
}

static void uevent(struct drbd_resource *res, const struct core_action *a)
{
	drbd_disk_uevent(a->dev->glue);
}

static void log_line(struct drbd_resource *res, const struct core_action *a)
{
	drbd_info(res, "%s", a->text);
}

static void job_done(struct drbd_resource *res, const struct core_action *a)
{
	struct drbd_job *job = a->job->glue;

	complete(&job->done);
}

static void (*const executors[])(struct drbd_resource *, const struct core_action *) = {
	[ACT_SEND_META] = send_meta,
	[ACT_PING] = ping,
	[ACT_GO_ON] = go_on,
	[ACT_START_RECEIVER] = start_receiver,
	[ACT_STOP_RECEIVER] = stop_receiver,
	[ACT_DROP_LINK] = drop_link,
	[ACT_RESOLVE_LOST] = resolve_lost,
	[ACT_RESOLVE_RESEND] = resolve_resend,
	[ACT_RESOLVE_DISK] = resolve_disk,
	[ACT_RELEASE] = release,
	[ACT_RECONNECT] = reconnect,
	[ACT_SET_ALL_BITS] = set_all_bits,
	[ACT_CLEAR_ALL_BITS] = set_all_bits,
	[ACT_START_RESYNC] = start_resync,
	[ACT_STOP_RESYNC] = stop_resync,
	[ACT_START_VERIFY] = start_verify,
	[ACT_STOP_VERIFY] = stop_verify,
	[ACT_WRITE_MD] = write_md,
	[ACT_WRITE_BITMAP] = write_bitmap,
	[ACT_SET_SIZE] = set_size,
	[ACT_RESIZE] = resize,
	[ACT_DRAIN] = drain,
	[ACT_BLOCK_OPENS] = block_opens,
	[ACT_ALLOW_OPENS] = allow_opens,
	[ACT_CLOSE_DISK] = close_disk,
	[ACT_HELPER] = helper,
	[ACT_NOTIFY] = notify,
	[ACT_UEVENT] = uevent,
	[ACT_LOG] = log_line,
	[ACT_JOB_DONE] = job_done,
};

void drbd_execute(struct drbd_resource *res)
{
	u32 i = 0;

	while (i < res->core.nr_actions) {
		const struct core_action *a = &res->core.actions[i];

		if (at_one_position(a->type)) {
			i += run_at_position(res, i);
			continue;
		}
		executors[a->type](res, a);
		i++;
	}
}
