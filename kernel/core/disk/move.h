/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * disk/move.h - metadata of a device in use that gets another size or place.
 *
 * Which steps in which order, so that a crash between any two leaves metadata
 * that are right, or that ask for a full sync. Specification: metadata.md 4.3.
 */
#ifndef DRBD_CORE_DISK_MOVE_H
#define DRBD_CORE_DISK_MOVE_H

#include "layout.h"

/*
 * Each step is stable on the disk before the next one begins. All write to the
 * new place. What the bitmap and the log are is the caller's: they stay in
 * memory all the time.
 */
enum md_move_step {
	MD_MOVE_MARK,		/* a superblock that asks for a full sync: drbd_md_move_mark() */
	MD_MOVE_RING,		/* the whole ring of the activity log, with what is hot */
	MD_MOVE_BITMAP,		/* all of the bitmap */
	MD_MOVE_CHANGED,	/* those pages of it that differ from the disk */
	MD_MOVE_SUPERBLOCK,	/* what counts from here on */
};

#define MD_MOVE_STEPS 4u

/* The steps from one layout to another; returns how many. */
u32 drbd_md_move_steps(const struct md_layout *from, const struct md_layout *to,
		       u8 steps[MD_MOVE_STEPS]);

/* Nothing but the superblock itself is to be believed of these metadata. */
void drbd_md_move_mark(struct md_superblock *sb);

/* Writes into @sb where its metadata lie. */
void drbd_md_move_place(struct md_superblock *sb, const struct md_layout *to);

#endif
