// SPDX-License-Identifier: GPL-2.0-only
/*
 * data/log.c - the ring, the legs in it, epochs, cursors, retiring.
 *
 * log_walk.c has the operations that go over many entries. The contract is in
 * log.h; everything here runs under the log lock.
 */
#include "log_internal.h"
#include "../wire/packet.h"
#include "../wire/data.h"

void drbd_log_init(struct xfer_log *log, struct log_entry *ring, u32 size,
		   u32 max_epoch, u8 epoch_mode)
{
	memset(log, 0, sizeof(*log));
	core_assert(core_is_pow2(size));
	memset(ring, 0, (size_t)size * sizeof(*ring));
	log->ring = ring;
	log->size = size;
	/* 0 is no position: it is no legal block_id either. */
	log->head = log->tail = 1;
	log->epoch = 1;
	log->max_epoch = max_epoch ? max_epoch : LOG_MAX_EPOCH_DEFAULT;
	log->epoch_mode = epoch_mode;
}

/* -- epochs -- */

bool drbd_log_close_epoch(struct xfer_log *log)
{
	if (!log->epoch_writes)
		return false;
	log->epoch++;
	log->epoch_writes = 0;
	log->epoch_weak = false;
	log->epoch_started = 0;
	return true;
}

u64 drbd_log_epoch_deadline(const struct xfer_log *log)
{
	return log->epoch_writes ? log->epoch_started + LOG_LAZY_EPOCH_MS : 0;
}

/* A completion ends the epoch, unless all that is in it is on the peers' disks
 * before anybody can build on it. DESIGN 3.1 */
static bool completion_closes_epoch(const struct xfer_log *log, const struct log_entry *e)
{
	if (e->kind != LOG_WRITE || e->epoch != log->epoch)
		return false;
	return log->epoch_weak || log->epoch_mode == LOG_EPOCH_PER_COMPLETION;
}

/* -- legs -- */

static u32 sectors_of(const struct log_entry *e)
{
	return e->size / SECTOR_BYTES;
}

/* While it has this trait, the leg is counted in the connection's in_flight_sectors.
 * With A until the barrier ack, as nothing else tells that the peer keeps up. */
static u8 in_flight_trait(const struct log_entry *e, u32 i)
{
	if (e->kind != LOG_WRITE)
		return 0;
	return (e->attr[i] & LEG_A_PROTOCOL) == 1 ? LEG_UNDONE : LEG_PAGES;
}

static void count_in_flight(struct log_conn *c, const struct log_entry *e, bool more)
{
	if (more)
		c->in_flight_sectors += sectors_of(e);
	else
		c->in_flight_sectors -= sectors_of(e);
}

void log_leg_set(struct xfer_log *log, struct log_entry *e, u32 i, u8 state)
{
	u8 traits = drbd_leg_traits(state), changed = traits ^ drbd_leg_traits(e->leg[i]);
	u32 bit = 1u << i;

	e->leg[i] = state;
	if (changed & LEG_PENDING)
		e->pending ^= bit;
	if (changed & LEG_UNDONE)
		e->undone ^= bit;
	if (changed & LEG_PAGES)
		e->pages ^= bit;
	if (changed & LEG_AGAIN)
		e->again ^= bit;
	if (state == LEG_ACKED || state == LEG_SENDING_ACKED ||
	    state == LEG_SENDING_OVER || state == LEG_OK)
		e->attr[i] |= LEG_A_GOOD;
	if (i && changed & in_flight_trait(e, i))
		count_in_flight(&log->conn[i - 1], e, traits & in_flight_trait(e, i));
}

/* Is there a leg whose data counts as written? */
static bool any_good(const struct xfer_log *log, const struct log_entry *e)
{
	u32 i;

	for (i = 0; i <= log->nr_conns; i++)
		if (e->attr[i] & LEG_A_GOOD)
			return true;
	return false;
}

