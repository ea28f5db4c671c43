// SPDX-License-Identifier: GPL-2.0
/*
 * Online verify (behaviour.md 16, wire.md 7.8). VerifyS asks for the digest of
 * a block, reads its own when it has come, compares, and sends the result;
 * VerifyT reads, answers, and counts along.
 *
 * Who waits for whom. Both sides must look at the block with the same writes in
 * it. VerifyS locks it against its own application before it asks
 * (RANGE_RESYNC_REQUEST), VerifyT against everybody before it reads
 * (RANGE_RESYNC_READ), both until the result. Writes of VerifyS that went before
 * are ahead of the request on the stream, those of VerifyT ahead of its answer:
 * each side lets them reach its disk before it reads. VerifyS must not hold back
 * the peer's writes while it waits for the answer - the answer may wait for one
 * of them - but only during its own read (RANGE_RESYNC_WRITE).
 */
#include "syncio.h"

static u64 now_ms(void)
{
	return ktime_get_ns() / NSEC_PER_MSEC;
}

static void log_row(struct drbd_peer_device *pd, const struct verify_range *row)
{
	if (row->sectors)
		drbd_info(pd->dev->res, "%u drbd%u %s: Out of sync: start=%llu, size=%llu (sectors)",
			  pd->dev->vnr, pd->dev->minor, pd->conn->conf.name, row->sector,
			  row->sectors);
}

/* --- start and end, from the loop ----------------------------------------------------------- */

void drbd_ov_start(struct drbd_peer_device *pd, u64 start, u64 stop)
{
	struct drbd_device *dev = pd->dev;

	drbd_rs_begin_pacing(pd);
	spin_lock_irq(&dev->bm_lock);
	drbd_verify_start(&pd->ov, &dev->bitmap->core, pd->slot, pd->core.sync_source, start, stop,
			  now_ms());
	pd->ov_run++;
	pd->ov_told = false;
	spin_unlock_irq(&dev->bm_lock);
	if (pd->ov.requester)
		drbd_info(dev->res, "%u drbd%u %s: Starting Online Verify from sector %llu", dev->vnr,
			  dev->minor, pd->conn->conf.name, start);
	drbd_sender_kick(pd->conn);
}

/* The first block without a result: what was asked for last is not yet compared. */
static u64 reached(struct drbd_peer_device *pd)
{
	const struct verify_run *v = &pd->ov;
	u64 sector = v->position << (v->bm->shift - SECTOR_BITS);
	struct drbd_peer_req *pr;

	list_for_each_entry(pr, &pd->ov_requests, rs_node)
		sector = min(sector, pr->sector);
	list_for_each_entry(pr, &pd->ov_reads, rs_node)
		sector = min(sector, pr->sector);
	return sector;
}

static void tell_end(struct drbd_peer_device *pd, const struct verify_run *v, u64 resume)
{
	u64 kib = (v->end - v->first - v->left) << (v->bm->shift - 10);
	u64 seconds = max(div_u64(now_ms() - v->progress.start, 1000), 1ULL);
	struct drbd_device *dev = pd->dev;
	const char *name = pd->conn->conf.name;

	drbd_info(dev->res, "%u drbd%u %s: Online verify %s (total %llu sec; paused 0 sec; %llu K/sec)",
		  dev->vnr, dev->minor, name, v->left ? "ended" : "done", seconds,
		  div64_u64(kib, seconds));
	if (resume)
		drbd_info(dev->res, "%u drbd%u %s: Online Verify reached sector %llu", dev->vnr,
			  dev->minor, name, resume);
	if (v->skipped)
		drbd_info(dev->res, "%u drbd%u %s: Online verify could not compare %llu %uk blocks",
			  dev->vnr, dev->minor, name, v->skipped, 1u << (v->bm->shift - 10));
	if (v->found)
		drbd_warn(dev->res, "%u drbd%u %s: Online verify found %llu %uk blocks out of sync! They are marked, not repaired: on the node with the right data, 'drbdadm invalidate-remote --reset-bitmap=no' copies them to the other one",
			  dev->vnr, dev->minor, name, v->found, 1u << (v->bm->shift - 10));
}

void drbd_ov_stop(struct drbd_peer_device *pd)
{
	struct drbd_device *dev = pd->dev;
	struct verify_range row;
	struct verify_run v;
	u64 resume;

	spin_lock_irq(&dev->extent_lock);
	spin_lock(&dev->bm_lock);
	v = pd->ov;
	resume = v.active ? reached(pd) : 0;
	if (v.active)
		drbd_verify_stop(&pd->ov, &row);
	if (!v.active || resume >= v.bm->capacity)
		resume = 0;
	if (v.active)
		pd->ov_resume = resume;
	spin_unlock(&dev->bm_lock);
	spin_unlock_irq(&dev->extent_lock);
	if (!v.active)
		return;
	log_row(pd, &row);
	tell_end(pd, &v, resume);
}

