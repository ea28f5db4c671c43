// SPDX-License-Identifier: GPL-2.0
/*
 * An online verify from the administrator's wish to its end (behaviour.md 16).
 * The node that is asked becomes VerifyS after its peer has agreed to become
 * VerifyT. VerifyS ends it when all results are with the peer; VerifyT when it
 * has counted them, or is told. Which blocks are compared is the data half's.
 */
#include "internal.h"

/* verify --repair: what differs is copied to the peer when the verify ends. */
enum {
	REPAIR_NO = 0,
	REPAIR_WANTED,		/* the verify runs */
	REPAIR_DUE,
	REPAIR_MD,		/* the generation that makes the peer target is being written */
};

static bool is_verify(u8 repl)
{
	return repl == REPL_VERIFY_S || repl == REPL_VERIFY_T;
}

void verify_started(struct core_peer_device *pd, bool requester, u64 start, u64 stop)
{
	struct core_action *a;

	pd->sync = SYNC_VERIFY;
	pd->sync_source = requester;
	pd->ov_found = 0;
	pd->next.repl = requester ? REPL_VERIFY_S : REPL_VERIFY_T;
	change_commit(pd->dev->res, "verify");
	a = emit_pd(pd, ACT_START_VERIFY);
	a->sectors = start;
	a->stop = stop;
}

static s32 verify_allowed(const struct core_job *job)
{
	if (job->pd->dev->now.disk == DISK_DISKLESS)
		return ERR_NO_DISK;
	if (job->pd->conn->link != LINK_UP)
		return RES_NEED_CONNECTION;
	if (job->pd->sync != SYNC_NONE)
		return RES_RESYNC_RUNNING;
	if (job->flag && job->pd->conn->now.peer_role == ROLE_PRIMARY)
		return RES_DEVICE_IN_USE;
	return repl_allowed(job->pd, REPL_VERIFY_S);
}

static const char *refusal(s32 code)
{
	switch (code) {
	case RES_DEVICE_IN_USE:
		return "--repair copies from this node, but the peer is Primary and uses its data: run it there, or make the peer Secondary";
	case ERR_NO_DISK:
		return "the device has no disk: attach one first";
	case RES_NEED_CONNECTION:
		return "not connected to the peer: nothing to compare with";
	case RES_NO_VERIFY_ALG:
		return "no verify-alg is configured: set net { verify-alg crc32c; } on both nodes, then 'drbdadm adjust'";
	case RES_NO_LOCAL_DISK:
	case RES_NO_REMOTE_DISK:
	case RES_NO_UP_TO_DATE_DISK:
		return "both disks must be UpToDate to be compared";
	default:
		return core_result_text(code);
	}
}

bool job_verify(struct core_job *job)
{
	static const struct wire_state_req verify = {
		.mask = { .conn = CONN_MASK }, .val = { .conn = REPL_VERIFY_S },
	};
	s32 r;

	if (in_transient_state(job->res))
		return false;
	if (job->phase == 0) {
		r = verify_allowed(job);
		if (r == RES_SUCCESS && (job->start >= job->dev->size || job->stop <= job->start))
			return fail(job, ERR_INVALID_REQUEST, "nothing to verify from sector %llu to %llu: the device has %llu sectors",
				    (unsigned long long)job->start, (unsigned long long)job->stop,
				    (unsigned long long)job->dev->size);
		if (r != RES_SUCCESS)
			return fail(job, r, "%s", refusal(r));
		job->phase = 1;
	}
	switch (ask_volumes(job, job->pd->dev, &verify)) {
	case ASK_WAIT:
		return false;
	case ASK_NO:
		return fail(job, RES_CW_FAILED_BY_PEER, "the peer refused: %s",
			    refusal(job->peer_code));
	case ASK_YES:
		break;
	}
	r = verify_allowed(job);
	if (r != RES_SUCCESS) {
		/* something came in between: the peer must not go on waiting for us */
		if (job->pd->conn->link == LINK_UP)
			send_state(job->pd);
		return fail(job, r, "%s", refusal(r));
	}
	job->pd->repair = job->flag ? REPAIR_WANTED : REPAIR_NO;
	verify_started(job->pd, true, job->start, job->stop);
	return finish(job, RES_SUCCESS);
}

