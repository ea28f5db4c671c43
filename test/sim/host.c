// SPDX-License-Identifier: GPL-2.0-only
/*
 * A node that runs: its memory, its loop (kernel/loop.c) and the execution of
 * core's actions (kernel/execute.c), one a step of the world.
 */
#include "sim.h"

/* --- memory ------------------------------------------------------------------------ */

struct chunk {
	struct core_node link;
	u64 magic;
};

void *host_alloc(struct host *h, size_t size)
{
	struct chunk *c = calloc(1, sizeof(*c) + size);

	c->magic = 0x5ca1ab1e;
	core_list_add_tail(&c->link, &h->memory);
	return c + 1;
}

void host_free(void *p)
{
	struct chunk *c = p;

	if (!p)
		return;
	c--;
	if (c->magic != 0x5ca1ab1e)
		violated("memory is freed twice");
	c->magic = 0;
	core_list_del(&c->link);
	free(c);
}

/* --- events ------------------------------------------------------------------------- */

enum { OF_NOBODY = 0, OF_CONN = 1, OF_DEV = 2, OF_PD = 7 };

static void event_init(struct host *h, struct event *e, u8 type, u8 of)
{
	core_list_init(&e->link);
	e->ev.type = type;
	e->ev.conn = of & OF_CONN ? &h->conn : NULL;
	e->ev.dev = of & OF_DEV ? &h->dev : NULL;
	e->ev.pd = of == OF_PD ? &h->pd : NULL;
}

void post(struct host *h, struct event *e)
{
	if (e->queued)
		return;
	e->queued = true;
	core_list_add_tail(&e->link, &h->events);
}

