// SPDX-License-Identifier: GPL-2.0
/*
 * The usual read, of a disk that is UpToDate and preferred: the application's bio
 * itself goes to the backing device, and comes back through here. If the disk fails
 * it, it becomes a request like any other, which tries the peers.
 */
#include <linux/slab.h>

#include "glue.h"

static struct kmem_cache *reads;

int drbd_pass_read_init(void)
{
	reads = KMEM_CACHE(drbd_read, 0);
	return reads ? 0 : -ENOMEM;
}

void drbd_pass_read_exit(void)
{
	kmem_cache_destroy(reads);
}

/* The submit work makes a request of it. */
static void failed(struct drbd_device *dev, struct bio *bio)
{
	unsigned long flags;

	drbd_local_read_failed(dev, bio->bi_iter.bi_sector, blk_status_to_errno(bio->bi_status));
	spin_lock_irqsave(&dev->submit_lock, flags);
	bio_list_add(&dev->failed_reads, bio);
	spin_unlock_irqrestore(&dev->submit_lock, flags);
	drbd_submit_kick(dev);
}

static void passed_read_end(struct bio *bio)
{
	struct drbd_read *r = bio->bi_private;
	struct drbd_device *dev = r->dev;

	bio->bi_end_io = r->end_io;
	bio->bi_private = r->private;
	bio->bi_iter = r->iter;
	compat_bio_take_back(bio, dev->disk);
	atomic_dec(&dev->local_pending);
	drbd_backing_put(r->backing);
	if (r->counted)
		bio_end_io_acct(bio, r->started);
	kmem_cache_free(reads, r);
	if (bio->bi_status) {
		failed(dev, bio);
		return;
	}
	atomic_dec(&dev->app_pending);
	bio_endio(bio);
}

/* The disk, if the plan says that a read needs to look no further. */
static struct drbd_backing *preferred(struct drbd_device *dev)
{
	const struct io_plan *plan;
	struct drbd_backing *b = NULL;

	rcu_read_lock();
	plan = READ_ONCE(dev->ldev.plan);
	if (plan && drbd_plan_reads_local(plan)) {
		b = rcu_dereference(dev->backing);
		if (b && !percpu_ref_tryget(&b->ref))
			b = NULL;
	}
	rcu_read_unlock();
	return b;
}

/*
 * False: it is for others to say where this bio is read. So are a bio in parts (its
 * status is not of this read only), and all if there is no memory at once.
 */
bool drbd_pass_read(struct drbd_device *dev, struct bio *bio)
{
	struct drbd_backing *b;
	struct drbd_read *r;

	if (bio_flagged(bio, BIO_CHAIN))
		return false;
	b = preferred(dev);
	if (!b)
		return false;
	r = kmem_cache_alloc(reads, GFP_NOWAIT | __GFP_NOWARN);
	if (!r) {
		drbd_backing_put(b);
		return false;
	}
	r->dev = dev;
	r->backing = b;
	r->end_io = bio->bi_end_io;
	r->private = bio->bi_private;
	r->iter = bio->bi_iter;
	r->counted = blk_queue_io_stat(dev->disk->queue);
	if (r->counted)
		r->started = bio_start_io_acct(bio);
	atomic_inc(&dev->app_pending);
	atomic_inc(&dev->local_pending);
	atomic64_add(bio_sectors(bio), &dev->read_sectors);
	bio->bi_end_io = passed_read_end;
	bio->bi_private = r;
	bio_set_dev(bio, b->bdev);
	submit_bio_noacct(bio);
	return true;
}
