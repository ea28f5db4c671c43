/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wire/control.h - bodies of the handshake and state packets.
 *
 * Each decoder gets the whole body (@hdr->length bytes at @body), checks it and
 * fills a host-order struct; each encoder writes the body and returns its
 * length. WIRE_CONTROL_MAX bytes are enough for any of them.
 *
 * Specification: wire.md 5, 8.1.
 */
#ifndef DRBD_CORE_WIRE_CONTROL_H
#define DRBD_CORE_WIRE_CONTROL_H

#include "packet.h"
#include "dialect.h"

#define WIRE_CONTROL_MAX 512u
#define WIRE_ALG_MAX 64u	/* algorithm names, NUL included */
#define WIRE_CHALLENGE 64u
#define WIRE_AUTH_84_MAX 128u	/* 8.4 accepts challenges of 64..128 bytes */

/* P_CONNECTION_FEATURES (0xfffe), 72 bytes. */
struct wire_features {
	u32 version_min, version_max;
	u32 features;
	u32 node_id, peer_node_id;	/* 0 from 8.4 */
};

/* P_PROTOCOL, P_PROTOCOL_UPDATE. */
struct wire_protocol {
	u8 protocol;		/* 1 = A, 2 = B, 3 = C */
	u8 after_sb_0p, after_sb_1p, after_sb_2p;	/* 0..12, as the sender sees it */
	u8 discard_my_data, dry_run, two_primaries;
	char integrity_alg[WIRE_ALG_MAX];
};

enum sb_policy {
	SB_DISCONNECT = 0,
	SB_DISCARD_YOUNGER_PRIMARY = 1,
	SB_DISCARD_OLDER_PRIMARY = 2,
	SB_DISCARD_ZERO_CHANGES = 3,
	SB_DISCARD_LEAST_CHANGES = 4,
	SB_DISCARD_LOCAL = 5,
	SB_DISCARD_REMOTE = 6,
	SB_CONSENSUS = 7,
	SB_DISCARD_SECONDARY = 8,
	SB_CALL_PRI_LOST = 9,
	SB_VIOLENTLY = 10,
	SB_RETRY_CONNECT = 11,
	SB_AUTO_DISCARD = 12,
	SB_NR_POLICIES = 13,
};

/* P_SYNC_PARAM, P_SYNC_PARAM89. Fields that the version lacks are 0 or "". */
struct wire_sync_param {
	u32 resync_rate;	/* KiB/s */
	u32 c_plan_ahead, c_delay_target, c_fill_target, c_max_rate;
	char verify_alg[WIRE_ALG_MAX];
	char csums_alg[WIRE_ALG_MAX];
};

enum dds_flag {
	DDS_FORCED = 1,
	DDS_NO_RESYNC = 2,
};

/* P_SIZES; the queue limits travel only with FEATURE_WSAME. */
struct wire_sizes {
	u64 d_size, u_size, c_size;	/* sectors */
	u32 max_bio_size;		/* bytes */
	u16 dds_flags;
	bool has_limits;
	u32 physical_block_size, logical_block_size, alignment_offset, io_min, io_opt;
	u8 discard_enabled, discard_zeroes_data, write_same_capable;
	u8 bm_block_shift_minus_12;
};

enum uuid_flag {
	UUID_DISCARD_MY_DATA = 1,
	UUID_CRASHED_PRIMARY = 2,
	UUID_INCONSISTENT = 4,
	UUID_SKIP_INITIAL_SYNC = 8,
	UUID_FLAGS_84 = 15,
};

/* P_UUIDS (below 110). */
struct wire_uuids {
	u64 current_uuid, bitmap_uuid;
	u64 history[2];
	u64 dirty_bits;
	u64 flags;
};

/* P_STATE_CHG_REQ, P_CONN_ST_CHG_REQ. */
struct wire_state_req {
	struct wire_state mask, val;
};

enum wire_error drbd_wire_get_features(const struct packet_header *hdr,
				       const void *body, struct wire_features *out);
u32 drbd_wire_put_features(void *body, const struct wire_features *in);

enum wire_error drbd_wire_get_protocol(const struct wire_link *link,
				       const struct packet_header *hdr,
				       const void *body, struct wire_protocol *out);
u32 drbd_wire_put_protocol(const struct wire_link *link, void *body,
			   const struct wire_protocol *in);

/* The name in a body that drbd_wire_put_protocol() has made; "" if it has none. */
const char *drbd_wire_integrity_alg(const void *body, u32 len);

enum wire_error drbd_wire_get_sync_param(const struct wire_link *link,
					 const struct packet_header *hdr,
					 const void *body,
					 struct wire_sync_param *out);
/* *@cmd becomes P_SYNC_PARAM or P_SYNC_PARAM89, by version. */
u32 drbd_wire_put_sync_param(const struct wire_link *link, void *body,
			     const struct wire_sync_param *in, u16 *cmd);

enum wire_error drbd_wire_get_sizes(const struct wire_link *link,
				    const struct packet_header *hdr,
				    const void *body, struct wire_sizes *out);
/* max_bio_size is capped to what the version allows. */
u32 drbd_wire_put_sizes(const struct wire_link *link, void *body,
			const struct wire_sizes *in);

enum wire_error drbd_wire_get_uuids(const struct packet_header *hdr,
				    const void *body, struct wire_uuids *out);
u32 drbd_wire_put_uuids(void *body, const struct wire_uuids *in);

/* P_SYNC_UUID: one UUID. */
enum wire_error drbd_wire_get_uuid(const struct packet_header *hdr,
				   const void *body, u64 *uuid);
u32 drbd_wire_put_uuid(void *body, u64 uuid);

/* P_STATE. */
enum wire_error drbd_wire_get_state(const struct wire_link *link,
				    const struct packet_header *hdr,
				    const void *body, struct wire_state *out);
u32 drbd_wire_put_state(const struct wire_link *link, void *body,
			const struct wire_state *in);

/* P_STATE_CHG_REQ, P_CONN_ST_CHG_REQ; still from the sender's point of view. */
enum wire_error drbd_wire_get_state_req(const struct wire_link *link,
					const struct packet_header *hdr,
					const void *body,
					struct wire_state_req *out);
u32 drbd_wire_put_state_req(const struct wire_link *link, void *body,
			    const struct wire_state_req *in);

/* P_STATE_CHG_REPLY, P_CONN_ST_CHG_REPLY: at least 1 = accepted. */
enum wire_error drbd_wire_get_state_reply(const struct packet_header *hdr,
					  const void *body, s32 *code);
u32 drbd_wire_put_state_reply(void *body, s32 code);

/*
 * P_AUTH_CHALLENGE: checks the length (64; below 110 up to 128 bytes).
 * P_AUTH_RESPONSE: must be exactly @digest_len bytes. The HMAC itself is not
 * core's; drbd_wire_auth_message() builds what goes into it.
 */
enum wire_error drbd_wire_check_challenge(const struct wire_link *link,
					  const struct packet_header *hdr,
					  const void *body, const u8 *own);
enum wire_error drbd_wire_check_response(const struct packet_header *hdr,
					 u32 digest_len);
/* The HMAC's message: the challenge and, from 110 on, the node id of the one
 * who answers. @out has room for @challenge_len + 4. Returns the length. */
u32 drbd_wire_auth_message(u16 version, void *out, const void *challenge,
			   u32 challenge_len, u32 responder_node_id);

#endif
