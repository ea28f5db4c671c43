// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two-phase commit in clusters of two to five nodes: messages with random delays
 * on two streams per link, links that are cut and noticed late, nodes that crash,
 * administrators who want things at the same time. After each event: no two Primaries
 * that can reach each other; without a fault nobody commits what another one aborts;
 * and when faults stop, all that was begun comes to its end.
 */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include "harness.h"
#include "../../kernel/core/state/agree.h"

#define MOST 5
#define MESSAGES 4096
#define HISTORY 4096
#define TIMEOUT 30000

enum op { OP_NONE, OP_PROMOTE, OP_DEMOTE, OP_CONNECT, OP_DISCONNECT, OP_EMPTY, OP_RESIZE };

struct message {
	bool used;
	u8 from, to;
	bool meta;
	u32 session;
	u64 at;
	u16 cmd, vnr;
	struct wire_twopc t;
	struct wire_twopc_reply r;
};

struct link {
	bool cut;		/* nothing passes */
	u32 session;		/* 0: no sockets */
	u64 last[2][2];		/* when the newest message arrives: direction, stream */
	u64 notice[2];		/* when that end notices the cut; 0 = has, or is fine */
};

struct node {
	struct core_agree a;
	bool primary;
	u64 timer;		/* 0: none */
	u64 check_at;		/* when it will have checked; 0 = nothing to check */
	u8 op, target;		/* what its administrator wants */
	bool begun;
	u64 next_try;
	u32 tries;
	u64 size;
};

static struct {
	struct t_random rnd;
	u64 now;
	u32 size;
	struct node n[MOST];
	struct link link[MOST][MOST];	/* [lower][higher] */
	struct message msg[MESSAGES];
	u32 sessions, faults;
	bool calm;
	struct {
		u32 tid, faults;
		s8 initiator;
		bool committed, dropped;
	} past[HISTORY];
	u32 nr_past;
	u64 commits, aborts, yields;
} W;

static struct link *link_of(u32 a, u32 b)
{
	return a < b ? &W.link[a][b] : &W.link[b][a];
}

static void post(u32 from, u32 to, bool meta, const struct core_agree_action *act)
{
	struct link *l = link_of(from, to);
	u64 *last = &l->last[from > to][meta];
	u32 i;

	if (!l->session || l->cut)
		return;
	for (i = 0; i < MESSAGES; i++) {
		if (W.msg[i].used)
			continue;
		*last = max(*last, W.now + 1 + t_below(&W.rnd, 30));
		W.msg[i] = (struct message){
			.used = true, .from = (u8)from, .to = (u8)to, .meta = meta, .session = l->session,
			.at = *last, .cmd = act->cmd, .vnr = act->vnr, .t = act->twopc, .r = act->reply,
		};
		return;
	}
	t_fail(__FILE__, __LINE__, "too many messages under way");
}

/* --- what is known of each transaction ---------------------------------------------------- */

static void began(u32 tid, u32 initiator)
{
	T_OK(W.nr_past < HISTORY);
	W.past[W.nr_past].tid = tid;
	W.past[W.nr_past].initiator = (s8)initiator;
	W.past[W.nr_past].committed = W.past[W.nr_past].dropped = false;
	W.past[W.nr_past++].faults = W.faults;
}

static void outcome(u32 node, const struct wire_twopc *t, bool commit)
{
	u32 i;

	for (i = 0; i < W.nr_past; i++) {
		if (W.past[i].tid != t->tid || W.past[i].initiator != t->initiator)
			continue;
		if (commit)
			W.past[i].committed = true;
		else
			W.past[i].dropped = true;
		if (W.past[i].committed && W.past[i].dropped && W.past[i].faults == W.faults)
			t_fail(__FILE__, __LINE__, "node %u %s %u of node %d, another one did not", node,
			       commit ? "commits" : "aborts", t->tid, t->initiator);
		return;
	}
	t_fail(__FILE__, __LINE__, "node %u ends a transaction that nobody began", node);
}

/* --- nodes ------------------------------------------------------------------------------------ */

static void refresh(u32 i)
{
	W.n[i].a.primary = W.n[i].primary;
	W.n[i].a.has_data = W.n[i].a.has_disk = true;
	W.n[i].a.max_size = 1000 + i;
}

static void set_linked(u32 a, u32 b, bool on)
{
	if (on)
		W.n[a].a.linked |= 1ull << b;
	else
		W.n[a].a.linked &= ~(1ull << b);
}

static void act_all(u32 i);

static void lost(u32 i, u32 peer)
{
	W.faults++;
	set_linked(i, peer, false);
	refresh(i);
	core_agree_lost(&W.n[i].a, (u8)peer);
	act_all(i);
}

