// SPDX-License-Identifier: GPL-2.0
#include "agree.h"
#include "quorum.h"

static u64 bit_of(s8 node)
{
	return node < 0 ? 0 : 1ULL << node;
}

static struct core_agree_action *emit(struct core_agree *a, u8 type)
{
	/* the last one is overwritten if ever there were too many */
	u32 at = min(a->nr_actions, AGREE_MAX_ACTIONS - 1);
	struct core_agree_action *act = &a->action[at];

	core_assert(a->nr_actions < AGREE_MAX_ACTIONS);
	memset(act, 0, sizeof(*act));
	act->type = type;
	act->vnr = a->vnr;
	act->twopc = a->t;
	a->nr_actions = at + 1;
	return act;
}

static void timer(struct core_agree *a, u32 ms)
{
	emit(a, AGREE_TIMER)->ms = ms;
}

static void send(struct core_agree *a, u64 nodes, u16 cmd)
{
	u8 i;

	for (i = 0; i < WIRE_NODES; i++) {
		struct core_agree_action *act;

		if (!(nodes >> i & 1))
			continue;
		act = emit(a, AGREE_SEND);
		act->node = i;
		act->cmd = cmd;
		if (cmd == P_TWOPC_PREPARE || cmd == P_TWOPC_PREP_RSZ)
			emit(a, AGREE_PING)->node = i;
	}
}

void core_agree_init(struct core_agree *a, u8 me, u32 timeout_ms)
{
	memset(a, 0, sizeof(*a));
	a->me = me;
	a->timeout_ms = timeout_ms;
}

/* --- what kind of change it is --------------------------------------------------------- */

static bool is_connect(const struct core_agree *a)
{
	return !a->resize && a->t.mask.conn && a->t.val.conn == CONN_CONNECTED;
}

static bool is_disconnect(const struct core_agree *a)
{
	return !a->resize && a->t.mask.conn && a->t.val.conn == CONN_DISCONNECTING;
}

static bool is_promotion(const struct core_agree *a)
{
	return !a->resize && a->t.mask.role && a->t.val.role == ROLE_PRIMARY && !a->t.mask.conn;
}

/*
 * Promotion and most others are done here first. What must not be seen here before
 * the others have it: after a demotion nobody may write on behalf of this Primary;
 * links, disks and bitmap exchanges change on both sides at once; a Primary that goes
 * on alone has to outdate the others before.
 */
static bool others_first(const struct core_agree *a)
{
	const struct wire_state *mask = &a->t.mask, *val = &a->t.val;

	if (a->resize)
		return false;
	if (mask->conn)
		return val->conn != REPL_STARTING_SYNC_S && val->conn != REPL_STARTING_SYNC_T;
	if (mask->role)
		return val->role == ROLE_SECONDARY;
	return mask->disk || a->primary;
}

/* --- the end of a transaction ---------------------------------------------------------- */

static const struct core_agree_id *ended(const struct core_agree *a, u32 tid, s8 initiator)
{
	u32 i;

	for (i = 0; i < AGREE_REMEMBERED; i++)
		if (a->ended[i].tid == tid && a->ended[i].initiator == initiator)
			return &a->ended[i];
	return NULL;
}

static void remember(struct core_agree *a, u32 tid, s8 initiator, bool committed)
{
	if (ended(a, tid, initiator))
		return;
	a->ended[a->nr_ended++ % AGREE_REMEMBERED] = (struct core_agree_id){
		.tid = tid, .initiator = initiator, .committed = committed,
	};
}

static void accept(struct core_agree *a, u8 from, u16 vnr, bool resize, const struct wire_twopc *t);

static void close_transaction(struct core_agree *a, bool committed)
{
	remember(a, a->t.tid, a->t.initiator, committed);
	a->phase = AGREE_PHASE_IDLE;
	timer(a, 0);
	if (a->waiting) {
		struct wire_twopc t = a->waiting_t;

		a->waiting = false;
		accept(a, a->waiting_from, a->waiting_vnr, a->waiting_resize, &t);
		return;
	}
	emit(a, AGREE_IDLE);
}

