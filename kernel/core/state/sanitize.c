// SPDX-License-Identifier: GPL-2.0
/*
 * Implied changes: what a wished-for state silently entails (behaviour.md 3.6).
 * The order of the steps is part of the rule.
 */
#include "internal.h"

struct clamp {
	u8 disk_min, disk_max, pdsk_min, pdsk_max;
};

#define ANY_DISK	DISK_DISKLESS, DISK_UP_TO_DATE
#define TARGET_DISK	DISK_INCONSISTENT, DISK_OUTDATED

/* Table of behaviour.md 3.6, by replication state; REPL_OFF is "< Connected". */
static const struct clamp clamps[] = {
	[REPL_OFF]		= { ANY_DISK, DISK_INCONSISTENT, DISK_UNKNOWN },
	[REPL_ESTABLISHED]	= { ANY_DISK, ANY_DISK },
	[REPL_STARTING_SYNC_S]	= { DISK_UP_TO_DATE, DISK_UP_TO_DATE, DISK_INCONSISTENT, DISK_CONSISTENT },
	[REPL_STARTING_SYNC_T]	= { TARGET_DISK, DISK_UP_TO_DATE, DISK_UP_TO_DATE },
	[REPL_WF_BITMAP_S]	= { DISK_UP_TO_DATE, DISK_UP_TO_DATE, DISK_INCONSISTENT, DISK_CONSISTENT },
	[REPL_WF_BITMAP_T]	= { TARGET_DISK, DISK_UP_TO_DATE, DISK_UP_TO_DATE },
	[REPL_WF_SYNC_UUID]	= { TARGET_DISK, DISK_UP_TO_DATE, DISK_UP_TO_DATE },
	[REPL_SYNC_SOURCE]	= { DISK_UP_TO_DATE, DISK_UP_TO_DATE, DISK_INCONSISTENT, DISK_INCONSISTENT },
	[REPL_SYNC_TARGET]	= { DISK_INCONSISTENT, DISK_INCONSISTENT, DISK_UP_TO_DATE, DISK_UP_TO_DATE },
	[REPL_VERIFY_S]		= { DISK_UP_TO_DATE, DISK_UP_TO_DATE, DISK_UP_TO_DATE, DISK_UP_TO_DATE },
	[REPL_VERIFY_T]		= { DISK_UP_TO_DATE, DISK_UP_TO_DATE, DISK_UP_TO_DATE, DISK_UP_TO_DATE },
	[REPL_PAUSED_SYNC_S]	= { DISK_UP_TO_DATE, DISK_UP_TO_DATE, DISK_INCONSISTENT, DISK_CONSISTENT },
	[REPL_PAUSED_SYNC_T]	= { TARGET_DISK, DISK_UP_TO_DATE, DISK_UP_TO_DATE },
	[REPL_AHEAD]		= { DISK_UP_TO_DATE, DISK_UP_TO_DATE, DISK_INCONSISTENT, DISK_CONSISTENT },
	[REPL_BEHIND]		= { TARGET_DISK, DISK_UP_TO_DATE, DISK_UP_TO_DATE },
};

