// SPDX-License-Identifier: GPL-2.0
/* /dev/drbdN: the disk, who has it open, its size and limits (netlink.md 19). */
#include <linux/kobject.h>

#include "glue.h"

#define MAX_BIO_SECTORS (WIRE_MAX_BIO >> SECTOR_BITS)

static int open_allowed(struct drbd_device *dev, bool writes, u8 role)
{
	if (dev->res->going_down)
		return -EAGAIN;
	if (role != ROLE_PRIMARY || dev->opens_blocked)
		return writes ? -EROFS : -EMEDIUMTYPE;
	return 0;
}

static int drbd_open(COMPAT_OPEN_ARGS)
{
	/* not by private_data: the device may be on its way out; from here on we hold it */
	struct drbd_device *dev = drbd_device_get_minor(COMPAT_OPEN_DISK->first_minor);
	bool writes = COMPAT_OPEN_WRITES, first;
	int err;

	if (!dev)
		return -ENXIO;
	if (dev != COMPAT_OPEN_DISK->private_data) {
		drbd_device_put(dev);
		return -ENXIO;
	}
	spin_lock(&dev->open_lock);
	err = open_allowed(dev, writes, READ_ONCE(dev->res->status.res.role));
	if (!err) {
		dev->open_cnt++;
		if (writes)
			dev->write_open_cnt++;
	}
	first = !err && dev->open_cnt == 1;
	spin_unlock(&dev->open_lock);
	if (first)
		drbd_notify_changes(dev->res);
	if (err)
		drbd_device_put(dev);
	return err;
}

static void drbd_release(COMPAT_RELEASE_ARGS)
{
	struct drbd_device *dev = disk->private_data;
	bool last;

	spin_lock(&dev->open_lock);
	last = !--dev->open_cnt;
	if (last)
		dev->write_open_cnt = 0;
	spin_unlock(&dev->open_lock);
	if (last)
		drbd_notify_changes(dev->res);
	drbd_device_put(dev);
}

COMPAT_SUBMIT_BIO(submit, drbd_submit_bio)

static const struct block_device_operations drbd_fops = {
	.owner = THIS_MODULE,
	.submit_bio = submit,
	.open = drbd_open,
	.release = drbd_release,
};

/* Asked by the loop before a demotion: from now on nobody new, and how many are there? */
void drbd_disk_block_opens(struct drbd_device *dev)
{
	spin_lock(&dev->open_lock);
	dev->opens_blocked = true;
	dev->ev_openers.ev.openers = dev->open_cnt;
	spin_unlock(&dev->open_lock);
	drbd_post(dev->res, &dev->ev_openers);
}

void drbd_disk_allow_opens(struct drbd_device *dev)
{
	spin_lock(&dev->open_lock);
	dev->opens_blocked = false;
	spin_unlock(&dev->open_lock);
}

int drbd_disk_create(struct drbd_device *dev)
{
	struct gendisk *disk = compat_alloc_disk(MAX_BIO_SECTORS, SECTOR_BYTES);

	if (IS_ERR(disk))
		return PTR_ERR(disk);
	disk->major = DRBD_MAJOR;
	disk->first_minor = dev->minor;
	disk->minors = 1;
	disk->flags |= GENHD_FL_NO_PART;
	disk->fops = &drbd_fops;
	disk->private_data = dev;
	snprintf(disk->disk_name, sizeof(disk->disk_name), "drbd%u", dev->minor);
	dev->disk = disk;
	return 0;
}

int drbd_disk_add(struct drbd_device *dev)
{
	int err = compat_add_disk(dev->disk);

	dev->disk_added = !err;
	return err;
}

void drbd_disk_remove(struct drbd_device *dev)
{
	if (!dev->disk_added)
		return;
	del_gendisk(dev->disk);
	compat_put_disk(dev->disk, true);
}

/* For a disk that was never added: nobody else knows it. */
void drbd_disk_put(struct drbd_device *dev)
{
	if (dev->disk && !dev->disk_added)
		compat_put_disk(dev->disk, false);
}

void drbd_disk_set_size(struct drbd_device *dev, u64 sectors)
{
	set_capacity_and_notify(dev->disk, sectors);
	drbd_info(dev->res, "%u drbd%u: size = %llu KB", dev->vnr, dev->minor,
		  (unsigned long long)sectors >> 1);
}

/* Called while no application I/O can be open: before the disk is in service. */
void drbd_disk_limits(struct drbd_device *dev, struct drbd_backing *b)
{
	u32 logical = bdev_logical_block_size(b->bdev);

	if (logical != queue_logical_block_size(dev->disk->queue))
		compat_set_block_size(dev->disk, logical, bdev_physical_block_size(b->bdev));
}

static void plan_limits(struct drbd_device *dev, u32 *discard, u32 *zeroes)
{
	const struct io_plan *plan;

	rcu_read_lock();
	plan = READ_ONCE(dev->ldev.plan);
	*discard = plan ? plan->max_discard : 0;
	*zeroes = plan ? plan->max_zeroes : 0;
	rcu_read_unlock();
}

void drbd_disk_offer(struct drbd_device *dev)
{
	u32 discard, zeroes;

	plan_limits(dev, &discard, &zeroes);
	if (discard != READ_ONCE(dev->offered_discard) || zeroes != READ_ONCE(dev->offered_zeroes))
		queue_work(drbd_md_wq, &dev->offer_work);
}

/* Smaller parts than the backing device can discard would only be zeroed. */
static u32 granularity_of(struct drbd_device *dev)
{
	struct drbd_backing *b = drbd_backing_get(dev);
	u32 bytes = 0;

	if (b) {
		bytes = compat_discard_granularity(b->bdev);
		drbd_backing_put(b);
	}
	return max(bytes, queue_logical_block_size(dev->disk->queue));
}

void drbd_disk_offer_work(struct work_struct *work)
{
	struct drbd_device *dev = container_of(work, struct drbd_device, offer_work);
	u32 discard, zeroes;

	plan_limits(dev, &discard, &zeroes);
	WRITE_ONCE(dev->offered_discard, discard);
	WRITE_ONCE(dev->offered_zeroes, zeroes);
	compat_set_discard(dev->disk, discard >> SECTOR_BITS, granularity_of(dev),
			   zeroes >> SECTOR_BITS);
}

void drbd_disk_uevent(struct drbd_device *dev)
{
	kobject_uevent(&disk_to_dev(dev->disk)->kobj, KOBJ_CHANGE);
}
