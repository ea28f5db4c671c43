// SPDX-License-Identifier: GPL-2.0
/*
 * Life of a connection: lost, drained, resolved, tried again (DESIGN 3.5).
 * First the plan without the peer is published, so that no new leg follows;
 * then the receiver drains; then, if this node goes on alone with data that the
 * peer does not have, a new generation becomes stable; only then the legs end.
 */
#include "internal.h"

void ping(struct core_connection *conn)
{
	if (!link_usable(conn))
		return;
	if (conn->ping_sent != conn->ping_acked) {
		conn->ping_again = true;
		return;
	}
	conn->ping_sent++;
	emit_conn(conn, ACT_PING);
}

void ping_acked(struct core_resource *res, const struct core_event *ev)
{
	struct core_connection *conn = ev->conn;

	(void)res;
	conn->ping_acked = conn->ping_sent;
	if (conn->ping_again) {
		conn->ping_again = false;
		ping(conn);
	}
}

/* Number that conn->ping_acked has reached when a ping from now on is answered. */
u32 ping_target(struct core_connection *conn)
{
	u32 target = conn->ping_sent + 1;

	ping(conn);
	return target;
}

bool ping_answered(const struct core_connection *conn, u32 target)
{
	return (s32)(conn->ping_acked - target) >= 0;
}

void link_lose(struct core_connection *conn, u8 reason)
{
	struct core_peer_device *pd;

	if (!link_usable(conn))
		return;
	for_each_pd_of_conn(pd, conn) {
		sync_abort(pd);
		pd->decided = false;
	}
	conn->link = LINK_DRAINING;
	conn->next_state.cstate = reason;
	change_commit(conn->res, "disconnected");
	fence_link_lost(conn);
	emit_conn(conn, ACT_DROP_LINK);
	go_on(conn);
}

/* No agreement wanted, or nobody to ask. */
static void disconnect_now(struct core_connection *conn)
{
	conn->want_standalone = true;
	if (link_usable(conn)) {
		link_lose(conn, CONN_DISCONNECTING);
	} else if (conn->link == LINK_DOWN) {
		conn->next_state.cstate = CONN_DISCONNECTING;
		change_commit(conn->res, "disconnect");
		emit_conn(conn, ACT_STOP_RECEIVER);
	}
}

void link_down(struct core_resource *res, const struct core_event *ev)
{
	struct core_connection *conn = ev->conn;
	u8 reason = ev->down.reason;

	(void)res;
	if (conn->now.cstate == CONN_TEAR_DOWN && reason == CONN_BROKEN_PIPE)
		reason = CONN_TEAR_DOWN;
	/* the greeting ended in a refusal that a retry cannot mend */
	if (reason == CONN_DISCONNECTING)
		disconnect_now(conn);
	link_lose(conn, reason);
}

void link_drained(struct core_resource *res, const struct core_event *ev)
{
	struct core_connection *conn = ev->conn;
	struct core_device *dev;

	if (conn->link != LINK_DRAINING)
		return;
	conn->held_mask |= ev->held_mask;
	conn->link = LINK_RESOLVING;
	if (res->now.susp_fen)
		return;
	for_each_device(dev, res)
		if (dev->vnr < 64 && (conn->held_mask >> dev->vnr & 1) && dev->now.gen_pending)
			dev->gen_wanted = true;
}

/* Refused, but its disk is as good as ever? */
static bool says_nothing(const struct core_peer_device *pd)
{
	return pd->now.pdsk == DISK_UP_TO_DATE;
}

/* True: the peer has said what became of its disk, and what that entails is stable. */
static bool refusal_is_told(const struct core_peer_device *pd)
{
	return !says_nothing(pd) &&
	       !(pd->dev->now.gen_pending && pd->dev->now.disk == DISK_UP_TO_DATE);
}

static bool want_generation(struct core_peer_device *pd)
{
	struct core_device *dev = pd->dev;
	bool wanted = dev->gen_wanted;

	dev->gen_wanted |= dev->now.gen_pending;
	return dev->gen_wanted != wanted;
}

