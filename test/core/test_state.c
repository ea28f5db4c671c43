// SPDX-License-Identifier: GPL-2.0-only
/* Tables of the control half (behaviour.md 3, 8.2, 9.1, 10, 11.2), row by row. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include "harness.h"
#include "../../kernel/core/state/internal.h"
#include "../../kernel/core/state/compare.h"
#include "../../kernel/core/state/policy.h"

/* --- comparison of generation identifiers ----------------------------------------- */

#define A 0xa0ull
#define B 0xb0ull
#define C 0xc0ull
#define D 0xd0ull
#define NEW 4ull
#define OFF UUID_NEW_BITMAP_OFFSET

struct ids {
	u64 current, bitmap, h0, h1;
	bool crashed, primary;
};

static struct core_compare_side side(const struct ids *i)
{
	return (struct core_compare_side){
		.uuids = { .current_uuid = i->current, .bitmap_uuid = i->bitmap,
			   .history = { i->h0, i->h1 } },
		.crashed_primary = i->crashed, .role = i->primary ? ROLE_PRIMARY : ROLE_SECONDARY,
	};
}

static struct core_compare_result compare(const struct ids *s, const struct ids *p, u32 version,
					  bool rc, bool wsame)
{
	struct core_compare_side self = side(s), peer = side(p);

	return compare84(&self, &peer, version, rc, wsame);
}

static const struct {
	u16 rule;
	s16 decision;
	struct ids self, peer;
	u32 version;
	bool rc, old_peer;	/* old: without WRITE_SAME */
} rows[] = {
	{ 10, 0, { NEW }, { NEW }, 101, false, false },
	{ 10, 0, { NEW | 1 }, { 0 }, 101, false, false },
	{ 20, -2, { NEW }, { A }, 101, false, false },
	{ 20, -2, { 0 }, { A, B }, 101, false, false },
	{ 30, 2, { A }, { NEW }, 101, false, false },
	{ 34, 1, { A, B, C }, { A, 0, B, C }, 101, false, false },
	{ 34, DECIDE_NEED_PROTOCOL, { A, B, C }, { A, 0, B, C }, 90, false, false },
	{ 36, 1, { A, B, C }, { A, 0, D, C }, 101, false, false },
	{ 36, DECIDE_NEED_PROTOCOL, { A, B, C }, { A, 0, D, C }, 90, false, false },
	{ 35, -1, { A, 0, B, C }, { A, B, C }, 101, false, false },
	{ 37, -1, { A, 0, D, C }, { A, B, C }, 101, false, false },
	{ 40, 0, { A }, { A | 1 }, 101, false, false },
	{ 40, 0, { A, B }, { A, B }, 101, false, false },
	{ 41, 1, { A, .crashed = true, .primary = true }, { A }, 101, false, false },
	{ 41, 1, { A, .primary = true }, { A, .crashed = true }, 101, false, false },
	{ 41, -1, { A, .crashed = true }, { A, .primary = true }, 101, false, false },
	{ 41, -100, { A, .crashed = true, .primary = true }, { A, .primary = true }, 101, false, false },
	{ 41, DECIDE_NEED_WSAME, { A, .crashed = true }, { A, .primary = true }, 101, false, true },
	{ 40, 1, { A, .crashed = true }, { A }, 101, false, false },
	{ 40, -1, { A }, { A, .crashed = true }, 101, false, false },
	{ 40, 1, { A, .crashed = true }, { A, .crashed = true }, 101, false, false },
	{ 40, -1, { A, .crashed = true }, { A, .crashed = true }, 101, true, false },
	{ 50, -1, { A }, { B, A }, 101, false, false },
	{ 51, -1, { A }, { B, A + OFF, A }, 101, false, false },
	{ 51, -1, { A, 0, C }, { B, D, A, C }, 95, false, false },
	{ 51, DECIDE_NEED_PROTOCOL, { A, 0, C }, { B, D, A, C }, 90, false, false },
	{ 60, -2, { A }, { B, C, A }, 101, false, false },
	{ 60, -2, { A }, { B, C, D, A }, 101, false, false },
	{ 70, 1, { B, A }, { A }, 101, false, false },
	{ 71, 1, { B, A + OFF, A }, { A }, 101, false, false },
	{ 71, 1, { B, D, A, C }, { A, 0, C }, 95, false, false },
	{ 80, 2, { B, C, A }, { A }, 101, false, false },
	{ 80, 2, { B, C, D, A }, { A }, 101, false, false },
	{ 90, 100, { A, C }, { B, C }, 101, false, false },
	{ 100, -100, { A, 0, C }, { B, 0, D, C }, 101, false, false },
	{ 0, -1000, { A, C }, { B, D }, 101, false, false },
	{ 0, -1000, { A }, { B }, 101, false, false },
};

static void compare_rows(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct core_compare_result r = compare(&rows[i].self, &rows[i].peer, rows[i].version,
						       rows[i].rc, !rows[i].old_peer);

		if (r.rule != rows[i].rule || r.decision != rows[i].decision)
			t_fail(__FILE__, __LINE__, "row %u: rule %u, decision %d; want rule %u, %d", i,
			       r.rule, r.decision, rows[i].rule, rows[i].decision);
	}
}

/* Rows that find that one side missed a step say what its set should be. */
static void compare_repairs(void)
{
	struct ids missed = { A, B, C, 0, false, false }, done = { A, 0, B, C, false, false };
	struct ids lost = { A, 0, 0, 0, false, false }, begun = { B, A + OFF, A, C, false, false };
	struct core_compare_result r = compare(&missed, &done, 101, false, true);

	T_OK(r.fix_self && !r.fix_peer);
	T_EQ(r.self.bitmap_uuid, 0);
	T_EQ(r.self.history[0], B);
	T_EQ(r.self.history[1], C);
	r = compare(&done, &missed, 101, false, true);
	T_OK(r.fix_peer && !r.fix_self);
	T_EQ(r.peer.bitmap_uuid, 0);
	T_EQ(r.peer.history[0], B);
	r = compare(&begun, &lost, 101, false, true);
	T_OK(r.fix_self && !r.fix_peer);
	T_EQ(r.self.bitmap_uuid, A);
	T_EQ(r.self.history[0], C);
	r = compare(&lost, &begun, 101, false, true);
	T_OK(r.fix_peer && !r.fix_self);
	T_EQ(r.peer.bitmap_uuid, A);
}

