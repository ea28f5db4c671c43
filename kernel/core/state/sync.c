// SPDX-License-Identifier: GPL-2.0
/*
 * A resync from its decision to its end (behaviour.md 14): bitmaps travel,
 * handlers agree, identifiers become stable, blocks follow; at the end the peer
 * must be proven alive before anybody calls itself UpToDate. Each phase waits
 * for one event; sync_step() is level-triggered and may be called at any time.
 */
#include "internal.h"

static void enter_bitmap_exchange(struct core_peer_device *pd)
{
	pd->sync = SYNC_BITMAP;
	pd->next.repl = pd->sync_source ? REPL_WF_BITMAP_S : REPL_WF_BITMAP_T;
	if (pd->dev->now.disk == DISK_NEGOTIATING)
		pd->dev->next_state.disk = disk_from_md(pd->dev);
	change_commit(pd->dev->res, "sync-handshake");
	/* the same P for plan, undone entries and bitmap: no write falls between */
	if (pd->sync_source) {
		emit_pd(pd, ACT_MARK_UNDONE);
		emit_pd(pd, ACT_SEND_BITMAP);
	}
}

static void set_all_first(struct core_peer_device *pd)
{
	struct core_action *a;

	pd->sync = SYNC_SET_ALL;
	a = emit_dev(pd->dev, ACT_SET_ALL_BITS);
	a->pd = pd;
}

/* behaviour.md 14.3: every resync, or only one that mends what a crash has left. */
bool wants_csums(const struct core_peer_device *pd)
{
	const struct nl_net_conf *c = &pd->conn->conf;

	if (!c->csums_alg[0])
		return false;
	return !c->csums_after_crash_only || pd->dev->crashed_primary ||
	       pd->peer_uuids.flags & UUID_CRASHED_PRIMARY;
}

void sync_decided(struct core_peer_device *pd, bool source, bool full)
{
	pd->sync_source = source;
	pd->full_sync = full;
	pd->use_csums = wants_csums(pd);
	pd->exchange = true;
	pd->bitmap_received = false;
	pd->rs_failed = 0;
	if (full)
		set_all_first(pd);
	else
		enter_bitmap_exchange(pd);
}

/* invalidate, either side: both set all bits, no bitmap travels. */
void sync_full_started(struct core_peer_device *pd, bool source)
{
	pd->sync_source = source;
	pd->full_sync = true;
	pd->use_csums = wants_csums(pd);
	pd->exchange = false;
	pd->rs_failed = 0;
	pd->next.repl = source ? REPL_STARTING_SYNC_S : REPL_STARTING_SYNC_T;
	change_commit(pd->dev->res, "starting-sync");
	set_all_first(pd);
}

static void take_sync_uuid(struct core_peer_device *pd, u64 uuid)
{
	pd->sync_uuid = uuid;
	pd->early_sync_uuid = 0;
	pd->sync = SYNC_HELPER;
	pd->helper_started = false;
}

/*
 * The device has grown; both have set the bits of what is new. From now on writes
 * are those of a resync: the peer's disk is no longer UpToDate.
 */
void sync_growth(struct core_peer_device *pd, bool source)
{
	pd->sync_source = source;
	pd->full_sync = false;
	pd->use_csums = wants_csums(pd);
	pd->exchange = false;
	pd->rs_failed = 0;
	pd->helper_started = false;
	pd->sync = source ? SYNC_HELPER : SYNC_WAIT_UUID;
	pd->next.repl = source ? REPL_SYNC_SOURCE : REPL_WF_SYNC_UUID;
	change_commit(pd->dev->res, "resize");
}

/* Who waits for others itself holds up those behind it: they would come first else. */
void core_board_entry(const struct core_device *dev, struct board_entry *e)
{
	const struct core_peer_device *pd;

	e->minor = dev->minor;
	e->after = dev->conf.resync_after;
	e->disk = dev->now.disk > DISK_DISKLESS;
	e->busy = false;
	for_each_pd_of_dev(pd, dev)
		e->busy |= (pd->now.repl >= REPL_SYNC_SOURCE && pd->now.repl <= REPL_PAUSED_SYNC_T) ||
			   pd->now.user_isp || pd->now.peer_isp || pd->now.aftr_isp;
}

/* Level-triggered: pauses and goes on as must_wait says. True: something changed. */
bool sync_take_turns(struct core_device *dev)
{
	bool wait = dev->must_wait && dev->now.disk > DISK_DISKLESS, did = false;
	struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev) {
		did |= pd->now.aftr_isp != wait;
		pd->next.aftr_isp = wait;
	}
	if (did)
		change_commit(dev->res, "resync-after");
	return did;
}

