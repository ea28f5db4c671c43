// SPDX-License-Identifier: GPL-2.0
/*
 * Reads for a peer, and both sides of a resync: the target asks for what its
 * bitmap says and writes what comes, the source reads and keeps the range until
 * the target has acked it (behaviour.md 14). Which block is next and when it is
 * finished is core's (core/data/resync.c, rate.c).
 */
#include <linux/highmem.h>
#include <linux/slab.h>

#include "syncio.h"

static u64 now_ms(void)
{
	return ktime_get_ns() / NSEC_PER_MSEC;
}

void drbd_bits_set(struct drbd_device *dev, struct drbd_peer_device *pd, u64 sector, u32 size)
{
	s32 slot = READ_ONCE(pd->slot);
	u64 first, last, changed;
	unsigned long flags;

	spin_lock_irqsave(&dev->bm_lock, flags);
	if (dev->bitmap && slot >= 0 &&
	    drbd_bitmap_bits_out(&dev->bitmap->core, sector, size, &first, &last)) {
		changed = drbd_bitmap_set(&dev->bitmap->core, slot, first, last);
		if (pd->resync_runs)
			drbd_resync_bits_set(&pd->pass, first, changed);
	}
	spin_unlock_irqrestore(&dev->bm_lock, flags);
}

int drbd_recv_out_of_sync(struct drbd_peer_device *pd, const struct wire_block *b)
{
	/* a write that is still active might clear the bit again; the peer has its own bit */
	if (!drbd_receiver_wait_idle(pd->conn))
		return -ECONNRESET;
	/* nor may the reply to a request that is older than this notice */
	spin_lock_irq(&pd->dev->extent_lock);
	drbd_range_touch(&pd->dev->ranges, 1u << RANGE_RESYNC_REQUEST, b->sector,
			 b->size >> SECTOR_BITS);
	spin_unlock_irq(&pd->dev->extent_lock);
	drbd_bits_set(pd->dev, pd, b->sector, b->size);
	return 0;
}

static void rs_done(struct drbd_peer_req *pr, enum resync_result result)
{
	struct drbd_peer_device *pd = pr->pd;
	unsigned long flags;

	spin_lock_irqsave(&pd->dev->bm_lock, flags);
	/* what an earlier pass has asked for does not count in this one */
	if (pd->resync_runs && (!pd->pass.target || pr->tag == pd->rs_run))
		drbd_resync_done(&pd->pass, pr->sector, pr->size, result);
	spin_unlock_irqrestore(&pd->dev->bm_lock, flags);
	drbd_sender_kick(pd->conn);
}

/* --- a list of what is under way, by address ---------------------------------------------- */

struct drbd_peer_req *drbd_rs_take(struct drbd_peer_device *pd, struct list_head *list,
				   u64 sector, u32 size)
{
	struct drbd_peer_req *pr, *found = NULL;
	unsigned long flags;

	spin_lock_irqsave(&pd->dev->extent_lock, flags);
	list_for_each_entry(pr, list, rs_node)
		if (pr->sector == sector && pr->size == size) {
			found = pr;
			break;
		}
	if (found)
		list_del_init(&found->rs_node);
	spin_unlock_irqrestore(&pd->dev->extent_lock, flags);
	return found;
}

void drbd_rs_queue(struct drbd_peer_req *pr, struct list_head *list)
{
	struct drbd_connection *conn = pr->pd->conn;
	unsigned long flags;

	spin_lock_irqsave(&conn->snd_lock, flags);
	list_add_tail(&pr->node, list);
	spin_unlock_irqrestore(&conn->snd_lock, flags);
	drbd_sender_kick(conn);
}

void drbd_rs_release(struct drbd_peer_req *pr)
{
	if (pr->range2.inserted)
		drbd_range_end(pr->pd->dev, &pr->range2);
	if (pr->range.inserted)
		drbd_range_end(pr->pd->dev, &pr->range);
}

/* --- reading for the peer -------------------------------------------------------------------- */

void drbd_rs_refuse(struct drbd_peer_req *pr, u16 cmd)
{
	drbd_peer_req_ack(pr, cmd, pr->block_id);
	drbd_rs_release(pr);
	drbd_peer_req_free(pr);
}

static void source_read_failed(struct drbd_peer_req *pr)
{
	drbd_rs_take(pr->pd, &pr->pd->rs_reads, pr->sector, pr->size);
	rs_done(pr, RESYNC_FAILED);
	drbd_rs_refuse(pr, P_NEG_RS_DREPLY);
}

