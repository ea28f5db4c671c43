// SPDX-License-Identifier: GPL-2.0-only
#include "harness.h"

static const struct wire_link v101 = {
	.version = 101, .phase = PHASE_CONNECTED, .features = 0xf,
};

static void table_is_sound(void)
{
	u32 id, n = 0;

	for (id = 0; id <= 0xffff; id++) {
		const struct packet_info *p = drbd_packet_info((u16)id);

		if (!p)
			continue;
		n++;
		T_EQ(p->id, id);
		T_OK(p->body_min <= p->body_max && p->streams && p->phases);
		T_OK(!p->version_max || p->version_min <= p->version_max);
		T_OK(p->body_max + 16 <= PACKET_ORDINARY_MAX + 8);
	}
	T_EQ(n, 79);
	T_OK(!drbd_packet_info(0x05) && !drbd_packet_info(0x25) && !drbd_packet_info(0x34));
}

static void every_header_format(void)
{
	static const struct {
		u16 version;
		u32 length, header;
		u8 bytes[16];
	} rows[] = {
		{ 94, 8, 8, { 0x83, 0x74, 0x02, 0x67, 0, 3, 0, 8 } },
		{ 97, 8, 8, { 0x83, 0x74, 0x02, 0x67, 0, 3, 0, 8 } },
		{ 97, 0x8001, 8, { 0x83, 0x5a, 0, 3, 0, 0, 0x80, 1 } },
		{ 101, 8, 16, { 0x86, 0x20, 0xec, 0x20, 0, 5, 0, 3, 0, 0, 0, 8 } },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire_link l = { .version = rows[i].version, .phase = PHASE_CONNECTED };
		struct packet_header h;
		u8 buf[16] = { 0 };
		u32 need, have;

		T_EQ(drbd_packet_encode(&l, buf, P_BARRIER, 5, rows[i].length), rows[i].header);
		T_OK(!memcmp(buf, rows[i].bytes, rows[i].header));
		if (rows[i].length != 8)
			continue;
		for (have = 0; have < rows[i].header; have++) {
			T_EQ(drbd_packet_decode(&l, STREAM_DATA, buf, have, &h, &need), WIRE_MORE);
			T_EQ(need, have < 8 ? 8 : 16);
		}
		T_EQ(drbd_packet_decode(&l, STREAM_DATA, buf, have, &h, &need), WIRE_OK);
		T_EQ(h.cmd, P_BARRIER);
		T_EQ(h.length, 8);
		T_EQ(h.volume, rows[i].version >= 100 ? 5 : 0);
	}
}

static void headers_that_are_refused(void)
{
	static const struct {
		u16 version, cmd;
		u8 stream, phase;
		u32 length;
		enum wire_error error;
	} rows[] = {
		{ 101, 0x25, STREAM_DATA, PHASE_CONNECTED, 0, WIRE_BAD_COMMAND },
		{ 101, 0x100, STREAM_META, PHASE_CONNECTED, 0, WIRE_BAD_COMMAND },
		{ 101, P_WRITE_ACK, STREAM_DATA, PHASE_CONNECTED, 24, WIRE_BAD_STREAM },
		{ 101, P_DATA, STREAM_META, PHASE_CONNECTED, 536, WIRE_BAD_STREAM },
		{ 101, P_UUIDS110, STREAM_DATA, PHASE_CONNECTED, 48, WIRE_BAD_VERSION },
		{ 120, P_UUIDS, STREAM_DATA, PHASE_CONNECTED, 48, WIRE_BAD_VERSION },
		{ 101, P_RS_DAGTAG_REQ, STREAM_DATA, PHASE_CONNECTED, 32, WIRE_BAD_VERSION },
		{ 101, P_DATA, STREAM_DATA, PHASE_PROTOCOL, 536, WIRE_BAD_PHASE },
		{ 101, P_PROTOCOL, STREAM_DATA, PHASE_AUTH, 25, WIRE_BAD_PHASE },
		{ 101, P_PROTOCOL, STREAM_DATA, PHASE_CONNECTED, 25, WIRE_BAD_PHASE },
		{ 101, P_DATA, STREAM_DATA, PHASE_CONNECTED, 24 + (1 << 20) + 1, WIRE_BAD_LENGTH },
		{ 101, P_DATA, STREAM_DATA, PHASE_CONNECTED, 0xffffffff, WIRE_BAD_LENGTH },
		{ 101, P_BARRIER, STREAM_DATA, PHASE_CONNECTED, 9, WIRE_BAD_LENGTH },
		{ 101, P_PING, STREAM_META, PHASE_CONNECTED, 1, WIRE_BAD_LENGTH },
	};
	struct packet_header h;
	u32 i, need;
	u8 buf[16];

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire_link l = { .version = rows[i].version, .phase = rows[i].phase,
				       .features = 0xf };

		drbd_packet_encode(&l, buf, rows[i].cmd, 0, rows[i].length);
		T_EQ(drbd_packet_decode(&l, rows[i].stream, buf, 16, &h, &need), rows[i].error);
	}
	drbd_packet_encode(&v101, buf, P_PING, 0, 0);
	buf[15] = 1;
	T_EQ(drbd_packet_decode(&v101, STREAM_META, buf, 16, &h, &need), WIRE_BAD_PAD);
	memcpy(buf, "GET / HTTP/1.1\r\n", 16);
	T_EQ(drbd_packet_decode(&v101, STREAM_DATA, buf, 16, &h, &need), WIRE_BAD_MAGIC);
	T_EQ(drbd_packet_decode(&v101, STREAM_META, buf, 16, &h, &need), WIRE_BAD_MAGIC);
}

