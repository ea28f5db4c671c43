// SPDX-License-Identifier: GPL-2.0-only
/*
 * wire/packet.c - the packet table, and headers in and out.
 */
#include "packet.h"

#define MAGIC_80 0x83740267u
#define MAGIC_95 0x835au
#define MAGIC_100 0x8620ec20u

#define LONG_95 32768u	/* 95..99: a body larger than this needs the h95 header */

/* body_max of packets that carry a digest or an algorithm's output behind them
 * leaves room for it; blocks come on top (PACKET_BLOCKS). */
#define DIG WIRE_MAX_DIGEST
/* Anything that fits into an ordinary packet. */
#define FILL (PACKET_ORDINARY_MAX - 8u)

#define D STREAM_DATA
#define M STREAM_META
#define C PHASE_CONNECTED
#define V PACKET_VOLUME
#define VX (PACKET_VOLUME | PACKET_DRAIN)
#define VD (PACKET_VOLUME | PACKET_DISK)
#define BLOCKS (PACKET_DIGEST | PACKET_BLOCKS)

#define ROW(id, str, ph, fl, vmin, vmax, feat, bmin, bmax)                     \
	{ #id, id, str, ph, fl, vmin, vmax, feat, bmin, bmax }

/* Ascending by id: drbd_packet_info() searches it in halves. wire.md 4.1 */
static const struct packet_info packets[] = {
	/*  id                  stream phase flags      versions  feature  body */
	ROW(P_DATA,               D, C, V | BLOCKS,       0, 0, 0, 24, 24),
	ROW(P_DATA_REPLY,         D, C, V | BLOCKS,       0, 0, 0, 24, 24),
	ROW(P_RS_DATA_REPLY,      D, C, V | BLOCKS,       0, 0, 0, 24, 24),
	ROW(P_BARRIER,            D, C, 0,                0, 0, 0, 8, 8),
	ROW(P_BITMAP,             D, C, VD,               0, 0, 0, 0, FILL),
	ROW(P_UNPLUG_REMOTE,      D, C, 0,                0, 0, 0, 0, 0),
	ROW(P_DATA_REQUEST,       D, C, V,                0, 0, 0, 24, 24),
	ROW(P_RS_DATA_REQUEST,    D, C, V,                0, 0, 0, 24, 24),
	ROW(P_SYNC_PARAM,         D, C, VX,               0, 88, 0, 4, 68),
	ROW(P_PROTOCOL,           D, PHASE_PROTOCOL, 0,   0, 0, 0, 24, 88),
	ROW(P_UUIDS,              D, C, VX,               0, 109, 0, 48, 48),
	ROW(P_SIZES,              D, C, VX,               0, 0, 0, 32, 56),
	ROW(P_STATE,              D, C, VX,               0, 0, 0, 4, 4),
	ROW(P_SYNC_UUID,          D, C, V,                0, 109, 0, 8, 8),
	ROW(P_AUTH_CHALLENGE,     D, PHASE_AUTH, 0,       0, 0, 0, 64, 128),
	ROW(P_AUTH_RESPONSE,      D, PHASE_AUTH, 0,       0, 0, 0, 1, DIG),
	ROW(P_STATE_CHG_REQ,      D, C, V,                0, 109, 0, 8, 8),
	ROW(P_PING,               M, C | PHASE_FEATURES | PHASE_AUTH | PHASE_PROTOCOL,
					0,                0, 0, 0, 0, 0),
	ROW(P_PING_ACK,           M, C | PHASE_FEATURES | PHASE_AUTH | PHASE_PROTOCOL,
					0,                0, 0, 0, 0, 0),
	ROW(P_RECV_ACK,           M, C, V,                0, 0, 0, 24, 24),
	ROW(P_WRITE_ACK,          M, C, V,                0, 0, 0, 24, 24),
	ROW(P_RS_WRITE_ACK,       M, C, V,                0, 0, 0, 24, 24),
	ROW(P_SUPERSEDED,         M, C, V,                0, 109, 0, 24, 24),
	ROW(P_NEG_ACK,            M, C, V,                0, 0, 0, 24, 24),
	ROW(P_NEG_DREPLY,         M, C, V,                0, 0, 0, 24, 24),
	ROW(P_NEG_RS_DREPLY,      M, C, V,                0, 0, 0, 24, 24),
	ROW(P_BARRIER_ACK,        M, C, 0,                0, 0, 0, 8, 8),
	ROW(P_STATE_CHG_REPLY,    M, C, V,                0, 109, 0, 4, 4),
	ROW(P_OV_REQUEST,         D, C, V,                88, 0, 0, 24, 24),
	ROW(P_OV_REPLY,           D, C, V,                88, 0, 0, 24, 24 + DIG),
	ROW(P_OV_RESULT,          M, C, V,                88, 121, 0, 24, 24),
	ROW(P_CSUM_RS_REQUEST,    D, C, V,                89, 0, 0, 24, 24 + DIG),
	ROW(P_RS_IS_IN_SYNC,      M, C, V,                89, 0, 0, 24, 24),
	ROW(P_SYNC_PARAM89,       D, C, VX,               89, 0, 0, 132, 148),
	ROW(P_COMPRESSED_BITMAP,  D, C, VD,               90, 0, 0, 2, FILL),
	ROW(P_DELAY_PROBE,        D | M, C, V,            0, 0, 0, 8, 8),
	ROW(P_OUT_OF_SYNC,        D, C, V,                96, 0, 0, 16, 16),
	ROW(P_RS_CANCEL,          M, C, V,                96, 0, 0, 24, 24),
	ROW(P_CONN_ST_CHG_REQ,    D, C, 0,                100, 109, 0, 8, 8),
	ROW(P_CONN_ST_CHG_REPLY,  M, C, 0,                100, 109, 0, 4, 4),
	ROW(P_RETRY_WRITE,        M, C, V,                100, 109, 0, 24, 24),
	ROW(P_PROTOCOL_UPDATE,    D, C, 0,                100, 0, 0, 24, 88),
	ROW(P_TWOPC_PREPARE,      D, C, 0,                110, 0, 0, 36, 36),
	ROW(P_TWOPC_ABORT,        D, C, 0,                110, 0, 0, 36, 36),
	ROW(P_DAGTAG,             D, C, 0,                110, 0, 0, 8, 8),
	ROW(P_TRIM,               D, C, V,                0, 0, FEATURE_TRIM, 28, 28),
	ROW(P_RS_THIN_REQ,        D, C, V,                0, 0, FEATURE_THIN_RESYNC, 24, 24),
	ROW(P_RS_DEALLOCATED,     D, C, V,                0, 121, FEATURE_THIN_RESYNC, 16, 16),
	ROW(P_TWOPC_PREP_RSZ,     D, C, 0,                112, 0, 0, 36, 36),
	ROW(P_ZEROES,             D, C, V,                0, 0, FEATURE_WZEROES, 28, 28),
	ROW(P_PEER_ACK,           M, C, 0,                110, 0, 0, 16, 16),
	ROW(P_PEERS_IN_SYNC,      M, C, VD,               110, 0, 0, 24, 24),
	ROW(P_UUIDS110,           D, C, VX,               110, 0, 0, 40, FILL),
	ROW(P_PEER_DAGTAG,        D, C, 0,                110, 0, 0, 12, 12),
	ROW(P_CURRENT_UUID,       D, C, VX,               110, 0, 0, 16, 16),
	ROW(P_TWOPC_YES,          M, C, 0,                110, 0, 0, 32, 32),
	ROW(P_TWOPC_NO,           M, C, 0,                110, 0, 0, 32, 32),
	ROW(P_TWOPC_COMMIT,       D, C, 0,                110, 0, 0, 36, 36),
	ROW(P_TWOPC_RETRY,        M, C, 0,                110, 0, 0, 32, 32),
	ROW(P_CONFIRM_STABLE,     M, C, 0,                114, 0, 0, 24, 24),
	ROW(P_RS_CANCEL_AHEAD,    M, C, V,                115, 0, 0, 24, 24),
	ROW(P_DISCONNECT,         D, C, 0,                118, 0, 0, 0, 0),
	ROW(P_RS_DAGTAG_REQ,      D, C, V,                110, 0, FEATURE_RESYNC_DAGTAG, 32, 32),
	ROW(P_RS_CSUM_DAGTAG_REQ, D, C, V,                110, 0, FEATURE_RESYNC_DAGTAG, 32, 32 + DIG),
	ROW(P_RS_THIN_DAGTAG_REQ, D, C, V,                110, 0, FEATURE_RESYNC_DAGTAG, 32, 32),
	ROW(P_OV_DAGTAG_REQ,      D, C, V,                110, 0, FEATURE_RESYNC_DAGTAG, 32, 32),
	ROW(P_OV_DAGTAG_REPLY,    D, C, V,                110, 0, FEATURE_RESYNC_DAGTAG, 32, 32 + DIG),
	ROW(P_WRITE_ACK_IN_SYNC,  M, C, V,                122, 0, 0, 24, 24),
	ROW(P_RS_NEG_ACK,         M, C, V,                122, 0, 0, 24, 24),
	ROW(P_OV_RESULT_ID,       M, C, V,                122, 0, 0, 32, 32),
	ROW(P_RS_DEALLOCATED_ID,  D, C, V,                122, 0, 0, 24, 24),
	ROW(P_FLUSH_REQUESTS,     D, C, 0,                123, 0, 0, 8, 8),
	ROW(P_FLUSH_FORWARD,      M, C, 0,                123, 0, 0, 12, 12),
	ROW(P_FLUSH_REQUESTS_ACK, D, C, 0,                123, 0, 0, 12, 12),
	ROW(P_ENABLE_REPLICATION_NEXT, D, C, VX,          110, 0,
	    FEATURE_RESYNC_WITHOUT_REPLICATION, 4, 4),
	/* 9.3.3 sends this one to every peer, whatever was agreed on; without
	 * the feature it is to be ignored (docs/findings.md). */
	ROW(P_ENABLE_REPLICATION, D, C, V,                0, 0, 0, 4, 4),
	ROW(P_INITIAL_META,       M, PHASE_FIRST, 0,      0, 0, 0, 0, 0),
	ROW(P_INITIAL_DATA,       D, PHASE_FIRST, 0,      0, 0, 0, 0, 0),
	ROW(P_CONNECTION_FEATURES, D, PHASE_FEATURES, 0,  0, 0, 0, 72, 72),
};

#undef D
#undef M
#undef C
#undef V
#undef VX
#undef VD

static const char *const error_text[WIRE_NR_ERRORS] = {
	[WIRE_OK] = "ok",
	[WIRE_MORE] = "incomplete",
	[WIRE_BAD_MAGIC] = "wrong magic",
	[WIRE_BAD_PAD] = "header padding is not zero",
	[WIRE_BAD_COMMAND] = "unknown packet",
	[WIRE_BAD_STREAM] = "packet on the wrong stream",
	[WIRE_BAD_VERSION] = "packet not in the agreed protocol",
	[WIRE_BAD_PHASE] = "packet at the wrong time",
	[WIRE_BAD_LENGTH] = "wrong length",
	[WIRE_BAD_VOLUME] = "wrong volume",
	[WIRE_BAD_RANGE] = "bad sector or size",
	[WIRE_BAD_VALUE] = "bad value",
};

const char *drbd_wire_strerror(enum wire_error error)
{
	if ((unsigned int)error >= WIRE_NR_ERRORS)
		return "bad packet";
	return error_text[error];
}

const struct packet_info *drbd_packet_info(u16 id)
{
	u32 lo = 0, hi = ARRAY_SIZE(packets);

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (packets[mid].id == id)
			return &packets[mid];
		if (packets[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const char *drbd_packet_name(u16 id)
{
	const struct packet_info *info = drbd_packet_info(id);

	return info ? info->name : "unknown";
}

/* Largest length a peer may announce for this packet on this link. */
static u32 length_limit(const struct wire_link *link, const struct packet_info *info)
{
	u32 limit = info->body_max;

	if (info->flags & PACKET_DIGEST)
		limit += link->digest_in;
	if (info->flags & PACKET_BLOCKS)
		limit += WIRE_MAX_BIO;
	return limit;
}

static enum wire_error check_packet(const struct wire_link *link,
				    enum packet_stream stream,
				    const struct packet_header *h)
{
	const struct packet_info *info = drbd_packet_info(h->cmd);

	if (!info)
		return WIRE_BAD_COMMAND;
	if (!(info->streams & stream))
		return WIRE_BAD_STREAM;
	if (!(info->phases & link->phase))
		return WIRE_BAD_PHASE;
	if (info->phases & PHASE_CONNECTED && link->phase == PHASE_CONNECTED) {
		if (link->version < info->version_min ||
		    (info->version_max && link->version > info->version_max))
			return WIRE_BAD_VERSION;
		if (info->feature & ~link->features)
			return WIRE_BAD_VERSION;
	}
	if (h->length < info->body_min || h->length > length_limit(link, info))
		return WIRE_BAD_LENGTH;
	/* Below 100 there are no volumes on the wire, all is volume 0. */
	if (info->flags & PACKET_VOLUME && h->volume == VOLUME_NONE &&
	    !(h->cmd == P_STATE && link->version >= 110))
		return WIRE_BAD_VOLUME;
	return WIRE_OK;
}

enum header_format { H_NONE, H_80, H_95, H_100 };

static enum header_format header_format(const u8 *p)
{
	u32 magic = get_be32_at(p);

	if (magic == MAGIC_100)
		return H_100;
	if (magic == MAGIC_80)
		return H_80;
	if (magic >> 16 == MAGIC_95)
		return H_95;
	return H_NONE;
}

static bool format_allowed(const struct wire_link *link, enum packet_stream stream,
			   enum header_format f)
{
	if (f == H_NONE)
		return false;
	if (link->phase == PHASE_FIRST)
		return f == H_80 || f == H_95;
	/* A ping can overtake the features packet, and so be of either age. */
	if (stream == STREAM_META)
		return true;
	if (link->phase == PHASE_FEATURES)
		return f == H_80 || f == H_100;
	return link->version >= 100 ? f == H_100 : f != H_100;
}

enum wire_error drbd_packet_decode(const struct wire_link *link,
				   enum packet_stream stream, const void *buf,
				   u32 have, struct packet_header *out, u32 *need)
{
	const u8 *p = buf;
	enum header_format f;

	memset(out, 0, sizeof(*out));
	*need = 8;
	if (have < 8)
		return WIRE_MORE;

	f = header_format(p);
	if (!format_allowed(link, stream, f))
		return WIRE_BAD_MAGIC;

	switch (f) {
	case H_80:
		out->cmd = get_be16_at(p + 4);
		out->length = get_be16_at(p + 6);
		out->header_len = 8;
		break;
	case H_95:
		out->cmd = get_be16_at(p + 2);
		out->length = get_be32_at(p + 4);
		out->header_len = 8;
		break;
	default:
		*need = 16;
		if (have < 16)
			return WIRE_MORE;
		out->volume = get_be16_at(p + 4);
		out->cmd = get_be16_at(p + 6);
		out->length = get_be32_at(p + 8);
		out->header_len = 16;
		if (get_be32_at(p + 12))
			return WIRE_BAD_PAD;
		break;
	}
	return check_packet(link, stream, out);
}

u32 drbd_packet_header_len(const struct wire_link *link, u32 length)
{
	(void)length;
	return link->version >= 100 ? 16 : 8;
}

u32 drbd_packet_encode(const struct wire_link *link, void *buf, u16 cmd,
		       u16 volume, u32 length)
{
	u8 *p = buf;

	if (link->version >= 100) {
		put_be32_at(p, MAGIC_100);
		put_be16_at(p + 4, volume);
		put_be16_at(p + 6, cmd);
		put_be32_at(p + 8, length);
		put_be32_at(p + 12, 0);
		return 16;
	}
	if (link->version >= 95 && length > LONG_95) {
		put_be16_at(p, MAGIC_95);
		put_be16_at(p + 2, cmd);
		put_be32_at(p + 4, length);
		return 8;
	}
	core_assert(length <= 0xffff);
	put_be32_at(p, MAGIC_80);
	put_be16_at(p + 4, cmd);
	put_be16_at(p + 6, (u16)length);
	return 8;
}
