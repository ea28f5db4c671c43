// SPDX-License-Identifier: GPL-2.0
/*
 * Discards and zero-outs on a backing device, for the application and for the
 * peer alike. What is discarded and what zeroed is core's (core/data/discard.c).
 */
#include "glue.h"
#include "core/data/discard.h"

#define CHUNK_SECTORS (1ULL << 22)

static struct discard_ability ability_of(struct drbd_device *dev, struct block_device *bdev)
{
	return (struct discard_ability){
		.can = compat_max_discard(bdev) &&
		       READ_ONCE(dev->disk_conf.discard_zeroes_if_aligned),
		.granularity = compat_discard_granularity(bdev) >> SECTOR_BITS,
		.alignment = max(bdev_discard_alignment(bdev), 0) >> SECTOR_BITS,
	};
}

static int zero(struct block_device *bdev, u64 from, u64 to, unsigned int flags)
{
	return from < to ? blkdev_issue_zeroout(bdev, from, to - from, GFP_NOIO, flags) : 0;
}

static int discard(struct drbd_device *dev, struct block_device *bdev, u64 sector, u64 sectors)
{
	const struct discard_ability a = ability_of(dev, bdev);
	struct discard_parts p;
	u64 at, end;
	int err;

	drbd_discard_split(&a, sector, sectors, &p);
	end = p.middle + p.discard;
	err = zero(bdev, sector, p.middle, 0);
	for (at = p.middle; !err && at < end; at += CHUNK_SECTORS)
		err = compat_discard(bdev, at, min(end - at, CHUNK_SECTORS));
	/* the device has changed its mind: zeroes it can always have */
	if (err == -EOPNOTSUPP)
		return zero(bdev, sector, sector + sectors, 0);
	return err ?: zero(bdev, end, sector + sectors, 0);
}

/* Sleeps until it is done. @op: LOG_OP_DISCARD or LOG_OP_ZEROES; @unmap: zeroes may be holes. */
int drbd_discard(struct drbd_device *dev, struct drbd_backing *b, u8 op, bool unmap, u64 sector,
		 u32 size)
{
	u64 sectors = size >> SECTOR_BITS;

	if (op == LOG_OP_DISCARD)
		return discard(dev, b->bdev, sector, sectors);
	return zero(b->bdev, sector, sector + sectors, unmap ? 0 : BLKDEV_ZERO_NOUNMAP);
}