/* Level-triggered: writes that the peer has refused end. True: it did something. */
bool refusals_step(struct core_connection *conn)
{
	struct core_peer_device *pd;
	bool waits = false, any = false, did = false;

	for_each_pd_of_conn(pd, conn) {
		if (!link_usable(conn))
			pd->refused = false;	/* they end with all others of the link */
		if (!pd->refused)
			continue;
		any = true;
		if (refusal_is_told(pd))
			continue;
		waits = true;
		did |= want_generation(pd);
		if (!says_nothing(pd) || conn->res->now_ms < pd->refused_until_ms)
			continue;
		emit_log(conn->res, "%u drbd%u %s: the peer refused a write and does not say what is wrong with its disk: connecting anew",
			 pd->dev->vnr, pd->dev->minor, conn->conf.name);
		link_lose(conn, CONN_PROTOCOL_ERROR);
		return true;
	}
	if (!any || waits)
		return did;
	emit_conn(conn, ACT_RESOLVE_LOST);
	for_each_pd_of_conn(pd, conn)
		pd->refused = false;
	return true;
}

/* When somebody must look again, 0 = never. */
u64 refusals_wake_ms(const struct core_connection *conn)
{
	const struct core_peer_device *pd;
	u64 at = 0;

	for_each_pd_of_conn(pd, conn)
		if (pd->refused && says_nothing(pd) && (!at || pd->refused_until_ms < at))
			at = pd->refused_until_ms;
	return at;
}

bool generation_missing(const struct core_connection *conn)
{
	const struct core_device *dev;

	for_each_device(dev, conn->res)
		if (dev->vnr < 64 && (conn->held_mask >> dev->vnr & 1) && dev->now.gen_pending &&
		    dev->now.disk == DISK_UP_TO_DATE)
			return true;
	return false;
}

static void try_again(struct core_connection *conn)
{
	conn->link = LINK_DOWN;
	conn->next_state.cstate = CONN_UNCONNECTED;
	change_commit(conn->res, "disconnected");
	if (conn->want_standalone) {
		conn->next_state.cstate = CONN_DISCONNECTING;
		change_commit(conn->res, "disconnected");
		emit_conn(conn, ACT_STOP_RECEIVER);
		return;
	}
	conn->next_state.cstate = CONN_CONNECTING;
	change_commit(conn->res, "reconnect");
	emit_conn(conn, ACT_RECONNECT)->delay_ms = 1000;
}

/* Level-triggered part: called until nothing changes. True: it did something. */
bool link_step(struct core_connection *conn)
{
	const struct core_resource *res = conn->res;

	if (conn->link != LINK_RESOLVING)
		return false;
	/* frozen: the legs stay; whether they are lost is said by fencing, or by the peer */
	if (res->now.susp_fen) {
		conn->legs_held = conn->held_mask != 0;
		try_again(conn);
		return true;
	}
	if (generation_missing(conn))
		return false;
	emit_conn(conn, ACT_RESOLVE_LOST);
	conn->held_mask = 0;
	conn->legs_held = false;
	try_again(conn);
	return true;
}

void receiver_exit(struct core_resource *res, const struct core_event *ev)
{
	struct core_connection *conn = ev->conn;

	conn->receiver_runs = false;
	conn->link = LINK_DOWN;
	conn->next_state.cstate = CONN_STANDALONE;
	change_commit(res, "standalone");
	conn->want_standalone = false;
}

bool job_connect(struct core_job *job)
{
	struct core_connection *conn = job->conn;

	if (conn->now.cstate != CONN_STANDALONE)
		return fail(job, ERR_NET_CONFIGURED, "the connection is already configured (%s)",
			    core_conn_name(conn->now.cstate));
	if (job->flag && conn->res->now.role == ROLE_PRIMARY)
		return fail(job, ERR_DISCARD_IMPOSSIBLE,
			    "--discard-my-data is impossible while this node is Primary: demote it first");
	conn->discard_my_data = job->flag;
	conn->want_standalone = false;
	conn->next_state.cstate = CONN_UNCONNECTED;
	change_commit(conn->res, "connect");
	conn->next_state.cstate = CONN_CONNECTING;
	change_commit(conn->res, "connect");
	conn->receiver_runs = true;
	emit_conn(conn, ACT_START_RECEIVER);
	return finish(job, RES_SUCCESS);
}

