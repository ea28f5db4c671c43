// SPDX-License-Identifier: GPL-2.0
/*
 * State to I/O plan (DESIGN 2.3): which legs a write has, where reads go, and
 * whether anything may enter at all. The leg table is that of behaviour.md
 * 11.2, column 8.4; each disk state of a peer gives exactly one leg.
 */
#include "internal.h"
#include "../wire/data.h"
#include "../data/extent.h"

static bool syncing(u8 repl)
{
	return repl >= REPL_SYNC_SOURCE && repl <= REPL_PAUSED_SYNC_T &&
	       repl != REPL_VERIFY_S && repl != REPL_VERIFY_T;
}

static u8 leg_of(const struct core_peer_device_state *s)
{
	if (s->repl == REPL_WF_BITMAP_S || s->repl == REPL_AHEAD)
		return PLAN_NOTICE;
	if (s->repl < REPL_ESTABLISHED)
		return PLAN_NOTHING;
	if (s->pdsk == DISK_UP_TO_DATE)
		return PLAN_DATA;
	if (s->pdsk >= DISK_INCONSISTENT && s->repl >= REPL_WF_BITMAP_T && s->repl < REPL_AHEAD)
		return PLAN_DATA;
	return PLAN_NOTHING;
}

static u8 discard_of(const struct wire_link *wire)
{
	if (!(wire->features & FEATURE_TRIM))
		return PLAN_DISCARD_NONE;
	return wire->features & FEATURE_WZEROES ? PLAN_DISCARD_FULL : PLAN_DISCARD_TRIM;
}

/* What a peer that takes part can do; others do not count. */
static void limit_by_peer(struct io_plan *plan, const struct core_peer_device *pd)
{
	const struct wire_link *wire = &pd->conn->wire;
	u32 most = drbd_wire_max_discard(wire->features);
	bool disk = pd->next.pdsk >= DISK_INCONSISTENT && pd->next.pdsk != DISK_UNKNOWN;

	if (!link_usable(pd->conn))
		return;
	if (!(wire->features & FEATURE_TRIM))
		most = 0;
	plan->max_zeroes = min(plan->max_zeroes, most);
	/* P_ZEROES cannot travel beside digests, and a P_TRIM would not promise zeroes */
	if (wire->features & FEATURE_WZEROES && pd->conn->conf.integrity_alg[0])
		plan->max_zeroes = 0;
	if (disk && pd->got_sizes && pd->peer_sizes.has_limits && !pd->peer_sizes.discard_enabled)
		most = 0;
	plan->max_discard = min(plan->max_discard, most);
}

/* Only what every replica can do is offered. behaviour.md 11.7 */
static void offer_discards(struct io_plan *plan, const struct core_device *dev)
{
	const struct core_peer_device *pd;

	plan->max_discard = !plan->local_disk || dev->backing_discard ? WIRE_MAX_DISCARD : 0;
	plan->max_zeroes = WIRE_MAX_DISCARD;
	for_each_pd_of_dev(pd, dev)
		limit_by_peer(plan, pd);
	if (!plan->local_disk && !data_accessible(dev->res, dev, true))
		plan->max_discard = plan->max_zeroes = 0;
}

/* A disk that is being detached takes no more writes, but those in flight may set bits. */
static bool bitmap_counts(const struct core_device *dev)
{
	return dev->next_state.disk >= DISK_INCONSISTENT || dev->next_state.disk == DISK_DETACHING;
}

/* Two Primaries: who says which of two writes that meet was first (wire.md 6.8)? */
static u8 conflicts_of(const struct core_connection *conn)
{
	if (conn->res->next.role != ROLE_PRIMARY ||
	    !(conn->conf.two_primaries || conn->next_state.peer_role == ROLE_PRIMARY))
		return RANGE_WAIT_IN_TURN;
	return conn->resolve_conflicts ? RANGE_DECIDE : RANGE_FOLLOW;
}

/* Only a peer that has all is left behind; one that is being resynced falls back again. */
static u8 congestion_of(const struct core_peer_device *pd)
{
	const struct core_device *dev = pd->dev;

	if (!congestion_counts(pd->conn) || dev->res->next.role != ROLE_PRIMARY ||
	    dev->next_state.disk != DISK_UP_TO_DATE)
		return PLAN_CONGESTION_IGNORE;
	switch (pd->next.repl) {
	case REPL_ESTABLISHED:
		return pd->next.pdsk == DISK_UP_TO_DATE ? PLAN_CONGESTION_WATCH : PLAN_CONGESTION_IGNORE;
	case REPL_SYNC_SOURCE:
		return PLAN_CONGESTION_WATCH;
	case REPL_AHEAD:
		return PLAN_CONGESTION_AHEAD;
	default:
		return PLAN_CONGESTION_IGNORE;
	}
}

