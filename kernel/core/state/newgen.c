// SPDX-License-Identifier: GPL-2.0
/*
 * A new generation by the administrator's word (behaviour.md 8.5). Between two
 * nodes with fresh metadata it can say, too, that the disks are equal, or that
 * nobody cares for what is on them: then there is no first sync (wire.md 5.7).
 */
#include "internal.h"

enum { NEW_BEGIN, NEW_BITS, NEW_MD };		/* job->phase */
enum { SKIP_NONE, SKIP_BITS, SKIP_MD };		/* pd->skip */

static bool is_fresh(u64 uuid)
{
	return (uuid & ~1ULL) == UUID_JUST_CREATED;
}

/* Connected, and neither end has ever had data that counts. */
static bool fresh_pair(const struct core_peer_device *pd)
{
	const struct core_device *dev = pd->dev;

	return pd->conn->link == LINK_UP && pd->now.repl == REPL_ESTABLISHED &&
	       pd->sync == SYNC_NONE && pd->skip == SKIP_NONE &&
	       dev->now.disk == DISK_INCONSISTENT && is_fresh(dev->md.current_uuid);
}

static bool all_fresh(const struct core_device *dev)
{
	const struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev)
		if (!fresh_pair(pd) || pd->now.pdsk != DISK_INCONSISTENT ||
		    !is_fresh(pd->peer_uuids.current_uuid))
			return false;
	return dev->pds != NULL;
}

static bool all_standalone(const struct core_device *dev)
{
	const struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev)
		if (pd->conn->now.cstate != CONN_STANDALONE)
			return false;
	return true;
}

static void clear_bits(struct core_device *dev)
{
	dev->bits_set = false;
	emit_dev(dev, ACT_CLEAR_ALL_BITS);
}

/* The superblock says UpToDate together with the identifier, the state only when it is stable. */
static u32 write_fresh_md(struct core_device *dev)
{
	dev->next_state.disk = DISK_UP_TO_DATE;
	write_md(dev);
	change_revert(dev->res);
	return dev->md_gen;
}

static void begin_generation(struct core_job *job)
{
	struct core_device *dev = job->dev;
	u32 i;

	generation_rotate(dev);
	if (job->together) {
		for (i = 0; i < MD_MAX_PEERS; i++)
			if (is_fresh(dev->md.peer[i].bitmap_uuid))
				dev->md.peer[i].bitmap_uuid = 0;
		dev->told_fresh = true;
		dev->job_md_gen = write_fresh_md(dev);
	} else {
		write_md(dev);
		dev->job_md_gen = dev->md_gen;
	}
	job->phase = NEW_MD;
}

static void tell_peers(struct core_device *dev)
{
	struct core_peer_device *pd;

	dev->next_state.disk = DISK_UP_TO_DATE;
	for_each_pd_of_dev(pd, dev) {
		if (pd->conn->link != LINK_UP || pd->now.repl != REPL_ESTABLISHED)
			continue;
		send_uuids_of_fresh(pd);
		pd->next.pdsk = DISK_UP_TO_DATE;
	}
	change_commit(dev->res, "skip-initial-sync");
}

static bool judge(struct core_job *job)
{
	struct core_device *dev = job->dev;

	if (dev->now.disk < DISK_INCONSISTENT)
		return fail(job, ERR_NO_DISK, "the device has no disk: attach one first");
	job->together = job->flag && all_fresh(dev);
	if (!job->together && !all_standalone(dev))
		return fail(job, ERR_CONNECTED, job->flag ?
			    "the initial sync can be skipped only while connected, with fresh metadata on both nodes; else disconnect first" :
			    "a peer is connected or expected: disconnect first");
	return false;
}

/* @job->flag: clear the bitmap, too. */
bool job_new_generation(struct core_job *job)
{
	struct core_device *dev = job->dev;

	switch (job->phase) {
	case NEW_BEGIN:
		if (in_transient_state(job->res) || dev->gen_writing)
			return false;
		if (judge(job))
			return true;
		if (!job->flag) {
			begin_generation(job);
			return false;
		}
		clear_bits(dev);
		job->phase = NEW_BITS;
		return false;
	case NEW_BITS:
		if (!dev->bits_set)
			return false;
		if (!dev->bits_ok || dev->now.disk < DISK_INCONSISTENT)
			return fail(job, ERR_IO_MD_DISK, "the bitmap could not be written, see the kernel log");
		if (job->together ? !all_fresh(dev) : !all_standalone(dev))
			return fail(job, RES_NEED_CONNECTION,
				    "the connection changed meanwhile: nothing was done, try again");
		begin_generation(job);
		return false;
	default:
		if (dev->now.disk < DISK_INCONSISTENT)
			return fail(job, ERR_IO_MD_DISK, "the disk was lost before the new generation was on it");
		if ((s32)(dev->md_stable - dev->job_md_gen) < 0)
			return false;
		if (job->together)
			tell_peers(dev);
		return finish(job, RES_SUCCESS);
	}
}

/*
 * The peer's administrator has said it. True: the receiver waits until this disk is
 * UpToDate, too. If ours has said it at the same time, one of both generations stays.
 */
bool skip_told(struct core_peer_device *pd)
{
	struct core_device *dev = pd->dev;

	if (dev->told_fresh && !pd->conn->resolve_conflicts &&
	    dev->res->now.role != ROLE_PRIMARY && pd->conn->now.peer_role != ROLE_PRIMARY) {
		dev->md.current_uuid = pd->peer_uuids.current_uuid & ~1ULL;
		dev->exposed_uuid = dev->md.current_uuid;
		dev->job_md_gen = write_fresh_md(dev);
		return false;
	}
	if (!fresh_pair(pd))
		return false;
	clear_bits(dev);
	pd->skip = SKIP_BITS;
	return true;
}

static bool skip_ends(struct core_peer_device *pd)
{
	pd->skip = SKIP_NONE;
	go_on(pd->conn);
	return true;
}

bool skip_step(struct core_peer_device *pd)
{
	struct core_device *dev = pd->dev;

	if (pd->skip == SKIP_NONE)
		return false;
	if (dev->now.disk < DISK_INCONSISTENT)
		return skip_ends(pd);
	if (pd->skip == SKIP_BITS) {
		if (!dev->bits_set)
			return false;
		if (!dev->bits_ok || pd->conn->link != LINK_UP)
			return skip_ends(pd);
		dev->md.current_uuid = pd->peer_uuids.current_uuid & ~1ULL;
		*bitmap_uuid(pd) = 0;
		pd->sync_md_gen = write_fresh_md(dev);
		pd->skip = SKIP_MD;
		return true;
	}
	if ((s32)(dev->md_stable - pd->sync_md_gen) < 0)
		return false;
	dev->exposed_uuid = dev->md.current_uuid;
	dev->next_state.disk = DISK_UP_TO_DATE;
	if (pd->conn->link == LINK_UP && pd->now.repl == REPL_ESTABLISHED)
		pd->next.pdsk = DISK_UP_TO_DATE;
	emit_log(dev->res, "%u drbd%u %s: the first sync is skipped, as the peer's administrator has said: both disks are taken for equal",
		 dev->vnr, dev->minor, pd->conn->conf.name);
	change_commit(dev->res, "skip-initial-sync");
	return skip_ends(pd);
}
