// SPDX-License-Identifier: GPL-2.0-only
#include "log_env.h"

struct env *E;

static void hear(struct log_sink *sink, struct log_entry *e, u32 what)
{
	struct env *env = container_of(sink, struct env, sink);

	if (env->n >= ARRAY_SIZE(env->heard))
		abort();
	if (what & LOG_BAD)
		abort();
	env->heard_at[env->n] = e->position;
	env->heard[env->n++] = what;
}

void env_plan_peer(u32 i, u8 leg, u8 protocol, u8 in_sync)
{
	struct plan_peer p = { .leg = leg, .protocol = protocol, .may_set_in_sync = in_sync,
			       .read = leg == PLAN_DATA, .discard = PLAN_DISCARD_FULL,
			       .slot = (s8)i };

	E->plan.peer[i] = p;
	if (E->plan.nr_peers <= i)
		E->plan.nr_peers = (u8)(i + 1);
	E->plan.slot_mask |= 1u << i;
}

void env_setup(u8 mode)
{
	free(E);
	E = calloc(1, sizeof(*E));
	drbd_log_init(&E->log, E->ring, RING, 0, mode);
	E->sink.emit = hear;
	E->plan.local_disk = 1;
	E->plan.capacity = 1ull << 40;
	E->plan.max_discard = E->plan.max_zeroes = 4u << 20;
	E->dev.volume = 3;
	drbd_log_publish(&E->log, &E->dev, &E->plan);
}

static struct log_entered write_at(u64 sector, u32 size, u8 flags)
{
	struct log_request rq = { .sector = sector, .size = size, .flags = flags };
	struct log_entered out;

	T_EQ(drbd_log_enter_write(&E->log, &E->dev, &rq, E->now, &out), LOG_ENTERED);
	return out;
}

static struct log_emit next(u32 peer, enum log_emit_kind want)
{
	struct log_emit out;

	drbd_log_next(&E->log, peer, E->now, &out);
	T_EQ(out.kind, want);
	return out;
}

static u32 send_one(u32 peer)
{
	struct log_emit out = next(peer, LOG_EMIT_DATA);

	return drbd_log_sent(&E->log, peer, out.position, true);
}

static u32 ack(u32 peer, enum log_ack kind, const struct log_entry *e)
{
	struct log_entry *out;

	return drbd_log_ack(&E->log, peer, kind, e->position, 3, e->sector, e->size, &out);
}

static enum log_barrier_error barrier_ack(u32 peer, u32 number, u32 count)
{
	struct log_barrier b;

	drbd_log_barrier_ack(&E->log, peer, number, count, &E->sink, &b);
	return b.error;
}

static struct log_retired retire(void)
{
	struct log_retired r;

	T_OK(drbd_log_retire_peek(&E->log, 0, &r));
	drbd_log_retire_commit(&E->log, 1);
	return r;
}

static void protocol_c_from_end_to_end(void)
{
	struct log_entered w;
	struct log_retired r;
	struct log_emit m;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	drbd_log_attach(&E->log, 0, false);
	T_OK(!drbd_log_has_work(&E->log, 0));
	w = write_at(8, 4096, LOG_F_SYNC);
	T_OK(w.local && w.data_peers == 1 && !w.notice_peers);
	m = next(0, LOG_EMIT_DATA);
	T_EQ(m.cmd, P_DATA);
	T_EQ(m.dp_flags, DP_RW_SYNC);
	T_EQ(m.protocol, 3);
	/* The peer answers before our own send call is back. */
	T_EQ(ack(0, LOG_ACK_WRITE, w.entry), 0);
	T_EQ(drbd_log_local_done(&E->log, w.entry, 0), 0);
	T_EQ(drbd_log_sent(&E->log, 0, w.position, true), LOG_COMPLETE | LOG_PAGES_FREE);
	T_EQ(w.entry->error, 0);
	/* All of the epoch is protocol C: it stays open, no barrier yet. */
	next(0, LOG_EMIT_NOTHING);
	T_EQ(E->log.conn[0].in_flight_sectors, 0);
	T_OK(drbd_log_close_epoch(&E->log));
	T_OK(!drbd_log_close_epoch(&E->log));
	m = next(0, LOG_EMIT_BARRIER);
	T_EQ(m.number, w.entry->epoch);
	next(0, LOG_EMIT_NOTHING);
	T_EQ(barrier_ack(0, m.number, 2), LOG_BARRIER_COUNT);
	T_EQ(barrier_ack(0, m.number + 1, 1), LOG_BARRIER_NUMBER);
	T_EQ(barrier_ack(0, m.number, 1), LOG_BARRIER_OK);
	T_OK(E->n == 1 && E->heard[0] == LOG_DONE);
	r = retire();
	T_OK(r.local_good && r.good_peers == 1 && !r.set_slots && !r.clear_slots);
	T_EQ(barrier_ack(0, m.number, 1), LOG_BARRIER_NONE);
	T_EQ(drbd_log_used(&E->log), 0);
}

static void completion_by_protocol(void)
{
	static const struct {
		u8 protocol;
		u8 ack;
		bool at_sent;
	} rows[] = { { 1, 0, true }, { 2, LOG_ACK_RECV, false }, { 3, LOG_ACK_WRITE, false } };
	u32 i;

	for (i = 0; i < 3; i++) {
		struct log_entered w;
		u32 what;

		env_setup(LOG_EPOCH_LAZY);
		env_plan_peer(0, PLAN_DATA, rows[i].protocol, 0);
		drbd_log_attach(&E->log, 0, false);
		w = write_at(0, 512, 0);
		T_EQ(drbd_log_local_done(&E->log, w.entry, 0), 0);
		what = send_one(0);
		T_EQ(!!(what & LOG_COMPLETE), rows[i].at_sent);
		if (!rows[i].at_sent)
			what = ack(0, rows[i].ack, w.entry);
		T_OK(what & LOG_COMPLETE);
		/* A and B complete before the peer has it on disk: epoch ends. Its
		 * barrier is nobody's hurry: it goes with the next write. */
		T_OK(!(what & LOG_SEND));
		T_EQ(E->log.epoch != w.entry->epoch, rows[i].protocol != 3);
	}
}

