// SPDX-License-Identifier: GPL-2.0
/*
 * Changes that need the peer's consent, below 110: one request, one reply
 * (behaviour.md 4.1, wire.md 8.1). Of two requests that cross, the one of the
 * node with the resolve-conflicts role wins.
 */
#include "internal.h"

static enum ask_result ask(struct core_job *job, struct core_connection *conn, u16 vnr,
			   const struct wire_state_req *req, bool connection_wide)
{
	if (conn->link != LINK_UP) {
		if (conn->req.job == job)
			memset(&conn->req, 0, sizeof(conn->req));
		return ASK_YES;		/* nobody left to ask; the caller checks again */
	}
	/* a reply does not tell whose it is */
	if (conn->req.abandoned || (conn->req.job && conn->req.job != job))
		return ASK_WAIT;
	if (!conn->req.job) {
		conn->req.job = job;
		conn->req.answered = false;
		send_state_request(conn, vnr, req, connection_wide);
		return ASK_WAIT;
	}
	if (!conn->req.answered)
		return ASK_WAIT;
	conn->req.job = NULL;
	return conn->req.reply >= RES_SUCCESS ? ASK_YES : ASK_NO;
}

enum ask_result ask_connection(struct core_job *job, struct core_connection *conn,
			       const struct wire_state_req *req)
{
	return ask(job, conn, 0, req, true);
}

/* One volume after the other; job->asked counts those that have agreed. */
enum ask_result ask_volumes(struct core_job *job, const struct core_device *only,
			    const struct wire_state_req *req)
{
	struct core_connection *conn;
	struct core_peer_device *pd;
	u32 n = 0;

	for_each_connection(conn, job->res) {
		for_each_pd_of_conn(pd, conn) {
			enum ask_result r;

			if ((only && pd->dev != only) || n++ < job->asked)
				continue;
			r = ask(job, conn, pd->dev->vnr, req, false);
			if (r == ASK_NO)
				job->peer_code = conn->req.reply;
			if (r != ASK_YES)
				return r;
			job->asked++;
		}
	}
	return ASK_YES;
}

/* The job ends before the peer has answered. */
void request_abandon(struct core_connection *conn)
{
	conn->req.abandoned = !conn->req.answered;
	conn->req.job = NULL;
}

/* If the peer did what nobody waits for any more, both begin anew. */
static void got_late_reply(struct core_connection *conn, s32 reply)
{
	conn->req.abandoned = false;
	if (reply < RES_SUCCESS)
		return;
	emit_log(conn->res, "%s: the peer agreed to a change of state that was given up here meanwhile: connecting anew",
		 conn->conf.name);
	link_lose(conn, CONN_NETWORK_FAILURE);
}

void got_state_reply(struct core_resource *res, const struct core_event *ev)
{
	(void)res;
	if (ev->conn->req.abandoned) {
		got_late_reply(ev->conn, ev->reply);
		return;
	}
	if (!ev->conn->req.job) {
		emit_log(ev->conn->res, "%s: reply to a state change that nobody asked for, ignored",
			 ev->conn->conf.name);
		return;
	}
	ev->conn->req.answered = true;
	ev->conn->req.reply = ev->reply;
}

/* A request of ours is out, or has been granted and is being made stable. */
static bool own_change_runs(const struct core_connection *conn)
{
	return conn->res->promoting || ((conn->req.job || conn->req.abandoned) && conn->resolve_conflicts);
}

/* The peer leaves, and says perhaps who has no longer the newest data then. */
static void wish_to_part(struct core_connection *conn, const struct wire_state *mask,
			 const struct wire_state *val)
{
	struct core_peer_device *pd;

	conn->next_state.cstate = CONN_TEAR_DOWN;
	for_each_pd_of_conn(pd, conn) {
		if (mask->disk && pd->dev->next_state.disk > DISK_OUTDATED)
			pd->dev->next_state.disk = DISK_OUTDATED;
		if (mask->pdsk && val->pdsk == DISK_OUTDATED && pd->next.pdsk > DISK_OUTDATED)
			pd->next.pdsk = DISK_OUTDATED;
	}
}

