// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of the bitmap: memory, reading at attach, writing what changed. The
 * bits themselves are core's (core/data/bitmap.c), under bm_lock.
 */
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "glue.h"

#define PAGE_SECTORS_MD (BITMAP_PAGE >> SECTOR_BITS)
#define READ_BATCH 128u		/* pages in one bio */
#define WRITE_BATCH 32u

void drbd_bitmap_free(struct drbd_bitmap *bm)
{
	u32 i;

	if (!bm)
		return;
	for (i = 0; bm->pages && i < bm->nr_pages; i++)
		free_page((unsigned long)bm->pages[i]);
	kvfree(bm->pages);
	kvfree(bm->page_flags);
	kfree(bm);
}

struct drbd_bitmap *drbd_bitmap_alloc(u64 capacity, u32 slots, u32 shift)
{
	struct drbd_bitmap *bm = kzalloc(sizeof(*bm), GFP_KERNEL);
	u32 i;

	if (!bm)
		return NULL;
	bm->nr_pages = drbd_bitmap_pages(capacity, slots, shift);
	bm->pages = kvcalloc(bm->nr_pages ?: 1, sizeof(*bm->pages), GFP_KERNEL);
	bm->page_flags = kvcalloc(bm->nr_pages ?: 1, 1, GFP_KERNEL);
	for (i = 0; bm->pages && i < bm->nr_pages; i++) {
		bm->pages[i] = (void *)get_zeroed_page(GFP_KERNEL);
		if (!bm->pages[i])
			break;
	}
	if (!bm->pages || !bm->page_flags || i < bm->nr_pages) {
		drbd_bitmap_free(bm);
		return NULL;
	}
	drbd_bitmap_init(&bm->core, bm->pages, bm->page_flags, capacity, slots, shift);
	return bm;
}

/* At attach: nobody else knows the bitmap yet. */
int drbd_bitmap_read(struct drbd_backing *b, struct drbd_bitmap *bm)
{
	u32 page = 0, n, i;
	struct bio *bio;
	int err = 0;

	while (page < bm->nr_pages && !err) {
		n = min(READ_BATCH, bm->nr_pages - page);
		bio = compat_bio_alloc(b->md_bdev, n, REQ_OP_READ | REQ_META, GFP_KERNEL);
		bio->bi_iter.bi_sector = b->layout.bm_sector + (u64)page * PAGE_SECTORS_MD;
		for (i = 0; i < n; i++)
			__bio_add_page(bio, virt_to_page(bm->pages[page + i]), BITMAP_PAGE, 0);
		err = submit_bio_wait(bio);
		bio_put(bio);
		page += n;
	}
	for (page = 0; page < bm->nr_pages && !err; page++) {
		drbd_bitmap_recount(&bm->core, page, page);
		cond_resched();
	}
	return err;
}

/*
 * A cleared bit says that the block is on the disk, not in its cache. @clears: how
 * many had been cleared when the page was copied; @flushed: when the last flush began.
 */
static int flush_before(struct drbd_backing *b, u64 clears, u64 *flushed)
{
	int err = clears == *flushed ? 0 : drbd_flush_data(b);

	if (!err)
		*flushed = clears;
	return err;
}

/* Copies of neighbouring pages that go to the disk together. */
struct batch {
	void *copy[WRITE_BATCH];
	u32 room;		/* copies that there is memory for */
	u32 page, n;		/* the first one, and how many */
	bool cleared;		/* of the flags of all */
	u64 clears;		/* when they were copied */
};

/* One is always there; more only for who has more to write. */
static void batch_grow(struct batch *c)
{
	while (c->room < WRITE_BATCH) {
		c->copy[c->room] = (void *)__get_free_page(GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN);
		if (!c->copy[c->room])
			return;
		c->room++;
	}
}

static void batch_free(struct batch *c)
{
	while (c->room > 1)
		free_page((unsigned long)c->copy[--c->room]);
}

/* The next pages of [from, last] that have one of @flags. False: none has. */
static bool batch_take(struct drbd_device *dev, struct batch *c, u32 from, u32 last, u8 flags)
{
	struct bitmap *bm = &dev->bitmap->core;
	bool cleared;

	c->n = 0;
	c->cleared = false;
	spin_lock_irq(&dev->bm_lock);
	c->page = drbd_bitmap_page_begin(bm, from, last, flags, &cleared);
	from = c->page;
	while (from < bm->nr_pages) {
		memcpy(c->copy[c->n++], bm->page[from], BITMAP_PAGE);
		c->cleared |= cleared;
		if (c->n == c->room || from == last)
			break;
		from = drbd_bitmap_page_begin(bm, from + 1, from + 1, flags, &cleared);
	}
	c->clears = bm->clears;
	spin_unlock_irq(&dev->bm_lock);
	return c->n;
}

