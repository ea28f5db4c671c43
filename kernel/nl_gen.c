// SPDX-License-Identifier: GPL-2.0
/* Made by internal/genl/gen from kernel/netlink.yaml: do not edit. */
#include "nl_gen.h"

const struct nla_policy nl_top_policy[NLSET_MAX + 1] = {
	[NLSET_CFG_REPLY] = { .type = NLA_NESTED },
	[NLSET_CFG_CONTEXT] = { .type = NLA_NESTED },
	[NLSET_DISK_CONF] = { .type = NLA_NESTED },
	[NLSET_RESOURCE_OPTS] = { .type = NLA_NESTED },
	[NLSET_NET_CONF] = { .type = NLA_NESTED },
	[NLSET_SET_ROLE_PARMS] = { .type = NLA_NESTED },
	[NLSET_RESIZE_PARMS] = { .type = NLA_NESTED },
	[NLSET_START_OV_PARMS] = { .type = NLA_NESTED },
	[NLSET_NEW_C_UUID_PARMS] = { .type = NLA_NESTED },
	[NLSET_TIMEOUT_PARMS] = { .type = NLA_NESTED },
	[NLSET_DISCONNECT_PARMS] = { .type = NLA_NESTED },
	[NLSET_DETACH_PARMS] = { .type = NLA_NESTED },
	[NLSET_DEVICE_CONF] = { .type = NLA_NESTED },
	[NLSET_RESOURCE_INFO] = { .type = NLA_NESTED },
	[NLSET_DEVICE_INFO] = { .type = NLA_NESTED },
	[NLSET_CONNECTION_INFO] = { .type = NLA_NESTED },
	[NLSET_PEER_DEVICE_INFO] = { .type = NLA_NESTED },
	[NLSET_RESOURCE_STATISTICS] = { .type = NLA_NESTED },
	[NLSET_DEVICE_STATISTICS] = { .type = NLA_NESTED },
	[NLSET_CONNECTION_STATISTICS] = { .type = NLA_NESTED },
	[NLSET_PEER_DEVICE_STATISTICS] = { .type = NLA_NESTED },
	[NLSET_NOTIFICATION_HEADER] = { .type = NLA_NESTED },
	[NLSET_HELPER_INFO] = { .type = NLA_NESTED },
	[NLSET_INVALIDATE_PARMS] = { .type = NLA_NESTED },
	[NLSET_FORGET_PEER_PARMS] = { .type = NLA_NESTED },
	[NLSET_PEER_DEVICE_OPTS] = { .type = NLA_NESTED },
	[NLSET_PATH_PARMS] = { .type = NLA_NESTED },
	[NLSET_CONNECT_PARMS] = { .type = NLA_NESTED },
	[NLSET_PATH_INFO] = { .type = NLA_NESTED },
	[NLSET_RENAME_RESOURCE_PARMS] = { .type = NLA_NESTED },
	[NLSET_RENAME_RESOURCE_INFO] = { .type = NLA_NESTED },
	[NLSET_INVAL_PEER_PARAMS] = { .type = NLA_NESTED },
	[NLSET_SUSPEND_IO_PARAMS] = { .type = NLA_NESTED },
};

const struct nl_op_info nl_ops[NLOP_MAX + 1] = {
	[NLOP_EVENT] = { .name = "event", .kind = NL_KIND_NOTIFICATION, .needs = NL_NEEDS_NOTHING },
	[NLOP_GET_STATUS] = { .name = "get_status", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_NOTHING },
	[NLOP_NEW_MINOR] = { .name = "new_minor", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_RESOURCE, .set = NLSET_DEVICE_CONF },
	[NLOP_DEL_MINOR] = { .name = "del_minor", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_MINOR },
	[NLOP_NEW_RESOURCE] = { .name = "new_resource", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_NOTHING, .set = NLSET_RESOURCE_OPTS },
	[NLOP_DEL_RESOURCE] = { .name = "del_resource", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_RESOURCE },
	[NLOP_RESOURCE_OPTS] = { .name = "resource_opts", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_RESOURCE, .set = NLSET_RESOURCE_OPTS },
	[NLOP_CONNECT] = { .name = "connect", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_CONNECTION, .set = NLSET_CONNECT_PARMS },
	[NLOP_DISCONNECT] = { .name = "disconnect", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_CONNECTION, .set = NLSET_DISCONNECT_PARMS },
	[NLOP_ATTACH] = { .name = "attach", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_MINOR, .set = NLSET_DISK_CONF },
	[NLOP_RESIZE] = { .name = "resize", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_MINOR, .set = NLSET_RESIZE_PARMS },
	[NLOP_PRIMARY] = { .name = "primary", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_RESOURCE, .set = NLSET_SET_ROLE_PARMS },
	[NLOP_SECONDARY] = { .name = "secondary", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_RESOURCE, .set = NLSET_SET_ROLE_PARMS },
	[NLOP_NEW_C_UUID] = { .name = "new_c_uuid", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_MINOR, .set = NLSET_NEW_C_UUID_PARMS },
	[NLOP_START_OV] = { .name = "start_ov", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_PEER_DEVICE, .set = NLSET_START_OV_PARMS },
	[NLOP_DETACH] = { .name = "detach", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_MINOR, .set = NLSET_DETACH_PARMS },
	[NLOP_INVALIDATE] = { .name = "invalidate", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_MINOR, .set = NLSET_INVALIDATE_PARMS },
	[NLOP_INVAL_PEER] = { .name = "inval_peer", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_PEER_DEVICE, .set = NLSET_INVAL_PEER_PARAMS },
	[NLOP_PAUSE_SYNC] = { .name = "pause_sync", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_PEER_DEVICE },
	[NLOP_RESUME_SYNC] = { .name = "resume_sync", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_PEER_DEVICE },
	[NLOP_SUSPEND_IO] = { .name = "suspend_io", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_MINOR, .set = NLSET_SUSPEND_IO_PARAMS },
	[NLOP_RESUME_IO] = { .name = "resume_io", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_MINOR },
	[NLOP_OUTDATE] = { .name = "outdate", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_MINOR },
	[NLOP_GET_TIMEOUT_TYPE] = { .name = "get_timeout_type", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_PEER_DEVICE },
	[NLOP_DOWN] = { .name = "down", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_RESOURCE },
	[NLOP_CHG_DISK_OPTS] = { .name = "chg_disk_opts", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_MINOR, .set = NLSET_DISK_CONF },
	[NLOP_CHG_NET_OPTS] = { .name = "chg_net_opts", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_CONNECTION, .set = NLSET_NET_CONF },
	[NLOP_GET_RESOURCES] = { .name = "get_resources", .kind = NL_KIND_DUMP, .needs = NL_NEEDS_NOTHING },
	[NLOP_GET_DEVICES] = { .name = "get_devices", .kind = NL_KIND_DUMP, .needs = NL_NEEDS_NOTHING },
	[NLOP_GET_CONNECTIONS] = { .name = "get_connections", .kind = NL_KIND_DUMP, .needs = NL_NEEDS_NOTHING },
	[NLOP_GET_PEER_DEVICES] = { .name = "get_peer_devices", .kind = NL_KIND_DUMP, .needs = NL_NEEDS_NOTHING },
	[NLOP_RESOURCE_STATE] = { .name = "resource_state", .kind = NL_KIND_NOTIFICATION, .needs = NL_NEEDS_NOTHING },
	[NLOP_DEVICE_STATE] = { .name = "device_state", .kind = NL_KIND_NOTIFICATION, .needs = NL_NEEDS_NOTHING },
	[NLOP_CONNECTION_STATE] = { .name = "connection_state", .kind = NL_KIND_NOTIFICATION, .needs = NL_NEEDS_NOTHING },
	[NLOP_PEER_DEVICE_STATE] = { .name = "peer_device_state", .kind = NL_KIND_NOTIFICATION, .needs = NL_NEEDS_NOTHING },
	[NLOP_GET_INITIAL_STATE] = { .name = "get_initial_state", .kind = NL_KIND_DUMP, .needs = NL_NEEDS_NOTHING },
	[NLOP_HELPER] = { .name = "helper", .kind = NL_KIND_NOTIFICATION, .needs = NL_NEEDS_NOTHING },
	[NLOP_INITIAL_STATE_DONE] = { .name = "initial_state_done", .kind = NL_KIND_DONE, .needs = NL_NEEDS_NOTHING },
	[NLOP_FORGET_PEER] = { .name = "forget_peer", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_RESOURCE, .set = NLSET_FORGET_PEER_PARMS },
	[NLOP_CHG_PEER_DEVICE_OPTS] = { .name = "chg_peer_device_opts", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_PEER_DEVICE, .set = NLSET_PEER_DEVICE_OPTS },
	[NLOP_NEW_PEER] = { .name = "new_peer", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_PEER_NODE, .set = NLSET_NET_CONF },
	[NLOP_NEW_PATH] = { .name = "new_path", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_CONNECTION, .set = NLSET_PATH_PARMS },
	[NLOP_DEL_PEER] = { .name = "del_peer", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_CONNECTION, .set = NLSET_DISCONNECT_PARMS },
	[NLOP_DEL_PATH] = { .name = "del_path", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_CONNECTION, .set = NLSET_PATH_PARMS },
	[NLOP_PATH_STATE] = { .name = "path_state", .kind = NL_KIND_NOTIFICATION, .needs = NL_NEEDS_NOTHING },
	[NLOP_RENAME_RESOURCE] = { .name = "rename_resource", .kind = NL_KIND_REQUEST, .needs = NL_NEEDS_RESOURCE, .set = NLSET_RENAME_RESOURCE_PARMS },
	[NLOP_GET_PATHS] = { .name = "get_paths", .kind = NL_KIND_DUMP, .needs = NL_NEEDS_NOTHING },
};

