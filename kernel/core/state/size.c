// SPDX-License-Identifier: GPL-2.0
/*
 * The size that all replicas can hold, and how it changes while in use
 * (behaviour.md 18.1 to 18.4, column 8.4). A resize is one exchange of Sizes: who
 * is told a size that it can follow does so and answers; both then copy what is
 * new. What the receiver read behind such a packet waits until we have followed.
 */
#include "internal.h"

#define RESIZE_WAIT_MS	30000u

static u64 min_not_zero64(u64 a, u64 b)
{
	if (!a || !b)
		return a | b;
	return a < b ? a : b;
}

void take_size(struct core_device *dev, u64 sectors)
{
	if (dev->size == sectors)
		return;
	dev->size = sectors;
	dev->md.effective_size = sectors;
	emit_dev(dev, ACT_SET_SIZE)->sectors = sectors;
}

/* What a device offers when it is attached and no peer has been heard. */
u64 core_size_at_attach(const struct core_attach *attach)
{
	u64 size = min_not_zero64(attach->d_size, attach->conf.disk_size);

	return min_not_zero64(size, attach->md.effective_size);
}

static bool too_small(const struct core_peer_device *pd, u64 size)
{
	const struct core_device *dev = pd->dev;

	emit_log(dev->res, "%u drbd%u %s: The peer's disk size is too small! (%llu < %llu sectors): use a disk of at least this size there",
		 dev->vnr, dev->minor, pd->conn->conf.name,
		 (unsigned long long)size, (unsigned long long)dev->size);
	return false;
}

/* In a handshake a device with data never becomes smaller. */
static bool with_disk(struct core_peer_device *pd, const struct wire_sizes *s)
{
	struct core_device *dev = pd->dev;
	u64 u_size = min_not_zero64(dev->conf.disk_size, s->u_size);
	u64 size = s->d_size ? min_not_zero64(dev->d_size, s->d_size) : dev->size;

	size = min_not_zero64(size, u_size);
	if (size < dev->size && dev->now.disk >= DISK_OUTDATED)
		return too_small(pd, size);
	take_size(dev, size);
	return true;
}

static bool without_disk(struct core_peer_device *pd, const struct wire_sizes *s)
{
	struct core_device *dev = pd->dev;
	u64 size = s->c_size ? s->c_size : s->u_size ? s->u_size : s->d_size;

	/* a peer that wants an answer does not tell the size that it has */
	if (!s->c_size && dev->size && !(s->dds_flags & DDS_FORCED))
		size = 0;
	if (!size)
		return true;
	if (size < dev->size && dev->res->now.role == ROLE_PRIMARY) {
		emit_log(dev->res, "%u drbd%u %s: The peer's device size is too small! (%llu < %llu sectors); demote me first!",
			 dev->vnr, dev->minor, pd->conn->conf.name,
			 (unsigned long long)size, (unsigned long long)dev->size);
		return false;
	}
	take_size(dev, size);
	return true;
}

/* --- a size that changes while in use ----------------------------------------------- */

static bool knows_peer(const struct core_peer_device *pd)
{
	return pd->conn->link == LINK_UP && pd->got_sizes && pd->peer_sizes.d_size;
}

/* What the device would have now, with this limit of the administrator. */
static u64 size_now(const struct core_device *dev, u64 u_size, u16 dds_flags)
{
	const struct core_peer_device *pd;
	u64 size = dev->offer;

	for_each_pd_of_dev(pd, dev) {
		if (knows_peer(pd))
			size = min(size, pd->peer_sizes.d_size);
		else if (!(dds_flags & DDS_FORCED))
			size = min_not_zero64(size, dev->md.effective_size);
	}
	return min_not_zero64(size, u_size);
}

static bool any_sync_runs(const struct core_device *dev)
{
	const struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev)
		if (pd->sync != SYNC_NONE || pd->now.repl > REPL_ESTABLISHED)
			return true;
	return false;
}

/* True: the metadata have to change, EV_RESIZED will tell. */
static bool begin_resize(struct core_device *dev, u64 size, u16 dds_flags)
{
	struct core_action *a;

	dev->resize_flags = dds_flags;
	if (size == dev->size && dev->offer == dev->d_size)
		return false;
	dev->resizing = true;
	a = emit_dev(dev, ACT_RESIZE);
	a->sectors = size;
	a->stop = dds_flags & DDS_NO_RESYNC ? size : dev->size;
	return true;
}

/* The same choice at both ends. */
static bool copies_to_peer(const struct core_peer_device *pd)
{
	u8 role = pd->dev->res->now.role;

	if (role != pd->conn->now.peer_role)
		return role == ROLE_PRIMARY;
	return pd->conn->resolve_conflicts;
}

