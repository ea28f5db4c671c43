// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of one volume with one peer: jobs, errors and handshakes from their first
 * event to their last, with what glue answers in between. Each test is about an order
 * that must be kept, or about who is refused what.
 */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include "harness.h"
#include "../../kernel/core/state/internal.h"

#define UTD DISK_UP_TO_DATE
#define INC DISK_INCONSISTENT
#define PRI ROLE_PRIMARY
#define SEC ROLE_SECONDARY
#define A 0xa0ull
#define B 0xb0ull

#define MAX_DONE 256

static struct {
	struct core_resource res;
	struct core_connection conn;
	struct core_device dev;
	struct core_peer_device pd;
	struct core_action actions[CORE_ACTIONS_FOR(1)];
	struct core_job job;
	struct core_attach attach;
	/* what core asked for, in order; for packets the command */
	struct {
		u8 type;
		u16 cmd;
		u8 helper;
	} done[MAX_DONE];
	u32 n_done;
	/* what glue is asked for and has not answered */
	struct core_event answers[64];
	u32 n_answers;
	u32 withheld;		/* bits: types of action that are not answered */
	u32 openers;
	s32 helper_status;
	bool md_fails, bits_fail;
	u64 now;
} L;

static void expect(u8 action, struct core_event ev)
{
	if (L.withheld >> action & 1)
		return;
	T_OK(L.n_answers < ARRAY_SIZE(L.answers));
	L.answers[L.n_answers++] = ev;
}

/* What glue does about an action. */
static void note(const struct core_action *a)
{
	T_OK(L.n_done < MAX_DONE);
	L.done[L.n_done].type = a->type;
	L.done[L.n_done].cmd = a->type == ACT_SEND || a->type == ACT_SEND_META ? a->packet.cmd : 0;
	L.done[L.n_done++].helper = a->helper;
	switch (a->type) {
	case ACT_WRITE_MD:
		expect(a->type, (struct core_event){ .type = EV_MD_WRITTEN, .dev = &L.dev,
						     .ok = !L.md_fails, .md_gen = a->md_gen });
		break;
	case ACT_WRITE_BITMAP:
		expect(a->type, (struct core_event){ .type = EV_BITMAP_WRITTEN, .dev = &L.dev, .ok = true });
		break;
	case ACT_SET_ALL_BITS:
		expect(a->type, (struct core_event){ .type = EV_BITS_SET, .dev = &L.dev, .pd = a->pd,
						     .conn = &L.conn, .ok = !L.bits_fail });
		break;
	case ACT_DRAIN:
		expect(a->type, (struct core_event){ .type = EV_DRAINED, .dev = &L.dev });
		break;
	case ACT_BLOCK_OPENS:
		expect(a->type, (struct core_event){ .type = EV_OPENERS, .dev = &L.dev, .openers = L.openers });
		break;
	case ACT_CLOSE_DISK:
		expect(a->type, (struct core_event){ .type = EV_DISK_CLOSED, .dev = &L.dev });
		break;
	case ACT_PING:
		expect(a->type, (struct core_event){ .type = EV_PING_ACK, .conn = &L.conn });
		break;
	case ACT_DROP_LINK:
		expect(a->type, (struct core_event){ .type = EV_LINK_DRAINED, .conn = &L.conn });
		break;
	case ACT_STOP_RECEIVER:
		expect(a->type, (struct core_event){ .type = EV_RECEIVER_EXIT, .conn = &L.conn });
		break;
	case ACT_HELPER:
		if (a->wait)
			expect(a->type, (struct core_event){ .type = EV_HELPER_DONE, .dev = &L.dev,
							     .pd = a->pd, .conn = a->pd ? NULL : a->conn,
							     .status = L.helper_status });
		break;
	}
}

static void one(const struct core_event *ev)
{
	u32 i;

	core_step(&L.res, ev, ++L.now, 1);
	for (i = 0; i < L.res.nr_actions; i++)
		note(&L.actions[i]);
}

/* The event, and all that follows from the answers of glue. */
static void happens(struct core_event ev)
{
	u32 i;

	one(&ev);
	for (i = 0; i < L.n_answers; i++)
		one(&L.answers[i]);
	L.n_answers = 0;
}

/* What was withheld comes now. */
static void comes(struct core_event ev)
{
	L.withheld = 0;
	happens(ev);
}

static void both(u8 role, u8 cstate, u8 repl, u8 disk, u8 pdsk)
{
	L.res.now.role = L.res.next.role = role;
	L.conn.now.cstate = L.conn.next_state.cstate = cstate;
	L.pd.now.repl = L.pd.next.repl = repl;
	L.dev.now.disk = L.dev.next_state.disk = disk;
	L.pd.now.pdsk = L.pd.next.pdsk = pdsk;
}

static void configured(void)
{
	struct nl_resource_opts opts;
	struct nl_net_conf net;

	memset(&L, 0, sizeof(L));
	L.now = 1000;
	nl_resource_opts_defaults(&opts);
	nl_net_conf_defaults(&net);
	core_strcopy(net.name, "bravo", sizeof(net.name));
	core_resource_init(&L.res, "r0", 0, &opts, 1);
	L.res.actions = L.actions;
	L.res.max_actions = ARRAY_SIZE(L.actions);
	core_device_init(&L.dev, &L.res, 0, 0);
	core_connection_init(&L.conn, &L.res, 1, &net);
	core_peer_device_init(&L.pd, &L.conn, &L.dev);
	L.job = (struct core_job){ .type = JOB_ADD_DEVICE, .dev = &L.dev };
	happens((struct core_event){ .type = EV_JOB, .job = &L.job });
	L.job = (struct core_job){ .type = JOB_ADD_CONNECTION, .conn = &L.conn, .pd = &L.pd };
	happens((struct core_event){ .type = EV_JOB, .job = &L.job });
	L.n_done = 0;
}

static void with_disk(void)
{
	L.dev.md.format = MD_V09;
	L.dev.md.peer[1].bitmap_index = 0;
	L.dev.md.current_uuid = A;
	L.dev.md.flags = MDF_CONSISTENT | MDF_WAS_UP_TO_DATE;
	L.dev.d_size = L.dev.size = L.dev.md.effective_size = 8192;
}

/* Alone with an UpToDate disk; or connected to a peer that has one. */
static void alone(u8 role)
{
	configured();
	with_disk();
	both(role, CONN_STANDALONE, REPL_OFF, UTD, DISK_UNKNOWN);
	L.dev.md.flags = md_flags_of(&L.dev);
	change_commit(&L.res, "test");
	L.res.nr_actions = L.n_done = 0;
}

static void linked(u8 role)
{
	configured();
	with_disk();
	both(role, CONN_CONNECTED, REPL_ESTABLISHED, UTD, UTD);
	L.conn.link = LINK_UP;
	L.conn.receiver_runs = true;
	L.conn.wire.version = 101;
	L.conn.now.peer_role = L.conn.next_state.peer_role = SEC;
	L.pd.got_uuids = L.pd.decided = true;
	L.pd.peer_uuids.current_uuid = L.pd.sent_uuids.current_uuid = A;
	change_commit(&L.res, "test");
	L.res.nr_actions = L.n_done = 0;
}

static s32 job(u8 type)
{
	L.job = (struct core_job){ .type = type, .conn = &L.conn, .dev = &L.dev, .pd = &L.pd };
	happens((struct core_event){ .type = EV_JOB, .job = &L.job });
	return L.job.result;
}

static s32 forced(u8 type)
{
	L.job = (struct core_job){ .type = type, .conn = &L.conn, .dev = &L.dev, .pd = &L.pd,
				   .force = true };
	happens((struct core_event){ .type = EV_JOB, .job = &L.job });
	return L.job.result;
}

static void peer_says(s32 code)
{
	happens((struct core_event){ .type = EV_STATE_CHG_REPLY, .conn = &L.conn, .reply = code });
}

static void link_breaks(void)
{
	happens((struct core_event){ .type = EV_LINK_DOWN, .conn = &L.conn,
				     .down.reason = CONN_NETWORK_FAILURE });
}

static struct wire_state peer_state(u8 role, u8 conn, u8 disk, u8 pdsk)
{
	return (struct wire_state){ .role = role, .peer = SEC, .conn = conn, .disk = disk, .pdsk = pdsk };
}

static void state_comes(struct wire_state s)
{
	happens((struct core_event){ .type = EV_STATE, .conn = &L.conn, .dev = &L.dev, .pd = &L.pd,
				     .state = s });
}

static void time_passes(u64 ms)
{
	L.now += ms;
	happens((struct core_event){ .type = EV_TIMER });
}

static void uuids_come(u64 current)
{
	happens((struct core_event){ .type = EV_UUIDS, .conn = &L.conn, .dev = &L.dev, .pd = &L.pd,
				     .uuids = { .current_uuid = current } });
}

/* Place of the first action of this kind since the test began; -1 if there was none. */
static int at(u8 type)
{
	u32 i;

	for (i = 0; i < L.n_done; i++)
		if (L.done[i].type == type)
			return (int)i;
	return -1;
}

static bool sent(u16 cmd)
{
	u32 i;

	for (i = 0; i < L.n_done; i++)
		if (L.done[i].cmd == cmd)
			return true;
	return false;
}

static bool called(u8 helper)
{
	u32 i;

	for (i = 0; i < L.n_done; i++)
		if (L.done[i].type == ACT_HELPER && L.done[i].helper == helper)
			return true;
	return false;
}

#define WITHOUT(action) (1u << (action))

/* --- attach ------------------------------------------------------------------------------ */

static void good_attach(void)
{
	configured();
	nl_disk_conf_defaults(&L.attach.conf);
	drbd_md_init(&L.attach.md, MD_V09, 1);
	L.attach.md.node_id = 0;
	L.attach.md.effective_size = L.attach.d_size = 8192;
	L.attach.md.current_uuid = A;
	L.attach.md.flags = MDF_CONSISTENT | MDF_WAS_UP_TO_DATE | MDF_AL_CLEAN;
	L.attach.max_bio = 4096;
}

static s32 attach(void)
{
	L.job = (struct core_job){ .type = JOB_ATTACH, .dev = &L.dev, .conn = &L.conn, .pd = &L.pd,
				   .arg.attach = &L.attach };
	happens((struct core_event){ .type = EV_JOB, .job = &L.job });
	return L.job.result;
}

static void attach_ends_in_what_the_superblock_says(void)
{
	static const struct {
		u32 flags;
		bool fencing, peer_outdated;
		u8 disk;
	} rows[] = {
		{ MDF_CONSISTENT | MDF_WAS_UP_TO_DATE, false, false, UTD },
		{ MDF_CONSISTENT, false, false, DISK_OUTDATED },
		{ 0, false, false, INC },
		{ MDF_WAS_UP_TO_DATE, false, false, INC },
		{ MDF_CONSISTENT | MDF_WAS_UP_TO_DATE, true, false, DISK_CONSISTENT },
		{ MDF_CONSISTENT | MDF_WAS_UP_TO_DATE, true, true, UTD },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		good_attach();
		L.conn.conf.fencing_policy = rows[i].fencing ? FENCING_RESOURCE_ONLY : FENCING_DONT_CARE;
		L.attach.md.flags = rows[i].flags;
		L.attach.md.peer[1].flags = rows[i].peer_outdated ? MDF_PEER_OUTDATED : 0;
		T_EQ(attach(), RES_SUCCESS);
		T_EQ(L.dev.now.disk, rows[i].disk);
		T_EQ(L.dev.md.peer[1].bitmap_index, 0);	/* a slot was bound */
		T_EQ(at(ACT_SET_ALL_BITS), -1);
		T_EQ(L.dev.size, 8192);
		T_OK(!(L.dev.md.flags & MDF_AL_CLEAN));
	}
}

/* Before the superblock says "in use" the disk is in nobody's plan. */
static void attach_waits_for_the_superblock(void)
{
	good_attach();
	L.withheld = WITHOUT(ACT_WRITE_MD);
	T_EQ(attach(), RES_PENDING);
	T_EQ(L.dev.now.disk, DISK_ATTACHING);
	T_OK(!L.dev.plan.local_disk);
	comes((struct core_event){ .type = EV_MD_WRITTEN, .dev = &L.dev, .ok = true, .md_gen = L.dev.md_gen });
	T_EQ(L.job.result, RES_SUCCESS);
	T_OK(L.dev.plan.local_disk);

	good_attach();
	L.md_fails = true;
	T_EQ(attach(), ERR_IO_MD_DISK);
	T_EQ(L.dev.now.disk, DISK_DISKLESS);
}

