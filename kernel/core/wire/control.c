// SPDX-License-Identifier: GPL-2.0-only
/*
 * wire/control.c - bodies of the handshake and state packets.
 */
#include "control.h"
#include "data.h"

/* A NUL terminated string in exactly @len bytes; nothing but NULs behind it is
 * not asked for, stock nodes may leave old bytes there. */
static bool get_string(char *out, const u8 *p, u32 len)
{
	u32 i;

	memset(out, 0, WIRE_ALG_MAX);
	for (i = 0; i < len && p[i]; i++) {
		/* Names of algorithms are printable; this keeps logs and
		 * crypto look-ups safe. */
		if (i + 1 >= WIRE_ALG_MAX || p[i] < 0x21 || p[i] > 0x7e)
			return false;
		out[i] = (char)p[i];
	}
	return i < len;
}

/* Writes @s and NULs into a field of @len bytes. */
static void put_string(u8 *p, const char *s, u32 len)
{
	u32 i;

	memset(p, 0, len);
	for (i = 0; i + 1 < len && s[i]; i++)
		p[i] = (u8)s[i];
}

static u32 string_len(const char *s)
{
	u32 i = 0;

	while (i + 1 < WIRE_ALG_MAX && s[i])
		i++;
	return i;
}

enum wire_error drbd_wire_get_features(const struct packet_header *hdr,
				       const void *body, struct wire_features *out)
{
	const u8 *p = body;

	memset(out, 0, sizeof(*out));
	if (hdr->length != 72)
		return WIRE_BAD_LENGTH;
	out->version_min = get_be32_at(p);
	out->features = get_be32_at(p + 4);
	out->version_max = get_be32_at(p + 8);
	out->node_id = get_be32_at(p + 12);
	out->peer_node_id = get_be32_at(p + 16);
	if (!out->version_max)
		out->version_max = out->version_min;
	return out->version_max < out->version_min ? WIRE_BAD_VALUE : WIRE_OK;
}

u32 drbd_wire_put_features(void *body, const struct wire_features *in)
{
	u8 *p = body;

	memset(p, 0, 72);
	put_be32_at(p, in->version_min);
	put_be32_at(p + 4, in->features);
	put_be32_at(p + 8, in->version_max);
	put_be32_at(p + 12, in->node_id);
	put_be32_at(p + 16, in->peer_node_id);
	return 72;
}

enum conn_flag {
	CF_DISCARD_MY_DATA = 1,
	CF_DRY_RUN = 2,
};

enum wire_error drbd_wire_get_protocol(const struct wire_link *link,
				       const struct packet_header *hdr,
				       const void *body, struct wire_protocol *out)
{
	const u8 *p = body;
	u32 v[6], i;

	memset(out, 0, sizeof(*out));
	if (hdr->length < 24 || hdr->length > 24 + WIRE_ALG_MAX)
		return WIRE_BAD_LENGTH;
	if (link->version >= 87 ? hdr->length == 24 : hdr->length != 24)
		return WIRE_BAD_LENGTH;
	for (i = 0; i < 6; i++)
		v[i] = get_be32_at(p + 4 * i);
	if (v[0] < 1 || v[0] > 3)
		return WIRE_BAD_VALUE;
	for (i = 1; i < 4; i++)
		if (v[i] >= SB_NR_POLICIES)
			return WIRE_BAD_VALUE;
	if (v[4] & ~(u32)(CF_DISCARD_MY_DATA | CF_DRY_RUN) || v[5] > 1)
		return WIRE_BAD_VALUE;
	out->protocol = (u8)v[0];
	out->after_sb_0p = (u8)v[1];
	out->after_sb_1p = (u8)v[2];
	out->after_sb_2p = (u8)v[3];
	out->discard_my_data = !!(v[4] & CF_DISCARD_MY_DATA);
	out->dry_run = !!(v[4] & CF_DRY_RUN);
	out->two_primaries = (u8)v[5];
	if (hdr->length > 24 &&
	    !get_string(out->integrity_alg, p + 24, hdr->length - 24))
		return WIRE_BAD_VALUE;
	return WIRE_OK;
}

u32 drbd_wire_put_protocol(const struct wire_link *link, void *body,
			   const struct wire_protocol *in)
{
	u8 *p = body;
	u32 len;

	put_be32_at(p, in->protocol);
	put_be32_at(p + 4, in->after_sb_0p);
	put_be32_at(p + 8, in->after_sb_1p);
	put_be32_at(p + 12, in->after_sb_2p);
	put_be32_at(p + 16, (in->discard_my_data ? CF_DISCARD_MY_DATA : 0) |
			    (in->dry_run ? CF_DRY_RUN : 0));
	put_be32_at(p + 20, in->two_primaries);
	if (link->version < 87)
		return 24;
	len = string_len(in->integrity_alg) + 1;
	put_string(p + 24, in->integrity_alg, len);
	return 24 + len;
}

const char *drbd_wire_integrity_alg(const void *body, u32 len)
{
	return len > 24 ? (const char *)body + 24 : "";
}