static void copy_growth(struct core_peer_device *pd, u16 dds_flags)
{
	struct core_device *dev = pd->dev;

	if (pd->now.repl != REPL_ESTABLISHED || pd->sync != SYNC_NONE ||
	    dev->now.disk != DISK_UP_TO_DATE || pd->now.pdsk != DISK_UP_TO_DATE)
		return;
	if (dds_flags & DDS_NO_RESYNC) {
		emit_log(dev->res, "%u drbd%u %s: what is new is not copied: --assume-clean says that it is equal",
			 dev->vnr, dev->minor, pd->conn->conf.name);
		return;
	}
	sync_growth(pd, copies_to_peer(pd));
}

/* We have the size that the peer's Sizes, and our disk, make. */
static void answer_sizes(struct core_peer_device *pd, bool grew, bool changed)
{
	struct core_device *dev = pd->dev;
	u16 flags = pd->peer_sizes.dds_flags & (DDS_FORCED | DDS_NO_RESYNC);
	bool asked_by_us = dev->grown && pd->peer_sizes.c_size == dev->size;

	if (changed || pd->peer_sizes.c_size != dev->size)
		send_new_sizes(pd, false, flags);
	if (!grew && !asked_by_us)
		return;
	if (dev->grown)
		flags |= dev->resize_flags & DDS_NO_RESYNC;
	dev->grown = false;
	copy_growth(pd, flags);
}

/* The peer has resized, or wants to. */
static bool follow(struct core_peer_device *pd)
{
	struct core_device *dev = pd->dev;
	const struct wire_sizes *s = &pd->peer_sizes;
	u64 size;

	if (s->d_size && s->u_size != dev->conf.disk_size) {
		emit_log(dev->res, "%u drbd%u %s: Peer sets u_size to %llu sectors (old: %llu)",
			 dev->vnr, dev->minor, pd->conn->conf.name,
			 (unsigned long long)s->u_size, (unsigned long long)dev->conf.disk_size);
		dev->conf.disk_size = s->u_size;
	}
	size = size_now(dev, dev->conf.disk_size, s->dds_flags);
	if (size < dev->size && size != s->u_size && dev->now.disk >= DISK_OUTDATED)
		return too_small(pd, size);
	if (size != dev->size && any_sync_runs(dev)) {
		emit_log(dev->res, "%u drbd%u %s: the peer changes its size during a resync or verify",
			 dev->vnr, dev->minor, pd->conn->conf.name);
		link_lose(pd->conn, CONN_PROTOCOL_ERROR);
		return true;
	}
	pd->sizes_work = pd->sizes_wait = begin_resize(dev, size, s->dds_flags);
	if (!pd->sizes_wait)
		answer_sizes(pd, false, false);
	return true;
}

/* False: the peer cannot be a replica of this device; the reason is logged. */
bool sizes_received(struct core_peer_device *pd, const struct wire_sizes *sizes)
{
	bool disk = pd->dev->now.disk >= DISK_NEGOTIATING;

	if ((sizes->d_size && sizes->c_size > sizes->d_size) ||
	    (sizes->u_size && sizes->c_size > sizes->u_size)) {
		emit_log(pd->dev->res, "%u drbd%u %s: peer sent bogus sizes: current size larger than its disk or limit",
			 pd->dev->vnr, pd->dev->minor, pd->conn->conf.name);
		return false;
	}
	if (pd->dev->resizing) {
		pd->peer_sizes = *sizes;
		pd->sizes_wait = true;
		return true;
	}
	if (disk && pd->conn->link == LINK_UP && pd->dev->now.disk >= DISK_INCONSISTENT) {
		pd->peer_sizes = *sizes;
		return follow(pd);
	}
	if (!(disk ? with_disk(pd, sizes) : without_disk(pd, sizes)))
		return false;
	pd->peer_sizes = *sizes;
	if (!sizes->c_size && pd->conn->link == LINK_UP)
		send_new_sizes(pd, false, 0);
	return true;
}

/* The peer waits for us, or its packets do. */
static void peers_go_on(struct core_device *dev, bool grew)
{
	struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev) {
		struct wire_sizes again = pd->peer_sizes;
		bool work = pd->sizes_work;

		if (!pd->sizes_wait)
			continue;
		pd->sizes_wait = pd->sizes_work = false;
		if (!link_usable(pd->conn))
			continue;
		if (!dev->resized_ok && work) {
			give_up(pd->conn, "this node cannot follow the new size");
			continue;
		}
		if (work)
			answer_sizes(pd, grew, true);
		else if (!sizes_received(pd, &again))
			give_up(pd->conn, "the peer's device does not fit");
		if (!pd->sizes_wait)
			go_on(pd->conn);
	}
}

/* Our administrator's resize: a peer that has a disk will answer it. */
static bool will_be_answered(const struct core_device *dev)
{
	const struct core_peer_device *pd;
	bool answer = false;

	for_each_pd_of_dev(pd, dev) {
		if (pd->sizes_work)
			return false;
		answer |= knows_peer(pd);
	}
	return answer;
}