/* Bits that nobody can vouch for are all set, on the disk, before the disk is used. */
static void attach_with_suspect_bits(void)
{
	static const struct {
		u32 flags, peer_flags;
		u64 size;
		bool all;
	} rows[] = {
		{ MDF_CRASHED_PRIMARY | MDF_AL_DISABLED, 0, 8192, true },
		{ MDF_PRIMARY_IND | MDF_AL_DISABLED, 0, 8192, true },
		{ MDF_AL_DISABLED, 0, 8192, false },
		{ MDF_CRASHED_PRIMARY, 0, 8192, false },
		{ 0, MDF_PEER_FULL_SYNC, 8192, true },
		{ 0, 0, 0, true },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		good_attach();
		L.attach.md.flags |= rows[i].flags;
		L.attach.md.peer[1].flags = rows[i].peer_flags;
		L.attach.md.peer[1].bitmap_index = 0;
		L.attach.md.effective_size = rows[i].size;
		L.withheld = WITHOUT(ACT_SET_ALL_BITS);
		T_EQ(attach(), rows[i].all ? RES_PENDING : RES_SUCCESS);
		if (!rows[i].all)
			continue;
		T_EQ(at(ACT_WRITE_MD), -1);
		comes((struct core_event){ .type = EV_BITS_SET, .dev = &L.dev, .ok = true });
		T_EQ(L.job.result, RES_SUCCESS);
		T_OK(!(L.dev.md.peer[1].flags & MDF_PEER_FULL_SYNC));
	}
}

static void attach_refused(void)
{
	static const struct {
		const char *what;
		s32 result;
		u64 d_size, disk_size, effective, capacity, exposed;
		s32 node_id, own_slot;
		u8 slots, disk;
	} rows[] = {
#define FINE .d_size = 8192, .effective = 8192, .own_slot = -1, .slots = 1
		{ "a second disk", ERR_DISK_CONFIGURED, FINE, .disk = UTD },
		{ "another node's metadata", ERR_MD_INVALID, FINE, .node_id = 3 },
		{ "a slot for itself", ERR_MD_INVALID, .d_size = 8192, .effective = 8192, .slots = 1 },
		{ "less than configured", ERR_DISK_TOO_SMALL, FINE, .disk_size = 9000 },
		{ "a device that shrank", ERR_IMPLICIT_SHRINK, .d_size = 8000, .effective = 8192,
		  .own_slot = -1, .slots = 1 },
		{ "less than the Primary uses", ERR_DISK_TOO_SMALL, FINE, .capacity = 9000 },
		{ "other data than the Primary uses", ERR_DATA_NOT_CURRENT, FINE, .exposed = B },
		{ "no slot for the peer", ERR_INVALID_REQUEST, .d_size = 8192, .effective = 8192, .own_slot = -1 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		good_attach();
		if (rows[i].exposed)
			both(PRI, CONN_STANDALONE, REPL_OFF, DISK_DISKLESS, DISK_UNKNOWN);
		L.dev.now.disk = L.dev.next_state.disk = rows[i].disk;
		L.dev.size = rows[i].capacity;
		L.dev.exposed_uuid = rows[i].exposed;
		L.attach.d_size = rows[i].d_size;
		L.attach.md.effective_size = rows[i].effective;
		L.attach.conf.disk_size = rows[i].disk_size;
		L.attach.md.node_id = rows[i].node_id;
		L.attach.md.peer[0].bitmap_index = rows[i].own_slot;
		L.attach.md.bm_max_peers = rows[i].slots;
		if (attach() != rows[i].result)
			t_fail(__FILE__, __LINE__, "%s: %d (%s), want %d", rows[i].what, L.job.result,
			       L.job.text, rows[i].result);
		T_OK(L.job.text[0]);
		T_EQ(L.dev.now.disk, rows[i].disk);
		T_EQ(at(ACT_WRITE_MD), -1);
	}
}

/* The link is up: the disk negotiates, and shows sizes and identifiers first. */
static void attach_negotiates(void)
{
	good_attach();
	both(SEC, CONN_CONNECTED, REPL_ESTABLISHED, DISK_DISKLESS, UTD);
	L.conn.link = LINK_UP;
	L.conn.wire.version = 101;
	L.pd.decided = L.pd.got_uuids = true;
	L.pd.peer_uuids.current_uuid = A;
	T_EQ(attach(), RES_PENDING);
	T_EQ(L.dev.now.disk, DISK_NEGOTIATING);
	T_OK(sent(P_SIZES) && sent(P_UUIDS) && sent(P_STATE));
	/* sent before the peer has seen that: the answer begins with identifiers */
	state_comes(peer_state(SEC, REPL_ESTABLISHED, UTD, DISK_ATTACHING));
	T_EQ(L.job.result, RES_PENDING);
	uuids_come(A);
	state_comes(peer_state(SEC, REPL_ESTABLISHED, UTD, DISK_NEGOTIATING));
	T_EQ(L.job.result, RES_SUCCESS);
	T_EQ(L.dev.now.disk, UTD);
	T_EQ(L.pd.now.repl, REPL_ESTABLISHED);

	/* unrelated data: the disk goes, the link stays */
	good_attach();
	both(SEC, CONN_CONNECTED, REPL_ESTABLISHED, DISK_DISKLESS, UTD);
	L.conn.link = LINK_UP;
	L.conn.wire.version = 101;
	L.pd.decided = L.pd.got_uuids = true;
	attach();
	uuids_come(B);
	state_comes(peer_state(SEC, REPL_ESTABLISHED, UTD, DISK_NEGOTIATING));
	T_EQ(L.job.result, ERR_DATA_NOT_CURRENT);
	T_EQ(L.dev.now.disk, DISK_DISKLESS);
	T_EQ(L.conn.now.cstate, CONN_CONNECTED);
}

/* --- detach and errors --------------------------------------------------------------------- */

/* Writes in flight may still set bits: log, bitmap, "clean", and only then the disk. */
static void detach_in_order(void)
{
	alone(SEC);
	L.withheld = WITHOUT(ACT_DRAIN);
	T_EQ(job(JOB_DETACH), RES_PENDING);
	T_EQ(L.dev.now.disk, DISK_DETACHING);
	T_OK(at(ACT_DRAIN) >= 0);
	T_EQ(at(ACT_WRITE_BITMAP), -1);
	L.withheld = WITHOUT(ACT_WRITE_BITMAP);
	happens((struct core_event){ .type = EV_DRAINED, .dev = &L.dev });
	T_OK(at(ACT_WRITE_BITMAP) >= 0);
	T_EQ(at(ACT_CLOSE_DISK), -1);
	L.withheld = WITHOUT(ACT_WRITE_MD);
	happens((struct core_event){ .type = EV_BITMAP_WRITTEN, .dev = &L.dev, .ok = true });
	T_EQ(at(ACT_CLOSE_DISK), -1);
	comes((struct core_event){ .type = EV_MD_WRITTEN, .dev = &L.dev, .ok = true, .md_gen = L.dev.md_gen });
	T_EQ(L.job.result, RES_SUCCESS);
	T_EQ(L.dev.now.disk, DISK_DISKLESS);
	T_EQ(job(JOB_DETACH), RES_NOTHING_TO_DO);
}

static void detach_refused(void)
{
	alone(PRI);
	T_EQ(job(JOB_DETACH), RES_NO_UP_TO_DATE_DISK);
	T_EQ(L.dev.now.disk, UTD);
	linked(SEC);
	T_EQ(job(JOB_DETACH), RES_PENDING);
	T_OK(sent(P_STATE_CHG_REQ));
	peer_says(RES_NO_UP_TO_DATE_DISK);
	T_EQ(L.job.result, RES_CW_FAILED_BY_PEER);
	T_EQ(L.dev.now.disk, UTD);
	/* by force nobody is asked, and nothing is waited for */
	alone(PRI);
	T_EQ(forced(JOB_DETACH), RES_SUCCESS);
	T_EQ(at(ACT_DRAIN), -1);
}

static void disk_fails(bool metadata)
{
	happens((struct core_event){ .type = EV_DISK_ERROR, .dev = &L.dev, .flag = metadata });
}

/* What failed is on record before a write that depends on it ends (metadata.md 4). */
static void io_error_policies(void)
{
	linked(PRI);
	L.dev.conf.on_io_error = ON_IO_ERROR_PASS_ON;
	L.withheld = WITHOUT(ACT_WRITE_MD);
	disk_fails(false);
	T_EQ(L.dev.now.disk, INC);
	T_EQ(at(ACT_RESOLVE_DISK), -1);
	comes((struct core_event){ .type = EV_MD_WRITTEN, .dev = &L.dev, .ok = true, .md_gen = L.dev.md_gen });
	T_OK(at(ACT_RESOLVE_DISK) >= 0);
	T_EQ(L.dev.now.disk, INC);

	linked(PRI);
	L.dev.conf.on_io_error = ON_IO_ERROR_PASS_ON;
	disk_fails(true);	/* nothing can be recorded on it any more */
	T_EQ(L.dev.now.disk, DISK_DISKLESS);

	linked(PRI);
	L.dev.conf.on_io_error = ON_IO_ERROR_DETACH;
	L.withheld = WITHOUT(ACT_CLOSE_DISK);
	disk_fails(false);
	T_EQ(L.dev.now.disk, DISK_FAILED);
	T_OK(at(ACT_CLOSE_DISK) >= 0 && at(ACT_RESOLVE_DISK) >= 0);
	disk_fails(false);	/* another one of the same disk changes nothing */
	T_EQ(L.dev.now.disk, DISK_FAILED);

	linked(PRI);
	L.dev.conf.on_io_error = ON_IO_ERROR_CALL_LOCAL_IO_ERROR;
	L.withheld = WITHOUT(ACT_HELPER);
	disk_fails(false);
	T_OK(called(HELPER_LOCAL_IO_ERROR));
	T_EQ(L.dev.now.disk, UTD);
	comes((struct core_event){ .type = EV_HELPER_DONE, .dev = &L.dev });
	T_EQ(L.dev.now.disk, DISK_DISKLESS);
}

/* --- roles ------------------------------------------------------------------------------------ */

/* The superblock says "in use by a Primary" before anybody may write. */
static void promotion_in_order(void)
{
	linked(SEC);
	L.withheld = WITHOUT(ACT_PING);
	T_EQ(job(JOB_PRIMARY), RES_PENDING);
	T_OK(!sent(P_STATE_CHG_REQ));	/* first: does the peer live? */
	comes((struct core_event){ .type = EV_PING_ACK, .conn = &L.conn });
	T_OK(sent(P_STATE_CHG_REQ));
	T_EQ(L.res.now.role, SEC);
	L.withheld = WITHOUT(ACT_WRITE_MD);
	peer_says(RES_SUCCESS);
	T_EQ(L.res.now.role, SEC);
	T_OK(L.dev.md.flags & MDF_PRIMARY_IND);
	comes((struct core_event){ .type = EV_MD_WRITTEN, .dev = &L.dev, .ok = true, .md_gen = L.dev.md_gen });
	T_EQ(L.job.result, RES_SUCCESS);
	T_EQ(L.res.now.role, PRI);
	T_EQ(job(JOB_PRIMARY), RES_NOTHING_TO_DO);

	linked(SEC);
	job(JOB_PRIMARY);
	peer_says(RES_TWO_PRIMARIES);
	T_EQ(L.job.result, RES_CW_FAILED_BY_PEER);
	T_EQ(L.res.now.role, SEC);
}

/* What a handshake decides must be decided before anybody is promoted. */
static void promotion_waits_for_the_handshake(void)
{
	static const u8 phases[] = { LINK_HANDSHAKE, LINK_DRAINING, LINK_RESOLVING };
	static const u8 disks[] = { DISK_ATTACHING, DISK_NEGOTIATING };
	static const u8 repls[] = { REPL_WF_BITMAP_T, REPL_WF_SYNC_UUID };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(phases); i++) {
		alone(SEC);
		L.conn.link = phases[i];
		T_OK(in_transient_state(&L.res));
	}
	for (i = 0; i < ARRAY_SIZE(disks); i++) {
		alone(SEC);
		L.dev.now.disk = disks[i];
		T_OK(in_transient_state(&L.res));
	}
	for (i = 0; i < ARRAY_SIZE(repls); i++) {
		linked(SEC);
		L.pd.now.repl = repls[i];
		T_OK(in_transient_state(&L.res));
	}
	linked(SEC);
	T_OK(!in_transient_state(&L.res));
	L.conn.link = LINK_HANDSHAKE;
	T_EQ(job(JOB_PRIMARY), RES_PENDING);
	T_OK(!sent(P_STATE_CHG_REQ));
	T_EQ(L.res.now.role, SEC);
}

/* Nor while a disk comes, at either end, that is compared with what was shown before. */
static void promotion_waits_for_the_peers_disk(void)
{
	static const u8 disks[] = { DISK_ATTACHING, DISK_NEGOTIATING };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(disks); i++) {
		linked(SEC);
		L.pd.now.pdsk = L.pd.next.pdsk = disks[i];
		T_EQ(job(JOB_PRIMARY), RES_PENDING);
		T_OK(!sent(P_STATE_CHG_REQ));
		L.pd.now.pdsk = L.pd.next.pdsk = UTD;
		time_passes(1);
		T_OK(sent(P_STATE_CHG_REQ));
		peer_says(RES_IN_TRANSIENT_STATE);
		T_EQ(L.job.result, RES_PENDING);
		L.n_done = 0;
		time_passes(250);
		T_OK(sent(P_STATE_CHG_REQ));
		peer_says(RES_SUCCESS);
		T_EQ(L.job.result, RES_SUCCESS);
	}
	linked(SEC);
	job(JOB_PRIMARY);
	for (i = 0; i < 60; i++) {
		peer_says(RES_IN_TRANSIENT_STATE);
		time_passes(250);
	}
	T_EQ(L.job.result, RES_CW_FAILED_BY_PEER);
}

