// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family: how a request comes in, what must exist for it,
 * which mutexes it holds, and how its answer goes out. What requests do is in
 * nl_request.c.
 */
#include <linux/capability.h>
#include <linux/module.h>

#include "nl_internal.h"

bool drbd_strict_names = true;
module_param_named(strict_names, drbd_strict_names, bool, 0644);
MODULE_PARM_DESC(strict_names, "restrict new names to [0-9A-Za-z+._-]");

/* --- what must exist (8.1) ----------------------------------------------------- */

static bool has(const struct nl_request *rq, int field)
{
	return rq->has & NL_BIT(field);
}

static s32 refuse(struct nl_request *rq, s32 code, const char *why)
{
	nl_text(rq, "%s", why);
	return code;
}

static s32 resolve_resource(struct nl_request *rq, u8 needs)
{
	bool named = has(rq, NLF_CFG_CONTEXT_CTX_RESOURCE_NAME);

	if (rq->minor != NL_NO_MINOR)
		rq->dev = drbd_device_by_minor(rq->minor);
	if (needs == NL_NEEDS_MINOR && !rq->dev)
		return refuse(rq, ERR_MINOR_INVALID, "unknown minor");
	if (named)
		rq->res = drbd_resource_find(rq->ctx.ctx_resource_name);
	else if (needs == NL_NEEDS_MINOR)
		rq->res = rq->dev->res;
	if (needs >= NL_NEEDS_RESOURCE && !rq->res)
		return refuse(rq, named ? ERR_RES_NOT_KNOWN : ERR_INVALID_REQUEST,
			      "unknown resource");
	return 0;
}

static s32 resolve_peer(struct nl_request *rq, u8 needs)
{
	u32 node = rq->ctx.ctx_peer_node_id;

	if (has(rq, NLF_CFG_CONTEXT_CTX_PEER_NODE_ID)) {
		if (node > NODE_ID_MAX)
			return refuse(rq, ERR_INVALID_REQUEST, "peer node id out of range");
		if (!rq->res)
			return refuse(rq, ERR_INVALID_REQUEST, "peer node id given without a resource");
		if (node == rq->res->opts.node_id)
			return refuse(rq, ERR_INVALID_REQUEST, "peer node id cannot be my own node id");
		rq->conn = drbd_connection_find(rq->res, node);
	} else if (needs >= NL_NEEDS_PEER_NODE) {
		return refuse(rq, ERR_INVALID_REQUEST, "peer node id missing");
	}
	if (needs >= NL_NEEDS_CONNECTION && !rq->conn)
		return refuse(rq, ERR_INVALID_REQUEST, "unknown connection");
	if (rq->conn && has(rq, NLF_CFG_CONTEXT_CTX_VOLUME))
		rq->pd = drbd_peer_device_find(rq->conn, rq->ctx.ctx_volume);
	if (needs >= NL_NEEDS_PEER_DEVICE && !rq->pd)
		return refuse(rq, ERR_INVALID_REQUEST, "unknown volume");
	return 0;
}

/* A request that says more than it must has to be right in all of it. */
static s32 check_consistency(struct nl_request *rq)
{
	if (rq->dev && rq->res && rq->dev->res != rq->res)
		return refuse(rq, ERR_INVALID_REQUEST, "minor exists in different resource");
	if (rq->dev && has(rq, NLF_CFG_CONTEXT_CTX_VOLUME) && rq->dev->vnr != rq->ctx.ctx_volume)
		return refuse(rq, ERR_INVALID_REQUEST, "minor exists as different volume");
	if (rq->dev && rq->pd && rq->pd->dev != rq->dev)
		return refuse(rq, ERR_INVALID_REQUEST, "peer_device->device != device");
	return 0;
}

/* Looks everything up; RCU, or mutexes that keep what is found. */
static s32 resolve(struct nl_request *rq)
{
	u8 op = rq->info->genlhdr->cmd;
	s32 code;

	rq->res = NULL;
	rq->dev = NULL;
	rq->conn = NULL;
	rq->pd = NULL;
	code = resolve_resource(rq, nl_ops[op].needs);
	if (!code)
		code = resolve_peer(rq, nl_ops[op].needs);
	if (!code && !nl_handlers[op].creates)
		code = check_consistency(rq);
	return code;
}