void bits_set(struct core_resource *res, const struct core_event *ev)
{
	struct core_peer_device *pd = ev->pd;

	if (!pd) {
		ev->dev->bits_set = true;
		ev->dev->bits_ok = ev->ok;
		return;
	}
	if (pd->sync != SYNC_SET_ALL)
		return;
	if (!ev->ok) {
		ev->dev->md_error = true;
	} else if (pd->exchange) {
		enter_bitmap_exchange(pd);
	} else if (pd->sync_source) {
		pd->sync = SYNC_HELPER;
		pd->helper_started = false;
	} else {
		pd->sync = SYNC_WAIT_UUID;
		pd->next.repl = REPL_WF_SYNC_UUID;
		change_commit(res, "starting-sync");
		if (pd->early_sync_uuid)
			take_sync_uuid(pd, pd->early_sync_uuid);
	}
	go_on(pd->conn);
}

void sync_abort(struct core_peer_device *pd)
{
	repair_forget(pd);
	if (pd->sync == SYNC_NONE)
		return;
	emit_pd(pd, pd->sync >= SYNC_VERIFY ? ACT_STOP_VERIFY : ACT_STOP_RESYNC);
	pd->sync = SYNC_NONE;
}

void bitmap_received(struct core_resource *res, const struct core_event *ev)
{
	struct core_peer_device *pd = ev->pd;

	if (pd->sync == SYNC_BITMAP && !pd->bitmap_received) {
		pd->bitmap_received = true;
		if (pd->sync_source) {
			pd->sync = SYNC_HELPER;
			pd->helper_started = false;
		} else {
			emit_pd(pd, ACT_SEND_BITMAP);
			pd->sync = SYNC_WAIT_UUID;
			pd->next.repl = REPL_WF_SYNC_UUID;
			change_commit(res, "receive-bitmap");
		}
	} else {
		emit_log(res, "%u drbd%u %s: bitmap received in state %s: bits are merged, nothing is started",
			 pd->dev->vnr, pd->dev->minor, pd->conn->conf.name,
			 core_repl_name(pd->now.repl));
	}
	go_on(pd->conn);
}

/*
 * An own invalidate: the source had its bits set, or its SyncUUID here, before this
 * node had set its own, or even before its consent came on the other stream.
 */
static bool invalidate_begins(const struct core_peer_device *pd)
{
	const struct core_job *job = pd->conn->req.job;

	if (pd->sync == SYNC_SET_ALL)
		return !pd->sync_source && !pd->exchange;
	return pd->sync == SYNC_NONE && job && job->type == JOB_INVALIDATE && job->pd == pd;
}

void got_sync_uuid(struct core_resource *res, const struct core_event *ev)
{
	struct core_peer_device *pd = ev->pd;

	if (pd->sync == SYNC_WAIT_UUID && !pd->sync_source) {
		take_sync_uuid(pd, ev->uuid);
	} else if (invalidate_begins(pd)) {
		pd->early_sync_uuid = ev->uuid;
	} else {
		emit_log(res, "%u drbd%u %s: Ignoring SyncUUID packet!", pd->dev->vnr,
			 pd->dev->minor, pd->conn->conf.name);
	}
	go_on(pd->conn);
}

/* behaviour.md 7.3: a handler that says no ends the connection. */
static bool helper_refused(const struct core_peer_device *pd)
{
	s32 code = pd->helper_status;

	if (code <= 0)
		return false;
	return !(pd->sync_source && code == 3);
}

static bool step_helper(struct core_peer_device *pd)
{
	struct core_action *a;

	if (!pd->helper_started) {
		pd->helper_started = true;
		pd->helper_done = false;
		a = emit_pd(pd, ACT_HELPER);
		a->helper = pd->sync_source ? HELPER_BEFORE_RESYNC_SOURCE
					    : HELPER_BEFORE_RESYNC_TARGET;
		a->wait = true;
		return true;
	}
	if (!pd->helper_done)
		return false;
	if (helper_refused(pd)) {
		give_up(pd->conn, pd->sync_source
			? "before-resync-source handler refused, dropping connection"
			: "before-resync-target handler refused, dropping connection");
		return true;
	}
	write_bitmap(pd->dev);
	pd->sync = SYNC_WRITE;
	return true;
}

/*
 * Bits of the peer are on this disk before a block is copied: an ack clears them
 * at both sides, and a target that then loses its cache has only its own.
 */
static bool step_write(struct core_peer_device *pd)
{
	if (!pd->dev->bitmap_written)
		return false;
	if (pd->sync_source)
		generation_sync_start_source(pd);
	else
		generation_sync_start_target(pd);
	write_md(pd->dev);
	pd->sync_md_gen = pd->dev->md_gen;
	pd->sync = SYNC_MD;
	return true;
}

