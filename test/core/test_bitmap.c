// SPDX-License-Identifier: GPL-2.0-only
#include "harness.h"

/* A bitmap that is obviously right. */
struct model {
	u8 *bit[4];
	u64 bits;
	u32 slots;
};

static void compare(const struct bitmap *bm, const struct model *m)
{
	u32 s;

	for (s = 0; s < m->slots; s++) {
		u64 b, n = 0, next = BITMAP_NONE;

		for (b = m->bits; b-- > 0;) {
			if (drbd_bitmap_test(bm, s, b) != m->bit[s][b])
				t_fail(__FILE__, __LINE__, "slot %u bit %llu", s, (unsigned long long)b);
			if (m->bit[s][b]) {
				next = b;
				n++;
			}
			if (b % 37 == 0)
				T_EQ(drbd_bitmap_next_set(bm, s, b, m->bits - 1), next);
		}
		T_EQ(bm->weight[s], n);
		T_EQ(drbd_bitmap_count(bm, s, 0, m->bits - 1), n);
	}
}

static void against_model(void)
{
	struct t_random r;
	u32 round, op, s;

	t_seed(&r, 1);
	for (round = 0; round < 12; round++) {
		u64 cap = round % 3 ? 1 + t_below(&r, 60000) : 8 * 1024 * 33;
		u32 slots = 1 + t_below(&r, 4);
		struct bitmap *bm = t_bitmap(cap, slots, 12);
		struct model m = { .bits = bm->bits, .slots = slots };

		for (s = 0; s < slots; s++)
			m.bit[s] = calloc(1, m.bits);
		for (op = 0; op < 60; op++) {
			u32 slot = t_below(&r, slots), to = t_below(&r, slots);
			u64 first = t_below(&r, (u32)m.bits), b, changed = 0;
			u64 last = min(first + t_below(&r, 1u << t_below(&r, 13)), m.bits - 1);
			u32 what = t_below(&r, 8);

			if (!t_below(&r, 8)) {		/* whole pages */
				first = 0;
				last = m.bits - 1 - t_below(&r, 2);
			}
			for (b = first; b <= last; b++) {
				u8 old = m.bit[slot][b];

				if (what < 4)
					m.bit[slot][b] = 1;
				else if (what < 7)
					m.bit[slot][b] = 0;
				else
					m.bit[to][b] = old;
				changed += m.bit[slot][b] != old;
			}
			if (what < 4)
				T_EQ(drbd_bitmap_set(bm, slot, first, last), changed);
			else if (what < 7)
				T_EQ(drbd_bitmap_clear(bm, slot, first, last), changed);
			else
				drbd_bitmap_copy(bm, slot, to, first, last);
		}
		compare(bm, &m);
		/* As if it had been read from disk. */
		memset(bm->weight, 0, sizeof(bm->weight));
		drbd_bitmap_recount(bm, 0, bm->nr_pages / 2);
		drbd_bitmap_recount(bm, bm->nr_pages / 2 + 1, bm->nr_pages - 1);
		compare(bm, &m);
		for (s = 0; s < slots; s++)
			free(m.bit[s]);
		t_bitmap_free(bm);
	}
}

static void long_scans(void)
{
	u64 cap = 8ull << 20;	/* 4 GiB: 32 pages */
	struct bitmap *bm = t_bitmap(cap, 1, 12);
	u64 last = bm->bits - 1;

	T_EQ(drbd_bitmap_next_set(bm, 0, 0, last), BITMAP_NONE);
	drbd_bitmap_set(bm, 0, last, last);
	T_EQ(drbd_bitmap_next_set(bm, 0, 0, last), last);
	T_EQ(drbd_bitmap_next_set(bm, 0, 0, last - 1), BITMAP_NONE);
	drbd_bitmap_set(bm, 0, 32768 * 5, 32768 * 5);
	T_EQ(drbd_bitmap_next_set(bm, 0, 3, last), 32768 * 5);
	T_EQ(drbd_bitmap_next_set(bm, 0, 32768 * 5 + 1, last), last);
	drbd_bitmap_set(bm, 0, 0, last);
	T_EQ(bm->weight[0], bm->bits);
	T_EQ(drbd_bitmap_next_clear(bm, 0, 0, last), BITMAP_NONE);
	drbd_bitmap_clear(bm, 0, last - 70, last - 70);
	T_EQ(drbd_bitmap_next_clear(bm, 0, 1, last), last - 70);
	t_bitmap_free(bm);
}

