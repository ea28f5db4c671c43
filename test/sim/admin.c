// SPDX-License-Identifier: GPL-2.0-only
/*
 * The application, the administrator, and fate: cuts, crashes. They act at
 * random times until the actions of the seed are used up; then the faults end,
 * the administrator brings everything up, and all must settle.
 */
#include "sim.h"

/* --- the application ------------------------------------------------------------------ */

static struct op *draw_op(int node)
{
	struct op *op = calloc(1, sizeof(*op));
	u32 units = W->disk[node].units, kind = below(100), unit, n;

	op->kind = kind < 65 ? OP_WRITE : kind < 93 ? OP_READ : OP_FLUSH;
	op->node = (u8)node;
	core_list_init(&op->node_link);
	if (op->kind == OP_FLUSH)
		return op;
	op->fua = op->kind == OP_WRITE && chance(10);
	n = chance(85) ? 1 + below(4) : 1 + below(48);
	unit = W->spot[below(W->spots)];
	if (chance(30))
		unit = min(unit + below(8), units - 1);
	n = min(n, units - unit);
	op->sector = (u64)unit * UNIT_SECTORS;
	op->size = n * UNIT_BYTES;
	return op;
}

void client_done(struct op *op, int error)
{
	struct host *h = W->host[op->node];

	op->ended = true;
	h->open_ops--;
	note("n%d %s %u ends: %d", op->node, op->kind == OP_READ ? "read" :
	     op->kind == OP_WRITE ? "write" : "flush", op->v, error);
	if (error)
		op->broken = true;
	else
		oracle_done(op);
}

static void client_submit(struct host *h)
{
	struct op *op = draw_op(h->id);
	u32 *counters[] = { &W->r.reads, &W->r.writes, &W->r.flushes };

	oracle_submit(op);
	++*counters[op->kind];
	h->open_ops++;
	note("n%d %s %u: unit %llu+%u", h->id, op->kind == OP_READ ? "read" :
	     op->kind == OP_WRITE ? "write" : "flush", op->v,
	     (unsigned long long)(op->sector / UNIT_SECTORS), op->size / UNIT_BYTES);
	submit_op(h, op);
}

/* It does so much for each action of the administrator, that time alone costs no steps. */
static void client_tick(struct item *it)
{
	struct host *h = it->h;
	bool may = h->st_res.role == ROLE_PRIMARY && !h->opens_blocked;
	u32 *eager = &W->eager[h->id], n;

	if (W->client_on[h->id] && (may || h->opened) && h->st_res.role == ROLE_PRIMARY) {
		h->opened = true;
		for (n = 1 + below(4); n && h->open_ops < 24 && *eager; n--, --*eager)
			client_submit(h);
	} else {
		*eager = 0;
		if (h->opened && !h->open_ops)
			h->opened = false;
	}
	item_add(it, h, 200 + below(!*eager && !h->opened ? 2000000 : chance(20) ? 60000 : 3000), client_tick);
}

static void client_wake(int n)
{
	struct host *h = W->host[n];

	W->eager[n] = 8 + below(56);
	if (!h)
		return;
	item_del(&h->client);
	item_add(&h->client, h, below(3000), client_tick);
}

/* Threads look around now and then without being kicked. */
static void tick(struct item *it)
{
	link_tick(it->h);
	item_add(it, it->h, 100 * MS, tick);
}

/* --- a node comes and goes -------------------------------------------------------------------- */

static u32 jobs_running(const struct host *h)
{
	const struct core_node *n;
	u32 count = 0;

	for (n = h->jobs.next; n != &h->jobs; n = n->next)
		count++;
	return count;
}

static void said(struct job *job)
{
	struct host *h = container_of(job->core.res, struct host, res);

	note("n%d job %u ends: %d %s", h->id, job->core.type, job->core.result, job->core.text);
}

static void run(struct host *h, u8 type, bool force, bool flag)
{
	struct job *job = job_new(h, type);

	job->core.force = force;
	job->core.flag = flag;
	note("n%d job %u%s%s", h->id, type, force ? " --force" : "", flag ? " --discard-my-data" : "");
	job_run(h, job, said);
}

static void attached(struct job *job)
{
	struct host *h = container_of(job->core.res, struct host, res);

	said(job);
	if (job->core.result != RES_SUCCESS && h->attached && !h->killed &&
	    h->st_dev.disk == DISK_DISKLESS)
		backing_close_when_idle(h);
}

static void attach(struct host *h)
{
	struct job *job;

	if (h->attached || h->st_dev.disk != DISK_DISKLESS)
		return;
	disk_apply_al(h->disk);
	job = job_new(h, JOB_ATTACH);
	attach_install(h, &job->attach);
	job->core.arg.attach = &job->attach;
	note("n%d attach", h->id);
	job_run(h, job, attached);
}

