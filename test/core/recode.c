// SPDX-License-Identifier: GPL-2.0-only
/* Every body in and out again, for the golden packets and the fuzzers. */
#include "harness.h"

typedef int recode_fn(const struct wire_link *, const struct packet_header *,
		      const void *, u64 capacity, void *out);

static struct wire_limits limits_of(const struct wire_link *link, u64 capacity)
{
	struct wire_limits l = {
		.capacity = capacity,
		.max_bio = drbd_wire_max_bio(link->version),
		.max_discard = drbd_wire_max_discard(link->features),
	};

	return l;
}

static int re_data(const struct wire_link *link, const struct packet_header *hdr,
		   const void *body, u64 capacity, void *out)
{
	struct wire_limits l = limits_of(link, capacity);
	struct wire_data d;
	int err = drbd_wire_get_data(link, hdr, body, &l, &d);

	if (err)
		return -err;
	if (hdr->cmd != P_TRIM && hdr->cmd != P_ZEROES &&
	    24 + d.digest_len + d.size != hdr->length)
		abort();
	return (int)drbd_wire_put_data(hdr->cmd, out, &d);
}

static int re_block(const struct wire_link *link, const struct packet_header *hdr,
		    const void *body, u64 capacity, void *out)
{
	struct wire_limits l = limits_of(link, capacity);
	struct wire_block b;
	int err = drbd_wire_get_block(link, hdr, body, &l, &b);

	return err ? -err : (int)drbd_wire_put_block(hdr->cmd, out, &b);
}

static int re_barrier(const struct wire_link *link, const struct packet_header *hdr,
		      const void *body, u64 capacity, void *out)
{
	struct wire_barrier b;
	int err = drbd_wire_get_barrier(hdr, body, &b);

	(void)link;
	(void)capacity;
	return err ? -err : (int)drbd_wire_put_barrier(hdr->cmd, out, &b);
}

#define RE_LINK(name, type, what)                                              \
	static int name(const struct wire_link *link,                          \
			const struct packet_header *hdr, const void *body,     \
			u64 capacity, void *out)                               \
	{                                                                      \
		type v;                                                        \
		int err = drbd_wire_get_##what(link, hdr, body, &v);           \
                                                                               \
		(void)capacity;                                                \
		return err ? -err : (int)drbd_wire_put_##what(link, out, &v);  \
	}

#define RE_PLAIN(name, type, what, deref)                                      \
	static int name(const struct wire_link *link,                          \
			const struct packet_header *hdr, const void *body,     \
			u64 capacity, void *out)                               \
	{                                                                      \
		type v;                                                        \
		int err = drbd_wire_get_##what(hdr, body, &v);                 \
                                                                               \
		(void)capacity;                                                \
		(void)link;                                                    \
		return err ? -err : (int)drbd_wire_put_##what(out, deref v);   \
	}

RE_LINK(re_protocol, struct wire_protocol, protocol)
RE_LINK(re_sizes, struct wire_sizes, sizes)
RE_LINK(re_state, struct wire_state, state)
RE_LINK(re_state_req, struct wire_state_req, state_req)
RE_PLAIN(re_features, struct wire_features, features, &)
RE_PLAIN(re_uuids, struct wire_uuids, uuids, &)
RE_PLAIN(re_uuid, u64, uuid, )
RE_PLAIN(re_state_reply, s32, state_reply, )

static int re_sync_param(const struct wire_link *link, const struct packet_header *hdr,
			 const void *body, u64 capacity, void *out)
{
	struct wire_sync_param p;
	int err = drbd_wire_get_sync_param(link, hdr, body, &p);
	u16 cmd;
	u32 len;

	(void)capacity;
	if (err)
		return -err;
	len = drbd_wire_put_sync_param(link, out, &p, &cmd);
	return cmd == hdr->cmd ? (int)len : -WIRE_BAD_COMMAND;
}

RE_PLAIN(re_uuids110, struct wire_uuids110, uuids110, &)
RE_PLAIN(re_current_uuid, struct wire_current_uuid, current_uuid, &)
RE_PLAIN(re_twopc_reply, struct wire_twopc_reply, twopc_reply, &)
RE_PLAIN(re_confirm_stable, struct wire_confirm_stable, confirm_stable, &)

static int re_twopc(const struct wire_link *link, const struct packet_header *hdr,
		    const void *body, u64 capacity, void *out)
{
	struct wire_twopc t;
	int err = drbd_wire_get_twopc(link, hdr, body, &t);

	(void)capacity;
	return err ? -err : (int)drbd_wire_put_twopc(link, hdr->cmd, out, &t);
}

static int re_position(const struct wire_link *link, const struct packet_header *hdr,
		       const void *body, u64 capacity, void *out)
{
	struct wire_position p;
	int err = drbd_wire_get_position(hdr, body, &p);

	(void)capacity;
	(void)link;
	return err ? -err : (int)drbd_wire_put_position(hdr->cmd, out, &p);
}

static const struct {
	u16 cmd;
	recode_fn *fn;
} rows[] = {
	{ P_DATA, re_data },		  { P_DATA_REPLY, re_data },
	{ P_RS_DATA_REPLY, re_data },	  { P_TRIM, re_data },
	{ P_ZEROES, re_data },		  { P_BARRIER, re_barrier },
	{ P_BARRIER_ACK, re_barrier },	  { P_PROTOCOL, re_protocol },
	{ P_PROTOCOL_UPDATE, re_protocol }, { P_SIZES, re_sizes },
	{ P_STATE, re_state },		  { P_STATE_CHG_REQ, re_state_req },
	{ P_CONN_ST_CHG_REQ, re_state_req }, { P_CONNECTION_FEATURES, re_features },
	{ P_UUIDS, re_uuids },		  { P_SYNC_UUID, re_uuid },
	{ P_STATE_CHG_REPLY, re_state_reply }, { P_CONN_ST_CHG_REPLY, re_state_reply },
	{ P_SYNC_PARAM, re_sync_param },  { P_SYNC_PARAM89, re_sync_param },
	{ P_UUIDS110, re_uuids110 },	  { P_CURRENT_UUID, re_current_uuid },
	{ P_TWOPC_PREPARE, re_twopc },	  { P_TWOPC_PREP_RSZ, re_twopc },
	{ P_TWOPC_COMMIT, re_twopc },	  { P_TWOPC_ABORT, re_twopc },
	{ P_TWOPC_YES, re_twopc_reply },  { P_TWOPC_NO, re_twopc_reply },
	{ P_TWOPC_RETRY, re_twopc_reply }, { P_CONFIRM_STABLE, re_confirm_stable },
	{ P_DAGTAG, re_position },	  { P_PEER_DAGTAG, re_position },
	{ P_PEER_ACK, re_position },	  { P_FLUSH_REQUESTS, re_position },
	{ P_FLUSH_FORWARD, re_position }, { P_FLUSH_REQUESTS_ACK, re_position },
	{ P_ENABLE_REPLICATION, re_position }, { P_ENABLE_REPLICATION_NEXT, re_position },
};

int t_recode(const struct wire_link *link, const struct packet_header *hdr,
	     const void *body, u64 capacity, void *out)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].cmd == hdr->cmd)
			return rows[i].fn(link, hdr, body, capacity, out);
	return re_block(link, hdr, body, capacity, out);
}
