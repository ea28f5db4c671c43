// SPDX-License-Identifier: GPL-2.0
/*
 * Generation identifiers: rotation (behaviour.md 8.2), the pending generation
 * (8.3), and the superblock writes that make them stable before anybody may
 * rely on them (ordering table: "new generation").
 */
#include "internal.h"

static u64 random_uuid(struct core_resource *res)
{
	u64 uuid;

	do
		uuid = draw(res) & ~1ULL;
	while (uuid == 0 || uuid == UUID_JUST_CREATED || uuid == ~1ULL);
	return uuid;
}

u64 *bitmap_uuid(struct core_peer_device *pd)
{
	return &pd->dev->md.peer[pd->conn->peer_node_id].bitmap_uuid;
}

static u64 primary_bit(const struct core_device *dev)
{
	return dev->res->next.role == ROLE_PRIMARY || dev->res->promoting ? 1 : 0;
}

void generation_set_primary_bit(struct core_device *dev, bool primary)
{
	if ((dev->md.current_uuid & ~1ULL) == UUID_JUST_CREATED)
		return;
	dev->md.current_uuid = (dev->md.current_uuid & ~1ULL) | (primary ? 1 : 0);
}

static bool is_alone(const struct core_device *dev)
{
	const struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev)
		if (pd->now.repl >= REPL_ESTABLISHED)
			return false;
	return true;
}

/*
 * A sync target that falls behind may have just finished and have the present
 * generation, though tracking for it began earlier: it must find that in the past.
 */
static void keep_for_those_behind(struct core_device *dev, u64 old)
{
	struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev)
		if (pd->now.repl == REPL_AHEAD && *bitmap_uuid(pd)) {
			drbd_md_history_push(&dev->md, old);
			return;
		}
}

/*
 * The present generation is where tracking for every peer begins that has none yet.
 * Its lowest bit tells later who was Primary when that began, not who is now.
 */
void generation_rotate(struct core_device *dev)
{
	struct core_resource *res = dev->res;
	u64 old = dev->md.current_uuid;
	u32 i;

	if (is_alone(dev) && (old & ~1ULL) != UUID_JUST_CREATED)
		old = (old & ~1ULL) | (dev->parted_as_primary ? 1 : 0);
	dev->md.current_uuid = random_uuid(res) | primary_bit(dev);
	dev->exposed_uuid = dev->md.current_uuid;
	/* before the slots: what stands there is not taken for the past */
	keep_for_those_behind(dev, old);
	for (i = 0; i < MD_MAX_PEERS; i++) {
		struct md_peer *peer = &dev->md.peer[i];

		if (i != res->node_id && !peer->bitmap_uuid)
			peer->bitmap_uuid = old;
	}
}

/* Source, protocol < 110: the sync UUID tells a lost SyncUUID packet later. */
void generation_sync_start_source(struct core_peer_device *pd)
{
	u64 *bm = bitmap_uuid(pd);
	u64 old = *bm;

	if ((old & ~1ULL) == 0 || (old & ~1ULL) == UUID_JUST_CREATED)
		*bm = random_uuid(pd->dev->res);
	else
		*bm = old + UUID_NEW_BITMAP_OFFSET;
	drbd_md_history_push(&pd->dev->md, old);
	pd->sync_uuid = *bm;
}

void generation_sync_start_target(struct core_peer_device *pd)
{
	pd->dev->md.current_uuid = pd->sync_uuid;
	*bitmap_uuid(pd) = 0;
}

/* The generation from which tracking for this peer began becomes the past. */
void generation_clear_tracking(struct core_peer_device *pd)
{
	u64 *bm = bitmap_uuid(pd);
	u64 old = *bm;

	*bm = 0;
	drbd_md_history_push(&pd->dev->md, old);
}

/* Both have the same set now; nobody says so, and a disk that attaches later is compared. */
static void know_equal_set(struct core_peer_device *pd)
{
	const struct md_superblock *md = &pd->dev->md;

	pd->peer_uuids.current_uuid = md->current_uuid & ~1ULL;
	pd->peer_uuids.bitmap_uuid = 0;
	pd->peer_uuids.history[0] = md->history[0];
	pd->peer_uuids.history[1] = md->history[1];
	pd->peer_uuids.flags &= ~(u64)UUID_CRASHED_PRIMARY;
}

void generation_sync_finished(struct core_peer_device *pd)
{
	struct core_device *dev = pd->dev;
	struct wire_uuids *peer = &pd->peer_uuids;
	u64 sync_uuid = dev->md.current_uuid;

	if (pd->sync_source) {
		generation_clear_tracking(pd);
		know_equal_set(pd);
		return;
	}
	/* the target takes over the source's past; its own sync UUID is the newest of it */
	*bitmap_uuid(pd) = 0;
	dev->md.current_uuid = (peer->current_uuid & ~1ULL) | primary_bit(dev);
	dev->exposed_uuid = dev->md.current_uuid;
	drbd_md_history_push(&dev->md, peer->history[1]);
	drbd_md_history_push(&dev->md, peer->history[0]);
	drbd_md_history_push(&dev->md, peer->bitmap_uuid);
	drbd_md_history_push(&dev->md, sync_uuid);
	know_equal_set(pd);
}

/*
 * Flags of the superblock for the wished-for state (behaviour.md 3.9, column
 * 8.4). Bits that core does not maintain stay as they are on the disk.
 */