enum wire_error drbd_wire_get_sync_param(const struct wire_link *link,
					 const struct packet_header *hdr,
					 const void *body,
					 struct wire_sync_param *out)
{
	const u8 *p = body;

	memset(out, 0, sizeof(*out));
	if (hdr->cmd == P_SYNC_PARAM) {
		if (link->version > 88)
			return WIRE_BAD_VERSION;
		if (link->version < 88 ? hdr->length != 4 :
		    hdr->length < 5 || hdr->length > 4 + WIRE_ALG_MAX)
			return WIRE_BAD_LENGTH;
		out->resync_rate = get_be32_at(p);
		if (hdr->length > 4 && !get_string(out->verify_alg, p + 4, hdr->length - 4))
			return WIRE_BAD_VALUE;
		return WIRE_OK;
	}
	if (hdr->length != (link->version >= 95 ? 148u : 132u))
		return WIRE_BAD_LENGTH;
	out->resync_rate = get_be32_at(p);
	if (!get_string(out->verify_alg, p + 4, WIRE_ALG_MAX) ||
	    !get_string(out->csums_alg, p + 68, WIRE_ALG_MAX))
		return WIRE_BAD_VALUE;
	if (hdr->length == 148) {
		out->c_plan_ahead = get_be32_at(p + 132);
		out->c_delay_target = get_be32_at(p + 136);
		out->c_fill_target = get_be32_at(p + 140);
		out->c_max_rate = get_be32_at(p + 144);
	}
	return WIRE_OK;
}

u32 drbd_wire_put_sync_param(const struct wire_link *link, void *body,
			     const struct wire_sync_param *in, u16 *cmd)
{
	u8 *p = body;
	u32 len;

	put_be32_at(p, in->resync_rate);
	if (link->version < 89) {
		*cmd = P_SYNC_PARAM;
		if (link->version < 88)
			return 4;
		len = string_len(in->verify_alg) + 1;
		put_string(p + 4, in->verify_alg, len);
		return 4 + len;
	}
	*cmd = P_SYNC_PARAM89;
	put_string(p + 4, in->verify_alg, WIRE_ALG_MAX);
	put_string(p + 68, in->csums_alg, WIRE_ALG_MAX);
	if (link->version < 95)
		return 132;
	put_be32_at(p + 132, in->c_plan_ahead);
	put_be32_at(p + 136, in->c_delay_target);
	put_be32_at(p + 140, in->c_fill_target);
	put_be32_at(p + 144, in->c_max_rate);
	return 148;
}

/* More sectors than any version supports: a number that is not a size. */
#define SIZE_LIMIT (1ull << 54)

enum wire_error drbd_wire_get_sizes(const struct wire_link *link,
				    const struct packet_header *hdr,
				    const void *body, struct wire_sizes *out)
{
	const u8 *p = body;
	u32 cap = drbd_wire_max_bio(link->version);

	memset(out, 0, sizeof(*out));
	out->has_limits = !!(link->features & FEATURE_WSAME);
	if (hdr->length != (out->has_limits ? 56u : 32u))
		return WIRE_BAD_LENGTH;
	out->d_size = get_be64_at(p);
	out->u_size = get_be64_at(p + 8);
	out->c_size = get_be64_at(p + 16);
	out->max_bio_size = get_be32_at(p + 24);
	out->dds_flags = get_be16_at(p + 30);
	if (out->d_size > SIZE_LIMIT || out->u_size > SIZE_LIMIT || out->c_size > SIZE_LIMIT)
		return WIRE_BAD_RANGE;
	if (out->max_bio_size < SECTOR_BYTES)
		return WIRE_BAD_VALUE;
	out->max_bio_size = min(out->max_bio_size, cap);
	if (!out->has_limits)
		return WIRE_OK;
	out->physical_block_size = get_be32_at(p + 32);
	out->logical_block_size = get_be32_at(p + 36);
	out->alignment_offset = get_be32_at(p + 40);
	out->io_min = get_be32_at(p + 44);
	out->io_opt = get_be32_at(p + 48);
	out->discard_enabled = p[52];
	out->discard_zeroes_data = p[53];
	out->write_same_capable = p[54];
	/* The diskless leave the block of limits empty. */
	if (out->logical_block_size &&
	    (!core_is_pow2(out->logical_block_size) || out->logical_block_size < 512 ||
	     out->logical_block_size > 4096))
		return WIRE_BAD_VALUE;
	if (link->features & FEATURE_BM_BLOCK_SHIFT) {
		out->bm_block_shift_minus_12 = p[55];
		if (p[55] > 8)
			return WIRE_BAD_VALUE;
	}
	return WIRE_OK;
}

