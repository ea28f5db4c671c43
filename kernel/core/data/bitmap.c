// SPDX-License-Identifier: GPL-2.0-only
/*
 * data/bitmap.c - bits, runs of bits, and the pages under them.
 *
 * A slot is a sequence of 32-bit words; word w of slot s is the disk's word
 * w * nr_slots + s. Everything goes word by word: find the run of bits inside
 * one word, act on it, go on. One slot is the case that must be fast, there the
 * scan skips over pages by 64-bit words.
 */
#include "bitmap.h"

#define WORD_BITS 32u
#define PAGE_WORDS (BITMAP_PAGE / 4u)
#define PAGE_BITS (BITMAP_PAGE * 8u)

/* A word of a slot: its page, and the place in it. */
struct word_at {
	u32 page;
	u8 *p;
};

static struct word_at word_at(const struct bitmap *bm, u32 slot, u64 word)
{
	u64 index = word * bm->nr_slots + slot;
	u32 page = (u32)(index / PAGE_WORDS);
	struct word_at w = { page, NULL };

	if (core_check(page < bm->nr_pages && slot < bm->nr_slots))
		w.p = (u8 *)bm->page[page] + (index % PAGE_WORDS) * 4;
	return w;
}

static u32 load_word(const struct bitmap *bm, u32 slot, u64 word)
{
	struct word_at w = word_at(bm, slot, word);

	return w.p ? get_le32_at(w.p) : 0;
}

/* Mask of the bits [first, last] that lie in the word of @first. */
static u32 word_mask(u64 first, u64 last)
{
	u32 lo = first % WORD_BITS;
	u32 n = (u32)min(last - first + 1, (u64)(WORD_BITS - lo));

	return (n == WORD_BITS ? ~0u : (1u << n) - 1) << lo;
}

static bool range_ok(const struct bitmap *bm, u32 slot, u64 first, u64 last)
{
	return slot < bm->nr_slots && first <= last && last < bm->bits;
}

u32 drbd_bitmap_pages(u64 capacity, u32 nr_slots, u32 shift)
{
	u64 bits = core_div_up(capacity, 1ull << (shift - SECTOR_BITS));
	u64 bytes = core_align_up(bits, 64) / 8 * nr_slots;

	return (u32)core_div_up(bytes, BITMAP_PAGE);
}

void drbd_bitmap_init(struct bitmap *bm, void **page, u8 *page_flags,
		      u64 capacity, u32 nr_slots, u32 shift)
{
	memset(bm, 0, sizeof(*bm));
	core_assert(nr_slots >= 1 && nr_slots <= BITMAP_MAX_SLOTS);
	bm->page = page;
	bm->page_flags = page_flags;
	bm->nr_slots = nr_slots;
	bm->shift = shift;
	bm->capacity = capacity;
	bm->bits = core_div_up(capacity, 1ull << (shift - SECTOR_BITS));
	bm->nr_pages = drbd_bitmap_pages(capacity, nr_slots, shift);
}

/* Bits in which a page differs from one that is all @fill. */
static u32 page_differs(const u8 *p, u64 fill)
{
	u32 i, n = 0;

	for (i = 0; i < BITMAP_PAGE; i += 8)
		n += core_popcount64(get_le64_at(p + i) ^ fill);
	return n;
}

void drbd_bitmap_recount(struct bitmap *bm, u32 first, u32 last)
{
	u64 index = (u64)first * PAGE_WORDS;
	u32 slot = (u32)core_mod64(index, bm->nr_slots);
	u64 word = core_div64(index, bm->nr_slots);
	u32 page, i;

	for (page = first; page <= last && page < bm->nr_pages; page++) {
		u8 *p = bm->page[page];

		if (bm->nr_slots == 1 && ((u64)page + 1) * PAGE_BITS <= bm->bits) {
			bm->weight[0] += page_differs(p, 0);
			word += PAGE_WORDS;
			continue;
		}
		for (i = 0; i < PAGE_WORDS; i++, p += 4) {
			u32 v = get_le32_at(p);

			if (v && word * WORD_BITS + WORD_BITS > bm->bits) {
				u64 start = word * WORD_BITS;
				u32 keep = start >= bm->bits ? 0 :
					   word_mask(start, bm->bits - 1);

				v &= keep;
				put_le32_at(p, v);
			}
			bm->weight[slot] += core_popcount(v);
			if (++slot == bm->nr_slots) {
				slot = 0;
				word++;
			}
		}
	}
}

bool drbd_bitmap_bits_out(const struct bitmap *bm, u64 sector, u64 size, u64 *first, u64 *last)
{
	u64 sectors = (size + SECTOR_BYTES - 1) / SECTOR_BYTES;
	u32 shift = bm->shift - SECTOR_BITS;

	if (!sectors || sector >= bm->capacity)
		return false;
	if (sectors > bm->capacity - sector)
		sectors = bm->capacity - sector;
	*first = sector >> shift;
	*last = (sector + sectors - 1) >> shift;
	return true;
}

