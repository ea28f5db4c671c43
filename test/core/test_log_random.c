// SPDX-License-Identifier: GPL-2.0-only
/* Random interleavings of everything that can happen to a transfer log, with
 * peers that keep to the specification. */
#include "log_env.h"

#define PEERS 2u
#define CHAN 1024u

enum { M_WRITE, M_BARRIER };	/* to the peer */

struct to_peer {
	u8 kind;
	u64 pos;
	u32 number;
	u8 acks;		/* enum leg_attr WANT_* */
	u8 in_sync;
};

struct from_peer {
	bool barrier;
	u8 ack;
	u64 pos;
	u32 number, count;
};

struct peer_write {
	u64 pos;
	u32 tag;
	struct to_peer m;
	bool held;
};

/* A peer as the specification wants it: two streams, writes that end in any
 * order, receive epochs of core. */
struct sim_peer {
	bool up;
	bool crashed;
	bool sending;
	u64 sending_pos;
	struct to_peer out[CHAN];
	u32 out_n;
	struct from_peer in[CHAN];
	u32 in_n;
	struct recv_epochs epochs;
	struct peer_write active[CHAN];
	u32 active_n;
	bool flush;
};

struct sim_write {
	u64 pos;
	bool entered, completed, retired, local, local_ok;
	s16 error;
	bool has[PEERS];	/* on the peer's disk */
	u32 epoch;
};

#define MAX_WRITES 4000u

static struct sim_peer *P;
static struct sim_write *W;
static struct t_random R;
static u32 completed;

static struct sim_write *sim_write(u64 pos)
{
	return &W[pos % MAX_WRITES];
}

static void act(struct log_entry *e, u32 what)
{
	struct sim_write *w = sim_write(e->position);

	T_OK(!(what & LOG_BAD));
	if (!(what & LOG_COMPLETE))
		return;
	T_OK(!w->completed);
	T_OK(!e->pending);
	w->completed = true;
	w->error = e->error;
	completed++;
	if (!e->error)
		T_OK(w->local_ok || e->attr[1] & LEG_A_GOOD || e->attr[2] & LEG_A_GOOD);
	if (E->log.epoch_weak)
		T_OK(E->log.epoch != e->epoch);
}

static void sim_hear(struct log_sink *sink, struct log_entry *e, u32 what)
{
	(void)sink;
	act(e, what);
}

static void peer_reply(struct sim_peer *p, u8 kind, u64 pos)
{
	struct from_peer m = { .ack = kind, .pos = pos };

	p->in[p->in_n++] = m;
}

static void peer_epochs(struct sim_peer *p)
{
	struct recv_step s;
	u32 i;

	for (;;) {
		drbd_recv_next(&p->epochs, &s);
		switch (s.action) {
		case RECV_NOTHING:
			return;
		case RECV_DO_FLUSH:
			p->flush = true;
			break;
		case RECV_DO_RELEASE:
			for (i = 0; i < p->active_n; i++)
				if (p->active[i].tag == s.tag)
					p->active[i].held = false;
			break;
		case RECV_DO_ACK: {
			struct from_peer m = { .barrier = true, .number = s.number,
					       .count = s.count };

			/* All writes of the epoch are finished, none later began. */
			for (i = 0; i < p->active_n; i++)
				T_OK(p->active[i].tag >= p->epochs.first - 1);
			p->in[p->in_n++] = m;
			break;
		}
		}
	}
}

static void peer_receive(struct sim_peer *p)
{
	struct to_peer m = p->out[0];
	struct peer_write w = { .pos = m.pos, .m = m };

	memmove(p->out, p->out + 1, --p->out_n * sizeof(m));
	if (m.kind == M_BARRIER) {
		T_OK(drbd_recv_barrier(&p->epochs, m.number));
		peer_epochs(p);
		return;
	}
	w.held = drbd_recv_write(&p->epochs, &w.tag) == RECV_HOLD;
	if (m.acks & LEG_A_WANT_RECV_ACK)
		peer_reply(p, LOG_ACK_RECV, m.pos);
	p->active[p->active_n++] = w;
}

static void peer_finish(struct sim_peer *p, u32 me)
{
	u32 i = t_below(&R, p->active_n);
	struct peer_write w = p->active[i];
	bool fail = !t_below(&R, 30);

	if (w.held)
		return;
	p->active[i] = p->active[--p->active_n];
	if (fail)
		peer_reply(p, LOG_ACK_NEG, w.pos);
	else
		sim_write(w.pos)->has[me] = true;
	if (!fail && w.m.acks & LEG_A_WANT_WRITE_ACK)
		peer_reply(p, w.m.in_sync && t_below(&R, 2) ? LOG_ACK_IN_SYNC : LOG_ACK_WRITE, w.pos);
	drbd_recv_write_done(&p->epochs, w.tag);
	peer_epochs(p);
}