static u32 complete(struct xfer_log *log, struct log_entry *e)
{
	const struct io_plan *plan = e->dev ? e->dev->plan : NULL;
	u32 what = LOG_COMPLETE;

	if (e->again) {
		e->flags |= LOG_F_REMAKING;
		what = LOG_REMAKE;
	} else if (e->kind == LOG_READ) {
		if (!any_good(log, e)) {
			e->error = -EIO;
			what = LOG_RETRY;
		}
	} else if (e->kind != LOG_MARKER) {
		if (plan && plan->completion == PLAN_COMPLETE_HOLD) {
			e->flags |= LOG_F_HELD_BACK;
			return 0;
		}
		/* also what a copy has got that is not there any more: another one may come */
		if (plan && plan->completion == PLAN_COMPLETE_PARK)
			what = LOG_AGAIN;
		else if (plan && plan->completion == PLAN_COMPLETE_FAIL)
			e->error = plan->error ? plan->error : -EIO;
		else if (any_good(log, e))
			e->error = 0;
		else if (!e->error)
			e->error = -EIO;
	}
	e->flags |= LOG_F_COMPLETED;
	e->flags &= (u8)~LOG_F_HELD_BACK;
	if (e->dev)
		e->dev->in_flight--;
	/* its barrier goes with the next write, or when the sender's clock strikes */
	if (completion_closes_epoch(log, e))
		drbd_log_close_epoch(log);
	return what;
}

u32 log_settle(struct xfer_log *log, struct log_entry *e)
{
	u32 what = 0;

	if (!e->pages && e->kind == LOG_WRITE && !(e->flags & LOG_F_PAGES_FREE)) {
		e->flags |= LOG_F_PAGES_FREE;
		what |= LOG_PAGES_FREE;
	}
	if (!e->pending && !(e->flags & LOG_F_COMPLETED))
		what |= complete(log, e);
	if (!e->undone && e->flags & LOG_F_COMPLETED && !(e->flags & LOG_F_REMAKING))
		what |= LOG_DONE;
	return what;
}

u32 drbd_log_remade(struct xfer_log *log, struct log_entry *e)
{
	e->flags &= 0xff & ~LOG_F_REMAKING;
	return log_settle(log, e);
}

u32 log_leg_event(struct xfer_log *log, struct log_entry *e, u32 i, enum leg_event event)
{
	u8 old = e->leg[i];
	u8 state = drbd_leg_next(old, event, e->attr[i]);
	u32 what = 0;

	if (state == LEG_ILLEGAL)
		return LOG_BAD;
	log_leg_set(log, e, i, state);
	if (drbd_leg_traits(state) & ~drbd_leg_traits(old) & LEG_IS_HELD)
		what |= LOG_HELD;
	return what | log_settle(log, e);
}

/* -- entering -- */

static struct log_entry *append(struct xfer_log *log, struct log_device *dev,
				u8 kind, void *owner, u64 now)
{
	struct log_entry *e = log_at(log, log->head);

	memset(e, 0, sizeof(*e));
	e->position = log->head++;
	e->kind = kind;
	e->dev = dev;
	e->owner = owner;
	e->started = now;
	e->epoch = log->epoch;
	if (dev)
		dev->in_flight++;
	return e;
}

/* State changes must get through when writes have to wait. */
static bool is_full(const struct xfer_log *log)
{
	return drbd_log_used(log) + min(LOG_MARKER_RESERVE, log->size / 4) >= log->size;
}

/* It was submitted before the device became smaller. */
static bool is_behind_the_end(const struct io_plan *plan, const struct log_request *rq)
{
	return rq->sector + rq->size / SECTOR_BYTES > plan->capacity;
}

/* A full log is congestion, too, if it is full because of such a peer. */
static u32 filled_by(const struct xfer_log *log, const struct io_plan *plan)
{
	u32 owing = drbd_log_full_because(log), mask = 0, i;

	for (i = 0; i < plan->nr_peers; i++)
		if (owing >> i & 1 && plan->peer[i].congestion != PLAN_CONGESTION_IGNORE)
			mask |= 1u << i;
	return mask;
}

