// SPDX-License-Identifier: GPL-2.0
/*
 * Reads for a peer, and both sides of a resync: the target asks for what its
 * bitmap says and writes what comes, the source reads and keeps the range until
 * the target has acked it (behaviour.md 14). Which block is next and when it is
 * finished is core's (core/data/resync.c, rate.c).
 */
#include <linux/slab.h>

#include "glue.h"

static u64 now_ms(void)
{
	return ktime_get_ns() / NSEC_PER_MSEC;
}

void drbd_bits_set(struct drbd_device *dev, struct drbd_peer_device *pd, u64 sector, u32 size)
{
	s32 slot = READ_ONCE(pd->slot);
	u64 first, last, changed;
	unsigned long flags;

	spin_lock_irqsave(&dev->bm_lock, flags);
	if (dev->bitmap && slot >= 0 &&
	    drbd_bitmap_bits_out(&dev->bitmap->core, sector, size, &first, &last)) {
		changed = drbd_bitmap_set(&dev->bitmap->core, slot, first, last);
		if (pd->resync_runs)
			drbd_resync_bits_set(&pd->pass, first, changed);
	}
	spin_unlock_irqrestore(&dev->bm_lock, flags);
}

int drbd_recv_out_of_sync(struct drbd_peer_device *pd, const struct wire_block *b)
{
	/* a write that is still active might clear the bit again */
	drbd_wait_peer_idle(pd->conn);
	/* nor may the reply to a request that is older than this notice */
	spin_lock_irq(&pd->dev->extent_lock);
	drbd_range_touch(&pd->dev->ranges, 1u << RANGE_RESYNC_REQUEST, b->sector,
			 b->size >> SECTOR_BITS);
	spin_unlock_irq(&pd->dev->extent_lock);
	drbd_bits_set(pd->dev, pd, b->sector, b->size);
	return 0;
}

static void rs_done(struct drbd_peer_req *pr, enum resync_result result)
{
	struct drbd_peer_device *pd = pr->pd;
	unsigned long flags;

	spin_lock_irqsave(&pd->dev->bm_lock, flags);
	if (pd->resync_runs)
		drbd_resync_done(&pd->pass, pr->sector, pr->size, result);
	spin_unlock_irqrestore(&pd->dev->bm_lock, flags);
	drbd_sender_kick(pd->conn);
}

/* --- a list of what is under way, by address ---------------------------------------------- */

static struct drbd_peer_req *take(struct drbd_peer_device *pd, struct list_head *list,
				  u64 sector, u32 size)
{
	struct drbd_peer_req *pr, *found = NULL;
	unsigned long flags;

	spin_lock_irqsave(&pd->dev->extent_lock, flags);
	list_for_each_entry(pr, list, rs_node)
		if (pr->sector == sector && pr->size == size) {
			found = pr;
			break;
		}
	if (found)
		list_del_init(&found->rs_node);
	spin_unlock_irqrestore(&pd->dev->extent_lock, flags);
	return found;
}

static void queue_for_sender(struct drbd_peer_req *pr, struct list_head *list)
{
	struct drbd_connection *conn = pr->pd->conn;
	unsigned long flags;

	spin_lock_irqsave(&conn->snd_lock, flags);
	list_add_tail(&pr->node, list);
	spin_unlock_irqrestore(&conn->snd_lock, flags);
	drbd_sender_kick(conn);
}

static void release_ranges(struct drbd_peer_req *pr)
{
	if (pr->range2.inserted)
		drbd_range_end(pr->pd->dev, &pr->range2);
	if (pr->range.inserted)
		drbd_range_end(pr->pd->dev, &pr->range);
}

/* --- reading for the peer -------------------------------------------------------------------- */

static void read_failed(struct drbd_peer_req *pr, u16 cmd)
{
	drbd_peer_req_ack(pr, cmd, pr->block_id);
	release_ranges(pr);
	drbd_peer_req_free(pr);
}

