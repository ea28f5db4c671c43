// SPDX-License-Identifier: GPL-2.0-only
/*
 * Online verify of two nodes that are written to, crash and lose each other; in
 * the order of kernel/verify.c. A digest is a hash of the versions in a block.
 * Nothing changes a disk behind the nodes' back here, so a block that is found
 * to differ is a fault of the locking, unless it is marked already.
 */
#include "sim.h"

static u64 digest_of(const struct preq *pr)
{
	u64 hash = 0xcbf29ce484222325ull;
	u32 i;

	for (i = 0; i < pr->size / UNIT_BYTES; i++)
		hash = (hash ^ pr->v[i]) * 0x100000001b3ull;
	return hash;
}

void ov_start(struct host *h, u64 start, u64 stop)
{
	drbd_verify_start(&h->ov, h->bm, (u32)h->slot, h->pd.sync_source, start, stop, now_ms());
	h->ov_run++;
	h->ov_told = false;
	W->r.verifies += h->pd.sync_source;
	sender_kick(h);
}

void ov_stop(struct host *h)
{
	struct verify_range row;

	if (h->ov.active)
		drbd_verify_stop(&h->ov, &row);
}

static void tell(struct host *h)
{
	if (!h->ov.active || h->ov_told || !drbd_verify_is_finished(&h->ov))
		return;
	h->ov_told = true;
	h->ev_ov_done.ev.found = h->ov.found;
	post(h, &h->ev_ov_done);
}

static bool marked(struct host *h, const struct preq *pr)
{
	return !h || !h->bm || h->slot < 0 ||
	       !drbd_bitmap_range_clean(h->bm, pr->sector, pr->size, 1u << h->slot);
}

static void take_result(struct host *h, const struct preq *pr, u32 run, enum verify_result result)
{
	struct verify_range row;

	if (h->ov.active && (!run || run == h->ov_run))
		drbd_verify_result(&h->ov, pr->sector, pr->size, result, &row);
	tell(h);
	sender_kick(h);
}

/* --- VerifyS -------------------------------------------------------------------------- */

static void send_result(struct preq *pr, enum verify_result result)
{
	struct host *h = pr->h;

	if (result == VERIFY_DIFFERS && pr->digest && !marked(h, pr) && !marked(W->host[1 - h->id], pr))
		violated("n%d: verify finds a difference at %llu that is none", h->id,
			 (unsigned long long)pr->sector);
	W->r.verified++;
	preq_ack(pr, P_OV_RESULT, result == VERIFY_SAME ? OV_IN_SYNC :
				  result == VERIFY_DIFFERS ? OV_OUT_OF_SYNC : OV_SKIPPED);
	take_result(h, pr, pr->tag, result);
	preq_release(pr);
	preq_free(pr);
}

void ov_compare(struct preq *pr, int error)
{
	bool same = !error && digest_of(pr) == pr->digest;

	send_result(pr, error ? VERIFY_SKIPPED : same ? VERIFY_SAME : VERIFY_DIFFERS);
}

bool ov_step(struct host *h)
{
	struct preq *pr;
	u64 sector = 0;
	u32 size = 0;

	if (!h->ov.active || !h->ov.requester || h->st_pd.repl != REPL_VERIFY_S)
		return false;
	tell(h);
	if (h->ov.requests >= 4 || drbd_verify_next(&h->ov, 8, &sector, &size) != VERIFY_REQUEST)
		return false;
	drbd_verify_requested(&h->ov);
	pr = preq_new(h, sector, size, PEER_OV_CHECK);
	pr->tag = h->ov_run;
	core_list_add_tail(&pr->rs_node, &h->ov_requests);
	if (preq_reserve(pr, &pr->range, RANGE_RESYNC_REQUEST) == RANGE_GRANTED)
		core_list_add_tail(&pr->node, &h->rs_ready);
	return true;
}

/* The writes that came before it have their ranges, or are on the disk. */
void ov_reply(struct host *h, const struct wire_block *b, u64 digest)
{
	struct preq *pr = preq_take(&h->ov_requests, b->sector, b->size);

	if (!pr)
		violated("n%d: unexpected verify reply at %llu", h->id,
			 (unsigned long long)b->sector);
	pr->digest = digest;
	pr->backing = backing_get(h);
	if (!pr->backing) {
		send_result(pr, VERIFY_SKIPPED);
		return;
	}
	h->active++;
	if (preq_reserve(pr, &pr->range2, RANGE_RESYNC_WRITE) == RANGE_GRANTED)
		preq_read(pr);
}

bool ov_refused(struct host *h, const struct wire_block *b)
{
	struct preq *pr = preq_take(&h->ov_requests, b->sector, b->size);

	if (!pr)
		return false;
	take_result(h, pr, pr->tag, VERIFY_SKIPPED);
	preq_release(pr);
	preq_free(pr);
	return true;
}

/* --- VerifyT ------------------------------------------------------------------------------ */

void ov_request(struct host *h, const struct wire_block *b)
{
	struct preq *pr = preq_new(h, b->sector, b->size, PEER_OV_READ);
	bool serves = h->st_pd.repl == REPL_VERIFY_T || h->st_pd.repl == REPL_ESTABLISHED;

	pr->block_id = BLOCK_ID_SYNCER;
	if (h->ov.active && !h->ov.requester)
		drbd_verify_asked(&h->ov, b->sector, now_ms());
	pr->backing = serves && backing_get(h);
	if (!pr->backing) {
		preq_ack(pr, P_NEG_RS_DREPLY, BLOCK_ID_SYNCER);
		preq_free(pr);
		return;
	}
	core_list_add_tail(&pr->rs_node, &h->ov_reads);
	if (preq_reserve(pr, &pr->range, RANGE_RESYNC_READ) != RANGE_GRANTED)
		return;
	h->active++;
	preq_read(pr);
}

/* A block that cannot be read differs. */
void ov_answer(struct preq *pr, int error)
{
	pr->digest = error ? 0 : digest_of(pr);
	core_list_add_tail(&pr->node, &pr->h->replies);
	sender_kick(pr->h);
}

void ov_result(struct host *h, const struct wire_block *b)
{
	struct preq *pr = preq_take(&h->ov_reads, b->sector, b->size);

	if (!pr)
		violated("n%d: verify result for %llu, which was not asked for", h->id,
			 (unsigned long long)b->sector);
	take_result(h, pr, 0, b->block_id == OV_OUT_OF_SYNC ? VERIFY_DIFFERS :
			      b->block_id == OV_SKIPPED ? VERIFY_SKIPPED : VERIFY_SAME);
	preq_acked(pr);
}
