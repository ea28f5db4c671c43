// SPDX-License-Identifier: GPL-2.0-only
/*
 * wire/data.c - bodies of the packets that name blocks.
 *
 * One table says which fields a packet has and what may be in them; codec and
 * checks follow it.
 */
#include "data.h"

enum field {
	F_ID = 1,	/* u64 @8 block_id */
	F_SEQ = 2,	/* u32 @20 seq_num */
	F_DAGTAG = 4,	/* u32 @20 node, u64 @24 dagtag */
	F_CSUM = 8,	/* csums-alg digest follows */
	F_VERIFY = 16,	/* verify-alg digest follows */
	F_RESULT = 32,	/* u32 @24 result, u32 @28 pad */
	F_DESC = 64,	/* short layout: sector, u32 @8 size, u32 @12 pad */
	F_MASK = 128,	/* u64 @8 node mask */
	F_SIZE0 = 256,	/* size 0 is legal */
	F_DISCARD = 512,	/* may be as large as a discard */
	F_STEP = 1024,	/* may be as large as 4 MiB */
};

struct block_row {
	u16 cmd;
	u16 fields;
};

#define F_ACK (F_ID | F_SEQ)

static const struct block_row block_rows[] = {
	{ P_DATA_REQUEST, F_ID },
	{ P_RS_DATA_REQUEST, F_ID },
	{ P_OV_REQUEST, F_ID },
	{ P_OV_REPLY, F_ID | F_VERIFY },
	{ P_CSUM_RS_REQUEST, F_ID | F_CSUM },
	{ P_RS_THIN_REQ, F_ID },
	{ P_RS_DAGTAG_REQ, F_ID | F_DAGTAG },
	{ P_RS_CSUM_DAGTAG_REQ, F_ID | F_DAGTAG | F_CSUM },
	{ P_RS_THIN_DAGTAG_REQ, F_ID | F_DAGTAG },
	{ P_OV_DAGTAG_REQ, F_ID | F_DAGTAG },
	{ P_OV_DAGTAG_REPLY, F_ID | F_DAGTAG | F_VERIFY },
	/* Acks of writes answer P_TRIM and P_ZEROES, too. */
	{ P_RECV_ACK, F_ACK | F_DISCARD },
	{ P_WRITE_ACK, F_ACK | F_DISCARD },
	{ P_WRITE_ACK_IN_SYNC, F_ACK | F_DISCARD },
	{ P_RS_WRITE_ACK, F_ACK | F_DISCARD },
	{ P_SUPERSEDED, F_ACK | F_DISCARD },
	{ P_RETRY_WRITE, F_ACK | F_DISCARD },
	{ P_NEG_ACK, F_ACK | F_DISCARD | F_SIZE0 },
	{ P_RS_NEG_ACK, F_ACK },
	{ P_NEG_DREPLY, F_ACK },
	{ P_NEG_RS_DREPLY, F_ACK },
	{ P_RS_CANCEL, F_ACK },
	{ P_RS_CANCEL_AHEAD, F_ACK },
	{ P_RS_IS_IN_SYNC, F_ACK },
	{ P_OV_RESULT, F_ACK },
	{ P_OV_RESULT_ID, F_ACK | F_RESULT },
	{ P_RS_DEALLOCATED_ID, F_ACK },
	/* 8.4 announces a discard it did not replicate with one notice. */
	{ P_OUT_OF_SYNC, F_DESC | F_DISCARD },
	{ P_RS_DEALLOCATED, F_DESC },
	{ P_PEERS_IN_SYNC, F_MASK | F_STEP },
};

static const struct block_row *block_row(u16 cmd)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(block_rows); i++)
		if (block_rows[i].cmd == cmd)
			return &block_rows[i];
	return NULL;
}

/* Sector and size against the device; safe against wrap-around. */
static enum wire_error check_range(u64 sector, u32 size, u32 max_size, u64 capacity)
{
	u64 sectors = size / SECTOR_BYTES;

	if (!size || size % SECTOR_BYTES || size > max_size)
		return WIRE_BAD_RANGE;
	if (sectors > capacity || sector > capacity - sectors)
		return WIRE_BAD_RANGE;
	return WIRE_OK;
}

#define DP_KNOWN                                                               \
	(DP_RW_SYNC | DP_MAY_SET_IN_SYNC | DP_UNPLUG | DP_FUA | DP_FLUSH |     \
	 DP_DISCARD | DP_SEND_RECEIVE_ACK | DP_SEND_WRITE_ACK | DP_ZEROES | 1u)

