// SPDX-License-Identifier: GPL-2.0
/* Promotion and demotion (behaviour.md 6.1, DESIGN 3.3), as jobs in phases. */
#include "internal.h"

#define TRANSIENT_TRIES 50u
#define TRANSIENT_MS 200u

enum primary_phase {
	PRI_START = 0, PRI_PINGED, PRI_JUDGE, PRI_FENCE, PRI_ASK, PRI_WRITE, PRI_WAIT_MD,
};

static bool pings_are_out(const struct core_resource *res)
{
	const struct core_connection *conn;

	for_each_connection(conn, res)
		if (link_usable(conn) && conn->ping_sent != conn->ping_acked)
			return true;
	return false;
}

/* What this node has shown it will compare with a disk that comes: not to be changed now. */
static bool peer_attaches(const struct core_resource *res)
{
	const struct core_connection *conn;
	const struct core_peer_device *pd;

	for_each_connection(conn, res) {
		if (conn->link != LINK_UP)
			continue;
		for_each_pd_of_conn(pd, conn)
			if (pd->now.pdsk == DISK_ATTACHING || pd->now.pdsk == DISK_NEGOTIATING)
				return true;
	}
	return false;
}

static bool not_now(const struct core_resource *res)
{
	return in_transient_state(res) || peer_attaches(res);
}

static bool can_be_forced(const struct core_device *dev)
{
	return dev->now.disk >= DISK_INCONSISTENT && dev->now.disk < DISK_UP_TO_DATE;
}

static void wish_primary(struct core_job *job)
{
	struct core_peer_device *pd;
	struct core_device *dev;

	job->res->next.role = ROLE_PRIMARY;
	for_each_device(dev, job->res) {
		if ((job->force_disk && can_be_forced(dev)) ||
		    (job->trust_disk && dev->now.disk == DISK_CONSISTENT))
			dev->next_state.disk = DISK_UP_TO_DATE;
		for_each_pd_of_dev(pd, dev)
			if (job->force_split && pd->now.repl < REPL_ESTABLISHED &&
			    pd->now.pdsk > DISK_OUTDATED)
				pd->next.pdsk = DISK_OUTDATED;
	}
}

static bool any_consistent(const struct core_resource *res)
{
	const struct core_device *dev;

	for_each_device(dev, res)
		if (dev->now.disk == DISK_CONSISTENT)
			return true;
	return false;
}

/* Those that are not connected and not known to be outdated. True: a handler runs. */
static bool fence_peers(struct core_job *job)
{
	const struct core_peer_device *pd;
	struct core_connection *conn;
	bool runs = false;

	job->fenced = true;
	for_each_connection(conn, job->res) {
		bool unknown = false;

		for_each_pd_of_conn(pd, conn)
			unknown |= pd->now.repl < REPL_ESTABLISHED && pd->now.pdsk > DISK_OUTDATED;
		if (unknown && conn->conf.fencing_policy && !link_usable(conn))
			runs |= fence_peer(conn);
	}
	return runs;
}

static bool all_outdated(const struct core_resource *res)
{
	const struct core_connection *conn;
	const struct core_peer_device *pd;

	for_each_connection(conn, res)
		for_each_pd_of_conn(pd, conn)
			if (pd->now.pdsk > DISK_OUTDATED)
				return false;
	return true;
}

static s32 try_primary(struct core_job *job)
{
	s32 r;

	wish_primary(job);
	sanitize(job->res);
	r = check_soft(job->res);
	change_revert(job->res);
	return r;
}

static u32 longest_ping_timeout_ms(const struct core_resource *res)
{
	const struct core_connection *conn;
	u32 ms = 0;

	for_each_connection(conn, res)
		ms = max(ms, conn->conf.ping_timeo * 100);
	return ms;
}

/* behaviour.md 6.1: what each refusal leads to. True: the job has its result. */
static bool judge_primary(struct core_job *job)
{
	struct core_resource *res = job->res;
	struct core_device *dev;
	s32 r = try_primary(job);

	if (r == RES_NO_UP_TO_DATE_DISK && job->force && !job->force_disk) {
		for_each_device(dev, res)
			if (can_be_forced(dev))
				job->force_disk = true;
		if (job->force_disk) {
			emit_log(res, "Forced to consider local data as UpToDate!");
			r = try_primary(job);
		}
	}
	if (!job->fenced && (r == RES_PRIMARY_NOP ||
			     (r == RES_NO_UP_TO_DATE_DISK && any_consistent(res))) &&
	    fence_peers(job)) {
		job->phase = PRI_FENCE;
		return false;
	}
	if (r == RES_PRIMARY_NOP && job->force && !job->force_split) {
		emit_log(res, "Forced into split brain situation!");
		job->force_split = true;
		r = try_primary(job);
	}
	if (r == RES_TWO_PRIMARIES && !job->tries++) {
		/* the other one may just have died */
		job->wake_ms = res->now_ms + longest_ping_timeout_ms(res) + 100;
		job->phase = PRI_START;
		return false;
	}
	if (r < RES_SUCCESS)
		return fail(job, r, "%s", core_result_text(r));
	job->phase = PRI_ASK;
	return false;
}

