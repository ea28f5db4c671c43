/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wire/data.h - bodies of the packets that name blocks: application data and
 * its acks, barriers, resync and verify requests, notices.
 *
 * Decoders get the body only (payload stays in the socket), check every field
 * and return host-order structs. Encoders write the body into a buffer of at
 * least WIRE_BODY_MAX bytes and return its length; the caller adds header,
 * digest and payload.
 *
 * Specification: wire.md 4.2, 6, 7, 10.
 */
#ifndef DRBD_CORE_WIRE_DATA_H
#define DRBD_CORE_WIRE_DATA_H

#include "packet.h"

#define WIRE_BODY_MAX 64u

#define BLOCK_ID_SYNCER 0xffffffffffffffffull	/* resync traffic below 122 */
#define OV_SKIPPED 4710u			/* block_id of P_OV_RESULT */
#define OV_IN_SYNC 4711u
#define OV_OUT_OF_SYNC 4712u

enum dp_flag {
	DP_RW_SYNC = 0x002,
	DP_MAY_SET_IN_SYNC = 0x004,
	DP_UNPLUG = 0x008,
	DP_FUA = 0x010,
	DP_FLUSH = 0x020,
	DP_DISCARD = 0x040,
	DP_SEND_RECEIVE_ACK = 0x080,
	DP_SEND_WRITE_ACK = 0x100,
	DP_WSAME = 0x200,
	DP_ZEROES = 0x400,
};

/* What the receiver of a block address checks it against. */
struct wire_limits {
	u64 capacity;		/* of the device, sectors */
	u32 max_bio;		/* bytes; at most WIRE_MAX_BIO */
	u32 max_discard;	/* bytes; at most WIRE_MAX_DISCARD */
};

/* P_DATA, P_DATA_REPLY, P_RS_DATA_REPLY, P_TRIM, P_ZEROES. */
struct wire_data {
	u64 sector;
	u64 block_id;
	u32 seq;
	u32 flags;		/* enum dp_flag */
	u32 size;		/* bytes of payload, or of the range of P_TRIM, P_ZEROES */
	u32 digest_len;		/* bytes of digest between body and payload */
};

/*
 * All other packets that name a range. Which fields a packet has:
 *
 *   requests (0x08 0x09 0x1e 0x21 0x32)    sector block_id size [digest_len]
 *   P_OV_REPLY                             sector block_id size digest_len
 *   the *_DAGTAG_* packets                 the same, node, dagtag
 *   acks, P_RS_DEALLOCATED_ID              sector block_id size seq
 *   P_OV_RESULT_ID                         the same, result
 *   P_OUT_OF_SYNC, P_RS_DEALLOCATED        sector size
 *   P_PEERS_IN_SYNC                        sector size mask
 */
struct wire_block {
	u64 sector;
	u64 block_id;
	u64 dagtag;
	u64 mask;
	u32 size;		/* bytes */
	u32 seq;
	u32 digest_len;
	u32 node;
	u32 result;
};

struct wire_barrier {
	u32 number;		/* opaque to the receiver */
	u32 set_size;		/* P_BARRIER_ACK only */
};

/*
 * Decode the body of a packet whose header passed drbd_packet_decode().
 * @body must hold the fixed body (drbd_packet_info()->body_min bytes). Checks
 * length, range and alignment against @limits, flags against the command.
 * WIRE_BAD_LENGTH, WIRE_BAD_RANGE, WIRE_BAD_VALUE.
 */
enum wire_error drbd_wire_get_data(const struct wire_link *link,
				   const struct packet_header *hdr,
				   const void *body,
				   const struct wire_limits *limits,
				   struct wire_data *out);
/*
 * As above, for all packets of struct wire_block. A P_NEG_ACK may have size 0:
 * 8.4 answers so to a trim (wire.md 6.2). A block_id of all-ones is legal
 * where resync below 122 uses it; whether it is known is the caller's check.
 */
enum wire_error drbd_wire_get_block(const struct wire_link *link,
				    const struct packet_header *hdr,
				    const void *body,
				    const struct wire_limits *limits,
				    struct wire_block *out);
enum wire_error drbd_wire_get_barrier(const struct packet_header *hdr,
				      const void *body, struct wire_barrier *out);

/* Write the body of @cmd; return its length, 0 if @cmd is none of theirs. */
u32 drbd_wire_put_data(u16 cmd, void *body, const struct wire_data *in);
u32 drbd_wire_put_block(u16 cmd, void *body, const struct wire_block *in);
u32 drbd_wire_put_barrier(u16 cmd, void *body, const struct wire_barrier *in);

/* Largest bio of a protocol version, bytes (wire.md 1.4). */
u32 drbd_wire_max_bio(u16 version);
/* Largest discard or zero-out with the agreed features, bytes. */
u32 drbd_wire_max_discard(u32 features);

/*
 * The ack flags of P_DATA for a write of replication protocol @protocol
 * (1 = A, 2 = B, 3 = C): from 100 on they travel in dp_flags (wire.md 6.2).
 */
u32 drbd_wire_ack_flags(u16 version, u8 protocol, bool may_set_in_sync);

/* @flags without those that the version does not know. */
u32 drbd_wire_dp_flags(u16 version, u32 flags);

#endif
