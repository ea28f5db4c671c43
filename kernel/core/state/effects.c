// SPDX-License-Identifier: GPL-2.0
/*
 * What a change of state entails outside: log lines, plans, packets, the
 * superblock, news for user space - in the order of the ordering table
 * (DESIGN 2.4). change_commit() is the only place where `next` becomes `now`.
 */
#include "internal.h"

bool link_usable(const struct core_connection *conn)
{
	return conn->link == LINK_HANDSHAKE || conn->link == LINK_UP;
}

static const char *yes_no(bool b)
{
	return b ? "yes" : "no";
}

static bool log_resource(struct core_resource *res, const char *tag)
{
	if (res->now.role != res->next.role)
		emit_log(res, "role( %s -> %s ) [%s]", core_role_name(res->now.role),
			 core_role_name(res->next.role), tag);
	if (res->now.susp_user != res->next.susp_user)
		emit_log(res, "susp-io( user: %s -> %s ) [%s]", yes_no(res->now.susp_user),
			 yes_no(res->next.susp_user), tag);
	if (res->now.susp_nod != res->next.susp_nod)
		emit_log(res, "susp-io( no-disk: %s -> %s ) [%s]", yes_no(res->now.susp_nod),
			 yes_no(res->next.susp_nod), tag);
	if (res->now.susp_fen != res->next.susp_fen)
		emit_log(res, "susp-io( fencing: %s -> %s ) [%s]", yes_no(res->now.susp_fen),
			 yes_no(res->next.susp_fen), tag);
	return memcmp(&res->now, &res->next, sizeof(res->now)) != 0;
}

static bool log_connection(struct core_connection *conn, const char *tag)
{
	if (conn->now.cstate != conn->next_state.cstate)
		emit_log(conn->res, "%s: conn( %s -> %s ) [%s]", conn->conf.name,
			 core_conn_name(conn->now.cstate),
			 core_conn_name(conn->next_state.cstate), tag);
	if (conn->now.peer_role != conn->next_state.peer_role)
		emit_log(conn->res, "%s: peer( %s -> %s ) [%s]", conn->conf.name,
			 core_role_name(conn->now.peer_role),
			 core_role_name(conn->next_state.peer_role), tag);
	return memcmp(&conn->now, &conn->next_state, sizeof(conn->now)) != 0;
}

static bool log_device(struct core_device *dev, const char *tag)
{
	if (dev->now.disk != dev->next_state.disk)
		emit_log(dev->res, "%u drbd%u: disk( %s -> %s ) [%s]", dev->vnr, dev->minor,
			 core_disk_name(dev->now.disk),
			 core_disk_name(dev->next_state.disk), tag);
	return memcmp(&dev->now, &dev->next_state, sizeof(dev->now)) != 0;
}

static bool log_pd(struct core_peer_device *pd, const char *tag)
{
	const struct core_peer_device_state *o = &pd->now, *n = &pd->next;
	struct core_resource *res = pd->dev->res;
	const char *name = pd->conn->conf.name;
	u32 minor = pd->dev->minor;

	if (o->pdsk != n->pdsk)
		emit_log(res, "%u drbd%u %s: pdsk( %s -> %s ) [%s]", pd->dev->vnr, minor, name,
			 core_disk_name(o->pdsk), core_disk_name(n->pdsk), tag);
	if (o->repl != n->repl)
		emit_log(res, "%u drbd%u %s: repl( %s -> %s ) [%s]", pd->dev->vnr, minor, name,
			 core_repl_name(o->repl), core_repl_name(n->repl), tag);
	return memcmp(o, n, sizeof(*o)) != 0;
}

/* Bitmap identifiers of all nodes are 0: everything so far is known to be everywhere. */
static bool tracks_nothing(const struct core_device *dev)
{
	const struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev)
		if (dev->md.peer[pd->conn->peer_node_id].bitmap_uuid)
			return false;
	return true;
}

static bool peer_had_data(const struct core_peer_device_state *s)
{
	return s->pdsk == DISK_INCONSISTENT || s->pdsk == DISK_CONSISTENT ||
	       s->pdsk == DISK_UP_TO_DATE;
}

static bool peer_has_lost_data(const struct core_peer_device_state *s)
{
	return s->pdsk < DISK_INCONSISTENT || s->pdsk == DISK_UNKNOWN || s->pdsk == DISK_OUTDATED;
}

