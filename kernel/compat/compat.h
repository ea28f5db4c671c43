/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernel interfaces that changed, each behind one name. COMPAT_* are set by
 * Kbuild, which looks into the headers of the kernel it builds for.
 */
#ifndef DRBD_COMPAT_H
#define DRBD_COMPAT_H

#include <linux/blkdev.h>
#include <linux/bio.h>
#include <net/sock.h>

/* --- opening a backing device for exclusive use ----------------------------- */

struct compat_bdev {
#ifdef COMPAT_BDEV_FILE
	struct file *file;
#else
	struct block_device *bdev;
#endif
};

#ifdef COMPAT_BDEV_FILE
static inline int compat_bdev_open(struct compat_bdev *h, const char *path, void *holder,
				   struct block_device **bdev)
{
	struct file *f = bdev_file_open_by_path(path, BLK_OPEN_READ | BLK_OPEN_WRITE, holder,
						NULL);

	if (IS_ERR(f))
		return PTR_ERR(f);
	h->file = f;
	*bdev = file_bdev(f);
	return 0;
}

static inline void compat_bdev_close(struct compat_bdev *h)
{
	if (h->file)
		fput(h->file);
	h->file = NULL;
}
#else
static inline int compat_bdev_open(struct compat_bdev *h, const char *path, void *holder,
				   struct block_device **bdev)
{
	struct block_device *b = blkdev_get_by_path(path, FMODE_READ | FMODE_WRITE | FMODE_EXCL,
						    holder);

	if (IS_ERR(b))
		return PTR_ERR(b);
	h->bdev = b;
	*bdev = b;
	return 0;
}

static inline void compat_bdev_close(struct compat_bdev *h)
{
	if (h->bdev)
		blkdev_put(h->bdev, FMODE_READ | FMODE_WRITE | FMODE_EXCL);
	h->bdev = NULL;
}
#endif

/* Whether writes may be lost at a power failure until a flush. */
static inline bool compat_write_cache(struct block_device *bdev)
{
#ifdef COMPAT_WRITE_CACHE
	return bdev_write_cache(bdev);
#else
	return test_bit(QUEUE_FLAG_WC, &bdev_get_queue(bdev)->queue_flags);
#endif
}

/* --- the disk ---------------------------------------------------------------- */

#ifdef COMPAT_BLK_MODE
#define COMPAT_OPEN_ARGS	struct gendisk *disk, blk_mode_t mode
#define COMPAT_RELEASE_ARGS	struct gendisk *disk
#define COMPAT_OPEN_DISK	disk
#define COMPAT_OPEN_WRITES	((mode & BLK_OPEN_WRITE) != 0)
#else
#define COMPAT_OPEN_ARGS	struct block_device *bdev, fmode_t mode
#define COMPAT_RELEASE_ARGS	struct gendisk *disk, fmode_t mode
#define COMPAT_OPEN_DISK	(bdev->bd_disk)
#define COMPAT_OPEN_WRITES	((mode & FMODE_WRITE) != 0)
#endif

/* A bio based disk with a volatile write cache whose pages must not change in flight. */
static inline struct gendisk *compat_alloc_disk(u32 max_sectors, u32 block_size)
{
#ifdef COMPAT_QUEUE_FEATURES
	struct queue_limits lim = {
		.features = BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA | BLK_FEAT_STABLE_WRITES,
		.logical_block_size = block_size,
		.max_hw_sectors = max_sectors,
	};

	return blk_alloc_disk(&lim, NUMA_NO_NODE);
#else
	struct gendisk *disk = blk_alloc_disk(NUMA_NO_NODE);

	if (!disk)
		return ERR_PTR(-ENOMEM);
	blk_queue_write_cache(disk->queue, true, true);
	blk_queue_flag_set(QUEUE_FLAG_STABLE_WRITES, disk->queue);
	blk_queue_logical_block_size(disk->queue, block_size);
	blk_queue_max_hw_sectors(disk->queue, max_sectors);
	return disk;
#endif
}

/* No I/O may be in flight. */
static inline void compat_set_block_size(struct gendisk *disk, u32 logical, u32 physical)
{
#ifdef COMPAT_QUEUE_FEATURES
	struct queue_limits lim = queue_limits_start_update(disk->queue);

	lim.logical_block_size = logical;
	lim.physical_block_size = physical;
	if (queue_limits_commit_update(disk->queue, &lim))
		pr_warn("drbd: %s: block size %u is not possible\n", disk->disk_name, logical);
#else
	blk_queue_logical_block_size(disk->queue, logical);
	blk_queue_physical_block_size(disk->queue, physical);
#endif
}

/* What discards and zero-outs the device takes, in sectors; 0 = none. */
static inline void compat_set_discard(struct gendisk *disk, u32 discard, u32 granularity,
				      u32 zeroes)
{
#ifdef COMPAT_QUEUE_FEATURES
	struct queue_limits lim = queue_limits_start_update(disk->queue);

	lim.max_hw_discard_sectors = discard;
	lim.discard_granularity = discard ? granularity : 0;
	lim.max_write_zeroes_sectors = zeroes;
	if (queue_limits_commit_update(disk->queue, &lim))
		pr_warn("drbd: %s: discards of %u sectors are not possible\n", disk->disk_name,
			discard);
#else
	disk->queue->limits.discard_granularity = discard ? granularity : 0;
	blk_queue_max_discard_sectors(disk->queue, discard);
	blk_queue_max_write_zeroes_sectors(disk->queue, zeroes);
#endif
}

/* --- sockets ------------------------------------------------------------------ */

/* A reclaim that interrupts another socket call of the task must not share its fragment. */
static inline void compat_no_task_frag(struct sock *sk)
{
#ifdef COMPAT_TASK_FRAG
	sk->sk_use_task_frag = false;
#endif
}

#endif
