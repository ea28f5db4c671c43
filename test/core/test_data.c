// SPDX-License-Identifier: GPL-2.0-only
#include "log_env.h"

/* -- ranges -- */

static struct range_table T;
static struct core_node granted;

static struct io_range *range(u8 cls, u64 sector, u32 size)
{
	struct io_range *r = malloc(sizeof(*r));

	drbd_range_init(r, cls, sector, size, NULL);
	return r;
}

static void ranges_begin(void)
{
	drbd_range_table_init(&T);
	core_list_init(&granted);
}

static struct io_range *pop(void)
{
	struct core_node *n = core_list_pop(&granted);

	return n ? drbd_range_of(n) : NULL;
}

static void finish(struct io_range *r)
{
	drbd_range_release(&T, r, &granted);
	free(r);
}

static void ranges_in_order_of_arrival(void)
{
	struct io_range *a, *b, *c, *d;

	ranges_begin();
	a = range(RANGE_APP_WRITE, 0, 8192);
	b = range(RANGE_APP_WRITE, 8, 8192);
	c = range(RANGE_APP_WRITE, 16, 8192);
	d = range(RANGE_APP_WRITE, 64, 512);
	T_EQ(drbd_range_reserve(&T, a), RANGE_GRANTED);
	T_EQ(drbd_range_reserve(&T, b), RANGE_WAITS);
	/* c is free of a, but b came first. */
	T_EQ(drbd_range_reserve(&T, c), RANGE_WAITS);
	T_EQ(drbd_range_reserve(&T, d), RANGE_GRANTED);
	finish(a);
	T_OK(pop() == b && !pop());
	finish(d);
	T_OK(!pop());
	finish(b);
	T_OK(pop() == c && !pop());
	finish(c);
	T_EQ(T.count, 0);
	T_EQ(T.waiting, 0);
}

static void waiting_range_taken_back(void)
{
	struct io_range *a, *b, *c;

	ranges_begin();
	a = range(RANGE_APP_WRITE, 0, 4096);
	b = range(RANGE_APP_WRITE, 0, 4096);
	c = range(RANGE_APP_WRITE, 0, 4096);
	drbd_range_reserve(&T, a);
	drbd_range_reserve(&T, b);
	drbd_range_reserve(&T, c);
	finish(b);
	T_OK(!pop());
	finish(a);
	T_OK(pop() == c);
	finish(c);
	T_EQ(T.waiting, 0);
}

/* Who excludes whom; the table is the contract of extent.h. */
static void range_classes(void)
{
	static const char *const want[RANGE_NR_CLASSES] = {
		/* first:  A P Q W R V    (Q: resync request, W: write, R: read) */
		[RANGE_APP_WRITE] = "ww w-w -",
		[RANGE_PEER_WRITE] = "ww -ww -",
		[RANGE_RESYNC_REQUEST] = "w- w-w -",
		[RANGE_RESYNC_WRITE] = "-w -ww -",
		[RANGE_RESYNC_READ] = "ww -w- -",
		[RANGE_VERIFY] = "-- --- -",
	};
	static const u8 column[] = { 0, 1, 3, 4, 5, 7 };
	u8 first, second;

	for (second = 0; second < RANGE_NR_CLASSES; second++)
		for (first = 0; first < RANGE_NR_CLASSES; first++) {
			struct io_range *a, *b;

			ranges_begin();
			a = range(first, 8, 4096);
			b = range(second, 8, 4096);
			drbd_range_reserve(&T, a);
			T_EQ(drbd_range_reserve(&T, b),
			     want[second][column[first]] == 'w' ? RANGE_WAITS : RANGE_GRANTED);
			finish(a);
			pop();
			finish(b);
		}
}

