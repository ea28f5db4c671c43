/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * data/bitmap.h - the bitmap of a device: one slot of bits per peer, a bit for
 * each block that may differ from that peer.
 *
 * Memory has the layout of the disk (32-bit little-endian words, slot number
 * fastest), so that reading and writing is page for page. Pages, flags and the
 * struct are the caller's memory.
 *
 * Lock: all operations on a bitmap are called under the device's bitmap lock,
 * unless the comment says otherwise. Operations over long ranges are bounded by
 * the range the caller gives: cut it (BITMAP_BULK_BITS) and drop the lock
 * between the pieces.
 *
 * Specification: behaviour.md 13.3; metadata.md 6.
 */
#ifndef DRBD_CORE_DATA_BITMAP_H
#define DRBD_CORE_DATA_BITMAP_H

#include "../base.h"

#define BITMAP_PAGE 4096u
#define BITMAP_MAX_SLOTS 32u
#define BITMAP_NONE (~0ull)		/* no bit */
#define BITMAP_BULK_BITS (1u << 20)	/* a reasonable piece under the lock */

enum bitmap_page_flag {
	BITMAP_PAGE_SET = 1,	/* bits were set: write before the extent goes cold */
	BITMAP_PAGE_CLEARED = 2,	/* bits were cleared only: may be written lazily */
	BITMAP_PAGE_IO = 4,	/* being written */
};

/* What a bulk operation allows others meanwhile (behaviour.md 13.3). */
enum bitmap_lock {
	BITMAP_FREE = 0,
	BITMAP_NO_CLEAR = 1,	/* clears are ignored: the bit stays, which is safe */
	BITMAP_NO_SET = 2,	/* a set is a bug of the caller, counted; it is done nevertheless */
};

struct bitmap {
	void **page;		/* nr_pages pointers to BITMAP_PAGE bytes */
	u8 *page_flags;		/* nr_pages, enum bitmap_page_flag */
	u32 nr_pages;
	u32 nr_slots;		/* words are interleaved over this many */
	u32 shift;		/* log2 of bytes per bit: 12 */
	u64 bits;		/* per slot, without the tail */
	u64 capacity;		/* sectors of the device */
	u64 weight[BITMAP_MAX_SLOTS];	/* bits set, per slot */
	u8 lock[BITMAP_MAX_SLOTS];	/* enum bitmap_lock */
	u32 violations;		/* sets against BITMAP_NO_SET */
	u64 clears;		/* counts changes that cleared bits, see drbd_bitmap_page_begin() */
	bool dirty;		/* some page has a flag; cleared by the caller */
};

/* Pages needed for @capacity sectors and @nr_slots slots. No lock. */
u32 drbd_bitmap_pages(u64 capacity, u32 nr_slots, u32 shift);

/*
 * Sets up @bm over zeroed or freshly read pages. After reading from disk call
 * drbd_bitmap_recount(). No lock: nobody else knows it yet.
 */
void drbd_bitmap_init(struct bitmap *bm, void **page, u8 *page_flags,
		      u64 capacity, u32 nr_slots, u32 shift);

/*
 * Counts the bits of all slots on pages [first, last], clearing tail bits
 * behind the end of the device. Call it for all pages once, from weight 0.
 */
void drbd_bitmap_recount(struct bitmap *bm, u32 first, u32 last);

/* Bits of a byte range: outward for setting; inward for clearing, where a
 * partial block at the end of the device counts as covered. False if the
 * (inward) range is empty. No lock. */
bool drbd_bitmap_bits_out(const struct bitmap *bm, u64 sector, u64 size, u64 *first, u64 *last);
bool drbd_bitmap_bits_in(const struct bitmap *bm, u64 sector, u64 size, u64 *first, u64 *last);

/*
 * The device gets another size. @page and @page_flags have room for @capacity and
 * begin with what the bitmap has; pages behind those are the caller's to clear.
 * New bits are 0. Bits that fall away should be cleared before, in pieces.
 */
void drbd_bitmap_set_capacity(struct bitmap *bm, void **page, u8 *page_flags, u64 capacity);

bool drbd_bitmap_test(const struct bitmap *bm, u32 slot, u64 bit);
/* Set or clear bits [first, last] of one slot; return how many changed. */
u64 drbd_bitmap_set(struct bitmap *bm, u32 slot, u64 first, u64 last);
u64 drbd_bitmap_clear(struct bitmap *bm, u32 slot, u64 first, u64 last);
/* How many are set in [first, last]. */
u64 drbd_bitmap_count(const struct bitmap *bm, u32 slot, u64 first, u64 last);
/* The first set (clear) bit at or behind @from, not behind @last; BITMAP_NONE. */
u64 drbd_bitmap_next_set(const struct bitmap *bm, u32 slot, u64 from, u64 last);
u64 drbd_bitmap_next_clear(const struct bitmap *bm, u32 slot, u64 from, u64 last);

/*
 * The bitmap update of a finished write, for all slots in one step: sets the
 * range in each slot of @set_mask (outward), clears it in each of @clear_mask
 * (inward). Returns the mask of slots in which a bit became set.
 */
u32 drbd_bitmap_update(struct bitmap *bm, u64 sector, u64 size, u32 set_mask, u32 clear_mask);

/* All slots have no bit set in the range? (May an Inconsistent disk be read?) */
bool drbd_bitmap_range_clean(const struct bitmap *bm, u64 sector, u64 size, u32 slot_mask);

/* Ors @nwords little-endian 64-bit words, beginning with bit 64 * @word, into the slot. */
void drbd_bitmap_merge(struct bitmap *bm, u32 slot, u64 word, const void *le64, u32 nwords);
/* The same words out of the slot; tail bits are 0. */
void drbd_bitmap_extract(const struct bitmap *bm, u32 slot, u64 word, void *le64, u32 nwords);

/* Bits [first, last] of @to become those of @from. */
void drbd_bitmap_copy(struct bitmap *bm, u32 from, u32 to, u64 first, u64 last);

/* Adds and removes what a bulk operation forbids for a slot. */
void drbd_bitmap_lock(struct bitmap *bm, u32 slot, u8 what);
void drbd_bitmap_unlock(struct bitmap *bm, u32 slot, u8 what);

/* Pages [first, last] that cover an activity log extent. No lock. */
bool drbd_bitmap_extent_pages(const struct bitmap *bm, u32 extent, u32 *first, u32 *last);
/* A page of [first, last] is under I/O: an eviction has to wait for it. */
bool drbd_bitmap_pages_busy(const struct bitmap *bm, u32 first, u32 last);
/*
 * Page write-out: the next page at or behind @from with one of @flags set and
 * not under I/O; its flags are exchanged for BITMAP_PAGE_IO. nr_pages if none.
 * The content must be copied or written while BITMAP_PAGE_IO is set; a bit that
 * changes meanwhile flags the page again. drbd_bitmap_page_done() ends it; on
 * failure the page is dirty again. @cleared: bits were cleared since it was last
 * written, so the data device must be flushed behind the copy and in front of the
 * write; a flush covers what bm->clears counted when it began.
 */
u32 drbd_bitmap_page_begin(struct bitmap *bm, u32 from, u32 last, u8 flags, bool *cleared);
void drbd_bitmap_page_done(struct bitmap *bm, u32 page, bool ok);

#endif