static void connect(struct host *h, bool discard)
{
	if (h->st_conn.cstate == CONN_STANDALONE)
		run(h, JOB_CONNECT, false, discard);
}

static void start(int n)
{
	struct host *h = host_start(n);

	W->client_on[n] = false;
	item_add(&h->client, h, below(3000), client_tick);
	item_add(host_alloc(h, sizeof(struct item)), h, 100 * MS, tick);
	attach(h);
	if (!W->split_reported[n])
		connect(h, false);
}

void crash_node(int n)
{
	struct host *h = W->host[n];
	u32 i;

	for (i = 1; i < W->n_ops; i++)
		if (W->ops[i]->node == n)
			W->ops[i]->ended = W->ops[i]->broken = true;
	host_crash(h);
	W->up_at[n] = W->now + (chance(70) ? below(3000) : below(60000)) * MS;
	W->r.crashes++;
	check_marked();
}

/* --- decisions ----------------------------------------------------------------------------------- */

static bool someone_is_primary(void)
{
	int n;

	for (n = 0; n < NODES; n++)
		if (W->host[n] && W->host[n]->st_res.role == ROLE_PRIMARY)
			return true;
	return false;
}

static bool job_runs(const struct host *h, u8 type)
{
	const struct core_node *n;

	for (n = h->jobs.next; n != &h->jobs; n = n->next)
		if (container_of(n, struct job, link)->core.type == type)
			return true;
	return false;
}

/* It has been told to give its disk up, and waits for its peer's consent. */
static bool detaching(const struct host *h)
{
	return job_runs(h, JOB_DETACH);
}

/* A reasonable administrator promotes the node that has all the data. */
static void promote(struct host *h)
{
	bool whole = h->st_dev.disk == DISK_UP_TO_DATE && oracle_complete(h->id);
	bool linked = h->st_pd.repl >= REPL_ESTABLISHED && h->st_pd.pdsk == DISK_UP_TO_DATE;
	bool force = false;

	if (h->st_res.role == ROLE_PRIMARY ||
	    (!W->diskless && (h->st_dev.disk < DISK_INCONSISTENT || detaching(h))))
		return;
	if (someone_is_primary() && !(W->reckless ? chance(30) : h->st_pd.repl >= REPL_ESTABLISHED))
		return;
	if (!whole && !linked && h->st_dev.disk >= DISK_INCONSISTENT) {
		if (W->r.writes && !W->reckless)
			return;
		force = h->st_dev.disk != DISK_UP_TO_DATE;
		W->r.forced += force;
	}
	W->client_on[h->id] = true;
	W->forced[h->id] = W->io_errors && force;
	run(h, JOB_PRIMARY, force, false);
}

static void demote(struct host *h)
{
	if (h->st_res.role != ROLE_PRIMARY)
		return;
	if (chance(85))
		W->client_on[h->id] = false;
	if (h->opened && chance(80))
		return;		/* comes back when it is closed */
	run(h, JOB_SECONDARY, false, false);
}

static void demote_at_rest(struct host *h)
{
	W->client_on[h->id] = false;
	if (!h->opened)
		run(h, JOB_SECONDARY, false, false);
}

static void resume_frozen(struct host *h)
{
	if (h->st_res.susp_fen && h->st_pd.repl < REPL_ESTABLISHED && !jobs_running(h))
		run(h, JOB_RESUME_IO, false, false);
}

/* Both apart, both with their disks, the victim Secondary; then they may meet. */
static void solve_split_brain(void)
{
	int victim = W->victim, n;

	for (n = 0; n < NODES; n++) {
		struct host *h = W->host[n];

		if (!h || jobs_running(h))
			return;
		if (h->st_res.susp_fen) {
			resume_frozen(h);
			return;
		}
		if (h->st_conn.cstate != CONN_STANDALONE) {
			run(h, JOB_DISCONNECT, chance(50), false);
			return;
		}
		if (h->st_dev.disk == DISK_DISKLESS && h->st_res.role == ROLE_PRIMARY) {
			demote_at_rest(h);	/* it would take no other data than those it knows */
			return;
		}
		if (h->st_dev.disk == DISK_DISKLESS) {
			attach(h);
			return;
		}
	}
	if (W->host[victim]->st_res.role == ROLE_PRIMARY) {
		demote_at_rest(W->host[victim]);
		return;
	}
	W->split_reported[0] = W->split_reported[1] = false;
	W->discard_allowed[victim] = true;
	W->victim = (int)below(2);
	connect(W->host[victim], true);
	connect(W->host[1 - victim], false);
}

