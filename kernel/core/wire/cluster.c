// SPDX-License-Identifier: GPL-2.0-only
/*
 * wire/cluster.c - bodies of the packets that only generation 9 has.
 */
#include "cluster.h"

#define UUID_UNKNOWN (~0ull)
#define UNALLOC_SHIFT 56

#define V2_MARK 0x80000000u		/* set in every packet of 2PC_V2 */
#define V2_REACHABLE 0x40000000u
#define V2_PRI_INCAPABLE 0x20000000u

/* More sectors than any version supports: a number that is not a size. */
#define SIZE_LIMIT (1ull << 54)

static bool node_exists(u32 node)
{
	return node < WIRE_NODES;
}

enum wire_error drbd_wire_get_uuids110(const struct packet_header *hdr,
				       const void *body, struct wire_uuids110 *out)
{
	const u8 *p = body, *end;
	u64 mask, flags;
	u32 i;

	memset(out, 0, sizeof(*out));
	out->unallocated = WIRE_NO_NODE;
	for (i = 0; i < WIRE_NODES; i++)
		out->bitmap[i] = UUID_UNKNOWN;
	if (hdr->length < 40)
		return WIRE_BAD_LENGTH;
	out->current_uuid = get_be64_at(p);
	out->dirty_bits = get_be64_at(p + 8);
	flags = get_be64_at(p + 16);
	out->flags = flags & UUID9_FLAGS;
	out->node_mask = get_be64_at(p + 24);
	mask = get_be64_at(p + 32);
	if (mask >> WIRE_NODES)
		return WIRE_BAD_VALUE;
	if (flags & UUID9_HAS_UNALLOC) {
		if (!node_exists((u32)(flags >> UNALLOC_SHIFT)))
			return WIRE_BAD_VALUE;
		out->unallocated = (s8)(flags >> UNALLOC_SHIFT);
	}
	if (hdr->length < 40 + 8 * core_popcount((u32)mask))
		return WIRE_BAD_LENGTH;

	out->bitmap_mask = (u32)mask;
	end = p + hdr->length;
	p += 40;
	for (i = 0; i < WIRE_NODES; i++) {
		if (!(mask >> i & 1))
			continue;
		out->bitmap[i] = get_be64_at(p);
		p += 8;
	}
	for (i = 0; i < WIRE_HISTORY_9 && end - p >= 8; i++, p += 8)
		out->history[i] = get_be64_at(p);
	return WIRE_OK;
}

u32 drbd_wire_put_uuids110(void *body, const struct wire_uuids110 *in)
{
	u64 flags = in->flags & UUID9_FLAGS & ~UUID9_HAS_UNALLOC;
	u8 *p = body;
	u32 i;

	if (in->unallocated != WIRE_NO_NODE)
		flags |= UUID9_HAS_UNALLOC | (u64)(u8)in->unallocated << UNALLOC_SHIFT;
	put_be64_at(p, in->current_uuid);
	put_be64_at(p + 8, in->dirty_bits);
	put_be64_at(p + 16, flags);
	put_be64_at(p + 24, in->node_mask);
	put_be64_at(p + 32, in->bitmap_mask);
	p += 40;
	for (i = 0; i < WIRE_NODES; i++) {
		if (!(in->bitmap_mask >> i & 1))
			continue;
		put_be64_at(p, in->bitmap[i]);
		p += 8;
	}
	for (i = 0; i < WIRE_HISTORY_9; i++, p += 8)
		put_be64_at(p, in->history[i]);
	return (u32)(p - (u8 *)body);
}

enum wire_error drbd_wire_get_current_uuid(const struct packet_header *hdr,
					   const void *body,
					   struct wire_current_uuid *out)
{
	const u8 *p = body;

	memset(out, 0, sizeof(*out));
	if (hdr->length != 16)
		return WIRE_BAD_LENGTH;
	out->uuid = get_be64_at(p);
	out->weak_nodes = get_be64_at(p + 8);
	return WIRE_OK;
}

u32 drbd_wire_put_current_uuid(void *body, const struct wire_current_uuid *in)
{
	u8 *p = body;

	put_be64_at(p, in->uuid);
	put_be64_at(p + 8, in->weak_nodes);
	return 16;
}

