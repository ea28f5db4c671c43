// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests of the application from submission to the end of their entry in the
 * log, in the order of kernel/submit.c and kernel/retire.c.
 */
#include "sim.h"

static struct request *of_range(struct io_range *r)
{
	return container_of(r, struct request, range);
}

void submit_kick(struct host *h)
{
	h->submit_kick = true;
}

/* --- life of a request ----------------------------------------------------------- */

void request_grab(struct request *r, u32 what)
{
	r->ref++;
	if (what & LOG_COMPLETE)
		r->error = r->entry->error;
}

void request_put(struct request *r)
{
	core_assert(r->ref);
	if (--r->ref)
		return;
	host_free(r->data);
	host_free(r);
}

static struct request *request_new(struct host *h, struct op *op)
{
	struct request *r = host_alloc(h, sizeof(*r));

	r->h = h;
	r->op = op;
	r->v = op->v;
	r->sector = op->sector;
	r->size = op->size;
	r->write = op->kind != OP_READ;
	r->flush = op->kind == OP_FLUSH;
	r->flags = (op->fua ? LOG_F_FUA : 0) | (r->flush ? LOG_F_PREFLUSH : 0);
	r->ref = 1;
	core_list_init(&r->node);
	core_list_init(&r->walk);
	if (!r->write)
		r->data = host_alloc(h, op->size / UNIT_BYTES * sizeof(ver));
	return r;
}

void ranges_granted(struct host *h, struct core_node *granted)
{
	struct core_node *n;

	while ((n = core_list_pop(granted))) {
		struct io_range *r = drbd_range_of(n);

		if (r->cls != RANGE_APP_WRITE) {
			rs_range_granted(r->owner, r);
			continue;
		}
		core_list_add_tail(&of_range(r)->node, &h->granted);
		submit_kick(h);
	}
}

void range_end(struct host *h, struct io_range *r)
{
	struct core_node granted;

	core_list_init(&granted);
	drbd_range_release(&h->ranges, r, &granted);
	ranges_granted(h, &granted);
}

/* A reference of before the disk was last attached is void. */
static void al_put(struct request *r)
{
	struct host *h = r->h;

	if (r->hot && r->al_generation == h->al_generation &&
	    drbd_al_put(h->al, drbd_al_first(r->sector), drbd_al_last(r->sector, r->size)))
		submit_kick(h);
	r->hot = false;
}

static void unwind(struct request *r)
{
	if (r->remade)
		bits_set_range(r->h, r->sector, r->size);
	r->remade = false;
	al_put(r);
	if (r->reserved)
		range_end(r->h, &r->range);
	r->reserved = false;
}

static void complete_bio(struct request *r, int error)
{
	struct op *op = r->op;

	if (!op)
		return;
	r->op = NULL;
	if (r->reserved)
		range_end(r->h, &r->range);
	r->reserved = false;
	if (!r->write && !error)
		memcpy(op->data, r->data, op->size / UNIT_BYTES * sizeof(ver));
	client_done(op, error);
}

static void fail_request(struct request *r, int error)
{
	unwind(r);
	complete_bio(r, error);
	request_put(r);
}

static u8 admission(const struct host *h)
{
	const struct io_plan *plan = h->ldev.plan;

	if (!plan || plan->read_admission == PLAN_PARK ||
	    drbd_log_used(&h->log) >= LOG_RING - LOG_MARKER_RESERVE)
		return PLAN_PARK;
	return plan->write_admission;
}

/* The log keeps the request until its bits are set. */
static void park_op(struct request *r)
{
	struct host *h = r->h;
	struct op *op = r->op;

	if (!op)
		return;
	r->op = NULL;
	if (r->reserved)
		range_end(h, &r->range);
	r->reserved = false;
	core_list_add_tail(&op->node_link, &h->parked);
	if (admission(h) != PLAN_PARK)
		submit_kick(h);
}

static void park(struct request *r)
{
	struct host *h = r->h;
	struct op *op = r->op;

	unwind(r);
	r->op = NULL;
	request_put(r);
	core_list_add_tail(&op->node_link, &h->parked);
	if (admission(h) != PLAN_PARK)
		submit_kick(h);
}

/* --- local disk --------------------------------------------------------------------- */