static u64 pick(struct t_random *r)
{
	static const u64 set[] = { 0, NEW, A, B, C, D, A + OFF, B + OFF };

	return set[t_below(r, ARRAY_SIZE(set))] | t_below(r, 2);
}

static u16 mirrored(u16 rule)
{
	static const u16 pairs[][2] = { { 20, 30 }, { 34, 35 }, { 36, 37 }, { 50, 70 }, { 51, 71 }, { 60, 80 } };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		if (rule == pairs[i][0])
			return pairs[i][1];
		if (rule == pairs[i][1])
			return pairs[i][0];
	}
	return rule;
}

static bool knows(const struct ids *i, u64 uuid)
{
	return (i->bitmap & ~1ull) == uuid || (i->h0 & ~1ull) == uuid || (i->h1 & ~1ull) == uuid;
}

/* Both sides come to the same conclusion, from their own point of view. Sets in
 * which each has the other's current in its past do not come to be. */
static void compare_is_symmetric(void)
{
	struct t_random rnd;
	u32 n, tried = 0;

	t_seed(&rnd, 7 + t_run_seed);
	for (n = 0; n < 100000; n++) {
		struct ids s = { pick(&rnd), pick(&rnd), pick(&rnd), pick(&rnd), t_below(&rnd, 2), t_below(&rnd, 2) };
		struct ids p = { pick(&rnd), pick(&rnd), pick(&rnd), pick(&rnd), t_below(&rnd, 2), t_below(&rnd, 2) };
		struct core_compare_result mine, theirs;
		bool rc = t_below(&rnd, 2);
		s16 want;

		if (knows(&s, p.current & ~1ull) && knows(&p, s.current & ~1ull))
			continue;
		mine = compare(&s, &p, 101, rc, true);
		theirs = compare(&p, &s, 101, !rc, true);
		want = mine.decision >= -2 && mine.decision <= 2 ? -mine.decision : mine.decision;
		if (theirs.decision != want || theirs.rule != mirrored(mine.rule))
			t_fail(__FILE__, __LINE__, "%llx:%llx:%llx:%llx and %llx:%llx:%llx:%llx: rule %u %d, but rule %u %d there",
			       (unsigned long long)s.current, (unsigned long long)s.bitmap,
			       (unsigned long long)s.h0, (unsigned long long)s.h1,
			       (unsigned long long)p.current, (unsigned long long)p.bitmap,
			       (unsigned long long)p.h0, (unsigned long long)p.h1,
			       mine.rule, mine.decision, theirs.rule, theirs.decision);
		tried++;
	}
	T_OK(tried > 30000);
}

/* --- policies --------------------------------------------------------------------------- */

#define UTD DISK_UP_TO_DATE
#define INC DISK_INCONSISTENT
#define PRI ROLE_PRIMARY
#define SEC ROLE_SECONDARY