static bool has_no_disk(const struct core_peer_device_state *s)
{
	return s->pdsk < DISK_INCONSISTENT;
}

/* A Primary peer writes through us what its own disk does not get. */
static bool peer_writes_without_disk(const struct core_device *dev)
{
	const struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev) {
		/* without a good disk of ours there was nothing to write through, nor a generation */
		bool was = pd->conn->now.peer_role == ROLE_PRIMARY && has_no_disk(&pd->now) &&
			   dev->now.disk == DISK_UP_TO_DATE;

		if (pd->next.repl >= REPL_ESTABLISHED && !was && has_no_disk(&pd->next) &&
		    pd->conn->next_state.peer_role == ROLE_PRIMARY)
			return true;
	}
	return false;
}

/* As Primary: writes from here on make data that not every peer has. */
static bool primary_goes_on_alone(const struct core_device *dev, bool all_present)
{
	const struct core_peer_device *pd;

	bool comes_back = dev->now.disk != DISK_UP_TO_DATE;	/* it could make none before */

	if (dev->res->now.role != ROLE_PRIMARY)
		return !all_present;
	for_each_pd_of_dev(pd, dev)
		if ((comes_back || peer_had_data(&pd->now)) && peer_has_lost_data(&pd->next))
			return true;
	return false;
}

/* As Primary: what is written from here on the peer gets by a resync only. */
static bool pulls_ahead(const struct core_device *dev)
{
	const struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev)
		if (pd->now.repl != REPL_AHEAD && pd->next.repl == REPL_AHEAD)
			return true;
	return false;
}

static bool peers_are_present(const struct core_device *dev)
{
	const struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev)
		if (pd->next.repl < REPL_ESTABLISHED || pd->next.repl == REPL_AHEAD ||
		    has_no_disk(&pd->next))
			return false;
	return dev->pds != NULL;
}

/*
 * behaviour.md 8.3. As Primary the new generation waits for the first write that
 * needs it; toward a Primary peer without a disk it is made at once, for what
 * the peer writes next is on our disk only.
 */
static void derive_generation(struct core_device *dev)
{
	bool primary = dev->res->next.role == ROLE_PRIMARY;
	bool by_peer = peer_writes_without_disk(dev);
	bool present = peers_are_present(dev);

	if (dev->gen_writing)
		return;
	if (dev->next_state.disk <= DISK_FAILED || present ||
	    (!primary && !by_peer && !dev->gen_wanted))
		dev->next_state.gen_pending = false;
	if (dev->next_state.disk != DISK_UP_TO_DATE)
		return;
	if (primary && pulls_ahead(dev))
		dev->next_state.gen_pending = true;
	if (!tracks_nothing(dev))
		return;
	if (by_peer)
		dev->gen_wanted = true;
	if (by_peer || (primary && primary_goes_on_alone(dev, present)))
		dev->next_state.gen_pending = true;
}

static bool tell_repl_change(const struct core_peer_device *pd)
{
	u8 o = pd->now.repl, n = pd->next.repl;

	if (o == n)
		return false;
	switch (n) {
	case REPL_ESTABLISHED:	/* who drives it tells the other one that it has ended */
		return o != REPL_SYNC_SOURCE && o != REPL_PAUSED_SYNC_S && o != REPL_VERIFY_T;
	case REPL_STARTING_SYNC_S:
	case REPL_STARTING_SYNC_T:
	case REPL_WF_BITMAP_S:
	case REPL_WF_BITMAP_T:
	case REPL_AHEAD:	/* behind the last write that it gets, before the first notice */
	case REPL_BEHIND:
		return true;
	default:		/* bitmap and SyncUUID have told it */
		return false;
	}
}

/* wire.md 8.4: everything of mine that the peer can see and did not cause. */
static bool peer_must_hear(const struct core_peer_device *pd)
{
	const struct core_device *dev = pd->dev;
	const struct core_resource *res = dev->res;

	if (!pd->decided || !link_usable(pd->conn))
		return false;
	return res->now.role != res->next.role ||
	       (dev->now.disk != dev->next_state.disk && dev->next_state.disk != DISK_ATTACHING) ||
	       pd->now.user_isp != pd->next.user_isp ||
	       pd->now.aftr_isp != pd->next.aftr_isp || tell_repl_change(pd);
}