static void abort_mine(struct core_agree *a, s32 result)
{
	a->t.nodes_to_reach = ~(a->children | 1ULL << a->me);
	send(a, a->children, P_TWOPC_ABORT);
	emit(a, AGREE_DROP);
	emit(a, AGREE_DONE)->result = result;
	close_transaction(a, false);
}

/* Whoever is left alone by a disconnect is told its own side. */
static void send_commit(struct core_agree *a)
{
	u64 target = is_disconnect(a) && !(a->beyond & a->reachable) ? bit_of(a->t.target) : 0;
	u64 here = a->t.last;

	send(a, a->children & ~target, P_TWOPC_COMMIT);
	if (target)
		a->t.last = a->beyond;
	send(a, a->children & target, P_TWOPC_COMMIT);
	a->t.last = here;
}

static void commit_mine(struct core_agree *a)
{
	a->t.nodes_to_reach = ~(a->children | 1ULL << a->me);
	if (others_first(a))
		send_commit(a);
	emit(a, AGREE_APPLY);
	if (!others_first(a))
		send_commit(a);
	emit(a, AGREE_DONE)->result = RES_CW_SUCCESS;
	close_transaction(a, true);
}

/* --- what this node has to say ---------------------------------------------------------- */

static void add_own(struct core_agree *a)
{
	u64 direct = a->linked | 1ULL << a->me;
	bool concerned = a->phase == AGREE_PHASE_MINE || a->t.target == (s8)a->me;
	s8 other = a->phase == AGREE_PHASE_MINE ? a->t.target : a->t.initiator;
	bool primary = a->primary;

	if (is_connect(a) && concerned)
		direct |= bit_of(other);
	if (is_disconnect(a) && concerned)
		direct &= ~bit_of(other);
	if (a->phase == AGREE_PHASE_MINE && a->t.mask.role && !a->resize)
		primary = a->t.val.role == ROLE_PRIMARY;
	if (a->resize)
		primary = primary && a->has_disk;
	a->reachable |= direct;
	if (primary)
		a->primaries |= 1ULL << a->me;
	a->weak |= core_weak_nodes(primary ? ROLE_PRIMARY : ROLE_SECONDARY, a->has_data, direct);
	a->size = min(a->size, a->max_size);
}

static void begin_answers(struct core_agree *a)
{
	a->said_yes = a->said_no = a->said_retry = 0;
	a->answered = AGREE_UNDECIDED;
	a->reachable = a->primaries = a->weak = a->beyond = 0;
	a->size = ~0ULL;
}

static bool all_answered(const struct core_agree *a)
{
	return !(a->children & ~(a->said_yes | a->said_no | a->said_retry));
}

s32 core_agree_primaries(const struct core_agree *a, u64 primaries, u64 weak, bool new_primary)
{
	u64 servers = a->linked & ~primaries & ~weak;

	if (!(primaries & (primaries - 1)))
		return RES_SUCCESS;
	if (!a->allows_two)
		return RES_TWO_PRIMARIES;
	if (!(primaries & weak))
		return RES_SUCCESS;
	/* A migration: none of both has a disk, both use the same nodes that have. */
	if ((new_primary && a->has_disk) || !servers)
		return RES_WEAKLY_CONNECTED;
	return servers & ~a->allows_two ? RES_TWO_PRIMARIES : RES_SUCCESS;
}

static void decide_resize(struct core_agree *a)
{
	u64 size = a->t.user_size ? a->t.user_size : a->size;

	if (size > a->size)
		abort_mine(a, RES_CW_FAILED_BY_PEER);
	else if (size == a->current_size)
		abort_mine(a, RES_NOTHING_TO_DO);
	else {
		a->t.primary_nodes = a->primaries;
		a->t.last = size;
		commit_mine(a);
	}
}

static void decide_change(struct core_agree *a)
{
	if (is_promotion(a) || is_connect(a)) {
		s32 r = core_agree_primaries(a, a->primaries, a->weak, is_promotion(a));

		if (r != RES_SUCCESS) {
			abort_mine(a, r);
			return;
		}
	}
	if (a->beyond & a->reachable)
		a->reachable |= a->beyond;
	a->t.primary_nodes = a->primaries;
	a->t.last = a->reachable;
	/* Slots without a node are never linked: a Primary with data leaves some bits. */
	if (a->primaries && !a->weak)
		a->t.flags |= TWOPC_PRI_INCAPABLE;
	commit_mine(a);
}