static const struct nla_policy nl_cfg_reply_policy[NLF_CFG_REPLY_MAX + 1] = {
	[NLF_CFG_REPLY_INFO_TEXT] = { .type = NLA_NUL_STRING, .len = 255 },
};

static const struct nl_field_info nl_cfg_reply_fields[] = {
	{ 1, NL_STRING, offsetof(struct nl_cfg_reply, info_text), .size = 256 },
};

const struct nl_set_info nl_cfg_reply_info = {
	.nr = NLSET_CFG_REPLY,
	.max_field = NLF_CFG_REPLY_MAX,
	.nested_flag = false,
	.policy = nl_cfg_reply_policy,
	.fields = nl_cfg_reply_fields,
	.field_count = ARRAY_SIZE(nl_cfg_reply_fields),
};

static const struct nla_policy nl_cfg_context_policy[NLF_CFG_CONTEXT_MAX + 1] = {
	[NLF_CFG_CONTEXT_CTX_VOLUME] = { .type = NLA_U32 },
	[NLF_CFG_CONTEXT_CTX_RESOURCE_NAME] = { .type = NLA_NUL_STRING, .len = 127 },
	[NLF_CFG_CONTEXT_CTX_PEER_NODE_ID] = { .type = NLA_U32 },
	[NLF_CFG_CONTEXT_CTX_CONN_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
	[NLF_CFG_CONTEXT_CTX_MY_ADDR] = { .type = NLA_BINARY, .len = 128 },
	[NLF_CFG_CONTEXT_CTX_PEER_ADDR] = { .type = NLA_BINARY, .len = 128 },
};

static const struct nl_field_info nl_cfg_context_fields[] = {
	{ 1, NL_U32, offsetof(struct nl_cfg_context, ctx_volume) },
	{ 2, NL_STRING, offsetof(struct nl_cfg_context, ctx_resource_name), .size = 128 },
	{ 6, NL_U32, offsetof(struct nl_cfg_context, ctx_peer_node_id) },
	{ 5, NL_STRING, offsetof(struct nl_cfg_context, ctx_conn_name), .size = 64 },
	{ 3, NL_BINARY, offsetof(struct nl_cfg_context, ctx_my_addr), .size = 128,
	  .len_offset = offsetof(struct nl_cfg_context, ctx_my_addr_len) },
	{ 4, NL_BINARY, offsetof(struct nl_cfg_context, ctx_peer_addr), .size = 128,
	  .len_offset = offsetof(struct nl_cfg_context, ctx_peer_addr_len) },
};

const struct nl_set_info nl_cfg_context_info = {
	.nr = NLSET_CFG_CONTEXT,
	.max_field = NLF_CFG_CONTEXT_MAX,
	.nested_flag = false,
	.policy = nl_cfg_context_policy,
	.fields = nl_cfg_context_fields,
	.field_count = ARRAY_SIZE(nl_cfg_context_fields),
};

static const struct nla_policy nl_disk_conf_policy[NLF_DISK_CONF_MAX + 1] = {
	[NLF_DISK_CONF_BACKING_DEV] = { .type = NLA_NUL_STRING, .len = 127 },
	[NLF_DISK_CONF_META_DEV] = { .type = NLA_NUL_STRING, .len = 127 },
	[NLF_DISK_CONF_META_DEV_IDX] = { .type = NLA_U32 },
	[NLF_DISK_CONF_DISK_SIZE] = { .type = NLA_U64 },
	[NLF_DISK_CONF_ON_IO_ERROR] = { .type = NLA_U32 },
	[NLF_DISK_CONF_RESYNC_AFTER] = { .type = NLA_U32 },
	[NLF_DISK_CONF_AL_EXTENTS] = { .type = NLA_U32 },
	[NLF_DISK_CONF_DISK_BARRIER] = { .type = NLA_U8 },
	[NLF_DISK_CONF_DISK_FLUSHES] = { .type = NLA_U8 },
	[NLF_DISK_CONF_DISK_DRAIN] = { .type = NLA_U8 },
	[NLF_DISK_CONF_MD_FLUSHES] = { .type = NLA_U8 },
	[NLF_DISK_CONF_DISK_TIMEOUT] = { .type = NLA_U32 },
	[NLF_DISK_CONF_READ_BALANCING] = { .type = NLA_U32 },
	[NLF_DISK_CONF_UNPLUG_WATERMARK] = { .type = NLA_U32 },
	[NLF_DISK_CONF_AL_UPDATES] = { .type = NLA_U8 },
	[NLF_DISK_CONF_DISCARD_ZEROES_IF_ALIGNED] = { .type = NLA_U8 },
	[NLF_DISK_CONF_RS_DISCARD_GRANULARITY] = { .type = NLA_U32 },
	[NLF_DISK_CONF_DISABLE_WRITE_SAME] = { .type = NLA_U8 },
	[NLF_DISK_CONF_D_BITMAP] = { .type = NLA_U8 },
};

static const struct nl_field_info nl_disk_conf_fields[] = {
	{ 1, NL_STRING, offsetof(struct nl_disk_conf, backing_dev), .size = 128,
	  .flags = NL_REQUIRED | NL_INVARIANT },
	{ 2, NL_STRING, offsetof(struct nl_disk_conf, meta_dev), .size = 128,
	  .flags = NL_REQUIRED | NL_INVARIANT },
	{ 3, NL_S32, offsetof(struct nl_disk_conf, meta_dev_idx),
	  .flags = NL_REQUIRED | NL_INVARIANT },
	{ 4, NL_U64, offsetof(struct nl_disk_conf, disk_size),
	  .flags = NL_INVARIANT },
	{ 6, NL_U32, offsetof(struct nl_disk_conf, on_io_error) },
	{ 9, NL_S32, offsetof(struct nl_disk_conf, resync_after) },
	{ 10, NL_U32, offsetof(struct nl_disk_conf, al_extents) },
	{ 16, NL_FLAG, offsetof(struct nl_disk_conf, disk_barrier) },
	{ 17, NL_FLAG, offsetof(struct nl_disk_conf, disk_flushes) },
	{ 18, NL_FLAG, offsetof(struct nl_disk_conf, disk_drain) },
	{ 19, NL_FLAG, offsetof(struct nl_disk_conf, md_flushes) },
	{ 20, NL_U32, offsetof(struct nl_disk_conf, disk_timeout) },
	{ 21, NL_U32, offsetof(struct nl_disk_conf, read_balancing) },
	{ 22, NL_U32, offsetof(struct nl_disk_conf, unplug_watermark) },
	{ 23, NL_FLAG, offsetof(struct nl_disk_conf, al_updates) },
	{ 24, NL_FLAG, offsetof(struct nl_disk_conf, discard_zeroes_if_aligned) },
	{ 25, NL_U32, offsetof(struct nl_disk_conf, rs_discard_granularity) },
	{ 26, NL_FLAG, offsetof(struct nl_disk_conf, disable_write_same) },
	{ 27, NL_FLAG, offsetof(struct nl_disk_conf, d_bitmap) },
};

const struct nl_set_info nl_disk_conf_info = {
	.nr = NLSET_DISK_CONF,
	.max_field = NLF_DISK_CONF_MAX,
	.nested_flag = true,
	.policy = nl_disk_conf_policy,
	.fields = nl_disk_conf_fields,
	.field_count = ARRAY_SIZE(nl_disk_conf_fields),
};

static const struct nla_policy nl_resource_opts_policy[NLF_RESOURCE_OPTS_MAX + 1] = {
	[NLF_RESOURCE_OPTS_CPU_MASK] = { .type = NLA_NUL_STRING, .len = 255 },
	[NLF_RESOURCE_OPTS_ON_NO_DATA] = { .type = NLA_U32 },
	[NLF_RESOURCE_OPTS_AUTO_PROMOTE] = { .type = NLA_U8 },
	[NLF_RESOURCE_OPTS_NODE_ID] = { .type = NLA_U32 },
	[NLF_RESOURCE_OPTS_PEER_ACK_WINDOW] = { .type = NLA_U32 },
	[NLF_RESOURCE_OPTS_TWOPC_TIMEOUT] = { .type = NLA_U32 },
	[NLF_RESOURCE_OPTS_TWOPC_RETRY_TIMEOUT] = { .type = NLA_U32 },
	[NLF_RESOURCE_OPTS_PEER_ACK_DELAY] = { .type = NLA_U32 },
	[NLF_RESOURCE_OPTS_AUTO_PROMOTE_TIMEOUT] = { .type = NLA_U32 },
	[NLF_RESOURCE_OPTS_NR_REQUESTS] = { .type = NLA_U32 },
	[NLF_RESOURCE_OPTS_QUORUM] = { .type = NLA_U32 },
	[NLF_RESOURCE_OPTS_ON_NO_QUORUM] = { .type = NLA_U32 },
	[NLF_RESOURCE_OPTS_QUORUM_MIN_REDUNDANCY] = { .type = NLA_U32 },
	[NLF_RESOURCE_OPTS_ON_SUSP_PRIMARY_OUTDATED] = { .type = NLA_U32 },
	[NLF_RESOURCE_OPTS_DRBD8_COMPAT_MODE] = { .type = NLA_U8 },
	[NLF_RESOURCE_OPTS_EXPLICIT_DRBD8_COMPAT] = { .type = NLA_U8 },
};

static const struct nl_field_info nl_resource_opts_fields[] = {
	{ 1, NL_STRING, offsetof(struct nl_resource_opts, cpu_mask), .size = 256 },
	{ 2, NL_U32, offsetof(struct nl_resource_opts, on_no_data) },
	{ 3, NL_FLAG, offsetof(struct nl_resource_opts, auto_promote) },
	{ 4, NL_U32, offsetof(struct nl_resource_opts, node_id),
	  .flags = NL_REQUIRED | NL_INVARIANT },
	{ 5, NL_U32, offsetof(struct nl_resource_opts, peer_ack_window) },
	{ 6, NL_U32, offsetof(struct nl_resource_opts, twopc_timeout) },
	{ 7, NL_U32, offsetof(struct nl_resource_opts, twopc_retry_timeout) },
	{ 8, NL_U32, offsetof(struct nl_resource_opts, peer_ack_delay) },
	{ 9, NL_U32, offsetof(struct nl_resource_opts, auto_promote_timeout) },
	{ 10, NL_U32, offsetof(struct nl_resource_opts, nr_requests) },
	{ 11, NL_S32, offsetof(struct nl_resource_opts, quorum) },
	{ 12, NL_U32, offsetof(struct nl_resource_opts, on_no_quorum) },
	{ 13, NL_S32, offsetof(struct nl_resource_opts, quorum_min_redundancy) },
	{ 14, NL_U32, offsetof(struct nl_resource_opts, on_susp_primary_outdated) },
	{ 15, NL_FLAG, offsetof(struct nl_resource_opts, drbd8_compat_mode) },
	{ 16, NL_FLAG, offsetof(struct nl_resource_opts, explicit_drbd8_compat) },
};

const struct nl_set_info nl_resource_opts_info = {
	.nr = NLSET_RESOURCE_OPTS,
	.max_field = NLF_RESOURCE_OPTS_MAX,
	.nested_flag = true,
	.policy = nl_resource_opts_policy,
	.fields = nl_resource_opts_fields,
	.field_count = ARRAY_SIZE(nl_resource_opts_fields),
};

static const struct nla_policy nl_net_conf_policy[NLF_NET_CONF_MAX + 1] = {
	[NLF_NET_CONF_SHARED_SECRET] = { .type = NLA_NUL_STRING, .len = 63 },
	[NLF_NET_CONF_CRAM_HMAC_ALG] = { .type = NLA_NUL_STRING, .len = 63 },
	[NLF_NET_CONF_INTEGRITY_ALG] = { .type = NLA_NUL_STRING, .len = 63 },
	[NLF_NET_CONF_VERIFY_ALG] = { .type = NLA_NUL_STRING, .len = 63 },
	[NLF_NET_CONF_CSUMS_ALG] = { .type = NLA_NUL_STRING, .len = 63 },
	[NLF_NET_CONF_WIRE_PROTOCOL] = { .type = NLA_U32 },
	[NLF_NET_CONF_CONNECT_INT] = { .type = NLA_U32 },
	[NLF_NET_CONF_TIMEOUT] = { .type = NLA_U32 },
	[NLF_NET_CONF_PING_INT] = { .type = NLA_U32 },
	[NLF_NET_CONF_PING_TIMEO] = { .type = NLA_U32 },
	[NLF_NET_CONF_SNDBUF_SIZE] = { .type = NLA_U32 },
	[NLF_NET_CONF_RCVBUF_SIZE] = { .type = NLA_U32 },
	[NLF_NET_CONF_KO_COUNT] = { .type = NLA_U32 },
	[NLF_NET_CONF_MAX_EPOCH_SIZE] = { .type = NLA_U32 },
	[NLF_NET_CONF_AFTER_SB_0P] = { .type = NLA_U32 },
	[NLF_NET_CONF_AFTER_SB_1P] = { .type = NLA_U32 },
	[NLF_NET_CONF_AFTER_SB_2P] = { .type = NLA_U32 },
	[NLF_NET_CONF_RR_CONFLICT] = { .type = NLA_U32 },
	[NLF_NET_CONF_ON_CONGESTION] = { .type = NLA_U32 },
	[NLF_NET_CONF_CONG_FILL] = { .type = NLA_U32 },
	[NLF_NET_CONF_CONG_EXTENTS] = { .type = NLA_U32 },
	[NLF_NET_CONF_TWO_PRIMARIES] = { .type = NLA_U8 },
	[NLF_NET_CONF_TCP_CORK] = { .type = NLA_U8 },
	[NLF_NET_CONF_ALWAYS_ASBP] = { .type = NLA_U8 },
	[NLF_NET_CONF_USE_RLE] = { .type = NLA_U8 },
	[NLF_NET_CONF_FENCING_POLICY] = { .type = NLA_U32 },
	[NLF_NET_CONF_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
	[NLF_NET_CONF_CSUMS_AFTER_CRASH_ONLY] = { .type = NLA_U8 },
	[NLF_NET_CONF_SOCK_CHECK_TIMEO] = { .type = NLA_U32 },
	[NLF_NET_CONF_TRANSPORT_NAME] = { .type = NLA_NUL_STRING, .len = 63 },
	[NLF_NET_CONF_MAX_BUFFERS] = { .type = NLA_U32 },
	[NLF_NET_CONF_ALLOW_REMOTE_READ] = { .type = NLA_U8 },
	[NLF_NET_CONF_TLS] = { .type = NLA_U8 },
	[NLF_NET_CONF_TLS_PRIVKEY] = { .type = NLA_U32 },
	[NLF_NET_CONF_TLS_CERTIFICATE] = { .type = NLA_U32 },
	[NLF_NET_CONF_TLS_KEYRING] = { .type = NLA_U32 },
	[NLF_NET_CONF_LOAD_BALANCE_PATHS] = { .type = NLA_U8 },
	[NLF_NET_CONF_RDMA_CTRL_RCVBUF_SIZE] = { .type = NLA_U32 },
	[NLF_NET_CONF_RDMA_CTRL_SNDBUF_SIZE] = { .type = NLA_U32 },
};

static const struct nl_field_info nl_net_conf_fields[] = {
	{ 1, NL_STRING, offsetof(struct nl_net_conf, shared_secret), .size = 64 },
	{ 2, NL_STRING, offsetof(struct nl_net_conf, cram_hmac_alg), .size = 64 },
	{ 3, NL_STRING, offsetof(struct nl_net_conf, integrity_alg), .size = 64 },
	{ 4, NL_STRING, offsetof(struct nl_net_conf, verify_alg), .size = 64 },
	{ 5, NL_STRING, offsetof(struct nl_net_conf, csums_alg), .size = 64 },
	{ 6, NL_U32, offsetof(struct nl_net_conf, wire_protocol) },
	{ 7, NL_U32, offsetof(struct nl_net_conf, connect_int) },
	{ 8, NL_U32, offsetof(struct nl_net_conf, timeout) },
	{ 9, NL_U32, offsetof(struct nl_net_conf, ping_int) },
	{ 10, NL_U32, offsetof(struct nl_net_conf, ping_timeo) },
	{ 11, NL_U32, offsetof(struct nl_net_conf, sndbuf_size) },
	{ 12, NL_U32, offsetof(struct nl_net_conf, rcvbuf_size) },
	{ 13, NL_U32, offsetof(struct nl_net_conf, ko_count) },
	{ 15, NL_U32, offsetof(struct nl_net_conf, max_epoch_size) },
	{ 17, NL_U32, offsetof(struct nl_net_conf, after_sb_0p) },
	{ 18, NL_U32, offsetof(struct nl_net_conf, after_sb_1p) },
	{ 19, NL_U32, offsetof(struct nl_net_conf, after_sb_2p) },
	{ 20, NL_U32, offsetof(struct nl_net_conf, rr_conflict) },
	{ 21, NL_U32, offsetof(struct nl_net_conf, on_congestion) },
	{ 22, NL_U32, offsetof(struct nl_net_conf, cong_fill) },
	{ 23, NL_U32, offsetof(struct nl_net_conf, cong_extents) },
	{ 24, NL_FLAG, offsetof(struct nl_net_conf, two_primaries) },
	{ 26, NL_FLAG, offsetof(struct nl_net_conf, tcp_cork) },
	{ 27, NL_FLAG, offsetof(struct nl_net_conf, always_asbp) },
	{ 29, NL_FLAG, offsetof(struct nl_net_conf, use_rle) },
	{ 30, NL_U32, offsetof(struct nl_net_conf, fencing_policy) },
	{ 31, NL_STRING, offsetof(struct nl_net_conf, name), .size = 64 },
	{ 33, NL_FLAG, offsetof(struct nl_net_conf, csums_after_crash_only) },
	{ 34, NL_U32, offsetof(struct nl_net_conf, sock_check_timeo) },
	{ 35, NL_STRING, offsetof(struct nl_net_conf, transport_name), .size = 64,
	  .flags = NL_INVARIANT },
	{ 36, NL_U32, offsetof(struct nl_net_conf, max_buffers) },
	{ 37, NL_FLAG, offsetof(struct nl_net_conf, allow_remote_read) },
	{ 38, NL_FLAG, offsetof(struct nl_net_conf, tls) },
	{ 39, NL_S32, offsetof(struct nl_net_conf, tls_privkey) },
	{ 40, NL_S32, offsetof(struct nl_net_conf, tls_certificate) },
	{ 41, NL_S32, offsetof(struct nl_net_conf, tls_keyring) },
	{ 42, NL_FLAG, offsetof(struct nl_net_conf, load_balance_paths),
	  .flags = NL_INVARIANT },
	{ 43, NL_U32, offsetof(struct nl_net_conf, rdma_ctrl_rcvbuf_size) },
	{ 44, NL_U32, offsetof(struct nl_net_conf, rdma_ctrl_sndbuf_size) },
};

const struct nl_set_info nl_net_conf_info = {
	.nr = NLSET_NET_CONF,
	.max_field = NLF_NET_CONF_MAX,
	.nested_flag = true,
	.policy = nl_net_conf_policy,
	.fields = nl_net_conf_fields,
	.field_count = ARRAY_SIZE(nl_net_conf_fields),
};

static const struct nla_policy nl_set_role_parms_policy[NLF_SET_ROLE_PARMS_MAX + 1] = {
	[NLF_SET_ROLE_PARMS_FORCE] = { .type = NLA_U8 },
};

static const struct nl_field_info nl_set_role_parms_fields[] = {
	{ 1, NL_FLAG, offsetof(struct nl_set_role_parms, force) },
};

const struct nl_set_info nl_set_role_parms_info = {
	.nr = NLSET_SET_ROLE_PARMS,
	.max_field = NLF_SET_ROLE_PARMS_MAX,
	.nested_flag = true,
	.policy = nl_set_role_parms_policy,
	.fields = nl_set_role_parms_fields,
	.field_count = ARRAY_SIZE(nl_set_role_parms_fields),
};

static const struct nla_policy nl_resize_parms_policy[NLF_RESIZE_PARMS_MAX + 1] = {
	[NLF_RESIZE_PARMS_RESIZE_SIZE] = { .type = NLA_U64 },
	[NLF_RESIZE_PARMS_RESIZE_FORCE] = { .type = NLA_U8 },
	[NLF_RESIZE_PARMS_NO_RESYNC] = { .type = NLA_U8 },
	[NLF_RESIZE_PARMS_AL_STRIPES] = { .type = NLA_U32 },
	[NLF_RESIZE_PARMS_AL_STRIPE_SIZE] = { .type = NLA_U32 },
};

static const struct nl_field_info nl_resize_parms_fields[] = {
	{ 1, NL_U64, offsetof(struct nl_resize_parms, resize_size) },
	{ 2, NL_FLAG, offsetof(struct nl_resize_parms, resize_force) },
	{ 3, NL_FLAG, offsetof(struct nl_resize_parms, no_resync) },
	{ 4, NL_U32, offsetof(struct nl_resize_parms, al_stripes) },
	{ 5, NL_U32, offsetof(struct nl_resize_parms, al_stripe_size) },
};

const struct nl_set_info nl_resize_parms_info = {
	.nr = NLSET_RESIZE_PARMS,
	.max_field = NLF_RESIZE_PARMS_MAX,
	.nested_flag = true,
	.policy = nl_resize_parms_policy,
	.fields = nl_resize_parms_fields,
	.field_count = ARRAY_SIZE(nl_resize_parms_fields),
};

static const struct nla_policy nl_start_ov_parms_policy[NLF_START_OV_PARMS_MAX + 1] = {
	[NLF_START_OV_PARMS_OV_START_SECTOR] = { .type = NLA_U64 },
	[NLF_START_OV_PARMS_OV_STOP_SECTOR] = { .type = NLA_U64 },
	[NLF_START_OV_PARMS_OV_REPAIR] = { .type = NLA_U8 },
};

static const struct nl_field_info nl_start_ov_parms_fields[] = {
	{ 1, NL_U64, offsetof(struct nl_start_ov_parms, ov_start_sector) },
	{ 2, NL_U64, offsetof(struct nl_start_ov_parms, ov_stop_sector) },
	{ 31, NL_FLAG, offsetof(struct nl_start_ov_parms, ov_repair) },
};

const struct nl_set_info nl_start_ov_parms_info = {
	.nr = NLSET_START_OV_PARMS,
	.max_field = NLF_START_OV_PARMS_MAX,
	.nested_flag = true,
	.policy = nl_start_ov_parms_policy,
	.fields = nl_start_ov_parms_fields,
	.field_count = ARRAY_SIZE(nl_start_ov_parms_fields),
};

static const struct nla_policy nl_new_c_uuid_parms_policy[NLF_NEW_C_UUID_PARMS_MAX + 1] = {
	[NLF_NEW_C_UUID_PARMS_CLEAR_BM] = { .type = NLA_U8 },
	[NLF_NEW_C_UUID_PARMS_FORCE_RESYNC] = { .type = NLA_U8 },
};

static const struct nl_field_info nl_new_c_uuid_parms_fields[] = {
	{ 1, NL_FLAG, offsetof(struct nl_new_c_uuid_parms, clear_bm) },
	{ 2, NL_FLAG, offsetof(struct nl_new_c_uuid_parms, force_resync) },
};

const struct nl_set_info nl_new_c_uuid_parms_info = {
	.nr = NLSET_NEW_C_UUID_PARMS,
	.max_field = NLF_NEW_C_UUID_PARMS_MAX,
	.nested_flag = true,
	.policy = nl_new_c_uuid_parms_policy,
	.fields = nl_new_c_uuid_parms_fields,
	.field_count = ARRAY_SIZE(nl_new_c_uuid_parms_fields),
};

static const struct nla_policy nl_timeout_parms_policy[NLF_TIMEOUT_PARMS_MAX + 1] = {
	[NLF_TIMEOUT_PARMS_TIMEOUT_TYPE] = { .type = NLA_U32 },
};

static const struct nl_field_info nl_timeout_parms_fields[] = {
	{ 1, NL_U32, offsetof(struct nl_timeout_parms, timeout_type),
	  .flags = NL_REQUIRED },
};

const struct nl_set_info nl_timeout_parms_info = {
	.nr = NLSET_TIMEOUT_PARMS,
	.max_field = NLF_TIMEOUT_PARMS_MAX,
	.nested_flag = true,
	.policy = nl_timeout_parms_policy,
	.fields = nl_timeout_parms_fields,
	.field_count = ARRAY_SIZE(nl_timeout_parms_fields),
};

static const struct nla_policy nl_disconnect_parms_policy[NLF_DISCONNECT_PARMS_MAX + 1] = {
	[NLF_DISCONNECT_PARMS_FORCE_DISCONNECT] = { .type = NLA_U8 },
};

static const struct nl_field_info nl_disconnect_parms_fields[] = {
	{ 1, NL_FLAG, offsetof(struct nl_disconnect_parms, force_disconnect) },
};

const struct nl_set_info nl_disconnect_parms_info = {
	.nr = NLSET_DISCONNECT_PARMS,
	.max_field = NLF_DISCONNECT_PARMS_MAX,
	.nested_flag = true,
	.policy = nl_disconnect_parms_policy,
	.fields = nl_disconnect_parms_fields,
	.field_count = ARRAY_SIZE(nl_disconnect_parms_fields),
};

static const struct nla_policy nl_detach_parms_policy[NLF_DETACH_PARMS_MAX + 1] = {
	[NLF_DETACH_PARMS_FORCE_DETACH] = { .type = NLA_U8 },
	[NLF_DETACH_PARMS_INTENTIONAL_DISKLESS_DETACH] = { .type = NLA_U8 },
};

static const struct nl_field_info nl_detach_parms_fields[] = {
	{ 1, NL_FLAG, offsetof(struct nl_detach_parms, force_detach) },
	{ 2, NL_FLAG, offsetof(struct nl_detach_parms, intentional_diskless_detach) },
};

const struct nl_set_info nl_detach_parms_info = {
	.nr = NLSET_DETACH_PARMS,
	.max_field = NLF_DETACH_PARMS_MAX,
	.nested_flag = true,
	.policy = nl_detach_parms_policy,
	.fields = nl_detach_parms_fields,
	.field_count = ARRAY_SIZE(nl_detach_parms_fields),
};

static const struct nla_policy nl_device_conf_policy[NLF_DEVICE_CONF_MAX + 1] = {
	[NLF_DEVICE_CONF_MAX_BIO_SIZE] = { .type = NLA_U32 },
	[NLF_DEVICE_CONF_INTENTIONAL_DISKLESS] = { .type = NLA_U8 },
	[NLF_DEVICE_CONF_BLOCK_SIZE] = { .type = NLA_U32 },
	[NLF_DEVICE_CONF_DISCARD_GRANULARITY] = { .type = NLA_U32 },
};

static const struct nl_field_info nl_device_conf_fields[] = {
	{ 1, NL_U32, offsetof(struct nl_device_conf, max_bio_size),
	  .flags = NL_INVARIANT },
	{ 2, NL_FLAG, offsetof(struct nl_device_conf, intentional_diskless) },
	{ 3, NL_U32, offsetof(struct nl_device_conf, block_size) },
	{ 4, NL_U32, offsetof(struct nl_device_conf, discard_granularity) },
};

const struct nl_set_info nl_device_conf_info = {
	.nr = NLSET_DEVICE_CONF,
	.max_field = NLF_DEVICE_CONF_MAX,
	.nested_flag = true,
	.policy = nl_device_conf_policy,
	.fields = nl_device_conf_fields,
	.field_count = ARRAY_SIZE(nl_device_conf_fields),
};

static const struct nla_policy nl_resource_info_policy[NLF_RESOURCE_INFO_MAX + 1] = {
	[NLF_RESOURCE_INFO_RES_ROLE] = { .type = NLA_U32 },
	[NLF_RESOURCE_INFO_RES_SUSP] = { .type = NLA_U8 },
	[NLF_RESOURCE_INFO_RES_SUSP_NOD] = { .type = NLA_U8 },
	[NLF_RESOURCE_INFO_RES_SUSP_FEN] = { .type = NLA_U8 },
	[NLF_RESOURCE_INFO_RES_SUSP_QUORUM] = { .type = NLA_U8 },
	[NLF_RESOURCE_INFO_RES_FAIL_IO] = { .type = NLA_U8 },
};

static const struct nl_field_info nl_resource_info_fields[] = {
	{ 1, NL_U32, offsetof(struct nl_resource_info, res_role) },
	{ 2, NL_FLAG, offsetof(struct nl_resource_info, res_susp) },
	{ 3, NL_FLAG, offsetof(struct nl_resource_info, res_susp_nod) },
	{ 4, NL_FLAG, offsetof(struct nl_resource_info, res_susp_fen) },
	{ 5, NL_FLAG, offsetof(struct nl_resource_info, res_susp_quorum) },
	{ 6, NL_FLAG, offsetof(struct nl_resource_info, res_fail_io) },
};

const struct nl_set_info nl_resource_info_info = {
	.nr = NLSET_RESOURCE_INFO,
	.max_field = NLF_RESOURCE_INFO_MAX,
	.nested_flag = true,
	.policy = nl_resource_info_policy,
	.fields = nl_resource_info_fields,
	.field_count = ARRAY_SIZE(nl_resource_info_fields),
};

static const struct nla_policy nl_device_info_policy[NLF_DEVICE_INFO_MAX + 1] = {
	[NLF_DEVICE_INFO_DEV_DISK_STATE] = { .type = NLA_U32 },
	[NLF_DEVICE_INFO_IS_INTENTIONAL_DISKLESS] = { .type = NLA_U8 },
	[NLF_DEVICE_INFO_DEV_HAS_QUORUM] = { .type = NLA_U8 },
	[NLF_DEVICE_INFO_DEV_IS_OPEN] = { .type = NLA_U8 },
	[NLF_DEVICE_INFO_BACKING_DEV_PATH] = { .type = NLA_NUL_STRING, .len = 127 },
};

static const struct nl_field_info nl_device_info_fields[] = {
	{ 1, NL_U32, offsetof(struct nl_device_info, dev_disk_state) },
	{ 2, NL_FLAG, offsetof(struct nl_device_info, is_intentional_diskless) },
	{ 3, NL_FLAG, offsetof(struct nl_device_info, dev_has_quorum) },
	{ 5, NL_FLAG, offsetof(struct nl_device_info, dev_is_open) },
	{ 4, NL_STRING, offsetof(struct nl_device_info, backing_dev_path), .size = 128 },
};

const struct nl_set_info nl_device_info_info = {
	.nr = NLSET_DEVICE_INFO,
	.max_field = NLF_DEVICE_INFO_MAX,
	.nested_flag = true,
	.policy = nl_device_info_policy,
	.fields = nl_device_info_fields,
	.field_count = ARRAY_SIZE(nl_device_info_fields),
};

static const struct nla_policy nl_connection_info_policy[NLF_CONNECTION_INFO_MAX + 1] = {
	[NLF_CONNECTION_INFO_CONN_CONNECTION_STATE] = { .type = NLA_U32 },
	[NLF_CONNECTION_INFO_CONN_ROLE] = { .type = NLA_U32 },
};

static const struct nl_field_info nl_connection_info_fields[] = {
	{ 1, NL_U32, offsetof(struct nl_connection_info, conn_connection_state) },
	{ 2, NL_U32, offsetof(struct nl_connection_info, conn_role) },
};

const struct nl_set_info nl_connection_info_info = {
	.nr = NLSET_CONNECTION_INFO,
	.max_field = NLF_CONNECTION_INFO_MAX,
	.nested_flag = true,
	.policy = nl_connection_info_policy,
	.fields = nl_connection_info_fields,
	.field_count = ARRAY_SIZE(nl_connection_info_fields),
};

static const struct nla_policy nl_peer_device_info_policy[NLF_PEER_DEVICE_INFO_MAX + 1] = {
	[NLF_PEER_DEVICE_INFO_PEER_REPL_STATE] = { .type = NLA_U32 },
	[NLF_PEER_DEVICE_INFO_PEER_DISK_STATE] = { .type = NLA_U32 },
	[NLF_PEER_DEVICE_INFO_PEER_RESYNC_SUSP_USER] = { .type = NLA_U32 },
	[NLF_PEER_DEVICE_INFO_PEER_RESYNC_SUSP_PEER] = { .type = NLA_U32 },
	[NLF_PEER_DEVICE_INFO_PEER_RESYNC_SUSP_DEPENDENCY] = { .type = NLA_U32 },
	[NLF_PEER_DEVICE_INFO_PEER_IS_INTENTIONAL_DISKLESS] = { .type = NLA_U8 },
	[NLF_PEER_DEVICE_INFO_PEER_RESYNC_SUSP_MAX_PARALLEL] = { .type = NLA_U32 },
};

static const struct nl_field_info nl_peer_device_info_fields[] = {
	{ 1, NL_U32, offsetof(struct nl_peer_device_info, peer_repl_state) },
	{ 2, NL_U32, offsetof(struct nl_peer_device_info, peer_disk_state) },
	{ 3, NL_U32, offsetof(struct nl_peer_device_info, peer_resync_susp_user) },
	{ 4, NL_U32, offsetof(struct nl_peer_device_info, peer_resync_susp_peer) },
	{ 5, NL_U32, offsetof(struct nl_peer_device_info, peer_resync_susp_dependency) },
	{ 6, NL_FLAG, offsetof(struct nl_peer_device_info, peer_is_intentional_diskless) },
	{ 7, NL_U32, offsetof(struct nl_peer_device_info, peer_resync_susp_max_parallel) },
};

const struct nl_set_info nl_peer_device_info_info = {
	.nr = NLSET_PEER_DEVICE_INFO,
	.max_field = NLF_PEER_DEVICE_INFO_MAX,
	.nested_flag = true,
	.policy = nl_peer_device_info_policy,
	.fields = nl_peer_device_info_fields,
	.field_count = ARRAY_SIZE(nl_peer_device_info_fields),
};

static const struct nla_policy nl_resource_statistics_policy[NLF_RESOURCE_STATISTICS_MAX + 1] = {
	[NLF_RESOURCE_STATISTICS_RES_STAT_WRITE_ORDERING] = { .type = NLA_U32 },
};

static const struct nl_field_info nl_resource_statistics_fields[] = {
	{ 1, NL_U32, offsetof(struct nl_resource_statistics, res_stat_write_ordering) },
};

const struct nl_set_info nl_resource_statistics_info = {
	.nr = NLSET_RESOURCE_STATISTICS,
	.max_field = NLF_RESOURCE_STATISTICS_MAX,
	.nested_flag = true,
	.policy = nl_resource_statistics_policy,
	.fields = nl_resource_statistics_fields,
	.field_count = ARRAY_SIZE(nl_resource_statistics_fields),
};

static const struct nla_policy nl_device_statistics_policy[NLF_DEVICE_STATISTICS_MAX + 1] = {
	[NLF_DEVICE_STATISTICS_DEV_SIZE] = { .type = NLA_U64 },
	[NLF_DEVICE_STATISTICS_DEV_READ] = { .type = NLA_U64 },
	[NLF_DEVICE_STATISTICS_DEV_WRITE] = { .type = NLA_U64 },
	[NLF_DEVICE_STATISTICS_DEV_AL_WRITES] = { .type = NLA_U64 },
	[NLF_DEVICE_STATISTICS_DEV_BM_WRITES] = { .type = NLA_U64 },
	[NLF_DEVICE_STATISTICS_DEV_UPPER_PENDING] = { .type = NLA_U32 },
	[NLF_DEVICE_STATISTICS_DEV_LOWER_PENDING] = { .type = NLA_U32 },
	[NLF_DEVICE_STATISTICS_DEV_UPPER_BLOCKED] = { .type = NLA_U8 },
	[NLF_DEVICE_STATISTICS_DEV_LOWER_BLOCKED] = { .type = NLA_U8 },
	[NLF_DEVICE_STATISTICS_DEV_AL_SUSPENDED] = { .type = NLA_U8 },
	[NLF_DEVICE_STATISTICS_DEV_EXPOSED_DATA_UUID] = { .type = NLA_U64 },
	[NLF_DEVICE_STATISTICS_DEV_CURRENT_UUID] = { .type = NLA_U64 },
	[NLF_DEVICE_STATISTICS_DEV_DISK_FLAGS] = { .type = NLA_U32 },
	[NLF_DEVICE_STATISTICS_HISTORY_UUIDS] = { .type = NLA_BINARY, .len = 256 },
};

static const struct nl_field_info nl_device_statistics_fields[] = {
	{ 1, NL_U64, offsetof(struct nl_device_statistics, dev_size) },
	{ 2, NL_U64, offsetof(struct nl_device_statistics, dev_read) },
	{ 3, NL_U64, offsetof(struct nl_device_statistics, dev_write) },
	{ 4, NL_U64, offsetof(struct nl_device_statistics, dev_al_writes) },
	{ 5, NL_U64, offsetof(struct nl_device_statistics, dev_bm_writes) },
	{ 6, NL_U32, offsetof(struct nl_device_statistics, dev_upper_pending) },
	{ 7, NL_U32, offsetof(struct nl_device_statistics, dev_lower_pending) },
	{ 8, NL_FLAG, offsetof(struct nl_device_statistics, dev_upper_blocked) },
	{ 9, NL_FLAG, offsetof(struct nl_device_statistics, dev_lower_blocked) },
	{ 10, NL_FLAG, offsetof(struct nl_device_statistics, dev_al_suspended) },
	{ 11, NL_U64, offsetof(struct nl_device_statistics, dev_exposed_data_uuid) },
	{ 12, NL_U64, offsetof(struct nl_device_statistics, dev_current_uuid) },
	{ 13, NL_U32, offsetof(struct nl_device_statistics, dev_disk_flags) },
	{ 14, NL_BINARY, offsetof(struct nl_device_statistics, history_uuids), .size = 256,
	  .len_offset = offsetof(struct nl_device_statistics, history_uuids_len) },
};

const struct nl_set_info nl_device_statistics_info = {
	.nr = NLSET_DEVICE_STATISTICS,
	.max_field = NLF_DEVICE_STATISTICS_MAX,
	.nested_flag = true,
	.policy = nl_device_statistics_policy,
	.fields = nl_device_statistics_fields,
	.field_count = ARRAY_SIZE(nl_device_statistics_fields),
};

static const struct nla_policy nl_connection_statistics_policy[NLF_CONNECTION_STATISTICS_MAX + 1] = {
	[NLF_CONNECTION_STATISTICS_CONN_CONGESTED] = { .type = NLA_U8 },
	[NLF_CONNECTION_STATISTICS_AP_IN_FLIGHT] = { .type = NLA_U64 },
	[NLF_CONNECTION_STATISTICS_RS_IN_FLIGHT] = { .type = NLA_U64 },
};

static const struct nl_field_info nl_connection_statistics_fields[] = {
	{ 1, NL_FLAG, offsetof(struct nl_connection_statistics, conn_congested) },
	{ 2, NL_U64, offsetof(struct nl_connection_statistics, ap_in_flight) },
	{ 3, NL_U64, offsetof(struct nl_connection_statistics, rs_in_flight) },
};

const struct nl_set_info nl_connection_statistics_info = {
	.nr = NLSET_CONNECTION_STATISTICS,
	.max_field = NLF_CONNECTION_STATISTICS_MAX,
	.nested_flag = true,
	.policy = nl_connection_statistics_policy,
	.fields = nl_connection_statistics_fields,
	.field_count = ARRAY_SIZE(nl_connection_statistics_fields),
};

static const struct nla_policy nl_peer_device_statistics_policy[NLF_PEER_DEVICE_STATISTICS_MAX + 1] = {
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RECEIVED] = { .type = NLA_U64 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_SENT] = { .type = NLA_U64 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_PENDING] = { .type = NLA_U32 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_UNACKED] = { .type = NLA_U32 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_OUT_OF_SYNC] = { .type = NLA_U64 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RESYNC_FAILED] = { .type = NLA_U64 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_BITMAP_UUID] = { .type = NLA_U64 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_FLAGS] = { .type = NLA_U32 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RS_TOTAL] = { .type = NLA_U64 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_OV_START_SECTOR] = { .type = NLA_U64 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_OV_STOP_SECTOR] = { .type = NLA_U64 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_OV_POSITION] = { .type = NLA_U64 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_OV_LEFT] = { .type = NLA_U64 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_OV_SKIPPED] = { .type = NLA_U64 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RS_SAME_CSUM] = { .type = NLA_U64 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RS_DT_START_MS] = { .type = NLA_U64 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RS_PAUSED_MS] = { .type = NLA_U64 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RS_DT0_MS] = { .type = NLA_U64 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RS_DB0_SECTORS] = { .type = NLA_U64 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RS_DT1_MS] = { .type = NLA_U64 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RS_DB1_SECTORS] = { .type = NLA_U64 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RS_C_SYNC_RATE] = { .type = NLA_U32 },
	[NLF_PEER_DEVICE_STATISTICS_PEER_DEV_UUID_FLAGS] = { .type = NLA_U64 },
};

static const struct nl_field_info nl_peer_device_statistics_fields[] = {
	{ 1, NL_U64, offsetof(struct nl_peer_device_statistics, peer_dev_received) },
	{ 2, NL_U64, offsetof(struct nl_peer_device_statistics, peer_dev_sent) },
	{ 3, NL_U32, offsetof(struct nl_peer_device_statistics, peer_dev_pending) },
	{ 4, NL_U32, offsetof(struct nl_peer_device_statistics, peer_dev_unacked) },
	{ 5, NL_U64, offsetof(struct nl_peer_device_statistics, peer_dev_out_of_sync) },
	{ 6, NL_U64, offsetof(struct nl_peer_device_statistics, peer_dev_resync_failed) },
	{ 7, NL_U64, offsetof(struct nl_peer_device_statistics, peer_dev_bitmap_uuid) },
	{ 9, NL_U32, offsetof(struct nl_peer_device_statistics, peer_dev_flags) },
	{ 10, NL_U64, offsetof(struct nl_peer_device_statistics, peer_dev_rs_total) },
	{ 11, NL_U64, offsetof(struct nl_peer_device_statistics, peer_dev_ov_start_sector) },
	{ 12, NL_U64, offsetof(struct nl_peer_device_statistics, peer_dev_ov_stop_sector) },
	{ 13, NL_U64, offsetof(struct nl_peer_device_statistics, peer_dev_ov_position) },
	{ 14, NL_U64, offsetof(struct nl_peer_device_statistics, peer_dev_ov_left) },
	{ 15, NL_U64, offsetof(struct nl_peer_device_statistics, peer_dev_ov_skipped) },
	{ 16, NL_U64, offsetof(struct nl_peer_device_statistics, peer_dev_rs_same_csum) },
	{ 17, NL_U64, offsetof(struct nl_peer_device_statistics, peer_dev_rs_dt_start_ms) },
	{ 18, NL_U64, offsetof(struct nl_peer_device_statistics, peer_dev_rs_paused_ms) },
	{ 19, NL_U64, offsetof(struct nl_peer_device_statistics, peer_dev_rs_dt0_ms) },
	{ 20, NL_U64, offsetof(struct nl_peer_device_statistics, peer_dev_rs_db0_sectors) },
	{ 21, NL_U64, offsetof(struct nl_peer_device_statistics, peer_dev_rs_dt1_ms) },
	{ 22, NL_U64, offsetof(struct nl_peer_device_statistics, peer_dev_rs_db1_sectors) },
	{ 23, NL_U32, offsetof(struct nl_peer_device_statistics, peer_dev_rs_c_sync_rate) },
	{ 24, NL_U64, offsetof(struct nl_peer_device_statistics, peer_dev_uuid_flags) },
};

const struct nl_set_info nl_peer_device_statistics_info = {
	.nr = NLSET_PEER_DEVICE_STATISTICS,
	.max_field = NLF_PEER_DEVICE_STATISTICS_MAX,
	.nested_flag = true,
	.policy = nl_peer_device_statistics_policy,
	.fields = nl_peer_device_statistics_fields,
	.field_count = ARRAY_SIZE(nl_peer_device_statistics_fields),
};

static const struct nla_policy nl_notification_header_policy[NLF_NOTIFICATION_HEADER_MAX + 1] = {
	[NLF_NOTIFICATION_HEADER_NH_TYPE] = { .type = NLA_U32 },
};

static const struct nl_field_info nl_notification_header_fields[] = {
	{ 1, NL_U32, offsetof(struct nl_notification_header, nh_type) },
};

const struct nl_set_info nl_notification_header_info = {
	.nr = NLSET_NOTIFICATION_HEADER,
	.max_field = NLF_NOTIFICATION_HEADER_MAX,
	.nested_flag = true,
	.policy = nl_notification_header_policy,
	.fields = nl_notification_header_fields,
	.field_count = ARRAY_SIZE(nl_notification_header_fields),
};

static const struct nla_policy nl_helper_info_policy[NLF_HELPER_INFO_MAX + 1] = {
	[NLF_HELPER_INFO_HELPER_NAME] = { .type = NLA_NUL_STRING, .len = 31 },
	[NLF_HELPER_INFO_HELPER_STATUS] = { .type = NLA_U32 },
};

static const struct nl_field_info nl_helper_info_fields[] = {
	{ 1, NL_STRING, offsetof(struct nl_helper_info, helper_name), .size = 32 },
	{ 2, NL_U32, offsetof(struct nl_helper_info, helper_status) },
};

const struct nl_set_info nl_helper_info_info = {
	.nr = NLSET_HELPER_INFO,
	.max_field = NLF_HELPER_INFO_MAX,
	.nested_flag = true,
	.policy = nl_helper_info_policy,
	.fields = nl_helper_info_fields,
	.field_count = ARRAY_SIZE(nl_helper_info_fields),
};

static const struct nla_policy nl_invalidate_parms_policy[NLF_INVALIDATE_PARMS_MAX + 1] = {
	[NLF_INVALIDATE_PARMS_SYNC_FROM_PEER_NODE_ID] = { .type = NLA_U32 },
	[NLF_INVALIDATE_PARMS_RESET_BITMAP] = { .type = NLA_U8 },
};

static const struct nl_field_info nl_invalidate_parms_fields[] = {
	{ 1, NL_S32, offsetof(struct nl_invalidate_parms, sync_from_peer_node_id) },
	{ 2, NL_FLAG, offsetof(struct nl_invalidate_parms, reset_bitmap) },
};

const struct nl_set_info nl_invalidate_parms_info = {
	.nr = NLSET_INVALIDATE_PARMS,
	.max_field = NLF_INVALIDATE_PARMS_MAX,
	.nested_flag = true,
	.policy = nl_invalidate_parms_policy,
	.fields = nl_invalidate_parms_fields,
	.field_count = ARRAY_SIZE(nl_invalidate_parms_fields),
};

static const struct nla_policy nl_forget_peer_parms_policy[NLF_FORGET_PEER_PARMS_MAX + 1] = {
	[NLF_FORGET_PEER_PARMS_FORGET_PEER_NODE_ID] = { .type = NLA_U32 },
};

static const struct nl_field_info nl_forget_peer_parms_fields[] = {
	{ 1, NL_S32, offsetof(struct nl_forget_peer_parms, forget_peer_node_id) },
};

const struct nl_set_info nl_forget_peer_parms_info = {
	.nr = NLSET_FORGET_PEER_PARMS,
	.max_field = NLF_FORGET_PEER_PARMS_MAX,
	.nested_flag = true,
	.policy = nl_forget_peer_parms_policy,
	.fields = nl_forget_peer_parms_fields,
	.field_count = ARRAY_SIZE(nl_forget_peer_parms_fields),
};

static const struct nla_policy nl_peer_device_opts_policy[NLF_PEER_DEVICE_OPTS_MAX + 1] = {
	[NLF_PEER_DEVICE_OPTS_RESYNC_RATE] = { .type = NLA_U32 },
	[NLF_PEER_DEVICE_OPTS_C_PLAN_AHEAD] = { .type = NLA_U32 },
	[NLF_PEER_DEVICE_OPTS_C_DELAY_TARGET] = { .type = NLA_U32 },
	[NLF_PEER_DEVICE_OPTS_C_FILL_TARGET] = { .type = NLA_U32 },
	[NLF_PEER_DEVICE_OPTS_C_MAX_RATE] = { .type = NLA_U32 },
	[NLF_PEER_DEVICE_OPTS_C_MIN_RATE] = { .type = NLA_U32 },
	[NLF_PEER_DEVICE_OPTS_BITMAP] = { .type = NLA_U8 },
	[NLF_PEER_DEVICE_OPTS_RESYNC_WITHOUT_REPLICATION] = { .type = NLA_U8 },
	[NLF_PEER_DEVICE_OPTS_PEER_TIEBREAKER] = { .type = NLA_U8 },
};

static const struct nl_field_info nl_peer_device_opts_fields[] = {
	{ 1, NL_U32, offsetof(struct nl_peer_device_opts, resync_rate) },
	{ 2, NL_U32, offsetof(struct nl_peer_device_opts, c_plan_ahead) },
	{ 3, NL_U32, offsetof(struct nl_peer_device_opts, c_delay_target) },
	{ 4, NL_U32, offsetof(struct nl_peer_device_opts, c_fill_target) },
	{ 5, NL_U32, offsetof(struct nl_peer_device_opts, c_max_rate) },
	{ 6, NL_U32, offsetof(struct nl_peer_device_opts, c_min_rate) },
	{ 7, NL_FLAG, offsetof(struct nl_peer_device_opts, bitmap) },
	{ 8, NL_FLAG, offsetof(struct nl_peer_device_opts, resync_without_replication) },
	{ 9, NL_FLAG, offsetof(struct nl_peer_device_opts, peer_tiebreaker) },
};

const struct nl_set_info nl_peer_device_opts_info = {
	.nr = NLSET_PEER_DEVICE_OPTS,
	.max_field = NLF_PEER_DEVICE_OPTS_MAX,
	.nested_flag = true,
	.policy = nl_peer_device_opts_policy,
	.fields = nl_peer_device_opts_fields,
	.field_count = ARRAY_SIZE(nl_peer_device_opts_fields),
};

static const struct nla_policy nl_path_parms_policy[NLF_PATH_PARMS_MAX + 1] = {
	[NLF_PATH_PARMS_MY_ADDR] = { .type = NLA_BINARY, .len = 128 },
	[NLF_PATH_PARMS_PEER_ADDR] = { .type = NLA_BINARY, .len = 128 },
};

static const struct nl_field_info nl_path_parms_fields[] = {
	{ 1, NL_BINARY, offsetof(struct nl_path_parms, my_addr), .size = 128,
	  .len_offset = offsetof(struct nl_path_parms, my_addr_len),
	  .flags = NL_REQUIRED },
	{ 2, NL_BINARY, offsetof(struct nl_path_parms, peer_addr), .size = 128,
	  .len_offset = offsetof(struct nl_path_parms, peer_addr_len),
	  .flags = NL_REQUIRED },
};

const struct nl_set_info nl_path_parms_info = {
	.nr = NLSET_PATH_PARMS,
	.max_field = NLF_PATH_PARMS_MAX,
	.nested_flag = true,
	.policy = nl_path_parms_policy,
	.fields = nl_path_parms_fields,
	.field_count = ARRAY_SIZE(nl_path_parms_fields),
};

static const struct nla_policy nl_connect_parms_policy[NLF_CONNECT_PARMS_MAX + 1] = {
	[NLF_CONNECT_PARMS_TENTATIVE] = { .type = NLA_U8 },
	[NLF_CONNECT_PARMS_DISCARD_MY_DATA] = { .type = NLA_U8 },
};

static const struct nl_field_info nl_connect_parms_fields[] = {
	{ 1, NL_FLAG, offsetof(struct nl_connect_parms, tentative) },
	{ 2, NL_FLAG, offsetof(struct nl_connect_parms, discard_my_data) },
};

const struct nl_set_info nl_connect_parms_info = {
	.nr = NLSET_CONNECT_PARMS,
	.max_field = NLF_CONNECT_PARMS_MAX,
	.nested_flag = true,
	.policy = nl_connect_parms_policy,
	.fields = nl_connect_parms_fields,
	.field_count = ARRAY_SIZE(nl_connect_parms_fields),
};

static const struct nla_policy nl_path_info_policy[NLF_PATH_INFO_MAX + 1] = {
	[NLF_PATH_INFO_PATH_ESTABLISHED] = { .type = NLA_U8 },
};

static const struct nl_field_info nl_path_info_fields[] = {
	{ 1, NL_FLAG, offsetof(struct nl_path_info, path_established) },
};

const struct nl_set_info nl_path_info_info = {
	.nr = NLSET_PATH_INFO,
	.max_field = NLF_PATH_INFO_MAX,
	.nested_flag = true,
	.policy = nl_path_info_policy,
	.fields = nl_path_info_fields,
	.field_count = ARRAY_SIZE(nl_path_info_fields),
};

static const struct nla_policy nl_rename_resource_parms_policy[NLF_RENAME_RESOURCE_PARMS_MAX + 1] = {
	[NLF_RENAME_RESOURCE_PARMS_NEW_RESOURCE_NAME] = { .type = NLA_NUL_STRING, .len = 127 },
};

static const struct nl_field_info nl_rename_resource_parms_fields[] = {
	{ 1, NL_STRING, offsetof(struct nl_rename_resource_parms, new_resource_name), .size = 128,
	  .flags = NL_REQUIRED },
};

const struct nl_set_info nl_rename_resource_parms_info = {
	.nr = NLSET_RENAME_RESOURCE_PARMS,
	.max_field = NLF_RENAME_RESOURCE_PARMS_MAX,
	.nested_flag = true,
	.policy = nl_rename_resource_parms_policy,
	.fields = nl_rename_resource_parms_fields,
	.field_count = ARRAY_SIZE(nl_rename_resource_parms_fields),
};

static const struct nla_policy nl_rename_resource_info_policy[NLF_RENAME_RESOURCE_INFO_MAX + 1] = {
	[NLF_RENAME_RESOURCE_INFO_RES_NEW_NAME] = { .type = NLA_NUL_STRING, .len = 127 },
};

static const struct nl_field_info nl_rename_resource_info_fields[] = {
	{ 1, NL_STRING, offsetof(struct nl_rename_resource_info, res_new_name), .size = 128 },
};

const struct nl_set_info nl_rename_resource_info_info = {
	.nr = NLSET_RENAME_RESOURCE_INFO,
	.max_field = NLF_RENAME_RESOURCE_INFO_MAX,
	.nested_flag = true,
	.policy = nl_rename_resource_info_policy,
	.fields = nl_rename_resource_info_fields,
	.field_count = ARRAY_SIZE(nl_rename_resource_info_fields),
};

static const struct nla_policy nl_inval_peer_params_policy[NLF_INVAL_PEER_PARAMS_MAX + 1] = {
	[NLF_INVAL_PEER_PARAMS_P_RESET_BITMAP] = { .type = NLA_U8 },
};

static const struct nl_field_info nl_inval_peer_params_fields[] = {
	{ 1, NL_FLAG, offsetof(struct nl_inval_peer_params, p_reset_bitmap) },
};

const struct nl_set_info nl_inval_peer_params_info = {
	.nr = NLSET_INVAL_PEER_PARAMS,
	.max_field = NLF_INVAL_PEER_PARAMS_MAX,
	.nested_flag = true,
	.policy = nl_inval_peer_params_policy,
	.fields = nl_inval_peer_params_fields,
	.field_count = ARRAY_SIZE(nl_inval_peer_params_fields),
};

static const struct nla_policy nl_suspend_io_params_policy[NLF_SUSPEND_IO_PARAMS_MAX + 1] = {
	[NLF_SUSPEND_IO_PARAMS_BDEV_FREEZE] = { .type = NLA_U8 },
};

static const struct nl_field_info nl_suspend_io_params_fields[] = {
	{ 1, NL_FLAG, offsetof(struct nl_suspend_io_params, bdev_freeze) },
};

const struct nl_set_info nl_suspend_io_params_info = {
	.nr = NLSET_SUSPEND_IO_PARAMS,
	.max_field = NLF_SUSPEND_IO_PARAMS_MAX,
	.nested_flag = true,
	.policy = nl_suspend_io_params_policy,
	.fields = nl_suspend_io_params_fields,
	.field_count = ARRAY_SIZE(nl_suspend_io_params_fields),
};

