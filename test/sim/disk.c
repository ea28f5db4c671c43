// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks with a volatile cache, and what the module keeps on them: superblock,
 * activity log and bitmap, in their real encodings. The order of what is
 * written is that of kernel/mdio.c, alio.c and bitmapio.c.
 */
#include "sim.h"

static u32 extents(void)
{
	return (u32)core_div_up(W->sectors, AL_EXTENT_SECTORS);
}

/* --- the medium --------------------------------------------------------------- */

struct flat_bitmap {
	struct bitmap bm;
	void *page[64];
	u8 flags[64];
};

static void flat(const struct disk *d, struct flat_bitmap *f)
{
	u32 i, n = d->md_blocks - MD_BM;

	for (i = 0; i < n && i < ARRAY_SIZE(f->page); i++)
		f->page[i] = d->md + (size_t)(MD_BM + i) * MD_BLOCK;
	memset(f->flags, 0, sizeof(f->flags));
	drbd_bitmap_init(&f->bm, f->page, f->flags, W->sectors, W->slots, 12);
}

void disk_init(struct disk *d)
{
	d->units = (u32)(W->sectors / UNIT_SECTORS);
	d->stable = calloc(d->units, sizeof(ver));
	d->cur = calloc(d->units, sizeof(ver));
	d->md_blocks = MD_BM + drbd_bitmap_pages(W->sectors, W->slots, 12);
	d->md = calloc(d->md_blocks, MD_BLOCK);
	d->hot = calloc(1, (size_t)drbd_al_last(0, 0) + 1 + W->sectors / AL_EXTENT_SECTORS);
	d->al_slots = calloc(AL_REPLAY_SLOTS, sizeof(u32));
	d->view = calloc(1, sizeof(*d->view));
	flat(d, d->view);
}

void disk_free(struct disk *d)
{
	free(d->stable);
	free(d->cur);
	free(d->cache);
	free(d->md);
	free(d->hot);
	free(d->al_slots);
	free(d->view);
}

static void cache_add(struct disk *d, u32 unit, ver v)
{
	if (d->n_cache == d->max_cache) {
		d->max_cache = d->max_cache ? d->max_cache * 2 : 256;
		d->cache = realloc(d->cache, d->max_cache * sizeof(*d->cache));
	}
	d->cache[d->n_cache++] = (struct cached){ unit, v };
}

static void cache_flush(struct disk *d, u64 upto)
{
	u32 n = upto > d->cache_base ? (u32)(upto - d->cache_base) : 0, i;

	if (!n)
		return;
	for (i = 0; i < n; i++)
		if (d->cache[i].unit != ~0u)
			d->stable[d->cache[i].unit] = d->cache[i].v;
	memmove(d->cache, d->cache + n, (d->n_cache - n) * sizeof(*d->cache));
	d->n_cache -= n;
	d->cache_base += n;
}

static u64 cache_end(const struct disk *d)
{
	return d->cache_base + d->n_cache;
}

static void write_through(struct disk *d, u32 unit, ver v)
{
	u32 i;

	for (i = 0; i < d->n_cache; i++)
		if (d->cache[i].unit == unit)
			d->cache[i].unit = ~0u;
	d->stable[unit] = v;
}

/* What is read from now on. */
void disk_set(struct disk *d, u32 unit, ver v)
{
	ver other = W->disk[d == W->disk].cur[unit];

	W->n_differ -= d->cur[unit] != other;
	d->cur[unit] = v;
	W->n_differ += v != other;
}

static void put_data(struct disk *d, const struct io *io)
{
	u32 first = (u32)(io->sector / UNIT_SECTORS), i;

	for (i = 0; i < io->size / UNIT_BYTES; i++) {
		disk_set(d, first + i, io->v[i]);
		if (io->fua)
			write_through(d, first + i, io->v[i]);
		else
			cache_add(d, first + i, io->v[i]);
	}
}

static void hot_add(struct disk *d, const void *block);
static void hot_by_replay(struct disk *d);

static void put_md(struct disk *d, const struct io *io)
{
	memcpy(d->md + (size_t)io->md_block * MD_BLOCK, io->md, MD_BLOCK);
	if (io->md_block >= MD_AL && io->md_block < MD_BM)
		hot_add(d, io->md);
}

/* --- I/O --------------------------------------------------------------------------- */