/*
 * The peer has received it and could not write it then; our own disk fails, too: with
 * nobody who has the data the write has failed, whatever was said before.
 */
static void a_refused_write_is_no_success(void)
{
	struct log_entered w;
	u32 i;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 2, 0);
	drbd_log_attach(&E->log, 0, false);
	w = write_at(0, 512, 0);
	send_one(0);
	T_OK(!(ack(0, LOG_ACK_RECV, w.entry) & LOG_COMPLETE));
	T_OK(ack(0, LOG_ACK_NEG, w.entry) & LOG_HELD);
	T_EQ(drbd_log_local_done(&E->log, w.entry, -EIO), LOG_HELD);
	drbd_log_resolve_peer(&E->log, 0, E->log.head, LOG_RESOLVE_LOST, &E->sink);
	drbd_log_resolve_disk(&E->log, &E->dev, E->log.head, LOG_RESOLVE_LOST, &E->sink);
	for (i = 0; i < E->n && !(E->heard[i] & LOG_COMPLETE); i++)
		;
	T_OK(i < E->n);
	T_EQ(w.entry->error, -EIO);
}

/* An ack has to fit in each of its fields, and only once. */
static void acks_are_checked(void)
{
	struct log_entry *out;
	struct log_entered w;
	u64 pos;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	env_plan_peer(1, PLAN_NOTHING, 0, 0);
	drbd_log_attach(&E->log, 0, false);
	drbd_log_attach(&E->log, 1, false);
	w = write_at(64, 4096, 0);
	pos = w.position;
	/* Not sent yet. */
	T_EQ(ack(0, LOG_ACK_WRITE, w.entry), LOG_GONE);
	send_one(0);
	T_EQ(drbd_log_ack(&E->log, 0, LOG_ACK_WRITE, pos + 1, 3, 64, 4096, &out), LOG_GONE);
	T_EQ(drbd_log_ack(&E->log, 0, LOG_ACK_WRITE, 0, 3, 64, 4096, &out), LOG_GONE);
	T_EQ(drbd_log_ack(&E->log, 0, LOG_ACK_WRITE, pos + RING, 3, 64, 4096, &out), LOG_GONE);
	T_EQ(drbd_log_ack(&E->log, 0, LOG_ACK_WRITE, pos, 2, 64, 4096, &out), LOG_GONE);
	T_EQ(drbd_log_ack(&E->log, 0, LOG_ACK_WRITE, pos, 3, 65, 4096, &out), LOG_GONE);
	T_EQ(drbd_log_ack(&E->log, 0, LOG_ACK_WRITE, pos, 3, 64, 512, &out), LOG_GONE);
	T_EQ(drbd_log_ack(&E->log, 0, LOG_ACK_WRITE, pos, 3, 64, 0, &out), LOG_GONE);
	T_EQ(drbd_log_ack(&E->log, 1, LOG_ACK_WRITE, pos, 3, 64, 4096, &out), LOG_GONE);
	T_EQ(ack(0, LOG_ACK_RECV, w.entry), LOG_GONE);
	T_EQ(ack(0, LOG_ACK_IN_SYNC, w.entry), LOG_GONE);
	T_EQ(ack(0, LOG_ACK_NEG_READ, w.entry), LOG_GONE);
	T_EQ(ack(0, LOG_ACK_WRITE, w.entry), LOG_PAGES_FREE);
	T_EQ(ack(0, LOG_ACK_WRITE, w.entry), LOG_GONE);
}

/* The barrier of an epoch with an unacked write is acknowledged. */
static void barrier_ack_before_the_ack(void)
{
	struct log_entered w;
	u32 number;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	drbd_log_attach(&E->log, 0, false);
	w = write_at(0, 512, 0);
	send_one(0);
	/* Its number is right, but the barrier was not sent. */
	T_EQ(barrier_ack(0, w.entry->epoch, 1), LOG_BARRIER_NUMBER);
	drbd_log_close_epoch(&E->log);
	number = next(0, LOG_EMIT_BARRIER).number;
	T_EQ(barrier_ack(0, number, 1), LOG_BARRIER_EARLY);
	T_EQ(w.entry->leg[1], LEG_SENT);
}

static void neg_ack_waits_for_resolve(void)
{
	struct log_entered w;
	struct log_retired r;
	u32 number;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	drbd_log_attach(&E->log, 0, false);
	w = write_at(0, 512, 0);
	send_one(0);
	drbd_log_local_done(&E->log, w.entry, 0);
	T_OK(ack(0, LOG_ACK_NEG, w.entry) & LOG_HELD);
	T_OK(drbd_log_has_held(&E->log, 0, ~0ull));
	drbd_log_close_epoch(&E->log);
	number = next(0, LOG_EMIT_BARRIER).number;
	/* It counts in its epoch all the same. */
	T_EQ(barrier_ack(0, number, 1), LOG_BARRIER_OK);
	T_OK(!(w.entry->flags & LOG_F_COMPLETED));
	E->n = 0;
	drbd_log_resolve_peer(&E->log, 0, ~0ull, LOG_RESOLVE_LOST, &E->sink);
	T_OK(E->n == 1 && E->heard[0] == (LOG_COMPLETE | LOG_DONE));
	T_EQ(w.entry->error, 0);
	r = retire();
	T_EQ(r.set_slots, 1);
	T_EQ(r.good_peers, 0);
}

