// SPDX-License-Identifier: GPL-2.0
/*
 * Application I/O from submit_bio to the end of the application's bio. A write
 * goes through reserve, heat and enter (DESIGN 3.1); whatever cannot be done at
 * once continues in the ordered submit work of the device. Nothing here sleeps
 * in the submitter's context but for memory of the request pool.
 */
#include <linux/slab.h>

#include "glue.h"

static struct bio_set request_pool;

int drbd_submit_init(void)
{
	return bioset_init(&request_pool, 256, offsetof(struct drbd_request, clone),
			   BIOSET_NEED_BVECS);
}

void drbd_submit_exit(void)
{
	bioset_exit(&request_pool);
}

static struct drbd_request *of_clone(struct bio *clone)
{
	return container_of(clone, struct drbd_request, clone);
}

static struct drbd_request *of_range(struct io_range *r)
{
	return container_of(r, struct drbd_request, range);
}

/* --- life of a request ------------------------------------------------------------ */

void drbd_request_hold(struct drbd_request *req)
{
	refcount_inc(&req->ref);
}

/*
 * The entry may be retired, and its place taken by another, as soon as the lock
 * is dropped: what is needed of it is copied now.
 */
void drbd_request_grab(struct drbd_request *req, u32 what)
{
	drbd_request_hold(req);
	if (what & LOG_COMPLETE)
		req->error = req->entry->error;
}

void drbd_request_put(struct drbd_request *req)
{
	if (refcount_dec_and_test(&req->ref))
		bio_put(&req->clone);
}

static void set_flags(struct drbd_request *req, blk_opf_t opf)
{
	req->flags = (opf & REQ_SYNC ? LOG_F_SYNC : 0) | (opf & REQ_FUA ? LOG_F_FUA : 0) |
		     (opf & REQ_PREFLUSH ? LOG_F_PREFLUSH : 0);
	switch (opf & REQ_OP_MASK) {
	case REQ_OP_DISCARD:
		req->op = LOG_OP_DISCARD;
		break;
	case REQ_OP_WRITE_ZEROES:
		req->op = LOG_OP_ZEROES;
		if (!(opf & REQ_NOUNMAP))
			req->flags |= LOG_F_UNMAP;
		break;
	default:
		req->op = LOG_OP_DATA;
	}
}

static struct drbd_request *request_alloc(struct drbd_device *dev, struct bio *bio)
{
	struct bio *clone = compat_bio_clone(bio, GFP_NOIO, &request_pool);
	struct drbd_request *req = of_clone(clone);

	memset(req, 0, offsetof(struct drbd_request, clone));
	req->dev = dev;
	req->bio = bio;
	req->sector = bio->bi_iter.bi_sector;
	req->size = bio->bi_iter.bi_size;
	req->write = op_is_write(bio_op(bio));
	req->flush = req->write && !req->size;
	set_flags(req, bio->bi_opf);
	INIT_LIST_HEAD(&req->node);
	INIT_LIST_HEAD(&req->walk);
	refcount_set(&req->ref, 1);
	atomic_inc(&dev->app_pending);
	req->counted = blk_queue_io_stat(dev->disk->queue);
	if (req->counted)
		req->started = bio_start_io_acct(bio);
	return req;
}

/* Ranges that came free go on in the submit work: never from here, never deeper. */
void drbd_ranges_granted(struct drbd_device *dev, struct core_node *granted)
{
	struct core_node *n;
	unsigned long flags;
	bool any = false;

	while ((n = core_list_pop(granted))) {
		struct io_range *r = drbd_range_of(n);

		if (r->cls != RANGE_APP_WRITE) {
			drbd_rs_range_granted(r->owner, r);
			continue;
		}
		spin_lock_irqsave(&dev->submit_lock, flags);
		list_add_tail(&of_range(r)->node, &dev->granted);
		spin_unlock_irqrestore(&dev->submit_lock, flags);
		any = true;
	}
	if (any)
		drbd_submit_kick(dev);
}

