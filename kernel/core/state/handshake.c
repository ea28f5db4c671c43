// SPDX-License-Identifier: GPL-2.0
/*
 * The handshake of a connection below 110: sets of packets both ways, and what
 * the peer's State decides (behaviour.md 5.1, 9; wire.md 5.1, 5.8). A volume is
 * decided when the first State of its peer was acted upon; the link is up when
 * all volumes are. State packets that come later are judged here too.
 */
#include "internal.h"
#include "policy.h"

/* The administrator must look at it: do not try again. */
void give_up(struct core_connection *conn, const char *why)
{
	emit_log(conn->res, "%s: %s", conn->conf.name, why);
	conn->given_up = why;
	conn->want_standalone = true;
	link_lose(conn, CONN_DISCONNECTING);
}

static void check_link_up(struct core_connection *conn)
{
	struct core_peer_device *pd;

	if (conn->link != LINK_HANDSHAKE)
		return;
	for_each_pd_of_conn(pd, conn)
		if (!pd->decided)
			return;
	conn->link = LINK_UP;
	conn->given_up = NULL;
	conn->discard_my_data = false;
	fence_link_up(conn);
}

void link_up(struct core_resource *res, const struct core_event *ev)
{
	struct core_connection *conn = ev->conn;
	struct core_peer_device *pd;

	if (conn->link != LINK_DOWN || conn->want_standalone) {
		emit_conn(conn, ACT_DROP_LINK);
		go_on(conn);
		return;
	}
	conn->wire = ev->link.wire;
	conn->resolve_conflicts = ev->link.resolve_conflicts;
	memset(&conn->req, 0, sizeof(conn->req));
	conn->agreed = false;
	conn->ping_acked = conn->ping_sent;
	conn->ping_again = false;
	conn->link = LINK_HANDSHAKE;
	for_each_pd_of_conn(pd, conn) {
		pd->got_sizes = pd->got_uuids = pd->got_state = pd->decided = false;
		pd->sync = SYNC_NONE;
		pd->early_sync_uuid = 0;
		pd->dev->told_fresh = false;
		pd->sizes_wait = pd->sizes_work = false;
	}
	send_handshake(conn);
	conn->next_state.cstate = CONN_CONNECTED;
	change_commit(res, "connected");
	check_link_up(conn);
	go_on(conn);
}

/* The peer's administrator has changed them; it had to wait for what uses them. */
static void adopt_algorithms(struct core_connection *conn, const struct wire_sync_param *p)
{
	struct nl_net_conf *c = &conn->conf;

	if (algorithms_in_use(conn, p->csums_alg, p->verify_alg)) {
		emit_log(conn->res, "%s: the peer changes verify-alg or csums-alg while they are in use",
			 conn->conf.name);
		link_lose(conn, CONN_PROTOCOL_ERROR);
		return;
	}
	if (strcmp(c->verify_alg, p->verify_alg))
		emit_log(conn->res, "%s: using verify-alg: \"%s\"", conn->conf.name, p->verify_alg);
	if (strcmp(c->csums_alg, p->csums_alg))
		emit_log(conn->res, "%s: using csums-alg: \"%s\"", conn->conf.name, p->csums_alg);
	core_strcopy(c->verify_alg, p->verify_alg, sizeof(c->verify_alg));
	core_strcopy(c->csums_alg, p->csums_alg, sizeof(c->csums_alg));
}

void got_sync_param(struct core_resource *res, const struct core_event *ev)
{
	struct core_connection *conn = ev->conn;
	const char *what = NULL;

	if (ev->pd && !ev->pd->decided) {
		if (strcmp(ev->sync_param.verify_alg, conn->conf.verify_alg))
			what = "verify-alg";
		else if (strcmp(ev->sync_param.csums_alg, conn->conf.csums_alg))
			what = "csums-alg";
	}
	if (what) {
		emit_log(res, "%s: Different %s settings: make them equal on both nodes",
			 conn->conf.name, what);
		give_up(conn, "the peer's options do not fit");
	} else if (ev->pd && ev->pd->decided) {
		adopt_algorithms(conn, &ev->sync_param);
	}
	go_on(conn);
}

