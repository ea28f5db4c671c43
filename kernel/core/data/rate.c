// SPDX-License-Identifier: GPL-2.0-only
/*
 * data/rate.c - resync speed: controller, throttle, progress.
 *
 * Sectors per step of 0.1 s, as behaviour.md 15.2 has it; a step that came late
 * or early is scaled to that.
 */
#include "rate.h"

#define SECTORS_PER_KIB 2u
#define SECTORS_PER_PAGE 8u

void drbd_rate_init(struct rate_control *rc, const struct rate_options *o)
{
	memset(rc, 0, sizeof(*rc));
	rc->plan_len = min(o->c_plan_ahead, RATE_PLAN_MAX);
}

void drbd_rate_requested(struct rate_control *rc, u32 sectors)
{
	rc->in_flight += (s32)sectors;
	rc->left -= min(rc->left, sectors);
}

void drbd_rate_received(struct rate_control *rc, u32 sectors)
{
	rc->in_flight -= (s32)sectors;
	rc->received += sectors;
}

/* Sectors of @rate KiB/s in one step. */
static u64 per_step(u32 rate)
{
	return (u64)rate * SECTORS_PER_KIB / 10;
}

/* The options changed while running: the plan begins anew. */
static void resize_plan(struct rate_control *rc, u32 len)
{
	if (rc->plan_len == len)
		return;
	memset(rc->plan, 0, sizeof(rc->plan));
	rc->plan_len = len;
	rc->plan_at = 0;
	rc->plan_sum = 0;
}

static s64 controlled(struct rate_control *rc, const struct rate_options *o, u32 received)
{
	s32 n = (s32)rc->plan_len, step, now;
	s64 want;
	u32 i;

	if (!rc->in_flight && !received)
		want = (s64)per_step(o->resync_rate) * n;
	else if (o->c_fill_target)
		want = o->c_fill_target;
	else
		want = (s64)received * o->c_delay_target;
	want = min(want, (s64)1 << 30);

	step = (s32)((want - rc->in_flight - rc->plan_sum) / n);
	for (i = 0; i < rc->plan_len; i++)
		rc->plan[i] += step;
	rc->plan_sum += step * n;

	now = rc->plan[rc->plan_at];
	rc->plan[rc->plan_at] = 0;
	rc->plan_at = (rc->plan_at + 1) % rc->plan_len;
	rc->plan_sum -= now;
	return (s64)received + now;
}

void drbd_rate_step(struct rate_control *rc, const struct rate_options *o, u32 elapsed_ms)
{
	u32 received = rc->received;
	s64 sectors;

	rc->received = 0;
	resize_plan(rc, min(o->c_plan_ahead, RATE_PLAN_MAX));
	elapsed_ms = max(1u, min(elapsed_ms, 1000u));
	if (elapsed_ms < RATE_STEP_MS)
		received = (u32)((u64)received * RATE_STEP_MS / elapsed_ms);

	if (rc->plan_len) {
		sectors = max(controlled(rc, o, received), (s64)0);
		if (o->c_max_rate)
			sectors = min(sectors, (s64)per_step(o->c_max_rate));
	} else {
		sectors = (s64)per_step(o->resync_rate);
	}
	rc->want = (u32)min(sectors * 10 / SECTORS_PER_KIB, (s64)0xffffffff);
	rc->left = (u32)min(sectors, (s64)0xffffffff);
}

/*
 * The limit in flight is looked at anew with each block that comes back: waiting for
 * the next step would bound the speed to max-buffers a step, whatever wire and disks
 * can do. More than half, and both receivers could block on buffers while both
 * senders wait.
 */
u32 drbd_rate_budget(const struct rate_control *rc, u32 max_buffers)
{
	s64 room = (s64)max_buffers * SECTORS_PER_PAGE / 2 - rc->in_flight;

	return (u32)max(min((s64)rc->left, room), (s64)0);
}

/* -- progress -- */

static void set_all_marks(struct progress *p, u64 left, u64 now)
{
	u32 i;

	for (i = 0; i < PROGRESS_MARKS; i++) {
		p->mark_time[i] = now;
		p->mark_left[i] = left;
	}
	p->last = 0;
}

void drbd_progress_start(struct progress *p, u64 bits, u64 now)
{
	memset(p, 0, sizeof(*p));
	p->total = bits;
	p->start = now;
	set_all_marks(p, bits, now);
}

void drbd_progress_mark(struct progress *p, u64 left, u64 now)
{
	u32 next = (p->last + 1) % PROGRESS_MARKS;

	if (p->paused_since || now - p->mark_time[p->last] < PROGRESS_MARK_MS ||
	    left == p->mark_left[p->last])
		return;
	p->mark_time[next] = now;
	p->mark_left[next] = left;
	p->last = next;
}

void drbd_progress_pause(struct progress *p, bool paused, u64 now)
{
	if (paused && !p->paused_since) {
		p->paused_since = now ? now : 1;
	} else if (!paused && p->paused_since) {
		p->paused_ms += now - p->paused_since;
		p->paused_since = 0;
		/* The time that stood still says nothing about the speed. */
		set_all_marks(p, p->mark_left[p->last], now);
	}
}

void drbd_progress_more(struct progress *p, u64 bits)
{
	u32 i;

	p->total += bits;
	for (i = 0; i < PROGRESS_MARKS; i++)
		p->mark_left[i] += bits;
}

static u32 permille(u64 left, u64 total)
{
	/* Not so exact, but safe from overflow also for petabytes. */
	u32 shift = total > 1ull << 32 ? 16 : 10;
	u64 done = core_div64(1000 * (left >> shift), 1 + (total >> shift));

	return 1000 - (u32)min(done, 1000ull);
}

void drbd_progress_view(const struct progress *p, u64 left, u64 now, struct progress_view *v)
{
	u32 mark = (p->last + 2) % PROGRESS_MARKS;
	u64 paused = p->paused_ms + (p->paused_since ? now - p->paused_since : 0);
	u64 dt = max(core_div64(now - p->mark_time[mark], 1000), (u64)1);
	u64 all = max(core_div64(now - p->start - paused, 1000), (u64)1);
	u64 db = p->mark_left[mark] > left ? p->mark_left[mark] - left : 0;

	memset(v, 0, sizeof(*v));
	v->left = left;
	v->total = p->total;
	v->permille = permille(left, p->total);
	v->stalled = dt > 180;
	v->eta_s = core_div64(dt * core_div64(left, core_div64(db, 100) + 1), 100);
	v->speed_now = core_div64(db, dt);
	v->speed_average = core_div64(p->total > left ? p->total - left : 0, all);
}

bool drbd_rate_throttle(const struct progress *p, const struct rate_options *o, bool busy,
			u64 left, u32 bit_shift, u64 now)
{
	u32 mark = (p->last + PROGRESS_MARKS - 1) % PROGRESS_MARKS;
	u64 dt = max(core_div64(now - p->mark_time[mark], 1000), (u64)1);

	/* No progress: whatever the application does, the resync is starving. */
	if (!o->c_min_rate || !busy || p->mark_left[mark] <= left)
		return false;
	return core_div64((p->mark_left[mark] - left) << (bit_shift - 10), dt) > o->c_min_rate;
}