/* Two Primaries: what has not entered the log is overtaken, what has is decided. */
static void two_primaries_conflict(void)
{
	struct io_range *waiting, *entered, *p, *q, *with = NULL;
	struct log_request rq = { .sector = 8, .size = 4096 };
	struct log_entered in;

	ranges_begin();
	env_setup(LOG_EPOCH_LAZY);
	env_plan_peer(0, PLAN_DATA, 3, 0);
	drbd_log_attach(&E->log, 0, false);
	waiting = range(RANGE_APP_WRITE, 64, 4096);
	entered = range(RANGE_APP_WRITE, 8, 4096);
	T_EQ(drbd_range_reserve(&T, waiting), RANGE_GRANTED);
	T_EQ(drbd_range_reserve(&T, entered), RANGE_GRANTED);
	rq.range = entered;
	T_EQ(drbd_log_enter_write(&E->log, &E->dev, &rq, 1, &in), LOG_ENTERED);
	T_EQ(entered->position, in.position);

	/* we decide: covered, or only touched */
	p = range(RANGE_PEER_WRITE, 10, 1024);
	T_EQ(drbd_range_reserve_dual(&T, p, &E->log, 0, RANGE_DECIDE, &with), RANGE_SUPERSEDED);
	T_OK(with == entered && !p->inserted);
	p = range(RANGE_PEER_WRITE, 12, 4096);
	T_EQ(drbd_range_reserve_dual(&T, p, &E->log, 0, RANGE_DECIDE, &with), RANGE_RETRY);
	T_OK(with == entered && !p->inserted);
	/* what we answer so must not have pushed anything aside */
	p = range(RANGE_PEER_WRITE, 8, 65536);
	T_EQ(drbd_range_reserve_dual(&T, p, &E->log, 0, RANGE_DECIDE, &with), RANGE_RETRY);
	T_OK(!waiting->overtaken);

	/* the peer decides: its write waits for ours, and overtakes what has not entered */
	T_EQ(drbd_range_reserve_dual(&T, p, &E->log, 0, RANGE_FOLLOW, &with), RANGE_WAITS);
	T_OK(waiting->overtaken && !entered->overtaken);
	rq = (struct log_request){ .sector = 64, .size = 4096, .range = waiting };
	T_EQ(drbd_log_enter_write(&E->log, &E->dev, &rq, 1, &in), LOG_OVERTAKEN);
	T_EQ(drbd_range_yield(&T, waiting), RANGE_WAITS);
	finish(entered);
	T_OK(pop() == p);
	finish(p);
	T_OK(pop() == waiting);
	finish(waiting);

	/* what the peer has acked came before its write: in turn, whoever decides */
	entered = range(RANGE_APP_WRITE, 8, 4096);
	drbd_range_reserve(&T, entered);
	rq = (struct log_request){ .sector = 8, .size = 4096, .range = entered };
	T_EQ(drbd_log_enter_write(&E->log, &E->dev, &rq, 1, &in), LOG_ENTERED);
	T_OK(drbd_log_undecided(&E->log, in.position, 0));
	in.entry->leg[1] = LEG_ACKED;
	T_OK(!drbd_log_undecided(&E->log, in.position, 0));
	q = range(RANGE_PEER_WRITE, 8, 4096);
	T_EQ(drbd_range_reserve_dual(&T, q, &E->log, 0, RANGE_DECIDE, &with), RANGE_WAITS);
	finish(entered);
	T_OK(pop() == q);
	finish(q);
}

/* An epoch with a write that must come again is acked late; nothing else waits for it. */
static void epochs_with_refused_writes(void)
{
	struct recv_epochs r;
	struct recv_step out;
	u32 a, b, c, d;

	drbd_recv_init(&r, RECV_FLUSH);
	T_EQ(drbd_recv_write(&r, &a), RECV_GO);
	T_EQ(drbd_recv_write(&r, &b), RECV_GO);
	T_OK(drbd_recv_barrier(&r, 1));
	T_EQ(drbd_recv_write(&r, &c), RECV_HOLD);
	T_OK(drbd_recv_barrier(&r, 2));
	T_EQ(drbd_recv_write(&r, &d), RECV_HOLD);
	T_OK(drbd_recv_barrier(&r, 3));
	drbd_recv_write_retried(&r, a);
	drbd_recv_write_done(&r, b);
	drbd_recv_next(&r, &out);
	T_EQ(out.action, RECV_DO_FLUSH);
	drbd_recv_flushed(&r, true);
	drbd_recv_next(&r, &out);
	T_EQ(out.action, RECV_DO_RELEASE);
	T_EQ(out.tag, c);
	/* all of this epoch is superseded: no flush, no ack */
	drbd_recv_write_superseded(&r, c);
	drbd_recv_next(&r, &out);
	T_EQ(out.action, RECV_DO_RELEASE);
	T_EQ(out.tag, d);
	drbd_recv_write_done(&r, d);
	drbd_recv_next(&r, &out);
	T_EQ(out.action, RECV_DO_FLUSH);
	drbd_recv_flushed(&r, true);
	drbd_recv_next(&r, &out);
	T_EQ(out.action, RECV_DO_RELEASE);
	drbd_recv_next(&r, &out);
	T_EQ(out.action, RECV_NOTHING);
	drbd_recv_came_again(&r, a);
	drbd_recv_next(&r, &out);
	T_EQ(out.action, RECV_DO_ACK);
	T_EQ(out.number, 1);
	T_EQ(out.count, 1);
	drbd_recv_next(&r, &out);
	T_EQ(out.action, RECV_DO_ACK);
	T_EQ(out.number, 3);
	drbd_recv_next(&r, &out);
	T_EQ(out.action, RECV_NOTHING);
	T_OK(!drbd_recv_has_steps(&r));
}

static void sequence_numbers(void)
{
	T_OK(drbd_recv_in_sequence(0, 0, 1));
	T_OK(!drbd_recv_in_sequence(0, 0, 2));
	T_OK(drbd_recv_in_sequence(1, 0, 2));
	T_OK(drbd_recv_in_sequence(0, 1, 2));
	T_OK(!drbd_recv_in_sequence(3, 4, 6));
	T_OK(drbd_recv_in_sequence(3, 5, 6));
	T_OK(drbd_recv_in_sequence(3, 9, 6));
	T_OK(drbd_recv_in_sequence(0xfffffffe, 0xffffffff, 0));
	T_OK(!drbd_recv_in_sequence(0xfffffffe, 0xfffffff0, 0));
}