void got_sizes(struct core_resource *res, const struct core_event *ev)
{
	(void)res;
	if (sizes_received(ev->pd, &ev->sizes))
		ev->pd->got_sizes = true;
	else
		give_up(ev->conn, "the peer's device does not fit");
	/* what it sends next may be for a device that has our new size */
	if (!ev->pd->sizes_wait)
		go_on(ev->conn);
}

void got_uuids(struct core_resource *res, const struct core_event *ev)
{
	struct core_peer_device *pd = ev->pd;
	struct core_device *dev = pd->dev;

	(void)res;
	pd->peer_uuids = ev->uuids;
	pd->got_uuids = true;
	pd->uuids_are_new = pd->uuids_answer = true;
	if (dev->now.disk < DISK_NEGOTIATING && pd->now.pdsk == DISK_UP_TO_DATE)
		dev->exposed_uuid = ev->uuids.current_uuid;
	if (!(ev->uuids.flags & UUID_SKIP_INITIAL_SYNC) || !skip_told(pd))
		go_on(ev->conn);
}

static u8 shown_disk(const struct core_peer_device *pd, u8 disk)
{
	if (disk != DISK_NEGOTIATING)
		return disk;
	return pd->peer_uuids.flags & UUID_INCONSISTENT ? DISK_INCONSISTENT : DISK_CONSISTENT;
}

/* @role: of this node, as the peer knows it, which decides the same from its side. */
static struct core_policy_input policy_input(struct core_peer_device *pd, u8 pdsk, u8 role,
					     u8 peer_role)
{
	struct core_connection *conn = pd->conn;
	struct core_device *dev = pd->dev;
	struct core_compare_side self = {
		.uuids = pd->sent_uuids, .crashed_primary = dev->crashed_primary, .role = role,
	};
	struct core_compare_side peer = {
		.uuids = pd->peer_uuids,
		.crashed_primary = pd->peer_uuids.flags & UUID_CRASHED_PRIMARY, .role = peer_role,
	};

	return (struct core_policy_input){
		.compare = compare84(&self, &peer, conn->wire.version, conn->resolve_conflicts,
				     conn->wire.features & FEATURE_WSAME),
		.role = role, .peer_role = peer_role,
		.disk = dev->now.disk == DISK_NEGOTIATING ? disk_from_md(dev) : dev->now.disk,
		.negotiating = dev->now.disk == DISK_NEGOTIATING,
		.pdsk = pdsk,
		.discard_mine = pd->sent_uuids.flags & UUID_DISCARD_MY_DATA,
		.discard_peers = pd->peer_uuids.flags & UUID_DISCARD_MY_DATA,
		.resolve_conflicts = conn->resolve_conflicts,
		.after_sb_0p = conn->conf.after_sb_0p, .after_sb_1p = conn->conf.after_sb_1p,
		.after_sb_2p = conn->conf.after_sb_2p, .rr_conflict = conn->conf.rr_conflict,
		.always_asbp = conn->conf.always_asbp,
	};
}

/* Rows 34, 35, 51, 71: one side missed a step; repair its set before going on. */
static void take_repairs(struct core_peer_device *pd, const struct core_compare_result *r)
{
	struct core_device *dev = pd->dev;

	if (r->fix_peer)
		pd->peer_uuids = r->peer;
	if (!r->fix_self)
		return;
	*bitmap_uuid(pd) = r->self.bitmap_uuid;
	dev->md.history[0] = r->self.history[0];
	dev->md.history[1] = r->self.history[1];
	write_md(dev);
}

static void run_helper(struct core_peer_device *pd, u8 helper)
{
	struct core_action *a = emit_pd(pd, ACT_HELPER);

	a->helper = helper;
	a->wait = false;
}