static void local_done(struct request *r, int error)
{
	struct host *h = r->h;
	u32 what = drbd_log_local_done(&h->log, r->entry, error);

	if (error && r->op)
		r->op->local_failed = true;
	if (what)
		request_grab(r, what);
	if (error)
		post(h, &h->ev_error);
	if (what)
		request_act(r, what);
	request_put(r);
}

static void local_write_end(struct io *io, int error)
{
	struct request *r = io->owner;

	host_free(io->v);
	backing_put(r->h);
	local_done(r, error);
}

static void submit_local(struct request *r)
{
	struct host *h = r->h;
	struct io *io = io_new(h, r->flush ? IO_FLUSH : IO_WRITE, r, local_write_end);
	u32 i;

	if (!r->flush) {
		oracle_local_write(h, r->sector, r->size);
		io->v = host_alloc(h, r->size / UNIT_BYTES * sizeof(ver));
		for (i = 0; i < r->size / UNIT_BYTES; i++)
			io->v[i] = r->v;
	}
	io->sector = r->sector;
	io->size = r->size;
	io->fua = r->flags & LOG_F_FUA;
	io_submit(h, io);
}

static void queue_retry(struct request *r)
{
	core_list_add_tail(&r->node, &r->h->retries);
	submit_kick(r->h);
}

static void local_read_end(struct io *io, int error)
{
	struct request *r = io->owner;
	struct host *h = r->h;

	backing_put(h);
	if (!error) {
		complete_bio(r, 0);
		request_put(r);
		return;
	}
	r->error = error;
	post(h, &h->ev_error);
	queue_retry(r);
}

static bool read_local(struct request *r)
{
	struct io *io;

	r->tried_local = true;
	if (!backing_get(r->h))
		return false;
	io = io_new(r->h, IO_READ, r, local_read_end);
	io->sector = r->sector;
	io->size = r->size;
	io->v = r->data;
	io_submit(r->h, io);
	return true;
}

/* --- reads ------------------------------------------------------------------------------ */

static u8 read_path(struct request *r, int *path)
{
	struct host *h = r->h;
	const struct io_plan *plan = h->ldev.plan;
	bool clean = false;

	if (!plan)
		return PLAN_FAIL;
	if (plan->read_rule == PLAN_READ_CLEAN && h->bm && plan->slot_mask)
		clean = drbd_bitmap_range_clean(h->bm, r->sector, r->size, plan->slot_mask);
	*path = drbd_plan_read_path(plan, r->sector, clean, r->tried_local, r->tried_peers,
				    below(2), 0, 0);
	return plan->read_admission;
}

static void enter_read(struct request *r, u32 peer)
{
	struct host *h = r->h;
	struct log_request rq = { .sector = r->sector, .size = r->size, .owner = r };
	struct log_entered in = { 0 };
	enum log_verdict v;

	r->tried_peers |= 1u << peer;
	v = drbd_log_enter_read(&h->log, &h->ldev, &rq, peer, now_ms(), &in);
	if (v == LOG_ENTERED) {
		r->entry = in.entry;
		r->ref++;
		sender_kick(h);
		request_put(r);
	} else if (v == LOG_PARK || v == LOG_FULL || v == LOG_NEW_GENERATION) {
		park(r);
	} else {
		queue_retry(r);
	}
}

static void start_read(struct request *r)
{
	int path = PLAN_READ_FROM_NOBODY;
	u8 admission = read_path(r, &path);

	if (admission == PLAN_PARK)
		park(r);
	else if (admission == PLAN_FAIL || path == PLAN_READ_FROM_NOBODY)
		fail_request(r, r->error ? r->error : -EIO);
	else if (path != PLAN_READ_FROM_LOCAL)
		enter_read(r, (u32)path);
	else if (!read_local(r))
		queue_retry(r);
}

/* --- writes ------------------------------------------------------------------------------- */

static bool must_heat(const struct request *r)
{
	const struct io_plan *plan = r->h->ldev.plan;

	return plan && plan->local_disk && plan->al_enabled && !r->flush &&
	       !(r->hot && r->al_generation == r->h->al_generation);
}

static enum log_verdict enter_locked(struct request *r, struct log_entered *in)
{
	struct host *h = r->h;
	struct log_request rq = {
		.sector = r->sector, .size = r->size, .flags = r->flags, .owner = r,
		.range = r->reserved ? &r->range : NULL,
	};
	enum log_verdict v;