static void verify_is_touched(void)
{
	struct io_range *v, *w, *far;

	ranges_begin();
	v = range(RANGE_VERIFY, 8, 4096);
	far = range(RANGE_VERIFY, 800, 4096);
	w = range(RANGE_PEER_WRITE, 0, 8192);
	T_EQ(drbd_range_reserve(&T, v), RANGE_GRANTED);
	T_EQ(drbd_range_reserve(&T, far), RANGE_GRANTED);
	T_OK(!v->touched);
	T_EQ(drbd_range_reserve(&T, w), RANGE_GRANTED);
	T_OK(v->touched && !far->touched);
	drbd_range_touch(&T, 1u << RANGE_VERIFY, 807, 1);
	T_OK(far->touched);
	finish(v);
	v = range(RANGE_VERIFY, 8, 4096);
	drbd_range_reserve(&T, v);
	T_OK(v->touched);
	finish(v);
	finish(far);
	finish(w);
}

/* Never two overlapping writes at once, all get through, whatever their size. */
static void ranges_against_model(void)
{
	struct io_range *active[64] = { 0 }, *waiting[64] = { 0 };
	struct t_random r;
	u32 n, i, k, done = 0;

	t_seed(&r, 3);
	ranges_begin();
	for (n = 0; n < 30000; n++) {
		struct io_range *x;

		i = t_below(&r, 64);
		if (active[i]) {
			drbd_range_release(&T, active[i], &granted);
			free(active[i]);
			active[i] = NULL;
			done++;
			while ((x = pop())) {
				for (k = 0; k < 64 && waiting[k] != x; k++)
					;
				T_OK(k < 64);
				waiting[k] = NULL;
				active[k] = x;
			}
		} else if (!waiting[i] && n < 29000) {
			u32 size = t_below(&r, 20) ? 512u << t_below(&r, 8) :
						     (1u << 22) * (1 + t_below(&r, 32));

			x = range(RANGE_APP_WRITE, t_below(&r, 1 << 16) * 8, size);
			if (drbd_range_reserve(&T, x) == RANGE_GRANTED)
				active[i] = x;
			else
				waiting[i] = x;
		}
		for (i = 0; i < 64; i += 7)
			for (k = 0; k < 64; k++)
				if (active[i] && active[k] && i != k)
					T_OK(active[i]->sector + active[i]->sectors <= active[k]->sector ||
					     active[k]->sector + active[k]->sectors <= active[i]->sector);
	}
	for (n = 0; n < 10000 && T.count; n++) {
		struct io_range *x;

		i = n % 64;
		if (!active[i])
			continue;
		drbd_range_release(&T, active[i], &granted);
		free(active[i]);
		active[i] = NULL;
		while ((x = pop()))
			for (k = 0; k < 64; k++)
				if (waiting[k] == x) {
					waiting[k] = NULL;
					active[k] = x;
				}
	}
	T_EQ(T.count, 0);
	T_EQ(T.waiting, 0);
	T_OK(done > 5000);
}

/* -- activity log -- */

#define AL_SLOTS 67u

static struct act_log AL;
static struct al_slot al_slots[1000];
static u32 al_extents[1000];
static u16 al_hash[64];

static void al_begin(u32 slots)
{
	drbd_al_init(&AL, al_slots, al_extents, slots, al_hash, 64);
}

static void al_commit(void)
{
	T_OK(drbd_al_commit_begin(&AL));
	drbd_al_committed(&AL, AL_WRITTEN);
}

static void al_first_write(void)
{
	al_begin(AL_SLOTS);
	T_OK(!drbd_al_get(&AL, 5, 5));
	T_EQ(drbd_al_prepare(&AL, 5, 6), AL_PENDING);
	/* Not hot before the transaction is stable, for nobody. */
	T_OK(!drbd_al_get(&AL, 5, 5) && !drbd_al_is_hot(&AL, 5));
	T_EQ(drbd_al_prepare(&AL, 6, 6), AL_PENDING);
	T_EQ(AL.n_updates, 2);
	al_commit();
	T_OK(drbd_al_get(&AL, 5, 6) && drbd_al_is_hot(&AL, 5));
	T_EQ(AL.used, 2);
	T_EQ(AL.total_refs, 5);
	drbd_al_put(&AL, 5, 6);
	drbd_al_put(&AL, 5, 6);
	T_OK(!drbd_al_clear(&AL));
	drbd_al_put(&AL, 6, 6);
	T_EQ(AL.total_refs, 0);
	T_OK(!drbd_al_commit_begin(&AL));
	T_OK(drbd_al_clear(&AL));
	T_OK(!drbd_al_get(&AL, 5, 5));
}

static void al_starves(void)
{
	u32 i;

	al_begin(AL_SLOTS);
	for (i = 0; i < 64; i++)
		T_EQ(drbd_al_prepare(&AL, i, i), AL_PENDING);
	T_EQ(drbd_al_prepare(&AL, 64, 64), AL_BATCH_FULL);
	al_commit();
	for (i = 64; i < AL_SLOTS; i++)
		drbd_al_prepare(&AL, i, i);
	al_commit();
	/* Two extents, one of them hot: all or nothing. */
	T_EQ(drbd_al_prepare(&AL, 66, 67), AL_STARVING);
	T_EQ(AL.total_refs, AL_SLOTS);
	T_EQ(AL.n_updates, 0);
	/* Nobody overtakes on the fast path. */
	T_OK(!drbd_al_get(&AL, 3, 3));
	T_OK(drbd_al_put(&AL, 3, 3));
	T_EQ(drbd_al_prepare(&AL, 66, 67), AL_PENDING);
	T_EQ(AL.evicted[0], 3);
	T_OK(!drbd_al_get(&AL, 3, 3));
	al_commit();
	T_OK(drbd_al_get(&AL, 67, 67));
}