static enum log_verdict admit(const struct xfer_log *log, const struct io_plan *plan,
			      u8 admission, struct log_entered *out)
{
	memset(out, 0, sizeof(*out));
	if (!plan)
		return LOG_PARK;
	switch (admission) {
	case PLAN_OPEN:
		if (!is_full(log))
			return LOG_ENTERED;
		out->congested = filled_by(log, plan);
		return LOG_FULL;
	case PLAN_FAIL:
		out->error = plan->error ? plan->error : -EIO;
		return LOG_FAIL;
	case PLAN_NEW_GENERATION:
		return LOG_NEW_GENERATION;
	default:
		return LOG_PARK;
	}
}

/* Can this connection take a data leg of such a request now? */
static bool takes_data(const struct xfer_log *log, const struct io_plan *plan,
		       u32 peer, u8 op)
{
	const struct plan_peer *p = &plan->peer[peer];

	if (p->leg != PLAN_DATA || !log->conn[peer].attached)
		return false;
	return op == LOG_OP_DATA || p->discard != PLAN_DISCARD_NONE;
}

static u32 data_peers(const struct xfer_log *log, const struct io_plan *plan, u8 op)
{
	u32 mask = 0, i;

	for (i = 0; i < plan->nr_peers; i++)
		if (takes_data(log, plan, i, op))
			mask |= 1u << i;
	return mask;
}

static u32 notice_peers(const struct xfer_log *log, const struct io_plan *plan)
{
	u32 mask = 0, i;

	for (i = 0; i < plan->nr_peers; i++)
		if (plan->peer[i].leg == PLAN_NOTICE && log->conn[i].attached)
			mask |= 1u << i;
	return mask;
}

/* Gives the write its legs; true if one is of a protocol other than C. */
static bool add_legs(struct xfer_log *log, struct log_entry *e,
		     const struct io_plan *plan, const struct log_entered *out)
{
	bool weak = false;
	u32 i;

	if (out->local)
		log_leg_set(log, e, 0, LEG_LOCAL_PENDING);
	for (i = 0; i < plan->nr_peers; i++) {
		const struct plan_peer *p = &plan->peer[i];

		if (out->data_peers >> i & 1) {
			e->attr[i + 1] = drbd_leg_data_attr(p->protocol, p->may_set_in_sync);
			if (p->discard == PLAN_DISCARD_FULL)
				e->attr[i + 1] |= LEG_A_ZEROES;
			log_leg_set(log, e, i + 1, LEG_QUEUED);
			weak |= p->protocol != 3;
		} else if (out->notice_peers >> i & 1) {
			log_leg_set(log, e, i + 1, LEG_NOTICE);
		}
	}
	return weak;
}

/* behaviour.md 11.9; the write at hand counts. */
static u32 congested_peers(const struct xfer_log *log, const struct io_plan *plan,
			   u32 data_peers, u32 al_used)
{
	u32 mask = 0, i;

	for (i = 0; i < plan->nr_peers; i++) {
		const struct plan_peer *p = &plan->peer[i];

		if (p->congestion != PLAN_CONGESTION_WATCH || !(data_peers >> i & 1))
			continue;
		if ((p->congestion_fill && log->conn[i].in_flight_sectors >= p->congestion_fill) ||
		    al_used >= p->congestion_extents)
			mask |= 1u << i;
	}
	return mask;
}

/* The limits of the device say so already; this one was there before they did. */
static bool can_do(const struct io_plan *plan, const struct log_request *rq)
{
	switch (rq->op) {
	case LOG_OP_DISCARD:
		return rq->size <= plan->max_discard;
	case LOG_OP_ZEROES:
		return rq->size <= plan->max_zeroes;
	default:
		return true;
	}
}

enum log_verdict drbd_log_enter_write(struct xfer_log *log, struct log_device *dev,
				      const struct log_request *rq, u64 now,
				      struct log_entered *out)
{
	const struct io_plan *plan = dev->plan;
	enum log_verdict v = admit(log, plan, plan ? plan->write_admission : 0, out);
	bool ordered = rq->flags & (LOG_F_PREFLUSH | LOG_F_FUA);
	struct log_entry *e;