static void applied(u32 i, const struct core_agree_action *act)
{
	const struct wire_twopc *t = &act->twopc;
	bool mine = t->initiator == (s8)i;

	outcome(i, t, true);
	if (W.n[i].a.resize) {
		W.n[i].size = t->last;
		return;
	}
	if (t->mask.conn && t->val.conn == CONN_CONNECTED) {
		if (mine || t->target == (s8)i)
			set_linked(i, mine ? (u32)t->target : (u32)t->initiator, true);
	} else if (t->mask.conn) {
		if (mine || t->target == (s8)i)
			set_linked(i, mine ? (u32)t->target : (u32)t->initiator, false);
	} else if (t->mask.role && mine) {
		W.n[i].primary = t->val.role == ROLE_PRIMARY;
	}
}

static void job_done(u32 i, s32 result)
{
	struct node *n = &W.n[i];

	T_OK(n->begun);
	n->begun = false;
	if (result == RES_CONCURRENT_ST_CHG || result == RES_TIMEOUT) {
		W.yields += result == RES_CONCURRENT_ST_CHG;
		n->next_try = W.now + 1 + core_agree_backoff_ms(100, W.size - 1, n->tries++, (u32)t_next(&W.rnd));
		return;
	}
	if (result == RES_CW_SUCCESS) {
		W.commits++;
		if (n->op == OP_PROMOTE || n->op == OP_DEMOTE)
			T_EQ(n->primary, n->op == OP_PROMOTE);
	} else {
		W.aborts++;
	}
	n->op = OP_NONE;
}

static void act_all(u32 i)
{
	static struct core_agree_action acts[MOST][AGREE_MAX_ACTIONS];
	struct node *n = &W.n[i];
	u32 k, nr = n->a.nr_actions;

	memcpy(acts[i], n->a.action, nr * sizeof(acts[i][0]));
	n->a.nr_actions = 0;
	for (k = 0; k < nr; k++) {
		const struct core_agree_action *act = &acts[i][k];

		switch (act->type) {
		case AGREE_SEND:
			post(i, act->node, false, act);
			break;
		case AGREE_REPLY:
			post(i, act->node, true, act);
			break;
		case AGREE_CHECK:
			n->check_at = W.now + 1 + t_below(&W.rnd, 40);
			break;
		case AGREE_APPLY:
			n->check_at = 0;
			applied(i, act);
			break;
		case AGREE_DROP:
			n->check_at = 0;
			outcome(i, &act->twopc, false);
			break;
		case AGREE_DONE:
			job_done(i, act->result);
			break;
		case AGREE_TIMER:
			n->timer = act->ms ? W.now + act->ms : 0;
			break;
		case AGREE_PING:
		case AGREE_IDLE:
			break;
		default:
			t_fail(__FILE__, __LINE__, "action %u", act->type);
		}
	}
}

/* What a node thinks of the change at hand. */
static void check(u32 i)
{
	struct node *n = &W.n[i];
	const struct wire_twopc *t = &n->a.t;
	enum core_agree_verdict v = AGREE_YES;

	n->check_at = 0;
	refresh(i);
	if (!n->a.resize && t->mask.role && t->val.role == ROLE_PRIMARY && n->primary && t->initiator != (s8)i &&
	    (!t->mask.conn || t->target == (s8)i))
		v = AGREE_NO;
	else if (!W.calm && !t_below(&W.rnd, 12))
		v = t_below(&W.rnd, 2) ? AGREE_NO : AGREE_RETRY;
	core_agree_checked(&n->a, v, v == AGREE_RETRY ? RES_CONCURRENT_ST_CHG : RES_TWO_PRIMARIES);
	act_all(i);
}

/* The administrator has wanted something: is it still to be had, and does it begin? */
static void try_job(u32 i)
{
	struct node *n = &W.n[i];
	struct wire_twopc t = { .tid = (u32)t_next(&W.rnd) | 1, .target = WIRE_NO_NODE };
	struct link *l = link_of(i, n->target);
	bool ready = true;

	switch (n->op) {
	case OP_PROMOTE:
	case OP_DEMOTE:
		if (n->primary == (n->op == OP_PROMOTE)) {
			n->op = OP_NONE;
			return;
		}
		t.mask.role = ROLE_MASK;
		t.val.role = n->op == OP_PROMOTE ? ROLE_PRIMARY : ROLE_SECONDARY;
		break;
	case OP_CONNECT:
		if (n->target <= i || l->cut || l->notice[0] || l->notice[1] || (n->a.linked >> n->target & 1) ||
		    (W.n[n->target].a.linked >> i & 1)) {
			n->op = OP_NONE;
			return;
		}
		if (!l->session)
			l->session = ++W.sessions;
		t.target = (s8)n->target;
		t.mask.conn = CONN_MASK;
		t.val.conn = CONN_CONNECTED;
		t.mask.role = ROLE_MASK;
		t.val.role = n->primary ? ROLE_PRIMARY : ROLE_SECONDARY;
		ready = false;
		break;
	case OP_DISCONNECT:
		if (!(n->a.linked >> n->target & 1)) {
			n->op = OP_NONE;
			return;
		}
		t.target = (s8)n->target;
		t.mask.conn = CONN_MASK;
		t.val.conn = CONN_DISCONNECTING;
		break;
	case OP_RESIZE:
		break;
	default:
		break;
	}
	refresh(i);
	if (!core_agree_begin(&n->a, &t, VOLUME_NONE, n->op == OP_RESIZE, n->size, ready)) {
		n->next_try = W.now + 10;
		return;
	}
	n->begun = true;
	began(t.tid, i);
	act_all(i);
}

