// SPDX-License-Identifier: GPL-2.0
/*
 * Takes finished entries off the log, in log order, one retirer at a time:
 * bits of all slots at once, then the reference to the activity log, then
 * notices, then the entry itself (DESIGN 2.2). And the drains that wait for it.
 * Nothing here sleeps: it runs wherever the last leg of an entry ended.
 */
#include <linux/slab.h>

#include "glue.h"

static u32 update_bitmap(struct drbd_device *dev, const struct log_retired *r)
{
	unsigned long flags;
	u32 changed = 0;

	spin_lock_irqsave(&dev->bm_lock, flags);
	if (dev->bitmap)
		changed = drbd_bitmap_update(&dev->bitmap->core, r->sector, r->size,
					     r->set_slots, r->clear_slots);
	spin_unlock_irqrestore(&dev->bm_lock, flags);
	return changed;
}

/* A set bit of a running resync lies ahead, or the pass must come by again. */
static void tell_resync(struct drbd_device *dev, const struct log_retired *r, u32 changed)
{
	struct drbd_peer_device *pd;
	unsigned long flags;
	u64 first, last;

	if (!changed || !drbd_bitmap_bits_out(&dev->bitmap->core, r->sector, r->size, &first, &last))
		return;
	rcu_read_lock();
	list_for_each_entry_rcu(pd, &dev->peer_devices, of_dev) {
		if (pd->slot < 0 || !(changed >> pd->slot & 1))
			continue;
		spin_lock_irqsave(&dev->bm_lock, flags);
		if (pd->resync_runs)
			drbd_resync_bits_set(&pd->pass, first, last - first + 1);
		spin_unlock_irqrestore(&dev->bm_lock, flags);
	}
	rcu_read_unlock();
}

/* A bit that was set already has been announced, or travels with the bitmap. */
static void release_notices(struct drbd_device *dev, const struct log_retired *r, u32 changed)
{
	struct drbd_peer_device *pd;
	unsigned long flags;

	if (!changed || !r->notice_peers)
		return;
	rcu_read_lock();
	list_for_each_entry_rcu(pd, &dev->peer_devices, of_dev) {
		if (!(r->notice_peers >> pd->conn->index & 1) || pd->slot < 0 ||
		    !(changed >> pd->slot & 1))
			continue;
		spin_lock_irqsave(&dev->res->log_lock, flags);
		drbd_notice_add(&pd->notices, r->sector, r->size, r->position);
		spin_unlock_irqrestore(&dev->res->log_lock, flags);
		drbd_sender_kick(pd->conn);
	}
	rcu_read_unlock();
}

static void retire_write(const struct log_retired *r)
{
	struct drbd_device *dev = container_of(r->dev, struct drbd_device, ldev);
	struct drbd_request *req = r->owner;
	u32 changed = update_bitmap(dev, r);

	tell_resync(dev, r, changed);
	if (req->hot)
		drbd_al_drop(dev, req->al_gen, r->sector, r->size);
	req->hot = false;
	release_notices(dev, r, changed);
}

static void free_owner(const struct log_retired *r)
{
	if (r->kind == LOG_MARKER)
		kfree(r->owner);
	else if (r->owner)
		drbd_request_put(r->owner);
}

static u32 peek(struct drbd_resource *res, struct log_retired *r)
{
	unsigned long flags;
	u32 n = 0;

	spin_lock_irqsave(&res->log_lock, flags);
	while (n < DRBD_RETIRE_BATCH && drbd_log_retire_peek(&res->log, n, &r[n]))
		n++;
	spin_unlock_irqrestore(&res->log_lock, flags);
	return n;
}

/* Parked bios may be waiting for room in the ring. */
static void kick_parked(struct drbd_resource *res)
{
	struct drbd_device *dev;

	rcu_read_lock();
	list_for_each_entry_rcu(dev, &res->devices, node)
		if (!bio_list_empty(&dev->parked))
			drbd_submit_kick(dev);
	rcu_read_unlock();
}

static u32 retire_batch(struct drbd_resource *res)
{
	struct log_retired *r = res->retired;
	u32 i, n = peek(res, r);
	unsigned long flags;
	bool room;

	if (!n)
		return 0;
	for (i = 0; i < n; i++)
		if (r[i].kind == LOG_WRITE)
			retire_write(&r[i]);
	spin_lock_irqsave(&res->log_lock, flags);
	room = drbd_log_retire_commit(&res->log, n);
	spin_unlock_irqrestore(&res->log_lock, flags);
	for (i = 0; i < n; i++)
		free_owner(&r[i]);
	if (room)
		kick_parked(res);
	return n;
}

/*
 * Whoever raises retire_kicks from zero is the retirer until it is zero again. In an
 * interrupt it takes a batch; what is behind it is the work's, which inherits the part.
 */
static void retire(struct drbd_resource *res, bool all)
{
	int seen;

	do {
		seen = atomic_read(&res->retire_kicks);
		while (retire_batch(res) == DRBD_RETIRE_BATCH) {
			if (all)
				continue;
			queue_work(res->wq, &res->retire_work);
			return;
		}
		drbd_check_drains(res);
	} while (atomic_sub_return(seen, &res->retire_kicks));
}

void drbd_retire_work(struct work_struct *work)
{
	retire(container_of(work, struct drbd_resource, retire_work), true);
}

/*
 * The entry that goes may be what kept the resource: under RCU its memory stays
 * until the counter has been looked at.
 */
void drbd_retire_kick(struct drbd_resource *res)
{
	rcu_read_lock();
	if (atomic_fetch_inc(&res->retire_kicks) == 0)
		retire(res, false);
	rcu_read_unlock();
}

/*
 * Everything that was in the log at that time has left it; or, while
 * completions are held back, is done at least.
 */
static bool drained(struct drbd_resource *res, struct drbd_device *dev)
{
	const struct io_plan *plan = dev->ldev.plan;

	if (res->log.tail >= dev->drain_to)
		return true;
	return plan && plan->completion == PLAN_COMPLETE_HOLD &&
	       drbd_log_done_to(&res->log, -1, dev->drain_to);
}

void drbd_check_drains(struct drbd_resource *res)
{
	struct drbd_device *dev;
	unsigned long flags;
	bool more = false;

	if (!READ_ONCE(res->drain_wanted))
		return;
	rcu_read_lock();
	spin_lock_irqsave(&res->log_lock, flags);
	list_for_each_entry_rcu(dev, &res->devices, node) {
		if (!dev->drain_to)
			continue;
		if (drained(res, dev)) {
			dev->drain_to = 0;
			drbd_post(res, &dev->ev_drained);
		} else {
			more = true;
		}
	}
	res->drain_wanted = more;
	spin_unlock_irqrestore(&res->log_lock, flags);
	rcu_read_unlock();
}
