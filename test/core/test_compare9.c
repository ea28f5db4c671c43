// SPDX-License-Identifier: GPL-2.0-only
/* The comparison of identifiers of generation 9 and what follows from it
 * (behaviour.md 9.2), row by row; and that both nodes come to the same end. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include "harness.h"
#include "../../kernel/core/state/compare9.h"
#include "../../kernel/core/state/policy9.h"

/* Generations. I am node 0, the peer is node 1; 2 and 3 are third ones. */
#define A 0xa0ull
#define B 0xb0ull
#define C 0xc0ull
#define D 0xd0ull
#define NEW 4ull
#define UNK (~0ull)

#define CRASH UUID_CRASHED_PRIMARY
#define RECON UUID9_RECONNECT
#define LOSTQ UUID9_LOST_QUORUM
#define STABLE UUID9_STABLE
#define TARGET UUID9_SYNC_TARGET

struct ids9 {
	u64 current;
	u64 slot;		/* toward each other */
	u64 slot2, slot3;	/* toward third nodes */
	u64 h0, h1;
	u64 flags;
	u64 bits;
};

static void fill(struct wire_uuids110 *u, const struct ids9 *i, u8 other)
{
	memset(u, 0, sizeof(*u));
	u->current_uuid = i->current;
	u->flags = i->flags;
	u->dirty_bits = i->bits;
	u->bitmap_mask = 0xc | 1u << other;
	u->bitmap[other] = i->slot;
	u->bitmap[2] = i->slot2;
	u->bitmap[3] = i->slot3;
	u->history[0] = i->h0;
	u->history[1] = i->h1;
	u->unallocated = WIRE_NO_NODE;
}

static struct core_compare9_result compare_ids(const struct ids9 *s, const struct ids9 *p, u32 version,
					       u8 protocol, bool rc)
{
	static struct wire_uuids110 us, up;
	struct core_side9 self = { .uuids = &us, .node_id = 0 }, peer = { .uuids = &up, .node_id = 1 };

	fill(&us, s, 1);
	fill(&up, p, 0);
	return compare9(&self, &peer, version, protocol, rc);
}

