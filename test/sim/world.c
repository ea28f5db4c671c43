// SPDX-License-Identifier: GPL-2.0-only
/*
 * The world: its shape drawn from the seed, the pool of what can happen next,
 * and the end of a run.
 */
#include "sim.h"
#include "run.h"

#include <stdarg.h>

__thread struct world *W;

#define MAX_STEPS 400000ull
#define SETTLE_MS (600u * 1000u)

/* Undefined behaviour is a failure, not a line in a log. */
const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "halt_on_error=1:print_stacktrace=1";
}

const char *sim_core_sum(void)
{
	return CORE_SUM;
}

#ifdef COVERAGE
void __gcov_dump(void);
#endif

/* Go ends a process without what C does at its end. */
int sim_finish(void)
{
#ifdef COVERAGE
	__gcov_dump();
#endif
	return 0;
}

int sim_has_asan(void)
{
#ifdef __SANITIZE_ADDRESS__
	return 1;
#else
	return 0;
#endif
}

/* --- counters ------------------------------------------------------------------------ */

#define COUNTER(name) { #name, offsetof(struct sim_result, name) }

static const struct {
	const char *name;
	size_t at;
} counters[] = {
	COUNTER(writes), COUNTER(reads), COUNTER(flushes), COUNTER(crashes), COUNTER(cuts),
	COUNTER(sessions), COUNTER(syncs), COUNTER(resyncs_done), COUNTER(full_syncs),
	COUNTER(split_brains), COUNTER(forks), COUNTER(forced), COUNTER(jobs), COUNTER(errors),
	COUNTER(superseded), COUNTER(retried), COUNTER(fenced), COUNTER(resent),
	COUNTER(verifies), COUNTER(verified), COUNTER(pauses), COUNTER(torn), COUNTER(no_memory),
	COUNTER(odd), COUNTER(turns),
};

const char *sim_counter_name(u32 i)
{
	return i == 0 ? "steps" : i == 1 ? "simulated_ms" :
	       i - 2 < ARRAY_SIZE(counters) ? counters[i - 2].name : NULL;
}

u64 sim_counter(const struct sim_result *r, u32 i)
{
	return i == 0 ? r->steps : i == 1 ? r->ms :
	       *(const u32 *)((const char *)r + counters[i - 2].at);
}

/* --- chance, failure, trace --------------------------------------------------------- */