/* Who began it and whom it is about: offsets 4 to 11. */
static enum wire_error get_parties(const struct wire_link *link, const u8 *p,
				   struct wire_twopc *out)
{
	u32 initiator, target, flags;

	if (link->features & FEATURE_2PC_V2) {
		flags = get_be32_at(p + 4);
		initiator = p[10];
		target = p[11] == 0xff ? ~0u : p[11];
		if (flags & V2_REACHABLE)
			out->flags |= TWOPC_REACHABLE_VALID;
		if (flags & V2_PRI_INCAPABLE)
			out->flags |= TWOPC_PRI_INCAPABLE;
	} else {
		initiator = get_be32_at(p + 4);
		target = get_be32_at(p + 8);
	}
	if (!node_exists(initiator) || (!node_exists(target) && target != ~0u))
		return WIRE_BAD_VALUE;
	out->initiator = (s8)initiator;
	out->target = target == ~0u ? WIRE_NO_NODE : (s8)target;
	return WIRE_OK;
}

static void put_parties(const struct wire_link *link, u8 *p, const struct wire_twopc *in)
{
	u32 flags = V2_MARK;

	if (link->features & FEATURE_2PC_V2) {
		if (in->flags & TWOPC_REACHABLE_VALID)
			flags |= V2_REACHABLE;
		if (in->flags & TWOPC_PRI_INCAPABLE)
			flags |= V2_PRI_INCAPABLE;
		put_be32_at(p + 4, flags);
		put_be16_at(p + 8, 0);
		p[10] = (u8)in->initiator;
		p[11] = (u8)in->target;
	} else {
		put_be32_at(p + 4, (u32)in->initiator);
		put_be32_at(p + 8, (u32)(s32)in->target);
	}
}

enum wire_error drbd_wire_get_twopc(const struct wire_link *link,
				    const struct packet_header *hdr,
				    const void *body, struct wire_twopc *out)
{
	const u8 *p = body;
	enum wire_error err;

	memset(out, 0, sizeof(*out));
	if (hdr->length != 36)
		return WIRE_BAD_LENGTH;
	out->tid = get_be32_at(p);
	out->nodes_to_reach = get_be64_at(p + 12);
	err = get_parties(link, p, out);
	if (err)
		return err;
	if (!out->tid)
		return WIRE_BAD_VALUE;
	switch (hdr->cmd) {
	case P_TWOPC_PREPARE:
		return drbd_wire_state_req_unpack(link->version, get_be32_at(p + 28),
						  get_be32_at(p + 32), &out->mask, &out->val);
	case P_TWOPC_PREP_RSZ:
		out->user_size = get_be64_at(p + 20);
		out->dds_flags = get_be16_at(p + 28);
		return out->user_size > SIZE_LIMIT ? WIRE_BAD_RANGE : WIRE_OK;
	case P_TWOPC_COMMIT:
		out->primary_nodes = get_be64_at(p + 20);
		out->last = get_be64_at(p + 28);
		return WIRE_OK;
	case P_TWOPC_ABORT:
		return WIRE_OK;
	default:
		return WIRE_BAD_COMMAND;
	}
}

u32 drbd_wire_put_twopc(const struct wire_link *link, u16 cmd, void *body,
			const struct wire_twopc *in)
{
	u8 *p = body;
	u32 mask, val;

	memset(p, 0, 36);
	put_be32_at(p, in->tid);
	put_parties(link, p, in);
	put_be64_at(p + 12, in->nodes_to_reach);
	switch (cmd) {
	case P_TWOPC_PREPARE:
		drbd_wire_state_req_pack(link->version, &in->mask, &in->val, &mask, &val);
		put_be32_at(p + 28, mask);
		put_be32_at(p + 32, val);
		break;
	case P_TWOPC_PREP_RSZ:
		put_be64_at(p + 20, in->user_size);
		put_be16_at(p + 28, in->dds_flags);
		break;
	case P_TWOPC_COMMIT:
		put_be64_at(p + 20, in->primary_nodes);
		put_be64_at(p + 28, in->last);
		break;
	default:
		break;
	}
	return 36;
}

enum wire_error drbd_wire_get_twopc_reply(const struct packet_header *hdr,
					  const void *body,
					  struct wire_twopc_reply *out)
{
	const u8 *p = body;

