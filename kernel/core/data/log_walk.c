// SPDX-License-Identifier: GPL-2.0-only
/*
 * data/log_walk.c - operations over many entries of the transfer log: barrier
 * acks, loss and resolution, drains, and what retiring means for the bitmap.
 */
#include "log_internal.h"

static void report(struct log_sink *sink, struct log_entry *e, u32 what)
{
	if (what)
		sink->emit(sink, e, what);
}

bool log_owes_data(const struct xfer_log *log, u32 peer, u64 before)
{
	u64 p;

	for (p = max(log->conn[peer].done, log->tail); p < before; p++) {
		const struct log_entry *e = log_at(log, p);

		if (e->kind == LOG_WRITE && e->undone >> (peer + 1) & 1)
			return true;
	}
	return false;
}

/* Everything before done is done at this peer. */
static void advance_done(struct xfer_log *log, u32 peer)
{
	struct log_conn *c = &log->conn[peer];

	c->done = max(c->done, log->tail);
	while (c->done < log->head && !(log_at(log, c->done)->undone >> (peer + 1) & 1))
		c->done++;
}

/* Flushes that have no write of this peer before them any more. */
static void finish_flushes(struct xfer_log *log, u32 peer, struct log_sink *sink)
{
	u64 p;

	advance_done(log, peer);
	for (p = log->conn[peer].done; p < log->head; p++) {
		struct log_entry *e = log_at(log, p);

		if (e->kind == LOG_WRITE && e->undone >> (peer + 1) & 1)
			return;
		if (e->leg[peer + 1] == LEG_FLUSH_WAIT)
			report(sink, e, log_leg_event(log, e, peer + 1, LEG_EV_BARRIER_ACK));
	}
}

/* -- barrier acks -- */

static bool counts(const struct log_entry *e, u32 peer)
{
	return drbd_leg_traits(e->leg[peer + 1]) & LEG_COUNTS;
}

/* The oldest epoch that waits for its barrier ack: its first entry, or 0. */
static u64 oldest_epoch(struct xfer_log *log, u32 peer)
{
	u64 p;

	advance_done(log, peer);
	for (p = log->conn[peer].done; p < log->head; p++)
		if (counts(log_at(log, p), peer))
			return p;
	return 0;
}

static void count_epoch(const struct xfer_log *log, u32 peer, u64 first,
			struct log_barrier *out, u64 *end)
{
	u32 epoch = log_at(log, first)->epoch;
	u64 p;

	out->number = epoch;
	for (p = first; p < log->head; p++) {
		const struct log_entry *e = log_at(log, p);

		if (e->epoch != epoch)
			break;
		if (!counts(e, peer))
			continue;
		out->count++;
		out->sectors += e->size / SECTOR_BYTES;
		if (drbd_leg_next(e->leg[peer + 1], LEG_EV_BARRIER_ACK, 0) == LEG_ILLEGAL)
			out->error = LOG_BARRIER_EARLY;
	}
	*end = p;
}

/*
 * A peer of 8.4 that has decided between two writes never confirms that epoch, but
 * later ones, whose flush was behind it (docs/findings.md). The first entry of the
 * epoch that is confirmed; @first if none of the earlier may be left out.
 */
static u64 skip_epochs(const struct xfer_log *log, u32 peer, u64 first, u32 number)
{
	u64 p;

	if (!first || !log->conn[peer].decided_by_peer)
		return first;
	for (p = first; p < log->head && (s32)(log_at(log, p)->epoch - number) <= 0; p++) {
		const struct log_entry *e = log_at(log, p);

		if (!counts(e, peer))
			continue;
		if (e->epoch == number)
			return p;
		if (drbd_leg_next(e->leg[peer + 1], LEG_EV_BARRIER_ACK, 0) == LEG_ILLEGAL)
			return first;
	}
	return first;
}

void drbd_log_barrier_ack(struct xfer_log *log, u32 peer, u32 number, u32 count,
			  struct log_sink *sink, struct log_barrier *out)
{
	struct log_conn *c = &log->conn[peer];
	u64 first = oldest_epoch(log, peer), end, p;

	memset(out, 0, sizeof(*out));
	if (c->gave_up && (s32)(number - c->gave_up_epoch) <= 0)
		return;
	first = skip_epochs(log, peer, first, number);
	if (!first) {
		out->error = LOG_BARRIER_NONE;
		return;
	}
	count_epoch(log, peer, first, out, &end);
	/* Still open at the sender: its barrier has not been sent. */
	if (number != out->number || (c->epoch_writes && c->epoch == number))
		out->error = LOG_BARRIER_NUMBER;
	else if (count != out->count)
		out->error = LOG_BARRIER_COUNT;
	if (out->error)
		return;