struct io *io_new(struct host *h, u8 kind, void *owner, void (*done)(struct io *, int))
{
	struct io *io = host_alloc(h, sizeof(*io));

	io->kind = kind;
	io->owner = owner;
	io->done = done;
	return io;
}

static void io_end(struct item *it)
{
	struct io *io = container_of(it, struct io, it);
	struct host *h = it->h;
	struct disk *d = h->disk;
	u32 i;
	int error = 0;

	core_list_del(&io->link);
	if (W->io_errors && io->kind <= IO_WRITE && !W->closing && permille(1)) {
		W->r.errors++;
		note("n%d disk error at %llu+%u", h->id, (unsigned long long)io->sector, io->size);
		error = -EIO;
	}
	if (!error && io->flush)
		cache_flush(d, io->flush_to);
	if (!error && io->kind == IO_READ)
		for (i = 0; i < io->size / UNIT_BYTES; i++)
			io->v[i] = d->cur[io->sector / UNIT_SECTORS + i];
	if (!error && io->kind == IO_WRITE)
		put_data(d, io);
	if (io->kind == IO_MD) {
		bool log = io->md_block >= MD_AL && io->md_block < MD_BM;

		put_md(d, io);
		if (log)
			oracle_al_written(h);
	}
	io->done(io, error);
	host_free(io);
}

/* Two writes to one block never are at the backend at once (ordering table). */
static void check_overlap(struct host *h, const struct io *io)
{
	struct core_node *n;

	for (n = h->ios.next; n != &h->ios; n = n->next) {
		struct io *o = container_of(n, struct io, link);

		if (o->kind == IO_WRITE && o->sector < io->sector + io->size / SECTOR_BYTES &&
		    io->sector < o->sector + o->size / SECTOR_BYTES)
			violated("n%d: two overlapping writes are at the disk: %llu+%u and %llu+%u",
			     h->id, (unsigned long long)o->sector, o->size,
			     (unsigned long long)io->sector, io->size);
	}
}

void io_submit(struct host *h, struct io *io)
{
	if (io->kind == IO_WRITE)
		check_overlap(h, io);
	/* internal metadata: its writes flush the cache of the data, too */
	if (io->kind == IO_FLUSH || (io->kind == IO_MD && !W->external_md))
		io->flush = true;
	io->flush_to = cache_end(h->disk);
	core_list_add_tail(&io->link, &h->ios);
	item_add(&io->it, h, 20 + below(W->latency), io_end);
}

/* The whole log tells the same as block after block did. */
static void check_replay(struct host *h)
{
	struct disk *d = h->disk;
	u8 before[64];

	memcpy(before, d->hot, extents());
	hot_by_replay(d);
	if (memcmp(before, d->hot, extents()))
		violated("n%d: replay of the activity log finds other extents than were written", h->id);
}

/*
 * It reached the medium, and so did before what it was to flush - or only some of its
 * sectors did. The superblock is believed to be written as one.
 */
static void late_md(struct disk *d, const struct io *io)
{
	if (io->flush)
		cache_flush(d, io->flush_to);
	if (io->md_block == MD_SB || chance(60)) {
		put_md(d, io);
		return;
	}
	W->r.torn++;
	memcpy(d->md + (size_t)io->md_block * MD_BLOCK, io->md, (1 + below(7)) * SECTOR_BYTES);
	/* all that was in it may have been in the sectors that were written */
	if (io->md_block < MD_BM)
		hot_add(d, d->md + (size_t)io->md_block * MD_BLOCK);
}

/* Power is lost: what no flush covered, and what was under way, may be there or not. */
void disk_crash(struct host *h)
{
	struct disk *d = h->disk;
	struct core_node *n;
	u32 i;

	for (n = h->ios.next; n != &h->ios; n = n->next) {
		struct io *io = container_of(n, struct io, link);

		if (io->kind == IO_WRITE)
			for (i = 0; i < io->size / UNIT_BYTES; i++)
				cache_add(d, (u32)(io->sector / UNIT_SECTORS) + i, io->v[i]);
		else if (io->kind == IO_MD && chance(50))
			late_md(d, io);
	}
	for (i = 0; i < d->n_cache; i++)
		if (d->cache[i].unit != ~0u && chance(W->keep))
			d->stable[d->cache[i].unit] = d->cache[i].v;
	d->cache_base += d->n_cache;
	d->n_cache = 0;
	for (i = 0; i < W->n_touched; i++) {
		u32 unit = W->touched[i];

		if (d->cur[unit] != d->stable[unit]) {
			W->lost_any[h->id] = true;
			W->lost_at[h->id][unit] = W->count;
		}
		disk_set(d, unit, d->stable[unit]);
	}
	check_replay(h);
}

