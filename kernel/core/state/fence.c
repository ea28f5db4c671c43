// SPDX-License-Identifier: GPL-2.0
/*
 * Fencing (behaviour.md 7): a Primary that loses its peer asks a user program to
 * see to it that the peer does not go on with older data. With
 * resource-and-stonith I/O is frozen meanwhile: legs to the peer stay held until it
 * is known to be outdated (then they are lost, behind a new generation) or back with
 * the same data (then they are sent again).
 */
#include "internal.h"

static bool outdated(const struct core_connection *conn)
{
	const struct core_peer_device *pd;

	for_each_pd_of_conn(pd, conn)
		if (pd->now.pdsk > DISK_OUTDATED)
			return false;
	return true;
}

static bool consistent(const struct core_connection *conn)
{
	const struct core_peer_device *pd;

	for_each_pd_of_conn(pd, conn)
		if (pd->dev->now.disk >= DISK_CONSISTENT)
			return true;
	return false;
}

/* Starts the handler, unless it runs. False: there is nothing to fence for. */
bool fence_peer(struct core_connection *conn)
{
	struct core_action *a;

	if (conn->fence_runs)
		return true;
	if (!consistent(conn)) {
		emit_log(conn->res, "%s: Not fencing peer, I'm not even Consistent myself.",
			 conn->conf.name);
		return false;
	}
	conn->fence_runs = true;
	conn->fence_answered = false;
	conn->fence_outage = conn->outage;
	a = emit_conn(conn, ACT_HELPER);
	a->helper = HELPER_FENCE_PEER;
	a->wait = true;
	return true;
}

bool fence_runs(const struct core_resource *res)
{
	const struct core_connection *conn;

	for_each_connection(conn, res)
		if (conn->fence_runs)
			return true;
	return false;
}

/* Step of sanitize(): from here on nothing is told to the application. */
void fence_freeze(struct core_resource *res)
{
	const struct core_connection *conn;
	const struct core_peer_device *pd;

	for_each_connection(conn, res) {
		if (conn->conf.fencing_policy != FENCING_RESOURCE_AND_STONITH ||
		    conn->next_state.cstate >= CONN_CONNECTED ||
		    res->next.role != ROLE_PRIMARY)
			continue;
		for_each_pd_of_conn(pd, conn)
			if (pd->next.pdsk > DISK_OUTDATED &&
			    (pd->now.repl >= REPL_ESTABLISHED || pd->now.pdsk <= DISK_OUTDATED ||
			     res->now.role != ROLE_PRIMARY))
				res->next.susp_fen = true;
	}
}

void fence_thaw(struct core_resource *res, const char *tag)
{
	struct core_device *dev;

	if (!res->now.susp_fen)
		return;
	res->next.susp_fen = false;
	change_commit(res, tag);
	for_each_device(dev, res)
		emit_dev(dev, ACT_RELEASE);
}

void fence_link_lost(struct core_connection *conn)
{
	conn->outage++;
	conn->fence_ok = false;
	if (conn->res->now.role != ROLE_PRIMARY || !conn->conf.fencing_policy || outdated(conn))
		return;
	if (!fence_peer(conn))
		fence_thaw(conn->res, "fencing");
}

/* All volumes are decided: the peer is back. */
void fence_link_up(struct core_connection *conn)
{
	const struct core_peer_device *pd;
	bool resync = false;

	conn->fence_ok = false;
	/* what a resync copies needs not be sent; and the peer may be another than it was */
	for_each_pd_of_conn(pd, conn)
		resync |= pd->sync != SYNC_NONE || pd->next.pdsk != DISK_UP_TO_DATE;
	if (conn->legs_held)
		emit_conn(conn, resync ? ACT_RESOLVE_LOST : ACT_RESOLVE_RESEND);
	conn->legs_held = false;
	conn->held_mask = 0;
	fence_thaw(conn->res, "reconnected");
}

static void call_outdated(struct core_connection *conn, u8 pdsk)
{
	struct core_peer_device *pd;

	for_each_pd_of_conn(pd, conn)
		if (pd->next.pdsk > pdsk)
			pd->next.pdsk = pdsk;
}

static void outdate_myself(struct core_connection *conn)
{
	struct core_peer_device *pd;

	for_each_pd_of_conn(pd, conn)
		if (pd->dev->now.disk > DISK_OUTDATED)
			pd->dev->next_state.disk = DISK_OUTDATED;
}