/* A: the application was told, then the peer could not write. Trap 1 of 20.1. */
static void neg_ack_after_completion(void)
{
	struct log_entered w;
	u32 number;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 1, 0);
	drbd_log_attach(&E->log, 0, false);
	w = write_at(0, 512, 0);
	drbd_log_local_done(&E->log, w.entry, 0);
	T_OK(send_one(0) & LOG_COMPLETE);
	T_OK(ack(0, LOG_ACK_NEG, w.entry) == LOG_HELD);
	drbd_log_resolve_peer(&E->log, 0, ~0ull, LOG_RESOLVE_LOST, &E->sink);
	number = next(0, LOG_EMIT_BARRIER).number;
	T_EQ(barrier_ack(0, number, 1), LOG_BARRIER_OK);
	T_EQ(retire().set_slots, 1);
}

static void write_fails_everywhere(void)
{
	struct log_entered w;
	struct log_retired r;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	drbd_log_attach(&E->log, 0, false);
	w = write_at(0, 512, 0);
	T_EQ(drbd_log_local_done(&E->log, w.entry, -EREMOTEIO), LOG_HELD);
	send_one(0);
	drbd_log_hold_peer(&E->log, 0, &E->sink);
	drbd_log_resolve_peer(&E->log, 0, ~0ull, LOG_RESOLVE_LOST, &E->sink);
	T_OK(!(w.entry->flags & LOG_F_COMPLETED));
	drbd_log_resolve_disk(&E->log, &E->dev, ~0ull, LOG_RESOLVE_LOST, &E->sink);
	T_EQ(w.entry->error, -EREMOTEIO);
	r = retire();
	T_OK(!r.local_good && r.set_slots == 1);
}

/* The local disk failed, the peer has it: success, and all slots are set. */
static void local_error_is_hidden(void)
{
	struct log_entered w;
	struct log_retired r;
	u32 number;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	env_plan_peer(1, PLAN_NOTHING, 0, 0);
	drbd_log_attach(&E->log, 0, false);
	w = write_at(0, 512, 0);
	send_one(0);
	ack(0, LOG_ACK_WRITE, w.entry);
	T_EQ(drbd_log_local_done(&E->log, w.entry, -EIO), LOG_HELD);
	drbd_log_resolve_disk(&E->log, &E->dev, ~0ull, LOG_RESOLVE_LOST, &E->sink);
	T_OK(E->heard[0] & LOG_COMPLETE && w.entry->error == 0);
	drbd_log_close_epoch(&E->log);
	number = next(0, LOG_EMIT_BARRIER).number;
	barrier_ack(0, number, 1);
	r = retire();
	T_EQ(r.set_slots, 3);
	T_EQ(r.good_peers, 1);
}

static void in_sync_ack_clears(void)
{
	struct log_entered w;
	struct log_retired r;
	u32 number;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 1, 1);
	env_plan_peer(2, PLAN_NOTHING, 0, 0);
	drbd_log_attach(&E->log, 0, false);
	w = write_at(0, 4096, 0);
	T_OK(next(0, LOG_EMIT_DATA).may_set_in_sync);
	drbd_log_sent(&E->log, 0, w.position, true);
	drbd_log_local_done(&E->log, w.entry, 0);
	T_OK(w.entry->flags & LOG_F_COMPLETED);
	T_EQ(ack(0, LOG_ACK_IN_SYNC, w.entry), 0);
	number = next(0, LOG_EMIT_BARRIER).number;
	T_EQ(barrier_ack(0, number, 1), LOG_BARRIER_OK);
	r = retire();
	T_EQ(r.clear_slots, 1);
	T_EQ(r.set_slots, 4);
}

/* Plan change: entries before P keep their legs, the epoch ends at P. */
static void plan_change_is_a_position(void)
{
	struct log_entered a, b;
	struct io_plan other;
	u64 p;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	drbd_log_attach(&E->log, 0, false);
	a = write_at(0, 512, 0);
	other = E->plan;
	other.peer[0].leg = PLAN_NOTICE;
	p = drbd_log_publish(&E->log, &E->dev, &other);
	b = write_at(8, 512, 0);
	T_OK(a.position < p && b.position >= p);
	T_OK(a.data_peers == 1 && b.data_peers == 0 && b.notice_peers == 1);
	T_OK(a.entry->epoch != b.entry->epoch);
	send_one(0);
	/* The later entry brings the barrier, though it is not sent itself. */
	next(0, LOG_EMIT_BARRIER);
	drbd_log_local_done(&E->log, b.entry, 0);
	T_OK(b.entry->flags & LOG_F_COMPLETED);
	ack(0, LOG_ACK_WRITE, a.entry);
	drbd_log_local_done(&E->log, a.entry, 0);
	T_EQ(barrier_ack(0, a.entry->epoch, 1), LOG_BARRIER_OK);
	T_EQ(retire().notice_peers, 0);
	T_EQ(retire().notice_peers, 1);
}

