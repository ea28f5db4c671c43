// SPDX-License-Identifier: GPL-2.0
/*
 * What each request does (section 8): check what only this side can know, let
 * core decide by a job, keep the new options, tell the readers of events.
 */
#include <crypto/hash.h>

#include "nl_internal.h"

static struct nlattr *payload(struct nl_request *rq)
{
	u8 set = nl_ops[rq->info->genlhdr->cmd].set;

	return set ? rq->info->attrs[set] : NULL;
}

static s32 bad_payload(struct nl_request *rq, int err)
{
	nl_text(rq, "%s", nl_decode_error_text(err));
	return ERR_MANDATORY_TAG;
}

/* The text that core or the registry left, if any. */
static void pass_text(struct nl_request *rq, const char *text)
{
	if (text[0])
		nl_text(rq, "%s", text);
}

static s32 run(struct nl_request *rq, struct drbd_job *job)
{
	s32 r = drbd_job_run(rq->res, job);

	pass_text(rq, job->core.text);
	return r;
}

/* Requests that answer 101, whatever kind of success it was. */
static s32 no_error_if_ok(s32 r)
{
	return r >= SS_SUCCESS && r <= SS_CW_NO_NEED ? NO_ERROR : r;
}

/* --- names (8.2) ------------------------------------------------------------------ */

static bool strict_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       strchr("+._-", c);
}

static bool bad_name(const char *name)
{
	const char *p;

	if (!strcmp(name, "all"))
		return true;
	for (p = name; *p; p++) {
		if (*p == '/' || (u8)*p <= ' ' || *p == 0x7f)
			return true;
		if (drbd_strict_names && !strict_char(*p))
			return true;
	}
	return false;
}

static s32 check_name(struct nl_request *rq, const char *name)
{
	if (!name[0]) {
		nl_text(rq, "name missing");
		return ERR_MANDATORY_TAG;
	}
	if (!bad_name(name))
		return 0;
	nl_text(rq, drbd_strict_names ?
		"invalid name (strict_names=1 allows only [0-9A-Za-z+._-])" :
		"invalid name (disallowed: ascii control, space, slash)");
	return ERR_INVALID_REQUEST;
}

/* --- resource ------------------------------------------------------------------------ */

static s32 new_resource(struct nl_request *rq)
{
	struct nl_resource_opts opts;
	struct drbd_resource *res;
	char text[CORE_TEXT_MAX] = "";
	s32 code;
	int err;

	nl_resource_opts_defaults(&opts);
	err = nl_resource_opts_from_attrs(&opts, payload(rq), NL_CREATE, NULL);
	if (err)
		return bad_payload(rq, err);
	if (rq->ctx.ctx_resource_name[0] && drbd_resource_find(rq->ctx.ctx_resource_name))
		return NO_ERROR;
	code = check_name(rq, rq->ctx.ctx_resource_name);
	if (code)
		return code;
	if (opts.node_id > NODE_ID_MAX) {
		nl_text(rq, "node id %u is out of range: possible is 0 to %d", opts.node_id,
			NODE_ID_MAX);
		return ERR_INVALID_REQUEST;
	}
	opts.nr_requests = max_t(u32, opts.nr_requests, RESOURCE_OPTS_NR_REQUESTS_MIN);
	code = drbd_resource_create(rq->ctx.ctx_resource_name, &opts, &res, text);
	pass_text(rq, text);
	if (code)
		return code;
	nl_notify_created_resource(res);
	return NO_ERROR;
}

static s32 destroy_resource(struct nl_request *rq)
{
	struct sk_buff_head q;
	char text[CORE_TEXT_MAX] = "";
	s32 code;

	__skb_queue_head_init(&q);
	nl_notify_end_resource(&q, rq->res);
	code = drbd_resource_destroy(rq->res, text);
	nl_notify_ended(&q, !code);
	pass_text(rq, text);
	return code ?: NO_ERROR;
}

static s32 resource_opts(struct nl_request *rq)
{
	struct nl_resource_opts opts = rq->res->opts;
	struct drbd_job job;
	int err;
	s32 r;

	if (rq->set_defaults)
		nl_resource_opts_reset(&opts);
	err = nl_resource_opts_from_attrs(&opts, payload(rq), NL_CHANGE, NULL);
	if (err)
		return bad_payload(rq, err);
	opts.nr_requests = max_t(u32, opts.nr_requests, RESOURCE_OPTS_NR_REQUESTS_MIN);
	drbd_job_init(&job, JOB_RES_OPTS);
	job.core.arg.res_opts = &opts;
	r = no_error_if_ok(run(rq, &job));
	if (r == NO_ERROR)
		rq->res->opts = opts;
	return r;
}

