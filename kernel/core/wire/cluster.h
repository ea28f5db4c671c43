/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wire/cluster.h - bodies of the packets that only generation 9 has: sets of
 * identifiers with a slot per node, the two-phase commit, positions in the
 * stream of writes, and what nodes tell each other about third ones.
 *
 * Decoders and encoders as in control.h. Packets that name a range of blocks
 * (P_PEERS_IN_SYNC, the *_DAGTAG_* requests) are in data.h.
 *
 * Specification: wire.md 4.2, 5.7, 7.10 to 7.13, 8.2, 8.3.
 */
#ifndef DRBD_CORE_WIRE_CLUSTER_H
#define DRBD_CORE_WIRE_CLUSTER_H

#include "control.h"

#define WIRE_NODES 32u			/* node ids are 0..31 */
#define WIRE_HISTORY_9 32u
#define WIRE_UUIDS110_MAX (40u + 8u * (WIRE_NODES + WIRE_HISTORY_9))
#define WIRE_NO_NODE (-1)

/* Flags beside the identifiers that only 9 knows (those of 8.4: control.h). */
#define UUID9_NEW_DATAGEN 0x010ull
#define UUID9_STABLE 0x020ull
#define UUID9_GOT_STABLE 0x040ull
#define UUID9_RESYNC 0x080ull
#define UUID9_RECONNECT 0x100ull
#define UUID9_DISKLESS_PRIMARY 0x200ull
#define UUID9_LOST_QUORUM 0x400ull	/* was Primary, and lost it */
#define UUID9_SYNC_TARGET 0x800ull	/* of a third node, whose current is shown */
#define UUID9_HAS_UNALLOC 0x1000ull
#define UUID9_FLAGS 0x1fffull

/* P_UUIDS110. */
struct wire_uuids110 {
	u64 current_uuid;
	u64 dirty_bits;
	u64 flags;		/* enum uuid_flag, UUID9_*; what nobody knows is dropped */
	u64 node_mask;		/* weak nodes if STABLE, else authoritative ones */
	u32 bitmap_mask;	/* nodes whose identifier follows */
	s8 unallocated;		/* node id of a slot without a node, WIRE_NO_NODE = none */
	u64 bitmap[WIRE_NODES];	/* those outside of the mask: all ones, "unknown" */
	u64 history[WIRE_HISTORY_9];
};

/* P_CURRENT_UUID. */
struct wire_current_uuid {
	u64 uuid;
	u64 weak_nodes;
};

enum twopc_flag {
	TWOPC_REACHABLE_VALID = 1,	/* reachable_nodes means something */
	TWOPC_PRI_INCAPABLE = 2,	/* the Primary has no access to up-to-date data */
};

/*
 * P_TWOPC_PREPARE, PREP_RSZ, COMMIT and ABORT. Which fields a packet has:
 *
 *   PREPARE   mask, val
 *   PREP_RSZ  user_size, dds_flags
 *   COMMIT    primary_nodes, and reachable_nodes (state) or new_size (resize)
 *
 * A COMMIT does not say which of the two it ends: @last is both.
 */
struct wire_twopc {
	u32 tid;		/* never 0 */
	s8 initiator;
	s8 target;		/* WIRE_NO_NODE: concerns no link in particular */
	u8 flags;		/* enum twopc_flag; none without FEATURE_2PC_V2 */
	u64 nodes_to_reach;
	struct wire_state mask, val;
	u64 user_size;		/* sectors */
	u16 dds_flags;
	u64 primary_nodes;
	u64 last;		/* reachable nodes, or the new size in sectors */
};

/* P_TWOPC_YES, NO, RETRY. */
struct wire_twopc_reply {
	u32 tid;
	s8 initiator;
	u64 reachable_nodes;
	u64 primary_nodes;	/* of a resize: those with a disk */
	u64 last;		/* weak nodes, or the largest size in sectors */
};

/*
 * Small packets about positions and nodes:
 *
 *   P_DAGTAG              dagtag
 *   P_PEER_DAGTAG         dagtag, node
 *   P_PEER_ACK            dagtag, mask
 *   P_FLUSH_REQUESTS      sequence
 *   P_FLUSH_FORWARD       sequence, node: who asked
 *   P_FLUSH_REQUESTS_ACK  sequence, node: which Primary
 *   P_ENABLE_REPLICATION, P_ENABLE_REPLICATION_NEXT  enable
 */
struct wire_position {
	u64 dagtag;
	u64 sequence;
	u64 mask;
	u8 node;
	bool enable;
};

/* P_CONFIRM_STABLE: a part of the epoch at hand is stable. */
struct wire_confirm_stable {
	u64 oldest, youngest;	/* block_id of the first and the last write of it */
	u32 set_size;
};

enum wire_error drbd_wire_get_uuids110(const struct packet_header *hdr,
				       const void *body, struct wire_uuids110 *out);
/* @body has room for WIRE_UUIDS110_MAX bytes. */
u32 drbd_wire_put_uuids110(void *body, const struct wire_uuids110 *in);

enum wire_error drbd_wire_get_current_uuid(const struct packet_header *hdr,
					   const void *body,
					   struct wire_current_uuid *out);
u32 drbd_wire_put_current_uuid(void *body, const struct wire_current_uuid *in);

/* hdr->cmd and @cmd are one of the four; node ids are checked, masks of a state
 * change as in drbd_wire_state_req_unpack(). */
enum wire_error drbd_wire_get_twopc(const struct wire_link *link,
				    const struct packet_header *hdr,
				    const void *body, struct wire_twopc *out);
u32 drbd_wire_put_twopc(const struct wire_link *link, u16 cmd, void *body,
			const struct wire_twopc *in);

enum wire_error drbd_wire_get_twopc_reply(const struct packet_header *hdr,
					  const void *body,
					  struct wire_twopc_reply *out);
u32 drbd_wire_put_twopc_reply(void *body, const struct wire_twopc_reply *in);

/* WIRE_BAD_COMMAND, 0: not one of the packets of struct wire_position. */
enum wire_error drbd_wire_get_position(const struct packet_header *hdr,
				       const void *body, struct wire_position *out);
u32 drbd_wire_put_position(u16 cmd, void *body, const struct wire_position *in);

enum wire_error drbd_wire_get_confirm_stable(const struct packet_header *hdr,
					     const void *body,
					     struct wire_confirm_stable *out);
u32 drbd_wire_put_confirm_stable(void *body, const struct wire_confirm_stable *in);

#endif
