// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a node does for its peer: writes and their epochs, reads, both sides of
 * a resync; in the order of kernel/peerwrite.c and kernel/syncio.c.
 */
#include "sim.h"

/* --- requests -------------------------------------------------------------------- */

struct preq *preq_new(struct host *h, u64 sector, u32 size, u8 kind)
{
	struct preq *pr = host_alloc(h, sizeof(*pr));

	core_list_init(&pr->node);
	core_list_init(&pr->rs_node);
	pr->h = h;
	pr->sector = sector;
	pr->size = size;
	pr->kind = kind;
	pr->v = host_alloc(h, (size / UNIT_BYTES + 1) * sizeof(ver));
	return pr;
}

void preq_free(struct preq *pr)
{
	host_free(pr->v);
	host_free(pr);
}

void preq_ack(struct preq *pr, u16 cmd, u64 block_id)
{
	ack_block(pr->h, cmd, pr->sector, pr->size, block_id);
}

static void preq_io(struct preq *pr, u8 kind, void (*done)(struct io *, int))
{
	struct io *io = io_new(pr->h, kind, pr, done);

	io->sector = pr->sector;
	io->size = pr->size;
	io->v = pr->v;
	io->fua = kind == IO_WRITE && (pr->flags & DP_FUA);
	io->flush = kind == IO_WRITE && (pr->flags & DP_FLUSH);
	io_submit(pr->h, io);
}

/* --- the end of a peer's write ------------------------------------------------------ */

static void clear_in_sync(struct preq *pr)
{
	struct host *h = pr->h;

	if (h->bm && h->slot >= 0)
		drbd_bitmap_update(h->bm, pr->sector, pr->size, 0, 1u << h->slot);
}

static void epoch_changed(struct host *h, u32 tag, void (*change)(struct recv_epochs *, u32))
{
	change(&h->epochs, tag);
	if (drbd_recv_has_steps(&h->epochs))
		h->epoch_kick = true;
}

static void write_finished(struct preq *pr, int error)
{
	struct host *h = pr->h;

	if (pr->hot && pr->al_generation == h->al_generation && drbd_al_put(h->al, drbd_al_first(pr->sector),
				   drbd_al_last(pr->sector, pr->size)))
		submit_kick(h);
	if (error) {
		post(h, &h->ev_error);
		preq_ack(pr, P_NEG_ACK, pr->block_id);
	} else {
		if (pr->in_sync)
			clear_in_sync(pr);
		if (pr->acks.on_success)
			preq_ack(pr, pr->acks.on_success, pr->block_id);
	}
	if (pr->range.inserted)
		range_end(h, &pr->range);
	if (pr->backing)
		backing_put(h);
	epoch_changed(h, pr->tag, drbd_recv_write_done);
	preq_free(pr);
	h->active--;
}

void peer_write_dropped(struct preq *pr)
{
	struct host *h = pr->h;

	if (pr->backing)
		backing_put(h);
	preq_free(pr);
	h->active--;
}

static void write_end(struct io *io, int error)
{
	write_finished(io->owner, error);
}

/* --- to the disk ---------------------------------------------------------------------- */

static void submit(struct preq *pr)
{
	preq_io(pr, IO_WRITE, write_end);
}

static void ready(struct preq *pr)
{
	struct host *h = pr->h;

	if (!pr->track) {
		submit(pr);
		return;
	}
	pr->in_sync = false;
	pr->acks = drbd_recv_acks(h->wire.version, pr->flags, h->conn.conf.wire_protocol, false);
	bits_set_range(h, pr->sector, pr->size);
	core_list_add_tail(&pr->node, &h->peer_cold);
	submit_kick(h);
}