/* The digest of what was read, to @out; its length. The algorithm is let go. */
static u32 make_digest(struct drbd_peer_req *pr, u8 *out)
{
	u32 size = pr->alg->size;

	drbd_digest_bio(pr->alg, pr->bio, &pr->iter, out);
	drbd_digest_put(pr->alg);
	pr->alg = NULL;
	return size;
}

static bool all_zeroes(struct drbd_peer_req *pr)
{
	struct bvec_iter iter;
	struct bio_vec bv;
	bool zeroes = true;

	__bio_for_each_segment(bv, pr->bio, iter, pr->iter) {
		void *p = compat_map(bv.bv_page);

		zeroes = zeroes && !memchr_inv(p + bv.bv_offset, 0, bv.bv_len);
		compat_unmap(p);
	}
	return zeroes;
}

/* As source of a thin target: what is all zeroes need not be allocated there. */
static void source_thin(struct drbd_peer_req *pr)
{
	if (all_zeroes(pr))
		pr->op = LOG_OP_DISCARD;
	drbd_rs_queue(pr, &pr->pd->conn->replies);
}

/* As source: the target has the same block, or gets ours. */
static void source_compare(struct drbd_peer_req *pr)
{
	struct drbd_peer_device *pd = pr->pd;
	u8 own[WIRE_MAX_DIGEST];
	u32 size = make_digest(pr, own);

	if (size != pr->hash_len || memcmp(own, pr->hash, size)) {
		drbd_rs_queue(pr, &pd->conn->replies);
		return;
	}
	/* not there: the peer has acked what it cannot have got yet */
	if (drbd_rs_take(pd, &pd->rs_reads, pr->sector, pr->size)) {
		rs_done(pr, RESYNC_EQUAL);
		drbd_peer_req_ack(pr, P_RS_IS_IN_SYNC, BLOCK_ID_SYNCER);
		drbd_rs_release(pr);
	}
	drbd_peer_req_free(pr);
}

/* As target: the pages must not be kept while the answer is out (behaviour.md 16). */
static void target_ask(struct drbd_peer_req *pr, int error)
{
	/* without a digest it is an ordinary request */
	if (!error)
		pr->hash_len = make_digest(pr, pr->hash);
	drbd_digest_put(pr->alg);
	pr->alg = NULL;
	drbd_peer_req_drop_pages(pr);
	drbd_rs_queue(pr, &pr->pd->conn->rs_ready);
}

static void digest_work(struct work_struct *work)
{
	struct drbd_peer_req *pr = container_of(work, struct drbd_peer_req, work);
	struct drbd_connection *conn = pr->pd->conn;

	if (pr->kind == PEER_OV_READ || pr->kind == PEER_OV_CHECK)
		drbd_ov_read(pr, pr->error);
	else if (pr->kind == PEER_RS_WRITE)
		target_ask(pr, pr->error);
	else if (pr->thin)
		source_thin(pr);
	else
		source_compare(pr);
	drbd_peer_inactive(conn);
}

static void read_end(struct bio *bio)
{
	struct drbd_peer_req *pr = bio->bi_private;
	struct drbd_connection *conn = pr->pd->conn;
	struct drbd_device *dev = pr->pd->dev;

	pr->error = blk_status_to_errno(bio->bi_status);
	atomic_dec(&dev->local_pending);
	drbd_backing_put(pr->backing);
	pr->backing = NULL;
	/* the bio has advanced to its end: whoever uses it starts at its begin */
	pr->bio->bi_iter = pr->iter;
	if (pr->error)
		drbd_post(dev->res, &dev->ev_error);
	if ((pr->alg || pr->thin) && !(pr->error && pr->kind == PEER_RS_READ)) {
		INIT_WORK(&pr->work, digest_work);
		drbd_peer_queue(&pr->work);
		return;
	}
	if (!pr->error)
		drbd_rs_queue(pr, &conn->replies);
	else if (pr->kind == PEER_RS_READ)
		source_read_failed(pr);
	else
		drbd_rs_refuse(pr, P_NEG_DREPLY);
	drbd_peer_inactive(conn);
}

void drbd_rs_submit_read(struct drbd_peer_req *pr)
{
	struct drbd_device *dev = pr->pd->dev;

	pr->iter = pr->bio->bi_iter;
	pr->bio->bi_opf = REQ_OP_READ;
	bio_set_dev(pr->bio, pr->backing->bdev);
	pr->bio->bi_end_io = read_end;
	atomic_inc(&dev->local_pending);
	atomic64_add(pr->size >> SECTOR_BITS, &dev->read_sectors);
	submit_bio_noacct(pr->bio);
}

