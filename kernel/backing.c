// SPDX-License-Identifier: GPL-2.0
/*
 * Backing devices: opening and checking them for an attach, handing them out,
 * closing them when nobody uses them any longer. metadata.md 4.1.
 */
#include <linux/slab.h>

#include "glue.h"

static void close_work(struct work_struct *work)
{
	struct drbd_backing *b = container_of(work, struct drbd_backing, close_work);
	struct drbd_device *dev = b->dev;

	/* the peer may have been told that what it wrote here is stable, with no disk left to flush */
	if (compat_flush(b->bdev))
		drbd_warn(dev->res, "%u drbd%u: flushing the disk before it is closed failed",
			  dev->vnr, dev->minor);
	compat_bdev_close(&b->md_handle);
	compat_bdev_close(&b->handle);
	percpu_ref_exit(&b->ref);
	synchronize_rcu();
	kfree(b);
	drbd_peer_writes_give_up(dev);
	drbd_post(dev->res, &dev->ev_closed);
}

static void idle(struct percpu_ref *ref)
{
	struct drbd_backing *b = container_of(ref, struct drbd_backing, ref);

	queue_work(drbd_md_wq, &b->close_work);
}

struct drbd_backing *drbd_backing_get(struct drbd_device *dev)
{
	struct drbd_backing *b;

	rcu_read_lock();
	b = rcu_dereference(dev->backing);
	if (b && !percpu_ref_tryget(&b->ref))
		b = NULL;
	rcu_read_unlock();
	return b;
}

void drbd_backing_put(struct drbd_backing *b)
{
	percpu_ref_put(&b->ref);
}

/* The plan without this disk is published: those who use it now are the last. */
void drbd_backing_close_when_idle(struct drbd_device *dev)
{
	struct drbd_backing *b = rcu_dereference_protected(dev->backing, true);

	if (!b) {
		drbd_post(dev->res, &dev->ev_closed);
		return;
	}
	RCU_INIT_POINTER(dev->backing, NULL);
	percpu_ref_kill(&b->ref);
}

static void backing_free(struct drbd_backing *b)
{
	if (!b)
		return;
	compat_bdev_close(&b->md_handle);
	compat_bdev_close(&b->handle);
	percpu_ref_exit(&b->ref);
	kfree(b);
}

static int open_failed(const char *path, int err, int code, char *text)
{
	if (err == -EBUSY)
		snprintf(text, CORE_TEXT_MAX, "%s is in use: unmount it, or stop what holds it (lsblk %s)",
			 path, path);
	else if (err == -ENOENT)
		snprintf(text, CORE_TEXT_MAX, "%s does not exist", path);
	else
		snprintf(text, CORE_TEXT_MAX, "cannot open %s for reading and writing: error %d", path, -err);
	return code;
}

static int open_devices(struct drbd_device *dev, const struct nl_disk_conf *conf,
			struct drbd_backing *b, char *text)
{
	bool internal = conf->meta_dev_idx == MD_INDEX_INTERNAL;
	int err;

	err = compat_bdev_open(&b->handle, conf->backing_dev, dev, &b->bdev);
	if (err)
		return open_failed(conf->backing_dev, err, ERR_OPEN_DISK, text);
	if (internal) {
		b->md_bdev = b->bdev;
		return 0;
	}
	/* several minors may share a device with indexed metadata */
	err = compat_bdev_open(&b->md_handle, conf->meta_dev,
			       conf->meta_dev_idx >= 0 ? (void *)&drbd_resources : (void *)dev,
			       &b->md_bdev);
	if (err)
		return open_failed(conf->meta_dev, err, ERR_OPEN_MD_DISK, text);
	if (b->bdev == b->md_bdev) {
		strscpy(text, "data and metadata on one device need meta-disk internal", CORE_TEXT_MAX);
		return ERR_MD_IDX_INVALID;
	}
	return 0;
}

static u64 bytes_of(struct block_device *bdev)
{
	return (u64)compat_sectors(bdev) << SECTOR_BITS;
}