/* The link comes up while the superblocks are written: that peer has agreed to nothing. */
static void promotion_asks_who_comes_late(void)
{
	alone(SEC);
	L.withheld = WITHOUT(ACT_WRITE_MD);
	T_EQ(job(JOB_PRIMARY), RES_PENDING);
	both(SEC, CONN_CONNECTED, REPL_ESTABLISHED, UTD, UTD);
	L.conn.wire.version = 101;
	L.pd.decided = true;
	L.conn.link = LINK_HANDSHAKE;
	L.withheld = 0;
	comes((struct core_event){ .type = EV_MD_WRITTEN, .dev = &L.dev, .ok = true, .md_gen = L.dev.md_gen });
	T_EQ(L.res.now.role, SEC);
	T_EQ(L.job.result, RES_PENDING);
	L.conn.link = LINK_UP;
	time_passes(1);
	T_EQ(L.res.now.role, SEC);
	T_OK(sent(P_STATE_CHG_REQ));
	peer_says(RES_SUCCESS);
	T_EQ(L.job.result, RES_SUCCESS);
	T_EQ(L.res.now.role, PRI);
}

static void promotion_by_force(void)
{
	alone(SEC);
	both(SEC, CONN_STANDALONE, REPL_OFF, INC, DISK_UNKNOWN);
	T_EQ(job(JOB_PRIMARY), RES_NO_UP_TO_DATE_DISK);
	T_EQ(forced(JOB_PRIMARY), RES_SUCCESS);
	T_EQ(L.dev.now.disk, UTD);
	T_OK((L.dev.md.current_uuid & ~1ull) != A);	/* what is called good here is good nowhere else */

	/* a peer that nobody could fence: only by force, as if it were outdated */
	alone(SEC);
	L.conn.conf.fencing_policy = FENCING_RESOURCE_ONLY;
	L.helper_status = 1;
	T_EQ(job(JOB_PRIMARY), RES_PRIMARY_NOP);
	T_OK(called(HELPER_FENCE_PEER));
	T_EQ(forced(JOB_PRIMARY), RES_SUCCESS);
	T_EQ(L.pd.now.pdsk, DISK_OUTDATED);

	/* a Consistent disk becomes UpToDate when the handler says that the peer is behind */
	alone(SEC);
	L.conn.conf.fencing_policy = FENCING_RESOURCE_ONLY;
	both(SEC, CONN_STANDALONE, REPL_OFF, DISK_CONSISTENT, DISK_UNKNOWN);
	L.helper_status = 4;
	T_EQ(job(JOB_PRIMARY), RES_SUCCESS);
	T_EQ(L.dev.now.disk, UTD);
}

/* The other Primary may just have died: one more try after the ping has had its time. */
static void promotion_tries_twice(void)
{
	linked(SEC);
	L.conn.now.peer_role = L.conn.next_state.peer_role = PRI;
	T_EQ(job(JOB_PRIMARY), RES_PENDING);
	T_OK(L.res.wake_ms > L.now);
	L.now = L.res.wake_ms;
	happens((struct core_event){ .type = EV_TIMER });
	T_EQ(L.job.result, RES_TWO_PRIMARIES);

	linked(SEC);
	L.conn.now.peer_role = L.conn.next_state.peer_role = PRI;
	job(JOB_PRIMARY);
	link_breaks();
	L.now += 10000;
	happens((struct core_event){ .type = EV_TIMER });
	T_EQ(L.job.result, RES_SUCCESS);
}

static void demotion_in_order(void)
{
	alone(PRI);
	L.openers = 2;
	T_EQ(job(JOB_SECONDARY), RES_DEVICE_IN_USE);
	T_OK(strstr(L.job.text, "2 times"));
	T_OK(at(ACT_ALLOW_OPENS) >= 0);
	T_EQ(L.res.now.role, PRI);

	alone(PRI);
	L.dev.now.gen_pending = L.dev.next_state.gen_pending = true;
	L.withheld = WITHOUT(ACT_DRAIN);
	T_EQ(job(JOB_SECONDARY), RES_PENDING);
	T_EQ(L.dev.plan.write_admission, PLAN_PARK);
	T_EQ(at(ACT_WRITE_BITMAP), -1);
	L.withheld = WITHOUT(ACT_WRITE_BITMAP);
	happens((struct core_event){ .type = EV_DRAINED, .dev = &L.dev });
	T_EQ(L.res.now.role, PRI);
	L.withheld = WITHOUT(ACT_WRITE_MD);
	happens((struct core_event){ .type = EV_BITMAP_WRITTEN, .dev = &L.dev, .ok = true });
	T_EQ(L.res.now.role, SEC);
	T_OK(!L.dev.now.gen_pending);	/* nothing was written: no generation */
	T_EQ(L.job.result, RES_PENDING);
	comes((struct core_event){ .type = EV_MD_WRITTEN, .dev = &L.dev, .ok = true, .md_gen = L.dev.md_gen });
	T_EQ(L.job.result, RES_SUCCESS);
	T_OK(!(L.dev.md.flags & (MDF_PRIMARY_IND | MDF_CRASHED_PRIMARY)));
	T_EQ(job(JOB_SECONDARY), RES_NOTHING_TO_DO);
}

/* --- generations ---------------------------------------------------------------------------------- */

/* behaviour.md 8.3: when a Primary will need a new generation at its next write. */
static void when_a_generation_is_due(void)
{
	static const struct {
		const char *what;
		u8 role, repl, pdsk;		/* before */
		u8 repl_then, pdsk_then;
		bool tracking, due;
	} rows[] = {
		{ "an UpToDate peer is lost", PRI, REPL_ESTABLISHED, UTD, REPL_OFF, DISK_UNKNOWN, false, true },
		{ "its disk fails", PRI, REPL_ESTABLISHED, UTD, REPL_ESTABLISHED, DISK_FAILED, false, true },
		{ "it is outdated", PRI, REPL_OFF, DISK_CONSISTENT, REPL_OFF, DISK_OUTDATED, false, true },
		{ "nothing changes apart", PRI, REPL_OFF, DISK_UNKNOWN, REPL_OFF, DISK_UNKNOWN, false, false },
		{ "a peer without data is lost", PRI, REPL_ESTABLISHED, DISK_DISKLESS, REPL_OFF, DISK_UNKNOWN,
		  false, false },
		{ "tracking began before", PRI, REPL_ESTABLISHED, UTD, REPL_OFF, DISK_UNKNOWN, true, false },
		{ "a Secondary loses its peer", SEC, REPL_ESTABLISHED, UTD, REPL_OFF, DISK_UNKNOWN, false, false },
		{ "all are there", PRI, REPL_ESTABLISHED, UTD, REPL_ESTABLISHED, UTD, false, false },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		linked(rows[i].role);
		both(rows[i].role, rows[i].repl == REPL_OFF ? CONN_CONNECTING : CONN_CONNECTED,
		     rows[i].repl, UTD, rows[i].pdsk);
		*bitmap_uuid(&L.pd) = rows[i].tracking ? B : 0;
		L.conn.next_state.cstate = rows[i].repl_then == REPL_OFF ? CONN_CONNECTING : CONN_CONNECTED;
		L.pd.next.repl = rows[i].repl_then;
		L.pd.next.pdsk = rows[i].pdsk_then;
		change_commit(&L.res, "test");
		if (L.dev.now.gen_pending != rows[i].due)
			t_fail(__FILE__, __LINE__, "%s: %s", rows[i].what,
			       rows[i].due ? "no generation is due" : "a generation is due");
		T_EQ(L.dev.plan.write_admission == PLAN_NEW_GENERATION, rows[i].due);
	}
}

/* The first write asks; it may go when the new generation is on the disk. */
static void generation_is_stable_first(void)
{
	linked(PRI);
	L.withheld = WITHOUT(ACT_WRITE_MD);
	link_breaks();
	T_OK(L.dev.now.gen_pending);
	T_EQ(L.dev.md.current_uuid & ~1ull, A);
	happens((struct core_event){ .type = EV_GENERATION_NEEDED, .dev = &L.dev });
	T_OK((L.dev.md.current_uuid & ~1ull) != A);
	T_EQ(*bitmap_uuid(&L.pd) & ~1ull, A);
	T_EQ(L.dev.plan.write_admission, PLAN_NEW_GENERATION);
	comes((struct core_event){ .type = EV_MD_WRITTEN, .dev = &L.dev, .ok = true, .md_gen = L.dev.md_gen });
	T_EQ(L.dev.plan.write_admission, PLAN_OPEN);
}

/*
 * Identifiers that a peer was shown and has not compared yet do not change: it would
 * find no difference where there is one by then.
 */
static void shown_identifiers_stay(void)
{
	linked(PRI);
	both(PRI, CONN_CONNECTED, REPL_OFF, UTD, DISK_UNKNOWN);
	L.dev.now.gen_pending = L.dev.next_state.gen_pending = true;
	L.conn.link = LINK_HANDSHAKE;
	L.pd.decided = false;
	happens((struct core_event){ .type = EV_GENERATION_NEEDED, .dev = &L.dev });
	T_EQ(L.dev.md.current_uuid & ~1ull, A);
	/* connected with the same data: no new generation is needed any more */
	state_comes(peer_state(SEC, CONN_CONNECTED, UTD, DISK_UNKNOWN));
	T_EQ(L.dev.md.current_uuid & ~1ull, A);
	T_OK(!L.dev.now.gen_pending);
	T_EQ(L.dev.plan.write_admission, PLAN_OPEN);

	/* it goes away again: now it is made */
	linked(PRI);
	both(PRI, CONN_CONNECTED, REPL_OFF, UTD, DISK_UNKNOWN);
	L.dev.now.gen_pending = L.dev.next_state.gen_pending = true;
	L.conn.link = LINK_HANDSHAKE;
	L.pd.decided = false;
	happens((struct core_event){ .type = EV_GENERATION_NEEDED, .dev = &L.dev });
	link_breaks();
	T_OK((L.dev.md.current_uuid & ~1ull) != A);

	/* nor is anybody promoted whose peer has come back since it was judged */
	linked(SEC);
	job(JOB_PRIMARY);
	L.conn.link = LINK_HANDSHAKE;
	L.pd.decided = false;
	L.conn.req.job = NULL;
	happens((struct core_event){ .type = EV_TIMER });
	T_EQ(L.res.now.role, SEC);
	T_OK(!L.res.promoting);
}

/* Writes that the lost peer may not have end behind the generation that tells so. */
static void lost_writes_end_behind_the_generation(void)
{
	linked(PRI);
	L.withheld = WITHOUT(ACT_WRITE_MD) | WITHOUT(ACT_DROP_LINK);
	link_breaks();
	happens((struct core_event){ .type = EV_LINK_DRAINED, .conn = &L.conn, .held_mask = 1 });
	T_OK(L.dev.gen_writing);
	T_EQ(at(ACT_RESOLVE_LOST), -1);
	T_EQ(at(ACT_RECONNECT), -1);
	comes((struct core_event){ .type = EV_MD_WRITTEN, .dev = &L.dev, .ok = true, .md_gen = L.dev.md_gen });
	T_OK(at(ACT_RESOLVE_LOST) >= 0 && at(ACT_RECONNECT) > at(ACT_RESOLVE_LOST));

	/* frozen: neither a generation nor an end; it is not known yet who goes on */
	linked(PRI);
	L.conn.conf.fencing_policy = FENCING_RESOURCE_AND_STONITH;
	L.withheld = WITHOUT(ACT_DROP_LINK) | WITHOUT(ACT_HELPER);
	link_breaks();
	T_OK(L.res.now.susp_fen);
	happens((struct core_event){ .type = EV_LINK_DRAINED, .conn = &L.conn, .held_mask = 1 });
	T_EQ(L.dev.md.current_uuid & ~1ull, A);
	T_OK(!L.dev.gen_wanted);
	T_EQ(at(ACT_RESOLVE_LOST), -1);
	T_OK(at(ACT_RECONNECT) >= 0);
}

/* --- handshake ---------------------------------------------------------------------------------------- */

static void handshake(u8 role, u64 mine, u64 theirs, struct wire_state s)
{
	linked(role);
	both(role, CONN_CONNECTED, REPL_OFF, UTD, DISK_UNKNOWN);
	L.conn.link = LINK_HANDSHAKE;
	L.pd.decided = false;
	L.dev.md.current_uuid = L.pd.sent_uuids.current_uuid = mine;
	L.pd.peer_uuids.current_uuid = theirs;
	*bitmap_uuid(&L.pd) = L.pd.sent_uuids.bitmap_uuid = 0;
	state_comes(s);
}

