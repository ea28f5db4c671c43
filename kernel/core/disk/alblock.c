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

/* Over a block, its own CRC field counted as zero. */
static u32 block_crc(const u8 *p)
{
	static const u8 zero[4];
	u32 crc = core_crc32c(0, p, AT_CRC);

	crc = core_crc32c(crc, zero, 4);
	return core_crc32c(crc, p + AT_CRC + 4, AL_BLOCK - AT_CRC - 4);
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
	memset(p, 0, AT_SLOTS);
	put_be32_at(p + AT_MAGIC, AL_MAGIC);
	put_be32_at(p + AT_TR, tr_number);
	put_be16_at(p + AT_TYPE, AL_TYPE_UPDATE);
	put_be16_at(p + AT_N_UPDATES, (u16)n_updates);
	put_be16_at(p + AT_CONTEXT_SIZE, (u16)context_size);
	put_be16_at(p + AT_CONTEXT_START, (u16)context_start);
	/* what is not said below is AL_NO_SLOT, AL_FREE */
	memset(p + AT_SLOTS, 0xff, AL_BLOCK - AT_SLOTS);
	for (i = 0; i < n_updates; i++) {
		put_be16_at(p + AT_SLOTS + 2 * i, updates[i].slot);
		put_be32_at(p + AT_EXTENTS + 4 * i, updates[i].extent);
	}
	for (i = 0; i < AL_CONTEXT && context_start + i < context_size; i++)
		put_be32_at(p + AT_CONTEXT + 4 * i, context[context_start + i]);
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