static const struct {
	u8 rule, strategy;
	struct ids9 self, peer;
	u32 version;	/* 0: 124 */
	u8 protocol;	/* 0: C */
	bool rc;
	s8 slot;	/* 0: none */
} rows[] = {
	{ RULE_JUST_CREATED_BOTH, STRATEGY_NO_SYNC, { NEW }, { NEW } },
	{ RULE_JUST_CREATED_BOTH, STRATEGY_NO_SYNC, { NEW | 1 }, { 0 } },
	{ RULE_JUST_CREATED_SELF, STRATEGY_TARGET_SET_BITMAP, { NEW }, { A } },
	{ RULE_JUST_CREATED_SELF, STRATEGY_TARGET_SET_BITMAP, { 0, .h0 = A }, { A } },
	{ RULE_JUST_CREATED_PEER, STRATEGY_SOURCE_SET_BITMAP, { A }, { NEW } },

	{ RULE_MISSED_FINISH_SELF, STRATEGY_SOURCE_USE_BITMAP, { A, B }, { A | 1, 0 } },
	{ RULE_MISSED_FINISH_PEER, STRATEGY_TARGET_USE_BITMAP, { A, 0 }, { A, B } },
	/* before "reconnected": somebody has something to say */
	{ RULE_MISSED_FINISH_SELF, STRATEGY_SOURCE_USE_BITMAP, { A, B, .flags = RECON }, { A, .flags = RECON } },
	/* a slot with the current itself, or one that nobody knows, says nothing */
	{ RULE_BOTH_OFF, STRATEGY_NO_SYNC, { A, A }, { A, 0 } },
	{ RULE_BOTH_OFF, STRATEGY_NO_SYNC, { A, 0 }, { A, A | 1 } },
	{ RULE_BOTH_OFF, STRATEGY_NO_SYNC, { A, UNK }, { A, 0 } },
	{ RULE_BOTH_OFF, STRATEGY_NO_SYNC, { A, 0 }, { A, UNK } },
	{ RULE_BOTH_OFF, STRATEGY_NO_SYNC, { A, B }, { A, B } },
	{ RULE_BOTH_OFF, STRATEGY_NO_SYNC, { A, B }, { A, C } },

	{ RULE_RECONNECTED, STRATEGY_NO_SYNC, { A, .flags = RECON }, { A, .flags = RECON } },
	{ RULE_RECONNECTED, STRATEGY_NO_SYNC, { A, .flags = RECON | CRASH }, { A, .flags = RECON }, 120, 1 },
	{ RULE_RECONNECTED, STRATEGY_NO_SYNC, { A, .flags = RECON | CRASH }, { A, .flags = RECON }, 119 },

	/* A and B: the crashed Primary may have more than it sent */
	{ RULE_CRASHED_PRIMARY, STRATEGY_SOURCE_USE_BITMAP, { A, .flags = CRASH }, { A, .flags = RECON }, 0, 1 },
	{ RULE_CRASHED_PRIMARY, STRATEGY_TARGET_USE_BITMAP, { A }, { A, .flags = CRASH }, 121, 2 },
	{ RULE_RECONNECTED, STRATEGY_TARGET_IF_BOTH_FAILED, { A, .flags = CRASH }, { A, .flags = RECON }, 0, 3 },
	{ RULE_RECONNECTED, STRATEGY_TARGET_IF_BOTH_FAILED, { A, .flags = CRASH }, { A, .flags = RECON }, 120, 1 },
	{ RULE_BOTH_OFF, STRATEGY_SOURCE_IF_BOTH_FAILED, { A, .flags = CRASH }, { A, .flags = CRASH }, 0, 1 },

	{ RULE_LOST_QUORUM, STRATEGY_TARGET_IF_BOTH_FAILED, { A }, { A, .flags = LOSTQ } },
	{ RULE_LOST_QUORUM, STRATEGY_SOURCE_IF_BOTH_FAILED, { A, .flags = LOSTQ }, { A } },
	{ RULE_LOST_QUORUM, STRATEGY_SOURCE_IF_BOTH_FAILED, { A, .flags = LOSTQ }, { A, .flags = LOSTQ }, .rc = true },
	{ RULE_LOST_QUORUM, STRATEGY_TARGET_IF_BOTH_FAILED, { A, .flags = LOSTQ }, { A, .flags = LOSTQ } },
	/* before the Primary that crashed: it lost its quorum first */
	{ RULE_LOST_QUORUM, STRATEGY_TARGET_IF_BOTH_FAILED, { A, .flags = RECON }, { A, .flags = LOSTQ | CRASH } },

	{ RULE_RECONNECTED, STRATEGY_SOURCE_IF_BOTH_FAILED, { A, .flags = RECON }, { A, .flags = CRASH } },
	{ RULE_RECONNECTED, STRATEGY_NO_SYNC, { A, .flags = RECON }, { A } },
	{ RULE_RECONNECTED, STRATEGY_NO_SYNC, { A, .flags = CRASH | RECON }, { A } },
	{ RULE_RECONNECTED, STRATEGY_NO_SYNC, { A }, { A, .flags = RECON } },

	{ RULE_BOTH_OFF, STRATEGY_NO_SYNC, { A }, { A | 1 } },
	{ RULE_BOTH_OFF, STRATEGY_SOURCE_IF_BOTH_FAILED, { A, .flags = CRASH }, { A } },
	{ RULE_BOTH_OFF, STRATEGY_TARGET_IF_BOTH_FAILED, { A }, { A, .flags = CRASH } },
	{ RULE_BOTH_OFF, STRATEGY_TARGET_IF_BOTH_FAILED, { A, .flags = CRASH }, { A, .flags = CRASH }, .rc = true },
	{ RULE_BOTH_OFF, STRATEGY_SOURCE_IF_BOTH_FAILED, { A, .flags = CRASH }, { A, .flags = CRASH } },

	{ RULE_BITMAP_PEER, STRATEGY_TARGET_USE_BITMAP, { A }, { B, A | 1 } },
	{ RULE_BITMAP_PEER, STRATEGY_TARGET_USE_BITMAP, { A }, { B, A, .slot2 = A } },
	{ RULE_BITMAP_PEER_OTHER, STRATEGY_TARGET_CLEAR_BITMAP, { A }, { B, C, .slot2 = A }, .slot = 2 },
	{ RULE_BITMAP_PEER_OTHER, STRATEGY_TARGET_CLEAR_BITMAP, { A }, { B, 0, .slot3 = A }, .slot = 3 },
	{ RULE_BITMAP_SELF, STRATEGY_SOURCE_USE_BITMAP, { B, A }, { A | 1 } },
	{ RULE_BITMAP_SELF_OTHER, STRATEGY_SOURCE_COPY_OTHER, { B, C, .slot3 = A }, { A }, .slot = 3 },
	{ RULE_HISTORY_PEER, STRATEGY_TARGET_SET_BITMAP, { A }, { B, .h0 = A } },
	{ RULE_HISTORY_PEER, STRATEGY_TARGET_SET_BITMAP, { A }, { B, .h1 = A | 1 } },
	{ RULE_HISTORY_SELF, STRATEGY_SOURCE_SET_BITMAP, { B, .h1 = A }, { A } },
	/* each in the other's past: no order between them */
	{ RULE_HISTORY_BOTH, STRATEGY_SPLIT_BRAIN, { A, .h0 = B, .h1 = C }, { B, .h0 = A, .h1 = C } },
	{ RULE_BITMAP_BOTH, STRATEGY_SPLIT_BRAIN_RECOVER, { A, C }, { B, C | 1 } },
	{ RULE_HISTORY_BOTH, STRATEGY_SPLIT_BRAIN, { A, .h0 = C }, { B, .h0 = D, .h1 = C } },
	/* zero and unknown are nobody's past (8.4 calls the first a split brain) */
	{ RULE_UNRELATED, STRATEGY_UNRELATED, { A }, { B } },
	{ RULE_UNRELATED, STRATEGY_UNRELATED, { A, UNK }, { B, UNK } },
	{ RULE_UNRELATED, STRATEGY_UNRELATED, { A, .h0 = UNK }, { B, .h0 = UNK } },
	{ RULE_UNRELATED, STRATEGY_UNRELATED, { UNK }, { B, UNK, UNK, UNK } },
	{ RULE_UNRELATED, STRATEGY_UNRELATED, { A, C, .h0 = C }, { B, D, .h0 = D } },
};