/* State(Ahead) and the like: behind everything before it, before all behind it. */
static void markers_are_in_order(void)
{
	struct log_entry *m;
	struct log_entered a, b;
	int packet;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	drbd_log_attach(&E->log, 0, false);
	a = write_at(0, 512, 0);
	drbd_log_publish(&E->log, &E->dev, &E->plan);
	m = drbd_log_enter_marker(&E->log, 0x7, &packet, 0);
	b = write_at(8, 512, 0);
	T_EQ(next(0, LOG_EMIT_DATA).position, a.position);
	drbd_log_sent(&E->log, 0, a.position, true);
	next(0, LOG_EMIT_BARRIER);
	T_OK(next(0, LOG_EMIT_MARKER).entry == m && m->owner == &packet);
	T_EQ(drbd_log_sent(&E->log, 0, m->position, true), LOG_COMPLETE | LOG_DONE);
	T_EQ(next(0, LOG_EMIT_DATA).position, b.position);
	/* Nobody there: no marker. */
	T_OK(!drbd_log_enter_marker(&E->log, 0x6, &packet, 0));
}

static void lost_connection_freezes_then_ends(void)
{
	struct log_entered w[5];
	u32 i, complete = 0;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	drbd_log_attach(&E->log, 0, false);
	for (i = 0; i < 5; i++) {
		w[i] = write_at(i * 8, 512, 0);
		drbd_log_local_done(&E->log, w[i].entry, 0);
	}
	send_one(0);
	send_one(0);
	ack(0, LOG_ACK_WRITE, w[0].entry);
	next(0, LOG_EMIT_DATA);	/* w[2] is with the sender */
	drbd_log_hold_peer(&E->log, 0, &E->sink);
	next(0, LOG_EMIT_NOTHING);
	for (i = 0; i < E->n; i++)
		T_OK(!(E->heard[i] & LOG_COMPLETE));
	T_EQ(w[0].entry->leg[1], LEG_HELD_ACKED);
	T_EQ(w[2].entry->leg[1], LEG_HELD_SENDING);
	E->n = 0;
	drbd_log_resolve_peer(&E->log, 0, E->log.head, LOG_RESOLVE_LOST, &E->sink);
	for (i = 0; i < E->n; i++)
		complete += !!(E->heard[i] & LOG_COMPLETE);
	/* w[0] was complete before, w[2] is still with the sender. */
	T_EQ(complete, 3);
	T_OK(!(w[2].entry->flags & LOG_F_COMPLETED));
	T_OK(drbd_log_sent(&E->log, 0, w[2].position, false) & LOG_COMPLETE);
	for (i = 0; i < 5; i++)
		T_EQ(retire().set_slots, 1);
	T_EQ(E->log.conn[0].in_flight_sectors, 0);
}

/* Link back without resync: the old order again, what was acked is done. */
static void resend_after_reconnect(void)
{
	struct log_entered w[4];
	u32 i, number;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	drbd_log_attach(&E->log, 0, false);
	for (i = 0; i < 4; i++) {
		w[i] = write_at(i * 8, 512, 0);
		drbd_log_local_done(&E->log, w[i].entry, 0);
	}
	send_one(0);
	send_one(0);
	ack(0, LOG_ACK_WRITE, w[0].entry);
	drbd_log_hold_peer(&E->log, 0, &E->sink);
	drbd_log_attach(&E->log, 0, false);
	next(0, LOG_EMIT_NOTHING);
	drbd_log_resolve_peer(&E->log, 0, E->log.head, LOG_RESOLVE_RESEND, &E->sink);
	for (i = 1; i < 4; i++) {
		T_EQ(next(0, LOG_EMIT_DATA).position, w[i].position);
		drbd_log_sent(&E->log, 0, w[i].position, true);
		T_OK(ack(0, LOG_ACK_WRITE, w[i].entry) & LOG_COMPLETE);
	}
	drbd_log_close_epoch(&E->log);
	number = next(0, LOG_EMIT_BARRIER).number;
	/* Three of the four were sent on this connection. */
	T_EQ(barrier_ack(0, number, 3), LOG_BARRIER_OK);
	for (i = 0; i < 4; i++)
		T_EQ(retire().set_slots, 0);
}

/* A's completed write cannot be sent again: its data is gone. */
static void resend_of_protocol_a(void)
{
	struct log_entered w;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 1, 0);
	drbd_log_attach(&E->log, 0, false);
	w = write_at(0, 512, 0);
	drbd_log_local_done(&E->log, w.entry, 0);
	send_one(0);
	drbd_log_hold_peer(&E->log, 0, &E->sink);
	drbd_log_attach(&E->log, 0, false);
	drbd_log_resolve_peer(&E->log, 0, E->log.head, LOG_RESOLVE_RESEND, &E->sink);
	next(0, LOG_EMIT_NOTHING);
	T_EQ(retire().set_slots, 1);
}

static void completion_held_by_plan(void)
{
	struct log_entered w;
	struct io_plan hold;

	env_setup(LOG_EPOCH_LAZY);
	w = write_at(0, 512, 0);
	hold = E->plan;
	hold.completion = PLAN_COMPLETE_HOLD;
	drbd_log_publish(&E->log, &E->dev, &hold);
	T_EQ(drbd_log_local_done(&E->log, w.entry, 0), 0);
	T_OK(!drbd_log_retire_peek(&E->log, 0, &(struct log_retired){ 0 }));
	hold.completion = PLAN_COMPLETE_FAIL;
	hold.error = -ENOSPC;
	drbd_log_release(&E->log, &E->dev, &E->sink);
	T_EQ(E->heard[0], LOG_COMPLETE | LOG_DONE);
	T_EQ(w.entry->error, -ENOSPC);
	T_EQ(E->dev.in_flight, 0);
}

