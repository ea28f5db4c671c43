// SPDX-License-Identifier: GPL-2.0
/*
 * Dumps. The whole answer is made when the dump starts, under RCU, as one
 * message per object; each call of the reader takes the next one. So a reader
 * sees every object that existed at the start, whatever happens meanwhile, and
 * the initial state of an event reader is one picture. No mutex: a dump runs
 * while requests hang, and inside of udev while a device is being made.
 */
#include "nl_internal.h"

struct nl_dump {
	struct sk_buff_head messages;
	u32 longest;		/* bytes */
	u32 portid, seq;
	struct nl_fill fill;
};

/* Enough for a connection with all options and a few dozen paths. */
#define MESSAGE_ROOM	(2 * 4096 - 512)

static struct sk_buff *begin(struct nl_dump *d, u8 op, u32 minor, int flags)
{
	struct sk_buff *skb = alloc_skb(MESSAGE_ROOM, GFP_ATOMIC | __GFP_NOWARN);
	struct nl_header *head;

	if (!skb)
		return NULL;
	head = genlmsg_put(skb, d->fill.nh_type ? 0 : d->portid, d->seq, &drbd_genl_family, flags, op);
	if (!head) {
		kfree_skb(skb);
		return NULL;
	}
	head->minor = minor;
	head->ret_code = NO_ERROR;
	return skb;
}

static int end(struct nl_dump *d, struct sk_buff *skb, int err)
{
	if (err) {
		kfree_skb(skb);
		return err;
	}
	genlmsg_end(skb, nl_header(nlmsg_data(nlmsg_hdr(skb))));
	__skb_queue_tail(&d->messages, skb);
	d->longest = max(d->longest, skb->len);
	return 0;
}

/* One message: begin, fill by @call, end. */
#define ADD(d, op, minor, flags, call)						\
	({									\
		struct sk_buff *skb = begin(d, op, minor, flags);		\
		skb ? end(d, skb, call) : -ENOMEM;				\
	})

static int add_resource(struct nl_dump *d, struct drbd_resource *res)
{
	return ADD(d, NLOP_GET_RESOURCES, NL_NO_MINOR, NLM_F_MULTI,
		   nl_fill_resource(skb, res, &d->fill));
}

static int add_devices(struct nl_dump *d, struct drbd_resource *res)
{
	struct drbd_device *dev;
	int err = 0;

	list_for_each_entry_rcu(dev, &res->devices, node) {
		err = ADD(d, NLOP_GET_DEVICES, dev->minor, NLM_F_MULTI,
			  nl_fill_device(skb, dev, &d->fill));
		if (err)
			break;
	}
	return err;
}

static int add_connections(struct nl_dump *d, struct drbd_resource *res)
{
	struct drbd_connection *conn;
	int err = 0;

	list_for_each_entry_rcu(conn, &res->connections, node) {
		err = ADD(d, NLOP_GET_CONNECTIONS, NL_NO_MINOR, NLM_F_MULTI,
			  nl_fill_connection(skb, conn, &d->fill));
		if (err)
			break;
	}
	return err;
}

static int add_peer_devices(struct nl_dump *d, struct drbd_resource *res)
{
	struct drbd_device *dev;
	struct drbd_peer_device *pd;
	int err = 0;

	list_for_each_entry_rcu(dev, &res->devices, node) {
		list_for_each_entry_rcu(pd, &dev->peer_devices, of_dev) {
			err = ADD(d, NLOP_GET_PEER_DEVICES, dev->minor, NLM_F_MULTI,
				  nl_fill_peer_device(skb, pd, &d->fill));
			if (err)
				return err;
		}
	}
	return err;
}

static int add_paths(struct nl_dump *d, struct drbd_resource *res)
{
	struct drbd_connection *conn;
	struct drbd_path *path;
	int err = 0;

	list_for_each_entry_rcu(conn, &res->connections, node) {
		list_for_each_entry_rcu(path, &conn->paths, node) {
			err = ADD(d, NLOP_GET_PATHS, NL_NO_MINOR, NLM_F_MULTI,
				  nl_fill_path(skb, conn, path, &d->fill));
			if (err)
				return err;
		}
	}
	return err;
}