static const struct {
	const char *what;
	s16 decision;
	struct core_policy_input in;	/* without compare, but for bits and bitmap identifiers */
	u8 verdict;
	bool full;
} policies[] = {
#define MINE(bits, pri)	.compare.self = { .dirty_bits = bits, .bitmap_uuid = C | (pri) }
#define THEIRS(bits, pri) .compare.peer = { .dirty_bits = bits, .bitmap_uuid = C | (pri) }
#define BOTH .role = SEC, .peer_role = SEC, .disk = UTD, .pdsk = UTD
	{ "no sync", 0, { BOTH }, VERDICT_CONNECT, false },
	{ "bitmap", 1, { BOTH }, VERDICT_SOURCE, false },
	{ "full target", -2, { BOTH }, VERDICT_TARGET, true },
	{ "unrelated", DECIDE_UNRELATED, { BOTH }, VERDICT_DROP, false },
	{ "need protocol", DECIDE_NEED_PROTOCOL, { BOTH }, VERDICT_DROP, false },
	{ "the better disk is source", 1, { .role = SEC, .peer_role = SEC, .disk = INC, .pdsk = UTD },
	  VERDICT_TARGET, false },
	{ "the better disk, full", 2, { .role = SEC, .peer_role = SEC, .disk = INC, .pdsk = UTD },
	  VERDICT_TARGET, true },
	{ "the better disk after a split brain without bitmap", -100,
	  { .role = SEC, .peer_role = SEC, .disk = UTD, .pdsk = INC }, VERDICT_SOURCE, true },
	{ "source without good data", 1, { .role = SEC, .peer_role = SEC, .disk = INC, .pdsk = INC },
	  VERDICT_DROP, false },
	{ "target while Primary", -1, { .role = PRI, .peer_role = SEC, .disk = UTD, .pdsk = UTD },
	  VERDICT_DROP, false },
	{ "target while Primary, violently", -1,
	  { .role = PRI, .peer_role = SEC, .disk = UTD, .pdsk = UTD, .rr_conflict = ASB_VIOLENTLY },
	  VERDICT_TARGET, false },
	{ "split brain", 100, { BOTH }, VERDICT_DROP, false },
	{ "split brain, I discard", 100, { BOTH, .discard_mine = true }, VERDICT_TARGET, false },
	{ "split brain, the peer discards", 100, { BOTH, .discard_peers = true }, VERDICT_SOURCE, false },
	{ "split brain, both discard", 100, { BOTH, .discard_mine = true, .discard_peers = true },
	  VERDICT_DROP, false },
	{ "younger: it", 100, { BOTH, MINE(1, 1), THEIRS(1, 0), .after_sb_0p = ASB_DISCARD_YOUNGER_PRI },
	  VERDICT_SOURCE, false },
	{ "younger: me", 100, { BOTH, MINE(1, 0), THEIRS(1, 1), .after_sb_0p = ASB_DISCARD_YOUNGER_PRI },
	  VERDICT_TARGET, false },
	{ "older: me", 100, { BOTH, MINE(1, 1), THEIRS(1, 0), .after_sb_0p = ASB_DISCARD_OLDER_PRI },
	  VERDICT_TARGET, false },
	{ "younger undecided, least changes", 100,
	  { BOTH, MINE(1, 1), THEIRS(9, 1), .after_sb_0p = ASB_DISCARD_YOUNGER_PRI }, VERDICT_TARGET, false },
	{ "zero changes: me", 100, { BOTH, MINE(0, 0), THEIRS(9, 0), .after_sb_0p = ASB_DISCARD_ZERO_CHG },
	  VERDICT_TARGET, false },
	{ "zero changes: it", 100, { BOTH, MINE(9, 0), THEIRS(0, 0), .after_sb_0p = ASB_DISCARD_ZERO_CHG },
	  VERDICT_SOURCE, false },
	{ "zero changes: nobody", 100, { BOTH, MINE(9, 0), THEIRS(8, 0), .after_sb_0p = ASB_DISCARD_ZERO_CHG },
	  VERDICT_DROP, false },
	{ "zero changes: both, tie", 100,
	  { BOTH, .resolve_conflicts = true, .after_sb_0p = ASB_DISCARD_ZERO_CHG }, VERDICT_TARGET, false },
	{ "zero changes: both, tie there", 100, { BOTH, .after_sb_0p = ASB_DISCARD_ZERO_CHG },
	  VERDICT_SOURCE, false },
	{ "least changes: it", 100, { BOTH, MINE(9, 0), THEIRS(8, 0), .after_sb_0p = ASB_DISCARD_LEAST_CHG },
	  VERDICT_SOURCE, false },
	{ "local", 100, { BOTH, .after_sb_0p = ASB_DISCARD_LOCAL }, VERDICT_TARGET, false },
	{ "remote", 100, { BOTH, .after_sb_0p = ASB_DISCARD_REMOTE }, VERDICT_SOURCE, false },
	{ "no bitmap, policies not asked", -100, { BOTH, .after_sb_0p = ASB_DISCARD_REMOTE },
	  VERDICT_DROP, false },
	{ "no bitmap, always-asbp", -100,
	  { BOTH, .after_sb_0p = ASB_DISCARD_REMOTE, .always_asbp = true }, VERDICT_SOURCE, true },
	{ "no bitmap, I discard", -100, { BOTH, .discard_mine = true }, VERDICT_TARGET, true },
	{ "one Primary, policy for none", 100,
	  { .role = PRI, .peer_role = SEC, .disk = UTD, .pdsk = UTD, .after_sb_0p = ASB_DISCARD_REMOTE },
	  VERDICT_DROP, false },
	{ "discard-secondary", 100,
	  { .role = PRI, .peer_role = SEC, .disk = UTD, .pdsk = UTD, .after_sb_1p = ASB_DISCARD_SECONDARY },
	  VERDICT_SOURCE, false },
	{ "discard-secondary there", 100,
	  { .role = SEC, .peer_role = PRI, .disk = UTD, .pdsk = UTD, .after_sb_1p = ASB_DISCARD_SECONDARY },
	  VERDICT_TARGET, false },
	{ "consensus", 100,
	  { .role = PRI, .peer_role = SEC, .disk = UTD, .pdsk = UTD, .after_sb_0p = ASB_DISCARD_REMOTE,
	    .after_sb_1p = ASB_CONSENSUS }, VERDICT_SOURCE, false },
	{ "no consensus", 100,
	  { .role = PRI, .peer_role = SEC, .disk = UTD, .pdsk = UTD, .after_sb_0p = ASB_DISCARD_LOCAL,
	    .after_sb_1p = ASB_CONSENSUS }, VERDICT_DROP, false },
	{ "two Primaries", 100,
	  { .role = PRI, .peer_role = PRI, .disk = UTD, .pdsk = UTD, .after_sb_0p = ASB_DISCARD_REMOTE,
	    .after_sb_1p = ASB_DISCARD_SECONDARY }, VERDICT_DROP, false },
	{ "two Primaries, violently", 100,
	  { .role = PRI, .peer_role = PRI, .disk = UTD, .pdsk = UTD, .after_sb_0p = ASB_DISCARD_REMOTE,
	    .after_sb_2p = ASB_VIOLENTLY }, VERDICT_SOURCE, false },
};

static void policy_rows(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		struct core_policy_input in = policies[i].in;
		struct core_policy_result r;

		in.compare.decision = policies[i].decision;
		r = core_policy(&in);
		if (r.verdict != policies[i].verdict || r.full != policies[i].full)
			t_fail(__FILE__, __LINE__, "%s: verdict %u%s (%s), want %u%s", policies[i].what,
			       r.verdict, r.full ? " full" : "", r.why, policies[i].verdict,
			       policies[i].full ? " full" : "");
		T_OK(r.why != NULL);
	}
}

/* --- a resource of one volume and one peer ------------------------------------------------ */

static struct {
	struct core_resource res;
	struct core_connection conn;
	struct core_device dev;
	struct core_peer_device pd;
	struct core_action actions[CORE_ACTIONS_FOR(1)];
} M;