/* --- metadata as the tools write it --------------------------------------------------- */

static void *md_block(const struct disk *d, u32 block)
{
	return d->md + (size_t)block * MD_BLOCK;
}

static void al_init_blocks(struct disk *d)
{
	u32 i;

	for (i = 0; i < AL_RING; i++)
		drbd_al_block_init(md_block(d, MD_AL + i));
}

void disk_create_md(struct disk *d, int node, u64 uuid, bool up_to_date)
{
	struct md_superblock sb;

	drbd_md_init(&sb, W->format, W->slots);
	sb.md_size_sect = d->md_blocks * 8;
	sb.al_offset = 8;
	sb.bm_offset = 8 + AL_RING * 8;
	if (up_to_date) {
		sb.effective_size = W->sectors;
		sb.current_uuid = uuid;
		sb.flags |= MDF_CONSISTENT | MDF_WAS_UP_TO_DATE;
		if (W->format == MD_V09)
			sb.node_id = node;
	}
	drbd_md_encode(&sb, md_block(d, MD_SB), false);
	al_init_blocks(d);
	hot_by_replay(d);
}

static enum al_replay_verdict replay(const struct disk *d, struct al_replay *r, u32 *slots)
{
	enum al_replay_verdict v;
	u32 i, first;

	drbd_al_replay_init(r, AL_RING, slots);
	for (i = 0; i < AL_RING; i++)
		drbd_al_replay_scan(r, i, md_block(d, MD_AL + drbd_al_ring_block(i, 1, AL_RING)));
	v = drbd_al_replay_decide(r);
	if (v != AL_REPLAY_EXTENTS)
		return v;
	first = drbd_al_replay_first(r);
	for (i = 0; i < drbd_al_replay_count(r); i++)
		drbd_al_replay_apply(r, md_block(d, MD_AL + drbd_al_ring_block((first + i) % AL_RING, 1,
									       AL_RING)));
	return v;
}

static void hot_of(struct disk *d, const struct al_replay *r)
{
	u32 at = 0, e;

	memset(d->hot, 0, extents());
	while ((e = drbd_al_replay_next(r, &at)) != AL_FREE)
		if (e < extents())
			d->hot[e] = 1;
}

/* What is hot by the log as it is on the medium, read as apply-al reads it. */
static void hot_by_replay(struct disk *d)
{
	struct al_replay r;

	if (replay(d, &r, d->al_slots) == AL_REPLAY_EXTENTS)
		hot_of(d, &r);
	else
		memset(d->hot, 0, extents());
	d->al_replay = r;
}

/* The same, kept up with one block. */
static void hot_add(struct disk *d, const void *block)
{
	drbd_al_replay_apply(&d->al_replay, block);
	hot_of(d, &d->al_replay);
}

bool disk_bit(const struct disk *d, u64 block, u32 slot)
{
	return drbd_bitmap_test(&d->view->bm, slot, block);
}

/* drbdmeta apply-al (metadata.md 5.7). */
void disk_apply_al(struct disk *d)
{
	struct md_superblock sb;
	struct flat_bitmap f;
	u32 e, slot;

	if (drbd_md_decode(md_block(d, MD_SB), &sb) != MD_OK)
		violated("superblock cannot be decoded");
	if (sb.flags & MDF_PRIMARY_IND) {
		hot_by_replay(d);
		flat(d, &f);
		for (e = 0; e < extents(); e++) {
			u64 first = (u64)e << (AL_EXTENT_SHIFT - 12);

			for (slot = 0; d->hot[e] && slot < W->slots; slot++)
				drbd_bitmap_set(&f.bm, slot, first, min(first + 1023, f.bm.bits - 1));
		}
	}
	al_init_blocks(d);
	hot_by_replay(d);
	sb.flags |= MDF_AL_CLEAN;
	sb.magic = sb.format == MD_V08 ? MD_MAGIC_V08 : MD_MAGIC_V09;
	drbd_md_encode(&sb, md_block(d, MD_SB), false);
}

/* --- the backing device: kernel/backing.c ------------------------------------------------ */

