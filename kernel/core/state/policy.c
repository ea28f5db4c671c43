// SPDX-License-Identifier: GPL-2.0
#include "policy.h"

/* Votes as in the decision table: > 0 I am the source, < 0 target, 0 unresolved. */
enum { UNRESOLVED = 0, AS_SOURCE = 1, AS_TARGET = -1 };

static int tie_break(const struct core_policy_input *in)
{
	return in->resolve_conflicts ? AS_TARGET : AS_SOURCE;
}

static int least_changes(const struct core_policy_input *in)
{
	u64 mine = in->compare.self.dirty_bits, theirs = in->compare.peer.dirty_bits;

	if (mine == theirs)
		return tie_break(in);
	return mine < theirs ? AS_TARGET : AS_SOURCE;
}

static int zero_changes(const struct core_policy_input *in)
{
	u64 mine = in->compare.self.dirty_bits, theirs = in->compare.peer.dirty_bits;

	if (!mine && !theirs)
		return tie_break(in);
	if (!mine)
		return AS_TARGET;
	return theirs ? UNRESOLVED : AS_SOURCE;
}

/* Bit 0 of the bitmap UUIDs: who was Primary when the histories parted. */
static int by_age(const struct core_policy_input *in, bool discard_younger)
{
	bool mine = in->compare.self.bitmap_uuid & 1, theirs = in->compare.peer.bitmap_uuid & 1;
	int vote;

	if (mine == theirs) {
		vote = zero_changes(in);
		return vote != UNRESOLVED ? vote : least_changes(in);
	}
	vote = mine ? AS_SOURCE : AS_TARGET;
	return discard_younger ? vote : -vote;
}

static int vote_0pri(const struct core_policy_input *in)
{
	switch (in->after_sb_0p) {
	case ASB_DISCARD_YOUNGER_PRI:
		return by_age(in, true);
	case ASB_DISCARD_OLDER_PRI:
		return by_age(in, false);
	case ASB_DISCARD_ZERO_CHG:
		return zero_changes(in);
	case ASB_DISCARD_LEAST_CHG:
		return least_changes(in);
	case ASB_DISCARD_LOCAL:
		return AS_TARGET;
	case ASB_DISCARD_REMOTE:
		return AS_SOURCE;
	default:
		return UNRESOLVED;
	}
}

static int vote_1pri(const struct core_policy_input *in)
{
	bool primary = in->role == ROLE_PRIMARY;
	int vote = vote_0pri(in);

	switch (in->after_sb_1p) {
	case ASB_CONSENSUS:
		return vote == (primary ? AS_SOURCE : AS_TARGET) ? vote : UNRESOLVED;
	case ASB_VIOLENTLY:
		return vote;
	case ASB_DISCARD_SECONDARY:
		return primary ? AS_SOURCE : AS_TARGET;
	case ASB_CALL_HELPER:
		/* the Primary would have to be demoted first: only if it need not be */
		return vote == (primary ? AS_SOURCE : AS_TARGET) ? vote : UNRESOLVED;
	default:
		return UNRESOLVED;
	}
}

static int vote_2pri(const struct core_policy_input *in)
{
	return in->after_sb_2p == ASB_VIOLENTLY ? vote_0pri(in) : UNRESOLVED;
}

int core_vote_split_brain(const struct core_policy_input *in)
{
	int primaries = (in->role == ROLE_PRIMARY) + (in->peer_role == ROLE_PRIMARY);

	if (primaries == 0)
		return vote_0pri(in);
	return primaries == 1 ? vote_1pri(in) : vote_2pri(in);
}

static struct core_policy_result drop(const char *why, u8 helper)
{
	return (struct core_policy_result){
		.verdict = VERDICT_DROP, .helper = helper, .why = why,
	};
}

/* -1, 1 by bitmap; -2, 2 full; 0 none; 100, -100 split brain: to a vote. */
static int settle_split_brain(const struct core_policy_input *in, int decision)
{
	int vote = 0;

	if (decision == DECIDE_SPLIT_BRAIN_BITMAP)
		vote = core_vote_split_brain(in);
	else if (in->always_asbp)
		vote = 2 * core_vote_split_brain(in); /* identifiers are ambiguous: a full sync */
	if (!vote && in->discard_mine != in->discard_peers) {
		vote = in->discard_mine ? AS_TARGET : AS_SOURCE;
		if (decision == DECIDE_SPLIT_BRAIN)
			vote *= 2;
	}
	return vote;
}

/* A full one-way sync decided by identifiers is turned if the disks say otherwise. */
static int by_disks(const struct core_policy_input *in, int decision)
{
	bool mine = in->disk == DISK_INCONSISTENT, theirs = in->pdsk == DISK_INCONSISTENT;
	bool full = decision == DECIDE_SPLIT_BRAIN || decision == 2 || decision == -2;

	if (mine && in->pdsk > DISK_INCONSISTENT)
		return full ? DECIDE_TARGET_FULL : DECIDE_TARGET_BITMAP;
	if (theirs && in->disk > DISK_INCONSISTENT)
		return full ? DECIDE_SOURCE_FULL : DECIDE_SOURCE_BITMAP;
	return decision;
}

static struct core_policy_result check_conflicts(const struct core_policy_input *in,
						 int decision, bool split_brain)
{
	struct core_policy_result r = {
		.full = decision == 2 || decision == -2, .split_brain = split_brain,
		.why = split_brain ? "split brain, solved by policy or discard-my-data"
				   : "decided by generation identifiers",
	};

	if (decision > 0 && in->disk <= DISK_INCONSISTENT)
		return drop("I would be the source of a resync, but my disk is not consistent", 0);
	if (decision < 0 && in->role == ROLE_PRIMARY && in->disk >= DISK_CONSISTENT &&
	    !in->negotiating) {
		if (in->rr_conflict == ASB_CALL_HELPER)
			return drop("I would become sync target while Primary (rr-conflict call-pri-lost)",
				    HELPER_PRI_LOST);
		if (in->rr_conflict != ASB_VIOLENTLY)
			return drop("I would become sync target while Primary (see rr-conflict)", 0);
		r.why = "sync target although Primary (rr-conflict violently)";
	}
	r.verdict = decision > 0 ? VERDICT_SOURCE :
		    decision < 0 ? VERDICT_TARGET : VERDICT_CONNECT;
	return r;
}

struct core_policy_result core_policy(const struct core_policy_input *in)
{
	int decision = in->compare.decision;
	bool split_brain;

	switch (decision) {
	case DECIDE_UNRELATED:
		return drop("Unrelated data: the two disks never were replicas of each other", 0);
	case DECIDE_NEED_PROTOCOL:
		return drop("To resolve this both sides have to support at least protocol 91", 0);
	case DECIDE_NEED_WSAME:
		return drop("the peer is too old to decide this after a crash of a Primary (feature WRITE_SAME)", 0);
	}
	decision = by_disks(in, decision);
	split_brain = decision == DECIDE_SPLIT_BRAIN || decision == DECIDE_SPLIT_BRAIN_BITMAP;
	if (split_brain) {
		decision = settle_split_brain(in, decision);
		if (!decision)
			return drop("Split-Brain detected but unresolved, dropping connection! Decide whose changes to discard: 'drbdadm connect --discard-my-data' there",
				    HELPER_SPLIT_BRAIN);
	}
	return check_conflicts(in, decision, split_brain);
}
