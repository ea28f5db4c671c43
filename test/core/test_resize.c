// SPDX-License-Identifier: GPL-2.0-only
/* Sizes that change: what is asked and answered, and metadata that move. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include "harness.h"
#include "../../kernel/core/state/internal.h"

/* --- the bitmap ------------------------------------------------------------------------ */

static void bitmap_grows_and_shrinks(void)
{
	static const u64 sizes[][2] = {	/* sectors before, after */
		{ 84, 92 }, { 84, 8 * 4096 }, { 8 * 32768, 8 * 32769 }, { 8 * 100000, 8 * 64 }, { 8 * 65, 8 * 63 },
	};
	u32 i, slots;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (slots = 1; slots <= 3; slots++) {
			u64 before = core_div_up(sizes[i][0], 8), after = core_div_up(sizes[i][1], 8), bit;
			struct bitmap *bm = t_bitmap(max(sizes[i][0], sizes[i][1]), slots, 12);
			u32 all = bm->nr_pages, n = 0, p;

			drbd_bitmap_init(bm, bm->page, bm->page_flags, sizes[i][0], slots, 12);
			/* what the disk has behind the end must not come up again */
			for (p = 0; p < all; p++)
				memset(bm->page[p], 0xff, BITMAP_PAGE);
			drbd_bitmap_recount(bm, 0, bm->nr_pages - 1);
			for (p = bm->nr_pages; p < all; p++)
				memset(bm->page[p], 0, BITMAP_PAGE);
			for (bit = 0; bit < before; bit++)
				if (bit % 3)
					drbd_bitmap_clear(bm, slots - 1, bit, bit);
			drbd_bitmap_lock(bm, slots - 1, BITMAP_NO_CLEAR);
			drbd_bitmap_set_capacity(bm, bm->page, bm->page_flags, sizes[i][1]);
			T_EQ(bm->bits, after);
			T_EQ(bm->lock[slots - 1], BITMAP_NO_CLEAR);
			for (bit = 0; bit < after; bit++) {
				bool want = bit < before && bit % 3 == 0;

				T_EQ(drbd_bitmap_test(bm, slots - 1, bit), want);
				n += want;
			}
			T_EQ(bm->weight[slots - 1], n);
			/* and back: what fell away is gone */
			drbd_bitmap_set_capacity(bm, bm->page, bm->page_flags, sizes[i][0]);
			T_EQ(drbd_bitmap_count(bm, slots - 1, 0, before - 1), bm->weight[slots - 1]);
			if (after < before)
				T_EQ(drbd_bitmap_next_set(bm, slots - 1, after, before - 1), BITMAP_NONE);
			bm->nr_pages = all;
			t_bitmap_free(bm);
		}
}

/* --- metadata that move, and crashes in between ------------------------------------------ */

#define SECTORS_4K 8u
#define OLD_BYTES (1u << 20)
#define MAX_BYTES (3u << 20)
#define EXTENTS 300u
#define MAX_IO 600u

static struct {
	u8 *disk;
	u32 n;
	struct {
		u64 sector;
		u8 step;
		u8 block[MD_BLOCK];
	} io[MAX_IO];
	struct act_log al;
	struct al_slot slot[EXTENTS];
	u32 extent[EXTENTS];
	u16 hash[512];
	u8 bitmap[64][MD_BLOCK];
	u32 slots[AL_REPLAY_SLOTS];
} V;

static void plan_io(u64 sector, u8 step, const void *block)
{
	T_OK(V.n < MAX_IO);
	V.io[V.n].sector = sector;
	V.io[V.n].step = step;
	memcpy(V.io[V.n++].block, block, MD_BLOCK);
}

static void plan_superblock(const struct md_superblock *now, const struct md_layout *to, u8 step,
			    bool mark)
{
	struct md_superblock sb = *now;
	u8 block[MD_BLOCK];

	drbd_md_move_place(&sb, to);
	if (mark)
		drbd_md_move_mark(&sb);
	drbd_md_encode(&sb, block, true);
	plan_io(to->sb_sector, step, block);
}