void drbd_range_end(struct drbd_device *dev, struct io_range *r)
{
	struct core_node granted;
	unsigned long flags;

	core_list_init(&granted);
	spin_lock_irqsave(&dev->extent_lock, flags);
	drbd_range_release(&dev->ranges, r, &granted);
	spin_unlock_irqrestore(&dev->extent_lock, flags);
	drbd_ranges_granted(dev, &granted);
}

/* What it has written here already the peer may not have. */
static void mark_blocks(struct drbd_request *req)
{
	struct drbd_peer_device *pd;

	rcu_read_lock();
	list_for_each_entry_rcu(pd, &req->dev->peer_devices, of_dev)
		drbd_bits_set(req->dev, pd, req->sector, req->size);
	rcu_read_unlock();
}

static bool peer_needs_extents(struct drbd_device *dev)
{
	struct drbd_peer_device *pd;
	bool needs = false;

	rcu_read_lock();
	list_for_each_entry_rcu(pd, &dev->peer_devices, of_dev)
		needs |= drbd_plan_of(pd).track;
	rcu_read_unlock();
	return needs;
}

/* Takes back what a request that did not enter holds. */
static void unwind(struct drbd_request *req)
{
	if (req->remade)
		mark_blocks(req);
	req->remade = false;
	if (req->hot)
		drbd_al_drop(req->dev, req->al_gen, req->sector, req->size);
	req->hot = false;
	if (req->reserved)
		drbd_range_end(req->dev, &req->range);
	req->reserved = false;
}

/* Takes the application's bio from the request; NULL if it has gone already. */
static struct bio *take_bio(struct drbd_request *req)
{
	struct bio *bio = req->bio;

	if (!bio)
		return NULL;
	req->bio = NULL;
	atomic_dec(&req->dev->app_pending);
	if (req->counted)
		bio_end_io_acct(bio, req->started);
	return bio;
}

/* The application's bio ends; the request may live on in the log. */
static void complete_bio(struct drbd_request *req, int error)
{
	struct drbd_device *dev = req->dev;
	struct bio *bio = take_bio(req);

	if (!bio)
		return;
	if (req->reserved)
		drbd_range_end(dev, &req->range);
	req->reserved = false;
	if (error)
		bio->bi_status = errno_to_blk_status(error);
	bio_endio(bio);
}

static void fail_request(struct drbd_request *req, int error)
{
	unwind(req);
	complete_bio(req, error);
	drbd_request_put(req);
}

/* What the plan says to writes; PLAN_PARK also if there is no room. */
static u8 admission(struct drbd_device *dev)
{
	const struct io_plan *plan;
	u8 a = PLAN_PARK;

	rcu_read_lock();
	plan = READ_ONCE(dev->ldev.plan);
	if (plan && plan->read_admission != PLAN_PARK)
		a = plan->write_admission;
	rcu_read_unlock();
	return drbd_log_used(&dev->res->log) < DRBD_LOG_SIZE - LOG_MARKER_RESERVE ? a : PLAN_PARK;
}

static void park_on(struct drbd_device *dev, struct bio *bio)
{
	unsigned long flags;

	if (bio->bi_opf & REQ_NOWAIT) {
		bio_wouldblock_error(bio);
		return;
	}
	spin_lock_irqsave(&dev->submit_lock, flags);
	bio_list_add(&dev->parked, bio);
	spin_unlock_irqrestore(&dev->submit_lock, flags);
	/* the plan may have changed, and kicked, before the bio was on the list */
	if (admission(dev) != PLAN_PARK)
		drbd_submit_kick(dev);
}

/* Back to the device's queue of bios; a later plan will take it. */
static void park(struct drbd_request *req)
{
	struct drbd_device *dev = req->dev;
	struct bio *bio = take_bio(req);

	unwind(req);
	drbd_request_put(req);
	park_on(dev, bio);
}

/* The same from the log, which keeps the request, and its extents, until the bits are set. */
static void park_bio(struct drbd_request *req)
{
	struct bio *bio = take_bio(req);

	if (req->reserved)
		drbd_range_end(req->dev, &req->range);
	req->reserved = false;
	if (bio)
		park_on(req->dev, bio);
}

/* --- local disk ----------------------------------------------------------------------- */