static void init_events(struct host *h)
{
	const struct {
		struct event *e;
		u8 type, of;
	} table[] = {
		{ &h->ev_up, EV_LINK_UP, OF_CONN }, { &h->ev_down, EV_LINK_DOWN, OF_CONN },
		{ &h->ev_drained, EV_LINK_DRAINED, OF_CONN }, { &h->ev_exit, EV_RECEIVER_EXIT, OF_CONN },
		{ &h->ev_packet, EV_NOTHING, OF_CONN }, { &h->ev_reply, EV_STATE_CHG_REPLY, OF_CONN },
		{ &h->ev_ping, EV_PING_ACK, OF_CONN },
		{ &h->ev_bitmap, EV_BITMAP_RECEIVED, OF_PD },
		{ &h->ev_bm, EV_BITMAP_WRITTEN, OF_DEV },
		{ &h->ev_bits, EV_BITS_SET, OF_DEV },
		{ &h->ev_bits_pd, EV_BITS_SET, OF_PD },
		{ &h->ev_done, EV_RESYNC_DONE, OF_PD },
		{ &h->ev_ov_done, EV_VERIFY_DONE, OF_PD },
		{ &h->ev_helper_pd, EV_HELPER_DONE, OF_PD },
		{ &h->ev_helper_dev, EV_HELPER_DONE, OF_DEV },
		{ &h->ev_helper_conn, EV_HELPER_DONE, OF_CONN },
		{ &h->ev_md, EV_MD_WRITTEN, OF_DEV }, { &h->ev_drain, EV_DRAINED, OF_DEV },
		{ &h->ev_openers, EV_OPENERS, OF_DEV },
		{ &h->ev_gen, EV_GENERATION_NEEDED, OF_DEV },
		{ &h->ev_error, EV_DISK_ERROR, OF_DEV },
		{ &h->ev_md_error, EV_DISK_ERROR, OF_DEV },
		{ &h->ev_refused, EV_WRITE_REFUSED, OF_PD },
		{ &h->ev_congested, EV_CONGESTED, OF_PD },
		{ &h->ev_log_full, EV_LOG_FULL, OF_PD },
		{ &h->ev_closed, EV_DISK_CLOSED, OF_DEV }, { &h->ev_timer, EV_TIMER, OF_NOBODY },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		event_init(h, table[i].e, table[i].type, table[i].of);
	h->ev_md_error.ev.flag = true;
}

/* --- jobs ---------------------------------------------------------------------------------- */

struct job *job_new(struct host *h, u8 type)
{
	struct job *job = host_alloc(h, sizeof(*job));

	job->core.type = type;
	job->core.glue = job;
	event_init(h, &job->start, EV_JOB, OF_NOBODY);
	job->start.ev.job = &job->core;
	event_init(h, &job->cancel, EV_JOB_CANCEL, OF_NOBODY);
	job->cancel.ev.job = &job->core;
	job->core.conn = &h->conn;
	job->core.dev = &h->dev;
	job->core.pd = &h->pd;
	return job;
}

void job_run(struct host *h, struct job *job, void (*then)(struct job *))
{
	job->then = then;
	job->since = W->now;
	W->r.jobs++;
	core_list_add_tail(&job->link, &h->jobs);
	post(h, &job->start);
}

/* --- actions --------------------------------------------------------------------------------- */

static bool at_one_position(u8 type)
{
	return type == ACT_PLAN || type == ACT_SEND || type == ACT_MARK_UNDONE ||
	       type == ACT_SEND_BITMAP;
}

static void publish(struct host *h, const struct io_plan *newest)
{
	struct io_plan *plan = host_alloc(h, sizeof(*plan));
	const struct io_plan *old = h->ldev.plan;

	*plan = *newest;
	drbd_log_publish(&h->log, &h->ldev, plan);
	host_free((void *)old);
}

static s32 slot_of(const struct host *h)
{
	return h->dev.md.peer[h->conn.peer_node_id].bitmap_index;
}

static void mark_undone(struct host *h)
{
	struct log_entry *e;
	u64 at = 0, first, last;

	while ((e = drbd_log_unretired(&h->log, &h->ldev, &at)))
		if (drbd_bitmap_bits_out(h->bm, e->sector, e->size, &first, &last))
			drbd_bitmap_set(h->bm, (u32)slot_of(h), first, last);
}

static void enter_marker(struct host *h, const struct core_action *a)
{
	struct marker *m = host_alloc(h, sizeof(*m));

	if (a->type == ACT_SEND)
		m->packet = a->packet;
	else
		m->bitmap = true;
	if (drbd_log_enter_marker(&h->log, 1, m, now_ms()))
		return;
	host_free(m);
	if (h->log.conn[0].attached)
		link_failed(h, CONN_NETWORK_FAILURE);
}

static void at_position(struct host *h, const struct core_action *a)
{
	switch (a->type) {
	case ACT_PLAN:
		publish(h, &a->plan);
		submit_kick(h);
		break;
	case ACT_MARK_UNDONE:
		mark_undone(h);
		break;
	case ACT_SEND_BITMAP:
		drbd_bitmap_lock(h->bm, (u32)slot_of(h), BITMAP_NO_CLEAR);
		fallthrough;
	default:
		enter_marker(h, a);
	}
	sender_kick(h);
}

static void resolve(struct host *h, u8 action)
{
	struct sink s;

	sink_init(&s);
	if (action == ACT_RESOLVE_DISK)
		drbd_log_resolve_disk(&h->log, &h->ldev, h->log.head, LOG_RESOLVE_LOST, &s.core);
	else
		drbd_log_resolve_peer(&h->log, 0, h->log.head, action == ACT_RESOLVE_LOST ?
				      LOG_RESOLVE_LOST : LOG_RESOLVE_RESEND, &s.core);
	sink_run(h, &s);
	h->retire_kick = true;
}

static void release(struct host *h)
{
	struct sink s;

	sink_init(&s);
	drbd_log_release(&h->log, &h->ldev, &s.core);
	sink_run(h, &s);
	submit_kick(h);
}

static void drop_link(struct host *h)
{
	h->dropped = true;
	link_shutdown(h);
}

static void start_receiver(struct host *h)
{
	h->order = ORDER_NONE;
	h->dropped = h->go_on = false;
	h->rcv = R_CONNECT;
}

static void drain(struct host *h)
{
	drbd_log_close_epoch(&h->log);
	h->drain_to = h->log.head;
	sender_kick(h);
	h->retire_kick = true;
}

static void helper_ended(struct item *it)
{
	struct host *h = it->h;

	host_free(it);
	h->ev_helper_pd.ev.status = -1;
	post(h, &h->ev_helper_pd);
}

static void dev_helper_ended(struct item *it)
{
	struct host *h = it->h;

	host_free(it);
	post(h, &h->ev_helper_dev);
}

/* The peer is shot, or known to be dead, or nothing is known. */
static void fence_ended(struct item *it)
{
	struct host *h = it->h;
	s32 status = !W->host[1 - h->id] ? 5 : chance(50) ? 7 : chance(50) ? 0 : 1;

	host_free(it);
	if (status == 7 && !W->closing)
		crash_node(1 - h->id);
	else if (status == 7)
		status = 1;
	note("n%d fence-peer answers %d", h->id, status);
	W->r.fenced += status >= 5;
	h->ev_helper_conn.ev.status = status;
	post(h, &h->ev_helper_conn);
}

static void helper(struct host *h, const struct core_action *a)
{
	note("n%d helper %s", h->id, core_helper_name(a->helper));
	if (a->helper == HELPER_SPLIT_BRAIN) {
		W->split_reported[h->id] = true;
		W->r.split_brains++;
	}
	if (a->helper == HELPER_FENCE_PEER)
		item_add(host_alloc(h, sizeof(struct item)), h, below(3000) * MS, fence_ended);
	else if (a->wait)
		item_add(host_alloc(h, sizeof(struct item)), h, 100 + below(3000),
			 a->pd ? helper_ended : dev_helper_ended);
}

static void block_opens(struct host *h)
{
	h->opens_blocked = true;
	h->ev_openers.ev.openers = h->opened;
	post(h, &h->ev_openers);
}

static void job_done(struct core_job *core)
{
	struct job *job = core->glue;

	job->done = true;
	core_list_del(&job->link);
	if (job->then)
		job->then(job);
	host_free(job);
}

static void set_size(struct host *h, u64 sectors)
{
	h->capacity = sectors;
	if (h->bm && h->bm->capacity != sectors)
		violated("n%d: size changes to %llu sectors", h->id, (unsigned long long)sectors);
}

static void write_md(struct host *h, u32 gen)
{
	core_md_to_disk(&h->dev, &h->md_next);
	h->md_next_gen = gen;
	h->md_kick = true;
}

static void execute(struct host *h, const struct core_action *a)
{
	switch (a->type) {
	case ACT_SEND_META:
		ack_queue(h, a->packet.cmd, a->packet.vnr, a->packet.body, a->packet.len);
		break;
	case ACT_PING:
		h->ping_due = true;
		break;
	case ACT_GO_ON:
		h->go_on = true;
		break;
	case ACT_START_RECEIVER:
		start_receiver(h);
		break;
	case ACT_STOP_RECEIVER:
		h->order = ORDER_STOP;
		link_shutdown(h);
		break;
	case ACT_DROP_LINK:
		drop_link(h);
		break;
	case ACT_RESOLVE_LOST:
	case ACT_RESOLVE_DISK:
	case ACT_RESOLVE_RESEND:
		resolve(h, a->type);
		W->r.resent += a->type == ACT_RESOLVE_RESEND;
		break;
	case ACT_RELEASE:
		release(h);
		break;
	case ACT_RECONNECT:
		h->order_delay = a->delay_ms;
		h->order = ORDER_RECONNECT;
		break;
	case ACT_SET_ALL_BITS:
	case ACT_CLEAR_ALL_BITS:
		h->set_bits_pd = a->pd != NULL;
		h->set_bits_clear = a->type == ACT_CLEAR_ALL_BITS;
		h->set_bits_kick = true;
		W->r.full_syncs += a->pd != NULL;
		break;
	case ACT_START_RESYNC:
		rs_start(h);
		break;
	case ACT_STOP_RESYNC:
		rs_stop(h);
		break;
	case ACT_START_VERIFY:
		ov_start(h, a->sectors, a->stop);
		break;
	case ACT_STOP_VERIFY:
		ov_stop(h);
		break;
	case ACT_WRITE_MD:
		write_md(h, a->md_gen);
		break;
	case ACT_WRITE_BITMAP:
		h->bm_kick = true;
		break;
	case ACT_SET_SIZE:
		set_size(h, a->sectors);
		break;
	case ACT_DRAIN:
		drain(h);
		break;
	case ACT_BLOCK_OPENS:
		block_opens(h);
		break;
	case ACT_ALLOW_OPENS:
		h->opens_blocked = false;
		break;
	case ACT_CLOSE_DISK:
		backing_close_when_idle(h);
		break;
	case ACT_HELPER:
		helper(h, a);
		break;
	case ACT_LOG:
		note("n%d %s", h->id, a->text);
		if (strstr(a->text, "Unrelated data"))
			W->unrelated = true;
		break;
	case ACT_JOB_DONE:
		job_done(a->job);
		break;
	case ACT_NOTIFY:
	case ACT_UEVENT:
		break;
	default:
		violated("n%d: core asks for action %u, which nobody knows", h->id, a->type);
	}
}

/* --- the loop ----------------------------------------------------------------------------------- */

static void timer_fired(struct item *it)
{
	struct host *h = it->h;

	host_free(it);
	post(h, &h->ev_timer);
}

static void arm_timer(struct host *h)
{
	u64 wake = h->res.wake_ms, now = now_ms();

	if (!wake || wake == h->timer_at)
		return;
	h->timer_at = wake;
	item_add(host_alloc(h, sizeof(struct item)), h, (wake > now ? wake - now : 0) * MS + MS,
		 timer_fired);
}

static void publish_status(struct host *h)
{
	u8 role = h->st_res.role;

	h->st_res = h->res.now;
	h->st_conn = h->conn.now;
	if (W->io_errors && h->st_dev.disk == DISK_UP_TO_DATE &&
	    (h->dev.now.disk == DISK_INCONSISTENT || h->dev.now.disk == DISK_FAILED))
		oracle_disk_failed(h->id);
	if (h->st_dev.disk != DISK_UP_TO_DATE && h->dev.now.disk == DISK_UP_TO_DATE &&
	    role == ROLE_PRIMARY && h->pd.now.repl < REPL_ESTABLISHED)
		oracle_alone(h->id);
	h->st_dev = h->dev.now;
	if (h->st_pd.repl == REPL_SYNC_TARGET && h->pd.now.repl == REPL_ESTABLISHED)
		oracle_sync_end(h->id);
	if (h->st_pd.repl == REPL_OFF && h->pd.now.repl == REPL_ESTABLISHED &&
	    h->st_dev.disk == DISK_UP_TO_DATE && h->pd.now.pdsk == DISK_UP_TO_DATE)
		oracle_established(h->id);
	if (h->st_pd.pdsk != DISK_UP_TO_DATE && h->pd.now.pdsk == DISK_UP_TO_DATE &&
	    h->st_dev.disk < DISK_INCONSISTENT)
		oracle_borrow(h->id);
	if (h->st_pd.repl >= REPL_ESTABLISHED && h->pd.now.repl < REPL_ESTABLISHED)
		oracle_parted(h->id);
	h->st_pd = h->pd.now;
	h->slot = h->dev.now.disk > DISK_DISKLESS ? slot_of(h) : -1;
	if (role != ROLE_PRIMARY && h->st_res.role == ROLE_PRIMARY)
		oracle_promote(h->id);
}

static void step(struct host *h, const struct core_event *ev)
{
	h->pd.dirty_bits = h->bm && slot_of(h) >= 0 ? h->bm->weight[slot_of(h)] : 0;
	h->dev.offer = h->dev.d_size;
	h->dev.must_wait = h->must_wait && !W->closing;
	core_step(&h->res, ev, now_ms(), rnd());
	h->act_at = 0;
	publish_status(h);
}

bool worker_ready(struct host *h)
{
	return h->act_at < h->res.nr_actions || !core_list_empty(&h->events);
}

void worker_run(struct host *h)
{
	struct core_node *n;
	struct core_event ev;

	if (h->act_at < h->res.nr_actions) {
		if (at_one_position(h->actions[h->act_at].type)) {
			while (h->act_at < h->res.nr_actions &&
			       at_one_position(h->actions[h->act_at].type))
				at_position(h, &h->actions[h->act_at++]);
		} else {
			execute(h, &h->actions[h->act_at++]);
		}
		if (h->act_at == h->res.nr_actions)
			arm_timer(h);
		return;
	}
	n = core_list_pop(&h->events);
	container_of(n, struct event, link)->queued = false;
	ev = container_of(n, struct event, link)->ev;
	step(h, &ev);
	if (!h->res.nr_actions)
		arm_timer(h);
}

/* --- start and crash -------------------------------------------------------------------------------- */

static void init_lists(struct host *h)
{
	struct core_node *lists[] = {
		&h->memory, &h->ios, &h->events, &h->jobs, &h->parked, &h->granted, &h->retries,
		&h->cold, &h->remakes, &h->peer_cold, &h->batch, &h->held, &h->replies, &h->rs_ready, &h->acks,
		&h->rs_requests, &h->rs_reads, &h->write_waits, &h->retried, &h->ov_requests, &h->ov_reads,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(lists); i++)
		core_list_init(lists[i]);
}

static void configure(struct host *h)
{
	struct nl_resource_opts opts;
	struct nl_net_conf net;
	struct core_job job = { .type = JOB_ADD_DEVICE, .dev = &h->dev };
	struct core_event ev = { .type = EV_JOB, .job = &job };

	nl_resource_opts_defaults(&opts);
	opts.on_no_data = W->on_no_data;
	nl_net_conf_defaults(&net);
	core_strcopy(net.name, h->id ? "alpha" : "bravo", sizeof(net.name));
	net.wire_protocol = W->protocol;
	core_strcopy(net.verify_alg, "versions", sizeof(net.verify_alg));
	net.on_congestion = W->on_congestion;
	net.cong_fill = 2 * UNIT_SECTORS;
	net.two_primaries = W->dual;
	net.fencing_policy = W->fencing;
	core_resource_init(&h->res, "r0", (u8)h->id, &opts, rnd());
	h->res.actions = h->actions;
	h->res.max_actions = ARRAY_SIZE(h->actions);
	core_device_init(&h->dev, &h->res, 0, 0);
	core_connection_init(&h->conn, &h->res, (u8)(1 - h->id), &net);
	core_peer_device_init(&h->pd, &h->conn, &h->dev);
	core_step(&h->res, &ev, now_ms(), rnd());
	publish(h, &h->dev.plan);
	job = (struct core_job){ .type = JOB_ADD_CONNECTION, .conn = &h->conn, .pd = &h->pd };
	core_step(&h->res, &ev, now_ms(), rnd());
	publish(h, &h->dev.plan);
	h->res.nr_actions = 0;
	publish_status(h);
}

struct host *host_start(int id)
{
	struct host *h = calloc(1, sizeof(*h));

	h->id = id;
	h->disk = &W->disk[id];
	h->slot = -1;
	init_lists(h);
	init_events(h);
	drbd_range_table_init(&h->ranges);
	drbd_log_init(&h->log, h->ring, LOG_RING, LOG_MAX_EPOCH_DEFAULT, LOG_EPOCH_LAZY);
	configure(h);
	W->host[id] = h;
	note("n%d starts", id);
	return h;
}

/* Without its disk, which disk_crash() has dealt with. */
void host_end(struct host *h)
{
	u32 i;

	for (i = W->n_pool; i-- > 0;)
		if (W->pool[i].h == h)
			item_del(W->pool[i].item);
	while (!core_list_empty(&h->memory))
		host_free(container_of(h->memory.next, struct chunk, link) + 1);
	W->host[h->id] = NULL;
	free(h);
}

void host_crash(struct host *h)
{
	note("n%d crashes", h->id);
	disk_crash(h);
	session_node_died(h);
	oracle_crash(h);
	host_end(h);
}
