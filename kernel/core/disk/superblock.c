// SPDX-License-Identifier: GPL-2.0-only
/*
 * disk/superblock.c - v08 and v09 superblocks, in and out.
 */
#include "superblock.h"

/* Positions on disk, metadata.md 3.3 and 3.4. Flags and magic are at the same
 * place in both formats, so that two reads tell which one it is. */
enum common_at {
	AT_EFFECTIVE_SIZE = 0,
	AT_CURRENT_UUID = 8,
	AT_FLAGS = 56,
	AT_MAGIC = 60,
	AT_MD_SIZE = 64,
	AT_AL_OFFSET = 68,
	AT_AL_NR_EXTENTS = 72,
	AT_BM_OFFSET = 76,
	AT_BM_BYTES_PER_BIT = 80,
	AT_LA_PEER_MAX_BIO = 84,
};

enum v08_at {
	V08_BITMAP_UUID = 16,
	V08_HISTORY = 24,
	V08_DEVICE_UUID = 40,
	V08_AL_STRIPES = 88,
	V08_AL_STRIPE_4K = 92,
	V08_END = 96,
};

enum v09_at {
	V09_MEMBERS = 16,
	V09_DEVICE_UUID = 48,
	V09_MAX_PEERS = 88,
	V09_NODE_ID = 92,
	V09_AL_STRIPES = 96,
	V09_AL_STRIPE_4K = 100,
	V09_PEERS = 112,
	V09_PEER_SIZE = 32,
	V09_HISTORY = 1136,
	V09_END = 1392,
};

/* Flags of the device in v08 that belong to the peer in v09. */
static const struct {
	u32 v08, peer;
} moved_flags[] = {
	{ MDF_CONNECTED_IND, MDF_PEER_CONNECTED },
	{ MDF_FULL_SYNC, MDF_PEER_FULL_SYNC },
	{ MDF_PEER_OUT_DATED, MDF_PEER_OUTDATED },
};

#define V08_DEVICE_FLAGS 0x1d3u
#define AL_TOTAL_MIN 8u
#define AL_TOTAL_MAX (16ull << 30 >> 12)

static const char *const error_text[] = {
	[MD_OK] = "ok",
	[MD_NO_MAGIC] = "no metadata found",
	[MD_OLD_FORMAT] = "metadata of format v07, which has to be converted first",
	[MD_BAD_PEERS] = "impossible number of bitmap slots, slot number or node id",
	[MD_BAD_BITMAP] = "impossible bitmap granularity",
	[MD_BAD_AL] = "impossible shape of the activity log",
	[MD_BAD_LAYOUT] = "offsets and sizes do not fit this device",
	[MD_UNCLEAN] = "the activity log has to be applied first",
};

const char *drbd_md_strerror(enum md_error error)
{
	if ((unsigned int)error >= ARRAY_SIZE(error_text))
		return "bad metadata";
	return error_text[error];
}

static void decode_v08(const u8 *p, struct md_superblock *sb)
{
	struct md_peer *peer = &sb->peer[0];
	u32 flags = sb->flags, i;

	sb->format = MD_V08;
	sb->device_uuid = get_be64_at(p + V08_DEVICE_UUID);
	sb->al_stripes = get_be32_at(p + V08_AL_STRIPES);
	sb->al_stripe_size_4k = get_be32_at(p + V08_AL_STRIPE_4K);
	/* Made before striping existed. */
	if (!sb->al_stripes && !sb->al_stripe_size_4k) {
		sb->al_stripes = 1;
		sb->al_stripe_size_4k = 8;
	}
	sb->bm_max_peers = 1;
	sb->node_id = -1;
	for (i = 0; i < MD_HISTORY_V08; i++)
		sb->history[i] = get_be64_at(p + V08_HISTORY + 8 * i);

	peer->bitmap_uuid = get_be64_at(p + V08_BITMAP_UUID);
	peer->bitmap_index = 0;
	peer->flags = MDF_HAVE_BITMAP;
	for (i = 0; i < ARRAY_SIZE(moved_flags); i++)
		if (flags & moved_flags[i].v08)
			peer->flags |= moved_flags[i].peer;
	sb->flags = flags & V08_DEVICE_FLAGS;
}

static void decode_v09(const u8 *p, struct md_superblock *sb)
{
	u32 i;

	sb->format = MD_V09;
	sb->members = get_be64_at(p + V09_MEMBERS);
	sb->device_uuid = get_be64_at(p + V09_DEVICE_UUID);
	sb->bm_max_peers = get_be32_at(p + V09_MAX_PEERS);
	sb->node_id = (s32)get_be32_at(p + V09_NODE_ID);
	sb->al_stripes = get_be32_at(p + V09_AL_STRIPES);
	sb->al_stripe_size_4k = get_be32_at(p + V09_AL_STRIPE_4K);
	for (i = 0; i < MD_MAX_PEERS; i++) {
		const u8 *e = p + V09_PEERS + V09_PEER_SIZE * i;
		struct md_peer *peer = &sb->peer[i];

		peer->bitmap_uuid = get_be64_at(e);
		peer->bitmap_dagtag = get_be64_at(e + 8);
		peer->flags = get_be32_at(e + 16) & ~(u32)MDF_HAVE_BITMAP;
		peer->bitmap_index = (s32)get_be32_at(e + 20);
		if (peer->bitmap_index != -1)
			peer->flags |= MDF_HAVE_BITMAP;
	}
	for (i = 0; i < MD_HISTORY; i++)
		sb->history[i] = get_be64_at(p + V09_HISTORY + 8 * i);
}

