/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wire/packet.h - the catalogue of packets and the three header formats.
 *
 * One const table says for each packet on which stream it travels, how long
 * its body may be, from which to which protocol version and with which feature
 * it exists, in which phase it may arrive, and whether it names a volume.
 * Bodies are in data.h and control.h. Nothing here keeps state.
 *
 * Specification: wire.md 3 (framing), 4.1 (catalogue), 10 (validation).
 */
#ifndef DRBD_CORE_WIRE_PACKET_H
#define DRBD_CORE_WIRE_PACKET_H

#include "../base.h"

enum packet_id {
	P_DATA = 0x00,
	P_DATA_REPLY = 0x01,
	P_RS_DATA_REPLY = 0x02,
	P_BARRIER = 0x03,
	P_BITMAP = 0x04,
	P_UNPLUG_REMOTE = 0x07,
	P_DATA_REQUEST = 0x08,
	P_RS_DATA_REQUEST = 0x09,
	P_SYNC_PARAM = 0x0a,
	P_PROTOCOL = 0x0b,
	P_UUIDS = 0x0c,
	P_SIZES = 0x0d,
	P_STATE = 0x0e,
	P_SYNC_UUID = 0x0f,
	P_AUTH_CHALLENGE = 0x10,
	P_AUTH_RESPONSE = 0x11,
	P_STATE_CHG_REQ = 0x12,
	P_PING = 0x13,
	P_PING_ACK = 0x14,
	P_RECV_ACK = 0x15,
	P_WRITE_ACK = 0x16,
	P_RS_WRITE_ACK = 0x17,
	P_SUPERSEDED = 0x18,
	P_NEG_ACK = 0x19,
	P_NEG_DREPLY = 0x1a,
	P_NEG_RS_DREPLY = 0x1b,
	P_BARRIER_ACK = 0x1c,
	P_STATE_CHG_REPLY = 0x1d,
	P_OV_REQUEST = 0x1e,
	P_OV_REPLY = 0x1f,
	P_OV_RESULT = 0x20,
	P_CSUM_RS_REQUEST = 0x21,
	P_RS_IS_IN_SYNC = 0x22,
	P_SYNC_PARAM89 = 0x23,
	P_COMPRESSED_BITMAP = 0x24,
	P_DELAY_PROBE = 0x27,
	P_OUT_OF_SYNC = 0x28,
	P_RS_CANCEL = 0x29,
	P_CONN_ST_CHG_REQ = 0x2a,
	P_CONN_ST_CHG_REPLY = 0x2b,
	P_RETRY_WRITE = 0x2c,
	P_PROTOCOL_UPDATE = 0x2d,
	P_TWOPC_PREPARE = 0x2e,
	P_TWOPC_ABORT = 0x2f,
	P_DAGTAG = 0x30,
	P_TRIM = 0x31,
	P_RS_THIN_REQ = 0x32,
	P_RS_DEALLOCATED = 0x33,
	P_TWOPC_PREP_RSZ = 0x35,
	P_ZEROES = 0x36,
	P_PEER_ACK = 0x40,
	P_PEERS_IN_SYNC = 0x41,
	P_UUIDS110 = 0x42,
	P_PEER_DAGTAG = 0x43,
	P_CURRENT_UUID = 0x44,
	P_TWOPC_YES = 0x45,
	P_TWOPC_NO = 0x46,
	P_TWOPC_COMMIT = 0x47,
	P_TWOPC_RETRY = 0x48,
	P_CONFIRM_STABLE = 0x49,
	P_RS_CANCEL_AHEAD = 0x4a,
	P_DISCONNECT = 0x4b,
	P_RS_DAGTAG_REQ = 0x4c,
	P_RS_CSUM_DAGTAG_REQ = 0x4d,
	P_RS_THIN_DAGTAG_REQ = 0x4e,
	P_OV_DAGTAG_REQ = 0x4f,
	P_OV_DAGTAG_REPLY = 0x50,
	P_WRITE_ACK_IN_SYNC = 0x51,
	P_RS_NEG_ACK = 0x52,
	P_OV_RESULT_ID = 0x53,
	P_RS_DEALLOCATED_ID = 0x54,
	P_FLUSH_REQUESTS = 0x55,
	P_FLUSH_FORWARD = 0x56,
	P_FLUSH_REQUESTS_ACK = 0x57,
	P_ENABLE_REPLICATION_NEXT = 0x58,
	P_ENABLE_REPLICATION = 0x59,
	P_INITIAL_META = 0xfff1,
	P_INITIAL_DATA = 0xfff2,
	P_CONNECTION_FEATURES = 0xfffe,
};

enum packet_stream {
	STREAM_DATA = 1,
	STREAM_META = 2,
};

/* When a packet may arrive. Each is a bit, because a few live in several. */
enum packet_phase {
	PHASE_FIRST = 1,	/* the 8 bytes behind a TCP connect */
	PHASE_FEATURES = 2,
	PHASE_AUTH = 4,
	PHASE_PROTOCOL = 8,
	PHASE_CONNECTED = 16,	/* the handshake set and all that follows */
};