static void batch_done(struct drbd_device *dev, const struct batch *c, bool ok)
{
	u32 i;

	spin_lock_irq(&dev->bm_lock);
	for (i = 0; i < c->n; i++)
		drbd_bitmap_page_done(&dev->bitmap->core, c->page + i, ok);
	spin_unlock_irq(&dev->bm_lock);
	atomic_add(c->n, &dev->bm_writes);
}

/* Writes pages [first, last] that have one of @flags. md_io held. */
static int write_pages(struct drbd_device *dev, struct drbd_backing *b, u32 first, u32 last,
		       u8 flags)
{
	struct batch c = { .copy = { dev->md_page }, .room = 1 };
	u64 flushed = ~0ULL;
	u32 page = first;
	int err = 0;

	while (!err && page <= last && batch_take(dev, &c, page, last, flags)) {
		if (c.cleared)
			err = flush_before(b, c.clears, &flushed);
		if (!err)
			err = drbd_md_write_pages(b, c.copy, c.n, b->layout.bm_sector +
						  (u64)c.page * PAGE_SECTORS_MD);
		batch_done(dev, &c, !err);
		page = c.page + c.n;
		batch_grow(&c);
	}
	batch_free(&c);
	return err;
}

int drbd_bitmap_write_dirty(struct drbd_device *dev, struct drbd_backing *b, u8 flags)
{
	int err;

	if (!dev->bitmap->core.nr_pages)
		return 0;
	mutex_lock(&dev->md_io);
	err = write_pages(dev, b, 0, dev->bitmap->core.nr_pages - 1, flags);
	mutex_unlock(&dev->md_io);
	return err;
}

/* Before an extent goes cold: what was set in it must be on the disk. */
int drbd_bitmap_write_extent(struct drbd_device *dev, struct drbd_backing *b, u32 extent)
{
	u32 first, last;
	int err;

	if (!drbd_bitmap_extent_pages(&dev->bitmap->core, extent, &first, &last))
		return 0;
	mutex_lock(&dev->md_io);
	err = write_pages(dev, b, first, last, BITMAP_PAGE_SET);
	mutex_unlock(&dev->md_io);
	return err;
}

static void clear_slots(struct drbd_device *dev, struct bitmap *bm, u64 from)
{
	u64 bit, last;
	u32 slot;

	for (slot = 0; slot < bm->nr_slots; slot++)
		for (bit = from; bit < bm->bits; bit = last + 1) {
			last = min_t(u64, bit + BITMAP_BULK_BITS - 1, bm->bits - 1);
			spin_lock_irq(&dev->bm_lock);
			drbd_bitmap_clear(bm, slot, bit, last);
			spin_unlock_irq(&dev->bm_lock);
		}
}

/* Pages that nobody looks at yet: what the disk had behind the bitmap. */
static void clear_unused(struct drbd_bitmap *bm, u64 capacity)
{
	u32 page, end = drbd_bitmap_pages(capacity, bm->core.nr_slots, bm->core.shift);

	for (page = bm->core.nr_pages; page < end; page++) {
		memset(bm->pages[page], 0, BITMAP_PAGE);
		bm->page_flags[page] = 0;
	}
}

/*
 * The device has another size than when the bitmap was loaded: smaller after
 * the first connect, or back to what the metadata holds. The pages are there for
 * the largest that the disk offers.
 */
void drbd_bitmap_resize(struct drbd_device *dev, u64 capacity)
{
	struct drbd_bitmap *bm = dev->bitmap;

	if (!bm || bm->core.capacity == capacity)
		return;
	if (drbd_bitmap_pages(capacity, bm->core.nr_slots, bm->core.shift) > bm->nr_pages) {
		drbd_err(dev->res, "%u drbd%u: no bitmap for %llu sectors: detach and attach again",
			 dev->vnr, dev->minor, (unsigned long long)capacity);
		return;
	}
	clear_slots(dev, &bm->core, DIV_ROUND_UP_ULL(capacity, 1u << (bm->core.shift - SECTOR_BITS)));
	clear_unused(bm, capacity);
	spin_lock_irq(&dev->bm_lock);
	drbd_bitmap_set_capacity(&bm->core, bm->pages, bm->page_flags, capacity);
	spin_unlock_irq(&dev->bm_lock);
}

/*
 * Makes @more, which is empty, hold tables of pages for @capacity that begin with
 * those of @bm. drbd_bitmap_take_room() exchanges them. The pages may be looked at.
 */
int drbd_bitmap_room(struct drbd_bitmap *bm, u64 capacity, struct drbd_bitmap *more)
{
	u32 i, n = drbd_bitmap_pages(capacity, bm->core.nr_slots, bm->core.shift);

	memset(more, 0, sizeof(*more));
	if (n <= bm->nr_pages)
		return 0;
	more->pages = kvcalloc(n, sizeof(*more->pages), GFP_NOIO);
	more->page_flags = kvcalloc(n, 1, GFP_NOIO);
	more->nr_pages = bm->nr_pages;
	while (more->pages && more->page_flags && more->nr_pages < n) {
		void *page = (void *)get_zeroed_page(GFP_NOIO);

		if (!page)
			break;
		more->pages[more->nr_pages++] = page;
	}
	if (more->nr_pages < n) {
		for (i = bm->nr_pages; more->pages && i < more->nr_pages; i++)
			free_page((unsigned long)more->pages[i]);
		kvfree(more->pages);
		kvfree(more->page_flags);
		return -ENOMEM;
	}
	memcpy(more->pages, bm->pages, bm->nr_pages * sizeof(*bm->pages));
	return 0;
}