/* Who gets a mark that it has no longer the newest data, so that fencing needs not ask. */
enum { OUTDATE_NOBODY = 0, OUTDATE_PEER, OUTDATE_MYSELF };

static void wish_outdated(struct core_connection *conn, u8 who)
{
	struct core_peer_device *pd;

	for_each_pd_of_conn(pd, conn) {
		if (who == OUTDATE_PEER && pd->next.pdsk > DISK_OUTDATED)
			pd->next.pdsk = DISK_OUTDATED;
		if (who == OUTDATE_MYSELF && pd->dev->next_state.disk > DISK_OUTDATED)
			pd->dev->next_state.disk = DISK_OUTDATED;
	}
}

static s32 disconnect_allowed(struct core_connection *conn, u8 outdate)
{
	s32 r;

	conn->next_state.cstate = CONN_DISCONNECTING;
	wish_outdated(conn, outdate);
	sanitize(conn->res);
	r = check_soft(conn->res);
	change_revert(conn->res);
	return r;
}

static const struct wire_state_req *leave_request(u8 outdate)
{
	static const struct wire_state_req requests[] = {
		[OUTDATE_NOBODY] = {
			.mask = { .conn = CONN_MASK }, .val = { .conn = CONN_DISCONNECTING },
		},
		[OUTDATE_PEER] = {
			.mask = { .conn = CONN_MASK, .pdsk = DISK_MASK },
			.val = { .conn = CONN_DISCONNECTING, .pdsk = DISK_OUTDATED },
		},
		[OUTDATE_MYSELF] = {
			.mask = { .conn = CONN_MASK, .disk = DISK_MASK },
			.val = { .conn = CONN_DISCONNECTING, .disk = DISK_OUTDATED },
		},
	};

	return &requests[outdate];
}

/*
 * behaviour.md 4.1: a Primary with fencing outdates the peer; a Secondary whose
 * Primary refuses, since it has fencing, outdates itself.
 */
static bool may_leave(struct core_job *job)
{
	s32 r = disconnect_allowed(job->conn, job->outdate);

	if (r == RES_PRIMARY_NOP && job->outdate == OUTDATE_NOBODY) {
		job->outdate = OUTDATE_PEER;
		r = disconnect_allowed(job->conn, job->outdate);
	}
	if (r < RES_SUCCESS)
		return !fail(job, r, "%s", core_result_text(r));
	return true;
}

bool job_disconnect(struct core_job *job)
{
	struct core_connection *conn = job->conn;

	switch (job->phase) {
	case 0:
		if (conn->now.cstate == CONN_STANDALONE)
			return finish(job, RES_SUCCESS);
		if (job->force || conn->link != LINK_UP) {
			disconnect_now(conn);
			job->phase = 2;
			return false;
		}
		if (!may_leave(job))
			return true;
		job->phase = 1;
		fallthrough;
	case 1:
		switch (ask_connection(job, conn, leave_request(job->outdate))) {
		case ASK_WAIT:
			return false;
		case ASK_NO:
			if (job->outdate == OUTDATE_NOBODY &&
			    conn->res->now.role == ROLE_SECONDARY && conn->link == LINK_UP) {
				job->outdate = OUTDATE_MYSELF;
				job->phase = 0;
				return job_disconnect(job);
			}
			return fail(job, RES_CW_FAILED_BY_PEER, "the peer refused: %s",
				    core_result_text(conn->req.reply));
		default:
			if (conn->link == LINK_UP)
				wish_outdated(conn, job->outdate);
			disconnect_now(conn);
			job->phase = 2;
		}
		return false;
	default:
		if (conn->now.cstate != CONN_STANDALONE)
			return false;
		return finish(job, RES_SUCCESS);
	}
}