/* --- device ------------------------------------------------------------------------------ */

static s32 new_minor(struct nl_request *rq)
{
	struct nl_device_conf conf;
	struct drbd_device *dev;
	char text[CORE_TEXT_MAX] = "";
	u64 present;
	s32 code;
	int err;

	nl_device_conf_defaults(&conf);
	err = nl_device_conf_from_attrs(&conf, payload(rq), NL_CREATE, &present);
	if (err)
		return bad_payload(rq, err);
	if (!(rq->has & NL_BIT(NLF_CFG_CONTEXT_CTX_VOLUME)) || rq->ctx.ctx_volume > VOLUME_MAX) {
		nl_text(rq, "requested volume id out of range");
		return ERR_INVALID_REQUEST;
	}
	if (!is_power_of_2(conf.block_size) || conf.block_size < DEVICE_CONF_BLOCK_SIZE_MIN ||
	    conf.block_size > DEVICE_CONF_BLOCK_SIZE_MAX) {
		nl_text(rq, "block_size not 512, 1024, 2048, or 4096");
		return ERR_INVALID_REQUEST;
	}
	if (conf.discard_granularity != DEVICE_CONF_DISCARD_GRANULARITY_DEF &&
	    conf.discard_granularity % conf.block_size) {
		nl_text(rq, "discard_granularity must be 0 or a multiple of block_size");
		return ERR_INVALID_REQUEST;
	}
	if (rq->dev && rq->dev->res == rq->res && rq->dev->vnr == rq->ctx.ctx_volume)
		return NO_ERROR;
	code = drbd_device_create(rq->res, rq->minor, rq->ctx.ctx_volume, &conf, &dev, text);
	pass_text(rq, text);
	if (code)
		return code;
	nl_notify_created_device(dev);
	return NO_ERROR;
}

static s32 destroy_device(struct nl_request *rq, struct drbd_device *dev)
{
	struct sk_buff_head q;
	char text[CORE_TEXT_MAX] = "";
	s32 code;

	__skb_queue_head_init(&q);
	nl_notify_end_device(&q, dev);
	code = drbd_device_destroy(dev, text);
	nl_notify_ended(&q, !code);
	pass_text(rq, text);
	return code ?: NO_ERROR;
}

static s32 del_minor(struct nl_request *rq)
{
	return destroy_device(rq, rq->dev);
}

static s32 attach(struct nl_request *rq)
{
	struct nl_disk_conf conf;
	char text[CORE_TEXT_MAX] = "";
	s32 r;
	int err;

	nl_disk_conf_defaults(&conf);
	err = nl_disk_conf_from_attrs(&conf, payload(rq), NL_CREATE, NULL);
	if (err)
		return bad_payload(rq, err);
	if (conf.meta_dev_idx < META_DEV_IDX_INTERNAL) {
		nl_text(rq, "metadata index %d is out of range: possible is internal, flexible, or 0 and above",
			conf.meta_dev_idx);
		return ERR_MD_IDX_INVALID;
	}
	conf.al_extents = clamp_t(u32, conf.al_extents, DISK_CONF_AL_EXTENTS_MIN,
				  DISK_CONF_AL_EXTENTS_MAX);
	r = drbd_turns_set(rq->dev, conf.resync_after, text);
	if (!r)
		r = drbd_attach(rq->dev, &conf, text);
	pass_text(rq, text);
	return r ? no_error_if_ok(r) : NO_ERROR;
}

static s32 disk_opts(struct nl_request *rq)
{
	struct nl_disk_conf conf = rq->dev->disk_conf;
	char text[CORE_TEXT_MAX] = "";
	struct drbd_job job;
	int err;
	s32 r;

	if (rq->set_defaults)
		nl_disk_conf_reset(&conf);
	err = nl_disk_conf_from_attrs(&conf, payload(rq), NL_CHANGE, NULL);
	if (err)
		return bad_payload(rq, err);
	conf.al_extents = clamp_t(u32, conf.al_extents, DISK_CONF_AL_EXTENTS_MIN,
				  DISK_CONF_AL_EXTENTS_MAX);
	if (rq->dev->disk_conf.d_bitmap && !conf.d_bitmap) {
		nl_text(rq, "Online freeing of the bitmap not supported");
		return ERR_INVALID_REQUEST;
	}
	r = drbd_turns_set(rq->dev, conf.resync_after, text);
	pass_text(rq, text);
	if (r)
		return r;
	drbd_job_init(&job, JOB_DISK_CONF);
	job.core.dev = &rq->dev->core;
	job.core.arg.disk_conf = &conf;
	r = no_error_if_ok(run(rq, &job));
	if (r == NO_ERROR)
		rq->dev->disk_conf = conf;
	else
		drbd_turns_set(rq->dev, rq->dev->disk_conf.resync_after, text);
	return r;
}