/* Two Primaries with histories of their own are a split brain first, which somebody hears of. */
static void two_primaries_meet(void)
{
	handshake(PRI, A, A, peer_state(PRI, CONN_CONNECTED, UTD, DISK_UNKNOWN));
	T_EQ(L.conn.now.cstate, CONN_STANDALONE);
	T_OK(!called(HELPER_SPLIT_BRAIN));
	linked(PRI);
	both(PRI, CONN_CONNECTED, REPL_OFF, UTD, DISK_UNKNOWN);
	L.conn.link = LINK_HANDSHAKE;
	L.pd.decided = false;
	L.dev.md.current_uuid = L.pd.sent_uuids.current_uuid = A;
	L.pd.peer_uuids = (struct wire_uuids){ .current_uuid = B, .bitmap_uuid = 0xc0 };
	L.pd.sent_uuids.bitmap_uuid = 0xc0;
	state_comes(peer_state(PRI, CONN_CONNECTED, UTD, DISK_UNKNOWN));
	T_OK(called(HELPER_INITIAL_SPLIT_BRAIN) || called(HELPER_SPLIT_BRAIN));
	T_EQ(L.conn.now.cstate, CONN_STANDALONE);
}

/* A Primary without a disk takes no other data than the application has seen. */
static void diskless_primary_knows_its_data(void)
{
	linked(PRI);
	both(PRI, CONN_CONNECTED, REPL_OFF, DISK_DISKLESS, DISK_UNKNOWN);
	L.conn.link = LINK_HANDSHAKE;
	L.pd.decided = false;
	L.dev.exposed_uuid = B;
	L.pd.peer_uuids.current_uuid = A;
	state_comes(peer_state(SEC, CONN_CONNECTED, UTD, DISK_UNKNOWN));
	T_EQ(L.conn.now.cstate, CONN_STANDALONE);

	/* nor when the peer attaches it later */
	linked(PRI);
	both(PRI, CONN_CONNECTED, REPL_ESTABLISHED, DISK_DISKLESS, DISK_DISKLESS);
	L.dev.exposed_uuid = B;
	L.pd.peer_uuids.current_uuid = A;
	state_comes(peer_state(SEC, REPL_ESTABLISHED, UTD, DISK_DISKLESS));
	T_EQ(L.conn.now.cstate, CONN_STANDALONE);

	linked(PRI);
	both(PRI, CONN_CONNECTED, REPL_ESTABLISHED, DISK_DISKLESS, DISK_DISKLESS);
	L.dev.exposed_uuid = A | 1;
	state_comes(peer_state(SEC, REPL_ESTABLISHED, UTD, DISK_DISKLESS));
	T_EQ(L.pd.now.pdsk, UTD);
	T_EQ(L.conn.now.cstate, CONN_CONNECTED);
}

/* The peer attaches newer data: as Primary this node refuses, and the peer must not wait for it. */
static void refusal_of_what_the_peer_begins(void)
{
	linked(PRI);
	both(PRI, CONN_CONNECTED, REPL_ESTABLISHED, UTD, DISK_ATTACHING);
	L.pd.peer_uuids = (struct wire_uuids){ .current_uuid = B, .bitmap_uuid = A };
	state_comes(peer_state(SEC, REPL_WF_BITMAP_S, UTD, UTD));
	T_EQ(L.pd.explained.decision, -1);
	T_OK(L.pd.explained.known && L.pd.explained.why);
	T_EQ(L.pd.explained.peer.current_uuid, L.pd.peer_uuids.current_uuid);
	T_EQ(L.conn.now.cstate, CONN_STANDALONE);
}

/* Plan, undone writes and bitmap of a source stand at one position, in this order. */
static void source_marks_what_is_under_way(void)
{
	u32 i, marked = 0;

	linked(SEC);
	both(SEC, CONN_CONNECTED, REPL_OFF, UTD, DISK_UNKNOWN);
	L.conn.link = LINK_HANDSHAKE;
	L.pd.decided = false;
	L.dev.md.current_uuid = L.pd.sent_uuids.current_uuid = B;
	L.pd.sent_uuids.bitmap_uuid = *bitmap_uuid(&L.pd) = A;
	state_comes(peer_state(SEC, CONN_CONNECTED, UTD, DISK_UNKNOWN));
	T_EQ(L.pd.now.repl, REPL_WF_BITMAP_S);
	T_OK(at(ACT_PLAN) >= 0 && at(ACT_MARK_UNDONE) > at(ACT_PLAN) &&
	     at(ACT_SEND_BITMAP) > at(ACT_MARK_UNDONE));
	/* nothing between them that would let the log lock go */
	for (i = (u32)at(ACT_PLAN); i < (u32)at(ACT_SEND_BITMAP); i++)
		marked += L.done[i].type == ACT_MARK_UNDONE;
	T_EQ(marked, 1);
	T_EQ(at(ACT_SEND_BITMAP), at(ACT_MARK_UNDONE) + 1);
}

static void becomes_target(void)
{
	linked(SEC);
	both(SEC, CONN_CONNECTED, REPL_OFF, UTD, DISK_UNKNOWN);
	L.conn.link = LINK_HANDSHAKE;
	L.pd.decided = false;
	L.pd.peer_uuids = (struct wire_uuids){ .current_uuid = B, .bitmap_uuid = A };
	state_comes(peer_state(SEC, CONN_CONNECTED, UTD, DISK_UNKNOWN));
	T_EQ(L.pd.now.repl, REPL_WF_BITMAP_T);
	T_EQ(L.dev.now.disk, DISK_OUTDATED);
	happens((struct core_event){ .type = EV_BITMAP_RECEIVED, .conn = &L.conn, .dev = &L.dev, .pd = &L.pd });
	T_EQ(L.pd.now.repl, REPL_WF_SYNC_UUID);
}

static void sync_uuid_comes(void)
{
	happens((struct core_event){ .type = EV_SYNC_UUID, .conn = &L.conn, .dev = &L.dev, .pd = &L.pd,
				     .uuid = A + UUID_NEW_BITMAP_OFFSET });
}

/* Bits first, then identifiers, then the first block; and at the end only what is known. */
static void target_in_order(void)
{
	becomes_target();
	L.withheld = WITHOUT(ACT_WRITE_BITMAP);
	sync_uuid_comes();
	T_OK(called(HELPER_BEFORE_RESYNC_TARGET));
	T_EQ(L.pd.now.repl, REPL_WF_SYNC_UUID);
	T_EQ(L.dev.md.current_uuid, A);
	L.withheld = WITHOUT(ACT_WRITE_MD);
	happens((struct core_event){ .type = EV_BITMAP_WRITTEN, .dev = &L.dev, .ok = true });
	T_EQ(L.dev.md.current_uuid, A + UUID_NEW_BITMAP_OFFSET);
	T_EQ(L.pd.now.repl, REPL_WF_SYNC_UUID);
	T_EQ(at(ACT_START_RESYNC), -1);
	comes((struct core_event){ .type = EV_MD_WRITTEN, .dev = &L.dev, .ok = true, .md_gen = L.dev.md_gen });
	T_EQ(L.pd.now.repl, REPL_SYNC_TARGET);
	T_EQ(L.dev.now.disk, INC);
	T_OK(at(ACT_START_RESYNC) >= 0);

	/* blocks that could not be copied: it ends, but the disk is no better for it */
	happens((struct core_event){ .type = EV_RESYNC_DONE, .conn = &L.conn, .dev = &L.dev, .pd = &L.pd,
				     .rs_failed = 3 });
	T_EQ(L.pd.now.repl, REPL_ESTABLISHED);
	T_EQ(L.dev.now.disk, INC);
	T_EQ(L.dev.md.current_uuid, A + UUID_NEW_BITMAP_OFFSET);

	becomes_target();
	sync_uuid_comes();
	happens((struct core_event){ .type = EV_RESYNC_DONE, .conn = &L.conn, .dev = &L.dev, .pd = &L.pd });
	T_EQ(L.dev.now.disk, UTD);
	T_EQ(L.dev.md.current_uuid, B);
	T_EQ(L.pd.peer_uuids.bitmap_uuid, 0);
	T_OK(called(HELPER_AFTER_RESYNC_TARGET));
}

/* A handler that says no ends the connection for good: not a matter of another try. */
static void handler_refuses(void)
{
	becomes_target();
	L.helper_status = 1;
	sync_uuid_comes();
	T_EQ(L.conn.now.cstate, CONN_STANDALONE);
	T_EQ(at(ACT_RECONNECT), -1);
	T_EQ(L.dev.md.current_uuid, A);
}

/* The end of a resync that the source hears of. */
static void source_hears_the_end(void)
{
	static const struct {
		u8 disk;
		bool tracked;
	} rows[] = { { UTD, false }, { INC, true } };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		linked(SEC);
		both(SEC, CONN_CONNECTED, REPL_SYNC_SOURCE, UTD, INC);
		L.pd.sync = SYNC_RUN;
		L.pd.sync_source = true;
		*bitmap_uuid(&L.pd) = B;
		L.pd.peer_uuids = (struct wire_uuids){ .current_uuid = 0xe0, .bitmap_uuid = 0xe4 };
		state_comes(peer_state(SEC, REPL_ESTABLISHED, rows[i].disk, UTD));
		T_EQ(L.pd.now.repl, REPL_ESTABLISHED);
		T_EQ(*bitmap_uuid(&L.pd) != 0, rows[i].tracked);
		/* what is compared when one of them attaches again */
		T_EQ(L.pd.peer_uuids.current_uuid, rows[i].tracked ? 0xe0 : A);
		T_EQ(L.pd.peer_uuids.bitmap_uuid, rows[i].tracked ? 0xe4 : 0);
		T_OK(at(ACT_STOP_RESYNC) >= 0);
	}
}

/* --- sizes ------------------------------------------------------------------------------------------------ */