static void rules(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct core_compare9_result r = compare_ids(&rows[i].self, &rows[i].peer,
							    rows[i].version ? rows[i].version : 124,
							    rows[i].protocol ? rows[i].protocol : 3, rows[i].rc);

		if (r.rule != rows[i].rule || r.strategy != rows[i].strategy ||
		    r.slot != (rows[i].slot ? rows[i].slot : WIRE_NO_NODE))
			t_fail(__FILE__, __LINE__, "row %u: %s by rule %s, slot %d; want %s by %s", i,
			       core_strategy_name(r.strategy), core_rule9_name(r.rule), r.slot,
			       core_strategy_name(rows[i].strategy), core_rule9_name(rows[i].rule));
	}
	T_OK(!strcmp(core_strategy_name(STRATEGIES), "?") && !strcmp(core_rule9_name(RULES9), "?"));
}

/* --- what follows ------------------------------------------------------------------------- */

#define UTD DISK_UP_TO_DATE
#define CONS DISK_CONSISTENT
#define OUTD DISK_OUTDATED
#define INC DISK_INCONSISTENT
#define PRI ROLE_PRIMARY
#define SEC ROLE_SECONDARY

/* Roles and disks; the rest of a side comes from its ids. */
#define SIDES(r1, d1, r2, d2) .self = { .role = r1, .disk = d1 }, .peer = { .role = r2, .disk = d2 }
#define DEFAULTS SIDES(SEC, UTD, SEC, UTD)