/* --- the start of an event reader (10.5) ------------------------------------- */

/*
 * One resource as a group: all messages but the last say that more follow.
 * Which one is the last is known only afterwards: it is patched there.
 */
static void patch_last(struct sk_buff *skb)
{
	struct nlmsghdr *nlh = nlmsg_hdr(skb);
	struct nlattr *nest = nlmsg_find_attr(nlh, GENL_HDRLEN + sizeof(struct nl_header),
					      NLSET_NOTIFICATION_HEADER);
	struct nlattr *type = nest ? nla_find_nested(nest, NLF_NOTIFICATION_HEADER_NH_TYPE) : NULL;

	if (type)
		*(u32 *)nla_data(type) = NOTIFY_EXISTS;
}

static int initial_connections(struct nl_dump *d, struct drbd_resource *res)
{
	struct drbd_connection *conn;
	struct drbd_path *path;
	int err;

	list_for_each_entry_rcu(conn, &res->connections, node) {
		err = ADD(d, NLOP_CONNECTION_STATE, NL_NO_MINOR, 0,
			  nl_fill_connection(skb, conn, &d->fill));
		if (err)
			return err;
	}
	list_for_each_entry_rcu(conn, &res->connections, node) {
		list_for_each_entry_rcu(path, &conn->paths, node) {
			err = ADD(d, NLOP_PATH_STATE, NL_NO_MINOR, 0,
				  nl_fill_path(skb, conn, path, &d->fill));
			if (err)
				return err;
		}
	}
	return 0;
}

static int initial_devices(struct nl_dump *d, struct drbd_resource *res)
{
	struct drbd_device *dev;
	struct drbd_peer_device *pd;
	int err;

	list_for_each_entry_rcu(dev, &res->devices, node) {
		err = ADD(d, NLOP_DEVICE_STATE, dev->minor, 0, nl_fill_device(skb, dev, &d->fill));
		if (err)
			return err;
	}
	list_for_each_entry_rcu(dev, &res->devices, node) {
		list_for_each_entry_rcu(pd, &dev->peer_devices, of_dev) {
			err = ADD(d, NLOP_PEER_DEVICE_STATE, NL_NO_MINOR, 0,
				  nl_fill_peer_device(skb, pd, &d->fill));
			if (err)
				return err;
		}
	}
	return 0;
}

static int add_initial_state(struct nl_dump *d, struct drbd_resource *res)
{
	int err = ADD(d, NLOP_RESOURCE_STATE, NL_NO_MINOR, 0, nl_fill_resource(skb, res, &d->fill));

	if (!err)
		err = initial_connections(d, res);
	if (!err)
		err = initial_devices(d, res);
	if (!err)
		patch_last(skb_peek_tail(&d->messages));
	return err;
}

static int add_end_marker(struct nl_dump *d)
{
	static const struct nl_notification_header header = { .nh_type = NOTIFY_EXISTS };

	return ADD(d, NLOP_INITIAL_STATE_DONE, NL_NO_MINOR, 0,
		   nl_put_notification_header(skb, &header, NL_ALL_FIELDS));
}

/* --- the dump operations ------------------------------------------------------- */

static const struct {
	int (*add)(struct nl_dump *d, struct drbd_resource *res);
	bool filtered;
} dumps[NLOP_MAX + 1] = {
	[NLOP_GET_RESOURCES] = { add_resource, false },
	[NLOP_GET_DEVICES] = { add_devices, true },
	[NLOP_GET_CONNECTIONS] = { add_connections, true },
	[NLOP_GET_PEER_DEVICES] = { add_peer_devices, true },
	[NLOP_GET_PATHS] = { add_paths, true },
	[NLOP_GET_INITIAL_STATE] = { add_initial_state, true },
};