/* --- faults ------------------------------------------------------------------------------------ */

static void close_session(struct link *l, u32 a, u32 b)
{
	u32 i;

	for (i = 0; i < MESSAGES; i++)
		if (W.msg[i].used && W.msg[i].session == l->session)
			W.msg[i].used = false;
	l->session = 0;
	memset(l->last, 0, sizeof(l->last));
	l->notice[0] = W.now + 1 + t_below(&W.rnd, 700);
	l->notice[1] = W.now + 1 + t_below(&W.rnd, 700);
	(void)a;
	(void)b;
	W.faults++;
}

static void cut(u32 a, u32 b)
{
	struct link *l = link_of(a, b);

	if (l->cut)
		return;
	l->cut = true;
	if (l->session)
		close_session(l, a, b);
}

static void crash(u32 i)
{
	struct node *n = &W.n[i];
	u64 size = n->size;
	u32 k;

	for (k = 0; k < W.size; k++) {
		struct link *l = link_of(i, k);

		if (k == i)
			continue;
		if (l->session)
			close_session(l, min(i, k), max(i, k));
		/* it has forgotten; the other end has still to notice */
		l->notice[i > k] = 0;
	}
	W.faults++;
	memset(n, 0, sizeof(*n));
	n->size = size;
	core_agree_init(&n->a, (u8)i, TIMEOUT);
}

/* --- what must be true ------------------------------------------------------------------------- */

static u32 reach(u32 from)
{
	u32 mask = 1u << from, before, i, k;

	do {
		before = mask;
		for (i = 0; i < W.size; i++)
			for (k = 0; k < W.size; k++)
				if (mask >> i & 1 && W.n[i].a.linked >> k & 1 && W.n[k].a.linked >> i & 1)
					mask |= 1u << k;
	} while (mask != before);
	return mask;
}

static void one_primary(void)
{
	u32 i, k;

	for (i = 0; i < W.size; i++)
		for (k = 0; k < i; k++)
			if (W.n[i].primary && W.n[k].primary && reach(i) >> k & 1)
				t_fail(__FILE__, __LINE__, "nodes %u and %u are Primary and reach each other", k, i);
}

/* --- a run ----------------------------------------------------------------------------------------- */

static void deliver(struct message *m)
{
	struct message got = *m;

	m->used = false;
	refresh(got.to);
	if (got.meta)
		core_agree_reply(&W.n[got.to].a, got.from, got.cmd, &got.r);
	else
		core_agree_packet(&W.n[got.to].a, got.from, got.cmd, got.vnr, &got.t);
	act_all(got.to);
}

/* Both ends have let go: the sockets are closed. */
static void tidy_links(void)
{
	u32 a, b;

	for (a = 0; a < W.size; a++)
		for (b = a + 1; b < W.size; b++) {
			struct link *l = &W.link[a][b];
			bool la = W.n[a].a.linked >> b & 1, lb = W.n[b].a.linked >> a & 1;
			bool busy = W.n[a].a.phase || W.n[b].a.phase;
			u32 i;

			for (i = 0; i < MESSAGES && l->session && !busy; i++)
				busy = W.msg[i].used && W.msg[i].session == l->session;
			if (l->session && !la && !lb && !busy && !(W.n[a].op == OP_CONNECT && W.n[a].target == b))
				l->session = 0;
		}
}