static const struct {
	const char *what;
	u8 verdict, step;
	u8 strategy, rule;
	struct core_policy9_input in;
	struct ids9 self, peer;
	bool flag;		/* reconcile, split_brain or reversed, which is the one that may be */
} follows[] = {
	{ "no sync", VERDICT9_CONNECT, SLOT_KEEP, STRATEGY_NO_SYNC, 0, { DEFAULTS }, { A }, { A } },
	{ "bitmap", VERDICT9_SOURCE, SLOT_KEEP, STRATEGY_SOURCE_USE_BITMAP, 0, { DEFAULTS }, { B, A }, { A } },
	{ "copy", VERDICT9_SOURCE, SLOT_COPY, STRATEGY_SOURCE_COPY_OTHER, 0, { DEFAULTS }, { B }, { A } },
	{ "clear", VERDICT9_TARGET, SLOT_CLEAR, STRATEGY_TARGET_CLEAR_BITMAP, 0, { DEFAULTS }, { A }, { B } },
	{ "full", VERDICT9_TARGET, SLOT_SET, STRATEGY_TARGET_SET_BITMAP, 0, { DEFAULTS }, { A }, { B } },
	{ "step 1: unrelated", VERDICT9_DROP, SLOT_KEEP, STRATEGY_UNRELATED, 0, { DEFAULTS }, { A }, { B } },

	{ "step 2: missed finish, bits", VERDICT9_SOURCE, SLOT_KEEP, STRATEGY_SOURCE_USE_BITMAP,
	  RULE_MISSED_FINISH_SELF, { DEFAULTS }, { A, .bits = 1 }, { A } },
	{ "step 2: missed finish, no bits", VERDICT9_CONNECT, SLOT_FORGET, STRATEGY_SOURCE_USE_BITMAP,
	  RULE_MISSED_FINISH_SELF, { DEFAULTS }, { A }, { A } },
	{ "step 2: missed finish there, no bits", VERDICT9_CONNECT, SLOT_FORGET, STRATEGY_TARGET_USE_BITMAP,
	  RULE_MISSED_FINISH_PEER, { SIDES(PRI, UTD, SEC, UTD) }, { A }, { A } },
	{ "step 2: as source before 124", VERDICT9_RETRY, SLOT_KEEP, STRATEGY_SOURCE_USE_BITMAP,
	  RULE_MISSED_FINISH_SELF, { DEFAULTS, .version = 123 }, { A }, { A } },
	{ "step 2: as Primary target before 124", VERDICT9_DROP, SLOT_KEEP, STRATEGY_TARGET_USE_BITMAP,
	  RULE_MISSED_FINISH_PEER, { SIDES(PRI, UTD, SEC, UTD), .version = 123 }, { A }, { A } },
	{ "step 2: as target before 124", VERDICT9_TARGET, SLOT_KEEP, STRATEGY_TARGET_USE_BITMAP,
	  RULE_MISSED_FINISH_PEER, { DEFAULTS, .version = 123 }, { A }, { A } },

	{ "step 3: the better disk, if both failed", VERDICT9_TARGET, SLOT_KEEP, STRATEGY_SOURCE_IF_BOTH_FAILED,
	  RULE_LOST_QUORUM, { SIDES(SEC, OUTD, SEC, UTD) }, { A }, { A } },
	{ "step 3: ... not by a bitmap", VERDICT9_SOURCE, SLOT_KEEP, STRATEGY_SOURCE_USE_BITMAP,
	  RULE_CRASHED_PRIMARY, { SIDES(SEC, CONS, SEC, UTD) }, { A }, { A } },
	{ "step 3: no sync, but one is Inconsistent", VERDICT9_SOURCE, SLOT_KEEP, STRATEGY_NO_SYNC,
	  RULE_RECONNECTED, { SIDES(SEC, UTD, SEC, INC) }, { A }, { A } },
	{ "step 3: ... to me", VERDICT9_TARGET, SLOT_KEEP, STRATEGY_NO_SYNC,
	  RULE_RECONNECTED, { SIDES(SEC, INC, PRI, OUTD) }, { A }, { A } },
	{ "step 3: no sync, one Outdated", VERDICT9_CONNECT, SLOT_KEEP, STRATEGY_NO_SYNC,
	  RULE_RECONNECTED, { SIDES(SEC, OUTD, SEC, UTD) }, { A }, { A } },
	{ "step 3: nobody knows the peer's disk", VERDICT9_CONNECT, SLOT_KEEP, STRATEGY_NO_SYNC,
	  RULE_BOTH_OFF, { SIDES(SEC, INC, SEC, DISK_UNKNOWN) }, { A }, { A } },
	{ "step 3: nobody knows mine", VERDICT9_CONNECT, SLOT_KEEP, STRATEGY_NO_SYNC,
	  RULE_BOTH_OFF, { SIDES(SEC, DISK_UNKNOWN, SEC, INC) }, { A }, { A } },
	{ "step 3: no disk there", VERDICT9_CONNECT, SLOT_KEEP, STRATEGY_NO_SYNC,
	  RULE_BOTH_OFF, { SIDES(SEC, INC, SEC, DISK_DISKLESS) }, { A }, { A } },
	{ "step 3: before 119, both off", VERDICT9_TARGET, SLOT_KEEP, STRATEGY_SOURCE_IF_BOTH_FAILED,
	  RULE_BOTH_OFF, { SIDES(SEC, INC, SEC, UTD), .version = 118 }, { A }, { A } },
	{ "step 3: before 119, both off, none Inconsistent", VERDICT9_SOURCE, SLOT_KEEP,
	  STRATEGY_SOURCE_IF_BOTH_FAILED, RULE_BOTH_OFF, { SIDES(SEC, OUTD, SEC, UTD), .version = 118 }, { A }, { A } },
	{ "step 3: before 119, another rule", VERDICT9_SOURCE, SLOT_KEEP, STRATEGY_SOURCE_IF_BOTH_FAILED,
	  RULE_LOST_QUORUM, { SIDES(SEC, INC, SEC, UTD), .version = 118 }, { A }, { A } },
	{ "step 3: the lower side is target of a third one, its slot is mine", VERDICT9_SOURCE, SLOT_KEEP,
	  STRATEGY_NO_SYNC, RULE_RECONNECTED, { SIDES(SEC, UTD, SEC, INC) }, { A, B }, { A, B, .flags = TARGET } },
	{ "step 3: ... is another's", VERDICT9_SOURCE, SLOT_COPY,
	  STRATEGY_NO_SYNC, RULE_RECONNECTED, { SIDES(SEC, UTD, SEC, INC) }, { A, .slot2 = B }, { A, B, .flags = TARGET } },
	{ "step 3: ... from below", VERDICT9_TARGET, SLOT_CLEAR,
	  STRATEGY_NO_SYNC, RULE_RECONNECTED, { SIDES(SEC, INC, SEC, UTD) }, { A, B, .flags = TARGET }, { A, .slot3 = B } },
	{ "step 3: ... is nobody's", VERDICT9_TARGET, SLOT_SET,
	  STRATEGY_NO_SYNC, RULE_RECONNECTED, { SIDES(SEC, INC, SEC, UTD) }, { A, B, .flags = TARGET }, { A } },
	{ "step 3: ... is unknown", VERDICT9_SOURCE, SLOT_SET,
	  STRATEGY_NO_SYNC, RULE_RECONNECTED, { SIDES(SEC, UTD, SEC, INC) }, { A, .slot2 = UNK }, { A, UNK, .flags = TARGET } },
	{ "step 3: ... is the common current", VERDICT9_SOURCE, SLOT_KEEP,
	  STRATEGY_NO_SYNC, RULE_RECONNECTED, { SIDES(SEC, UTD, SEC, INC) }, { A }, { A, A | 1, .flags = TARGET } },

	{ "step 4: only I have bits", VERDICT9_SOURCE, SLOT_KEEP, STRATEGY_NO_SYNC, RULE_RECONNECTED,
	  { DEFAULTS, .lost_named_by_me = true }, { A, .bits = 3 }, { A }, true },
	{ "step 4: only the peer has bits", VERDICT9_TARGET, SLOT_KEEP, STRATEGY_NO_SYNC, RULE_RECONNECTED,
	  { DEFAULTS, .lost_named_by_peer = true }, { A }, { A, .bits = 3 }, true },
	{ "step 4: both, I went further", VERDICT9_SOURCE, SLOT_KEEP, STRATEGY_NO_SYNC, RULE_RECONNECTED,
	  { DEFAULTS, .lost_named_by_me = true, .lost_named_by_peer = true, .lost_offset = 8 },
	  { A, .bits = 3 }, { A, .bits = 9 }, true },
	{ "step 4: both, the peer went further", VERDICT9_TARGET, SLOT_KEEP, STRATEGY_NO_SYNC, RULE_RECONNECTED,
	  { DEFAULTS, .lost_named_by_me = true, .lost_named_by_peer = true, .lost_offset = -8 },
	  { A, .bits = 9 }, { A, .bits = 3 }, true },
	{ "step 4: a tie goes to the lower node", VERDICT9_SOURCE, SLOT_KEEP, STRATEGY_NO_SYNC, RULE_RECONNECTED,
	  { DEFAULTS, .lost_named_by_me = true, .lost_named_by_peer = true },
	  { A, .bits = 3 }, { A, .bits = 9 }, true },
	{ "step 4: both, but only one has named it", VERDICT9_CONNECT, SLOT_KEEP, STRATEGY_NO_SYNC, RULE_RECONNECTED,
	  { DEFAULTS, .lost_named_by_peer = true }, { A, .bits = 3 }, { A, .bits = 3 } },
	{ "step 4: nobody was lost", VERDICT9_CONNECT, SLOT_KEEP, STRATEGY_NO_SYNC, RULE_RECONNECTED,
	  { DEFAULTS }, { A, .bits = 3 }, { A } },
	{ "step 4: no bits", VERDICT9_CONNECT, SLOT_KEEP, STRATEGY_NO_SYNC, RULE_RECONNECTED,
	  { DEFAULTS, .lost_named_by_me = true, .lost_offset = 8 }, { A }, { A } },
	{ "step 4: not while attaching", VERDICT9_CONNECT, SLOT_KEEP, STRATEGY_NO_SYNC, RULE_RECONNECTED,
	  { DEFAULTS, .lost_named_by_me = true, .attaching = true }, { A, .bits = 3 }, { A } },
	{ "step 4: somebody crashed", VERDICT9_CONNECT, SLOT_KEEP, STRATEGY_NO_SYNC, RULE_RECONNECTED,
	  { DEFAULTS, .lost_named_by_me = true }, { A, .bits = 3 }, { A, .flags = CRASH } },
	{ "step 4: I lost quorum", VERDICT9_CONNECT, SLOT_KEEP, STRATEGY_NO_SYNC, RULE_RECONNECTED,
	  { DEFAULTS, .lost_named_by_me = true }, { A, .bits = 3, .flags = LOSTQ }, { A } },
	{ "step 4: a disk is not UpToDate", VERDICT9_CONNECT, SLOT_KEEP, STRATEGY_NO_SYNC, RULE_RECONNECTED,
	  { SIDES(SEC, UTD, SEC, CONS), .lost_named_by_me = true }, { A, .bits = 3 }, { A } },

	{ "step 5: the peer is not stable", VERDICT9_CONNECT, SLOT_KEEP, STRATEGY_SPLIT_BRAIN_RECOVER, 0,
	  { DEFAULTS }, { A, C, .flags = STABLE }, { B, C } },
	{ "step 5: I am not", VERDICT9_CONNECT, SLOT_KEEP, STRATEGY_SPLIT_BRAIN_RECOVER, 0,
	  { DEFAULTS }, { A, C }, { B, C, .flags = STABLE } },
#define SPLIT STRATEGY_SPLIT_BRAIN_RECOVER, RULE_BITMAP_BOTH
#define PARTED STRATEGY_SPLIT_BRAIN, RULE_HISTORY_BOTH
#define IDS { A, C, .flags = STABLE, .bits = 2 }, { B, C, .flags = STABLE, .bits = 3 }, true
	{ "step 7: quorum here", VERDICT9_SOURCE, SLOT_KEEP, SPLIT,
	  { .self = { .role = SEC, .disk = UTD, .quorum = true }, .peer = { .role = SEC, .disk = UTD },
	    .quorum_enabled = true, .after_sb_0p = ASB_DISCARD_LOCAL }, IDS },
	{ "step 7: quorum there", VERDICT9_TARGET, SLOT_KEEP, SPLIT,
	  { .self = { .role = SEC, .disk = UTD }, .peer = { .role = SEC, .disk = UTD, .quorum = true },
	    .quorum_enabled = true }, IDS },
	{ "step 7: quorum is off", VERDICT9_DROP, SLOT_KEEP, SPLIT,
	  { .self = { .role = SEC, .disk = UTD, .quorum = true }, .peer = { .role = SEC, .disk = UTD } }, IDS },
	{ "step 7: quorum before 113", VERDICT9_DROP, SLOT_KEEP, SPLIT,
	  { .self = { .role = SEC, .disk = UTD, .quorum = true }, .peer = { .role = SEC, .disk = UTD },
	    .quorum_enabled = true, .version = 112 }, IDS },
	{ "step 7: quorum, a disk is attached", VERDICT9_DROP, SLOT_KEEP, SPLIT,
	  { .self = { .role = SEC, .disk = UTD, .quorum = true }, .peer = { .role = SEC, .disk = UTD },
	    .quorum_enabled = true, .attaching = true }, IDS },
	{ "step 7: quorum on both sides: policies", VERDICT9_TARGET, SLOT_KEEP, SPLIT,
	  { .self = { .role = SEC, .disk = UTD, .quorum = true }, .peer = { .role = SEC, .disk = UTD, .quorum = true },
	    .quorum_enabled = true, .after_sb_0p = ASB_DISCARD_LEAST_CHG }, IDS },
	{ "step 7: no common bitmap, policies not asked", VERDICT9_DROP, SLOT_SET, PARTED,
	  { DEFAULTS, .after_sb_0p = ASB_DISCARD_LOCAL }, IDS },
	{ "step 7: no common bitmap, always-asbp", VERDICT9_TARGET, SLOT_SET, PARTED,
	  { DEFAULTS, .after_sb_0p = ASB_DISCARD_LOCAL, .always_asbp = true }, IDS },
	{ "step 8: I discard", VERDICT9_TARGET, SLOT_SET, PARTED,
	  { .self = { .role = SEC, .disk = UTD, .discard_my_data = true }, .peer = { .role = SEC, .disk = UTD } }, IDS },
	{ "step 8: the peer discards, by bitmap", VERDICT9_SOURCE, SLOT_KEEP, SPLIT,
	  { .self = { .role = SEC, .disk = UTD }, .peer = { .role = SEC, .disk = UTD, .discard_my_data = true } }, IDS },
	{ "step 8: not for an attach", VERDICT9_DROP, SLOT_KEEP, SPLIT,
	  { .self = { .role = SEC, .disk = UTD }, .peer = { .role = SEC, .disk = UTD, .discard_my_data = true },
	    .attaching = true }, IDS },
	{ "step 9: unresolved", VERDICT9_DROP, SLOT_KEEP, SPLIT, { DEFAULTS }, IDS },

	{ "step 10: discard-my-data turns a resync", VERDICT9_TARGET, SLOT_COPY, STRATEGY_SOURCE_COPY_OTHER, 0,
	  { .self = { .role = SEC, .disk = UTD, .discard_my_data = true }, .peer = { .role = SEC, .disk = OUTD } },
	  { B }, { A }, true },
	{ "step 10: the peer's turns it", VERDICT9_SOURCE, SLOT_SET, STRATEGY_TARGET_SET_BITMAP, 0,
	  { .self = { .role = SEC, .disk = OUTD }, .peer = { .role = SEC, .disk = UTD, .discard_my_data = true } },
	  { A }, { B }, true },
	{ "step 10: not toward an Inconsistent source", VERDICT9_SOURCE, SLOT_KEEP, STRATEGY_SOURCE_USE_BITMAP, 0,
	  { .self = { .role = SEC, .disk = UTD, .discard_my_data = true }, .peer = { .role = SEC, .disk = INC } },
	  { B }, { A } },
	{ "step 10: both discard", VERDICT9_SOURCE, SLOT_KEEP, STRATEGY_SOURCE_USE_BITMAP, 0,
	  { .self = { .role = SEC, .disk = UTD, .discard_my_data = true },
	    .peer = { .role = SEC, .disk = UTD, .discard_my_data = true } }, { B }, { A } },
	{ "step 10: before 121", VERDICT9_SOURCE, SLOT_KEEP, STRATEGY_SOURCE_USE_BITMAP, 0,
	  { .self = { .role = SEC, .disk = UTD, .discard_my_data = true }, .peer = { .role = SEC, .disk = UTD },
	    .version = 120 }, { B }, { A } },

	{ "if both failed: nobody is Primary", VERDICT9_TARGET, SLOT_KEEP, STRATEGY_TARGET_IF_BOTH_FAILED,
	  RULE_BOTH_OFF, { DEFAULTS }, { A, .bits = 1 }, { A } },
	{ "if both failed: I am Primary", VERDICT9_SOURCE, SLOT_KEEP, STRATEGY_TARGET_IF_BOTH_FAILED,
	  RULE_BOTH_OFF, { SIDES(PRI, UTD, SEC, UTD) }, { A, .bits = 1 }, { A } },
	{ "if both failed: the peer is Primary", VERDICT9_TARGET, SLOT_KEEP, STRATEGY_SOURCE_IF_BOTH_FAILED,
	  RULE_BOTH_OFF, { SIDES(SEC, UTD, PRI, UTD) }, { A, .bits = 1 }, { A } },
	{ "if both failed: both are Primary", VERDICT9_CONNECT, SLOT_KEEP, STRATEGY_SOURCE_IF_BOTH_FAILED,
	  RULE_BOTH_OFF, { SIDES(PRI, UTD, PRI, UTD) }, { A, .bits = 1 }, { A } },

#define BITS { A, .bits = 1 }, { B }
#define WHEN_TARGET STRATEGY_TARGET_USE_BITMAP, 0
	{ "step 11: disconnect", VERDICT9_DROP, SLOT_KEEP, WHEN_TARGET, { SIDES(PRI, UTD, SEC, UTD) }, BITS },
	{ "step 11: call-pri-lost", VERDICT9_DROP, SLOT_KEEP, WHEN_TARGET,
	  { SIDES(PRI, UTD, SEC, UTD), .rr_conflict = ASB_CALL_HELPER }, BITS },
	{ "step 11: retry-connect", VERDICT9_RETRY, SLOT_KEEP, WHEN_TARGET,
	  { SIDES(PRI, UTD, SEC, UTD), .rr_conflict = ASB_RETRY_CONNECT }, BITS },
	{ "step 11: violently", VERDICT9_TARGET, SLOT_KEEP, WHEN_TARGET,
	  { SIDES(PRI, UTD, SEC, UTD), .rr_conflict = ASB_VIOLENTLY }, BITS },
	{ "step 11: no bits at all", VERDICT9_TARGET, SLOT_KEEP, WHEN_TARGET,
	  { SIDES(PRI, UTD, SEC, UTD) }, { A }, { B } },
	{ "step 11: its data is not good anyway", VERDICT9_TARGET, SLOT_KEEP, WHEN_TARGET,
	  { SIDES(PRI, OUTD, SEC, UTD) }, BITS },
	{ "step 11: the peer has to say no", VERDICT9_SOURCE, SLOT_KEEP, STRATEGY_SOURCE_USE_BITMAP, 0,
	  { SIDES(SEC, UTD, PRI, UTD) }, BITS },
	{ "step 11: auto-discard", VERDICT9_SOURCE, SLOT_KEEP, STRATEGY_TARGET_USE_BITMAP, RULE_CRASHED_PRIMARY,
	  { SIDES(PRI, UTD, SEC, UTD), .rr_conflict = ASB_AUTO_DISCARD }, BITS, true },
	{ "step 11: auto-discard, from there", VERDICT9_TARGET, SLOT_KEEP, STRATEGY_SOURCE_USE_BITMAP,
	  RULE_CRASHED_PRIMARY, { SIDES(SEC, UTD, PRI, UTD), .rr_conflict = ASB_AUTO_DISCARD }, BITS, true },
	{ "step 11: auto-discard is for a crashed Primary only", VERDICT9_DROP, SLOT_KEEP, WHEN_TARGET,
	  { SIDES(PRI, UTD, SEC, UTD), .rr_conflict = ASB_AUTO_DISCARD }, BITS },

	{ "step 12: missed finish, the source is Outdated", VERDICT9_CONNECT, SLOT_KEEP, STRATEGY_SOURCE_USE_BITMAP,
	  RULE_MISSED_FINISH_SELF, { SIDES(SEC, OUTD, SEC, UTD) }, { A, .bits = 1 }, { A } },
	{ "a source without a disk", VERDICT9_DROP, SLOT_KEEP, STRATEGY_SOURCE_USE_BITMAP, 0,
	  { SIDES(SEC, DISK_FAILED, SEC, UTD) }, { B }, { A } },
};