bool drbd_bitmap_bits_in(const struct bitmap *bm, u64 sector, u64 size, u64 *first, u64 *last)
{
	u64 sectors = size / SECTOR_BYTES;
	u32 shift = bm->shift - SECTOR_BITS;
	u64 block = 1ull << shift;
	u64 begin, end;

	if (!sectors || sector >= bm->capacity)
		return false;
	if (sectors > bm->capacity - sector)
		sectors = bm->capacity - sector;
	begin = core_align_up(sector, block) >> shift;
	end = sector + sectors;
	/* The last block of the device may be a partial one. */
	end = end == bm->capacity ? bm->bits : end >> shift;
	if (begin >= end)
		return false;
	*first = begin;
	*last = end - 1;
	return true;
}

bool drbd_bitmap_test(const struct bitmap *bm, u32 slot, u64 bit)
{
	if (!core_check(range_ok(bm, slot, bit, bit)))
		return true;
	return load_word(bm, slot, bit / WORD_BITS) >> (bit % WORD_BITS) & 1;
}

static u64 used_bytes(const struct bitmap *bm)
{
	return core_align_up(bm->bits, 64) / 8 * bm->nr_slots;
}

/* Behind the words in use there may be anything: it was read from the disk. */
static void clear_rest(struct bitmap *bm, void **page, u64 end)
{
	u64 from = used_bytes(bm);
	u32 n = (u32)core_div64(from, BITMAP_PAGE);
	u32 at = (u32)core_mod64(from, BITMAP_PAGE);

	if (from < end && at)
		memset((u8 *)page[n] + at, 0, BITMAP_PAGE - at);
}

void drbd_bitmap_set_capacity(struct bitmap *bm, void **page, u8 *page_flags, u64 capacity)
{
	u64 bits = core_div_up(capacity, 1ull << (bm->shift - SECTOR_BITS));
	u64 end = core_align_up(bits, 64) / 8 * bm->nr_slots;
	u32 slot;
	u64 bit;

	for (slot = 0; slot < bm->nr_slots; slot++) {
		u8 lock = bm->lock[slot];

		bm->lock[slot] = BITMAP_FREE;
		for (bit = bits; bit < bm->bits; bit++) {
			bit = drbd_bitmap_next_set(bm, slot, bit, bm->bits - 1);
			if (bit == BITMAP_NONE)
				break;
			drbd_bitmap_clear(bm, slot, bit, bit);
		}
		bm->lock[slot] = lock;
	}
	clear_rest(bm, page, end);
	bm->page = page;
	bm->page_flags = page_flags;
	bm->capacity = capacity;
	bm->bits = bits;
	bm->nr_pages = (u32)core_div_up(end, BITMAP_PAGE);
}

static void flag_page(struct bitmap *bm, u32 page, u8 flags)
{
	bm->page_flags[page] |= flags;
	if (flags & BITMAP_PAGE_CLEARED)
		bm->clears++;
	bm->dirty = true;
}

/*
 * With one slot, [bit, last] begins with a page: fill it with @fill. Returns how
 * many bits that changed.
 */
static u32 fill_page(struct bitmap *bm, u64 bit, u8 fill)
{
	u32 page = (u32)(bit / PAGE_BITS);
	u32 changed = page_differs(bm->page[page], fill ? ~0ull : 0);

	if (changed) {
		memset(bm->page[page], fill, BITMAP_PAGE);
		flag_page(bm, page, fill ? BITMAP_PAGE_SET : BITMAP_PAGE_CLEARED);
	}
	return changed;
}

static bool begins_with_page(const struct bitmap *bm, u64 bit, u64 last)
{
	return bm->nr_slots == 1 && !(bit % PAGE_BITS) && bit + PAGE_BITS - 1 <= last;
}

u64 drbd_bitmap_set(struct bitmap *bm, u32 slot, u64 first, u64 last)
{
	u64 bit, changed = 0;

	if (!core_check(range_ok(bm, slot, first, last)))
		return 0;
	if (bm->lock[slot] & BITMAP_NO_SET)
		bm->violations++;
	for (bit = first; begins_with_page(bm, bit, last); bit += PAGE_BITS)
		changed += fill_page(bm, bit, 0xff);
	for (; bit <= last; bit = (bit / WORD_BITS + 1) * WORD_BITS) {
		struct word_at w = word_at(bm, slot, bit / WORD_BITS);
		u32 old = get_le32_at(w.p);
		u32 new = old | word_mask(bit, last);

		if (new == old)
			continue;
		put_le32_at(w.p, new);
		changed += core_popcount(new ^ old);
		flag_page(bm, w.page, BITMAP_PAGE_SET);
	}
	bm->weight[slot] += changed;
	return changed;
}