/*
 * A refused decision ends the link; while a disk negotiates it ends only that. But a
 * peer that has a disk to offer and finds itself source, or target, has begun, and
 * would wait for ever.
 */
static void refuse(struct core_peer_device *pd, const struct core_policy_result *p,
		   const struct core_compare_result *r, bool first)
{
	struct core_device *dev = pd->dev;
	bool peer_begins = dev->now.disk != DISK_NEGOTIATING && r->decision &&
			   r->decision >= DECIDE_TARGET_FULL && r->decision <= DECIDE_SOURCE_FULL;

	if (p->helper)
		run_helper(pd, p->helper);
	if (first || peer_begins) {
		give_up(pd->conn, p->why);
		return;
	}
	emit_log(dev->res, "%u drbd%u %s: %s", dev->vnr, dev->minor, pd->conn->conf.name, p->why);
	if (dev->now.disk == DISK_NEGOTIATING)
		dev->next_state.disk = DISK_FAILED;
	else
		pd->next.pdsk = DISK_DISKLESS;
	change_commit(dev->res, "attach-refused");
}

static void log_decision(struct core_peer_device *pd, const struct core_policy_input *in,
			 const struct core_policy_result *p)
{
	const struct core_compare_result *r = &in->compare;
	static const char *const verdicts[] = {
		[VERDICT_CONNECT] = "no resync", [VERDICT_SOURCE] = "I am sync source",
		[VERDICT_TARGET] = "I am sync target", [VERDICT_DROP] = "refused",
	};

	pd->explained = (struct core_explanation){
		.known = true, .decision = r->decision, .rule = r->rule,
		.verdict = p->verdict, .full = p->full, .why = p->why,
		.role = in->role, .peer_role = in->peer_role,
		.disk = pd->dev->now.disk, .pdsk = in->pdsk,
		.self = pd->sent_uuids, .peer = pd->peer_uuids,
		.at_ms = pd->dev->res->now_ms,
	};
	emit_log(pd->dev->res, "%u drbd%u %s: generations self %016llX:%016llX peer %016llX:%016llX rule %u: %s%s",
		 pd->dev->vnr, pd->dev->minor, pd->conn->conf.name,
		 (unsigned long long)r->self.current_uuid, (unsigned long long)r->self.bitmap_uuid,
		 (unsigned long long)r->peer.current_uuid, (unsigned long long)r->peer.bitmap_uuid,
		 r->rule, verdicts[p->verdict], p->full ? " (full)" : "");
}

static void connect_without_sync(struct core_peer_device *pd, u8 pdsk)
{
	struct core_device *dev = pd->dev;

	pd->next.repl = REPL_ESTABLISHED;
	pd->next.pdsk = pdsk;
	if (dev->now.disk == DISK_NEGOTIATING)
		dev->next_state.disk = disk_from_md(dev);
	change_commit(dev->res, "established");
}

static bool both_primary(const struct core_peer_device *pd, u8 peer_role)
{
	return peer_role == ROLE_PRIMARY && pd->dev->res->now.role == ROLE_PRIMARY &&
	       !pd->conn->conf.two_primaries;
}

static void refuse_two_primaries(struct core_peer_device *pd)
{
	give_up(pd->conn, "both nodes are Primary and allow-two-primaries is not set: make one of them Secondary");
}

