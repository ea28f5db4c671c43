// SPDX-License-Identifier: GPL-2.0
/*
 * Objects of the module as attribute sets: what dumps, the initial state and
 * notifications have in common. State comes from the published snapshot;
 * counters are read as they are at this moment, one by one, and need not fit
 * each other.
 */
#include "nl_internal.h"

static int put_header(struct sk_buff *skb, const struct nl_fill *f)
{
	struct nl_notification_header h;

	if (!f->nh_type)
		return 0;
	h.nh_type = *f->nh_type;
	return nl_put_notification_header(skb, &h, NL_ALL_FIELDS);
}

#define CTX(field) NL_BIT(NLF_CFG_CONTEXT_CTX_##field)

static int put_context(struct sk_buff *skb, struct drbd_resource *res, struct drbd_connection *conn,
		       struct drbd_device *dev, const struct drbd_path *path)
{
	struct nl_cfg_context c;
	u64 fields = CTX(RESOURCE_NAME);

	memset(&c, 0, sizeof(c));
	core_strcopy(c.ctx_resource_name, res->name, sizeof(c.ctx_resource_name));
	if (dev) {
		c.ctx_volume = dev->vnr;
		fields |= CTX(VOLUME);
	}
	if (conn) {
		c.ctx_peer_node_id = conn->peer_node_id;
		core_strcopy(c.ctx_conn_name, conn->conf.name, sizeof(c.ctx_conn_name));
		fields |= CTX(PEER_NODE_ID) | CTX(CONN_NAME);
	}
	if (path) {
		c.ctx_my_addr_len = path->my_len;
		memcpy(c.ctx_my_addr, &path->my_addr, path->my_len);
		c.ctx_peer_addr_len = path->peer_len;
		memcpy(c.ctx_peer_addr, &path->peer_addr, path->peer_len);
		fields |= CTX(MY_ADDR) | CTX(PEER_ADDR);
	}
	return nl_put_cfg_context(skb, &c, fields);
}

int nl_fill_names(struct sk_buff *skb, struct drbd_resource *res, struct drbd_connection *conn,
		  struct drbd_device *dev)
{
	return put_context(skb, res, conn, dev, NULL);
}

static struct drbd_status status_of(struct drbd_resource *res, const struct drbd_status *where)
{
	struct drbd_status s;

	spin_lock_irq(&res->status_lock);
	s = *where;
	spin_unlock_irq(&res->status_lock);
	return s;
}

int nl_fill_resource(struct sk_buff *skb, struct drbd_resource *res, const struct nl_fill *f)
{
	struct drbd_status s = status_of(res, &res->status);
	struct nl_resource_info info = {
		.res_role = s.res.role,
		.res_susp = s.res.susp_user,
		.res_susp_nod = s.res.susp_nod,
		.res_susp_fen = s.res.susp_fen,
	};
	struct nl_resource_statistics statistics = {
		.res_stat_write_ordering = WRITE_ORDERING_FLUSH,
	};

	if (put_context(skb, res, NULL, NULL, NULL) ||
	    put_header(skb, f) ||
	    (f->conf && nl_put_resource_opts(skb, &res->opts, NL_ALL_FIELDS)) ||
	    (f->info && nl_put_resource_info(skb, &info, NL_ALL_FIELDS)) ||
	    nl_put_resource_statistics(skb, &statistics, NL_ALL_FIELDS))
		return -EMSGSIZE;
	return 0;
}

static int put_device_info(struct sk_buff *skb, struct drbd_device *dev,
			   const struct core_device_state *state)
{
	struct nl_device_info info;

	memset(&info, 0, sizeof(info));
	info.dev_disk_state = state->disk;
	info.is_intentional_diskless = dev->intentional_diskless;
	info.dev_has_quorum = true;
	info.dev_is_open = READ_ONCE(dev->open_cnt) > 0;
	if (state->disk > DISK_DISKLESS)
		core_strcopy(info.backing_dev_path, dev->disk_conf.backing_dev,
			     sizeof(info.backing_dev_path));
	return nl_put_device_info(skb, &info, NL_ALL_FIELDS);
}

static int put_device_statistics(struct sk_buff *skb, struct drbd_device *dev, bool has_disk)
{
	const struct md_superblock *md = &dev->core.md;
	struct nl_device_statistics s;

	memset(&s, 0, sizeof(s));
	s.dev_size = get_capacity(dev->disk);
	s.dev_read = atomic64_read(&dev->read_sectors);
	s.dev_write = atomic64_read(&dev->write_sectors);
	s.dev_al_writes = atomic_read(&dev->al_writes);
	s.dev_bm_writes = atomic_read(&dev->bm_writes);
	s.dev_upper_pending = atomic_read(&dev->app_pending);
	s.dev_lower_pending = atomic_read(&dev->local_pending);
	s.dev_exposed_data_uuid = dev->core.exposed_uuid;
	if (has_disk) {
		s.dev_current_uuid = md->current_uuid;
		s.dev_disk_flags = md->flags;
		BUILD_BUG_ON(sizeof(s.history_uuids) != sizeof(md->history));
		memcpy(s.history_uuids, md->history, sizeof(md->history));
		s.history_uuids_len = sizeof(md->history);
	}
	return nl_put_device_statistics(skb, &s, NL_ALL_FIELDS);
}

