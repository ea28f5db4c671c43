// SPDX-License-Identifier: GPL-2.0
/*
 * The entrance to the control half: one event in, an ordered list of actions
 * out. An event is handled by its row in the table; then everything that waits
 * for something is looked at again until nothing moves.
 */
#include "state/internal.h"

#define MAX_ROUNDS 1000	/* of advance(); reaching it is a fault of core */

struct core_action *emit(struct core_resource *res, u8 type)
{
	struct core_action *a;

	if (!core_check(res->nr_actions < res->max_actions))
		res->nr_actions = res->max_actions - 1;
	a = &res->actions[res->nr_actions++];
	memset(a, 0, offsetof(struct core_action, packet));
	a->text[0] = 0;
	a->type = type;
	return a;
}

struct core_action *emit_conn(struct core_connection *conn, u8 type)
{
	struct core_action *a = emit(conn->res, type);

	a->conn = conn;
	return a;
}

struct core_action *emit_dev(struct core_device *dev, u8 type)
{
	struct core_action *a = emit(dev->res, type);

	a->dev = dev;
	return a;
}

struct core_action *emit_pd(struct core_peer_device *pd, u8 type)
{
	struct core_action *a = emit_dev(pd->dev, type);

	a->conn = pd->conn;
	a->pd = pd;
	return a;
}

void emit_log(struct core_resource *res, const char *fmt, ...)
{
	struct core_action *a = emit(res, ACT_LOG);
	va_list args;

	va_start(args, fmt);
	vsnprintf(a->text, sizeof(a->text), fmt, args);
	va_end(args);
}

void go_on(struct core_connection *conn)
{
	if (!conn->go_on_due)
		return;
	conn->go_on_due = false;
	emit_conn(conn, ACT_GO_ON);
}

