/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * disk/alblock.h - the activity log on disk: transaction blocks, their place in
 * the ring, and replay.
 *
 * Specification: metadata.md 5.2 to 5.7.
 */
#ifndef DRBD_CORE_DISK_ALBLOCK_H
#define DRBD_CORE_DISK_ALBLOCK_H

#include "../base.h"

#define AL_BLOCK 4096u
#define AL_MAGIC 0x69CB65A2u
#define AL_UPDATES 64u		/* per transaction */
#define AL_CONTEXT 919u
#define AL_FREE 0xffffffffu	/* extent number of a free slot */
#define AL_NO_SLOT 0xffffu
#define AL_EXTENT_SHIFT 22	/* 4 MiB */
#define AL_EXTENT_SECTORS (1u << (AL_EXTENT_SHIFT - SECTOR_BITS))

enum al_type {
	AL_TYPE_UPDATE = 0,
	AL_TYPE_INITIALIZED = 0xffff,
};

struct al_update {
	u16 slot;
	u32 extent;
};

/* 4 KiB block of the AL area for transaction number @tr. */
u32 drbd_al_ring_block(u32 tr, u32 stripes, u32 stripe_size_4k);

/* An empty block as create-md and apply-al write it. */
void drbd_al_block_init(void *block);

/*
 * A transaction. @context are the extents of all @context_size slots before
 * the updates; the window [@context_start, +919) of it is written.
 */
void drbd_al_block_encode(void *block, u32 tr_number,
			  const struct al_update *updates, u32 n_updates,
			  const u32 *context, u32 context_size,
			  u32 context_start);

/* What a block is: magic and CRC right? */
struct al_block_info {
	bool valid;
	u16 type;
	u32 tr_number;
	u16 n_updates, context_size, context_start;
};
void drbd_al_block_inspect(const void *block, struct al_block_info *info);

enum al_replay_verdict {
	AL_REPLAY_NOTHING,	/* log is empty */
	AL_REPLAY_EXTENTS,	/* the hot set was found */
	AL_REPLAY_NO_BLOCK,	/* no valid block at all */
	AL_REPLAY_NO_UPDATE,	/* blocks, but a pattern that cannot be trusted */
};

/*
 * Replay is in two passes over the ring, so that the caller needs one block
 * buffer only. Pass one: drbd_al_replay_scan() for each ring position 0..N-1
 * in order. drbd_al_replay_decide(). Pass two, if AL_REPLAY_EXTENTS:
 * drbd_al_replay_apply() for drbd_al_replay_count() positions beginning with
 * drbd_al_replay_first(), wrapping at N. Then @slots holds the hot extents.
 */
struct al_replay {
	u32 n;			/* ring size */
	u32 *slots;		/* 65536 entries, caller's memory */
	u32 valid, invalid, updates;
	u32 oldest_tr, newest_tr, oldest_pos, newest_pos;
	bool invalid_first;	/* ring position 0 is invalid */
	bool confusing;		/* numbers and positions disagree (only reported) */
	u32 bad_slots;		/* slot numbers out of range, skipped */
	u32 max_slot;		/* highest slot number in use + 1 */
};

#define AL_REPLAY_SLOTS 65536u

void drbd_al_replay_init(struct al_replay *r, u32 n, u32 *slots);
void drbd_al_replay_scan(struct al_replay *r, u32 pos, const void *block);
enum al_replay_verdict drbd_al_replay_decide(struct al_replay *r);
u32 drbd_al_replay_first(const struct al_replay *r);
u32 drbd_al_replay_count(const struct al_replay *r);
void drbd_al_replay_apply(struct al_replay *r, const void *block);
/* The next hot extent at or behind slot *@slot, or AL_FREE; advances *@slot. */
u32 drbd_al_replay_next(const struct al_replay *r, u32 *slot);

#endif