/* The mirrored request, as wishes of ours. False: it means nothing to us. */
static bool wish(struct core_connection *conn, struct core_peer_device *pd,
		 const struct wire_state *mask, const struct wire_state *val)
{
	if (mask->peer)
		conn->next_state.peer_role = val->peer;
	if (mask->pdsk && pd)
		pd->next.pdsk = val->pdsk;
	if (mask->disk && val->disk == DISK_OUTDATED && pd)
		pd->dev->next_state.disk = DISK_OUTDATED;
	else if (mask->disk && !(val->disk == DISK_OUTDATED && val->conn == CONN_TEAR_DOWN))
		return false;
	if (!mask->conn)
		return !mask->role;
	if (val->conn == CONN_TEAR_DOWN) {
		wish_to_part(conn, mask, val);
		return true;
	}
	if (pd && starts_sync((u8)val->conn)) {
		pd->next.repl = val->conn;
		return true;
	}
	if (pd && val->conn == REPL_VERIFY_T) {
		pd->next.repl = REPL_VERIFY_T;
		return true;
	}
	return false;
}

/*
 * This node has shown, or is about to show, a disk that the two have not both compared:
 * whoever decides then has to see the same roles.
 */
static bool half_compared(const struct core_connection *conn)
{
	const struct core_peer_device *pd;

	for_each_pd_of_conn(pd, conn)
		if (pd->dev->now.disk == DISK_ATTACHING || pd->dev->now.disk == DISK_NEGOTIATING ||
		    (pd->sync == SYNC_BITMAP && pd->exchange && !pd->bitmap_received))
			return true;
	return false;
}

static bool promotes(const struct core_connection *conn)
{
	return conn->next_state.peer_role == ROLE_PRIMARY && conn->now.peer_role != ROLE_PRIMARY;
}

static s32 judge(struct core_connection *conn, struct core_peer_device *pd,
		 const struct wire_state *mask, const struct wire_state *val)
{
	s32 r;

	if (own_change_runs(conn))
		return RES_CONCURRENT_ST_CHG;
	if (!wish(conn, pd, mask, val))
		r = RES_NOT_SUPPORTED;
	else if (pd && pd->sync != SYNC_NONE && mask->conn && starts_sync((u8)val->conn))
		r = RES_RESYNC_RUNNING;		/* also one that begins, and has not changed the state yet */
	else if (promotes(conn) && half_compared(conn))
		r = RES_IN_TRANSIENT_STATE;
	else {
		if (conn->next_state.cstate == CONN_TEAR_DOWN)
			sanitize(conn->res);
		r = check_soft(conn->res);
	}
	if (r < RES_SUCCESS)
		change_revert(conn->res);
	return r;
}

void got_state_request(struct core_resource *res, const struct core_event *ev)
{
	struct core_connection *conn = ev->conn;
	struct core_peer_device *pd = ev->pd;
	struct wire_state mask, val;
	u8 repl;
	s32 r;

	drbd_wire_state_mirror(&ev->chg_req.mask, &mask);
	drbd_wire_state_mirror(&ev->chg_req.val, &val);
	r = judge(conn, pd, &mask, &val);
	send_state_reply(conn, pd ? pd->dev->vnr : 0, r, ev->flag);
	if (r < RES_SUCCESS) {
		emit_log(res, "%s: peer asked for a change of state, refused: %s",
			 conn->conf.name, core_result_text(r));
		go_on(conn);
		return;
	}
	/* the peer closes the sockets when it has our answer */
	repl = pd ? pd->next.repl : REPL_OFF;
	if (pd && mask.conn && starts_sync(repl)) {
		pd->next.repl = pd->now.repl;
		sync_full_started(pd, repl == REPL_STARTING_SYNC_S);
	} else if (pd && repl == REPL_VERIFY_T && pd->now.repl != REPL_VERIFY_T) {
		verify_started(pd, false, 0, ~0ULL);
	} else {
		change_commit(res, "remote");
	}
	if (!pd || pd->sync != SYNC_SET_ALL)
		go_on(conn);
}