static struct wire_uuids110 u_self, u_peer;

static void two_sides(struct core_policy9_input *in, const struct ids9 *s, const struct ids9 *p)
{
	fill(&u_self, s, 1);
	fill(&u_peer, p, 0);
	in->self.uuids = &u_self;
	in->self.node_id = 0;
	in->peer.uuids = &u_peer;
	in->peer.node_id = 1;
	if (!in->version)
		in->version = 124;
}

static void what_follows(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(follows); i++) {
		struct core_policy9_input in = follows[i].in;
		struct core_policy9_result r;

		two_sides(&in, &follows[i].self, &follows[i].peer);
		in.compare.strategy = follows[i].strategy;
		in.compare.rule = follows[i].rule;
		r = core_policy9(&in);
		if (r.verdict != follows[i].verdict || r.slot_step != follows[i].step ||
		    (r.reconcile || r.split_brain || r.reversed) != follows[i].flag)
			t_fail(__FILE__, __LINE__, "%s: verdict %u, slot %u, %d%d%d (%s); want %u, %u, %d",
			       follows[i].what, r.verdict, r.slot_step, r.reconcile, r.split_brain,
			       r.reversed, r.why, follows[i].verdict, follows[i].step, follows[i].flag);
		T_OK(r.why != NULL);
	}
}