u32 md_flags_of(const struct core_device *dev)
{
	const struct core_resource *res = dev->res;
	u8 disk = dev->next_state.disk;
	u32 flags = dev->md.flags & ~(u32)(MDF_AL_CLEAN | MDF_PRIMARY_IND | MDF_CRASHED_PRIMARY);

	if (disk >= DISK_INCONSISTENT) {
		flags &= ~(u32)(MDF_CONSISTENT | MDF_WAS_UP_TO_DATE);
		if (disk > DISK_INCONSISTENT)
			flags |= MDF_CONSISTENT;
		if (disk > DISK_OUTDATED)
			flags |= MDF_WAS_UP_TO_DATE;
	}
	if ((res->next.role == ROLE_PRIMARY || res->promoting) && !dev->leaves_clean)
		flags |= MDF_PRIMARY_IND | MDF_CRASHED_PRIMARY;
	if (dev->crashed_primary)
		flags |= MDF_CRASHED_PRIMARY;
	if (dev->served || serves_primary(dev, true))
		flags |= MDF_PRIMARY_IND;
	return flags;
}

/* A Primary without disk writes through us: its activity log covers nothing, ours does. */
bool serves_primary(const struct core_device *dev, bool next)
{
	const struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev) {
		u8 pdsk = next ? pd->next.pdsk : pd->now.pdsk;
		u8 role = next ? pd->conn->next_state.peer_role : pd->conn->now.peer_role;

		if (pdsk < DISK_INCONSISTENT && role == ROLE_PRIMARY)
			return true;
	}
	return false;
}

void write_md(struct core_device *dev)
{
	struct core_peer_device *pd;

	if (dev->now.disk == DISK_DISKLESS && dev->next_state.disk == DISK_DISKLESS)
		return;
	dev->md.flags = md_flags_of(dev);
	for_each_pd_of_dev(pd, dev) {
		u32 *flags = &dev->md.peer[pd->conn->peer_node_id].flags;

		*flags &= ~(u32)(MDF_PEER_CONNECTED | MDF_PEER_OUTDATED);
		if (pd->next.repl > REPL_OFF)
			*flags |= MDF_PEER_CONNECTED;
		if (pd->next.pdsk == DISK_INCONSISTENT || pd->next.pdsk == DISK_OUTDATED)
			*flags |= MDF_PEER_OUTDATED;
		if (pd->next.pdsk >= DISK_INCONSISTENT && pd->next.pdsk != DISK_UNKNOWN)
			*flags |= MDF_PEER_DEVICE_SEEN;
	}
	dev->md_gen++;
	emit_dev(dev, ACT_WRITE_MD)->md_gen = dev->md_gen;
}

void md_written(struct core_resource *res, const struct core_event *ev)
{
	struct core_device *dev = ev->dev;

	if (ev->ok)
		dev->md_stable = ev->md_gen;
	else
		dev->md_failed = ev->md_gen;
	if (!ev->ok)
		dev->md_error = true;
	(void)res;
}

void generation_needed(struct core_resource *res, const struct core_event *ev)
{
	ev->dev->gen_wanted = true;
	(void)res;
}

/* The peer compares what it was shown: nothing of it changes before that is decided. */
static bool shown_and_undecided(const struct core_device *dev)
{
	const struct core_peer_device *pd;

	for_each_pd_of_dev(pd, dev)
		if (pd->conn->link == LINK_HANDSHAKE && !pd->decided)
			return true;
	return false;
}

/* Write the new generation, then open the plan; on failure there is none. */
bool generation_step(struct core_device *dev)
{
	struct core_peer_device *pd;

	if (dev->gen_writing && dev->now.disk <= DISK_FAILED) {
		/* it never became stable, and this disk is out of the game */
		dev->gen_writing = false;
		dev->next_state.gen_pending = false;
		change_commit(dev->res, "disk-failed");
		for_each_pd_of_dev(pd, dev)
			go_on(pd->conn);
		return true;
	}
	if (!dev->now.gen_pending) {
		dev->gen_wanted = false;
		return false;
	}
	if (!dev->gen_writing) {
		if (!dev->gen_wanted || dev->now.disk != DISK_UP_TO_DATE ||
		    shown_and_undecided(dev))
			return false;
		generation_rotate(dev);
		write_md(dev);
		dev->gen_md = dev->md_gen;
		dev->gen_writing = true;
		return true;
	}
	if ((s32)(dev->md_stable - dev->gen_md) >= 0) {
		dev->gen_writing = false;
		dev->gen_wanted = false;
		dev->next_state.gen_pending = false;
		for_each_pd_of_dev(pd, dev)
			if (pd->now.repl >= REPL_ESTABLISHED)
				send_uuids(pd);
		change_commit(dev->res, "new-generation");
		for_each_pd_of_dev(pd, dev)
			go_on(pd->conn);
		return true;
	}
	return false;
}

/*
 * v08 has one peer only, which this format keeps in the first entry; in memory
 * it stands at the node id that the configuration gives it.
 */
static s32 only_peer(const struct core_device *dev)
{
	return dev->pds ? dev->pds->conn->peer_node_id : 0;
}

void core_md_from_disk(struct core_device *dev, struct md_superblock *md)
{
	s32 n = only_peer(dev);

	if (md->format != MD_V08 || n == 0)
		return;
	md->peer[n] = md->peer[0];
	memset(&md->peer[0], 0, sizeof(md->peer[0]));
	md->peer[0].bitmap_index = -1;
}

void core_md_to_disk(const struct core_device *dev, struct md_superblock *md)
{
	s32 n = only_peer(dev);

	*md = dev->md;
	if (md->format != MD_V08 || n == 0)
		return;
	md->peer[0] = md->peer[n];
	memset(&md->peer[n], 0, sizeof(md->peer[n]));
	md->peer[n].bitmap_index = -1;
}
