/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What follows from the comparison of compare9.c: disk states, a Primary that was
 * lost in the middle of writing, quorum, split brain policies, discard-my-data and
 * rr-conflict turn a strategy into "connect so" or "do not connect"
 * (behaviour.md 9.2, the steps behind the table).
 */
#ifndef CORE_STATE_POLICY9_H
#define CORE_STATE_POLICY9_H

#include "compare9.h"
#include "policy.h"

/* What becomes of the slot toward the peer before bitmaps are exchanged. */
enum core_slot_step {
	SLOT_KEEP = 0,
	SLOT_COPY,		/* from that of node .slot */
	SLOT_CLEAR,		/* the peer's copy says it all */
	SLOT_SET,		/* full sync */
	SLOT_FORGET,		/* both know that nothing is left: identifier and bits */
};

enum core_verdict9 {
	VERDICT9_CONNECT = 0,	/* no resync */
	VERDICT9_SOURCE,
	VERDICT9_TARGET,
	VERDICT9_RETRY,		/* not now: drop, try again */
	VERDICT9_DROP,		/* not at all: StandAlone */
};

struct core_policy9_input {
	struct core_compare9_result compare;
	struct core_side9 self, peer;
	u32 version;
	bool resolve_conflicts;
	bool attaching;		/* a disk comes while the link stands: no quorum, no discard */
	bool quorum_enabled;
	u8 after_sb_0p, after_sb_1p, after_sb_2p, rr_conflict;
	bool always_asbp;
	/* A Primary that both knew is gone (RECONCILE_RECONNECT): who has named it in
	 * this handshake, and how far I have followed it minus how far the peer has. */
	bool lost_named_by_me, lost_named_by_peer;
	s64 lost_offset;
};

struct core_policy9_result {
	u8 verdict;		/* enum core_verdict9 */
	u8 slot_step;		/* enum core_slot_step */
	s8 slot;		/* SLOT_COPY */
	bool reconcile;		/* resync what a lost Primary has left behind */
	bool split_brain;	/* detected: handler initial-split-brain */
	bool reversed;		/* by discard-my-data or auto-discard */
	u8 helper;		/* enum core_helper to run when dropped, or none */
	const char *why;	/* for the log; never NULL */
};

struct core_policy9_result core_policy9(const struct core_policy9_input *in);

#endif