enum range_result drbd_rs_reserve(struct drbd_peer_req *pr, struct io_range *r, u8 cls)
{
	struct drbd_device *dev = pr->pd->dev;
	enum range_result result;

	drbd_range_init(r, cls, pr->sector, pr->size, pr);
	spin_lock_irq(&dev->extent_lock);
	result = drbd_range_reserve(&dev->ranges, r);
	spin_unlock_irq(&dev->extent_lock);
	return result;
}

enum range_result drbd_rs_reserve_listed(struct drbd_peer_req *pr, struct list_head *list, u8 cls)
{
	struct drbd_device *dev = pr->pd->dev;
	enum range_result result;

	drbd_range_init(&pr->range, cls, pr->sector, pr->size, pr);
	spin_lock_irq(&dev->extent_lock);
	list_add_tail(&pr->rs_node, list);
	result = drbd_range_reserve(&dev->ranges, &pr->range);
	pr->started = result == RANGE_GRANTED;
	spin_unlock_irq(&dev->extent_lock);
	return result;
}

/*
 * Writes of the peer reserve their range when their epoch may go; what it wrote
 * before it asked must be on the disk before that is read. False: the link is lost.
 */
bool drbd_rs_order_behind_writes(struct drbd_peer_device *pd, u64 sector, u32 size)
{
	struct drbd_connection *conn = pd->conn;
	bool held, busy;

	spin_lock_irq(&conn->epoch_lock);
	held = conn->epochs.released != conn->epochs.open;
	spin_unlock_irq(&conn->epoch_lock);
	if (!held)
		flush_work(&conn->epoch_work);
	spin_lock_irq(&pd->dev->extent_lock);
	busy = drbd_range_busy(&pd->dev->ranges, 1u << RANGE_PEER_WRITE, sector,
			       size >> SECTOR_BITS);
	spin_unlock_irq(&pd->dev->extent_lock);
	return !(held || busy) || drbd_receiver_wait_idle(conn);
}

static struct drbd_peer_req *read_request(struct drbd_peer_device *pd, const struct wire_block *b,
					  u8 kind, const u8 *hash)
{
	struct drbd_peer_req *pr = drbd_peer_req_alloc(pd, b->sector, b->size, kind, false);

	pr->block_id = kind == PEER_RS_READ ? BLOCK_ID_SYNCER : b->block_id;
	if (hash) {
		pr->alg = drbd_digest_get(pd->conn, DIGEST_CSUMS);
		pr->hash_len = b->digest_len;
		memcpy(pr->hash, hash, b->digest_len);
	}
	return pr;
}

/* @hash: of the target's own block, b->digest_len bytes; NULL if it sends none.
 * @thin: it wants to be told what is all zeroes. */
int drbd_recv_read_request(struct drbd_peer_device *pd, const struct wire_block *b, u8 kind,
			   const u8 *hash, bool thin)
{
	struct drbd_connection *conn = pd->conn;
	struct drbd_peer_req *pr = read_request(pd, b, kind, hash);
	struct plan_peer plan = drbd_plan_of(pd);
	bool resync = kind == PEER_RS_READ;

	pr->thin = thin;
	if (resync && !plan.serve_resync) {
		drbd_rs_refuse(pr, P_RS_CANCEL);
		return 0;
	}
	if (!drbd_rs_order_behind_writes(pd, b->sector, b->size)) {
		drbd_peer_req_free(pr);
		return -ECONNRESET;
	}
	pr->backing = plan.serve_read ? drbd_backing_get(pd->dev) : NULL;
	if (!pr->backing) {
		drbd_rs_refuse(pr, resync ? P_NEG_RS_DREPLY : P_NEG_DREPLY);
		return 0;
	}
	drbd_peer_req_pages(pr);
	if (resync) {
		if (drbd_rs_reserve_listed(pr, &pd->rs_reads, RANGE_RESYNC_READ) != RANGE_GRANTED)
			return 0;
	}
	drbd_peer_active(conn);
	drbd_rs_submit_read(pr);
	return 0;
}

/* The sender has handed the answer to the network, which has copied it. */
void drbd_reply_sent(struct drbd_peer_req *pr)
{
	struct drbd_device *dev = pr->pd->dev;
	bool acked;

	if (pr->kind == PEER_READ) {
		drbd_peer_req_free(pr);
		return;
	}
	/* the digest of a verify was made without keeping them */
	drbd_peer_req_drop_pages(pr);
	spin_lock_irq(&dev->extent_lock);
	pr->sent = true;
	acked = pr->dead;
	spin_unlock_irq(&dev->extent_lock);
	/* not acked yet: from here on it belongs to the ack */
	if (acked)
		drbd_peer_req_free(pr);
}