static s32 resize(struct nl_request *rq)
{
	struct nl_resize_parms parms;
	struct drbd_job job;
	u64 present = 0;
	int err;
	s32 r;

	nl_resize_parms_defaults(&parms);
	err = payload(rq) ? nl_resize_parms_from_attrs(&parms, payload(rq), NL_CREATE, &present) : 0;
	if (err)
		return bad_payload(rq, err);
	if (present & (NL_BIT(NLF_RESIZE_PARMS_AL_STRIPES) | NL_BIT(NLF_RESIZE_PARMS_AL_STRIPE_SIZE))) {
		nl_text(rq, "this version of the module cannot change the shape of the activity log: give it to drbdadm create-md");
		return ERR_INVALID_REQUEST;
	}
	drbd_job_init(&job, JOB_RESIZE);
	job.core.dev = &rq->dev->core;
	job.core.start = parms.resize_size;
	job.core.force = parms.resize_force;
	job.core.flag = parms.no_resync;
	r = no_error_if_ok(run(rq, &job));
	if (r == NO_ERROR)
		rq->dev->disk_conf.disk_size = parms.resize_size;
	return r;
}

static s32 detach_device(struct nl_request *rq, struct drbd_device *dev, bool force)
{
	struct drbd_job job;

	drbd_job_init(&job, JOB_DETACH);
	job.core.dev = &dev->core;
	job.core.force = force;
	return run(rq, &job);
}

static s32 detach(struct nl_request *rq)
{
	struct nl_detach_parms parms;
	int err;
	s32 r;

	nl_detach_parms_defaults(&parms);
	err = nl_detach_parms_from_attrs(&parms, payload(rq), NL_CREATE, NULL);
	if (err)
		return bad_payload(rq, err);
	r = detach_device(rq, rq->dev, parms.force_detach);
	if (r >= SS_SUCCESS && r <= SS_CW_NO_NEED && parms.intentional_diskless_detach)
		rq->dev->intentional_diskless = true;
	return r;
}

static s32 outdate(struct nl_request *rq)
{
	struct drbd_job job;

	drbd_job_init(&job, JOB_OUTDATE);
	job.core.dev = &rq->dev->core;
	return run(rq, &job);
}

static s32 new_generation(struct nl_request *rq)
{
	struct nl_new_c_uuid_parms parms;
	struct drbd_job job;
	int err;

	nl_new_c_uuid_parms_defaults(&parms);
	err = nl_new_c_uuid_parms_from_attrs(&parms, payload(rq), NL_CREATE, NULL);
	if (err)
		return bad_payload(rq, err);
	if (parms.force_resync) {
		nl_text(rq, "this protocol cannot ask the peer for a resync: use 'drbdadm primary --force' on the node with the data");
		return ERR_APV_TOO_LOW;
	}
	drbd_job_init(&job, JOB_NEW_GENERATION);
	job.core.dev = &rq->dev->core;
	job.core.flag = parms.clear_bm;
	return no_error_if_ok(run(rq, &job));
}

static s32 suspend_io(struct nl_request *rq)
{
	struct drbd_job job;

	drbd_job_init(&job, JOB_SUSPEND_IO);
	job.core.dev = &rq->dev->core;
	return run(rq, &job);
}

static s32 resume_io(struct nl_request *rq)
{
	struct drbd_job job;

	drbd_job_init(&job, JOB_RESUME_IO);
	job.core.dev = &rq->dev->core;
	return run(rq, &job);
}

/* --- connection ---------------------------------------------------------------------------- */

static s32 check_digest(struct nl_request *rq, const char *alg, const char *use, s32 code)
{
	char text[CORE_TEXT_MAX];

	if (!alg[0] || !drbd_digest_check(alg, use, text))
		return 0;
	nl_text(rq, "%s", text);
	return code;
}

