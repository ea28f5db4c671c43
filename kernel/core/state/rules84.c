// SPDX-License-Identifier: GPL-2.0
/*
 * What a change that somebody asked for must not do (behaviour.md 3.2, 3.3).
 * A fact imposed by the environment (link lost, disk failed) is not asked.
 *
 * The principle: the new state must be at least as good as the old one. If the
 * old state violates the very same rule, the change is let through; else a
 * cluster in a bad state could not be repaired step by step.
 */
#include "internal.h"

struct view {
	u8 role, peer_role, cstate, repl, disk, pdsk;
	bool two_primaries, fencing, verify_alg;
	const struct core_device *dev;
};

static struct view view_of(const struct core_peer_device *pd, bool next)
{
	const struct core_connection *conn = pd->conn;
	const struct core_device *dev = pd->dev;
	const struct core_resource *res = dev->res;

	return (struct view){
		.role = next ? res->next.role : res->now.role,
		.peer_role = next ? conn->next_state.peer_role : conn->now.peer_role,
		.cstate = next ? conn->next_state.cstate : conn->now.cstate,
		.repl = next ? pd->next.repl : pd->now.repl,
		.disk = next ? dev->next_state.disk : dev->now.disk,
		.pdsk = next ? pd->next.pdsk : pd->now.pdsk,
		.two_primaries = conn->conf.two_primaries,
		.fencing = conn->conf.fencing_policy != 0,
		.verify_alg = conn->conf.verify_alg[0] != 0,
		.dev = dev,
	};
}

static bool connected(const struct view *v)
{
	return v->repl >= REPL_ESTABLISHED;
}

static bool source_or_connected(const struct view *v)
{
	return v->repl == REPL_ESTABLISHED || v->repl == REPL_WF_BITMAP_S ||
	       v->repl == REPL_SYNC_SOURCE || v->repl == REPL_PAUSED_SYNC_S;
}

static bool verifying(const struct view *v)
{
	return v->repl == REPL_VERIFY_S || v->repl == REPL_VERIFY_T;
}

/* Rules of one state, first hit counts. */
static s32 valid_state(const struct view *v)
{
	bool primary = v->role == ROLE_PRIMARY;

	if (!v->two_primaries && primary && v->peer_role == ROLE_PRIMARY)
		return RES_TWO_PRIMARIES;
	if (primary && !connected(v) && v->disk < DISK_UP_TO_DATE)
		return RES_NO_UP_TO_DATE_DISK;
	if (v->fencing && primary && !connected(v) && v->pdsk >= DISK_UNKNOWN)
		return RES_PRIMARY_NOP;
	if (primary && v->disk <= DISK_INCONSISTENT && v->pdsk <= DISK_INCONSISTENT)
		return RES_NO_UP_TO_DATE_DISK;
	if (v->repl > REPL_ESTABLISHED) {
		if (v->disk < DISK_INCONSISTENT)
			return RES_NO_LOCAL_DISK;
		if (v->pdsk < DISK_INCONSISTENT)
			return RES_NO_REMOTE_DISK;
		if (v->disk < DISK_UP_TO_DATE && v->pdsk < DISK_UP_TO_DATE)
			return RES_NO_UP_TO_DATE_DISK;
	}
	if (source_or_connected(v) && v->disk == DISK_OUTDATED)
		return RES_CONNECTED_OUTDATES;
	if (verifying(v) && !v->verify_alg)
		return RES_NO_VERIFY_ALG;
	if (primary && v->disk < DISK_UP_TO_DATE && v->pdsk < DISK_UP_TO_DATE)
		return RES_NO_UP_TO_DATE_DISK;
	if (connected(v) && v->pdsk == DISK_UNKNOWN)
		return RES_CONNECTED_OUTDATES;
	return RES_SUCCESS;
}