void drbd_rs_answer_acked(struct drbd_peer_req *pr)
{
	struct drbd_device *dev = pr->pd->dev;
	bool sent;

	drbd_rs_release(pr);
	spin_lock_irq(&dev->extent_lock);
	pr->dead = true;
	sent = pr->sent;
	spin_unlock_irq(&dev->extent_lock);
	if (sent)
		drbd_peer_req_free(pr);
}

/* The target's ack for a block that we sent. */
static int source_acked(struct drbd_peer_device *pd, u16 cmd, const struct wire_block *b)
{
	struct drbd_peer_req *pr = drbd_rs_take(pd, &pd->rs_reads, b->sector, b->size);

	if (!pr) {
		drbd_err(pd->conn->res, "%s: %s for %llus+%u, which was not sent",
			 pd->conn->conf.name, drbd_packet_name(cmd),
			 (unsigned long long)b->sector, b->size);
		return -EPROTO;
	}
	rs_done(pr, cmd == P_RS_WRITE_ACK ? RESYNC_WRITTEN : RESYNC_FAILED);
	drbd_rs_answer_acked(pr);
	return 0;
}

/* --- target ---------------------------------------------------------------------------------------- */

static void target_ended(struct drbd_peer_req *pr, enum resync_result result)
{
	if (READ_ONCE(pr->range.touched) && result != RESYNC_FAILED)
		result = RESYNC_CANCELLED;
	atomic_dec(&pr->pd->rs_pending);
	rs_done(pr, result);
	drbd_rs_release(pr);
	drbd_peer_req_free(pr);
}

static void rs_write_ended(struct drbd_peer_req *pr, int error)
{
	struct drbd_connection *conn = pr->pd->conn;
	struct drbd_device *dev = pr->pd->dev;

	atomic_dec(&dev->local_pending);
	drbd_backing_put(pr->backing);
	if (error)
		drbd_post(dev->res, &dev->ev_error);
	/* the ack before the count: the ping that ends the resync must follow it */
	drbd_peer_req_ack(pr, error ? P_NEG_ACK : P_RS_WRITE_ACK, BLOCK_ID_SYNCER);
	target_ended(pr, error ? RESYNC_FAILED : RESYNC_WRITTEN);
	drbd_peer_inactive(conn);
}

static void rs_write_end(struct bio *bio)
{
	rs_write_ended(bio->bi_private, blk_status_to_errno(bio->bi_status));
}

static void rs_discard_work(struct work_struct *work)
{
	struct drbd_peer_req *pr = container_of(work, struct drbd_peer_req, work);

	rs_write_ended(pr, drbd_discard(pr->pd->dev, pr->backing, LOG_OP_DISCARD, true,
					pr->sector, pr->size));
}

static void submit_rs_write(struct drbd_peer_req *pr)
{
	struct drbd_device *dev = pr->pd->dev;

	atomic_inc(&dev->local_pending);
	atomic64_add(pr->size >> SECTOR_BITS, &dev->write_sectors);
	if (pr->op == LOG_OP_DISCARD) {
		INIT_WORK(&pr->work, rs_discard_work);
		drbd_peer_queue(&pr->work);
		return;
	}

	pr->bio->bi_opf = REQ_OP_WRITE;
	bio_set_dev(pr->bio, pr->backing->bdev);
	pr->bio->bi_end_io = rs_write_end;
	submit_bio_noacct(pr->bio);
}

int drbd_recv_rs_reply(struct drbd_peer_device *pd, const struct wire_data *d)
{
	struct drbd_connection *conn = pd->conn;
	struct drbd_peer_req *pr = drbd_rs_take(pd, &pd->rs_requests, d->sector, d->size);
	int err;

	if (!pr) {
		drbd_err(conn->res, "%s: Unexpected resync reply at %llus+%u", conn->conf.name,
			 (unsigned long long)d->sector, d->size);
		return -EPROTO;
	}
	atomic64_add(d->size >> SECTOR_BITS, &pd->recv_sectors);
	atomic_add(d->size >> SECTOR_BITS, &pd->rate_received);
	pr->backing = drbd_backing_get(pd->dev);
	if (!pr->backing) {
		drbd_peer_req_ack(pr, P_NEG_ACK, BLOCK_ID_SYNCER);
		target_ended(pr, RESYNC_FAILED);
		return drbd_drain_payload(conn, d);
	}
	drbd_peer_req_pages(pr);
	err = drbd_recv_payload(conn, pr->bio, d);
	if (err) {
		drbd_backing_put(pr->backing);
		target_ended(pr, RESYNC_CANCELLED);
		return err;
	}
	drbd_peer_active(conn);
	if (drbd_rs_reserve(pr, &pr->range2, RANGE_RESYNC_WRITE) == RANGE_GRANTED)
		submit_rs_write(pr);
	return 0;
}