static int md_refused(enum md_error err, const char *dev, char *text)
{
	switch (err) {
	case MD_NO_MAGIC:
		snprintf(text, CORE_TEXT_MAX, "Meta data magic not found on %s. Did you \"drbdadm create-md\"?", dev);
		return ERR_MD_INVALID;
	case MD_OLD_FORMAT:
		snprintf(text, CORE_TEXT_MAX, "Found old (0.7) meta data on %s: convert it with \"drbdadm create-md\"", dev);
		return ERR_MD_INVALID;
	case MD_UNCLEAN:
		snprintf(text, CORE_TEXT_MAX, "Found unclean meta data on %s. Did you \"drbdadm apply-al\"?", dev);
		return ERR_MD_UNCLEAN;
	default:
		snprintf(text, CORE_TEXT_MAX, "meta data on %s is not valid: %s", dev, drbd_md_strerror(err));
		return ERR_MD_INVALID;
	}
}

static int read_superblock(struct drbd_device *dev, const struct nl_disk_conf *conf,
			   struct drbd_attach *a, char *text)
{
	struct drbd_backing *b = a->backing;
	u64 md_bytes = bytes_of(b->md_bdev), sector;
	enum md_error err;
	int io;

	err = drbd_md_sb_sector(conf->meta_dev_idx, md_bytes, &sector);
	if (err) {
		snprintf(text, CORE_TEXT_MAX, "%s is too small for metadata", conf->meta_dev);
		return ERR_MD_DISK_TOO_SMALL;
	}
	mutex_lock(&dev->md_io);
	io = drbd_md_sync_io(b, dev->md_page, sector, false);
	err = io ? MD_OK : drbd_md_decode(dev->md_page, &a->core.md);
	mutex_unlock(&dev->md_io);
	if (io) {
		snprintf(text, CORE_TEXT_MAX, "Error while reading metadata from %s (%d)", conf->meta_dev, io);
		return ERR_IO_MD_DISK;
	}
	if (!err && !drbd_md_is_clean(&a->core.md))
		err = MD_UNCLEAN;
	if (!err)
		err = drbd_md_layout_check(&a->core.md, conf->meta_dev_idx, md_bytes, &b->layout);
	if (err)
		return md_refused(err, conf->meta_dev, text);
	b->md_bytes = md_bytes;
	b->shape = (struct md_shape){
		.index = conf->meta_dev_idx, .max_peers = a->core.md.bm_max_peers,
		.bytes_per_bit = a->core.md.bm_bytes_per_bit,
		.al_stripes = a->core.md.al_stripes,
		.al_stripe_size_4k = a->core.md.al_stripe_size_4k,
	};
	b->al_stripes = a->core.md.al_stripes;
	b->al_stripe_4k = a->core.md.al_stripe_size_4k;
	a->core.d_size = drbd_md_capacity(&b->layout, conf->meta_dev_idx, bytes_of(b->bdev));
	return 0;
}


/* The bitmap is made for all that the disk offers: a peer may let it grow that far. */
static int load_bitmap(const struct nl_disk_conf *conf, struct drbd_attach *a, char *text)
{
	struct md_superblock *md = &a->core.md;
	u32 shift = ilog2(md->bm_bytes_per_bit);
	int err;

	a->bitmap = drbd_bitmap_alloc(a->core.d_size, md->bm_max_peers, shift);
	a->al = drbd_al_alloc(drbd_md_al_extents(conf->al_extents, md->al_stripes,
						 md->al_stripe_size_4k));
	if (!a->bitmap || !a->al) {
		strscpy(text, "not enough memory for bitmap and activity log", CORE_TEXT_MAX);
		return ERR_NOMEM;
	}
	if (!md->effective_size)
		return 0;	/* never used: what is on the disk means nothing */
	err = drbd_bitmap_read(a->backing, a->bitmap);
	if (err) {
		snprintf(text, CORE_TEXT_MAX, "reading the bitmap failed (%d)", err);
		return ERR_IO_MD_DISK;
	}
	return 0;
}