static enum wire_error check_dp_flags(u16 cmd, u32 flags)
{
	if (flags & DP_WSAME)
		return WIRE_BAD_VALUE;
	/* A flag we do not know could change what is to be written. */
	if (flags & ~DP_KNOWN)
		return WIRE_BAD_VALUE;
	if (cmd == P_DATA && flags & (DP_DISCARD | DP_ZEROES))
		return WIRE_BAD_VALUE;
	if (cmd == P_TRIM && flags & DP_ZEROES)
		return WIRE_BAD_VALUE;
	return WIRE_OK;
}

enum wire_error drbd_wire_get_data(const struct wire_link *link,
				   const struct packet_header *hdr,
				   const void *body,
				   const struct wire_limits *limits,
				   struct wire_data *out)
{
	const u8 *p = body;
	bool trim = hdr->cmd == P_TRIM || hdr->cmd == P_ZEROES;
	u32 max_size = trim ? limits->max_discard : limits->max_bio;
	enum wire_error err;

	memset(out, 0, sizeof(*out));
	if (!trim && hdr->cmd != P_DATA && hdr->cmd != P_DATA_REPLY &&
	    hdr->cmd != P_RS_DATA_REPLY)
		return WIRE_BAD_COMMAND;
	if (hdr->length < (trim ? 28u : 24u))
		return WIRE_BAD_LENGTH;

	out->sector = get_be64_at(p);
	out->block_id = get_be64_at(p + 8);
	out->seq = get_be32_at(p + 16);
	out->flags = get_be32_at(p + 20);
	if (trim) {
		if (hdr->length != 28)
			return WIRE_BAD_LENGTH;
		out->size = get_be32_at(p + 24);
	} else {
		u32 rest = hdr->length - 24;

		if (rest <= link->digest_in)
			return WIRE_BAD_LENGTH;
		out->digest_len = link->digest_in;
		out->size = rest - link->digest_in;
	}
	err = check_range(out->sector, out->size, max_size, limits->capacity);
	if (err)
		return err;
	if (hdr->cmd == P_DATA || trim) {
		/* 0 and all-ones cannot be told from resync traffic. */
		if (!out->block_id || out->block_id == BLOCK_ID_SYNCER)
			return WIRE_BAD_VALUE;
		return check_dp_flags(hdr->cmd, out->flags);
	}
	return WIRE_OK;
}

u32 drbd_wire_put_data(u16 cmd, void *body, const struct wire_data *in)
{
	u8 *p = body;
	bool trim = cmd == P_TRIM || cmd == P_ZEROES;

	if (!trim && cmd != P_DATA && cmd != P_DATA_REPLY && cmd != P_RS_DATA_REPLY)
		return 0;
	put_be64_at(p, in->sector);
	put_be64_at(p + 8, in->block_id);
	put_be32_at(p + 16, in->seq);
	put_be32_at(p + 20, in->flags);
	if (!trim)
		return 24;
	put_be32_at(p + 24, in->size);
	return 28;
}

/* Bytes of digest that must follow, or -1 if there is no algorithm for it. */
static int digest_behind(const struct wire_link *link, u16 fields)
{
	u32 len;

	if (!(fields & (F_CSUM | F_VERIFY)))
		return 0;
	len = fields & F_CSUM ? link->csums_digest : link->verify_digest;
	return len ? (int)len : -1;
}

static u32 fixed_len(u16 fields)
{
	if (fields & F_DESC)
		return 16;
	return fields & (F_DAGTAG | F_RESULT) ? 32 : 24;
}

static u32 block_max_size(u16 fields, const struct wire_limits *limits)
{
	if (fields & F_DISCARD)
		return max(limits->max_bio, limits->max_discard);
	if (fields & F_STEP)
		return 4u << 20;
	return limits->max_bio;
}

enum wire_error drbd_wire_get_block(const struct wire_link *link,
				    const struct packet_header *hdr,
				    const void *body,
				    const struct wire_limits *limits,
				    struct wire_block *out)
{
	const struct block_row *row = block_row(hdr->cmd);
	const u8 *p = body;
	int digest;

	memset(out, 0, sizeof(*out));
	if (!row)
		return WIRE_BAD_COMMAND;
	digest = digest_behind(link, row->fields);
	if (digest < 0)
		return WIRE_BAD_VALUE;
	if (hdr->length != fixed_len(row->fields) + (u32)digest)
		return WIRE_BAD_LENGTH;