/* SplitMix64, stirred with fresh entropy at each step. */
u64 draw(struct core_resource *res)
{
	u64 z = res->rng += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/*
 * Writes what is dirty now. Only one write is out at a time, so that an answer
 * is never taken for that of a later request.
 */
void write_bitmap(struct core_device *dev)
{
	dev->bitmap_written = false;
	if (dev->bitmap_writing) {
		dev->bitmap_again = true;
		return;
	}
	dev->bitmap_writing = true;
	emit_dev(dev, ACT_WRITE_BITMAP);
}

static void bitmap_was_written(struct core_resource *res, const struct core_event *ev)
{
	struct core_device *dev = ev->dev;
	bool again = dev->bitmap_again;

	(void)res;
	if (!ev->ok)
		dev->md_error = true;
	dev->bitmap_writing = dev->bitmap_again = false;
	if (again)
		write_bitmap(dev);
	else
		dev->bitmap_written = true;
}

static void helper_done(struct core_resource *res, const struct core_event *ev)
{
	(void)res;
	if (ev->pd) {
		ev->pd->helper_status = ev->status;
		ev->pd->helper_done = true;
	} else if (ev->conn) {
		ev->conn->fence_status = ev->status;
		ev->conn->fence_answered = true;
	} else {
		ev->dev->helper_done = true;
	}
}

static void was_drained(struct core_resource *res, const struct core_event *ev)
{
	(void)res;
	ev->dev->drained = true;
}

static void openers(struct core_resource *res, const struct core_event *ev)
{
	(void)res;
	ev->dev->openers = ev->openers;
	ev->dev->openers_known = true;
}

static void protocol_update(struct core_resource *res, const struct core_event *ev)
{
	struct nl_net_conf *conf = &ev->conn->conf;
	const struct wire_protocol *p = &ev->protocol;

	conf->wire_protocol = p->protocol;
	conf->after_sb_0p = p->after_sb_0p == SB_DISCARD_LOCAL ? SB_DISCARD_REMOTE :
			    p->after_sb_0p == SB_DISCARD_REMOTE ? SB_DISCARD_LOCAL :
			    p->after_sb_0p;
	conf->after_sb_1p = p->after_sb_1p;
	conf->after_sb_2p = p->after_sb_2p;
	conf->two_primaries = p->two_primaries;
	change_commit(res, "peer-net-options");
	go_on(ev->conn);
}

static void nothing(struct core_resource *res, const struct core_event *ev)
{
	(void)res;
	(void)ev;
}

static void (*const handlers[EV_TYPES])(struct core_resource *, const struct core_event *) = {
	[EV_NOTHING] = nothing,
	[EV_TIMER] = nothing,
	[EV_JOB] = job_start,
	[EV_JOB_CANCEL] = job_cancel,
	[EV_LINK_UP] = link_up,
	[EV_LINK_DOWN] = link_down,
	[EV_LINK_DRAINED] = link_drained,
	[EV_RECEIVER_EXIT] = receiver_exit,
	[EV_SYNC_PARAM] = got_sync_param,
	[EV_PROTOCOL_UPDATE] = protocol_update,
	[EV_SIZES] = got_sizes,
	[EV_UUIDS] = got_uuids,
	[EV_STATE] = got_state,
	[EV_SYNC_UUID] = got_sync_uuid,
	[EV_STATE_CHG_REQ] = got_state_request,
	[EV_STATE_CHG_REPLY] = got_state_reply,
	[EV_PING_ACK] = ping_acked,
	[EV_BITMAP_RECEIVED] = bitmap_received,
	[EV_BITMAP_WRITTEN] = bitmap_was_written,
	[EV_BITS_SET] = bits_set,
	[EV_RESYNC_DONE] = resync_done,
	[EV_VERIFY_DONE] = verify_done,
	[EV_HELPER_DONE] = helper_done,
	[EV_MD_WRITTEN] = md_written,
	[EV_DRAINED] = was_drained,
	[EV_OPENERS] = openers,
	[EV_GENERATION_NEEDED] = generation_needed,
	[EV_DISK_ERROR] = disk_error,
	[EV_WRITE_REFUSED] = write_refused,
	[EV_DISK_CLOSED] = disk_closed,
	[EV_RESIZED] = resized,
	[EV_CONGESTED] = congested,
	[EV_LOG_FULL] = log_full,
};

/* Packets that the receiver hands over and then waits. */
static bool receiver_waits(u8 type)
{
	return (type >= EV_SYNC_PARAM && type <= EV_STATE_CHG_REQ) ||
	       type == EV_BITMAP_RECEIVED || type == EV_LINK_UP;
}

/* While nothing of it is known outside, and nothing has been changed that nobody would undo. */
static bool can_be_left(const struct core_job *job)
{
	if (job->res->promoting || job->asked)
		return false;
	switch (job->type) {
	case JOB_ATTACH:
	case JOB_SECONDARY:
		return job->phase == 0;
	case JOB_PRIMARY:
		return primary_waits(job);
	default:
		return job->phase <= 1;
	}
}

static bool job_ends(struct core_job *job)
{
	if (job_step(job))
		return true;
	return job->cancel && can_be_left(job) &&
	       fail(job, RES_INTERRUPTED, "%s", core_result_text(RES_INTERRUPTED));
}

static bool step_jobs(struct core_resource *res)
{
	struct core_job **p = &res->jobs;
	bool did = false;

	while (*p) {
		struct core_job *job = *p;
		struct core_connection *conn;
		u8 phase = job->phase;

		if (!job_ends(job)) {
			did |= phase != job->phase;
			p = &job->next;
			continue;
		}
		*p = job->next;
		for_each_connection(conn, res)
			if (conn->req.job == job)
				request_abandon(conn);
		emit(res, ACT_JOB_DONE)->job = job;
		did = true;
	}
	return did;
}

static bool step_all(struct core_resource *res)
{
	struct core_connection *conn;
	struct core_device *dev;
	struct core_peer_device *pd;
	bool did = false;

	for_each_device(dev, res) {
		did |= disk_step(dev);
		did |= resize_step(dev);
		did |= sync_take_turns(dev);
		did |= generation_step(dev);
	}
	for_each_connection(conn, res) {
		for_each_pd_of_conn(pd, conn)
			did |= sync_step(pd) | skip_step(pd) | repair_step(pd);
		did |= refusals_step(conn);
		did |= link_step(conn);
		did |= fence_step(conn);
	}
	return step_jobs(res) || did;
}

static void wake_at(struct core_resource *res, u64 ms)
{
	if (ms && (!res->wake_ms || ms < res->wake_ms))
		res->wake_ms = ms;
}

static void arm_timer(struct core_resource *res)
{
	const struct core_connection *conn;
	const struct core_peer_device *pd;
	const struct core_job *job;

	res->wake_ms = 0;
	for_each_connection(conn, res)
		wake_at(res, refusals_wake_ms(conn));
	for (job = res->jobs; job; job = job->next)
		wake_at(res, job->wake_ms);
	for_each_connection(conn, res)
		for_each_pd_of_conn(pd, conn)
			if (pd->sync == SYNC_AHEAD || pd->sync == SYNC_AHEAD_WAIT)
				wake_at(res, max(pd->wake_ms, res->now_ms + 100));
}

void core_step(struct core_resource *res, const struct core_event *ev, u64 now_ms, u64 entropy)
{
	u32 rounds = 0;

	res->now_ms = now_ms;
	res->rng ^= entropy;
	res->nr_actions = 0;
	if (core_check(ev->type < EV_TYPES && handlers[ev->type])) {
		if (receiver_waits(ev->type))
			ev->conn->go_on_due = true;
		handlers[ev->type](res, ev);
	}
	while (step_all(res))
		if (!core_check(++rounds < MAX_ROUNDS))
			break;
	arm_timer(res);
}

void core_resource_init(struct core_resource *res, const char *name, u8 node_id,
			const struct nl_resource_opts *opts, u64 entropy)
{
	memset(res, 0, sizeof(*res));
	res->name = name;
	res->node_id = node_id;
	res->opts = *opts;
	res->rng = entropy;
	res->now.role = res->next.role = ROLE_SECONDARY;
}

void core_device_init(struct core_device *dev, struct core_resource *res, u32 minor, u32 vnr)
{
	u32 i;

	memset(dev, 0, sizeof(*dev));
	dev->res = res;
	dev->minor = minor;
	dev->vnr = vnr;
	nl_disk_conf_defaults(&dev->conf);
	for (i = 0; i < MD_MAX_PEERS; i++)
		dev->md.peer[i].bitmap_index = -1;
}

void core_connection_init(struct core_connection *conn, struct core_resource *res,
			  u8 peer_node_id, const struct nl_net_conf *conf)
{
	memset(conn, 0, sizeof(*conn));
	conn->res = res;
	conn->peer_node_id = peer_node_id;
	conn->conf = *conf;
}

void core_peer_device_init(struct core_peer_device *pd, struct core_connection *conn,
			   struct core_device *dev)
{
	memset(pd, 0, sizeof(*pd));
	pd->conn = conn;
	pd->dev = dev;
	pd->now.repl = pd->next.repl = REPL_OFF;
	pd->now.pdsk = pd->next.pdsk = DISK_UNKNOWN;
	nl_peer_device_opts_defaults(&pd->conf);
}
