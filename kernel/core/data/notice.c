// SPDX-License-Identifier: GPL-2.0-only
/*
 * data/notice.c - out-of-sync notices on their way to a peer.
 */
#include "notice.h"

static struct notice *at(struct notice_set *s, u32 i)
{
	return &s->item[(s->first + i) % NOTICE_MAX];
}

void drbd_notice_init(struct notice_set *s)
{
	memset(s, 0, sizeof(*s));
}

/* Sectors of the range that holds both. */
static u64 span(const struct notice *n, u64 sector, u64 sectors, u64 *first)
{
	u64 end = max(n->sector + n->sectors, sector + sectors);

	*first = min(n->sector, sector);
	return end - *first;
}

/* The newest one that touches the range, so that rewriting a block or writing on
 * costs no room. */
static struct notice *touching(struct notice_set *s, u64 sector, u64 sectors)
{
	u32 i;

	for (i = s->count; i-- > 0;) {
		struct notice *n = at(s, i);

		if (sector <= n->sector + n->sectors && n->sector <= sector + sectors)
			return n;
	}
	return NULL;
}

/* The one that grows least by taking the range in. */
static struct notice *nearest(struct notice_set *s, u64 sector, u64 sectors)
{
	struct notice *best = at(s, 0);
	u64 best_growth = ~0ull, first;
	u32 i;

	for (i = 0; i < s->count; i++) {
		struct notice *n = at(s, i);
		u64 growth = span(n, sector, sectors, &first) - n->sectors;

		if (growth < best_growth) {
			best_growth = growth;
			best = n;
		}
	}
	return best;
}

void drbd_notice_add(struct notice_set *s, u64 sector, u32 size, u64 position)
{
	u64 sectors = (size + SECTOR_BYTES - 1) / SECTOR_BYTES, first;
	struct notice *n;

	if (!sectors)
		return;
	n = touching(s, sector, sectors);
	if (!n && s->count < NOTICE_MAX) {
		n = at(s, s->count++);
		n->sector = sector;
		n->sectors = sectors;
		n->position = position;
		n->scan = false;
		return;
	}
	if (!n) {
		n = nearest(s, sector, sectors);
		/* Blocks between the two are not known to differ: look. */
		n->scan = true;
	}
	sectors = span(n, sector, sectors, &first);
	n->sector = first;
	n->sectors = sectors;
	n->position = max(n->position, position);
}

static void drop_front(struct notice *n, u64 upto)
{
	u64 end = n->sector + n->sectors;

	n->sector = min(upto, end);
	n->sectors = end - n->sector;
}

/* The first run of set bits in the notice; false if there is none left. */
static bool scan(struct notice *n, const struct bitmap *bm, u32 slot, u64 *sector, u32 *size)
{
	u32 shift = bm->shift - SECTOR_BITS;
	u64 first, last, end;

	if (!drbd_bitmap_bits_out(bm, n->sector, n->sectors * SECTOR_BYTES, &first, &last))
		return false;
	first = drbd_bitmap_next_set(bm, slot, first, last);
	if (first == BITMAP_NONE)
		return false;
	end = drbd_bitmap_next_clear(bm, slot, first, last);
	if (end == BITMAP_NONE)
		end = last + 1;
	end = min(end, first + (NOTICE_MAX_BYTES >> bm->shift));
	*sector = first << shift;
	*size = (u32)(min(end << shift, bm->capacity) - *sector) * SECTOR_BYTES;
	drop_front(n, end << shift);
	return true;
}

bool drbd_notice_next(struct notice_set *s, const struct bitmap *bm, u32 slot,
		      u64 cursor, u64 *sector, u32 *size)
{
	while (s->count) {
		struct notice *n = at(s, 0);
		bool found = false;

		if (n->position >= cursor)
			return false;
		if (n->scan) {
			found = scan(n, bm, slot, sector, size);
			if (!found)
				n->sectors = 0;
		} else if (n->sectors) {
			*sector = n->sector;
			*size = (u32)min(n->sectors, (u64)NOTICE_MAX_BYTES / SECTOR_BYTES) *
				SECTOR_BYTES;
			drop_front(n, n->sector + *size / SECTOR_BYTES);
			found = true;
		}
		if (!n->sectors) {
			s->first = (s->first + 1) % NOTICE_MAX;
			s->count--;
		}
		if (found)
			return true;
	}
	return false;
}
