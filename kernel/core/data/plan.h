/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * data/plan.h - the I/O plan: what the control half tells the data half.
 *
 * One per device, immutable once published. Writes read it under the log lock
 * (drbd_log_publish() is the only way to exchange it), reads under RCU. Nothing
 * in the data half looks at a state; it looks here.
 *
 * The leg predicates (behaviour.md 11.2) are the control half's; each disk state
 * of a peer gives exactly one of the three legs.
 */
#ifndef DRBD_CORE_DATA_PLAN_H
#define DRBD_CORE_DATA_PLAN_H

#include "../base.h"

enum plan_leg {
	PLAN_NOTHING,		/* the write is only marked in the bitmap */
	PLAN_DATA,
	PLAN_NOTICE,		/* out-of-sync notice once the bit is set */
};

enum plan_admission {
	PLAN_OPEN,
	PLAN_PARK,		/* wait on the device, in order */
	PLAN_FAIL,		/* end it with io_plan.error */
	PLAN_NEW_GENERATION,	/* park, and raise "generation needed" */
};

/* What becomes of a write all legs of which have ended (DESIGN 2.2). */
enum plan_completion {
	PLAN_COMPLETE,		/* success if any leg is good */
	PLAN_COMPLETE_FAIL,	/* end it with io_plan.error (no quorum) */
	PLAN_COMPLETE_HOLD,	/* not yet: drbd_log_release() will */
	PLAN_COMPLETE_PARK,	/* the data are lost: give it back, to be made again when they come */
};

enum plan_read {
	PLAN_READ_LOCAL,	/* local disk is UpToDate */
	PLAN_READ_CLEAN,	/* local if no bit is set for the range, else remote */
	PLAN_READ_REMOTE,	/* no usable local disk */
};

/* Which one if both are possible (disk option read-balancing). */
enum plan_balance {
	PLAN_PREFER_LOCAL = 0,
	PLAN_PREFER_REMOTE = 1,
	PLAN_ROUND_ROBIN = 2,
	PLAN_LEAST_PENDING = 3,
	PLAN_WHEN_CONGESTED = 4,
	PLAN_STRIPE_32K = 5,
	PLAN_STRIPE_1M = 10,
};

/* Zero-outs and discards toward a peer, by features (wire.md 6.3). */
enum plan_discard {
	PLAN_DISCARD_NONE,	/* the peer knows no P_TRIM */
	PLAN_DISCARD_TRIM,	/* all of them as P_TRIM */
	PLAN_DISCARD_FULL,	/* P_TRIM and P_ZEROES */
};

/* Whether a peer that cannot keep up is left behind (behaviour.md 11.9). */
enum plan_congestion {
	PLAN_CONGESTION_IGNORE,	/* writes wait */
	PLAN_CONGESTION_WATCH,	/* tell when a limit is reached */
	PLAN_CONGESTION_AHEAD,	/* it is behind: what it still owes must not stop anybody */
};

struct plan_peer {
	u8 leg;			/* enum plan_leg */
	u8 protocol;		/* of a data leg: 1 = A, 2 = B, 3 = C */
	u8 may_set_in_sync;	/* SyncSource..PausedSyncT with this peer */
	u8 read;		/* remote reads may go there (UpToDate) */
	u8 discard;		/* enum plan_discard */
	s8 slot;		/* bitmap slot, -1 = none */
	/* what is done for the peer's packets */
	u8 serve_read;		/* its reads: our disk is UpToDate */
	u8 serve_resync;	/* its resync requests; before the start is finished an
				 * answer could lose an out-of-sync notice (wire.md 7.5) */
	u8 clear_in_sync;	/* its writes with "may set in sync" clear bits here */
	u8 track;		/* its own disk is gone: what it writes is out of sync there,
				 * and needs our activity log (behaviour.md 13.1) */
	u8 request_resync;	/* we are target: ask for blocks */
	u8 serve_verify;	/* its verify requests */
	u8 request_verify;	/* we are VerifyS: ask for digests */
	u8 conflicts;		/* its writes that meet ours: enum range_conflicts */
	u8 congestion;		/* enum plan_congestion */
	u32 congestion_fill;	/* sectors in flight that are too many; 0 = no limit */
	u32 congestion_extents;	/* of the activity log, with writes in flight */
};

struct io_plan {
	u64 generation;		/* counts publications of this device */
	u64 capacity;		/* sectors */
	u8 write_admission, read_admission;	/* enum plan_admission */
	u8 completion;		/* enum plan_completion */
	u8 read_rule;		/* enum plan_read */
	u8 balance;		/* enum plan_balance */
	u8 local_disk;		/* writes have a local leg */
	u8 al_enabled;		/* writes need their extents hot */
	u8 nr_peers;		/* peer[] entries in use; index = connection's place in the log */
	s16 error;		/* negative errno for the FAIL verdicts */
	u32 max_discard;		/* bytes; 0 = not every side can */
	u32 max_zeroes;			/* the same for write-zeroes */
	u32 slot_mask;		/* all bitmap slots that exist, unallocated ones too */
	struct plan_peer peer[CORE_MAX_PEERS];
};

/* Whether reads are for the local disk, whatever they are and however busy it is. */
static inline bool drbd_plan_reads_local(const struct io_plan *plan)
{
	return plan->read_admission == PLAN_OPEN && plan->read_rule == PLAN_READ_LOCAL &&
	       plan->balance == PLAN_PREFER_LOCAL;
}

/* A read's way: local, or the index of a peer. */
#define PLAN_READ_FROM_LOCAL (-1)
#define PLAN_READ_FROM_NOBODY (-2)

/*
 * Chooses the path of a read. @clean: no bit is set for the range (looked at
 * only with PLAN_READ_CLEAN). @tried_local, @tried_peers: paths that failed
 * already. @turn: a counter for round robin; @local_pending, @remote_pending
 * for least-pending. No lock but what keeps @plan alive.
 */
int drbd_plan_read_path(const struct io_plan *plan, u64 sector, bool clean,
			bool tried_local, u32 tried_peers, u32 turn,
			u32 local_pending, u32 remote_pending);

#endif