static void write_as_primary(struct core_job *job)
{
	struct core_device *dev;

	job->res->promoting = true;
	for_each_device(dev, job->res) {
		if (dev->now.disk < DISK_INCONSISTENT)
			continue;
		if (job->force_disk)
			generation_rotate(dev);
		generation_set_primary_bit(dev, true);
		write_md(dev);
		dev->job_md_gen = dev->md_gen;
	}
}

static bool superblocks_are_stable(const struct core_resource *res)
{
	const struct core_device *dev;

	for_each_device(dev, res)
		if (dev->now.disk >= DISK_INCONSISTENT &&
		    (s32)(dev->md_stable - dev->job_md_gen) < 0)
			return false;
	return true;
}

/* The superblocks say so already; the peers may have agreed. */
static void take_back(struct core_resource *res)
{
	struct core_peer_device *pd;
	struct core_device *dev;

	res->promoting = false;
	for_each_device(dev, res) {
		generation_set_primary_bit(dev, false);
		for_each_pd_of_dev(pd, dev)
			if (pd->decided && link_usable(pd->conn))
				send_state(pd);
		write_md(dev);
	}
}

/* A peer that has come meanwhile was shown a Secondary, and has agreed to nothing. */
static bool somebody_came(const struct core_resource *res)
{
	const struct core_connection *conn;

	for_each_connection(conn, res)
		if (conn->link == LINK_UP && !conn->agreed)
			return true;
	return false;
}

static void note_consent(const struct core_resource *res)
{
	struct core_connection *conn;

	for_each_connection(conn, res)
		conn->agreed = conn->link == LINK_UP;
}

static bool enter_primary(struct core_job *job)
{
	struct core_resource *res = job->res;
	struct core_device *dev;
	struct core_peer_device *pd;
	s32 r = try_primary(job);

	res->promoting = false;
	if (r < RES_SUCCESS) {
		take_back(res);
		return fail(job, r, "%s", core_result_text(r));
	}
	for_each_device(dev, res)
		for_each_pd_of_dev(pd, dev)
			if (job->force_disk && pd->decided && link_usable(pd->conn))
				send_uuids(pd);
	wish_primary(job);
	change_commit(res, "primary");
	for_each_device(dev, res)
		emit_dev(dev, ACT_UEVENT);
	return finish(job, RES_SUCCESS);
}

static const struct wire_state_req *promotion_request(const struct core_job *job)
{
	static const struct wire_state_req plain = {
		.mask = { .role = ROLE_MASK }, .val = { .role = ROLE_PRIMARY },
	};
	static const struct wire_state_req forced = {
		.mask = { .role = ROLE_MASK, .disk = DISK_MASK },
		.val = { .role = ROLE_PRIMARY, .disk = DISK_UP_TO_DATE },
	};

	return job->force_disk ? &forced : &plain;
}

bool primary_waits(const struct core_job *job)
{
	return job->phase <= PRI_JUDGE;
}