static bool all_up_to_date(const struct core_connection *conn)
{
	const struct core_peer_device *pd;

	for_each_pd_of_conn(pd, conn)
		if (pd->dev->now.disk != DISK_UP_TO_DATE)
			return false;
	return true;
}

/* behaviour.md 7.2 */
static void take_result(struct core_connection *conn)
{
	struct core_resource *res = conn->res;
	const char *name = conn->conf.name;

	switch (conn->fence_status) {
	case 3:
		emit_log(res, "%s: fence-peer says: the peer's disk was Inconsistent or worse already", name);
		call_outdated(conn, DISK_INCONSISTENT);
		break;
	case 4:
		emit_log(res, "%s: fence-peer says: the peer's disk is outdated", name);
		call_outdated(conn, DISK_OUTDATED);
		break;
	case 5:
		if (all_up_to_date(conn)) {
			emit_log(res, "%s: fence-peer says: the peer is unreachable, assumed to be dead", name);
			call_outdated(conn, DISK_OUTDATED);
		} else {
			emit_log(res, "%s: fence-peer says: the peer is unreachable; my own disk is not UpToDate, so nothing follows",
				 name);
		}
		break;
	case 6:
		emit_log(res, "%s: fence-peer says: Peer is primary, outdating myself.", name);
		outdate_myself(conn);
		break;
	case 7:
		if (conn->conf.fencing_policy != FENCING_RESOURCE_AND_STONITH)
			emit_log(res, "%s: fence-peer shot the peer although fencing is not resource-and-stonith: correct the handler or the option",
				 name);
		else
			emit_log(res, "%s: fence-peer says: the peer was shot", name);
		call_outdated(conn, DISK_OUTDATED);
		break;
	default:
		emit_log(res, "%s: fence-peer helper broken, returned %d: nothing is known of the peer%s",
			 name, conn->fence_status,
			 res->now.susp_fen ? ", I/O stays frozen; correct the handler, then connect or resume-io" : "");
	}
	change_commit(res, "fence-peer");
	conn->fence_ok = outdated(conn);
}

static bool nothing_is_missing(const struct core_connection *conn)
{
	const struct core_peer_device *pd;

	if (conn->link != LINK_UP || !conn->pds)
		return false;
	for_each_pd_of_conn(pd, conn)
		if (pd->now.repl != REPL_ESTABLISHED || pd->now.pdsk != DISK_UP_TO_DATE ||
		    pd->dev->now.disk != DISK_UP_TO_DATE)
			return false;
	return true;
}

/* The peer may be promoted again: each time the last volume of it becomes UpToDate. */
static void unfence(struct core_connection *conn)
{
	struct core_action *a;
	bool whole = nothing_is_missing(conn);

	if (whole && !conn->unfenced && conn->conf.fencing_policy) {
		a = emit_conn(conn, ACT_HELPER);
		a->helper = HELPER_UNFENCE_PEER;
	}
	conn->unfenced = whole;
}

/* Level-triggered. True: it did something. */
bool fence_step(struct core_connection *conn)
{
	unfence(conn);
	if (conn->fence_runs && conn->fence_answered) {
		conn->fence_runs = conn->fence_answered = false;
		if (conn->fence_outage == conn->outage && !link_usable(conn))
			take_result(conn);
		else
			emit_log(conn->res, "%s: the connection came back before fence-peer answered (%d): the answer is ignored",
				 conn->conf.name, conn->fence_status);
		return true;
	}
	if (link_usable(conn))
		return false;
	/* the new generation first, then the writes that the peer does not have */
	if (conn->legs_held && (conn->fence_ok || !conn->res->now.susp_fen)) {
		if (generation_missing(conn)) {
			struct core_peer_device *pd;
			bool did = false;

			for_each_pd_of_conn(pd, conn) {
				did |= pd->dev->now.gen_pending && !pd->dev->gen_wanted;
				pd->dev->gen_wanted |= pd->dev->now.gen_pending;
			}
			return did;
		}
		emit_conn(conn, ACT_RESOLVE_LOST);
		conn->legs_held = false;
		conn->held_mask = 0;
		return true;
	}
	if (conn->fence_ok && conn->res->now.susp_fen && conn->link == LINK_DOWN) {
		fence_thaw(conn->res, "fenced");
		return true;
	}
	return false;
}
