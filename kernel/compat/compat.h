/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernel interfaces that changed, each behind one name. COMPAT_* are set by
 * Kbuild, which looks into the headers of the kernel it builds for.
 */
#ifndef DRBD_COMPAT_H
#define DRBD_COMPAT_H

#include <linux/blkdev.h>
#include <linux/bio.h>
#include <linux/highmem.h>
#include <net/sock.h>

/* --- bios ----------------------------------------------------------------------- */

#ifndef COMPAT_BLK_OPF
typedef unsigned int blk_opf_t;
#endif

static inline void compat_bio_init(struct bio *bio, struct block_device *bdev,
				   struct bio_vec *table, unsigned short nr, blk_opf_t opf)
{
#ifdef COMPAT_BIO_OF_BDEV
	bio_init(bio, bdev, table, nr, opf);
#else
	bio_init(bio, table, nr);
	bio_set_dev(bio, bdev);
	bio->bi_opf = opf;
#endif
}

static inline struct bio *compat_bio_alloc(struct block_device *bdev, unsigned short nr,
					   blk_opf_t opf, gfp_t gfp)
{
#ifdef COMPAT_BIO_OF_BDEV
	return bio_alloc(bdev, nr, opf, gfp);
#else
	struct bio *bio = bio_alloc(gfp, nr);

	if (bdev)
		bio_set_dev(bio, bdev);
	bio->bi_opf = opf;
	return bio;
#endif
}

/* A clone without a device: it gets the backing one, and with it its cgroup, only once. */
static inline struct bio *compat_bio_clone(struct bio *src, gfp_t gfp, struct bio_set *pool)
{
#ifdef COMPAT_BIO_OF_BDEV
	return bio_alloc_clone(NULL, src, gfp, pool);
#else
	return bio_clone_fast(src, gfp, pool);
#endif
}

static inline struct gendisk *compat_disk_of(const struct bio *bio)
{
#ifdef COMPAT_BI_BDEV
	return bio->bi_bdev->bd_disk;
#else
	return bio->bi_disk;
#endif
}

/* A bio that had been passed on to another device is one of @disk again. */
static inline void compat_bio_take_back(struct bio *bio, struct gendisk *disk)
{
#ifdef COMPAT_BI_BDEV
	bio->bi_bdev = disk->part0;
#else
	bio->bi_disk = disk;
	bio->bi_partno = 0;
#endif
}

/* The part that fits the queue's limits; the rest is submitted again. NULL: it has ended. */
static inline struct bio *compat_bio_split(struct bio *bio)
{
#ifdef COMPAT_SPLIT_TO_LIMITS
	return bio_split_to_limits(bio);
#else
	blk_queue_split(&bio);
	return bio;
#endif
}

/* --- what a block device can ------------------------------------------------------ */

static inline int compat_flush(struct block_device *bdev)
{
#ifdef COMPAT_FLUSH_GFP
	return blkdev_issue_flush(bdev, GFP_NOIO);
#else
	return blkdev_issue_flush(bdev);
#endif
}

static inline int compat_discard(struct block_device *bdev, u64 sector, u64 sectors)
{
#ifdef COMPAT_MAX_DISCARD
	return blkdev_issue_discard(bdev, sector, sectors, GFP_NOIO);
#else
	return blkdev_issue_discard(bdev, sector, sectors, GFP_NOIO, 0);
#endif
}

/* Sectors of the longest discard; 0: it has none. */
static inline u32 compat_max_discard(struct block_device *bdev)
{
#ifdef COMPAT_MAX_DISCARD
	return bdev_max_discard_sectors(bdev);
#else
	struct request_queue *q = bdev_get_queue(bdev);

	return blk_queue_discard(q) ? q->limits.max_discard_sectors : 0;
#endif
}

static inline u32 compat_discard_granularity(struct block_device *bdev)
{
	return bdev_get_queue(bdev)->limits.discard_granularity;
}

static inline u64 compat_sectors(struct block_device *bdev)
{
#ifdef COMPAT_NR_SECTORS
	return bdev_nr_sectors(bdev);
#else
	return (u64)i_size_read(bdev->bd_inode) >> SECTOR_SHIFT;
#endif
}

/* --- memory ------------------------------------------------------------------------ */

/* The caller may not sleep until compat_unmap(). */
static inline void *compat_map(struct page *page)
{
#ifdef COMPAT_KMAP_LOCAL
	return kmap_local_page(page);
#else
	return kmap_atomic(page);
#endif
}

static inline void compat_unmap(void *addr)
{
#ifdef COMPAT_KMAP_LOCAL
	kunmap_local(addr);
#else
	kunmap_atomic(addr);
#endif
}

/* --- opening a backing device for exclusive use ----------------------------- */

struct compat_bdev {
#ifdef COMPAT_BDEV_FILE
	struct file *file;
#elif defined(COMPAT_BDEV_HANDLE)
	struct bdev_handle *handle;
#else
	struct block_device *bdev;
	void *holder;
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
#elif defined(COMPAT_BDEV_HANDLE)
static inline int compat_bdev_open(struct compat_bdev *h, const char *path, void *holder,
				   struct block_device **bdev)
{
	struct bdev_handle *b = bdev_open_by_path(path, BLK_OPEN_READ | BLK_OPEN_WRITE, holder,
						  NULL);

