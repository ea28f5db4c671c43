// SPDX-License-Identifier: GPL-2.0
/*
 * Administrators' requests as jobs: each is a function that is called until it
 * has a result. The simple ones are here, the others with what they change.
 */
#include "internal.h"

bool finish(struct core_job *job, s32 result)
{
	job->result = result;
	return true;
}

bool fail(struct core_job *job, s32 result, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(job->text, sizeof(job->text), fmt, args);
	va_end(args);
	job->result = result;
	return true;
}

static void link_peer_device(struct core_peer_device *pd)
{
	pd->next_of_conn = pd->conn->pds;
	pd->conn->pds = pd;
	pd->next_of_dev = pd->dev->pds;
	pd->dev->pds = pd;
}

static void unlink_of_conn(struct core_peer_device *pd)
{
	struct core_peer_device **p = &pd->conn->pds;

	while (*p && *p != pd)
		p = &(*p)->next_of_conn;
	if (*p)
		*p = pd->next_of_conn;
}

static void unlink_of_dev(struct core_peer_device *pd)
{
	struct core_peer_device **p = &pd->dev->pds;

	while (*p && *p != pd)
		p = &(*p)->next_of_dev;
	if (*p)
		*p = pd->next_of_dev;
}

/* job->pd: the new peer devices, chained by next_of_dev. */
static bool job_add_device(struct core_job *job)
{
	struct core_device **p = &job->res->devices;
	struct core_peer_device *pd, *next;

	while (*p && (*p)->vnr < job->dev->vnr)
		p = &(*p)->next;
	job->dev->next = *p;
	*p = job->dev;
	for (pd = job->pd; pd; pd = next) {
		next = pd->next_of_dev;
		link_peer_device(pd);
	}
	change_commit(job->res, "new-minor");
	emit(job->res, ACT_NOTIFY);
	return finish(job, RES_SUCCESS);
}

static bool job_del_device(struct core_job *job)
{
	struct core_device **p = &job->res->devices;
	struct core_peer_device *pd;

	if (job->dev->now.disk != DISK_DISKLESS)
		return fail(job, ERR_MINOR_CONFIGURED, "the device still has a disk: detach it first");
	for_each_pd_of_dev(pd, job->dev)
		if (pd->conn->receiver_runs)
			return fail(job, ERR_INVALID_REQUEST,
				    "the connection to %s is in use: disconnect it first",
				    pd->conn->conf.name);
	while (*p && *p != job->dev)
		p = &(*p)->next;
	if (*p)
		*p = job->dev->next;
	for_each_pd_of_dev(pd, job->dev)
		unlink_of_conn(pd);
	emit(job->res, ACT_NOTIFY);
	return finish(job, RES_SUCCESS);
}

static bool job_add_connection(struct core_job *job)
{
	struct core_peer_device *pd, *next;

	job->conn->next = job->res->connections;
	job->res->connections = job->conn;
	for (pd = job->pd; pd; pd = next) {
		next = pd->next_of_dev;
		link_peer_device(pd);
	}
	change_commit(job->res, "new-peer");
	emit(job->res, ACT_NOTIFY);
	return finish(job, RES_SUCCESS);
}

static bool job_del_connection(struct core_job *job)
{
	struct core_connection **p = &job->res->connections;
	struct core_peer_device *pd;

	if (job->conn->now.cstate != CONN_STANDALONE || job->conn->receiver_runs)
		return fail(job, ERR_NET_CONFIGURED, "the connection is in use: disconnect it first");
	while (*p && *p != job->conn)
		p = &(*p)->next;
	if (*p)
		*p = job->conn->next;
	for_each_pd_of_conn(pd, job->conn)
		unlink_of_dev(pd);
	change_commit(job->res, "del-peer");
	emit(job->res, ACT_NOTIFY);
	return finish(job, RES_SUCCESS);
}

static bool job_res_opts(struct core_job *job)
{
	job->res->opts = *job->arg.res_opts;
	change_commit(job->res, "resource-options");
	return finish(job, RES_SUCCESS);
}

static bool any_sync(const struct core_connection *conn, bool verify)
{
	const struct core_peer_device *pd;

	for_each_pd_of_conn(pd, conn)
		if (pd->sync != SYNC_NONE && verify == (pd->sync >= SYNC_VERIFY))
			return true;
	return false;
}