static void read_end(struct bio *bio)
{
	struct drbd_peer_req *pr = bio->bi_private;
	struct drbd_connection *conn = pr->pd->conn;
	struct drbd_device *dev = pr->pd->dev;
	int error = blk_status_to_errno(bio->bi_status);

	atomic_dec(&dev->local_pending);
	drbd_backing_put(pr->backing);
	if (!error) {
		/* the bio has advanced to its end: the sender starts at its begin */
		pr->bio->bi_iter = pr->iter;
		queue_for_sender(pr, &conn->replies);
		drbd_peer_inactive(conn);
		return;
	}
	drbd_post(dev->res, &dev->ev_error);
	if (pr->kind == PEER_RS_READ) {
		take(pr->pd, &pr->pd->rs_reads, pr->sector, pr->size);
		rs_done(pr, RESYNC_FAILED);
		read_failed(pr, P_NEG_RS_DREPLY);
	} else {
		read_failed(pr, P_NEG_DREPLY);
	}
	drbd_peer_inactive(conn);
}

static void submit_read(struct drbd_peer_req *pr)
{
	struct drbd_device *dev = pr->pd->dev;

	pr->iter = pr->bio->bi_iter;
	pr->bio->bi_opf = REQ_OP_READ;
	bio_set_dev(pr->bio, pr->backing->bdev);
	pr->bio->bi_end_io = read_end;
	atomic_inc(&dev->local_pending);
	atomic64_add(pr->size >> SECTOR_BITS, &dev->read_sectors);
	submit_bio_noacct(pr->bio);
}

static enum range_result reserve(struct drbd_peer_req *pr, struct io_range *r, u8 cls)
{
	struct drbd_device *dev = pr->pd->dev;
	enum range_result result;

	drbd_range_init(r, cls, pr->sector, pr->size, pr);
	spin_lock_irq(&dev->extent_lock);
	result = drbd_range_reserve(&dev->ranges, r, false);
	spin_unlock_irq(&dev->extent_lock);
	return result;
}

/* On the list and in the table at once: a teardown finds it in either state. */
static enum range_result reserve_listed(struct drbd_peer_req *pr, struct list_head *list, u8 cls)
{
	struct drbd_device *dev = pr->pd->dev;
	enum range_result result;

	drbd_range_init(&pr->range, cls, pr->sector, pr->size, pr);
	spin_lock_irq(&dev->extent_lock);
	list_add_tail(&pr->rs_node, list);
	result = drbd_range_reserve(&dev->ranges, &pr->range, false);
	pr->started = result == RANGE_GRANTED;
	spin_unlock_irq(&dev->extent_lock);
	return result;
}

int drbd_recv_read_request(struct drbd_peer_device *pd, const struct wire_block *b, u8 kind)
{
	struct drbd_connection *conn = pd->conn;
	struct drbd_peer_req *pr = drbd_peer_req_alloc(pd, b->sector, b->size, kind, false);
	struct plan_peer plan = drbd_plan_of(pd);
	bool resync = kind == PEER_RS_READ;

	pr->block_id = resync ? BLOCK_ID_SYNCER : b->block_id;
	if (resync && !plan.serve_resync) {
		read_failed(pr, P_RS_CANCEL);
		return 0;
	}
	pr->backing = plan.serve_read ? drbd_backing_get(pd->dev) : NULL;
	if (!pr->backing) {
		read_failed(pr, resync ? P_NEG_RS_DREPLY : P_NEG_DREPLY);
		return 0;
	}
	drbd_peer_req_pages(pr);
	if (resync) {
		if (reserve_listed(pr, &pd->rs_reads, RANGE_RESYNC_READ) != RANGE_GRANTED)
			return 0;
	}
	drbd_peer_active(conn);
	submit_read(pr);
	return 0;
}

/* The sender has handed the answer to the network, which has copied it. */
void drbd_reply_sent(struct drbd_peer_req *pr)
{
	struct drbd_device *dev = pr->pd->dev;
	bool acked;

	if (pr->kind == PEER_READ) {
		drbd_peer_req_free(pr);
		return;
	}
	drbd_peer_req_drop_pages(pr);
	spin_lock_irq(&dev->extent_lock);
	pr->sent = true;
	acked = pr->dead;
	spin_unlock_irq(&dev->extent_lock);
	/* not acked yet: from here on it belongs to the ack */
	if (acked)
		drbd_peer_req_free(pr);
}