static void local_write_done(struct drbd_request *req, int error)
{
	struct drbd_device *dev = req->dev;
	struct drbd_resource *res = dev->res;
	unsigned long flags;
	u32 what;

	spin_lock_irqsave(&res->log_lock, flags);
	what = drbd_log_local_done(&res->log, req->entry, error);
	if (what)
		drbd_request_grab(req, what);
	spin_unlock_irqrestore(&res->log_lock, flags);
	if (error) {
		drbd_err(res, "%u drbd%u: local write failed at sector %llu (%d)", dev->vnr,
			 dev->minor, (unsigned long long)req->sector, error);
		drbd_post(res, &dev->ev_error);
	}
	if (what)
		drbd_request_act(req, what);
	drbd_request_put(req);		/* of the backend */
}

static void local_write_end(struct bio *clone)
{
	struct drbd_request *req = of_clone(clone);

	atomic_dec(&req->dev->local_pending);
	drbd_backing_put(req->backing);
	local_write_done(req, blk_status_to_errno(clone->bi_status));
}

static void discard_local(struct work_struct *work)
{
	struct drbd_request *req = container_of(work, struct drbd_request, work);
	int err = drbd_discard(req->dev, req->backing, req->op, req->flags & LOG_F_UNMAP,
			       req->sector, req->size);

	atomic_dec(&req->dev->local_pending);
	drbd_backing_put(req->backing);
	local_write_done(req, err);
}

static void submit_local(struct drbd_request *req)
{
	struct drbd_device *dev = req->dev;
	struct bio *clone = &req->clone;

	if (!core_check(req->backing)) {
		local_write_done(req, -EIO);
		return;
	}
	atomic_inc(&dev->local_pending);
	atomic64_add(req->size >> SECTOR_BITS, &dev->write_sectors);
	if (req->op != LOG_OP_DATA) {
		INIT_WORK(&req->work, discard_local);
		drbd_peer_queue(&req->work);
		return;
	}
	bio_set_dev(clone, req->backing->bdev);
	clone->bi_end_io = local_write_end;
	submit_bio_noacct(clone);
}

static void queue_retry(struct drbd_request *req)
{
	struct drbd_device *dev = req->dev;
	unsigned long flags;

	spin_lock_irqsave(&dev->submit_lock, flags);
	list_add_tail(&req->node, &dev->retries);
	spin_unlock_irqrestore(&dev->submit_lock, flags);
	drbd_submit_kick(dev);
}

void drbd_local_read_failed(struct drbd_device *dev, u64 sector, int error)
{
	drbd_err(dev->res, "%u drbd%u: local read failed at sector %llu (%d)", dev->vnr,
		 dev->minor, (unsigned long long)sector, error);
	drbd_post(dev->res, &dev->ev_error);
}

static void local_read_end(struct bio *clone)
{
	struct drbd_request *req = of_clone(clone);
	struct drbd_device *dev = req->dev;
	int error = blk_status_to_errno(clone->bi_status);

	atomic_dec(&dev->local_pending);
	drbd_backing_put(req->backing);
	if (!error) {
		complete_bio(req, 0);
		drbd_request_put(req);
		return;
	}
	req->error = error;
	drbd_local_read_failed(dev, req->sector, error);
	queue_retry(req);
}

static bool read_local(struct drbd_request *req)
{
	struct drbd_device *dev = req->dev;

	req->backing = drbd_backing_get(dev);
	req->tried_local = true;
	if (!req->backing)
		return false;
	atomic_inc(&dev->local_pending);
	atomic64_add(req->size >> SECTOR_BITS, &dev->read_sectors);
	bio_set_dev(&req->clone, req->backing->bdev);
	req->clone.bi_end_io = local_read_end;
	submit_bio_noacct(&req->clone);
	return true;
}

/* --- reads ------------------------------------------------------------------------------ */

static bool range_is_clean(struct drbd_device *dev, const struct io_plan *plan,
			   u64 sector, u32 size)
{
	unsigned long flags;
	bool clean = false;

	spin_lock_irqsave(&dev->bm_lock, flags);
	if (dev->bitmap && plan->slot_mask)
		clean = drbd_bitmap_range_clean(&dev->bitmap->core, sector, size, plan->slot_mask);
	spin_unlock_irqrestore(&dev->bm_lock, flags);
	return clean;
}