int nl_fill_device(struct sk_buff *skb, struct drbd_device *dev, const struct nl_fill *f)
{
	struct drbd_status s = status_of(dev->res, &dev->status);
	bool has_disk = s.dev.disk >= DISK_FAILED;

	if (put_context(skb, dev->res, NULL, dev, NULL) ||
	    put_header(skb, f) ||
	    (f->conf && has_disk && nl_put_disk_conf(skb, &dev->disk_conf, NL_ALL_FIELDS)) ||
	    (f->conf && nl_put_device_conf(skb, &dev->conf, NL_ALL_FIELDS)) ||
	    (f->info && put_device_info(skb, dev, &s.dev)) ||
	    put_device_statistics(skb, dev, has_disk))
		return -EMSGSIZE;
	return 0;
}

/*
 * The list of address pairs. Older tools look for exactly these types, with
 * the mandatory bit (2.3).
 */
static int put_path_list(struct sk_buff *skb, struct drbd_connection *conn)
{
	struct nlattr *nest = nla_nest_start_noflag(skb, NLSET_PATH_PARMS);
	struct drbd_path *path;

	if (!nest)
		return -EMSGSIZE;
	list_for_each_entry_rcu(path, &conn->paths, node, true) {
		if (nla_put(skb, NL_MANDATORY_BIT | NLF_PATH_PARMS_MY_ADDR, path->my_len,
			    &path->my_addr) ||
		    nla_put(skb, NL_MANDATORY_BIT | NLF_PATH_PARMS_PEER_ADDR, path->peer_len,
			    &path->peer_addr)) {
			nla_nest_cancel(skb, nest);
			return -EMSGSIZE;
		}
	}
	nla_nest_end(skb, nest);
	return 0;
}

int nl_fill_connection(struct sk_buff *skb, struct drbd_connection *conn, const struct nl_fill *f)
{
	struct drbd_status s = status_of(conn->res, &conn->status);
	struct nl_connection_info info = {
		.conn_connection_state = s.conn.cstate,
		.conn_role = s.conn.peer_role,
	};
	struct nl_connection_statistics statistics = { .conn_congested = false };
	u64 fields = f->secrets ? NL_ALL_FIELDS : NL_NET_CONF_PUBLIC;

	if (put_context(skb, conn->res, conn, NULL, NULL) ||
	    put_header(skb, f) ||
	    (f->conf && nl_put_net_conf(skb, &conn->conf, fields)) ||
	    (f->conf && put_path_list(skb, conn)) ||
	    (f->info && nl_put_connection_info(skb, &info, NL_ALL_FIELDS)) ||
	    (!f->conf && put_path_list(skb, conn)) ||
	    nl_put_connection_statistics(skb, &statistics, NL_ALL_FIELDS))
		return -EMSGSIZE;
	return 0;
}

static bool is_syncing(u8 repl)
{
	return repl >= REPL_SYNC_SOURCE && repl <= REPL_PAUSED_SYNC_T;
}

/* Sectors done since one of the marks; negative when more became out of sync. */
static void since_mark(const struct progress *g, u32 mark, u64 left, u64 now, u32 shift,
		       u64 *ms, u64 *sectors)
{
	*ms = now - g->mark_time[mark % PROGRESS_MARKS];
	*sectors = (u64)((s64)(g->mark_left[mark % PROGRESS_MARKS] - left) * (1LL << shift));
}

static void progress_statistics(struct nl_peer_device_statistics *s, const struct progress *g,
				u64 left, u32 shift)
{
	u64 now = ktime_get_ns() / NSEC_PER_MSEC;

	s->peer_dev_rs_total = g->total << shift;
	s->peer_dev_rs_dt_start_ms = now - g->start;
	s->peer_dev_rs_paused_ms = g->paused_ms + (g->paused_since ? now - g->paused_since : 0);
	/* an old mark and the newest complete one of the ring */
	since_mark(g, g->last + 2, left, now, shift, &s->peer_dev_rs_dt0_ms,
		   &s->peer_dev_rs_db0_sectors);
	since_mark(g, g->last + PROGRESS_MARKS - 1, left, now, shift, &s->peer_dev_rs_dt1_ms,
		   &s->peer_dev_rs_db1_sectors);
}

