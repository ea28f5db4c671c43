// SPDX-License-Identifier: GPL-2.0-only
/*
 * data/discard.c - the whole granules of a discard.
 */
#include "discard.h"

void drbd_discard_split(const struct discard_ability *a, u64 sector, u64 sectors,
			struct discard_parts *out)
{
	u64 g = max(a->granularity, 1u), end = sector + sectors, first, last;

	out->middle = end;
	out->discard = 0;
	if (!a->can)
		return;
	/* counted from the alignment; what lies before it belongs to no granule */
	first = sector > a->alignment ? core_div_up(sector - a->alignment, g) * g + a->alignment
				      : a->alignment;
	if (end < a->alignment)
		return;
	last = core_div64(end - a->alignment, g) * g + a->alignment;
	if (first >= last)
		return;
	out->middle = first;
	out->discard = last - first;
}
