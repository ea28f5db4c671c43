// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must hold. The world knows everything: which writes were acknowledged,
 * what is on both disks, which bits are set; the nodes know nothing of this.
 *
 * A unit's content is the number of a write. A write that was submitted after
 * another one had ended is newer. For each unit a branch remembers the newest
 * submission among the acknowledged writes (its floor): content is stale if its
 * own write had ended before that submission.
 */
#include "sim.h"

#include "../../kernel/core/state/compare.h"

/* --- content --------------------------------------------------------------------------- */

static u64 ended(ver v)
{
	return v ? W->ops[v]->completed : 0;
}

static u64 begun(ver v)
{
	return v ? W->ops[v]->submitted : 0;
}

static bool descends(u8 from, u8 ancestor)
{
	while (from != ancestor && from)
		from = W->branch[from].parent;
	return from == ancestor;
}

/* A branch that was forced upon a disk in the middle of something may hold anything. */
static bool mixed(u8 branch)
{
	while (branch && !W->branch[branch].stale)
		branch = W->branch[branch].parent;
	return W->branch[branch].stale;
}

static bool good(ver v, u8 branch, u64 floor)
{
	return floor <= ended(v) &&
	       (!v || descends(branch, W->ops[v]->branch) || mixed(branch));
}

static bool has_unit(int node, u8 branch, u32 unit)
{
	return good(W->disk[node].cur[unit], branch, W->branch[branch].floor[unit]);
}

/* The history that a node's application reads and writes: of its disk, or of the peer's. */
static u8 used_branch(int node)
{
	const struct host *h = W->host[node];
	bool remote = h && h->st_dev.disk != DISK_UP_TO_DATE && h->st_pd.pdsk == DISK_UP_TO_DATE;

	return W->on_branch[remote ? 1 - node : node];
}

/* The disk holds all that was acknowledged in its branch. */
bool oracle_complete(int node)
{
	u32 i;

	for (i = 0; i < W->n_touched; i++)
		if (!has_unit(node, W->on_branch[node], W->touched[i]))
			return false;
	return true;
}

void oracle_init(void)
{
	W->branch[0].used = true;
	W->branch[0].floor = calloc(W->disk[0].units, sizeof(u64));
	W->durable[0] = calloc(W->disk[0].units, sizeof(u64));
	W->durable[1] = calloc(W->disk[0].units, sizeof(u64));
	W->lost_at[0] = calloc(W->disk[0].units, sizeof(u64));
	W->lost_at[1] = calloc(W->disk[0].units, sizeof(u64));
	W->touched = calloc(W->disk[0].units, sizeof(u32));
	W->is_touched = calloc(W->disk[0].units, sizeof(bool));
	W->n_durable = 1;
	W->max_ops = 64;
	W->ops = calloc(W->max_ops, sizeof(*W->ops));
	W->n_ops = 1;
}

void oracle_free(void)
{
	u32 i;

	for (i = 0; i < BRANCHES; i++)
		free(W->branch[i].floor);
	free(W->durable[0]);
	free(W->durable[1]);
	free(W->lost_at[0]);
	free(W->lost_at[1]);
	free(W->touched);
	free(W->is_touched);
}

static void touch(u32 first, u32 n)
{
	for (; n--; first++) {
		if (W->is_touched[first])
			continue;
		W->is_touched[first] = true;
		W->touched[W->n_touched++] = first;
	}
}

/* --- operations of the application -------------------------------------------------------- */

void oracle_submit(struct op *op)
{
	u32 first = (u32)(op->sector / UNIT_SECTORS), n = op->size / UNIT_BYTES, i;

	if (W->n_ops == W->max_ops) {
		W->max_ops *= 2;
		W->ops = realloc(W->ops, W->max_ops * sizeof(*W->ops));
	}
	op->v = W->n_ops;
	W->ops[W->n_ops++] = op;
	op->branch = used_branch(op->node);
	op->submitted = ++W->count;
	op->completed = NEVER;
	if (op->kind == OP_WRITE)
		touch(first, n);
	if (op->kind != OP_READ)
		return;
	op->data = calloc(n, sizeof(ver));
	op->floor = calloc(n, sizeof(u64));
	for (i = 0; i < n; i++)
		op->floor[i] = W->branch[op->branch].floor[first + i];
}

