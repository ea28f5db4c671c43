/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * disk/layout.h - where superblock, activity log and bitmap lie.
 *
 * Pure arithmetic from device size, kind and shape; used by create-md, attach
 * and resize. Specification: metadata.md 2.
 */
#ifndef DRBD_CORE_DISK_LAYOUT_H
#define DRBD_CORE_DISK_LAYOUT_H

#include "superblock.h"

/* meta-disk index: 0..255 indexed, or one of these. */
#define MD_INDEX_FLEX_EXT (-2)
#define MD_INDEX_INTERNAL (-3)

#define MD_AL_STRIPES_DEFAULT 1u
#define MD_AL_STRIPE_4K_DEFAULT 8u
#define MD_INDEXED_SECTORS 262144u
#define MD_AL_EXTENTS_MIN 67u
#define MD_AL_EXTENTS_MAX 65534u
#define MD_AL_EXTENTS_DEFAULT 1237u
#define MD_AL_MAX_4K (16ull << 30 >> 12)
#define MD_MAX_CAPACITY (1ull << 41)	/* sectors: 1 PiB */

struct md_shape {
	s32 index;		/* MD_INDEX_* or 0..255 */
	u32 max_peers;
	u32 bytes_per_bit;
	u32 al_stripes, al_stripe_size_4k;
};

struct md_layout {
	u64 sb_sector;		/* superblock, on the metadata device */
	u32 md_size_sect;
	s32 al_offset, bm_offset;
	u64 al_sector, bm_sector;	/* absolute */
	u64 al_sectors, bm_sectors;
	u64 first_sector, last_sector;	/* of the whole area */
	u64 capacity;		/* usable for data, sectors; external: limit by the bitmap */
};

/* Bytes of a bitmap for @sectors of data. */
u64 drbd_md_bitmap_bytes(u64 sectors, u32 bytes_per_bit, u32 max_peers);

/* Sector of the superblock on a metadata device of @md_bytes. MD_BAD_LAYOUT if
 * it does not fit. */
enum md_error drbd_md_sb_sector(s32 index, u64 md_bytes, u64 *sector);

/*
 * The layout a new metadata set gets. MD_BAD_LAYOUT, MD_BAD_AL, MD_BAD_PEERS,
 * MD_BAD_BITMAP for shapes that no device of this size can hold.
 */
enum md_error drbd_md_layout(const struct md_shape *shape, u64 md_bytes,
			     struct md_layout *out);

/*
 * Checks offsets and sizes of a decoded superblock against the device it was
 * read from, and fills @out from what the superblock says.
 */
enum md_error drbd_md_layout_check(const struct md_superblock *sb, s32 index,
				   u64 md_bytes, struct md_layout *out);

/* Usable sectors: what the metadata allows, what the backing device has (for
 * internal metadata they are the same device). */
u64 drbd_md_capacity(const struct md_layout *l, s32 index, u64 backing_bytes);

/* al-extents as configured, clamped to what the ring can describe. */
u32 drbd_md_al_extents(u32 configured, u32 al_stripes, u32 al_stripe_size_4k);

/* Bits that all slots of an area of @bm_sectors can hold, per slot. */
u64 drbd_md_bitmap_bits(u64 bm_sectors, u32 max_peers);

#endif