/* From the submit work. True: go on with this phase. */
bool peer_writes_cold_step(struct host *h)
{
	struct core_node *n = core_list_pop(&h->peer_cold);
	struct preq *pr;
	enum al_prepare p;

	if (!n)
		return false;
	pr = container_of(n, struct preq, node);
	p = drbd_al_prepare(h->al, drbd_al_first(pr->sector), drbd_al_last(pr->sector, pr->size));
	if (p == AL_STARVING && h->dropped) {
		range_end(h, &pr->range);
		peer_write_dropped(pr);
		return true;
	}
	if (p == AL_STARVING || p == AL_BATCH_FULL) {
		/* back to the front */
		n->next = h->peer_cold.next;
		n->prev = &h->peer_cold;
		h->peer_cold.next->prev = n;
		h->peer_cold.next = n;
		return false;
	}
	if (p == AL_LOST) {
		write_finished(pr, -EIO);
		return true;
	}
	pr->hot = true;
	pr->al_generation = h->al_generation;
	h->peer_cold_now = pr;
	al_begin(h);
	h->submit_phase = SUB_PEER_COMMIT;
	return true;
}

void peer_writes_cold_done(struct host *h, int error)
{
	struct preq *pr = h->peer_cold_now;

	h->peer_cold_now = NULL;
	if (error) {
		write_finished(pr, -EIO);
		return;
	}
	oracle_local_write(h, pr->sector, pr->size);
	submit(pr);
}

static void write_yields(struct preq *pr, u16 cmd)
{
	struct host *h = pr->h;

	preq_ack(pr, cmd, pr->block_id);
	backing_put(h);
	h->active--;
	if (cmd == P_RETRY_WRITE) {
		core_list_add_tail(&pr->node, &h->retried);
		epoch_changed(h, pr->tag, drbd_recv_write_retried);
		return;
	}
	epoch_changed(h, pr->tag, drbd_recv_write_superseded);
	preq_free(pr);
}

static void comes_again(struct host *h, u64 sector, u32 size)
{
	struct core_node *n, *next;

	for (n = h->retried.next; n != &h->retried; n = next) {
		struct preq *pr = container_of(n, struct preq, node);

		next = n->next;
		if (pr->sector >= sector + size / SECTOR_BYTES ||
		    sector >= pr->sector + pr->size / SECTOR_BYTES)
			continue;
		core_list_del(n);
		epoch_changed(h, pr->tag, drbd_recv_came_again);
		preq_free(pr);
	}
}

static void write_go(struct preq *pr)
{
	struct host *h = pr->h;
	u8 conflicts = h->ldev.plan->peer[0].conflicts;
	struct io_range *with;
	enum range_result r;

	drbd_range_init(&pr->range, RANGE_PEER_WRITE, pr->sector, pr->size, pr);
	r = conflicts == RANGE_WAIT_IN_TURN ? drbd_range_reserve(&h->ranges, &pr->range) :
	    drbd_range_reserve_dual(&h->ranges, &pr->range, &h->log, 0, conflicts, &with);
	if (r == RANGE_GRANTED)
		ready(pr);
	else if (r == RANGE_WAITS)
		core_list_add_tail(&pr->rs_node, &h->write_waits);
	else
		write_yields(pr, r == RANGE_RETRY ? P_RETRY_WRITE : P_SUPERSEDED);
	W->r.superseded += r == RANGE_SUPERSEDED;
	W->r.retried += r == RANGE_RETRY;
}

/* The disk is closed: what was to come again does not. */
void peer_writes_give_up(struct host *h)
{
	struct core_node *n;

	while ((n = core_list_pop(&h->retried))) {
		struct preq *pr = container_of(n, struct preq, node);

		epoch_changed(h, pr->tag, drbd_recv_came_again);
		preq_free(pr);
	}
}

/* The link is gone: what waits for a write of ours may wait for ever. */
void peer_writes_forget(struct host *h)
{
	struct core_node *n, *next, granted;

	core_list_init(&granted);
	for (n = h->write_waits.next; n != &h->write_waits; n = next) {
		struct preq *pr = container_of(n, struct preq, rs_node);

		next = n->next;
		if (!pr->range.waiting)
			continue;
		core_list_del(n);
		drbd_range_release(&h->ranges, &pr->range, &granted);
		peer_write_dropped(pr);
	}
	ranges_granted(h, &granted);
	submit_kick(h);
	while ((n = core_list_pop(&h->retried)))
		preq_free(container_of(n, struct preq, node));
}