	out->digest_len = digest;
	out->sector = get_be64_at(p);
	if (row->fields & F_DESC) {
		out->size = get_be32_at(p + 8);
	} else {
		if (row->fields & F_ID)
			out->block_id = get_be64_at(p + 8);
		if (row->fields & F_MASK)
			out->mask = get_be64_at(p + 8);
		out->size = get_be32_at(p + 16);
	}
	if (row->fields & F_SEQ)
		out->seq = get_be32_at(p + 20);
	if (row->fields & F_RESULT) {
		out->result = get_be32_at(p + 24);
		if (out->result > 2)
			return WIRE_BAD_VALUE;
	}
	if (row->fields & F_DAGTAG) {
		out->node = get_be32_at(p + 20);
		out->dagtag = get_be64_at(p + 24);
		if (out->dagtag && out->node > CORE_MAX_PEERS)
			return WIRE_BAD_VALUE;
	}
	if (row->fields & F_MASK && out->mask >> 32)
		return WIRE_BAD_VALUE;
	if (!out->size && row->fields & F_SIZE0)
		return out->sector <= limits->capacity ? WIRE_OK : WIRE_BAD_RANGE;
	return check_range(out->sector, out->size,
			   block_max_size(row->fields, limits), limits->capacity);
}

u32 drbd_wire_put_block(u16 cmd, void *body, const struct wire_block *in)
{
	const struct block_row *row = block_row(cmd);
	u8 *p = body;

	if (!row)
		return 0;
	put_be64_at(p, in->sector);
	if (row->fields & F_DESC) {
		put_be32_at(p + 8, in->size);
		put_be32_at(p + 12, 0);
		return 16;
	}
	put_be64_at(p + 8, row->fields & F_MASK ? in->mask : in->block_id);
	put_be32_at(p + 16, in->size);
	put_be32_at(p + 20, row->fields & F_SEQ ? in->seq : 0);
	if (row->fields & F_RESULT) {
		put_be32_at(p + 24, in->result);
		put_be32_at(p + 28, 0);
	}
	if (row->fields & F_DAGTAG) {
		put_be32_at(p + 20, in->node);
		put_be64_at(p + 24, in->dagtag);
	}
	return fixed_len(row->fields);
}

/* Barrier numbers are opaque to the other end: it echoes the four bytes. Any
 * fixed byte order will do, as long as it is the same in and out. Stock nodes
 * use their own (little endian), so that captures stay readable. */
enum wire_error drbd_wire_get_barrier(const struct packet_header *hdr,
				      const void *body, struct wire_barrier *out)
{
	const u8 *p = body;

	memset(out, 0, sizeof(*out));
	if (hdr->cmd != P_BARRIER && hdr->cmd != P_BARRIER_ACK)
		return WIRE_BAD_COMMAND;
	if (hdr->length != 8)
		return WIRE_BAD_LENGTH;
	out->number = get_le32_at(p);
	if (hdr->cmd == P_BARRIER_ACK)
		out->set_size = get_be32_at(p + 4);
	return WIRE_OK;
}

u32 drbd_wire_put_barrier(u16 cmd, void *body, const struct wire_barrier *in)
{
	u8 *p = body;

	if (cmd != P_BARRIER && cmd != P_BARRIER_ACK)
		return 0;
	put_le32_at(p, in->number);
	put_be32_at(p + 4, cmd == P_BARRIER_ACK ? in->set_size : 0);
	return 8;
}

u32 drbd_wire_max_bio(u16 version)
{
	if (version >= 100)
		return WIRE_MAX_BIO;
	return version >= 95 ? 128u << 10 : 32u << 10;
}

u32 drbd_wire_max_discard(u32 features)
{
	return features & FEATURE_WSAME ? WIRE_MAX_DISCARD : 4u << 20;
}

u32 drbd_wire_ack_flags(u16 version, u8 protocol, bool may_set_in_sync)
{
	u32 flags = may_set_in_sync ? DP_MAY_SET_IN_SYNC : 0;

	if (version < 100)
		return flags;
	if (protocol == 2)
		flags |= DP_SEND_RECEIVE_ACK;
	if (protocol == 3 || may_set_in_sync)
		flags |= DP_SEND_WRITE_ACK;
	return flags;
}

u32 drbd_wire_dp_flags(u16 version, u32 flags)
{
	if (version < 95)
		flags &= ~(u32)(DP_FUA | DP_FLUSH | DP_DISCARD);
	if (version < 100)
		flags &= ~(u32)(DP_SEND_RECEIVE_ACK | DP_SEND_WRITE_ACK);
	return flags;
}
