// SPDX-License-Identifier: GPL-2.0-only
/* Bodies of the packets that only generation 9 has: what is refused, and both
 * forms of the two-phase commit. That they read and write what stock nodes do
 * is shown by TestGoldenPackets9. */
#include "harness.h"

static const struct wire_link v1 = { .version = 124, .phase = PHASE_CONNECTED, .features = 0xf };
static const struct wire_link v2 = { .version = 124, .phase = PHASE_CONNECTED, .features = 0x3ff };

/* wire.md 5.7 */
static void uuids_of_nodes(void)
{
	static struct wire_uuids110 in, out;
	struct packet_header h = { .cmd = P_UUIDS110 };
	u8 body[WIRE_UUIDS110_MAX + 16] = { 0 };
	u32 i;

	memset(&in, 0, sizeof(in));
	in.current_uuid = 0xa1;
	in.flags = UUID9_STABLE | UUID_CRASHED_PRIMARY;
	in.node_mask = ~5ull;
	in.bitmap_mask = 1u << 3 | 1u << 31;
	in.bitmap[3] = 0xb3;
	in.bitmap[31] = 0xb31;
	in.history[0] = 0xc0;
	in.unallocated = 7;
	h.length = drbd_wire_put_uuids110(body, &in);
	T_EQ(h.length, 40 + 16 + 256);
	T_EQ(get_be64_at(body + 16), 0x0700000000001022ull);
	T_EQ(drbd_wire_get_uuids110(&h, body, &out), WIRE_OK);
	T_EQ(out.bitmap[3], 0xb3);
	T_EQ(out.bitmap[31], 0xb31);
	T_EQ(out.bitmap[0], ~0ull);	/* not told: nobody knows */
	T_EQ(out.history[0], 0xc0);
	T_EQ(out.unallocated, 7);
	T_EQ(out.node_mask, ~5ull);

	/* all slots: the largest body there is */
	in.bitmap_mask = ~0u;
	T_EQ(drbd_wire_put_uuids110(body, &in), WIRE_UUIDS110_MAX);
	h.length = WIRE_UUIDS110_MAX + 15;	/* an odd tail is skipped */
	T_EQ(drbd_wire_get_uuids110(&h, body, &out), WIRE_OK);
	h.length = 40 + 8 * 31;			/* one slot is missing */
	T_EQ(drbd_wire_get_uuids110(&h, body, &out), WIRE_BAD_LENGTH);
	h.length = 40 + 8 * 32;			/* no history at all */
	T_EQ(drbd_wire_get_uuids110(&h, body, &out), WIRE_OK);
	for (i = 0; i < WIRE_HISTORY_9; i++)
		T_EQ(out.history[i], 0);
	h.length = 39;
	T_EQ(drbd_wire_get_uuids110(&h, body, &out), WIRE_BAD_LENGTH);

	h.length = 312;
	body[16] = 32;				/* a slot that does not exist */
	T_EQ(drbd_wire_get_uuids110(&h, body, &out), WIRE_BAD_VALUE);
	body[22] = 0;				/* ... but nobody says that it is there */
	T_EQ(drbd_wire_get_uuids110(&h, body, &out), WIRE_OK);
	T_EQ(out.unallocated, WIRE_NO_NODE);
	body[35] = 1;				/* a slot of node 32 */
	T_EQ(drbd_wire_get_uuids110(&h, body, &out), WIRE_BAD_VALUE);
}

static enum wire_error twopc(const struct wire_link *link, u16 cmd, struct wire_twopc *t, u8 *body)
{
	struct packet_header h = { .cmd = cmd };

	h.length = drbd_wire_put_twopc(link, cmd, body, t);
	T_EQ(h.length, 36);
	return drbd_wire_get_twopc(link, &h, body, t);
}