static void plan_ring(const struct md_layout *to, u8 step)
{
	u8 block[MD_BLOCK];
	u32 i, tr;

	for (i = 0; i < MD_AL_STRIPE_4K_DEFAULT; i++) {
		tr = drbd_al_repeat(&V.al, block);
		plan_io(to->al_sector + (u64)drbd_al_ring_block(tr, 1, MD_AL_STRIPE_4K_DEFAULT) * SECTORS_4K,
			step, block);
	}
}

static void plan_bitmap(const struct md_layout *to, u32 pages, u8 step)
{
	u32 i;

	for (i = 0; i < pages; i++)
		plan_io(to->bm_sector + (u64)i * SECTORS_4K, step, V.bitmap[i]);
}

static void write_io(u32 i)
{
	memcpy(V.disk + V.io[i].sector * SECTOR_BYTES, V.io[i].block, MD_BLOCK);
}

static void write_all(void)
{
	u32 i;

	for (i = 0; i < V.n; i++)
		write_io(i);
	V.n = 0;
}

/* What an attach, or the tools, find where a device of this size ends. */
static bool find(u64 bytes, struct md_superblock *sb, struct md_layout *l)
{
	u64 sector;

	return !drbd_md_sb_sector(MD_INDEX_INTERNAL, bytes, &sector) &&
	       !drbd_md_decode(V.disk + sector * SECTOR_BYTES, sb) &&
	       !drbd_md_layout_check(sb, MD_INDEX_INTERNAL, bytes, l);
}

static void is_whole(const struct md_layout *l, u32 pages)
{
	struct al_replay r;
	u32 i, slot = 0, n = 0;

	T_OK(!memcmp(V.disk + l->bm_sector * SECTOR_BYTES, V.bitmap, (size_t)pages * MD_BLOCK));
	drbd_al_replay_init(&r, MD_AL_STRIPE_4K_DEFAULT, V.slots);
	for (i = 0; i < r.n; i++)
		drbd_al_replay_scan(&r, i, V.disk + l->al_sector * SECTOR_BYTES + (size_t)i * MD_BLOCK);
	T_EQ(drbd_al_replay_decide(&r), AL_REPLAY_EXTENTS);
	for (i = 0; i < drbd_al_replay_count(&r); i++)
		drbd_al_replay_apply(&r, V.disk + l->al_sector * SECTOR_BYTES +
				     (size_t)((drbd_al_replay_first(&r) + i) % r.n) * MD_BLOCK);
	while (drbd_al_replay_next(&r, &slot) != AL_FREE)
		n++;
	T_EQ(n, EXTENTS);
}

