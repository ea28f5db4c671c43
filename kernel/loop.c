// SPDX-License-Identifier: GPL-2.0
/*
 * The event loop of a resource: drbd_w_<resource> takes one event after the
 * other to core and executes what core says (execute.c). Nothing here decides.
 */
#include <linux/random.h>
#include <linux/slab.h>

#include "glue.h"
#include "execute.h"

void drbd_event_init(struct drbd_event *e, u8 type, struct drbd_connection *conn,
		     struct drbd_device *dev, struct drbd_peer_device *pd)
{
	memset(e, 0, sizeof(*e));
	INIT_LIST_HEAD(&e->node);
	e->ev.type = type;
	e->ev.conn = conn ? &conn->core : NULL;
	e->ev.dev = dev ? &dev->core : NULL;
	e->ev.pd = pd ? &pd->core : NULL;
}

void drbd_post(struct drbd_resource *res, struct drbd_event *e)
{
	unsigned long flags;

	spin_lock_irqsave(&res->ev_lock, flags);
	if (!e->queued) {
		e->queued = true;
		list_add_tail(&e->node, &res->events);
	}
	spin_unlock_irqrestore(&res->ev_lock, flags);
	wake_up(&res->ev_wait);
}

void drbd_unpost(struct drbd_resource *res, struct drbd_event *e)
{
	unsigned long flags;

	spin_lock_irqsave(&res->ev_lock, flags);
	if (e->queued)
		list_del_init(&e->node);
	e->queued = false;
	spin_unlock_irqrestore(&res->ev_lock, flags);
}

static bool pop(struct drbd_resource *res, struct core_event *ev)
{
	struct drbd_event *e;

	spin_lock_irq(&res->ev_lock);
	e = list_first_entry_or_null(&res->events, struct drbd_event, node);
	if (e) {
		list_del_init(&e->node);
		e->queued = false;
		*ev = e->ev;
	}
	spin_unlock_irq(&res->ev_lock);
	return e != NULL;
}

static bool has_events(struct drbd_resource *res)
{
	return !list_empty_careful(&res->events) || kthread_should_stop();
}

static u64 offer_of(struct drbd_device *dev)
{
	struct drbd_backing *b = drbd_backing_get(dev);
	u64 sectors;

	if (!b)
		return dev->core.d_size;
	sectors = drbd_backing_offer(b);
	drbd_backing_put(b);
	return sectors;
}

/*
 * What core looks at and nobody tells it of: how many bits are out of sync, and how
 * large the backing devices are now.
 */
static void refresh_facts(struct drbd_resource *res)
{
	struct core_device *dev;
	struct core_peer_device *pd;

	for (dev = res->core.devices; dev; dev = dev->next) {
		struct drbd_device *d = dev->glue;

		dev->offer = offer_of(d);
		drbd_turns_refresh(d);
		spin_lock_irq(&d->bm_lock);
		for (pd = dev->pds; pd; pd = pd->next_of_dev) {
			s32 slot = dev->md.peer[pd->conn->peer_node_id].bitmap_index;

			pd->dirty_bits = d->bitmap && slot >= 0 ? d->bitmap->core.weight[slot] : 0;
		}
		spin_unlock_irq(&d->bm_lock);
	}
}

static void publish_status(struct drbd_resource *res)
{
	struct core_connection *conn;
	struct core_device *dev;
	struct core_peer_device *pd;

	spin_lock_irq(&res->status_lock);
	res->status.res = res->core.now;
	for (conn = res->core.connections; conn; conn = conn->next)
		((struct drbd_connection *)conn->glue)->status.conn = conn->now;
	for (dev = res->core.devices; dev; dev = dev->next) {
		((struct drbd_device *)dev->glue)->status.dev = dev->now;
		for (pd = dev->pds; pd; pd = pd->next_of_dev) {
			struct drbd_peer_device *p = pd->glue;

			p->status.pd = pd->now;
			p->explained = pd->explained;
			p->given_up = pd->conn->given_up;
			WRITE_ONCE(p->slot, dev->now.disk > DISK_DISKLESS ?
				   dev->md.peer[pd->conn->peer_node_id].bitmap_index : -1);
		}
	}
	spin_unlock_irq(&res->status_lock);
}

static void arm_timer(struct drbd_resource *res)
{
	u64 now = ktime_get_ns() / NSEC_PER_MSEC, wake = res->core.wake_ms;

	if (!wake)
		return;
	mod_delayed_work(drbd_md_wq, &res->timer,
			 msecs_to_jiffies(wake > now ? wake - now : 0) + 1);
}

static void timer_fired(struct work_struct *work)
{
	struct drbd_resource *res = container_of(to_delayed_work(work), struct drbd_resource, timer);

	drbd_post(res, &res->ev_timer);
}

/* A volume more needs room for more actions; the requester has made it. */
static void take_room(struct drbd_resource *res)
{
	struct core_action *actions = READ_ONCE(res->spare_actions);

	if (!actions)
		return;
	kvfree(res->actions);
	res->core.actions = res->actions = actions;
	res->core.max_actions = res->max_actions = res->spare_max;
	WRITE_ONCE(res->spare_actions, NULL);
}

static void step(struct drbd_resource *res, const struct core_event *ev)
{
	take_room(res);
	refresh_facts(res);
	core_step(&res->core, ev, ktime_get_ns() / NSEC_PER_MSEC, get_random_u64());
	publish_status(res);
	drbd_turns_tell(res);
	drbd_execute(res);
	arm_timer(res);
}

static int worker(void *arg)
{
	struct drbd_resource *res = arg;
	struct core_event ev;

	while (!kthread_should_stop()) {
		wait_event_interruptible(res->ev_wait, has_events(res));
		while (pop(res, &ev))
			step(res, &ev);
	}
	return 0;
}

int drbd_loop_start(struct drbd_resource *res)
{
	spin_lock_init(&res->ev_lock);
	INIT_LIST_HEAD(&res->events);
	init_waitqueue_head(&res->ev_wait);
	INIT_DELAYED_WORK(&res->timer, timer_fired);
	drbd_event_init(&res->ev_timer, EV_TIMER, NULL, NULL, NULL);
	return drbd_thread_start(&res->worker, worker, res, 'w', res->name);
}

void drbd_loop_stop(struct drbd_resource *res)
{
	cancel_delayed_work_sync(&res->timer);
	kthread_stop(res->worker);
	put_task_struct(res->worker);
}

void drbd_job_init(struct drbd_job *job, u8 type)
{
	memset(job, 0, sizeof(*job));
	job->core.type = type;
	job->core.glue = job;
	init_completion(&job->done);
	drbd_event_init(&job->start, EV_JOB, NULL, NULL, NULL);
	job->start.ev.job = &job->core;
	drbd_event_init(&job->cancel, EV_JOB_CANCEL, NULL, NULL, NULL);
	job->cancel.ev.job = &job->core;
}

s32 drbd_job_run(struct drbd_resource *res, struct drbd_job *job)
{
	drbd_post(res, &job->start);
	if (wait_for_completion_interruptible(&job->done)) {
		drbd_post(res, &job->cancel);
		wait_for_completion(&job->done);
		drbd_unpost(res, &job->cancel);
	}
	return job->core.result;
}