static enum md_error check_peers(const struct md_superblock *sb)
{
	u32 i, used = 0;

	if (sb->bm_max_peers < 1 || sb->bm_max_peers > MD_MAX_PEERS)
		return MD_BAD_PEERS;
	if (sb->node_id < -1 || sb->node_id >= (s32)MD_MAX_PEERS)
		return MD_BAD_PEERS;
	for (i = 0; i < MD_MAX_PEERS; i++) {
		s32 index = sb->peer[i].bitmap_index;

		if (index == -1)
			continue;
		if (index < -1 || index >= (s32)sb->bm_max_peers || (s32)i == sb->node_id)
			return MD_BAD_PEERS;
		/* Two nodes in one slot would clear each other's bits. */
		if (used >> index & 1)
			return MD_BAD_PEERS;
		used |= 1u << index;
	}
	return MD_OK;
}

static enum md_error check(const struct md_superblock *sb)
{
	u64 al = (u64)sb->al_stripes * sb->al_stripe_size_4k;
	enum md_error err = check_peers(sb);

	if (err)
		return err;
	if (!core_is_pow2(sb->bm_bytes_per_bit) || sb->bm_bytes_per_bit < 4096 ||
	    sb->bm_bytes_per_bit > 1u << 20 ||
	    (sb->format == MD_V08 && sb->bm_bytes_per_bit != 4096))
		return MD_BAD_BITMAP;
	/* Bounded one by one, too: the product must not wrap. */
	if (!sb->al_stripes || !sb->al_stripe_size_4k || al < AL_TOTAL_MIN ||
	    al > AL_TOTAL_MAX)
		return MD_BAD_AL;
	return MD_OK;
}

enum md_error drbd_md_decode(const void *block, struct md_superblock *sb)
{
	const u8 *p = block;
	u32 i;

	memset(sb, 0, sizeof(*sb));
	for (i = 0; i < MD_MAX_PEERS; i++)
		sb->peer[i].bitmap_index = -1;

	sb->magic = get_be32_at(p + AT_MAGIC);
	if (get_be32_at(p + 28) == MD_MAGIC_V07 && sb->magic != MD_MAGIC_V08 &&
	    sb->magic != MD_MAGIC_V08_UNCLEAN && sb->magic != MD_MAGIC_V09)
		return MD_OLD_FORMAT;
	sb->effective_size = get_be64_at(p + AT_EFFECTIVE_SIZE);
	sb->current_uuid = get_be64_at(p + AT_CURRENT_UUID);
	sb->flags = get_be32_at(p + AT_FLAGS);
	sb->md_size_sect = get_be32_at(p + AT_MD_SIZE);
	sb->al_offset = (s32)get_be32_at(p + AT_AL_OFFSET);
	sb->al_nr_extents = get_be32_at(p + AT_AL_NR_EXTENTS);
	sb->bm_offset = (s32)get_be32_at(p + AT_BM_OFFSET);
	sb->bm_bytes_per_bit = get_be32_at(p + AT_BM_BYTES_PER_BIT);
	sb->la_peer_max_bio_size = get_be32_at(p + AT_LA_PEER_MAX_BIO);

	switch (sb->magic) {
	case MD_MAGIC_V08:
	case MD_MAGIC_V08_UNCLEAN:
		decode_v08(p, sb);
		break;
	case MD_MAGIC_V09:
		decode_v09(p, sb);
		break;
	default:
		return MD_NO_MAGIC;
	}
	return check(sb);
}

/* The one peer of v08: whoever has slot 0. */
static const struct md_peer *v08_peer(const struct md_superblock *sb)
{
	u32 i;

	for (i = 0; i < MD_MAX_PEERS; i++)
		if (sb->peer[i].bitmap_index == 0)
			return &sb->peer[i];
	return &sb->peer[0];
}

static void encode_v08(const struct md_superblock *sb, u8 *p, bool kernel)
{
	const struct md_peer *peer = v08_peer(sb);
	u32 flags = sb->flags & V08_DEVICE_FLAGS, magic = MD_MAGIC_V08_UNCLEAN, i;

	for (i = 0; i < ARRAY_SIZE(moved_flags); i++)
		if (peer->flags & moved_flags[i].peer)
			flags |= moved_flags[i].v08;
	/* A kernel of 8.3 must not attach what it cannot replay. */
	if (!kernel && flags & MDF_AL_CLEAN)
		magic = MD_MAGIC_V08;
	put_be64_at(p + V08_BITMAP_UUID, peer->bitmap_uuid);
	for (i = 0; i < MD_HISTORY_V08; i++)
		put_be64_at(p + V08_HISTORY + 8 * i, sb->history[i]);
	put_be64_at(p + V08_DEVICE_UUID, sb->device_uuid);
	put_be32_at(p + AT_FLAGS, flags);
	put_be32_at(p + AT_MAGIC, magic);
	put_be32_at(p + V08_AL_STRIPES, sb->al_stripes);
	put_be32_at(p + V08_AL_STRIPE_4K, sb->al_stripe_size_4k);
}