/* What the peers have of this device and have not answered. RCU. */
static u32 remote_pending(struct drbd_device *dev)
{
	u32 n = READ_ONCE(dev->ldev.in_flight);
	struct drbd_peer_device *pd;

	list_for_each_entry_rcu(pd, &dev->peer_devices, of_dev)
		n += atomic_read(&pd->rs_pending);
	return n;
}

static u8 read_path(struct drbd_request *req, int *path)
{
	struct drbd_device *dev = req->dev;
	const struct io_plan *plan;
	u8 admission = PLAN_FAIL;
	bool clean = false;

	rcu_read_lock();
	plan = READ_ONCE(dev->ldev.plan);
	if (plan) {
		admission = plan->read_admission;
		if (plan->read_rule == PLAN_READ_CLEAN)
			clean = range_is_clean(dev, plan, req->sector, req->size);
		*path = drbd_plan_read_path(plan, req->sector, clean, req->tried_local,
					    req->tried_peers, dev->read_turn++,
					    atomic_read(&dev->local_pending), remote_pending(dev));
	}
	rcu_read_unlock();
	return admission;
}

static void enter_read(struct drbd_request *req, u32 peer)
{
	struct drbd_device *dev = req->dev;
	struct drbd_resource *res = dev->res;
	struct log_request rq = { .sector = req->sector, .size = req->size, .owner = req };
	struct log_entered in = {};
	enum log_verdict v;

	req->tried_peers |= 1u << peer;
	spin_lock_irq(&res->log_lock);
	v = drbd_log_enter_read(&res->log, &dev->ldev, &rq, peer,
				drbd_now_ms(), &in);
	if (v == LOG_ENTERED) {
		req->entry = in.entry;
		drbd_request_hold(req);		/* of the log */
	}
	spin_unlock_irq(&res->log_lock);
	if (v == LOG_ENTERED) {
		drbd_senders_kick(res);
		drbd_request_put(req);
	} else if (v == LOG_PARK || v == LOG_FULL || v == LOG_NEW_GENERATION) {
		park(req);
	} else {
		queue_retry(req);
	}
}

/* Takes the next path that has not failed; without one the read fails. */
static void start_read(struct drbd_request *req)
{
	int path = PLAN_READ_FROM_NOBODY;
	u8 admission = read_path(req, &path);

	if (admission == PLAN_PARK) {
		park(req);
	} else if (admission == PLAN_FAIL || path == PLAN_READ_FROM_NOBODY) {
		fail_request(req, req->error ?: -EIO);
	} else if (path == PLAN_READ_FROM_LOCAL) {
		if (!read_local(req))
			queue_retry(req);
	} else {
		enter_read(req, path);
	}
}

/* The clone of a failed local read has advanced; the next path reads into the bio itself. */
static void retry_read(struct drbd_request *req)
{
	req->entry = NULL;
	start_read(req);
}

/* --- writes -------------------------------------------------------------------------------- */

/* Under the log lock: a local leg of this plan needs extents that are not yet hot. */
static bool must_heat(const struct drbd_request *req)
{
	const struct io_plan *plan = req->dev->ldev.plan;

	return plan && plan->local_disk && plan->al_enabled && !req->flush &&
	       !(req->hot && req->al_gen == READ_ONCE(req->dev->al_gen));
}

/* The log is that of the plan's disk, as long as the plan has one. */
static u32 al_used(const struct drbd_request *req)
{
	const struct io_plan *plan = req->dev->ldev.plan;

	if (!plan || !plan->local_disk || !plan->al_enabled || !req->hot)
		return 0;
	return READ_ONCE(req->dev->al->core.used);
}