static void sizes_of_a_peer(void)
{
	static const struct {
		const char *what;
		u8 role, disk;
		u64 own;		/* size of the device so far */
		u64 d, u, c;		/* what the peer says: disk, limit, current */
		u64 conf;		/* limit here */
		bool ok;
		u64 size;
	} rows[] = {
		{ "the same", SEC, UTD, 8192, 8192, 0, 8192, 0, true, 8192 },
		{ "a larger disk there", SEC, UTD, 8192, 9000, 0, 8192, 0, true, 8192 },
		{ "a smaller disk there", SEC, UTD, 8192, 8000, 0, 8000, 0, false, 8192 },
		{ "a smaller disk there, mine is new", SEC, INC, 8192, 8000, 0, 0, 0, true, 8000 },
		{ "no disk there", SEC, UTD, 8192, 0, 0, 8192, 0, true, 8192 },
		{ "a limit there", SEC, INC, 8192, 8192, 4000, 0, 0, true, 4000 },
		{ "a limit here", SEC, INC, 8192, 8192, 0, 0, 4000, true, 4000 },
		{ "current larger than its disk", SEC, UTD, 8192, 8192, 0, 9000, 0, false, 8192 },
		{ "current larger than its limit", SEC, UTD, 8192, 9000, 8192, 8500, 0, false, 8192 },
		{ "no disk here", SEC, DISK_DISKLESS, 0, 8192, 0, 8192, 0, true, 8192 },
		{ "no disk here, only a limit there", SEC, DISK_DISKLESS, 0, 8192, 4000, 0, 0, true, 4000 },
		{ "no disk here, never used there", SEC, DISK_DISKLESS, 0, 8192, 0, 0, 0, true, 8192 },
		{ "no disk anywhere", SEC, DISK_DISKLESS, 4096, 0, 0, 0, 0, true, 4096 },
		{ "smaller than the application uses", PRI, DISK_DISKLESS, 8192, 8000, 0, 8000, 0, false, 8192 },
		{ "smaller, nobody uses it", SEC, DISK_DISKLESS, 8192, 8000, 0, 8000, 0, true, 8000 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire_sizes s = { .d_size = rows[i].d, .u_size = rows[i].u, .c_size = rows[i].c };

		linked(rows[i].role);
		both(rows[i].role, CONN_CONNECTED, REPL_OFF, rows[i].disk, DISK_UNKNOWN);
		L.conn.link = LINK_HANDSHAKE;
		L.dev.conf.disk_size = rows[i].conf;
		L.dev.size = rows[i].own;
		happens((struct core_event){ .type = EV_SIZES, .conn = &L.conn, .dev = &L.dev, .pd = &L.pd,
					     .sizes = s });
		if ((L.conn.now.cstate == CONN_CONNECTED) != rows[i].ok || L.dev.size != rows[i].size)
			t_fail(__FILE__, __LINE__, "%s: %s, %llu sectors", rows[i].what,
			       core_conn_name(L.conn.now.cstate), (unsigned long long)L.dev.size);
		T_EQ(at(ACT_SET_SIZE) >= 0, rows[i].ok && rows[i].size != rows[i].own);
		T_EQ(L.pd.got_sizes, rows[i].ok);
	}
}

/* --- small jobs -------------------------------------------------------------------------------------------- */

/* It returns when nothing is under way: what a snapshot shows then is whole. */
static void suspend_waits_for_writes(void)
{
	linked(PRI);
	T_EQ(job(JOB_RESUME_IO), RES_NOTHING_TO_DO);
	L.withheld = WITHOUT(ACT_DRAIN);
	T_EQ(job(JOB_SUSPEND_IO), RES_PENDING);
	T_EQ(L.dev.plan.write_admission, PLAN_PARK);
	T_EQ(L.dev.plan.completion, PLAN_COMPLETE_HOLD);
	comes((struct core_event){ .type = EV_DRAINED, .dev = &L.dev });
	T_EQ(L.job.result, RES_SUCCESS);
	T_EQ(job(JOB_RESUME_IO), RES_SUCCESS);
	T_EQ(L.dev.plan.write_admission, PLAN_OPEN);
	T_OK(at(ACT_RELEASE) >= 0);
}

static void outdate_when_it_may(void)
{
	alone(SEC);
	T_EQ(job(JOB_OUTDATE), RES_SUCCESS);
	T_EQ(L.dev.now.disk, DISK_OUTDATED);
	T_OK(!(L.dev.md.flags & MDF_WAS_UP_TO_DATE));
	T_EQ(job(JOB_OUTDATE), RES_NOTHING_TO_DO);
	linked(SEC);
	T_EQ(job(JOB_OUTDATE), RES_CONNECTED_OUTDATES);
	T_EQ(L.dev.now.disk, UTD);
	alone(PRI);
	T_EQ(job(JOB_OUTDATE), RES_NO_UP_TO_DATE_DISK);
}

static void pause_and_resume(void)
{
	linked(SEC);
	both(SEC, CONN_CONNECTED, REPL_SYNC_TARGET, INC, UTD);
	L.pd.sync = SYNC_RUN;
	T_EQ(job(JOB_RESUME_SYNC), ERR_PAUSE_IS_CLEAR);
	T_EQ(job(JOB_PAUSE_SYNC), RES_SUCCESS);
	T_EQ(L.pd.now.repl, REPL_PAUSED_SYNC_T);
	T_OK(!L.dev.plan.peer[0].request_resync);
	T_OK(sent(P_STATE));
	T_EQ(job(JOB_PAUSE_SYNC), ERR_PAUSE_IS_SET);
	/* the peer pauses, too: it takes both to go on */
	state_comes((struct wire_state){ .role = SEC, .peer = SEC, .conn = REPL_PAUSED_SYNC_S, .disk = UTD,
					 .pdsk = INC, .user_isp = true });
	T_EQ(job(JOB_RESUME_SYNC), RES_SUCCESS);
	T_EQ(L.pd.now.repl, REPL_PAUSED_SYNC_T);
	state_comes(peer_state(SEC, REPL_SYNC_SOURCE, UTD, INC));
	T_EQ(L.pd.now.repl, REPL_SYNC_TARGET);
}

static void options_change(void)
{
	struct nl_resource_opts res;
	struct nl_disk_conf disk;
	struct nl_peer_device_opts pd;
	struct nl_net_conf net;

	linked(PRI);
	nl_resource_opts_defaults(&res);
	res.on_no_data = ON_NO_DATA_SUSPEND_IO;
	L.job = (struct core_job){ .type = JOB_RES_OPTS, .arg.res_opts = &res };
	happens((struct core_event){ .type = EV_JOB, .job = &L.job });
	T_EQ(L.job.result, RES_SUCCESS);
	T_EQ(L.res.opts.on_no_data, ON_NO_DATA_SUSPEND_IO);

	nl_disk_conf_defaults(&disk);
	disk.al_updates = false;
	L.job = (struct core_job){ .type = JOB_DISK_CONF, .dev = &L.dev, .arg.disk_conf = &disk };
	happens((struct core_event){ .type = EV_JOB, .job = &L.job });
	T_EQ(L.job.result, RES_SUCCESS);
	T_OK(!L.dev.plan.al_enabled);

	nl_peer_device_opts_defaults(&pd);
	pd.resync_rate = 4711;
	L.job = (struct core_job){ .type = JOB_PEER_DEVICE_CONF, .pd = &L.pd, .arg.pd_conf = &pd };
	happens((struct core_event){ .type = EV_JOB, .job = &L.job });
	T_EQ(L.job.result, RES_SUCCESS);
	T_OK(sent(P_SYNC_PARAM89));

	/* two Primaries cannot be forbidden while there are two */
	net = L.conn.conf;
	L.conn.conf.two_primaries = true;
	L.conn.now.peer_role = L.conn.next_state.peer_role = PRI;
	L.job = (struct core_job){ .type = JOB_NET_CONF, .conn = &L.conn, .arg.net_conf = &net };
	happens((struct core_event){ .type = EV_JOB, .job = &L.job });
	T_EQ(L.job.result, ERR_NEED_ALLOW_TWO_PRI);
	T_OK(L.conn.conf.two_primaries);
	L.conn.now.peer_role = L.conn.next_state.peer_role = SEC;
	net.wire_protocol = 1;
	L.job = (struct core_job){ .type = JOB_NET_CONF, .conn = &L.conn, .arg.net_conf = &net };
	happens((struct core_event){ .type = EV_JOB, .job = &L.job });
	T_EQ(L.job.result, RES_SUCCESS);
	T_EQ(L.dev.plan.peer[0].protocol, 1);
	T_OK(sent(P_PROTOCOL_UPDATE));
}

/* What is in use is not removed; what is removed is gone from both lists. */
static void objects_go(void)
{
	alone(SEC);
	T_EQ(job(JOB_DEL_DEVICE), ERR_MINOR_CONFIGURED);
	job(JOB_DETACH);
	L.conn.receiver_runs = true;
	T_EQ(job(JOB_DEL_DEVICE), ERR_INVALID_REQUEST);
	T_EQ(job(JOB_DEL_CONNECTION), ERR_NET_CONFIGURED);
	L.conn.receiver_runs = false;
	L.conn.now.cstate = L.conn.next_state.cstate = CONN_CONNECTING;
	T_EQ(job(JOB_DEL_CONNECTION), ERR_NET_CONFIGURED);
	L.conn.now.cstate = L.conn.next_state.cstate = CONN_STANDALONE;
	T_EQ(job(JOB_DEL_CONNECTION), RES_SUCCESS);
	T_OK(!L.res.connections && !L.dev.pds);
	T_EQ(job(JOB_DEL_DEVICE), RES_SUCCESS);
	T_OK(!L.res.devices);

	alone(SEC);
	job(JOB_DETACH);
	T_EQ(job(JOB_DEL_DEVICE), RES_SUCCESS);
	T_OK(!L.res.devices && !L.conn.pds);
}

/* --- connections --------------------------------------------------------------------------------------------- */

/* A request that was given up: no other one before its reply, which nobody may take for another's. */
static void late_reply(void)
{
	static const u8 next[] = { JOB_DISCONNECT, JOB_PRIMARY, JOB_INVALIDATE };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(next); i++) {
		linked(SEC);
		T_EQ(job(JOB_DISCONNECT), RES_PENDING);
		happens((struct core_event){ .type = EV_JOB_CANCEL, .job = &L.job });
		T_EQ(L.job.result, RES_INTERRUPTED);

		L.n_done = 0;
		T_EQ(job(next[i]), RES_PENDING);
		T_OK(!sent(P_CONN_ST_CHG_REQ) && !sent(P_STATE_CHG_REQ));
		/* refused: as if it had never been asked */
		peer_says(RES_IN_TRANSIENT_STATE);
		T_EQ(L.job.result, RES_PENDING);
		T_OK(sent(P_CONN_ST_CHG_REQ) || sent(P_STATE_CHG_REQ));
		T_EQ(L.conn.link, LINK_UP);
	}

	/* granted: the peer waits for the end of this connection */
	linked(SEC);
	job(JOB_DISCONNECT);
	happens((struct core_event){ .type = EV_JOB_CANCEL, .job = &L.job });
	peer_says(RES_SUCCESS);
	T_OK(at(ACT_DROP_LINK) >= 0 && L.conn.link != LINK_UP);
	T_OK(!L.conn.want_standalone);

	linked(SEC);
	job(JOB_DISCONNECT);
	happens((struct core_event){ .type = EV_JOB_CANCEL, .job = &L.job });
	job(JOB_INVALIDATE);
	peer_says(RES_SUCCESS);
	T_OK(L.pd.now.repl != REPL_STARTING_SYNC_T && L.pd.sync == SYNC_NONE);
}

static void disconnect_asks(void)
{
	linked(SEC);
	T_EQ(job(JOB_DISCONNECT), RES_PENDING);
	T_OK(sent(P_CONN_ST_CHG_REQ));
	peer_says(RES_SUCCESS);
	T_EQ(L.job.result, RES_SUCCESS);
	T_EQ(L.conn.now.cstate, CONN_STANDALONE);
	T_EQ(job(JOB_DISCONNECT), RES_SUCCESS);

	linked(SEC);
	job(JOB_DISCONNECT);
	peer_says(RES_PRIMARY_NOP);	/* then with the own disk outdated */
	T_OK(sent(P_CONN_ST_CHG_REQ) && L.job.result == RES_PENDING);
	peer_says(RES_PRIMARY_NOP);
	T_EQ(L.job.result, RES_CW_FAILED_BY_PEER);
	T_EQ(L.conn.now.cstate, CONN_CONNECTED);

	/* nobody left to ask */
	linked(SEC);
	job(JOB_DISCONNECT);
	link_breaks();
	T_EQ(L.job.result, RES_SUCCESS);
	T_EQ(L.conn.now.cstate, CONN_STANDALONE);

	linked(SEC);
	T_EQ(forced(JOB_DISCONNECT), RES_SUCCESS);
	T_OK(!sent(P_CONN_ST_CHG_REQ));
}

/* A job whose peer is gone ends, whatever it had asked for. */
static void jobs_end_with_the_link(void)
{
	static const u8 types[] = { JOB_DETACH, JOB_PRIMARY, JOB_INVALIDATE, JOB_INVALIDATE_PEER };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		linked(SEC);
		L.withheld = WITHOUT(ACT_DROP_LINK);
		T_EQ(job(types[i]), RES_PENDING);
		T_OK(sent(P_STATE_CHG_REQ));
		link_breaks();
		comes((struct core_event){ .type = EV_LINK_DRAINED, .conn = &L.conn });
		if (L.job.result == RES_PENDING)
			t_fail(__FILE__, __LINE__, "job %u goes on waiting", types[i]);
	}
}

/* Only definite refusals end in StandAlone; all else is tried again. */
static void broken_links_are_tried_again(void)
{
	static const u8 reasons[] = { CONN_TIMEOUT, CONN_BROKEN_PIPE, CONN_NETWORK_FAILURE,
				      CONN_PROTOCOL_ERROR, CONN_TEAR_DOWN };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		linked(SEC);
		happens((struct core_event){ .type = EV_LINK_DOWN, .conn = &L.conn, .down.reason = reasons[i] });
		T_EQ(L.conn.now.cstate, CONN_CONNECTING);
		T_OK(at(ACT_RECONNECT) >= 0);
		T_EQ(L.pd.now.pdsk, DISK_UNKNOWN);
	}
	linked(SEC);
	happens((struct core_event){ .type = EV_LINK_DOWN, .conn = &L.conn, .down.reason = CONN_DISCONNECTING });
	T_EQ(L.conn.now.cstate, CONN_STANDALONE);
	/* the greeting that ended came while the link was being taken down: not up again */
	linked(SEC);
	L.conn.link = LINK_RESOLVING;
	L.conn.held_mask = 1;
	happens((struct core_event){ .type = EV_LINK_UP, .conn = &L.conn });
	T_OK(at(ACT_DROP_LINK) >= 0);
}

/* A job that waits for its turn can be interrupted; one that has asked is carried on. */
static void interrupted_jobs(void)
{
	linked(SEC);
	L.conn.link = LINK_HANDSHAKE;
	T_EQ(job(JOB_DETACH), RES_PENDING);
	happens((struct core_event){ .type = EV_JOB_CANCEL, .job = &L.job });
	T_EQ(L.job.result, RES_INTERRUPTED);
	alone(PRI);
	L.withheld = WITHOUT(ACT_DRAIN);
	job(JOB_SECONDARY);
	happens((struct core_event){ .type = EV_JOB_CANCEL, .job = &L.job });
	T_EQ(L.job.result, RES_PENDING);
	comes((struct core_event){ .type = EV_DRAINED, .dev = &L.dev });
	T_EQ(L.job.result, RES_SUCCESS);
}

/* --- requests of the peer ----------------------------------------------------------------------------------- */