/* --- reception -------------------------------------------------------------------------- */

static bool syncing(const struct host *h)
{
	return h->st_pd.repl >= REPL_SYNC_SOURCE && h->st_pd.repl <= REPL_PAUSED_SYNC_T;
}

int recv_data(struct host *h, const struct packet_header *hdr, const struct wire_data *d,
	      const struct pkt *p)
{
	struct preq *pr = preq_new(h, d->sector, d->size, PEER_WRITE);
	enum recv_submit now;

	(void)hdr;
	h->seq_data = d->seq;
	comes_again(h, d->sector, d->size);
	pr->block_id = d->block_id;
	pr->flags = d->flags;
	pr->track = h->ldev.plan->peer[0].track;
	pr->in_sync = (d->flags & DP_MAY_SET_IN_SYNC) && syncing(h) && !pr->track;
	pr->acks = drbd_recv_acks(h->wire.version, d->flags, h->conn.conf.wire_protocol, pr->in_sync);
	pr->backing = backing_get(h);
	if (p->torn) {
		if (pr->backing)
			backing_put(h);
		preq_free(pr);
		return -ECONNRESET;
	}
	memcpy(pr->v, p->v, p->nv * sizeof(ver));
	now = drbd_recv_write(&h->epochs, &pr->tag);
	if (!pr->backing) {
		preq_ack(pr, P_NEG_ACK, pr->block_id);
		epoch_changed(h, pr->tag, drbd_recv_write_done);
		preq_free(pr);
		return 0;
	}
	if (now == RECV_HOLD)
		core_list_add_tail(&pr->node, &h->held);
	h->active++;
	if (pr->acks.on_receive)
		preq_ack(pr, pr->acks.on_receive, d->block_id);
	if (now == RECV_GO)
		write_go(pr);
	return 0;
}

bool peer_barrier(struct host *h, u32 number)
{
	bool taken = drbd_recv_barrier(&h->epochs, number);

	h->epoch_kick = true;
	return taken;
}

/* --- epochs ------------------------------------------------------------------------------- */

static void flushed(struct io *io, int error)
{
	struct host *h = io->it.h;

	backing_put(h);
	drbd_recv_flushed(&h->epochs, !error);
	h->epoch_flush = false;
	h->epoch_kick = true;
}

static void flush(struct host *h)
{
	if (!backing_get(h)) {
		drbd_recv_flushed(&h->epochs, true);
		h->epoch_kick = true;
		return;
	}
	h->epoch_flush = true;
	io_submit(h, io_new(h, IO_FLUSH, NULL, flushed));
}

static void send_barrier_ack(struct host *h, u32 number, u32 count)
{
	struct wire_barrier b = { .number = number, .set_size = count };
	u8 body[WIRE_BODY_MAX];

	ack_queue(h, P_BARRIER_ACK, 0, body, drbd_wire_put_barrier(P_BARRIER_ACK, body, &b));
}

static void release_epoch(struct host *h, u32 tag)
{
	struct core_node go, *n, *next;

	core_list_init(&go);
	for (n = h->held.next; n != &h->held; n = next) {
		next = n->next;
		if (container_of(n, struct preq, node)->tag == tag) {
			core_list_del(n);
			core_list_add_tail(n, &go);
		}
	}
	while ((n = core_list_pop(&go)))
		write_go(container_of(n, struct preq, node));
}

bool epoch_ready(struct host *h)
{
	return h->epoch_kick && !h->epoch_flush;
}

void epoch_run(struct host *h)
{
	struct recv_step step;

	drbd_recv_next(&h->epochs, &step);
	switch (step.action) {
	case RECV_NOTHING:
		h->epoch_kick = false;
		break;
	case RECV_DO_FLUSH:
		flush(h);
		break;
	case RECV_DO_ACK:
		send_barrier_ack(h, step.number, step.count);
		break;
	case RECV_DO_RELEASE:
		release_epoch(h, step.tag);
		break;
	}
}