static s32 check_hmac(struct nl_request *rq, const char *alg)
{
	char name[sizeof(((struct nl_net_conf *)0)->cram_hmac_alg) + 8];

	snprintf(name, sizeof(name), "hmac(%s)", alg);
	if (!alg[0] || crypto_has_ahash(name, 0, 0))
		return 0;
	nl_text(rq, "failed to allocate %s for hmac", alg);
	return ERR_AUTH_ALG;
}

static s32 check_net_conf(struct nl_request *rq, const struct nl_net_conf *c)
{
	const struct {
		const char *alg, *use;
		s32 code;
	} digests[] = {
		{ c->csums_alg, "csums", ERR_CSUMS_ALG },
		{ c->verify_alg, "verify", ERR_VERIFY_ALG },
		{ c->integrity_alg, "integrity", ERR_INTEGRITY_ALG },
	};
	u32 i;
	s32 code;

	if (c->wire_protocol < PROTOCOL_A || c->wire_protocol > PROTOCOL_C) {
		nl_text(rq, "protocol %u is none of A (1), B (2), C (3)", c->wire_protocol);
		return ERR_INVALID_REQUEST;
	}
	if (c->two_primaries && c->wire_protocol != PROTOCOL_C)
		return ERR_NOT_PROTO_C;
	if (c->fencing_policy == FENCING_RESOURCE_AND_STONITH && c->wire_protocol == PROTOCOL_A)
		return ERR_STONITH_AND_PROT_A;
	if (c->on_congestion != ON_CONGESTION_BLOCK && c->wire_protocol != PROTOCOL_A)
		return ERR_CONG_NOT_PROTO_A;
	for (i = 0; i < ARRAY_SIZE(digests); i++) {
		code = check_digest(rq, digests[i].alg, digests[i].use, digests[i].code);
		if (code)
			return code;
	}
	return check_hmac(rq, c->cram_hmac_alg);
}

static bool connection_name_used(struct nl_request *rq, const char *name)
{
	struct drbd_connection *conn;

	list_for_each_entry(conn, &rq->res->connections, node)
		if (conn != rq->conn && !strcmp(conn->conf.name, name))
			return true;
	return false;
}

static s32 new_peer(struct nl_request *rq)
{
	struct nl_net_conf conf;
	struct drbd_connection *conn;
	char text[CORE_TEXT_MAX] = "";
	s32 code;
	int err;

	if (rq->conn) {
		nl_text(rq, "Connection for peer node id %d already exists", rq->conn->peer_node_id);
		return ERR_INVALID_REQUEST;
	}
	if (!payload(rq))
		return bad_payload(rq, -ENOMSG);
	nl_net_conf_defaults(&conf);
	err = nl_net_conf_from_attrs(&conf, payload(rq), NL_CREATE, NULL);
	if (err)
		return bad_payload(rq, err);
	code = check_name(rq, conf.name);
	if (code)
		return code;
	if (connection_name_used(rq, conf.name)) {
		nl_text(rq, "name already exists");
		return ERR_ALREADY_EXISTS;
	}
	if (conf.transport_name[0] && strcmp(conf.transport_name, "tcp")) {
		nl_text(rq, "this version of the module has no transport %s, only tcp",
			conf.transport_name);
		return ERR_CREATE_TRANSPORT;
	}
	code = check_net_conf(rq, &conf);
	if (code)
		return code;
	code = drbd_connection_create(rq->res, rq->ctx.ctx_peer_node_id, &conf, &conn, text);
	pass_text(rq, text);
	if (code)
		return code;
	nl_notify_created_connection(conn);
	return NO_ERROR;
}

static s32 net_opts(struct nl_request *rq)
{
	struct nl_net_conf conf = rq->conn->conf;
	struct drbd_job job;
	s32 code;
	int err;

	if (rq->set_defaults)
		nl_net_conf_reset(&conf);
	err = nl_net_conf_from_attrs(&conf, payload(rq), NL_CHANGE, NULL);
	if (err)
		return bad_payload(rq, err);
	if (!conf.name[0])
		memcpy(conf.name, rq->conn->conf.name, sizeof(conf.name));
	code = check_name(rq, conf.name);
	if (code)
		return code;
	if (connection_name_used(rq, conf.name)) {
		nl_text(rq, "name already exists");
		return ERR_ALREADY_EXISTS;
	}
	code = check_net_conf(rq, &conf);
	if (code)
		return code;
	drbd_job_init(&job, JOB_NET_CONF);
	job.core.conn = &rq->conn->core;
	job.core.arg.net_conf = &conf;
	code = no_error_if_ok(run(rq, &job));
	if (code != NO_ERROR)
		return code;
	rq->conn->conf = conf;
	if (READ_ONCE(rq->conn->status.conn.cstate) != CONN_CONNECTED)
		return code;
	/* the one for data follows its announcement on the stream */
	if (drbd_digest_set(rq->conn, DIGEST_CSUMS, conf.csums_alg))
		return ERR_CSUMS_ALG;
	return drbd_digest_set(rq->conn, DIGEST_VERIFY, conf.verify_alg) ? ERR_VERIFY_ALG : code;
}

