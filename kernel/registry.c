// SPDX-License-Identifier: GPL-2.0
/*
 * Objects: creation, removal, looking them up. An object is in the registry's
 * lists (RCU for readers) and, from its JOB_ADD to its JOB_DEL, in the model of
 * its resource. References keep the memory, not the membership.
 */
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "glue.h"

DEFINE_MUTEX(registry_mutex);
LIST_HEAD(drbd_resources);
static DEFINE_IDR(minors);		/* registry_mutex; RCU readers */

/* --- looking up ------------------------------------------------------------------ */

struct drbd_resource *drbd_resource_find(const char *name)
{
	struct drbd_resource *res;

	list_for_each_entry_rcu(res, &drbd_resources, node, lockdep_is_held(&registry_mutex))
		if (!strcmp(res->name, name))
			return res;
	return NULL;
}

struct drbd_device *drbd_device_by_minor(u32 minor)
{
	return idr_find(&minors, minor);
}

/* With a reference of the caller's; NULL: none, or it is on its way out. */
struct drbd_device *drbd_device_get_minor(u32 minor)
{
	struct drbd_device *dev;

	rcu_read_lock();
	dev = drbd_device_by_minor(minor);
	if (dev && !kref_get_unless_zero(&dev->kref))
		dev = NULL;
	rcu_read_unlock();
	return dev;
}

/* The first device with a minor of at least *@minor, which it becomes. RCU. */
struct drbd_device *drbd_device_next(u32 *minor)
{
	int id = *minor;
	struct drbd_device *dev = idr_get_next(&minors, &id);

	*minor = id;
	return dev;
}

struct drbd_device *drbd_device_by_volume(struct drbd_resource *res, u32 vnr)
{
	struct drbd_device *dev;

	list_for_each_entry_rcu(dev, &res->devices, node, lockdep_is_held(&registry_mutex))
		if (dev->vnr == vnr)
			return dev;
	return NULL;
}

struct drbd_connection *drbd_connection_find(struct drbd_resource *res, u32 peer_node_id)
{
	struct drbd_connection *conn;

	list_for_each_entry_rcu(conn, &res->connections, node, lockdep_is_held(&registry_mutex))
		if (conn->peer_node_id == peer_node_id)
			return conn;
	return NULL;
}

struct drbd_peer_device *drbd_peer_device_find(struct drbd_connection *conn, u32 vnr)
{
	struct drbd_peer_device *pd;

	list_for_each_entry_rcu(pd, &conn->peer_devices, of_conn, lockdep_is_held(&registry_mutex))
		if (pd->dev->vnr == vnr)
			return pd;
	return NULL;
}

/* --- resource ---------------------------------------------------------------------- */

static void resource_free_arrays(struct drbd_resource *res)
{
	kvfree(res->ring);
	kvfree(res->actions);
	kvfree(res->spare_actions);
	kfree(res->retired);
}

static void resource_free(struct kref *kref)
{
	struct drbd_resource *res = container_of(kref, struct drbd_resource, kref);

	resource_free_arrays(res);
	kfree_rcu(res, rcu);
	module_put(THIS_MODULE);
}

void drbd_resource_get(struct drbd_resource *res)
{
	kref_get(&res->kref);
}

void drbd_resource_put(struct drbd_resource *res)
{
	kref_put(&res->kref, resource_free);
}

static int resource_start(struct drbd_resource *res)
{
	int err;

	res->wq = alloc_ordered_workqueue("drbd_ret_%s", WQ_MEM_RECLAIM, res->name);
	if (!res->wq)
		return -ENOMEM;
	err = drbd_loop_start(res);
	if (err)
		destroy_workqueue(res->wq);
	return err;
}

static struct drbd_resource *resource_alloc(const char *name, const struct nl_resource_opts *opts)
{
	struct drbd_resource *res = kzalloc(sizeof(*res), GFP_KERNEL);