static void check_read(const struct op *op)
{
	u32 first = (u32)(op->sector / UNIT_SECTORS), i;

	for (i = 0; !W->unchecked && i < op->size / UNIT_BYTES; i++)
		if (!good(op->data[i], used_branch(op->node), op->floor[i]))
			violated("n%d reads old data in unit %u: write %u, though a write submitted at %llu was acknowledged",
			     op->node, first + i, op->data[i], (unsigned long long)op->floor[i]);
}

static void make_durable(const struct op *op)
{
	u64 *durable = W->durable[op->node];
	u32 first = (u32)(op->sector / UNIT_SECTORS), i;

	for (i = 0; op->local && i < op->size / UNIT_BYTES; i++)
		durable[first + i] = max(durable[first + i], op->submitted);
}

/* All writes that had ended when the flush was submitted. */
static void flush_ended(const struct op *flush)
{
	u32 i;

	for (i = W->n_durable; i < W->n_ops; i++) {
		const struct op *op = W->ops[i];

		if (op->kind == OP_WRITE && op->node == flush->node && !op->broken && op->completed < flush->submitted)
			make_durable(op);
	}
	while (W->n_durable < W->n_ops && W->ops[W->n_durable]->ended &&
	       W->ops[W->n_durable]->completed < flush->submitted)
		W->n_durable++;
}

static bool missed_end_of_sync(void);
static struct md_superblock superblock(int n);

/*
 * Success for a write that the peer's disk does not have, while nothing on the
 * disks tells that this node went on alone: if it died now, nobody would know.
 */
static void check_told(const struct op *op)
{
	int peer = 1 - op->node;
	const struct disk *theirs = &W->disk[peer];
	u32 first = (u32)(op->sector / UNIT_SECTORS), i;
	struct md_superblock mine, other;

	if (W->dual && W->host[peer] && W->host[peer]->st_res.role == ROLE_PRIMARY)
		return;		/* a write of its own may be there instead */
	/* the narrow loss of docs/reliability.md: it will know in a moment that it is behind */
	if (W->host[peer] && W->host[op->node]->st_pd.repl == REPL_WF_BITMAP_S)
		return;
	/* it knows that its disk is behind, and is writing that down */
	if (W->host[peer] && W->host[peer]->st_dev.disk < DISK_CONSISTENT &&
	    W->host[peer]->st_dev.disk >= DISK_INCONSISTENT)
		return;
	for (i = 0; i < op->size / UNIT_BYTES; i++)
		if (theirs->cur[first + i] < op->v)
			break;
	if (i == op->size / UNIT_BYTES || W->protocol != 3 || W->lost_any[peer] || W->unchecked ||
	    drbd_md_decode(W->disk[op->node].md, &mine) != MD_OK ||
	    drbd_md_decode(theirs->md, &other) != MD_OK || missed_end_of_sync())
		return;
	if (!((mine.current_uuid ^ other.current_uuid) & ~1ull) && (other.flags & MDF_WAS_UP_TO_DATE))
		violated("n%d acknowledges write %u, which its peer lacks, and has no new generation on its disk",
			 op->node, op->v);
}

/*
 * The ack of a node that has crashed since, and has lost what it acknowledged: of a
 * source whose target is not consistent yet, so that no good disk has it, or of
 * another one that its peer may follow, a second Primary. With protocols A and B it
 * may never have come there.
 */
static bool lost_on_the_way(const struct op *op, u32 unit)
{
	int peer = 1 - op->node;

	if (W->disk[peer].cur[unit] >= op->v)
		return false;
	if (W->host[op->node]->st_dev.disk < DISK_OUTDATED)
		return W->lost_any[peer] || W->protocol != 3;
	return W->lost_any[peer] && W->lost_followed[peer];
}