static s32 connect(struct nl_request *rq)
{
	struct nl_connect_parms parms;
	struct drbd_job job;
	int err;

	nl_connect_parms_defaults(&parms);
	err = nl_connect_parms_from_attrs(&parms, payload(rq), NL_CREATE, NULL);
	if (err)
		return bad_payload(rq, err);
	if (list_empty(&rq->conn->paths)) {
		nl_text(rq, "connection endpoint(s) missing");
		return ERR_INVALID_REQUEST;
	}
	if (parms.tentative) {
		nl_text(rq, "this version of the module has no tentative connect");
		return ERR_INVALID_REQUEST;
	}
	drbd_job_init(&job, JOB_CONNECT);
	job.core.conn = &rq->conn->core;
	job.core.flag = parms.discard_my_data;
	return run(rq, &job);
}

static s32 disconnect_peer(struct nl_request *rq, struct drbd_connection *conn, bool force)
{
	struct drbd_job job;
	s32 r;

	drbd_job_init(&job, JOB_DISCONNECT);
	job.core.conn = &conn->core;
	job.core.force = force;
	r = drbd_job_run(rq->res, &job);
	if (r == SS_ALREADY_STANDALONE)
		return NO_ERROR;
	pass_text(rq, job.core.text);
	return no_error_if_ok(r);
}

static s32 disconnect(struct nl_request *rq)
{
	struct nl_disconnect_parms parms;
	int err;

	nl_disconnect_parms_defaults(&parms);
	err = nl_disconnect_parms_from_attrs(&parms, payload(rq), NL_CREATE, NULL);
	if (err)
		return bad_payload(rq, err);
	return disconnect_peer(rq, rq->conn, parms.force_disconnect);
}

static s32 destroy_connection(struct nl_request *rq, struct drbd_connection *conn)
{
	struct sk_buff_head q;
	char text[CORE_TEXT_MAX] = "";
	s32 code;

	__skb_queue_head_init(&q);
	nl_notify_end_connection(&q, conn);
	code = drbd_connection_destroy(conn, text);
	nl_notify_ended(&q, !code);
	pass_text(rq, text);
	return code ?: NO_ERROR;
}

/* Disconnecting may take long, so the registry is locked only for the removal. */
static s32 del_peer(struct nl_request *rq)
{
	s32 code = nl_lock(rq, NL_LOCK_ADM);

	if (code)
		return code;
	code = disconnect(rq);
	nl_unlock(rq);
	if (code != NO_ERROR)
		return code;
	code = nl_lock(rq, NL_LOCK_REGISTRY);
	if (code)
		return code;
	code = destroy_connection(rq, rq->conn);
	nl_unlock(rq);
	return code;
}

/* --- paths -------------------------------------------------------------------------------------- */

static s32 read_path(struct nl_request *rq, struct nl_path_parms *parms)
{
	int err;

	nl_path_parms_defaults(parms);
	err = nl_path_parms_from_attrs(parms, payload(rq), NL_PLAIN, NULL);
	if (err)
		return bad_payload(rq, err);
	if (parms->my_addr_len && parms->peer_addr_len)
		return 0;
	nl_text(rq, "connection endpoint(s) missing");
	return ERR_INVALID_REQUEST;
}

static s32 new_path(struct nl_request *rq)
{
	struct nl_path_parms parms;
	char text[CORE_TEXT_MAX] = "";
	s32 code = read_path(rq, &parms);

	if (code)
		return code;
	code = drbd_path_add(rq->conn, parms.my_addr, parms.my_addr_len, parms.peer_addr,
			     parms.peer_addr_len, text);
	pass_text(rq, text);
	if (code)
		return code;
	nl_notify_created_path(rq->conn, parms.my_addr, parms.my_addr_len, parms.peer_addr,
			       parms.peer_addr_len);
	return NO_ERROR;
}

