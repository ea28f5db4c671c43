// SPDX-License-Identifier: GPL-2.0-only
/* Online verify, checksum based resync and the algorithms both ends must share. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include "harness.h"
#include "../../kernel/core/data/discard.h"
#include "../../kernel/core/data/verify.h"
#include "../../kernel/core/state/internal.h"

/* --- the walk of a verify ------------------------------------------------------------ */

/* 10 blocks and a half: the last one is clipped to the end of the device. */
#define CAPACITY 84u

static u32 ask_all(struct verify_run *v, u32 budget, u64 *last_sector, u32 *last_size)
{
	u32 n = 0;

	while (drbd_verify_next(v, budget, last_sector, last_size) == VERIFY_REQUEST) {
		drbd_verify_requested(v);
		n++;
	}
	return n;
}

static void verify_asks_for_each_block_once(void)
{
	struct bitmap *bm = t_bitmap(CAPACITY, 1, 12);
	struct verify_range row;
	struct verify_run v;
	u64 sector = 0;
	u32 size = 0, i;

	drbd_verify_start(&v, bm, 0, true, 0, VERIFY_TO_THE_END, 0);
	T_EQ(v.left, 11);
	T_EQ(drbd_verify_next(&v, 0, &sector, &size), VERIFY_BUDGET);
	for (i = 0; i < 11; i++) {
		T_EQ(drbd_verify_next(&v, 1, &sector, &size), VERIFY_REQUEST);
		T_EQ(sector, i * 8);
		T_EQ(size, i < 10 ? 4096 : 2048);
		drbd_verify_requested(&v);
	}
	T_EQ(drbd_verify_next(&v, 99, &sector, &size), VERIFY_WAIT);
	for (i = 0; i < 11; i++) {
		T_OK(!drbd_verify_is_finished(&v));
		drbd_verify_result(&v, i * 8, i < 10 ? 4096 : 2048, VERIFY_SAME, &row);
		T_EQ(row.sectors, 0);
	}
	T_OK(drbd_verify_is_finished(&v));
	T_EQ(drbd_verify_next(&v, 99, &sector, &size), VERIFY_FINISHED);
	T_EQ(bm->weight[0], 0);
	t_bitmap_free(bm);
}

static void verify_marks_and_tells_rows(void)
{
	static const enum verify_result results[11] = {
		VERIFY_SAME, VERIFY_DIFFERS, VERIFY_DIFFERS, VERIFY_SAME, VERIFY_DIFFERS,
		VERIFY_SKIPPED, VERIFY_DIFFERS, VERIFY_SAME, VERIFY_SAME, VERIFY_SAME, VERIFY_DIFFERS,
	};
	static const u64 rows[][3] = { { 3, 8, 16 }, { 5, 32, 8 }, { 7, 48, 8 } };
	struct bitmap *bm = t_bitmap(CAPACITY, 1, 12);
	struct verify_range row;
	struct verify_run v;
	u64 sector;
	u32 size, i, told = 0;

	drbd_verify_start(&v, bm, 0, true, 0, VERIFY_TO_THE_END, 0);
	ask_all(&v, 8, &sector, &size);
	for (i = 0; i < 11; i++) {
		drbd_verify_result(&v, i * 8, i < 10 ? 4096 : 2048, results[i], &row);
		if (!row.sectors)
			continue;
		T_OK(told < ARRAY_SIZE(rows));
		T_EQ(i, rows[told][0]);
		T_EQ(row.sector, rows[told][1]);
		T_EQ(row.sectors, rows[told][2]);
		told++;
	}
	T_EQ(told, 3);
	drbd_verify_stop(&v, &row);
	T_EQ(row.sector, 80);
	T_EQ(row.sectors, 4);
	T_EQ(v.found, 5);
	T_EQ(v.skipped, 1);
	T_EQ(bm->weight[0], 5);
	t_bitmap_free(bm);
}

static void verify_of_a_part(void)
{
	struct bitmap *bm = t_bitmap(CAPACITY, 1, 12);
	struct verify_run v;
	u64 sector = 0;
	u32 size = 0;

	/* the start is rounded down, the stop up */
	drbd_verify_start(&v, bm, 0, true, 17, 33, 0);
	T_EQ(ask_all(&v, 8, &sector, &size), 3);
	T_EQ(sector, 32);
	drbd_verify_start(&v, bm, 0, true, 1000, VERIFY_TO_THE_END, 0);
	T_EQ(drbd_verify_next(&v, 8, &sector, &size), VERIFY_FINISHED);
	T_OK(drbd_verify_is_finished(&v));
	drbd_verify_start(&v, bm, 0, true, 40, 8, 0);
	T_EQ(drbd_verify_next(&v, 8, &sector, &size), VERIFY_FINISHED);
	t_bitmap_free(bm);
}

static void verify_counts_along(void)
{
	struct bitmap *bm = t_bitmap(CAPACITY, 1, 12);
	struct verify_range row;
	struct verify_run v;
	u32 i;

	drbd_verify_start(&v, bm, 0, false, 0, VERIFY_TO_THE_END, 0);
	T_OK(!drbd_verify_asked(&v, CAPACITY, 0));
	T_OK(!drbd_verify_is_finished(&v));
	/* the first request says where it begins: at block 8 */
	T_OK(drbd_verify_asked(&v, 64, 0));
	T_EQ(v.left, 3);
	for (i = 8; i < 11; i++) {
		T_OK(drbd_verify_asked(&v, i * 8, 0));
		T_OK(!drbd_verify_is_finished(&v));
		drbd_verify_result(&v, i * 8, i < 10 ? 4096 : 2048, VERIFY_DIFFERS, &row);
	}
	T_OK(drbd_verify_is_finished(&v));
	T_EQ(bm->weight[0], 3);
	/* a peer that sends one more does no harm */
	drbd_verify_result(&v, 0, 4096, VERIFY_SAME, &row);
	T_EQ(v.left, 0);
	t_bitmap_free(bm);
}

/* --- its states ------------------------------------------------------------------------ */

static struct {
	struct core_resource res;
	struct core_connection conn;
	struct core_device dev;
	struct core_peer_device pd;
	struct core_action actions[CORE_ACTIONS_FOR(1)];
	struct core_job job;
} M;

static void step(u8 type)
{
	struct core_event ev = {
		.type = type, .conn = &M.conn, .dev = &M.dev, .pd = &M.pd, .job = &M.job,
	};

	core_step(&M.res, &ev, 1, 1);
}

