/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * data/discard.h - how a discard is carried out on a backing device.
 *
 * All replicas must read the same afterwards, whatever their devices do with
 * what they cannot discard. So only whole granules are discarded, which then
 * read zeroes, and what is left at both ends is zeroed.
 *
 * No lock. Specification: behaviour.md 11.7.
 */
#ifndef DRBD_CORE_DATA_DISCARD_H
#define DRBD_CORE_DATA_DISCARD_H

#include "../base.h"

/* What a backing device can do. */
struct discard_ability {
	bool can;		/* it takes discards, and option discard-zeroes-if-aligned is on */
	u32 granularity;	/* sectors; 0 counts as 1 */
	u32 alignment;		/* sectors: where the first granule begins */
};

/* [sector, middle) and [middle + discard, sector + sectors) are to be zeroed. */
struct discard_parts {
	u64 middle;
	u64 discard;		/* sectors to discard from there on */
};

void drbd_discard_split(const struct discard_ability *a, u64 sector, u64 sectors,
			struct discard_parts *out);

#endif