/* The first look: finds out what to lock, and takes a reference of it. */
static s32 find_resource(struct nl_request *rq, struct drbd_resource **found)
{
	s32 code;

	rcu_read_lock();
	code = resolve(rq);
	*found = rq->res;
	if (!code && *found && !kref_get_unless_zero(&(*found)->kref)) {
		*found = NULL;
		code = refuse(rq, ERR_RES_NOT_KNOWN, "unknown resource");
	}
	rcu_read_unlock();
	if (code)
		*found = NULL;
	return code;
}

/*
 * The registry is not held while waiting for a resource: one that hangs must
 * not block the others.
 */
static int lock_both(struct drbd_resource *res)
{
	for (;;) {
		if (mutex_lock_interruptible(&registry_mutex))
			return -EINTR;
		if (!res || mutex_trylock(&res->adm_mutex))
			return 0;
		mutex_unlock(&registry_mutex);
		if (mutex_lock_interruptible(&res->adm_mutex))
			return -EINTR;
		mutex_unlock(&res->adm_mutex);
	}
}

static int lock_for(struct drbd_resource *res, enum nl_locks locks)
{
	if (locks == NL_LOCK_REGISTRY)
		return lock_both(res);
	return res ? mutex_lock_interruptible(&res->adm_mutex) : 0;
}

s32 nl_lock(struct nl_request *rq, enum nl_locks locks)
{
	struct drbd_resource *res = rq->res;
	s32 code;

	if (lock_for(res, locks))
		return ERR_INTR;
	rq->has_registry = locks == NL_LOCK_REGISTRY;
	rq->has_adm = res != NULL;
	/* What was found before may have gone while we waited. */
	rcu_read_lock();
	code = resolve(rq);
	rcu_read_unlock();
	if (!code && res && rq->res != res)
		code = refuse(rq, ERR_RES_NOT_KNOWN, "unknown resource");
	rq->res = res;
	if (code)
		nl_unlock(rq);
	return code;
}

void nl_unlock(struct nl_request *rq)
{
	if (rq->has_adm)
		mutex_unlock(&rq->res->adm_mutex);
	if (rq->has_registry)
		mutex_unlock(&registry_mutex);
	rq->has_adm = false;
	rq->has_registry = false;
}

/* --- the answer (2.5) --------------------------------------------------------------- */

void nl_text(struct nl_request *rq, const char *fmt, ...)
{
	struct nlattr *nest;
	char text[256];
	va_list args;

	va_start(args, fmt);
	vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	nest = nla_nest_start_noflag(rq->reply, NLSET_CFG_REPLY);
	if (!nest)
		return; /* no room: the texts before must do */
	if (nla_put_string(rq->reply, NLF_CFG_REPLY_INFO_TEXT, text))
		nla_nest_cancel(rq->reply, nest);
	else
		nla_nest_end(rq->reply, nest);
}

static int reply_begin(struct nl_request *rq)
{
	struct nlattr *context = rq->info->attrs[NLSET_CFG_CONTEXT];

	rq->reply = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!rq->reply)
		return -ENOMEM;
	rq->head = genlmsg_put_reply(rq->reply, rq->info, &drbd_genl_family, 0,
				     rq->info->genlhdr->cmd);
	if (!rq->head)
		return -ENOMEM;
	rq->head->minor = rq->minor;
	/* the context of the request, byte for byte */
	if (context) {
		if (skb_tailroom(rq->reply) < NLA_ALIGN(context->nla_len))
			return -EMSGSIZE;
		memset(skb_put(rq->reply, NLA_ALIGN(context->nla_len)), 0,
		       NLA_ALIGN(context->nla_len));
		memcpy(skb_tail_pointer(rq->reply) - NLA_ALIGN(context->nla_len), context,
		       context->nla_len);
	}
	return 0;
}

static int reply_end(struct nl_request *rq, s32 code)
{
	struct sk_buff *reply = rq->reply;

	rq->reply = NULL;
	rq->head->ret_code = code;
	genlmsg_end(reply, rq->head);
	return genlmsg_reply(reply, rq->info);
}

/* --- a request --------------------------------------------------------------------------- */

static int check_caller(struct genl_info *info, const struct nl_handler *h)
{
	/* Root of a container may own its network, not our disks. */
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	/* A tool of another generation may still stop things. */
	if (info->genlhdr->version != NL_FAMILY_VERSION && !h->any_version)
		return -EINVAL;
	return 0;
}