/* All is compared: core is told, once. The bitmap lock is held. */
static bool must_tell(struct drbd_peer_device *pd)
{
	if (!pd->ov.active || pd->ov_told || !drbd_verify_is_finished(&pd->ov))
		return false;
	pd->ov_told = true;
	pd->ev_ov_done.ev.found = pd->ov.found;
	return true;
}

/* A result of this side or of the other one. @run: which verify asked; 0 = the present one. */
static void take_result(struct drbd_peer_device *pd, u64 sector, u32 size, u32 run,
			enum verify_result result)
{
	struct drbd_device *dev = pd->dev;
	struct verify_range row = {};
	unsigned long flags;
	bool counts, tell;

	spin_lock_irqsave(&dev->bm_lock, flags);
	counts = pd->ov.active && (!run || run == pd->ov_run);
	if (counts)
		drbd_verify_result(&pd->ov, sector, size, result, &row);
	tell = must_tell(pd);
	spin_unlock_irqrestore(&dev->bm_lock, flags);
	if (!counts && result == VERIFY_DIFFERS) {
		row = (struct verify_range){ .sector = sector, .sectors = size >> SECTOR_BITS };
		drbd_bits_set(dev, pd, sector, size);
	}
	log_row(pd, &row);
	if (tell)
		drbd_post(dev->res, &pd->ev_ov_done);
}

/* --- VerifyS ---------------------------------------------------------------------------------- */

static void send_result(struct drbd_peer_req *pr, enum verify_result result)
{
	static const u64 on_the_wire[] = {
		[VERIFY_SAME] = OV_IN_SYNC, [VERIFY_DIFFERS] = OV_OUT_OF_SYNC,
		[VERIFY_SKIPPED] = OV_SKIPPED,
	};
	struct drbd_peer_device *pd = pr->pd;

	/* the result before the count: the ping that ends the verify must follow it */
	drbd_peer_req_ack(pr, P_OV_RESULT, on_the_wire[result]);
	take_result(pd, pr->sector, pr->size, pr->tag, result);
	drbd_rs_release(pr);
	drbd_peer_req_free(pr);
	drbd_sender_kick(pd->conn);
}

static void compare(struct drbd_peer_req *pr, int error)
{
	u8 own[WIRE_MAX_DIGEST];
	bool same = false;

	if (!error) {
		drbd_digest_bio(pr->alg, pr->bio, &pr->bio->bi_iter, own);
		same = pr->hash_len == pr->alg->size && !memcmp(own, pr->hash, pr->hash_len);
	}
	send_result(pr, same ? VERIFY_SAME : VERIFY_DIFFERS);
}

/* True: a block was asked for, there may be more. */
static bool ask_next(struct drbd_peer_device *pd)
{
	u32 budget = drbd_rate_budget(&pd->rate, pd->conn->conf.max_buffers);
	enum verify_next next = VERIFY_WAIT;
	struct drbd_device *dev = pd->dev;
	struct drbd_peer_req *pr;
	u64 sector = 0;
	u32 size = 0, run;
	bool tell;

	spin_lock_irq(&dev->bm_lock);
	if (pd->ov.active)
		next = drbd_verify_next(&pd->ov, budget, &sector, &size);
	if (next == VERIFY_REQUEST)
		drbd_verify_requested(&pd->ov);
	run = pd->ov_run;
	/* also nothing at all can be all there is to compare */
	tell = must_tell(pd);
	spin_unlock_irq(&dev->bm_lock);
	if (tell)
		drbd_post(dev->res, &pd->ev_ov_done);
	if (next != VERIFY_REQUEST)
		return false;
	drbd_rate_requested(&pd->rate, size >> SECTOR_BITS);
	atomic_inc(&pd->rs_pending);
	pr = drbd_peer_req_alloc(pd, sector, size, PEER_OV_CHECK, false);
	pr->tag = run;
	if (drbd_rs_reserve_listed(pr, &pd->ov_requests, RANGE_RESYNC_REQUEST) == RANGE_GRANTED)
		drbd_rs_queue(pr, &pd->conn->rs_ready);
	return true;
}

static u64 blocks_left(struct drbd_peer_device *pd)
{
	u64 left;

	spin_lock_irq(&pd->dev->bm_lock);
	left = pd->ov.left;
	spin_unlock_irq(&pd->dev->bm_lock);
	return left;
}

bool drbd_ov_step(struct drbd_peer_device *pd)
{
	bool did = false;

	if (!READ_ONCE(pd->ov.active))
		return false;
	drbd_rs_refill(pd, &pd->ov.progress, blocks_left(pd));
	if (!pd->ov.requester || !drbd_plan_of(pd).request_verify)
		return false;
	while (ask_next(pd))
		did = true;
	return did;
}

static struct drbd_peer_req *answered(struct drbd_peer_device *pd, const struct wire_block *b)
{
	struct drbd_peer_req *pr = drbd_rs_take(pd, &pd->ov_requests, b->sector, b->size);

	if (!pr)
		return NULL;
	atomic_dec(&pd->rs_pending);
	atomic_add(b->size >> SECTOR_BITS, &pd->rate_received);
	return pr;
}