/* A transaction that is lost: what is hot in memory only is hot for nobody. */
static void al_cannot_be_written(void)
{
	al_begin(AL_SLOTS);
	T_EQ(drbd_al_prepare(&AL, 5, 5), AL_PENDING);
	al_commit();
	T_EQ(drbd_al_prepare(&AL, 6, 6), AL_PENDING);
	T_OK(drbd_al_commit_begin(&AL));
	drbd_al_committed(&AL, AL_FAILED);
	T_OK(!drbd_al_get(&AL, 6, 6));
	T_OK(!drbd_al_get(&AL, 5, 6));
	T_EQ(drbd_al_prepare(&AL, 6, 6), AL_LOST);
	T_EQ(drbd_al_prepare(&AL, 7, 7), AL_LOST);
	/* those that had references put them as ever */
	drbd_al_put(&AL, 5, 5);
	drbd_al_put(&AL, 6, 6);
	T_EQ(AL.total_refs, 0);
	T_OK(!drbd_al_commit_begin(&AL));
}

/* Hot set in memory against the ring on disk, as a crash would find it. */
static void al_survives_a_crash(void)
{
	static u8 ring[8][AL_BLOCK];
	static u32 slots[AL_REPLAY_SLOTS];
	struct t_random r;
	u32 held[40], n_held = 0, n, i;

	t_seed(&r, 5);
	al_begin(1000);
	for (i = 0; i < 8; i++)
		drbd_al_block_init(ring[i]);
	AL.tr_number = 0xfffffffa;	/* wraps soon */
	for (n = 0; n < 3000; n++) {
		u32 extent = t_below(&r, 3000), slot = 0, hot = 0;
		struct al_replay rp;
		bool torn;

		if (n_held == ARRAY_SIZE(held)) {
			i = t_below(&r, n_held);
			drbd_al_put(&AL, held[i], held[i]);
			held[i] = held[--n_held];
		}
		if (!drbd_al_get(&AL, extent, extent)) {
			T_EQ(drbd_al_prepare(&AL, extent, extent), AL_PENDING);
			T_OK(drbd_al_commit_begin(&AL));
			drbd_al_encode(&AL, ring[drbd_al_ring_block(AL.tr_number, 1, 8)]);
			torn = !t_below(&r, 4);
			if (torn)
				ring[drbd_al_ring_block(AL.tr_number, 1, 8)][2000] ^= 1;
			if (n > 20 && (torn || n % 16 == 0)) {
				drbd_al_replay_init(&rp, 8, slots);
				for (i = 0; i < 8; i++)
					drbd_al_replay_scan(&rp, i, ring[i]);
				T_EQ(drbd_al_replay_decide(&rp), AL_REPLAY_EXTENTS);
				for (i = 0; i < drbd_al_replay_count(&rp); i++)
					drbd_al_replay_apply(&rp, ring[(drbd_al_replay_first(&rp) + i) % 8]);
				/* Every extent with a write in it is found. */
				for (i = 0; i < n_held; i++) {
					for (slot = 0;
					     (hot = drbd_al_replay_next(&rp, &slot)) != AL_FREE &&
					     hot != held[i];)
						;
					T_EQ(hot, held[i]);
				}
			}
			if (torn)
				ring[drbd_al_ring_block(AL.tr_number, 1, 8)][2000] ^= 1;
			drbd_al_committed(&AL, AL_WRITTEN);
		}
		held[n_held++] = extent;
	}
}

/* -- receive epochs -- */

static void receive_holds_the_next_epoch(void)
{
	struct recv_epochs *r = calloc(1, sizeof(*r));
	struct recv_step s;
	u32 a, b, c;

	drbd_recv_init(r, RECV_FLUSH);
	T_EQ(drbd_recv_write(r, &a), RECV_GO);
	T_EQ(drbd_recv_write(r, &b), RECV_GO);
	T_OK(drbd_recv_barrier(r, 77));
	T_EQ(drbd_recv_write(r, &c), RECV_HOLD);
	drbd_recv_write_done(r, a);
	drbd_recv_next(r, &s);
	T_EQ(s.action, RECV_NOTHING);
	drbd_recv_write_done(r, b);
	drbd_recv_next(r, &s);
	T_EQ(s.action, RECV_DO_FLUSH);
	drbd_recv_next(r, &s);
	T_EQ(s.action, RECV_NOTHING);
	drbd_recv_flushed(r, true);
	drbd_recv_next(r, &s);
	T_OK(s.action == RECV_DO_ACK && s.number == 77 && s.count == 2);
	drbd_recv_next(r, &s);
	T_OK(s.action == RECV_DO_RELEASE && s.tag == c);
	T_EQ(drbd_recv_write(r, &c), RECV_GO);
	/* A barrier without writes is not answered. */
	T_OK(drbd_recv_barrier(r, 78) && drbd_recv_barrier(r, 79));
	drbd_recv_write_done(r, c);
	drbd_recv_write_done(r, c);
	drbd_recv_next(r, &s);
	T_OK(s.action == RECV_DO_FLUSH);
	drbd_recv_flushed(r, false);
	T_EQ(r->method, RECV_DRAIN);
	drbd_recv_next(r, &s);
	T_OK(s.action == RECV_DO_ACK && s.number == 78 && s.count == 2);
	drbd_recv_next(r, &s);
	T_EQ(s.action, RECV_DO_RELEASE);
	drbd_recv_next(r, &s);
	T_EQ(s.action, RECV_NOTHING);
	T_EQ(r->active, 0);
	free(r);
}