static s32 handle(struct nl_request *rq, const struct nl_handler *h)
{
	struct drbd_resource *res;
	s32 code;

	if (!h->handle) {
		nl_text(rq, "this version of the module has no %s",
			nl_ops[rq->info->genlhdr->cmd].name);
		return ERR_INVALID_REQUEST;
	}
	code = find_resource(rq, &res);
	if (code)
		return code;
	rq->res = res;
	if (h->locks == NL_LOCK_NONE) {
		code = h->handle(rq);
	} else {
		code = nl_lock(rq, h->locks);
		if (!code) {
			code = h->handle(rq);
			nl_unlock(rq);
		}
	}
	if (res)
		drbd_resource_put(res);
	return code;
}

static int nl_do(struct sk_buff *skb, struct genl_info *info)
{
	const struct nl_handler *h = &nl_handlers[info->genlhdr->cmd];
	struct nl_request *rq;
	int err = check_caller(info, h);

	if (err)
		return err;
	rq = kzalloc(sizeof(*rq), GFP_KERNEL);
	if (!rq)
		return -ENOMEM;
	rq->info = info;
	rq->minor = nl_header(info->genlhdr)->minor;
	rq->set_defaults = nl_header(info->genlhdr)->flags & NL_SET_DEFAULTS;
	err = -EINVAL;
	if (nl_header(info->genlhdr)->flags & ~NL_SET_DEFAULTS)
		goto out;
	if (nl_cfg_context_from_attrs(&rq->ctx, info->attrs[NLSET_CFG_CONTEXT], NL_PLAIN, &rq->has))
		goto out;
	err = reply_begin(rq);
	if (!err)
		err = reply_end(rq, handle(rq, h));
out:
	nlmsg_free(rq->reply);
	kfree(rq);
	return err;
}

/* --- the family ---------------------------------------------------------------------------- */

#define REQUEST(number) { .cmd = (number), .doit = nl_do, .flags = GENL_ADMIN_PERM }
#define DUMP(number)								\
	{ .cmd = (number), .start = nl_dump_start, .dumpit = nl_dump_next,	\
	  .done = nl_dump_done }

static const struct genl_ops ops[] = {
	REQUEST(NLOP_NEW_MINOR), REQUEST(NLOP_DEL_MINOR), REQUEST(NLOP_NEW_RESOURCE),
	REQUEST(NLOP_DEL_RESOURCE), REQUEST(NLOP_RESOURCE_OPTS), REQUEST(NLOP_CONNECT),
	REQUEST(NLOP_DISCONNECT), REQUEST(NLOP_ATTACH), REQUEST(NLOP_RESIZE),
	REQUEST(NLOP_PRIMARY), REQUEST(NLOP_SECONDARY), REQUEST(NLOP_NEW_C_UUID),
	REQUEST(NLOP_START_OV), REQUEST(NLOP_DETACH), REQUEST(NLOP_INVALIDATE),
	REQUEST(NLOP_INVAL_PEER), REQUEST(NLOP_PAUSE_SYNC), REQUEST(NLOP_RESUME_SYNC),
	REQUEST(NLOP_SUSPEND_IO), REQUEST(NLOP_RESUME_IO), REQUEST(NLOP_OUTDATE),
	REQUEST(NLOP_GET_TIMEOUT_TYPE), REQUEST(NLOP_DOWN), REQUEST(NLOP_CHG_DISK_OPTS),
	REQUEST(NLOP_CHG_NET_OPTS), REQUEST(NLOP_FORGET_PEER),
	REQUEST(NLOP_CHG_PEER_DEVICE_OPTS), REQUEST(NLOP_NEW_PEER), REQUEST(NLOP_NEW_PATH),
	REQUEST(NLOP_DEL_PEER), REQUEST(NLOP_DEL_PATH), REQUEST(NLOP_RENAME_RESOURCE),
	DUMP(NLOP_GET_RESOURCES), DUMP(NLOP_GET_DEVICES), DUMP(NLOP_GET_CONNECTIONS),
	DUMP(NLOP_GET_PEER_DEVICES), DUMP(NLOP_GET_INITIAL_STATE), DUMP(NLOP_GET_PATHS),
};

static const struct genl_multicast_group groups[] = { { .name = NL_GROUP_NAME } };

struct genl_family drbd_genl_family = {
	.name = NL_FAMILY_NAME,
	.version = NL_FAMILY_VERSION,
	.hdrsize = sizeof(struct nl_header),
	.maxattr = NLSET_MAX,
	.policy = nl_top_policy,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

int drbd_nl_init(void)
{
	BUILD_BUG_ON(sizeof(struct nl_header) != NL_HEADER_SIZE);
	return genl_register_family(&drbd_genl_family);
}

void drbd_nl_exit(void)
{
	genl_unregister_family(&drbd_genl_family);
}
