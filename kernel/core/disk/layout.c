// SPDX-License-Identifier: GPL-2.0-only
/*
 * disk/layout.c - positions and sizes on the metadata device.
 */
#include "layout.h"

#define SB_SECTORS (MD_BLOCK / SECTOR_BYTES)
#define MD_MIN_BYTES 69632u	/* what the tools want at least */
#define AL_4K_MIN 8u

u64 drbd_md_bitmap_bytes(u64 sectors, u32 bytes_per_bit, u32 max_peers)
{
	u64 bits = core_div_up(sectors, bytes_per_bit / SECTOR_BYTES);

	/* 64 bits at a time, so that hosts of any word size agree; to a full
	 * block only once, behind all slots. */
	return core_align_up(core_align_up(bits, 64) / 8 * max_peers, (u64)MD_BLOCK);
}

enum md_error drbd_md_sb_sector(s32 index, u64 md_bytes, u64 *sector)
{
	u64 at;

	*sector = 0;
	if (index < MD_INDEX_INTERNAL || index == -1 || index > 255 || md_bytes < MD_MIN_BYTES)
		return MD_BAD_LAYOUT;
	if (index == MD_INDEX_FLEX_EXT)
		at = 0;
	else if (index == MD_INDEX_INTERNAL)
		at = core_align_down(md_bytes - MD_BLOCK, (u64)MD_BLOCK);
	else
		at = (u64)index * MD_INDEXED_SECTORS * SECTOR_BYTES;
	if (at + MD_BLOCK > md_bytes)
		return MD_BAD_LAYOUT;
	*sector = at / SECTOR_BYTES;
	return MD_OK;
}

static enum md_error check_shape(const struct md_shape *s)
{
	u64 al = (u64)s->al_stripes * s->al_stripe_size_4k;

	if (s->max_peers < 1 || s->max_peers > MD_MAX_PEERS)
		return MD_BAD_PEERS;
	if (!core_is_pow2(s->bytes_per_bit) || s->bytes_per_bit < 4096 ||
	    s->bytes_per_bit > 1u << 20)
		return MD_BAD_BITMAP;
	if (!s->al_stripes || !s->al_stripe_size_4k || al < AL_4K_MIN || al > MD_AL_MAX_4K)
		return MD_BAD_AL;
	/* No kernel attaches an indexed area of another shape (metadata.md 2.7). */
	if (s->index >= 0 && s->bytes_per_bit != 4096)
		return MD_BAD_BITMAP;
	if (s->index >= 0 && al != AL_4K_MIN)
		return MD_BAD_AL;
	return MD_OK;
}

/* Everything that follows from superblock position, size and offsets. */
static void fill(struct md_layout *l, s32 index, u64 al_sectors)
{
	bool internal = index == MD_INDEX_INTERNAL;

	l->al_sector = l->sb_sector + (u64)(s64)l->al_offset;
	l->bm_sector = l->sb_sector + (u64)(s64)l->bm_offset;
	l->al_sectors = al_sectors;
	l->bm_sectors = internal ? (u64)((s64)l->al_offset - l->bm_offset) :
			l->md_size_sect - (u64)l->bm_offset;
	l->first_sector = internal ? l->bm_sector : l->sb_sector;
	l->last_sector = internal ? l->sb_sector + SB_SECTORS - 1 :
			 l->sb_sector + l->md_size_sect - 1;
}

u64 drbd_md_bitmap_bits(u64 bm_sectors, u32 max_peers)
{
	return core_div64(bm_sectors * (SECTOR_BYTES / 8), max_peers) * 64;
}

/* Data sectors that the metadata can serve. */
static u64 capacity(const struct md_layout *l, s32 index, u32 max_peers, u32 bytes_per_bit)
{
	if (index == MD_INDEX_INTERNAL)
		return l->first_sector;
	return drbd_md_bitmap_bits(l->bm_sectors, max_peers) * (bytes_per_bit / SECTOR_BYTES);
}

enum md_error drbd_md_layout(const struct md_shape *shape, u64 md_bytes,
			     struct md_layout *out)
{
	u64 al = (u64)shape->al_stripes * shape->al_stripe_size_4k * SB_SECTORS;
	u64 sectors = md_bytes / SECTOR_BYTES, size;
	enum md_error err = check_shape(shape);