static void consider_mine(struct core_agree *a)
{
	if (a->said_retry) {
		abort_mine(a, RES_CONCURRENT_ST_CHG);
	} else if (a->own == AGREE_NO || a->own == AGREE_RETRY) {
		abort_mine(a, a->own_result);
	} else if (a->own == AGREE_YES && a->said_no) {
		abort_mine(a, RES_CW_FAILED_BY_PEER);
	} else if (a->own == AGREE_YES && all_answered(a)) {
		add_own(a);
		if (a->resize)
			decide_resize(a);
		else
			decide_change(a);
	}
}

static const u16 verdict_cmd[] = {
	[AGREE_YES] = P_TWOPC_YES, [AGREE_NO] = P_TWOPC_NO, [AGREE_RETRY] = P_TWOPC_RETRY,
};

static void answer(struct core_agree *a, u64 nodes)
{
	u8 i;

	for (i = 0; i < WIRE_NODES; i++) {
		struct core_agree_action *act;

		if (!(nodes >> i & 1))
			continue;
		act = emit(a, AGREE_REPLY);
		act->node = i;
		act->cmd = verdict_cmd[a->answered];
		act->reply = (struct wire_twopc_reply){
			.tid = a->t.tid, .initiator = a->t.initiator,
			.reachable_nodes = a->reachable, .primary_nodes = a->primaries,
			.last = a->resize ? a->size : a->weak,
		};
	}
}

static void consider_others(struct core_agree *a)
{
	if (a->answered)
		return;
	if (a->said_retry || a->own == AGREE_RETRY)
		a->answered = AGREE_RETRY;
	else if (!a->own || !all_answered(a))
		return;
	else
		a->answered = a->own == AGREE_NO || a->said_no ? AGREE_NO : AGREE_YES;
	add_own(a);
	answer(a, a->parents);
}

static void consider(struct core_agree *a)
{
	if (a->phase == AGREE_PHASE_MINE)
		consider_mine(a);
	else if (a->phase == AGREE_PHASE_OTHERS)
		consider_others(a);
}

/* --- events ------------------------------------------------------------------------------ */

bool core_agree_begin(struct core_agree *a, const struct wire_twopc *t, u16 vnr,
		      bool resize, u64 current_size, bool ready)
{
	a->nr_actions = 0;
	if (a->phase != AGREE_PHASE_IDLE)
		return false;
	a->phase = AGREE_PHASE_MINE;
	a->t = *t;
	a->t.initiator = (s8)a->me;
	a->t.flags = resize ? 0 : TWOPC_REACHABLE_VALID;
	a->t.primary_nodes = a->t.last = 0;
	a->vnr = vnr;
	a->resize = resize;
	a->current_size = current_size;
	a->own = ready ? AGREE_YES : AGREE_UNDECIDED;
	a->parents = 0;
	a->children = a->linked | (is_connect(a) ? bit_of(t->target) : 0);
	begin_answers(a);
	a->t.nodes_to_reach = ~(a->children | 1ULL << a->me);
	send(a, a->children, resize ? P_TWOPC_PREP_RSZ : P_TWOPC_PREPARE);
	timer(a, a->timeout_ms);
	if (!ready)
		emit(a, AGREE_CHECK);
	consider(a);
	return true;
}

void core_agree_checked(struct core_agree *a, enum core_agree_verdict v, s32 result)
{
	a->nr_actions = 0;
	if (a->phase == AGREE_PHASE_IDLE || a->own)
		return;
	a->own = v;
	a->own_result = result;
	consider(a);
}

void core_agree_cancel(struct core_agree *a, s32 result)
{
	a->nr_actions = 0;
	if (a->phase == AGREE_PHASE_MINE)
		abort_mine(a, result);
}

