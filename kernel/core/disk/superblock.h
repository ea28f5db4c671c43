/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * disk/superblock.h - the 4 KiB superblock of formats v08 and v09.
 *
 * One host struct in the shape of v09; v08 (one peer, two history UUIDs) is
 * mapped into it and back without loss. Decoding checks everything that can be
 * checked without the device; positions against a device are layout.h's.
 *
 * Specification: metadata.md 3, 4.4.
 */
#ifndef DRBD_CORE_DISK_SUPERBLOCK_H
#define DRBD_CORE_DISK_SUPERBLOCK_H

#include "../base.h"

#define MD_BLOCK 4096u
#define MD_MAX_PEERS 32u	/* entries on disk, by node id */
#define MD_HISTORY 32u
#define MD_HISTORY_V08 2u

#define MD_MAGIC_V07 0x8374026Au
#define MD_MAGIC_V08 0x8374026Bu	/* clean */
#define MD_MAGIC_V08_UNCLEAN 0x8374026Cu
#define MD_MAGIC_V09 0x8374026Du

#define UUID_JUST_CREATED 4ull
#define UUID_PRIMARY_BIT 1ull
#define UUID_NEW_BITMAP_OFFSET 0x0001000000000000ull

enum md_flag {
	MDF_CONSISTENT = 0x001,
	MDF_PRIMARY_IND = 0x002,
	MDF_CONNECTED_IND = 0x004,	/* v08; v09: MDF_PEER_CONNECTED */
	MDF_FULL_SYNC = 0x008,		/* v08; v09: MDF_PEER_FULL_SYNC */
	MDF_WAS_UP_TO_DATE = 0x010,
	MDF_PEER_OUT_DATED = 0x020,	/* v08; v09: MDF_PEER_OUTDATED */
	MDF_CRASHED_PRIMARY = 0x040,
	MDF_AL_CLEAN = 0x080,
	MDF_AL_DISABLED = 0x100,
	MDF_PRIMARY_LOST_QUORUM = 0x200,
	MDF_HAVE_QUORUM = 0x400,
};

enum md_peer_flag {
	MDF_PEER_CONNECTED = 0x1,
	MDF_PEER_OUTDATED = 0x2,
	MDF_PEER_FENCING = 0x4,
	MDF_PEER_FULL_SYNC = 0x8,
	MDF_PEER_DEVICE_SEEN = 0x10,
	MDF_NODE_EXISTS = 0x10000,
	MDF_HAVE_BITMAP = 0x80000000u,	/* in core only, never on disk */
};

enum md_format {
	MD_V08 = 8,
	MD_V09 = 9,
};

struct md_peer {
	u64 bitmap_uuid;
	u64 bitmap_dagtag;
	u32 flags;		/* enum md_peer_flag */
	s32 bitmap_index;	/* slot, -1 = none */
};

struct md_superblock {
	u8 format;		/* enum md_format; decides how it is written back */
	u32 magic;		/* as read; the encoder derives it from format and flags */
	u64 effective_size;	/* last agreed size, sectors; 0 = never agreed */
	u64 current_uuid;
	u64 members;
	u64 device_uuid;
	u32 flags;		/* enum md_flag; v08-only bits live in peer[].flags */
	u32 md_size_sect;
	s32 al_offset, bm_offset;	/* sectors, relative to the superblock */
	u32 al_nr_extents;
	u32 bm_bytes_per_bit;
	u32 la_peer_max_bio_size;
	u32 bm_max_peers;	/* slots; 1 for v08 */
	s32 node_id;		/* -1 = not assigned */
	u32 al_stripes, al_stripe_size_4k;	/* never 0: 0 x 0 is read as 1 x 8 */
	struct md_peer peer[MD_MAX_PEERS];	/* by node id; v08: its one peer is peer[0] */
	u64 history[MD_HISTORY];	/* youngest first */
};

enum md_error {
	MD_OK = 0,
	MD_NO_MAGIC,		/* no superblock of a known format */
	MD_OLD_FORMAT,		/* v07: convert it first */
	MD_BAD_PEERS,		/* slots, bitmap index, node id */
	MD_BAD_BITMAP,		/* bytes per bit */
	MD_BAD_AL,		/* activity log shape */
	MD_BAD_LAYOUT,		/* offsets and size do not fit each other */
	MD_UNCLEAN,		/* activity log must be applied first */
};

/* A short phrase for @error. Never NULL. */
const char *drbd_md_strerror(enum md_error error);

/*
 * Decodes MD_BLOCK bytes. MD_OK, or why not; @sb is filled as far as possible.
 * Does not look whether it is clean: see drbd_md_is_clean().
 */
enum md_error drbd_md_decode(const void *block, struct md_superblock *sb);
/*
 * Encodes into MD_BLOCK bytes. @kernel: a running node writes it (v08 gets the
 * "unclean" magic always); else the tool does (magic by MDF_AL_CLEAN).
 */
void drbd_md_encode(const struct md_superblock *sb, void *block, bool kernel);
/* May it be attached without applying the activity log first? metadata.md 3.9 */
bool drbd_md_is_clean(const struct md_superblock *sb);

/*
 * Fresh metadata as create-md makes it (metadata.md 3.8); sizes and offsets
 * are the caller's (layout.h).
 */
void drbd_md_init(struct md_superblock *sb, enum md_format format, u32 max_peers);

/*
 * Puts @uuid at the head of the history by the kernel's rules (metadata.md 3.7):
 * never 0, 4, the current one, a peer's bitmap UUID or one that is in it.
 */
void drbd_md_history_push(struct md_superblock *sb, u64 uuid);

#endif