/* Connected, both disks UpToDate. */
static void connected(const char *verify_alg)
{
	struct nl_resource_opts opts;
	struct nl_net_conf net;

	memset(&M, 0, sizeof(M));
	nl_resource_opts_defaults(&opts);
	nl_net_conf_defaults(&net);
	core_strcopy(net.verify_alg, verify_alg, sizeof(net.verify_alg));
	core_resource_init(&M.res, "r0", 0, &opts, 1);
	M.res.actions = M.actions;
	M.res.max_actions = ARRAY_SIZE(M.actions);
	core_device_init(&M.dev, &M.res, 0, 0);
	core_connection_init(&M.conn, &M.res, 1, &net);
	core_peer_device_init(&M.pd, &M.conn, &M.dev);
	M.job = (struct core_job){ .type = JOB_ADD_DEVICE, .dev = &M.dev };
	step(EV_JOB);
	M.job = (struct core_job){ .type = JOB_ADD_CONNECTION, .conn = &M.conn, .pd = &M.pd };
	step(EV_JOB);
	M.dev.md.peer[1].bitmap_index = 0;
	M.conn.wire = (struct wire_link){ .version = 101, .phase = PHASE_CONNECTED };
	M.conn.link = LINK_UP;
	M.conn.now.cstate = M.conn.next_state.cstate = CONN_CONNECTED;
	M.conn.now.peer_role = M.conn.next_state.peer_role = ROLE_SECONDARY;
	M.pd.decided = true;
	M.pd.now.repl = M.pd.next.repl = REPL_ESTABLISHED;
	M.dev.now.disk = M.dev.next_state.disk = DISK_UP_TO_DATE;
	M.pd.now.pdsk = M.pd.next.pdsk = DISK_UP_TO_DATE;
}

static const struct core_action *action(u8 type)
{
	u32 i;

	for (i = 0; i < M.res.nr_actions; i++)
		if (M.actions[i].type == type)
			return &M.actions[i];
	return NULL;
}

static bool sends(u16 cmd)
{
	u32 i;

	for (i = 0; i < M.res.nr_actions; i++)
		if ((M.actions[i].type == ACT_SEND || M.actions[i].type == ACT_SEND_META) &&
		    M.actions[i].packet.cmd == cmd)
			return true;
	return false;
}

static void ask_for_verify_of(u64 start, u64 stop)
{
	M.dev.size = 1000;
	M.job = (struct core_job){
		.type = JOB_VERIFY, .conn = &M.conn, .dev = &M.dev, .pd = &M.pd,
		.start = start, .stop = stop,
	};
	step(EV_JOB);
}

static void ask_for_verify(void)
{
	ask_for_verify_of(8, 800);
}

static void peer_answers(s32 code)
{
	struct core_event ev = { .type = EV_STATE_CHG_REPLY, .conn = &M.conn, .reply = code };

	core_step(&M.res, &ev, 1, 1);
}

static void verify_asked_here(void)
{
	const struct core_action *a;

	connected("sha1");
	ask_for_verify();
	T_OK(sends(P_STATE_CHG_REQ));
	T_EQ(M.pd.now.repl, REPL_ESTABLISHED);	/* the peer must agree first */
	peer_answers(RES_SUCCESS);
	T_EQ(M.job.result, RES_SUCCESS);
	T_EQ(M.pd.now.repl, REPL_VERIFY_S);
	a = action(ACT_START_VERIFY);
	T_OK(a && a->sectors == 8 && a->stop == 800);
	T_OK(!sends(P_STATE));		/* stock nodes do not, either */
	T_OK(M.dev.plan.peer[0].request_verify);

	/* the end waits until the peer has all results */
	M.pd.ov_found = 0;
	{
		struct core_event ev = { .type = EV_VERIFY_DONE, .pd = &M.pd, .found = 3 };

		core_step(&M.res, &ev, 1, 1);
	}
	T_OK(action(ACT_PING) && !action(ACT_STOP_VERIFY));
	T_EQ(M.pd.now.repl, REPL_VERIFY_S);
	step(EV_PING_ACK);
	T_EQ(M.pd.now.repl, REPL_ESTABLISHED);
	T_OK(action(ACT_STOP_VERIFY) && action(ACT_WRITE_BITMAP) && sends(P_STATE));
	a = action(ACT_HELPER);
	T_OK(a && a->helper == HELPER_OUT_OF_SYNC);
	T_EQ(M.pd.sync, SYNC_NONE);
}

static void verify_of_nothing(void)
{
	static const u64 rows[][2] = { { 1000, ~0ull }, { 8, 8 }, { 9, 8 } };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		connected("sha1");
		ask_for_verify_of(rows[i][0], rows[i][1]);
		T_EQ(M.job.result, ERR_INVALID_REQUEST);
		T_OK(M.job.text[0] && !sends(P_STATE_CHG_REQ));
	}
}

static void peer_asks_for_verify(void)
{
	struct core_event ev = { .type = EV_STATE_CHG_REQ, .conn = &M.conn, .dev = &M.dev, .pd = &M.pd };

	ev.chg_req.mask.conn = CONN_MASK;
	ev.chg_req.val.conn = REPL_VERIFY_S;
	core_step(&M.res, &ev, 1, 1);
}

static void verify_asked_by_the_peer(void)
{
	struct core_event ev = { .type = EV_STATE, .conn = &M.conn, .dev = &M.dev, .pd = &M.pd };

	connected("sha1");
	peer_asks_for_verify();
	T_OK(sends(P_STATE_CHG_REPLY) && action(ACT_START_VERIFY) && action(ACT_GO_ON));
	T_EQ(M.pd.now.repl, REPL_VERIFY_T);
	T_OK(M.dev.plan.peer[0].serve_verify && !M.dev.plan.peer[0].request_verify);
	/* the peer stops early and says so */
	ev.state = (struct wire_state){
		.role = ROLE_SECONDARY, .peer = ROLE_SECONDARY, .conn = REPL_ESTABLISHED,
		.disk = DISK_UP_TO_DATE, .pdsk = DISK_UP_TO_DATE,
	};
	core_step(&M.res, &ev, 1, 1);
	T_EQ(M.pd.now.repl, REPL_ESTABLISHED);
	T_OK(action(ACT_STOP_VERIFY) && !sends(P_STATE));

	/* or all is counted: silently */
	connected("sha1");
	peer_asks_for_verify();
	step(EV_VERIFY_DONE);
	T_EQ(M.pd.now.repl, REPL_ESTABLISHED);
	T_OK(action(ACT_STOP_VERIFY) && !sends(P_STATE) && !action(ACT_HELPER));
}