static enum log_verdict enter_locked(struct drbd_request *req, struct log_entered *in)
{
	struct drbd_device *dev = req->dev;
	struct xfer_log *log = &dev->res->log;
	struct log_request rq = {
		.sector = req->sector, .size = req->size, .op = req->op,
		.flags = req->flags, .owner = req,
		.range = req->reserved ? &req->range : NULL,
		.al_used = al_used(req),
	};
	u64 now = drbd_now_ms();
	enum log_verdict v;

	if (!dev->ldev.plan)
		return LOG_NO_DATA;
	v = req->flush ? drbd_log_enter_flush(log, &dev->ldev, req, now, in)
		       : drbd_log_enter_write(log, &dev->ldev, &rq, now, in);
	if (v != LOG_ENTERED)
		return v;
	req->entry = in->entry;
	req->remade = false;
	if (in->what)
		drbd_request_grab(req, in->what);
	if (in->local) {
		/* the plan says there is a disk: it cannot be closed before this plan is gone */
		req->backing = drbd_backing_get(dev);
		drbd_request_hold(req);	/* of the backend */
	}
	return v;
}

/* The submit work goes on with it. */
static void queue_for_work(struct drbd_request *req, struct list_head *list)
{
	struct drbd_device *dev = req->dev;
	unsigned long flags;

	spin_lock_irqsave(&dev->submit_lock, flags);
	list_add_tail(&req->node, list);
	spin_unlock_irqrestore(&dev->submit_lock, flags);
	drbd_submit_kick(dev);
}

/* Lets the writes of the peer pass that overtook this one. */
static void yield_to_peer(struct drbd_request *req)
{
	struct drbd_device *dev = req->dev;
	enum range_result r;
	unsigned long flags;

	/* the peer's may need extents themselves, if it has no disk */
	if (req->remade && peer_needs_extents(dev)) {
		mark_blocks(req);
		req->remade = false;
	}
	if (req->hot && !req->remade) {
		drbd_al_drop(dev, req->al_gen, req->sector, req->size);
		req->hot = false;
	}
	spin_lock_irqsave(&dev->extent_lock, flags);
	r = drbd_range_yield(&dev->ranges, &req->range);
	spin_unlock_irqrestore(&dev->extent_lock, flags);
	if (r == RANGE_GRANTED)
		queue_for_work(req, &dev->granted);
}

/* Peers that cannot keep up; core decides what becomes of them. */
static void tell_congestion(struct drbd_device *dev, u32 peers, bool full)
{
	struct drbd_peer_device *pd;

	rcu_read_lock();
	list_for_each_entry_rcu(pd, &dev->peer_devices, of_dev)
		if (peers >> pd->conn->index & 1)
			drbd_post(dev->res, full ? &pd->ev_log_full : &pd->ev_congested);
	rcu_read_unlock();
}

static void enter(struct drbd_request *req)
{
	struct drbd_device *dev = req->dev;
	struct drbd_resource *res = dev->res;
	struct log_entered in = {};
	enum log_verdict v = LOG_PARK;
	unsigned long flags;
	bool cold;

	spin_lock_irqsave(&res->log_lock, flags);
	cold = must_heat(req);
	if (!cold)
		v = enter_locked(req, &in);
	spin_unlock_irqrestore(&res->log_lock, flags);
	if (cold) {
		queue_for_work(req, &dev->cold);
		return;
	}
	if (unlikely(in.congested))
		tell_congestion(dev, in.congested, v == LOG_FULL);
	switch (v) {
	case LOG_ENTERED:
		drbd_send_now(dev, in.data_peers);
		if (in.local)
			submit_local(req);
		if (in.what)
			drbd_request_act(req, in.what);
		break;
	case LOG_FAIL:
		fail_request(req, in.error);
		break;
	case LOG_NO_DATA:
		fail_request(req, -EIO);
		break;
	case LOG_OVERTAKEN:
		yield_to_peer(req);
		break;
	case LOG_NEW_GENERATION:
		drbd_post(res, &dev->ev_gen);
		fallthrough;
	default:
		park(req);
	}
}

/* Under the extent lock. Fast path: extents are hot, or there is no log to ask. */
static void heat(struct drbd_request *req)
{
	struct drbd_device *dev = req->dev;

	if (req->hot)
		return;
	req->hot = dev->al && drbd_al_get(&dev->al->core, drbd_al_first(req->sector),
					  drbd_al_last(req->sector, req->size));
	req->al_gen = dev->al_gen;
}

