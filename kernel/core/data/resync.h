/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * data/resync.h - one resync: passes of the target over its bitmap slot, and
 * when it is finished.
 *
 * Lock: the bitmap lock of the device, around every function; so "a bit became
 * set behind the position" and "what is next" cannot miss each other.
 *
 * Specification: behaviour.md 14.3, 14.7; wire.md 7.4, 7.5.
 */
#ifndef DRBD_CORE_DATA_RESYNC_H
#define DRBD_CORE_DATA_RESYNC_H

#include "../base.h"
#include "bitmap.h"
#include "rate.h"

struct resync_pass {
	struct bitmap *bm;
	u32 slot;
	bool active;
	bool target;		/* we ask; else we only count */
	bool aborted;
	bool again;		/* bits behind the position: another pass */
	bool finished;
	u64 position;		/* next bit to look at */
	u64 failed;		/* bits that could not be synced: they stay set */
	u64 same;		/* bits with equal checksums */
	u32 requests;		/* in flight */
	u64 in_flight_sectors;
	struct progress progress;
};

enum resync_next {
	RESYNC_REQUEST,		/* ask for this range; then drbd_resync_requested() */
	RESYNC_BUDGET,		/* the budget is used up */
	RESYNC_WAIT,		/* nothing to ask for now, answers are out */
	RESYNC_FINISHED,	/* nothing set but failed blocks, nothing in flight */
};

/* Starts over @slot, from its first bit. */
void drbd_resync_start(struct resync_pass *p, struct bitmap *bm, u32 slot, bool target, u64 now);
/* The peer was ahead of us and is no longer: all over again. What was asked for before
 * may still come. */
void drbd_resync_restart(struct resync_pass *p, u64 now);
/*
 * The next request: adjacent set bits, aligned to its own power of two size,
 * at most @max_bytes and @budget sectors (at least one block), clipped to the
 * end of the device.
 */
enum resync_next drbd_resync_next(struct resync_pass *p, u32 budget, u32 max_bytes,
				  u64 *sector, u32 *size);
void drbd_resync_requested(struct resync_pass *p, u64 sector, u32 size);

enum resync_result {
	RESYNC_WRITTEN,		/* written and acked: clear the bits */
	RESYNC_EQUAL,		/* checksums equal: clear the bits */
	RESYNC_FAILED,		/* stays set, counts as failed */
	RESYNC_CANCELLED,	/* ask again later */
};
/*
 * A request ended, or on the source an answer was acked. Clears the bits where
 * that is due; returns how many changed. Requests of the target are counted
 * down by this, once each.
 */
u64 drbd_resync_done(struct resync_pass *p, u64 sector, u32 size, enum resync_result result);
/* Bits [first, ...] became set: the pass must come by again. */
void drbd_resync_bits_set(struct resync_pass *p, u64 first, u64 changed);
/* No more requests; finished as soon as nothing is in flight. */
void drbd_resync_abort(struct resync_pass *p);
/* Bits left: out of sync minus failed. */
u64 drbd_resync_left(const struct resync_pass *p);
bool drbd_resync_is_finished(const struct resync_pass *p);

#endif