int drbd_recv_rs_deallocated(struct drbd_peer_device *pd, const struct wire_block *b)
{
	struct drbd_peer_req *pr = drbd_rs_take(pd, &pd->rs_requests, b->sector, b->size);

	if (!pr || !pr->thin) {
		drbd_err(pd->conn->res, "%s: all zeroes at %llus+%u, which was not asked for",
			 pd->conn->conf.name, (unsigned long long)b->sector, b->size);
		if (pr)
			target_ended(pr, RESYNC_CANCELLED);
		return -EPROTO;
	}
	atomic_add(b->size >> SECTOR_BITS, &pd->rate_received);
	pr->op = LOG_OP_DISCARD;
	pr->backing = drbd_backing_get(pd->dev);
	if (!pr->backing) {
		drbd_peer_req_ack(pr, P_NEG_ACK, BLOCK_ID_SYNCER);
		target_ended(pr, RESYNC_FAILED);
		return 0;
	}
	drbd_peer_active(pd->conn);
	if (drbd_rs_reserve(pr, &pr->range2, RANGE_RESYNC_WRITE) == RANGE_GRANTED)
		submit_rs_write(pr);
	return 0;
}

/* The source cannot, or need not, send the block. */
static int target_refused(struct drbd_peer_device *pd, u16 cmd, const struct wire_block *b)
{
	struct drbd_peer_req *pr = drbd_rs_take(pd, &pd->rs_requests, b->sector, b->size);

	if (!pr)
		return 0;	/* cancelled meanwhile on this side, too */
	atomic_add(b->size >> SECTOR_BITS, &pd->rate_received);
	target_ended(pr, cmd == P_RS_IS_IN_SYNC ? RESYNC_EQUAL :
			 cmd == P_RS_CANCEL ? RESYNC_CANCELLED : RESYNC_FAILED);
	return 0;
}

int drbd_rs_answer(struct drbd_peer_device *pd, u16 cmd, const struct wire_block *b)
{
	if (cmd == P_RS_WRITE_ACK || cmd == P_NEG_ACK)
		return source_acked(pd, cmd, b);
	if (drbd_ov_refused(pd, b))
		return 0;
	return target_refused(pd, cmd, b);
}

/* --- ranges that had to wait: any context, so a work takes over ---------------------------------------- */

/* As target, the range is ours: read what is there for its digest, or just ask. */
static void target_begin(struct drbd_peer_req *pr)
{
	pr->backing = pr->alg ? drbd_backing_get(pr->pd->dev) : NULL;
	if (!pr->backing) {
		drbd_rs_queue(pr, &pr->pd->conn->rs_ready);
		return;
	}
	drbd_peer_req_pages(pr);
	drbd_peer_active(pr->pd->conn);
	drbd_rs_submit_read(pr);
}

static void granted_work(struct work_struct *work)
{
	struct drbd_peer_req *pr = container_of(work, struct drbd_peer_req, work);
	struct drbd_connection *conn = pr->pd->conn;

	if (pr->kind == PEER_WRITE) {
		drbd_peer_write_granted(pr);
	} else if (pr->kind != PEER_RS_WRITE) {
		drbd_rs_submit_read(pr);
	} else if (pr->range2.inserted) {
		submit_rs_write(pr);
	} else {
		target_begin(pr);
		drbd_peer_inactive(conn);
	}
}

/* A teardown waits until a granted request shows where it has gone. */
static void mark_started(struct drbd_peer_device *pd, struct drbd_peer_req *pr)
{
	unsigned long flags;

	spin_lock_irqsave(&pd->dev->extent_lock, flags);
	pr->started = true;
	spin_unlock_irqrestore(&pd->dev->extent_lock, flags);
}

void drbd_rs_range_granted(struct drbd_peer_req *pr, struct io_range *r)
{
	struct drbd_peer_device *pd = pr->pd;

	if (r->cls == RANGE_RESYNC_REQUEST && !(pr->kind == PEER_RS_WRITE && pr->alg)) {
		mark_started(pd, pr);
		drbd_rs_queue(pr, &pd->conn->rs_ready);
		return;
	}
	/* the others that wait on a list are active from now on */
	if (r == &pr->range && pr->kind != PEER_WRITE) {
		drbd_peer_active(pd->conn);
		mark_started(pd, pr);
	}
	INIT_WORK(&pr->work, granted_work);
	drbd_peer_queue(&pr->work);
}