	if (v != LOG_ENTERED)
		return v;
	if (!can_do(plan, rq)) {
		out->error = -EOPNOTSUPP;
		return LOG_FAIL;
	}
	if (is_behind_the_end(plan, rq)) {
		out->error = -EIO;
		return LOG_FAIL;
	}
	if (rq->range && rq->range->overtaken)
		return LOG_OVERTAKEN;
	out->local = plan->local_disk;
	out->data_peers = data_peers(log, plan, rq->op);
	out->notice_peers = notice_peers(log, plan);
	if (!out->local && !out->data_peers)
		return LOG_NO_DATA;

	if (ordered)
		drbd_log_close_epoch(log);
	e = append(log, dev, LOG_WRITE, rq->owner, now);
	e->sector = rq->sector;
	e->size = rq->size;
	e->op = rq->op;
	e->flags = rq->flags & (LOG_F_SYNC | LOG_F_FUA | LOG_F_PREFLUSH | LOG_F_UNMAP);
	log->dagtag += sectors_of(e);
	e->dagtag = log->dagtag;
	if (add_legs(log, e, plan, out))
		log->epoch_weak = true;
	out->congested = congested_peers(log, plan, out->data_peers, rq->al_used);
	if (!e->pages)
		e->flags |= LOG_F_PAGES_FREE;
	if (!log->epoch_writes++)
		log->epoch_started = now;
	if (ordered || log->epoch_writes >= log->max_epoch)
		drbd_log_close_epoch(log);
	if (rq->range)
		rq->range->position = e->position;
	out->entry = e;
	out->position = e->position;
	return LOG_ENTERED;
}

enum log_verdict drbd_log_enter_flush(struct xfer_log *log, struct log_device *dev,
				      void *owner, u64 now, struct log_entered *out)
{
	const struct io_plan *plan = dev->plan;
	enum log_verdict v = admit(log, plan, plan ? plan->write_admission : 0, out);
	struct log_entry *e;
	u32 i;

	if (v != LOG_ENTERED)
		return v;
	out->local = plan->local_disk;
	out->data_peers = out->local ? 0 : data_peers(log, plan, LOG_OP_DATA);
	if (!out->local && !out->data_peers)
		return LOG_NO_DATA;

	if (drbd_log_close_epoch(log))
		out->what |= LOG_SEND;
	e = append(log, dev, LOG_FLUSH, owner, now);
	if (out->local)
		log_leg_set(log, e, 0, LEG_LOCAL_PENDING);
	for (i = 0; i < plan->nr_peers; i++)
		if (out->data_peers >> i & 1)
			log_leg_set(log, e, i + 1,
				    log_owes_data(log, i, e->position) ?
				    LEG_FLUSH_WAIT : LEG_OK);
	out->entry = e;
	out->position = e->position;
	out->what |= log_settle(log, e);
	return LOG_ENTERED;
}

enum log_verdict drbd_log_enter_read(struct xfer_log *log, struct log_device *dev,
				     const struct log_request *rq, u32 peer,
				     u64 now, struct log_entered *out)
{
	const struct io_plan *plan = dev->plan;
	enum log_verdict v = admit(log, plan, plan ? plan->read_admission : 0, out);
	struct log_entry *e;

	if (v != LOG_ENTERED)
		return v;
	if (peer >= plan->nr_peers || !plan->peer[peer].read || !log->conn[peer].attached)
		return LOG_NO_DATA;
	e = append(log, dev, LOG_READ, rq->owner, now);
	e->sector = rq->sector;
	e->size = rq->size;
	log_leg_set(log, e, peer + 1, LEG_READ_QUEUED);
	out->entry = e;
	out->position = e->position;
	out->data_peers = 1u << peer;
	return LOG_ENTERED;
}

struct log_entry *drbd_log_enter_marker(struct xfer_log *log, u32 peers,
					void *owner, u64 now)
{
	struct log_entry *e;
	u32 to = 0, i;

	for (i = 0; i < CORE_MAX_PEERS; i++)
		if (peers >> i & 1 && log->conn[i].attached)
			to |= 1u << i;
	if (!to || drbd_log_used(log) >= log->size)
		return NULL;
	e = append(log, NULL, LOG_MARKER, owner, now);
	for (i = 0; i < CORE_MAX_PEERS; i++)
		if (to >> i & 1)
			log_leg_set(log, e, i + 1, LEG_MARKER_QUEUED);
	return e;
}