	if (!res)
		return NULL;
	strscpy(res->name, name, sizeof(res->name));
	kref_init(&res->kref);
	mutex_init(&res->adm_mutex);
	INIT_LIST_HEAD(&res->devices);
	INIT_LIST_HEAD(&res->connections);
	spin_lock_init(&res->status_lock);
	spin_lock_init(&res->log_lock);
	INIT_WORK(&res->retire_work, drbd_retire_work);
	res->opts = *opts;
	res->ring = kvcalloc(DRBD_LOG_SIZE, sizeof(*res->ring), GFP_KERNEL);
	res->max_actions = CORE_ACTIONS_FOR(1);
	res->actions = kvcalloc(res->max_actions, sizeof(*res->actions), GFP_KERNEL);
	res->retired = kcalloc(DRBD_RETIRE_BATCH, sizeof(*res->retired), GFP_KERNEL);
	if (!res->ring || !res->actions || !res->retired) {
		resource_free_arrays(res);
		kfree(res);
		return NULL;
	}
	core_resource_init(&res->core, res->name, opts->node_id, opts, get_random_u64());
	res->core.glue = res;
	res->core.actions = res->actions;
	res->core.max_actions = res->max_actions;
	res->status.res = res->core.now;
	drbd_log_init(&res->log, res->ring, DRBD_LOG_SIZE, LOG_MAX_EPOCH_DEFAULT,
		      drbd_lazy_epochs ? LOG_EPOCH_LAZY : LOG_EPOCH_PER_COMPLETION);
	return res;
}

int drbd_resource_create(const char *name, const struct nl_resource_opts *opts,
			 struct drbd_resource **out, char *text)
{
	struct drbd_resource *res;

	if (!try_module_get(THIS_MODULE)) {
		strscpy(text, "the module is being unloaded", CORE_TEXT_MAX);
		return ERR_INVALID_REQUEST;
	}
	res = resource_alloc(name, opts);
	if (!res || resource_start(res)) {
		if (res)
			resource_free_arrays(res);
		kfree(res);
		module_put(THIS_MODULE);
		strscpy(text, "not enough memory for another resource", CORE_TEXT_MAX);
		return ERR_NOMEM;
	}
	list_add_tail_rcu(&res->node, &drbd_resources);
	*out = res;
	return 0;
}

int drbd_resource_destroy(struct drbd_resource *res, char *text)
{
	if (!list_empty(&res->connections)) {
		strscpy(text, "the resource still has connections: del-peer them first", CORE_TEXT_MAX);
		return ERR_NET_CONFIGURED;
	}
	if (!list_empty(&res->devices)) {
		strscpy(text, "the resource still has volumes: del-minor them first", CORE_TEXT_MAX);
		return ERR_RES_IN_USE;
	}
	list_del_rcu(&res->node);
	drbd_loop_stop(res);
	destroy_workqueue(res->wq);
	drbd_resource_put(res);
	return 0;
}

/* --- peer device ---------------------------------------------------------------------- */

static struct drbd_peer_device *peer_device_alloc(struct drbd_connection *conn,
						  struct drbd_device *dev)
{
	struct drbd_peer_device *pd = kzalloc(sizeof(*pd), GFP_KERNEL);

	if (!pd)
		return NULL;
	pd->conn = conn;
	pd->dev = dev;
	kref_init(&pd->kref);
	INIT_LIST_HEAD(&pd->rs_requests);
	INIT_LIST_HEAD(&pd->rs_reads);
	INIT_LIST_HEAD(&pd->ov_requests);
	INIT_LIST_HEAD(&pd->ov_reads);
	INIT_LIST_HEAD(&pd->write_waits);
	drbd_notice_init(&pd->notices);
	nl_peer_device_opts_defaults(&pd->conf);
	core_peer_device_init(&pd->core, &conn->core, &dev->core);
	pd->core.glue = pd;
	pd->status.pd = pd->core.now;
	pd->slot = -1;
	drbd_event_init(&pd->ev_bitmap, EV_BITMAP_RECEIVED, conn, dev, pd);
	drbd_event_init(&pd->ev_done, EV_RESYNC_DONE, conn, dev, pd);
	drbd_event_init(&pd->ev_ov_done, EV_VERIFY_DONE, conn, dev, pd);
	drbd_event_init(&pd->ev_bits, EV_BITS_SET, conn, dev, pd);
	drbd_event_init(&pd->ev_helper, EV_HELPER_DONE, conn, dev, pd);
	drbd_event_init(&pd->ev_refused, EV_WRITE_REFUSED, conn, dev, pd);
	drbd_event_init(&pd->ev_congested, EV_CONGESTED, conn, dev, pd);
	drbd_event_init(&pd->ev_log_full, EV_LOG_FULL, conn, dev, pd);
	return pd;
}