	for (p = c->done; p < end; p++) {
		struct log_entry *e = log_at(log, p);

		if (counts(e, peer))
			report(sink, e, log_leg_event(log, e, peer + 1, LEG_EV_BARRIER_ACK));
	}
	if (c->barriers_unacked)
		c->barriers_unacked--;
	/* Never earlier than the truth: nobody is blamed too soon. */
	c->barrier_sent_at = c->barriers_unacked ? c->barrier_last_at : 0;
	finish_flushes(log, peer, sink);
}

bool drbd_log_unconfirmed(struct xfer_log *log, u32 peer, u64 now, struct log_sink *sink)
{
	struct log_conn *c = &log->conn[peer];
	bool any = false;
	u64 p;

	if (!c->decided_by_peer || !c->barrier_sent_at ||
	    now < c->barrier_sent_at + LOG_CONFIRM_MS)
		return false;
	advance_done(log, peer);
	for (p = c->done; p < log->head; p++) {
		struct log_entry *e = log_at(log, p);

		if (c->epoch_writes && e->epoch == c->epoch)
			break;		/* its barrier was not sent */
		if (!counts(e, peer) ||
		    drbd_leg_next(e->leg[peer + 1], LEG_EV_UNCONFIRMED, 0) == LEG_ILLEGAL)
			continue;
		report(sink, e, log_leg_event(log, e, peer + 1, LEG_EV_UNCONFIRMED));
		c->gave_up = any = true;
		c->gave_up_epoch = e->epoch;
	}
	c->barriers_unacked = 0;
	c->barrier_sent_at = 0;
	finish_flushes(log, peer, sink);
	return any;
}

/* -- losing and resolving -- */

void drbd_log_hold_peer(struct xfer_log *log, u32 peer, struct log_sink *sink)
{
	struct log_conn *c = &log->conn[peer];
	u64 p;

	if (!core_check(peer < CORE_MAX_PEERS))
		return;
	c->attached = false;
	c->epoch_writes = 0;
	c->barriers_unacked = 0;
	c->barrier_sent_at = 0;
	c->dagtag_known = false;
	for (p = log->tail; p < log->head; p++) {
		struct log_entry *e = log_at(log, p);
		u8 leg = e->leg[peer + 1];

		if (leg != LEG_NOTICE && !(e->undone >> (peer + 1) & 1))
			continue;
		report(sink, e, log_leg_event(log, e, peer + 1, LEG_EV_LOST));
	}
}

/* Resending needs the data, which a completed write has given back. */
static enum leg_event resolve_event(const struct log_entry *e, u32 i, enum log_resolve how)
{
	if (how == LOG_RESOLVE_LOST)
		return LEG_EV_RESOLVE_LOST;
	if (e->flags & LOG_F_COMPLETED && e->leg[i] != LEG_HELD_ACKED)
		return LEG_EV_RESOLVE_LOST;
	return LEG_EV_RESOLVE_RESEND;
}

static void resolve(struct xfer_log *log, struct log_entry *e, u32 i,
		    enum log_resolve how, struct log_sink *sink)
{
	u32 what;

	if (!(drbd_leg_traits(e->leg[i]) & LEG_IS_HELD))
		return;
	what = log_leg_event(log, e, i, resolve_event(e, i, how));
	core_assert(!(what & LOG_BAD));
	if (i && e->leg[i] == LEG_QUEUED) {
		struct log_conn *c = &log->conn[i - 1];

		/* The acks of the lost connection count no more. */
		e->attr[i] = drbd_leg_data_attr(e->attr[i] & LEG_A_PROTOCOL,
						e->attr[i] & LEG_A_MAY_SET_IN_SYNC) |
			     (e->attr[i] & LEG_A_ZEROES);
		c->cursor = min(c->cursor, e->position);
		what |= LOG_SEND;
	}
	if (!i && e->leg[0] == LEG_LOCAL_PENDING)
		what |= LOG_RESUBMIT;
	report(sink, e, what);
}

void drbd_log_resolve_peer(struct xfer_log *log, u32 peer, u64 before,
			   enum log_resolve how, struct log_sink *sink)
{
	u64 p;

