// SPDX-License-Identifier: GPL-2.0-only
/*
 * data/extent.c - reservations of block ranges. The activity log's slots are in
 * actlog.c.
 */
#include "extent.h"
#include "log.h"

#define EXTENT_BITS (AL_EXTENT_SHIFT - SECTOR_BITS)

enum conflict {
	C_NONE,
	C_WAIT,
	C_ENTERED,	/* wait; with two Primaries only for what has entered the log */
	C_GRANTED,	/* wait; with two Primaries only for what waits for nothing itself */
	C_TOUCH,	/* no conflict, but the verify is worthless */
};

/* [new][one that came earlier]; why: the contract in extent.h. */
static const u8 conflicts[RANGE_NR_CLASSES][RANGE_NR_CLASSES] = {
	[RANGE_APP_WRITE] = {
		[RANGE_APP_WRITE] = C_WAIT,
		[RANGE_PEER_WRITE] = C_WAIT,
		[RANGE_RESYNC_REQUEST] = C_WAIT,
		[RANGE_RESYNC_READ] = C_WAIT,
		[RANGE_VERIFY] = C_TOUCH,
	},
	[RANGE_PEER_WRITE] = {
		[RANGE_APP_WRITE] = C_ENTERED,
		[RANGE_PEER_WRITE] = C_WAIT,
		/* A request only: the peer's writes and its reply come in the
		 * order of the stream. */
		[RANGE_RESYNC_REQUEST] = C_NONE,
		[RANGE_RESYNC_WRITE] = C_WAIT,
		[RANGE_RESYNC_READ] = C_GRANTED,
		[RANGE_VERIFY] = C_TOUCH,
	},
	[RANGE_RESYNC_REQUEST] = {
		[RANGE_APP_WRITE] = C_WAIT,
		[RANGE_RESYNC_REQUEST] = C_WAIT,
		[RANGE_RESYNC_READ] = C_WAIT,
		[RANGE_VERIFY] = C_TOUCH,
	},
	[RANGE_RESYNC_WRITE] = {
		[RANGE_PEER_WRITE] = C_WAIT,
		[RANGE_RESYNC_WRITE] = C_WAIT,
		[RANGE_RESYNC_READ] = C_WAIT,
		[RANGE_VERIFY] = C_TOUCH,
	},
	[RANGE_RESYNC_READ] = {
		[RANGE_APP_WRITE] = C_WAIT,
		[RANGE_PEER_WRITE] = C_WAIT,
		[RANGE_RESYNC_WRITE] = C_WAIT,
	},
	/* Verify looks at what is there; see reserve. */
};

void drbd_range_table_init(struct range_table *t)
{
	u32 i;

	memset(t, 0, sizeof(*t));
	for (i = 0; i < RANGE_BUCKETS; i++) {
		core_list_init(&t->bucket[i].first);
		core_list_init(&t->bucket[i].second);
	}
	core_list_init(&t->wide);
}

void drbd_range_init(struct io_range *r, u8 cls, u64 sector, u32 size, void *owner)
{
	memset(r, 0, sizeof(*r));
	r->cls = cls;
	r->sector = sector;
	r->sectors = (size + SECTOR_BYTES - 1) / SECTOR_BYTES;
	r->owner = owner;
	core_list_init(&r->link[0]);
	core_list_init(&r->link[1]);
	core_list_init(&r->wait);
	core_list_init(&r->waiters);
}

static u64 first_extent(u64 sector)
{
	return sector >> EXTENT_BITS;
}

static u64 last_extent(u64 sector, u64 sectors)
{
	return (sector + (sectors ? sectors - 1 : 0)) >> EXTENT_BITS;
}

static bool overlaps(const struct io_range *r, u64 sector, u64 sectors)
{
	return r->sector < sector + sectors && sector < r->sector + r->sectors;
}

/* What one search is after. */
struct search {
	u64 sector, sectors;
	u64 before;			/* tickets below this only */
	const u8 *row;			/* of conflicts[], or NULL: look at classes */
	u32 classes;
	bool untouched;			/* only those that nobody touched yet */
	bool dual;			/* C_ENTERED, C_GRANTED: the others are overtaken */
	/* looking at classes: only ... */
	bool pushed_aside;		/* ... what a dual one overtakes */
	bool dual_only;			/* ... those that overtake */
	const struct xfer_log *undecided_in; /* ... writes there that the peer has not answered */
	u32 undecided_by;
	bool covers;			/* ... what covers all of it */
};