/* wire.md 3.1: a ping may overtake the features packet. */
static void ping_overtakes_features(void)
{
	struct wire_link before = { .phase = PHASE_FEATURES };
	struct packet_header h;
	u32 need;
	u8 buf[16];

	drbd_packet_encode(&v101, buf, P_PING, 0, 0);
	T_EQ(drbd_packet_decode(&before, STREAM_META, buf, 16, &h, &need), WIRE_OK);
	T_EQ(drbd_packet_decode(&before, STREAM_DATA, buf, 16, &h, &need), WIRE_BAD_STREAM);
}

static enum wire_error data_error(u16 cmd, u64 sector, u32 size, u32 flags, u64 id)
{
	struct wire_data d = { .sector = sector, .block_id = id, .flags = flags, .size = size };
	struct wire_limits l = { .capacity = 2048, .max_bio = 1 << 20, .max_discard = 4 << 20 };
	struct packet_header h = { .cmd = cmd, .length = cmd == P_DATA ? 24 + size : 28 };
	u8 body[WIRE_BODY_MAX];

	drbd_wire_put_data(cmd, body, &d);
	return drbd_wire_get_data(&v101, &h, body, &l, &d);
}

static void data_ranges(void)
{
	T_EQ(data_error(P_DATA, 0, 4096, 0, 1), WIRE_OK);
	T_EQ(data_error(P_DATA, 2040, 4096, 0, 1), WIRE_OK);
	T_EQ(data_error(P_DATA, 2041, 4096, 0, 1), WIRE_BAD_RANGE);
	T_EQ(data_error(P_DATA, ~0ull - 3, 4096, 0, 1), WIRE_BAD_RANGE);
	T_EQ(data_error(P_DATA, 0, 0, 0, 1), WIRE_BAD_LENGTH);
	T_EQ(data_error(P_DATA, 0, 513, 0, 1), WIRE_BAD_RANGE);
	T_EQ(data_error(P_DATA, 0, 4096, DP_WSAME, 1), WIRE_BAD_VALUE);
	T_EQ(data_error(P_DATA, 0, 4096, DP_DISCARD, 1), WIRE_BAD_VALUE);
	T_EQ(data_error(P_DATA, 0, 4096, 0x8000, 1), WIRE_BAD_VALUE);
	T_EQ(data_error(P_DATA, 0, 4096, 0, 0), WIRE_BAD_VALUE);
	T_EQ(data_error(P_DATA, 0, 4096, 0, BLOCK_ID_SYNCER), WIRE_BAD_VALUE);
	T_EQ(data_error(P_TRIM, 0, 1 << 20, DP_DISCARD, 1), WIRE_OK);
	T_EQ(data_error(P_TRIM, 0, 8 << 20, DP_DISCARD, 1), WIRE_BAD_RANGE);
	T_EQ(data_error(P_TRIM, 0, 0, DP_DISCARD, 1), WIRE_BAD_RANGE);
	T_EQ(data_error(P_ZEROES, 0, 512, DP_ZEROES | DP_DISCARD, 1), WIRE_OK);
}