static u8 within(u8 v, u8 lo, u8 hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

static void unlinked(struct core_peer_device *pd)
{
	pd->next.repl = REPL_OFF;
	pd->next.peer_isp = false;
	if (pd->next.pdsk < DISK_INCONSISTENT || pd->next.pdsk > DISK_UNKNOWN)
		pd->next.pdsk = DISK_UNKNOWN;
}

static void follow_pause(struct core_peer_device_state *s)
{
	bool paused = s->user_isp || s->peer_isp || s->aftr_isp;

	if (paused && s->repl == REPL_SYNC_SOURCE)
		s->repl = REPL_PAUSED_SYNC_S;
	else if (paused && s->repl == REPL_SYNC_TARGET)
		s->repl = REPL_PAUSED_SYNC_T;
	else if (!paused && s->repl == REPL_PAUSED_SYNC_S)
		s->repl = REPL_SYNC_SOURCE;
	else if (!paused && s->repl == REPL_PAUSED_SYNC_T)
		s->repl = REPL_SYNC_TARGET;
}

/* Nothing to learn from a peer that is just as consistent: it is the newest. */
static void agree_on_up_to_date(u8 *disk)
{
	if (*disk == DISK_CONSISTENT || *disk == DISK_OUTDATED)
		*disk = DISK_UP_TO_DATE;
}

/*
 * A resync that had not begun ends with a disk: the copy that lacks something is no
 * better for that. It must not be taken for one that is just as consistent.
 */
static void give_up_sync(struct core_peer_device *pd)
{
	u8 *disk = &pd->dev->next_state.disk;

	switch (pd->now.repl) {
	case REPL_STARTING_SYNC_T:
	case REPL_WF_BITMAP_T:
	case REPL_WF_SYNC_UUID:
	case REPL_PAUSED_SYNC_T:
	case REPL_BEHIND:
		if (*disk > DISK_INCONSISTENT && *disk < DISK_UP_TO_DATE)
			*disk = DISK_INCONSISTENT;
		break;
	case REPL_STARTING_SYNC_S:
	case REPL_WF_BITMAP_S:
	case REPL_PAUSED_SYNC_S:
	case REPL_AHEAD:
		if (pd->next.pdsk > DISK_INCONSISTENT && pd->next.pdsk < DISK_UP_TO_DATE)
			pd->next.pdsk = DISK_INCONSISTENT;
		break;
	default:
		break;
	}
	pd->next.repl = REPL_ESTABLISHED;
}

static void sanitize_pd(struct core_peer_device *pd)
{
	struct core_device *dev = pd->dev;
	const struct clamp *c;

	if (pd->conn->next_state.cstate < CONN_CONNECTED)
		unlinked(pd);
	if (pd->next.repl > REPL_ESTABLISHED &&
	    (dev->next_state.disk <= DISK_FAILED || pd->next.pdsk <= DISK_FAILED))
		give_up_sync(pd);
	if (pd->next.repl == REPL_ESTABLISHED) {
		agree_on_up_to_date(&dev->next_state.disk);
		agree_on_up_to_date(&pd->next.pdsk);
	}
	/* while the handshake of this volume runs its disks are as they were shown */
	if (pd->next.repl == REPL_OFF && pd->conn->next_state.cstate == CONN_CONNECTED)
		return;
	if (dev->next_state.disk != DISK_NEGOTIATING && dev->next_state.disk != DISK_ATTACHING) {
		c = &clamps[pd->next.repl];
		dev->next_state.disk = within(dev->next_state.disk, c->disk_min, c->disk_max);
		pd->next.pdsk = within(pd->next.pdsk, c->pdsk_min, c->pdsk_max);
	}
	follow_pause(&pd->next);
}

/*
 * Links that end while a disk negotiates: what the superblock says counts, but
 * for data of another generation than the one in use (behaviour.md 3.6 step 4).
 */
static void end_negotiation(struct core_device *dev)
{
	struct core_peer_device *pd;

	if (dev->next_state.disk != DISK_NEGOTIATING)
		return;
	for_each_pd_of_dev(pd, dev)
		if (pd->conn->next_state.cstate == CONN_CONNECTED)
			return;
	if (dev->exposed_uuid && (dev->exposed_uuid ^ dev->md.current_uuid) & ~1ULL)
		dev->next_state.disk = DISK_FAILED;
	else
		dev->next_state.disk = disk_from_md(dev);
}

static bool primary_without_data(const struct core_resource *res, bool next)
{
	const struct core_device *dev;

	if ((next ? res->next.role : res->now.role) != ROLE_PRIMARY)
		return false;
	for_each_device(dev, res)
		if (!data_accessible(res, dev, next))
			return true;
	return false;
}

/* When the data is lost, not while it is: resume-io fails what would wait. */
static void suspend_without_data(struct core_resource *res)
{
	if (!primary_without_data(res, true))
		res->next.susp_nod = false;
	else if (res->opts.on_no_data == ON_NO_DATA_SUSPEND_IO && !primary_without_data(res, false))
		res->next.susp_nod = true;
}

void sanitize(struct core_resource *res)
{
	struct core_connection *conn;
	struct core_device *dev;
	struct core_peer_device *pd;

	for_each_connection(conn, res)
		if (conn->next_state.cstate < CONN_CONNECTED)
			conn->next_state.peer_role = ROLE_UNKNOWN;
	for_each_device(dev, res) {
		end_negotiation(dev);
		for_each_pd_of_dev(pd, dev)
			sanitize_pd(pd);
	}
	suspend_without_data(res);
	fence_freeze(res);
}