/* What both ends must change at one time they cannot change while it is in use. */
s32 algorithms_in_use(const struct core_connection *conn, const char *csums_alg,
		      const char *verify_alg)
{
	if (strcmp(csums_alg, conn->conf.csums_alg) && any_sync(conn, false))
		return ERR_CSUMS_RESYNC_RUNNING;
	if (strcmp(verify_alg, conn->conf.verify_alg) && any_sync(conn, true))
		return ERR_VERIFY_RUNNING;
	return 0;
}

static bool job_net_conf(struct core_job *job)
{
	const struct nl_net_conf *c = job->arg.net_conf;
	struct core_connection *conn = job->conn;
	bool params = strcmp(c->csums_alg, conn->conf.csums_alg) ||
		      strcmp(c->verify_alg, conn->conf.verify_alg);
	s32 r = algorithms_in_use(conn, c->csums_alg, c->verify_alg);
	struct core_peer_device *pd;

	if (!c->two_primaries && job->res->now.role == ROLE_PRIMARY &&
	    conn->now.peer_role == ROLE_PRIMARY)
		return fail(job, ERR_NEED_ALLOW_TWO_PRI,
			    "both nodes are Primary: make one of them Secondary before you forbid two Primaries");
	if (r)
		return fail(job, r, "the algorithm is in use: wait for the end, or disconnect first");
	conn->conf = *c;
	if (conn->link == LINK_UP)
		send_protocol_update(conn);
	if (conn->link == LINK_UP && params)
		for_each_pd_of_conn(pd, conn)
			send_sync_param(pd);
	change_commit(job->res, "net-options");
	return finish(job, RES_SUCCESS);
}

static bool take_disk_conf(struct core_job *job)
{
	job->dev->conf = *job->arg.disk_conf;
	change_commit(job->res, "disk-options");
	return finish(job, RES_SUCCESS);
}

/*
 * al-updates: after a crash the superblock says whether the log can be trusted. So it
 * says that it cannot before the first write without the log, and that it can when all
 * such writes are done. Who does not want to wait for that keeps the safe word.
 */
static bool change_al_updates(struct core_job *job)
{
	struct core_device *dev = job->dev;

	if (job->phase == 0) {
		if (job->arg.disk_conf->al_updates) {
			take_disk_conf(job);
			dev->drained = false;
			emit_dev(dev, ACT_DRAIN);
		} else {
			dev->md.flags |= MDF_AL_DISABLED;
			write_md(dev);
			dev->job_md_gen = dev->md_gen;
		}
		job->phase = 1;
		return false;
	}
	if (dev->now.disk < DISK_INCONSISTENT)
		return fail(job, ERR_NO_DISK, "the disk was lost meanwhile");
	if (!job->arg.disk_conf->al_updates)
		return (s32)(dev->md_stable - dev->job_md_gen) >= 0 ? take_disk_conf(job) : false;
	if (!dev->drained)
		return false;
	dev->md.flags &= ~(u32)MDF_AL_DISABLED;
	write_md(dev);
	return finish(job, RES_SUCCESS);
}

static bool job_disk_conf(struct core_job *job)
{
	struct core_device *dev = job->dev;

	if (job->phase == 0 && dev->now.disk == DISK_DISKLESS)
		return fail(job, ERR_NO_DISK, "the device has no disk: attach one first");
	if (job->phase == 0 && (dev->now.disk < DISK_INCONSISTENT ||
				job->arg.disk_conf->al_updates == dev->conf.al_updates))
		return take_disk_conf(job);
	return change_al_updates(job);
}

static bool job_peer_device_conf(struct core_job *job)
{
	job->pd->conf = *job->arg.pd_conf;
	if (job->pd->conn->link == LINK_UP)
		send_sync_param(job->pd);
	return finish(job, RES_SUCCESS);
}

/*
 * A wish that needs no consent: judged, applied, announced by State. Judged as it is:
 * sanitize() would quietly turn some that must be refused into no change at all.
 */
static bool apply_soft(struct core_job *job, const char *tag)
{
	s32 r = check_soft(job->res);

	if (r < RES_SUCCESS) {
		change_revert(job->res);
		return fail(job, r, "%s", core_result_text(r));
	}
	change_commit(job->res, tag);
	return finish(job, RES_SUCCESS);
}

