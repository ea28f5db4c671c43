// SPDX-License-Identifier: GPL-2.0-only
/*
 * data/resync.c - passes of a resync target.
 *
 * A pass goes once over the slot. Whatever could not be settled in it (requests
 * that were cancelled, bits that became set behind the position) is left to the
 * next pass, which begins when nothing is in flight any more: so a block is
 * never asked for twice at a time.
 */
#include "resync.h"

void drbd_resync_start(struct resync_pass *p, struct bitmap *bm, u32 slot, bool target, u64 now)
{
	memset(p, 0, sizeof(*p));
	p->bm = bm;
	p->slot = slot;
	p->active = true;
	p->target = target;
	drbd_progress_start(&p->progress, bm->weight[slot], now);
}

void drbd_resync_restart(struct resync_pass *p, u64 now)
{
	p->position = 0;
	p->finished = p->again = p->aborted = false;
	p->failed = p->same = 0;
	drbd_progress_start(&p->progress, p->bm->weight[p->slot], now);
}

static u32 block_sectors(const struct resync_pass *p)
{
	return 1u << (p->bm->shift - SECTOR_BITS);
}

/* Blocks from @bit on that make one request: a power of two, aligned to itself. */
static u32 grow(const struct resync_pass *p, u64 bit, u32 most)
{
	u32 n = 1;

	while (n * 2 <= most && !(bit & (n * 2 - 1)) && bit + n * 2 <= p->bm->bits &&
	       drbd_bitmap_next_clear(p->bm, p->slot, bit + n, bit + n * 2 - 1) == BITMAP_NONE)
		n *= 2;
	return n;
}

enum resync_next drbd_resync_next(struct resync_pass *p, u32 budget, u32 max_bytes,
				  u64 *sector, u32 *size)
{
	u32 block = block_sectors(p), most;
	u64 bit = BITMAP_NONE;

	/* bits may have been set since, however that was */
	if (p->finished && (p->aborted || p->failed || !p->bm->weight[p->slot]))
		return RESYNC_FINISHED;
	if (!p->aborted && p->bm->bits)
		bit = drbd_bitmap_next_set(p->bm, p->slot, p->position, p->bm->bits - 1);
	if (bit == BITMAP_NONE && p->requests)
		return RESYNC_WAIT;
	if (bit == BITMAP_NONE && !p->aborted && !p->failed && p->bm->weight[p->slot]) {
		p->position = 0;
		p->again = false;
		bit = drbd_bitmap_next_set(p->bm, p->slot, 0, p->bm->bits - 1);
	}
	if (bit == BITMAP_NONE) {
		p->finished = true;
		return RESYNC_FINISHED;
	}
	if (!budget)
		return RESYNC_BUDGET;

	most = max(max_bytes >> p->bm->shift, 1u);
	most = min(most, max(budget / block, 1u));
	*sector = bit * block;
	*size = (u32)min((u64)grow(p, bit, most) * block, p->bm->capacity - *sector) *
		SECTOR_BYTES;
	return RESYNC_REQUEST;
}

void drbd_resync_requested(struct resync_pass *p, u64 sector, u32 size)
{
	u64 first, last;

	p->requests++;
	p->in_flight_sectors += size / SECTOR_BYTES;
	if (drbd_bitmap_bits_out(p->bm, sector, size, &first, &last))
		p->position = last + 1;
}

u64 drbd_resync_done(struct resync_pass *p, u64 sector, u32 size, enum resync_result result)
{
	u64 first, last, changed = 0;

	if (p->target && core_check(p->requests)) {
		p->requests--;
		p->in_flight_sectors -= size / SECTOR_BYTES;
	}
	switch (result) {
	case RESYNC_WRITTEN:
	case RESYNC_EQUAL:
		if (drbd_bitmap_bits_in(p->bm, sector, size, &first, &last))
			changed = drbd_bitmap_clear(p->bm, p->slot, first, last);
		if (result == RESYNC_EQUAL)
			p->same += changed;
		break;
	case RESYNC_FAILED:
		if (drbd_bitmap_bits_out(p->bm, sector, size, &first, &last))
			p->failed += drbd_bitmap_count(p->bm, p->slot, first, last);
		break;
	case RESYNC_CANCELLED:
		p->again = true;
		break;
	}
	return changed;
}

void drbd_resync_bits_set(struct resync_pass *p, u64 first, u64 changed)
{
	if (!p->active)
		return;
	drbd_progress_more(&p->progress, changed);
	if (first < p->position)
		p->again = true;
	if (changed && !p->aborted)
		p->finished = false;
}

void drbd_resync_abort(struct resync_pass *p)
{
	p->aborted = true;
}

u64 drbd_resync_left(const struct resync_pass *p)
{
	u64 weight = p->bm->weight[p->slot];

	return weight > p->failed ? weight - p->failed : 0;
}

bool drbd_resync_is_finished(const struct resync_pass *p)
{
	return !p->requests && (p->finished || p->aborted || !p->bm->weight[p->slot]);
}