static bool md_is_stable(const struct core_peer_device *pd)
{
	return (s32)(pd->dev->md_stable - pd->sync_md_gen) >= 0;
}

static bool step_start(struct core_peer_device *pd)
{
	if (!md_is_stable(pd))
		return false;
	pd->next.repl = pd->sync_source ? REPL_SYNC_SOURCE : REPL_SYNC_TARGET;
	change_commit(pd->dev->res, "resync-started");
	if (pd->sync_source) {
		/* from here on writes are data; the target may not end before it knows
		 * of those that were not */
		pd->sync = SYNC_NOTICES;
		pd->dev->drained = false;
		emit_dev(pd->dev, ACT_DRAIN);
	} else {
		pd->sync = SYNC_RUN;
		emit_pd(pd, ACT_START_RESYNC);
	}
	return true;
}

/* Their bits are set, and the sender lets the notices go before this packet. */
static bool step_notices(struct core_peer_device *pd)
{
	if (!pd->dev->drained)
		return false;
	send_sync_uuid(pd);
	pd->sync = SYNC_RUN;
	emit_pd(pd, ACT_START_RESYNC);
	return true;
}

void resync_done(struct core_resource *res, const struct core_event *ev)
{
	struct core_peer_device *pd = ev->pd;

	(void)res;
	if ((pd->sync != SYNC_RUN && pd->sync != SYNC_FINISH_PING) || pd->sync_source)
		return;
	pd->rs_failed = ev->rs_failed;
	pd->sync = SYNC_FINISH_PING;
	pd->finish_ping = ping_target(pd->conn);
}

static void finish_failed(struct core_peer_device *pd)
{
	emit_log(pd->dev->res, "%u drbd%u %s: resync ended with %llu blocks that could not be copied: run it again when the disks are repaired",
		 pd->dev->vnr, pd->dev->minor, pd->conn->conf.name,
		 (unsigned long long)pd->rs_failed);
	pd->sync = SYNC_NONE;
	pd->next.repl = REPL_ESTABLISHED;
	emit_pd(pd, ACT_STOP_RESYNC);
	change_commit(pd->dev->res, "resync-finished");
}

static bool step_finish_ping(struct core_peer_device *pd)
{
	struct core_device *dev = pd->dev;

	if (!ping_answered(pd->conn, pd->finish_ping))
		return false;
	if (pd->rs_failed) {
		finish_failed(pd);
		return true;
	}
	/* a bit was set behind the last block: it goes on, and will be told again */
	if (pd->dirty_bits) {
		pd->sync = SYNC_RUN;
		return true;
	}
	generation_sync_finished(pd);
	/* the superblock that is written says what the state will say */
	dev->next_state.disk = DISK_UP_TO_DATE;
	write_md(dev);
	dev->next_state.disk = dev->now.disk;
	pd->sync_md_gen = dev->md_gen;
	pd->sync = SYNC_FINISH_MD;
	return true;
}

static void after_resync(struct core_peer_device *pd)
{
	struct core_action *a;

	emit_pd(pd, ACT_STOP_RESYNC);
	write_bitmap(pd->dev);
	if (pd->sync_source)
		return;
	a = emit_pd(pd, ACT_HELPER);
	a->helper = HELPER_AFTER_RESYNC_TARGET;
	a->wait = false;
}

static bool step_finish(struct core_peer_device *pd)
{
	if (!md_is_stable(pd))
		return false;
	pd->sync = SYNC_NONE;
	pd->next.repl = REPL_ESTABLISHED;
	pd->dev->next_state.disk = DISK_UP_TO_DATE;
	pd->dev->crashed_primary = false;
	change_commit(pd->dev->res, "resync-finished");
	after_resync(pd);
	return true;
}

/* The source, on the target's State: it has everything, or says how far it came. */
void sync_peer_finished(struct core_peer_device *pd)
{
	pd->sync = SYNC_NONE;
	pd->next.repl = REPL_ESTABLISHED;
	if (pd->next.pdsk == DISK_UP_TO_DATE) {
		generation_sync_finished(pd);
		write_md(pd->dev);
	}
	after_resync(pd);
}

bool sync_step(struct core_peer_device *pd)
{
	switch (pd->sync) {
	case SYNC_AHEAD:
	case SYNC_AHEAD_WAIT:
		return ahead_step(pd);
	case SYNC_HELPER:
		return step_helper(pd);
	case SYNC_WRITE:
		return step_write(pd);
	case SYNC_MD:
		return step_start(pd);
	case SYNC_NOTICES:
		return step_notices(pd);
	case SYNC_FINISH_PING:
		return step_finish_ping(pd);
	case SYNC_FINISH_MD:
		return step_finish(pd);
	case SYNC_VERIFY:
	case SYNC_VERIFY_PING:
		return verify_step(pd);
	default:
		return false;
	}
}