/* The next thing that happens; false if nothing is left. */
static bool step(u64 until)
{
	u64 best = until;
	s32 what = -1, which = 0;
	u32 i, k;

#define EARLIER(time, w, n) do { if ((time) && (time) < best) { best = (time); what = (w); which = (s32)(n); } } while (0)
	for (i = 0; i < MESSAGES; i++)
		if (W.msg[i].used)
			EARLIER(W.msg[i].at, 0, i);
	for (i = 0; i < W.size; i++) {
		EARLIER(W.n[i].timer, 1, i);
		EARLIER(W.n[i].check_at, 2, i);
		if (W.n[i].op && !W.n[i].begun)
			EARLIER(max(W.n[i].next_try, W.now + 1), 3, i);
		for (k = i + 1; k < W.size; k++) {
			EARLIER(W.link[i][k].notice[0], 4, i * 8 + k);
			EARLIER(W.link[i][k].notice[1], 5, i * 8 + k);
		}
	}
	if (what < 0) {
		W.now = until;
		return false;
	}
	W.now = max(W.now, best);
	switch (what) {
	case 0:
		deliver(&W.msg[which]);
		break;
	case 1:
		W.n[which].timer = 0;
		refresh((u32)which);
		/* links that end are noticed: nobody has to wait for the time-out */
		if (!W.n[which].a.waiting)
			t_fail(__FILE__, __LINE__, "node %d has waited for the end of transaction %u of node %d",
			       which, W.n[which].a.t.tid, W.n[which].a.t.initiator);
		core_agree_timer(&W.n[which].a);
		act_all((u32)which);
		break;
	case 2:
		check((u32)which);
		break;
	case 3:
		try_job((u32)which);
		break;
	case 4:
		W.link[which / 8][which % 8].notice[0] = 0;
		lost((u32)which / 8, (u32)which % 8);
		break;
	default:
		W.link[which / 8][which % 8].notice[1] = 0;
		lost((u32)which % 8, (u32)which / 8);
	}
	one_primary();
	return true;
}

static void want(u32 i, u8 op, u32 target)
{
	if (W.n[i].op)
		return;
	W.n[i].op = op;
	W.n[i].target = (u8)target;
	W.n[i].tries = 0;
	W.n[i].next_try = W.now;
}

static void something_happens(bool faults)
{
	u32 a = t_below(&W.rnd, W.size), b = t_below(&W.rnd, W.size);
	u32 what = t_below(&W.rnd, faults ? 20 : 14);

	if (what < 5)
		want(a, W.n[a].primary ? OP_DEMOTE : OP_PROMOTE, a);
	else if (what < 10 && a != b)
		want(min(a, b), OP_CONNECT, max(a, b));
	else if (what < 11 && a != b)
		want(a, OP_DISCONNECT, b);
	else if (what < 13)
		want(a, OP_EMPTY, a);
	else if (what == 13)
		want(a, OP_RESIZE, a);
	else if (what < 16 && a != b)
		cut(a, b);
	else if (what < 19 && a != b)
		link_of(a, b)->cut = false;
	else if (what == 19)
		crash(a);
	tidy_links();
}

static void begin_world(u64 seed)
{
	u32 i, k;

	memset(&W, 0, sizeof(W));
	t_seed(&W.rnd, seed);
	W.now = 1;
	W.size = 2 + t_below(&W.rnd, MOST - 1);
	for (i = 0; i < W.size; i++) {
		core_agree_init(&W.n[i].a, (u8)i, TIMEOUT);
		W.n[i].size = 500;
	}
	for (i = 0; i < W.size; i++)
		for (k = i + 1; k < W.size; k++)
			if (t_below(&W.rnd, 4)) {
				W.link[i][k].session = ++W.sessions;
				set_linked(i, k, true);
				set_linked(k, i, true);
			}
}

static void all_ended(u64 seed)
{
	u32 i;

	for (i = 0; i < W.size; i++) {
		struct node *n = &W.n[i];

		if (n->a.phase != AGREE_PHASE_IDLE || n->op || n->timer)
			t_fail(__FILE__, __LINE__, "seed %llu: node %u is not at rest: phase %u, transaction %u of %d, wants %u, tries %u",
			       (unsigned long long)seed, i, n->a.phase, n->a.t.tid, n->a.t.initiator, n->op, n->tries);
	}
}

static u64 total_commits, total_aborts, total_yields;

static void run_seed(u64 seed, bool faults)
{
	u32 events = 20 + t_below(&W.rnd, 60), i;

	begin_world(seed);
	for (i = 0; i < events; i++) {
		u64 until = W.now + 1 + t_below(&W.rnd, t_below(&W.rnd, 4) ? 60 : 2000);

		something_happens(faults);
		while (step(until))
			;
	}
	/* in peace all comes to its end, in a bounded time */
	W.calm = true;
	for (i = 0; i < 200000 && step(W.now + 4 * TIMEOUT); i++)
		;
	T_OK(i < 200000);
	all_ended(seed);
	total_commits += W.commits;
	total_aborts += W.aborts;
	total_yields += W.yields;
}

static void many_seeds(bool faults, u32 seeds)
{
	u32 i;

	total_commits = total_aborts = total_yields = 0;
	for (i = 0; i < seeds; i++)
		run_seed(1000 + i, faults);
	T_OK(total_commits > seeds && total_aborts > seeds / 4 && total_yields > seeds / 4);
}

static void peace(void)
{
	many_seeds(false, 1500);
}

