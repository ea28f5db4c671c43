/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * data/notice.h - out-of-sync notices that wait to be sent to one peer.
 *
 * Bounded and coalescing. When it is full, a notice becomes a larger range with
 * "scan": the sender then announces the bits that are set in it, read from the
 * bitmap at that moment. Each remembers the position of its write; it must not
 * be sent before the connection's cursor has passed that (State(Ahead) first).
 *
 * Lock: the log lock.
 *
 * Specification: wire.md 6.9, 7.9; DESIGN 2.2.
 */
#ifndef DRBD_CORE_DATA_NOTICE_H
#define DRBD_CORE_DATA_NOTICE_H

#include "../base.h"
#include "bitmap.h"

#define NOTICE_MAX 64u
#define NOTICE_MAX_BYTES (1u << 20)	/* what a receiver accepts in one packet */

struct notice {
	u64 sector;
	u64 sectors;
	u64 position;
	bool scan;
};

struct notice_set {
	u32 first, count;	/* ring */
	struct notice item[NOTICE_MAX];
};

void drbd_notice_init(struct notice_set *s);
void drbd_notice_add(struct notice_set *s, u64 sector, u32 size, u64 position);
static inline bool drbd_notice_empty(const struct notice_set *s)
{
	return !s->count;
}
/*
 * Takes off the next range of at most NOTICE_MAX_BYTES whose write is before
 * @cursor. False if there is none. Under the log lock and, for scans, the bitmap
 * lock inside it.
 */
bool drbd_notice_next(struct notice_set *s, const struct bitmap *bm, u32 slot,
		      u64 cursor, u64 *sector, u32 *size);

#endif
