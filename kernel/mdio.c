// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata I/O: blocks of 4 KiB, synchronous, from work queues and
 * requesters only. The superblock is written by a work of the device; each
 * write carries the newest content, and answers with its generation.
 */
#include "glue.h"

static blk_opf_t write_op(const struct drbd_backing *b)
{
	return REQ_OP_WRITE | REQ_SYNC | REQ_META | REQ_PRIO |
	       (b->md_flushes ? REQ_FUA | REQ_PREFLUSH : 0);
}

int drbd_md_sync_io(struct drbd_backing *b, void *page, u64 sector, bool write)
{
	blk_opf_t op = write ? write_op(b) : REQ_OP_READ | REQ_SYNC | REQ_META | REQ_PRIO;
	struct bio_vec vec;
	struct bio bio;
	int err;

	compat_bio_init(&bio, b->md_bdev, &vec, 1, op);
	bio.bi_iter.bi_sector = sector;
	__bio_add_page(&bio, virt_to_page(page), MD_BLOCK, offset_in_page(page));
	err = submit_bio_wait(&bio);
	bio_uninit(&bio);
	return err;
}

/* @n pages of MD_BLOCK bytes to neighbouring places. */
int drbd_md_write_pages(struct drbd_backing *b, void **page, u32 n, u64 sector)
{
	struct bio *bio;
	u32 i;
	int err;

	if (n == 1)
		return drbd_md_sync_io(b, page[0], sector, true);
	bio = compat_bio_alloc(b->md_bdev, n, write_op(b), GFP_NOIO);
	bio->bi_iter.bi_sector = sector;
	for (i = 0; i < n; i++)
		__bio_add_page(bio, virt_to_page(page[i]), MD_BLOCK, offset_in_page(page[i]));
	err = submit_bio_wait(bio);
	bio_put(bio);
	return err;
}

/*
 * What metadata say of the data - this extent is cold, that block is equal, nobody
 * is Primary here - must not be on the disk before the data is. Where both share a
 * device, the flush of the metadata write does it.
 */
int drbd_flush_data(struct drbd_backing *b)
{
	return b->md_bdev == b->bdev || !b->md_flushes ? 0 : compat_flush(b->bdev);
}

/* The loop: capture the content now, write it soon. */
void drbd_md_write(struct drbd_device *dev, u32 gen)
{
	spin_lock_irq(&dev->md_lock);
	core_md_to_disk(&dev->core, &dev->md_next);
	dev->md_next_gen = gen;
	spin_unlock_irq(&dev->md_lock);
	queue_work(drbd_md_wq, &dev->md_work);
}

/* Into md_page. Where the metadata lie is known here: core does not move them. md_io held. */
static u32 encode_newest(struct drbd_device *dev, struct drbd_backing *b)
{
	u32 gen;

	spin_lock_irq(&dev->md_lock);
	if (b)
		drbd_md_move_place(&dev->md_next, &b->layout);
	drbd_md_encode(&dev->md_next, dev->md_page, true);
	gen = dev->md_next_gen;
	spin_unlock_irq(&dev->md_lock);
	return gen;
}

void drbd_md_work(struct work_struct *work)
{
	struct drbd_device *dev = container_of(work, struct drbd_device, md_work);
	struct drbd_backing *b = drbd_backing_get(dev);
	int err = -ENODEV;
	u32 gen;

	mutex_lock(&dev->md_io);
	gen = encode_newest(dev, b);
	if (b)
		err = drbd_flush_data(b);
	if (b && !err)
		err = drbd_md_sync_io(b, dev->md_page, b->layout.sb_sector, true);
	mutex_unlock(&dev->md_io);
	if (b)
		drbd_backing_put(b);
	if (err)
		drbd_err(dev->res, "%u drbd%u: writing the superblock failed (%d)", dev->vnr,
			 dev->minor, err);
	/* one work at a time, and the loop copies it: nobody changes it meanwhile */
	dev->ev_md.ev.md_gen = gen;
	dev->ev_md.ev.ok = !err;
	drbd_post(dev->res, &dev->ev_md);
}
