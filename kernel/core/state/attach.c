// SPDX-License-Identifier: GPL-2.0
/*
 * Disks come and go: attach, detach, I/O errors (behaviour.md 13.4, 11.5;
 * metadata.md 4). The requester has opened and read everything; here is decided
 * whether it may become part of the resource, and in what order.
 */
#include "internal.h"

enum attach_phase { ATT_START = 0, ATT_BITS, ATT_MD, ATT_NEGOTIATE };
enum close_phase { CLOSE_NOT = 0, CLOSE_DRAIN, CLOSE_BITMAP, CLOSE_MD, CLOSE_WAIT };

/* behaviour.md 3.8 */
u8 disk_from_md(const struct core_device *dev)
{
	const struct core_peer_device *pd;

	if (!(dev->md.flags & MDF_CONSISTENT))
		return DISK_INCONSISTENT;
	if (!(dev->md.flags & MDF_WAS_UP_TO_DATE))
		return DISK_OUTDATED;
	for_each_pd_of_dev(pd, dev)
		if (pd->conn->conf.fencing_policy &&
		    !(dev->md.peer[pd->conn->peer_node_id].flags & MDF_PEER_OUTDATED))
			return DISK_CONSISTENT;
	return DISK_UP_TO_DATE;
}

static bool slot_is_free(const struct md_superblock *md, s32 slot)
{
	u32 i;

	for (i = 0; i < MD_MAX_PEERS; i++)
		if (md->peer[i].bitmap_index == slot)
			return false;
	return true;
}

/* Each configured peer needs a slot. False: there are not enough. */
static bool bind_slots(const struct core_device *dev, struct md_superblock *md)
{
	const struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev) {
		struct md_peer *peer = &md->peer[pd->conn->peer_node_id];
		s32 slot = 0;

		peer->flags |= MDF_NODE_EXISTS;
		if (peer->bitmap_index >= 0)
			continue;
		while (slot < (s32)md->bm_max_peers && !slot_is_free(md, slot))
			slot++;
		if (slot >= (s32)md->bm_max_peers)
			return false;
		peer->bitmap_index = slot;
	}
	return true;
}

static bool check_node_id(struct core_job *job, const struct md_superblock *md)
{
	s32 own = job->res->node_id;

	if (md->format != MD_V09)
		return true;
	if (md->node_id >= 0 && md->node_id != own)
		return !fail(job, ERR_MD_INVALID, "ambiguous node id: meta-data: %d, config: %d",
			     md->node_id, own);
	if (md->peer[own].bitmap_index >= 0)
		return !fail(job, ERR_MD_INVALID, "my own node id (%d) should not have a bitmap index (%d)",
			     own, md->peer[own].bitmap_index);
	return true;
}

/* A Primary whose application has seen another generation, and has no other disk to go on with. */
static bool is_other_data(const struct core_device *dev, u64 uuid)
{
	return dev->res->now.role == ROLE_PRIMARY && dev->exposed_uuid &&
	       (dev->exposed_uuid & ~1ULL) != (uuid & ~1ULL) && !data_accessible(dev->res, dev, false);
}

static bool check_data(struct core_job *job, const struct core_attach *a)
{
	const struct core_device *dev = job->dev;
	u64 size = core_size_at_attach(a);

	if (a->conf.disk_size > a->d_size)
		return !fail(job, ERR_DISK_TOO_SMALL, "max capacity %llu smaller than disk size %llu",
			     (unsigned long long)a->d_size, (unsigned long long)a->conf.disk_size);
	if (!a->conf.disk_size && a->md.effective_size > a->d_size)
		return !fail(job, ERR_IMPLICIT_SHRINK,
			     "To-be-attached device has last effective > current size (%llu > %llu sectors). Refusing to attach: enlarge the backing device, or give the smaller size explicitly",
			     (unsigned long long)a->md.effective_size,
			     (unsigned long long)a->d_size);
	if (dev->size > size)
		return !fail(job, ERR_DISK_TOO_SMALL,
			     "Current (diskless) capacity %llu, cannot attach smaller (%llu) disk",
			     (unsigned long long)dev->size, (unsigned long long)size);
	if (is_other_data(dev, a->md.current_uuid))
		return !fail(job, ERR_DATA_NOT_CURRENT, "Can only attach to data with current UUID=%016llX",
			     (unsigned long long)dev->exposed_uuid);
	return true;
}

/* Marks in the superblock by which no bit of the bitmap can be trusted. */
static bool everything_is_suspect(const struct md_superblock *md)
{
	const u32 crash = MDF_CRASHED_PRIMARY | MDF_PRIMARY_IND;
	u32 i;

	if (!md->effective_size)
		return true;		/* never attached before: all of it is new */
	if ((md->flags & crash) && (md->flags & MDF_AL_DISABLED))
		return true;
	for (i = 0; i < MD_MAX_PEERS; i++)
		if (md->peer[i].bitmap_index >= 0 && (md->peer[i].flags & MDF_PEER_FULL_SYNC))
			return true;
	return false;
}