/* --- the engine of the target, in the sender's thread ------------------------------------------------------ */

static void take_rate_options(struct drbd_peer_device *pd)
{
	const struct nl_peer_device_opts *c = &pd->conf;

	pd->rate_opts = (struct rate_options){
		.resync_rate = c->resync_rate, .c_plan_ahead = c->c_plan_ahead,
		.c_delay_target = c->c_delay_target, .c_fill_target = c->c_fill_target,
		.c_max_rate = c->c_max_rate, .c_min_rate = c->c_min_rate,
	};
}

void drbd_rs_begin_pacing(struct drbd_peer_device *pd)
{
	take_rate_options(pd);
	drbd_rate_init(&pd->rate, &pd->rate_opts);
	pd->rate_last = jiffies - HZ / 10;
	atomic_set(&pd->rate_received, 0);
}

/* The loop: from now on bits are counted, and as target asked for. */
void drbd_rs_start(struct drbd_peer_device *pd)
{
	struct drbd_device *dev = pd->dev;
	u64 bits;

	if (!pd->resync_runs)
		drbd_rs_begin_pacing(pd);
	spin_lock_irq(&dev->bm_lock);
	if (pd->resync_runs) {
		drbd_resync_restart(&pd->pass, now_ms());
	} else {
		pd->rs_run++;
		drbd_resync_start(&pd->pass, &dev->bitmap->core, pd->slot,
				  !pd->core.sync_source, now_ms());
	}
	pd->resync_told = false;
	pd->resync_runs = true;
	pd->rs_csums = !pd->core.sync_source && pd->core.use_csums;
	bits = dev->bitmap->core.weight[pd->slot];
	spin_unlock_irq(&dev->bm_lock);
	drbd_info(dev->res, "%u drbd%u %s: Began resync as %s (will sync %llu KB [%llu bits set]).",
		  dev->vnr, dev->minor, pd->conn->conf.name,
		  pd->core.sync_source ? "SyncSource" : "SyncTarget", bits * 4, bits);
	drbd_sender_kick(pd->conn);
}

static u64 kib_of(const struct resync_pass *p, u64 bits)
{
	return bits << (p->bm->shift - 10);
}

/* What was done, for the log; the pass is over and nobody changes it any more. */
static void tell_result(struct drbd_peer_device *pd)
{
	const struct resync_pass *p = &pd->pass;
	const struct progress *g = &p->progress;
	u64 done = g->total > drbd_resync_left(p) ? g->total - drbd_resync_left(p) : 0;
	u64 seconds = max(div_u64(now_ms() - g->start, 1000), 1ULL);
	struct drbd_device *dev = pd->dev;

	drbd_info(dev->res, "%u drbd%u %s: Resync %s (total %llu sec; paused %llu sec; %llu K/sec)",
		  dev->vnr, dev->minor, pd->conn->conf.name,
		  drbd_resync_left(p) || p->failed ? "ended" : "done", seconds,
		  div_u64(g->paused_ms, 1000), div64_u64(kib_of(p, done), seconds));
	if (p->same)
		drbd_info(dev->res, "%u drbd%u %s: %llu %% had equal checksums, eliminated: %lluK; transferred %lluK total %lluK",
			  dev->vnr, dev->minor, pd->conn->conf.name,
			  done ? div64_u64(100 * min(p->same, done), done) : 0, kib_of(p, p->same),
			  kib_of(p, done - min(p->same, done)), kib_of(p, done));
	if (p->failed)
		drbd_info(dev->res, "%u drbd%u %s:             %llu failed blocks", dev->vnr,
			  dev->minor, pd->conn->conf.name, p->failed);
}

void drbd_rs_stop(struct drbd_peer_device *pd)
{
	struct drbd_device *dev = pd->dev;
	bool ran;

	spin_lock_irq(&dev->bm_lock);
	ran = pd->resync_runs;
	if (ran)
		drbd_resync_abort(&pd->pass);
	pd->resync_runs = false;
	spin_unlock_irq(&dev->bm_lock);
	if (ran)
		tell_result(pd);
}