/* --- lists of what is under way ------------------------------------------------------------- */

struct preq *preq_take(struct core_node *list, u64 sector, u32 size)
{
	struct core_node *n;

	for (n = list->next; n != list; n = n->next) {
		struct preq *pr = container_of(n, struct preq, rs_node);

		if (pr->sector != sector || pr->size != size)
			continue;
		core_list_del(n);
		return pr;
	}
	return NULL;
}

static void rs_done(struct preq *pr, enum resync_result result)
{
	if (pr->h->resync_runs && (!pr->h->pass.target || pr->tag == pr->h->rs_run))
		drbd_resync_done(&pr->h->pass, pr->sector, pr->size, result);
	sender_kick(pr->h);
}

void preq_release(struct preq *pr)
{
	if (pr->range2.inserted)
		range_end(pr->h, &pr->range2);
	if (pr->range.inserted)
		range_end(pr->h, &pr->range);
}

enum range_result preq_reserve(struct preq *pr, struct io_range *r, u8 cls)
{
	drbd_range_init(r, cls, pr->sector, pr->size, pr);
	return drbd_range_reserve(&pr->h->ranges, r);
}

/* --- reads for the peer ------------------------------------------------------------------------ */

static void read_failed(struct preq *pr, u16 cmd)
{
	preq_ack(pr, cmd, pr->block_id);
	preq_release(pr);
	preq_free(pr);
}

static void read_end(struct io *io, int error)
{
	struct preq *pr = io->owner;
	struct host *h = pr->h;

	backing_put(h);
	pr->backing = false;
	h->active--;
	if (pr->kind == PEER_OV_READ || pr->kind == PEER_OV_CHECK) {
		if (error)
			post(h, &h->ev_error);
		if (pr->kind == PEER_OV_READ)
			ov_answer(pr, error);
		else
			ov_compare(pr, error);
		return;
	}
	if (!error) {
		core_list_add_tail(&pr->node, &h->replies);
		sender_kick(h);
		return;
	}
	post(h, &h->ev_error);
	if (pr->kind == PEER_RS_READ) {
		preq_take(&h->rs_reads, pr->sector, pr->size);
		rs_done(pr, RESYNC_FAILED);
		read_failed(pr, P_NEG_RS_DREPLY);
	} else {
		read_failed(pr, P_NEG_DREPLY);
	}
}

void preq_read(struct preq *pr)
{
	pr->submitted = true;
	preq_io(pr, IO_READ, read_end);
}

int recv_read_request(struct host *h, const struct wire_block *b, u8 kind)
{
	struct preq *pr = preq_new(h, b->sector, b->size, kind);
	bool resync = kind == PEER_RS_READ;

	pr->block_id = resync ? BLOCK_ID_SYNCER : b->block_id;
	if (resync && h->st_pd.repl != REPL_SYNC_SOURCE && h->st_pd.repl != REPL_PAUSED_SYNC_S) {
		read_failed(pr, P_RS_CANCEL);
		return 0;
	}
	pr->backing = h->st_dev.disk == DISK_UP_TO_DATE && backing_get(h);
	if (!pr->backing) {
		read_failed(pr, resync ? P_NEG_RS_DREPLY : P_NEG_DREPLY);
		return 0;
	}
	if (resync) {
		core_list_add_tail(&pr->rs_node, &h->rs_reads);
		if (preq_reserve(pr, &pr->range, RANGE_RESYNC_READ) != RANGE_GRANTED)
			return 0;
	}
	h->active++;
	preq_read(pr);
	return 0;
}

void reply_sent(struct preq *pr)
{
	if (pr->kind == PEER_READ) {
		preq_free(pr);
		return;
	}
	pr->sent = true;
	if (pr->dead)
		preq_free(pr);
}

void preq_acked(struct preq *pr)
{
	bool sent;

	preq_release(pr);
	pr->dead = true;
	sent = pr->sent;
	if (sent)
		preq_free(pr);
}