/* --- both nodes, the same question -------------------------------------------------------- */

static u64 pick(struct t_random *r)
{
	static const u64 set[] = { 0, 0, NEW, A, B, C, D, UNK };
	u64 v = set[t_below(r, ARRAY_SIZE(set))];

	return v == UNK ? v : v | t_below(r, 2);
}

static struct ids9 random_ids(struct t_random *r)
{
	struct ids9 i = { .current = pick(r), .slot = pick(r), .slot2 = pick(r), .slot3 = pick(r),
			  .h0 = pick(r), .h1 = pick(r), .bits = t_below(r, 3) };
	static const u64 flags[] = { CRASH, RECON, LOSTQ, STABLE, STABLE, TARGET };
	u32 n;

	if (i.current == UNK)
		i.current = A;
	for (n = 0; n < ARRAY_SIZE(flags); n++)
		if (t_below(r, 2))
			i.flags |= flags[n];
	return i;
}

static bool in_past(const struct ids9 *i, u64 uuid)
{
	return (i->slot & ~1ull) == uuid || (i->slot2 & ~1ull) == uuid || (i->slot3 & ~1ull) == uuid ||
	       (i->h0 & ~1ull) == uuid || (i->h1 & ~1ull) == uuid;
}

static u8 other_strategy(u8 s)
{
	if (s == STRATEGY_NO_SYNC || s >= STRATEGY_SPLIT_BRAIN_RECOVER)
		return s;
	return s & 1 ? s + 1 : s - 1;
}