static void sim_send(u32 i)
{
	struct sim_peer *p = &P[i];
	struct to_peer m = { 0 };
	struct log_emit out;

	if (p->sending) {
		struct log_entry *e = &E->ring[p->sending_pos % RING];

		p->sending = false;
		act(e, drbd_log_sent(&E->log, i, p->sending_pos, p->up));
		return;
	}
	if (!p->up || p->out_n + 1 >= CHAN)
		return;
	drbd_log_next(&E->log, i, E->now, &out);
	if (out.kind == LOG_EMIT_BARRIER) {
		m.kind = M_BARRIER;
		m.number = out.number;
		p->out[p->out_n++] = m;
	} else if (out.kind == LOG_EMIT_DATA) {
		m.pos = out.position;
		m.acks = drbd_leg_data_attr(out.protocol, out.may_set_in_sync);
		m.in_sync = out.may_set_in_sync;
		p->out[p->out_n++] = m;
		p->sending = true;
		p->sending_pos = out.position;
	}
}

static void sim_hear_peer(u32 i)
{
	struct sim_peer *p = &P[i];
	struct from_peer m = p->in[0];
	struct log_barrier b;
	struct log_entry *e;
	u32 what;

	memmove(p->in, p->in + 1, --p->in_n * sizeof(m));
	if (m.barrier) {
		drbd_log_barrier_ack(&E->log, i, m.number, m.count, &E->sink, &b);
		T_EQ(b.error, LOG_BARRIER_OK);
		return;
	}
	e = &E->ring[m.pos % RING];
	what = drbd_log_ack(&E->log, i, m.ack, m.pos, 3, e->sector, e->size, &e);
	T_OK(!(what & LOG_GONE) && e);
	act(e, what);
}

static void sim_connect(u32 i)
{
	struct sim_peer *p = &P[i];

	bool crashed = p->crashed;

	if (p->up || p->sending)
		return;
	memset(p, 0, sizeof(*p));
	drbd_recv_init(&p->epochs, (u8)t_below(&R, 3));
	p->up = true;
	drbd_log_attach(&E->log, i, t_below(&R, 2));
	/* Back without a resync, or with one; after a crash always with one. */
	drbd_log_resolve_peer(&E->log, i, E->log.head,
			      !crashed && t_below(&R, 2) ? LOG_RESOLVE_RESEND : LOG_RESOLVE_LOST,
			      &E->sink);
	E->plan.peer[i].leg = PLAN_DATA;
	E->plan.peer[i].protocol = (u8)(1 + t_below(&R, 3));
	E->plan.peer[i].may_set_in_sync = (u8)t_below(&R, 2);
	drbd_log_publish(&E->log, &E->dev, &E->plan);
}

/* A crash takes what was not flushed; a barrier ack says that it was. */
static void sim_crash(u32 i)
{
	u64 pos = 0;
	struct log_entry *e;

	P[i].crashed = true;
	while ((e = drbd_log_unretired(&E->log, &E->dev, &pos)))
		if (e->leg[i + 1] != LEG_OK && t_below(&R, 2))
			sim_write(e->position)->has[i] = false;
}

static void sim_lose(u32 i)
{
	struct sim_peer *p = &P[i];
	u32 k;

	if (!p->up)
		return;
	E->plan.peer[i].leg = PLAN_NOTHING;
	drbd_log_publish(&E->log, &E->dev, &E->plan);
	drbd_log_hold_peer(&E->log, i, &E->sink);
	p->up = false;
	/* What it received it finishes. */
	for (k = 0; k < p->active_n; k++)
		sim_write(p->active[k].pos)->has[i] = true;
	if (!t_below(&R, 3))
		sim_crash(i);
	p->out_n = p->in_n = p->active_n = 0;
}

static void sim_enter(void)
{
	struct log_request rq = { .sector = t_below(&R, 1000) * 8, .size = 4096 };
	struct log_entered out;
	struct sim_write *w;

	if (!t_below(&R, 10))
		rq.flags = LOG_F_FUA;
	if (drbd_log_enter_write(&E->log, &E->dev, &rq, E->now, &out) != LOG_ENTERED)
		return;
	w = sim_write(out.position);
	memset(w, 0, sizeof(*w));
	w->pos = out.position;
	w->entered = true;
	w->local = out.local;
	w->epoch = out.entry->epoch;
}