static void requests_of_the_peer(void)
{
	static const struct {
		const char *what;
		struct wire_state mask, val;
		bool wide, own;		/* connection wide; a request of ours is out, and ours wins */
		u8 role;
		bool ok;
	} rows[] = {
#define BIT(field, m, v) .mask = { .field = m }, .val = { .field = v }
		{ "to be Primary", BIT(role, ROLE_MASK, PRI), .role = SEC, .ok = true },
		{ "to be the second Primary", BIT(role, ROLE_MASK, PRI), .role = PRI },
		{ "to detach", BIT(disk, DISK_MASK, DISK_FAILED), .role = SEC, .ok = true },
		{ "to leave", BIT(conn, CONN_MASK, CONN_DISCONNECTING), .wide = true, .role = SEC, .ok = true },
		{ "invalidate", BIT(conn, CONN_MASK, REPL_STARTING_SYNC_T), .role = SEC, .ok = true },
		{ "invalidate-remote of a Primary", BIT(conn, CONN_MASK, REPL_STARTING_SYNC_S), .role = PRI,
		  .ok = true },
		{ "verify without an algorithm", BIT(conn, CONN_MASK, REPL_VERIFY_S), .role = SEC },
		{ "a state that nobody asks for", BIT(conn, CONN_MASK, REPL_AHEAD), .role = SEC },
		{ "while ours is out", BIT(role, ROLE_MASK, PRI), .role = SEC, .own = true },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct core_event ev = { .type = EV_STATE_CHG_REQ, .conn = &L.conn, .flag = rows[i].wide,
					 .chg_req = { .mask = rows[i].mask, .val = rows[i].val } };

		linked(rows[i].role);
		ev.dev = rows[i].wide ? NULL : &L.dev;
		ev.pd = rows[i].wide ? NULL : &L.pd;
		if (rows[i].own) {
			L.conn.resolve_conflicts = true;
			job(JOB_DETACH);
			L.n_done = 0;
		}
		happens(ev);
		T_OK(sent(rows[i].wide ? P_CONN_ST_CHG_REPLY : P_STATE_CHG_REPLY));
		T_OK(at(ACT_GO_ON) >= 0);
		if ((L.res.now.role == rows[i].role) != true)
			t_fail(__FILE__, __LINE__, "%s: the role here changes", rows[i].what);
		if (!rows[i].ok && (L.conn.now.peer_role != SEC || L.pd.now.pdsk != UTD ||
				    L.pd.now.repl != REPL_ESTABLISHED))
			t_fail(__FILE__, __LINE__, "%s: refused, but something has changed", rows[i].what);
		if (rows[i].ok && L.conn.now.peer_role == SEC && L.pd.now.pdsk == UTD &&
		    L.pd.now.repl == REPL_ESTABLISHED && L.conn.now.cstate == CONN_CONNECTED)
			t_fail(__FILE__, __LINE__, "%s: granted, but nothing has changed", rows[i].what);
	}
	/* an answer to nothing */
	linked(SEC);
	peer_says(RES_SUCCESS);
	T_EQ(L.conn.now.cstate, CONN_CONNECTED);
}

/* --- congestion ------------------------------------------------------------------------------ */

static void congested_link(u8 policy)
{
	linked(PRI);
	L.conn.conf.wire_protocol = PROTOCOL_A;
	L.conn.conf.on_congestion = policy;
	L.conn.conf.cong_fill = 100;
	L.conn.conf.cong_extents = 67;
	change_commit(&L.res, "test");
	L.res.nr_actions = L.n_done = 0;
}

static void congestion(u8 type)
{
	happens((struct core_event){ .type = type, .conn = &L.conn, .dev = &L.dev, .pd = &L.pd });
}

/* behaviour.md 11.9: who is watched. */
static void congestion_is_watched_where_it_may_be(void)
{
	static const struct {
		u8 policy, protocol, role, repl, disk, pdsk, version, want;
	} rows[] = {
		{ ON_CONGESTION_PULL_AHEAD, PROTOCOL_A, PRI, REPL_ESTABLISHED, UTD, UTD, 101, PLAN_CONGESTION_WATCH },
		{ ON_CONGESTION_DISCONNECT, PROTOCOL_A, PRI, REPL_ESTABLISHED, UTD, UTD, 96, PLAN_CONGESTION_WATCH },
		{ ON_CONGESTION_PULL_AHEAD, PROTOCOL_A, PRI, REPL_SYNC_SOURCE, UTD, INC, 101, PLAN_CONGESTION_WATCH },
		{ ON_CONGESTION_PULL_AHEAD, PROTOCOL_A, PRI, REPL_AHEAD, UTD, DISK_OUTDATED, 101, PLAN_CONGESTION_AHEAD },
		{ ON_CONGESTION_BLOCK, PROTOCOL_A, PRI, REPL_ESTABLISHED, UTD, UTD, 101, PLAN_CONGESTION_IGNORE },
		{ ON_CONGESTION_PULL_AHEAD, PROTOCOL_C, PRI, REPL_ESTABLISHED, UTD, UTD, 101, PLAN_CONGESTION_IGNORE },
		{ ON_CONGESTION_PULL_AHEAD, PROTOCOL_A, SEC, REPL_ESTABLISHED, UTD, UTD, 101, PLAN_CONGESTION_IGNORE },
		{ ON_CONGESTION_PULL_AHEAD, PROTOCOL_A, PRI, REPL_ESTABLISHED, UTD, UTD, 95, PLAN_CONGESTION_IGNORE },
		{ ON_CONGESTION_PULL_AHEAD, PROTOCOL_A, PRI, REPL_ESTABLISHED, UTD, DISK_DISKLESS, 101, PLAN_CONGESTION_IGNORE },
		{ ON_CONGESTION_PULL_AHEAD, PROTOCOL_A, PRI, REPL_ESTABLISHED, DISK_DISKLESS, UTD, 101, PLAN_CONGESTION_IGNORE },
		{ ON_CONGESTION_PULL_AHEAD, PROTOCOL_A, PRI, REPL_PAUSED_SYNC_S, UTD, INC, 101, PLAN_CONGESTION_IGNORE },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		congested_link(rows[i].policy);
		L.conn.conf.wire_protocol = rows[i].protocol;
		L.conn.wire.version = rows[i].version;
		both(rows[i].role, CONN_CONNECTED, rows[i].repl, rows[i].disk, rows[i].pdsk);
		plan_update(&L.dev);
		if (L.dev.plan.peer[0].congestion != rows[i].want)
			t_fail(__FILE__, __LINE__, "row %u: %u", i, L.dev.plan.peer[0].congestion);
		T_EQ(L.dev.plan.peer[0].congestion_fill, rows[i].want == PLAN_CONGESTION_WATCH ? 100 : 0);
	}
}

/* State(Ahead) behind the plan; no notice before the generation is on the disk. */
static void pulls_ahead_in_order(void)
{
	congested_link(ON_CONGESTION_PULL_AHEAD);
	L.withheld = WITHOUT(ACT_DRAIN);
	congestion(EV_CONGESTED);
	T_EQ(L.pd.now.repl, REPL_AHEAD);
	T_EQ(L.pd.now.pdsk, DISK_CONSISTENT);
	T_EQ(L.dev.plan.peer[0].leg, PLAN_NOTICE);
	T_EQ(L.dev.plan.write_admission, PLAN_NEW_GENERATION);
	T_OK(sent(P_STATE));
	T_OK(at(ACT_PLAN) < at(ACT_SEND));
	T_OK(at(ACT_DRAIN) > at(ACT_SEND));
	congestion(EV_CONGESTED);	/* more of the same */
	T_EQ(L.pd.sync, SYNC_AHEAD);
	state_comes(peer_state(SEC, REPL_BEHIND, DISK_OUTDATED, UTD));
	T_EQ(L.pd.now.pdsk, DISK_OUTDATED);
	T_EQ(L.dev.plan.write_admission, PLAN_NEW_GENERATION);
	happens((struct core_event){ .type = EV_GENERATION_NEEDED, .dev = &L.dev });
	T_EQ(L.dev.md.peer[1].bitmap_uuid, A);
	T_OK((L.dev.md.current_uuid & ~1ull) != A);
	T_EQ(L.dev.plan.write_admission, PLAN_OPEN);
	T_EQ(L.dev.plan.peer[0].congestion, PLAN_CONGESTION_AHEAD);

	/* what was sent is confirmed: a while later the resync begins, without bitmaps */
	time_passes(3000);
	T_EQ(L.pd.sync, SYNC_AHEAD);
	L.n_done = 0;
	comes((struct core_event){ .type = EV_DRAINED, .dev = &L.dev });
	T_EQ(L.pd.now.repl, REPL_AHEAD);
	T_OK(L.res.wake_ms > L.now && L.res.wake_ms <= L.now + 1000);
	time_passes(1001);
	T_EQ(L.pd.now.repl, REPL_SYNC_SOURCE);
	T_EQ(L.dev.plan.peer[0].leg, PLAN_DATA);
	T_EQ(at(ACT_SEND_BITMAP), -1);
	T_OK(sent(P_SYNC_UUID));
	T_OK(at(ACT_WRITE_BITMAP) >= 0 && at(ACT_WRITE_BITMAP) < at(ACT_START_RESYNC));
}

/* Not before the peer has said that it is behind; for a while only. */
static void ahead_waits_for_the_peers_word(void)
{
	congested_link(ON_CONGESTION_PULL_AHEAD);
	congestion(EV_CONGESTED);
	time_passes(5000);
	T_EQ(L.pd.now.repl, REPL_AHEAD);
	/* it had finished before it heard of it */
	state_comes(peer_state(SEC, REPL_ESTABLISHED, UTD, UTD));
	T_EQ(L.pd.now.repl, REPL_AHEAD);
	T_EQ(L.pd.now.pdsk, DISK_CONSISTENT);
	time_passes(4000);
	T_EQ(L.pd.now.repl, REPL_AHEAD);
	time_passes(2000);
	time_passes(1100);
	T_EQ(L.pd.now.repl, REPL_SYNC_SOURCE);
}

/* A sync target that has just finished must find its generation in our past. */
static void ahead_during_a_resync(void)
{
	congested_link(ON_CONGESTION_PULL_AHEAD);
	both(PRI, CONN_CONNECTED, REPL_SYNC_SOURCE, UTD, INC);
	L.pd.sync = SYNC_RUN;
	L.pd.sync_source = true;
	L.dev.md.peer[1].bitmap_uuid = B;
	L.dev.md.history[0] = 0xc0;
	change_commit(&L.res, "test");
	congestion(EV_CONGESTED);
	T_EQ(L.pd.now.repl, REPL_AHEAD);
	T_EQ(at(ACT_STOP_RESYNC), -1);
	happens((struct core_event){ .type = EV_GENERATION_NEEDED, .dev = &L.dev });
	T_EQ(L.dev.md.peer[1].bitmap_uuid, B);
	T_OK((L.dev.md.current_uuid & ~1ull) != A);
	T_EQ(L.dev.md.history[0] & ~1ull, A);
}

static void congestion_disconnects(void)
{
	congested_link(ON_CONGESTION_DISCONNECT);
	congestion(EV_CONGESTED);
	T_EQ(L.conn.now.cstate, CONN_STANDALONE);
	congested_link(ON_CONGESTION_PULL_AHEAD);
	congestion(EV_LOG_FULL);
	T_EQ(L.conn.now.cstate, CONN_CONNECTING);
	congested_link(ON_CONGESTION_BLOCK);
	congestion(EV_LOG_FULL);
	congestion(EV_CONGESTED);
	T_EQ(L.pd.now.repl, REPL_ESTABLISHED);
}

/* The other end: Behind, then target on the peer's SyncUUID. */
static void falls_behind(void)
{
	linked(SEC);
	L.conn.now.peer_role = L.conn.next_state.peer_role = PRI;
	state_comes(peer_state(PRI, REPL_AHEAD, UTD, DISK_CONSISTENT));
	T_EQ(L.pd.now.repl, REPL_BEHIND);
	T_EQ(L.dev.now.disk, DISK_OUTDATED);
	T_OK(sent(P_STATE));
	L.n_done = 0;
	state_comes(peer_state(PRI, REPL_AHEAD, UTD, DISK_OUTDATED));
	T_OK(sent(P_STATE));	/* it has asked again */
	L.n_done = 0;
	L.pd.dirty_bits = 5;
	happens((struct core_event){ .type = EV_SYNC_UUID, .conn = &L.conn, .dev = &L.dev, .pd = &L.pd,
				     .uuid = B });
	T_EQ(L.pd.now.repl, REPL_SYNC_TARGET);
	T_EQ(L.dev.now.disk, INC);
	T_EQ(L.dev.md.current_uuid, B);
	T_EQ(at(ACT_SEND_BITMAP), -1);
	/* and again, in the middle of it: what was asked for still counts */
	L.n_done = 0;
	state_comes(peer_state(PRI, REPL_AHEAD, UTD, INC));
	T_EQ(L.pd.now.repl, REPL_BEHIND);
	T_EQ(L.dev.now.disk, INC);
	T_OK(!L.dev.plan.peer[0].request_resync);
	T_EQ(at(ACT_STOP_RESYNC), -1);
	/* a finished pass of the last round says nothing */
	happens((struct core_event){ .type = EV_RESYNC_DONE, .conn = &L.conn, .dev = &L.dev, .pd = &L.pd });
	T_EQ(L.pd.now.repl, REPL_BEHIND);
}

