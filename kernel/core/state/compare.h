/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The comparison of generation identifiers at a handshake: who, if anybody,
 * must be resynced from whom (behaviour.md 9.1). A pure function of what both
 * sides have shown; what follows from its result is decided in policy.c.
 */
#ifndef CORE_STATE_COMPARE_H
#define CORE_STATE_COMPARE_H

#include "model.h"

enum core_decision {
	DECIDE_NO_SYNC = 0,
	DECIDE_SOURCE_BITMAP = 1, DECIDE_SOURCE_FULL = 2,
	DECIDE_TARGET_BITMAP = -1, DECIDE_TARGET_FULL = -2,
	DECIDE_SPLIT_BRAIN_BITMAP = 100, DECIDE_SPLIT_BRAIN = -100,
	DECIDE_UNRELATED = -1000,
	DECIDE_NEED_PROTOCOL = -1091,	/* the peer must speak 91 or newer */
	DECIDE_NEED_WSAME = -1092,	/* the peer must have feature WRITE_SAME */
};

/* One side as compare84() sees it. */
struct core_compare_side {
	struct wire_uuids uuids;
	bool crashed_primary;
	u8 role;
};

struct core_compare_result {
	s16 decision;		/* enum core_decision */
	u16 rule;		/* number of the row in behaviour.md 9.1 */
	/* Rules 34, 71 (mine) and 35, 51 (my copy of the peer's) repair a set first. */
	bool fix_self, fix_peer;
	struct wire_uuids self, peer;
};

/**
 * compare84() - decision table of the 8.4 dialect
 * @self:		what I sent
 * @peer:		what the peer sent
 * @version:		agreed protocol version
 * @resolve_conflicts:	I accepted the meta socket
 * @peer_wsame:		feature WRITE_SAME was agreed
 *
 * Rows are tried in order, the first that matches decides.
 */
struct core_compare_result compare84(const struct core_compare_side *self,
				     const struct core_compare_side *peer,
				     u32 version, bool resolve_conflicts, bool peer_wsame);

#endif