	memset(out, 0, sizeof(*out));
	if (!err)
		err = drbd_md_sb_sector(shape->index, md_bytes, &out->sb_sector);
	if (err)
		return err;

	if (shape->index == MD_INDEX_INTERNAL) {
		/* Dimensioned for the whole device, so no recursion. */
		size = drbd_md_bitmap_bytes(sectors, shape->bytes_per_bit,
					    shape->max_peers) / SECTOR_BYTES + al + SB_SECTORS;
		if (size > 0x7fffffff || size > out->sb_sector + SB_SECTORS)
			return MD_BAD_LAYOUT;
		out->md_size_sect = (u32)size;
		out->al_offset = -(s32)al;
		out->bm_offset = -(s32)size + (s32)SB_SECTORS;
	} else {
		size = shape->index == MD_INDEX_FLEX_EXT ? sectors : MD_INDEXED_SECTORS;
		/* The field has 32 bits; the rest of a giant device stays unused. */
		size = min(size, 0xffffffffull & ~7ull);
		if (SB_SECTORS + al >= size)
			return MD_BAD_LAYOUT;
		out->md_size_sect = (u32)size;
		out->al_offset = (s32)SB_SECTORS;
		out->bm_offset = (s32)(SB_SECTORS + al);
	}
	fill(out, shape->index, al);
	out->capacity = capacity(out, shape->index, shape->max_peers, shape->bytes_per_bit);
	return MD_OK;
}

enum md_error drbd_md_layout_check(const struct md_superblock *sb, s32 index,
				   u64 md_bytes, struct md_layout *out)
{
	u64 al = (u64)sb->al_stripes * sb->al_stripe_size_4k * SB_SECTORS;
	u64 sectors = md_bytes / SECTOR_BYTES, need;
	enum md_error err;

	memset(out, 0, sizeof(*out));
	err = drbd_md_sb_sector(index, md_bytes, &out->sb_sector);
	if (err)
		return err;
	out->md_size_sect = sb->md_size_sect;
	out->al_offset = sb->al_offset;
	out->bm_offset = sb->bm_offset;

	if (index == MD_INDEX_INTERNAL) {
		if (sb->al_offset != -(s64)al ||
		    sb->bm_offset != (s64)SB_SECTORS - (s64)sb->md_size_sect ||
		    sb->bm_offset >= sb->al_offset ||
		    (u64)-(s64)sb->bm_offset > out->sb_sector)
			return MD_BAD_LAYOUT;
		need = drbd_md_bitmap_bytes((u64)((s64)out->sb_sector + sb->bm_offset),
					    sb->bm_bytes_per_bit, sb->bm_max_peers);
		if ((u64)((s64)sb->al_offset - sb->bm_offset) * SECTOR_BYTES < need)
			return MD_BAD_LAYOUT;
	} else {
		if (sb->al_offset != (s32)SB_SECTORS ||
		    sb->bm_offset != (s64)(SB_SECTORS + al) ||
		    sb->md_size_sect <= (u64)sb->bm_offset ||
		    out->sb_sector + sb->md_size_sect > sectors)
			return MD_BAD_LAYOUT;
		if (index >= 0 && sb->md_size_sect != MD_INDEXED_SECTORS)
			return MD_BAD_LAYOUT;
	}
	fill(out, index, al);
	out->capacity = capacity(out, index, sb->bm_max_peers, sb->bm_bytes_per_bit);
	return MD_OK;
}

u64 drbd_md_capacity(const struct md_layout *l, s32 index, u64 backing_bytes)
{
	u64 limit = min(l->capacity, (u64)MD_MAX_CAPACITY);

	if (index == MD_INDEX_INTERNAL)
		return limit;
	return min(limit, backing_bytes / SECTOR_BYTES);
}

u32 drbd_md_al_extents(u32 configured, u32 al_stripes, u32 al_stripe_size_4k)
{
	u64 n = (u64)al_stripes * al_stripe_size_4k;
	u64 most = n > 72 ? MD_AL_EXTENTS_MAX : (n - 1) * 919;

	if (configured < MD_AL_EXTENTS_MIN)
		configured = MD_AL_EXTENTS_MIN;
	return (u32)min((u64)configured, most);
}