/* A payload has to be larger than the digest before the difference is taken. */
static void payload_shorter_than_digest(void)
{
	struct wire_link l = v101;
	struct wire_limits lim = { .capacity = 2048, .max_bio = 1 << 20 };
	struct packet_header h = { .cmd = P_DATA, .length = 24 + 20 };
	struct wire_data d = { .block_id = 1 };
	u8 body[WIRE_BODY_MAX];

	drbd_wire_put_data(P_DATA, body, &d);
	l.digest_in = 20;
	T_EQ(drbd_wire_get_data(&l, &h, body, &lim, &d), WIRE_BAD_LENGTH);
	h.length = 24 + 20 + 512;
	T_EQ(drbd_wire_get_data(&l, &h, body, &lim, &d), WIRE_OK);
	T_EQ(d.size, 512);
	T_EQ(d.digest_len, 20);
}

static void digest_without_algorithm(void)
{
	struct wire_link l = v101;
	struct wire_limits lim = { .capacity = 2048, .max_bio = 1 << 20 };
	struct packet_header h = { .cmd = P_CSUM_RS_REQUEST, .length = 24 + 16 };
	struct wire_block b = { .size = 4096 };
	u8 body[WIRE_BODY_MAX];

	drbd_wire_put_block(P_CSUM_RS_REQUEST, body, &b);
	T_EQ(drbd_wire_get_block(&l, &h, body, &lim, &b), WIRE_BAD_VALUE);
	l.csums_digest = 20;
	T_EQ(drbd_wire_get_block(&l, &h, body, &lim, &b), WIRE_BAD_LENGTH);
	l.csums_digest = 16;
	T_EQ(drbd_wire_get_block(&l, &h, body, &lim, &b), WIRE_OK);
}

/* 8.4 numbers disks without Detaching: 0xd082 and 0x110aa of wire.md 11.1. */
static void state_words_of_84(void)
{
	struct wire_state s;

	T_EQ(drbd_wire_state_unpack(101, 0xd082, &s), WIRE_OK);
	T_EQ(s.role, ROLE_SECONDARY);
	T_EQ(s.peer, ROLE_UNKNOWN);
	T_EQ(s.conn, CONN_CONNECTING);
	T_EQ(s.disk, DISK_UP_TO_DATE);
	T_EQ(s.pdsk, DISK_UNKNOWN);
	T_EQ(drbd_wire_state_pack(101, &s), 0xd082);
	T_EQ(drbd_wire_state_unpack(101, 0x110aa, &s), WIRE_OK);
	T_EQ(s.conn, REPL_ESTABLISHED);
	T_EQ(s.pdsk, DISK_UP_TO_DATE);
	/* The same state in the numbers of 9: wire.md 11.2. */
	s.quorum = 1;
	T_EQ(drbd_wire_state_pack(120, &s), 0x8132aa);
	T_EQ(drbd_wire_state_unpack(101, 3, &s), WIRE_BAD_VALUE);
	T_EQ(drbd_wire_state_unpack(101, 24 << 4, &s), WIRE_BAD_VALUE);
	T_EQ(drbd_wire_state_unpack(101, 9 << 9, &s), WIRE_BAD_VALUE);
}

/* "primary --force" of an 8.4 node, as captured: mask 0x1e03, val 0x1001. */
static void state_request_is_translated(void)
{
	struct wire_state mask, val, m;
	u32 w1, w2;

	T_EQ(drbd_wire_state_req_unpack(101, 0x1e03, 0x1001, &mask, &val), WIRE_OK);
	T_EQ(val.role, ROLE_PRIMARY);
	T_EQ(val.disk, DISK_UP_TO_DATE);
	drbd_wire_state_req_pack(101, &mask, &val, &w1, &w2);
	T_EQ(w1, 0x1e03);
	T_EQ(w2, 0x1001);
	drbd_wire_state_mirror(&val, &m);
	T_EQ(m.peer, ROLE_PRIMARY);
	T_EQ(m.pdsk, DISK_UP_TO_DATE);
	drbd_wire_state_mirror(&mask, &m);
	T_EQ(m.peer, ROLE_MASK);
	T_EQ(m.pdsk, DISK_MASK);
	T_EQ(m.conn, 0);
	T_EQ(drbd_wire_state_req_unpack(101, 0x0200, 0x200, &mask, &val), WIRE_BAD_VALUE);
	T_EQ(drbd_wire_state_req_unpack(101, 0x01000000, 0, &mask, &val), WIRE_BAD_VALUE);
	T_EQ(drbd_wire_state_req_unpack(101, 0x3, 0x3, &mask, &val), WIRE_BAD_VALUE);
}