	if (!h->ldev.plan)
		return LOG_NO_DATA;
	v = r->flush ? drbd_log_enter_flush(&h->log, &h->ldev, r, now_ms(), in)
		     : drbd_log_enter_write(&h->log, &h->ldev, &rq, now_ms(), in);
	if (v != LOG_ENTERED)
		return v;
	r->entry = in->entry;
	r->remade = false;
	if (in->what)
		request_grab(r, in->what);
	if (in->local) {
		if (!backing_get(h))
			violated("n%d: the plan has a disk that is closed", h->id);
		r->ref++;
	}
	return v;
}

static void yield_to_peer(struct request *r)
{
	struct host *h = r->h;

	if (r->remade && h->ldev.plan->peer[0].track) {
		bits_set_range(h, r->sector, r->size);
		r->remade = false;
	}
	if (!r->remade)
		al_put(r);
	if (drbd_range_yield(&h->ranges, &r->range) == RANGE_GRANTED) {
		core_list_add_tail(&r->node, &h->granted);
		submit_kick(h);
	}
}

static void enter(struct request *r)
{
	struct host *h = r->h;
	struct log_entered in = { 0 };
	enum log_verdict v;

	if (must_heat(r)) {
		core_list_add_tail(&r->node, &h->cold);
		submit_kick(h);
		return;
	}
	v = enter_locked(r, &in);
	if (in.congested)
		post(h, v == LOG_FULL ? &h->ev_log_full : &h->ev_congested);
	switch (v) {
	case LOG_ENTERED:
		if (in.data_peers)
			sender_kick(h);
		if (in.local)
			submit_local(r);
		if (in.what)
			request_act(r, in.what);
		break;
	case LOG_FAIL:
		fail_request(r, in.error);
		break;
	case LOG_NO_DATA:
		fail_request(r, -EIO);
		break;
	case LOG_OVERTAKEN:
		yield_to_peer(r);
		break;
	case LOG_NEW_GENERATION:
		post(h, &h->ev_gen);
		park(r);
		break;
	default:
		park(r);
	}
}

static void heat(struct request *r)
{
	struct host *h = r->h;

	if (!r->flush && !r->hot) {
		r->hot = h->al && drbd_al_get(h->al, drbd_al_first(r->sector),
					      drbd_al_last(r->sector, r->size));
		r->al_generation = h->al_generation;
	}
	enter(r);
}

static void start_write(struct request *r)
{
	struct host *h = r->h;
	enum range_result res = RANGE_GRANTED;

	if (!r->flush) {
		drbd_range_init(&r->range, RANGE_APP_WRITE, r->sector, r->size, r);
		res = drbd_range_reserve(&h->ranges, &r->range);
		r->reserved = true;
	}
	if (res == RANGE_GRANTED)
		heat(r);
}

static void remake(struct request *old)
{
	struct host *h = old->h;
	struct request *r = request_new(h, old->op);
	struct core_node granted;

	old->op = NULL;
	r->remade = r->reserved = true;
	core_list_init(&granted);
	drbd_range_init(&r->range, RANGE_APP_WRITE, r->sector, r->size, r);
	r->al_generation = h->al_generation;
	r->hot = old->hot && old->al_generation == h->al_generation;
	if (r->hot)
		drbd_al_get_more(h->al, drbd_al_first(r->sector), drbd_al_last(r->sector, r->size));
	drbd_range_hand_over(&h->ranges, &old->range, &r->range, &granted);
	old->reserved = false;
	ranges_granted(h, &granted);
	if (drbd_log_remade(&h->log, old->entry) & LOG_DONE)
		h->retire_kick = true;
	request_put(old);
	yield_to_peer(r);
}

static void submit_one(struct host *h, struct op *op)
{
	struct request *r = request_new(h, op);

	if (r->write)
		start_write(r);
	else
		start_read(r);
}

void submit_op(struct host *h, struct op *op)
{
	if (!core_list_empty(&h->parked))
		core_list_add_tail(&op->node_link, &h->parked);
	else
		submit_one(h, op);
}

/* --- the submit work ------------------------------------------------------------------------- */

static struct request *pop(struct core_node *list)
{
	struct core_node *n = core_list_pop(list);

