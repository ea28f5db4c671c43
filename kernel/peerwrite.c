// SPDX-License-Identifier: GPL-2.0
/*
 * Writes that arrive from a peer (DESIGN 3.2): counted in their receive epoch
 * at once, held until their epoch may go, kept apart from overlapping ones,
 * written, acked - and the barrier acks behind them.
 */
#include <linux/slab.h>

#include "glue.h"

/*
 * Pages of peer requests go round: a kernel that clears what it allocates would
 * write each block twice. Up to POOL_MAX of them wait here for the next request.
 */
#define POOL_MAX 1024u

static LIST_HEAD(pool);
static u32 pool_pages;
static DEFINE_SPINLOCK(pool_lock);

/* Up to @n pages onto @to; how many there were. */
static u32 pool_take(struct list_head *to, u32 n)
{
	unsigned long flags;
	u32 i;

	spin_lock_irqsave(&pool_lock, flags);
	n = min(n, pool_pages);
	for (i = 0; i < n; i++)
		list_move(pool.next, to);
	pool_pages -= n;
	spin_unlock_irqrestore(&pool_lock, flags);
	return n;
}

static void free_pages_of(struct list_head *pages)
{
	struct page *page, *tmp;

	list_for_each_entry_safe(page, tmp, pages, lru)
		__free_page(page);
}

static void pool_give(struct list_head *pages, u32 n)
{
	unsigned long flags;
	bool taken;

	spin_lock_irqsave(&pool_lock, flags);
	taken = pool_pages + n <= POOL_MAX;
	if (taken) {
		list_splice(pages, &pool);
		pool_pages += n;
	}
	spin_unlock_irqrestore(&pool_lock, flags);
	if (!taken)
		free_pages_of(pages);
}

static void pool_empty(void)
{
	LIST_HEAD(pages);

	pool_take(&pages, POOL_MAX);
	free_pages_of(&pages);
}

static struct workqueue_struct *peer_wq;

