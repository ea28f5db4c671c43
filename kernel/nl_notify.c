// SPDX-License-Identifier: GPL-2.0
/*
 * Notifications (section 10): what changed since user space was told last.
 *
 * One mutex around every group, so that the messages of a change are not torn
 * apart and sequence numbers are in order. Objects are announced once; changes
 * of one that is not announced yet are not told. The end of an object is sent
 * after it has left the lists, so nothing is said about it afterwards. A message
 * that cannot be allocated is left out: its number is missing in the sequence.
 */
#include <net/net_namespace.h>

#include "nl_internal.h"

static DEFINE_MUTEX(notify_mutex);
static u32 notify_seq = 2;		/* notify_mutex; the first one used is 3 */

#define MESSAGE_ROOM	4096

/* Its value is replaced when the group is complete. */
static const u32 type_create = NOTIFY_CREATE, type_change = NOTIFY_CHANGE,
		 type_destroy = NOTIFY_DESTROY;

/* --- building a group ------------------------------------------------------------ */

static struct sk_buff *begin(u8 op, u32 minor)
{
	struct sk_buff *skb = alloc_skb(MESSAGE_ROOM, GFP_ATOMIC | __GFP_NOWARN);
	struct nl_header *head;

	if (!skb)
		return NULL;
	head = genlmsg_put(skb, 0, 0, &drbd_genl_family, 0, op);
	if (!head) {
		kfree_skb(skb);
		return NULL;
	}
	head->minor = minor;
	head->ret_code = NO_ERROR;
	return skb;
}

static void add(struct sk_buff_head *q, struct sk_buff *skb, int err)
{
	if (err) {
		kfree_skb(skb);
		notify_seq++;
		return;
	}
	genlmsg_end(skb, nl_header(nlmsg_data(nlmsg_hdr(skb))));
	__skb_queue_tail(q, skb);
}

/* One message: begin, fill by @call, append. */
#define ADD(q, op, minor, call)						\
	do {								\
		struct sk_buff *skb = begin(op, minor);			\
									\
		if (skb)						\
			add(q, skb, call);				\
		else							\
			notify_seq++;					\
	} while (0)

static u8 nl_op(struct sk_buff *skb)
{
	return ((struct genlmsghdr *)nlmsg_data(nlmsg_hdr(skb)))->cmd;
}

static void mark_continued(struct sk_buff *skb)
{
	struct nlattr *nest = nlmsg_find_attr(nlmsg_hdr(skb), GENL_HDRLEN + sizeof(struct nl_header),
					      NLSET_NOTIFICATION_HEADER);
	struct nlattr *type = nest ? nla_find_nested(nest, NLF_NOTIFICATION_HEADER_NH_TYPE) : NULL;

	if (type)
		*(u32 *)nla_data(type) |= NOTIFY_CONTINUES;
}

/* Readers in every network namespace. */
static void multicast(struct sk_buff *skb)
{
	struct net *net;

	rcu_read_lock();
	for_each_net_rcu(net) {
		struct sk_buff *clone = skb_clone(skb, GFP_ATOMIC | __GFP_NOWARN);

		if (clone)
			genlmsg_multicast_netns(&drbd_genl_family, net, clone, 0, 0, GFP_ATOMIC);
	}
	rcu_read_unlock();
	consume_skb(skb);
}

static void send_group(struct sk_buff_head *q)
{
	struct sk_buff *skb;

	lockdep_assert_held(&notify_mutex);
	while ((skb = __skb_dequeue(q))) {
		nlmsg_hdr(skb)->nlmsg_seq = ++notify_seq;
		/* paths are never part of a group */
		if (!skb_queue_empty(q) && nl_op(skb) != NLOP_PATH_STATE)
			mark_continued(skb);
		multicast(skb);
	}
}

/* --- changes ------------------------------------------------------------------------- */

static bool device_open(const struct drbd_device *dev)
{
	return READ_ONCE(dev->open_cnt) > 0;
}

/* Takes over what is current; true if it differs from what was told. */
static bool news(struct drbd_resource *res, const struct drbd_status *status, struct drbd_told *told,
		 bool open)
{
	struct drbd_status now;
	bool changed;

	spin_lock_irq(&res->status_lock);
	now = *status;
	spin_unlock_irq(&res->status_lock);
	changed = memcmp(&now, &told->status, sizeof(now)) || told->open != open;
	told->status = now;
	told->open = open;
	return changed;
}

static void changed_peer_devices(struct sk_buff_head *q, struct drbd_device *dev)
{
	static const struct nl_fill fill = { .nh_type = &type_change, .info = true };
	struct drbd_peer_device *pd;

	list_for_each_entry_rcu(pd, &dev->peer_devices, of_dev)
		if (pd->told.created && news(dev->res, &pd->status, &pd->told, false))
			ADD(q, NLOP_PEER_DEVICE_STATE, NL_NO_MINOR, nl_fill_peer_device(skb, pd, &fill));
}