static void verify_refused(void)
{
	connected("");
	ask_for_verify();
	T_EQ(M.job.result, RES_NO_VERIFY_ALG);
	T_OK(strstr(M.job.text, "verify-alg"));
	peer_asks_for_verify();
	T_EQ(M.pd.now.repl, REPL_ESTABLISHED);
	T_OK(!action(ACT_START_VERIFY) && sends(P_STATE_CHG_REPLY));

	/* a verify must not make a disk UpToDate (behaviour.md 20, 44) */
	connected("sha1");
	M.pd.now.pdsk = M.pd.next.pdsk = DISK_INCONSISTENT;
	ask_for_verify();
	T_EQ(M.job.result, RES_NO_UP_TO_DATE_DISK);
	peer_asks_for_verify();
	T_EQ(M.pd.now.repl, REPL_ESTABLISHED);
	T_EQ(M.pd.now.pdsk, DISK_INCONSISTENT);

	connected("sha1");
	M.pd.now.pdsk = M.pd.next.pdsk = DISK_DISKLESS;
	ask_for_verify();
	T_EQ(M.job.result, RES_NO_REMOTE_DISK);
	T_OK(!sends(P_STATE_CHG_REQ));

	connected("sha1");
	M.pd.now.repl = M.pd.next.repl = REPL_SYNC_SOURCE;
	M.pd.now.pdsk = M.pd.next.pdsk = DISK_INCONSISTENT;
	ask_for_verify();
	T_EQ(M.job.result, RES_RESYNC_RUNNING);

	connected("sha1");
	peer_asks_for_verify();
	ask_for_verify();
	T_EQ(M.job.result, RES_RESYNC_RUNNING);
	M.pd.now.repl = M.pd.next.repl = REPL_VERIFY_S;
	peer_asks_for_verify();
	T_EQ(M.pd.now.repl, REPL_VERIFY_S);

	connected("sha1");
	M.conn.link = LINK_DOWN;
	ask_for_verify();
	T_EQ(M.job.result, RES_NEED_CONNECTION);

	connected("sha1");
	ask_for_verify();
	peer_answers(RES_NO_VERIFY_ALG);
	T_EQ(M.job.result, RES_CW_FAILED_BY_PEER);
	T_EQ(M.pd.now.repl, REPL_ESTABLISHED);
}

static void verify_ends_with_the_link_or_a_disk(void)
{
	struct core_event down = { .type = EV_LINK_DOWN, .conn = &M.conn };
	struct core_event state = { .type = EV_STATE, .conn = &M.conn, .dev = &M.dev, .pd = &M.pd };

	connected("sha1");
	peer_asks_for_verify();
	down.down.reason = CONN_BROKEN_PIPE;
	core_step(&M.res, &down, 1, 1);
	T_OK(action(ACT_STOP_VERIFY));
	T_EQ(M.pd.sync, SYNC_NONE);

	connected("sha1");
	peer_asks_for_verify();
	state.state = (struct wire_state){
		.role = ROLE_SECONDARY, .peer = ROLE_SECONDARY, .conn = REPL_VERIFY_S,
		.disk = DISK_FAILED, .pdsk = DISK_UP_TO_DATE,
	};
	core_step(&M.res, &state, 1, 1);
	T_EQ(M.pd.now.repl, REPL_ESTABLISHED);
	T_OK(action(ACT_STOP_VERIFY));
}

/* --- algorithms ---------------------------------------------------------------------------- */

static s32 change(const char *verify, const char *csums)
{
	static struct nl_net_conf conf;

	conf = M.conn.conf;
	core_strcopy(conf.verify_alg, verify, sizeof(conf.verify_alg));
	core_strcopy(conf.csums_alg, csums, sizeof(conf.csums_alg));
	core_strcopy(conf.integrity_alg, "md5", sizeof(conf.integrity_alg));
	M.job = (struct core_job){ .type = JOB_NET_CONF, .conn = &M.conn, .arg.net_conf = &conf };
	step(EV_JOB);
	return M.job.result;
}

static void algorithms_change_when_idle(void)
{
	connected("sha1");
	T_EQ(change("sha1", ""), RES_SUCCESS);
	T_OK(sends(P_PROTOCOL_UPDATE) && !sends(P_SYNC_PARAM89));
	T_EQ(strcmp(drbd_wire_integrity_alg(M.actions[0].packet.body, M.actions[0].packet.len), "md5"), 0);
	T_EQ(change("md5", "sha1"), RES_SUCCESS);
	T_OK(sends(P_SYNC_PARAM89));
	peer_asks_for_verify();
	T_EQ(change("sha1", "sha1"), ERR_VERIFY_RUNNING);
	T_EQ(change("md5", "md5"), RES_SUCCESS);
	M.pd.sync = SYNC_RUN;
	M.pd.now.repl = M.pd.next.repl = REPL_SYNC_SOURCE;
	T_EQ(change("md5", "crc32c"), ERR_CSUMS_RESYNC_RUNNING);
	T_EQ(change("sha1", "md5"), RES_SUCCESS);
}

static void peer_sends_algorithms(const char *verify, const char *csums)
{
	struct core_event ev = { .type = EV_SYNC_PARAM, .conn = &M.conn, .dev = &M.dev, .pd = &M.pd };

	core_strcopy(ev.sync_param.verify_alg, verify, sizeof(ev.sync_param.verify_alg));
	core_strcopy(ev.sync_param.csums_alg, csums, sizeof(ev.sync_param.csums_alg));
	core_step(&M.res, &ev, 1, 1);
}

static void algorithms_of_the_peer(void)
{
	connected("sha1");
	peer_sends_algorithms("md5", "sha1");
	T_EQ(strcmp(M.conn.conf.verify_alg, "md5"), 0);
	T_EQ(strcmp(M.conn.conf.csums_alg, "sha1"), 0);
	T_OK(action(ACT_GO_ON));
	/* not under a verify that uses it */
	peer_asks_for_verify();
	peer_sends_algorithms("sha1", "sha1");
	T_EQ(strcmp(M.conn.conf.verify_alg, "md5"), 0);
	T_OK(action(ACT_DROP_LINK));
	/* and not while connecting */
	connected("sha1");
	M.pd.decided = false;
	M.conn.link = LINK_HANDSHAKE;
	peer_sends_algorithms("md5", "");
	T_OK(action(ACT_DROP_LINK) && M.conn.want_standalone);
}

