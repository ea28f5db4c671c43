// SPDX-License-Identifier: GPL-2.0
/*
 * A peer that cannot keep up (behaviour.md 11.9, wire.md 6.9). This node pulls ahead:
 * writes become notices, behind a new generation. When the peer has confirmed what it
 * was sent before, and a while has passed, it is resynced; both have the bits already,
 * no bitmap travels. At the other end the peer that says Ahead makes us Behind, and
 * its SyncUUID sync target.
 */
#include "internal.h"

#define VERSION_AHEAD	96u	/* of the protocol */
#define REST_MS		1000u	/* a link that was full a moment ago */
#define WORD_MS		10000u	/* a peer of 8.4 may not say that it is Behind */

bool congestion_counts(const struct core_connection *conn)
{
	return conn->conf.on_congestion != ON_CONGESTION_BLOCK &&
	       conn->conf.wire_protocol == PROTOCOL_A && link_usable(conn) &&
	       conn->wire.version >= VERSION_AHEAD;
}

static void pull_ahead(struct core_peer_device *pd)
{
	struct core_device *dev = pd->dev;

	emit_log(dev->res, "%u drbd%u %s: the link is congested: pulling ahead, the peer gets by a resync what is written from now on",
		 dev->vnr, dev->minor, pd->conn->conf.name);
	/* what a resync had asked for comes and counts; it goes on later */
	pd->sync = SYNC_AHEAD;
	pd->sync_source = true;
	pd->full_sync = pd->exchange = false;
	pd->use_csums = wants_csums(pd);
	pd->rs_failed = 0;
	pd->peer_is_behind = false;
	pd->next.repl = REPL_AHEAD;
	change_commit(dev->res, "congested");
	pd->wake_ms = dev->res->now_ms + WORD_MS;
	dev->drained = false;
	emit_dev(dev, ACT_DRAIN);
}

/* A plan that watched was in use then; by now all may be different. */
static bool still_watched(const struct core_peer_device *pd)
{
	const struct plan_peer *plan = &pd->dev->plan.peer[pd->conn->index];

	return plan->congestion == PLAN_CONGESTION_WATCH && link_usable(pd->conn) &&
	       (pd->sync == SYNC_NONE || pd->sync == SYNC_RUN);
}

void congested(struct core_resource *res, const struct core_event *ev)
{
	struct core_peer_device *pd = ev->pd;

	(void)res;
	if (!still_watched(pd))
		return;
	if (pd->conn->conf.on_congestion == ON_CONGESTION_DISCONNECT)
		give_up(pd->conn, "the link is congested: disconnecting, as on-congestion says; connect again when it is free");
	else
		pull_ahead(pd);
}

/* The application does not wait for a peer that is behind: bits will tell what it lacks. */
void log_full(struct core_resource *res, const struct core_event *ev)
{
	struct core_connection *conn = ev->pd->conn;

	if (!congestion_counts(conn))
		return;
	emit_log(res, "%s: the transfer log is full of writes that the peer has not confirmed: connecting anew, they are resynced; a lower congestion-fill pulls ahead earlier",
		 conn->conf.name);
	link_lose(conn, CONN_NETWORK_FAILURE);
}

/* The peer is Ahead, at the position where it became so. */
void fall_behind(struct core_peer_device *pd)
{
	switch (pd->now.repl) {
	case REPL_VERIFY_S:
	case REPL_VERIFY_T:
		sync_abort(pd);
		fallthrough;
	case REPL_ESTABLISHED:
	case REPL_WF_SYNC_UUID:
	case REPL_SYNC_TARGET:
	case REPL_PAUSED_SYNC_T:
	case REPL_BEHIND:
		break;
	default:	/* we are source, or bitmaps travel */
		return;
	}
	if (pd->dev->now.disk < DISK_INCONSISTENT)
		return;
	/* it was SyncSource in between, and waits for our word again */
	if (pd->now.repl == REPL_BEHIND)
		send_state(pd);
	pd->sync = SYNC_WAIT_UUID;
	pd->sync_source = pd->full_sync = pd->exchange = false;
	pd->use_csums = wants_csums(pd);
	pd->rs_failed = 0;
	pd->next.repl = REPL_BEHIND;
}

/*
 * Not before the peer has said that it is behind: what it told as a sync target that
 * had finished would be taken for the end of the resync that follows.
 */
bool ahead_step(struct core_peer_device *pd)
{
	struct core_device *dev = pd->dev;

	if (pd->now.repl != REPL_AHEAD) {	/* a disk was lost, here or there */
		sync_abort(pd);
		return true;
	}
	if (pd->sync == SYNC_AHEAD) {
		if (!dev->drained ||
		    (!pd->peer_is_behind && dev->res->now_ms < pd->wake_ms))
			return false;
		pd->wake_ms = dev->res->now_ms + REST_MS;
		pd->sync = SYNC_AHEAD_WAIT;
		return true;
	}
	if (dev->res->now_ms < pd->wake_ms)
		return false;
	pd->helper_started = false;
	pd->sync = SYNC_HELPER;
	return true;
}
