/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What follows from a comparison of generation identifiers: disk states,
 * split brain policies, discard-my-data and rr-conflict turn the decision of
 * compare.c into "connect so" or "do not connect" (behaviour.md 9.1, 10).
 */
#ifndef CORE_STATE_POLICY_H
#define CORE_STATE_POLICY_H

#include "compare.h"

/* NET_CONF values (behaviour.md 10) */
enum core_after_sb {
	ASB_DISCONNECT = 0, ASB_DISCARD_YOUNGER_PRI, ASB_DISCARD_OLDER_PRI,
	ASB_DISCARD_ZERO_CHG, ASB_DISCARD_LEAST_CHG, ASB_DISCARD_LOCAL,
	ASB_DISCARD_REMOTE, ASB_CONSENSUS, ASB_DISCARD_SECONDARY,
	ASB_CALL_HELPER, ASB_VIOLENTLY, ASB_RETRY_CONNECT, ASB_AUTO_DISCARD,
};

struct core_policy_input {
	struct core_compare_result compare;
	u8 role, peer_role;
	u8 disk, pdsk;			/* while they meet: Negotiating already resolved */
	bool negotiating;		/* my disk is being attached: nobody uses its data yet */
	bool discard_mine, discard_peers;
	bool resolve_conflicts;
	u8 after_sb_0p, after_sb_1p, after_sb_2p, rr_conflict;
	bool always_asbp;
};

enum core_verdict {
	VERDICT_CONNECT,	/* no resync */
	VERDICT_SOURCE,
	VERDICT_TARGET,
	VERDICT_DROP,
};

struct core_policy_result {
	enum core_verdict verdict;
	bool full;		/* set and write the whole bitmap first */
	bool split_brain;	/* detected: handler initial-split-brain */
	u8 helper;		/* enum core_helper to run when dropped, or none */
	const char *why;	/* for the log; never NULL */
};

struct core_policy_result core_policy(const struct core_policy_input *in);

/* What the after-sb policies say: 1 I am the source, -1 the target, 0 nothing. Reads
 * roles, policies, resolve_conflicts, and dirty_bits and bitmap_uuid of both sets. */
int core_vote_split_brain(const struct core_policy_input *in);

#endif