bool backing_get(struct host *h)
{
	if (!h->attached || h->killed)
		return false;
	h->backing_refs++;
	return true;
}

static void closed(struct item *it)
{
	struct host *h = it->h;

	cache_flush(h->disk, cache_end(h->disk));
	h->attached = h->killed = false;
	peer_writes_give_up(h);
	post(h, &h->ev_closed);
	host_free(it);
}

void backing_put(struct host *h)
{
	core_assert(h->backing_refs);
	if (--h->backing_refs || !h->killed)
		return;
	item_add(host_alloc(h, sizeof(struct item)), h, below(200), closed);
}

void backing_close_when_idle(struct host *h)
{
	if (!h->attached || h->killed) {
		post(h, &h->ev_closed);
		return;
	}
	h->killed = true;
	h->backing_refs++;
	backing_put(h);
}

static struct bitmap *load_bitmap(struct host *h, bool empty)
{
	u32 n = h->disk->md_blocks - MD_BM, i;
	struct bitmap *bm = host_alloc(h, sizeof(*bm));
	void **pages = host_alloc(h, n * sizeof(*pages));
	u8 *flags = host_alloc(h, n);

	for (i = 0; i < n; i++) {
		pages[i] = host_alloc(h, BITMAP_PAGE);
		if (!empty)
			memcpy(pages[i], md_block(h->disk, MD_BM + i), BITMAP_PAGE);
	}
	drbd_bitmap_init(bm, pages, flags, W->sectors, W->slots, 12);
	for (i = 0; i < n; i++)
		drbd_bitmap_recount(bm, i, i);
	return bm;
}

static struct act_log *make_al(struct host *h)
{
	struct act_log *al = host_alloc(h, sizeof(*al));
	struct al_slot *slots = host_alloc(h, W->al_slots * sizeof(*slots));
	u32 *extent = host_alloc(h, W->al_slots * sizeof(*extent)), hash = 1;
	u16 *heads;

	while (hash < W->al_slots)
		hash *= 2;
	heads = host_alloc(h, hash * sizeof(*heads));
	drbd_al_init(al, slots, extent, W->al_slots, heads, hash);
	return al;
}

/* What the requester of an attach does before the job. */
void attach_install(struct host *h, struct core_attach *a)
{
	nl_disk_conf_defaults(&a->conf);
	if (W->io_errors && chance(50))
		a->conf.on_io_error = ON_IO_ERROR_PASS_ON;
	if (drbd_md_decode(md_block(h->disk, MD_SB), &a->md) != MD_OK)
		violated("n%d: superblock cannot be decoded", h->id);
	if (!drbd_md_is_clean(&a->md))
		violated("n%d: attach of unclean metadata", h->id);
	a->d_size = W->sectors;
	a->max_bio = WIRE_MAX_BIO;
	/* what was there before stays allocated: like the module, nobody may use it any more */
	h->bm = load_bitmap(h, !a->md.effective_size);
	h->al = make_al(h);
	h->al_generation++;
	h->attached = true;
}

/* --- metadata I/O: one 4 KiB block at a time, under md_io ------------------------------------ */

static bool md_lock(struct host *h, u8 owner)
{
	if (h->md_owner != MD_NOBODY && h->md_owner != owner)
		return false;
	h->md_owner = owner;
	return true;
}

static void md_unlock(struct host *h)
{
	h->md_owner = MD_NOBODY;
}

static struct io *md_io(struct host *h, u32 block, const void *content,
			void (*done)(struct io *, int))
{
	struct io *io = io_new(h, IO_MD, NULL, done);

	io->md_block = block;
	io->md = host_alloc(h, MD_BLOCK);
	memcpy(io->md, content, MD_BLOCK);
	io_submit(h, io);
	return io;
}

static void sb_written(struct io *io, int error)
{
	struct host *h = io->it.h;

	host_free(io->md);
	md_unlock(h);
	backing_put(h);
	h->ev_md.ev.md_gen = (u32)(uintptr_t)io->owner;
	h->ev_md.ev.ok = !error;
	post(h, &h->ev_md);
}

/* A device of its own for metadata: the flush of that one does not reach the data. */
static void sb_data_flushed(struct io *io, int error)
{
	if (error)
		sb_written(io, error);
	else {
		md_io(io->it.h, MD_SB, io->md, sb_written)->owner = io->owner;
		host_free(io->md);
	}
}

