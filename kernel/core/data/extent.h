/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * data/extent.h - who may touch which blocks now: range reservations, and the
 * slots of the activity log.
 *
 * LOCK: the device's extent lock (spinning, interrupts off), around every
 * function. Order: extent lock > log lock > bitmap lock.
 *
 * Ranges. Every write reserves its blocks before it goes to the backend, so
 * that two overlapping ones are never there at once. First come, first served:
 * a range that has to wait blocks later ones that overlap it, therefore nobody
 * starves and there is no cycle. Classes decide who excludes whom. A peer write
 * reserves at reception; a resync target reserves RANGE_RESYNC_REQUEST when it
 * asks and RANGE_RESYNC_WRITE when the reply came; a source holds
 * RANGE_RESYNC_READ from before its read until the target's ack.
 *
 * Two Primaries. A write of the application counts from the moment it enters
 * the transfer log: then the peer will get it. One that only waits, or is being
 * made hot, is overtaken by overlapping writes of the peer; it keeps its place
 * before all others, but lets those pass. One that has entered stands. Of the two nodes the one with the
 * resolve-conflicts role says of each write of the peer that meets one of its
 * own, which the peer has not answered yet: it is superseded (ours covers it), or
 * the peer has to try again. The other node keeps the peer's write until its own
 * is decided. So each pair of overlapping writes has the same order on both disks
 * (wire.md 6.8): the deciding node's first, if it had entered when the other came.
 *
 * Activity log. Before a write reaches the backend its 4 MiB extents must be
 * recorded as hot on stable storage. drbd_al_get() is the fast path;
 * otherwise the device's one submit work collects extents with
 * drbd_al_prepare(), writes one transaction for all of them
 * (drbd_al_commit_begin(), pages of evicted extents, block, drbd_al_committed())
 * and goes on with the writes that waited.
 *
 * Specification: behaviour.md 11.6, 13.1, 14.4; metadata.md 5.
 */
#ifndef DRBD_CORE_DATA_EXTENT_H
#define DRBD_CORE_DATA_EXTENT_H

#include "../base.h"
#include "../disk/alblock.h"

struct xfer_log;

/* -- ranges -- */

enum range_class {
	RANGE_APP_WRITE,
	RANGE_PEER_WRITE,
	RANGE_RESYNC_REQUEST,	/* target, from asking to the end of the write */
	RANGE_RESYNC_WRITE,	/* target, from the reply to the end of the write */
	RANGE_RESYNC_READ,	/* source, from before the read to the ack */
	RANGE_VERIFY,		/* never waits, never blocks: is marked "touched" */
	RANGE_NR_CLASSES
};

struct io_range {
	u64 sector;
	u64 sectors;
	void *owner;
	u64 ticket;		/* order of arrival */
	u8 cls;			/* enum range_class */
	bool inserted;
	bool waiting;
	bool touched;		/* the blocks changed meanwhile: a verify is worthless, a
				 * resync request must not clear its bits */
	bool wide;		/* spans more than two extents: kept in one list of its own */
	bool dual;		/* a peer write that overtakes what has not entered the log */
	bool overtaken;		/* by a dual one; for an application write LOCK: log lock */
	u64 position;		/* LOCK: log lock. Of an application write that has entered */
	struct core_node link[2];	/* in the buckets of first and last extent, or the wide list */
	struct core_node wait;	/* on the waiters of the one it waits for, or a list of granted */
	struct core_node waiters;
};

#define RANGE_BUCKETS 64u

struct range_bucket {
	struct core_node first;		/* ranges that begin in an extent of this bucket */
	struct core_node second;	/* ranges that reach into one */
};

struct range_table {
	u64 ticket;
	u32 count, waiting;
	u32 verifies;		/* of them, class RANGE_VERIFY */
	struct range_bucket bucket[RANGE_BUCKETS];
	struct core_node wide;
};

enum range_result {
	RANGE_GRANTED,
	RANGE_WAITS,		/* will come out of a drbd_range_release() */
	/* two Primaries, and we decide; not inserted: */
	RANGE_SUPERSEDED,	/* an application write covers it: answer P_SUPERSEDED */
	RANGE_RETRY,		/* one overlaps it: answer P_RETRY_WRITE */
};

void drbd_range_table_init(struct range_table *t);
void drbd_range_init(struct io_range *r, u8 cls, u64 sector, u32 size, void *owner);
enum range_result drbd_range_reserve(struct range_table *t, struct io_range *r);

/* How a write of the peer meets those of the application here (plan_peer.conflicts). */
enum range_conflicts {
	RANGE_WAIT_IN_TURN,	/* one of the nodes is Secondary: no conflicts to speak of */
	RANGE_FOLLOW,		/* two Primaries, the peer decides */
	RANGE_DECIDE,		/* two Primaries, we decide */
};
/*
 * Reserves for a write of connection @peer among two Primaries (@how: FOLLOW or
 * DECIDE). *@with: the write that it collides with, if it is not granted or
 * waiting. LOCK: the extent lock, and within it the log lock.
 */
enum range_result drbd_range_reserve_dual(struct range_table *t, struct io_range *r,
					  const struct xfer_log *log, u32 peer,
					  enum range_conflicts how, struct io_range **with);
/*
 * Ends a reservation, or takes back a waiting one. Ranges that are granted
 * thereby are put on @granted (through io_range.wait), in order.
 */