u64 drbd_bitmap_clear(struct bitmap *bm, u32 slot, u64 first, u64 last)
{
	u64 bit, changed = 0;

	if (!core_check(range_ok(bm, slot, first, last)))
		return 0;
	if (bm->lock[slot] & BITMAP_NO_CLEAR)
		return 0;
	for (bit = first; begins_with_page(bm, bit, last); bit += PAGE_BITS)
		changed += fill_page(bm, bit, 0);
	for (; bit <= last; bit = (bit / WORD_BITS + 1) * WORD_BITS) {
		struct word_at w = word_at(bm, slot, bit / WORD_BITS);
		u32 old = get_le32_at(w.p);
		u32 new = old & ~word_mask(bit, last);

		if (new == old)
			continue;
		put_le32_at(w.p, new);
		changed += core_popcount(new ^ old);
		flag_page(bm, w.page, BITMAP_PAGE_CLEARED);
	}
	bm->weight[slot] -= changed;
	return changed;
}

u64 drbd_bitmap_count(const struct bitmap *bm, u32 slot, u64 first, u64 last)
{
	u64 bit, n = 0;

	if (!core_check(range_ok(bm, slot, first, last)))
		return 0;
	for (bit = first; bit <= last; bit = (bit / WORD_BITS + 1) * WORD_BITS)
		n += core_popcount(load_word(bm, slot, bit / WORD_BITS) &
					     word_mask(bit, last));
	return n;
}

/* With one slot, skip 64-bit words that are all @skip. @word is a 32-bit word
 * number; returns the first one that has to be looked at. */
static u64 skip_words(const struct bitmap *bm, u64 word, u64 last_word, u64 skip)
{
	while (word + 1 <= last_word && !(word & 1)) {
		u32 page = (u32)(word / PAGE_WORDS);
		const u8 *p = bm->page[page];
		u32 i = word % PAGE_WORDS;
		u32 end = (u32)min((u64)PAGE_WORDS, last_word + 1 - (u64)page * PAGE_WORDS);

		while (i + 2 <= end && get_le64_at(p + (u64)i * 4) == skip)
			i += 2;
		word = (u64)page * PAGE_WORDS + i;
		if (i < PAGE_WORDS)
			break;
	}
	return word;
}

/* First bit in [from, last] whose word, xored with @flip, has it set. */
static u64 find_bit(const struct bitmap *bm, u32 slot, u64 from, u64 last, u32 flip)
{
	u64 bit = from;

	if (last >= bm->bits)
		last = bm->bits - 1;
	if (slot >= bm->nr_slots || !bm->bits)
		return BITMAP_NONE;
	while (bit <= last) {
		u64 word = bit / WORD_BITS;
		u32 v = (load_word(bm, slot, word) ^ flip) & word_mask(bit, last);

		if (v)
			return word * WORD_BITS + (u32)__builtin_ctz(v);
		word++;
		if (bm->nr_slots == 1)
			word = skip_words(bm, word, last / WORD_BITS,
					  flip ? ~0ull : 0);
		bit = word * WORD_BITS;
	}
	return BITMAP_NONE;
}

u64 drbd_bitmap_next_set(const struct bitmap *bm, u32 slot, u64 from, u64 last)
{
	return find_bit(bm, slot, from, last, 0);
}

u64 drbd_bitmap_next_clear(const struct bitmap *bm, u32 slot, u64 from, u64 last)
{
	return find_bit(bm, slot, from, last, ~0u);
}

u32 drbd_bitmap_update(struct bitmap *bm, u64 sector, u64 size, u32 set_mask, u32 clear_mask)
{
	u64 first, last;
	u32 slot, changed = 0;

	if (set_mask && drbd_bitmap_bits_out(bm, sector, size, &first, &last))
		for (slot = 0; slot < bm->nr_slots; slot++)
			if (set_mask >> slot & 1 &&
			    drbd_bitmap_set(bm, slot, first, last))
				changed |= 1u << slot;
	if (clear_mask && drbd_bitmap_bits_in(bm, sector, size, &first, &last))
		for (slot = 0; slot < bm->nr_slots; slot++)
			if (clear_mask >> slot & 1)
				drbd_bitmap_clear(bm, slot, first, last);
	return changed;
}

bool drbd_bitmap_range_clean(const struct bitmap *bm, u64 sector, u64 size, u32 slot_mask)
{
	u64 first, last;
	u32 slot;

	/* Without a slot nobody kept track of what is missing. */
	if (!slot_mask || !drbd_bitmap_bits_out(bm, sector, size, &first, &last))
		return false;
	for (slot = 0; slot < bm->nr_slots; slot++)
		if (slot_mask >> slot & 1 &&
		    drbd_bitmap_next_set(bm, slot, first, last) != BITMAP_NONE)
			return false;
	return true;
}