static void checksums_when_wanted(void)
{
	static const struct {
		const char *alg;
		bool crash_only, crashed, peer_crashed, use;
	} rows[] = {
		{ "", false, true, true, false },
		{ "sha1", false, false, false, true },
		{ "sha1", true, false, false, false },
		{ "sha1", true, true, false, true },
		{ "sha1", true, false, true, true },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		connected("");
		core_strcopy(M.conn.conf.csums_alg, rows[i].alg, sizeof(M.conn.conf.csums_alg));
		M.conn.conf.csums_after_crash_only = rows[i].crash_only;
		M.dev.crashed_primary = rows[i].crashed;
		M.pd.peer_uuids.flags = rows[i].peer_crashed ? UUID_CRASHED_PRIMARY : 0;
		M.res.nr_actions = 0;
		sync_decided(&M.pd, false, true);
		if (M.pd.use_csums != rows[i].use)
			t_fail(__FILE__, __LINE__, "row %u: %d", i, M.pd.use_csums);
	}
}

/* --- discards -------------------------------------------------------------------------------- */

static void discards_of_whole_granules(void)
{
	static const struct {
		struct discard_ability a;
		u64 sector, sectors, middle, discard;
	} rows[] = {
		{ { false, 8, 0 }, 0, 64, 64, 0 },
		{ { true, 8, 0 }, 0, 64, 0, 64 },
		{ { true, 0, 0 }, 3, 5, 3, 5 },
		{ { true, 8, 0 }, 1, 64, 8, 56 },
		{ { true, 8, 0 }, 1, 7, 8, 0 },
		{ { true, 8, 0 }, 1, 14, 15, 0 },
		{ { true, 8, 0 }, 1, 15, 8, 8 },
		{ { true, 128, 0 }, 100, 100, 200, 0 },
		{ { true, 128, 0 }, 100, 300, 128, 256 },
		{ { true, 8, 3 }, 0, 20, 3, 16 },
		{ { true, 8, 3 }, 4, 20, 11, 8 },
		{ { true, 8, 100 }, 0, 50, 50, 0 },
		{ { true, 8, 100 }, 0, 108, 100, 8 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct discard_parts p;

		drbd_discard_split(&rows[i].a, rows[i].sector, rows[i].sectors, &p);
		if ((p.discard && p.middle != rows[i].middle) || p.discard != rows[i].discard ||
		    p.middle < rows[i].sector || p.middle + p.discard > rows[i].sector + rows[i].sectors)
			t_fail(__FILE__, __LINE__, "row %u: %llu+%llu", i,
			       (unsigned long long)p.middle, (unsigned long long)p.discard);
	}
}

static void discards_that_every_side_can(void)
{
	static const struct {
		const char *alg;
		u32 features;
		bool here, there;
		u8 repl;
		u32 discard, zeroes;
	} rows[] = {
		{ "", 0xd, true, true, REPL_ESTABLISHED, 128u << 20, 128u << 20 },
		{ "", 0x9, true, true, REPL_ESTABLISHED, 4u << 20, 4u << 20 },
		{ "", 0xd, false, true, REPL_ESTABLISHED, 0, 128u << 20 },
		{ "", 0xd, true, false, REPL_ESTABLISHED, 0, 128u << 20 },
		{ "", 0xc, true, true, REPL_ESTABLISHED, 0, 0 },
		{ "md5", 0xd, true, true, REPL_ESTABLISHED, 128u << 20, 0 },
		{ "md5", 0x5, true, true, REPL_ESTABLISHED, 128u << 20, 128u << 20 },
		/* a peer that is not there cannot object */
		{ "md5", 0, true, false, REPL_OFF, 128u << 20, 128u << 20 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		connected("");
		core_strcopy(M.conn.conf.integrity_alg, rows[i].alg, sizeof(M.conn.conf.integrity_alg));
		M.conn.wire.features = rows[i].features;
		M.dev.backing_discard = rows[i].here;
		M.pd.got_sizes = true;
		M.pd.peer_sizes.has_limits = rows[i].features & FEATURE_WSAME;
		M.pd.peer_sizes.discard_enabled = rows[i].there;
		M.pd.next.repl = rows[i].repl;
		if (rows[i].repl == REPL_OFF)
			M.conn.link = LINK_DOWN;
		plan_update(&M.dev);
		if (M.dev.plan.max_discard != rows[i].discard || M.dev.plan.max_zeroes != rows[i].zeroes)
			t_fail(__FILE__, __LINE__, "row %u: discard %u, zeroes %u", i,
			       M.dev.plan.max_discard, M.dev.plan.max_zeroes);
	}
}

/* The State that follows the peer's consent may be faster than its reply. */
static void state_overtakes_the_reply(void)
{
	struct core_event ev = { .type = EV_STATE, .conn = &M.conn, .dev = &M.dev, .pd = &M.pd };

	connected("");
	M.pd.got_uuids = true;
	M.job = (struct core_job){
		.type = JOB_INVALIDATE, .conn = &M.conn, .dev = &M.dev, .pd = &M.pd,
	};
	step(EV_JOB);
	ev.state = (struct wire_state){
		.role = ROLE_PRIMARY, .peer = ROLE_SECONDARY, .conn = REPL_STARTING_SYNC_S,
		.disk = DISK_UP_TO_DATE, .pdsk = DISK_INCONSISTENT,
	};
	core_step(&M.res, &ev, 1, 1);
	T_EQ(M.pd.sync, SYNC_NONE);
	peer_answers(RES_SUCCESS);
	T_EQ(M.pd.now.repl, REPL_STARTING_SYNC_T);
	T_EQ(M.job.result, RES_SUCCESS);
}

/*
 * The source of an invalidate is done with its preparations before the target has set
 * its bits, or has even heard the consent: its SyncUUID, which comes once, counts.
 */
static void sync_uuid_comes_early(void)
{
	struct core_event uuid = { .type = EV_SYNC_UUID, .conn = &M.conn, .dev = &M.dev, .pd = &M.pd,
				   .uuid = 0xc0 };
	struct core_event bits = { .type = EV_BITS_SET, .conn = &M.conn, .dev = &M.dev, .pd = &M.pd,
				   .ok = true };
	u32 before_consent;

	for (before_consent = 0; before_consent < 2; before_consent++) {
		connected("");
		M.job = (struct core_job){
			.type = JOB_INVALIDATE, .conn = &M.conn, .dev = &M.dev, .pd = &M.pd,
		};
		step(EV_JOB);
		if (before_consent)
			core_step(&M.res, &uuid, 1, 1);
		peer_answers(RES_SUCCESS);
		T_EQ(M.pd.sync, SYNC_SET_ALL);
		if (!before_consent)
			core_step(&M.res, &uuid, 1, 1);
		T_EQ(M.pd.sync, SYNC_SET_ALL);
		core_step(&M.res, &bits, 1, 1);
		T_EQ(M.pd.sync, SYNC_HELPER);
		T_EQ(M.pd.sync_uuid, 0xc0);
		T_EQ(M.pd.early_sync_uuid, 0);
	}
	/* nobody has asked for one: it is ignored */
	connected("");
	core_step(&M.res, &uuid, 1, 1);
	T_EQ(M.pd.early_sync_uuid, 0);
	T_EQ(M.pd.sync, SYNC_NONE);
}

/* --- a resync and the writes that were only notices --------------------------------------------- */

static void md_is_written(void)
{
	struct core_event ev = { .type = EV_MD_WRITTEN, .dev = &M.dev, .ok = true };

	ev.md_gen = M.dev.md_gen;
	core_step(&M.res, &ev, 1, 1);
}

/* SyncUUID, which lets the target begin, comes behind them. */
static void sync_uuid_waits_for_notices(void)
{
	connected("");
	M.pd.sync = SYNC_MD;
	M.pd.sync_source = true;
	M.pd.sync_md_gen = M.dev.md_gen;
	M.pd.now.repl = M.pd.next.repl = REPL_WF_BITMAP_S;
	M.pd.now.pdsk = M.pd.next.pdsk = DISK_INCONSISTENT;
	step(EV_TIMER);
	T_EQ(M.pd.now.repl, REPL_SYNC_SOURCE);
	T_EQ(M.dev.plan.peer[0].leg, PLAN_DATA);
	T_OK(action(ACT_DRAIN) && !sends(P_SYNC_UUID) && !action(ACT_START_RESYNC));
	step(EV_DRAINED);
	T_OK(sends(P_SYNC_UUID) && action(ACT_START_RESYNC));
}

/* A notice that arrives while the last ping is out is not forgotten. */
static void resync_does_not_end_with_bits_set(void)
{
	connected("");
	M.pd.sync = SYNC_RUN;
	M.pd.now.repl = M.pd.next.repl = REPL_SYNC_TARGET;
	M.dev.now.disk = M.dev.next_state.disk = DISK_INCONSISTENT;
	step(EV_RESYNC_DONE);
	T_OK(action(ACT_PING));
	M.pd.dirty_bits = 3;
	step(EV_PING_ACK);
	T_EQ(M.pd.sync, SYNC_RUN);
	T_EQ(M.pd.now.repl, REPL_SYNC_TARGET);
	M.pd.dirty_bits = 0;
	step(EV_RESYNC_DONE);
	step(EV_PING_ACK);
	md_is_written();
	T_EQ(M.pd.now.repl, REPL_ESTABLISHED);
	T_EQ(M.dev.now.disk, DISK_UP_TO_DATE);
}

/* --- only what is marked ------------------------------------------------------------------------- */

static void repair_copies_what_is_marked(void)
{
	struct core_event md = { .type = EV_MD_WRITTEN, .dev = &M.dev, .ok = true };

	connected("");
	M.dev.md.current_uuid = 0xa0;
	M.job = (struct core_job){
		.type = JOB_INVALIDATE_PEER, .flag = true, .conn = &M.conn, .dev = &M.dev, .pd = &M.pd,
	};
	step(EV_JOB);
	T_EQ(M.job.result, RES_NOTHING_TO_DO);
	T_EQ(M.dev.md.current_uuid, 0xa0);

	M.pd.dirty_bits = 5;
	step(EV_JOB);
	T_OK(action(ACT_WRITE_MD) && !sends(P_UUIDS));
	T_EQ(M.dev.md.peer[1].bitmap_uuid, 0xa0);
	T_OK(M.dev.md.current_uuid != 0xa0);
	md.md_gen = M.dev.md_gen;
	core_step(&M.res, &md, 1, 1);
	T_EQ(M.job.result, RES_SUCCESS);
	T_EQ(M.pd.now.repl, REPL_WF_BITMAP_S);
	T_OK(sends(P_UUIDS) && sends(P_STATE) && action(ACT_SEND_BITMAP) && !action(ACT_SET_ALL_BITS));

	connected("");
	M.pd.dirty_bits = 5;
	M.pd.now.pdsk = M.pd.next.pdsk = DISK_INCONSISTENT;
	M.job = (struct core_job){
		.type = JOB_INVALIDATE_PEER, .flag = true, .conn = &M.conn, .dev = &M.dev, .pd = &M.pd,
	};
	step(EV_JOB);
	T_EQ(M.job.result, RES_NO_UP_TO_DATE_DISK);
	T_OK(!action(ACT_WRITE_MD));

	connected("");
	M.pd.dirty_bits = 5;
	M.conn.now.peer_role = M.conn.next_state.peer_role = ROLE_PRIMARY;
	M.job = (struct core_job){
		.type = JOB_INVALIDATE_PEER, .flag = true, .conn = &M.conn, .dev = &M.dev, .pd = &M.pd,
	};
	step(EV_JOB);
	T_EQ(M.job.result, RES_DEVICE_IN_USE);
	T_OK(!action(ACT_WRITE_MD));
}

/* --- a new generation by command, and no first sync ----------------------------------------------- */

/* Two nodes whose metadata was just created. */
static void fresh_pair(void)
{
	connected("");
	M.dev.md.current_uuid = M.pd.peer_uuids.current_uuid = UUID_JUST_CREATED;
	M.dev.now.disk = M.dev.next_state.disk = DISK_INCONSISTENT;
	M.pd.now.pdsk = M.pd.next.pdsk = DISK_INCONSISTENT;
}

static void ask_for_generation(bool clear)
{
	M.job = (struct core_job){ .type = JOB_NEW_GENERATION, .flag = clear, .dev = &M.dev };
	step(EV_JOB);
}

static void bits_are_cleared(bool ok)
{
	struct core_event ev = { .type = EV_BITS_SET, .dev = &M.dev, .ok = ok };

	core_step(&M.res, &ev, 1, 1);
}

static void peer_skips(u64 uuid)
{
	struct core_event ev = { .type = EV_UUIDS, .conn = &M.conn, .dev = &M.dev, .pd = &M.pd };

	ev.uuids.current_uuid = uuid;
	ev.uuids.flags = UUID_SKIP_INITIAL_SYNC;
	core_step(&M.res, &ev, 1, 1);
}

static u64 shown_flags(void)
{
	return M.pd.sent_uuids.flags;
}

static void initial_sync_skipped_here(void)
{
	fresh_pair();
	ask_for_generation(true);
	T_OK(action(ACT_CLEAR_ALL_BITS) && !action(ACT_WRITE_MD) && !sends(P_UUIDS));
	bits_are_cleared(true);
	/* one superblock has both: the generation, and that the disk is good */
	T_OK(action(ACT_WRITE_MD) && !sends(P_UUIDS));
	T_OK(M.dev.md.current_uuid != UUID_JUST_CREATED);
	T_EQ(M.dev.md.peer[1].bitmap_uuid, 0);
	T_OK(M.dev.md.flags & MDF_WAS_UP_TO_DATE);
	T_EQ(M.dev.now.disk, DISK_INCONSISTENT);
	md_is_written();
	T_EQ(M.job.result, RES_SUCCESS);
	T_OK(sends(P_UUIDS) && sends(P_STATE));
	T_EQ(shown_flags(), UUID_SKIP_INITIAL_SYNC);
	T_EQ(M.dev.now.disk, DISK_UP_TO_DATE);
	T_EQ(M.pd.now.pdsk, DISK_UP_TO_DATE);
	T_EQ(M.pd.now.repl, REPL_ESTABLISHED);

	fresh_pair();
	ask_for_generation(true);
	bits_are_cleared(false);
	T_EQ(M.job.result, ERR_IO_MD_DISK);
	T_EQ(M.dev.md.current_uuid, UUID_JUST_CREATED);

	/* the peer went away, or was made Primary by force, while the bits were cleared */
	fresh_pair();
	ask_for_generation(true);
	M.pd.now.pdsk = M.pd.next.pdsk = DISK_UP_TO_DATE;
	bits_are_cleared(true);
	T_EQ(M.job.result, RES_NEED_CONNECTION);
	T_EQ(M.dev.md.current_uuid, UUID_JUST_CREATED);
}

static void initial_sync_skipped_there(void)
{
	fresh_pair();
	peer_skips(0xb1);
	T_OK(action(ACT_CLEAR_ALL_BITS) && !action(ACT_GO_ON));
	bits_are_cleared(true);
	T_OK(action(ACT_WRITE_MD) && !action(ACT_GO_ON));
	T_EQ(M.dev.md.current_uuid, 0xb0);
	T_EQ(M.dev.now.disk, DISK_INCONSISTENT);
	md_is_written();
	T_OK(action(ACT_GO_ON) && sends(P_STATE));
	T_EQ(M.dev.now.disk, DISK_UP_TO_DATE);
	T_EQ(M.pd.now.pdsk, DISK_UP_TO_DATE);

	/* a node that has data keeps it, and its bits */
	connected("");
	M.dev.md.current_uuid = 0xa0;
	peer_skips(0xb0);
	T_OK(action(ACT_GO_ON) && !action(ACT_CLEAR_ALL_BITS) && !action(ACT_WRITE_MD));
	T_EQ(M.dev.md.current_uuid, 0xa0);

	/* the bitmap could not be written: everything stays as it was */
	fresh_pair();
	peer_skips(0xb0);
	bits_are_cleared(false);
	T_OK(action(ACT_GO_ON) && !action(ACT_WRITE_MD));
	T_EQ(M.dev.md.current_uuid, UUID_JUST_CREATED);
}

/* Both administrators at one time: the node that does not resolve conflicts gives in. */
static void initial_sync_skipped_by_both(void)
{
	u64 mine;

	fresh_pair();
	ask_for_generation(true);
	bits_are_cleared(true);
	md_is_written();
	peer_skips(0xb0);
	T_EQ(M.dev.md.current_uuid, 0xb0);
	T_OK(action(ACT_WRITE_MD) && action(ACT_GO_ON));

	fresh_pair();
	M.conn.resolve_conflicts = true;
	ask_for_generation(true);
	bits_are_cleared(true);
	md_is_written();
	mine = M.dev.md.current_uuid;
	peer_skips(0xb0);
	T_EQ(M.dev.md.current_uuid, mine);

	/* what was written since counts */
	fresh_pair();
	ask_for_generation(true);
	bits_are_cleared(true);
	md_is_written();
	mine = M.dev.md.current_uuid;
	M.res.now.role = M.res.next.role = ROLE_PRIMARY;
	peer_skips(0xb0);
	T_EQ(M.dev.md.current_uuid, mine);
}

static void new_generation_alone(void)
{
	connected("");
	M.dev.md.current_uuid = 0xa0;
	ask_for_generation(false);
	T_EQ(M.job.result, ERR_CONNECTED);
	ask_for_generation(true);
	T_EQ(M.job.result, ERR_CONNECTED);
	T_OK(!action(ACT_CLEAR_ALL_BITS) && !action(ACT_WRITE_MD));

	connected("");
	M.dev.md.current_uuid = 0xa0;
	M.conn.link = LINK_DOWN;
	M.conn.now.cstate = M.conn.next_state.cstate = CONN_STANDALONE;
	M.pd.now.repl = M.pd.next.repl = REPL_OFF;
	M.pd.now.pdsk = M.pd.next.pdsk = DISK_UNKNOWN;
	ask_for_generation(false);
	T_OK(action(ACT_WRITE_MD) && !action(ACT_CLEAR_ALL_BITS));
	T_EQ(M.dev.md.peer[1].bitmap_uuid, 0xa0);
	T_OK(M.dev.md.current_uuid != 0xa0);
	md_is_written();
	T_EQ(M.job.result, RES_SUCCESS);

	M.dev.now.disk = M.dev.next_state.disk = DISK_DISKLESS;
	ask_for_generation(false);
	T_EQ(M.job.result, ERR_NO_DISK);
}

/* --- leaving, with fencing ------------------------------------------------------------- */

/* Both UpToDate; we are so, the peer is so; with fencing resource-only here or not. */
static void fenced(u8 role, u8 peer_role, bool fencing)
{
	connected("");
	M.conn.conf.fencing_policy = fencing ? FENCING_RESOURCE_ONLY : FENCING_DONT_CARE;
	M.res.now.role = M.res.next.role = role;
	M.conn.now.peer_role = M.conn.next_state.peer_role = peer_role;
	M.conn.receiver_runs = true;
}

static void leave(void)
{
	M.job = (struct core_job){ .type = JOB_DISCONNECT, .conn = &M.conn };
	step(EV_JOB);
}

static bool asks_to_leave(u8 disk, u8 pdsk)
{
	struct packet_header hdr = { .cmd = P_CONN_ST_CHG_REQ, .length = 8 };
	struct wire_state_req rq;
	u32 i;

	for (i = 0; i < M.res.nr_actions; i++)
		if (M.actions[i].type == ACT_SEND && M.actions[i].packet.cmd == P_CONN_ST_CHG_REQ)
			return !drbd_wire_get_state_req(&M.conn.wire, &hdr, M.actions[i].packet.body, &rq) &&
			       rq.val.conn == CONN_DISCONNECTING && rq.val.disk == disk &&
			       rq.val.pdsk == pdsk && !rq.mask.disk == !disk && !rq.mask.pdsk == !pdsk;
	return false;
}

static void primary_outdates_who_it_leaves(void)
{
	fenced(ROLE_PRIMARY, ROLE_SECONDARY, true);
	leave();
	T_OK(asks_to_leave(0, DISK_OUTDATED));
	T_EQ(M.pd.now.pdsk, DISK_UP_TO_DATE);	/* the peer must agree first */
	peer_answers(RES_SUCCESS);
	T_EQ(M.pd.now.pdsk, DISK_OUTDATED);
	T_OK(M.conn.link == LINK_DRAINING && !action(ACT_HELPER));
	/* the link breaks before the answer: nobody knows */
	fenced(ROLE_PRIMARY, ROLE_SECONDARY, true);
	leave();
	step(EV_LINK_DOWN);
	T_OK(M.pd.now.pdsk == DISK_UNKNOWN && action(ACT_HELPER)->helper == HELPER_FENCE_PEER);
	/* without fencing nobody is outdated */
	fenced(ROLE_PRIMARY, ROLE_SECONDARY, false);
	leave();
	T_OK(asks_to_leave(0, 0));
}

static void secondary_outdates_itself(void)
{
	fenced(ROLE_SECONDARY, ROLE_PRIMARY, false);
	leave();
	T_OK(asks_to_leave(0, 0));
	peer_answers(RES_PRIMARY_NOP);
	T_OK(asks_to_leave(DISK_OUTDATED, 0) && M.dev.now.disk == DISK_UP_TO_DATE);
	peer_answers(RES_SUCCESS);
	T_EQ(M.dev.now.disk, DISK_OUTDATED);
	T_EQ(M.conn.link, LINK_DRAINING);
	/* refused for another reason */
	fenced(ROLE_SECONDARY, ROLE_PRIMARY, false);
	leave();
	peer_answers(RES_PRIMARY_NOP);
	peer_answers(RES_NO_UP_TO_DATE_DISK);
	T_EQ(M.job.result, RES_CW_FAILED_BY_PEER);
	T_OK(M.conn.link == LINK_UP && M.dev.now.disk == DISK_UP_TO_DATE);
}

/* The peer leaves: what it proposes is judged here. */
static s32 peer_leaves(u8 disk, u8 pdsk)
{
	struct core_event ev = {
		.type = EV_STATE_CHG_REQ, .conn = &M.conn, .flag = true, .chg_req = {
			.mask = { .conn = CONN_MASK, .disk = disk ? DISK_MASK : 0, .pdsk = pdsk ? DISK_MASK : 0 },
			.val = { .conn = CONN_DISCONNECTING, .disk = disk, .pdsk = pdsk } },
	};
	u32 i;

	core_step(&M.res, &ev, 1, 1);
	for (i = 0; i < M.res.nr_actions; i++)
		if (M.actions[i].type == ACT_SEND_META && M.actions[i].packet.cmd == P_CONN_ST_CHG_REPLY)
			return (s32)get_be32_at(M.actions[i].packet.body);
	return 0;
}

static void peer_leaves_with_fencing(void)
{
	fenced(ROLE_SECONDARY, ROLE_PRIMARY, true);
	T_EQ(peer_leaves(0, DISK_OUTDATED), RES_SUCCESS);
	T_EQ(M.dev.now.disk, DISK_OUTDATED);
	T_EQ(M.conn.now.cstate, CONN_TEAR_DOWN);
	/* a Primary with fencing lets nobody go who may believe to have the newest data */
	fenced(ROLE_PRIMARY, ROLE_SECONDARY, true);
	T_EQ(peer_leaves(0, 0), RES_PRIMARY_NOP);
	T_OK(M.conn.now.cstate == CONN_CONNECTED && M.pd.now.repl == REPL_ESTABLISHED);
	T_EQ(peer_leaves(DISK_OUTDATED, 0), RES_SUCCESS);
	T_EQ(M.pd.now.pdsk, DISK_OUTDATED);
	T_OK(!action(ACT_HELPER));
	fenced(ROLE_PRIMARY, ROLE_SECONDARY, false);
	T_EQ(peer_leaves(0, 0), RES_SUCCESS);
	T_EQ(M.pd.now.pdsk, DISK_UNKNOWN);
	/* nor one who takes the only good data along */
	fenced(ROLE_PRIMARY, ROLE_SECONDARY, false);
	M.dev.now.disk = M.dev.next_state.disk = DISK_DISKLESS;
	T_EQ(peer_leaves(0, 0), RES_NO_UP_TO_DATE_DISK);
}

static void unfence_when_all_is_there(void)
{
	struct core_event ev = { .type = EV_NOTHING };

	fenced(ROLE_PRIMARY, ROLE_SECONDARY, true);
	core_step(&M.res, &ev, 1, 1);
	T_OK(action(ACT_HELPER) && action(ACT_HELPER)->helper == HELPER_UNFENCE_PEER && !action(ACT_HELPER)->wait);
	core_step(&M.res, &ev, 1, 1);
	T_OK(!action(ACT_HELPER));
	M.pd.now.pdsk = M.pd.next.pdsk = DISK_OUTDATED;
	core_step(&M.res, &ev, 1, 1);
	T_OK(!action(ACT_HELPER));
	M.pd.now.pdsk = M.pd.next.pdsk = DISK_UP_TO_DATE;
	core_step(&M.res, &ev, 1, 1);
	T_OK(action(ACT_HELPER) != NULL);
	fenced(ROLE_PRIMARY, ROLE_SECONDARY, false);
	core_step(&M.res, &ev, 1, 1);
	T_OK(!action(ACT_HELPER));
}

/* --- resync-after ---------------------------------------------------------------------- */

static const struct board_entry *entry(void *arg, u32 minor)
{
	const struct board_entry *e;

	for (e = arg; e->minor != ~0u; e++)
		if (e->minor == minor)
			return e;
	return NULL;
}

static void board_says_who_waits(void)
{
	struct board_entry b[] = {
		{ 1, -1, true, false }, { 2, 1, true, false }, { 3, 2, true, false },
		{ 4, 9, true, false }, { 5, 1, true, false }, { ~0u, -1, false, false },
	};
	u32 i;

	for (i = 0; i < 5; i++)
		T_OK(!drbd_board_waits(&b[i], entry, b));
	b[0].busy = true;
	T_OK(!drbd_board_waits(&b[0], entry, b));	/* nobody before it */
	T_OK(drbd_board_waits(&b[1], entry, b) && drbd_board_waits(&b[2], entry, b));
	T_OK(drbd_board_waits(&b[4], entry, b) && !drbd_board_waits(&b[3], entry, b));
	b[1].disk = false;				/* the chain ends there */
	T_OK(!drbd_board_waits(&b[2], entry, b) && drbd_board_waits(&b[4], entry, b));
	T_OK(drbd_board_circle(1, 3, entry, b) && drbd_board_circle(2, 2, entry, b));
	T_OK(!drbd_board_circle(4, 3, entry, b) && !drbd_board_circle(1, -1, entry, b) &&
	     !drbd_board_circle(9, 3, entry, b));
	/* others made one meanwhile: found, not followed for ever */
	b[0].after = 3;
	T_OK(drbd_board_circle(7, 3, entry, b));
	b[0].busy = false;
	b[1].disk = true;
	T_OK(!drbd_board_waits(&b[2], entry, b));
}

static void resync_takes_turns(void)
{
	struct core_event ev = { .type = EV_NOTHING };
	struct board_entry e;

	connected("");
	M.pd.sync = SYNC_RUN;
	M.pd.sync_source = true;
	M.pd.now.repl = M.pd.next.repl = REPL_SYNC_SOURCE;
	M.pd.now.pdsk = M.pd.next.pdsk = DISK_INCONSISTENT;
	core_board_entry(&M.dev, &e);
	T_OK(e.busy && e.disk);
	M.dev.must_wait = true;
	core_step(&M.res, &ev, 1, 1);
	T_EQ(M.pd.now.repl, REPL_PAUSED_SYNC_S);
	T_OK(sends(P_STATE));
	core_step(&M.res, &ev, 1, 1);
	T_OK(!sends(P_STATE));
	/* the administrator's pause and the turn: both must end */
	M.job = (struct core_job){ .type = JOB_PAUSE_SYNC, .pd = &M.pd };
	step(EV_JOB);
	M.dev.must_wait = false;
	core_step(&M.res, &ev, 1, 1);
	T_EQ(M.pd.now.repl, REPL_PAUSED_SYNC_S);
	M.job = (struct core_job){ .type = JOB_RESUME_SYNC, .pd = &M.pd };
	step(EV_JOB);
	T_EQ(M.pd.now.repl, REPL_SYNC_SOURCE);
	/* who is told to wait holds up others, also without a resync */
	connected("");
	core_board_entry(&M.dev, &e);
	T_OK(!e.busy);
	M.pd.now.peer_isp = M.pd.next.peer_isp = true;
	core_board_entry(&M.dev, &e);
	T_OK(e.busy);
}

const struct c_test feature_tests[] = {
	{ "new generation: skips the first sync", initial_sync_skipped_here },
	{ "new generation: the peer skips the first sync", initial_sync_skipped_there },
	{ "new generation: both skip the first sync", initial_sync_skipped_by_both },
	{ "new generation: alone", new_generation_alone },

	{ "resync-after: the board", board_says_who_waits },
	{ "resync-after: turns", resync_takes_turns },

	{ "leaving: a Primary outdates its peer", primary_outdates_who_it_leaves },
	{ "leaving: a Secondary outdates itself", secondary_outdates_itself },
	{ "leaving: the peer", peer_leaves_with_fencing },
	{ "unfence-peer: when all is there", unfence_when_all_is_there },

	{ "repair: copies what is marked", repair_copies_what_is_marked },

	{ "resync: SyncUUID waits for notices", sync_uuid_waits_for_notices },
	{ "resync: does not end with bits set", resync_does_not_end_with_bits_set },

	{ "invalidate: State overtakes the reply", state_overtakes_the_reply },
	{ "invalidate: SyncUUID comes early", sync_uuid_comes_early },

	{ "discards: whole granules", discards_of_whole_granules },
	{ "discards: what every side can", discards_that_every_side_can },

	{ "verify: each block once", verify_asks_for_each_block_once },
	{ "verify: marks and rows", verify_marks_and_tells_rows },
	{ "verify: a part", verify_of_a_part },
	{ "verify: counts along", verify_counts_along },
	{ "verify: asked here", verify_asked_here },
	{ "verify: of nothing", verify_of_nothing },
	{ "verify: asked by the peer", verify_asked_by_the_peer },
	{ "verify: refused", verify_refused },
	{ "verify: ends with link or disk", verify_ends_with_the_link_or_a_disk },
	{ "algorithms: changed when idle", algorithms_change_when_idle },
	{ "algorithms: of the peer", algorithms_of_the_peer },
	{ "checksums: when wanted", checksums_when_wanted },
	{ NULL, NULL },
};
