/* SPDX-License-Identifier: GPL-2.0 */
/*
 * resync-after: devices of a node that share a disk or a line take turns. What each
 * device shows to the others stands on one board; who has to wait is read off it.
 *
 * Pure functions over entries that the caller finds; its lock keeps them still.
 */
#ifndef CORE_STATE_BOARD_H
#define CORE_STATE_BOARD_H

#include "../base.h"

struct board_entry {
	u32 minor;
	s32 after;		/* minor that goes first, -1 = none */
	bool disk;		/* a device without one lets others go */
	bool busy;		/* resync or verify runs, or would if it were not paused */
};

typedef const struct board_entry *(*board_find)(void *arg, u32 minor);

#define BOARD_CHAIN 4096u	/* longer chains are taken for a circle */

/* May the device of this entry not resync now? behaviour.md 14.10 */
bool drbd_board_waits(const struct board_entry *e, board_find find, void *arg);
/* Would the device wait for itself, directly or not, if it came after @after? */
bool drbd_board_circle(u32 minor, s32 after, board_find find, void *arg);

#endif