void drbd_rs_refill(struct drbd_peer_device *pd, struct progress *progress, u64 left)
{
	unsigned long passed = jiffies - pd->rate_last;

	drbd_rate_received(&pd->rate, atomic_xchg(&pd->rate_received, 0));
	if (passed < HZ / 10)
		return;
	pd->rate_last = jiffies;
	take_rate_options(pd);
	drbd_rate_step(&pd->rate, &pd->rate_opts, jiffies_to_msecs(passed));
	spin_lock_irq(&pd->dev->bm_lock);
	drbd_progress_mark(progress, left, now_ms());
	spin_unlock_irq(&pd->dev->bm_lock);
}

/* Bytes of a request that may be answered with "all zeroes"; 0 = none (wire.md 7.7). */
static u32 thin_granularity(struct drbd_peer_device *pd)
{
	u32 bytes = READ_ONCE(pd->dev->disk_conf.rs_discard_granularity);

	if (READ_ONCE(pd->rs_csums) || !(pd->conn->wire.features & FEATURE_THIN_RESYNC))
		return 0;
	return is_power_of_2(bytes) && bytes >= PAGE_SIZE && bytes <= WIRE_MAX_BIO ? bytes : 0;
}

/* True: a request was made, there may be more. */
static bool ask_next(struct drbd_peer_device *pd)
{
	struct drbd_device *dev = pd->dev;
	struct drbd_peer_req *pr;
	u32 budget = drbd_rate_budget(&pd->rate, pd->conn->conf.max_buffers);
	enum resync_next next = RESYNC_WAIT;
	u32 thin = thin_granularity(pd);
	bool tell = false;
	u64 sector = 0;
	u32 size = 0, run;

	spin_lock_irq(&dev->bm_lock);
	run = pd->rs_run;
	if (pd->resync_runs) {
		/* what is left of a step may be small, but a part would not be thin */
		next = drbd_resync_next(&pd->pass, budget ? max(budget, thin >> SECTOR_BITS) : 0,
					thin ?: WIRE_MAX_BIO, &sector, &size);
		if (next == RESYNC_REQUEST) {
			drbd_resync_requested(&pd->pass, sector, size);
			pd->resync_told = false;
		}
		tell = next == RESYNC_FINISHED && !pd->resync_told;
		if (tell) {
			pd->resync_told = true;
			pd->ev_done.ev.rs_failed = pd->pass.failed;
		}
	}
	spin_unlock_irq(&dev->bm_lock);
	if (tell)
		drbd_post(dev->res, &pd->ev_done);
	if (next != RESYNC_REQUEST)
		return false;
	drbd_rate_requested(&pd->rate, size >> SECTOR_BITS);
	atomic_inc(&pd->rs_pending);
	pr = drbd_peer_req_alloc(pd, sector, size, PEER_RS_WRITE, false);
	pr->tag = run;
	/* requests are aligned to their own size */
	pr->thin = thin && size == thin;
	if (READ_ONCE(pd->rs_csums))
		pr->alg = drbd_digest_get(pd->conn, DIGEST_CSUMS);
	if (drbd_rs_reserve_listed(pr, &pd->rs_requests, RANGE_RESYNC_REQUEST) == RANGE_GRANTED)
		target_begin(pr);
	return true;
}

static u64 resync_left(struct drbd_peer_device *pd)
{
	u64 left;

	spin_lock_irq(&pd->dev->bm_lock);
	left = drbd_resync_left(&pd->pass);
	spin_unlock_irq(&pd->dev->bm_lock);
	return left;
}

bool drbd_rs_step(struct drbd_peer_device *pd)
{
	bool did = false;

	if (!READ_ONCE(pd->resync_runs))
		return false;
	if (!pd->pass.target) {
		if (time_after(jiffies, pd->rate_last + HZ)) {
			pd->rate_last = jiffies;
			spin_lock_irq(&pd->dev->bm_lock);
			drbd_progress_mark(&pd->pass.progress, drbd_resync_left(&pd->pass), now_ms());
			spin_unlock_irq(&pd->dev->bm_lock);
		}
		return false;
	}
	if (!drbd_plan_of(pd).request_resync)
		return false;
	drbd_rs_refill(pd, &pd->pass.progress, resync_left(pd));
	/* also without budget: it is core that knows whether all is done */
	while (ask_next(pd))
		did = true;
	return did;
}

/* --- teardown ------------------------------------------------------------------------------------------------- */

/* Takes back what waits for its range. True: something was granted and is on its way. */
static bool cancel_waiting(struct drbd_peer_device *pd, struct list_head *list,
			   struct list_head *gone)
{
	struct drbd_peer_req *pr, *tmp;
	struct core_node granted;
	bool on_its_way = false;