/* Rules of a transition; the last one that matches wins. */
static s32 valid_transition(const struct view *o, const struct view *n)
{
	s32 r = RES_SUCCESS;

	if (starts_sync(n->repl) && !starts_sync(o->repl) && o->repl > REPL_ESTABLISHED)
		r = RES_RESYNC_RUNNING;
	if (n->cstate == CONN_DISCONNECTING && o->cstate == CONN_STANDALONE)
		r = RES_ALREADY_STANDALONE;
	if (n->disk > DISK_ATTACHING && o->disk == DISK_DISKLESS)
		r = RES_IS_DISKLESS;
	if (n->disk == DISK_OUTDATED && o->disk < DISK_OUTDATED && o->disk != DISK_ATTACHING)
		r = RES_LOWER_THAN_OUTDATED;
	if (n->role == ROLE_PRIMARY && o->role != ROLE_PRIMARY &&
	    n->pdsk == DISK_UP_TO_DATE && o->disk != DISK_UP_TO_DATE &&
	    o->disk != DISK_DISKLESS &&
	    ((connected(o) && o->repl <= REPL_WF_SYNC_UUID && o->repl != REPL_ESTABLISHED) ||
	     n->repl != o->repl))
		r = RES_IN_TRANSIENT_STATE;
	if (verifying(n) && n->repl != o->repl &&
	    (o->disk != DISK_UP_TO_DATE || o->pdsk != DISK_UP_TO_DATE))
		r = RES_NO_UP_TO_DATE_DISK;
	if (verifying(n) && n->repl != o->repl)
		r = !connected(o) ? RES_NEED_CONNECTION :
		    o->repl > REPL_ESTABLISHED ? RES_RESYNC_RUNNING : r;
	if (starts_sync(n->repl) && !connected(o))
		r = RES_NEED_CONNECTION;
	return r;
}

/* A device without any configured peer is judged alone. */
static s32 check_alone(const struct core_device *dev)
{
	const struct core_resource *res = dev->res;

	if (res->next.role == ROLE_PRIMARY && dev->next_state.disk < DISK_UP_TO_DATE &&
	    !(res->now.role == ROLE_PRIMARY && dev->now.disk < DISK_UP_TO_DATE))
		return RES_NO_UP_TO_DATE_DISK;
	if (dev->next_state.disk == DISK_OUTDATED && dev->now.disk < DISK_OUTDATED &&
	    dev->now.disk != DISK_ATTACHING)
		return RES_LOWER_THAN_OUTDATED;
	return RES_SUCCESS;
}

s32 check_soft(const struct core_resource *res)
{
	const struct core_peer_device *pd;
	const struct core_device *dev;

	for_each_device(dev, res) {
		if (!dev->pds) {
			s32 r = check_alone(dev);

			if (r < RES_SUCCESS)
				return r;
		}
		for_each_pd_of_dev(pd, dev) {
			struct view o = view_of(pd, false), n = view_of(pd, true);
			s32 r = valid_state(&n);

			if (r < RES_SUCCESS && valid_state(&o) != r)
				return r;
			r = valid_transition(&o, &n);
			if (r < RES_SUCCESS)
				return r;
		}
	}
	return RES_SUCCESS;
}

/*
 * The handshake has begun and is not decided, a link is being taken down, or
 * the peer was asked and has not answered: administrators wait.
 */
bool in_transient_state(const struct core_resource *res)
{
	const struct core_connection *conn;
	const struct core_peer_device *pd;
	const struct core_device *dev;

	for_each_connection(conn, res) {
		if (conn->link == LINK_HANDSHAKE || conn->link == LINK_DRAINING ||
		    conn->link == LINK_RESOLVING)
			return true;
		for_each_pd_of_conn(pd, conn)
			if (pd->now.repl == REPL_WF_BITMAP_T || pd->now.repl == REPL_WF_SYNC_UUID)
				return true;
	}
	for_each_device(dev, res)
		if (dev->now.disk == DISK_ATTACHING || dev->now.disk == DISK_NEGOTIATING)
			return true;
	return false;
}