static void sim_local(void)
{
	u64 pos = E->log.tail + t_below(&R, drbd_log_used(&E->log));
	struct log_entry *e = &E->ring[pos % RING];
	int error = t_below(&R, 40) ? 0 : -EIO;

	if (e->leg[0] != LEG_LOCAL_PENDING)
		return;
	if (!error)
		sim_write(pos)->local_ok = true;
	act(e, drbd_log_local_done(&E->log, e, error));
	if (error)
		drbd_log_resolve_disk(&E->log, &E->dev, ~0ull, LOG_RESOLVE_LOST, &E->sink);
}

/* The retirer, and what must be true of the bitmap. */
static void sim_retire(void)
{
	struct log_retired r;
	u32 i;

	if (!drbd_log_retire_peek(&E->log, 0, &r))
		return;
	if (r.kind == LOG_WRITE) {
		struct sim_write *w = sim_write(r.position);

		T_OK(w->completed && !w->retired);
		w->retired = true;
		T_EQ(r.local_good, w->local_ok);
		T_OK(!(r.set_slots & r.clear_slots));
		for (i = 0; i < PEERS; i++) {
			bool set = r.set_slots >> i & 1;

			/* Neither replicated nor marked: must not be. */
			if (w->local_ok != w->has[i])
				T_OK(set);
			if (r.clear_slots >> i & 1)
				T_OK(w->local_ok && w->has[i]);
		}
	}
	drbd_log_retire_commit(&E->log, 1);
}

static void sim_step(void)
{
	u32 i = t_below(&R, PEERS);

	E->now += t_below(&R, 3);
	switch (t_below(&R, 12)) {
	case 0:
	case 1:
		sim_enter();
		break;
	case 2:
	case 3:
		sim_send(i);
		break;
	case 4:
		if (P[i].up && P[i].out_n && P[i].active_n + P[i].in_n * 2 < CHAN / 2)
			peer_receive(&P[i]);
		break;
	case 5:
		if (P[i].up && P[i].active_n)
			peer_finish(&P[i], i);
		break;
	case 6:
	case 7:
		if (P[i].up && P[i].in_n)
			sim_hear_peer(i);
		break;
	case 8:
		if (drbd_log_used(&E->log))
			sim_local();
		break;
	case 9:
		sim_retire();
		break;
	case 10:
		if (P[i].flush) {
			P[i].flush = false;
			drbd_recv_flushed(&P[i].epochs, t_below(&R, 20));
			peer_epochs(&P[i]);
		}
		if (!t_below(&R, 8))
			drbd_log_resolve_peer(&E->log, i, ~0ull, LOG_RESOLVE_LOST, &E->sink);
		break;
	default:
		if (!t_below(&R, 60))
			sim_lose(i);
		else if (!t_below(&R, 10))
			sim_connect(i);
		else if (drbd_log_epoch_deadline(&E->log) &&
			 drbd_log_epoch_deadline(&E->log) < E->now)
			drbd_log_close_epoch(&E->log);
	}
}

void random_interleavings(void)
{
	u32 seed, n, i;

	P = calloc(PEERS, sizeof(*P));
	W = calloc(MAX_WRITES, sizeof(*W));
	for (seed = 0; seed < 60; seed++) {
		t_seed(&R, seed);
		env_setup((u8)(seed & 1));
		E->sink.emit = sim_hear;
		memset(P, 0, PEERS * sizeof(*P));
		env_plan_peer(0, PLAN_NOTHING, 3, 0);
		env_plan_peer(1, PLAN_NOTHING, 3, 0);
		completed = 0;
		for (n = 0; n < 6000; n++)
			sim_step();
		/* No more faults: everything must end. */
		for (i = 0; i < PEERS; i++) {
			sim_lose(i);
			while (P[i].sending)
				sim_send(i);
			drbd_log_resolve_peer(&E->log, i, ~0ull, LOG_RESOLVE_LOST, &E->sink);
		}
		for (n = 0; n < 20000 && drbd_log_used(&E->log); n++) {
			sim_local();
			sim_retire();
		}
		T_EQ(drbd_log_used(&E->log), 0);
		T_EQ(E->dev.in_flight, 0);
		T_OK(completed > 100);
		for (i = 0; i < PEERS; i++)
			T_EQ(E->log.conn[i].in_flight_sectors, 0);
	}
	free(P);
	free(W);
	free(E);
	E = NULL;
}

