/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The comparison of generation identifiers of two nodes of generation 9, each
 * with a slot per node and a long history (behaviour.md 9.2). A pure function of
 * what both sides have shown; what follows from its result, with disks, roles
 * and policies, is decided in policy9.c.
 */
#ifndef CORE_STATE_COMPARE9_H
#define CORE_STATE_COMPARE9_H

#include "model.h"
#include "../wire/cluster.h"

/* Who gives, and which bits say what: those of the slot, those of another one,
 * none, all. Each line and its counterpart on the other side. */
enum core_strategy {
	STRATEGY_NO_SYNC = 0,
	STRATEGY_SOURCE_USE_BITMAP,	STRATEGY_TARGET_USE_BITMAP,
	STRATEGY_SOURCE_COPY_OTHER,	STRATEGY_TARGET_CLEAR_BITMAP,
	STRATEGY_SOURCE_SET_BITMAP,	STRATEGY_TARGET_SET_BITMAP,
	STRATEGY_SOURCE_IF_BOTH_FAILED,	STRATEGY_TARGET_IF_BOTH_FAILED,
	STRATEGY_SPLIT_BRAIN_RECOVER,	/* a common bitmap: policies may solve it */
	STRATEGY_SPLIT_BRAIN,		/* a common past, no common bitmap */
	STRATEGY_UNRELATED,
	STRATEGIES
};

enum core_rule9 {
	RULE_UNRELATED = 0,
	RULE_JUST_CREATED_BOTH, RULE_JUST_CREATED_SELF, RULE_JUST_CREATED_PEER,
	RULE_MISSED_FINISH_SELF, RULE_MISSED_FINISH_PEER,
	RULE_RECONNECTED, RULE_CRASHED_PRIMARY, RULE_LOST_QUORUM, RULE_BOTH_OFF,
	RULE_BITMAP_PEER, RULE_BITMAP_PEER_OTHER, RULE_BITMAP_SELF, RULE_BITMAP_SELF_OTHER,
	RULE_HISTORY_PEER, RULE_HISTORY_SELF, RULE_BITMAP_BOTH, RULE_HISTORY_BOTH,
	RULES9
};

/* One side: what it has shown in this handshake. */
struct core_side9 {
	const struct wire_uuids110 *uuids;	/* current: that of its source, if it is sync target */
	u8 node_id;
	u8 role;		/* enum drbd_role */
	u8 disk;		/* enum drbd_disk_state; Negotiating already resolved */
	bool quorum;		/* of its State */
	bool discard_my_data;
};

struct core_compare9_result {
	u8 strategy;		/* enum core_strategy */
	u8 rule;		/* enum core_rule9 */
	s8 slot;		/* ..._OTHER: node id of the slot that fits; the source has it */
};

/**
 * compare9() - decision table of generation 9
 * @self:		what I sent
 * @peer:		what the peer sent
 * @version:		agreed protocol version, 110 or newer
 * @protocol:		replication protocol, 1 = A, 2 = B, 3 = C
 * @resolve_conflicts:	I accepted the meta socket
 *
 * Rows are tried in order, the first that matches decides.
 */
struct core_compare9_result compare9(const struct core_side9 *self, const struct core_side9 *peer,
				     u32 version, u8 protocol, bool resolve_conflicts);

/* A slot that says something: not "in sync", not "unknown". */
bool core_slot_tracks(u64 uuid);
/* The identifier of @side's slot toward @node, without the Primary bit. */
u64 core_slot_of(const struct core_side9 *side, u8 node);
/* The node whose slot at @side has @uuid, other than @but; WIRE_NO_NODE: none. */
s8 core_slot_with(const struct core_side9 *side, u64 uuid, u8 but);

/* For the log: "source-use-bitmap", "bitmap-peer". Never NULL. */
const char *core_strategy_name(u8 strategy);
const char *core_rule9_name(u8 rule);

#endif