static void war(void)
{
	many_seeds(true, 3000);
}

/* --- what does not happen between nodes of ours, or seldom ----------------------------------- */

static struct core_agree N;

static struct wire_twopc of(u32 tid, s8 initiator, u64 to_reach)
{
	return (struct wire_twopc){ .tid = tid, .initiator = initiator, .target = WIRE_NO_NODE,
				    .nodes_to_reach = to_reach };
}

/* Node 3 with links to 1 and 2 takes part in transaction 7 of node 0. */
static void taking_part(void)
{
	struct wire_twopc t = of(7, 0, 0);

	core_agree_init(&N, 3, TIMEOUT);
	N.linked = 6;
	core_agree_packet(&N, 1, P_TWOPC_PREPARE, VOLUME_NONE, &t);
	core_agree_checked(&N, AGREE_YES, 0);
	T_EQ(N.answered, AGREE_YES);
}

static const struct core_agree_action *find_action(u8 type)
{
	u32 i;

	for (i = 0; i < N.nr_actions; i++)
		if (N.action[i].type == type)
			return &N.action[i];
	return NULL;
}

static bool did(u8 type)
{
	return find_action(type);
}

/* The first action of that kind; that there is none is a failure. */
static const struct core_agree_action *done_as(u8 type)
{
	const struct core_agree_action *act = find_action(type);

	if (!act)
		t_fail(__FILE__, __LINE__, "no action %u among %u", type, N.nr_actions);
	return act;
}

/* behaviour.md 4.2: "same initiator, other tid". Its end comes by another way. */
static void another_of_the_same_node(void)
{
	struct wire_twopc old = of(7, 0, 0), next = of(8, 0, 0), third = of(9, 0, 0);

	taking_part();
	core_agree_packet(&N, 2, P_TWOPC_PREPARE, VOLUME_NONE, &next);
	T_OK(N.waiting && !did(AGREE_REPLY));
	T_EQ(done_as(AGREE_TIMER)->ms, TIMEOUT / 20);
	/* a third one finds the place taken */
	core_agree_packet(&N, 2, P_TWOPC_PREPARE, VOLUME_NONE, &third);
	T_EQ(done_as(AGREE_REPLY)->cmd, P_TWOPC_RETRY);
	T_EQ(done_as(AGREE_REPLY)->reply.tid, 9);
	core_agree_packet(&N, 1, P_TWOPC_COMMIT, VOLUME_NONE, &old);
	T_OK(did(AGREE_APPLY) && did(AGREE_CHECK) && !did(AGREE_IDLE));
	T_OK(N.phase == AGREE_PHASE_OTHERS && N.t.tid == 8 && !N.waiting);

	/* by the same way it can only be that the end will never come */
	taking_part();
	core_agree_packet(&N, 1, P_TWOPC_PREPARE, VOLUME_NONE, &next);
	T_EQ(done_as(AGREE_REPLY)->cmd, P_TWOPC_RETRY);

	/* it does not come in time */
	taking_part();
	core_agree_packet(&N, 2, P_TWOPC_PREPARE, VOLUME_NONE, &next);
	core_agree_timer(&N);
	T_OK(!N.waiting && N.t.tid == 7);
	T_EQ(done_as(AGREE_REPLY)->cmd, P_TWOPC_RETRY);
	T_EQ(done_as(AGREE_REPLY)->node, 2);
	T_EQ(done_as(AGREE_TIMER)->ms, TIMEOUT);

	/* what waits is aborted, or whoever has sent it is lost */
	taking_part();
	core_agree_packet(&N, 2, P_TWOPC_PREPARE, VOLUME_NONE, &next);
	core_agree_packet(&N, 2, P_TWOPC_ABORT, VOLUME_NONE, &next);
	T_OK(!N.waiting && N.t.tid == 7 && N.phase == AGREE_PHASE_OTHERS);
	taking_part();
	core_agree_packet(&N, 2, P_TWOPC_PREPARE, VOLUME_NONE, &next);
	N.linked = 2;
	core_agree_lost(&N, 2);
	T_OK(!N.waiting && N.t.tid == 7 && N.phase == AGREE_PHASE_OTHERS);
}

