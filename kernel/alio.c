// SPDX-License-Identifier: GPL-2.0
/*
 * Transactions of the activity log. Order, each only if the one before
 * succeeded: bitmap pages of evicted extents, the block, then the writes that
 * waited (behaviour.md 13.1).
 */
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "glue.h"

void drbd_al_free(struct drbd_al *al)
{
	if (!al)
		return;
	kvfree(al->slots);
	kvfree(al->extents);
	kvfree(al->hash);
	free_page((unsigned long)al->block);
	kfree(al);
}

struct drbd_al *drbd_al_alloc(u32 extents)
{
	struct drbd_al *al = kzalloc(sizeof(*al), GFP_KERNEL);
	u32 hash = roundup_pow_of_two(extents);

	if (!al)
		return NULL;
	al->slots = kvcalloc(extents, sizeof(*al->slots), GFP_KERNEL);
	al->extents = kvcalloc(extents, sizeof(*al->extents), GFP_KERNEL);
	al->hash = kvcalloc(hash, sizeof(*al->hash), GFP_KERNEL);
	al->block = (void *)get_zeroed_page(GFP_KERNEL);
	if (!al->slots || !al->extents || !al->hash || !al->block) {
		drbd_al_free(al);
		return NULL;
	}
	drbd_al_init(&al->core, al->slots, al->extents, extents, al->hash, hash);
	return al;
}

void drbd_al_drop(struct drbd_device *dev, u32 gen, u64 sector, u32 size)
{
	unsigned long flags;
	bool starving = false;

	spin_lock_irqsave(&dev->extent_lock, flags);
	if (dev->al && dev->al_gen == gen)
		starving = drbd_al_put(&dev->al->core, drbd_al_first(sector),
				       drbd_al_last(sector, size));
	spin_unlock_irqrestore(&dev->extent_lock, flags);
	if (starving)
		drbd_submit_kick(dev);
}

static int write_evicted(struct drbd_device *dev, struct drbd_backing *b)
{
	struct act_log *al = &dev->al->core;
	u32 i;
	int err = drbd_flush_data(b);

	if (err)
		return err;

	/* fixed from commit_begin to committed */
	for (i = 0; i < al->n_updates; i++) {
		if (al->evicted[i] == AL_FREE)
			continue;
		err = drbd_bitmap_write_extent(dev, b, al->evicted[i]);
		if (err)
			return err;
	}
	return 0;
}

static int write_block(struct drbd_device *dev, struct drbd_backing *b, u32 tr_number)
{
	u32 pos = drbd_al_ring_block(tr_number, b->al_stripes, b->al_stripe_4k);

	atomic_inc(&dev->al_writes);
	return drbd_md_sync_io(b, dev->al->block,
			       b->layout.al_sector + (u64)pos * (AL_BLOCK >> SECTOR_BITS), true);
}

/* All blocks, with what is hot: the ring has another place. From the submit work. */
int drbd_al_write_ring(struct drbd_device *dev, struct drbd_backing *b)
{
	u32 n = b->al_stripes * b->al_stripe_4k, tr;
	int err = 0;

	while (n-- && !err) {
		spin_lock_irq(&dev->extent_lock);
		tr = drbd_al_repeat(&dev->al->core, dev->al->block);
		spin_unlock_irq(&dev->extent_lock);
		err = write_block(dev, b, tr);
	}
	return err;
}

/* Commits what was prepared. 0, or the error: the prepared writes must not go out. */
int drbd_al_commit(struct drbd_device *dev, struct drbd_backing *b)
{
	struct act_log *al = &dev->al->core;
	u32 tr_number = 0;
	bool begun;
	int err;

	spin_lock_irq(&dev->extent_lock);
	begun = drbd_al_commit_begin(al);
	if (begun) {
		tr_number = al->tr_number;
		drbd_al_encode(al, dev->al->block);
	}
	spin_unlock_irq(&dev->extent_lock);
	if (!begun)
		return 0;
	err = write_evicted(dev, b);
	if (!err)
		err = write_block(dev, b, tr_number);
	spin_lock_irq(&dev->extent_lock);
	drbd_al_committed(al, err ? AL_FAILED : AL_WRITTEN);
	spin_unlock_irq(&dev->extent_lock);
	if (err) {
		drbd_err(dev->res, "%u drbd%u: activity log transaction failed (%d)", dev->vnr,
			 dev->minor, err);
		drbd_post(dev->res, &dev->ev_md_error);
	}
	return err;
}