	core_list_init(&granted);
	spin_lock_irq(&pd->dev->extent_lock);
	list_for_each_entry_safe(pr, tmp, list, rs_node) {
		if (pr->range.waiting) {
			drbd_range_release(&pd->dev->ranges, &pr->range, &granted);
			list_move_tail(&pr->rs_node, gone);
		} else if (!pr->started) {
			on_its_way = true;
		}
	}
	spin_unlock_irq(&pd->dev->extent_lock);
	drbd_ranges_granted(pd->dev, &granted);
	return on_its_way;
}

static void free_gone(struct list_head *gone, bool waited)
{
	struct drbd_peer_req *pr, *tmp;

	list_for_each_entry_safe(pr, tmp, gone, rs_node) {
		list_del_init(&pr->rs_node);
		drbd_rs_release(pr);
		if (waited && pr->backing)
			drbd_backing_put(pr->backing);
		drbd_peer_req_free(pr);
	}
}

static void free_list(struct drbd_peer_device *pd, struct list_head *list)
{
	LIST_HEAD(gone);

	spin_lock_irq(&pd->dev->extent_lock);
	list_splice_init(list, &gone);
	spin_unlock_irq(&pd->dev->extent_lock);
	free_gone(&gone, false);
}

static void cancel_waiters(struct drbd_connection *conn)
{
	struct drbd_peer_device *pd;
	LIST_HEAD(gone);
	bool again;

	do {
		again = false;
		list_for_each_entry(pd, &conn->peer_devices, of_conn) {
			again |= cancel_waiting(pd, &pd->rs_requests, &gone);
			again |= cancel_waiting(pd, &pd->rs_reads, &gone);
			again |= cancel_waiting(pd, &pd->ov_requests, &gone);
			again |= cancel_waiting(pd, &pd->ov_reads, &gone);
		}
		if (again)
			schedule_timeout_uninterruptible(1);
	} while (again);
	free_gone(&gone, true);
}

static void drop_replies(struct drbd_connection *conn)
{
	struct drbd_peer_req *pr, *tmp;
	LIST_HEAD(replies);

	spin_lock_irq(&conn->snd_lock);
	list_splice_init(&conn->replies, &replies);
	while ((pr = list_first_entry_or_null(&conn->rs_ready, struct drbd_peer_req, node)))
		list_del_init(&pr->node);
	spin_unlock_irq(&conn->snd_lock);
	list_for_each_entry_safe(pr, tmp, &replies, node) {
		list_del_init(&pr->node);
		/* the others are on a list of what waits for its ack, if it has not come */
		if (pr->kind == PEER_READ || pr->dead)
			drbd_peer_req_free(pr);
	}
}

/* No thread of the connection runs, nothing new comes. */
void drbd_rs_cancel_all(struct drbd_connection *conn)
{
	struct drbd_peer_device *pd;

	cancel_waiters(conn);
	drbd_wait_peer_idle(conn);
	drop_replies(conn);
	list_for_each_entry(pd, &conn->peer_devices, of_conn) {
		free_list(pd, &pd->rs_requests);
		free_list(pd, &pd->rs_reads);
		free_list(pd, &pd->ov_requests);
		free_list(pd, &pd->ov_reads);
	}
}

/* --- answers to our own reads ------------------------------------------------------------------------------------ */

int drbd_recv_read_reply(struct drbd_peer_device *pd, const struct wire_data *d)
{
	struct drbd_resource *res = pd->conn->res;
	struct drbd_request *req;
	struct log_entry *e;
	u32 what;
	int err;

	spin_lock_irq(&res->log_lock);
	e = drbd_log_read_reply(&res->log, pd->conn->index, d->block_id, pd->dev->vnr,
				d->sector, d->size);
	req = e ? e->owner : NULL;
	if (req)
		drbd_request_hold(req);
	spin_unlock_irq(&res->log_lock);
	if (!req) {
		drbd_err(res, "%s: read reply at %llus+%u for a request that is not outstanding",
			 pd->conn->conf.name, (unsigned long long)d->sector, d->size);
		return -EPROTO;
	}
	err = drbd_recv_payload(pd->conn, req->bio, d);
	atomic64_add(d->size >> SECTOR_BITS, &pd->recv_sectors);
	spin_lock_irq(&res->log_lock);
	what = drbd_log_read_done(&res->log, pd->conn->index, e, !err);
	if (what & LOG_COMPLETE)
		req->error = e->error;
	spin_unlock_irq(&res->log_lock);
	drbd_request_act(req, what);
	return err;
}