static void heal(struct item *it)
{
	W->cut[0] = W->cut[1] = false;
	note("network is whole");
	free(it);
}

static void cut(void)
{
	struct item *it;

	if (W->cut[0] || W->cut[1])
		return;
	W->cut[0] = chance(85);
	W->cut[1] = !W->cut[0] || chance(85);
	W->r.cuts++;
	note("network is cut%s", W->cut[0] && W->cut[1] ? "" : " in one direction");
	it = calloc(1, sizeof(*it));
	item_add(it, NULL, (chance(40) ? below(400) : below(40000)) * MS, heal);
}

/* From anywhere, so that some end soon. */
static void verify(struct host *h)
{
	struct job *job = job_new(h, JOB_VERIFY);

	job->core.start = below((u32)W->sectors);
	job->core.stop = chance(15) ? ~0ull : job->core.start + below(512);
	note("n%d verify from %llu", h->id, (unsigned long long)job->core.start);
	job_run(h, job, said);
}

/* Somebody presses ctrl-C. */
static void interrupt(struct host *h)
{
	struct core_node *n = h->jobs.next;

	if (n == &h->jobs || container_of(n, struct job, link)->start.queued)
		return;
	note("n%d job %u is interrupted", h->id, container_of(n, struct job, link)->core.type);
	post(h, &container_of(n, struct job, link)->cancel);
}

/* What nobody would type at this moment, but somebody does. */
static void odd(struct host *h)
{
	W->r.odd++;
	switch (below(8)) {
	case 0:
		run(h, JOB_SUSPEND_IO, false, false);
		break;
	case 1:
		if (!h->st_res.susp_fen)
			run(h, JOB_RESUME_IO, false, false);
		break;
	case 2:
		run(h, JOB_PAUSE_SYNC, false, false);
		break;
	case 3:
		run(h, JOB_RESUME_SYNC, false, false);
		break;
	case 4:
		if (h->st_conn.cstate == CONN_CONNECTED || !someone_is_primary())
			run(h, JOB_OUTDATE, false, false);
		break;
	case 5:
		if (!someone_is_primary() && h->st_dev.disk == DISK_UP_TO_DATE)
			run(h, JOB_INVALIDATE_PEER, false, chance(50));
		break;
	case 6:
		run(h, h->st_res.role == ROLE_PRIMARY ? JOB_PRIMARY : JOB_SECONDARY, false, false);
		break;
	default:
		interrupt(h);
	}
}

static void stand_still(struct host *h)
{
	u64 ms = chance(70) ? below(900) : below(60000);

	note("n%d stands still for %llu ms", h->id, (unsigned long long)ms);
	W->r.pauses++;
	h->still_until = W->now + ms * MS;
}

static void on_running(struct host *h, u32 what)
{
	if (what < 34)
		promote(h);
	else if (what < 46)
		demote(h);
	else if (what < 54)
		W->client_on[h->id] = !W->client_on[h->id];
	else if (what < 60)
		run(h, JOB_DISCONNECT, chance(20), false);
	else if (what < 72)
		connect(h, false);
	else if (what < 76) {
		if (W->diskless || (!someone_is_primary() && !jobs_running(h)))
			run(h, JOB_DETACH, chance(20), false);
	}
	else if (what < 84)
		attach(h);
	else if (what >= 90)
		verify(h);
	else if (what >= 88) {
		h->must_wait = !h->must_wait;
		W->r.turns += h->must_wait && h->pd.sync != SYNC_NONE;
		post(h, &h->ev_timer);
	} else if (what >= 86)
		odd(h);
	else if (!someone_is_primary() && h->st_pd.pdsk == DISK_UP_TO_DATE)
		run(h, JOB_INVALIDATE, false, false);
}

static void act(void)
{
	int n = (int)below(NODES);
	struct host *h = W->host[n];
	u32 what = below(100);

	if (W->split_reported[0] || W->split_reported[1])
		if (chance(50)) {
			solve_split_brain();
			return;
		}
	if (what < 8)
		cut();
	else if (!h)
		return;
	else if (what < 15)
		crash_node(n);
	else if (what < 18)
		stand_still(h);
	else if (jobs_running(h) < 2)
		on_running(h, below(100));
}

/* --- the end ------------------------------------------------------------------------------------------ */