static void publish_plans(struct core_resource *res)
{
	struct core_device *dev;

	for_each_device(dev, res)
		if (plan_update(dev))
			emit_dev(dev, ACT_PLAN)->plan = dev->plan;
}

/* The in-core mark ends when both replicas are known to be good (behaviour.md 3.9). */
static void forget_crash(struct core_device *dev)
{
	const struct core_peer_device *pd;

	if (dev->next_state.disk != DISK_UP_TO_DATE)
		return;
	for_each_pd_of_dev(pd, dev)
		if (pd->next.pdsk == DISK_UP_TO_DATE && pd->next.repl == REPL_ESTABLISHED)
			dev->crashed_primary = false;
}

static bool superblock_differs(const struct core_device *dev)
{
	const struct core_peer_device *pd;

	if (dev->next_state.disk < DISK_INCONSISTENT && dev->next_state.disk != DISK_DETACHING)
		return false;
	if (md_flags_of(dev) != dev->md.flags)
		return true;
	for_each_pd_of_dev(pd, dev)
		if ((pd->now.repl > REPL_OFF) != (pd->next.repl > REPL_OFF) ||
		    pd->now.pdsk != pd->next.pdsk)
			return true;
	return false;
}

/* after-sb-0pri discard-younger-primary asks who was Primary when the histories parted. */
static void note_parting(struct core_device *dev)
{
	const struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev)
		if (pd->now.repl >= REPL_ESTABLISHED && pd->next.repl < REPL_ESTABLISHED)
			dev->parted_as_primary = dev->res->now.role == ROLE_PRIMARY;
}

/*
 * The disk leaves, and the application goes on with the peer's data: in the generation
 * that the peer has made for that, and told perhaps before its consent came here.
 */
static void note_exposed(struct core_device *dev)
{
	const struct core_peer_device *pd;

	if (dev->now.disk < DISK_NEGOTIATING || dev->next_state.disk >= DISK_NEGOTIATING)
		return;
	for_each_pd_of_dev(pd, dev)
		if (pd->uuids_are_new && pd->next.pdsk == DISK_UP_TO_DATE &&
		    pd->next.repl >= REPL_ESTABLISHED)
			dev->exposed_uuid = pd->peer_uuids.current_uuid;
}

static void copy_states(struct core_resource *res)
{
	struct core_connection *conn;
	struct core_device *dev;
	struct core_peer_device *pd;

	res->now = res->next;
	for_each_connection(conn, res)
		conn->now = conn->next_state;
	for_each_device(dev, res) {
		dev->now = dev->next_state;
		for_each_pd_of_dev(pd, dev)
			pd->now = pd->next;
	}
}

/* What was wished for is not to be. */
void change_revert(struct core_resource *res)
{
	struct core_connection *conn;
	struct core_device *dev;
	struct core_peer_device *pd;

	res->next = res->now;
	for_each_connection(conn, res)
		conn->next_state = conn->now;
	for_each_device(dev, res) {
		dev->next_state = dev->now;
		for_each_pd_of_dev(pd, dev)
			pd->next = pd->now;
	}
}

void change_commit(struct core_resource *res, const char *tag)
{
	struct core_connection *conn;
	struct core_device *dev;
	struct core_peer_device *pd;
	bool changed;

	sanitize(res);
	for_each_device(dev, res)
		derive_generation(dev);
	changed = log_resource(res, tag);
	for_each_connection(conn, res)
		changed |= log_connection(conn, tag);
	for_each_device(dev, res) {
		changed |= log_device(dev, tag);
		for_each_pd_of_dev(pd, dev)
			changed |= log_pd(pd, tag);
	}
	publish_plans(res);
	/* what another suspension has held back waits for the data, too */
	if (res->next.susp_nod && !res->now.susp_nod)
		for_each_device(dev, res)
			emit_dev(dev, ACT_RELEASE);
	if (!changed)
		return;
	for_each_device(dev, res) {
		for_each_pd_of_dev(pd, dev)
			if (peer_must_hear(pd))
				send_state(pd);
	}
	for_each_device(dev, res) {
		forget_crash(dev);
		note_parting(dev);
		note_exposed(dev);
		if (serves_primary(dev, true))
			dev->served = true;
		if (superblock_differs(dev))
			write_md(dev);
	}
	copy_states(res);
	emit(res, ACT_NOTIFY);
}