bool md_ready(struct host *h)
{
	return h->md_kick && h->md_owner == MD_NOBODY && !h->ev_md.queued;
}

void md_run(struct host *h)
{
	u8 block[MD_BLOCK];

	h->md_kick = false;
	if (!backing_get(h)) {
		h->ev_md.ev.md_gen = h->md_next_gen;
		h->ev_md.ev.ok = false;
		post(h, &h->ev_md);
		return;
	}
	md_lock(h, MD_SUPERBLOCK);
	drbd_md_encode(&h->md_next, block, true);
	if (W->external_md) {
		struct io *flush = io_new(h, IO_FLUSH, (void *)(uintptr_t)h->md_next_gen, sb_data_flushed);

		flush->md = host_alloc(h, MD_BLOCK);
		memcpy(flush->md, block, MD_BLOCK);
		io_submit(h, flush);
		return;
	}
	md_io(h, MD_SB, block, sb_written)->owner = (void *)(uintptr_t)h->md_next_gen;
}

/* Walks over dirty pages. Each has an owner of the lock; true when it has ended. */

static void page_written(struct host *h, struct page_walk *w, struct io *io, int error)
{
	drbd_bitmap_page_done(h->bm, w->page, !error);
	if (error)
		w->error = error;
	w->page++;
	w->busy = false;
	host_free(io->md);
}

static void bm_page_written(struct io *io, int error)
{
	page_written(io->it.h, &io->it.h->bm_walk, io, error);
}

static void set_page_written(struct io *io, int error)
{
	page_written(io->it.h, &io->it.h->set_walk, io, error);
}

static void al_page_written(struct io *io, int error)
{
	page_written(io->it.h, &io->it.h->al_walk, io, error);
}

static void walk_flushed(struct io *io, int error)
{
	struct page_walk *w = io->owner;

	w->error = error;
	w->busy = false;
}

static void flush_data(struct host *h, struct page_walk *w)
{
	w->busy = true;
	io_submit(h, io_new(h, IO_FLUSH, w, walk_flushed));
}

static bool walk_step(struct host *h, struct page_walk *w, void (*done)(struct io *, int))
{
	bool cleared;

	if (w->error) {
		if (w->held) {
			drbd_bitmap_page_done(h->bm, w->page, false);
			host_free(w->held);
			w->held = NULL;
		}
		return true;
	}
	if (!w->held) {
		w->page = drbd_bitmap_page_begin(h->bm, w->page, w->last, w->flags, &cleared);
		if (w->page >= h->bm->nr_pages)
			return true;
		w->held = host_alloc(h, MD_BLOCK);
		memcpy(w->held, h->bm->page[w->page], MD_BLOCK);
		if (W->external_md && cleared && h->bm->clears != w->flushed) {
			w->flushed = h->bm->clears;
			flush_data(h, w);
			return false;
		}
	}
	w->busy = true;
	md_io(h, MD_BM + w->page, w->held, done);
	host_free(w->held);
	w->held = NULL;
	return false;
}

static void walk_start(struct page_walk *w, u32 first, u32 last, u8 flags)
{
	*w = (struct page_walk){
		.page = first, .last = last, .flags = flags,
		.flushed = ~0ull,
	};
}

/* The work behind ACT_WRITE_BITMAP. */
bool bitmap_ready(struct host *h)
{
	if (h->md_owner == MD_BITMAP)
		return !h->bm_walk.busy;
	return h->bm_kick && h->md_owner == MD_NOBODY;
}

void bitmap_run(struct host *h)
{
	if (h->md_owner != MD_BITMAP) {
		h->bm_kick = false;
		if (!backing_get(h)) {
			h->ev_bm.ev.ok = true;
			post(h, &h->ev_bm);
			return;
		}
		md_lock(h, MD_BITMAP);
		walk_start(&h->bm_walk, 0, h->bm->nr_pages - 1,
			   BITMAP_PAGE_SET | BITMAP_PAGE_CLEARED);
		return;
	}
	if (!walk_step(h, &h->bm_walk, bm_page_written))
		return;
	md_unlock(h);
	backing_put(h);
	h->ev_bm.ev.ok = !h->bm_walk.error;
	post(h, &h->ev_bm);
}

/* The work behind ACT_SET_ALL_BITS. */
bool set_bits_ready(struct host *h)
{
	if (h->md_owner == MD_SET_BITS)
		return !h->set_walk.busy;
	return h->set_bits_kick && h->md_owner == MD_NOBODY;
}