	return n ? container_of(n, struct request, node) : NULL;
}

/* To the front of a list: what was taken off last. */
static void push_front(struct core_node *n, struct core_node *head)
{
	n->next = head->next;
	n->prev = head;
	head->next->prev = n;
	head->next = n;
}

static void begin(struct host *h)
{
	struct core_node *n;

	h->submit_kick = false;
	while ((n = core_list_pop(&h->remakes)))
		remake(container_of(n, struct request, node));
	while ((n = core_list_pop(&h->granted)))
		heat(container_of(n, struct request, node));
	while ((n = core_list_pop(&h->retries))) {
		struct request *r = container_of(n, struct request, node);

		r->entry = NULL;
		start_read(r);
	}
	h->submit_phase = SUB_PEER;
}

static void gather(struct host *h)
{
	enum al_prepare p = AL_READY;
	struct request *r;

	h->batch_full = h->batch_starved = false;
	if (core_list_empty(&h->cold)) {
		h->submit_phase = SUB_PARKED;
		return;
	}
	if (!h->ldev.plan || !h->ldev.plan->local_disk || !backing_get(h)) {
		while ((r = pop(&h->cold)))
			park(r);
		h->submit_phase = SUB_PARKED;
		return;
	}
	while ((r = pop(&h->cold))) {
		p = drbd_al_prepare(h->al, drbd_al_first(r->sector),
				    drbd_al_last(r->sector, r->size));
		if (p == AL_BATCH_FULL || p == AL_STARVING || p == AL_LOST) {
			push_front(&r->node, &h->cold);
			break;
		}
		r->hot = true;
		r->al_generation = h->al_generation;
		core_list_add_tail(&r->node, &h->batch);
	}
	h->batch_full = p == AL_BATCH_FULL;
	h->batch_starved = p == AL_STARVING;
	al_begin(h);
	h->submit_phase = SUB_HEAT_COMMIT;
}

/* The log could not be written: they wait, in front, until the disk is gone. */
static void stay_cold(struct host *h)
{
	struct request *r;

	while ((r = pop(&h->cold)))
		core_list_add_tail(&r->node, &h->batch);
	while ((r = pop(&h->batch))) {
		al_put(r);
		core_list_add_tail(&r->node, &h->cold);
	}
}

static void commit(struct host *h)
{
	struct request *r;

	if (!al_run(h))
		return;
	if (h->al_error)
		stay_cold(h);
	while ((r = pop(&h->batch)))
		enter(r);
	backing_put(h);
	if (h->batch_starved && drbd_log_close_epoch(&h->log))
		sender_kick(h);
	h->submit_phase = h->batch_full ? SUB_HEAT : SUB_PARKED;
}

static void submit_parked(struct host *h)
{
	struct core_node ops, *n;

	h->submit_phase = SUB_IDLE;
	if (core_list_empty(&h->parked) || admission(h) == PLAN_PARK)
		return;
	if (admission(h) == PLAN_NEW_GENERATION) {
		post(h, &h->ev_gen);
		return;
	}
	core_list_init(&ops);
	while ((n = core_list_pop(&h->parked)))
		core_list_add_tail(n, &ops);
	while ((n = core_list_pop(&ops)))
		submit_one(h, container_of(n, struct op, node_link));
}

bool submit_ready(struct host *h)
{
	switch (h->submit_phase) {
	case SUB_IDLE:
		return h->submit_kick;
	case SUB_PEER_COMMIT:
	case SUB_HEAT_COMMIT:
		return al_ready(h);
	default:
		return true;
	}
}

void submit_run(struct host *h)
{
	switch (h->submit_phase) {
	case SUB_IDLE:
		begin(h);
		break;
	case SUB_PEER:
		if (!peer_writes_cold_step(h))
			h->submit_phase = SUB_HEAT;
		break;
	case SUB_PEER_COMMIT:
		if (!al_run(h))
			break;
		h->submit_phase = SUB_PEER;
		peer_writes_cold_done(h, h->al_error);
		break;
	case SUB_HEAT:
		gather(h);
		break;
	case SUB_HEAT_COMMIT:
		commit(h);
		break;
	case SUB_PARKED:
		submit_parked(h);
		break;
	}
}