/* The target's ack for a block that we sent. */
static int source_acked(struct drbd_peer_device *pd, u16 cmd, const struct wire_block *b)
{
	struct drbd_peer_req *pr = take(pd, &pd->rs_reads, b->sector, b->size);
	bool sent;

	if (!pr) {
		drbd_err(pd->conn->res, "%s: %s for %llus+%u, which was not sent",
			 pd->conn->conf.name, drbd_packet_name(cmd),
			 (unsigned long long)b->sector, b->size);
		return -EPROTO;
	}
	rs_done(pr, cmd == P_RS_WRITE_ACK ? RESYNC_WRITTEN : RESYNC_FAILED);
	release_ranges(pr);
	spin_lock_irq(&pd->dev->extent_lock);
	pr->dead = true;
	sent = pr->sent;
	spin_unlock_irq(&pd->dev->extent_lock);
	if (sent)
		drbd_peer_req_free(pr);
	return 0;
}

/* --- target ---------------------------------------------------------------------------------------- */

static void target_ended(struct drbd_peer_req *pr, enum resync_result result)
{
	if (READ_ONCE(pr->range.touched) && result != RESYNC_FAILED)
		result = RESYNC_CANCELLED;
	atomic_dec(&pr->pd->rs_pending);
	rs_done(pr, result);
	release_ranges(pr);
	drbd_peer_req_free(pr);
}

static void rs_write_end(struct bio *bio)
{
	struct drbd_peer_req *pr = bio->bi_private;
	struct drbd_connection *conn = pr->pd->conn;
	struct drbd_device *dev = pr->pd->dev;
	int error = blk_status_to_errno(bio->bi_status);

	atomic_dec(&dev->local_pending);
	drbd_backing_put(pr->backing);
	if (error)
		drbd_post(dev->res, &dev->ev_error);
	/* the ack before the count: the ping that ends the resync must follow it */
	drbd_peer_req_ack(pr, error ? P_NEG_ACK : P_RS_WRITE_ACK, BLOCK_ID_SYNCER);
	target_ended(pr, error ? RESYNC_FAILED : RESYNC_WRITTEN);
	drbd_peer_inactive(conn);
}

static void submit_rs_write(struct drbd_peer_req *pr)
{
	struct drbd_device *dev = pr->pd->dev;

	pr->bio->bi_opf = REQ_OP_WRITE;
	bio_set_dev(pr->bio, pr->backing->bdev);
	pr->bio->bi_end_io = rs_write_end;
	atomic_inc(&dev->local_pending);
	atomic64_add(pr->size >> SECTOR_BITS, &dev->write_sectors);
	submit_bio_noacct(pr->bio);
}

int drbd_recv_rs_reply(struct drbd_peer_device *pd, const struct wire_data *d)
{
	struct drbd_connection *conn = pd->conn;
	struct drbd_peer_req *pr = take(pd, &pd->rs_requests, d->sector, d->size);
	int err;

	if (!pr) {
		drbd_err(conn->res, "%s: Unexpected resync reply at %llus+%u", conn->conf.name,
			 (unsigned long long)d->sector, d->size);
		return -EPROTO;
	}
	atomic64_add(d->size >> SECTOR_BITS, &pd->recv_sectors);
	atomic_add(d->size >> SECTOR_BITS, &pd->rate_received);
	pr->backing = drbd_backing_get(pd->dev);
	if (!pr->backing) {
		drbd_peer_req_ack(pr, P_NEG_ACK, BLOCK_ID_SYNCER);
		target_ended(pr, RESYNC_FAILED);
		return drbd_tcp_drain(conn->data, d->size);
	}
	drbd_peer_req_pages(pr);
	err = drbd_tcp_recv_bio(conn->data, pr->bio);
	if (err) {
		drbd_backing_put(pr->backing);
		target_ended(pr, RESYNC_CANCELLED);
		return err;
	}
	drbd_peer_active(conn);
	if (reserve(pr, &pr->range2, RANGE_RESYNC_WRITE) == RANGE_GRANTED)
		submit_rs_write(pr);
	return 0;
}