/* Packets that make no sense: nothing comes of them. */
static void nonsense(void)
{
	struct wire_twopc mine = of(7, 3, ~0ull), old = of(7, 0, 0), t = of(5, 2, 0);
	struct wire_twopc_reply r = { .tid = 7, .initiator = 0 };

	/* a transaction of mine that I know nothing of */
	core_agree_init(&N, 3, TIMEOUT);
	N.linked = 6;
	core_agree_packet(&N, 1, P_TWOPC_PREPARE, VOLUME_NONE, &mine);
	T_EQ(done_as(AGREE_REPLY)->cmd, P_TWOPC_RETRY);
	T_EQ(N.phase, AGREE_PHASE_IDLE);
	core_agree_packet(&N, 1, P_TWOPC_COMMIT, VOLUME_NONE, &mine);
	core_agree_packet(&N, 1, P_TWOPC_ABORT, VOLUME_NONE, &mine);
	T_EQ(N.nr_actions, 0);
	/* an end of what never began; a timer, a check, a lost link with nothing at hand */
	core_agree_packet(&N, 1, P_TWOPC_COMMIT, VOLUME_NONE, &old);
	T_EQ(N.nr_actions, 0);
	core_agree_timer(&N);
	core_agree_checked(&N, AGREE_YES, 0);
	core_agree_cancel(&N, RES_INTERRUPTED);
	core_agree_lost(&N, 1);
	core_agree_reply(&N, 1, P_TWOPC_YES, &r);
	T_EQ(N.nr_actions, 0);

	/* COMMIT of what I have not agreed to, or have refused */
	core_agree_init(&N, 3, TIMEOUT);
	N.linked = 6;
	core_agree_packet(&N, 1, P_TWOPC_PREPARE, VOLUME_NONE, &old);
	core_agree_packet(&N, 1, P_TWOPC_COMMIT, VOLUME_NONE, &old);
	T_OK(!did(AGREE_APPLY) && N.phase == AGREE_PHASE_OTHERS);
	core_agree_checked(&N, AGREE_NO, RES_TWO_PRIMARIES);
	T_EQ(done_as(AGREE_REPLY)->cmd, P_TWOPC_NO);
	core_agree_packet(&N, 1, P_TWOPC_COMMIT, VOLUME_NONE, &old);
	T_OK(!did(AGREE_APPLY) && N.phase == AGREE_PHASE_OTHERS);
	/* a second answer to the check, and the time that is over */
	core_agree_checked(&N, AGREE_YES, 0);
	T_EQ(N.nr_actions, 0);
	core_agree_timer(&N);
	T_OK(did(AGREE_DROP) && !did(AGREE_REPLY) && did(AGREE_IDLE));
	/* its copies: refused, for it was dropped */
	core_agree_packet(&N, 2, P_TWOPC_PREPARE, VOLUME_NONE, &old);
	T_EQ(done_as(AGREE_REPLY)->cmd, P_TWOPC_RETRY);
	T_EQ(N.phase, AGREE_PHASE_IDLE);

	/* one that was done: copies are agreed to, and change nothing */
	taking_part();
	core_agree_packet(&N, 1, P_TWOPC_COMMIT, VOLUME_NONE, &old);
	T_OK(did(AGREE_APPLY));
	core_agree_packet(&N, 2, P_TWOPC_PREPARE, VOLUME_NONE, &old);
	T_EQ(done_as(AGREE_REPLY)->cmd, P_TWOPC_YES);
	core_agree_packet(&N, 2, P_TWOPC_COMMIT, VOLUME_NONE, &old);
	core_agree_packet(&N, 2, P_TWOPC_ABORT, VOLUME_NONE, &old);
	T_EQ(N.nr_actions, 0);

	/* answers of those that were not asked, twice, or to something else */
	core_agree_init(&N, 0, TIMEOUT);
	N.linked = 6;
	t = of(7, 0, 0);
	T_OK(core_agree_begin(&N, &t, VOLUME_NONE, false, 0, true));
	T_OK(!core_agree_begin(&N, &t, VOLUME_NONE, false, 0, true));
	core_agree_reply(&N, 5, P_TWOPC_YES, &r);
	core_agree_reply(&N, 1, P_TWOPC_YES, &r);
	core_agree_reply(&N, 1, P_TWOPC_RETRY, &r);
	r.tid = 6;
	core_agree_reply(&N, 2, P_TWOPC_RETRY, &r);
	T_EQ(N.phase, AGREE_PHASE_MINE);
	/* my own comes back to me by a node that I have not asked */
	core_agree_packet(&N, 4, P_TWOPC_PREPARE, VOLUME_NONE, &t);
	T_EQ(done_as(AGREE_REPLY)->cmd, P_TWOPC_YES);
	core_agree_cancel(&N, RES_INTERRUPTED);
	T_EQ(done_as(AGREE_DONE)->result, RES_INTERRUPTED);
}

