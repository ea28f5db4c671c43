// SPDX-License-Identifier: GPL-2.0
#include "policy9.h"

/* What is being made of a strategy: > 0 I am the source, < 0 the target, 0 neither. */
struct verdict {
	const struct core_policy9_input *in;
	struct core_policy9_result r;
	int direction;
	bool if_both_failed;	/* a Primary would go on with what it has */
	u8 strategy;
};

/* A step of the procedure: true if it has the last word. */
typedef bool step9(struct verdict *v);

static bool finish(struct verdict *v, u8 verdict, const char *why)
{
	v->r.verdict = verdict;
	v->r.why = why;
	return true;
}

static bool drop(struct verdict *v, u8 helper, const char *why)
{
	v->r.helper = helper;
	return finish(v, VERDICT9_DROP, why);
}

static const struct core_side9 *source_of(const struct verdict *v)
{
	return v->direction > 0 ? &v->in->self : &v->in->peer;
}

static const struct core_side9 *target_of(const struct verdict *v)
{
	return v->direction > 0 ? &v->in->peer : &v->in->self;
}

static bool is_missed_finish(const struct verdict *v)
{
	return v->in->compare.rule == RULE_MISSED_FINISH_SELF ||
	       v->in->compare.rule == RULE_MISSED_FINISH_PEER;
}

static bool no_bits(const struct verdict *v)
{
	return !v->in->self.uuids->dirty_bits && !v->in->peer.uuids->dirty_bits;
}

static bool is_primary(const struct core_side9 *side)
{
	return side->role == ROLE_PRIMARY;
}

static void no_sync(struct verdict *v)
{
	v->direction = 0;
	v->if_both_failed = false;
	v->r.slot_step = SLOT_KEEP;
}

static const struct {
	s8 direction;
	u8 step;
	bool if_both_failed;
} strategies[STRATEGIES] = {
	[STRATEGY_SOURCE_USE_BITMAP] = { 1, SLOT_KEEP, false },
	[STRATEGY_TARGET_USE_BITMAP] = { -1, SLOT_KEEP, false },
	[STRATEGY_SOURCE_COPY_OTHER] = { 1, SLOT_COPY, false },
	[STRATEGY_TARGET_CLEAR_BITMAP] = { -1, SLOT_CLEAR, false },
	[STRATEGY_SOURCE_SET_BITMAP] = { 1, SLOT_SET, false },
	[STRATEGY_TARGET_SET_BITMAP] = { -1, SLOT_SET, false },
	[STRATEGY_SOURCE_IF_BOTH_FAILED] = { 1, SLOT_KEEP, true },
	[STRATEGY_TARGET_IF_BOTH_FAILED] = { -1, SLOT_KEEP, true },
};

static bool step_unrelated(struct verdict *v)
{
	if (v->strategy != STRATEGY_UNRELATED)
		return false;
	return drop(v, HELPER_NONE, "Unrelated data: the two disks never were replicas of each other");
}

/* The end of a resync was missed, and nothing is left to do: 124 says so, older
 * ones have no word for it. */
static bool step_nothing_left(struct verdict *v)
{
	if (!is_missed_finish(v) || !no_bits(v))
		return false;
	if (v->in->version >= 124) {
		no_sync(v);
		v->r.slot_step = SLOT_FORGET;
		return finish(v, VERDICT9_CONNECT, "the end of a resync was missed, and all of it is in sync");
	}
	if (v->direction > 0)
		return finish(v, VERDICT9_RETRY, "the end of a resync was missed: identifiers are put right first");
	if (is_primary(&v->in->self))
		return drop(v, HELPER_NONE, "I would become sync target while Primary, though nothing differs: this needs protocol 124 at both ends");
	return false;
}

/* A direction that came from the disks alone: which bits tell what differs? The lower
 * side may have lost its own while it was target of a third node. */
static void bits_for_disks(struct verdict *v)
{
	const struct core_side9 *low = target_of(v), *high = source_of(v);
	u64 slot = core_slot_of(low, high->node_id);
	s8 other;

	v->r.slot_step = SLOT_KEEP;
	if (!(low->uuids->flags & UUID9_SYNC_TARGET) || !slot ||
	    slot == (low->uuids->current_uuid & ~1ULL) || slot == core_slot_of(high, low->node_id))
		return;
	other = core_slot_with(high, slot, low->node_id);
	if (other == WIRE_NO_NODE) {
		v->r.slot_step = SLOT_SET;
		return;
	}
	v->r.slot = other;
	v->r.slot_step = v->direction > 0 ? SLOT_COPY : SLOT_CLEAR;
}