static s32 del_path(struct nl_request *rq)
{
	struct nl_path_parms parms;
	struct sk_buff_head q;
	char text[CORE_TEXT_MAX] = "";
	s32 code = read_path(rq, &parms);

	if (code)
		return code;
	__skb_queue_head_init(&q);
	nl_notify_end_path(&q, rq->conn, parms.my_addr, parms.my_addr_len, parms.peer_addr,
			   parms.peer_addr_len);
	code = drbd_path_del(rq->conn, parms.my_addr, parms.my_addr_len, parms.peer_addr,
			     parms.peer_addr_len, text);
	nl_notify_ended(&q, !code);
	pass_text(rq, text);
	return code ?: NO_ERROR;
}

/* --- roles ------------------------------------------------------------------------------------------ */

/* Who keeps a device open is the first thing to know when it cannot be demoted. */
static void tell_openers(struct nl_request *rq)
{
	struct drbd_device *dev;

	list_for_each_entry(dev, &rq->res->devices, node) {
		u32 open, writable;

		spin_lock_irq(&dev->open_lock);
		open = dev->open_cnt;
		writable = dev->write_open_cnt;
		spin_unlock_irq(&dev->open_lock);
		if (open)
			nl_text(rq, "/dev/drbd%u open_cnt:%u, writable:%d; list of openers follows",
				dev->minor, open, writable > 0);
	}
}

static s32 set_role(struct nl_request *rq, u8 type)
{
	struct nl_set_role_parms parms;
	struct drbd_job job;
	int err;
	s32 r;

	nl_set_role_parms_defaults(&parms);
	err = nl_set_role_parms_from_attrs(&parms, payload(rq), NL_CREATE, NULL);
	if (err)
		return bad_payload(rq, err);
	drbd_job_init(&job, type);
	job.core.force = parms.force;
	r = run(rq, &job);
	if (r == SS_DEVICE_IN_USE)
		tell_openers(rq);
	return r;
}

static s32 primary(struct nl_request *rq)
{
	return set_role(rq, JOB_PRIMARY);
}

static s32 secondary(struct nl_request *rq)
{
	return set_role(rq, JOB_SECONDARY);
}

/* --- peer device ------------------------------------------------------------------------------------- */

static s32 peer_device_opts(struct nl_request *rq)
{
	struct nl_peer_device_opts conf = rq->pd->conf;
	struct drbd_job job;
	s32 r;
	int err;

	if (rq->set_defaults)
		nl_peer_device_opts_reset(&conf);
	err = nl_peer_device_opts_from_attrs(&conf, payload(rq), NL_CHANGE, NULL);
	if (err)
		return bad_payload(rq, err);
	conf.resync_rate = max_t(u32, conf.resync_rate, PEER_DEVICE_OPTS_RESYNC_RATE_MIN);
	conf.c_plan_ahead = min_t(u32, conf.c_plan_ahead, PEER_DEVICE_OPTS_C_PLAN_AHEAD_MAX);
	drbd_job_init(&job, JOB_PEER_DEVICE_CONF);
	job.core.pd = &rq->pd->core;
	job.core.arg.pd_conf = &conf;
	r = no_error_if_ok(run(rq, &job));
	if (r == NO_ERROR)
		rq->pd->conf = conf;
	return r;
}

static void init_peer_device_job(const struct nl_request *rq, struct drbd_job *job, u8 type)
{
	drbd_job_init(job, type);
	job->core.pd = &rq->pd->core;
	job->core.dev = &rq->pd->dev->core;
	job->core.conn = &rq->pd->conn->core;
}

static s32 peer_device_job(struct nl_request *rq, u8 type, bool flag)
{
	struct drbd_job job;

	init_peer_device_job(rq, &job, type);
	job.core.flag = flag;
	return run(rq, &job);
}

static s32 pause_sync(struct nl_request *rq)
{
	return no_error_if_ok(peer_device_job(rq, JOB_PAUSE_SYNC, false));
}

static s32 resume_sync(struct nl_request *rq)
{
	s32 r = no_error_if_ok(peer_device_job(rq, JOB_RESUME_SYNC, false));

	if (r != ERR_PAUSE_IS_CLEAR)
		return r;
	if (READ_ONCE(rq->pd->status.pd.aftr_isp))
		return ERR_PIC_AFTER_DEP;
	return READ_ONCE(rq->pd->status.pd.peer_isp) ? ERR_PIC_PEER_DEP : r;
}