static void changed_paths(struct sk_buff_head *q, struct drbd_resource *res)
{
	static const struct nl_fill fill = { .nh_type = &type_change, .info = true };
	struct drbd_connection *conn;
	struct drbd_path *path;

	list_for_each_entry_rcu(conn, &res->connections, node) {
		list_for_each_entry_rcu(path, &conn->paths, node) {
			if (!path->told || path->told_established == READ_ONCE(path->established))
				continue;
			path->told_established = path->established;
			ADD(q, NLOP_PATH_STATE, NL_NO_MINOR, nl_fill_path(skb, conn, path, &fill));
		}
	}
}

static void changed_objects(struct sk_buff_head *q, struct drbd_resource *res)
{
	static const struct nl_fill fill = { .nh_type = &type_change, .info = true };
	struct drbd_connection *conn;
	struct drbd_device *dev;

	if (res->told.created && news(res, &res->status, &res->told, false))
		ADD(q, NLOP_RESOURCE_STATE, NL_NO_MINOR, nl_fill_resource(skb, res, &fill));
	list_for_each_entry_rcu(conn, &res->connections, node)
		if (conn->told.created && news(res, &conn->status, &conn->told, false))
			ADD(q, NLOP_CONNECTION_STATE, NL_NO_MINOR, nl_fill_connection(skb, conn, &fill));
	list_for_each_entry_rcu(dev, &res->devices, node)
		if (dev->told.created && news(res, &dev->status, &dev->told, device_open(dev)))
			ADD(q, NLOP_DEVICE_STATE, dev->minor, nl_fill_device(skb, dev, &fill));
	list_for_each_entry_rcu(dev, &res->devices, node)
		changed_peer_devices(q, dev);
}

/**
 * drbd_notify_changes() - tell user space what changed since the last time
 * @res: the resource
 *
 * Everything that changed is one group; paths are told one by one behind it.
 * Any context that may sleep; the loop calls it after each step, openers after
 * the first open and the last close.
 */
void drbd_notify_changes(struct drbd_resource *res)
{
	struct sk_buff_head q, paths;
	struct sk_buff *skb;

	__skb_queue_head_init(&q);
	__skb_queue_head_init(&paths);
	mutex_lock(&notify_mutex);
	rcu_read_lock();
	changed_objects(&q, res);
	changed_paths(&paths, res);
	rcu_read_unlock();
	send_group(&q);
	while ((skb = __skb_dequeue(&paths))) {
		nlmsg_hdr(skb)->nlmsg_seq = ++notify_seq;
		multicast(skb);
	}
	mutex_unlock(&notify_mutex);
}

/* --- objects that begin ----------------------------------------------------------------- */

static const struct nl_fill fill_create = { .nh_type = &type_create, .info = true };

static void announce(struct drbd_resource *res, const struct drbd_status *status,
		     struct drbd_told *told, bool open)
{
	told->created = true;
	news(res, status, told, open);
}

void nl_notify_created_resource(struct drbd_resource *res)
{
	struct sk_buff_head q;

	__skb_queue_head_init(&q);
	mutex_lock(&notify_mutex);
	announce(res, &res->status, &res->told, false);
	ADD(&q, NLOP_RESOURCE_STATE, NL_NO_MINOR, nl_fill_resource(skb, res, &fill_create));
	send_group(&q);
	mutex_unlock(&notify_mutex);
}

static void announce_peer_device(struct sk_buff_head *q, struct drbd_peer_device *pd)
{
	announce(pd->dev->res, &pd->status, &pd->told, false);
	ADD(q, NLOP_PEER_DEVICE_STATE, NL_NO_MINOR, nl_fill_peer_device(skb, pd, &fill_create));
}

void nl_notify_created_device(struct drbd_device *dev)
{
	struct drbd_peer_device *pd;
	struct sk_buff_head q;

	__skb_queue_head_init(&q);
	mutex_lock(&notify_mutex);
	announce(dev->res, &dev->status, &dev->told, device_open(dev));
	rcu_read_lock();
	ADD(&q, NLOP_DEVICE_STATE, dev->minor, nl_fill_device(skb, dev, &fill_create));
	list_for_each_entry_rcu(pd, &dev->peer_devices, of_dev)
		announce_peer_device(&q, pd);
	rcu_read_unlock();
	send_group(&q);
	mutex_unlock(&notify_mutex);
}

void nl_notify_created_connection(struct drbd_connection *conn)
{
	struct drbd_peer_device *pd;
	struct sk_buff_head q;

	__skb_queue_head_init(&q);
	mutex_lock(&notify_mutex);
	announce(conn->res, &conn->status, &conn->told, false);
	rcu_read_lock();
	ADD(&q, NLOP_CONNECTION_STATE, NL_NO_MINOR, nl_fill_connection(skb, conn, &fill_create));
	list_for_each_entry_rcu(pd, &conn->peer_devices, of_conn)
		announce_peer_device(&q, pd);
	rcu_read_unlock();
	send_group(&q);
	mutex_unlock(&notify_mutex);
}

static struct drbd_path *find_path(struct drbd_connection *conn, const void *my, int my_len,
				   const void *peer, int peer_len)
{
	struct drbd_path *path;

	list_for_each_entry_rcu(path, &conn->paths, node)
		if (path->my_len == my_len && path->peer_len == peer_len &&
		    !memcmp(&path->my_addr, my, my_len) && !memcmp(&path->peer_addr, peer, peer_len))
			return path;
	return NULL;
}