	if (IS_ERR(b))
		return PTR_ERR(b);
	h->handle = b;
	*bdev = b->bdev;
	return 0;
}

static inline void compat_bdev_close(struct compat_bdev *h)
{
	if (h->handle)
		bdev_release(h->handle);
	h->handle = NULL;
}
#else
static inline int compat_bdev_open(struct compat_bdev *h, const char *path, void *holder,
				   struct block_device **bdev)
{
#ifdef COMPAT_BLK_MODE
	struct block_device *b = blkdev_get_by_path(path, BLK_OPEN_READ | BLK_OPEN_WRITE, holder,
						    NULL);
#else
	struct block_device *b = blkdev_get_by_path(path, FMODE_READ | FMODE_WRITE | FMODE_EXCL,
						    holder);
#endif

	if (IS_ERR(b))
		return PTR_ERR(b);
	h->bdev = b;
	h->holder = holder;
	*bdev = b;
	return 0;
}

static inline void compat_bdev_close(struct compat_bdev *h)
{
	if (!h->bdev)
		return;
#ifdef COMPAT_BLK_MODE
	blkdev_put(h->bdev, h->holder);
#else
	blkdev_put(h->bdev, FMODE_READ | FMODE_WRITE | FMODE_EXCL);
#endif
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

#ifndef COMPAT_QUEUE_FEATURES
static inline struct gendisk *compat_bare_disk(void)
{
#ifdef COMPAT_ALLOC_DISK
	return blk_alloc_disk(NUMA_NO_NODE);
#else
	struct gendisk *disk = alloc_disk(1);

	if (disk)
		disk->queue = blk_alloc_queue(NUMA_NO_NODE);
	if (disk && !disk->queue) {
		put_disk(disk);
		disk = NULL;
	}
	return disk;
#endif
}
#endif

/* Before 5.14 a disk does not own its queue. */
static inline void compat_put_disk(struct gendisk *disk, bool added)
{
#ifdef COMPAT_ALLOC_DISK
	put_disk(disk);
#else
	struct request_queue *q = disk->queue;

	if (!added)
		disk->queue = NULL;
	blk_cleanup_queue(q);
	put_disk(disk);
#endif
}

static inline int compat_add_disk(struct gendisk *disk)
{
#ifdef COMPAT_ADD_DISK_FAILS
	return add_disk(disk);
#else
	add_disk(disk);
	return 0;
#endif
}

#ifdef COMPAT_NO_PART_SCAN
#define GENHD_FL_NO_PART	GENHD_FL_NO_PART_SCAN
#endif

/* Defines @name, the submit_bio of block_device_operations, which calls @take. */
#ifdef COMPAT_SUBMIT_COOKIE
#define COMPAT_SUBMIT_BIO(name, take)					\
	static blk_qc_t name(struct bio *bio)				\
	{								\
		take(bio);						\
		return BLK_QC_T_NONE;					\
	}
#else
#define COMPAT_SUBMIT_BIO(name, take)					\
	static void name(struct bio *bio)				\
	{								\
		take(bio);						\
	}
#endif

/* A bio based disk with a volatile write cache whose pages must not change in flight. */
static inline struct gendisk *compat_alloc_disk(u32 max_sectors, u32 block_size)
{
#ifdef COMPAT_QUEUE_FEATURES
	struct queue_limits lim = {
		.features = BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA | BLK_FEAT_STABLE_WRITES |
			    BLK_FEAT_IO_STAT,
		.logical_block_size = block_size,
		.max_hw_sectors = max_sectors,
	};

	return blk_alloc_disk(&lim, NUMA_NO_NODE);
#else
	struct gendisk *disk = compat_bare_disk();

	if (!disk)
		return ERR_PTR(-ENOMEM);
	blk_queue_write_cache(disk->queue, true, true);
	blk_queue_flag_set(QUEUE_FLAG_STABLE_WRITES, disk->queue);
	blk_queue_flag_set(QUEUE_FLAG_IO_STAT, disk->queue);
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
#ifdef QUEUE_FLAG_DISCARD
	if (discard)
		blk_queue_flag_set(QUEUE_FLAG_DISCARD, disk->queue);
	else
		blk_queue_flag_clear(QUEUE_FLAG_DISCARD, disk->queue);
#endif
	disk->queue->limits.discard_granularity = discard ? granularity : 0;
	blk_queue_max_discard_sectors(disk->queue, discard);
	blk_queue_max_write_zeroes_sectors(disk->queue, zeroes);
#endif
}

/* --- sockets ------------------------------------------------------------------ */

/* The type behind which kernel_bind() and kernel_connect() take any address. */
#ifdef COMPAT_SOCKADDR_UNSIZED
#define compat_sockaddr sockaddr_unsized
#else
#define compat_sockaddr sockaddr
#endif

/* A reclaim that interrupts another socket call of the task must not share its fragment. */
static inline void compat_no_task_frag(struct sock *sk)
{
#ifdef COMPAT_TASK_FRAG
	sk->sk_use_task_frag = false;
#endif
}

#endif