int drbd_syncio_init(void)
{
	peer_wq = alloc_workqueue("drbd_peer", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	return peer_wq ? 0 : -ENOMEM;
}

void drbd_syncio_exit(void)
{
	destroy_workqueue(peer_wq);
	pool_empty();
}

/* What the control half says of this peer at the moment; nothing of it while it has no plan. */
struct plan_peer drbd_plan_of(const struct drbd_peer_device *pd)
{
	struct plan_peer p = { .slot = -1 };
	const struct io_plan *plan;

	rcu_read_lock();
	plan = READ_ONCE(pd->dev->ldev.plan);
	if (plan)
		p = plan->peer[pd->conn->index];
	rcu_read_unlock();
	return p;
}

void drbd_peer_queue(struct work_struct *work)
{
	queue_work(peer_wq, work);
}

/* --- requests and their pages ---------------------------------------------------------- */

static void bio_free_pages_and_put(struct drbd_peer_req *pr)
{
	struct bvec_iter_all iter;
	struct bio_vec *bv;
	LIST_HEAD(pages);

	if (!pr->bio)
		return;
	bio_for_each_segment_all(bv, pr->bio, iter)
		list_add(&bv->bv_page->lru, &pages);
	pool_give(&pages, pr->pages);
	bio_put(pr->bio);
	atomic_sub(pr->pages, &pr->pd->conn->buffers);
	pr->bio = NULL;
	pr->pages = 0;
}

/* max-buffers is soft: over it wait a little, then take (behaviour.md 19.4). */
static void wait_for_buffers(struct drbd_connection *conn)
{
	if ((u32)atomic_read(&conn->buffers) <= conn->conf.max_buffers)
		return;
	drbd_receiver_idle(conn);
	wait_event_timeout(conn->idle_wait,
			   (u32)atomic_read(&conn->buffers) <= conn->conf.max_buffers, HZ / 10);
}

/* The peer's memory may hang on acks that wait for the receiver: they go out first. */
static struct page *get_page_for(struct drbd_connection *conn)
{
	struct page *page = alloc_page(GFP_NOWAIT | __GFP_NOWARN);

	if (page)
		return page;
	drbd_receiver_idle(conn);
	return alloc_page(GFP_NOIO | __GFP_NOFAIL);
}

/* A bio with pages for the payload. From the receiver: may sleep. */
void drbd_peer_req_pages(struct drbd_peer_req *pr)
{
	u32 left = pr->size, nr = DIV_ROUND_UP(pr->size, PAGE_SIZE);
	struct page *page;
	LIST_HEAD(pages);

	wait_for_buffers(pr->pd->conn);
	pr->bio = compat_bio_alloc(NULL, nr, REQ_OP_WRITE, GFP_NOIO);
	pr->bio->bi_private = pr;
	pr->bio->bi_iter.bi_sector = pr->sector;
	pool_take(&pages, nr);
	while (left) {
		u32 n = min_t(u32, left, PAGE_SIZE);

		page = list_first_entry_or_null(&pages, struct page, lru);
		if (page)
			list_del(&page->lru);
		else
			page = get_page_for(pr->pd->conn);
		__bio_add_page(pr->bio, page, n, 0);
		left -= n;
	}
	pr->pages = nr;
	atomic_add(nr, &pr->pd->conn->buffers);
}

struct drbd_peer_req *drbd_peer_req_alloc(struct drbd_peer_device *pd, u64 sector, u32 size,
					  u8 kind, bool pages)
{
	struct drbd_peer_req *pr = kzalloc(sizeof(*pr), GFP_NOIO | __GFP_NOFAIL);

	INIT_LIST_HEAD(&pr->node);
	INIT_LIST_HEAD(&pr->rs_node);
	pr->ack = kmalloc(sizeof(*pr->ack), GFP_NOIO | __GFP_NOFAIL);
	pr->pd = pd;
	pr->sector = sector;
	pr->size = size;
	pr->kind = kind;
	if (pages)
		drbd_peer_req_pages(pr);
	return pr;
}

void drbd_peer_req_drop_pages(struct drbd_peer_req *pr)
{
	bio_free_pages_and_put(pr);
}

void drbd_peer_req_free(struct drbd_peer_req *pr)
{
	bio_free_pages_and_put(pr);
	drbd_digest_put(pr->alg);
	kfree(pr->ack);
	kfree(pr);
}

/* Takes the request's ack with it. */
void drbd_peer_req_ack(struct drbd_peer_req *pr, u16 cmd, u64 block_id)
{
	struct drbd_ack *ack = pr->ack;

	pr->ack = NULL;
	drbd_ack_send_block(pr->pd, ack, cmd, pr->sector, pr->size, block_id);
}

void drbd_peer_active(struct drbd_connection *conn)
{
	atomic_inc(&conn->active);
}

void drbd_peer_inactive(struct drbd_connection *conn)
{
	if (atomic_dec_and_test(&conn->active))
		wake_up(&conn->idle_wait);
}

void drbd_wait_peer_idle(struct drbd_connection *conn)
{
	wait_event(conn->idle_wait, !atomic_read(&conn->active));
}

/*
 * The same for the receiver in the middle of a packet. A write of the peer may wait for
 * one of ours, which ends only when the receiver has drained: so a link that is being
 * taken down ends the wait. False then.
 */
bool drbd_receiver_wait_idle(struct drbd_connection *conn)
{
	wait_event(conn->idle_wait, !atomic_read(&conn->active) || READ_ONCE(conn->dropped));
	return !READ_ONCE(conn->dropped);
}

/* --- the end of a write ------------------------------------------------------------------ */

static void clear_in_sync(struct drbd_peer_req *pr)
{
	struct drbd_device *dev = pr->pd->dev;
	unsigned long flags;
	s32 slot = READ_ONCE(pr->pd->slot);

	spin_lock_irqsave(&dev->bm_lock, flags);
	if (dev->bitmap && slot >= 0)
		drbd_bitmap_update(&dev->bitmap->core, pr->sector, pr->size, 0, 1u << slot);
	spin_unlock_irqrestore(&dev->bm_lock, flags);
}

static void tell_conflict(const struct drbd_peer_req *pr, const struct io_range *with)
{
	struct drbd_device *dev = pr->pd->dev;

	/* a cluster file system may write one block from both sides; parts of blocks it does not */
	if (with->sector != pr->sector || with->sectors != pr->size >> SECTOR_BITS)
		pr_info_ratelimited("drbd %s: %u drbd%u: Concurrent writes detected: local=%llus +%llu, remote=%llus +%u, assuming local came first\n",
				    dev->res->name, dev->vnr, dev->minor,
				    (unsigned long long)with->sector,
				    (unsigned long long)with->sectors << SECTOR_BITS,
				    (unsigned long long)pr->sector, pr->size);
}

static void epoch_changed(struct drbd_connection *conn, u32 tag,
			  void (*change)(struct recv_epochs *, u32))
{
	unsigned long flags;
	bool steps;

	spin_lock_irqsave(&conn->epoch_lock, flags);
	change(&conn->epochs, tag);
	steps = drbd_recv_has_steps(&conn->epochs);
	spin_unlock_irqrestore(&conn->epoch_lock, flags);
	if (steps && atomic_fetch_inc(&conn->epoch_kicks) == 0)
		queue_work(peer_wq, &conn->epoch_work);
}

/* Any context. The order: bits, ack, epoch - a barrier ack follows all its acks. */
static void write_finished(struct drbd_peer_req *pr, int error)
{
	struct drbd_peer_device *pd = pr->pd;
	struct drbd_connection *conn = pd->conn;
	struct drbd_device *dev = pd->dev;

	if (pr->hot)
		drbd_al_drop(dev, pr->al_gen, pr->sector, pr->size);
	if (error) {
		drbd_err(dev->res, "%u drbd%u: writing a block of the peer failed at sector %llu (%d)",
			 dev->vnr, dev->minor, (unsigned long long)pr->sector, error);
		drbd_post(dev->res, &dev->ev_error);
		drbd_peer_req_ack(pr, P_NEG_ACK, pr->block_id);
	} else {
		if (pr->in_sync)
			clear_in_sync(pr);
		if (pr->acks.on_success)
			drbd_peer_req_ack(pr, pr->acks.on_success, pr->block_id);
	}
	/* behind the ack: a write of ours that waited for it has a higher sequence number */
	if (pr->range.inserted)
		drbd_range_end(dev, &pr->range);
	if (pr->backing)
		drbd_backing_put(pr->backing);
	atomic_dec(&pd->unacked);
	epoch_changed(conn, pr->tag, drbd_recv_write_done);
	drbd_peer_req_free(pr);
	drbd_peer_inactive(conn);
}

/* Two Primaries: it met a write of ours that counts as the first of the two. */
static void write_yields(struct drbd_peer_req *pr, u16 cmd)
{
	struct drbd_peer_device *pd = pr->pd;
	struct drbd_connection *conn = pd->conn;
	u64 sector = pr->sector, block_id = pr->block_id;
	struct drbd_backing *backing = pr->backing;
	struct drbd_ack *ack = pr->ack;
	u32 size = pr->size, tag = pr->tag;
	unsigned long flags;

	pr->ack = NULL;
	drbd_peer_req_drop_pages(pr);
	atomic_dec(&pd->unacked);
	if (cmd == P_SUPERSEDED) {
		/* the ack first: a barrier ack that follows does not count it */
		drbd_ack_send_block(pd, ack, cmd, sector, size, block_id);
		epoch_changed(conn, tag, drbd_recv_write_superseded);
		drbd_peer_req_free(pr);
	} else {
		/* on the list first: it may come again as soon as the peer has the ack */
		epoch_changed(conn, tag, drbd_recv_write_retried);
		spin_lock_irqsave(&conn->epoch_lock, flags);
		list_add_tail(&pr->node, &conn->retried);
		spin_unlock_irqrestore(&conn->epoch_lock, flags);
		drbd_ack_send_block(pd, ack, cmd, sector, size, block_id);
	}
	drbd_backing_put(backing);	/* behind all: see drbd_peer_writes_give_up() */
	drbd_peer_inactive(conn);
}

/* The peer sends nothing that overlaps a write to be retried, but that write again. */
static void comes_again(struct drbd_peer_device *pd, u64 sector, u32 size)
{
	struct drbd_connection *conn = pd->conn;
	struct drbd_peer_req *pr, *tmp;
	LIST_HEAD(again);

	if (list_empty_careful(&conn->retried))
		return;
	spin_lock_irq(&conn->epoch_lock);
	list_for_each_entry_safe(pr, tmp, &conn->retried, node)
		if (pr->pd == pd && pr->sector < sector + (size >> SECTOR_BITS) &&
		    sector < pr->sector + (pr->size >> SECTOR_BITS))
			list_move_tail(&pr->node, &again);
	spin_unlock_irq(&conn->epoch_lock);
	list_for_each_entry_safe(pr, tmp, &again, node) {
		list_del_init(&pr->node);
		epoch_changed(conn, pr->tag, drbd_recv_came_again);
		drbd_peer_req_free(pr);
	}
}

/* The disk is closed. The peer sends no writes to it: those to be retried do not come again. */
void drbd_peer_writes_give_up(struct drbd_device *dev)
{
	struct drbd_peer_device *pd;
	struct drbd_peer_req *pr, *tmp;
	unsigned long flags;
	LIST_HEAD(gone);

	rcu_read_lock();
	list_for_each_entry_rcu(pd, &dev->peer_devices, of_dev) {
		struct drbd_connection *conn = pd->conn;
		bool steps;

		spin_lock_irqsave(&conn->epoch_lock, flags);
		list_for_each_entry_safe(pr, tmp, &conn->retried, node) {
			if (pr->pd != pd)
				continue;
			list_move_tail(&pr->node, &gone);
			drbd_recv_came_again(&conn->epochs, pr->tag);
		}
		steps = drbd_recv_has_steps(&conn->epochs);
		spin_unlock_irqrestore(&conn->epoch_lock, flags);
		if (steps && atomic_fetch_inc(&conn->epoch_kicks) == 0)
			queue_work(peer_wq, &conn->epoch_work);
	}
	rcu_read_unlock();
	list_for_each_entry_safe(pr, tmp, &gone, node) {
		list_del_init(&pr->node);
		drbd_peer_req_free(pr);
	}
}

/* The link broke before its epoch was released: as if it had never come. */
void drbd_peer_write_dropped(struct drbd_peer_req *pr)
{
	struct drbd_connection *conn = pr->pd->conn;

	if (pr->backing)
		drbd_backing_put(pr->backing);
	atomic_dec(&pr->pd->unacked);
	drbd_peer_req_free(pr);
	drbd_peer_inactive(conn);
}

static void write_end(struct bio *bio)
{
	struct drbd_peer_req *pr = bio->bi_private;

	atomic_dec(&pr->pd->dev->local_pending);
	write_finished(pr, blk_status_to_errno(bio->bi_status));
}

/* --- to the disk ------------------------------------------------------------------------------- */

static void discard_work(struct work_struct *work)
{
	struct drbd_peer_req *pr = container_of(work, struct drbd_peer_req, work);

	write_finished(pr, drbd_discard(pr->pd->dev, pr->backing, pr->op, pr->flags & DP_DISCARD,
					pr->sector, pr->size));
}

static void submit(struct drbd_peer_req *pr)
{
	struct drbd_device *dev = pr->pd->dev;

	if (pr->op != LOG_OP_DATA) {
		INIT_WORK(&pr->work, discard_work);
		queue_work(peer_wq, &pr->work);
		return;
	}
	pr->bio->bi_opf = REQ_OP_WRITE | (pr->flags & DP_RW_SYNC ? REQ_SYNC : 0) |
			  (pr->flags & DP_FUA ? REQ_FUA : 0) |
			  (pr->flags & DP_FLUSH ? REQ_PREFLUSH : 0);
	bio_set_dev(pr->bio, pr->backing->bdev);
	pr->bio->bi_end_io = write_end;
	atomic_inc(&dev->local_pending);
	atomic64_add(pr->size >> SECTOR_BITS, &dev->write_sectors);
	submit_bio_noacct(pr->bio);
}

static void submit_work(struct work_struct *work)
{
	submit(container_of(work, struct drbd_peer_req, work));
}

static void ready(struct drbd_peer_req *pr)
{
	struct drbd_device *dev = pr->pd->dev;
	unsigned long flags;

	if (!pr->track) {
		INIT_WORK(&pr->work, submit_work);
		if (in_task() && !irqs_disabled())
			submit(pr);
		else
			queue_work(peer_wq, &pr->work);
		return;
	}
	drbd_bits_set(dev, pr->pd, pr->sector, pr->size);
	spin_lock_irqsave(&dev->submit_lock, flags);
	list_add_tail(&pr->node, &dev->peer_cold);
	spin_unlock_irqrestore(&dev->submit_lock, flags);
	drbd_submit_kick(dev);
}

/* From the submit work: makes extents of peer writes hot, a transaction at a time. */
void drbd_peer_writes_cold(struct drbd_device *dev)
{
	struct drbd_peer_req *pr;
	enum al_prepare r;

	while (true) {
		spin_lock_irq(&dev->submit_lock);
		pr = list_first_entry_or_null(&dev->peer_cold, struct drbd_peer_req, node);
		if (pr)
			list_del_init(&pr->node);
		spin_unlock_irq(&dev->submit_lock);
		if (!pr)
			return;
		spin_lock_irq(&dev->extent_lock);
		r = drbd_al_prepare(&dev->al->core, drbd_al_first(pr->sector),
				    drbd_al_last(pr->sector, pr->size));
		pr->al_gen = dev->al_gen;
		spin_unlock_irq(&dev->extent_lock);
		if (r == AL_STARVING && READ_ONCE(pr->pd->conn->dropped)) {
			/* those that have the extents may wait until this one has ended */
			drbd_range_end(dev, &pr->range);
			drbd_peer_write_dropped(pr);
			continue;
		}
		if (r == AL_STARVING || r == AL_BATCH_FULL) {
			spin_lock_irq(&dev->submit_lock);
			list_add(&pr->node, &dev->peer_cold);
			spin_unlock_irq(&dev->submit_lock);
			if (r == AL_STARVING || drbd_al_commit(dev, pr->backing))
				return;
			continue;
		}
		pr->hot = r != AL_LOST;
		if (!pr->hot || drbd_al_commit(dev, pr->backing))
			write_finished(pr, -EIO);
		else
			submit(pr);
	}
}

void drbd_peer_write_granted(struct drbd_peer_req *pr)
{
	struct drbd_device *dev = pr->pd->dev;

	spin_lock_irq(&dev->extent_lock);
	list_del_init(&pr->rs_node);
	spin_unlock_irq(&dev->extent_lock);
	ready(pr);
}

/*
 * The link is gone. A write that waits for one of ours, or for its extents, may wait for
 * ever: ours ends when the loss is resolved, and that is done when the peer's writes have
 * ended. Nothing of it was acked: as if it had never come.
 */
void drbd_peer_writes_forget(struct drbd_connection *conn)
{
	struct drbd_peer_req *pr, *tmp;
	struct drbd_peer_device *pd;
	struct core_node granted;
	LIST_HEAD(gone);

	core_list_init(&granted);
	list_for_each_entry(pd, &conn->peer_devices, of_conn) {
		spin_lock_irq(&pd->dev->extent_lock);
		list_for_each_entry_safe(pr, tmp, &pd->write_waits, rs_node) {
			if (!pr->range.waiting)
				continue;	/* granted, and on its way */
			list_move_tail(&pr->rs_node, &gone);
			drbd_range_release(&pd->dev->ranges, &pr->range, &granted);
		}
		spin_unlock_irq(&pd->dev->extent_lock);
		drbd_ranges_granted(pd->dev, &granted);
		drbd_submit_kick(pd->dev);
	}
	list_for_each_entry_safe(pr, tmp, &gone, rs_node) {
		list_del_init(&pr->rs_node);
		drbd_peer_write_dropped(pr);
	}
	spin_lock_irq(&conn->epoch_lock);
	list_splice_init(&conn->retried, &gone);
	spin_unlock_irq(&conn->epoch_lock);
	list_for_each_entry_safe(pr, tmp, &gone, node) {
		list_del_init(&pr->node);
		drbd_peer_req_free(pr);
	}
}

/* Its epoch may go to the disk. */
void drbd_peer_write_go(struct drbd_peer_req *pr)
{
	u8 conflicts = drbd_plan_of(pr->pd).conflicts;
	struct drbd_device *dev = pr->pd->dev;
	struct io_range *with;
	enum range_result r;
	unsigned long flags;

	drbd_range_init(&pr->range, RANGE_PEER_WRITE, pr->sector, pr->size, pr);
	spin_lock_irqsave(&dev->extent_lock, flags);
	if (conflicts == RANGE_WAIT_IN_TURN) {
		r = drbd_range_reserve(&dev->ranges, &pr->range);
	} else {
		spin_lock(&dev->res->log_lock);
		r = drbd_range_reserve_dual(&dev->ranges, &pr->range, &dev->res->log,
					    pr->pd->conn->index, conflicts, &with);
		spin_unlock(&dev->res->log_lock);
	}
	if (r == RANGE_WAITS)
		list_add_tail(&pr->rs_node, &pr->pd->write_waits);
	if (r == RANGE_SUPERSEDED || r == RANGE_RETRY)
		tell_conflict(pr, with);
	spin_unlock_irqrestore(&dev->extent_lock, flags);
	if (r == RANGE_GRANTED)
		ready(pr);
	else if (r != RANGE_WAITS)
		write_yields(pr, r == RANGE_RETRY ? P_RETRY_WRITE : P_SUPERSEDED);
}

/* --- reception -------------------------------------------------------------------------------------- */

/* A trim of a peer that has no other word for it promises zeroes. wire.md 6.3 */
static u8 op_of(const struct drbd_connection *conn, u16 cmd)
{
	if (cmd == P_TRIM)
		return conn->wire.features & FEATURE_WZEROES ? LOG_OP_DISCARD : LOG_OP_ZEROES;
	return cmd == P_ZEROES ? LOG_OP_ZEROES : LOG_OP_DATA;
}

/* No disk here: the write is counted and refused, the payload forgotten. */
static int refuse_write(struct drbd_connection *conn, struct drbd_peer_req *pr,
			const struct wire_data *d)
{
	bool payload = pr->op == LOG_OP_DATA;

	drbd_peer_req_ack(pr, P_NEG_ACK, pr->block_id);
	epoch_changed(conn, pr->tag, drbd_recv_write_done);
	drbd_peer_req_free(pr);
	return payload ? drbd_drain_payload(conn, d) : 0;
}

/* With two Primaries the deciding one reads the writes and acks of the peer in their order. */
static int await_sequence(struct drbd_connection *conn, struct drbd_peer_device *pd, u32 seq)
{
	if (drbd_plan_of(pd).conflicts == RANGE_DECIDE &&
	    !wait_event_timeout(conn->rcv_wait, READ_ONCE(conn->dropped) ||
				drbd_recv_in_sequence(pd->seq_data,
						      smp_load_acquire(&pd->seq_acks), seq),
				conn->conf.ping_timeo * HZ / 10 + 1)) {
		drbd_err(conn->res, "%s: Timed out waiting for missing ack packets; disconnecting",
			 conn->conf.name);
		return -ETIMEDOUT;
	}
	pd->seq_data = seq;
	return 0;
}

int drbd_recv_data(struct drbd_connection *conn, struct drbd_peer_device *pd,
		   const struct packet_header *hdr, const struct wire_data *d)
{
	struct plan_peer plan = drbd_plan_of(pd);
	bool payload = hdr->cmd == P_DATA;
	struct drbd_peer_req *pr;
	enum recv_submit now;
	int err;

	err = await_sequence(conn, pd, d->seq);
	if (err)
		return err;
	comes_again(pd, d->sector, d->size);
	pr = drbd_peer_req_alloc(pd, d->sector, d->size, PEER_WRITE, false);
	pr->block_id = d->block_id;
	pr->flags = d->flags;
	pr->op = op_of(conn, hdr->cmd);
	pr->track = plan.track;
	pr->in_sync = (d->flags & DP_MAY_SET_IN_SYNC) && plan.clear_in_sync && !plan.track;
	pr->acks = drbd_recv_acks(conn->wire.version, d->flags, conn->conf.wire_protocol,
				  pr->in_sync);
	pr->backing = drbd_backing_get(pd->dev);
	if (payload && pr->backing) {
		drbd_peer_req_pages(pr);
		err = drbd_recv_payload(conn, pr->bio, d);
		if (err) {
			drbd_backing_put(pr->backing);
			drbd_peer_req_free(pr);
			return err;
		}
	}
	atomic64_add(d->size >> SECTOR_BITS, &pd->recv_sectors);
	spin_lock_irq(&conn->epoch_lock);
	now = drbd_recv_write(&conn->epochs, &pr->tag);
	if (now == RECV_HOLD && pr->backing)
		list_add_tail(&pr->node, &conn->held);
	spin_unlock_irq(&conn->epoch_lock);
	if (!pr->backing)
		return refuse_write(conn, pr, d);
	drbd_peer_active(conn);
	atomic_inc(&pd->unacked);
	if (pr->acks.on_receive)
		drbd_ack_send_block(pd, kmalloc(sizeof(struct drbd_ack), GFP_NOIO | __GFP_NOFAIL),
				    pr->acks.on_receive, d->sector, d->size, d->block_id);
	if (now == RECV_GO)
		drbd_peer_write_go(pr);
	return 0;
}

/* --- epochs -------------------------------------------------------------------------------------------- */

static bool must_flush(const struct drbd_device *dev, const struct drbd_backing *b)
{
	return READ_ONCE(dev->disk_conf.disk_flushes) && compat_write_cache(b->bdev);
}

/* Whether a flush, which covers every backing device of the resource, has anything to do. */
static bool has_cache(struct drbd_resource *res)
{
	struct drbd_device *dev;
	bool any = false;

	list_for_each_entry_rcu(dev, &res->devices, node, true) {
		struct drbd_backing *b = drbd_backing_get(dev);

		if (!b)
			continue;
		any |= must_flush(dev, b);
		drbd_backing_put(b);
	}
	return any;
}

static bool flush_all(struct drbd_resource *res)
{
	struct drbd_device *dev;
	bool ok = true;

	list_for_each_entry_rcu(dev, &res->devices, node, true) {
		struct drbd_backing *b = drbd_backing_get(dev);

		if (!b)
			continue;
		if (must_flush(dev, b) && compat_flush(b->bdev))
			ok = false;
		drbd_backing_put(b);
	}
	return ok;
}

static void send_barrier_ack(struct drbd_connection *conn, u32 number, u32 count)
{
	struct wire_barrier b = { .number = number, .set_size = count };
	u8 body[WIRE_BODY_MAX];
	u32 len = drbd_wire_put_barrier(P_BARRIER_ACK, body, &b);

	drbd_ack_queue(conn, P_BARRIER_ACK, 0, body, len);
}

static void release_epoch(struct drbd_connection *conn, u32 tag)
{
	struct drbd_peer_req *pr, *tmp;
	LIST_HEAD(go);

	spin_lock_irq(&conn->epoch_lock);
	list_for_each_entry_safe(pr, tmp, &conn->held, node)
		if (pr->tag == tag)
			list_move_tail(&pr->node, &go);
	spin_unlock_irq(&conn->epoch_lock);
	list_for_each_entry_safe(pr, tmp, &go, node) {
		list_del_init(&pr->node);
		drbd_peer_write_go(pr);
	}
}

static void flush_epoch(struct drbd_connection *conn)
{
	bool ok = flush_all(conn->res);

	spin_lock_irq(&conn->epoch_lock);
	drbd_recv_flushed(&conn->epochs, ok);
	spin_unlock_irq(&conn->epoch_lock);
}

/* False: a disk must be flushed first, which only the work does. */
static bool epoch_steps(struct drbd_connection *conn, bool may_flush)
{
	struct recv_step step;

	while (true) {
		spin_lock_irq(&conn->epoch_lock);
		drbd_recv_next(&conn->epochs, &step);
		spin_unlock_irq(&conn->epoch_lock);
		switch (step.action) {
		case RECV_NOTHING:
			return true;
		case RECV_DO_FLUSH:
			if (!may_flush && has_cache(conn->res))
				return false;
			flush_epoch(conn);
			break;
		case RECV_DO_ACK:
			send_barrier_ack(conn, step.number, step.count);
			break;
		case RECV_DO_RELEASE:
			release_epoch(conn, step.tag);
			break;
		}
	}
}

/*
 * Whoever raises epoch_kicks from zero takes the steps until it is zero again: the
 * receiver with each barrier, or the work, which also takes over where the receiver
 * would have to wait for a disk.
 */
static void run_epochs(struct drbd_connection *conn, bool may_flush)
{
	int seen;

	do {
		seen = atomic_read(&conn->epoch_kicks);
		if (!epoch_steps(conn, may_flush)) {
			conn->flush_due = true;
			queue_work(peer_wq, &conn->epoch_work);
			return;
		}
	} while (atomic_sub_return(seen, &conn->epoch_kicks));
}

void drbd_epoch_work(struct work_struct *work)
{
	struct drbd_connection *conn = container_of(work, struct drbd_connection, epoch_work);

	if (conn->flush_due) {
		conn->flush_due = false;
		flush_epoch(conn);
	}
	run_epochs(conn, true);
}

int drbd_peer_barrier(struct drbd_connection *conn, u32 number)
{
	bool taken;

	while (true) {
		spin_lock_irq(&conn->epoch_lock);
		taken = drbd_recv_barrier(&conn->epochs, number);
		spin_unlock_irq(&conn->epoch_lock);
		if (atomic_fetch_inc(&conn->epoch_kicks) == 0)
			run_epochs(conn, false);
		if (taken)
			return 0;
		if (READ_ONCE(conn->dropped))
			return -ECONNRESET;
		schedule_timeout_uninterruptible(1);
	}
}