u32 drbd_log_full_because(const struct xfer_log *log)
{
	const struct log_entry *e = log_at(log, log->tail);

	return log->tail < log->head ? e->undone >> 1 : 0;
}

u64 drbd_log_publish(struct xfer_log *log, struct log_device *dev,
		     const struct io_plan *plan)
{
	drbd_log_close_epoch(log);
	dev->plan = plan;
	return log->head;
}

/* -- sending -- */

void drbd_log_attach(struct xfer_log *log, u32 peer, bool dagtags)
{
	struct log_conn *c = &log->conn[peer];
	u64 in_flight_sectors = c->in_flight_sectors;

	if (!core_check(peer < CORE_MAX_PEERS && !c->attached))
		return;
	memset(c, 0, sizeof(*c));
	c->in_flight_sectors = in_flight_sectors;	/* of held legs */
	c->attached = true;
	c->dagtags = dagtags;
	c->cursor = log->head;
	c->done = log->tail;
	if (peer >= log->nr_conns)
		log->nr_conns = (u8)(peer + 1);
}

static u32 wire_flags(const struct log_entry *e, u16 cmd)
{
	u32 f = 0;

	if (e->flags & LOG_F_SYNC)
		f |= DP_RW_SYNC;
	if (e->flags & LOG_F_FUA)
		f |= DP_FUA;
	if (e->flags & LOG_F_PREFLUSH)
		f |= DP_FLUSH;
	if (cmd == P_TRIM)
		f |= DP_DISCARD;
	if (cmd == P_ZEROES)
		f |= DP_ZEROES | (e->flags & LOG_F_UNMAP ? DP_DISCARD : 0);
	return f;
}

static u16 write_cmd(const struct log_entry *e, u8 attr)
{
	switch (e->op) {
	case LOG_OP_DISCARD:
		return P_TRIM;
	case LOG_OP_ZEROES:
		/* Without P_ZEROES a trim promises zeroes. wire.md 6.3 */
		return attr & LEG_A_ZEROES ? P_ZEROES : P_TRIM;
	default:
		return P_DATA;
	}
}

static bool dagtag_gap(struct log_conn *c, const struct log_entry *e, struct log_emit *out)
{
	u64 before = e->dagtag - sectors_of(e);

	if (!c->dagtags || (c->dagtag_known && c->dagtag == before))
		return false;
	c->dagtag = before;
	c->dagtag_known = true;
	out->kind = LOG_EMIT_DAGTAG;
	out->dagtag = before;
	return true;
}

static void emit_write(struct xfer_log *log, struct log_conn *c, u32 peer,
		       struct log_entry *e, struct log_emit *out)
{
	u8 attr = e->attr[peer + 1];

	out->kind = LOG_EMIT_DATA;
	out->cmd = write_cmd(e, attr);
	out->dp_flags = wire_flags(e, out->cmd);
	out->protocol = attr & LEG_A_PROTOCOL;
	out->may_set_in_sync = attr & LEG_A_MAY_SET_IN_SYNC;
	log_leg_event(log, e, peer + 1, LEG_EV_SEND);
	c->epoch = e->epoch;
	c->epoch_writes++;
	c->sent_sectors += sectors_of(e);
	c->dagtag = e->dagtag;
}

static bool barrier_owed(const struct log_conn *c, u32 epoch)
{
	return c->epoch_writes && c->epoch != epoch;
}

static void emit_barrier(struct log_conn *c, u64 now, struct log_emit *out)
{
	out->kind = LOG_EMIT_BARRIER;
	out->number = c->epoch;
	c->epoch_writes = 0;
	c->barrier_last_at = now;
	if (!c->barriers_unacked++)
		c->barrier_sent_at = now;
}