/* Node 0 with one peer proposes, the peer agrees: what comes first (4.2 step 9)? */
static void order_of_the_end(void)
{
	static const struct {
		struct wire_state mask, val;
		bool primary, resize, others_first;
	} rows[] = {
		{ { .role = ROLE_MASK }, { .role = ROLE_PRIMARY }, .others_first = false },
		{ { .role = ROLE_MASK, .disk = DISK_MASK }, { .role = ROLE_PRIMARY, .disk = DISK_UP_TO_DATE } },
		{ { .role = ROLE_MASK }, { .role = ROLE_SECONDARY }, .primary = true, .others_first = true },
		{ { .disk = DISK_MASK }, { .disk = DISK_NEGOTIATING }, .others_first = true },
		{ { .disk = DISK_MASK }, { .disk = DISK_DETACHING }, .others_first = true },
		{ { .conn = CONN_MASK }, { .conn = CONN_CONNECTED }, .others_first = true },
		{ { .conn = CONN_MASK }, { .conn = CONN_DISCONNECTING }, .others_first = true },
		{ { .conn = CONN_MASK }, { .conn = REPL_WF_BITMAP_S }, .others_first = true },
		{ { .conn = CONN_MASK }, { .conn = REPL_VERIFY_S }, .others_first = true },
		{ { .conn = CONN_MASK }, { .conn = REPL_STARTING_SYNC_S } },
		{ { .conn = CONN_MASK }, { .conn = REPL_STARTING_SYNC_T } },
		{ .primary = false },
		{ .primary = true, .others_first = true },
		{ .primary = true, .resize = true },
	};
	u32 i, k;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire_twopc t = of(7, 0, 0);
		struct wire_twopc_reply r = { .tid = 7, .initiator = 0, .reachable_nodes = 3, .last = 900 };
		u32 sent = 99, did = 99;

		core_agree_init(&N, 0, TIMEOUT);
		N.linked = 2;
		N.primary = rows[i].primary;
		N.has_data = N.has_disk = true;
		N.max_size = 800;
		t.mask = rows[i].mask;
		t.val = rows[i].val;
		if (t.mask.conn)
			t.target = 1;
		T_OK(core_agree_begin(&N, &t, VOLUME_NONE, rows[i].resize, 500, true));
		core_agree_reply(&N, 1, P_TWOPC_YES, &r);
		for (k = 0; k < N.nr_actions; k++) {
			if (N.action[k].type == AGREE_SEND && N.action[k].cmd == P_TWOPC_COMMIT)
				sent = k;
			if (N.action[k].type == AGREE_APPLY)
				did = k;
		}
		if (sent == 99 || did == 99 || (sent < did) != rows[i].others_first)
			t_fail(__FILE__, __LINE__, "row %u: COMMIT is action %u, what is done here %u", i, sent, did);
		T_EQ(done_as(AGREE_DONE)->result, RES_CW_SUCCESS);
	}
}

/* wire.md 8.2: of two that meet the lower node goes first; 4.2: a lost target. */
static void who_gives_way(void)
{
	struct wire_twopc t = of(7, 0, 0), low = of(8, 1, 0), high = of(9, 3, 0);
	struct wire_twopc_reply r = { .tid = 7, .initiator = 2 };

	core_agree_init(&N, 2, TIMEOUT);
	N.linked = 2 | 8;
	core_agree_begin(&N, &t, VOLUME_NONE, false, 0, true);
	core_agree_packet(&N, 3, P_TWOPC_PREPARE, VOLUME_NONE, &high);
	T_EQ(done_as(AGREE_REPLY)->cmd, P_TWOPC_RETRY);
	T_EQ(N.phase, AGREE_PHASE_MINE);
	core_agree_packet(&N, 1, P_TWOPC_PREPARE, VOLUME_NONE, &low);
	T_EQ(done_as(AGREE_DONE)->result, RES_CONCURRENT_ST_CHG);
	T_OK(N.phase == AGREE_PHASE_OTHERS && N.t.tid == 8);

	core_agree_init(&N, 2, TIMEOUT);
	t.target = 3;
	t.mask.conn = CONN_MASK;
	t.val.conn = CONN_CONNECTED;
	core_agree_begin(&N, &t, VOLUME_NONE, false, 0, false);
	core_agree_reply(&N, 3, P_TWOPC_YES, &r);
	core_agree_lost(&N, 3);
	T_EQ(done_as(AGREE_DONE)->result, RES_NEED_CONNECTION);
}

/* What COMMIT says of a Primary; weak: behaviour.md 17.4. */
static void what_is_said_of_a_primary(void)
{
	static const struct {
		bool data;
		u64 primaries, weak;
		u8 flags;
	} rows[] = {
		{ true, 0, 0, TWOPC_REACHABLE_VALID },			/* nobody */
		{ true, 2, ~7ull, TWOPC_REACHABLE_VALID },		/* another one, with data */
		{ true, 2, 0, TWOPC_REACHABLE_VALID | TWOPC_PRI_INCAPABLE },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire_twopc t = of(7, 0, 0);
		struct wire_twopc_reply r = { .tid = 7, .initiator = 0, .reachable_nodes = 7,
					      .primary_nodes = rows[i].primaries, .last = rows[i].weak };

		core_agree_init(&N, 0, TIMEOUT);
		N.linked = 2;
		core_agree_begin(&N, &t, VOLUME_NONE, false, 0, true);
		core_agree_reply(&N, 1, P_TWOPC_YES, &r);
		T_EQ(done_as(AGREE_APPLY)->twopc.flags, rows[i].flags);
		T_EQ(done_as(AGREE_APPLY)->twopc.primary_nodes, rows[i].primaries);
		T_EQ(done_as(AGREE_APPLY)->twopc.last, 7);
	}
}