/* Numbers of a running resync; the bitmap lock is held. */
static void resync_statistics(struct nl_peer_device_statistics *s, struct drbd_peer_device *pd,
			      u8 repl, u32 shift)
{
	const struct resync_pass *p = &pd->pass;
	u64 left = drbd_resync_left(p);

	s->peer_dev_resync_failed = p->failed << shift;
	if (!left)
		return;
	s->peer_dev_rs_same_csum = p->same << shift;
	progress_statistics(s, &p->progress, left, shift);
	if (repl == REPL_SYNC_TARGET)
		s->peer_dev_rs_c_sync_rate = pd->rate.want;
}

/* The same of a verify. */
static void verify_statistics(struct nl_peer_device_statistics *s, struct drbd_peer_device *pd,
			      u32 shift)
{
	const struct verify_run *v = &pd->ov;

	s->peer_dev_ov_start_sector = v->first << shift;
	s->peer_dev_ov_stop_sector = min(v->end << shift, v->bm->capacity);
	s->peer_dev_ov_position = v->position << shift;
	s->peer_dev_ov_left = v->left << shift;
	s->peer_dev_ov_skipped = v->skipped << shift;
	if (!v->left)
		return;
	progress_statistics(s, &v->progress, v->left, shift);
	if (v->requester)
		s->peer_dev_rs_c_sync_rate = pd->rate.want;
}

static int put_peer_device_statistics(struct sk_buff *skb, struct drbd_peer_device *pd,
				      bool has_disk, u8 repl)
{
	const struct md_peer *peer = &pd->dev->core.md.peer[pd->conn->peer_node_id];
	struct nl_peer_device_statistics s;
	s32 slot = peer->bitmap_index;

	memset(&s, 0, sizeof(s));
	s.peer_dev_received = atomic64_read(&pd->recv_sectors);
	s.peer_dev_sent = atomic64_read(&pd->sent_sectors);
	s.peer_dev_pending = atomic_read(&pd->ap_pending) + atomic_read(&pd->rs_pending);
	s.peer_dev_unacked = atomic_read(&pd->unacked);
	if (has_disk) {
		s.peer_dev_bitmap_uuid = peer->bitmap_uuid;
		s.peer_dev_flags = peer->flags;
		spin_lock_irq(&pd->dev->bm_lock);
		if (pd->dev->bitmap && slot >= 0 && slot < BITMAP_MAX_SLOTS) {
			const struct bitmap *bm = &pd->dev->bitmap->core;
			u32 shift = bm->shift - SECTOR_BITS;

			s.peer_dev_out_of_sync = bm->weight[slot] << shift;
			if (pd->ov.active)
				verify_statistics(&s, pd, shift);
			else if (pd->resync_runs && is_syncing(repl))
				resync_statistics(&s, pd, repl, shift);
		}
		spin_unlock_irq(&pd->dev->bm_lock);
	}
	return nl_put_peer_device_statistics(skb, &s, NL_ALL_FIELDS);
}

int nl_fill_peer_device(struct sk_buff *skb, struct drbd_peer_device *pd, const struct nl_fill *f)
{
	struct drbd_resource *res = pd->dev->res;
	struct drbd_status s = status_of(res, &pd->status);
	struct drbd_status d = status_of(res, &pd->dev->status);
	struct nl_peer_device_info info = {
		.peer_repl_state = s.pd.repl,
		.peer_disk_state = s.pd.pdsk,
		.peer_resync_susp_user = s.pd.user_isp,
		.peer_resync_susp_peer = s.pd.peer_isp,
		.peer_resync_susp_dependency = s.pd.aftr_isp,
	};

	if (put_context(skb, res, pd->conn, pd->dev, NULL) ||
	    put_header(skb, f) ||
	    (f->info && nl_put_peer_device_info(skb, &info, NL_ALL_FIELDS)) ||
	    put_peer_device_statistics(skb, pd, d.dev.disk >= DISK_FAILED, s.pd.repl) ||
	    (f->conf && nl_put_peer_device_opts(skb, &pd->conf, NL_ALL_FIELDS)))
		return -EMSGSIZE;
	return 0;
}

int nl_fill_path(struct sk_buff *skb, struct drbd_connection *conn, struct drbd_path *path,
		 const struct nl_fill *f)
{
	struct nl_path_info info = { .path_established = READ_ONCE(path->established) };

	if (put_context(skb, conn->res, conn, NULL, path) ||
	    put_header(skb, f) ||
	    nl_put_path_info(skb, &info, NL_ALL_FIELDS))
		return -EMSGSIZE;
	return 0;
}