/* The larger tables, if there are any. md_io held: no page is under I/O. */
void drbd_bitmap_take_room(struct drbd_device *dev, struct drbd_bitmap *more)
{
	struct drbd_bitmap *bm = dev->bitmap;

	if (!more->pages)
		return;
	spin_lock_irq(&dev->bm_lock);
	memcpy(more->page_flags, bm->page_flags, bm->nr_pages);
	swap(bm->pages, more->pages);
	swap(bm->page_flags, more->page_flags);
	bm->nr_pages = more->nr_pages;
	bm->core.page = bm->pages;
	bm->core.page_flags = bm->page_flags;
	spin_unlock_irq(&dev->bm_lock);
	kvfree(more->pages);
	kvfree(more->page_flags);
}

/* Every slot: bits from @sector on. */
void drbd_bitmap_set_from(struct drbd_device *dev, u64 sector)
{
	struct bitmap *bm = &dev->bitmap->core;
	u64 bit, last, from = sector >> (bm->shift - SECTOR_BITS);
	u32 slot;

	for (slot = 0; slot < bm->nr_slots; slot++)
		for (bit = from; bit < bm->bits; bit = last + 1) {
			last = min_t(u64, bit + BITMAP_BULK_BITS - 1, bm->bits - 1);
			spin_lock_irq(&dev->bm_lock);
			drbd_bitmap_set(bm, slot, bit, last);
			spin_unlock_irq(&dev->bm_lock);
		}
}

/* md_io held */
int drbd_bitmap_write_changed(struct drbd_device *dev, struct drbd_backing *b)
{
	if (!dev->bitmap->core.nr_pages)
		return 0;
	return write_pages(dev, b, 0, dev->bitmap->core.nr_pages - 1,
			   BITMAP_PAGE_SET | BITMAP_PAGE_CLEARED);
}

/* To a place that has nothing of it yet. md_io held. */
int drbd_bitmap_write_all(struct drbd_device *dev, struct drbd_backing *b)
{
	struct bitmap *bm = &dev->bitmap->core;
	u32 page;

	spin_lock_irq(&dev->bm_lock);
	for (page = 0; page < bm->nr_pages; page++)
		bm->page_flags[page] |= BITMAP_PAGE_SET;
	spin_unlock_irq(&dev->bm_lock);
	return drbd_bitmap_write_changed(dev, b);
}

void drbd_bm_work(struct work_struct *work)
{
	struct drbd_device *dev = container_of(work, struct drbd_device, bm_work);
	struct drbd_backing *b = drbd_backing_get(dev);
	int err = 0;

	if (b) {
		err = drbd_bitmap_write_dirty(dev, b, BITMAP_PAGE_SET | BITMAP_PAGE_CLEARED);
		drbd_backing_put(b);
	}
	dev->ev_bm.ev.ok = !err;
	drbd_post(dev->res, &dev->ev_bm);
}

static void change_slot(struct drbd_device *dev, u32 slot, bool clear)
{
	struct bitmap *bm = &dev->bitmap->core;
	u64 bit, last;

	for (bit = 0; bit < bm->bits; bit = last + 1) {
		last = min_t(u64, bit + BITMAP_BULK_BITS - 1, bm->bits - 1);
		spin_lock_irq(&dev->bm_lock);
		if (clear)
			drbd_bitmap_clear(bm, slot, bit, last);
		else
			drbd_bitmap_set(bm, slot, bit, last);
		spin_unlock_irq(&dev->bm_lock);
	}
}

/* A full sync: every bit set, and on the disk, before the state that relies on it. Or none of it. */
void drbd_set_bits_work(struct work_struct *work)
{
	struct drbd_device *dev = container_of(work, struct drbd_device, set_bits_work);
	struct drbd_peer_device *pd = dev->set_bits_pd;
	struct drbd_backing *b = drbd_backing_get(dev);
	struct drbd_event *answer = pd ? &pd->ev_bits : &dev->ev_bits;
	int err = -ENODEV;
	u32 slot;

	if (b && dev->bitmap) {
		for (slot = 0; slot < dev->bitmap->core.nr_slots; slot++)
			if (!pd || READ_ONCE(pd->slot) == slot)
				change_slot(dev, slot, dev->clear_bits);
		err = drbd_bitmap_write_dirty(dev, b, BITMAP_PAGE_SET | BITMAP_PAGE_CLEARED);
	}
	if (b)
		drbd_backing_put(b);
	answer->ev.ok = !err;
	drbd_post(dev->res, answer);
}