/* The source cannot, or need not, send the block. */
static int target_refused(struct drbd_peer_device *pd, u16 cmd, const struct wire_block *b)
{
	struct drbd_peer_req *pr = take(pd, &pd->rs_requests, b->sector, b->size);

	if (!pr)
		return 0;	/* cancelled meanwhile on this side, too */
	atomic_add(b->size >> SECTOR_BITS, &pd->rate_received);
	target_ended(pr, cmd == P_RS_IS_IN_SYNC ? RESYNC_EQUAL :
			 cmd == P_RS_CANCEL ? RESYNC_CANCELLED : RESYNC_FAILED);
	return 0;
}

int drbd_rs_answer(struct drbd_peer_device *pd, u16 cmd, const struct wire_block *b)
{
	if (cmd == P_RS_WRITE_ACK || cmd == P_NEG_ACK)
		return source_acked(pd, cmd, b);
	return target_refused(pd, cmd, b);
}

/* --- ranges that had to wait: any context, so a work takes over ---------------------------------------- */

static void granted_work(struct work_struct *work)
{
	struct drbd_peer_req *pr = container_of(work, struct drbd_peer_req, work);

	if (pr->kind == PEER_WRITE)
		drbd_peer_write_granted(pr);
	else if (pr->kind == PEER_RS_READ)
		submit_read(pr);
	else
		submit_rs_write(pr);
}

/* A teardown waits until a granted request shows where it has gone. */
static void mark_started(struct drbd_peer_device *pd, struct drbd_peer_req *pr)
{
	unsigned long flags;

	spin_lock_irqsave(&pd->dev->extent_lock, flags);
	pr->started = true;
	spin_unlock_irqrestore(&pd->dev->extent_lock, flags);
}

void drbd_rs_range_granted(struct drbd_peer_req *pr, struct io_range *r)
{
	struct drbd_peer_device *pd = pr->pd;

	if (r->cls == RANGE_RESYNC_REQUEST) {
		mark_started(pd, pr);
		queue_for_sender(pr, &pd->conn->rs_ready);
		return;
	}
	if (pr->kind == PEER_RS_READ) {
		drbd_peer_active(pd->conn);
		mark_started(pd, pr);
	}
	INIT_WORK(&pr->work, granted_work);
	drbd_peer_queue(&pr->work);
}

/* --- the engine of the target, in the sender's thread ------------------------------------------------------ */

static void take_rate_options(struct drbd_peer_device *pd)
{
	const struct nl_peer_device_opts *c = &pd->conf;

	pd->rate_opts = (struct rate_options){
		.resync_rate = c->resync_rate, .c_plan_ahead = c->c_plan_ahead,
		.c_delay_target = c->c_delay_target, .c_fill_target = c->c_fill_target,
		.c_max_rate = c->c_max_rate, .c_min_rate = c->c_min_rate,
	};
}

/* The loop: from now on bits are counted, and as target asked for. */
void drbd_rs_start(struct drbd_peer_device *pd)
{
	struct drbd_device *dev = pd->dev;
	u64 bits;

	take_rate_options(pd);
	drbd_rate_init(&pd->rate, &pd->rate_opts);
	pd->rate_last = jiffies - HZ / 10;
	pd->budget = 0;
	atomic_set(&pd->rate_received, 0);
	spin_lock_irq(&dev->bm_lock);
	drbd_resync_start(&pd->pass, &dev->bitmap->core, pd->slot, !pd->core.sync_source, now_ms());
	pd->resync_told = false;
	pd->resync_runs = true;
	bits = dev->bitmap->core.weight[pd->slot];
	spin_unlock_irq(&dev->bm_lock);
	drbd_info(dev->res, "%u drbd%u %s: Began resync as %s (will sync %llu KB [%llu bits set]).",
		  dev->vnr, dev->minor, pd->conn->conf.name,
		  pd->core.sync_source ? "SyncSource" : "SyncTarget", bits * 4, bits);
	drbd_sender_kick(pd->conn);
}