u64 rnd(void)
{
	u64 z = W->rng += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

u32 below(u32 n)
{
	return n ? (u32)(rnd() % n) : 0;
}

bool chance(u32 percent)
{
	return below(100) < percent;
}

bool permille(u32 n)
{
	return below(1000) < n;
}

void violated(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(W->r.what, sizeof(W->r.what), fmt, args);
	va_end(args);
	W->r.failed = true;
	note("FAILED: %s", W->r.what);
	longjmp(W->out, 1);
}

void sim_core_check_failed(const char *file, int line, const char *cond)
{
	const char *slash = strrchr(file, '/');

	violated("%s:%d: core_check(%s) failed", slash ? slash + 1 : file, line, cond);
}

void write_note(const char *fmt, ...)
{
	va_list args;

	fprintf(W->trace, "%8llu %6llu.%03llu ", (unsigned long long)W->r.steps,
		(unsigned long long)(W->now / MS), (unsigned long long)(W->now % MS));
	va_start(args, fmt);
	vfprintf(W->trace, fmt, args);
	va_end(args);
	fputc('\n', W->trace);
}

/* --- the pool --------------------------------------------------------------------------- */

void item_add(struct item *it, struct host *h, u64 delay, void (*fn)(struct item *))
{
	if (W->n_pool == W->max_pool) {
		W->max_pool = W->max_pool ? W->max_pool * 2 : 64;
		W->pool = realloc(W->pool, W->max_pool * sizeof(*W->pool));
	}
	it->at = W->now + delay;
	it->h = h;
	it->fn = fn;
	it->index = W->n_pool;
	W->pool[W->n_pool++] = (struct slot){ it->at, h, it };
}

void item_del(struct item *it)
{
	struct slot last = W->pool[--W->n_pool];

	W->pool[it->index] = last;
	last.item->index = it->index;
}

static const struct {
	bool (*ready)(struct host *);
	void (*run)(struct host *);
} actors[ACTORS] = {
	[A_WORKER] = { worker_ready, worker_run },
	[A_RECEIVER] = { receiver_ready, receiver_run },
	[A_SENDER] = { sender_ready, sender_run },
	[A_ACK_IN] = { ack_in_ready, ack_in_run },
	[A_ACK_OUT] = { ack_out_ready, ack_out_run },
	[A_SUBMIT] = { submit_ready, submit_run },
	[A_RETIRE] = { retire_ready, retire_run },
	[A_EPOCH] = { epoch_ready, epoch_run },
	[A_MD] = { md_ready, md_run },
	[A_BITMAP] = { bitmap_ready, bitmap_run },
	[A_SET_BITS] = { set_bits_ready, set_bits_run },
};

/* Stopped as a whole, like a virtual machine that is: for it the clock will jump. */
static bool stands_still(const struct host *h)
{
	return h && W->now < h->still_until;
}

static bool can_connect(void)
{
	int n;

	for (n = 0; n < NODES; n++)
		if (!W->host[n] || stands_still(W->host[n]) || W->cut[n] || W->host[n]->rcv != R_CONNECT ||
		    W->host[n]->order == ORDER_STOP)
			return false;
	return true;
}

#define CONNECTOR (-1)

struct choice {
	struct item *item;
	int node, actor;
};

#define ITEM_WEIGHT 4u
#define CONNECTOR_WEIGHT 2u

static bool due(const struct slot *s)
{
	return s->at <= W->now && !stands_still(s->h);
}

static struct item *nth_due(u32 n)
{
	const struct slot *s = W->pool;

	while (!due(s) || n--)
		s++;
	return s->item;
}

/* One of all that can run now, by weight. */
static bool choose(struct choice *out)
{
	struct choice can[NODES * ACTORS];
	u32 items = 0, total, i, pick, n_can = 0;
	bool connect;
	int n, a;

	for (i = 0; i < W->n_pool; i++)
		items += due(&W->pool[i]);
	total = items * ITEM_WEIGHT;
	for (n = 0; n < NODES; n++)
		for (a = 0; W->host[n] && !stands_still(W->host[n]) && a < ACTORS; a++)
			if (actors[a].ready(W->host[n])) {
				can[n_can++] = (struct choice){ .node = n, .actor = a };
				total += W->weight[n][a];
			}
	connect = can_connect();
	total += connect ? CONNECTOR_WEIGHT : 0;
	if (!total)
		return false;
	pick = below(total);
	if (pick < items * ITEM_WEIGHT) {
		*out = (struct choice){ .item = nth_due(pick / ITEM_WEIGHT) };
		return true;
	}
	pick -= items * ITEM_WEIGHT;
	for (i = 0; i < n_can; i++) {
		u32 w = W->weight[can[i].node][can[i].actor];

		if (pick < w) {
			*out = can[i];
			return true;
		}
		pick -= w;
	}
	*out = (struct choice){ .actor = CONNECTOR };
	return true;
}

/* The next moment at which something may become possible that is not now. */
static u64 next_time(void)
{
	u64 at = session_next_arrival();
	u32 i;

	for (i = 0; i < W->n_pool; i++)
		if (W->pool[i].at > W->now)
			at = min(at, W->pool[i].at);
	for (i = 0; i < NODES; i++) {
		const struct host *h = W->host[i];

		if (h && h->rcv == R_PAUSE && h->rcv_until > W->now)
			at = min(at, h->rcv_until);
		if (stands_still(h))
			at = min(at, h->still_until);
	}
	return at;
}

static void run_step(void)
{
	struct choice c = { 0 };

	while (!choose(&c)) {
		u64 at = next_time();

		if (at == NEVER)
			violated("nothing can ever happen again");
		W->now = at;
	}
	if (c.item) {
		item_del(c.item);
		c.item->fn(c.item);
	} else if (c.actor == CONNECTOR) {
		sessions_connect();
	} else {
		actors[c.actor].run(W->host[c.node]);
	}
	if (chance(50))
		W->now += below(12);
	W->r.steps++;
}

/* --- shape ----------------------------------------------------------------------------------- */

static void draw_spots(void)
{
	u32 units = (u32)(W->sectors / UNIT_SECTORS), i;

	W->spots = 8 + below(40);
	for (i = 0; i < W->spots; i++) {
		W->spot[i] = below(units);
		if (chance(20))		/* around the border of two extents */
			W->spot[i] = (1 + below((u32)(W->sectors / AL_EXTENT_SECTORS) - 1)) *
				     (AL_EXTENT_SECTORS / UNIT_SECTORS) - 1;
		else if (chance(10))
			W->spot[i] = units - 1;
	}
}

static void draw_shape(void)
{
	int n, a;

	W->sectors = (u64)(4 + below(8)) * AL_EXTENT_SECTORS;
	if (chance(30))
		W->sectors -= UNIT_SECTORS * (1 + below(2000));
	W->format = chance(60) ? MD_V08 : MD_V09;
	W->slots = W->format == MD_V08 ? 1 : 1 + below(8);
	W->al_slots = 2 + below(8);
	W->on_no_data = W->al_slots % 3 ? ON_NO_DATA_IO_ERROR : ON_NO_DATA_SUSPEND_IO;
	W->fresh = chance(15);
	W->protocol = chance(80) ? 3 : 1 + (u8)below(2);
	W->on_congestion = W->protocol == 1 && chance(60) ? ON_CONGESTION_PULL_AHEAD : ON_CONGESTION_BLOCK;
	W->reckless = chance(30);
	W->dual = W->protocol == 3 && chance(25);
	W->fencing = chance(70) ? FENCING_DONT_CARE : FENCING_RESOURCE_ONLY + (u8)below(2);
	if (W->fencing == FENCING_RESOURCE_AND_STONITH && W->protocol == 1)
		W->fencing = FENCING_RESOURCE_ONLY;
	W->diskless = chance(30);
	W->io_errors = false;
	W->external_md = chance(30);
	W->latency = chance(50) ? 300 : 3000;
	W->net_delay = chance(50) ? 200 : 4000;
	W->stream_cap = 2u << below(6);
	W->keep = below(5) * 25;
	for (n = 0; n < NODES; n++)
		for (a = 0; a < ACTORS; a++)
			W->weight[n][a] = chance(15) ? 1 : 4u << below(3);
	draw_spots();
}

static void make_disks(void)
{
	u64 uuid = (rnd() & ~1ull) | 0x10;
	int n;

	for (n = 0; n < NODES; n++) {
		disk_init(&W->disk[n]);
		disk_create_md(&W->disk[n], n, uuid, !W->fresh);
	}
}

static void clean_up(void)
{
	u32 i;
	int n;

	for (n = 0; n < NODES; n++) {
		if (W->host[n])
			host_end(W->host[n]);
		disk_free(&W->disk[n]);
	}
	sessions_free();
	for (i = 1; i < W->n_ops; i++) {
		free(W->ops[i]->floor);
		free(W->ops[i]->data);
		free(W->ops[i]);
	}
	free(W->ops);
	free(W->pool);
	oracle_free();
}

/* --- a run --------------------------------------------------------------------------------------- */

/* For the reader of a trace: what keeps a node from coming to rest. */
static void tell_unsettled(void)
{
	int n;

	for (n = 0; n < NODES; n++) {
		const struct host *h = W->host[n];
		const struct log_entry *e;
		const struct core_node *j;

		if (!h)
			continue;
		note("n%d: %s, peer's %s, phase of sync %u%s", n, core_disk_name(h->st_dev.disk),
		     core_disk_name(h->st_pd.pdsk), h->pd.sync, stream_idle() ? "" : ", packets under way");
		for (j = h->jobs.next; j != &h->jobs; j = j->next)
			note("n%d: job %u in phase %u since %llu", n, container_of(j, struct job, link)->core.type,
			     container_of(j, struct job, link)->core.phase,
			     (unsigned long long)(container_of(j, struct job, link)->since / MS));
		e = &h->ring[h->log.tail % LOG_RING];
		note("n%d: %u open requests, %llu entries in the log, %u ranges (%u waiting), %s, parked%s",
		     n, h->open_ops, (unsigned long long)(h->log.head - h->log.tail), h->ranges.count,
		     h->ranges.waiting, core_repl_name(h->st_pd.repl),
		     core_list_empty(&h->parked) ? " none" : "");
		note("n%d: receiver %u, draining %u, %u active writes of the peer%s%s%s", n, h->rcv,
		     h->rcv_step, h->active, h->epoch_kick ? ", epochs to look at" : "",
		     h->epoch_flush ? ", a flush" : "", h->snd_busy ? ", the sender is busy" : "");
		if (h->log.head != h->log.tail)
			note("n%d: oldest entry: kind %u, local %s, peer %s, flags %x", n, e->kind,
			     drbd_leg_name(e->leg[0]), drbd_leg_name(e->leg[1]), e->flags);
	}
}

static void live(void)
{
	while (!(W->closing && settled())) {
		run_step();
		check_step();
		if (W->r.steps > MAX_STEPS)
			violated("no end after %llu steps", (unsigned long long)W->r.steps);
		if (W->closing && W->now > W->closing_since + SETTLE_MS * MS) {
			tell_unsettled();
			violated("nothing settles though the faults are over");
		}
	}
	check_equal("at the end");
	check_marked();
}

struct sim_result sim_run(struct sim_options opt)
{
	struct world *w = calloc(1, sizeof(*w));
	struct sim_result r;

	W = w;
	w->opt = opt;
	w->rng = opt.seed * 0x2545f4914f6cdd1dull + 0x123456789abcdefull;
	w->r.trace = NULL;
	if (opt.trace)
		w->trace = open_memstream(&w->r.trace, &w->trace_size);
	if (!setjmp(w->out)) {
		draw_shape();
		make_disks();
		oracle_init();
		admin_start();
		live();
	}
	clean_up();
	if (w->trace)
		fclose(w->trace);
	w->r.ms = w->now / MS;
	r = w->r;
	free(w);
	W = NULL;
	return r;
}