static void encode_v09(const struct md_superblock *sb, u8 *p)
{
	u32 i;

	put_be64_at(p + V09_MEMBERS, sb->members);
	put_be64_at(p + V09_DEVICE_UUID, sb->device_uuid);
	put_be32_at(p + AT_FLAGS, sb->flags);
	put_be32_at(p + AT_MAGIC, MD_MAGIC_V09);
	put_be32_at(p + V09_MAX_PEERS, sb->bm_max_peers);
	put_be32_at(p + V09_NODE_ID, (u32)sb->node_id);
	put_be32_at(p + V09_AL_STRIPES, sb->al_stripes);
	put_be32_at(p + V09_AL_STRIPE_4K, sb->al_stripe_size_4k);
	for (i = 0; i < MD_MAX_PEERS; i++) {
		const struct md_peer *peer = &sb->peer[i];
		u8 *e = p + V09_PEERS + V09_PEER_SIZE * i;

		put_be64_at(e, peer->bitmap_uuid);
		put_be64_at(e + 8, peer->bitmap_dagtag);
		put_be32_at(e + 16, peer->flags & ~(u32)MDF_HAVE_BITMAP);
		put_be32_at(e + 20, (u32)peer->bitmap_index);
	}
	for (i = 0; i < MD_HISTORY; i++)
		put_be64_at(p + V09_HISTORY + 8 * i, sb->history[i]);
}

void drbd_md_encode(const struct md_superblock *sb, void *block, bool kernel)
{
	u8 *p = block;

	memset(p, 0, MD_BLOCK);
	put_be64_at(p + AT_EFFECTIVE_SIZE, sb->effective_size);
	put_be64_at(p + AT_CURRENT_UUID, sb->current_uuid);
	put_be32_at(p + AT_MD_SIZE, sb->md_size_sect);
	put_be32_at(p + AT_AL_OFFSET, (u32)sb->al_offset);
	put_be32_at(p + AT_AL_NR_EXTENTS, sb->al_nr_extents);
	put_be32_at(p + AT_BM_OFFSET, (u32)sb->bm_offset);
	put_be32_at(p + AT_BM_BYTES_PER_BIT, sb->bm_bytes_per_bit);
	put_be32_at(p + AT_LA_PEER_MAX_BIO, sb->la_peer_max_bio_size);
	if (sb->format == MD_V08)
		encode_v08(sb, p, kernel);
	else
		encode_v09(sb, p);
}

bool drbd_md_is_clean(const struct md_superblock *sb)
{
	return sb->magic != MD_MAGIC_V08_UNCLEAN && sb->flags & MDF_AL_CLEAN;
}

void drbd_md_init(struct md_superblock *sb, enum md_format format, u32 max_peers)
{
	u32 i;

	memset(sb, 0, sizeof(*sb));
	sb->format = (u8)format;
	sb->magic = format == MD_V08 ? MD_MAGIC_V08 : MD_MAGIC_V09;
	sb->current_uuid = UUID_JUST_CREATED;
	sb->flags = MDF_AL_CLEAN;
	sb->al_nr_extents = 257;	/* what stock tools write; only old formats read it */
	sb->bm_bytes_per_bit = 4096;
	sb->bm_max_peers = format == MD_V08 ? 1 : max_peers;
	sb->node_id = -1;
	sb->al_stripes = 1;
	sb->al_stripe_size_4k = 8;
	for (i = 0; i < MD_MAX_PEERS; i++)
		sb->peer[i].bitmap_index = -1;
	if (format == MD_V08) {
		sb->peer[0].bitmap_index = 0;
		sb->peer[0].flags = MDF_HAVE_BITMAP;
	}
}

void drbd_md_history_push(struct md_superblock *sb, u64 uuid)
{
	u32 n = sb->format == MD_V08 ? MD_HISTORY_V08 : MD_HISTORY, i;
	bool empty = true;

	uuid &= ~UUID_PRIMARY_BIT;
	if (!uuid || uuid == UUID_JUST_CREATED ||
	    uuid == (sb->current_uuid & ~UUID_PRIMARY_BIT))
		return;
	for (i = 0; i < n; i++) {
		if (sb->history[i])
			empty = false;
		if ((sb->history[i] & ~UUID_PRIMARY_BIT) == uuid)
			return;
	}
	/* An empty history takes even a bitmap UUID: that is the day-0 one. */
	for (i = 0; i < MD_MAX_PEERS && !empty; i++)
		if ((sb->peer[i].bitmap_uuid & ~UUID_PRIMARY_BIT) == uuid)
			return;
	for (i = n - 1; i > 0; i--)
		sb->history[i] = sb->history[i - 1];
	sb->history[0] = uuid;
}