static u8 other_policy(u8 p)
{
	return p == ASB_DISCARD_LOCAL ? ASB_DISCARD_REMOTE : p == ASB_DISCARD_REMOTE ? ASB_DISCARD_LOCAL : p;
}

static void random_side(struct t_random *r, struct core_side9 *s)
{
	static const u8 disks[] = { INC, OUTD, CONS, UTD, UTD };

	s->role = t_below(r, 3) ? SEC : PRI;
	s->disk = disks[t_below(r, ARRAY_SIZE(disks))];
	s->quorum = t_below(r, 2);
	s->discard_my_data = !t_below(r, 4);
}

static bool resyncs(u8 verdict)
{
	return verdict <= VERDICT9_TARGET;
}

/* The slots fit: a copy there is a clear here, all is all. */
static bool steps_fit(u8 a, u8 b)
{
	if (a == SLOT_COPY || a == SLOT_CLEAR)
		return b == (SLOT_COPY + SLOT_CLEAR - a);
	return a == b;
}

static void random_input(struct t_random *r, struct core_policy9_input *in, struct core_policy9_input *there)
{
	static const u32 versions[] = { 112, 118, 119, 120, 121, 122, 123, 124, 124, 124 };
	static const u8 rr[] = { ASB_DISCONNECT, ASB_VIOLENTLY, ASB_CALL_HELPER, ASB_RETRY_CONNECT,
				 ASB_AUTO_DISCARD };

	memset(in, 0, sizeof(*in));
	random_side(r, &in->self);
	random_side(r, &in->peer);
	in->version = versions[t_below(r, ARRAY_SIZE(versions))];
	in->resolve_conflicts = t_below(r, 2);
	in->quorum_enabled = t_below(r, 2);
	in->attaching = !t_below(r, 4);
	in->always_asbp = t_below(r, 2);
	in->rr_conflict = rr[t_below(r, ARRAY_SIZE(rr))];
	in->after_sb_0p = (u8)t_below(r, ASB_CONSENSUS);
	in->after_sb_1p = (u8)(ASB_CONSENSUS + t_below(r, 4));
	in->after_sb_2p = t_below(r, 2) ? ASB_VIOLENTLY : ASB_DISCONNECT;
	in->lost_named_by_me = t_below(r, 2);
	in->lost_named_by_peer = t_below(r, 2);
	in->lost_offset = (s64)t_below(r, 3) - 1;

	*there = *in;
	there->self = in->peer;
	there->peer = in->self;
	there->resolve_conflicts = !in->resolve_conflicts;
	there->after_sb_0p = other_policy(in->after_sb_0p);
	there->lost_named_by_me = in->lost_named_by_peer;
	there->lost_named_by_peer = in->lost_named_by_me;
	there->lost_offset = -in->lost_offset;
}