/* Without --start it goes on where the last one was interrupted. */
static u64 verify_start(struct nl_request *rq, const struct nl_start_ov_parms *parms, u64 present)
{
	u64 sector;

	if (present & NL_BIT(NLF_START_OV_PARMS_OV_START_SECTOR))
		return parms->ov_start_sector;
	spin_lock_irq(&rq->pd->dev->bm_lock);
	sector = rq->pd->ov_resume;
	spin_unlock_irq(&rq->pd->dev->bm_lock);
	return sector;
}

static s32 start_ov(struct nl_request *rq)
{
	struct nl_start_ov_parms parms;
	struct drbd_job job;
	u64 present = 0;
	int err;

	nl_start_ov_parms_defaults(&parms);
	err = nl_start_ov_parms_from_attrs(&parms, payload(rq), NL_CREATE, &present);
	if (err)
		return bad_payload(rq, err);
	init_peer_device_job(rq, &job, JOB_VERIFY);
	job.core.start = verify_start(rq, &parms, present);
	job.core.stop = parms.ov_stop_sector;
	job.core.flag = parms.ov_repair;
	return no_error_if_ok(run(rq, &job));
}

static s32 inval_peer(struct nl_request *rq)
{
	struct nl_inval_peer_params parms;
	int err;

	nl_inval_peer_params_defaults(&parms);
	err = nl_inval_peer_params_from_attrs(&parms, payload(rq), NL_CREATE, NULL);
	if (err)
		return bad_payload(rq, err);
	return peer_device_job(rq, JOB_INVALIDATE_PEER, !parms.p_reset_bitmap);
}

/* The peer that was named, else the first that is connected, else the first. */
static struct drbd_peer_device *sync_peer(struct drbd_device *dev, s32 node)
{
	struct drbd_peer_device *pd, *first = NULL;

	list_for_each_entry(pd, &dev->peer_devices, of_dev) {
		if (node >= 0 && pd->conn->peer_node_id != node)
			continue;
		if (READ_ONCE(pd->status.pd.repl) >= REPL_ESTABLISHED)
			return pd;
		if (!first)
			first = pd;
	}
	return first;
}

static s32 invalidate(struct nl_request *rq)
{
	struct nl_invalidate_parms parms;
	int err;

	nl_invalidate_parms_defaults(&parms);
	err = nl_invalidate_parms_from_attrs(&parms, payload(rq), NL_CREATE, NULL);
	if (err)
		return bad_payload(rq, err);
	rq->pd = sync_peer(rq->dev, parms.sync_from_peer_node_id);
	if (!rq->pd) {
		nl_text(rq, "there is no such peer to get the data from");
		return SS_NEED_CONNECTION;
	}
	return peer_device_job(rq, JOB_INVALIDATE, !parms.reset_bitmap);
}

static s32 get_timeout_type(struct nl_request *rq)
{
	struct drbd_device *dev = rq->pd->dev;
	u32 flags = dev->core.md.peer[rq->pd->conn->peer_node_id].flags;
	struct nl_timeout_parms parms = { .timeout_type = TIMEOUT_TYPE_DEFAULT };

	if (flags & MDF_PEER_OUTDATED)
		parms.timeout_type = TIMEOUT_TYPE_PEER_OUTDATED;
	else if (dev->core.crashed_primary && !(flags & MDF_PEER_CONNECTED))
		parms.timeout_type = TIMEOUT_TYPE_DEGRADED;
	return nl_put_timeout_parms(rq->reply, &parms, NL_ALL_FIELDS) ? ERR_NOMEM : NO_ERROR;
}

/* --- down (8.12) --------------------------------------------------------------------------------------- */

static s32 demote_all(struct nl_request *rq)
{
	struct drbd_job job;
	s32 r;

	drbd_job_init(&job, JOB_SECONDARY);
	r = no_error_if_ok(run(rq, &job));
	if (r == NO_ERROR)
		return r;
	nl_text(rq, "failed to demote");
	if (r == SS_DEVICE_IN_USE || r == SS_NO_UP_TO_DATE_DISK)
		tell_openers(rq);
	return r;
}