static void model(void)
{
	struct nl_resource_opts opts;
	struct nl_net_conf net;
	struct core_job job = { .type = JOB_ADD_DEVICE, .dev = &M.dev };
	struct core_event ev = { .type = EV_JOB, .job = &job };

	memset(&M, 0, sizeof(M));
	nl_resource_opts_defaults(&opts);
	nl_net_conf_defaults(&net);
	core_resource_init(&M.res, "r0", 0, &opts, 1);
	M.res.actions = M.actions;
	M.res.max_actions = ARRAY_SIZE(M.actions);
	core_device_init(&M.dev, &M.res, 0, 0);
	core_connection_init(&M.conn, &M.res, 1, &net);
	core_peer_device_init(&M.pd, &M.conn, &M.dev);
	core_step(&M.res, &ev, 1, 1);
	job = (struct core_job){ .type = JOB_ADD_CONNECTION, .conn = &M.conn, .pd = &M.pd };
	core_step(&M.res, &ev, 1, 1);
	M.dev.md.peer[1].bitmap_index = 0;
}

/* Both copies of the state. */
static void set(u8 role, u8 cstate, u8 repl, u8 disk, u8 pdsk)
{
	M.res.now.role = M.res.next.role = role;
	M.conn.now.cstate = M.conn.next_state.cstate = cstate;
	M.pd.now.repl = M.pd.next.repl = repl;
	M.dev.now.disk = M.dev.next_state.disk = disk;
	M.pd.now.pdsk = M.pd.next.pdsk = pdsk;
}

static bool between(u8 v, u8 lo, u8 hi)
{
	return v >= lo && v <= hi;
}

/* Table of behaviour.md 3.6, by the combined state of 8.4. */
static const struct {
	u8 repl, disk_min, disk_max, pdsk_min, pdsk_max;
} clamps[] = {
	{ REPL_ESTABLISHED, DISK_DISKLESS, UTD, DISK_DISKLESS, UTD },
	{ REPL_WF_BITMAP_T, INC, DISK_OUTDATED, UTD, UTD },
	{ REPL_PAUSED_SYNC_T, INC, DISK_OUTDATED, UTD, UTD },
	{ REPL_STARTING_SYNC_T, INC, DISK_OUTDATED, UTD, UTD },
	{ REPL_WF_SYNC_UUID, INC, DISK_OUTDATED, UTD, UTD },
	{ REPL_BEHIND, INC, DISK_OUTDATED, UTD, UTD },
	{ REPL_VERIFY_S, UTD, UTD, UTD, UTD },
	{ REPL_VERIFY_T, UTD, UTD, UTD, UTD },
	{ REPL_WF_BITMAP_S, UTD, UTD, INC, DISK_CONSISTENT },
	{ REPL_PAUSED_SYNC_S, UTD, UTD, INC, DISK_CONSISTENT },
	{ REPL_STARTING_SYNC_S, UTD, UTD, INC, DISK_CONSISTENT },
	{ REPL_AHEAD, UTD, UTD, INC, DISK_CONSISTENT },
	{ REPL_SYNC_TARGET, INC, INC, UTD, UTD },
	{ REPL_SYNC_SOURCE, UTD, UTD, INC, INC },
};

static void sanitize_clamps(void)
{
	static const u8 disks[] = { INC, DISK_OUTDATED, DISK_CONSISTENT, UTD };
	u32 i, d, p;

	model();
	for (i = 0; i < ARRAY_SIZE(clamps); i++)
		for (d = 0; d < ARRAY_SIZE(disks); d++)
			for (p = 0; p < ARRAY_SIZE(disks); p++) {
				set(SEC, CONN_CONNECTED, clamps[i].repl, disks[d], disks[p]);
				M.pd.next.user_isp = clamps[i].repl == REPL_PAUSED_SYNC_S ||
						     clamps[i].repl == REPL_PAUSED_SYNC_T;
				sanitize(&M.res);
				if (M.pd.next.repl != clamps[i].repl ||
				    !between(M.dev.next_state.disk, clamps[i].disk_min, clamps[i].disk_max) ||
				    !between(M.pd.next.pdsk, clamps[i].pdsk_min, clamps[i].pdsk_max))
					t_fail(__FILE__, __LINE__, "%s: disks %u/%u become %s %u/%u",
					       core_repl_name(clamps[i].repl), disks[d], disks[p],
					       core_repl_name(M.pd.next.repl), M.dev.next_state.disk,
					       M.pd.next.pdsk);
			}
}

static void sanitize_without_link(void)
{
	model();
	set(SEC, CONN_CONNECTING, REPL_SYNC_TARGET, INC, UTD);
	M.conn.next_state.peer_role = PRI;
	M.pd.next.peer_isp = true;
	sanitize(&M.res);
	T_EQ(M.pd.next.repl, REPL_OFF);
	T_EQ(M.pd.next.pdsk, DISK_UNKNOWN);
	T_EQ(M.pd.next.peer_isp, false);
	T_EQ(M.conn.next_state.peer_role, ROLE_UNKNOWN);
	set(SEC, CONN_CONNECTING, REPL_OFF, UTD, DISK_OUTDATED);
	sanitize(&M.res);
	T_EQ(M.pd.next.pdsk, DISK_OUTDATED);	/* remembered */
}

static void sanitize_agrees(void)
{
	model();
	set(SEC, CONN_CONNECTED, REPL_ESTABLISHED, DISK_CONSISTENT, DISK_OUTDATED);
	sanitize(&M.res);
	T_EQ(M.dev.next_state.disk, UTD);
	T_EQ(M.pd.next.pdsk, UTD);
	set(SEC, CONN_CONNECTED, REPL_SYNC_TARGET, DISK_FAILED, UTD);
	sanitize(&M.res);
	T_EQ(M.pd.next.repl, REPL_ESTABLISHED);	/* the resync is over */
}

/* A disk that negotiates when the link ends counts only as the generation in use. */
static void sanitize_negotiating(void)
{
	model();
	set(SEC, CONN_CONNECTING, REPL_OFF, DISK_NEGOTIATING, DISK_UNKNOWN);
	M.dev.md.flags = MDF_CONSISTENT | MDF_WAS_UP_TO_DATE;
	M.dev.md.current_uuid = A;
	sanitize(&M.res);
	T_EQ(M.dev.next_state.disk, UTD);
	M.dev.next_state.disk = DISK_NEGOTIATING;
	M.dev.exposed_uuid = A | 1;
	sanitize(&M.res);
	T_EQ(M.dev.next_state.disk, UTD);
	M.dev.next_state.disk = DISK_NEGOTIATING;
	M.dev.exposed_uuid = B;
	sanitize(&M.res);
	T_EQ(M.dev.next_state.disk, DISK_FAILED);
}