/*
 * What came before a dual one is overtaken by it, or is not, and that does not
 * change while the dual one is in the table: an overtaken write does not enter, an
 * overtaken read gets a later ticket.
 */
static bool is_overtaken_by_dual(const struct io_range *r)
{
	return (r->cls == RANGE_APP_WRITE && !r->position) ||
	       (r->cls == RANGE_RESYNC_READ && r->waiting);
}

static bool conflicts_with(const struct search *s, const struct io_range *r)
{
	u8 c = s->row[r->cls];

	return c == C_WAIT || ((c == C_ENTERED || c == C_GRANTED) &&
			       !(s->dual && is_overtaken_by_dual(r)));
}

static bool matches(const struct search *s, const struct io_range *r)
{
	if (r->ticket >= s->before || !overlaps(r, s->sector, s->sectors))
		return false;
	if (s->row)
		return conflicts_with(s, r);
	if (!(s->classes >> r->cls & 1) || (s->untouched && r->touched) ||
	    (s->dual_only && !r->dual))
		return false;
	if (s->pushed_aside && (!is_overtaken_by_dual(r) || r->overtaken))
		return false;
	if (s->covers && (r->sector > s->sector || r->sector + r->sectors < s->sector + s->sectors))
		return false;
	return !s->undecided_in ||
	       (r->position && drbd_log_undecided(s->undecided_in, r->position, s->undecided_by));
}

static struct io_range *search_list(const struct search *s, const struct core_node *head, u32 link)
{
	struct core_node *n;

	for (n = head->next; n != head; n = n->next) {
		struct io_range *r;

		r = link ? container_of(n, struct io_range, link[1]) :
			   container_of(n, struct io_range, link[0]);
		if (matches(s, r))
			return r;
	}
	return NULL;
}

/* A bucket chains first nodes and second nodes in two lists of their own, so
 * that a node tells which of the two it is. */
static struct io_range *search_bucket(const struct search *s, const struct range_table *t, u64 extent)
{
	const struct range_bucket *b = &t->bucket[extent % RANGE_BUCKETS];
	struct io_range *r = search_list(s, &b->first, 0);

	return r ? r : search_list(s, &b->second, 1);
}

static struct io_range *search_table(const struct search *s, const struct range_table *t)
{
	u64 first = first_extent(s->sector), last = last_extent(s->sector, s->sectors), e;
	struct io_range *r = search_list(s, &t->wide, 0);

	/* A range over many extents meets every bucket, once. */
	if (last - first >= RANGE_BUCKETS)
		last = first + RANGE_BUCKETS - 1;
	for (e = first; e <= last && !r; e++)
		r = search_bucket(s, t, e);
	return r;
}

static void insert(struct range_table *t, struct io_range *r)
{
	u64 first = first_extent(r->sector), last = last_extent(r->sector, r->sectors);

	r->wide = last - first > 1;
	if (r->wide) {
		core_list_add_tail(&r->link[0], &t->wide);
	} else {
		core_list_add_tail(&r->link[0], &t->bucket[first % RANGE_BUCKETS].first);
		if (first != last)
			core_list_add_tail(&r->link[1], &t->bucket[last % RANGE_BUCKETS].second);
	}
	r->inserted = true;
	t->count++;
	t->verifies += r->cls == RANGE_VERIFY;
}

static struct io_range *find_conflict(const struct range_table *t, const struct io_range *r)
{
	struct search s = {
		.sector = r->sector,
		.sectors = r->sectors,
		.before = r->ticket,
		.row = conflicts[r->cls],
		.dual = r->dual,
	};

	return search_table(&s, t);
}

void drbd_range_touch(struct range_table *t, u32 classes, u64 sector, u64 sectors)
{
	struct search s = {
		.sector = sector,
		.sectors = sectors,
		.before = ~0ull,
		.classes = classes,
		.untouched = true,
	};
	struct io_range *r;

	while ((r = search_table(&s, t)))
		r->touched = true;
}

#define WRITE_CLASSES                                                          \
	(1u << RANGE_APP_WRITE | 1u << RANGE_PEER_WRITE |                      \
	 1u << RANGE_RESYNC_REQUEST | 1u << RANGE_RESYNC_WRITE)

static enum range_result wait_for(struct range_table *t, struct io_range *r,
				  struct io_range *other)
{
	r->waiting = true;
	t->waiting++;
	core_list_add_tail(&r->wait, &other->waiters);
	return RANGE_WAITS;
}

enum range_result drbd_range_reserve(struct range_table *t, struct io_range *r)
{
	struct io_range *other;