/* Everything that may take long; nothing is removed yet. */
static s32 down_quiesce(struct nl_request *rq)
{
	struct drbd_connection *conn;
	struct drbd_device *dev;
	s32 r = demote_all(rq);

	if (r != NO_ERROR)
		return r;
	list_for_each_entry(conn, &rq->res->connections, node) {
		r = disconnect_peer(rq, conn, false);
		if (r != NO_ERROR) {
			nl_text(rq, "failed to disconnect");
			return r;
		}
	}
	list_for_each_entry(dev, &rq->res->devices, node) {
		r = no_error_if_ok(detach_device(rq, dev, false));
		if (r != NO_ERROR) {
			nl_text(rq, "failed to detach");
			return r;
		}
	}
	return NO_ERROR;
}

static s32 down_remove(struct nl_request *rq)
{
	struct drbd_connection *conn, *next_conn;
	struct drbd_device *dev, *next_dev;
	s32 r;

	list_for_each_entry_safe(conn, next_conn, &rq->res->connections, node) {
		r = destroy_connection(rq, conn);
		if (r != NO_ERROR)
			return r;
	}
	list_for_each_entry_safe(dev, next_dev, &rq->res->devices, node) {
		r = destroy_device(rq, dev);
		if (r != NO_ERROR) {
			nl_text(rq, "failed to delete volume");
			return r;
		}
	}
	return destroy_resource(rq);
}

static s32 take_down(struct nl_request *rq)
{
	s32 r = nl_lock(rq, NL_LOCK_ADM);

	if (r)
		return r;
	rq->res->going_down = true;
	r = down_quiesce(rq);
	nl_unlock(rq);
	if (r == NO_ERROR) {
		r = nl_lock(rq, NL_LOCK_REGISTRY);
		if (!r) {
			r = down_remove(rq);
			nl_unlock(rq);
		}
	}
	if (r != NO_ERROR)
		rq->res->going_down = false;
	return r;
}

const struct nl_handler nl_handlers[NLOP_MAX + 1] = {
	[NLOP_NEW_RESOURCE] = { new_resource, NL_LOCK_REGISTRY, .creates = true },
	[NLOP_DEL_RESOURCE] = { destroy_resource, NL_LOCK_REGISTRY },
	[NLOP_RESOURCE_OPTS] = { resource_opts, NL_LOCK_ADM },
	[NLOP_NEW_MINOR] = { new_minor, NL_LOCK_REGISTRY, .creates = true },
	[NLOP_DEL_MINOR] = { del_minor, NL_LOCK_REGISTRY },
	[NLOP_ATTACH] = { attach, NL_LOCK_ADM },
	[NLOP_DETACH] = { detach, NL_LOCK_ADM },
	[NLOP_RESIZE] = { resize, NL_LOCK_ADM },
	[NLOP_CHG_DISK_OPTS] = { disk_opts, NL_LOCK_ADM },
	[NLOP_OUTDATE] = { outdate, NL_LOCK_ADM },
	[NLOP_NEW_C_UUID] = { new_generation, NL_LOCK_ADM },
	[NLOP_SUSPEND_IO] = { suspend_io, NL_LOCK_ADM },
	[NLOP_RESUME_IO] = { resume_io, NL_LOCK_ADM },
	[NLOP_NEW_PEER] = { new_peer, NL_LOCK_REGISTRY },
	[NLOP_DEL_PEER] = { del_peer, NL_LOCK_NONE },
	[NLOP_NEW_PATH] = { new_path, NL_LOCK_REGISTRY },
	[NLOP_DEL_PATH] = { del_path, NL_LOCK_REGISTRY },
	[NLOP_CHG_NET_OPTS] = { net_opts, NL_LOCK_ADM },
	[NLOP_CONNECT] = { connect, NL_LOCK_ADM },
	[NLOP_DISCONNECT] = { disconnect, NL_LOCK_ADM },
	[NLOP_PRIMARY] = { primary, NL_LOCK_ADM },
	[NLOP_SECONDARY] = { secondary, NL_LOCK_ADM },
	[NLOP_CHG_PEER_DEVICE_OPTS] = { peer_device_opts, NL_LOCK_ADM },
	[NLOP_PAUSE_SYNC] = { pause_sync, NL_LOCK_ADM },
	[NLOP_RESUME_SYNC] = { resume_sync, NL_LOCK_ADM },
	[NLOP_START_OV] = { start_ov, NL_LOCK_ADM },
	[NLOP_INVALIDATE] = { invalidate, NL_LOCK_ADM },
	[NLOP_INVAL_PEER] = { inval_peer, NL_LOCK_ADM },
	[NLOP_GET_TIMEOUT_TYPE] = { get_timeout_type, NL_LOCK_ADM },
	[NLOP_DOWN] = { take_down, NL_LOCK_NONE, .any_version = true },
};