static void crash_at_any_point(enum md_format format, u64 new_bytes, bool touches)
{
	struct md_shape shape = { MD_INDEX_INTERNAL, 1, 4096, 1, MD_AL_STRIPE_4K_DEFAULT };
	struct md_superblock sb, found;
	struct md_layout from, to, at;
	u8 steps[MD_MOVE_STEPS], *before = malloc(MAX_BYTES);
	u32 i, k, n, pages, marks = 0, whole = 0, old = 0;
	struct t_random r;

	t_seed(&r, new_bytes);
	T_EQ(drbd_md_layout(&shape, OLD_BYTES, &from), MD_OK);
	T_EQ(drbd_md_layout(&shape, new_bytes, &to), MD_OK);
	pages = (u32)(from.bm_sectors / SECTORS_4K);
	drbd_md_init(&sb, format, 1);
	drbd_md_move_place(&sb, &from);
	sb.effective_size = from.capacity;
	sb.current_uuid = 0xabcd;
	sb.flags = MDF_CONSISTENT | MDF_WAS_UP_TO_DATE | MDF_PRIMARY_IND;
	sb.peer[format == MD_V08 ? 0 : 1].bitmap_index = 0;
	memset(V.disk, 0x5a, MAX_BYTES);
	drbd_al_init(&V.al, V.slot, V.extent, EXTENTS, V.hash, ARRAY_SIZE(V.hash));
	for (i = 0; i < EXTENTS; i++)
		V.extent[i] = i + 7;
	V.n = 0;
	plan_ring(&from, 0);
	plan_bitmap(&from, pages, 0);
	plan_superblock(&sb, &from, 0, false);
	write_all();
	T_OK(find(OLD_BYTES, &found, &at));
	is_whole(&at, pages);

	n = drbd_md_move_steps(&from, &to, steps);
	T_EQ(steps[0] == MD_MOVE_MARK, touches);
	for (i = 0; i < n; i++) {
		if (steps[i] == MD_MOVE_MARK || steps[i] == MD_MOVE_SUPERBLOCK)
			plan_superblock(&sb, &to, (u8)i, steps[i] == MD_MOVE_MARK);
		else if (steps[i] == MD_MOVE_RING)
			plan_ring(&to, (u8)i);
		else
			plan_bitmap(&to, pages, (u8)i);
	}
	memcpy(before, V.disk, MAX_BYTES);
	for (k = 0; k <= 3 * V.n; k++) {
		u32 stop = k / 3;

		/* all of earlier steps, any of the step in which the crash comes */
		memcpy(V.disk, before, MAX_BYTES);
		for (i = 0; i < V.n && stop; i++)
			if (V.io[i].step < V.io[stop - 1].step ||
			    (V.io[i].step == V.io[stop - 1].step && (i < stop ? i == stop - 1 || t_below(&r, 2) : 0)))
				write_io(i);
		if (find(new_bytes, &found, &at)) {
			bool mark = found.peer[format == MD_V08 ? 0 : 1].flags & MDF_PEER_FULL_SYNC;

			T_OK(!(mark && found.flags & MDF_PRIMARY_IND));
			T_OK(found.flags & (MDF_PRIMARY_IND | MDF_CRASHED_PRIMARY));
			if (!mark)
				is_whole(&at, pages);
			marks += mark;
			whole += !mark;
		} else {
			T_OK(find(OLD_BYTES, &found, &at));
			is_whole(&at, pages);
			old++;
		}
	}
	T_OK(whole && (touches ? marks > 0 : !marks && old > 0));
	free(before);
}

static void metadata_move(void)
{
	static const struct {
		u64 bytes;
		bool touches;
	} rows[] = {
		{ OLD_BYTES + 4096, true }, { OLD_BYTES + 20480, true }, { OLD_BYTES + 36864, true },
		{ OLD_BYTES + 65536, false }, { 2 * OLD_BYTES, false }, { MAX_BYTES, false },
		{ OLD_BYTES - 8192, true }, { OLD_BYTES / 2, false },
	};
	u32 i;

	V.disk = malloc(MAX_BYTES);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		crash_at_any_point(MD_V08, rows[i].bytes, rows[i].touches);
		crash_at_any_point(MD_V09, rows[i].bytes, rows[i].touches);
	}
	free(V.disk);
}

static void metadata_stay(void)
{
	struct md_shape shape = { MD_INDEX_INTERNAL, 1, 4096, 1, MD_AL_STRIPE_4K_DEFAULT };
	struct md_layout l;
	u8 steps[MD_MOVE_STEPS];

	T_EQ(drbd_md_layout(&shape, OLD_BYTES, &l), MD_OK);
	T_EQ(drbd_md_move_steps(&l, &l, steps), 2);
	T_EQ(steps[0], MD_MOVE_CHANGED);
	T_EQ(steps[1], MD_MOVE_SUPERBLOCK);
}

/* --- requests and answers ------------------------------------------------------------------ */

static struct {
	struct core_resource res;
	struct core_connection conn;
	struct core_device dev;
	struct core_peer_device pd;
	struct core_action actions[CORE_ACTIONS_FOR(1)];
	struct core_job job;
} M;

static void step(struct core_event *ev)
{
	ev->conn = &M.conn;
	ev->dev = &M.dev;
	ev->pd = &M.pd;
	ev->job = &M.job;
	core_step(&M.res, ev, 1, 1);
}

static void run_job(struct core_job job)
{
	struct core_event ev = { .type = EV_JOB };

	M.job = job;
	M.job.conn = &M.conn;
	M.job.dev = &M.dev;
	M.job.pd = &M.pd;
	step(&ev);
}

