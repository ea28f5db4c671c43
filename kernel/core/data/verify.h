/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * data/verify.h - an online verify: which block is compared next, what was
 * found, and when it is finished.
 *
 * The node that was told to verify (VerifyS) asks for one block of its bitmap
 * after the other, in ascending order; the other one (VerifyT) counts along. A
 * block that differs is set in the slot of the peer, on both nodes, and never
 * repaired by this. Findings in a row are told as one range.
 *
 * Nothing is compared twice: from its request to its result a block is locked
 * against writes on both sides (extent.h), so a second look would see the same.
 *
 * Lock: the bitmap lock of the device, around every function.
 *
 * Specification: behaviour.md 16; wire.md 7.8.
 */
#ifndef DRBD_CORE_DATA_VERIFY_H
#define DRBD_CORE_DATA_VERIFY_H

#include "../base.h"
#include "bitmap.h"
#include "rate.h"

#define VERIFY_TO_THE_END (~0ull)

struct verify_run {
	struct bitmap *bm;
	u32 slot;
	bool active;
	bool requester;		/* VerifyS; else we count along */
	bool begun;		/* VerifyT: the first request has said where */
	u64 first, end;		/* bits; end is behind the last one */
	u64 position;		/* next bit to ask for */
	u64 left;		/* bits without a result */
	u64 found;		/* bits that differ */
	u64 skipped;		/* bits that could not be compared */
	u32 requests;		/* VerifyS: in flight */
	u64 run_sector, run_sectors;	/* findings in a row, not told yet */
	struct progress progress;
};

/* Sectors in a row that differ. */
struct verify_range {
	u64 sector, sectors;
};

enum verify_next {
	VERIFY_REQUEST,		/* ask for this block; then drbd_verify_requested() */
	VERIFY_BUDGET,		/* the budget is used up */
	VERIFY_WAIT,		/* all is asked for, answers are out */
	VERIFY_FINISHED,
};

enum verify_result {
	VERIFY_SAME,
	VERIFY_DIFFERS,
	VERIFY_SKIPPED,
};

/* Blocks from the one that holds sector @start up to sector @stop, or to the end. */
void drbd_verify_start(struct verify_run *v, struct bitmap *bm, u32 slot, bool requester,
		       u64 start, u64 stop, u64 now);
/* @budget in sectors: a block costs its size, the last one may exceed what is left. */
enum verify_next drbd_verify_next(struct verify_run *v, u32 budget, u64 *sector, u32 *size);
void drbd_verify_requested(struct verify_run *v);
/* VerifyT: a request came. False: the first one lies behind the device's end. */
bool drbd_verify_asked(struct verify_run *v, u64 sector, u64 now);
/*
 * A result is known. Sets the bits of a block that differs; returns how many
 * changed. If a row of findings ends with it, *@row says which (else
 * row->sectors is 0).
 */
u64 drbd_verify_result(struct verify_run *v, u64 sector, u32 size, enum verify_result result,
		       struct verify_range *row);
/* The end, good or not: the last row, as above. */
void drbd_verify_stop(struct verify_run *v, struct verify_range *row);
/* Nothing is left to compare. */
bool drbd_verify_is_finished(const struct verify_run *v);

#endif