/* The resource that the reader asked for; NULL: all. */
static int read_filter(struct netlink_callback *cb, struct nl_cfg_context *ctx, bool *filter)
{
	struct nlattr *attrs[NLSET_MAX + 1];
	u64 present;
	int err;

	err = genlmsg_parse(cb->nlh, &drbd_genl_family, attrs, NLSET_MAX, nl_top_policy, cb->extack);
	if (err)
		return err;
	memset(ctx, 0, sizeof(*ctx));
	if (nl_cfg_context_from_attrs(ctx, attrs[NLSET_CFG_CONTEXT], NL_PLAIN, &present))
		return -EINVAL;
	*filter = present & NL_BIT(NLF_CFG_CONTEXT_CTX_RESOURCE_NAME);
	return 0;
}

/* An unknown filter is told once; the dump ends behind it. */
static int add_unknown(struct nl_dump *d, u8 op)
{
	struct sk_buff *skb = begin(d, op, NL_NO_MINOR, NLM_F_MULTI);

	if (!skb)
		return -ENOMEM;
	nl_header(nlmsg_data(nlmsg_hdr(skb)))->ret_code = ERR_RES_NOT_KNOWN;
	return end(d, skb, 0);
}

static int collect(struct nl_dump *d, u8 op, const char *filter)
{
	struct drbd_resource *res;
	int err = 0;

	rcu_read_lock();
	if (filter && dumps[op].filtered) {
		res = drbd_resource_find(filter);
		err = res ? dumps[op].add(d, res) : add_unknown(d, op);
	} else {
		list_for_each_entry_rcu(res, &drbd_resources, node) {
			err = dumps[op].add(d, res);
			if (err)
				break;
		}
	}
	rcu_read_unlock();
	if (!err && op == NLOP_GET_INITIAL_STATE)
		err = add_end_marker(d);
	return err;
}

int nl_dump_start(struct netlink_callback *cb)
{
	static const u32 exists = NOTIFY_EXISTS | NOTIFY_CONTINUES;
	u8 op = ((struct genlmsghdr *)nlmsg_data(cb->nlh))->cmd;
	struct nl_cfg_context *ctx;
	struct nl_dump *d;
	bool filter;
	int err;

	d = kzalloc(sizeof(*d), GFP_KERNEL);
	ctx = kmalloc(sizeof(*ctx), GFP_KERNEL);
	err = d && ctx ? read_filter(cb, ctx, &filter) : -ENOMEM;
	if (err)
		goto out;
	__skb_queue_head_init(&d->messages);
	d->portid = NETLINK_CB(cb->skb).portid;
	d->seq = cb->nlh->nlmsg_seq;
	d->fill.info = true;
	if (op == NLOP_GET_INITIAL_STATE) {
		d->fill.nh_type = &exists;
	} else {
		d->fill.conf = true;
		d->fill.secrets = netlink_capable(cb->skb, CAP_SYS_ADMIN);
	}
	err = collect(d, op, filter ? ctx->ctx_resource_name : NULL);
	if (err)
		__skb_queue_purge(&d->messages);
	else
		cb->args[0] = (long)d;
	/* what netlink allocates for each call must hold any of them */
	cb->min_dump_alloc = max_t(u32, cb->min_dump_alloc, d->longest);
out:
	if (err)
		kfree(d);
	kfree(ctx);
	return err;
}

/* One object for each call: the reader's buffer need not hold more. */
int nl_dump_next(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nl_dump *d = (void *)cb->args[0];
	struct sk_buff *message = d ? skb_peek(&d->messages) : NULL;

	if (!message)
		return 0;
	if (skb_tailroom(skb) < message->len)
		return -EMSGSIZE;
	skb_put_data(skb, message->data, message->len);
	__skb_unlink(message, &d->messages);
	kfree_skb(message);
	return skb->len;
}

int nl_dump_done(struct netlink_callback *cb)
{
	struct nl_dump *d = (void *)cb->args[0];

	if (d) {
		__skb_queue_purge(&d->messages);
		kfree(d);
	}
	return 0;
}