static void admission(void)
{
	static const struct {
		u8 admission;
		enum log_verdict verdict;
	} rows[] = {
		{ PLAN_PARK, LOG_PARK },
		{ PLAN_FAIL, LOG_FAIL },
		{ PLAN_NEW_GENERATION, LOG_NEW_GENERATION },
	};
	struct log_request rq = { .size = 512 };
	struct log_entered out;
	u32 i;

	env_setup(LOG_EPOCH_LAZY);
	for (i = 0; i < 3; i++) {
		E->plan.write_admission = rows[i].admission;
		T_EQ(drbd_log_enter_write(&E->log, &E->dev, &rq, 0, &out), rows[i].verdict);
	}
	E->plan.write_admission = PLAN_OPEN;
	rq.sector = E->plan.capacity;
	T_EQ(drbd_log_enter_write(&E->log, &E->dev, &rq, 0, &out), LOG_FAIL);
	T_EQ(out.error, -EIO);
	rq.sector--;
	E->plan.local_disk = 0;
	T_EQ(drbd_log_enter_write(&E->log, &E->dev, &rq, 0, &out), LOG_NO_DATA);
	E->plan.local_disk = 1;
	while (drbd_log_enter_write(&E->log, &E->dev, &rq, 0, &out) == LOG_ENTERED)
		;
	T_EQ(drbd_log_used(&E->log), RING - LOG_MARKER_RESERVE);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	drbd_log_attach(&E->log, 0, false);
	/* Markers still get in. */
	T_OK(drbd_log_enter_marker(&E->log, 1, NULL, 0));
	drbd_log_publish(&E->log, &E->dev, NULL);
	T_EQ(drbd_log_enter_write(&E->log, &E->dev, &rq, 0, &out), LOG_PARK);
}

static void epochs_close(void)
{
	struct log_entered a, b, c;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	drbd_log_attach(&E->log, 0, false);
	E->log.max_epoch = 3;
	E->now = 1000;
	a = write_at(0, 512, 0);
	T_EQ(drbd_log_epoch_deadline(&E->log), 1000 + LOG_LAZY_EPOCH_MS);
	b = write_at(0, 512, LOG_F_FUA);
	c = write_at(0, 512, 0);
	T_OK(a.entry->epoch < b.entry->epoch && b.entry->epoch < c.entry->epoch);
	write_at(0, 512, 0);
	a = write_at(0, 512, 0);
	T_EQ(a.entry->epoch, c.entry->epoch);
	T_EQ(write_at(0, 512, 0).entry->epoch, c.entry->epoch + 1);

	env_setup(LOG_EPOCH_PER_COMPLETION);
	a = write_at(0, 512, 0);
	T_EQ(drbd_log_local_done(&E->log, a.entry, 0) & (LOG_COMPLETE | LOG_SEND), LOG_COMPLETE);
	T_OK(write_at(0, 512, 0).entry->epoch > a.entry->epoch);
}

/* Without a local disk a flush is done when the peers have flushed. */
static void flush_without_disk(void)
{
	struct log_entered w, f, g;
	u32 number, i;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	drbd_log_attach(&E->log, 0, false);
	E->plan.local_disk = 0;
	T_EQ(drbd_log_enter_flush(&E->log, &E->dev, NULL, 0, &g), LOG_ENTERED);
	T_OK(g.what & LOG_COMPLETE && !g.entry->error);
	w = write_at(0, 512, 0);
	T_EQ(drbd_log_enter_flush(&E->log, &E->dev, NULL, 0, &f), LOG_ENTERED);
	T_EQ(f.what, LOG_SEND);
	send_one(0);
	ack(0, LOG_ACK_WRITE, w.entry);
	number = next(0, LOG_EMIT_BARRIER).number;
	T_OK(!(f.entry->flags & LOG_F_COMPLETED));
	T_EQ(barrier_ack(0, number, 1), LOG_BARRIER_OK);
	for (i = 0; i < E->n; i++)
		if (E->heard_at[i] == f.position)
			break;
	T_OK(i < E->n && E->heard[i] & LOG_COMPLETE && !f.entry->error);
}

static void remote_reads(void)
{
	struct log_request rq = { .sector = 16, .size = 4096 };
	struct log_entered r, s;
	struct log_entry *e;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	drbd_log_attach(&E->log, 0, false);
	T_EQ(drbd_log_enter_read(&E->log, &E->dev, &rq, 0, 0, &r), LOG_ENTERED);
	T_EQ(drbd_log_enter_read(&E->log, &E->dev, &rq, 0, 0, &s), LOG_ENTERED);
	T_EQ(drbd_log_enter_read(&E->log, &E->dev, &rq, 1, 0, &s), LOG_NO_DATA);
	s.entry = &E->ring[(r.position + 1) % RING];
	T_EQ(next(0, LOG_EMIT_READ).position, r.position);
	T_EQ(next(0, LOG_EMIT_READ).position, r.position + 1);
	T_OK(!drbd_log_read_reply(&E->log, 0, r.position, 3, 16, 512));
	e = drbd_log_read_reply(&E->log, 0, r.position, 3, 16, 4096);
	T_OK(e == r.entry);
	T_OK(!drbd_log_read_reply(&E->log, 0, r.position, 3, 16, 4096));
	/* The link dies while the receiver fills the buffer. */
	drbd_log_hold_peer(&E->log, 0, &E->sink);
	T_EQ(E->n, 1);
	T_OK(E->heard_at[0] == s.entry->position && E->heard[0] & LOG_RETRY);
	T_OK(drbd_log_read_done(&E->log, 0, e, true) & LOG_COMPLETE);
	T_EQ(e->error, 0);
	T_OK(!retire().owner);
}