/* Take part in somebody's transaction. */
static void accept(struct core_agree *a, u8 from, u16 vnr, bool resize, const struct wire_twopc *t)
{
	u64 next = a->linked & t->nodes_to_reach & ~(1ULL << a->me | 1ULL << from | bit_of(t->initiator));

	a->phase = AGREE_PHASE_OTHERS;
	a->t = *t;
	a->t.nodes_to_reach &= ~(next | 1ULL << a->me);
	a->vnr = vnr;
	a->resize = resize;
	a->own = AGREE_UNDECIDED;
	a->parents = 1ULL << from;
	a->children = next;
	begin_answers(a);
	timer(a, a->timeout_ms);
	emit(a, AGREE_CHECK);
	send(a, next, resize ? P_TWOPC_PREP_RSZ : P_TWOPC_PREPARE);
}

/* Answers a PREPARE that is not taken up. */
static void refuse(struct core_agree *a, u8 from, u16 vnr, const struct wire_twopc *t, u16 cmd)
{
	struct core_agree_action *act = emit(a, AGREE_REPLY);

	act->node = from;
	act->vnr = vnr;
	act->cmd = cmd;
	act->reply = (struct wire_twopc_reply){
		.tid = t->tid, .initiator = t->initiator,
		.reachable_nodes = a->linked | 1ULL << a->me,
	};
}

static bool is_at_hand(const struct core_agree *a, const struct wire_twopc *t)
{
	return a->phase != AGREE_PHASE_IDLE && a->t.tid == t->tid && a->t.initiator == t->initiator;
}

/* The same by another way. A child that sends it has taken it up by itself. */
static void prepare_again(struct core_agree *a, u8 from)
{
	if (a->phase == AGREE_PHASE_MINE) {
		refuse(a, from, a->vnr, &a->t, P_TWOPC_YES);
		return;
	}
	a->parents |= 1ULL << from;
	if (a->answered) {
		answer(a, 1ULL << from);
		return;
	}
	a->said_yes |= a->children & 1ULL << from;
	consider(a);
}

static void wait(struct core_agree *a, u8 from, u16 vnr, bool resize, const struct wire_twopc *t)
{
	a->waiting = true;
	a->waiting_from = from;
	a->waiting_vnr = vnr;
	a->waiting_resize = resize;
	a->waiting_t = *t;
}

static void prepare(struct core_agree *a, u8 from, u16 vnr, bool resize, const struct wire_twopc *t)
{
	const struct core_agree_id *old = ended(a, t->tid, t->initiator);

	if (is_at_hand(a, t)) {
		prepare_again(a, from);
	} else if (old) {
		refuse(a, from, vnr, t, old->committed ? P_TWOPC_YES : P_TWOPC_RETRY);
	} else if (t->initiator == (s8)a->me) {
		refuse(a, from, vnr, t, P_TWOPC_RETRY);
	} else if (a->phase == AGREE_PHASE_IDLE) {
		accept(a, from, vnr, resize, t);
	} else if (a->phase == AGREE_PHASE_MINE && t->initiator < a->t.initiator) {
		/* the lower node goes first */
		wait(a, from, vnr, resize, t);
		abort_mine(a, RES_CONCURRENT_ST_CHG);
	} else if (t->initiator == a->t.initiator && !(a->parents >> from & 1) && !a->waiting) {
		/* the end of the one at hand comes by another way */
		wait(a, from, vnr, resize, t);
		timer(a, a->timeout_ms / 20);
	} else {
		refuse(a, from, vnr, t, P_TWOPC_RETRY);
	}
}

static void give_up_others(struct core_agree *a)
{
	if (!a->answered) {
		a->answered = AGREE_RETRY;
		add_own(a);
		answer(a, a->parents);
	}
	send(a, a->children, P_TWOPC_ABORT);
	emit(a, AGREE_DROP);
	close_transaction(a, false);
}