/* --- soft rules ----------------------------------------------------------------------------- */

struct state {
	u8 role, peer_role, cstate, repl, disk, pdsk;
};

#define LINKED CONN_CONNECTED
#define APART CONN_CONNECTING

static const struct {
	const char *what;
	s32 result;
	struct state from, to;
	bool fencing;
} soft[] = {
	{ "promote", RES_SUCCESS, { SEC, SEC, LINKED, REPL_ESTABLISHED, UTD, UTD },
	  { PRI, SEC, LINKED, REPL_ESTABLISHED, UTD, UTD }, false },
	{ "two Primaries", RES_TWO_PRIMARIES, { SEC, PRI, LINKED, REPL_ESTABLISHED, UTD, UTD },
	  { PRI, PRI, LINKED, REPL_ESTABLISHED, UTD, UTD }, false },
	{ "promote without data", RES_NO_UP_TO_DATE_DISK, { SEC, ROLE_UNKNOWN, APART, REPL_OFF, INC, DISK_UNKNOWN },
	  { PRI, ROLE_UNKNOWN, APART, REPL_OFF, INC, DISK_UNKNOWN }, false },
	{ "promote unfenced", RES_PRIMARY_NOP, { SEC, ROLE_UNKNOWN, APART, REPL_OFF, UTD, DISK_UNKNOWN },
	  { PRI, ROLE_UNKNOWN, APART, REPL_OFF, UTD, DISK_UNKNOWN }, true },
	{ "promote fenced", RES_SUCCESS, { SEC, ROLE_UNKNOWN, APART, REPL_OFF, UTD, DISK_OUTDATED },
	  { PRI, ROLE_UNKNOWN, APART, REPL_OFF, UTD, DISK_OUTDATED }, true },
	{ "promote between bad disks", RES_NO_UP_TO_DATE_DISK, { SEC, SEC, LINKED, REPL_ESTABLISHED, INC, INC },
	  { PRI, SEC, LINKED, REPL_ESTABLISHED, INC, INC }, false },
	{ "sync without a disk", RES_NO_LOCAL_DISK, { SEC, SEC, LINKED, REPL_ESTABLISHED, DISK_DISKLESS, UTD },
	  { SEC, SEC, LINKED, REPL_STARTING_SYNC_T, DISK_DISKLESS, UTD }, false },
	{ "sync without the peer's disk", RES_NO_REMOTE_DISK,
	  { SEC, SEC, LINKED, REPL_ESTABLISHED, UTD, DISK_DISKLESS },
	  { SEC, SEC, LINKED, REPL_STARTING_SYNC_S, UTD, DISK_DISKLESS }, false },
	{ "sync of two bad disks", RES_NO_UP_TO_DATE_DISK, { SEC, SEC, LINKED, REPL_ESTABLISHED, INC, INC },
	  { SEC, SEC, LINKED, REPL_STARTING_SYNC_S, INC, INC }, false },
	{ "outdate while connected", RES_CONNECTED_OUTDATES, { SEC, SEC, LINKED, REPL_ESTABLISHED, UTD, UTD },
	  { SEC, SEC, LINKED, REPL_ESTABLISHED, DISK_OUTDATED, UTD }, false },
	{ "outdate apart", RES_SUCCESS, { SEC, ROLE_UNKNOWN, APART, REPL_OFF, UTD, DISK_UNKNOWN },
	  { SEC, ROLE_UNKNOWN, APART, REPL_OFF, DISK_OUTDATED, DISK_UNKNOWN }, false },
	{ "outdate what is worse", RES_LOWER_THAN_OUTDATED, { SEC, ROLE_UNKNOWN, APART, REPL_OFF, INC, DISK_UNKNOWN },
	  { SEC, ROLE_UNKNOWN, APART, REPL_OFF, DISK_OUTDATED, DISK_UNKNOWN }, false },
	{ "verify without algorithm", RES_NO_VERIFY_ALG, { SEC, SEC, LINKED, REPL_ESTABLISHED, UTD, UTD },
	  { SEC, SEC, LINKED, REPL_VERIFY_S, UTD, UTD }, false },
	{ "second resync", RES_RESYNC_RUNNING, { SEC, SEC, LINKED, REPL_SYNC_SOURCE, UTD, INC },
	  { SEC, SEC, LINKED, REPL_STARTING_SYNC_S, UTD, INC }, false },
	{ "disk from nowhere", RES_IS_DISKLESS, { SEC, SEC, LINKED, REPL_ESTABLISHED, DISK_DISKLESS, UTD },
	  { SEC, SEC, LINKED, REPL_ESTABLISHED, UTD, UTD }, false },
	{ "resync apart", RES_NEED_CONNECTION, { SEC, ROLE_UNKNOWN, APART, REPL_OFF, UTD, DISK_UNKNOWN },
	  { SEC, SEC, LINKED, REPL_STARTING_SYNC_S, UTD, INC }, false },
	{ "leave twice", RES_ALREADY_STANDALONE,
	  { SEC, ROLE_UNKNOWN, CONN_STANDALONE, REPL_OFF, UTD, DISK_UNKNOWN },
	  { SEC, ROLE_UNKNOWN, CONN_DISCONNECTING, REPL_OFF, UTD, DISK_UNKNOWN }, false },
	{ "promote a target that begins", RES_IN_TRANSIENT_STATE,
	  { SEC, SEC, LINKED, REPL_WF_BITMAP_T, DISK_OUTDATED, UTD },
	  { PRI, SEC, LINKED, REPL_WF_BITMAP_T, DISK_OUTDATED, UTD }, false },
	{ "promote a target that runs", RES_SUCCESS, { SEC, SEC, LINKED, REPL_SYNC_TARGET, INC, UTD },
	  { PRI, SEC, LINKED, REPL_SYNC_TARGET, INC, UTD }, false },
	{ "a bad state may get no worse", RES_SUCCESS, { PRI, PRI, LINKED, REPL_ESTABLISHED, UTD, UTD },
	  { PRI, PRI, LINKED, REPL_ESTABLISHED, UTD, DISK_OUTDATED }, false },
};

