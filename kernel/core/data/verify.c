// SPDX-License-Identifier: GPL-2.0-only
/*
 * data/verify.c - the walk of an online verify.
 */
#include "verify.h"

static u32 sector_shift(const struct verify_run *v)
{
	return v->bm->shift - SECTOR_BITS;
}

static void set_span(struct verify_run *v, u64 start, u64 stop, u64 now)
{
	u64 last_bits = v->bm->bits;

	v->first = min(start >> sector_shift(v), last_bits);
	v->end = last_bits;
	if (stop < v->bm->capacity)
		v->end = max(core_div_up(stop, 1u << sector_shift(v)), v->first);
	v->position = v->first;
	v->left = v->end - v->first;
	drbd_progress_start(&v->progress, v->left, now);
}

void drbd_verify_start(struct verify_run *v, struct bitmap *bm, u32 slot, bool requester,
		       u64 start, u64 stop, u64 now)
{
	memset(v, 0, sizeof(*v));
	v->bm = bm;
	v->slot = slot;
	v->active = true;
	v->requester = requester;
	set_span(v, start, stop, now);
}

enum verify_next drbd_verify_next(struct verify_run *v, u32 budget, u64 *sector, u32 *size)
{
	u32 block = 1u << sector_shift(v);

	if (!v->active || v->position >= v->end)
		return v->requests ? VERIFY_WAIT : VERIFY_FINISHED;
	if (!budget)
		return VERIFY_BUDGET;
	*sector = v->position << sector_shift(v);
	*size = (u32)min((u64)block, v->bm->capacity - *sector) * SECTOR_BYTES;
	return VERIFY_REQUEST;
}

void drbd_verify_requested(struct verify_run *v)
{
	v->position++;
	v->requests++;
}

bool drbd_verify_asked(struct verify_run *v, u64 sector, u64 now)
{
	if (sector >= v->bm->capacity)
		return false;
	if (!v->begun)
		set_span(v, sector, VERIFY_TO_THE_END, now);
	v->begun = true;
	v->position = max(v->position, (sector >> sector_shift(v)) + 1);
	return true;
}

static void take_row(struct verify_run *v, struct verify_range *row)
{
	row->sector = v->run_sector;
	row->sectors = v->run_sectors;
	v->run_sectors = 0;
}

/* Lengthens the row of findings by this block, or begins the next one. */
static void add_finding(struct verify_run *v, u64 sector, u64 sectors, struct verify_range *row)
{
	if (v->run_sectors && v->run_sector + v->run_sectors != sector)
		take_row(v, row);
	if (!v->run_sectors)
		v->run_sector = sector;
	v->run_sectors += sectors;
}

u64 drbd_verify_result(struct verify_run *v, u64 sector, u32 size, enum verify_result result,
		       struct verify_range *row)
{
	u64 first, last, bits, changed = 0;

	memset(row, 0, sizeof(*row));
	if (!drbd_bitmap_bits_out(v->bm, sector, size, &first, &last))
		return 0;
	bits = last - first + 1;
	if (result == VERIFY_DIFFERS) {
		changed = drbd_bitmap_set(v->bm, v->slot, first, last);
		v->found += bits;
		add_finding(v, sector, size / SECTOR_BYTES, row);
	} else if (v->run_sectors) {
		take_row(v, row);
	}
	if (result == VERIFY_SKIPPED)
		v->skipped += bits;
	v->left -= min(v->left, bits);
	if (v->requester && v->requests)
		v->requests--;
	return changed;
}

void drbd_verify_stop(struct verify_run *v, struct verify_range *row)
{
	take_row(v, row);
	v->active = false;
}

bool drbd_verify_is_finished(const struct verify_run *v)
{
	if (v->requester)
		return v->position >= v->end && !v->requests;
	return v->begun && !v->left;
}