/* It ended well. */
void oracle_done(struct op *op)
{
	struct branch *b = &W->branch[used_branch(op->node)];
	u32 first = (u32)(op->sector / UNIT_SECTORS), i;

	op->completed = ++W->count;
	op->local = W->host[op->node]->ldev.plan->local_disk && !op->local_failed;
	if (op->kind == OP_READ)
		check_read(op);
	else if (op->kind == OP_FLUSH)
		flush_ended(op);
	if (op->kind != OP_WRITE)
		return;
	if (op->fua)
		make_durable(op);
	b->acked++;
	for (i = 1; i < BRANCHES; i++)
		W->branch[i].parent_acked += op->in_forks >> i & 1;
	check_told(op);
	for (i = 0; i < op->size / UNIT_BYTES; i++)
		if (!lost_on_the_way(op, first + i))
			b->floor[first + i] = max(b->floor[first + i], op->submitted);
}

/* --- losing what was not flushed ------------------------------------------------------------ */

/*
 * Called behind disk_crash(). What this disk had only in its cache is lost by
 * right, and nobody may expect it any more, if this node may be the one that the
 * peer follows: it was Primary, or its peer lacks writes. With protocols A and B
 * neither is expected what had not reached the peer. But what a flush had
 * covered must be there.
 */
void oracle_crash(struct host *h)
{
	int node = h->id, peer = 1 - node;
	u8 b = W->on_branch[node];
	const struct disk *mine = &W->disk[node], *theirs = &W->disk[peer];
	bool shared = W->on_branch[peer] == b;
	u8 k;
	/* a peer with an Inconsistent disk follows even if by chance it lacks nothing */
	bool followed = h->st_res.role == ROLE_PRIMARY || !shared || !oracle_complete(peer) ||
			h->st_pd.pdsk == DISK_INCONSISTENT;
	u32 i;

	W->lost_followed[node] = followed;
	for (k = 1; W->protocol != 3 && k < BRANCHES; k++)
		if (W->branch[k].parent == b)
			W->branch[k].untold = true;
	for (i = 0; i < W->n_touched; i++) {
		u32 u = W->touched[i];
		u64 *floor = &W->branch[b].floor[u], durable = W->durable[node][u];

		if (durable > ended(mine->cur[u]) && !W->unchecked)
			violated("n%d crashed and lost unit %u, write %u: a write submitted at %llu was flushed",
				 node, u, mine->cur[u], (unsigned long long)durable);
		if (W->protocol != 3 && shared)
			*floor = min(*floor, min(begun(mine->cur[u]), begun(theirs->cur[u])));
		else if (followed && !has_unit(node, b, u))
			*floor = min(*floor, begun(mine->cur[u]));
		else if (!has_unit(node, b, u))
			W->lost_cache[node] = true;
	}
}

/*
 * A Primary without disk goes on with its peer's, which has crashed before: it had no
 * disk, or lost it, and so it follows (docs/reliability.md).
 */
void oracle_borrow(int node)
{
	int peer = 1 - node;
	u64 *floor = W->branch[W->on_branch[peer]].floor;
	u32 i;

	for (i = 0; i < W->n_touched; i++) {
		u32 u = W->touched[i];

		if (floor[u] < W->lost_at[peer][u])
			floor[u] = min(floor[u], begun(W->disk[peer].cur[u]));
	}
}

/*
 * A disk could not be read or written, and is out of the game. What it alone had is
 * lost by right: what counts from now on is what the peer has.
 */
void oracle_disk_failed(int node)
{
	int peer = 1 - node;
	u8 b = W->on_branch[node];
	u32 i;

	if (W->on_branch[peer] != b) {
		W->branch[b].gone = true;
		return;
	}
	for (i = 0; i < W->n_touched; i++) {
		u64 *floor = &W->branch[b].floor[W->touched[i]];

		*floor = min(*floor, begun(W->disk[peer].cur[W->touched[i]]));
	}
}