	r->ticket = ++t->ticket;
	if (!core_check(!r->inserted && r->sectors && r->cls < RANGE_NR_CLASSES))
		return RANGE_WAITS;
	if (r->cls == RANGE_VERIFY) {
		r->touched = drbd_range_busy(t, WRITE_CLASSES, r->sector, r->sectors);
		insert(t, r);
		return RANGE_GRANTED;
	}
	other = find_conflict(t, r);
	if (t->verifies && conflicts[r->cls][RANGE_VERIFY] == C_TOUCH)
		drbd_range_touch(t, 1u << RANGE_VERIFY, r->sector, r->sectors);
	insert(t, r);
	return other ? wait_for(t, r, other) : RANGE_GRANTED;
}

/* A write that we have sent, or shall send, and that the peer has not answered. */
static struct io_range *undecided(const struct range_table *t, const struct io_range *r,
				  const struct xfer_log *log, u32 peer, bool covers)
{
	struct search s = {
		.sector = r->sector,
		.sectors = r->sectors,
		.before = ~0ull,
		.classes = 1u << RANGE_APP_WRITE,
		.undecided_in = log,
		.undecided_by = peer,
		.covers = covers,
	};

	return search_table(&s, t);
}

static void overtake(const struct range_table *t, const struct io_range *r)
{
	struct search s = {
		.sector = r->sector,
		.sectors = r->sectors,
		.before = ~0ull,
		.classes = 1u << RANGE_APP_WRITE | 1u << RANGE_RESYNC_READ,
		.pushed_aside = true,
	};
	struct io_range *w;

	while ((w = search_table(&s, t)))
		w->overtaken = true;
}

enum range_result drbd_range_reserve_dual(struct range_table *t, struct io_range *r,
					  const struct xfer_log *log, u32 peer,
					  enum range_conflicts how, struct io_range **with)
{
	if (how == RANGE_DECIDE) {
		*with = undecided(t, r, log, peer, true);
		if (*with)
			return RANGE_SUPERSEDED;
		*with = undecided(t, r, log, peer, false);
		if (*with)
			return RANGE_RETRY;
	}
	overtake(t, r);
	r->dual = true;
	return drbd_range_reserve(t, r);
}

/* To the end of the queue, with all that waits for it. */
static void fall_back(struct range_table *t, struct io_range *r, struct core_node *waiters)
{
	struct core_node *n;

	r->overtaken = false;
	r->ticket = ++t->ticket;
	while ((n = core_list_pop(&r->waiters)))
		core_list_add_tail(n, waiters);
}

void drbd_range_release(struct range_table *t, struct io_range *r,
			struct core_node *granted)
{
	struct core_node *n;

	if (!core_check(r->inserted))
		return;
	core_list_del(&r->link[0]);
	core_list_del(&r->link[1]);
	core_list_del(&r->wait);
	r->inserted = false;
	t->count--;
	t->verifies -= r->cls == RANGE_VERIFY;
	if (r->waiting) {
		r->waiting = false;
		t->waiting--;
	}
	while ((n = core_list_pop(&r->waiters))) {
		struct io_range *w = drbd_range_of(n);
		struct io_range *other;

		if (w->cls == RANGE_RESYNC_READ && w->overtaken)
			fall_back(t, w, &r->waiters);
		other = find_conflict(t, w);
		if (other) {
			core_list_add_tail(n, &other->waiters);
			continue;
		}
		w->waiting = false;
		t->waiting--;
		core_list_add_tail(n, granted);
	}
}

enum range_result drbd_range_yield(struct range_table *t, struct io_range *r)
{
	struct search s = {
		.sector = r->sector,
		.sectors = r->sectors,
		.before = ~0ull,
		.classes = 1u << RANGE_PEER_WRITE,
		.dual_only = true,
	};
	struct io_range *other = search_table(&s, t);

	/* of several it waits for one; then it comes by again */
	r->overtaken = other != NULL;
	return other ? wait_for(t, r, other) : RANGE_GRANTED;
}

void drbd_range_hand_over(struct range_table *t, struct io_range *from, struct io_range *to,
			  struct core_node *granted)
{
	to->ticket = from->ticket;
	insert(t, to);
	drbd_range_release(t, from, granted);
}

bool drbd_range_busy(const struct range_table *t, u32 classes, u64 sector, u64 sectors)
{
	struct search s = {
		.sector = sector,
		.sectors = sectors,
		.before = ~0ull,
		.classes = classes,
	};

	return search_table(&s, t);
}