static void soft_rules(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(soft); i++) {
		const struct state *f = &soft[i].from, *t = &soft[i].to;
		s32 r;

		model();
		M.conn.conf.fencing_policy = soft[i].fencing;
		set(f->role, f->cstate, f->repl, f->disk, f->pdsk);
		M.conn.now.peer_role = f->peer_role;
		M.res.next.role = t->role;
		M.conn.next_state.peer_role = t->peer_role;
		M.conn.next_state.cstate = t->cstate;
		M.pd.next.repl = t->repl;
		M.dev.next_state.disk = t->disk;
		M.pd.next.pdsk = t->pdsk;
		r = check_soft(&M.res);
		if (r != soft[i].result)
			t_fail(__FILE__, __LINE__, "%s: %d (%s), want %d", soft[i].what, r,
			       core_result_text(r), soft[i].result);
	}
}

/* --- legs ------------------------------------------------------------------------------------- */

/* behaviour.md 11.2, column 8.4, written down a second time. */
static u8 expected_leg(u8 repl, u8 pdsk)
{
	bool notice = repl == REPL_AHEAD || repl == REPL_WF_BITMAP_S;
	bool data = repl >= REPL_ESTABLISHED &&
		    (pdsk == UTD || (pdsk >= INC && repl >= REPL_WF_BITMAP_T && repl < REPL_AHEAD));

	return notice ? PLAN_NOTICE : data ? PLAN_DATA : PLAN_NOTHING;
}

static void one_leg_each(void)
{
	u8 repl, pdsk, disk;

	for (repl = REPL_OFF; repl <= REPL_BEHIND; repl++)
		for (pdsk = DISK_DISKLESS; pdsk <= UTD; pdsk++)
			for (disk = DISK_DISKLESS; disk <= UTD; disk++) {
				const struct plan_peer *p = &M.dev.plan.peer[0];

				model();
				set(PRI, CONN_CONNECTED, repl, disk, pdsk);
				plan_update(&M.dev);
				if (p->leg != expected_leg(repl, pdsk))
					t_fail(__FILE__, __LINE__, "%s, peer disk %s: leg %u, want %u",
					       core_repl_name(repl), core_disk_name(pdsk), p->leg,
					       expected_leg(repl, pdsk));
				T_EQ(M.dev.plan.local_disk, disk >= INC);
				/* bits are kept wherever a disk may come back to them */
				T_EQ(p->slot, disk >= INC || disk == DISK_DETACHING ? 0 : -1);
				/* what such a peer writes is out of sync there (11.2) */
				T_EQ(p->track, pdsk < INC || pdsk == DISK_UNKNOWN);
				T_EQ(p->may_set_in_sync, repl >= REPL_SYNC_SOURCE && repl <= REPL_PAUSED_SYNC_T &&
				     repl != REPL_VERIFY_S && repl != REPL_VERIFY_T);
			}
}

/* A write that only reached a disk without good data has not succeeded. */
static void success_needs_data(void)
{
	model();
	set(PRI, CONN_CONNECTED, REPL_SYNC_TARGET, INC, UTD);
	plan_update(&M.dev);
	T_EQ(M.dev.plan.completion, PLAN_COMPLETE);
	set(PRI, CONN_CONNECTING, REPL_OFF, INC, DISK_UNKNOWN);
	plan_update(&M.dev);
	T_EQ(M.dev.plan.completion, PLAN_COMPLETE_FAIL);
	T_EQ(M.dev.plan.write_admission, PLAN_FAIL);
	M.res.next.susp_nod = true;
	plan_update(&M.dev);
	T_EQ(M.dev.plan.completion, PLAN_COMPLETE_PARK);
	M.res.next.susp_nod = false;
	M.res.next.susp_user = true;
	plan_update(&M.dev);
	T_EQ(M.dev.plan.completion, PLAN_COMPLETE_HOLD);
}

/* --- rotation of identifiers (8.2) --------------------------------------------------------------- */

static void rotation_in_a_life(void)
{
	u64 began, sync, current;

	model();
	M.dev.md.format = MD_V08;
	M.dev.md.current_uuid = A;
	M.res.next.role = PRI;
	generation_rotate(&M.dev);
	T_OK((M.dev.md.current_uuid & ~1ull) != A && (M.dev.md.current_uuid & 1));
	T_EQ(*bitmap_uuid(&M.pd), A);
	T_EQ(M.dev.exposed_uuid, M.dev.md.current_uuid);
	began = A;
	current = M.dev.md.current_uuid;
	generation_rotate(&M.dev);	/* tracking goes on from where it began */
	T_EQ(*bitmap_uuid(&M.pd), began);
	T_OK(M.dev.md.current_uuid != current);
	current = M.dev.md.current_uuid;
	M.pd.sync_source = true;
	generation_sync_start_source(&M.pd);
	sync = *bitmap_uuid(&M.pd);
	T_EQ(sync, began + OFF);
	T_EQ(M.pd.sync_uuid, sync);
	T_EQ(M.dev.md.history[0], began);
	generation_sync_finished(&M.pd);
	T_EQ(*bitmap_uuid(&M.pd), 0);
	T_EQ(M.dev.md.history[0], sync);
	T_EQ(M.dev.md.history[1], began);
	T_EQ(M.dev.md.current_uuid, current);
}