/* wire.md 8.2: the same packet with and without 2PC_V2. */
static void twopc_in_both_forms(void)
{
	static const struct {
		const struct wire_link *link;
		u8 parties[8];
	} rows[] = {
		{ &v1, { 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff } },
		{ &v2, { 0xc0, 0, 0, 0, 0, 0, 2, 0xff } },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire_twopc t = {
			.tid = 0x5a17c3e1, .initiator = 2, .target = WIRE_NO_NODE,
			.flags = TWOPC_REACHABLE_VALID, .nodes_to_reach = ~7ull,
			.mask = { .role = ROLE_MASK, .disk = DISK_MASK },
			.val = { .role = ROLE_PRIMARY, .disk = DISK_UP_TO_DATE },
		};
		u8 body[36];

		T_EQ(twopc(rows[i].link, P_TWOPC_PREPARE, &t, body), WIRE_OK);
		T_OK(!memcmp(body + 4, rows[i].parties, 8));
		T_EQ(get_be32_at(body + 28), 0x1e03);
		T_EQ(get_be32_at(body + 32), 0x1201);
		T_EQ(t.initiator, 2);
		T_EQ(t.target, WIRE_NO_NODE);
		T_EQ(t.flags, i ? TWOPC_REACHABLE_VALID : 0);
		T_EQ(t.val.disk, DISK_UP_TO_DATE);
		T_EQ(t.mask.role, ROLE_MASK);

		t.target = 31;
		t.primary_nodes = 4;
		t.last = 7;
		t.flags |= TWOPC_PRI_INCAPABLE;
		T_EQ(twopc(rows[i].link, P_TWOPC_COMMIT, &t, body), WIRE_OK);
		T_EQ(t.target, 31);
		T_EQ(t.primary_nodes, 4);
		T_EQ(t.last, 7);
		T_EQ(t.flags, i ? TWOPC_REACHABLE_VALID | TWOPC_PRI_INCAPABLE : 0);
		T_EQ(twopc(rows[i].link, P_TWOPC_ABORT, &t, body), WIRE_OK);
		t.user_size = 4096;
		t.dds_flags = DDS_FORCED;
		T_EQ(twopc(rows[i].link, P_TWOPC_PREP_RSZ, &t, body), WIRE_OK);
		T_EQ(t.user_size, 4096);
		T_EQ(t.dds_flags, DDS_FORCED);
	}
}

/* wire.md 10 */
static void twopc_that_is_refused(void)
{
	static const struct {
		const struct wire_link *link;
		u16 cmd;
		u8 at, value;
		enum wire_error error;
	} rows[] = {
		{ &v2, P_TWOPC_ABORT, 10, 31, WIRE_OK },
		{ &v2, P_TWOPC_ABORT, 10, 32, WIRE_BAD_VALUE },		/* initiator */
		{ &v2, P_TWOPC_ABORT, 10, 0xff, WIRE_BAD_VALUE },	/* nobody began it */
		{ &v2, P_TWOPC_ABORT, 11, 32, WIRE_BAD_VALUE },		/* target */
		{ &v2, P_TWOPC_ABORT, 11, 0xfe, WIRE_BAD_VALUE },
		{ &v1, P_TWOPC_ABORT, 7, 32, WIRE_BAD_VALUE },
		{ &v1, P_TWOPC_ABORT, 4, 0xff, WIRE_BAD_VALUE },
		{ &v1, P_TWOPC_ABORT, 10, 1, WIRE_BAD_VALUE },		/* target 256 */
		{ &v2, P_TWOPC_ABORT, 3, 0, WIRE_BAD_VALUE },		/* tid 0 */
		{ &v2, P_TWOPC_PREPARE, 31, 1, WIRE_BAD_VALUE },	/* half of a role */
		{ &v2, P_TWOPC_PREPARE, 28, 1, WIRE_BAD_VALUE },	/* a bit without a meaning */
		{ &v2, P_TWOPC_PREP_RSZ, 20, 1, WIRE_BAD_RANGE },
		{ &v2, P_DATA, 35, 0, WIRE_BAD_COMMAND },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire_twopc t = { .tid = 1 };
		struct packet_header h = { .cmd = rows[i].cmd, .length = 36 };
		u8 body[36];

		drbd_wire_put_twopc(rows[i].link, rows[i].cmd, body, &t);
		body[rows[i].at] = rows[i].value;
		if (drbd_wire_get_twopc(rows[i].link, &h, body, &t) != rows[i].error)
			t_fail(__FILE__, __LINE__, "row %u", i);
		h.length = 35;
		T_EQ(drbd_wire_get_twopc(rows[i].link, &h, body, &t), WIRE_BAD_LENGTH);
	}
}

static void replies_to_twopc(void)
{
	struct wire_twopc_reply r = { .tid = 9, .initiator = 31, .reachable_nodes = 7,
				      .primary_nodes = 1, .last = ~3ull };
	struct packet_header h = { .cmd = P_TWOPC_YES, .length = 32 };
	u8 body[32];

	T_EQ(drbd_wire_put_twopc_reply(body, &r), 32);
	memset(&r, 0, sizeof(r));
	T_EQ(drbd_wire_get_twopc_reply(&h, body, &r), WIRE_OK);
	T_OK(r.tid == 9 && r.initiator == 31 && r.reachable_nodes == 7 && r.primary_nodes == 1 &&
	     r.last == ~3ull);
	body[7] = 32;
	T_EQ(drbd_wire_get_twopc_reply(&h, body, &r), WIRE_BAD_VALUE);
	body[7] = 0;
	body[3] = 0;
	T_EQ(drbd_wire_get_twopc_reply(&h, body, &r), WIRE_BAD_VALUE);
	h.length = 31;
	T_EQ(drbd_wire_get_twopc_reply(&h, body, &r), WIRE_BAD_LENGTH);
}