/* All that was in flight when a Primary lost its last disk is held, and is written again. */
static bool waits_for_disk(const struct core_resource *res)
{
	return res->now.role == ROLE_PRIMARY && res->now.susp_nod;
}

static void take_disk(struct core_device *dev, const struct core_attach *a)
{
	u32 i;

	dev->conf = a->conf;
	dev->md = a->md;
	dev->md.node_id = dev->res->node_id;
	dev->d_size = a->d_size;
	dev->backing_max_bio = a->max_bio;
	dev->backing_discard = a->discard;
	dev->parted_as_primary = a->md.current_uuid & 1;
	dev->crashed_primary = a->md.flags & MDF_CRASHED_PRIMARY ||
			       (a->md.flags & MDF_PRIMARY_IND && !waits_for_disk(dev->res));
	for (i = 0; i < MD_MAX_PEERS; i++)
		dev->md.peer[i].flags &= ~(u32)MDF_PEER_FULL_SYNC;
	if (!dev->conf.al_updates)
		dev->md.flags |= MDF_AL_DISABLED;
	else
		dev->md.flags &= ~(u32)MDF_AL_DISABLED;
	dev->disk_error = dev->md_error = dev->helper_started = dev->helper_done = false;
	dev->close_phase = CLOSE_NOT;
	dev->resolve_due = false;
}

/* What the superblock remembers of peers that are away, before it is written anew. */
static void remember_peers(struct core_device *dev)
{
	struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev)
		if (pd->conn->now.cstate < CONN_CONNECTED && pd->now.pdsk == DISK_UNKNOWN &&
		    dev->md.peer[pd->conn->peer_node_id].flags & MDF_PEER_OUTDATED)
			pd->next.pdsk = DISK_OUTDATED;
}

static bool attach_start(struct core_job *job)
{
	struct core_device *dev = job->dev;
	struct core_attach *a = job->arg.attach;
	bool suspect = everything_is_suspect(&a->md);

	if (dev->now.disk != DISK_DISKLESS)
		return fail(job, ERR_DISK_CONFIGURED, "a disk is attached already (%s)",
			    core_disk_name(dev->now.disk));
	core_md_from_disk(dev, &a->md);
	if (!check_node_id(job, &a->md) || !check_data(job, a))
		return true;
	if (!bind_slots(dev, &a->md))
		return fail(job, ERR_INVALID_REQUEST,
			    "Not enough free bitmap slots (available=%u): create the metadata with more peers (drbdadm create-md --max-peers)",
			    a->md.bm_max_peers);
	take_disk(dev, a);
	take_size(dev, core_size_at_attach(a));
	dev->next_state.disk = DISK_ATTACHING;
	remember_peers(dev);
	change_commit(job->res, "attach");
	dev->bits_set = true;
	if (suspect) {
		emit_log(job->res, "%u drbd%u: Assuming that all blocks are out of sync (aka FullSync)",
			 dev->vnr, dev->minor);
		dev->bits_set = false;
		emit_dev(dev, ACT_SET_ALL_BITS);
	}
	job->phase = ATT_BITS;
	return false;
}

static bool peer_can_negotiate(const struct core_device *dev)
{
	const struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev)
		if (pd->conn->link == LINK_UP && pd->now.pdsk >= DISK_NEGOTIATING &&
		    pd->now.pdsk != DISK_UNKNOWN)
			return true;
	return false;
}

/*
 * A handshake that has shown this disk as Attaching, without identifiers, must
 * end so: the peer decides by what it was shown. Then the disk negotiates.
 */
static bool handshake_runs(const struct core_device *dev)
{
	const struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev)
		if (pd->conn->link == LINK_HANDSHAKE)
			return true;
	return false;
}

/* The superblock on the disk says "in use" now: writes may follow. */
static void enter_service(struct core_device *dev)
{
	struct core_peer_device *pd;

	/* the peer whose data is in use was there when the attach began, and has left */
	if (is_other_data(dev, dev->md.current_uuid)) {
		emit_log(dev->res, "%u drbd%u: Can only attach to data with current UUID=%016llX",
			 dev->vnr, dev->minor, (unsigned long long)dev->exposed_uuid);
		dev->next_state.disk = DISK_FAILED;
		change_commit(dev->res, "attach-refused");
		return;
	}
	if (!peer_can_negotiate(dev)) {
		dev->next_state.disk = disk_from_md(dev);
		if (dev->next_state.disk >= DISK_CONSISTENT)
			dev->exposed_uuid = dev->md.current_uuid;
		for_each_pd_of_dev(pd, dev)
			if (pd->conn->link == LINK_UP) {
				send_sizes(pd);
				send_uuids(pd);
			}
		change_commit(dev->res, "attach");
		return;
	}
	dev->next_state.disk = DISK_NEGOTIATING;
	for_each_pd_of_dev(pd, dev)
		if (pd->conn->link == LINK_UP) {
			pd->uuids_answer = false;
			send_sizes(pd);
			send_uuids(pd);
		}
	change_commit(dev->res, "attach");
}