/* The lowest bit of where tracking begins: Primary when the peer went, not when it was written. */
static void rotation_tells_who_was_primary(void)
{
	static const struct {
		bool at_parting, now;
	} rows[] = { { false, true }, { true, true }, { true, false } };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		model();
		M.dev.md.format = MD_V08;
		M.dev.md.current_uuid = A | rows[i].at_parting;
		M.res.now.role = M.res.next.role = rows[i].at_parting ? PRI : SEC;
		M.dev.now.disk = M.dev.next_state.disk = UTD;
		M.conn.now.cstate = M.conn.next_state.cstate = CONN_CONNECTED;
		M.pd.now.repl = M.pd.next.repl = REPL_ESTABLISHED;
		M.pd.now.pdsk = M.pd.next.pdsk = UTD;
		M.conn.next_state.cstate = CONN_CONNECTING;
		change_commit(&M.res, "test");
		M.res.now.role = M.res.next.role = rows[i].now ? PRI : SEC;
		generation_set_primary_bit(&M.dev, rows[i].now);
		generation_rotate(&M.dev);
		T_EQ(*bitmap_uuid(&M.pd), A | rows[i].at_parting);
		T_EQ(M.dev.md.current_uuid & 1, rows[i].now);
	}
}

static void rotation_of_a_target(void)
{
	model();
	M.dev.md.format = MD_V08;
	M.dev.md.current_uuid = A;
	M.pd.sync_uuid = A + OFF;
	generation_sync_start_target(&M.pd);
	T_EQ(M.dev.md.current_uuid, A + OFF);
	T_EQ(*bitmap_uuid(&M.pd), 0);
	M.pd.peer_uuids = (struct wire_uuids){ .current_uuid = B | 1, .bitmap_uuid = A,
					       .history = { C, D } };
	generation_sync_finished(&M.pd);
	T_EQ(M.dev.md.current_uuid, B);
	T_EQ(M.dev.md.history[0], A + OFF);
	T_EQ(M.dev.md.history[1], A);
	T_EQ(*bitmap_uuid(&M.pd), 0);
}

/* Node identifiers for peers that are not configured are rotated, too; just created ones get a name. */
static void rotation_of_strangers(void)
{
	model();
	M.dev.md.format = MD_V09;
	M.dev.md.current_uuid = A;
	M.dev.md.peer[5].bitmap_uuid = C;
	generation_rotate(&M.dev);
	T_EQ(M.dev.md.peer[3].bitmap_uuid, A);
	T_EQ(M.dev.md.peer[5].bitmap_uuid, C);
	T_EQ(M.dev.md.peer[0].bitmap_uuid, 0);	/* this node itself */
	*bitmap_uuid(&M.pd) = NEW;
	generation_sync_start_source(&M.pd);
	T_OK(*bitmap_uuid(&M.pd) && *bitmap_uuid(&M.pd) != NEW && *bitmap_uuid(&M.pd) != NEW + OFF);
}

/* Requests whose state the core alone judges, at the moment they are carried out: the answer, and nothing changed. */
static void refused_jobs(void)
{
	static const struct {
		u8 type, role, cstate, disk, flag;
		s32 result;
	} rows[] = {
		{ JOB_DEL_DEVICE, SEC, CONN_STANDALONE, UTD, 0, ERR_MINOR_CONFIGURED },
		{ JOB_DISK_CONF, SEC, CONN_STANDALONE, DISK_DISKLESS, 0, ERR_NO_DISK },
		{ JOB_OUTDATE, SEC, CONN_STANDALONE, DISK_DISKLESS, 0, RES_IS_DISKLESS },
		{ JOB_INVALIDATE, SEC, CONN_STANDALONE, DISK_DISKLESS, 0, ERR_NO_DISK },
		{ JOB_INVALIDATE_PEER, SEC, CONN_STANDALONE, DISK_DISKLESS, 0, ERR_NO_DISK },
		{ JOB_INVALIDATE, SEC, CONN_STANDALONE, UTD, 0, RES_NEED_CONNECTION },
		{ JOB_INVALIDATE, SEC, CONN_STANDALONE, UTD, 1, ERR_APV_TOO_LOW },
		{ JOB_CONNECT, SEC, CONN_CONNECTING, UTD, 0, ERR_NET_CONFIGURED },
		{ JOB_CONNECT, ROLE_PRIMARY, CONN_STANDALONE, UTD, 1, ERR_DISCARD_IMPOSSIBLE },
	};

	for (int i = 0; i < (int)ARRAY_SIZE(rows); i++) {
		struct core_job job = {
			.type = rows[i].type, .dev = &M.dev, .conn = &M.conn, .pd = &M.pd, .flag = rows[i].flag,
		};
		struct core_event ev = { .type = EV_JOB, .job = &job };

		model();
		set(rows[i].role, rows[i].cstate, REPL_OFF, rows[i].disk, DISK_UNKNOWN);
		core_step(&M.res, &ev, 1, 1);
		T_EQ(job.result, rows[i].result);
		T_OK(job.text[0]);
		T_EQ(M.dev.now.disk, rows[i].disk);
		T_EQ(M.conn.now.cstate, rows[i].cstate);
	}
}

/* --- fencing ------------------------------------------------------------------------ */