/* Its range is its own now. */
static void go_on(struct drbd_request *req)
{
	struct drbd_device *dev = req->dev;

	spin_lock_irq(&dev->extent_lock);
	heat(req);
	spin_unlock_irq(&dev->extent_lock);
	enter(req);
}

static void start_write(struct drbd_request *req)
{
	struct drbd_device *dev = req->dev;
	enum range_result r = RANGE_GRANTED;
	unsigned long flags;

	if (!req->flush) {
		drbd_range_init(&req->range, RANGE_APP_WRITE, req->sector, req->size, req);
		spin_lock_irqsave(&dev->extent_lock, flags);
		r = drbd_range_reserve(&dev->ranges, &req->range);
		req->reserved = true;
		if (r == RANGE_GRANTED)
			heat(req);
		spin_unlock_irqrestore(&dev->extent_lock, flags);
	}
	if (r == RANGE_GRANTED)
		enter(req);
}

static void submit_one(struct drbd_device *dev, struct bio *bio)
{
	struct drbd_request *req;

	if (bio_op(bio) == REQ_OP_READ && drbd_pass_read(dev, bio))
		return;
	req = request_alloc(dev, bio);
	if (req->write)
		start_write(req);
	else
		start_read(req);
}

/*
 * Two Primaries, and the peer wants this write again: its own overlapping one goes
 * first, and then both disks get ours. A new request, for the old one stays in the
 * log until its epoch is acked; it has its extents before the old one gives them up,
 * since a crash between the two must find the blocks.
 */
static void remake(struct drbd_request *old)
{
	struct drbd_device *dev = old->dev;
	struct drbd_resource *res = dev->res;
	struct drbd_request *req = request_alloc(dev, old->bio);
	struct core_node granted;
	u32 what;

	take_bio(old);
	req->remade = req->reserved = true;
	core_list_init(&granted);
	drbd_range_init(&req->range, RANGE_APP_WRITE, req->sector, req->size, req);
	spin_lock_irq(&dev->extent_lock);
	req->al_gen = dev->al_gen;
	req->hot = old->hot && old->al_gen == dev->al_gen;
	if (req->hot)
		drbd_al_get_more(&dev->al->core, drbd_al_first(req->sector),
				 drbd_al_last(req->sector, req->size));
	drbd_range_hand_over(&dev->ranges, &old->range, &req->range, &granted);
	old->reserved = false;
	spin_unlock_irq(&dev->extent_lock);
	drbd_ranges_granted(dev, &granted);
	spin_lock_irq(&res->log_lock);
	what = drbd_log_remade(&res->log, old->entry);
	spin_unlock_irq(&res->log_lock);
	if (what & LOG_DONE)
		drbd_retire_kick(res);
	drbd_request_put(old);
	yield_to_peer(req);
}

/* Once something is parked, what comes later queues behind it. */
static bool must_queue(struct drbd_device *dev, struct bio *bio)
{
	unsigned long flags;
	bool queue;

	if (likely(bio_list_empty(&dev->parked)))
		return false;
	spin_lock_irqsave(&dev->submit_lock, flags);
	queue = !bio_list_empty(&dev->parked);
	if (queue && !(bio->bi_opf & REQ_NOWAIT))
		bio_list_add(&dev->parked, bio);
	spin_unlock_irqrestore(&dev->submit_lock, flags);
	if (queue && (bio->bi_opf & REQ_NOWAIT))
		bio_wouldblock_error(bio);
	return queue;
}

static bool op_is_plain(const struct bio *bio)
{
	return bio_op(bio) == REQ_OP_READ || bio_op(bio) == REQ_OP_WRITE;
}

void drbd_submit_bio(struct bio *bio)
{
	struct drbd_device *dev = compat_disk_of(bio)->private_data;

	/* what fits a packet needs no look at the other limits: the backing device splits */
	if (bio->bi_iter.bi_size > WIRE_MAX_BIO || !op_is_plain(bio)) {
		bio = compat_bio_split(bio);
		if (!bio)
			return;
	}
	if (must_queue(dev, bio))
		return;
	submit_one(dev, bio);
}