static void mirror_of_every_conn_state(void)
{
	u32 c;

	for (c = 0; c < 32; c++) {
		struct wire_state s = { .conn = (u8)c }, m;
		u8 want = 0;

		drbd_wire_state_mirror(&s, &m);
		if (c >= 8 && c <= 10)
			want = (u8)c;
		else if (c == 11 || c == 13 || c == 18)
			want = (u8)c + 1;
		else if (c == 12 || c == 14)
			want = (u8)c - 1;
		else if (c == 1)
			want = CONN_TEAR_DOWN;
		else if (c == 31)
			want = 31;
		T_EQ(m.conn, want);
	}
}

static void versions_agree(void)
{
	static const struct {
		u32 own_max, min, max, features, conns;
		enum features_problem problem;
		u16 version;
	} rows[] = {
		{ 101, 86, 101, 0xf, 1, FEATURES_FINE, 101 },
		{ 101, 86, 124, 0x3ff, 1, FEATURES_FINE, 101 },
		{ 101, 86, 97, 0, 1, FEATURES_FINE, 97 },
		{ 101, 80, 85, 0, 1, FEATURES_DISJOINT, 0 },
		{ 101, 118, 124, 0x3ff, 1, FEATURES_DISJOINT, 0 },
		{ 101, 86, 117, 0xf, 1, FEATURES_GAP, 0 },
		{ 101, 86, 101, 0xf, 2, FEATURES_MANY_CONNECTIONS, 0 },
		{ 124, 86, 121, 0x1f, 1, FEATURES_BROKEN_DAGTAG, 0 },
		{ 124, 86, 124, 0x3ff, 2, FEATURES_FINE, 124 },
		{ 124, 110, 119, 0xf, 2, FEATURES_FINE, 119 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct features_offer own = { 86, rows[i].own_max, 0x3ff, 1, 2, rows[i].conns };
		struct wire_features peer = { rows[i].min, rows[i].max, rows[i].features, 2, 1 };
		struct features_result r;

		drbd_connect_agree(&own, &peer, &r);
		T_EQ(r.problem, rows[i].problem);
		T_EQ(r.verdict == FEATURES_OK, rows[i].problem == FEATURES_FINE);
		if (!r.problem)
			T_EQ(r.version, rows[i].version);
	}
}

/* A maximum that is missing is the minimum. */
static void features_without_maximum(void)
{
	struct packet_header h = { .cmd = P_CONNECTION_FEATURES, .length = 72 };
	struct wire_features f = { .version_min = 86 };
	u8 body[72];

	drbd_wire_put_features(body, &f);
	T_EQ(drbd_wire_get_features(&h, body, &f), WIRE_OK);
	T_EQ(f.version_max, 86);
	put_be32_at(body + 8, 85);
	T_EQ(drbd_wire_get_features(&h, body, &f), WIRE_BAD_VALUE);
	h.length = 71;
	T_EQ(drbd_wire_get_features(&h, body, &f), WIRE_BAD_LENGTH);
}

static void sockets_cross(void)
{
	struct connect_state s = { 0 };
	u8 first[8];

	drbd_connect_first_put(first, STREAM_META);
	T_EQ(drbd_connect_first_get(first), STREAM_META);
	drbd_connect_first_put(first, STREAM_DATA);
	T_EQ(drbd_connect_first_get(first), STREAM_DATA);
	T_EQ(drbd_connect_first_get("\x83\x74\x02\x67\xff\xfe\0"), 0);

	T_EQ(drbd_connect_opened(&s, true), STREAM_DATA);
	T_EQ(drbd_connect_opened(&s, true), STREAM_META);
	T_OK(!s.resolve_conflicts);
	/* The peer opened a meta stream, too: its one is used. */
	T_EQ(drbd_connect_accepted(&s, STREAM_META, true), CONNECT_REPLACE_ACCEPT);
	T_OK(s.resolve_conflicts);
	T_EQ(drbd_connect_accepted(&s, STREAM_DATA, false), CONNECT_REPLACE_ROUND);
	drbd_connect_dropped(&s, STREAM_META);
	T_EQ(drbd_connect_opened(&s, true), STREAM_META);
	T_OK(!s.resolve_conflicts);
	memset(&s, 0, sizeof(s));
	T_EQ(drbd_connect_opened(&s, false), STREAM_META);
	T_EQ(drbd_connect_accepted(&s, STREAM_DATA, false), CONNECT_KEEP);
}

static void settings_compared(void)
{
	struct wire_protocol a = { .protocol = 3, .after_sb_0p = SB_DISCARD_LOCAL }, b = a;

	T_EQ(strcmp(drbd_connect_protocol_mismatch(&a, &b), "after-sb-0pri"), 0);
	b.after_sb_0p = SB_DISCARD_REMOTE;
	T_OK(!drbd_connect_protocol_mismatch(&a, &b));
	a.discard_my_data = 1;
	T_OK(!drbd_connect_protocol_mismatch(&a, &b));
	b.discard_my_data = 1;
	T_EQ(strcmp(drbd_connect_protocol_mismatch(&a, &b), "discard-my-data"), 0);
	b.protocol = 1;
	T_EQ(strcmp(drbd_connect_protocol_mismatch(&a, &b), "protocol"), 0);
}

static void algorithm_names_are_checked(void)
{
	struct packet_header h = { .cmd = P_PROTOCOL, .length = 24 + 4 };
	struct wire_protocol p;
	u8 body[24 + 65] = { 0 };

	put_be32_at(body, 3);
	memcpy(body + 24, "md5", 4);
	T_EQ(drbd_wire_get_protocol(&v101, &h, body, &p), WIRE_OK);
	T_EQ(strcmp(p.integrity_alg, "md5"), 0);
	body[27] = 'x';
	T_EQ(drbd_wire_get_protocol(&v101, &h, body, &p), WIRE_BAD_VALUE);
	memset(body + 24, 'a', 64);
	h.length = 24 + 64;
	T_EQ(drbd_wire_get_protocol(&v101, &h, body, &p), WIRE_BAD_VALUE);
	h.length = 24 + 65;
	T_EQ(drbd_wire_get_protocol(&v101, &h, body, &p), WIRE_BAD_LENGTH);
	h.length = 25;
	body[24] = '\n';
	T_EQ(drbd_wire_get_protocol(&v101, &h, body, &p), WIRE_BAD_VALUE);
	body[24] = 0;
	put_be32_at(body + 4, 13);
	T_EQ(drbd_wire_get_protocol(&v101, &h, body, &p), WIRE_BAD_VALUE);
}

static void challenge_reflected(void)
{
	struct packet_header h = { .cmd = P_AUTH_CHALLENGE, .length = 64 };
	u8 own[64], peer[128];

	memset(own, 1, 64);
	memset(peer, 1, 128);
	T_EQ(drbd_wire_check_challenge(&v101, &h, peer, own), WIRE_BAD_VALUE);
	peer[63] = 2;
	T_EQ(drbd_wire_check_challenge(&v101, &h, peer, own), WIRE_OK);
	h.length = 128;
	T_EQ(drbd_wire_check_challenge(&v101, &h, peer, own), WIRE_OK);
	h.length = 63;
	T_EQ(drbd_wire_check_challenge(&v101, &h, peer, own), WIRE_BAD_LENGTH);
}

static void vli_at_level_borders(void)
{
	static const struct {
		u64 run;
		u32 bits;
	} rows[] = {
		{ 1, 2 }, { 2, 2 }, { 3, 3 }, { 4, 3 }, { 5, 5 }, { 8, 5 }, { 9, 7 },
		{ 16, 7 }, { 17, 10 }, { 48, 10 }, { 49, 14 }, { 304, 14 }, { 305, 21 },
		{ 8496, 21 }, { 8497, 29 }, { 2105648, 29 }, { 2105649, 42 },
		{ 17181974832ull, 42 }, { 17181974833ull, 64 }, { 0x100000400202130ull, 64 },
		{ 0x100000400202131ull, 0 }, { 0, 0 },
	};
	u32 i, have;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 word = 0, run = 0;

		T_EQ(drbd_vli_encode(rows[i].run, &word), rows[i].bits);
		if (!rows[i].bits)
			continue;
		for (have = 0; have < rows[i].bits; have++)
			T_EQ(drbd_vli_decode(word, have, &run), 0);
		T_EQ(drbd_vli_decode(word, 64, &run), rows[i].bits);
		T_EQ(run, rows[i].run);
	}
}

