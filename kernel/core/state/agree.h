/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Changes that a whole cluster has to agree upon, from protocol 110 on: two-phase
 * commit over nodes that need not be linked to each other (behaviour.md 4.2, 4.4,
 * wire.md 8.2, 8.3).
 *
 * One struct core_agree per resource, stepped by its worker; no clock, no memory of
 * its own. Each function takes an event and leaves actions, to be done in order.
 * What a change means, and whether this node can agree, is the caller's to say
 * (AGREE_CHECK, core_agree_checked()).
 *
 * Names: the initiator sends PREPARE to all nodes it is linked to; each sends it on
 * to those that it is linked to and that are still to be reached. So a node may get
 * it from several sides, its parents; it answers all of them, when its children have
 * answered. COMMIT or ABORT go the same ways.
 */
#ifndef CORE_STATE_AGREE_H
#define CORE_STATE_AGREE_H

#include "model.h"
#include "../wire/cluster.h"

#define AGREE_MAX_ACTIONS 160u
#define AGREE_REMEMBERED 8u

enum core_agree_action_type {
	AGREE_SEND = 1,		/* node, cmd, twopc: on the data stream */
	AGREE_PING,		/* node: behind a PREPARE, so that a dead link is noticed soon */
	AGREE_REPLY,		/* node, cmd, reply: on the meta stream */
	AGREE_CHECK,		/* can we do twopc? core_agree_checked() */
	AGREE_APPLY,		/* twopc is decided: do it */
	AGREE_DROP,		/* twopc will not be: forget what was prepared */
	AGREE_DONE,		/* result of core_agree_begin(); behind APPLY or DROP */
	AGREE_TIMER,		/* arm the one timer; ms, 0 = disarm */
	AGREE_IDLE,		/* nothing is being agreed upon: who has waited may begin */
};

struct core_agree_action {
	u8 type;		/* enum core_agree_action_type */
	u8 node;
	u16 cmd;
	u16 vnr;		/* VOLUME_NONE: concerns no volume in particular */
	s32 result;		/* enum core_result */
	u32 ms;
	struct wire_twopc twopc;	/* of APPLY: with primary_nodes, flags and last */
	struct wire_twopc_reply reply;
};

/* What can be said to a change. */
enum core_agree_verdict {
	AGREE_UNDECIDED = 0,
	AGREE_YES,
	AGREE_NO,
	AGREE_RETRY,
};

enum core_agree_phase {
	AGREE_PHASE_IDLE = 0,
	AGREE_PHASE_MINE,	/* I have asked, answers are to come */
	AGREE_PHASE_OTHERS,	/* somebody else has asked */
};

struct core_agree_id {
	u32 tid;
	s8 initiator;
	bool committed;
};

struct core_agree {
	/* What the caller keeps up to date before each event. */
	u8 me;
	u64 linked;		/* nodes with a connection that is up */
	u64 allows_two;		/* ... which allows two Primaries */
	bool primary, has_data, has_disk;
	u64 max_size;		/* sectors that this node could have */
	u32 timeout_ms;		/* twopc-timeout */

	u8 phase;		/* enum core_agree_phase */
	bool resize;
	u16 vnr;
	struct wire_twopc t;	/* the transaction at hand */
	u8 own;			/* enum core_agree_verdict */
	s32 own_result;		/* mine: why it is not YES */
	u64 current_size;	/* resize, mine */
	u64 parents;		/* who has sent PREPARE */
	u64 children;		/* to whom I have sent it */
	u64 said_yes, said_no, said_retry;	/* of those */
	u8 answered;		/* what the parents were told */
	u64 reachable, primaries, weak, size;	/* what all answers say together */
	u64 beyond;		/* disconnect, mine: whom the target still reaches */

	/* The same initiator began another one before this had its end: it waits. */
	bool waiting;
	bool waiting_resize;
	u8 waiting_from;
	u16 waiting_vnr;
	struct wire_twopc waiting_t;

	/* What has ended: copies of its packets may still be on other ways. */
	struct core_agree_id ended[AGREE_REMEMBERED];
	u32 nr_ended;

	struct core_agree_action action[AGREE_MAX_ACTIONS];
	u32 nr_actions;
};

void core_agree_init(struct core_agree *a, u8 me, u32 timeout_ms);

/**
 * core_agree_begin() - propose a change
 * @t:		target, mask and val, or user_size and dds_flags; tid random, not 0
 * @resize:	a resize from @current_size
 * @ready:	this node has agreed already; else AGREE_CHECK asks
 *
 * The caller has checked that the change is possible here. False if another
 * transaction is at hand: AGREE_IDLE tells when there is none.
 */
bool core_agree_begin(struct core_agree *a, const struct wire_twopc *t, u16 vnr,
		      bool resize, u64 current_size, bool ready);

/* The answer to AGREE_CHECK. For a connect it is to come when the handshake has
 * decided. @result: why it is not YES; matters to the initiator only. */
void core_agree_checked(struct core_agree *a, enum core_agree_verdict v, s32 result);

/* The requester was interrupted. */
void core_agree_cancel(struct core_agree *a, s32 result);

/* P_TWOPC_PREPARE, PREP_RSZ, COMMIT, ABORT; YES, NO, RETRY from node @from. */
void core_agree_packet(struct core_agree *a, u8 from, u16 cmd, u16 vnr,
		       const struct wire_twopc *t);
void core_agree_reply(struct core_agree *a, u8 from, u16 cmd,
		      const struct wire_twopc_reply *r);

/* The connection to @node is lost; a->linked is without it already. */
void core_agree_lost(struct core_agree *a, u8 node);

/* The timer has run out. */
void core_agree_timer(struct core_agree *a);

/* How long to wait before another try: up to @unit_ms for each connection, twice as
 * much after each try, 32 times at most. */
u32 core_agree_backoff_ms(u32 unit_ms, u32 connections, u32 tries, u32 random);

/* May all these be Primary at once (4.4)? RES_SUCCESS, or why not. */
s32 core_agree_primaries(const struct core_agree *a, u64 primaries, u64 weak, bool new_primary);

#endif