int drbd_attach_prepare(struct drbd_device *dev, const struct nl_disk_conf *conf,
			struct drbd_attach *a, char *text)
{
	struct drbd_backing *b;
	int err;

	if (conf->meta_dev_idx < MD_INDEX_INTERNAL) {
		strscpy(text, "the metadata index is none of internal, flexible or 0..255", CORE_TEXT_MAX);
		return ERR_MD_IDX_INVALID;
	}
	b = a->backing = kzalloc(sizeof(*b), GFP_KERNEL);
	if (!b || percpu_ref_init(&b->ref, idle, 0, GFP_KERNEL)) {
		kfree(b);
		a->backing = NULL;
		strscpy(text, "not enough memory", CORE_TEXT_MAX);
		return ERR_NOMEM;
	}
	INIT_WORK(&b->close_work, close_work);
	b->dev = dev;
	b->md_flushes = conf->md_flushes;
	a->core.conf = *conf;
	err = open_devices(dev, conf, b, text);
	if (!err)
		err = read_superblock(dev, conf, a, text);
	if (!err)
		err = load_bitmap(conf, a, text);
	if (err)
		return err;
	a->core.discard = compat_max_discard(b->bdev) != 0;
	a->core.max_bio = min_t(u32, WIRE_MAX_BIO,
				queue_max_hw_sectors(bdev_get_queue(b->bdev)) << SECTOR_BITS);
	return 0;
}

/* No disk is in use: what is exchanged here nobody looks at. */
void drbd_attach_install(struct drbd_device *dev, struct drbd_attach *a)
{
	struct drbd_bitmap *old_bitmap = dev->bitmap;
	struct drbd_al *old_al = dev->al;

	drbd_disk_limits(dev, a->backing);
	spin_lock_irq(&dev->bm_lock);
	dev->bitmap = a->bitmap;
	spin_unlock_irq(&dev->bm_lock);
	spin_lock_irq(&dev->extent_lock);
	dev->al = a->al;
	dev->al_gen++;
	spin_unlock_irq(&dev->extent_lock);
	rcu_assign_pointer(dev->backing, a->backing);
	synchronize_rcu();
	drbd_bitmap_free(old_bitmap);
	drbd_al_free(old_al);
	a->backing = NULL;
	a->bitmap = NULL;
	a->al = NULL;
}

void drbd_attach_undo(struct drbd_device *dev, struct drbd_attach *a)
{
	backing_free(a->backing);
	drbd_bitmap_free(a->bitmap);
	drbd_al_free(a->al);
}

int drbd_attach(struct drbd_device *dev, const struct nl_disk_conf *conf, char *text)
{
	struct drbd_attach *a;
	struct drbd_job job;
	int err;

	if (READ_ONCE(dev->status.dev.disk) != DISK_DISKLESS ||
	    rcu_access_pointer(dev->backing)) {
		strscpy(text, "a disk is attached already", CORE_TEXT_MAX);
		return ERR_DISK_CONFIGURED;
	}
	a = kzalloc(sizeof(*a), GFP_KERNEL);
	if (!a)
		return ERR_NOMEM;
	err = drbd_attach_prepare(dev, conf, a, text);
	if (!err) {
		struct drbd_backing *b = a->backing;

		drbd_attach_install(dev, a);
		drbd_job_init(&job, JOB_ATTACH);
		job.core.dev = &dev->core;
		job.core.arg.attach = &a->core;
		err = drbd_job_run(dev->res, &job);
		strscpy(text, job.core.text, CORE_TEXT_MAX);
		if (err != RES_SUCCESS && rcu_access_pointer(dev->backing) == b &&
		    READ_ONCE(dev->status.dev.disk) == DISK_DISKLESS)
			drbd_backing_close_when_idle(dev);
	}
	drbd_attach_undo(dev, a);
	kfree(a);
	if (err == RES_SUCCESS)
		dev->disk_conf = *conf;
	return err;
}