	memset(out, 0, sizeof(*out));
	if (hdr->length != 32)
		return WIRE_BAD_LENGTH;
	out->tid = get_be32_at(p);
	if (!out->tid || !node_exists(get_be32_at(p + 4)))
		return WIRE_BAD_VALUE;
	out->initiator = (s8)get_be32_at(p + 4);
	out->reachable_nodes = get_be64_at(p + 8);
	out->primary_nodes = get_be64_at(p + 16);
	out->last = get_be64_at(p + 24);
	return WIRE_OK;
}

u32 drbd_wire_put_twopc_reply(void *body, const struct wire_twopc_reply *in)
{
	u8 *p = body;

	put_be32_at(p, in->tid);
	put_be32_at(p + 4, (u32)in->initiator);
	put_be64_at(p + 8, in->reachable_nodes);
	put_be64_at(p + 16, in->primary_nodes);
	put_be64_at(p + 24, in->last);
	return 32;
}

enum wire_error drbd_wire_get_position(const struct packet_header *hdr,
				       const void *body, struct wire_position *out)
{
	const struct packet_info *info = drbd_packet_info(hdr->cmd);
	const u8 *p = body;
	u32 node = 0;

	memset(out, 0, sizeof(*out));
	if (!info)
		return WIRE_BAD_COMMAND;
	if (hdr->length != info->body_min)
		return WIRE_BAD_LENGTH;
	switch (hdr->cmd) {
	case P_DAGTAG:
		out->dagtag = get_be64_at(p);
		break;
	case P_PEER_DAGTAG:
		out->dagtag = get_be64_at(p);
		node = get_be32_at(p + 8);
		break;
	case P_PEER_ACK:
		out->mask = get_be64_at(p);
		out->dagtag = get_be64_at(p + 8);
		break;
	case P_FLUSH_REQUESTS:
		out->sequence = get_be64_at(p);
		break;
	case P_FLUSH_FORWARD:
	case P_FLUSH_REQUESTS_ACK:
		out->sequence = get_be64_at(p);
		node = get_be32_at(p + 8);
		break;
	case P_ENABLE_REPLICATION:
	case P_ENABLE_REPLICATION_NEXT:
		if (p[0] > 1)
			return WIRE_BAD_VALUE;
		out->enable = p[0];
		return WIRE_OK;
	default:
		return WIRE_BAD_COMMAND;
	}
	if (!node_exists(node) || out->mask >> WIRE_NODES)
		return WIRE_BAD_VALUE;
	out->node = (u8)node;
	return WIRE_OK;
}

u32 drbd_wire_put_position(u16 cmd, void *body, const struct wire_position *in)
{
	u8 *p = body;

	switch (cmd) {
	case P_DAGTAG:
		put_be64_at(p, in->dagtag);
		return 8;
	case P_PEER_DAGTAG:
		put_be64_at(p, in->dagtag);
		put_be32_at(p + 8, in->node);
		return 12;
	case P_PEER_ACK:
		put_be64_at(p, in->mask);
		put_be64_at(p + 8, in->dagtag);
		return 16;
	case P_FLUSH_REQUESTS:
		put_be64_at(p, in->sequence);
		return 8;
	case P_FLUSH_FORWARD:
	case P_FLUSH_REQUESTS_ACK:
		put_be64_at(p, in->sequence);
		put_be32_at(p + 8, in->node);
		return 12;
	case P_ENABLE_REPLICATION:
	case P_ENABLE_REPLICATION_NEXT:
		put_be32_at(p, in->enable ? 1u << 24 : 0);
		return 4;
	default:
		return 0;
	}
}

enum wire_error drbd_wire_get_confirm_stable(const struct packet_header *hdr,
					     const void *body,
					     struct wire_confirm_stable *out)
{
	const u8 *p = body;

	memset(out, 0, sizeof(*out));
	if (hdr->length != 24)
		return WIRE_BAD_LENGTH;
	out->oldest = get_be64_at(p);
	out->youngest = get_be64_at(p + 8);
	out->set_size = get_be32_at(p + 16);
	return WIRE_OK;
}

u32 drbd_wire_put_confirm_stable(void *body, const struct wire_confirm_stable *in)
{
	u8 *p = body;

	put_be64_at(p, in->oldest);
	put_be64_at(p + 8, in->youngest);
	put_be32_at(p + 16, in->set_size);
	put_be32_at(p + 20, 0);
	return 24;
}