/* One copy is old: with the other one's disk it does not become the newest. */
static void old_copy_stays_old(void)
{
	linked(SEC);
	L.conn.now.peer_role = L.conn.next_state.peer_role = PRI;
	state_comes(peer_state(PRI, REPL_AHEAD, UTD, DISK_CONSISTENT));
	state_comes(peer_state(PRI, REPL_ESTABLISHED, DISK_FAILED, DISK_OUTDATED));
	T_EQ(L.pd.now.repl, REPL_ESTABLISHED);
	T_EQ(L.dev.now.disk, INC);

	congested_link(ON_CONGESTION_PULL_AHEAD);
	congestion(EV_CONGESTED);
	state_comes(peer_state(SEC, REPL_BEHIND, DISK_OUTDATED, UTD));
	happens((struct core_event){ .type = EV_DISK_ERROR, .dev = &L.dev, .flag = true });
	T_OK(L.dev.now.disk <= DISK_FAILED);
	T_EQ(L.pd.now.pdsk, INC);
	T_EQ(L.dev.plan.read_admission, PLAN_FAIL);
}

/* --- verify --repair ------------------------------------------------------------------------------ */

static void verify_to_repair(u8 role, u8 peer_role)
{
	linked(role);
	L.conn.now.peer_role = L.conn.next_state.peer_role = peer_role;
	core_strcopy(L.conn.conf.verify_alg, "crc32c", sizeof(L.conn.conf.verify_alg));
	L.job = (struct core_job){ .type = JOB_VERIFY, .conn = &L.conn, .dev = &L.dev, .pd = &L.pd,
				   .flag = true, .stop = ~0ull };
	happens((struct core_event){ .type = EV_JOB, .job = &L.job });
	if (L.job.result == RES_PENDING)
		peer_says(RES_SUCCESS);
}

static void verify_ends(u64 found)
{
	L.pd.dirty_bits = found;
	happens((struct core_event){ .type = EV_VERIFY_DONE, .conn = &L.conn, .dev = &L.dev, .pd = &L.pd,
				     .found = found });
}

static void verify_repairs(void)
{
	verify_to_repair(PRI, SEC);
	T_EQ(L.pd.now.repl, REPL_VERIFY_S);
	L.n_done = 0;
	L.withheld = WITHOUT(ACT_WRITE_MD);
	verify_ends(3);
	T_EQ(L.pd.now.repl, REPL_ESTABLISHED);
	T_EQ(L.dev.md.peer[1].bitmap_uuid, A);
	T_OK(!sent(P_UUIDS));
	comes((struct core_event){ .type = EV_MD_WRITTEN, .dev = &L.dev, .ok = true, .md_gen = L.dev.md_gen });
	T_EQ(L.pd.now.repl, REPL_WF_BITMAP_S);
	T_OK(sent(P_UUIDS));
	T_OK(at(ACT_SEND_BITMAP) >= 0);

	verify_to_repair(SEC, SEC);
	verify_ends(0);
	T_EQ(L.pd.now.repl, REPL_ESTABLISHED);
	T_EQ(L.dev.md.current_uuid, A);
}

/* Never over data that the peer uses, nor what another verify had found. */
static void verify_does_not_repair(void)
{
	verify_to_repair(SEC, PRI);
	T_EQ(L.job.result, RES_DEVICE_IN_USE);
	T_EQ(L.pd.now.repl, REPL_ESTABLISHED);

	/* promoted while it ran */
	verify_to_repair(SEC, SEC);
	L.conn.now.peer_role = L.conn.next_state.peer_role = PRI;
	verify_ends(3);
	T_EQ(L.pd.now.repl, REPL_ESTABLISHED);
	T_EQ(L.dev.md.current_uuid, A);

	verify_to_repair(PRI, SEC);
	link_breaks();
	T_EQ(L.pd.repair, 0);

	linked(PRI);
	core_strcopy(L.conn.conf.verify_alg, "crc32c", sizeof(L.conn.conf.verify_alg));
	L.job = (struct core_job){ .type = JOB_VERIFY, .conn = &L.conn, .dev = &L.dev, .pd = &L.pd, .stop = ~0ull };
	happens((struct core_event){ .type = EV_JOB, .job = &L.job });
	peer_says(RES_SUCCESS);
	verify_ends(3);
	T_EQ(L.pd.now.repl, REPL_ESTABLISHED);
	T_EQ(L.dev.md.current_uuid, A);
}

/* A peer that answers pings and nothing else. */
static void resize_does_not_wait_for_ever(void)
{
	linked(PRI);
	L.dev.grown = true;
	T_EQ(job(JOB_RESIZE), RES_PENDING);
	T_OK(L.res.wake_ms > L.now);
	time_passes(29000);
	T_EQ(L.job.result, RES_PENDING);
	time_passes(2000);
	T_EQ(L.job.result, RES_TIMEOUT);
	T_OK(strstr(L.job.text, "the peer has not answered"));
}

/* --- no data --------------------------------------------------------------------------------- */

/* suspend-io: what is in flight is given back, until data come; io-error: it fails. */
static void writes_wait_for_data(void)
{
	linked(PRI);
	L.res.opts.on_no_data = ON_NO_DATA_SUSPEND_IO;
	both(PRI, CONN_CONNECTED, REPL_ESTABLISHED, DISK_DISKLESS, UTD);
	change_commit(&L.res, "test");
	L.res.nr_actions = L.n_done = 0;
	link_breaks();
	T_OK(L.res.now.susp_nod);
	T_EQ(L.dev.plan.completion, PLAN_COMPLETE_PARK);
	T_EQ(L.dev.plan.write_admission, PLAN_PARK);
	T_OK(at(ACT_RELEASE) > at(ACT_PLAN));	/* what another suspension held back, too */
	T_OK(at(ACT_RESOLVE_LOST) > at(ACT_RELEASE));
	L.n_done = 0;
	T_EQ(job(JOB_RESUME_IO), RES_SUCCESS);
	T_EQ(L.dev.plan.completion, PLAN_COMPLETE_FAIL);
	T_EQ(L.dev.plan.write_admission, PLAN_FAIL);

	linked(PRI);
	both(PRI, CONN_CONNECTED, REPL_ESTABLISHED, DISK_DISKLESS, UTD);
	change_commit(&L.res, "test");
	link_breaks();
	T_OK(!L.res.now.susp_nod);
	T_EQ(L.dev.plan.completion, PLAN_COMPLETE_FAIL);
}

/* --- al-updates ------------------------------------------------------------------------------ */

static void change_al(bool on, struct nl_disk_conf *conf)
{
	*conf = L.dev.conf;
	conf->al_updates = on;
	L.job = (struct core_job){ .type = JOB_DISK_CONF, .dev = &L.dev, .arg.disk_conf = conf };
	happens((struct core_event){ .type = EV_JOB, .job = &L.job });
}

/* The superblock tells of the first write without the log before it is made. */
static void activity_log_goes_and_comes(void)
{
	struct nl_disk_conf conf;

	linked(PRI);
	L.withheld = WITHOUT(ACT_WRITE_MD);
	change_al(false, &conf);
	T_OK(L.dev.md.flags & MDF_AL_DISABLED);
	T_OK(L.dev.plan.al_enabled);
	T_EQ(L.job.result, RES_PENDING);
	comes((struct core_event){ .type = EV_MD_WRITTEN, .dev = &L.dev, .ok = true, .md_gen = L.dev.md_gen });
	T_EQ(L.job.result, RES_SUCCESS);
	T_OK(!L.dev.plan.al_enabled);

	L.withheld = WITHOUT(ACT_DRAIN);
	change_al(true, &conf);
	T_OK(L.dev.plan.al_enabled);
	T_OK(L.dev.md.flags & MDF_AL_DISABLED);
	comes((struct core_event){ .type = EV_DRAINED, .dev = &L.dev });
	T_EQ(L.job.result, RES_SUCCESS);
	T_OK(!(L.dev.md.flags & MDF_AL_DISABLED));
	T_OK(L.dev.plan.al_enabled);

	/* it could not be written: the disk goes, and nothing was written without the log */
	linked(PRI);
	L.md_fails = true;
	change_al(false, &conf);
	T_EQ(L.job.result, ERR_NO_DISK);
}

/* --- found by the simulator ------------------------------------------------------------------ */

static struct core_event request(struct wire_state mask, struct wire_state val)
{
	return (struct core_event){ .type = EV_STATE_CHG_REQ, .conn = &L.conn, .dev = &L.dev, .pd = &L.pd,
				    .chg_req = { .mask = mask, .val = val } };
}

static u32 count(u8 type)
{
	u32 i, n = 0;

	for (i = 0; i < L.n_done; i++)
		n += L.done[i].type == type;
	return n;
}

/* The peer wants to be Primary, and the two have not both compared a disk of ours. */
static void peer_is_not_promoted_in_between(void)
{
	const struct wire_state mask = { .role = ROLE_MASK }, val = { .role = PRI };
	u32 i;

	for (i = 0; i < 4; i++) {
		linked(SEC);
		if (i < 2) {
			L.dev.now.disk = L.dev.next_state.disk = i ? DISK_NEGOTIATING : DISK_ATTACHING;
		} else {
			L.pd.sync = SYNC_BITMAP;
			L.pd.exchange = true;
			L.pd.bitmap_received = i == 3;
		}
		happens(request(mask, val));
		T_EQ(L.conn.now.peer_role, i == 3 ? PRI : SEC);
	}
}

/* A Primary without disk writes through a disk that came up behind it: in a new generation. */
static void new_generation_for_who_was_there_first(void)
{
	linked(SEC);
	both(SEC, CONN_CONNECTED, REPL_ESTABLISHED, DISK_ATTACHING, DISK_DISKLESS);
	L.conn.now.peer_role = L.conn.next_state.peer_role = PRI;
	L.dev.next_state.disk = UTD;
	change_commit(&L.res, "test");
	time_passes(1);
	T_OK((L.dev.md.current_uuid & ~1ull) != A);
	T_EQ(L.dev.md.peer[1].bitmap_uuid & ~1ull, A);
}

/* Ctrl-C: what has changed something goes on, what only waits ends. */
static void begun_jobs_are_not_left(void)
{
	good_attach();
	L.attach.md.effective_size = 0;	/* a full sync: all bits are set first */
	L.withheld = WITHOUT(ACT_SET_ALL_BITS);
	T_EQ(attach(), RES_PENDING);
	T_EQ(L.dev.now.disk, DISK_ATTACHING);
	happens((struct core_event){ .type = EV_JOB_CANCEL, .job = &L.job });
	T_EQ(L.job.result, RES_PENDING);
	comes((struct core_event){ .type = EV_BITS_SET, .dev = &L.dev, .ok = true });
	T_EQ(L.job.result, RES_SUCCESS);
	T_OK(L.dev.now.disk > DISK_ATTACHING);

	alone(PRI);
	L.withheld = WITHOUT(ACT_BLOCK_OPENS);
	T_EQ(job(JOB_SECONDARY), RES_PENDING);
	happens((struct core_event){ .type = EV_JOB_CANCEL, .job = &L.job });
	T_EQ(L.job.result, RES_PENDING);	/* or nobody could open the device any more */

	linked(SEC);
	L.pd.now.pdsk = L.pd.next.pdsk = DISK_ATTACHING;
	T_EQ(job(JOB_PRIMARY), RES_PENDING);
	happens((struct core_event){ .type = EV_JOB_CANCEL, .job = &L.job });
	T_EQ(L.job.result, RES_INTERRUPTED);
}

/* A second invalidate would wait for a SyncUUID that the source has sent already. */
static void invalidate_once(void)
{
	const struct wire_state mask = { .conn = CONN_MASK }, val = { .conn = REPL_STARTING_SYNC_T };

	linked(SEC);
	L.withheld = WITHOUT(ACT_SET_ALL_BITS);
	job(JOB_INVALIDATE);
	peer_says(RES_SUCCESS);
	T_EQ(L.job.result, RES_SUCCESS);
	T_EQ(L.pd.now.repl, REPL_STARTING_SYNC_T);
	L.n_done = 0;
	T_EQ(job(JOB_INVALIDATE), RES_RESYNC_RUNNING);
	T_EQ(job(JOB_INVALIDATE_PEER), RES_RESYNC_RUNNING);
	T_OK(!sent(P_STATE_CHG_REQ));

	/* the peer's */
	linked(PRI);
	L.withheld = WITHOUT(ACT_SET_ALL_BITS);
	happens(request(mask, val));
	T_EQ(L.pd.now.repl, REPL_STARTING_SYNC_S);
	happens(request(mask, val));
	T_EQ(count(ACT_SET_ALL_BITS), 1);

	/* nor does another request begin it again */
	linked(SEC);
	L.withheld = WITHOUT(ACT_SET_ALL_BITS);
	happens(request(mask, val));
	happens(request((struct wire_state){ .role = ROLE_MASK }, (struct wire_state){ .role = SEC }));
	T_EQ(L.pd.now.repl, REPL_STARTING_SYNC_S);
	T_EQ(count(ACT_SET_ALL_BITS), 1);
}

