// SPDX-License-Identifier: GPL-2.0-only
/*
 * disk/move.c - in what order metadata go to another place.
 *
 * A superblock is found where the device ends, or where it was noted to have
 * ended before. So as long as the new place has none, the old metadata count; they
 * stay whole if the two places do not touch each other.
 */
#include "move.h"

static bool same_place(const struct md_layout *a, const struct md_layout *b)
{
	return a->sb_sector == b->sb_sector && a->al_sector == b->al_sector &&
	       a->bm_sector == b->bm_sector && a->al_sectors == b->al_sectors;
}

static bool touch(const struct md_layout *a, const struct md_layout *b)
{
	return a->first_sector <= b->last_sector && b->first_sector <= a->last_sector;
}

u32 drbd_md_move_steps(const struct md_layout *from, const struct md_layout *to,
		       u8 steps[MD_MOVE_STEPS])
{
	u32 n = 0;

	if (same_place(from, to)) {
		steps[n++] = MD_MOVE_CHANGED;
	} else {
		if (touch(from, to))
			steps[n++] = MD_MOVE_MARK;
		steps[n++] = MD_MOVE_RING;
		steps[n++] = MD_MOVE_BITMAP;
	}
	steps[n++] = MD_MOVE_SUPERBLOCK;
	return n;
}

void drbd_md_move_mark(struct md_superblock *sb)
{
	u32 i;

	/* without this mark nobody replays a log that is not there yet */
	if (sb->flags & MDF_PRIMARY_IND)
		sb->flags |= MDF_CRASHED_PRIMARY;
	sb->flags &= ~(u32)MDF_PRIMARY_IND;
	sb->flags |= MDF_AL_DISABLED;
	for (i = 0; i < MD_MAX_PEERS; i++)
		sb->peer[i].flags |= MDF_PEER_FULL_SYNC;
}

void drbd_md_move_place(struct md_superblock *sb, const struct md_layout *to)
{
	sb->md_size_sect = to->md_size_sect;
	sb->al_offset = to->al_offset;
	sb->bm_offset = to->bm_offset;
}