/* Both have a disk: generations decide. @first: this ends the handshake. */
static void decide(struct core_peer_device *pd, u8 pdsk, u8 peer_role, bool first)
{
	/* it may have been demoted since the handshake began */
	u8 role = first ? pd->shown_role : pd->dev->res->now.role;
	struct core_policy_input in = policy_input(pd, pdsk, role, peer_role);
	struct core_policy_result p = core_policy(&in);

	pd->uuids_are_new = false;
	log_decision(pd, &in, &p);
	if (p.split_brain)
		run_helper(pd, HELPER_INITIAL_SPLIT_BRAIN);
	if (p.verdict == VERDICT_DROP) {
		refuse(pd, &p, &in.compare, first);
		return;
	}
	/* a Primary that lost its source meets that as Primary: no split brain */
	if (first && both_primary(pd, peer_role)) {
		refuse_two_primaries(pd);
		return;
	}
	take_repairs(pd, &in.compare);
	pd->next.pdsk = pdsk;
	if (p.verdict == VERDICT_CONNECT)
		connect_without_sync(pd, pdsk);
	else
		sync_decided(pd, p.verdict == VERDICT_SOURCE, p.full);
}

static bool exposed_data_differs(const struct core_peer_device *pd)
{
	const struct core_device *dev = pd->dev;

	return dev->res->now.role == ROLE_PRIMARY && dev->exposed_uuid && pd->got_uuids &&
	       (dev->exposed_uuid & ~1ULL) != (pd->peer_uuids.current_uuid & ~1ULL);
}

/* Without a disk of its own this node reads and writes at the peer's: only the generation in use. */
static bool wrong_generation(const struct core_peer_device *pd, u8 disk)
{
	const struct core_device *dev = pd->dev;

	if (dev->now.disk >= DISK_NEGOTIATING || disk < DISK_NEGOTIATING ||
	    !exposed_data_differs(pd))
		return false;
	emit_log(dev->res, "%u drbd%u %s: Can only connect to data with current UUID=%016llX",
		 dev->vnr, dev->minor, pd->conn->conf.name,
		 (unsigned long long)dev->exposed_uuid);
	return true;
}

static void first_state(struct core_peer_device *pd, const struct wire_state *s)
{
	struct core_connection *conn = pd->conn;
	struct core_device *dev = pd->dev;
	u8 pdsk = shown_disk(pd, s->disk);

	if (s->disk >= DISK_NEGOTIATING && !pd->got_uuids) {
		emit_log(dev->res, "%u drbd%u %s: peer shows a disk but no generation identifiers",
			 dev->vnr, dev->minor, conn->conf.name);
		link_lose(conn, CONN_PROTOCOL_ERROR);
		return;
	}
	if (both_primary(pd, s->role) &&
	    (pd->peer_uuids.current_uuid & ~1ULL) == (pd->sent_uuids.current_uuid & ~1ULL)) {
		refuse_two_primaries(pd);
		return;
	}
	/* it has restarted: what it acked may be gone, and only a resync can tell, or it
	 * has no disk yet; the held writes end behind a new generation, without it */
	if (conn->legs_held && dev->now.gen_pending &&
	    (s->disk == DISK_CONSISTENT || s->disk <= DISK_FAILED)) {
		emit_log(dev->res, "%u drbd%u %s: Aborting Connect, can not thaw IO with a peer whose disk is %s: its blocks will be resynced",
			 dev->vnr, dev->minor, conn->conf.name, core_disk_name(s->disk));
		link_lose(conn, CONN_PROTOCOL_ERROR);
		fence_thaw(dev->res, "peer-restarted");
		return;
	}
	conn->next_state.peer_role = s->role;
	pd->next.peer_isp = s->aftr_isp || s->user_isp;
	pd->decided = true;
	if (dev->now.disk >= DISK_NEGOTIATING && s->disk >= DISK_NEGOTIATING) {
		decide(pd, pdsk, s->role, true);
	} else if (wrong_generation(pd, s->disk)) {
		give_up(conn, "the peer has another generation of the data than the one in use");
	} else if (both_primary(pd, s->role)) {
		refuse_two_primaries(pd);	/* one has no disk: nothing to compare */
	} else {
		if (dev->now.disk < DISK_NEGOTIATING && pdsk == DISK_UP_TO_DATE)
			dev->exposed_uuid = pd->peer_uuids.current_uuid;
		connect_without_sync(pd, pdsk);
	}
	check_link_up(conn);
}

