// SPDX-License-Identifier: GPL-2.0
/*
 * resync-after: the board on which the devices of this node show whether they are
 * busy, and who goes first (core/state/board.h). Each loop writes what it has decided
 * there, and wakes the others when that has changed; they read it before each step.
 */
#include <linux/rculist.h>

#include "glue.h"

static DEFINE_SPINLOCK(board_lock);	/* dev->board of all devices; innermost */

static const struct board_entry *find(void *arg, u32 minor)
{
	struct drbd_device *dev = drbd_device_by_minor(minor);

	(void)arg;
	return dev ? &dev->board : NULL;
}

void drbd_turns_refresh(struct drbd_device *dev)
{
	rcu_read_lock();
	spin_lock(&board_lock);
	dev->core.must_wait = drbd_board_waits(&dev->board, find, NULL);
	spin_unlock(&board_lock);
	rcu_read_unlock();
}

static bool write_board(struct drbd_resource *res)
{
	struct core_device *core;
	bool changed = false;

	spin_lock(&board_lock);
	for (core = res->core.devices; core; core = core->next) {
		struct drbd_device *dev = core->glue;
		struct board_entry e;

		core_board_entry(core, &e);
		e.after = dev->board.after;
		changed |= e.disk != dev->board.disk || e.busy != dev->board.busy;
		dev->board = e;
	}
	spin_unlock(&board_lock);
	return changed;
}

static void wake_all(void)
{
	struct drbd_resource *res;

	rcu_read_lock();
	list_for_each_entry_rcu(res, &drbd_resources, node)
		drbd_post(res, &res->ev_timer);
	rcu_read_unlock();
}

/* The loop, after each step. */
void drbd_turns_tell(struct drbd_resource *res)
{
	if (write_board(res))
		wake_all();
}

/* An administrator's wish: 0, or an ERR_ code and why not. */
int drbd_turns_set(struct drbd_device *dev, s32 after, char *text)
{
	bool circle;

	if (after == dev->board.after)
		return 0;
	rcu_read_lock();
	spin_lock(&board_lock);
	circle = drbd_board_circle(dev->minor, after, find, NULL);
	if (!circle)
		dev->board.after = after;
	spin_unlock(&board_lock);
	rcu_read_unlock();
	if (circle) {
		snprintf(text, CORE_TEXT_MAX, "minor %u would wait for itself: minor %d comes after it already",
			 dev->minor, after);
		return ERR_RESYNC_AFTER_CYCLE;
	}
	wake_all();
	return 0;
}
