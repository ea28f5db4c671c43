/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the netlink files share: nl.c (family, preparation of requests),
 * nl_request.c (their handlers), nl_fill.c (objects to attributes), nl_dump.c,
 * nl_notify.c.
 */
#ifndef DRBD_NL_INTERNAL_H
#define DRBD_NL_INTERNAL_H

#include <net/genetlink.h>

#include "glue.h"
#include "nl_gen.h"

#define NL_NO_MINOR	(~0U)
/* request flag of the header */
#define NL_SET_DEFAULTS	1U

/* Behind the generic netlink header, both ways. */
struct nl_header {
	u32 minor;
	union {
		u32 flags;
		s32 ret_code;
	};
};

static inline struct nl_header *nl_header(const struct genlmsghdr *hdr)
{
	return (void *)hdr + GENL_HDRLEN;
}

extern struct genl_family drbd_genl_family;
extern bool drbd_strict_names;

/* One request that is being worked on. */
struct nl_request {
	struct genl_info *info;
	struct sk_buff *reply;
	struct nl_header *head;		/* in the reply */
	u32 minor;
	bool set_defaults;
	bool has_registry, has_adm;	/* mutexes held */
	struct nl_cfg_context ctx;
	u64 has;			/* fields of ctx that were sent */
	struct drbd_resource *res;	/* referenced; the rest is stable under its adm_mutex */
	struct drbd_device *dev;
	struct drbd_connection *conn;
	struct drbd_peer_device *pd;
};

enum nl_locks {
	NL_LOCK_NONE,		/* the handler locks by itself */
	NL_LOCK_ADM,		/* adm_mutex of the resource */
	NL_LOCK_REGISTRY,	/* registry_mutex, and adm_mutex if there is a resource */
};

struct nl_handler {
	s32 (*handle)(struct nl_request *rq);	/* a code of section 7 */
	u8 locks;
	bool creates;		/* the context names what does not exist yet */
	bool any_version;
};

/* nl.c: a sentence for the administrator; truncated to 255 characters. */
void nl_text(struct nl_request *rq, const char *fmt, ...) __printf(2, 3);
/* Take the mutexes and look the objects up again: 0 or a code. Undone by nl_unlock(). */
s32 nl_lock(struct nl_request *rq, enum nl_locks locks);
void nl_unlock(struct nl_request *rq);

/* nl_request.c */
extern const struct nl_handler nl_handlers[NLOP_MAX + 1];

/* nl_fill.c: all need RCU, or the mutexes that keep the object. -EMSGSIZE when full. */
struct nl_fill {
	const u32 *nh_type;	/* notification header, NULL in a dump */
	bool info;		/* state; not in the last message about an object */
	bool conf;		/* options; dumps only */
	bool secrets;
};
int nl_fill_resource(struct sk_buff *skb, struct drbd_resource *res, const struct nl_fill *f);
int nl_fill_device(struct sk_buff *skb, struct drbd_device *dev, const struct nl_fill *f);
int nl_fill_connection(struct sk_buff *skb, struct drbd_connection *conn, const struct nl_fill *f);
int nl_fill_peer_device(struct sk_buff *skb, struct drbd_peer_device *pd, const struct nl_fill *f);
int nl_fill_path(struct sk_buff *skb, struct drbd_connection *conn, struct drbd_path *path,
		 const struct nl_fill *f);

/* The context set alone; @conn and @dev may be NULL. */
int nl_fill_names(struct sk_buff *skb, struct drbd_resource *res, struct drbd_connection *conn,
		  struct drbd_device *dev);

/* nl_dump.c */
int nl_dump_start(struct netlink_callback *cb);
int nl_dump_next(struct sk_buff *skb, struct netlink_callback *cb);
int nl_dump_done(struct netlink_callback *cb);

/*
 * nl_notify.c. Objects are announced once; only then their changes are told.
 * The end of an object is prepared while it exists and sent when it is gone.
 */
void nl_notify_created_resource(struct drbd_resource *res);
void nl_notify_created_device(struct drbd_device *dev);
void nl_notify_created_connection(struct drbd_connection *conn);
void nl_notify_created_path(struct drbd_connection *conn, const void *my, int my_len,
			    const void *peer, int peer_len);
void nl_notify_end_resource(struct sk_buff_head *q, struct drbd_resource *res);
void nl_notify_end_device(struct sk_buff_head *q, struct drbd_device *dev);
void nl_notify_end_connection(struct sk_buff_head *q, struct drbd_connection *conn);
void nl_notify_end_path(struct sk_buff_head *q, struct drbd_connection *conn, const void *my,
			int my_len, const void *peer, int peer_len);
/* Sends what was prepared if @gone, else takes it back. */
void nl_notify_ended(struct sk_buff_head *q, bool gone);

#endif