enum packet_flag {
	PACKET_VOLUME = 1,	/* the volume of the header names a device */
	PACKET_DRAIN = 2,	/* volume unknown here: drain it, no error (wire.md 5.10) */
	PACKET_DISK = 4,	/* has a meaning only with a local disk */
	PACKET_DIGEST = 8,	/* a digest of the sender's integrity algorithm follows the body */
	PACKET_BLOCKS = 16,	/* then the payload: data blocks */
};

#define FEATURE_TRIM 0x001u
#define FEATURE_THIN_RESYNC 0x002u
#define FEATURE_WSAME 0x004u
#define FEATURE_WZEROES 0x008u
#define FEATURE_RESYNC_DAGTAG 0x010u
#define FEATURE_2PC_V2 0x020u
#define FEATURE_RS_SKIP_UUID 0x040u
#define FEATURE_RESYNC_WITHOUT_REPLICATION 0x080u
#define FEATURE_BM_BLOCK_SHIFT 0x100u
#define FEATURE_RECONCILE_RECONNECT 0x200u

#define VOLUME_NONE 0xffffu	/* what 9 puts into connection-wide packets */

#define PACKET_HEADER_MAX 16u
#define PACKET_ORDINARY_MAX 4096u	/* header included; wire.md 3.2 */
#define WIRE_MAX_BIO (1u << 20)
#define WIRE_MAX_DIGEST 64u
#define WIRE_MAX_DISCARD (128u << 20)

enum wire_error {
	WIRE_OK = 0,
	WIRE_MORE,		/* not an error: header needs more bytes */
	WIRE_BAD_MAGIC,
	WIRE_BAD_PAD,
	WIRE_BAD_COMMAND,	/* unknown, or without a meaning */
	WIRE_BAD_STREAM,
	WIRE_BAD_VERSION,	/* not in the agreed protocol version, or feature missing */
	WIRE_BAD_PHASE,
	WIRE_BAD_LENGTH,
	WIRE_BAD_VOLUME,
	WIRE_BAD_RANGE,		/* sector, size: alignment, zero, too large, behind the end */
	WIRE_BAD_VALUE,		/* enum, flag, string */
	WIRE_NR_ERRORS
};

/* What both ends agreed on for one connection; the argument of all codecs.
 * Guarded by whatever orders the stream: it changes only between two packets. */
struct wire_link {
	u16 version;		/* agreed protocol version; 0 before the features packets */
	u8 phase;		/* one enum packet_phase */
	u8 digest_in;		/* bytes of the peer's data-integrity digest, 0 = none */
	u8 digest_out;		/* bytes of our own */
	u8 csums_digest;	/* bytes of the csums-alg digest */
	u8 verify_digest;	/* bytes of the verify-alg digest */
	u32 features;		/* agreed feature bits */
};

struct packet_info {
	const char *name;	/* for log lines */
	u16 id;
	u8 streams;		/* enum packet_stream bits */
	u8 phases;		/* enum packet_phase bits */
	u8 flags;		/* enum packet_flag bits */
	u16 version_min, version_max;	/* inclusive; max 0 = no upper bound */
	u32 feature;		/* all of these bits must be agreed */
	u32 body_min;		/* bytes of the fixed body */
	u32 body_max;		/* largest length without digest and blocks */
};

struct packet_header {
	u16 cmd;
	u16 volume;
	u32 length;		/* bytes behind the header */
	u8 header_len;		/* 8 or 16 */
};

/* The row of a packet, or NULL for an id without meaning. */
const struct packet_info *drbd_packet_info(u16 id);
/* Its name, or "unknown". Never NULL. */
const char *drbd_packet_name(u16 id);
/* A short phrase for an enum wire_error. Never NULL. */
const char *drbd_wire_strerror(enum wire_error error);

/* Bytes of the header that @link uses for sending a packet of @length. */
u32 drbd_packet_header_len(const struct wire_link *link, u32 length);

/*
 * Decodes and checks the header at @buf, of which @have bytes have arrived.
 *
 * WIRE_MORE: read on until *@need bytes are there (first 8, then up to 16).
 * WIRE_OK: @out is filled; the packet exists, is allowed on this stream, in
 * this version and phase, and its length is sane for its command. The exact
 * length is checked by the body's decoder. On other errors @out holds what
 * could be read (cmd, length), for the log line.
 *
 * Accepts h80 and h95 below version 100, h100 from there on; on the meta stream
 * all three, as a ping may overtake the features packet; for the features
 * packet h80 and h100 (wire.md 3.1, 12).
 */
enum wire_error drbd_packet_decode(const struct wire_link *link,
				   enum packet_stream stream, const void *buf,
				   u32 have, struct packet_header *out, u32 *need);

/* Writes the header of a packet with @length bytes of body and payload into
 * @buf (room for PACKET_HEADER_MAX); returns its length. */
u32 drbd_packet_encode(const struct wire_link *link, void *buf, u16 cmd,
		       u16 volume, u32 length);

#endif