/* --- consequences of log calls ------------------------------------------------------------------ */

void request_act(struct request *r, u32 what)
{
	struct host *h = r->h;

	if (what & LOG_COMPLETE)
		complete_bio(r, r->error);
	if (what & LOG_AGAIN)
		park_op(r);
	if (what & LOG_REMAKE) {
		r->ref++;
		core_list_add_tail(&r->node, &h->remakes);
		submit_kick(h);
	}
	if (what & LOG_RETRY)
		queue_retry(r);
	else if ((what & LOG_COMPLETE) && !r->write)
		request_put(r);
	if (what & LOG_DONE)
		h->retire_kick = true;
	if (what & LOG_SEND)
		sender_kick(h);
	request_put(r);
}

static void sink_emit(struct log_sink *core, struct log_entry *e, u32 what)
{
	struct sink *s = container_of(core, struct sink, core);
	struct request *r = e->owner;

	s->what |= what;
	if (e->kind == LOG_MARKER || !r)
		return;
	if (!r->what) {
		request_grab(r, what);
		core_list_add_tail(&r->walk, &s->list);
	} else if (what & LOG_COMPLETE) {
		r->error = e->error;
	}
	r->what |= what;
}

void sink_init(struct sink *s)
{
	s->core.emit = sink_emit;
	core_list_init(&s->list);
	s->what = 0;
}

void sink_run(struct host *h, struct sink *s)
{
	struct core_node *n;

	while ((n = core_list_pop(&s->list))) {
		struct request *r = container_of(n, struct request, walk);
		u32 what = r->what;

		r->what = 0;
		request_act(r, what);
	}
	if (s->what & LOG_DONE)
		h->retire_kick = true;
	if (s->what & LOG_SEND)
		sender_kick(h);
}

/* --- the retirer ------------------------------------------------------------------------------------ */

static void retire_write(struct host *h, const struct log_retired *t)
{
	struct request *r = t->owner;
	u64 first, last;
	u32 changed = 0;

	if (h->bm)
		changed = drbd_bitmap_update(h->bm, t->sector, t->size, t->set_slots,
					     t->clear_slots);
	if (changed && h->slot >= 0 && (changed >> h->slot & 1) && h->resync_runs &&
	    drbd_bitmap_bits_out(h->bm, t->sector, t->size, &first, &last))
		drbd_resync_bits_set(&h->pass, first, last - first + 1);
	al_put(r);
	if ((t->notice_peers & 1) && h->slot >= 0 && (changed >> h->slot & 1)) {
		drbd_notice_add(&h->notices, t->sector, t->size, t->position);
		sender_kick(h);
	}
}

bool retire_ready(struct host *h)
{
	return h->retire_kick || h->n_retired;
}

/* A step is: find what is done, one entry's bits and reference, or the commit. */
void retire_run(struct host *h)
{
	u32 i;

	if (!h->n_retired) {
		h->retire_kick = false;
		h->retire_at = 0;
		while (h->n_retired < ARRAY_SIZE(h->retired) &&
		       drbd_log_retire_peek(&h->log, h->n_retired, &h->retired[h->n_retired]))
			h->n_retired++;
		if (!h->n_retired)
			check_drains(h);
		return;
	}
	if (h->retire_at < h->n_retired) {
		if (h->retired[h->retire_at].kind == LOG_WRITE)
			retire_write(h, &h->retired[h->retire_at]);
		h->retire_at++;
		return;
	}
	if (drbd_log_retire_commit(&h->log, h->n_retired) && !core_list_empty(&h->parked))
		submit_kick(h);
	for (i = 0; i < h->n_retired; i++) {
		if (h->retired[i].kind == LOG_MARKER)
			host_free(h->retired[i].owner);
		else if (h->retired[i].owner)
			request_put(h->retired[i].owner);
	}
	h->n_retired = 0;
	h->retire_kick = true;
}

void check_drains(struct host *h)
{
	const struct io_plan *plan = h->ldev.plan;

	if (!h->drain_to)
		return;
	if (h->log.tail < h->drain_to &&
	    !(plan && plan->completion == PLAN_COMPLETE_HOLD &&
	      drbd_log_done_to(&h->log, -1, h->drain_to)))
		return;
	h->drain_to = 0;
	post(h, &h->ev_drain);
}