static void plan_peer(struct io_plan *plan, const struct core_peer_device *pd)
{
	const struct core_connection *conn = pd->conn;
	struct plan_peer *p = &plan->peer[conn->index];
	s32 slot = pd->dev->md.peer[conn->peer_node_id].bitmap_index;

	if (plan->nr_peers <= conn->index)
		plan->nr_peers = conn->index + 1;
	p->slot = bitmap_counts(pd->dev) && slot >= 0 ? slot : -1;
	p->leg = leg_of(&pd->next);
	p->protocol = conn->conf.wire_protocol;
	p->may_set_in_sync = syncing(pd->next.repl);
	p->read = conn->conf.allow_remote_read && pd->next.repl >= REPL_ESTABLISHED &&
		  pd->next.pdsk == DISK_UP_TO_DATE;
	p->discard = discard_of(&conn->wire);
	p->serve_read = pd->dev->next_state.disk == DISK_UP_TO_DATE;
	p->serve_resync = pd->next.repl == REPL_SYNC_SOURCE || pd->next.repl == REPL_PAUSED_SYNC_S;
	p->clear_in_sync = syncing(pd->next.repl);
	/* also what still arrives when the link is lost already */
	p->track = pd->next.pdsk < DISK_INCONSISTENT || pd->next.pdsk == DISK_UNKNOWN;
	p->request_resync = pd->next.repl == REPL_SYNC_TARGET;
	/* the last ones may come when we have counted to the end already */
	p->serve_verify = conn->conf.verify_alg[0] && (pd->next.repl == REPL_VERIFY_T ||
						       pd->next.repl == REPL_ESTABLISHED);
	p->request_verify = pd->next.repl == REPL_VERIFY_S;
	p->conflicts = conflicts_of(conn);
	p->congestion = congestion_of(pd);
	if (p->congestion == PLAN_CONGESTION_WATCH) {
		p->congestion_fill = conn->conf.cong_fill;
		p->congestion_extents = conn->conf.cong_extents;
	}
}

/* Some copy is UpToDate: the local one, or one at the other end of a link. */
bool data_accessible(const struct core_resource *res, const struct core_device *dev, bool next)
{
	const struct core_peer_device *pd;

	(void)res;
	if ((next ? dev->next_state.disk : dev->now.disk) == DISK_UP_TO_DATE)
		return true;
	for_each_pd_of_dev(pd, dev) {
		const struct core_peer_device_state *s = next ? &pd->next : &pd->now;

		if (s->pdsk == DISK_UP_TO_DATE && s->repl >= REPL_ESTABLISHED &&
		    pd->conn->conf.allow_remote_read)
			return true;
	}
	return false;
}

/* A decision is being made on what is on the disks: nothing may change them. */
static bool settled(const struct core_device *dev)
{
	const struct core_peer_device *pd;

	if (dev->next_state.disk == DISK_ATTACHING || dev->next_state.disk == DISK_NEGOTIATING)
		return false;
	for_each_pd_of_dev(pd, dev)
		if (pd->next.repl == REPL_WF_BITMAP_T || pd->next.repl == REPL_WF_SYNC_UUID)
			return false;
	return true;
}

static void admit(struct io_plan *plan, const struct core_device *dev)
{
	const struct core_resource *res = dev->res;
	bool wait = res->next.susp_user || res->next.susp_nod || res->next.susp_fen ||
		    dev->gate_shut || !settled(dev);

	plan->read_admission = PLAN_OPEN;
	if (wait)
		plan->read_admission = PLAN_PARK;
	else if (!data_accessible(res, dev, true))
		plan->read_admission = PLAN_FAIL;
	plan->write_admission = plan->read_admission;
	if (plan->write_admission == PLAN_OPEN && dev->next_state.gen_pending)
		plan->write_admission = PLAN_NEW_GENERATION;
	/* what is only on a disk that is being resynced will be overwritten: that is no success */
	plan->completion = res->next.susp_nod ? PLAN_COMPLETE_PARK :
			   res->next.susp_user || res->next.susp_fen ? PLAN_COMPLETE_HOLD :
			   data_accessible(res, dev, true) ? PLAN_COMPLETE : PLAN_COMPLETE_FAIL;
}

/*
 * The bits of an Inconsistent disk tell what is good of it only while the peer's writes
 * come here, or are told of: during a resync. Else a second Primary may have written.
 */
static u8 read_rule(const struct core_device *dev)
{
	const struct core_peer_device *pd;

	if (dev->next_state.disk == DISK_UP_TO_DATE)
		return PLAN_READ_LOCAL;
	if (dev->next_state.disk != DISK_INCONSISTENT)
		return PLAN_READ_REMOTE;
	for_each_pd_of_dev(pd, dev)
		if (pd->next.repl == REPL_SYNC_TARGET || pd->next.repl == REPL_PAUSED_SYNC_T)
			return PLAN_READ_CLEAN;
	return PLAN_READ_REMOTE;
}

/* Computes the plan of the wished-for state. True if it differs from dev->plan. */
bool plan_update(struct core_device *dev)
{
	const struct core_peer_device *pd;
	struct io_plan plan;
	u32 i;

	memset(&plan, 0, sizeof(plan));
	for (i = 0; i < CORE_MAX_PEERS; i++)
		plan.peer[i].slot = -1;
	plan.generation = dev->plan.generation;
	plan.capacity = dev->size;
	plan.error = -EIO;
	plan.local_disk = dev->next_state.disk >= DISK_INCONSISTENT;
	plan.al_enabled = plan.local_disk && dev->conf.al_updates;
	plan.read_rule = read_rule(dev);
	plan.balance = dev->conf.read_balancing;
	for (i = 0; bitmap_counts(dev) && i < MD_MAX_PEERS; i++)
		if (dev->md.peer[i].bitmap_index >= 0)
			plan.slot_mask |= 1u << dev->md.peer[i].bitmap_index;
	for_each_pd_of_dev(pd, dev)
		plan_peer(&plan, pd);
	admit(&plan, dev);
	offer_discards(&plan, dev);
	if (!memcmp(&plan, &dev->plan, sizeof(plan)))
		return false;
	plan.generation++;
	dev->plan = plan;
	return true;
}