/* Setting rounds outward, clearing inward, but the end of the device counts. */
static void rounding(void)
{
	struct bitmap *bm = t_bitmap(8 * 100 + 3, 1, 12);
	u64 a, b;

	T_EQ(bm->bits, 101);
	T_OK(drbd_bitmap_bits_out(bm, 7, 1024, &a, &b) && a == 0 && b == 1);
	T_OK(!drbd_bitmap_bits_in(bm, 7, 1024, &a, &b));
	T_OK(drbd_bitmap_bits_in(bm, 7, 512 * 9, &a, &b) && a == 1 && b == 1);
	T_OK(drbd_bitmap_bits_in(bm, 800, 512 * 3, &a, &b) && a == 100 && b == 100);
	T_OK(!drbd_bitmap_bits_in(bm, 800, 512 * 2, &a, &b));
	T_OK(!drbd_bitmap_bits_out(bm, 803, 512, &a, &b));
	T_OK(drbd_bitmap_bits_out(bm, 802, 1 << 30, &a, &b) && a == 100 && b == 100);
	t_bitmap_free(bm);
}

static void update_of_all_slots(void)
{
	struct bitmap *bm = t_bitmap(8 * 100, 4, 12);

	T_EQ(drbd_bitmap_update(bm, 8, 4096, 0x6, 0), 0x6);
	T_EQ(drbd_bitmap_update(bm, 8, 4096, 0xe, 0x1), 0x8);
	T_EQ(drbd_bitmap_update(bm, 8, 4096, 0x1, 0x6), 0x1);
	T_OK(bm->weight[0] == 1 && !bm->weight[1] && !bm->weight[2] && bm->weight[3] == 1);
	T_OK(!drbd_bitmap_range_clean(bm, 8, 512, 0xf));
	T_OK(drbd_bitmap_range_clean(bm, 8, 512, 0x6));
	T_OK(drbd_bitmap_range_clean(bm, 16, 512, 0xf));
	/* Without any slot nobody knows what is missing. */
	T_OK(!drbd_bitmap_range_clean(bm, 16, 512, 0));
	t_bitmap_free(bm);
}

static void locked_against_clearing(void)
{
	struct bitmap *bm = t_bitmap(800, 1, 12);

	drbd_bitmap_set(bm, 0, 1, 5);
	drbd_bitmap_lock(bm, 0, BITMAP_NO_CLEAR);
	T_EQ(drbd_bitmap_clear(bm, 0, 0, 9), 0);
	T_EQ(bm->weight[0], 5);
	drbd_bitmap_set(bm, 0, 6, 6);
	T_EQ(bm->violations, 0);
	drbd_bitmap_unlock(bm, 0, BITMAP_NO_CLEAR);
	drbd_bitmap_lock(bm, 0, BITMAP_NO_SET);
	drbd_bitmap_set(bm, 0, 7, 7);
	T_EQ(bm->violations, 1);
	T_EQ(bm->weight[0], 7);
	t_bitmap_free(bm);
}