static int source_acked(struct host *h, u16 cmd, const struct wire_block *b)
{
	struct preq *pr = preq_take(&h->rs_reads, b->sector, b->size);

	if (!pr)
		violated("n%d: %s for %llu+%u, which was not sent", h->id, drbd_packet_name(cmd),
		     (unsigned long long)b->sector, b->size);
	rs_done(pr, cmd == P_RS_WRITE_ACK ? RESYNC_WRITTEN : RESYNC_FAILED);
	preq_acked(pr);
	return 0;
}

/* --- target ------------------------------------------------------------------------------------- */

static void target_ended(struct preq *pr, enum resync_result result)
{
	if (pr->range.touched && result != RESYNC_FAILED)
		result = RESYNC_CANCELLED;
	rs_done(pr, result);
	preq_release(pr);
	preq_free(pr);
}

static void rs_write_end(struct io *io, int error)
{
	struct preq *pr = io->owner;
	struct host *h = pr->h;

	backing_put(h);
	if (error)
		post(h, &h->ev_error);
	preq_ack(pr, error ? P_NEG_ACK : P_RS_WRITE_ACK, BLOCK_ID_SYNCER);
	target_ended(pr, error ? RESYNC_FAILED : RESYNC_WRITTEN);
	h->active--;
}

static void submit_rs_write(struct preq *pr)
{
	preq_io(pr, IO_WRITE, rs_write_end);
}

int recv_rs_reply(struct host *h, const struct wire_data *d, const struct pkt *p)
{
	struct preq *pr = preq_take(&h->rs_requests, d->sector, d->size);

	if (!pr)
		violated("n%d: unexpected resync reply at %llu+%u", h->id,
		     (unsigned long long)d->sector, d->size);
	pr->backing = backing_get(h);
	if (!pr->backing) {
		preq_ack(pr, P_NEG_ACK, BLOCK_ID_SYNCER);
		target_ended(pr, RESYNC_FAILED);
		return 0;
	}
	if (p->torn) {
		backing_put(h);
		target_ended(pr, RESYNC_CANCELLED);
		return -ECONNRESET;
	}
	memcpy(pr->v, p->v, p->nv * sizeof(ver));
	h->active++;
	if (preq_reserve(pr, &pr->range2, RANGE_RESYNC_WRITE) == RANGE_GRANTED)
		submit_rs_write(pr);
	return 0;
}

static int target_refused(struct host *h, u16 cmd, const struct wire_block *b)
{
	struct preq *pr = preq_take(&h->rs_requests, b->sector, b->size);

	if (pr)
		target_ended(pr, cmd == P_RS_IS_IN_SYNC ? RESYNC_EQUAL :
				 cmd == P_RS_CANCEL ? RESYNC_CANCELLED : RESYNC_FAILED);
	return 0;
}

int rs_answer(struct host *h, u16 cmd, const struct wire_block *b)
{
	if (cmd == P_RS_WRITE_ACK || cmd == P_NEG_ACK)
		return source_acked(h, cmd, b);
	if (ov_refused(h, b))
		return 0;
	return target_refused(h, cmd, b);
}

/* --- ranges that had to wait -------------------------------------------------------------------------- */

struct granted {
	struct item it;
	struct preq *pr;
};

static void granted(struct item *it)
{
	struct granted *g = container_of(it, struct granted, it);
	struct preq *pr = g->pr;

	host_free(g);
	if (pr->kind == PEER_WRITE) {
		core_list_del(&pr->rs_node);
		ready(pr);
	} else if (pr->kind != PEER_RS_WRITE) {
		preq_read(pr);
	} else {
		submit_rs_write(pr);
	}
}

void rs_range_granted(struct preq *pr, struct io_range *r)
{
	struct host *h = pr->h;
	struct granted *g;

	if (r->cls == RANGE_RESYNC_REQUEST) {
		core_list_add_tail(&pr->node, &h->rs_ready);
		sender_kick(h);
		return;
	}
	if (r == &pr->range && pr->kind != PEER_WRITE)
		h->active++;
	g = host_alloc(h, sizeof(*g));
	g->pr = pr;
	item_add(&g->it, h, below(100), granted);
}