static void receive_is_bounded(void)
{
	struct recv_epochs *r = calloc(1, sizeof(*r));
	struct recv_step s;
	u32 tags[RECV_EPOCHS + 1], i;

	drbd_recv_init(r, RECV_DRAIN);
	for (i = 0; i < RECV_EPOCHS - 1; i++) {
		drbd_recv_write(r, &tags[i]);
		T_OK(drbd_recv_barrier(r, i));
	}
	drbd_recv_write(r, &tags[i]);
	T_OK(!drbd_recv_barrier(r, i));
	drbd_recv_write_done(r, tags[0]);
	drbd_recv_next(r, &s);
	T_EQ(s.action, RECV_DO_ACK);
	T_OK(drbd_recv_barrier(r, i));
	free(r);
}

static void receive_without_ordering(void)
{
	struct recv_epochs *r = calloc(1, sizeof(*r));
	struct recv_step s;
	u32 a, b, n = 0;

	drbd_recv_init(r, RECV_NONE);
	T_EQ(drbd_recv_write(r, &a), RECV_GO);
	drbd_recv_barrier(r, 1);
	T_EQ(drbd_recv_write(r, &b), RECV_GO);
	drbd_recv_barrier(r, 2);
	drbd_recv_write_done(r, b);
	/* Acks stay in order. */
	do {
		drbd_recv_next(r, &s);
		T_OK(s.action != RECV_DO_ACK);
	} while (s.action != RECV_NOTHING);
	drbd_recv_write_done(r, a);
	do {
		drbd_recv_next(r, &s);
		if (s.action == RECV_DO_ACK)
			T_EQ(s.number, ++n);
	} while (s.action != RECV_NOTHING);
	T_EQ(n, 2);
	free(r);
}

static void acks_of_a_write(void)
{
	struct recv_acks a = drbd_recv_acks(101, DP_SEND_WRITE_ACK, 1, false);

	T_OK(!a.on_receive && a.on_success == P_WRITE_ACK);
	a = drbd_recv_acks(101, 0, 3, false);
	T_OK(!a.on_receive && !a.on_success);
	a = drbd_recv_acks(101, DP_SEND_RECEIVE_ACK, 3, false);
	T_OK(a.on_receive == P_RECV_ACK && !a.on_success);
	a = drbd_recv_acks(97, 0, 3, false);
	T_OK(!a.on_receive && a.on_success == P_WRITE_ACK);
	a = drbd_recv_acks(101, DP_MAY_SET_IN_SYNC | DP_SEND_WRITE_ACK, 3, true);
	T_EQ(a.on_success, P_RS_WRITE_ACK);
	a = drbd_recv_acks(101, DP_MAY_SET_IN_SYNC | DP_SEND_WRITE_ACK, 3, false);
	T_EQ(a.on_success, P_WRITE_ACK);
	a = drbd_recv_acks(122, DP_MAY_SET_IN_SYNC | DP_SEND_WRITE_ACK, 3, true);
	T_EQ(a.on_success, P_WRITE_ACK_IN_SYNC);
}

/* -- resync -- */

static void resync_requests_are_aligned(void)
{
	struct bitmap *bm = t_bitmap(8 * 600 + 3, 1, 12);
	struct resync_pass p;
	u64 sector;
	u32 size;
	static const struct {
		u64 bit;
		u32 blocks;
	} want[] = { { 1, 1 }, { 2, 2 }, { 4, 2 }, { 256, 256 }, { 512, 64 }, { 576, 16 }, { 592, 8 } };
	u32 i;

	drbd_bitmap_set(bm, 0, 1, 5);
	drbd_bitmap_set(bm, 0, 256, 600);
	drbd_resync_start(&p, bm, 0, true, 0);
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		T_EQ(drbd_resync_next(&p, 100000, 1 << 20, &sector, &size), RESYNC_REQUEST);
		T_EQ(sector, want[i].bit * 8);
		T_EQ(size, want[i].blocks * 4096);
		drbd_resync_requested(&p, sector, size);
	}
	/* The last block of the device is a partial one. */
	T_EQ(drbd_resync_next(&p, 100000, 1 << 20, &sector, &size), RESYNC_REQUEST);
	T_EQ(sector, 4800);
	T_EQ(size, 3 * 512);
	drbd_resync_requested(&p, sector, size);
	T_EQ(drbd_resync_next(&p, 100000, 1 << 20, &sector, &size), RESYNC_WAIT);
	T_EQ(drbd_resync_done(&p, sector, size, RESYNC_WRITTEN), 1);
	for (i = 0; i < ARRAY_SIZE(want); i++)
		drbd_resync_done(&p, want[i].bit * 8, want[i].blocks * 4096, RESYNC_EQUAL);
	T_EQ(p.same, 349);
	T_EQ(bm->weight[0], 0);
	T_OK(drbd_resync_is_finished(&p));
	T_EQ(drbd_resync_next(&p, 1, 1 << 20, &sector, &size), RESYNC_FINISHED);
	t_bitmap_free(bm);
}