void resized(struct core_resource *res, const struct core_event *ev)
{
	struct core_device *dev = ev->dev;
	u64 old = dev->size;

	dev->resizing = false;
	dev->resized_ok = ev->ok;
	dev->resize_code = ev->resized.code;
	if (ev->ok) {
		dev->d_size = ev->resized.d_size;
		take_size(dev, ev->resized.size);
		/* what is new here is not at a peer that is away: that needs a generation */
		if (dev->size > old && !(dev->resize_flags & DDS_NO_RESYNC) && dev->now.gen_pending)
			dev->gen_wanted = true;
		change_commit(res, "resize");
	}
	dev->grown = ev->ok && dev->size > old && will_be_answered(dev);
	peers_go_on(dev, dev->size > old);
}

/* A growth of ours that no peer answers any more: the next connection decides. */
bool resize_step(struct core_device *dev)
{
	const struct core_peer_device *pd;

	if (!dev->grown)
		return false;
	for_each_pd_of_dev(pd, dev)
		if (link_usable(pd->conn))
			return false;
	dev->grown = false;
	return true;
}

/* --- the administrator's request ---------------------------------------------------- */

static bool nobody_is_primary(const struct core_device *dev)
{
	const struct core_peer_device *pd;

	if (dev->res->now.role == ROLE_PRIMARY)
		return false;
	for_each_pd_of_dev(pd, dev)
		if (pd->conn->now.peer_role != ROLE_SECONDARY)
			return false;
	return dev->pds != NULL;
}

static bool everybody_is_known(const struct core_device *dev)
{
	const struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev)
		if (!knows_peer(pd))
			return false;
	return true;
}

/* True: refused, or there is nothing to do. */
static bool judge_resize(struct core_job *job, u64 *size)
{
	struct core_device *dev = job->dev;
	u16 flags = job->force ? DDS_FORCED : 0;

	if (dev->now.disk < DISK_INCONSISTENT)
		return fail(job, ERR_NO_DISK, "the device has no disk: attach one first");
	if (any_sync_runs(dev))
		return fail(job, ERR_RESIZE_RESYNC, "a resync or verify runs: wait for its end");
	if (nobody_is_primary(dev))
		return fail(job, ERR_NO_PRIMARY,
			    "both nodes are Secondary: make the one Primary whose data shall be copied to what is new");
	if (job->start > dev->offer)
		return fail(job, ERR_DISK_TOO_SMALL, "the backing device offers %llu sectors, not the %llu that were asked for",
			    (unsigned long long)dev->offer, (unsigned long long)job->start);
	*size = size_now(dev, job->start, flags);
	if (*size < dev->size && !job->start)
		return fail(job, ERR_IMPLICIT_SHRINK,
			    "the device would become smaller (%llu < %llu sectors): enlarge the backing devices, or give the smaller size with --size",
			    (unsigned long long)*size, (unsigned long long)dev->size);
	if (*size < job->start)
		return fail(job, ERR_DISK_TOO_SMALL, everybody_is_known(dev) ?
			    "the peer's disk offers less: enlarge it first" :
			    "the peer's disk is not known: connect, or give --assume-peer-has-space");
	return false;
}

static void tell_peers(struct core_device *dev)
{
	struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev)
		if (pd->conn->link == LINK_UP) {
			send_uuids(pd);
			send_new_sizes(pd, true, dev->resize_flags);
		}
}

/* For another resize, or for a peer that may never answer. True: for too long. */
static bool resize_waits(struct core_job *job)
{
	const struct core_resource *res = job->res;

	if (!job->wake_ms)
		job->wake_ms = res->now_ms + RESIZE_WAIT_MS;
	if (res->now_ms < job->wake_ms)
		return false;
	return fail(job, RES_TIMEOUT, "%s for %u s: look at its kernel log, disconnect if it hangs, then resize again",
		    job->dev->resizing ? "another change of the size runs" :
		    job->dev->grown ? "the peer has not answered the last change of the size" :
		    "a connection or a disk is coming or going", RESIZE_WAIT_MS / 1000);
}

bool job_resize(struct core_job *job)
{
	struct core_device *dev = job->dev;
	u16 flags = (job->force ? DDS_FORCED : 0) | (job->flag ? DDS_NO_RESYNC : 0);
	u64 size = 0;

	if (job->phase == 0) {
		if (in_transient_state(job->res) || dev->resizing || dev->grown)
			return resize_waits(job);
		job->wake_ms = 0;
		if (judge_resize(job, &size))
			return true;
		dev->conf.disk_size = job->start;
		job->phase = 1;
		if (begin_resize(dev, size, flags))
			return false;
	} else {
		if (dev->resizing)
			return false;
		if (!dev->resized_ok)
			return fail(job, dev->resize_code, "the metadata could not be adapted to the new size, see the kernel log");
	}
	tell_peers(dev);
	if (!everybody_is_known(dev) && !job->force)
		core_strcopy(job->text, "not connected to all peers with a disk: the device does not grow before they are there, or --assume-peer-has-space is given",
			     sizeof(job->text));
	return finish(job, RES_SUCCESS);
}