/* --- branches ---------------------------------------------------------------------------------- */

static struct md_superblock superblock(int n)
{
	struct host *h = W->host[n];
	struct md_superblock sb;

	if (h && h->attached && h->st_dev.disk > DISK_ATTACHING) {
		core_md_to_disk(&h->dev, &sb);
	} else if (drbd_md_decode(W->disk[n].md, &sb) != MD_OK) {
		violated("n%d: superblock cannot be decoded", n);
	}
	return sb;
}

/*
 * One node has heard that a resync ended, the other has not, and goes on with the
 * bitmap identifier of the resync: it makes no new generation (behaviour.md 8.3),
 * so that what it writes alone cannot be told later.
 */
static bool missed_end_of_sync(void)
{
	struct md_superblock a = superblock(0), b = superblock(1);
	u64 a_tracks = a.peer[a.format == MD_V08 ? 0 : 1].bitmap_uuid & ~1ull;
	u64 b_tracks = b.peer[0].bitmap_uuid & ~1ull;

	/* or the other one has gone on from there meanwhile */
	if (a_tracks && b_tracks)
		return a_tracks == (b.current_uuid & ~1ull) || b_tracks == (a.current_uuid & ~1ull);
	return ((a.current_uuid ^ b.current_uuid) & ~1ull) == 0 && (a_tracks || b_tracks);
}

/* Its writes that are under way, but on this disk already: their acks may still come. */
static void note_contained(u8 branch, u8 parent, const ver *content)
{
	u32 i, u;

	for (i = 1; i < W->n_ops; i++) {
		struct op *op = W->ops[i];
		u32 first = (u32)(op->sector / UNIT_SECTORS), n = op->size / UNIT_BYTES;

		if (op->ended || op->kind != OP_WRITE || op->branch != parent)
			continue;
		for (u = 0; u < n && content[first + u] >= op->v; u++)
			;
		if (u == n)
			op->in_forks |= (u8)(1u << branch);
	}
}

static void fork_branch(int node, const ver *content, bool stale)
{
	u8 parent = W->on_branch[node], i;
	struct branch *b;
	u32 t;

	for (i = 0; i < BRANCHES && W->branch[i].used; i++)
		;
	if (i == BRANCHES) {
		W->unchecked = true;
		return;
	}
	b = &W->branch[i];
	b->used = true;
	b->parent = parent;
	b->stale = stale;
	b->untracked = missed_end_of_sync();
	b->untold = (stale && (W->lost_cache[node] || W->forced[node])) || b->untracked;
	b->parent_acked = W->branch[parent].acked;
	b->forked = ++W->count;
	b->floor = calloc(W->disk[0].units, sizeof(u64));
	for (t = 0; t < W->n_touched; t++)
		b->floor[W->touched[t]] = begun(content[W->touched[t]]);
	note_contained(i, parent, content);
	W->on_branch[node] = i;
	W->r.forks++;
	note("n%d begins branch %u from %u%s", node, i, parent, stale ? ", which it lacks writes of" : "");
}

void oracle_promote(int node)
{
	struct host *h = W->host[node], *o = W->host[1 - node];
	int holder = node;
	bool complete;

	if (h->st_dev.disk != DISK_UP_TO_DATE && h->st_pd.pdsk == DISK_UP_TO_DATE)
		holder = 1 - node;
	complete = oracle_complete(holder);
	if (W->dual && complete && h->st_pd.repl >= REPL_ESTABLISHED && o &&
	    W->on_branch[node] == W->on_branch[1 - node])
		return;
	note("n%d is Primary of branch %u%s", node, W->on_branch[holder], complete ? "" : ", not complete");
	if (!complete || (o && o->st_res.role == ROLE_PRIMARY))
		fork_branch(holder, W->disk[holder].cur, !complete);
}