void nl_notify_created_path(struct drbd_connection *conn, const void *my, int my_len,
			    const void *peer, int peer_len)
{
	struct sk_buff_head q;
	struct drbd_path *path;

	__skb_queue_head_init(&q);
	mutex_lock(&notify_mutex);
	rcu_read_lock();
	path = find_path(conn, my, my_len, peer, peer_len);
	if (path) {
		path->told = true;
		path->told_established = READ_ONCE(path->established);
		ADD(&q, NLOP_PATH_STATE, NL_NO_MINOR, nl_fill_path(skb, conn, path, &fill_create));
	}
	rcu_read_unlock();
	send_group(&q);
	mutex_unlock(&notify_mutex);
}

/* --- objects that end ----------------------------------------------------------------------- */

static const struct nl_fill fill_destroy = { .nh_type = &type_destroy };
/* A path tells its state even then (10.3). */
static const struct nl_fill fill_destroy_path = { .nh_type = &type_destroy, .info = true };

void nl_notify_end_resource(struct sk_buff_head *q, struct drbd_resource *res)
{
	mutex_lock(&notify_mutex);
	ADD(q, NLOP_RESOURCE_STATE, NL_NO_MINOR, nl_fill_resource(skb, res, &fill_destroy));
	mutex_unlock(&notify_mutex);
}

void nl_notify_end_device(struct sk_buff_head *q, struct drbd_device *dev)
{
	struct drbd_peer_device *pd;

	mutex_lock(&notify_mutex);
	rcu_read_lock();
	list_for_each_entry_rcu(pd, &dev->peer_devices, of_dev)
		ADD(q, NLOP_PEER_DEVICE_STATE, NL_NO_MINOR, nl_fill_peer_device(skb, pd, &fill_destroy));
	ADD(q, NLOP_DEVICE_STATE, dev->minor, nl_fill_device(skb, dev, &fill_destroy));
	rcu_read_unlock();
	mutex_unlock(&notify_mutex);
}

void nl_notify_end_path(struct sk_buff_head *q, struct drbd_connection *conn, const void *my,
			int my_len, const void *peer, int peer_len)
{
	struct drbd_path *path;

	mutex_lock(&notify_mutex);
	rcu_read_lock();
	path = find_path(conn, my, my_len, peer, peer_len);
	if (path)
		ADD(q, NLOP_PATH_STATE, NL_NO_MINOR, nl_fill_path(skb, conn, path, &fill_destroy_path));
	rcu_read_unlock();
	mutex_unlock(&notify_mutex);
}

void nl_notify_end_connection(struct sk_buff_head *q, struct drbd_connection *conn)
{
	struct drbd_peer_device *pd;
	struct drbd_path *path;

	mutex_lock(&notify_mutex);
	rcu_read_lock();
	list_for_each_entry_rcu(path, &conn->paths, node)
		ADD(q, NLOP_PATH_STATE, NL_NO_MINOR, nl_fill_path(skb, conn, path, &fill_destroy_path));
	list_for_each_entry_rcu(pd, &conn->peer_devices, of_conn)
		ADD(q, NLOP_PEER_DEVICE_STATE, NL_NO_MINOR, nl_fill_peer_device(skb, pd, &fill_destroy));
	ADD(q, NLOP_CONNECTION_STATE, NL_NO_MINOR, nl_fill_connection(skb, conn, &fill_destroy));
	rcu_read_unlock();
	mutex_unlock(&notify_mutex);
}

void nl_notify_ended(struct sk_buff_head *q, bool gone)
{
	mutex_lock(&notify_mutex);
	if (gone)
		send_group(q);
	else
		__skb_queue_purge(q);
	mutex_unlock(&notify_mutex);
}

/* --- helpers ------------------------------------------------------------------------------------ */

void drbd_notify_helper(struct drbd_resource *res, struct drbd_device *dev,
			struct drbd_connection *conn, const char *name, int status, bool called)
{
	struct nl_notification_header header = { .nh_type = called ? NOTIFY_CALL : NOTIFY_RESPONSE };
	struct nl_helper_info helper = { .helper_status = called ? 0 : status };
	struct sk_buff *skb;

	core_strcopy(helper.helper_name, name, sizeof(helper.helper_name));
	mutex_lock(&notify_mutex);
	skb = begin(NLOP_HELPER, dev ? dev->minor : NL_NO_MINOR);
	if (skb && (nl_fill_names(skb, res, conn, dev) ||
		    nl_put_notification_header(skb, &header, NL_ALL_FIELDS) ||
		    nl_put_helper_info(skb, &helper, NL_ALL_FIELDS))) {
		kfree_skb(skb);
		skb = NULL;
	}
	notify_seq++;
	if (skb) {
		genlmsg_end(skb, nl_header(nlmsg_data(nlmsg_hdr(skb))));
		nlmsg_hdr(skb)->nlmsg_seq = notify_seq;
		multicast(skb);
	}
	mutex_unlock(&notify_mutex);
}