/* The example of wire.md 7.3. */
static void rle_example(void)
{
	struct bitmap *bm = t_bitmap(20 * 8, 1, 12);
	struct bitcode_cursor c;
	u8 body[4096];
	u32 len;
	u16 cmd;

	drbd_bitmap_set(bm, 0, 3, 8);
	drbd_bitcode_start(&c, &v101, bm, 0, true);
	T_EQ(drbd_bitcode_encode(&c, &cmd, body, &len), BITCODE_PACKET);
	T_EQ(cmd, P_COMPRESSED_BITMAP);
	T_EQ(len, 3);
	T_OK(body[0] == 0x12 && body[1] == 0x59 && body[2] == 0x27);
	T_EQ(drbd_bitcode_encode(&c, &cmd, body, &len), BITCODE_DONE);
	t_bitmap_free(bm);
}

static void rle_that_is_refused(void)
{
	static const struct {
		u8 body[8];
		u32 len;
	} rows[] = {
		{ { 0x12, 0x59 }, 2 },			/* cut in a code word */
		{ { 0x12 }, 1 },
		{ { 0x13, 0x59, 0x27 }, 3 },		/* other coding */
		{ { 0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, 8 },	/* cut */
		{ { 0x02, 0x7f, 0xff, 0xff, 0xff, 0x7f }, 6 },	/* clear run behind the end */
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bitmap *bm = t_bitmap(20 * 8, 1, 12);
		struct bitcode_cursor c;
		const char *error;

		drbd_bitcode_start(&c, &v101, bm, 0, false);
		T_EQ(drbd_bitcode_decode(&c, P_COMPRESSED_BITMAP, rows[i].body, rows[i].len, &error),
		     BITCODE_ERROR);
		T_OK(error);
		t_bitmap_free(bm);
	}
}

/* Any content, any size, plain or compressed: what arrives is what was sent. */
static void bitmap_transfer_round_trip(void)
{
	static const u64 capacities[] = { 1, 8, 8 * 64, 8 * 64 + 1, 8 * 1000,
					  4080ull * 8 * 8, 4080ull * 8 * 8 + 8,
					  4088ull * 8 * 8 * 3 + 40, 1 << 21 };
	struct t_random r;
	u32 i, round, version;

	t_seed(&r, 7);
	for (round = 0; round < 120; round++) {
		u64 cap = capacities[round % ARRAY_SIZE(capacities)];
		struct bitmap *from = t_bitmap(cap, 1 + t_below(&r, 3), 12);
		struct bitmap *to = t_bitmap(cap, 1 + t_below(&r, 3), 12);
		u32 runs = t_below(&r, 4) ? t_below(&r, 300) : 40000;
		struct wire_link l = v101;
		struct bitcode_cursor cs, cr;
		u64 *a, *b;
		bool done = false;

		version = t_below(&r, 2) ? 101 : 97;
		l.version = (u16)version;
		for (i = 0; i < runs; i++) {
			u64 first = t_below(&r, (u32)from->bits);
			u64 last = first + t_below(&r, 1u << t_below(&r, 12));

			drbd_bitmap_set(from, 0, first, min(last, from->bits - 1));
		}
		drbd_bitcode_start(&cs, &l, from, 0, t_below(&r, 3));
		drbd_bitcode_start(&cr, &l, to, 0, false);
		for (;;) {
			enum bitcode_result res;
			const char *error;
			u8 body[4096];
			u16 cmd;
			u32 len;

			if (drbd_bitcode_encode(&cs, &cmd, body, &len) == BITCODE_DONE)
				break;
			T_OK(!done);
			T_OK(len + drbd_packet_header_len(&l, len) <= PACKET_ORDINARY_MAX);
			do {
				res = drbd_bitcode_decode(&cr, cmd, body, len, &error);
			} while (res == BITCODE_AGAIN);
			T_OK(res != BITCODE_ERROR);
			done = res == BITCODE_DONE;
		}
		T_OK(done);
		T_EQ(from->weight[0], to->weight[0]);
		a = calloc(from->bits / 64 + 1, 8);
		b = calloc(from->bits / 64 + 1, 8);
		drbd_bitmap_extract(from, 0, 0, a, (u32)(from->bits / 64 + 1));
		drbd_bitmap_extract(to, 0, 0, b, (u32)(from->bits / 64 + 1));
		T_OK(!memcmp(a, b, (from->bits / 64 + 1) * 8));
		free(a);
		free(b);
		t_bitmap_free(from);
		t_bitmap_free(to);
	}
}

/* wire.md 7.3: a plain chunk behind a compressed one begins at a word, so it
 * repeats some bits. */
static void plain_behind_compressed(void)
{
	struct bitmap *bm = t_bitmap(8 * 200000, 1, 12);
	struct bitcode_cursor c;
	u8 body[4096], want[4096];
	u64 bit, start;
	u32 len;
	u16 cmd;

	for (bit = 100001; bit < 200000; bit += 2)
		drbd_bitmap_set(bm, 0, bit, bit);
	drbd_bitcode_start(&c, &v101, bm, 0, true);
	T_EQ(drbd_bitcode_encode(&c, &cmd, body, &len), BITCODE_PACKET);
	T_EQ(cmd, P_COMPRESSED_BITMAP);
	T_OK(c.bit % 64);
	start = c.bit / 64;
	T_EQ(drbd_bitcode_encode(&c, &cmd, body, &len), BITCODE_PACKET);
	T_EQ(cmd, P_BITMAP);
	T_EQ(len, 4080);
	T_EQ(c.bit, start * 64 + 4080 * 8);
	drbd_bitmap_extract(bm, 0, start, want, 4080 / 8);
	T_OK(!memcmp(body, want, 4080));
	t_bitmap_free(bm);
}

/* Coarser bits of our own: set bits may grow outward, never vanish. */
static void bitmap_transfer_scaled(void)
{
	struct bitmap *fine = t_bitmap(1 << 20, 1, 12), *coarse = t_bitmap(1 << 20, 2, 16);
	struct bitcode_cursor cs, cr;
	enum bitcode_result res = BITCODE_ERROR;
	const char *error;
	u8 body[4096];
	u16 cmd;
	u32 len;

	drbd_bitmap_set(fine, 0, 17, 17);
	drbd_bitmap_set(fine, 0, 4000, 5000);
	drbd_bitcode_start(&cs, &v101, fine, 0, false);
	drbd_bitcode_start(&cr, &v101, coarse, 1, false);
	while (drbd_bitcode_encode(&cs, &cmd, body, &len) == BITCODE_PACKET) {
		res = drbd_bitcode_decode(&cr, cmd, body, len, &error);
		T_OK(res == BITCODE_PACKET || res == BITCODE_DONE);
	}
	T_EQ(res, BITCODE_DONE);
	T_EQ(coarse->weight[1], 1 + 5000 / 16 - 4000 / 16 + 1);
	T_EQ(coarse->weight[0], 0);

	drbd_bitcode_start(&cs, &v101, coarse, 1, true);
	drbd_bitcode_start(&cr, &v101, fine, 0, false);
	while (drbd_bitcode_encode(&cs, &cmd, body, &len) == BITCODE_PACKET)
		res = drbd_bitcode_decode(&cr, cmd, body, len, &error);
	T_EQ(res, BITCODE_DONE);
	T_EQ(fine->weight[0], 16 * coarse->weight[1]);
	t_bitmap_free(fine);
	t_bitmap_free(coarse);
}

const struct c_test wire_tests[] = {
	{ "packet table is sound", table_is_sound },
	{ "every header format", every_header_format },
	{ "headers that are refused", headers_that_are_refused },
	{ "ping overtakes features", ping_overtakes_features },
	{ "data ranges", data_ranges },
	{ "payload shorter than digest", payload_shorter_than_digest },
	{ "digest without algorithm", digest_without_algorithm },
	{ "state words of 8.4", state_words_of_84 },
	{ "state request is translated", state_request_is_translated },
	{ "mirror of every connection state", mirror_of_every_conn_state },
	{ "versions agree", versions_agree },
	{ "features without maximum", features_without_maximum },
	{ "sockets cross", sockets_cross },
	{ "settings compared", settings_compared },
	{ "algorithm names are checked", algorithm_names_are_checked },
	{ "challenge reflected", challenge_reflected },
	{ "vli at level borders", vli_at_level_borders },
	{ "rle example", rle_example },
	{ "rle that is refused", rle_that_is_refused },
	{ "bitmap transfer round trip", bitmap_transfer_round_trip },
	{ "plain behind compressed", plain_behind_compressed },
	{ "bitmap transfer scaled", bitmap_transfer_scaled },
	{ NULL, NULL },
};