static bool job_outdate(struct core_job *job)
{
	if (job->dev->now.disk == DISK_DISKLESS)
		return fail(job, RES_IS_DISKLESS, "the device has no disk: there is nothing to outdate");
	if (job->dev->now.disk == DISK_OUTDATED)
		return finish(job, RES_NOTHING_TO_DO);
	if (in_transient_state(job->res))
		return false;
	job->dev->next_state.disk = DISK_OUTDATED;
	return apply_soft(job, "outdate");
}

static bool job_pause_sync(struct core_job *job)
{
	if (job->pd->now.user_isp)
		return fail(job, ERR_PAUSE_IS_SET, "the resync is paused by the user already");
	job->pd->next.user_isp = true;
	change_commit(job->res, "pause-sync");
	return finish(job, RES_SUCCESS);
}

static bool job_resume_sync(struct core_job *job)
{
	if (!job->pd->now.user_isp)
		return fail(job, ERR_PAUSE_IS_CLEAR, "the resync is not paused by the user");
	job->pd->next.user_isp = false;
	change_commit(job->res, "resume-sync");
	return finish(job, RES_SUCCESS);
}

static bool job_suspend_io(struct core_job *job)
{
	struct core_device *dev;

	if (job->phase == 0) {
		job->res->next.susp_user = true;
		change_commit(job->res, "suspend-io");
		for_each_device(dev, job->res) {
			dev->drained = false;
			emit_dev(dev, ACT_DRAIN);
		}
		job->phase = 1;
		return false;
	}
	for_each_device(dev, job->res)
		if (!dev->drained)
			return false;
	return finish(job, RES_SUCCESS);
}

/*
 * Ends every suspension, whatever its reason (behaviour.md 11.10). Writes that
 * fencing holds end as if the peer were outdated, behind a new generation.
 */
static bool job_resume_io(struct core_job *job)
{
	struct core_resource *res = job->res;
	struct core_connection *conn;
	struct core_device *dev;

	if (job->phase == 0) {
		if (!res->now.susp_user && !res->now.susp_fen && !res->now.susp_nod)
			return finish(job, RES_NOTHING_TO_DO);
		for_each_connection(conn, res)
			if (res->now.susp_fen && !link_usable(conn))
				conn->fence_ok = true;
		res->next.susp_user = res->next.susp_nod = false;
		change_commit(res, "resume-io");
		for_each_device(dev, res)
			emit_dev(dev, ACT_RELEASE);
		job->phase = 1;
	}
	/* a link that is coming up, or is being taken down, decides first */
	return res->now.susp_fen ? false : finish(job, RES_SUCCESS);
}

s32 repl_allowed(struct core_peer_device *pd, u8 repl)
{
	s32 r;

	if (pd->sync != SYNC_NONE)
		return RES_RESYNC_RUNNING;
	pd->next.repl = repl;
	sanitize(pd->dev->res);
	if (pd->next.repl == repl)
		r = check_soft(pd->dev->res);
	else	/* a disk is missing: nothing would come of it */
		r = pd->dev->next_state.disk <= DISK_FAILED ? RES_NO_LOCAL_DISK : RES_NO_REMOTE_DISK;
	change_revert(pd->dev->res);
	return r;
}

/* invalidate (as target) and invalidate-remote (as source) of a connected volume */
static bool full_sync(struct core_job *job, u8 repl)
{
	const struct wire_state_req req = {
		.mask = { .conn = CONN_MASK }, .val = { .conn = repl },
	};
	s32 r;

	if (in_transient_state(job->res))
		return false;
	if (job->phase == 0) {
		if (job->pd->dev->now.disk == DISK_DISKLESS)
			return fail(job, ERR_NO_DISK, "the device has no disk: attach one first");
		if (job->pd->conn->link != LINK_UP)
			return fail(job, RES_NEED_CONNECTION, "not connected to the peer: nothing to resync with");
		r = repl_allowed(job->pd, repl);
		if (r < RES_SUCCESS)
			return fail(job, r, "%s", core_result_text(r));
		job->phase = 1;
	}
	switch (ask_volumes(job, job->pd->dev, &req)) {
	case ASK_WAIT:
		return false;
	case ASK_NO:
		return fail(job, RES_CW_FAILED_BY_PEER, "the peer refused: %s",
			    core_result_text(job->peer_code));
	case ASK_YES:
		break;
	}
	if (job->pd->conn->link != LINK_UP)
		return fail(job, RES_NEED_CONNECTION, "the connection was lost meanwhile");
	sync_full_started(job->pd, repl == REPL_STARTING_SYNC_S);
	return finish(job, RES_SUCCESS);
}