void drbd_log_next(struct xfer_log *log, u32 peer, u64 now, struct log_emit *out)
{
	struct log_conn *c = &log->conn[peer];

	memset(out, 0, sizeof(*out));
	if (!c->attached)
		return;
	/* What has left the log had no leg here that was still to be sent. */
	if (c->cursor < log->tail)
		c->cursor = log->tail;
	for (; c->cursor < log->head; c->cursor++) {
		struct log_entry *e = log_at(log, c->cursor);
		u8 leg = e->leg[peer + 1];

		if (barrier_owed(c, e->epoch)) {
			emit_barrier(c, now, out);
			return;
		}
		if (leg != LEG_QUEUED && leg != LEG_READ_QUEUED && leg != LEG_MARKER_QUEUED)
			continue;
		if (leg == LEG_QUEUED && dagtag_gap(c, e, out))
			return;
		out->entry = e;
		out->position = e->position;
		e->sent = now;
		c->cursor++;
		if (leg == LEG_QUEUED) {
			emit_write(log, c, peer, e, out);
		} else {
			out->kind = leg == LEG_READ_QUEUED ? LOG_EMIT_READ : LOG_EMIT_MARKER;
			log_leg_event(log, e, peer + 1, LEG_EV_SEND);
		}
		return;
	}
	if (barrier_owed(c, log->epoch))
		emit_barrier(c, now, out);
}

bool drbd_log_next_is_short(const struct xfer_log *log, u32 peer, u32 *size)
{
	const struct log_conn *c = &log->conn[peer];
	u64 p;

	if (!c->attached)
		return false;
	for (p = max(c->cursor, log->tail); p < log->head; p++) {
		const struct log_entry *e = log_at(log, p);
		u8 leg = e->leg[peer + 1];

		if (leg == LEG_MARKER_QUEUED)
			return false;
		if (leg != LEG_QUEUED && leg != LEG_READ_QUEUED && !barrier_owed(c, e->epoch))
			continue;
		*size = e->size;
		return true;
	}
	*size = 0;
	return barrier_owed(c, log->epoch);
}

bool drbd_log_has_work(const struct xfer_log *log, u32 peer)
{
	const struct log_conn *c = &log->conn[peer];

	if (!c->attached)
		return false;
	return max(c->cursor, log->tail) < log->head || barrier_owed(c, log->epoch);
}

u32 drbd_log_sent(struct xfer_log *log, u32 peer, u64 position, bool ok)
{
	struct log_entry *e = log_find(log, position);
	u32 what;

	if (!core_check(e))
		return LOG_BAD;
	what = log_leg_event(log, e, peer + 1, ok ? LEG_EV_SENT : LEG_EV_SEND_FAILED);
	core_assert(!(what & LOG_BAD));
	return what;
}

/* -- events -- */

u32 drbd_log_local_done(struct xfer_log *log, struct log_entry *e, int error)
{
	u32 what;

	if (error && !e->error)
		e->error = (s16)error;
	what = log_leg_event(log, e, 0, error ? LEG_EV_LOCAL_ERROR : LEG_EV_LOCAL_OK);
	core_assert(!(what & LOG_BAD));
	return what;
}

static const struct {
	u8 kind;		/* of the entry */
	u8 event;		/* enum leg_event */
	u8 want, need;		/* attributes: must be expected; must be set */
} acks[] = {
	[LOG_ACK_RECV] = { LOG_WRITE, LEG_EV_ACK, LEG_A_WANT_RECV_ACK, 0 },
	[LOG_ACK_WRITE] = { LOG_WRITE, LEG_EV_ACK, LEG_A_WANT_WRITE_ACK, 0 },
	[LOG_ACK_IN_SYNC] = { LOG_WRITE, LEG_EV_ACK, LEG_A_WANT_WRITE_ACK,
			      LEG_A_MAY_SET_IN_SYNC },
	[LOG_ACK_SUPERSEDED] = { LOG_WRITE, LEG_EV_SUPERSEDED, LEG_A_WANT_WRITE_ACK, 0 },
	[LOG_ACK_RETRY] = { LOG_WRITE, LEG_EV_RETRY, LEG_A_WANT_WRITE_ACK, 0 },
	[LOG_ACK_NEG] = { LOG_WRITE, LEG_EV_NEG_ACK, 0, 0 },
	[LOG_ACK_NEG_READ] = { LOG_READ, LEG_EV_NEG_REPLY, 0, 0 },
};