/* The data half has nothing left to compare. */
void verify_done(struct core_resource *res, const struct core_event *ev)
{
	struct core_peer_device *pd = ev->pd;

	(void)res;
	if (pd->sync != SYNC_VERIFY)
		return;
	pd->ov_found = ev->found;
	if (!pd->sync_source) {
		verify_ended(pd);
		return;
	}
	/* the last results travel beside the State that ends it: they must be there first */
	pd->sync = SYNC_VERIFY_PING;
	pd->finish_ping = ping_target(pd->conn);
}

void verify_ended(struct core_peer_device *pd)
{
	struct core_action *a;

	pd->sync = SYNC_NONE;
	if (pd->repair == REPAIR_WANTED)
		pd->repair = pd->ov_found ? REPAIR_DUE : REPAIR_NO;
	pd->next.repl = REPL_ESTABLISHED;
	emit_pd(pd, ACT_STOP_VERIFY);
	change_commit(pd->dev->res, "verify-finished");
	write_bitmap(pd->dev);
	if (!pd->ov_found)
		return;
	a = emit_pd(pd, ACT_HELPER);
	a->helper = HELPER_OUT_OF_SYNC;
	a->wait = false;
}

bool verify_step(struct core_peer_device *pd)
{
	/* a disk was lost, here or there */
	if (!is_verify(pd->now.repl)) {
		sync_abort(pd);
		return true;
	}
	if (pd->sync == SYNC_VERIFY || !ping_answered(pd->conn, pd->finish_ping))
		return false;
	verify_ended(pd);
	return true;
}

/* --- what differs --------------------------------------------------------------------- */

/* Whether the blocks that are marked can be copied to the peer: 1, or why not. */
s32 repair_allowed(const struct core_peer_device *pd)
{
	if (pd->dev->now.disk == DISK_DISKLESS)
		return ERR_NO_DISK;
	if (pd->conn->link != LINK_UP)
		return RES_NEED_CONNECTION;
	if (pd->now.repl != REPL_ESTABLISHED || pd->sync != SYNC_NONE)
		return RES_RESYNC_RUNNING;
	if (pd->dev->now.disk != DISK_UP_TO_DATE || pd->now.pdsk != DISK_UP_TO_DATE)
		return RES_NO_UP_TO_DATE_DISK;
	/* it would refuse to become target, and lose its disk by that */
	if (pd->conn->now.peer_role == ROLE_PRIMARY)
		return RES_DEVICE_IN_USE;
	return RES_SUCCESS;
}

const char *repair_refusal(s32 code)
{
	switch (code) {
	case ERR_NO_DISK:
		return "the device has no disk: attach one first";
	case RES_DEVICE_IN_USE:
		return "the peer is Primary and uses its data: make it Secondary, or run this there if its data is right";
	default:
		return core_result_text(code);
	}
}

/*
 * In the dialect of 8.4 no request says "only what is marked", but the ordinary
 * handshake does: a new generation here, tracked from the old one on, makes the peer
 * target by bitmap. It has to be stable before the peer hears of it.
 */
void repair_begin(struct core_peer_device *pd)
{
	if (!*bitmap_uuid(pd))
		generation_rotate(pd->dev);
	write_md(pd->dev);
}

/* The verify was interrupted: what it has found stays marked. */
void repair_forget(struct core_peer_device *pd)
{
	pd->repair = REPAIR_NO;
}

bool repair_step(struct core_peer_device *pd)
{
	struct core_device *dev = pd->dev;
	s32 r;

	if (pd->repair < REPAIR_DUE || in_transient_state(dev->res) || dev->gen_writing)
		return false;
	r = repair_allowed(pd);
	if (r == RES_SUCCESS && pd->repair == REPAIR_DUE) {
		repair_begin(pd);
		pd->sync_md_gen = dev->md_gen;
		pd->repair = REPAIR_MD;
		return true;
	}
	if (r == RES_SUCCESS && (s32)(dev->md_stable - pd->sync_md_gen) < 0)
		return false;
	pd->repair = REPAIR_NO;
	if (r != RES_SUCCESS) {
		emit_log(dev->res, "%u drbd%u %s: what the verify has found is not repaired: %s; 'drbdadm invalidate-remote --reset-bitmap=no' does it later",
			 dev->vnr, dev->minor, pd->conn->conf.name, repair_refusal(r));
		return true;
	}
	send_uuids(pd);
	sync_decided(pd, true, false);
	return true;
}