/* Identifiers leave it open, disks do not: the better one is the source. */
static bool step_disks(struct verdict *v)
{
	u8 mine = v->in->self.disk, theirs = v->in->peer.disk;
	bool none = v->strategy == STRATEGY_NO_SYNC;

	if (mine == theirs || mine < DISK_INCONSISTENT || theirs < DISK_INCONSISTENT ||
	    mine == DISK_UNKNOWN || theirs == DISK_UNKNOWN)
		return false;
	if (none || v->in->version < 119) {
		if (mine != DISK_INCONSISTENT && theirs != DISK_INCONSISTENT)
			return false;
		if (!none && v->in->compare.rule != RULE_BOTH_OFF)
			return false;
	} else if (!v->if_both_failed) {
		return false;
	}
	v->direction = mine > theirs ? 1 : -1;
	v->if_both_failed = false;
	v->r.why = "decided by disk states";
	bits_for_disks(v);
	return false;
}

static bool whole(const struct core_side9 *side)
{
	return side->disk == DISK_UP_TO_DATE &&
	       !(side->uuids->flags & (UUID_CRASHED_PRIMARY | UUID9_LOST_QUORUM));
}

/* Both followed a Primary that is gone, one of them further than the other. */
static bool step_reconcile(struct verdict *v)
{
	const struct core_policy9_input *in = v->in;
	u64 mine = in->self.uuids->dirty_bits, theirs = in->peer.uuids->dirty_bits;

	if (v->strategy != STRATEGY_NO_SYNC || v->direction || in->attaching || no_bits(v) ||
	    !whole(&in->self) || !whole(&in->peer))
		return false;
	if (mine && theirs) {
		/* How far both have come is known only if both have said it. */
		if (!in->lost_named_by_me || !in->lost_named_by_peer)
			return false;
		v->direction = in->lost_offset > 0 ? 1 : in->lost_offset < 0 ? -1 :
			       in->self.node_id < in->peer.node_id ? 1 : -1;
	} else {
		if (!in->lost_named_by_me && !in->lost_named_by_peer)
			return false;
		v->direction = mine ? 1 : -1;
	}
	v->r.reconcile = true;
	v->r.why = "a Primary that both knew is gone; one of us has more of its writes";
	return false;
}

static bool is_split(const struct verdict *v)
{
	return v->strategy == STRATEGY_SPLIT_BRAIN_RECOVER || v->strategy == STRATEGY_SPLIT_BRAIN;
}

static bool is_stable(const struct core_side9 *side)
{
	return side->uuids->flags & UUID9_STABLE;
}

static int vote_by_policies(const struct core_policy9_input *in)
{
	struct core_policy_input p = {
		.role = in->self.role, .peer_role = in->peer.role,
		.resolve_conflicts = in->resolve_conflicts,
		.after_sb_0p = in->after_sb_0p, .after_sb_1p = in->after_sb_1p,
		.after_sb_2p = in->after_sb_2p,
	};

	p.compare.self.dirty_bits = in->self.uuids->dirty_bits;
	p.compare.self.bitmap_uuid = in->self.uuids->bitmap[in->peer.node_id];
	p.compare.peer.dirty_bits = in->peer.uuids->dirty_bits;
	p.compare.peer.bitmap_uuid = in->peer.uuids->bitmap[in->self.node_id];
	return core_vote_split_brain(&p);
}

static int vote_by_quorum(const struct core_policy9_input *in)
{
	if (in->attaching || !in->quorum_enabled || in->version < 113)
		return 0;
	return in->self.quorum - in->peer.quorum;
}

static bool step_split_brain(struct verdict *v)
{
	const struct core_policy9_input *in = v->in;
	bool recover = v->strategy == STRATEGY_SPLIT_BRAIN_RECOVER;
	bool one_discards = in->self.discard_my_data != in->peer.discard_my_data;

	if (!is_split(v))
		return false;
	/* Whoever has lost its authority meanwhile is compared again when it has settled. */
	if (recover && (!is_stable(&in->self) || !is_stable(&in->peer)))
		return finish(v, VERDICT9_CONNECT, "split brain, but one side is not stable: compared again later");
	v->r.split_brain = true;
	v->r.slot_step = recover ? SLOT_KEEP : SLOT_SET;
	if (recover || in->always_asbp) {
		v->direction = vote_by_quorum(in);
		v->r.why = "split brain: the side with quorum is right";
		if (!v->direction) {
			v->direction = vote_by_policies(in);
			v->r.why = "split brain, solved by policy";
		}
	}
	if (!v->direction && !in->attaching && one_discards) {
		v->direction = in->self.discard_my_data ? -1 : 1;
		v->r.why = "split brain, solved by discard-my-data";
	}
	if (v->direction)
		return false;
	return drop(v, HELPER_SPLIT_BRAIN, "Split-Brain detected but unresolved, dropping connection! Decide whose changes to discard: 'drbdadm connect --discard-my-data' there");
}

