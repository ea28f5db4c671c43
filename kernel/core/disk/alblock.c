// SPDX-License-Identifier: GPL-2.0-only
/*
 * disk/alblock.c - activity log blocks, their ring, and replay.
 */
#include "alblock.h"

enum block_at {
	AT_MAGIC = 0,
	AT_TR = 4,
	AT_CRC = 8,
	AT_TYPE = 12,
	AT_N_UPDATES = 14,
	AT_CONTEXT_SIZE = 16,
	AT_CONTEXT_START = 18,
	AT_SLOTS = 36,
	AT_EXTENTS = 164,
	AT_CONTEXT = 420,
};

/*
 * CRC-32C, reflected polynomial 0x82f63b78, a word at a time: row k tells what four
 * bits, 4 k bits above the lowest, have become when the whole word is taken in.
 * Eight small independent look-ups: half a kilobyte of table, a fifth of the time
 * that nibble after nibble takes.
 */
static const u32 crc_word[8][16] = {
	{
		0x00000000, 0xdd45aab8, 0xbf672381, 0x62228939,
		0x7b2231f3, 0xa6679b4b, 0xc4451272, 0x1900b8ca,
		0xf64463e6, 0x2b01c95e, 0x49234067, 0x9466eadf,
		0x8d665215, 0x5023f8ad, 0x32017194, 0xef44db2c,
	},
	{
		0x00000000, 0xe964b13d, 0xd725148b, 0x3e41a5b6,
		0xaba65fe7, 0x42c2eeda, 0x7c834b6c, 0x95e7fa51,
		0x52a0c93f, 0xbbc47802, 0x8585ddb4, 0x6ce16c89,
		0xf90696d8, 0x106227e5, 0x2e238253, 0xc747336e,
	},
	{
		0x00000000, 0xa541927e, 0x4f6f520d, 0xea2ec073,
		0x9edea41a, 0x3b9f3664, 0xd1b1f617, 0x74f06469,
		0x38513ec5, 0x9d10acbb, 0x773e6cc8, 0xd27ffeb6,
		0xa68f9adf, 0x03ce08a1, 0xe9e0c8d2, 0x4ca15aac,
	},
	{
		0x00000000, 0x70a27d8a, 0xe144fb14, 0x91e6869e,
		0xc76580d9, 0xb7c7fd53, 0x26217bcd, 0x56830647,
		0x8b277743, 0xfb850ac9, 0x6a638c57, 0x1ac1f1dd,
		0x4c42f79a, 0x3ce08a10, 0xad060c8e, 0xdda47104,
	},
	{
		0x00000000, 0x13a29877, 0x274530ee, 0x34e7a899,
		0x4e8a61dc, 0x5d28f9ab, 0x69cf5132, 0x7a6dc945,
		0x9d14c3b8, 0x8eb65bcf, 0xba51f356, 0xa9f36b21,
		0xd39ea264, 0xc03c3a13, 0xf4db928a, 0xe7790afd,
	},
	{
		0x00000000, 0x3fc5f181, 0x7f8be302, 0x404e1283,
		0xff17c604, 0xc0d23785, 0x809c2506, 0xbf59d487,
		0xfbc3faf9, 0xc4060b78, 0x844819fb, 0xbb8de87a,
		0x04d43cfd, 0x3b11cd7c, 0x7b5fdfff, 0x449a2e7e,
	},
	{
		0x00000000, 0xf26b8303, 0xe13b70f7, 0x1350f3f4,
		0xc79a971f, 0x35f1141c, 0x26a1e7e8, 0xd4ca64eb,
		0x8ad958cf, 0x78b2dbcc, 0x6be22838, 0x9989ab3b,
		0x4d43cfd0, 0xbf284cd3, 0xac78bf27, 0x5e133c24,
	},
	{
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
		0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	},
};

static u32 crc_add(u32 crc, const u8 *p, size_t len)
{
	for (; len >= 4; len -= 4, p += 4) {
		u32 v = crc ^ get_le32_at(p);

		crc = crc_word[0][v & 15] ^ crc_word[1][v >> 4 & 15] ^
		      crc_word[2][v >> 8 & 15] ^ crc_word[3][v >> 12 & 15] ^
		      crc_word[4][v >> 16 & 15] ^ crc_word[5][v >> 20 & 15] ^
		      crc_word[6][v >> 24 & 15] ^ crc_word[7][v >> 28];
	}
	while (len--) {
		crc ^= *p++;
		crc = crc >> 4 ^ crc_word[7][crc & 15];
		crc = crc >> 4 ^ crc_word[7][crc & 15];
	}
	return crc;
}

u32 drbd_al_crc32c(const void *data, size_t len)
{
	return crc_add(0, data, len);
}

/* Over a block, its own CRC field counted as zero. */
static u32 block_crc(const u8 *p)
{
	static const u8 zero[4];
	u32 crc = crc_add(0, p, AT_CRC);

	crc = crc_add(crc, zero, 4);
	return crc_add(crc, p + AT_CRC + 4, AL_BLOCK - AT_CRC - 4);
}

u32 drbd_al_ring_block(u32 tr, u32 stripes, u32 stripe_size_4k)
{
	u32 t = tr % (stripes * stripe_size_4k);

	return t % stripes * stripe_size_4k + t / stripes;
}

void drbd_al_block_init(void *block)
{
	u8 *p = block;

	memset(p, 0, AL_BLOCK);
	put_be32_at(p + AT_MAGIC, AL_MAGIC);
	put_be16_at(p + AT_TYPE, AL_TYPE_INITIALIZED);
	put_be32_at(p + AT_CRC, block_crc(p));
}