/* --- the submit work ---------------------------------------------------------------------------- */

void drbd_submit_kick(struct drbd_device *dev)
{
	queue_work(dev->submit_wq, &dev->submit_work);
}

static struct drbd_request *pop_request(struct drbd_device *dev, struct list_head *list)
{
	struct drbd_request *req;

	spin_lock_irq(&dev->submit_lock);
	req = list_first_entry_or_null(list, struct drbd_request, node);
	if (req)
		list_del_init(&req->node);
	spin_unlock_irq(&dev->submit_lock);
	return req;
}

/* In front of those that wait, in their order. */
static void push_back(struct drbd_device *dev, struct list_head *requests)
{
	spin_lock_irq(&dev->submit_lock);
	list_splice(requests, &dev->cold);
	spin_unlock_irq(&dev->submit_lock);
}

static enum al_prepare prepare_one(struct drbd_device *dev, struct drbd_request *req)
{
	enum al_prepare r;

	spin_lock_irq(&dev->extent_lock);
	r = drbd_al_prepare(&dev->al->core, drbd_al_first(req->sector),
			    drbd_al_last(req->sector, req->size));
	req->al_gen = dev->al_gen;
	spin_unlock_irq(&dev->extent_lock);
	return r;
}

static void close_epoch(struct drbd_resource *res)
{
	bool closed;

	spin_lock_irq(&res->log_lock);
	closed = drbd_log_close_epoch(&res->log);
	spin_unlock_irq(&res->log_lock);
	if (closed)
		drbd_senders_kick(res);
}

/*
 * The log could not be written: these must not reach the disk. It is on its way out;
 * what the plan of then says decides about them, as about all others.
 */
static void stay_cold(struct drbd_device *dev, struct list_head *batch)
{
	struct drbd_request *req;

	list_for_each_entry(req, batch, node) {
		drbd_al_drop(dev, req->al_gen, req->sector, req->size);
		req->hot = false;
	}
	push_back(dev, batch);
}

/* As many as one transaction can make hot. True: more may follow at once. */
static bool heat_batch(struct drbd_device *dev, struct drbd_backing *b)
{
	struct drbd_request *req, *tmp;
	enum al_prepare r = AL_READY;
	LIST_HEAD(batch);
	LIST_HEAD(rest);

	while ((req = pop_request(dev, &dev->cold))) {
		r = prepare_one(dev, req);
		if (r == AL_BATCH_FULL || r == AL_STARVING || r == AL_LOST) {
			list_add(&req->node, &rest);
			push_back(dev, &rest);
			break;
		}
		req->hot = true;
		list_add_tail(&req->node, &batch);
	}
	if (drbd_al_commit(dev, b)) {
		stay_cold(dev, &batch);
		return false;
	}
	list_for_each_entry_safe(req, tmp, &batch, node) {
		list_del_init(&req->node);
		enter(req);
	}
	if (r == AL_STARVING)
		/* barrier acks free slots: the peer must get the chance to send them */
		close_epoch(dev->res);
	return r == AL_BATCH_FULL;
}

/* No disk any more: what waited for its extents goes on without them. */
static void cold_without_disk(struct drbd_device *dev)
{
	struct drbd_request *req;

	while ((req = pop_request(dev, &dev->cold)))
		park(req);
}

static bool disk_in_plan(struct drbd_device *dev)
{
	const struct io_plan *plan;
	bool local;

	rcu_read_lock();
	plan = READ_ONCE(dev->ldev.plan);
	local = plan && plan->local_disk;
	rcu_read_unlock();
	return local;
}

static void heat_cold(struct drbd_device *dev)
{
	struct drbd_backing *b;

	if (list_empty_careful(&dev->cold))
		return;
	b = disk_in_plan(dev) ? drbd_backing_get(dev) : NULL;
	if (!b) {
		cold_without_disk(dev);
		return;
	}
	while (heat_batch(dev, b))
		;
	drbd_backing_put(b);
}