static void dagtags_fill_gaps(void)
{
	struct log_entered w;
	struct log_emit m;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	write_at(0, 4096, 0);
	drbd_log_attach(&E->log, 0, true);
	w = write_at(0, 4096, 0);
	T_EQ(w.entry->dagtag, 16);
	m = next(0, LOG_EMIT_DAGTAG);
	T_EQ(m.dagtag, 8);
	send_one(0);
	write_at(0, 4096, 0);
	send_one(0);
	E->plan.peer[0].leg = PLAN_NOTICE;
	write_at(0, 512, 0);
	E->plan.peer[0].leg = PLAN_DATA;
	write_at(0, 512, 0);
	T_EQ(next(0, LOG_EMIT_DAGTAG).dagtag, 25);
	send_one(0);
}

static void discards_by_what_the_peer_knows(void)
{
	struct log_request rq = { .size = 1 << 20, .op = LOG_OP_ZEROES, .flags = LOG_F_UNMAP };
	struct log_entered out;
	struct log_emit m;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	env_plan_peer(1, PLAN_DATA, 3, 0);
	env_plan_peer(2, PLAN_DATA, 3, 0);
	E->plan.peer[1].discard = PLAN_DISCARD_TRIM;
	E->plan.peer[2].discard = PLAN_DISCARD_NONE;
	drbd_log_attach(&E->log, 0, false);
	drbd_log_attach(&E->log, 1, false);
	drbd_log_attach(&E->log, 2, false);
	T_EQ(drbd_log_enter_write(&E->log, &E->dev, &rq, 0, &out), LOG_ENTERED);
	T_EQ(out.data_peers, 3);
	m = next(0, LOG_EMIT_DATA);
	T_OK(m.cmd == P_ZEROES && m.dp_flags == (DP_ZEROES | DP_DISCARD));
	m = next(1, LOG_EMIT_DATA);
	T_OK(m.cmd == P_TRIM && m.dp_flags == DP_DISCARD);
	next(2, LOG_EMIT_NOTHING);
	/* what the plan does not offer ends at once, and is no write of any kind */
	rq.size = 8u << 20;
	T_EQ(drbd_log_enter_write(&E->log, &E->dev, &rq, 0, &out), LOG_FAIL);
	T_EQ(out.error, -EOPNOTSUPP);
	E->plan.max_discard = 0;
	rq.size = 4096;
	T_EQ(drbd_log_enter_write(&E->log, &E->dev, &rq, 0, &out), LOG_ENTERED);
	rq.op = LOG_OP_DISCARD;
	T_EQ(drbd_log_enter_write(&E->log, &E->dev, &rq, 0, &out), LOG_FAIL);
}

/* Every disk state of a peer gives a write exactly one kind of leg, so that it is
 * replicated or marked. */
static void one_leg_per_plan(void)
{
	u8 leg, local, connected;

	for (leg = PLAN_NOTHING; leg <= PLAN_NOTICE; leg++)
		for (local = 0; local < 2; local++)
			for (connected = 0; connected < 2; connected++) {
				struct log_request rq = { .size = 512 };
				struct log_entered out;
				enum log_verdict v;

				env_setup(LOG_EPOCH_LAZY);
				E->plan.local_disk = local;
				env_plan_peer(0, leg, 3, 0);
				if (connected)
					drbd_log_attach(&E->log, 0, false);
				v = drbd_log_enter_write(&E->log, &E->dev, &rq, 0, &out);
				T_EQ(v, local || (connected && leg == PLAN_DATA) ?
				     LOG_ENTERED : LOG_NO_DATA);
				if (v != LOG_ENTERED)
					continue;
				T_EQ(!!out.data_peers, leg == PLAN_DATA && connected);
				T_EQ(!!out.notice_peers, leg == PLAN_NOTICE && connected);
				T_OK(!(out.data_peers & out.notice_peers));
			}
}

/* The table itself: whatever is pending is undone, and every state can end. */
static void leg_table_is_closed(void)
{
	bool ends[LEG_NR_STATES] = { 0 };
	u32 s, e, round;

	ends[LEG_OK] = ends[LEG_FAILED] = ends[LEG_RETRY] = true;
	for (round = 0; round < LEG_NR_STATES; round++)
		for (s = 1; s < LEG_NR_STATES; s++)
			for (e = 0; e < LEG_NR_EVENTS; e++) {
				u8 n = drbd_leg_next((u8)s, e, 3);

				if (n != LEG_ILLEGAL && n < LEG_NR_STATES && ends[n])
					ends[s] = true;
			}
	for (s = 1; s < LEG_NR_STATES; s++) {
		u8 t = drbd_leg_traits((u8)s);

		T_OK(ends[s] && drbd_leg_name((u8)s));
		T_OK(!(t & LEG_PENDING) || t & LEG_UNDONE);
		T_OK(!(t & LEG_COUNTS) || t & LEG_UNDONE);
		/* The loss of a connection never finds a leg unprepared. */
		if (t & LEG_UNDONE)
			T_OK(drbd_leg_next((u8)s, LEG_EV_LOST, 3) != LEG_ILLEGAL);
		/* What is held can be resolved; with the sender, as lost. */
		if (t & LEG_IS_HELD)
			T_OK(drbd_leg_next((u8)s, LEG_EV_RESOLVE_LOST, 3) != LEG_ILLEGAL);
	}
}

