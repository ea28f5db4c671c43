// SPDX-License-Identifier: GPL-2.0
/*
 * User programs that the kernel calls at certain events (behaviour.md 7.3):
 * <usermode_helper> <event> <resource>, each in a work of its own, so that one
 * that hangs stops nothing but who waits for it.
 */
#include <linux/kmod.h>
#include <linux/slab.h>
#include <linux/umh.h>

#include "glue.h"

#define ENV_MAX 16

struct helper {
	struct work_struct work;
	struct drbd_resource *res;
	struct drbd_connection *conn;
	struct drbd_device *dev;
	const char *name;
	struct drbd_event *answer;
	u32 up_to_date;		/* nodes whose data is that of this one */
};

/* Of all volumes with a disk; a Primary's own data counts. */
static u32 up_to_date_nodes(struct drbd_resource *res)
{
	struct drbd_peer_device *pd;
	struct drbd_device *dev;
	u32 all = ~0u;

	rcu_read_lock();
	list_for_each_entry_rcu(dev, &res->devices, node) {
		u32 nodes = 0;

		if (READ_ONCE(dev->status.dev.disk) < DISK_INCONSISTENT)
			continue;
		if (READ_ONCE(dev->status.dev.disk) == DISK_UP_TO_DATE ||
		    READ_ONCE(res->status.res.role) == ROLE_PRIMARY)
			nodes |= 1u << res->opts.node_id;
		list_for_each_entry_rcu(pd, &dev->peer_devices, of_dev)
			if (READ_ONCE(pd->status.pd.pdsk) == DISK_UP_TO_DATE)
				nodes |= 1u << pd->conn->peer_node_id;
		if (nodes)
			all &= nodes;
	}
	rcu_read_unlock();
	return all;
}

static void add(char **env, int *n, char *text)
{
	if (text && *n < ENV_MAX - 1)
		env[(*n)++] = text;
}

static int describe(const struct helper *h, char **env)
{
	int n = 0;

	add(env, &n, kstrdup("HOME=/", GFP_KERNEL));
	add(env, &n, kstrdup("TERM=linux", GFP_KERNEL));
	add(env, &n, kstrdup("PATH=/sbin:/usr/sbin:/bin:/usr/bin", GFP_KERNEL));
	if (h->dev) {
		add(env, &n, kasprintf(GFP_KERNEL, "DRBD_MINOR=%u", h->dev->minor));
		add(env, &n, kasprintf(GFP_KERNEL, "DRBD_VOLUME=%u", h->dev->vnr));
		add(env, &n, kasprintf(GFP_KERNEL, "DRBD_BACKING_DEV=%s",
				       h->dev->disk_conf.backing_dev));
	}
	if (strstr(h->name, "fence"))
		add(env, &n, kasprintf(GFP_KERNEL, "UP_TO_DATE_NODES=0x%08X", h->up_to_date));
	if (h->conn) {
		struct drbd_path *path;

		add(env, &n, kasprintf(GFP_KERNEL, "DRBD_PEER_NODE_ID=%u", h->conn->peer_node_id));
		add(env, &n, kasprintf(GFP_KERNEL, "DRBD_CSTATE=%s",
				       core_conn_name(READ_ONCE(h->conn->status.conn.cstate))));
		rcu_read_lock();
		path = list_first_or_null_rcu(&h->conn->paths, struct drbd_path, node);
		if (path) {
			bool v6 = path->peer_addr.ss_family == AF_INET6;

			add(env, &n, kasprintf(GFP_ATOMIC, "DRBD_PEER_AF=%s", v6 ? "ipv6" : "ipv4"));
			add(env, &n, kasprintf(GFP_ATOMIC, "DRBD_PEER_ADDRESS=%pISc", &path->peer_addr));
			add(env, &n, kasprintf(GFP_ATOMIC, "DRBD_MY_ADDRESS=%pISc", &path->my_addr));
		}
		rcu_read_unlock();
	}
	env[n] = NULL;
	return n;
}

/* 8 bits of exit code; what could not be started counts as exit code 0. */
static int run(struct helper *h)
{
	char *argv[] = { drbd_usermode_helper, (char *)h->name, h->res->name, NULL };
	char *env[ENV_MAX];
	int n, ret;

	if (!strcmp(drbd_usermode_helper, "disabled"))
		return 0;
	n = describe(h, env);
	drbd_info(h->res, "helper command: %s %s", drbd_usermode_helper, h->name);
	ret = call_usermodehelper(drbd_usermode_helper, argv, env, UMH_WAIT_PROC);
	while (n--)
		kfree(env[n]);
	if (ret < 0) {
		drbd_warn(h->res, "helper command %s %s could not be started (%d): see module parameter usermode_helper",
			  drbd_usermode_helper, h->name, ret);
		return 0;
	}
	drbd_info(h->res, "helper command: %s %s exit code %u (0x%x)", drbd_usermode_helper,
		  h->name, (ret >> 8) & 0xff, ret);
	return (ret >> 8) & 0xff;
}

static void work(struct work_struct *w)
{
	struct helper *h = container_of(w, struct helper, work);
	int code;

	drbd_notify_helper(h->res, h->dev, h->conn, h->name, 0, true);
	code = run(h);
	drbd_notify_helper(h->res, h->dev, h->conn, h->name, code, false);
	if (h->answer) {
		h->answer->ev.status = code;
		drbd_post(h->res, h->answer);
	}
	if (h->conn)
		drbd_connection_put(h->conn);
	if (h->dev)
		drbd_device_put(h->dev);
	drbd_resource_put(h->res);
	kfree(h);
}

void drbd_helper_run(struct drbd_resource *res, struct drbd_connection *conn,
		     struct drbd_device *dev, const char *name, struct drbd_event *answer)
{
	struct helper *h = kzalloc(sizeof(*h), GFP_NOIO | __GFP_NOFAIL);

	h->res = res;
	h->conn = conn;
	h->dev = dev;
	h->name = name;
	h->answer = answer;
	h->up_to_date = up_to_date_nodes(res);
	drbd_resource_get(res);
	if (conn)
		drbd_connection_get(conn);
	if (dev)
		drbd_device_get(dev);
	INIT_WORK(&h->work, work);
	queue_work(drbd_helper_wq, &h->work);
}