/* Complementary, or at least one of both does not connect. Sets in which each has
 * the other's current in its past do not come to be. */
static void mirror_symmetric(void)
{
	u32 n, tried = 0, verdicts[VERDICT9_DROP + 1] = { 0 }, found[RULES9] = { 0 }, i;
	struct t_random rnd;

	t_seed(&rnd, 9);
	for (n = 0; n < 300000; n++) {
		struct ids9 s = random_ids(&rnd), p = random_ids(&rnd);
		struct core_policy9_input in, there;
		struct core_policy9_result mine, theirs;
		u8 protocol = (u8)(1 + t_below(&rnd, 3));

		if (t_below(&rnd, 2))
			p.current = s.current ^ t_below(&rnd, 2);
		if (in_past(&s, p.current & ~1ull) && in_past(&p, s.current & ~1ull) &&
		    (s.current ^ p.current) > 1)
			continue;
		random_input(&rnd, &in, &there);
		two_sides(&in, &s, &p);
		there.self.uuids = in.peer.uuids;
		there.peer.uuids = in.self.uuids;
		there.self.node_id = 1;
		there.peer.node_id = 0;
		in.compare = compare9(&in.self, &in.peer, in.version, protocol, in.resolve_conflicts);
		there.compare = compare9(&there.self, &there.peer, in.version, protocol, there.resolve_conflicts);
		if (there.compare.strategy != other_strategy(in.compare.strategy) ||
		    there.compare.slot != in.compare.slot)
			t_fail(__FILE__, __LINE__, "%u: %s by rule %s here, %s by rule %s there", n,
			       core_strategy_name(in.compare.strategy), core_rule9_name(in.compare.rule),
			       core_strategy_name(there.compare.strategy), core_rule9_name(there.compare.rule));
		mine = core_policy9(&in);
		theirs = core_policy9(&there);
		if (resyncs(mine.verdict) && resyncs(theirs.verdict) &&
		    (mine.verdict + theirs.verdict != (mine.verdict ? VERDICT9_SOURCE + VERDICT9_TARGET : 0) ||
		     !steps_fit(mine.slot_step, theirs.slot_step) || mine.slot != theirs.slot ||
		     mine.reconcile != theirs.reconcile || mine.reversed != theirs.reversed))
			t_fail(__FILE__, __LINE__, "%u: rule %s: verdict %u slot %u (%s) here, %u slot %u (%s) there",
			       n, core_rule9_name(in.compare.rule), mine.verdict, mine.slot_step, mine.why,
			       theirs.verdict, theirs.slot_step, theirs.why);
		T_EQ(mine.split_brain, theirs.split_brain);
		found[in.compare.rule]++;
		verdicts[mine.verdict]++;
		tried++;
	}
	T_OK(tried > 150000);
	for (i = 0; i < RULES9; i++)
		T_OK(found[i] > 20);
	for (i = 0; i <= VERDICT9_DROP; i++)
		T_OK(verdicts[i] > 100);
}

const struct c_test compare9_tests[] = {
	{ "compare9: rules", rules },
	{ "compare9: what follows", what_follows },
	{ "compare9: mirror symmetric", mirror_symmetric },
	{ NULL, NULL },
};