void drbd_bitmap_merge(struct bitmap *bm, u32 slot, u64 word, const void *le64, u32 nwords)
{
	const u8 *p = le64;
	u64 w32 = word * 2;
	u32 i, v, old;

	for (i = 0; i < nwords * 2; i++, p += 4, w32++) {
		struct word_at w;

		v = get_le32_at(p);
		if (w32 * WORD_BITS >= bm->bits)
			return;
		v &= word_mask(w32 * WORD_BITS, bm->bits - 1);
		if (!v)
			continue;
		w = word_at(bm, slot, w32);
		if (!w.p)
			return;
		old = get_le32_at(w.p);
		if ((old | v) == old)
			continue;
		put_le32_at(w.p, old | v);
		bm->weight[slot] += core_popcount(v & ~old);
		flag_page(bm, w.page, BITMAP_PAGE_SET);
	}
}

void drbd_bitmap_extract(const struct bitmap *bm, u32 slot, u64 word, void *le64, u32 nwords)
{
	u8 *p = le64;
	u64 w32 = word * 2;
	u32 i;

	for (i = 0; i < nwords * 2; i++, p += 4, w32++) {
		u32 v = 0;

		if (w32 * WORD_BITS < bm->bits)
			v = load_word(bm, slot, w32) &
			    word_mask(w32 * WORD_BITS, bm->bits - 1);
		put_le32_at(p, v);
	}
}

void drbd_bitmap_copy(struct bitmap *bm, u32 from, u32 to, u64 first, u64 last)
{
	u64 bit;

	if (!core_check(range_ok(bm, from, first, last) && to < bm->nr_slots))
		return;
	for (bit = first; bit <= last; bit = (bit / WORD_BITS + 1) * WORD_BITS) {
		u32 mask = word_mask(bit, last);
		u32 v = load_word(bm, from, bit / WORD_BITS) & mask;
		struct word_at w = word_at(bm, to, bit / WORD_BITS);
		u32 old = get_le32_at(w.p);
		u32 new = (old & ~mask) | v;

		if (new == old)
			continue;
		put_le32_at(w.p, new);
		bm->weight[to] += core_popcount(new);
		bm->weight[to] -= core_popcount(old);
		flag_page(bm, w.page, (new & ~old ? BITMAP_PAGE_SET : 0) |
				      (old & ~new ? BITMAP_PAGE_CLEARED : 0));
	}
}

void drbd_bitmap_lock(struct bitmap *bm, u32 slot, u8 what)
{
	if (core_check(slot < bm->nr_slots))
		bm->lock[slot] |= what;
}

void drbd_bitmap_unlock(struct bitmap *bm, u32 slot, u8 what)
{
	if (core_check(slot < bm->nr_slots))
		bm->lock[slot] &= (u8)~what;
}

#define EXTENT_SHIFT 22u

bool drbd_bitmap_extent_pages(const struct bitmap *bm, u32 extent, u32 *first, u32 *last)
{
	u64 begin = (u64)extent << (EXTENT_SHIFT - bm->shift);
	u64 end = (u64)(extent + 1ull) << (EXTENT_SHIFT - bm->shift);

	if (begin >= bm->bits)
		return false;
	end = min(end, bm->bits) - 1;
	*first = (u32)(begin / WORD_BITS * bm->nr_slots / PAGE_WORDS);
	*last = (u32)((end / WORD_BITS * bm->nr_slots + bm->nr_slots - 1) / PAGE_WORDS);
	return true;
}

bool drbd_bitmap_pages_busy(const struct bitmap *bm, u32 first, u32 last)
{
	u32 page;

	for (page = first; page <= last && page < bm->nr_pages; page++)
		if (bm->page_flags[page] & BITMAP_PAGE_IO)
			return true;
	return false;
}

u32 drbd_bitmap_page_begin(struct bitmap *bm, u32 from, u32 last, u8 flags, bool *cleared)
{
	u32 page;

	for (page = from; page <= last && page < bm->nr_pages; page++) {
		u8 f = bm->page_flags[page];

		if (!(f & flags) || f & BITMAP_PAGE_IO)
			continue;
		bm->page_flags[page] = BITMAP_PAGE_IO;
		*cleared = f & BITMAP_PAGE_CLEARED;
		return page;
	}
	return bm->nr_pages;
}

void drbd_bitmap_page_done(struct bitmap *bm, u32 page, bool ok)
{
	if (!core_check(page < bm->nr_pages))
		return;
	bm->page_flags[page] &= (u8)~BITMAP_PAGE_IO;
	if (!ok)
		flag_page(bm, page, BITMAP_PAGE_SET | BITMAP_PAGE_CLEARED);
}