/* behaviour.md 4.4. I am node 0, linked to 1 and 2. */
static void several_primaries(void)
{
	static const struct {
		u64 allows, primaries, weak;
		bool disk, new_primary;
		s32 result;
	} rows[] = {
		{ 0, 0, 0, true, true, RES_SUCCESS },
		{ 0, 1, ~7ull, true, true, RES_SUCCESS },
		{ 0, 3, ~7ull, true, true, RES_TWO_PRIMARIES },
		{ 2, 3, ~7ull, true, true, RES_SUCCESS },
		{ 6, 9, 9, true, true, RES_WEAKLY_CONNECTED },	/* not linked, and with a disk */
		{ 6, 9, 9, true, false, RES_SUCCESS },		/* a connect: nobody new */
		{ 6, 9, 9, false, true, RES_SUCCESS },		/* a migration */
		{ 4, 9, 9, false, true, RES_TWO_PRIMARIES },	/* one server does not allow it */
		{ 6, 9, 0xf, false, true, RES_WEAKLY_CONNECTED },	/* no common server */
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		core_agree_init(&N, 0, TIMEOUT);
		N.linked = 6;
		N.allows_two = rows[i].allows;
		N.has_disk = rows[i].disk;
		if (core_agree_primaries(&N, rows[i].primaries, rows[i].weak, rows[i].new_primary) != rows[i].result)
			t_fail(__FILE__, __LINE__, "row %u", i);
	}
}

/* wire.md 8.3 */
static void sizes(void)
{
	static const struct {
		u64 user_size, peer, present;
		s32 result;
		u64 size;
	} rows[] = {
		{ 0, 900, 500, RES_CW_SUCCESS, 800 },	/* mine is 800 */
		{ 0, 700, 500, RES_CW_SUCCESS, 700 },
		{ 600, 700, 500, RES_CW_SUCCESS, 600 },
		{ 0, 700, 700, RES_NOTHING_TO_DO, 0 },
		{ 750, 700, 500, RES_CW_FAILED_BY_PEER, 0 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire_twopc t = of(7, 0, 0);
		struct wire_twopc_reply r = { .tid = 7, .initiator = 0, .last = rows[i].peer };

		core_agree_init(&N, 0, TIMEOUT);
		N.linked = 2;
		N.max_size = 800;
		t.user_size = rows[i].user_size;
		core_agree_begin(&N, &t, 0, true, rows[i].present, true);
		T_EQ(done_as(AGREE_SEND)->cmd, P_TWOPC_PREP_RSZ);
		T_EQ(done_as(AGREE_SEND)->twopc.flags, 0);
		core_agree_reply(&N, 1, P_TWOPC_YES, &r);
		T_EQ(done_as(AGREE_DONE)->result, rows[i].result);
		T_EQ(done_as(AGREE_SEND)->cmd, rows[i].size ? P_TWOPC_COMMIT : P_TWOPC_ABORT);
		if (rows[i].size)
			T_EQ(done_as(AGREE_APPLY)->twopc.last, rows[i].size);
	}
}

static void back_off(void)
{
	T_EQ(core_agree_backoff_ms(100, 1, 0, 100), 100);
	T_EQ(core_agree_backoff_ms(100, 1, 0, 101), 0);
	T_EQ(core_agree_backoff_ms(100, 4, 3, 3200), 3200);
	T_EQ(core_agree_backoff_ms(100, 4, 3, 3201), 0);
	T_EQ(core_agree_backoff_ms(100, 1, 5, 3200), 3200);
	T_EQ(core_agree_backoff_ms(100, 1, 99, 3200), 3200);
	T_EQ(core_agree_backoff_ms(100, 0, 0, 100), 100);
}

const struct c_test agree_tests[] = {
	{ "agree: another one of the same node", another_of_the_same_node },
	{ "agree: nonsense", nonsense },
	{ "agree: order of the end", order_of_the_end },
	{ "agree: who gives way", who_gives_way },
	{ "agree: what is said of a Primary", what_is_said_of_a_primary },
	{ "agree: several Primaries", several_primaries },
	{ "agree: sizes", sizes },
	{ "agree: back off", back_off },
	{ "agree: many nodes, no faults", peace },
	{ "agree: many nodes, cuts and crashes", war },
	{ NULL, NULL },
};