static bool job_invalidate(struct core_job *job)
{
	if (job->flag)
		return fail(job, ERR_APV_TOO_LOW,
			    "the peer's protocol cannot be asked for it: run 'drbdadm invalidate-remote --reset-bitmap=no' on the node with the right data");
	return full_sync(job, REPL_STARTING_SYNC_T);
}

/*
 * invalidate-remote --reset-bitmap=no: only what is marked, by a verify. In the
 * dialect of 8.4 no request says this, but the ordinary handshake does: a new
 * generation here, tracked from the old one on, makes the peer target by bitmap.
 * It is stable before the peer hears of it; after a crash or a lost link the
 * next connection does the rest.
 */
static bool repair(struct core_job *job)
{
	struct core_peer_device *pd = job->pd;
	struct core_device *dev = pd->dev;
	s32 r = repair_allowed(pd);

	if (job->phase == 0 && (in_transient_state(job->res) || dev->gen_writing))
		return false;
	if (r != RES_SUCCESS)
		return fail(job, r, "%s", repair_refusal(r));
	if (job->phase == 0) {
		if (!pd->dirty_bits)
			return fail(job, RES_NOTHING_TO_DO, "no block is marked as different");
		repair_begin(pd);
		dev->job_md_gen = dev->md_gen;
		job->phase = 1;
		return false;
	}
	if ((s32)(dev->md_stable - dev->job_md_gen) < 0)
		return false;
	send_uuids(pd);
	sync_decided(pd, true, false);
	return finish(job, RES_SUCCESS);
}

static bool job_invalidate_peer(struct core_job *job)
{
	return job->flag ? repair(job) : full_sync(job, REPL_STARTING_SYNC_S);
}

static bool (*const jobs[JOB_TYPES])(struct core_job *) = {
	[JOB_ADD_DEVICE] = job_add_device,
	[JOB_DEL_DEVICE] = job_del_device,
	[JOB_ADD_CONNECTION] = job_add_connection,
	[JOB_DEL_CONNECTION] = job_del_connection,
	[JOB_RES_OPTS] = job_res_opts,
	[JOB_NET_CONF] = job_net_conf,
	[JOB_DISK_CONF] = job_disk_conf,
	[JOB_PEER_DEVICE_CONF] = job_peer_device_conf,
	[JOB_ATTACH] = job_attach,
	[JOB_DETACH] = job_detach,
	[JOB_CONNECT] = job_connect,
	[JOB_DISCONNECT] = job_disconnect,
	[JOB_PRIMARY] = job_primary,
	[JOB_SECONDARY] = job_secondary,
	[JOB_INVALIDATE] = job_invalidate,
	[JOB_INVALIDATE_PEER] = job_invalidate_peer,
	[JOB_OUTDATE] = job_outdate,
	[JOB_PAUSE_SYNC] = job_pause_sync,
	[JOB_RESUME_SYNC] = job_resume_sync,
	[JOB_SUSPEND_IO] = job_suspend_io,
	[JOB_RESUME_IO] = job_resume_io,
	[JOB_VERIFY] = job_verify,
	[JOB_NEW_GENERATION] = job_new_generation,
	[JOB_RESIZE] = job_resize,
};

bool job_step(struct core_job *job)
{
	return jobs[job->type](job);
}

void job_start(struct core_resource *res, const struct core_event *ev)
{
	struct core_job **p = &res->jobs;

	if (!core_check(ev->job->type < JOB_TYPES && jobs[ev->job->type]))
		return;
	ev->job->res = res;
	ev->job->result = RES_PENDING;
	ev->job->next = NULL;
	while (*p)
		p = &(*p)->next;
	*p = ev->job;
}

/*
 * The requester does not want to wait any longer. What has begun on the disk or
 * at the peer is carried on; a job that only waits for its turn ends.
 */
void job_cancel(struct core_resource *res, const struct core_event *ev)
{
	(void)res;
	ev->job->cancel = true;
}