/* behaviour.md 7.2: what the answers of fence-peer lead to on a frozen Primary. */
static void fence_answers(void)
{
	static const struct {
		s32 status;
		u8 disk, pdsk, own;
		bool frozen;
	} rows[] = {
		{ 3, UTD, INC, UTD, false },
		{ 4, UTD, DISK_OUTDATED, UTD, false },
		{ 5, UTD, DISK_OUTDATED, UTD, false },
		{ 5, DISK_CONSISTENT, DISK_UNKNOWN, DISK_CONSISTENT, true },
		{ 6, UTD, DISK_UNKNOWN, DISK_OUTDATED, true },
		{ 7, UTD, DISK_OUTDATED, UTD, false },
		{ 0, UTD, DISK_UNKNOWN, UTD, true },
		{ 1, UTD, DISK_UNKNOWN, UTD, true },
		{ 137, UTD, DISK_UNKNOWN, UTD, true },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct core_event ev = { .type = EV_HELPER_DONE, .conn = &M.conn, .status = rows[i].status };
		u32 stale;

		for (stale = 0; stale < 2; stale++) {
			model();
			M.conn.conf.fencing_policy = FENCING_RESOURCE_AND_STONITH;
			set(PRI, CONN_CONNECTING, REPL_OFF, rows[i].disk, DISK_UNKNOWN);
			M.res.now.susp_fen = M.res.next.susp_fen = true;
			M.conn.fence_runs = true;
			M.conn.outage = 2;
			M.conn.fence_outage = stale ? 1 : 2;
			core_step(&M.res, &ev, 1, 1);
			T_OK(!M.conn.fence_runs);
			if (stale) {
				/* the link came and went meanwhile: this answer is for another outage */
				T_EQ(M.pd.now.pdsk, DISK_UNKNOWN);
				T_EQ(M.dev.now.disk, rows[i].disk);
				T_OK(M.res.now.susp_fen);
				continue;
			}
			if (M.pd.now.pdsk != rows[i].pdsk || M.dev.now.disk != rows[i].own ||
			    M.res.now.susp_fen != rows[i].frozen)
				t_fail(__FILE__, __LINE__, "exit code %d: disks %s/%s, %s", rows[i].status,
				       core_disk_name(M.dev.now.disk), core_disk_name(M.pd.now.pdsk),
				       M.res.now.susp_fen ? "frozen" : "thawed");
		}
	}
}

static bool asked_for(u8 action, u8 helper)
{
	u32 i;

	for (i = 0; i < M.res.nr_actions; i++)
		if (M.actions[i].type == action && M.actions[i].helper == helper)
			return true;
	return false;
}

/* Who is called, and what freezes, when the link of a Primary breaks. */
static void fence_policies(void)
{
	static const struct {
		u8 role, policy, pdsk;
		bool called, frozen;
	} rows[] = {
		{ PRI, FENCING_DONT_CARE, UTD, false, false },
		{ PRI, FENCING_RESOURCE_ONLY, UTD, true, false },
		{ PRI, FENCING_RESOURCE_AND_STONITH, UTD, true, true },
		{ PRI, FENCING_RESOURCE_AND_STONITH, DISK_OUTDATED, false, false },
		{ PRI, FENCING_RESOURCE_AND_STONITH, INC, false, false },
		{ SEC, FENCING_RESOURCE_AND_STONITH, UTD, false, false },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct core_event ev = { .type = EV_LINK_DOWN, .conn = &M.conn,
					 .down.reason = CONN_NETWORK_FAILURE };

		model();
		M.conn.conf.fencing_policy = rows[i].policy;
		set(rows[i].role, CONN_CONNECTED, rows[i].pdsk == INC ? REPL_SYNC_SOURCE : REPL_ESTABLISHED,
		    UTD, rows[i].pdsk);
		M.conn.link = LINK_UP;
		core_step(&M.res, &ev, 1, 1);
		if (asked_for(ACT_HELPER, HELPER_FENCE_PEER) != rows[i].called ||
		    M.res.now.susp_fen != rows[i].frozen)
			t_fail(__FILE__, __LINE__, "row %u: %s, %s", i,
			       rows[i].called ? "not called" : "called",
			       M.res.now.susp_fen ? "frozen" : "not frozen");
	}
}

/*
 * The peer is back with the same data: what it has not acknowledged is sent again
 * before a plan lets new writes in, or an old write would overwrite a newer one there.
 */
static void resend_before_new_writes(void)
{
	struct core_event ev = { .type = EV_STATE, .conn = &M.conn, .dev = &M.dev, .pd = &M.pd };
	bool resent = false;
	u32 i, open = 0;

	model();
	M.conn.conf.fencing_policy = FENCING_RESOURCE_AND_STONITH;
	set(PRI, CONN_CONNECTED, REPL_OFF, UTD, DISK_UNKNOWN);
	M.res.now.susp_fen = M.res.next.susp_fen = true;
	M.conn.link = LINK_HANDSHAKE;
	M.conn.legs_held = true;
	M.pd.got_uuids = true;
	M.dev.md.current_uuid = M.pd.peer_uuids.current_uuid = M.pd.sent_uuids.current_uuid = A;
	ev.state = (struct wire_state){ .role = SEC, .peer = ROLE_UNKNOWN, .conn = CONN_CONNECTED,
					.disk = UTD, .pdsk = DISK_UNKNOWN };
	core_step(&M.res, &ev, 1, 1);
	T_OK(!M.res.now.susp_fen);
	for (i = 0; i < M.res.nr_actions; i++) {
		resent |= M.actions[i].type == ACT_RESOLVE_RESEND;
		if (M.actions[i].type == ACT_PLAN && M.actions[i].plan.write_admission == PLAN_OPEN) {
			T_OK(resent);
			open++;
		}
	}
	T_OK(resent && open == 1);
}

const struct c_test state_tests[] = {
	{ "fence: resend before new writes", resend_before_new_writes },
	{ "generation: who was Primary", rotation_tells_who_was_primary },
	{ "fence answers", fence_answers },
	{ "fence policies", fence_policies },
	{ "jobs: refused", refused_jobs },
	{ "compare84: rows", compare_rows },
	{ "compare84: repairs", compare_repairs },
	{ "compare84: symmetric", compare_is_symmetric },
	{ "policies: rows", policy_rows },
	{ "sanitize: clamps", sanitize_clamps },
	{ "sanitize: without link", sanitize_without_link },
	{ "sanitize: agreement", sanitize_agrees },
	{ "sanitize: negotiating disk", sanitize_negotiating },
	{ "soft rules", soft_rules },
	{ "plan: one leg for each state", one_leg_each },
	{ "plan: no success without data", success_needs_data },
	{ "generations: a life", rotation_in_a_life },
	{ "generations: a target", rotation_of_a_target },
	{ "generations: strangers", rotation_of_strangers },
	{ NULL, NULL },
};