/* Two Primaries lose each other: from here on each has a history of its own. */
void oracle_parted(int node)
{
	const struct host *h = W->host[node], *o = W->host[1 - node];

	if (!W->dual || !o || h->st_res.role != ROLE_PRIMARY || o->st_res.role != ROLE_PRIMARY ||
	    W->on_branch[0] != W->on_branch[1] || h->st_dev.disk != DISK_UP_TO_DATE ||
	    o->st_dev.disk != DISK_UP_TO_DATE)
		return;
	fork_branch(node, W->disk[node].cur, !oracle_complete(node));
}

/* A Primary whose disk came back alone, while the other one goes on as well. */
void oracle_alone(int node)
{
	const struct host *o = W->host[1 - node];
	const ver *cur = W->disk[node].cur;
	u32 i, u;

	if (!W->dual || !o || o->st_res.role != ROLE_PRIMARY || W->on_branch[0] != W->on_branch[1])
		return;
	fork_branch(node, cur, !oracle_complete(node));
	for (i = 1; i < W->n_ops; i++) {
		struct op *op = W->ops[i];
		u32 first = (u32)(op->sector / UNIT_SECTORS);

		for (u = 0; op->floor && op->node == node && !op->ended && u < op->size / UNIT_BYTES; u++)
			op->floor[u] = min(op->floor[u], begun(cur[first + u]));
	}
}

/* Acknowledged writes of branch @lose that @keep does not have. */
static bool would_lose(u8 lose, u8 keep)
{
	const struct branch *k = &W->branch[keep];

	if (lose == keep || W->branch[lose].gone)
		return false;
	if (descends(keep, lose)) {
		while (k->parent != lose)
			k = &W->branch[k->parent];
		return !k->untold && (k->stale || W->branch[lose].acked > k->parent_acked);
	}
	if (descends(lose, keep)) {
		u8 b;

		/* its writes have no generation of their own, nor have those behind them */
		for (b = lose; b != keep; b = W->branch[b].parent)
			if (W->branch[b].untracked)
				return false;
		return !W->branch[lose].untold && W->branch[lose].acked > 0;
	}
	return W->branch[lose].acked > 0 && W->branch[keep].acked > 0;
}

/* By command the content of this node's disk is what counts from now on. */
static void forgive(u8 branch, int node)
{
	struct branch *b = &W->branch[branch];
	u32 i;

	for (i = 0; i < W->n_touched; i++) {
		u32 u = W->touched[i];

		b->floor[u] = min(b->floor[u], begun(W->disk[node].cur[u]));
	}
}

void oracle_sync_start(int target)
{
	u8 lose = W->on_branch[target], keep = W->on_branch[1 - target];
	u32 i;

	if (would_lose(lose, keep) && !W->discard_allowed[target] && !W->unchecked)
		violated("n%d becomes sync target and loses acknowledged writes of branch %u (peer: branch %u): undetected divergence",
		     target, lose, keep);
	if (W->discard_allowed[target] && lose == keep)
		forgive(keep, 1 - target);
	W->discard_allowed[target] = false;
	W->on_branch[target] = keep;
	/* what it had flushed is overwritten by right */
	memset(W->durable[target], 0, W->disk[target].units * sizeof(u64));
	for (i = 1; i < W->n_ops; i++) {
		if (W->ops[i]->node != target)
			continue;
		W->ops[i]->broken = true;
		if (!W->ops[i]->ended)	/* it waited for this */
			W->ops[i]->branch = keep;
	}
}

void oracle_sync_end(int target)
{
	W->lost_cache[target] = W->lost_any[target] = W->lost_followed[target] = false;
	memset(W->lost_at[target], 0, W->disk[target].units * sizeof(u64));
	W->r.resyncs_done++;
}