static bool same_block(const struct log_entry *e, u16 volume, u64 sector, u32 size,
		       bool any_size)
{
	return e->dev && e->dev->volume == volume && e->sector == sector &&
	       (e->size == size || (any_size && !size));
}

u32 drbd_log_ack(struct xfer_log *log, u32 peer, enum log_ack kind, u64 block_id,
		 u16 volume, u64 sector, u32 size, struct log_entry **out)
{
	struct log_entry *e = log_find(log, block_id);
	u8 *attr;
	u32 what;

	*out = NULL;
	if (!e || e->kind != acks[kind].kind ||
	    !same_block(e, volume, sector, size, kind == LOG_ACK_NEG))
		return LOG_GONE;
	attr = &e->attr[peer + 1];
	if (acks[kind].want && !(*attr & acks[kind].want))
		return LOG_GONE;
	if ((*attr & acks[kind].need) != acks[kind].need)
		return LOG_GONE;
	what = log_leg_event(log, e, peer + 1, (enum leg_event)acks[kind].event);
	if (what & LOG_BAD)
		return LOG_GONE;
	*attr &= (u8)~acks[kind].want;
	if (kind == LOG_ACK_SUPERSEDED || kind == LOG_ACK_RETRY)
		log->conn[peer].decided_by_peer = true;
	if (kind == LOG_ACK_IN_SYNC)
		*attr |= LEG_A_IN_SYNC;
	if (kind == LOG_ACK_NEG)
		*attr &= (u8)~(LEG_A_GOOD | LEG_A_IN_SYNC | LEG_A_WANT_RECV_ACK |
			       LEG_A_WANT_WRITE_ACK);
	*out = e;
	return what;
}

bool drbd_log_undecided(const struct xfer_log *log, u64 position, u32 peer)
{
	const struct log_entry *e = log_find(log, position);
	u8 leg = e ? e->leg[peer + 1] : LEG_NONE;

	return leg == LEG_QUEUED || leg == LEG_SENDING || leg == LEG_SENT;
}

struct log_entry *drbd_log_read_reply(struct xfer_log *log, u32 peer, u64 block_id,
				      u16 volume, u64 sector, u32 size)
{
	struct log_entry *e = log_find(log, block_id);

	if (!e || e->kind != LOG_READ || !same_block(e, volume, sector, size, false))
		return NULL;
	if (log_leg_event(log, e, peer + 1, LEG_EV_REPLY) & LOG_BAD)
		return NULL;
	return e;
}

u32 drbd_log_read_done(struct xfer_log *log, u32 peer, struct log_entry *e, bool ok)
{
	u32 what = log_leg_event(log, e, peer + 1, ok ? LEG_EV_REPLY_OK : LEG_EV_NEG_REPLY);

	core_assert(!(what & LOG_BAD));
	return what;
}

/* -- retiring -- */

bool drbd_log_retire_peek(const struct xfer_log *log, u32 nth, struct log_retired *out)
{
	const struct log_entry *e;

	if (nth >= drbd_log_used(log))
		return false;
	e = log_at(log, log->tail + nth);
	if (e->undone || !(e->flags & LOG_F_COMPLETED) || e->flags & LOG_F_REMAKING)
		return false;
	memset(out, 0, sizeof(*out));
	out->position = e->position;
	out->kind = e->kind;
	out->dev = e->dev;
	out->owner = e->kind == LOG_READ ? NULL : e->owner;
	out->sector = e->sector;
	out->size = e->size;
	out->dagtag = e->dagtag;
	if (e->kind == LOG_WRITE)
		log_outcome(log, e, out);
	return true;
}

bool drbd_log_retire_commit(struct xfer_log *log, u32 n)
{
	bool was_full = is_full(log);
	u32 i;

	for (i = 0; i < n; i++) {
		struct log_entry *e = log_at(log, log->tail);

		if (!core_check(log->tail < log->head && !e->undone &&
				e->flags & LOG_F_COMPLETED))
			break;
		e->kind = LOG_FREE;
		log->tail++;
	}
	return was_full;
}