static void set_bits_end(struct host *h, bool ok)
{
	struct event *answer = h->set_bits_pd ? &h->ev_bits_pd : &h->ev_bits;

	answer->ev.ok = ok;
	post(h, answer);
}

void set_bits_run(struct host *h)
{
	u32 slot;

	if (h->md_owner != MD_SET_BITS) {
		h->set_bits_kick = false;
		if (!backing_get(h)) {
			set_bits_end(h, false);
			return;
		}
		for (slot = 0; slot < h->bm->nr_slots; slot++)
			if (!h->set_bits_pd || h->slot == (s32)slot)
				(h->set_bits_clear ? drbd_bitmap_clear : drbd_bitmap_set)
					(h->bm, slot, 0, h->bm->bits - 1);
		md_lock(h, MD_SET_BITS);
		walk_start(&h->set_walk, 0, h->bm->nr_pages - 1,
			   BITMAP_PAGE_SET | BITMAP_PAGE_CLEARED);
		return;
	}
	if (!walk_step(h, &h->set_walk, set_page_written))
		return;
	md_unlock(h);
	backing_put(h);
	set_bits_end(h, !h->set_walk.error);
}

void bits_set_range(struct host *h, u64 sector, u32 size)
{
	u64 first, last, changed;

	if (!h->bm || h->slot < 0 || !drbd_bitmap_bits_out(h->bm, sector, size, &first, &last))
		return;
	changed = drbd_bitmap_set(h->bm, (u32)h->slot, first, last);
	if (h->resync_runs)
		drbd_resync_bits_set(&h->pass, first, changed);
}

/* --- a transaction of the activity log: kernel/alio.c ------------------------------------------ */

static void al_block_written(struct io *io, int error)
{
	struct host *h = io->it.h;

	host_free(io->md);
	h->al_error = error;
	h->al_phase = TR_BLOCK_IO;
}

/* True: something is pending and was begun; else the commit is over already. */
bool al_begin(struct host *h)
{
	h->al_error = 0;
	if (!drbd_al_commit_begin(h->al))
		return false;
	h->al_tr = h->al->tr_number;
	drbd_al_encode(h->al, h->al_block);
	h->al_evict = 0;
	h->al_walk = (struct page_walk){ 0 };
	h->al_phase = TR_PAGES;
	if (W->external_md) {
		flush_data(h, &h->al_walk);
		h->al_phase = TR_FLUSH;
	}
	return true;
}

bool al_ready(const struct host *h)
{
	switch (h->al_phase) {
	case TR_PAGES:
		return h->md_owner == MD_NOBODY;
	case TR_FLUSH:
	case TR_PAGE_IO:
		return !h->al_walk.busy;
	case TR_BLOCK:
		return false;		/* its I/O moves it on */
	default:
		return true;
	}
}

static void al_write_block(struct host *h)
{
	u32 pos = drbd_al_ring_block(h->al_tr, 1, AL_RING);

	h->al_phase = TR_BLOCK;
	md_io(h, MD_AL + pos, h->al_block, al_block_written);
}

/* One step of the commit; true when it is over (h->al_error). */
bool al_run(struct host *h)
{
	struct act_log *al = h->al;
	u32 first, last;

	switch (h->al_phase) {
	case TR_FLUSH:
		h->al_phase = TR_PAGES;
		return false;
	case TR_PAGES:
		while (h->al_evict < al->n_updates && al->evicted[h->al_evict] == AL_FREE)
			h->al_evict++;
		if (h->al_evict >= al->n_updates) {
			al_write_block(h);
			return false;
		}
		if (drbd_bitmap_extent_pages(h->bm, al->evicted[h->al_evict++], &first, &last)) {
			md_lock(h, MD_LOG);
			walk_start(&h->al_walk, first, last, BITMAP_PAGE_SET);
			h->al_phase = TR_PAGE_IO;
		}
		return false;
	case TR_PAGE_IO:
		if (!walk_step(h, &h->al_walk, al_page_written))
			return false;
		md_unlock(h);
		h->al_phase = TR_PAGES;
		return false;
	case TR_BLOCK_IO:
		drbd_al_committed(al, h->al_error ? AL_FAILED : AL_WRITTEN);
		if (h->al_error)
			post(h, &h->ev_md_error);
		h->al_phase = TR_IDLE;
		return true;
	default:
		return true;
	}
}