/* We are Primary with 1000 of 1000 sectors, the peer too; both may grow to 2000. */
static void ready(void)
{
	struct core_event ev = { .type = EV_JOB };
	struct nl_resource_opts opts;
	struct nl_net_conf net;

	memset(&M, 0, sizeof(M));
	nl_resource_opts_defaults(&opts);
	nl_net_conf_defaults(&net);
	core_resource_init(&M.res, "r0", 0, &opts, 1);
	M.res.actions = M.actions;
	M.res.max_actions = ARRAY_SIZE(M.actions);
	core_device_init(&M.dev, &M.res, 0, 0);
	core_connection_init(&M.conn, &M.res, 1, &net);
	core_peer_device_init(&M.pd, &M.conn, &M.dev);
	M.job = (struct core_job){ .type = JOB_ADD_DEVICE, .dev = &M.dev };
	step(&ev);
	M.job = (struct core_job){ .type = JOB_ADD_CONNECTION, .conn = &M.conn, .pd = &M.pd };
	step(&ev);
	M.res.now.role = M.res.next.role = ROLE_PRIMARY;
	M.dev.md.peer[1].bitmap_index = 0;
	M.dev.size = M.dev.d_size = M.dev.md.effective_size = 1000;
	M.dev.offer = 2000;
	M.dev.backing_max_bio = 4096;
	M.conn.wire = (struct wire_link){ .version = 101, .phase = PHASE_CONNECTED };
	M.conn.link = LINK_UP;
	M.conn.now.cstate = M.conn.next_state.cstate = CONN_CONNECTED;
	M.conn.now.peer_role = M.conn.next_state.peer_role = ROLE_SECONDARY;
	M.pd.decided = M.pd.got_sizes = true;
	M.pd.peer_sizes = (struct wire_sizes){ .d_size = 2000, .c_size = 1000 };
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

static bool sent_sizes(struct wire_sizes *s)
{
	struct packet_header hdr = { .cmd = P_SIZES, .length = 32 };
	u32 i;

	for (i = 0; i < M.res.nr_actions; i++)
		if (M.actions[i].type == ACT_SEND && M.actions[i].packet.cmd == P_SIZES)
			return !drbd_wire_get_sizes(&M.conn.wire, &hdr, M.actions[i].packet.body, s);
	return false;
}

static void resize_done(u64 size, s32 code)
{
	struct core_event ev = { .type = EV_RESIZED, .ok = !code,
				 .resized = { .size = size, .d_size = 2000, .code = code } };

	step(&ev);
}

static void peer_says(u64 d_size, u64 u_size, u64 c_size, u16 flags)
{
	struct core_event ev = { .type = EV_SIZES, .sizes = {
		.d_size = d_size, .u_size = u_size, .c_size = c_size, .dds_flags = flags,
		.max_bio_size = 4096 } };

	step(&ev);
}

/* We grow, ask, and copy when the peer has answered; writes go there all the time. */
static void grows_by_request(void)
{
	const struct core_action *a;
	struct wire_sizes s;

	ready();
	run_job((struct core_job){ .type = JOB_RESIZE });
	a = action(ACT_RESIZE);
	T_OK(a && a->sectors == 2000 && a->stop == 1000);
	T_OK(!sent_sizes(&s) && M.job.result == RES_PENDING && M.dev.size == 1000);
	resize_done(2000, 0);
	T_EQ(M.job.result, RES_SUCCESS);
	T_EQ(M.dev.size, 2000);
	T_EQ(M.dev.md.effective_size, 2000);
	T_EQ(M.dev.plan.capacity, 2000);
	T_OK(action(ACT_SET_SIZE) && sent_sizes(&s));
	T_OK(s.d_size == 2000 && s.u_size == 0 && s.c_size == 0 && s.dds_flags == 0);
	T_EQ(M.pd.now.repl, REPL_ESTABLISHED);
	peer_says(2000, 0, 2000, 0);
	T_EQ(M.pd.now.repl, REPL_SYNC_SOURCE);
	T_EQ(M.pd.now.pdsk, DISK_INCONSISTENT);
	T_EQ(M.dev.plan.peer[0].leg, PLAN_DATA);
	T_OK(!sent_sizes(&s) && action(ACT_GO_ON) && !action(ACT_SEND_BITMAP));
}

/* The peer asks: what it sends next is for the new size, so it waits. */
static void grows_for_the_peer(void)
{
	struct wire_sizes s;

	ready();
	M.res.now.role = M.res.next.role = ROLE_SECONDARY;
	M.conn.now.peer_role = M.conn.next_state.peer_role = ROLE_PRIMARY;
	peer_says(3000, 0, 0, 0);
	T_OK(action(ACT_RESIZE) && !action(ACT_GO_ON));
	resize_done(2000, 0);
	T_OK(sent_sizes(&s) && s.c_size == 2000 && s.d_size == 2000 && action(ACT_GO_ON));
	T_EQ(M.pd.now.repl, REPL_WF_SYNC_UUID);
	T_EQ(M.dev.now.disk, DISK_OUTDATED);
}

/* The peer's disk grew without our knowing: its answer says so. */
static void grows_with_the_answer(void)
{
	struct wire_sizes s;

	ready();
	M.pd.peer_sizes.d_size = 1000;
	run_job((struct core_job){ .type = JOB_RESIZE });
	/* the metadata go where the disk ends */
	T_EQ(action(ACT_RESIZE)->sectors, 1000);
	resize_done(1000, 0);
	T_OK(M.job.result == RES_SUCCESS && sent_sizes(&s) && s.d_size == 2000);
	peer_says(2000, 0, 2000, 0);
	T_EQ(action(ACT_RESIZE)->sectors, 2000);
	resize_done(2000, 0);
	T_EQ(M.pd.now.repl, REPL_SYNC_SOURCE);
	T_OK(sent_sizes(&s) && s.c_size == 2000);
}

static void assume_clean(void)
{
	struct wire_sizes s;

	ready();
	run_job((struct core_job){ .type = JOB_RESIZE, .flag = true });
	T_EQ(action(ACT_RESIZE)->stop, 2000);	/* no bit is set */
	resize_done(2000, 0);
	T_OK(sent_sizes(&s) && s.dds_flags == DDS_NO_RESYNC);
	peer_says(2000, 0, 2000, DDS_NO_RESYNC);
	T_EQ(M.pd.now.repl, REPL_ESTABLISHED);
	T_OK(!M.dev.grown);
}

static void shrinks_when_told(void)
{
	struct wire_sizes s;

	ready();
	run_job((struct core_job){ .type = JOB_RESIZE, .start = 600 });
	T_EQ(action(ACT_RESIZE)->sectors, 600);
	resize_done(600, 0);
	T_OK(sent_sizes(&s) && s.u_size == 600 && M.dev.plan.capacity == 600);
	peer_says(2000, 600, 600, 0);
	T_EQ(M.pd.now.repl, REPL_ESTABLISHED);
	T_OK(M.conn.link == LINK_UP && !action(ACT_RESIZE));
	/* the peer's turn */
	ready();
	peer_says(2000, 600, 0, 0);
	T_EQ(action(ACT_RESIZE)->sectors, 600);
	T_EQ(M.dev.conf.disk_size, 600);
	/* a smaller disk is not a wish */
	ready();
	peer_says(600, 0, 0, 0);
	T_OK(!action(ACT_RESIZE) && M.conn.link == LINK_DRAINING && M.conn.want_standalone);
}

static void resize_refused(void)
{
	static const struct {
		u64 size;
		bool force, secondary, verify, apart, small_peer, shrunk_disk, diskless;
		s32 code;
	} rows[] = {
		{ .secondary = true, .code = ERR_NO_PRIMARY },
		{ .verify = true, .code = ERR_RESIZE_RESYNC },
		{ .size = 2001, .code = ERR_DISK_TOO_SMALL },
		{ .size = 1500, .small_peer = true, .code = ERR_DISK_TOO_SMALL },
		{ .size = 1500, .apart = true, .code = ERR_DISK_TOO_SMALL },
		{ .shrunk_disk = true, .code = ERR_IMPLICIT_SHRINK },
		{ .diskless = true, .code = ERR_NO_DISK },
		{ .size = 1500, .apart = true, .force = true, .code = RES_PENDING },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		ready();
		if (rows[i].secondary)
			M.res.now.role = M.res.next.role = ROLE_SECONDARY;
		if (rows[i].verify)
			M.pd.now.repl = M.pd.next.repl = REPL_VERIFY_S;
		if (rows[i].small_peer)
			M.pd.peer_sizes.d_size = 1400;
		if (rows[i].shrunk_disk)
			M.dev.offer = 900;
		if (rows[i].diskless)
			M.dev.now.disk = M.dev.next_state.disk = DISK_DISKLESS;
		if (rows[i].apart) {
			M.conn.link = LINK_DOWN;
			M.conn.now.cstate = M.conn.next_state.cstate = CONN_CONNECTING;
			M.pd.now.repl = M.pd.next.repl = REPL_OFF;
		}
		run_job((struct core_job){ .type = JOB_RESIZE, .start = rows[i].size, .force = rows[i].force });
		if (M.job.result != rows[i].code)
			t_fail(__FILE__, __LINE__, "row %u: %d, want %d (%s)", i, M.job.result, rows[i].code, M.job.text);
		T_EQ(!action(ACT_RESIZE), rows[i].code != RES_PENDING);
		T_OK(rows[i].code == RES_PENDING || M.dev.conf.disk_size == 0);
	}
}

/* Apart: nothing grows before the peer is heard, or the administrator answers for it. */
static void resize_alone(void)
{
	ready();
	M.conn.link = LINK_DOWN;
	M.conn.now.cstate = M.conn.next_state.cstate = CONN_CONNECTING;
	M.pd.now.repl = M.pd.next.repl = REPL_OFF;
	M.dev.now.gen_pending = M.dev.next_state.gen_pending = true;
	run_job((struct core_job){ .type = JOB_RESIZE });
	T_EQ(action(ACT_RESIZE)->sectors, 1000);
	resize_done(1000, 0);
	T_EQ(M.job.result, RES_SUCCESS);
	T_OK(M.job.text[0] && !M.dev.gen_writing);
	run_job((struct core_job){ .type = JOB_RESIZE, .force = true });
	T_EQ(action(ACT_RESIZE)->sectors, 2000);
	resize_done(2000, 0);
	T_OK(M.job.result == RES_SUCCESS && !M.dev.grown);
	T_OK(M.dev.gen_writing && action(ACT_WRITE_MD));	/* the peer lacks what is new */
}

static void resize_fails(void)
{
	ready();
	run_job((struct core_job){ .type = JOB_RESIZE });
	resize_done(2000, ERR_NOMEM);
	T_EQ(M.job.result, ERR_NOMEM);
	T_OK(M.dev.size == 1000 && M.conn.link == LINK_UP);
	ready();
	peer_says(3000, 0, 0, 0);
	resize_done(2000, ERR_NOMEM);
	T_OK(M.dev.size == 1000 && M.conn.want_standalone && M.conn.link == LINK_DRAINING);
}

/* Both administrators at once: each follows the other's wish behind its own. */
static void resize_at_both_ends(void)
{
	ready();
	run_job((struct core_job){ .type = JOB_RESIZE });
	peer_says(2000, 0, 0, 0);
	T_OK(!action(ACT_RESIZE) && !action(ACT_GO_ON));
	resize_done(2000, 0);
	T_OK(action(ACT_GO_ON) && M.job.result == RES_SUCCESS);
	peer_says(2000, 0, 2000, 0);
	T_EQ(M.pd.now.repl, REPL_SYNC_SOURCE);
}

const struct c_test resize_tests[] = {
	{ "resize: bitmap", bitmap_grows_and_shrinks },
	{ "resize: metadata move", metadata_move },
	{ "resize: metadata stay", metadata_stay },
	{ "resize: asked here", grows_by_request },
	{ "resize: asked by the peer", grows_for_the_peer },
	{ "resize: grows with the answer", grows_with_the_answer },
	{ "resize: assume clean", assume_clean },
	{ "resize: smaller", shrinks_when_told },
	{ "resize: refused", resize_refused },
	{ "resize: alone", resize_alone },
	{ "resize: fails", resize_fails },
	{ "resize: at both ends", resize_at_both_ends },
	{ NULL, NULL },
};