static void resync_budget(void)
{
	struct bitmap *bm = t_bitmap(8 * 64, 1, 12);
	struct resync_pass p;
	u64 sector;
	u32 size;

	drbd_bitmap_set(bm, 0, 0, 63);
	drbd_resync_start(&p, bm, 0, true, 0);
	T_EQ(drbd_resync_next(&p, 0, 1 << 20, &sector, &size), RESYNC_BUDGET);
	T_EQ(drbd_resync_next(&p, 47, 1 << 20, &sector, &size), RESYNC_REQUEST);
	T_EQ(size, 4 * 4096);
	T_EQ(drbd_resync_next(&p, 1, 1 << 20, &sector, &size), RESYNC_REQUEST);
	T_EQ(size, 4096);
	t_bitmap_free(bm);
}

/* Trap 33 of 20.2: a bit set behind the position gets another visit. */
static void resync_comes_by_again(void)
{
	struct bitmap *bm = t_bitmap(8 * 64, 1, 12);
	struct resync_pass p;
	u64 sector;
	u32 size;

	drbd_bitmap_set(bm, 0, 40, 40);
	drbd_resync_start(&p, bm, 0, true, 0);
	T_EQ(drbd_resync_next(&p, 99, 4096, &sector, &size), RESYNC_REQUEST);
	drbd_resync_requested(&p, sector, size);
	drbd_bitmap_set(bm, 0, 3, 3);
	drbd_resync_bits_set(&p, 3, 1);
	/* Not while something is in flight. */
	T_EQ(drbd_resync_next(&p, 99, 4096, &sector, &size), RESYNC_WAIT);
	drbd_resync_done(&p, 40 * 8, 4096, RESYNC_CANCELLED);
	T_OK(!drbd_resync_is_finished(&p));
	T_EQ(drbd_resync_next(&p, 99, 4096, &sector, &size), RESYNC_REQUEST);
	T_EQ(sector, 24);
	drbd_resync_requested(&p, sector, size);
	T_EQ(drbd_resync_next(&p, 99, 4096, &sector, &size), RESYNC_REQUEST);
	T_EQ(sector, 320);
	drbd_resync_requested(&p, sector, size);
	drbd_resync_done(&p, 24, 4096, RESYNC_WRITTEN);
	drbd_resync_done(&p, 320, 4096, RESYNC_WRITTEN);
	T_OK(drbd_resync_is_finished(&p));
	t_bitmap_free(bm);
}

static void resync_with_failed_blocks_ends(void)
{
	struct bitmap *bm = t_bitmap(8 * 64, 1, 12);
	struct resync_pass p;
	u64 sector;
	u32 size;

	drbd_bitmap_set(bm, 0, 10, 11);
	drbd_resync_start(&p, bm, 0, true, 0);
	drbd_resync_next(&p, 99, 1 << 20, &sector, &size);
	drbd_resync_requested(&p, sector, size);
	drbd_resync_done(&p, sector, size, RESYNC_FAILED);
	T_EQ(p.failed, 2);
	T_EQ(drbd_resync_left(&p), 0);
	T_EQ(drbd_resync_next(&p, 99, 1 << 20, &sector, &size), RESYNC_FINISHED);
	T_OK(drbd_resync_is_finished(&p));
	T_EQ(bm->weight[0], 2);
	t_bitmap_free(bm);
}

static void resync_aborted(void)
{
	struct bitmap *bm = t_bitmap(8 * 64, 1, 12);
	struct resync_pass p;
	u64 sector;
	u32 size;

	drbd_bitmap_set(bm, 0, 10, 20);
	drbd_resync_start(&p, bm, 0, true, 0);
	drbd_resync_next(&p, 99, 4096, &sector, &size);
	drbd_resync_requested(&p, sector, size);
	drbd_resync_abort(&p);
	T_EQ(drbd_resync_next(&p, 99, 4096, &sector, &size), RESYNC_WAIT);
	T_OK(!drbd_resync_is_finished(&p));
	drbd_resync_done(&p, sector, size, RESYNC_CANCELLED);
	T_OK(drbd_resync_is_finished(&p));
	T_EQ(bm->weight[0], 11);
	t_bitmap_free(bm);
}

/* -- rate -- */

static u64 run_rate(const struct rate_options *o, u32 disk_per_step, u32 steps)
{
	struct rate_control rc;
	u64 total = 0;
	u32 n, queue = 0;

	drbd_rate_init(&rc, o);
	for (n = 0; n < steps; n++) {
		u32 ask, done;

		drbd_rate_step(&rc, o, 100);
		ask = drbd_rate_budget(&rc, 8192);
		drbd_rate_requested(&rc, ask);
		queue += ask;
		done = min(queue, disk_per_step);
		drbd_rate_received(&rc, done);
		queue -= done;
		total += done;
		T_OK(rc.in_flight >= 0 && (u32)rc.in_flight == queue);
	}
	return total;
}

