/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * data/rate.h - how fast a resync goes, and what is told about it.
 *
 * The controller of the requesting side, the c-min-rate throttle, the marks
 * behind the speed and finish time of /proc/drbd. Integers only.
 *
 * Lock: one owner, the sender of the connection; progress is read by others
 * under the bitmap lock, under which drbd_progress_*() is called.
 *
 * Specification: behaviour.md 15.
 */
#ifndef DRBD_CORE_DATA_RATE_H
#define DRBD_CORE_DATA_RATE_H

#include "../base.h"

#define RATE_PLAN_MAX 300u
#define RATE_STEP_MS 100u

struct rate_options {
	u32 resync_rate;	/* KiB/s */
	u32 c_plan_ahead;	/* 0.1 s; 0 = controller off */
	u32 c_delay_target;	/* 0.1 s */
	u32 c_fill_target;	/* sectors; 0 = use c_delay_target */
	u32 c_max_rate;		/* KiB/s; 0 = unlimited */
	u32 c_min_rate;		/* KiB/s; 0 = never throttle */
};

struct rate_control {
	s32 plan[RATE_PLAN_MAX];
	u32 plan_len, plan_at;
	s32 plan_sum;
	s32 in_flight;		/* sectors requested, not received */
	u32 received;		/* sectors since the last step */
	u32 left;		/* sectors of this step that were not asked for yet */
	u32 want;		/* KiB/s: "want:" in /proc/drbd */
};

void drbd_rate_init(struct rate_control *rc, const struct rate_options *o);
/* Requests of @sectors went out; replies of @sectors came in. */
void drbd_rate_requested(struct rate_control *rc, u32 sectors);
void drbd_rate_received(struct rate_control *rc, u32 sectors);
/* A step of 0.1 s begins, @elapsed_ms after the last one. */
void drbd_rate_step(struct rate_control *rc, const struct rate_options *o, u32 elapsed_ms);
/* Sectors to request now; @max_buffers in pages of 4 KiB caps what may be in flight. */
u32 drbd_rate_budget(const struct rate_control *rc, u32 max_buffers);

#define PROGRESS_MARKS 8u
#define PROGRESS_MARK_MS 3000u

struct progress {
	u64 total;		/* bits at the start */
	u64 start;		/* ms */
	u64 paused_ms;
	u64 paused_since;	/* 0 = not paused */
	u32 last;		/* newest mark */
	u64 mark_time[PROGRESS_MARKS];
	u64 mark_left[PROGRESS_MARKS];
};

void drbd_progress_start(struct progress *p, u64 bits, u64 now);
/* Called now and then with the bits left; moves the marks. */
void drbd_progress_mark(struct progress *p, u64 left, u64 now);
void drbd_progress_pause(struct progress *p, bool paused, u64 now);
/* Bits were set while it runs: progress must not exceed 100 %. */
void drbd_progress_more(struct progress *p, u64 bits);

struct progress_view {
	u32 permille;
	u64 left, total;	/* bits */
	u64 eta_s;
	bool stalled;
	u64 speed_now;		/* bits/s over the older marks */
	u64 speed_average;	/* bits/s since the start */
};
void drbd_progress_view(const struct progress *p, u64 left, u64 now, struct progress_view *v);

/*
 * Must resync yield to the application? @busy: application requests wait for
 * the activity log, or the backing device was used by others. behaviour.md 15.4
 */
bool drbd_rate_throttle(const struct progress *p, const struct rate_options *o, bool busy,
			u64 left, u32 bit_shift, u64 now);

#endif