/* Reads that the disk has failed. */
static void retry_failed(struct drbd_device *dev)
{
	struct bio_list bios;
	struct bio *bio;

	if (bio_list_empty(&dev->failed_reads))
		return;
	spin_lock_irq(&dev->submit_lock);
	bios = dev->failed_reads;
	bio_list_init(&dev->failed_reads);
	spin_unlock_irq(&dev->submit_lock);
	while ((bio = bio_list_pop(&bios))) {
		struct drbd_request *req = request_alloc(dev, bio);

		atomic_dec(&dev->app_pending);	/* as a read that was passed on */
		req->tried_local = true;
		req->error = blk_status_to_errno(bio->bi_status);
		bio->bi_status = BLK_STS_OK;
		start_read(req);
	}
}

static void submit_parked(struct drbd_device *dev)
{
	struct bio_list bios;
	struct bio *bio;

	bio_list_init(&bios);
	if (bio_list_empty(&dev->parked))
		return;
	switch (admission(dev)) {
	case PLAN_PARK:
		return;
	case PLAN_NEW_GENERATION:
		/* they were parked for another reason: nobody has asked for it yet */
		drbd_post(dev->res, &dev->ev_gen);
		return;
	}
	spin_lock_irq(&dev->submit_lock);
	bio_list_merge(&bios, &dev->parked);
	bio_list_init(&dev->parked);
	spin_unlock_irq(&dev->submit_lock);
	while ((bio = bio_list_pop(&bios)))
		submit_one(dev, bio);
}

void drbd_submit_work(struct work_struct *work)
{
	struct drbd_device *dev = container_of(work, struct drbd_device, submit_work);
	struct drbd_request *req;

	while ((req = pop_request(dev, &dev->remakes)))
		remake(req);
	while ((req = pop_request(dev, &dev->granted)))
		go_on(req);
	while ((req = pop_request(dev, &dev->retries)))
		retry_read(req);
	retry_failed(dev);
	drbd_peer_writes_cold(dev);
	heat_cold(dev);
	submit_parked(dev);
}

/* --- consequences of log calls --------------------------------------------------------------------- */

void drbd_request_act(struct drbd_request *req, u32 what)
{
	struct drbd_device *dev = req->dev;

	if (what & LOG_COMPLETE)
		complete_bio(req, req->error);
	if (what & LOG_AGAIN)
		park_bio(req);
	if (what & LOG_REMAKE) {
		drbd_request_hold(req);
		queue_for_work(req, &dev->remakes);
	}
	/* the log gives a read back with its end; a write it keeps until it retires */
	if (what & LOG_RETRY)
		queue_retry(req);
	else if ((what & LOG_COMPLETE) && !req->write)
		drbd_request_put(req);
	if (what & LOG_DONE)
		drbd_retire_kick(dev->res);
	if (what & LOG_SEND)
		drbd_senders_kick(dev->res);
	drbd_request_put(req);
}

static void sink_emit(struct log_sink *core, struct log_entry *e, u32 what)
{
	struct drbd_sink *s = container_of(core, struct drbd_sink, core);
	struct drbd_request *req = e->owner;

	s->what |= what;
	if (e->kind == LOG_MARKER || !req)
		return;
	if (!req->what) {
		drbd_request_grab(req, what);
		list_add_tail(&req->walk, &s->list);
	} else if (what & LOG_COMPLETE) {
		req->error = e->error;
	}
	req->what |= what;
}

void drbd_sink_init(struct drbd_sink *s)
{
	s->core.emit = sink_emit;
	INIT_LIST_HEAD(&s->list);
	s->what = 0;
}

void drbd_sink_run(struct drbd_resource *res, struct drbd_sink *s)
{
	struct drbd_request *req, *tmp;

	list_for_each_entry_safe(req, tmp, &s->list, walk) {
		u32 what = req->what;

		list_del_init(&req->walk);
		req->what = 0;
		drbd_request_act(req, what);
	}
	if (s->what & LOG_DONE)
		drbd_retire_kick(res);
	if (s->what & LOG_SEND)
		drbd_senders_kick(res);
}