bool job_attach(struct core_job *job)
{
	struct core_device *dev = job->dev;

	switch (job->phase) {
	case ATT_START:
		if (in_transient_state(job->res))
			return false;
		return attach_start(job);
	case ATT_BITS:
		if (!dev->bits_set)
			return false;
		/* clears AL_CLEAN: from here on a crash needs the log applied */
		write_md(dev);
		dev->job_md_gen = dev->md_gen;
		job->phase = ATT_MD;
		return false;
	case ATT_MD:
		if (dev->now.disk <= DISK_FAILED && dev->now.disk != DISK_ATTACHING)
			return fail(job, ERR_IO_MD_DISK, "writing the superblock failed, see the kernel log");
		if ((s32)(dev->md_stable - dev->job_md_gen) < 0 || handshake_runs(dev))
			return false;
		enter_service(dev);
		job->phase = ATT_NEGOTIATE;
		fallthrough;
	default:
		if (dev->now.disk == DISK_NEGOTIATING)
			return false;
		if (dev->now.disk < DISK_NEGOTIATING)
			return dev->now.disk != DISK_DISKLESS ? false :
			       fail(job, ERR_DATA_NOT_CURRENT,
				    "the data on this disk does not fit the peer's: see the kernel log for the generations");
		emit_dev(dev, ACT_UEVENT);
		return finish(job, RES_SUCCESS);
	}
}

/* --- detach and errors ------------------------------------------------------ */

static s32 detach_allowed(struct core_device *dev)
{
	s32 r;

	dev->next_state.disk = DISK_FAILED;
	sanitize(dev->res);
	r = check_soft(dev->res);
	change_revert(dev->res);
	return r;
}

static void leave_service(struct core_device *dev, u8 disk)
{
	struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev)
		sync_abort(pd);
	dev->next_state.disk = disk;
	change_commit(dev->res, disk == DISK_DETACHING ? "detach" : "disk-failed");
	dev->close_phase = disk == DISK_DETACHING ? CLOSE_DRAIN : CLOSE_WAIT;
	if (disk == DISK_DETACHING) {
		dev->drained = false;
		emit_dev(dev, ACT_DRAIN);
	} else {
		emit_dev(dev, ACT_CLOSE_DISK);
	}
}

bool job_detach(struct core_job *job)
{
	static const struct wire_state_req detach = {
		.mask = { .disk = DISK_MASK }, .val = { .disk = DISK_FAILED },
	};
	struct core_device *dev = job->dev;
	s32 r;

	switch (job->phase) {
	case 0:
		if (dev->now.disk == DISK_DISKLESS)
			return finish(job, RES_NOTHING_TO_DO);
		if (job->force) {
			if (dev->now.disk == DISK_ATTACHING)
				return false;	/* that ends first, with a disk or without */
			if (dev->now.disk > DISK_FAILED)
				leave_service(dev, DISK_FAILED);
			job->phase = 2;
			return false;
		}
		if (in_transient_state(job->res))
			return false;
		r = detach_allowed(dev);
		if (r < RES_SUCCESS)
			return fail(job, r, "%s", core_result_text(r));
		job->phase = 1;
		fallthrough;
	case 1:
		switch (ask_volumes(job, dev, &detach)) {
		case ASK_WAIT:
			return false;
		case ASK_NO:
			return fail(job, RES_CW_FAILED_BY_PEER, "the peer refused: %s",
				    core_result_text(job->peer_code));
		case ASK_YES:
			break;
		}
		if (dev->now.disk > DISK_FAILED) {
			r = detach_allowed(dev);
			if (r < RES_SUCCESS)
				return fail(job, r, "%s", core_result_text(r));
			leave_service(dev, DISK_DETACHING);
		}
		job->phase = 2;
		return false;
	default:
		return dev->now.disk == DISK_DISKLESS ? finish(job, RES_SUCCESS) : false;
	}
}

void disk_error(struct core_resource *res, const struct core_event *ev)
{
	(void)res;
	if (ev->flag)
		ev->dev->md_error = true;
	else
		ev->dev->disk_error = true;
}