int drbd_recv_ov_reply(struct drbd_peer_device *pd, const struct wire_block *b, const u8 *hash)
{
	struct drbd_peer_req *pr = answered(pd, b);

	if (!pr) {
		drbd_err(pd->dev->res, "%s: verify reply at %llus+%u for a block that was not asked for",
			 pd->conn->conf.name, (unsigned long long)b->sector, b->size);
		return -EPROTO;
	}
	memcpy(pr->hash, hash, b->digest_len);
	pr->hash_len = b->digest_len;
	if (!drbd_rs_order_behind_writes(pd, b->sector, b->size)) {
		drbd_peer_req_free(pr);
		return -ECONNRESET;
	}
	pr->alg = drbd_digest_get(pd->conn, DIGEST_VERIFY);
	pr->backing = pr->alg ? drbd_backing_get(pd->dev) : NULL;
	if (!pr->backing) {
		send_result(pr, VERIFY_SKIPPED);
		return 0;
	}
	drbd_peer_req_pages(pr);
	drbd_peer_active(pd->conn);
	if (drbd_rs_reserve(pr, &pr->range2, RANGE_RESYNC_WRITE) == RANGE_GRANTED)
		drbd_rs_submit_read(pr);
	return 0;
}

/* The peer cannot say: no result, for it has no block to count. */
bool drbd_ov_refused(struct drbd_peer_device *pd, const struct wire_block *b)
{
	struct drbd_peer_req *pr = answered(pd, b);

	if (!pr)
		return false;
	take_result(pd, pr->sector, pr->size, pr->tag, VERIFY_SKIPPED);
	drbd_rs_release(pr);
	drbd_peer_req_free(pr);
	drbd_sender_kick(pd->conn);
	return true;
}

/* --- VerifyT ------------------------------------------------------------------------------------ */

static bool count_along(struct drbd_peer_device *pd, u64 sector)
{
	bool ok = true;

	spin_lock_irq(&pd->dev->bm_lock);
	if (pd->ov.active && !pd->ov.requester) {
		if (!pd->ov.begun)
			drbd_info(pd->dev->res, "%u drbd%u %s: Online Verify start sector: %llu",
				  pd->dev->vnr, pd->dev->minor, pd->conn->conf.name, sector);
		ok = drbd_verify_asked(&pd->ov, sector, now_ms());
	}
	spin_unlock_irq(&pd->dev->bm_lock);
	return ok;
}

int drbd_recv_ov_request(struct drbd_peer_device *pd, const struct wire_block *b)
{
	struct drbd_peer_req *pr = drbd_peer_req_alloc(pd, b->sector, b->size, PEER_OV_READ, false);
	bool serves = drbd_plan_of(pd).serve_verify && count_along(pd, b->sector);

	pr->block_id = BLOCK_ID_SYNCER;
	pr->alg = serves ? drbd_digest_get(pd->conn, DIGEST_VERIFY) : NULL;
	pr->backing = pr->alg ? drbd_backing_get(pd->dev) : NULL;
	if (!pr->backing) {
		drbd_rs_refuse(pr, P_NEG_RS_DREPLY);
		return 0;
	}
	if (!drbd_rs_order_behind_writes(pd, b->sector, b->size)) {
		drbd_backing_put(pr->backing);
		drbd_peer_req_free(pr);
		return -ECONNRESET;
	}
	drbd_peer_req_pages(pr);
	if (drbd_rs_reserve_listed(pr, &pd->ov_reads, RANGE_RESYNC_READ) == RANGE_GRANTED) {
		drbd_peer_active(pd->conn);
		drbd_rs_submit_read(pr);
	}
	return 0;
}

/* A block that cannot be read differs: no algorithm makes a digest of zeroes only. */
static void answer(struct drbd_peer_req *pr, int error)
{
	pr->hash_len = pr->alg->size;
	memset(pr->hash, 0, sizeof(pr->hash));
	if (!error)
		drbd_digest_bio(pr->alg, pr->bio, &pr->bio->bi_iter, pr->hash);
	drbd_digest_put(pr->alg);
	pr->alg = NULL;
	drbd_peer_req_drop_pages(pr);
	drbd_rs_queue(pr, &pr->pd->conn->replies);
}

int drbd_recv_ov_result(struct drbd_peer_device *pd, const struct wire_block *b)
{
	struct drbd_peer_req *pr = drbd_rs_take(pd, &pd->ov_reads, b->sector, b->size);

	if (!pr) {
		drbd_err(pd->dev->res, "%s: verify result for %llus+%u, which was not asked for",
			 pd->conn->conf.name, (unsigned long long)b->sector, b->size);
		return -EPROTO;
	}
	take_result(pd, b->sector, b->size, 0, b->block_id == OV_OUT_OF_SYNC ? VERIFY_DIFFERS :
		    b->block_id == OV_SKIPPED ? VERIFY_SKIPPED : VERIFY_SAME);
	drbd_rs_answer_acked(pr);
	return 0;
}

void drbd_ov_read(struct drbd_peer_req *pr, int error)
{
	if (pr->kind == PEER_OV_READ)
		answer(pr, error);
	else
		compare(pr, error);
}