/* --- the engine of the target ---------------------------------------------------------------------------- */

void rs_start(struct host *h)
{
	if (h->resync_runs) {
		drbd_resync_restart(&h->pass, now_ms());
	} else {
		h->rs_run++;
		drbd_resync_start(&h->pass, h->bm, (u32)h->slot, !h->pd.sync_source, now_ms());
	}
	h->resync_told = false;
	h->resync_runs = true;
	W->r.syncs++;
	if (!h->pd.sync_source)
		oracle_sync_start(h->id);
	sender_kick(h);
}

void rs_stop(struct host *h)
{
	if (h->resync_runs)
		drbd_resync_abort(&h->pass);
	h->resync_runs = false;
}

/* One request a step; the rate controller has its own tests: the budget is drawn. */
bool rs_step(struct host *h)
{
	enum resync_next next;
	struct preq *pr;
	u64 sector = 0;
	u32 size = 0;

	if (!h->resync_runs || !h->pass.target || h->st_pd.repl != REPL_SYNC_TARGET)
		return false;
	h->budget = 8u << below(9);
	if (h->pass.requests >= 16)
		return false;
	next = drbd_resync_next(&h->pass, h->budget, WIRE_MAX_BIO, &sector, &size);
	if (next == RESYNC_REQUEST) {
		drbd_resync_requested(&h->pass, sector, size);
		h->resync_told = false;
	}
	if (next == RESYNC_FINISHED && !h->resync_told) {
		h->resync_told = true;
		h->ev_done.ev.rs_failed = h->pass.failed;
		post(h, &h->ev_done);
	}
	if (next != RESYNC_REQUEST)
		return false;
	pr = preq_new(h, sector, size, PEER_RS_WRITE);
	pr->tag = h->rs_run;
	core_list_add_tail(&pr->rs_node, &h->rs_requests);
	if (preq_reserve(pr, &pr->range, RANGE_RESYNC_REQUEST) == RANGE_GRANTED)
		core_list_add_tail(&pr->node, &h->rs_ready);
	return true;
}

/* --- teardown ------------------------------------------------------------------------------------------------ */

static void cancel_list(struct host *h, struct core_node *list)
{
	struct core_node *n;

	while ((n = core_list_pop(list))) {
		struct preq *pr = container_of(n, struct preq, rs_node);

		preq_release(pr);
		if ((pr->kind == PEER_RS_READ || pr->kind == PEER_OV_READ) && pr->backing &&
		    !pr->submitted)
			backing_put(h);
		core_list_del(&pr->node);
		preq_free(pr);
	}
}

void rs_cancel_all(struct host *h)
{
	struct core_node *n;

	while ((n = core_list_pop(&h->replies))) {
		struct preq *pr = container_of(n, struct preq, node);

		if (pr->kind == PEER_READ || pr->dead)
			preq_free(pr);
	}
	while (core_list_pop(&h->rs_ready))
		;
	cancel_list(h, &h->rs_requests);
	cancel_list(h, &h->rs_reads);
	cancel_list(h, &h->ov_requests);
	cancel_list(h, &h->ov_reads);
}

/* --- answers to our own reads ----------------------------------------------------------------------------------- */

int recv_read_reply(struct host *h, const struct wire_data *d, const struct pkt *p)
{
	struct log_entry *e = drbd_log_read_reply(&h->log, 0, d->block_id, 0, d->sector, d->size);
	struct request *r = e ? e->owner : NULL;
	u32 what;

	if (!r)
		violated("n%d: read reply at %llu+%u for a request that is not outstanding", h->id,
		     (unsigned long long)d->sector, d->size);
	r->ref++;
	if (!p->torn)
		memcpy(r->data, p->v, p->nv * sizeof(ver));
	what = drbd_log_read_done(&h->log, 0, e, !p->torn);
	if (what & LOG_COMPLETE)
		r->error = e->error;
	request_act(r, what);
	return p->torn ? -ECONNRESET : 0;
}