static void peer_device_publish(struct drbd_peer_device *pd)
{
	list_add_tail_rcu(&pd->of_conn, &pd->conn->peer_devices);
	list_add_tail_rcu(&pd->of_dev, &pd->dev->peer_devices);
}

static void peer_device_remove(struct drbd_peer_device *pd)
{
	list_del_rcu(&pd->of_conn);
	list_del_rcu(&pd->of_dev);
	drbd_unpost(pd->conn->res, &pd->ev_bitmap);
	drbd_unpost(pd->conn->res, &pd->ev_done);
	drbd_unpost(pd->conn->res, &pd->ev_ov_done);
	drbd_unpost(pd->conn->res, &pd->ev_bits);
	drbd_unpost(pd->conn->res, &pd->ev_helper);
	drbd_unpost(pd->conn->res, &pd->ev_refused);
	drbd_unpost(pd->conn->res, &pd->ev_congested);
	drbd_unpost(pd->conn->res, &pd->ev_log_full);
	kfree_rcu(pd, rcu);
}

/* --- device ------------------------------------------------------------------------------ */

static void device_free(struct kref *kref)
{
	struct drbd_device *dev = container_of(kref, struct drbd_device, kref);
	struct drbd_resource *res = dev->res;

	drbd_disk_put(dev);
	destroy_workqueue(dev->submit_wq);
	drbd_al_free(dev->al);
	drbd_bitmap_free(dev->bitmap);
	if (dev->ldev.plan)
		kfree(container_of(dev->ldev.plan, struct drbd_plan, core));
	free_page((unsigned long)dev->md_page);
	kfree_rcu(dev, rcu);
	drbd_resource_put(res);
}

void drbd_device_get(struct drbd_device *dev)
{
	kref_get(&dev->kref);
}

void drbd_device_put(struct drbd_device *dev)
{
	kref_put(&dev->kref, device_free);
}

static void device_init_events(struct drbd_device *dev)
{
	drbd_event_init(&dev->ev_md, EV_MD_WRITTEN, NULL, dev, NULL);
	drbd_event_init(&dev->ev_bm, EV_BITMAP_WRITTEN, NULL, dev, NULL);
	drbd_event_init(&dev->ev_bits, EV_BITS_SET, NULL, dev, NULL);
	drbd_event_init(&dev->ev_drained, EV_DRAINED, NULL, dev, NULL);
	drbd_event_init(&dev->ev_openers, EV_OPENERS, NULL, dev, NULL);
	drbd_event_init(&dev->ev_gen, EV_GENERATION_NEEDED, NULL, dev, NULL);
	drbd_event_init(&dev->ev_error, EV_DISK_ERROR, NULL, dev, NULL);
	drbd_event_init(&dev->ev_md_error, EV_DISK_ERROR, NULL, dev, NULL);
	dev->ev_md_error.ev.flag = true;
	drbd_event_init(&dev->ev_closed, EV_DISK_CLOSED, NULL, dev, NULL);
	drbd_event_init(&dev->ev_helper, EV_HELPER_DONE, NULL, dev, NULL);
	drbd_event_init(&dev->ev_resized, EV_RESIZED, NULL, dev, NULL);
}