/* on-io-error=pass_on: stays attached, but is no longer to be trusted. */
static void become_inconsistent(struct core_device *dev)
{
	if (dev->now.disk > DISK_INCONSISTENT) {
		dev->next_state.disk = DISK_INCONSISTENT;
		change_commit(dev->res, "io-error");
	}
	dev->error_md_gen = dev->md_gen;
	dev->resolve_due = true;
}

static bool step_error(struct core_device *dev)
{
	struct core_action *a;

	if (!dev->disk_error && !dev->md_error)
		return false;
	if (dev->now.disk <= DISK_FAILED && dev->now.disk != DISK_ATTACHING) {
		dev->disk_error = dev->md_error = false;
		dev->resolve_due = true;
		return true;
	}
	if (!dev->md_error && dev->conf.on_io_error == ON_IO_ERROR_PASS_ON) {
		dev->disk_error = false;
		become_inconsistent(dev);
		return true;
	}
	if (dev->conf.on_io_error == ON_IO_ERROR_CALL_LOCAL_IO_ERROR && !dev->helper_done) {
		if (dev->helper_started)
			return false;
		dev->helper_started = true;
		a = emit_dev(dev, ACT_HELPER);
		a->helper = HELPER_LOCAL_IO_ERROR;
		a->wait = true;
		return true;
	}
	dev->disk_error = dev->md_error = false;
	leave_service(dev, DISK_FAILED);
	dev->resolve_due = true;
	return true;
}

/* Held local legs end when the failure is recorded, or cannot be. */
static bool step_resolve(struct core_device *dev)
{
	if (!dev->resolve_due)
		return false;
	if (dev->now.disk > DISK_FAILED && (s32)(dev->md_stable - dev->error_md_gen) < 0)
		return false;
	dev->resolve_due = false;
	emit_dev(dev, ACT_RESOLVE_DISK);
	return true;
}

/* The Primary that we wrote for is gone, or has a disk again: bits first, then the flag. */
static bool step_served(struct core_device *dev)
{
	const struct core_peer_device *pd;

	if (!dev->served || serves_primary(dev, false))
		return false;
	if (dev->now.disk < DISK_INCONSISTENT) {
		dev->served = dev->served_ending = false;
		return false;
	}
	for_each_pd_of_dev(pd, dev)
		if (pd->conn->link == LINK_DRAINING)
			return false;	/* its last writes are still on their way */
	if (!dev->served_ending) {
		dev->served_ending = true;
		write_bitmap(dev);
		return true;
	}
	if (!dev->bitmap_written)
		return false;
	dev->served = dev->served_ending = false;
	write_md(dev);
	return true;
}

bool disk_step(struct core_device *dev)
{
	bool did = step_error(dev) || step_resolve(dev) || step_served(dev);

	switch (dev->close_phase) {
	case CLOSE_NOT:
		/* refused while it negotiated: it never was in service */
		if (dev->now.disk != DISK_FAILED)
			break;
		dev->close_phase = CLOSE_WAIT;
		emit_dev(dev, ACT_CLOSE_DISK);
		return true;
	case CLOSE_DRAIN:
		/* what is in flight may still set bits */
		if (!dev->drained)
			break;
		write_bitmap(dev);
		dev->close_phase = CLOSE_BITMAP;
		return true;
	case CLOSE_BITMAP:
		if (!dev->bitmap_written)
			break;
		dev->leaves_clean = true;
		write_md(dev);
		dev->leaves_clean = false;
		dev->job_md_gen = dev->md_gen;
		dev->close_phase = CLOSE_MD;
		return true;
	case CLOSE_MD:
		if ((s32)(dev->md_stable - dev->job_md_gen) < 0 &&
		    (s32)(dev->md_failed - dev->job_md_gen) < 0)
			break;
		dev->close_phase = CLOSE_WAIT;
		emit_dev(dev, ACT_CLOSE_DISK);
		return true;
	}
	return did;
}

void disk_closed(struct core_resource *res, const struct core_event *ev)
{
	struct core_device *dev = ev->dev;

	dev->close_phase = CLOSE_NOT;
	dev->next_state.disk = DISK_DISKLESS;
	change_commit(res, "diskless");
	dev->md_gen = dev->md_stable = dev->md_failed = 0;
	emit_dev(dev, ACT_UEVENT);
}

/*
 * NegAck: the peer could not write it and will say so of its disk by State, on the
 * other stream. Until that is here the write has not ended: it may be the first one of
 * a new generation, which must be stable before (refusals_step()).
 */
void write_refused(struct core_resource *res, const struct core_event *ev)
{
	if (ev->pd->refused)
		return;
	ev->pd->refused = true;
	ev->pd->refused_until_ms = res->now_ms + REFUSAL_PATIENCE_MS;
}