/* What was written in one history is part of another one, that both nodes have from now on. */
static void join_branch(int node, u8 keep)
{
	u8 mine = W->on_branch[node];
	u32 i;

	W->on_branch[node] = keep;
	for (i = 1; i < W->n_ops; i++)
		if (W->ops[i]->branch == mine && W->ops[i]->node == node)
			W->ops[i]->branch = keep;
}

/* Connected as equals. */
void oracle_established(int node)
{
	u8 mine = W->on_branch[node], theirs = W->on_branch[1 - node];

	if (mine == theirs || W->unchecked)
		return;
	if (!would_lose(mine, theirs))
		join_branch(node, theirs);
	else if (!would_lose(theirs, mine))
		join_branch(1 - node, mine);
	else
		violated("nodes with branches %u and %u connect as equals: undetected divergence",
		     mine, theirs);
}

/* --- the activity log ---------------------------------------------------------------------------- */

static bool all_hot(struct disk *d, u64 sector, u32 size)
{
	u32 e;

	for (e = drbd_al_first(sector); e <= drbd_al_last(sector, size); e++)
		if (!d->hot[e])
			return false;
	return true;
}

/* A write goes to the disk that only this node's log can tell of. */
void oracle_local_write(struct host *h, u64 sector, u32 size)
{
	if (!all_hot(h->disk, sector, size))
		violated("n%d writes %llu+%u, whose extent is not hot on stable storage", h->id,
		     (unsigned long long)sector, size);
}

/* No unfinished write may lose its extent. */
void oracle_al_written(struct host *h)
{
	struct log_entry *e;
	u64 at = 0;

	while ((e = drbd_log_unretired(&h->log, &h->ldev, &at))) {
		const struct request *r = e->owner;

		/* those of before an attach are marked: the log was applied */
		if (r && r->hot && r->al_generation == h->al_generation &&
		    !all_hot(h->disk, e->sector, e->size))
			violated("n%d: extent of the unfinished write %llu+%u went cold", h->id,
			     (unsigned long long)e->sector, e->size);
	}
}

/* --- two disks --------------------------------------------------------------------------------------- */

static bool both_up_to_date(void)
{
	int n;

	for (n = 0; n < NODES; n++) {
		const struct host *h = W->host[n];

		if (!h || h->st_dev.disk != DISK_UP_TO_DATE || h->st_pd.pdsk != DISK_UP_TO_DATE ||
		    h->st_pd.repl != REPL_ESTABLISHED)
			return false;
	}
	return W->host[0]->ses == W->host[1]->ses;
}

static bool quiet(void)
{
	int n;

	if (!stream_idle())
		return false;
	for (n = 0; n < NODES; n++) {
		const struct host *h = W->host[n];

		if (!h || h->open_ops || h->active || h->log.head != h->log.tail ||
		    !core_list_empty(&h->ios))
			return false;
	}
	return true;
}

/* Connected, UpToDate on both sides, nothing under way: equal and complete. */
void check_equal(const char *when)
{
	u32 i, u;
	int n;

	if (W->unchecked || !both_up_to_date() || !quiet())
		return;
	for (i = 0; i < W->n_touched; i++) {
		u = W->touched[i];
		if (W->disk[0].cur[u] != W->disk[1].cur[u])
			violated("%s: both are UpToDate, but unit %u (block %u) is write %u on n0, write %u on n1",
			     when, u, u / BLOCK_UNITS, W->disk[0].cur[u], W->disk[1].cur[u]);
		for (n = 0; n < NODES; n++)
			if (!has_unit(n, W->on_branch[n], u))
				violated("%s: acknowledged write lost: unit %u is write %u on n%d, though a write submitted at %llu was acknowledged",
				     when, u, W->disk[n].cur[u], n,
				     (unsigned long long)W->branch[W->on_branch[n]].floor[u]);
	}
}

static u32 slot_of(int n, const struct md_superblock *sb)
{
	s32 slot = sb->peer[sb->format == MD_V08 ? 0 : 1 - n].bitmap_index;

	return slot >= 0 ? (u32)slot : 0;
}

