// SPDX-License-Identifier: GPL-2.0
#include "board.h"

/* Who goes first of these two; NULL at the end of the chain. */
static const struct board_entry *before(const struct board_entry *e, board_find find, void *arg)
{
	return e->after < 0 ? NULL : find(arg, (u32)e->after);
}

bool drbd_board_waits(const struct board_entry *e, board_find find, void *arg)
{
	u32 n;

	for (n = 0; n < BOARD_CHAIN; n++) {
		e = before(e, find, arg);
		if (!e || !e->disk)
			return false;
		if (e->busy)
			return true;
	}
	return false;
}

bool drbd_board_circle(u32 minor, s32 after, board_find find, void *arg)
{
	const struct board_entry *e;
	u32 n;

	for (n = 0; n < BOARD_CHAIN; n++) {
		if (after < 0)
			return false;
		if ((u32)after == minor)
			return true;
		e = find(arg, (u32)after);
		if (!e)
			return false;
		after = e->after;
	}
	return true;
}