/* Two Primaries: the peer's own write covers ours, or it wants ours again. */
static void superseded_and_retried(void)
{
	struct log_entered a, b, c;
	struct log_retired r;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	drbd_log_attach(&E->log, 0, false);
	a = write_at(0, 4096, 0);
	b = write_at(64, 4096, 0);
	c = write_at(128, 4096, 0);
	send_one(0);
	send_one(0);
	drbd_log_local_done(&E->log, a.entry, 0);
	T_EQ(ack(0, LOG_ACK_SUPERSEDED, a.entry), LOG_COMPLETE | LOG_PAGES_FREE | LOG_DONE);
	T_EQ(a.entry->error, 0);
	/* once is enough, and no other answer follows */
	T_EQ(ack(0, LOG_ACK_SUPERSEDED, a.entry), LOG_GONE);
	T_EQ(ack(0, LOG_ACK_RETRY, a.entry), LOG_GONE);

	/* not before it is finished here: it may not be written behind what follows it */
	T_EQ(ack(0, LOG_ACK_RETRY, b.entry), LOG_PAGES_FREE);
	T_OK(!(b.entry->flags & LOG_F_COMPLETED));
	T_EQ(drbd_log_local_done(&E->log, b.entry, 0), LOG_REMAKE);

	/* faster than our own send call */
	drbd_log_local_done(&E->log, c.entry, 0);
	next(0, LOG_EMIT_DATA);
	T_EQ(ack(0, LOG_ACK_RETRY, c.entry), 0);
	T_EQ(drbd_log_sent(&E->log, 0, c.position, true), LOG_PAGES_FREE | LOG_REMAKE);

	/* both stay until they have been made again */
	drbd_log_close_epoch(&E->log);
	next(0, LOG_EMIT_BARRIER);
	T_EQ(barrier_ack(0, 1, 3), LOG_BARRIER_NONE);	/* none of them counts */
	T_OK(drbd_log_retire_peek(&E->log, 0, &r));
	T_EQ(r.set_slots, 0);
	T_OK(!drbd_log_retire_peek(&E->log, 1, &r));
	T_EQ(drbd_log_remade(&E->log, b.entry), LOG_DONE);
	T_OK(drbd_log_retire_peek(&E->log, 1, &r));
	T_EQ(r.set_slots | r.clear_slots | r.notice_peers, 0);
	T_OK(!drbd_log_retire_peek(&E->log, 2, &r));
	T_EQ(drbd_log_remade(&E->log, c.entry), LOG_DONE);
	T_OK(drbd_log_retire_commit(&E->log, 3) || !drbd_log_used(&E->log));
}

/* DRBD 8.4 forgets epochs in which writes have met: the log must not stop for that. */
static void unconfirmed_epochs(void)
{
	struct log_entered a, b, c;
	struct log_retired r;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	drbd_log_attach(&E->log, 0, false);
	E->now = 1000;
	a = write_at(0, 4096, 0);
	b = write_at(64, 4096, 0);
	send_one(0);
	send_one(0);
	drbd_log_local_done(&E->log, a.entry, 0);
	drbd_log_local_done(&E->log, b.entry, 0);
	ack(0, LOG_ACK_WRITE, a.entry);
	drbd_log_close_epoch(&E->log);
	next(0, LOG_EMIT_BARRIER);
	/* a peer that never decided anything confirms, however long it takes */
	T_OK(!drbd_log_unconfirmed(&E->log, 0, 100000, &E->sink));
	ack(0, LOG_ACK_SUPERSEDED, b.entry);
	c = write_at(128, 4096, 0);
	send_one(0);
	drbd_log_local_done(&E->log, c.entry, 0);
	ack(0, LOG_ACK_WRITE, c.entry);
	T_OK(!drbd_log_unconfirmed(&E->log, 0, 1000 + LOG_CONFIRM_MS - 1, &E->sink));
	T_OK(drbd_log_unconfirmed(&E->log, 0, 1000 + LOG_CONFIRM_MS, &E->sink));
	T_OK(drbd_log_retire_peek(&E->log, 0, &r));
	T_EQ(r.set_slots, 1);
	T_OK(drbd_log_retire_peek(&E->log, 1, &r));
	T_EQ(r.set_slots, 0);
	/* c's barrier has not been sent: it waits, and the late ack of the others is nothing */
	T_OK(!drbd_log_retire_peek(&E->log, 2, &r));
	T_EQ(barrier_ack(0, 1, 1), LOG_BARRIER_OK);
	T_OK(!drbd_log_retire_peek(&E->log, 2, &r));
	drbd_log_close_epoch(&E->log);
	next(0, LOG_EMIT_BARRIER);
	T_EQ(barrier_ack(0, 2, 1), LOG_BARRIER_OK);
	T_OK(drbd_log_retire_peek(&E->log, 2, &r));
	T_EQ(r.set_slots, 0);
}

/* The link breaks before it was made again: it still is, for whoever is there then. */
static void retried_and_lost(void)
{
	struct log_entered a;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	drbd_log_attach(&E->log, 0, false);
	a = write_at(0, 4096, 0);
	send_one(0);
	T_EQ(ack(0, LOG_ACK_RETRY, a.entry), LOG_PAGES_FREE);
	drbd_log_hold_peer(&E->log, 0, &E->sink);
	T_OK(!drbd_log_has_held(&E->log, 0, E->log.head));
	T_EQ(drbd_log_local_done(&E->log, a.entry, 0), LOG_REMAKE);
	T_EQ(drbd_log_remade(&E->log, a.entry), LOG_DONE);
}