/* What comes back makes room at once, within what the step may ask for. */
static void rate_in_flight(void)
{
	struct rate_options o = { .resync_rate = 1000000 };
	struct rate_control rc;

	drbd_rate_init(&rc, &o);
	drbd_rate_step(&rc, &o, 100);
	T_EQ(drbd_rate_budget(&rc, 8000), 32000);	/* half of the buffers */
	drbd_rate_requested(&rc, 32000);
	T_EQ(drbd_rate_budget(&rc, 8000), 0);
	drbd_rate_received(&rc, 12000);
	T_EQ(drbd_rate_budget(&rc, 8000), 12000);
	o.resync_rate = 100000;				/* 20000 sectors a step */
	drbd_rate_step(&rc, &o, 100);
	drbd_rate_received(&rc, 20000);
	drbd_rate_requested(&rc, 20000);
	drbd_rate_received(&rc, 20000);
	T_EQ(drbd_rate_budget(&rc, 8000), 0);		/* the step is used up */
	drbd_rate_step(&rc, &o, 100);
	T_EQ(drbd_rate_budget(&rc, 8000), 20000);
}

static void controller(void)
{
	struct rate_options o = { .resync_rate = 250, .c_plan_ahead = 20, .c_delay_target = 10,
				  .c_fill_target = 100, .c_max_rate = 102400 };
	u64 early = run_rate(&o, 100000, 100), late = run_rate(&o, 100000, 600);

	/* A disk that keeps up is asked for more and more. */
	T_OK(late - run_rate(&o, 100000, 500) > 4 * early);
	/* A slow one gives all it can do. */
	T_OK(run_rate(&o, 400, 600) > 400 * 400);
	T_OK(run_rate(&o, 400, 1200) - run_rate(&o, 400, 600) > 595 * 400);
	/* It goes on at the rate it was started with. */
	o.resync_rate = 51200;
	T_OK(run_rate(&o, 100000, 100) >= 100 * 10240);
	/* But not beyond the limit. */
	o.resync_rate = 1000000;
	T_OK(run_rate(&o, 100000, 100) <= 100 * 20480);
	o.resync_rate = 250;
	o.c_plan_ahead = 0;
	/* 250 KiB/s are 50 sectors in 0.1 s. */
	T_EQ(run_rate(&o, 100000, 100), 5000);
	o.resync_rate = 1000000;
	/* Half of the buffers at most. */
	T_OK(run_rate(&o, 1000, 10) <= 10 * 1000);
}

static void progress_and_finish_time(void)
{
	struct progress_view v;
	struct progress p;
	u64 left = 1 << 20;
	u32 i;

	drbd_progress_start(&p, left, 1000);
	drbd_progress_view(&p, left, 1000, &v);
	T_EQ(v.permille, 1);
	for (i = 0; i < 10; i++) {
		left -= 10000;
		drbd_progress_mark(&p, left, 1000 + (i + 1) * 4000);
	}
	drbd_progress_view(&p, left, 41000, &v);
	T_EQ(v.speed_now, 2500);
	T_EQ(v.speed_average, 2500);
	T_OK(v.eta_s > 370 && v.eta_s < 390);
	T_OK(!v.stalled);
	drbd_progress_pause(&p, true, 41000);
	drbd_progress_pause(&p, false, 141000);
	drbd_progress_view(&p, left, 141000, &v);
	T_EQ(v.speed_average, 2500);
	drbd_progress_more(&p, 5000);
	drbd_progress_view(&p, left + 5000, 141000, &v);
	T_OK(v.permille <= 1000);
	T_EQ(v.total, (1 << 20) + 5000);
}

static void throttle_is_signed(void)
{
	struct rate_options o = { .c_min_rate = 250 };
	struct progress p;

	drbd_progress_start(&p, 100000, 0);
	T_OK(drbd_rate_throttle(&p, &o, true, 90000, 12, 10000));
	T_OK(!drbd_rate_throttle(&p, &o, false, 90000, 12, 10000));
	T_OK(!drbd_rate_throttle(&p, &o, true, 99999, 12, 10000));
	/* More bits than at the mark: starving, never throttled. */
	T_OK(!drbd_rate_throttle(&p, &o, true, 200000, 12, 10000));
}

/* -- notices, read paths -- */

static void notices(void)
{
	struct bitmap *bm = t_bitmap(1 << 22, 1, 12);
	struct notice_set *s = calloc(1, sizeof(*s));
	u64 sector, covered = 0;
	u32 size, i;

	drbd_notice_init(s);
	drbd_notice_add(s, 8, 4096, 5);
	drbd_notice_add(s, 16, 4096, 6);
	T_EQ(s->count, 1);
	T_OK(!drbd_notice_next(s, bm, 0, 6, &sector, &size));
	T_OK(drbd_notice_next(s, bm, 0, 7, &sector, &size));
	T_OK(sector == 8 && size == 8192);
	T_OK(drbd_notice_empty(s));
	drbd_notice_add(s, 0, 5 << 20, 5);
	for (i = 0; drbd_notice_next(s, bm, 0, 7, &sector, &size); i++)
		T_OK(sector == i * 2048 && size == 1 << 20);
	T_EQ(i, 5);

	/* Too many: some are found again in the bitmap, none is lost. */
	for (i = 0; i < 300; i++) {
		drbd_bitmap_set(bm, 0, i * 100, i * 100);
		drbd_notice_add(s, i * 800, 4096, i);
	}
	T_EQ(s->count, NOTICE_MAX);
	while (drbd_notice_next(s, bm, 0, 1000, &sector, &size)) {
		T_OK(size <= NOTICE_MAX_BYTES && sector % 8 == 0);
		covered += drbd_bitmap_count(bm, 0, sector / 8, sector / 8 + size / 4096 - 1);
		T_EQ(size, 4096);
	}
	T_EQ(covered, 300);
	free(s);
	t_bitmap_free(bm);
}