void drbd_rs_stop(struct drbd_peer_device *pd)
{
	struct drbd_device *dev = pd->dev;

	spin_lock_irq(&dev->bm_lock);
	if (pd->resync_runs)
		drbd_resync_abort(&pd->pass);
	pd->resync_runs = false;
	spin_unlock_irq(&dev->bm_lock);
}

static void refill_budget(struct drbd_peer_device *pd)
{
	unsigned long passed = jiffies - pd->rate_last;

	if (passed < HZ / 10)
		return;
	pd->rate_last = jiffies;
	take_rate_options(pd);
	drbd_rate_received(&pd->rate, atomic_xchg(&pd->rate_received, 0));
	pd->budget = drbd_rate_step(&pd->rate, &pd->rate_opts, jiffies_to_msecs(passed),
				    pd->conn->conf.max_buffers);
	spin_lock_irq(&pd->dev->bm_lock);
	drbd_progress_mark(&pd->pass.progress, drbd_resync_left(&pd->pass), now_ms());
	spin_unlock_irq(&pd->dev->bm_lock);
}

/* True: a request was made, there may be more. */
static bool ask_next(struct drbd_peer_device *pd)
{
	struct drbd_device *dev = pd->dev;
	struct drbd_peer_req *pr;
	enum resync_next next = RESYNC_WAIT;
	bool tell = false;
	u64 sector = 0;
	u32 size = 0;

	spin_lock_irq(&dev->bm_lock);
	if (pd->resync_runs) {
		next = drbd_resync_next(&pd->pass, pd->budget, WIRE_MAX_BIO, &sector, &size);
		if (next == RESYNC_REQUEST)
			drbd_resync_requested(&pd->pass, sector, size);
		tell = next == RESYNC_FINISHED && !pd->resync_told;
		if (tell) {
			pd->resync_told = true;
			pd->ev_done.ev.rs_failed = pd->pass.failed;
		}
	}
	spin_unlock_irq(&dev->bm_lock);
	if (tell)
		drbd_post(dev->res, &pd->ev_done);
	if (next != RESYNC_REQUEST)
		return false;
	drbd_rate_requested(&pd->rate, size >> SECTOR_BITS);
	pd->budget -= min_t(u32, pd->budget, size >> SECTOR_BITS);
	atomic_inc(&pd->rs_pending);
	pr = drbd_peer_req_alloc(pd, sector, size, PEER_RS_WRITE, false);
	if (reserve_listed(pr, &pd->rs_requests, RANGE_RESYNC_REQUEST) == RANGE_GRANTED)
		queue_for_sender(pr, &pd->conn->rs_ready);
	return true;
}

bool drbd_rs_step(struct drbd_peer_device *pd)
{
	bool did = false;

	if (!READ_ONCE(pd->resync_runs))
		return false;
	if (!pd->pass.target) {
		if (time_after(jiffies, pd->rate_last + HZ)) {
			pd->rate_last = jiffies;
			spin_lock_irq(&pd->dev->bm_lock);
			drbd_progress_mark(&pd->pass.progress, drbd_resync_left(&pd->pass), now_ms());
			spin_unlock_irq(&pd->dev->bm_lock);
		}
		return false;
	}
	if (!drbd_plan_of(pd).request_resync)
		return false;
	refill_budget(pd);
	/* also without budget: it is core that knows whether all is done */
	while (ask_next(pd))
		did = true;
	return did;
}

/* --- teardown ------------------------------------------------------------------------------------------------- */

/* Takes back what waits for its range. True: something was granted and is on its way. */
static bool cancel_waiting(struct drbd_peer_device *pd, struct list_head *list,
			   struct list_head *gone)
{
	struct drbd_peer_req *pr, *tmp;
	struct core_node granted;
	bool on_its_way = false;