/* Limits of behaviour.md 11.9: sectors that the peer has not confirmed, hot extents. */
static void congestion_is_told(void)
{
	struct log_request rq = { .sector = 0, .size = 4096 };
	struct log_entered out;
	struct plan_peer *p;
	u32 n;

	env_setup(LOG_EPOCH_LAZY);
	p = &E->plan.peer[0];
	env_plan_peer(0, PLAN_DATA, 1, 0);
	drbd_log_attach(&E->log, 0, false);
	T_OK(!write_at(0, 65536, 0).congested);
	p->congestion = PLAN_CONGESTION_WATCH;
	p->congestion_fill = 144;
	p->congestion_extents = 67;
	T_OK(!write_at(0, 4096, 0).congested);		/* 136 */
	T_EQ(write_at(0, 4096, 0).congested, 1);
	p->congestion_fill = 0;
	T_OK(!write_at(0, 4096, 0).congested);
	rq.al_used = 66;
	T_EQ(drbd_log_enter_write(&E->log, &E->dev, &rq, 0, &out), LOG_ENTERED);
	T_OK(!out.congested);
	rq.al_used = 67;
	T_EQ(drbd_log_enter_write(&E->log, &E->dev, &rq, 0, &out), LOG_ENTERED);
	T_EQ(out.congested, 1);

	/* a full log that nobody shall wait for */
	p->congestion = PLAN_CONGESTION_AHEAD;
	p->leg = PLAN_NOTICE;
	for (n = 0; n < RING; n++)
		if (drbd_log_enter_write(&E->log, &E->dev, &rq, 0, &out) != LOG_ENTERED)
			break;
	T_EQ(drbd_log_enter_write(&E->log, &E->dev, &rq, 0, &out), LOG_FULL);
	T_EQ(out.congested, 1);
	p->congestion = PLAN_CONGESTION_IGNORE;
	T_EQ(drbd_log_enter_write(&E->log, &E->dev, &rq, 0, &out), LOG_FULL);
	T_EQ(out.congested, 0);
}

/* Data that are lost: a write is given back whatever became of it, and its blocks differ. */
static void lost_data_give_writes_back(void)
{
	struct log_entered good, bad, held;
	struct log_retired r;

	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	drbd_log_attach(&E->log, 0, false);
	good = write_at(0, 4096, 0);
	bad = write_at(8, 4096, 0);
	held = write_at(16, 4096, 0);
	E->plan.completion = PLAN_COMPLETE_HOLD;
	T_EQ(send_one(0), 0);
	T_EQ(ack(0, LOG_ACK_WRITE, good.entry), LOG_PAGES_FREE);
	T_EQ(drbd_log_local_done(&E->log, good.entry, 0), 0);	/* held back */
	E->plan.completion = PLAN_COMPLETE_PARK;
	drbd_log_release(&E->log, &E->dev, &E->sink);
	T_EQ(E->n, 1);
	T_EQ(E->heard[0], LOG_AGAIN);
	E->n = 0;
	drbd_log_hold_peer(&E->log, 0, &E->sink);
	T_EQ(drbd_log_local_done(&E->log, bad.entry, -EIO), LOG_HELD);
	T_EQ(drbd_log_local_done(&E->log, held.entry, 0), 0);	/* the peer's leg is held */
	E->n = 0;
	drbd_log_resolve_disk(&E->log, &E->dev, E->log.head, LOG_RESOLVE_LOST, &E->sink);
	T_EQ(E->n, 0);
	drbd_log_resolve_peer(&E->log, 0, E->log.head, LOG_RESOLVE_LOST, &E->sink);
	T_EQ(E->n, 3);
	T_OK(!(E->heard[0] & LOG_AGAIN) && E->heard[0] & LOG_DONE);
	T_OK(E->heard[1] & LOG_AGAIN && E->heard[2] & LOG_AGAIN && !(E->heard[1] & LOG_COMPLETE));
	T_OK(drbd_log_retire_peek(&E->log, 1, &r));
	T_EQ(r.set_slots, 1);
	T_EQ(E->dev.in_flight, 0);
}

const struct c_test log_tests[] = {
	{ "lost data: writes come back", lost_data_give_writes_back },
	{ "congestion", congestion_is_told },
	{ "refused write is no success", a_refused_write_is_no_success },
	{ "leg table is closed", leg_table_is_closed },
	{ "protocol C from end to end", protocol_c_from_end_to_end },
	{ "completion by protocol", completion_by_protocol },
	{ "acks are checked", acks_are_checked },
	{ "barrier ack before the ack", barrier_ack_before_the_ack },
	{ "neg ack waits for resolve", neg_ack_waits_for_resolve },
	{ "neg ack after completion", neg_ack_after_completion },
	{ "write fails everywhere", write_fails_everywhere },
	{ "local error is hidden", local_error_is_hidden },
	{ "in-sync ack clears", in_sync_ack_clears },
	{ "plan change is a position", plan_change_is_a_position },
	{ "markers are in order", markers_are_in_order },
	{ "lost connection freezes then ends", lost_connection_freezes_then_ends },
	{ "resend after reconnect", resend_after_reconnect },
	{ "resend of protocol A", resend_of_protocol_a },
	{ "completion held by plan", completion_held_by_plan },
	{ "superseded and retried", superseded_and_retried },
	{ "unconfirmed epochs", unconfirmed_epochs },
	{ "retried and lost", retried_and_lost },
	{ "admission", admission },
	{ "epochs close", epochs_close },
	{ "flush without disk", flush_without_disk },
	{ "remote reads", remote_reads },
	{ "dagtags fill gaps", dagtags_fill_gaps },
	{ "discards by what the peer knows", discards_by_what_the_peer_knows },
	{ "one leg per plan", one_leg_per_plan },
	{ "log: random interleavings", random_interleavings },
	{ NULL, NULL },
};