/* The peer attached, was forced to UpToDate, or begins a resync: compare again. */
static bool compare_again(const struct core_peer_device *pd, const struct wire_state *s, u8 pdsk)
{
	const struct core_device *dev = pd->dev;

	if (pd->now.repl != REPL_ESTABLISHED || !pd->got_uuids)
		return false;
	/* a State that the peer had sent before it saw that our disk negotiates decides nothing */
	if (dev->now.disk == DISK_NEGOTIATING && !pd->uuids_answer)
		return false;
	if (dev->now.disk == DISK_NEGOTIATING || s->disk == DISK_NEGOTIATING)
		return s->disk >= DISK_NEGOTIATING && dev->now.disk >= DISK_NEGOTIATING;
	if (dev->now.disk < DISK_INCONSISTENT || pdsk < DISK_INCONSISTENT)
		return false;
	/* it follows my own request, and has overtaken the reply on the other stream */
	if (pd->conn->req.job && (s->conn == REPL_STARTING_SYNC_S || s->conn == REPL_STARTING_SYNC_T))
		return false;
	if (s->conn >= REPL_STARTING_SYNC_S && s->conn <= REPL_WF_BITMAP_T)
		return true;
	/* both attached at the same time, so that neither saw the other's disk */
	if (pd->now.pdsk < DISK_NEGOTIATING && pd->uuids_are_new)
		return true;
	return dev->now.disk == DISK_INCONSISTENT && pdsk == DISK_UP_TO_DATE &&
	       pd->uuids_are_new;
}

static bool source_is_done(const struct core_peer_device *pd, const struct wire_state *s)
{
	return s->conn == REPL_ESTABLISHED && pd->sync_source &&
	       (pd->now.repl == REPL_SYNC_SOURCE || pd->now.repl == REPL_PAUSED_SYNC_S);
}

static void later_state(struct core_peer_device *pd, const struct wire_state *s)
{
	struct core_device *dev = pd->dev;
	u8 pdsk = shown_disk(pd, s->disk);

	if (wrong_generation(pd, s->disk)) {
		give_up(pd->conn, "the peer has attached another generation of the data than the one in use");
		return;
	}
	pd->conn->next_state.peer_role = s->role;
	pd->next.peer_isp = s->aftr_isp || s->user_isp;
	if (compare_again(pd, s, pdsk)) {
		/* what the peer knows of my identifiers may be old: show them first */
		send_uuids(pd);
		decide(pd, pdsk, s->role, false);
		/* a peer that attaches waits for our word, also if nothing changed here */
		if (s->disk == DISK_NEGOTIATING && pd->now.repl == REPL_ESTABLISHED)
			send_state(pd);
		return;
	}
	pd->next.pdsk = pdsk;
	pd->peer_is_behind |= s->conn == REPL_BEHIND;
	if (dev->now.disk < DISK_NEGOTIATING && pdsk == DISK_UP_TO_DATE && pd->got_uuids)
		dev->exposed_uuid = pd->peer_uuids.current_uuid;
	if (s->conn == REPL_AHEAD)
		fall_behind(pd);
	if (source_is_done(pd, s))
		sync_peer_finished(pd);
	change_commit(dev->res, "peer-state");
	if (s->conn == REPL_ESTABLISHED && pd->now.repl == REPL_VERIFY_T)
		verify_ended(pd);
}

void got_state(struct core_resource *res, const struct core_event *ev)
{
	struct core_peer_device *pd = ev->pd;

	(void)res;
	if (link_usable(ev->conn)) {
		if (pd->decided)
			later_state(pd, &ev->state);
		else
			first_state(pd, &ev->state);
	}
	/*
	 * Withheld until all bits are set and on the disk for a full sync, and
	 * until the generation is stable in which a Primary without disk writes.
	 */
	if (pd->sync != SYNC_SET_ALL && !(pd->dev->now.gen_pending && pd->dev->gen_wanted))
		go_on(ev->conn);
}