static void device_unpost_all(struct drbd_device *dev)
{
	struct drbd_event *all[] = {
		&dev->ev_md, &dev->ev_bm, &dev->ev_bits, &dev->ev_drained, &dev->ev_openers,
		&dev->ev_gen, &dev->ev_error, &dev->ev_md_error, &dev->ev_closed, &dev->ev_helper,
		&dev->ev_resized,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		drbd_unpost(dev->res, all[i]);
}

static struct drbd_device *device_alloc(struct drbd_resource *res, u32 minor, u32 vnr)
{
	struct drbd_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (!dev)
		return NULL;
	dev->res = res;
	dev->minor = minor;
	dev->vnr = vnr;
	kref_init(&dev->kref);
	INIT_LIST_HEAD(&dev->peer_devices);
	spin_lock_init(&dev->open_lock);
	spin_lock_init(&dev->extent_lock);
	spin_lock_init(&dev->bm_lock);
	spin_lock_init(&dev->submit_lock);
	spin_lock_init(&dev->md_lock);
	mutex_init(&dev->md_io);
	bio_list_init(&dev->parked);
	bio_list_init(&dev->failed_reads);
	INIT_LIST_HEAD(&dev->granted);
	INIT_LIST_HEAD(&dev->cold);
	INIT_LIST_HEAD(&dev->retries);
	INIT_LIST_HEAD(&dev->peer_cold);
	INIT_LIST_HEAD(&dev->remakes);
	INIT_WORK(&dev->submit_work, drbd_submit_work);
	INIT_WORK(&dev->md_work, drbd_md_work);
	INIT_WORK(&dev->bm_work, drbd_bm_work);
	INIT_WORK(&dev->set_bits_work, drbd_set_bits_work);
	INIT_WORK(&dev->offer_work, drbd_disk_offer_work);
	INIT_WORK(&dev->resize_work, drbd_resize_work);
	nl_disk_conf_defaults(&dev->disk_conf);
	dev->board = (struct board_entry){ .minor = minor, .after = -1 };
	drbd_range_table_init(&dev->ranges);
	core_device_init(&dev->core, &res->core, minor, vnr);
	dev->core.glue = dev;
	dev->ldev.volume = vnr;
	device_init_events(dev);
	dev->md_page = (void *)get_zeroed_page(GFP_KERNEL);
	dev->submit_wq = alloc_ordered_workqueue("drbd%u_submit", WQ_MEM_RECLAIM, minor);
	if (dev->md_page && dev->submit_wq)
		return dev;
	if (dev->submit_wq)
		destroy_workqueue(dev->submit_wq);
	free_page((unsigned long)dev->md_page);
	kfree(dev);
	return NULL;
}

/* The loop must have room for the actions of one more volume before it exists. */
static int grow_actions(struct drbd_resource *res)
{
	struct drbd_device *dev;
	struct core_action *actions;
	u32 volumes = 1;

	list_for_each_entry(dev, &res->devices, node)
		volumes++;
	if (CORE_ACTIONS_FOR(volumes) <= res->max_actions)
		return 0;
	actions = kvcalloc(CORE_ACTIONS_FOR(volumes), sizeof(*actions), GFP_KERNEL);
	if (!actions)
		return -ENOMEM;
	res->spare_actions = actions;
	res->spare_max = CORE_ACTIONS_FOR(volumes);
	return 0;
}

static int device_peer_devices(struct drbd_device *dev, struct core_peer_device **chain)
{
	struct drbd_connection *conn;
	struct drbd_peer_device *pd;

	*chain = NULL;
	list_for_each_entry(conn, &dev->res->connections, node) {
		pd = peer_device_alloc(conn, dev);
		if (!pd)
			return -ENOMEM;
		pd->core.next_of_dev = *chain;
		*chain = &pd->core;
	}
	return 0;
}

static void publish_chain(struct core_peer_device *chain)
{
	struct core_peer_device *pd, *next;

	for (pd = chain; pd; pd = next) {
		next = pd->next_of_dev;
		peer_device_publish(pd->glue);
	}
}

static void free_chain(struct core_peer_device *chain)
{
	struct core_peer_device *next;

	for (; chain; chain = next) {
		next = chain->next_of_dev;
		kfree(chain->glue);
	}
}

static int no_memory(char *text)
{
	strscpy(text, "not enough memory", CORE_TEXT_MAX);
	return ERR_NOMEM;
}

static int device_check(struct drbd_resource *res, u32 minor, u32 vnr, char *text)
{
	if (minor > MINOR_MAX) {
		strscpy(text, "requested minor out of range", CORE_TEXT_MAX);
		return ERR_INVALID_REQUEST;
	}
	if (vnr > VOLUME_MAX) {
		strscpy(text, "requested volume id out of range", CORE_TEXT_MAX);
		return ERR_INVALID_REQUEST;
	}
	if (drbd_device_by_minor(minor) || drbd_device_by_volume(res, vnr)) {
		snprintf(text, CORE_TEXT_MAX, "minor %u or volume %u exists already", minor, vnr);
		return ERR_MINOR_OR_VOLUME_EXISTS;
	}
	return 0;
}

int drbd_device_create(struct drbd_resource *res, u32 minor, u32 vnr,
		       const struct nl_device_conf *conf, struct drbd_device **out, char *text)
{
	struct core_peer_device *chain = NULL;
	struct drbd_device *dev;
	struct drbd_job job;
	int err = device_check(res, minor, vnr, text);

	if (err)
		return err;
	dev = device_alloc(res, minor, vnr);
	if (!dev)
		return no_memory(text);
	dev->conf = *conf;
	dev->intentional_diskless = conf->intentional_diskless;
	if (grow_actions(res) || device_peer_devices(dev, &chain) || drbd_disk_create(dev) ||
	    idr_alloc(&minors, dev, minor, minor + 1, GFP_KERNEL) < 0)
		goto nomem;
	drbd_resource_get(res);
	drbd_job_init(&job, JOB_ADD_DEVICE);
	job.core.dev = &dev->core;
	job.core.pd = chain;
	publish_chain(chain);
	list_add_tail_rcu(&dev->node, &res->devices);
	drbd_job_run(res, &job);
	if (drbd_disk_add(dev)) {
		drbd_device_destroy(dev, text);
		return no_memory(text);
	}
	*out = dev;
	return 0;
nomem:
	free_chain(chain);
	drbd_disk_put(dev);
	destroy_workqueue(dev->submit_wq);
	free_page((unsigned long)dev->md_page);
	kfree(dev);
	return no_memory(text);
}

int drbd_device_destroy(struct drbd_device *dev, char *text)
{
	struct drbd_resource *res = dev->res;
	struct drbd_peer_device *pd, *tmp;
	struct drbd_job job;
	s32 r;

	drbd_job_init(&job, JOB_DEL_DEVICE);
	job.core.dev = &dev->core;
	r = drbd_job_run(res, &job);
	if (r < RES_SUCCESS || r > 99) {
		strscpy(text, job.core.text, CORE_TEXT_MAX);
		return r;
	}
	idr_remove(&minors, dev->minor);
	list_del_rcu(&dev->node);
	cancel_work_sync(&dev->offer_work);
	drbd_disk_remove(dev);
	flush_workqueue(drbd_md_wq);
	flush_work(&dev->submit_work);
	device_unpost_all(dev);
	list_for_each_entry_safe(pd, tmp, &dev->peer_devices, of_dev)
		peer_device_remove(pd);
	synchronize_rcu();
	drbd_device_put(dev);
	return 0;
}

/* --- connection ------------------------------------------------------------------------------ */

static void connection_free(struct kref *kref)
{
	struct drbd_connection *conn = container_of(kref, struct drbd_connection, kref);
	struct drbd_resource *res = conn->res;
	struct drbd_path *path, *tmp;

	list_for_each_entry_safe(path, tmp, &conn->paths, node)
		kfree(path);
	drbd_digests_clear(conn);
	put_net(conn->net);
	free_page((unsigned long)conn->snd_buf);
	free_page((unsigned long)conn->meta_buf);
	kfree(conn->out);
	kfree_rcu(conn, rcu);
	drbd_resource_put(res);
}

void drbd_connection_get(struct drbd_connection *conn)
{
	kref_get(&conn->kref);
}

void drbd_connection_put(struct drbd_connection *conn)
{
	kref_put(&conn->kref, connection_free);
}

static void connection_init_events(struct drbd_connection *conn)
{
	drbd_event_init(&conn->ev_up, EV_LINK_UP, conn, NULL, NULL);
	drbd_event_init(&conn->ev_down, EV_LINK_DOWN, conn, NULL, NULL);
	drbd_event_init(&conn->ev_drained, EV_LINK_DRAINED, conn, NULL, NULL);
	drbd_event_init(&conn->ev_exit, EV_RECEIVER_EXIT, conn, NULL, NULL);
	drbd_event_init(&conn->ev_packet, EV_NOTHING, conn, NULL, NULL);
	drbd_event_init(&conn->ev_reply, EV_STATE_CHG_REPLY, conn, NULL, NULL);
	drbd_event_init(&conn->ev_ping, EV_PING_ACK, conn, NULL, NULL);
	drbd_event_init(&conn->ev_helper, EV_HELPER_DONE, conn, NULL, NULL);
}

static struct drbd_connection *connection_alloc(struct drbd_resource *res, u32 peer_node_id,
						const struct nl_net_conf *conf)
{
	struct drbd_connection *conn = kzalloc(sizeof(*conn), GFP_KERNEL);

	if (!conn)
		return NULL;
	conn->res = res;
	conn->peer_node_id = peer_node_id;
	conn->conf = *conf;
	kref_init(&conn->kref);
	INIT_LIST_HEAD(&conn->peer_devices);
	INIT_LIST_HEAD(&conn->paths);
	mutex_init(&conn->sock_lock);
	mutex_init(&conn->snd_mutex);
	mutex_init(&conn->out_mutex);
	init_waitqueue_head(&conn->rcv_wait);
	init_waitqueue_head(&conn->snd_wait);
	init_waitqueue_head(&conn->ack_wait);
	init_waitqueue_head(&conn->idle_wait);
	spin_lock_init(&conn->snd_lock);
	spin_lock_init(&conn->ack_lock);
	spin_lock_init(&conn->digest_lock);
	spin_lock_init(&conn->epoch_lock);
	INIT_LIST_HEAD(&conn->replies);
	INIT_LIST_HEAD(&conn->rs_ready);
	INIT_LIST_HEAD(&conn->acks);
	INIT_LIST_HEAD(&conn->held);
	INIT_LIST_HEAD(&conn->retried);
	INIT_WORK(&conn->epoch_work, drbd_epoch_work);
	core_connection_init(&conn->core, &res->core, peer_node_id, conf);
	conn->core.glue = conn;
	conn->status.conn = conn->core.now;
	connection_init_events(conn);
	conn->net = get_net(current->nsproxy->net_ns);
	conn->snd_buf = (void *)get_zeroed_page(GFP_KERNEL);
	conn->meta_buf = (void *)get_zeroed_page(GFP_KERNEL);
	conn->out = drbd_outbox_alloc();
	if (conn->snd_buf && conn->meta_buf && conn->out)
		return conn;
	kfree(conn->out);
	free_page((unsigned long)conn->snd_buf);
	free_page((unsigned long)conn->meta_buf);
	put_net(conn->net);
	kfree(conn);
	return NULL;
}

static int connection_peer_devices(struct drbd_connection *conn, struct core_peer_device **chain)
{
	struct drbd_device *dev;
	struct drbd_peer_device *pd;

	*chain = NULL;
	list_for_each_entry(dev, &conn->res->devices, node) {
		pd = peer_device_alloc(conn, dev);
		if (!pd)
			return -ENOMEM;
		pd->core.next_of_dev = *chain;
		*chain = &pd->core;
	}
	return 0;
}

static int take_index(struct drbd_connection *conn)
{
	struct drbd_resource *res = conn->res;
	int i, r = -ENOSPC;

	spin_lock_irq(&res->log_lock);
	for (i = 0; i < CORE_MAX_PEERS; i++) {
		if (res->by_index[i])
			continue;
		res->by_index[i] = conn;
		if (res->log.nr_conns <= i)
			res->log.nr_conns = i + 1;
		conn->index = conn->core.index = i;
		r = 0;
		break;
	}
	spin_unlock_irq(&res->log_lock);
	return r;
}

int drbd_connection_create(struct drbd_resource *res, u32 peer_node_id,
			   const struct nl_net_conf *conf, struct drbd_connection **out,
			   char *text)
{
	struct core_peer_device *chain = NULL;
	struct drbd_connection *conn;
	struct drbd_job job;

	if (drbd_connection_find(res, peer_node_id)) {
		snprintf(text, CORE_TEXT_MAX, "Connection for peer node id %u already exists", peer_node_id);
		return ERR_INVALID_REQUEST;
	}
	if (!list_empty(&res->connections)) {
		strscpy(text, "this version of the module has one peer per resource", CORE_TEXT_MAX);
		return ERR_INVALID_REQUEST;
	}
	conn = connection_alloc(res, peer_node_id, conf);
	if (!conn)
		return no_memory(text);
	if (connection_peer_devices(conn, &chain) || take_index(conn)) {
		free_chain(chain);
		drbd_resource_get(res);
		drbd_connection_put(conn);
		return no_memory(text);
	}
	drbd_resource_get(res);
	drbd_job_init(&job, JOB_ADD_CONNECTION);
	job.core.conn = &conn->core;
	job.core.pd = chain;
	publish_chain(chain);
	list_add_tail_rcu(&conn->node, &res->connections);
	drbd_job_run(res, &job);
	*out = conn;
	return 0;
}

static void connection_unpost_all(struct drbd_connection *conn)
{
	struct drbd_event *all[] = {
		&conn->ev_up, &conn->ev_down, &conn->ev_drained, &conn->ev_exit,
		&conn->ev_packet, &conn->ev_reply, &conn->ev_ping, &conn->ev_helper,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		drbd_unpost(conn->res, all[i]);
}

int drbd_connection_destroy(struct drbd_connection *conn, char *text)
{
	struct drbd_resource *res = conn->res;
	struct drbd_peer_device *pd, *tmp;
	struct drbd_job job;
	s32 r;

	drbd_job_init(&job, JOB_DEL_CONNECTION);
	job.core.conn = &conn->core;
	r = drbd_job_run(res, &job);
	if (r < RES_SUCCESS || r > 99) {
		strscpy(text, job.core.text, CORE_TEXT_MAX);
		return r;
	}
	list_del_rcu(&conn->node);
	if (conn->receiver) {
		kthread_stop(conn->receiver);
		put_task_struct(conn->receiver);
		conn->receiver = NULL;
	}
	flush_work(&conn->epoch_work);
	spin_lock_irq(&res->log_lock);
	res->by_index[conn->index] = NULL;
	spin_unlock_irq(&res->log_lock);
	connection_unpost_all(conn);
	list_for_each_entry_safe(pd, tmp, &conn->peer_devices, of_conn)
		peer_device_remove(pd);
	synchronize_rcu();
	drbd_connection_put(conn);
	return 0;
}

/* --- paths -------------------------------------------------------------------------------------- */

static bool same(const struct sockaddr_storage *a, int alen, const void *b, int blen)
{
	return alen == blen && !memcmp(a, b, alen);
}

static int path_check(struct drbd_connection *own, const void *my, int my_len,
		      const void *peer, int peer_len, char *text)
{
	struct drbd_resource *res;
	struct drbd_connection *conn;
	struct drbd_path *path;

	list_for_each_entry(res, &drbd_resources, node)
		list_for_each_entry(conn, &res->connections, node)
			list_for_each_entry(path, &conn->paths, node) {
				bool m = same(&path->my_addr, path->my_len, my, my_len);
				bool p = same(&path->peer_addr, path->peer_len, peer, peer_len);

				if (!m && !p)
					continue;
				if (conn == own && !(m && p))
					continue;
				snprintf(text, CORE_TEXT_MAX, "%s address is in use by resource %s",
					 m && p ? "both the local and the peer" :
					 m ? "the local" : "the peer", res->name);
				return m && p ? ERR_LOCAL_AND_PEER_ADDR :
				       m ? ERR_LOCAL_ADDR : ERR_PEER_ADDR;
			}
	return 0;
}

int drbd_path_add(struct drbd_connection *conn, const void *my, int my_len,
		  const void *peer, int peer_len, char *text)
{
	struct drbd_path *path;
	int err;

	if (my_len < (int)sizeof(sa_family_t) || my_len > (int)sizeof(path->my_addr) ||
	    peer_len < (int)sizeof(sa_family_t) || peer_len > (int)sizeof(path->peer_addr)) {
		strscpy(text, "connection endpoint(s) missing", CORE_TEXT_MAX);
		return ERR_INVALID_REQUEST;
	}
	err = path_check(conn, my, my_len, peer, peer_len, text);
	if (err)
		return err;
	path = kzalloc(sizeof(*path), GFP_KERNEL);
	if (!path)
		return no_memory(text);
	memcpy(&path->my_addr, my, my_len);
	memcpy(&path->peer_addr, peer, peer_len);
	path->my_len = my_len;
	path->peer_len = peer_len;
	list_add_tail_rcu(&path->node, &conn->paths);
	return 0;
}

int drbd_path_del(struct drbd_connection *conn, const void *my, int my_len,
		  const void *peer, int peer_len, char *text)
{
	struct drbd_path *path;

	list_for_each_entry(path, &conn->paths, node) {
		if (!same(&path->my_addr, path->my_len, my, my_len) ||
		    !same(&path->peer_addr, path->peer_len, peer, peer_len))
			continue;
		if (list_is_singular(&conn->paths) && conn->receiver &&
		    READ_ONCE(conn->status.conn.cstate) > CONN_STANDALONE) {
			strscpy(text, "Can not delete last path, use disconnect first!", CORE_TEXT_MAX);
			return ERR_INVALID_REQUEST;
		}
		list_del_rcu(&path->node);
		synchronize_rcu();
		kfree(path);
		return 0;
	}
	strscpy(text, "no such path", CORE_TEXT_MAX);
	return ERR_INVALID_REQUEST;
}

int drbd_registry_init(void)
{
	return 0;
}

void drbd_registry_exit(void)
{
	idr_destroy(&minors);
}