static void reverse(struct verdict *v, const char *why)
{
	v->direction = -v->direction;
	v->r.reversed = true;
	v->r.why = why;
}

/* Who has asked for it gets older data. */
static bool step_discard(struct verdict *v)
{
	const struct core_side9 *source = source_of(v), *target = target_of(v);

	if (!v->direction || v->r.split_brain || v->in->attaching || v->in->version < 121)
		return false;
	if (source->discard_my_data && !target->discard_my_data &&
	    target->disk > DISK_INCONSISTENT && target->disk != DISK_UNKNOWN) {
		v->if_both_failed = false;
		reverse(v, "resync direction reversed by discard-my-data, reverting to older data");
	}
	return false;
}

/* Both could go on as they are, if they had not failed: a Primary has not. */
static bool step_survivor(struct verdict *v)
{
	bool mine = is_primary(&v->in->self), theirs = is_primary(&v->in->peer);

	if (!v->if_both_failed || (!mine && !theirs))
		return false;
	if (mine && theirs)
		no_sync(v);
	else
		v->direction = mine ? 1 : -1;
	return false;
}

static bool step_missed_by_outdated(struct verdict *v)
{
	if (v->direction && is_missed_finish(v) && !v->r.reversed &&
	    source_of(v)->disk != DISK_UP_TO_DATE)
		no_sync(v);
	return false;
}

/* The data of a Primary would change below its application. */
static bool step_primary_target(struct verdict *v)
{
	const struct core_side9 *target = target_of(v);
	bool me = v->direction < 0;

	if (!v->direction || v->if_both_failed || !is_primary(target) ||
	    target->disk < DISK_CONSISTENT || no_bits(v))
		return false;
	if (v->in->rr_conflict == ASB_AUTO_DISCARD && v->in->compare.rule == RULE_CRASHED_PRIMARY &&
	    !v->r.reversed) {
		reverse(v, "what a crashed Primary had alone is discarded (rr-conflict auto-discard)");
		return false;
	}
	if (!me || v->in->rr_conflict == ASB_VIOLENTLY)
		return false;
	if (v->in->rr_conflict == ASB_RETRY_CONNECT)
		return finish(v, VERDICT9_RETRY, "I would become sync target while Primary (rr-conflict retry-connect)");
	if (v->in->rr_conflict == ASB_CALL_HELPER)
		return drop(v, HELPER_PRI_LOST, "I would become sync target while Primary (rr-conflict call-pri-lost)");
	return drop(v, HELPER_NONE, "I would become sync target while Primary (see rr-conflict)");
}

static bool step_source_disk(struct verdict *v)
{
	if (v->direction > 0 && v->in->self.disk < DISK_INCONSISTENT)
		return drop(v, HELPER_NONE, "I would be the source of a resync, but have no disk");
	return false;
}

struct core_policy9_result core_policy9(const struct core_policy9_input *in)
{
	static step9 *const steps[] = {
		step_unrelated, step_nothing_left, step_disks, step_reconcile, step_split_brain,
		step_discard, step_survivor, step_primary_target, step_missed_by_outdated,
		step_source_disk,
	};
	struct verdict v = {
		.in = in, .strategy = in->compare.strategy,
		.r = { .slot = in->compare.slot, .why = "decided by generation identifiers" },
	};
	u32 i;

	v.direction = strategies[v.strategy].direction;
	v.r.slot_step = strategies[v.strategy].step;
	v.if_both_failed = strategies[v.strategy].if_both_failed;
	for (i = 0; i < ARRAY_SIZE(steps); i++)
		if (steps[i](&v))
			return v.r;
	v.r.verdict = v.direction > 0 ? VERDICT9_SOURCE :
		      v.direction < 0 ? VERDICT9_TARGET : VERDICT9_CONNECT;
	return v.r;
}