bool job_primary(struct core_job *job)
{
	struct core_resource *res = job->res;
	struct core_connection *conn;

	switch (job->phase) {
	case PRI_START:
		if (res->now.role == ROLE_PRIMARY)
			return finish(job, RES_NOTHING_TO_DO);
		if (job->wake_ms && res->now_ms < job->wake_ms)
			return false;
		job->wake_ms = 0;
		for_each_connection(conn, res)
			ping(conn);
		job->phase = PRI_PINGED;
		fallthrough;
	case PRI_PINGED:
		if (pings_are_out(res))
			return false;
		job->phase = PRI_JUDGE;
		fallthrough;
	case PRI_JUDGE:
		if (not_now(res))
			return false;
		return judge_primary(job);
	case PRI_FENCE:
		if (fence_runs(res))
			return false;
		job->trust_disk = all_outdated(res);
		job->phase = PRI_JUDGE;
		return false;
	case PRI_ASK:
		/* a peer that came or went meanwhile: is it still the same question? */
		if (not_now(res)) {
			job->asked = 0;
			job->phase = PRI_JUDGE;
			return false;
		}
		switch (ask_volumes(job, NULL, promotion_request(job))) {
		case ASK_WAIT:
			return false;
		case ASK_NO:
			if (job->peer_code == RES_IN_TRANSIENT_STATE && job->waits++ < TRANSIENT_TRIES) {
				job->wake_ms = res->now_ms + TRANSIENT_MS;
				job->asked = 0;
				job->phase = PRI_START;
				return false;
			}
			return fail(job, RES_CW_FAILED_BY_PEER, "the peer refused: %s",
				    core_result_text(job->peer_code));
		case ASK_YES:
			break;
		}
		note_consent(res);
		job->phase = PRI_WRITE;
		fallthrough;
	case PRI_WRITE:
		write_as_primary(job);
		job->phase = PRI_WAIT_MD;
		return false;
	default:
		if (!superblocks_are_stable(res))
			return false;
		if (!not_now(res) && !somebody_came(res))
			return enter_primary(job);
		take_back(res);
		job->asked = 0;
		job->phase = PRI_START;
		return false;
	}
}

enum secondary_phase {
	SEC_START = 0, SEC_OPENERS, SEC_DRAIN, SEC_BITMAP, SEC_WAIT_MD,
};

/* True when all devices have answered. */
static bool all_devices(const struct core_resource *res, bool (*answered)(const struct core_device *))
{
	const struct core_device *dev;

	for_each_device(dev, res)
		if (!answered(dev))
			return false;
	return true;
}

static bool openers_known(const struct core_device *dev)
{
	return dev->openers_known;
}

static bool drained(const struct core_device *dev)
{
	return dev->drained;
}

static bool bitmap_written(const struct core_device *dev)
{
	return dev->bitmap_written || dev->now.disk < DISK_INCONSISTENT;
}

static void allow_opens(struct core_resource *res)
{
	struct core_device *dev;

	for_each_device(dev, res)
		emit_dev(dev, ACT_ALLOW_OPENS);
}

static bool refuse_in_use(struct core_job *job)
{
	struct core_device *dev;

	for_each_device(dev, job->res) {
		if (!dev->openers)
			continue;
		allow_opens(job->res);
		return fail(job, RES_DEVICE_IN_USE,
			    "/dev/drbd%u is held open (%u times): unmount it or stop what uses it first",
			    dev->minor, dev->openers);
	}
	return false;
}

static void shut_gates(struct core_resource *res)
{
	struct core_device *dev;

	for_each_device(dev, res) {
		dev->gate_shut = true;
		dev->drained = false;
	}
	change_commit(res, "demoting");
	for_each_device(dev, res)
		emit_dev(dev, ACT_DRAIN);
}

static void write_bitmaps(struct core_resource *res)
{
	struct core_device *dev;

	for_each_device(dev, res)
		if (dev->now.disk >= DISK_INCONSISTENT)
			write_bitmap(dev);
}

static void enter_secondary(struct core_resource *res)
{
	struct core_device *dev;

	res->next.role = ROLE_SECONDARY;
	for_each_device(dev, res) {
		dev->gate_shut = false;
		generation_set_primary_bit(dev, false);
	}
	change_commit(res, "secondary");
	for_each_device(dev, res)
		dev->job_md_gen = dev->md_gen;
	allow_opens(res);
}

bool job_secondary(struct core_job *job)
{
	struct core_resource *res = job->res;
	struct core_device *dev;

	switch (job->phase) {
	case SEC_START:
		if (res->now.role != ROLE_PRIMARY)
			return finish(job, RES_NOTHING_TO_DO);
		for_each_device(dev, res) {
			dev->openers_known = false;
			emit_dev(dev, ACT_BLOCK_OPENS);
		}
		job->phase = SEC_OPENERS;
		return false;
	case SEC_OPENERS:
		if (!all_devices(res, openers_known))
			return false;
		if (refuse_in_use(job))
			return true;
		shut_gates(res);
		job->phase = SEC_DRAIN;
		return false;
	case SEC_DRAIN:
		if (!all_devices(res, drained))
			return false;
		write_bitmaps(res);
		job->phase = SEC_BITMAP;
		return false;
	case SEC_BITMAP:
		if (!all_devices(res, bitmap_written))
			return false;
		enter_secondary(res);
		job->phase = SEC_WAIT_MD;
		return false;
	default:
		if (!superblocks_are_stable(res))
			return false;
		for_each_device(dev, res)
			emit_dev(dev, ACT_UEVENT);
		return finish(job, RES_SUCCESS);
	}
}