void drbd_al_block_encode(void *block, u32 tr_number,
			  const struct al_update *updates, u32 n_updates,
			  const u32 *context, u32 context_size,
			  u32 context_start)
{
	u8 *p = block;
	u32 i;

	core_assert(n_updates <= AL_UPDATES && context_size <= 0xffff);
	memset(p, 0, AL_BLOCK);
	put_be32_at(p + AT_MAGIC, AL_MAGIC);
	put_be32_at(p + AT_TR, tr_number);
	put_be16_at(p + AT_TYPE, AL_TYPE_UPDATE);
	put_be16_at(p + AT_N_UPDATES, (u16)n_updates);
	put_be16_at(p + AT_CONTEXT_SIZE, (u16)context_size);
	put_be16_at(p + AT_CONTEXT_START, (u16)context_start);
	for (i = 0; i < AL_UPDATES; i++) {
		put_be16_at(p + AT_SLOTS + 2 * i,
			    i < n_updates ? updates[i].slot : AL_NO_SLOT);
		put_be32_at(p + AT_EXTENTS + 4 * i,
			    i < n_updates ? updates[i].extent : AL_FREE);
	}
	for (i = 0; i < AL_CONTEXT; i++)
		put_be32_at(p + AT_CONTEXT + 4 * i,
			    context_start + i < context_size ?
			    context[context_start + i] : AL_FREE);
	put_be32_at(p + AT_CRC, block_crc(p));
}

void drbd_al_block_inspect(const void *block, struct al_block_info *info)
{
	const u8 *p = block;

	memset(info, 0, sizeof(*info));
	if (get_be32_at(p + AT_MAGIC) != AL_MAGIC || get_be32_at(p + AT_CRC) != block_crc(p))
		return;
	info->valid = true;
	info->tr_number = get_be32_at(p + AT_TR);
	info->type = get_be16_at(p + AT_TYPE);
	info->n_updates = get_be16_at(p + AT_N_UPDATES);
	info->context_size = get_be16_at(p + AT_CONTEXT_SIZE);
	info->context_start = get_be16_at(p + AT_CONTEXT_START);
}

void drbd_al_replay_init(struct al_replay *r, u32 n, u32 *slots)
{
	u32 i;

	memset(r, 0, sizeof(*r));
	r->n = n;
	r->slots = slots;
	for (i = 0; i < AL_REPLAY_SLOTS; i++)
		slots[i] = AL_FREE;
}

void drbd_al_replay_scan(struct al_replay *r, u32 pos, const void *block)
{
	struct al_block_info info;

	drbd_al_block_inspect(block, &info);
	if (!info.valid) {
		r->invalid++;
		if (!pos)
			r->invalid_first = true;
		return;
	}
	r->valid++;
	if (info.type == AL_TYPE_INITIALIZED)
		return;
	if (!r->updates++) {
		r->oldest_tr = r->newest_tr = info.tr_number;
		r->oldest_pos = r->newest_pos = pos;
		return;
	}
	/* The counter wraps: compare by signed difference. */
	if (info.tr_number == r->oldest_tr || info.tr_number == r->newest_tr)
		r->confusing = true;
	if ((s32)(info.tr_number - r->oldest_tr) < 0) {
		r->oldest_tr = info.tr_number;
		r->oldest_pos = pos;
	}
	if ((s32)(info.tr_number - r->newest_tr) > 0) {
		r->newest_tr = info.tr_number;
		r->newest_pos = pos;
	}
}

enum al_replay_verdict drbd_al_replay_decide(struct al_replay *r)
{
	if (!r->valid)
		return AL_REPLAY_NO_BLOCK;
	if (r->updates) {
		u32 span = (r->newest_pos + r->n - r->oldest_pos) % r->n;

		if (r->newest_tr - r->oldest_tr != span)
			r->confusing = true;
		return AL_REPLAY_EXTENTS;
	}
	if (!r->invalid)
		return AL_REPLAY_NOTHING;
	/* The very first transaction after the attach was torn. */
	if (r->invalid == 1 && r->invalid_first)
		return AL_REPLAY_NOTHING;
	return AL_REPLAY_NO_UPDATE;
}

u32 drbd_al_replay_first(const struct al_replay *r)
{
	return r->oldest_pos;
}

u32 drbd_al_replay_count(const struct al_replay *r)
{
	if (!r->updates)
		return 0;
	return (r->newest_pos + r->n - r->oldest_pos) % r->n + 1;
}

static void store(struct al_replay *r, u32 slot, u32 extent)
{
	if (slot >= 65534) {
		r->bad_slots++;
		return;
	}
	r->slots[slot] = extent;
	r->max_slot = max(r->max_slot, slot + 1);
}

void drbd_al_replay_apply(struct al_replay *r, const void *block)
{
	const u8 *p = block;
	struct al_block_info info;
	u32 i;

	drbd_al_block_inspect(block, &info);
	if (!info.valid || info.type == AL_TYPE_INITIALIZED)
		return;
	/* The context is the state before, the updates come on top. */
	for (i = 0; i < AL_CONTEXT; i++) {
		u32 slot = (u32)info.context_start + i;
		u32 extent = get_be32_at(p + AT_CONTEXT + 4 * i);

		if (extent == AL_FREE && slot >= info.context_size)
			continue;
		store(r, slot, extent);
	}
	for (i = 0; i < AL_UPDATES; i++) {
		u16 slot = get_be16_at(p + AT_SLOTS + 2 * i);

		if (i >= info.n_updates && slot == AL_NO_SLOT)
			continue;
		store(r, slot, get_be32_at(p + AT_EXTENTS + 4 * i));
	}
}

u32 drbd_al_replay_next(const struct al_replay *r, u32 *slot)
{
	while (*slot < r->max_slot) {
		u32 extent = r->slots[(*slot)++];

		if (extent != AL_FREE)
			return extent;
	}
	return AL_FREE;
}