	core_list_init(&granted);
	spin_lock_irq(&pd->dev->extent_lock);
	list_for_each_entry_safe(pr, tmp, list, rs_node) {
		if (pr->range.waiting) {
			drbd_range_release(&pd->dev->ranges, &pr->range, &granted);
			list_move_tail(&pr->rs_node, gone);
		} else if (!pr->started) {
			on_its_way = true;
		}
	}
	spin_unlock_irq(&pd->dev->extent_lock);
	drbd_ranges_granted(pd->dev, &granted);
	return on_its_way;
}

static void free_gone(struct list_head *gone, bool waited)
{
	struct drbd_peer_req *pr, *tmp;

	list_for_each_entry_safe(pr, tmp, gone, rs_node) {
		list_del_init(&pr->rs_node);
		release_ranges(pr);
		if (waited && pr->backing)
			drbd_backing_put(pr->backing);
		drbd_peer_req_free(pr);
	}
}

static void free_list(struct drbd_peer_device *pd, struct list_head *list)
{
	LIST_HEAD(gone);

	spin_lock_irq(&pd->dev->extent_lock);
	list_splice_init(list, &gone);
	spin_unlock_irq(&pd->dev->extent_lock);
	free_gone(&gone, false);
}

static void cancel_waiters(struct drbd_connection *conn)
{
	struct drbd_peer_device *pd;
	LIST_HEAD(gone);
	bool again;

	do {
		again = false;
		list_for_each_entry(pd, &conn->peer_devices, of_conn) {
			again |= cancel_waiting(pd, &pd->rs_requests, &gone);
			again |= cancel_waiting(pd, &pd->rs_reads, &gone);
		}
		if (again)
			schedule_timeout_uninterruptible(1);
	} while (again);
	free_gone(&gone, true);
}

static void drop_replies(struct drbd_connection *conn)
{
	struct drbd_peer_req *pr, *tmp;
	LIST_HEAD(replies);

	spin_lock_irq(&conn->snd_lock);
	list_splice_init(&conn->replies, &replies);
	while ((pr = list_first_entry_or_null(&conn->rs_ready, struct drbd_peer_req, node)))
		list_del_init(&pr->node);
	spin_unlock_irq(&conn->snd_lock);
	list_for_each_entry_safe(pr, tmp, &replies, node) {
		list_del_init(&pr->node);
		if (pr->kind == PEER_READ)
			drbd_peer_req_free(pr);
	}
}

/* No thread of the connection runs, nothing new comes. */
void drbd_rs_cancel_all(struct drbd_connection *conn)
{
	struct drbd_peer_device *pd;

	cancel_waiters(conn);
	drbd_wait_peer_idle(conn);
	drop_replies(conn);
	list_for_each_entry(pd, &conn->peer_devices, of_conn) {
		free_list(pd, &pd->rs_requests);
		free_list(pd, &pd->rs_reads);
	}
}

/* --- answers to our own reads ------------------------------------------------------------------------------------ */

int drbd_recv_read_reply(struct drbd_peer_device *pd, const struct wire_data *d)
{
	struct drbd_resource *res = pd->conn->res;
	struct drbd_request *req;
	struct log_entry *e;
	u32 what;
	int err;

	spin_lock_irq(&res->log_lock);
	e = drbd_log_read_reply(&res->log, pd->conn->index, d->block_id, pd->dev->vnr,
				d->sector, d->size);
	req = e ? e->owner : NULL;
	if (req)
		drbd_request_hold(req);
	spin_unlock_irq(&res->log_lock);
	if (!req) {
		drbd_err(res, "%s: read reply at %llus+%u for a request that is not outstanding",
			 pd->conn->conf.name, (unsigned long long)d->sector, d->size);
		return -EPROTO;
	}
	err = drbd_tcp_recv_bio(pd->conn->data, req->bio);
	atomic64_add(d->size >> SECTOR_BITS, &pd->recv_sectors);
	spin_lock_irq(&res->log_lock);
	what = drbd_log_read_done(&res->log, pd->conn->index, e, !err);
	if (what & LOG_COMPLETE)
		req->error = e->error;
	spin_unlock_irq(&res->log_lock);
	drbd_request_act(req, what);
	return err;
}