static void put_right(struct host *h)
{
	W->client_on[h->id] = false;
	if (h->st_res.susp_user && !job_runs(h, JOB_RESUME_IO))
		run(h, JOB_RESUME_IO, false, false);
	if (h->st_pd.user_isp && !job_runs(h, JOB_RESUME_SYNC))
		run(h, JOB_RESUME_SYNC, false, false);
	/* also while a demotion waits for what is frozen */
	if ((h->st_res.susp_fen || h->st_res.susp_nod) && h->st_conn.cstate == CONN_STANDALONE &&
	    !job_runs(h, JOB_RESUME_IO))
		run(h, JOB_RESUME_IO, false, false);
	if (h->must_wait) {
		h->must_wait = false;
		post(h, &h->ev_timer);
	}
	if (jobs_running(h) || W->split_reported[0] || W->split_reported[1])
		return;
	if (h->st_res.role == ROLE_PRIMARY && h->st_pd.repl < REPL_ESTABLISHED && !h->opened) {
		run(h, JOB_SECONDARY, false, false);
		return;
	}
	if (h->st_dev.disk == DISK_DISKLESS && h->st_conn.cstate != CONN_STANDALONE && chance(20))
		run(h, JOB_DISCONNECT, false, false);	/* its peer may not want the data */
	else if (h->st_dev.disk == DISK_DISKLESS)
		attach(h);
	else if (W->io_errors && h->st_dev.disk == DISK_INCONSISTENT && h->id == 0 &&
		 h->st_pd.repl < REPL_ESTABLISHED && W->host[1] &&
		 W->host[1]->st_dev.disk == DISK_INCONSISTENT && chance(20)) {
		W->discard_allowed[1] = true;	/* neither is good: this one has to do */
		run(h, JOB_PRIMARY, true, false);
	} else if (h->st_conn.cstate == CONN_STANDALONE)
		connect(h, false);
	else if (h->st_pd.repl == REPL_ESTABLISHED && h->st_dev.disk == DISK_INCONSISTENT &&
		 h->st_pd.pdsk == DISK_UP_TO_DATE)
		run(h, h->st_res.role == ROLE_PRIMARY ? JOB_SECONDARY : JOB_DISCONNECT, false, false);	/* the next resync copies what this one could not */
	else if (h->st_pd.repl == REPL_ESTABLISHED && h->st_dev.disk == DISK_INCONSISTENT &&
		 h->st_pd.pdsk == DISK_INCONSISTENT && h->id == 0)
		run(h, JOB_PRIMARY, true, false);
}

static void admin_tick(struct item *it)
{
	int n;

	for (n = 0; n < NODES; n++)
		client_wake(n);
	for (n = 0; n < NODES; n++)
		if (!W->host[n] && W->now >= W->up_at[n])
			start(n);
	if (W->left) {
		W->left--;
		act();
	} else if (!W->closing) {
		W->closing = true;
		W->closing_since = W->now;
		for (n = 0; n < NODES; n++)
			if (W->host[n])
				W->host[n]->still_until = 0;
		W->cut[0] = W->cut[1] = false;
		W->up_at[0] = W->up_at[1] = W->now;
		note("--- faults are over");
	} else {
		if (W->split_reported[0] || W->split_reported[1])
			solve_split_brain();
		for (n = 0; n < NODES; n++)
			if (W->host[n])
				put_right(W->host[n]);
	}
	item_add(it, NULL, below(chance(30) ? 3000 : 60) * MS, admin_tick);
}

void admin_start(void)
{
	W->left = W->opt.actions;
	start(0);
	start(1);
	item_add(calloc(1, sizeof(struct item)), NULL, 5 * MS, admin_tick);
}

/* Refused for good, and told: the nodes rest, apart. */
static bool at_rest(void)
{
	int n;

	for (n = 0; n < NODES; n++) {
		struct host *h = W->host[n];

		if (!h || jobs_running(h) || h->open_ops ||
		    (h->st_pd.repl >= REPL_ESTABLISHED && h->st_dev.disk >= DISK_INCONSISTENT &&
		     h->st_pd.pdsk >= DISK_INCONSISTENT) ||
		    h->log.head != h->log.tail || worker_ready(h))
			return false;
	}
	return true;
}

bool settled(void)
{
	int n;

	if (!stream_idle())
		return false;
	if (W->unrelated && at_rest())
		return true;
	for (n = 0; n < NODES; n++) {
		struct host *h = W->host[n];

		if (!h || jobs_running(h) || h->open_ops || h->log.head != h->log.tail ||
		    h->st_dev.disk != DISK_UP_TO_DATE || h->st_pd.pdsk != DISK_UP_TO_DATE ||
		    h->st_pd.repl != REPL_ESTABLISHED || h->pd.sync != SYNC_NONE ||
		    !core_list_empty(&h->ios) || worker_ready(h))
			return false;
	}
	return true;
}