void drbd_range_release(struct range_table *t, struct io_range *r,
			struct core_node *granted);
/* The range behind a node of the @granted list. */
static inline struct io_range *drbd_range_of(struct core_node *n)
{
	return container_of(n, struct io_range, wait);
}
/* Does an active or waiting range of one of @classes (bits) overlap? */
bool drbd_range_busy(const struct range_table *t, u32 classes, u64 sector, u64 sectors);

/*
 * Marks overlapping ranges of @classes as touched. A notice (P_OUT_OF_SYNC) that
 * arrives for blocks of a resync request in flight must do this: the reply may
 * be older than the notice, so its end may not clear the bits (call
 * drbd_resync_done() with RESYNC_CANCELLED then).
 */
void drbd_range_touch(struct range_table *t, u32 classes, u64 sector, u64 sectors);

/*
 * An overtaken write of the application, when it wanted to enter: lets all pass that
 * overtook it. They need nothing that it may hold but, if the peer has no disk,
 * extents of the activity log.
 */
enum range_result drbd_range_yield(struct range_table *t, struct io_range *r);
/* @to, initialised and not inserted, takes the place of @from. */
void drbd_range_hand_over(struct range_table *t, struct io_range *from, struct io_range *to,
			  struct core_node *granted);

/* -- activity log -- */

#define AL_HASH_END 0xffffu

struct al_slot {
	u32 new_extent;		/* what it becomes with the pending transaction */
	u32 refs;
	u16 hash_next;
	u8 referenced;		/* second chance */
	u8 pending;		/* part of the pending or running transaction */
};

struct act_log {
	/* caller's memory, nr_slots entries each */
	struct al_slot *slot;
	u32 *extent;		/* as on disk; AL_FREE = unused */
	u16 *hash;		/* hash_size heads */
	u32 hash_size;		/* power of two */
	u32 nr_slots;
	u32 hand;		/* of the second chance clock */
	u32 used;		/* slots with references: "act_log used" */
	u32 total_refs;
	bool committing;
	bool starving;		/* somebody could not get its extents: others queue behind */
	bool failed;		/* a transaction was lost: nothing becomes hot any more */
	/* the transaction being collected */
	u32 n_updates;
	struct al_update update[AL_UPDATES];
	u32 evicted[AL_UPDATES];	/* extents that go cold with it, or AL_FREE */
	/* persistent numbering */
	u32 tr_number;
	u32 context_start;
	u64 transactions;	/* statistics: al: in /proc/drbd */
};

void drbd_al_init(struct act_log *al, struct al_slot *slot, u32 *extent, u32 nr_slots,
		  u16 *hash, u32 hash_size);

/* First and last extent of a request. */
static inline u32 drbd_al_first(u64 sector)
{
	return (u32)(sector >> (AL_EXTENT_SHIFT - SECTOR_BITS));
}
static inline u32 drbd_al_last(u64 sector, u32 size)
{
	return drbd_al_first(sector + ((size ? size : 1) - 1) / SECTOR_BYTES);
}

/*
 * A transaction that changes nothing, for a ring that is written anew: as many as
 * the ring has blocks tell all that is hot. Not between begin and committed.
 * Returns its number.
 */
u32 drbd_al_repeat(struct act_log *al, void *block);

/* Fast path: all extents of [first, last] are hot: takes a reference to each. */
bool drbd_al_get(struct act_log *al, u32 first, u32 last);

/* References beside those that the caller has; also while others wait. */
void drbd_al_get_more(struct act_log *al, u32 first, u32 last);

enum al_prepare {
	AL_READY,		/* hot; references taken */
	AL_PENDING,		/* references taken; valid once the pending transaction is committed */
	AL_BATCH_FULL,		/* does not fit into this transaction: commit, then ask again */
	AL_STARVING,		/* no slot can be freed: wait for a put */
	AL_LOST,		/* the log cannot be written: wait until the disk is gone */
};
/* All or nothing for [first, last]. Called by the device's submit work only. */
enum al_prepare drbd_al_prepare(struct act_log *al, u32 first, u32 last);

/*
 * Begins the commit of what was prepared. False: nothing is pending. Then, in
 * this order, each only if the one before succeeded: write the bitmap pages of
 * al->evicted[]; drbd_al_encode() and write the block at drbd_al_block();
 * drbd_al_committed(). No drbd_al_prepare() in between.
 */
bool drbd_al_commit_begin(struct act_log *al);
/* The transaction block of a commit that has begun, into AL_BLOCK bytes. */
void drbd_al_encode(const struct act_log *al, void *block);
enum al_commit {
	AL_WRITTEN,		/* the block is stable */
	AL_SKIPPED,		/* the log is switched off: nothing was written */
	AL_FAILED,		/* pages or block could not be written: the device fails, the
				 * writes that waited must not reach it, put their references
				 * and go on when the plan is without the disk */
};
void drbd_al_committed(struct act_log *al, enum al_commit how);

/* Drops the references. True if the submit work has to look for starving writes. */
bool drbd_al_put(struct act_log *al, u32 first, u32 last);

bool drbd_al_is_hot(const struct act_log *al, u32 extent);	/* in the log, stable */
bool drbd_al_has_refs(const struct act_log *al, u32 first, u32 last);
/* Empties the log in memory; only without references (al-extents changes). */
bool drbd_al_clear(struct act_log *al);

#endif