static void refused(void)
{
	happens((struct core_event){ .type = EV_WRITE_REFUSED, .conn = &L.conn, .dev = &L.dev, .pd = &L.pd });
}

/*
 * The peer could not write: success is told behind the generation that says that this
 * node has data of its own, or a node that dies now is not missed.
 */
static void refused_writes_end_behind_the_generation(void)
{
	linked(PRI);
	L.withheld = WITHOUT(ACT_WRITE_MD);
	refused();
	T_EQ(at(ACT_RESOLVE_LOST), -1);
	state_comes(peer_state(SEC, REPL_ESTABLISHED, DISK_FAILED, UTD));
	T_OK(L.dev.gen_writing);
	T_EQ(at(ACT_RESOLVE_LOST), -1);
	comes((struct core_event){ .type = EV_MD_WRITTEN, .dev = &L.dev, .ok = true, .md_gen = L.dev.md_gen });
	T_EQ(count(ACT_RESOLVE_LOST), 1);

	/* its superblock says that it is not whole: that is enough */
	linked(PRI);
	state_comes(peer_state(SEC, REPL_ESTABLISHED, INC, UTD));
	refused();
	T_EQ(count(ACT_RESOLVE_LOST), 1);

	/* a peer that does not say why it refuses is not trusted for ever */
	linked(PRI);
	L.withheld = WITHOUT(ACT_DROP_LINK);
	refused();
	T_OK(L.res.wake_ms > L.now);
	L.now = L.res.wake_ms;
	happens((struct core_event){ .type = EV_TIMER });
	T_EQ(L.conn.link, LINK_DRAINING);
	T_OK(L.dev.now.gen_pending);
}

/* One of them has no disk, so there is nothing to compare; both are written to. */
static void primaries_without_disk_meet(void)
{
	handshake(PRI, A, 0, peer_state(PRI, CONN_CONNECTED, DISK_DISKLESS, DISK_UNKNOWN));
	T_EQ(L.conn.now.cstate, CONN_STANDALONE);
	T_OK(L.conn.now.peer_role != PRI);
	handshake(SEC, A, 0, peer_state(PRI, CONN_CONNECTED, DISK_DISKLESS, DISK_UNKNOWN));
	T_EQ(L.pd.now.repl, REPL_ESTABLISHED);
}

/* A Primary that had no disk when its peer left could make no generation then. */
static void disk_comes_back_to_a_primary(void)
{
	good_attach();
	both(PRI, CONN_CONNECTING, REPL_OFF, DISK_DISKLESS, DISK_UNKNOWN);
	L.dev.exposed_uuid = A;
	T_EQ(attach(), RES_SUCCESS);
	T_EQ(L.dev.now.disk, UTD);
	T_OK(L.dev.now.gen_pending);
	T_EQ(L.dev.plan.write_admission, PLAN_NEW_GENERATION);
}

/* What arrives from a peer behind the end of its link is not known to be on its disk. */
static void late_writes_are_marked(void)
{
	linked(SEC);
	T_OK(!L.dev.plan.peer[0].track);
	L.withheld = WITHOUT(ACT_DROP_LINK);
	link_breaks();
	T_EQ(L.pd.now.pdsk, DISK_UNKNOWN);
	T_OK(L.dev.plan.peer[0].track);
}

/* By force, too: first the attach ends. */
static void detach_while_attaching(void)
{
	static struct core_job second;

	good_attach();
	L.withheld = WITHOUT(ACT_WRITE_MD);
	T_EQ(attach(), RES_PENDING);
	second = (struct core_job){ .type = JOB_DETACH, .dev = &L.dev, .force = true };
	happens((struct core_event){ .type = EV_JOB, .job = &second });
	T_EQ(second.result, RES_PENDING);
	comes((struct core_event){ .type = EV_MD_WRITTEN, .dev = &L.dev, .ok = true, .md_gen = L.dev.md_gen });
	T_EQ(L.job.result, RES_SUCCESS);
	T_EQ(second.result, RES_SUCCESS);
	T_EQ(L.dev.now.disk, DISK_DISKLESS);
}

/* The identifiers of the peer's new generation overtake its consent to the detach. */
static void detach_takes_the_peers_generation(void)
{
	linked(PRI);
	L.dev.exposed_uuid = A;
	job(JOB_DETACH);
	happens((struct core_event){ .type = EV_UUIDS, .conn = &L.conn, .dev = &L.dev, .pd = &L.pd,
				     .uuids = { .current_uuid = B, .bitmap_uuid = A } });
	peer_says(RES_SUCCESS);
	T_EQ(L.dev.now.disk, DISK_DISKLESS);
	T_EQ(L.dev.exposed_uuid, B);
	/* and its own disk is what it may not take any more */
	link_breaks();
	nl_disk_conf_defaults(&L.attach.conf);
	drbd_md_init(&L.attach.md, MD_V09, 1);
	L.attach.md.node_id = 0;
	L.attach.md.effective_size = L.attach.d_size = 8192;
	L.attach.md.current_uuid = A;
	L.attach.md.flags = MDF_CONSISTENT | MDF_WAS_UP_TO_DATE | MDF_AL_CLEAN;
	T_EQ(attach(), ERR_DATA_NOT_CURRENT);
}

/* The peer whose data the application uses leaves during the attach. */
static void attach_loses_the_data_in_use(void)
{
	good_attach();
	both(PRI, CONN_CONNECTED, REPL_ESTABLISHED, DISK_DISKLESS, UTD);
	L.conn.link = LINK_UP;
	L.conn.wire.version = 101;
	L.pd.decided = L.pd.got_uuids = true;
	L.pd.peer_uuids.current_uuid = L.dev.exposed_uuid = B;
	L.withheld = WITHOUT(ACT_WRITE_MD) | WITHOUT(ACT_DROP_LINK);
	T_EQ(attach(), RES_PENDING);
	link_breaks();
	comes((struct core_event){ .type = EV_MD_WRITTEN, .dev = &L.dev, .ok = true, .md_gen = L.dev.md_gen });
	T_EQ(L.job.result, ERR_DATA_NOT_CURRENT);
	T_EQ(L.dev.now.disk, DISK_DISKLESS);
	T_EQ(L.dev.exposed_uuid, B);
}

/*
 * A disk that a living Primary had lost with writes in flight differs from the peer's in
 * them, though its generation is the same - unless they wait, to be written again.
 */
static void disk_lost_by_a_living_primary(void)
{
	static const struct {
		u32 flags;
		u8 role;
		bool waits, crashed;
	} rows[] = {
		{ MDF_PRIMARY_IND, PRI, false, true },
		{ MDF_PRIMARY_IND, PRI, true, false },
		{ MDF_PRIMARY_IND, SEC, false, true },
		{ MDF_CRASHED_PRIMARY, PRI, true, true },
		{ 0, PRI, false, false },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		good_attach();
		both(rows[i].role, CONN_CONNECTING, REPL_OFF, DISK_DISKLESS, DISK_UNKNOWN);
		L.res.now.susp_nod = L.res.next.susp_nod = rows[i].waits;
		L.attach.md.flags |= rows[i].flags;
		T_EQ(attach(), RES_SUCCESS);
		T_EQ(L.dev.crashed_primary, rows[i].crashed);
	}
}

/* Two Primaries, a resync that could not copy all: what the peer writes is not told here. */
static void inconsistent_reads(void)
{
	linked(PRI);
	both(PRI, CONN_CONNECTED, REPL_ESTABLISHED, INC, UTD);
	change_commit(&L.res, "test");
	T_EQ(L.dev.plan.read_rule, PLAN_READ_REMOTE);
	both(PRI, CONN_CONNECTED, REPL_SYNC_TARGET, INC, UTD);
	change_commit(&L.res, "test");
	T_EQ(L.dev.plan.read_rule, PLAN_READ_CLEAN);
}

/* Both decide by the roles that they have shown, not by what became of them meanwhile. */
static void demoted_during_the_handshake(void)
{
	u8 role;

	for (role = SEC; role >= PRI; role--) {
		linked(SEC);
		both(SEC, CONN_CONNECTED, REPL_OFF, UTD, DISK_UNKNOWN);
		L.conn.link = LINK_HANDSHAKE;
		L.pd.decided = false;
		L.pd.shown_role = role;
		L.conn.wire.features = FEATURE_WSAME;
		L.dev.crashed_primary = true;
		L.dev.md.current_uuid = L.pd.sent_uuids.current_uuid = A;
		L.pd.peer_uuids.current_uuid = A;
		L.pd.peer_uuids.flags = UUID_CRASHED_PRIMARY;
		L.pd.sent_uuids.flags = UUID_CRASHED_PRIMARY;
		L.conn.resolve_conflicts = true;
		state_comes(peer_state(SEC, CONN_CONNECTED, DISK_CONSISTENT, DISK_UNKNOWN));
		T_EQ(L.pd.sync_source, role == PRI);
	}
}

const struct c_test life_tests[] = {
	{ "attach: as the superblock says", attach_ends_in_what_the_superblock_says },
	{ "attach: superblock first", attach_waits_for_the_superblock },
	{ "attach: suspect bits", attach_with_suspect_bits },
	{ "attach: refused", attach_refused },
	{ "attach: negotiates", attach_negotiates },
	{ "detach: in order", detach_in_order },
	{ "detach: refused", detach_refused },
	{ "disk errors: policies", io_error_policies },
	{ "promotion: in order", promotion_in_order },
	{ "promotion: waits for the handshake", promotion_waits_for_the_handshake },
	{ "jobs: what has begun is not left", begun_jobs_are_not_left },
	{ "promotion: waits for the peer's disk", promotion_waits_for_the_peers_disk },
	{ "promotion: asks who comes late", promotion_asks_who_comes_late },
	{ "promotion: not of a peer in between", peer_is_not_promoted_in_between },
	{ "generation: a Primary without disk was there first", new_generation_for_who_was_there_first },
	{ "promotion: by force", promotion_by_force },
	{ "promotion: tries twice", promotion_tries_twice },
	{ "demotion: in order", demotion_in_order },
	{ "generations: when one is due", when_a_generation_is_due },
	{ "generations: stable first", generation_is_stable_first },
	{ "generations: what was shown stays", shown_identifiers_stay },
	{ "generations: lost writes end behind it", lost_writes_end_behind_the_generation },
	{ "handshake: two Primaries", two_primaries_meet },
	{ "handshake: a Primary without a disk", diskless_primary_knows_its_data },
	{ "handshake: refusal of what the peer begins", refusal_of_what_the_peer_begins },
	{ "resync: source marks what is under way", source_marks_what_is_under_way },
	{ "resync: target in order", target_in_order },
	{ "resync: a handler refuses", handler_refuses },
	{ "resync: the source hears the end", source_hears_the_end },
	{ "sizes: of a peer", sizes_of_a_peer },
	{ "suspend-io: waits for writes", suspend_waits_for_writes },
	{ "outdate: when it may", outdate_when_it_may },
	{ "pause-sync and resume-sync", pause_and_resume },
	{ "options: change", options_change },
	{ "objects: go", objects_go },
	{ "disconnect: a late reply", late_reply },
	{ "disconnect: asks", disconnect_asks },
	{ "jobs: end with the link", jobs_end_with_the_link },
	{ "jobs: interrupted", interrupted_jobs },
	{ "links: tried again", broken_links_are_tried_again },
	{ "requests: of the peer", requests_of_the_peer },
	{ "verify: repairs", verify_repairs },
	{ "verify: does not repair", verify_does_not_repair },
	{ "resize: a deadline", resize_does_not_wait_for_ever },
	{ "no data: writes wait", writes_wait_for_data },
	{ "al-updates: change", activity_log_goes_and_comes },
	{ "congestion: who is watched", congestion_is_watched_where_it_may_be },
	{ "congestion: ahead in order", pulls_ahead_in_order },
	{ "congestion: the peer's word", ahead_waits_for_the_peers_word },
	{ "congestion: during a resync", ahead_during_a_resync },
	{ "congestion: disconnects", congestion_disconnects },
	{ "congestion: falls behind", falls_behind },
	{ "congestion: the old copy stays old", old_copy_stays_old },
	{ "invalidate: once", invalidate_once },
	{ "refused writes: end behind the generation", refused_writes_end_behind_the_generation },
	{ "handshake: two Primaries, one without disk", primaries_without_disk_meet },
	{ "generations: a disk comes back to a Primary", disk_comes_back_to_a_primary },
	{ "plan: late writes are marked", late_writes_are_marked },
	{ "detach: while attaching", detach_while_attaching },
	{ "detach: takes the peer's generation", detach_takes_the_peers_generation },
	{ "attach: the data in use is lost meanwhile", attach_loses_the_data_in_use },
	{ "attach: a disk lost by a living Primary", disk_lost_by_a_living_primary },
	{ "plan: reads of an Inconsistent disk", inconsistent_reads },
	{ "handshake: demoted meanwhile", demoted_during_the_handshake },
	{ NULL, NULL },
};
