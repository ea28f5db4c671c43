// SPDX-License-Identifier: GPL-2.0
/*
 * A device that is in use gets another size: bitmap in memory, then the metadata on
 * the disk, step by step as core says (core/disk/move.h). Nothing waits for it but
 * who needs a new extent of the activity log, or metadata I/O: application I/O goes on.
 */
#include "glue.h"

static u64 bytes_of(const struct block_device *bdev)
{
	return (u64)compat_sectors((struct block_device *)bdev) << SECTOR_BITS;
}

/* The layout for the devices as they are now; the present one if they did not change. */
static enum md_error layout_now(struct drbd_backing *b, struct md_layout *to, u64 *md_bytes)
{
	u64 before;

	*md_bytes = bytes_of(b->md_bdev);
	spin_lock_irq(&b->dev->md_lock);
	*to = b->layout;
	before = b->md_bytes;
	spin_unlock_irq(&b->dev->md_lock);
	/* indexed metadata have a place of their own, whatever the device's size */
	if (*md_bytes == before || b->shape.index >= 0)
		return MD_OK;
	return drbd_md_layout(&b->shape, *md_bytes, to);
}

u64 drbd_backing_offer(struct drbd_backing *b)
{
	struct md_layout to;
	u64 md_bytes;

	if (layout_now(b, &to, &md_bytes))
		return 0;
	return drbd_md_capacity(&to, b->shape.index, bytes_of(b->bdev));
}

/* md_io held. The content is that of the last write that core has asked for. */
static int write_superblock(struct drbd_device *dev, struct drbd_backing *b, bool mark)
{
	struct md_superblock *md = kmalloc(sizeof(*md), GFP_NOIO);
	int err;

	if (!md)
		return -ENOMEM;
	spin_lock_irq(&dev->md_lock);
	dev->md_next.effective_size = dev->resize_to;
	drbd_md_move_place(&dev->md_next, &b->layout);
	*md = dev->md_next;
	spin_unlock_irq(&dev->md_lock);
	if (mark)
		drbd_md_move_mark(md);
	drbd_md_encode(md, dev->md_page, true);
	err = drbd_md_sync_io(b, dev->md_page, b->layout.sb_sector, true);
	kfree(md);
	return err;
}

static int run_step(struct drbd_device *dev, struct drbd_backing *b, u8 step)
{
	switch (step) {
	case MD_MOVE_MARK:
		return write_superblock(dev, b, true);
	case MD_MOVE_RING:
		return drbd_al_write_ring(dev, b);
	case MD_MOVE_BITMAP:
		return drbd_bitmap_write_all(dev, b);
	case MD_MOVE_CHANGED:
		return drbd_bitmap_write_changed(dev, b);
	default:
		return write_superblock(dev, b, false);
	}
}

/*
 * md_io held. An error leaves the disk to core, as an error of metadata does always:
 * what is in memory is right.
 */
static int move(struct drbd_device *dev, struct drbd_backing *b, const struct md_layout *to,
		u64 md_bytes)
{
	u8 steps[MD_MOVE_STEPS];
	u32 i, n = drbd_md_move_steps(&b->layout, to, steps);
	int err = 0;

	spin_lock_irq(&dev->md_lock);
	b->layout = *to;
	b->md_bytes = md_bytes;
	spin_unlock_irq(&dev->md_lock);
	for (i = 0; i < n && !err; i++)
		err = run_step(dev, b, steps[i]);
	if (err) {
		drbd_err(dev->res, "%u drbd%u: writing the metadata for the new size failed (%d)",
			 dev->vnr, dev->minor, err);
		drbd_post(dev->res, &dev->ev_md_error);
	}
	return err ? ERR_IO_MD_DISK : 0;
}

static int resize(struct drbd_device *dev, struct drbd_backing *b, u64 *d_size)
{
	struct drbd_bitmap more;
	struct md_layout to;
	u64 md_bytes;
	int code;

	if (layout_now(b, &to, &md_bytes))
		return ERR_MD_LAYOUT_NO_FIT;
	*d_size = drbd_md_capacity(&to, b->shape.index, bytes_of(b->bdev));
	/* it was larger a moment ago */
	if (*d_size < dev->resize_to)
		return ERR_DISK_TOO_SMALL;
	/* room for all that the disk offers, as at attach */
	if (drbd_bitmap_room(dev->bitmap, *d_size, &more))
		return ERR_NOMEM;
	mutex_lock(&dev->md_io);
	drbd_bitmap_take_room(dev, &more);
	drbd_bitmap_resize(dev, dev->resize_to);
	if (dev->resize_set_from < dev->resize_to)
		drbd_bitmap_set_from(dev, dev->resize_set_from);
	code = move(dev, b, &to, md_bytes);
	mutex_unlock(&dev->md_io);
	return code;
}

void drbd_resize_work(struct work_struct *work)
{
	struct drbd_device *dev = container_of(work, struct drbd_device, resize_work);
	struct drbd_backing *b = drbd_backing_get(dev);
	int code = ERR_NO_DISK;
	u64 d_size = 0;

	if (b) {
		code = resize(dev, b, &d_size);
		drbd_backing_put(b);
	}
	dev->ev_resized.ev.ok = !code;
	dev->ev_resized.ev.resized.code = code;
	dev->ev_resized.ev.resized.size = dev->resize_to;
	dev->ev_resized.ev.resized.d_size = d_size;
	drbd_post(dev->res, &dev->ev_resized);
}