u32 drbd_wire_put_sizes(const struct wire_link *link, void *body,
			const struct wire_sizes *in)
{
	u8 *p = body;

	put_be64_at(p, in->d_size);
	put_be64_at(p + 8, in->u_size);
	put_be64_at(p + 16, in->c_size);
	put_be32_at(p + 24, min(in->max_bio_size, drbd_wire_max_bio(link->version)));
	put_be16_at(p + 28, 0);
	put_be16_at(p + 30, in->dds_flags);
	if (!(link->features & FEATURE_WSAME))
		return 32;
	put_be32_at(p + 32, in->physical_block_size);
	put_be32_at(p + 36, in->logical_block_size);
	put_be32_at(p + 40, in->alignment_offset);
	put_be32_at(p + 44, in->io_min);
	put_be32_at(p + 48, in->io_opt);
	p[52] = in->discard_enabled;
	p[53] = in->discard_zeroes_data;
	p[54] = in->write_same_capable;
	p[55] = link->features & FEATURE_BM_BLOCK_SHIFT ? in->bm_block_shift_minus_12 : 0;
	return 56;
}

enum wire_error drbd_wire_get_uuids(const struct packet_header *hdr,
				    const void *body, struct wire_uuids *out)
{
	const u8 *p = body;

	memset(out, 0, sizeof(*out));
	if (hdr->length != 48)
		return WIRE_BAD_LENGTH;
	out->current_uuid = get_be64_at(p);
	out->bitmap_uuid = get_be64_at(p + 8);
	out->history[0] = get_be64_at(p + 16);
	out->history[1] = get_be64_at(p + 24);
	out->dirty_bits = get_be64_at(p + 32);
	out->flags = get_be64_at(p + 40);
	return WIRE_OK;
}

u32 drbd_wire_put_uuids(void *body, const struct wire_uuids *in)
{
	u8 *p = body;

	put_be64_at(p, in->current_uuid);
	put_be64_at(p + 8, in->bitmap_uuid);
	put_be64_at(p + 16, in->history[0]);
	put_be64_at(p + 24, in->history[1]);
	put_be64_at(p + 32, in->dirty_bits);
	put_be64_at(p + 40, in->flags & UUID_FLAGS_84);
	return 48;
}

enum wire_error drbd_wire_get_uuid(const struct packet_header *hdr,
				   const void *body, u64 *uuid)
{
	*uuid = 0;
	if (hdr->length != 8)
		return WIRE_BAD_LENGTH;
	*uuid = get_be64_at(body);
	return WIRE_OK;
}

u32 drbd_wire_put_uuid(void *body, u64 uuid)
{
	put_be64_at(body, uuid);
	return 8;
}

enum wire_error drbd_wire_get_state(const struct wire_link *link,
				    const struct packet_header *hdr,
				    const void *body, struct wire_state *out)
{
	memset(out, 0, sizeof(*out));
	if (hdr->length != 4)
		return WIRE_BAD_LENGTH;
	return drbd_wire_state_unpack(link->version, get_be32_at(body), out);
}

u32 drbd_wire_put_state(const struct wire_link *link, void *body,
			const struct wire_state *in)
{
	put_be32_at(body, drbd_wire_state_pack(link->version, in));
	return 4;
}

enum wire_error drbd_wire_get_state_req(const struct wire_link *link,
					const struct packet_header *hdr,
					const void *body, struct wire_state_req *out)
{
	const u8 *p = body;

	memset(out, 0, sizeof(*out));
	if (hdr->length != 8)
		return WIRE_BAD_LENGTH;
	return drbd_wire_state_req_unpack(link->version, get_be32_at(p),
					  get_be32_at(p + 4), &out->mask, &out->val);
}

u32 drbd_wire_put_state_req(const struct wire_link *link, void *body,
			    const struct wire_state_req *in)
{
	u8 *p = body;
	u32 mask, val;

	drbd_wire_state_req_pack(link->version, &in->mask, &in->val, &mask, &val);
	put_be32_at(p, mask);
	put_be32_at(p + 4, val);
	return 8;
}

enum wire_error drbd_wire_get_state_reply(const struct packet_header *hdr,
					  const void *body, s32 *code)
{
	*code = 0;
	if (hdr->length != 4)
		return WIRE_BAD_LENGTH;
	*code = (s32)get_be32_at(body);
	return WIRE_OK;
}

u32 drbd_wire_put_state_reply(void *body, s32 code)
{
	put_be32_at(body, (u32)code);
	return 4;
}

enum wire_error drbd_wire_check_challenge(const struct wire_link *link,
					  const struct packet_header *hdr,
					  const void *body, const u8 *own)
{
	u32 most = link->version < 110 ? WIRE_AUTH_84_MAX : WIRE_CHALLENGE;

	if (hdr->length < WIRE_CHALLENGE || hdr->length > most)
		return WIRE_BAD_LENGTH;
	/* Somebody reflects our own challenge to get it answered. */
	if (!memcmp(body, own, WIRE_CHALLENGE))
		return WIRE_BAD_VALUE;
	return WIRE_OK;
}

enum wire_error drbd_wire_check_response(const struct packet_header *hdr, u32 digest_len)
{
	return digest_len && hdr->length == digest_len ? WIRE_OK : WIRE_BAD_LENGTH;
}

u32 drbd_wire_auth_message(u16 version, void *out, const void *challenge,
			   u32 challenge_len, u32 responder_node_id)
{
	memcpy(out, challenge, challenge_len);
	if (version < 110)
		return challenge_len;
	put_be32_at((u8 *)out + challenge_len, responder_node_id);
	return challenge_len + 4;
}