/* COMMIT or ABORT: on to the others, then here. */
static void outcome(struct core_agree *a, u8 from, u16 cmd, const struct wire_twopc *t)
{
	u64 next = a->linked & t->nodes_to_reach & ~(1ULL << a->me | 1ULL << from);
	bool commit = cmd == P_TWOPC_COMMIT;

	if (t->initiator == (s8)a->me)
		return;
	if (!is_at_hand(a, t)) {
		struct core_agree_action *act;
		u32 first = a->nr_actions;

		/* It may have overtaken its PREPARE. */
		if (commit || ended(a, t->tid, t->initiator))
			return;
		if (a->waiting && a->waiting_t.tid == t->tid && a->waiting_t.initiator == t->initiator)
			a->waiting = false;
		remember(a, t->tid, t->initiator, false);
		send(a, next, cmd);
		for (act = a->action + first; act < a->action + a->nr_actions; act++) {
			act->twopc = *t;
			act->twopc.nodes_to_reach &= ~(next | 1ULL << a->me);
		}
		return;
	}
	/* Nobody commits what I have not agreed to. */
	if (commit && a->answered != AGREE_YES)
		return;
	next |= a->children & ~(1ULL << from);
	a->t.nodes_to_reach = t->nodes_to_reach & ~(next | 1ULL << a->me);
	a->t.flags = t->flags;
	a->t.primary_nodes = t->primary_nodes;
	a->t.last = t->last;
	send(a, next, cmd);
	emit(a, commit ? AGREE_APPLY : AGREE_DROP);
	close_transaction(a, commit);
}

void core_agree_packet(struct core_agree *a, u8 from, u16 cmd, u16 vnr, const struct wire_twopc *t)
{
	a->nr_actions = 0;
	switch (cmd) {
	case P_TWOPC_PREPARE:
	case P_TWOPC_PREP_RSZ:
		prepare(a, from, vnr, cmd == P_TWOPC_PREP_RSZ, t);
		break;
	case P_TWOPC_COMMIT:
	case P_TWOPC_ABORT:
		outcome(a, from, cmd, t);
		break;
	default:
		core_assert(false);
	}
}

void core_agree_reply(struct core_agree *a, u8 from, u16 cmd, const struct wire_twopc_reply *r)
{
	u64 node = 1ULL << from;

	a->nr_actions = 0;
	if (a->phase == AGREE_PHASE_IDLE || a->t.tid != r->tid || a->t.initiator != r->initiator ||
	    !(a->children & node) || (a->said_yes | a->said_no | a->said_retry) & node)
		return;
	if (cmd == P_TWOPC_YES)
		a->said_yes |= node;
	else if (cmd == P_TWOPC_NO)
		a->said_no |= node;
	else
		a->said_retry |= node;
	if (a->phase == AGREE_PHASE_MINE && is_disconnect(a) && a->t.target == (s8)from)
		a->beyond = r->reachable_nodes;
	else
		a->reachable |= r->reachable_nodes;
	a->primaries |= r->primary_nodes;
	if (!a->resize)
		a->weak |= r->last;
	else if (cmd == P_TWOPC_YES)
		a->size = min(a->size, r->last);
	consider(a);
}

void core_agree_lost(struct core_agree *a, u8 node)
{
	u64 gone = 1ULL << node;
	bool owes = a->children & gone & ~(a->said_yes | a->said_no | a->said_retry);

	a->nr_actions = 0;
	if (a->waiting && a->waiting_from == node)
		a->waiting = false;
	a->children &= ~gone;
	if (a->phase == AGREE_PHASE_MINE) {
		if (owes || a->t.target == (s8)node)
			abort_mine(a, a->t.target == (s8)node ? RES_NEED_CONNECTION : RES_CONCURRENT_ST_CHG);
	} else if (a->phase == AGREE_PHASE_OTHERS) {
		a->parents &= ~gone;
		if (!a->parents || a->t.initiator == (s8)node) {
			give_up_others(a);
		} else if (owes) {
			a->said_retry |= gone;
			consider(a);
		}
	}
}

void core_agree_timer(struct core_agree *a)
{
	a->nr_actions = 0;
	if (a->waiting) {
		a->waiting = false;
		refuse(a, a->waiting_from, a->waiting_vnr, &a->waiting_t, P_TWOPC_RETRY);
		timer(a, a->timeout_ms);
	} else if (a->phase == AGREE_PHASE_MINE) {
		abort_mine(a, RES_TIMEOUT);
	} else if (a->phase == AGREE_PHASE_OTHERS) {
		give_up_others(a);
	}
}

u32 core_agree_backoff_ms(u32 unit_ms, u32 connections, u32 tries, u32 random)
{
	u32 most = (unit_ms * max(connections, 1u)) << min(tries, 5u);

	return random % (most + 1);
}