static void read_paths(void)
{
	struct io_plan p = { .read_rule = PLAN_READ_LOCAL, .nr_peers = 3 };

	T_EQ(drbd_plan_read_path(&p, 0, true, false, 0, 0, 0, 0), PLAN_READ_FROM_LOCAL);
	T_EQ(drbd_plan_read_path(&p, 0, true, true, 0, 0, 0, 0), PLAN_READ_FROM_NOBODY);
	p.peer[1].read = p.peer[2].read = 1;
	p.peer[1].protocol = 1;
	p.peer[2].protocol = 3;
	T_EQ(drbd_plan_read_path(&p, 0, true, true, 0, 0, 0, 0), 2);
	T_EQ(drbd_plan_read_path(&p, 0, true, true, 4, 0, 0, 0), 1);
	T_EQ(drbd_plan_read_path(&p, 0, true, true, 6, 0, 0, 0), PLAN_READ_FROM_NOBODY);
	p.peer[1].protocol = 3;
	T_EQ(drbd_plan_read_path(&p, 0, true, true, 0, 0, 0, 0), 1);
	T_EQ(drbd_plan_read_path(&p, 0, true, true, 0, 1, 0, 0), 2);
	p.read_rule = PLAN_READ_CLEAN;
	T_EQ(drbd_plan_read_path(&p, 0, true, false, 0, 0, 0, 0), PLAN_READ_FROM_LOCAL);
	T_OK(drbd_plan_read_path(&p, 0, false, false, 0, 0, 0, 0) > 0);
	p.balance = PLAN_LEAST_PENDING;
	T_OK(drbd_plan_read_path(&p, 0, true, false, 0, 0, 3, 2) > 0);
	T_EQ(drbd_plan_read_path(&p, 0, true, false, 0, 0, 2, 2), PLAN_READ_FROM_LOCAL);
	p.balance = PLAN_STRIPE_1M;
	T_EQ(drbd_plan_read_path(&p, 2047, true, false, 0, 0, 0, 0), PLAN_READ_FROM_LOCAL);
	T_OK(drbd_plan_read_path(&p, 2048, true, false, 0, 0, 0, 0) > 0);
}

/* The short cut never goes where the long way would not. */
static void read_short_cut(void)
{
	struct io_plan p = { .nr_peers = 1 };
	u32 i, taken = 0;

	p.peer[0].protocol = 3;
	for (i = 0; i < 4 * 3 * 11 * 2; i++) {
		p.read_admission = i % 4;
		p.read_rule = i / 4 % 3;
		p.balance = i / 12 % 11;
		p.peer[0].read = i / 132;
		if (!drbd_plan_reads_local(&p))
			continue;
		taken++;
		T_EQ(p.read_admission, PLAN_OPEN);
		T_EQ(drbd_plan_read_path(&p, 4096, false, false, 0, 1, 9, 0), PLAN_READ_FROM_LOCAL);
	}
	T_EQ(taken, 2);
}

const struct c_test data_tests[] = {
	{ "ranges in order of arrival", ranges_in_order_of_arrival },
	{ "waiting range taken back", waiting_range_taken_back },
	{ "range classes", range_classes },
	{ "two primaries conflict", two_primaries_conflict },
	{ "sequence numbers", sequence_numbers },
	{ "epochs with refused writes", epochs_with_refused_writes },
	{ "verify is touched", verify_is_touched },
	{ "ranges against a model", ranges_against_model },
	{ "activity log: first write", al_first_write },
	{ "activity log: starves", al_starves },
	{ "activity log: cannot be written", al_cannot_be_written },
	{ "activity log: survives a crash", al_survives_a_crash },
	{ "receive holds the next epoch", receive_holds_the_next_epoch },
	{ "receive is bounded", receive_is_bounded },
	{ "receive without ordering", receive_without_ordering },
	{ "acks of a write", acks_of_a_write },
	{ "resync requests are aligned", resync_requests_are_aligned },
	{ "resync budget", resync_budget },
	{ "resync comes by again", resync_comes_by_again },
	{ "resync with failed blocks ends", resync_with_failed_blocks_ends },
	{ "resync aborted", resync_aborted },
	{ "rate controller", controller },
	{ "rate: in flight", rate_in_flight },
	{ "progress and finish time", progress_and_finish_time },
	{ "throttle is signed", throttle_is_signed },
	{ "notices", notices },
	{ "read paths", read_paths },
	{ "reads: the short cut", read_short_cut },
	{ NULL, NULL },
};