/* wire.md 4.2, 7.11 to 7.13 */
static void positions(void)
{
	static const struct {
		u16 cmd;
		u8 length, at, value;	/* a byte that makes it wrong; at 0xff: none does */
	} rows[] = {
		{ P_DAGTAG, 8, 0xff, 0 },
		{ P_PEER_DAGTAG, 12, 11, 32 },
		{ P_PEER_ACK, 16, 3, 1 },
		{ P_FLUSH_REQUESTS, 8, 0xff, 0 },
		{ P_FLUSH_FORWARD, 12, 8, 1 },
		{ P_FLUSH_REQUESTS_ACK, 12, 11, 32 },
		{ P_ENABLE_REPLICATION, 4, 0, 2 },
		{ P_ENABLE_REPLICATION_NEXT, 4, 0, 0xff },
	};
	struct wire_position in = { .dagtag = 1008, .sequence = 5, .mask = 6, .node = 31, .enable = true };
	struct wire_position out;
	struct packet_header h;
	u8 body[16];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		h.cmd = rows[i].cmd;
		h.length = rows[i].length;
		T_EQ(drbd_wire_put_position(h.cmd, body, &in), rows[i].length);
		T_EQ(drbd_wire_get_position(&h, body, &out), WIRE_OK);
		T_OK(out.dagtag == in.dagtag || out.sequence == in.sequence || out.enable);
		if (rows[i].at != 0xff) {
			body[rows[i].at] = rows[i].value;
			T_EQ(drbd_wire_get_position(&h, body, &out), WIRE_BAD_VALUE);
		}
		h.length++;
		T_EQ(drbd_wire_get_position(&h, body, &out), WIRE_BAD_LENGTH);
	}
	h.cmd = P_STATE;
	h.length = 4;
	T_EQ(drbd_wire_get_position(&h, body, &out), WIRE_BAD_COMMAND);
	h.cmd = 0x25;
	T_EQ(drbd_wire_get_position(&h, body, &out), WIRE_BAD_COMMAND);
	T_EQ(drbd_wire_put_position(P_STATE, body, &in), 0);
	in.enable = false;
	T_EQ(drbd_wire_put_position(P_ENABLE_REPLICATION, body, &in), 4);
	T_EQ(get_be32_at(body), 0);
}

static void small_bodies(void)
{
	struct wire_confirm_stable s = { .oldest = 1, .youngest = ~0ull, .set_size = 3 };
	struct wire_current_uuid u = { .uuid = 0xa1, .weak_nodes = ~3ull };
	struct packet_header h = { .cmd = P_CONFIRM_STABLE, .length = 24 };
	u8 body[24];

	T_EQ(drbd_wire_put_confirm_stable(body, &s), 24);
	memset(&s, 0, sizeof(s));
	T_EQ(drbd_wire_get_confirm_stable(&h, body, &s), WIRE_OK);
	T_OK(s.oldest == 1 && s.youngest == ~0ull && s.set_size == 3);
	h.length = 16;
	T_EQ(drbd_wire_get_confirm_stable(&h, body, &s), WIRE_BAD_LENGTH);
	T_EQ(drbd_wire_put_current_uuid(body, &u), 16);
	memset(&u, 0, sizeof(u));
	T_EQ(drbd_wire_get_current_uuid(&h, body, &u), WIRE_OK);
	T_OK(u.uuid == 0xa1 && u.weak_nodes == ~3ull);
	h.length = 24;
	T_EQ(drbd_wire_get_current_uuid(&h, body, &u), WIRE_BAD_LENGTH);
}

const struct c_test cluster_tests[] = {
	{ "wire 9: identifiers of all nodes", uuids_of_nodes },
	{ "wire 9: two-phase packets in both forms", twopc_in_both_forms },
	{ "wire 9: two-phase packets that are refused", twopc_that_is_refused },
	{ "wire 9: replies", replies_to_twopc },
	{ "wire 9: positions", positions },
	{ "wire 9: small bodies", small_bodies },
	{ NULL, NULL },
};