static struct core_compare_side side(int n, const struct md_superblock *sb)
{
	struct core_compare_side s = { .role = ROLE_SECONDARY };

	s.uuids.current_uuid = sb->current_uuid;
	s.uuids.bitmap_uuid = sb->peer[sb->format == MD_V08 ? 0 : 1 - n].bitmap_uuid;
	s.uuids.history[0] = sb->history[0];
	s.uuids.history[1] = sb->history[1];
	s.crashed_primary = sb->flags & MDF_CRASHED_PRIMARY;
	return s;
}

/* Bits do not matter: all of it will be copied, or nothing before a person decided. */
static bool full_sync_due(const struct md_superblock *sb)
{
	struct core_compare_side a = side(0, &sb[0]), b = side(1, &sb[1]);
	struct core_compare_result r = compare84(&a, &b, 101, true, true);
	int n;

	for (n = 0; n < NODES; n++) {
		const struct host *h = W->host[n];

		if ((h && (h->pd.full_sync && h->pd.sync != SYNC_NONE)) || !sb[n].effective_size ||
		    !(sb[n].flags & MDF_CONSISTENT))
			return true;
	}
	return r.decision != DECIDE_NO_SYNC && r.decision != DECIDE_SOURCE_BITMAP &&
	       r.decision != DECIDE_TARGET_BITMAP && r.decision != DECIDE_SPLIT_BRAIN_BITMAP;
}

static bool is_marked(int n, const struct md_superblock *sb, u64 block)
{
	struct host *h = W->host[n];
	u32 extent = (u32)(block >> (AL_EXTENT_SHIFT - 12));

	/* a disk that has failed keeps what is on it */
	if (h && h->attached && h->bm && h->st_dev.disk != DISK_FAILED)
		return drbd_bitmap_test(h->bm, slot_of(n, sb), block) ||
		       drbd_al_has_refs(h->al, extent, extent);
	return disk_bit(&W->disk[n], block, slot_of(n, sb)) ||
	       ((sb->flags & MDF_PRIMARY_IND) && W->disk[n].hot[extent]);
}

static bool is_hot(int n, u32 unit)
{
	return W->disk[n].hot[unit / BLOCK_UNITS >> (AL_EXTENT_SHIFT - 12)];
}

/* A block that differs is marked on a side, or in flight, or everything is copied. */
void check_marked(void)
{
	struct md_superblock sb[NODES];
	bool loaded = false;
	u32 i;

	for (i = 0; i < W->n_touched && W->n_differ && !W->unchecked; i++) {
		u32 u = W->touched[i];

		if (W->disk[0].cur[u] == W->disk[1].cur[u])
			continue;
		if (!loaded) {
			sb[0] = superblock(0);
			sb[1] = superblock(1);
			if (full_sync_due(sb))
				return;
			loaded = true;
		}
		if (!is_marked(0, &sb[0], u / BLOCK_UNITS) && !is_marked(1, &sb[1], u / BLOCK_UNITS))
			violated("block %u differs (unit %u: write %u on n0, %u on n1), and nobody has it marked (flags %x %x, extent %shot %shot)",
				 u / BLOCK_UNITS, u, W->disk[0].cur[u], W->disk[1].cur[u],
				 sb[0].flags, sb[1].flags, is_hot(0, u) ? "" : "not ", is_hot(1, u) ? "" : "not ");
	}
}

/* --- after each step ---------------------------------------------------------------------------------- */

void check_step(void)
{
	const struct host *a = W->host[0], *b = W->host[1];

	if (!W->dual && a && b && a->ses && a->ses == b->ses && a->st_res.role == ROLE_PRIMARY &&
	    b->st_res.role == ROLE_PRIMARY && a->st_pd.repl >= REPL_ESTABLISHED &&
	    b->st_pd.repl >= REPL_ESTABLISHED)
		violated("two Primaries are connected");
	if (W->r.steps % 64 == 0) {
		check_equal("on the way");
		check_marked();
	}
}