	if (!core_check(how == LOG_RESOLVE_LOST || log->conn[peer].attached))
		return;
	for (p = log->tail; p < log->head && p < before; p++)
		resolve(log, log_at(log, p), peer + 1, how, sink);
	finish_flushes(log, peer, sink);
}

void drbd_log_hold_disk(struct xfer_log *log, struct log_device *dev, struct log_sink *sink)
{
	u64 p;

	for (p = log->tail; p < log->head; p++) {
		struct log_entry *e = log_at(log, p);

		if (e->dev == dev && e->leg[0] == LEG_LOCAL_PENDING)
			report(sink, e, log_leg_event(log, e, 0, LEG_EV_LOST));
	}
}

void drbd_log_resolve_disk(struct xfer_log *log, struct log_device *dev, u64 before,
			   enum log_resolve how, struct log_sink *sink)
{
	u64 p;

	for (p = log->tail; p < log->head && p < before; p++) {
		struct log_entry *e = log_at(log, p);

		if (e->dev == dev)
			resolve(log, e, 0, how, sink);
	}
}

void drbd_log_release(struct xfer_log *log, struct log_device *dev, struct log_sink *sink)
{
	u64 p;

	for (p = log->tail; p < log->head; p++) {
		struct log_entry *e = log_at(log, p);

		if (e->dev == dev && e->flags & LOG_F_HELD_BACK)
			report(sink, e, log_settle(log, e));
	}
}

bool drbd_log_has_held(const struct xfer_log *log, int peer, u64 before)
{
	u32 i = (u32)(peer + 1);
	u64 p;

	for (p = log->tail; p < log->head && p < before; p++)
		if (drbd_leg_traits(log_at(log, p)->leg[i]) & LEG_IS_HELD)
			return true;
	return false;
}

struct log_entry *drbd_log_unretired(struct xfer_log *log,
				     const struct log_device *dev, u64 *at)
{
	u64 p;

	for (p = max(*at, log->tail); p < log->head; p++) {
		struct log_entry *e = log_at(log, p);

		if (e->kind != LOG_WRITE || e->dev != dev)
			continue;
		*at = p + 1;
		return e;
	}
	*at = p;
	return NULL;
}

/* -- drains -- */

bool drbd_log_done_to(const struct xfer_log *log, int peer, u64 before)
{
	u64 p;

	for (p = log->tail; p < log->head && p < before; p++) {
		const struct log_entry *e = log_at(log, p);

		if (peer < 0 ? e->undone || !(e->flags & LOG_F_COMPLETED) :
			       e->undone >> (peer + 1) & 1)
			return false;
	}
	return true;
}

const struct log_entry *drbd_log_oldest_unacked(const struct xfer_log *log, u32 peer)
{
	u64 p;

	for (p = max(log->conn[peer].done, log->tail); p < log->head; p++) {
		const struct log_entry *e = log_at(log, p);

		if (e->leg[peer + 1] == LEG_SENT)
			return e;
	}
	return NULL;
}

/* -- outcome -- */

/*
 * behaviour.md 11.2: the slot of a peer that has the write and said "in sync" is
 * cleared, that of a peer that has it is left alone, all others are set. If our
 * own disk has not got it, it differs from everybody. A write that was made again
 * leaves its blocks to the one that follows it, which holds the extents, too.
 */
void log_outcome(const struct xfer_log *log, const struct log_entry *e, struct log_retired *out)
{
	const struct io_plan *plan = e->dev->plan;
	u32 untouched = 0, clear = 0, i;

	out->local_good = e->leg[0] == LEG_OK;
	if (e->again)
		return;
	for (i = 0; i < log->nr_conns; i++) {
		s8 slot = plan && i < plan->nr_peers ? plan->peer[i].slot : -1;

		if (e->leg[i + 1] == LEG_NOTICE)
			out->notice_peers |= 1u << i;
		if (e->leg[i + 1] != LEG_OK)
			continue;
		out->good_peers |= 1u << i;
		if (slot < 0)
			continue;
		if (e->attr[i + 1] & LEG_A_IN_SYNC)
			clear |= 1u << slot;
		else
			untouched |= 1u << slot;
	}
	if (!plan)
		return;
	if (!out->local_good)
		untouched = clear = 0;
	out->clear_slots = clear & plan->slot_mask;
	out->set_slots = plan->slot_mask & ~(untouched | clear);
}