static void pages_of_extents_and_writeout(void)
{
	struct bitmap *bm = t_bitmap(64ull << 20, 3, 12);	/* 32 GiB, 3 slots */
	u32 a, b, n = 0, p;
	u64 bit = 8191ull * 1024, clears;
	bool cleared;

	T_OK(drbd_bitmap_extent_pages(bm, 0, &a, &b) && a == 0 && b == 0);
	/* 1024 bits of 3 slots are 384 bytes: extent 10 straddles two pages. */
	T_OK(drbd_bitmap_extent_pages(bm, 10, &a, &b) && a == 0 && b == 1);
	T_OK(drbd_bitmap_extent_pages(bm, 8191, &a, &b) && b == bm->nr_pages - 1);
	T_OK(!drbd_bitmap_extent_pages(bm, 8192, &a, &b));

	drbd_bitmap_set(bm, 2, bit, bit);
	drbd_bitmap_set(bm, 0, 0, 0);
	T_OK(bm->dirty);
	p = drbd_bitmap_page_begin(bm, 0, bm->nr_pages - 1, BITMAP_PAGE_SET, &cleared);
	T_EQ(p, 0);
	T_OK(!cleared);
	T_OK(drbd_bitmap_pages_busy(bm, 0, 5));
	/* A bit set while the page is being written flags it again. */
	drbd_bitmap_set(bm, 0, 1, 1);
	drbd_bitmap_page_done(bm, p, true);
	T_OK(!drbd_bitmap_pages_busy(bm, 0, 5));
	for (p = 0; (p = drbd_bitmap_page_begin(bm, p, bm->nr_pages - 1, BITMAP_PAGE_SET, &cleared)) <
		    bm->nr_pages; n++)
		drbd_bitmap_page_done(bm, p, true);
	T_EQ(n, 2);
	p = drbd_bitmap_page_begin(bm, 0, bm->nr_pages - 1, BITMAP_PAGE_SET, &cleared);
	T_EQ(p, bm->nr_pages);
	clears = bm->clears;
	drbd_bitmap_clear(bm, 0, 0, 0);
	T_OK(bm->clears > clears);
	T_EQ(drbd_bitmap_page_begin(bm, 0, 9, BITMAP_PAGE_SET, &cleared), bm->nr_pages);
	p = drbd_bitmap_page_begin(bm, 0, 9, BITMAP_PAGE_SET | BITMAP_PAGE_CLEARED, &cleared);
	T_EQ(p, 0);
	T_OK(cleared);
	drbd_bitmap_page_done(bm, p, false);
	T_EQ(drbd_bitmap_page_begin(bm, 0, 9, BITMAP_PAGE_SET, &cleared), 0);
	T_OK(cleared);	/* still: the write failed */
	drbd_bitmap_page_done(bm, 0, true);
	/* one step sets a bit of one slot and clears one of another */
	drbd_bitmap_set(bm, 1, 0, 0);
	T_EQ(drbd_bitmap_page_begin(bm, 0, 9, BITMAP_PAGE_SET, &cleared), 0);
	T_OK(!cleared);
	drbd_bitmap_page_done(bm, 0, true);
	drbd_bitmap_update(bm, 0, 4096, 1 << 0, 1 << 1);
	T_EQ(drbd_bitmap_page_begin(bm, 0, 9, BITMAP_PAGE_SET, &cleared), 0);
	T_OK(cleared);
	t_bitmap_free(bm);
}

/* Stale tail bits on disk are neither counted nor found nor sent. */
static void tail_bits_are_dropped(void)
{
	struct bitmap *bm = t_bitmap(8 * 33, 2, 12);
	u64 words[2];

	memset(bm->page[0], 0xff, BITMAP_PAGE);
	drbd_bitmap_recount(bm, 0, 0);
	T_EQ(bm->weight[0], 33);
	T_EQ(bm->weight[1], 33);
	T_EQ(drbd_bitmap_next_clear(bm, 1, 0, 32), BITMAP_NONE);
	drbd_bitmap_extract(bm, 1, 0, words, 2);
	T_OK(words[0] == 0x1ffffffffull && !words[1]);
	memset(words, 0xff, 16);
	drbd_bitmap_merge(bm, 0, 0, words, 2);
	T_EQ(bm->weight[0], 33);
	t_bitmap_free(bm);
}

const struct c_test bitmap_tests[] = {
	{ "bitmap against a model", against_model },
	{ "bitmap long scans", long_scans },
	{ "bitmap rounding", rounding },
	{ "bitmap update of all slots", update_of_all_slots },
	{ "bitmap locked against clearing", locked_against_clearing },
	{ "bitmap pages of extents and write-out", pages_of_extents_and_writeout },
	{ "bitmap tail bits are dropped", tail_bits_are_dropped },
	{ NULL, NULL },
};
