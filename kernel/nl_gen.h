/* SPDX-License-Identifier: GPL-2.0 */
/* Made by internal/genl/gen from kernel/netlink.yaml: do not edit. */
/*
 * What the module needs to read and write the attribute sets: tables for the
 * codec of nl_codec.c, and typed calls of it.
 */
#ifndef NL_GEN_H
#define NL_GEN_H

#include "nl_codec.h"

#define NL_FAMILY_NAME "drbd"
#define NL_FAMILY_VERSION 2
#define NL_HEADER_SIZE 8
#define NL_GROUP_NAME "events"

/* Top level: strict, every set a nest. */
extern const struct nla_policy nl_top_policy[NLSET_MAX + 1];

/* By operation number. */
extern const struct nl_op_info nl_ops[NLOP_MAX + 1];

extern const struct nl_set_info nl_cfg_reply_info;

static inline int nl_cfg_reply_from_attrs(struct nl_cfg_reply *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_cfg_reply_info, v, nest, mode, present);
}

static inline int nl_put_cfg_reply(struct sk_buff *skb, const struct nl_cfg_reply *v, u64 fields)
{
	return nl_encode_set(&nl_cfg_reply_info, skb, v, fields);
}

extern const struct nl_set_info nl_cfg_context_info;

static inline int nl_cfg_context_from_attrs(struct nl_cfg_context *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_cfg_context_info, v, nest, mode, present);
}

static inline int nl_put_cfg_context(struct sk_buff *skb, const struct nl_cfg_context *v, u64 fields)
{
	return nl_encode_set(&nl_cfg_context_info, skb, v, fields);
}

extern const struct nl_set_info nl_disk_conf_info;

static inline int nl_disk_conf_from_attrs(struct nl_disk_conf *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_disk_conf_info, v, nest, mode, present);
}

static inline int nl_put_disk_conf(struct sk_buff *skb, const struct nl_disk_conf *v, u64 fields)
{
	return nl_encode_set(&nl_disk_conf_info, skb, v, fields);
}

extern const struct nl_set_info nl_resource_opts_info;

static inline int nl_resource_opts_from_attrs(struct nl_resource_opts *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_resource_opts_info, v, nest, mode, present);
}

static inline int nl_put_resource_opts(struct sk_buff *skb, const struct nl_resource_opts *v, u64 fields)
{
	return nl_encode_set(&nl_resource_opts_info, skb, v, fields);
}

extern const struct nl_set_info nl_net_conf_info;

static inline int nl_net_conf_from_attrs(struct nl_net_conf *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_net_conf_info, v, nest, mode, present);
}

static inline int nl_put_net_conf(struct sk_buff *skb, const struct nl_net_conf *v, u64 fields)
{
	return nl_encode_set(&nl_net_conf_info, skb, v, fields);
}

/* What everybody may see. */
#define NL_NET_CONF_PUBLIC (~(NL_BIT(NLF_NET_CONF_SHARED_SECRET)))

extern const struct nl_set_info nl_set_role_parms_info;

static inline int nl_set_role_parms_from_attrs(struct nl_set_role_parms *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_set_role_parms_info, v, nest, mode, present);
}

static inline int nl_put_set_role_parms(struct sk_buff *skb, const struct nl_set_role_parms *v, u64 fields)
{
	return nl_encode_set(&nl_set_role_parms_info, skb, v, fields);
}

extern const struct nl_set_info nl_resize_parms_info;

static inline int nl_resize_parms_from_attrs(struct nl_resize_parms *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_resize_parms_info, v, nest, mode, present);
}

static inline int nl_put_resize_parms(struct sk_buff *skb, const struct nl_resize_parms *v, u64 fields)
{
	return nl_encode_set(&nl_resize_parms_info, skb, v, fields);
}

extern const struct nl_set_info nl_start_ov_parms_info;

static inline int nl_start_ov_parms_from_attrs(struct nl_start_ov_parms *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_start_ov_parms_info, v, nest, mode, present);
}

static inline int nl_put_start_ov_parms(struct sk_buff *skb, const struct nl_start_ov_parms *v, u64 fields)
{
	return nl_encode_set(&nl_start_ov_parms_info, skb, v, fields);
}

extern const struct nl_set_info nl_new_c_uuid_parms_info;

static inline int nl_new_c_uuid_parms_from_attrs(struct nl_new_c_uuid_parms *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_new_c_uuid_parms_info, v, nest, mode, present);
}

static inline int nl_put_new_c_uuid_parms(struct sk_buff *skb, const struct nl_new_c_uuid_parms *v, u64 fields)
{
	return nl_encode_set(&nl_new_c_uuid_parms_info, skb, v, fields);
}

extern const struct nl_set_info nl_timeout_parms_info;

static inline int nl_timeout_parms_from_attrs(struct nl_timeout_parms *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_timeout_parms_info, v, nest, mode, present);
}

static inline int nl_put_timeout_parms(struct sk_buff *skb, const struct nl_timeout_parms *v, u64 fields)
{
	return nl_encode_set(&nl_timeout_parms_info, skb, v, fields);
}

extern const struct nl_set_info nl_disconnect_parms_info;

static inline int nl_disconnect_parms_from_attrs(struct nl_disconnect_parms *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_disconnect_parms_info, v, nest, mode, present);
}

static inline int nl_put_disconnect_parms(struct sk_buff *skb, const struct nl_disconnect_parms *v, u64 fields)
{
	return nl_encode_set(&nl_disconnect_parms_info, skb, v, fields);
}

extern const struct nl_set_info nl_detach_parms_info;

static inline int nl_detach_parms_from_attrs(struct nl_detach_parms *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_detach_parms_info, v, nest, mode, present);
}

static inline int nl_put_detach_parms(struct sk_buff *skb, const struct nl_detach_parms *v, u64 fields)
{
	return nl_encode_set(&nl_detach_parms_info, skb, v, fields);
}

extern const struct nl_set_info nl_device_conf_info;

static inline int nl_device_conf_from_attrs(struct nl_device_conf *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_device_conf_info, v, nest, mode, present);
}

static inline int nl_put_device_conf(struct sk_buff *skb, const struct nl_device_conf *v, u64 fields)
{
	return nl_encode_set(&nl_device_conf_info, skb, v, fields);
}

extern const struct nl_set_info nl_resource_info_info;

static inline int nl_resource_info_from_attrs(struct nl_resource_info *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_resource_info_info, v, nest, mode, present);
}

static inline int nl_put_resource_info(struct sk_buff *skb, const struct nl_resource_info *v, u64 fields)
{
	return nl_encode_set(&nl_resource_info_info, skb, v, fields);
}

extern const struct nl_set_info nl_device_info_info;

static inline int nl_device_info_from_attrs(struct nl_device_info *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_device_info_info, v, nest, mode, present);
}

static inline int nl_put_device_info(struct sk_buff *skb, const struct nl_device_info *v, u64 fields)
{
	return nl_encode_set(&nl_device_info_info, skb, v, fields);
}

extern const struct nl_set_info nl_connection_info_info;

static inline int nl_connection_info_from_attrs(struct nl_connection_info *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_connection_info_info, v, nest, mode, present);
}

static inline int nl_put_connection_info(struct sk_buff *skb, const struct nl_connection_info *v, u64 fields)
{
	return nl_encode_set(&nl_connection_info_info, skb, v, fields);
}

extern const struct nl_set_info nl_peer_device_info_info;

static inline int nl_peer_device_info_from_attrs(struct nl_peer_device_info *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_peer_device_info_info, v, nest, mode, present);
}

static inline int nl_put_peer_device_info(struct sk_buff *skb, const struct nl_peer_device_info *v, u64 fields)
{
	return nl_encode_set(&nl_peer_device_info_info, skb, v, fields);
}

extern const struct nl_set_info nl_resource_statistics_info;

static inline int nl_resource_statistics_from_attrs(struct nl_resource_statistics *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_resource_statistics_info, v, nest, mode, present);
}

static inline int nl_put_resource_statistics(struct sk_buff *skb, const struct nl_resource_statistics *v, u64 fields)
{
	return nl_encode_set(&nl_resource_statistics_info, skb, v, fields);
}

extern const struct nl_set_info nl_device_statistics_info;

static inline int nl_device_statistics_from_attrs(struct nl_device_statistics *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_device_statistics_info, v, nest, mode, present);
}

static inline int nl_put_device_statistics(struct sk_buff *skb, const struct nl_device_statistics *v, u64 fields)
{
	return nl_encode_set(&nl_device_statistics_info, skb, v, fields);
}

extern const struct nl_set_info nl_connection_statistics_info;

static inline int nl_connection_statistics_from_attrs(struct nl_connection_statistics *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_connection_statistics_info, v, nest, mode, present);
}

static inline int nl_put_connection_statistics(struct sk_buff *skb, const struct nl_connection_statistics *v, u64 fields)
{
	return nl_encode_set(&nl_connection_statistics_info, skb, v, fields);
}

extern const struct nl_set_info nl_peer_device_statistics_info;

static inline int nl_peer_device_statistics_from_attrs(struct nl_peer_device_statistics *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_peer_device_statistics_info, v, nest, mode, present);
}

static inline int nl_put_peer_device_statistics(struct sk_buff *skb, const struct nl_peer_device_statistics *v, u64 fields)
{
	return nl_encode_set(&nl_peer_device_statistics_info, skb, v, fields);
}

extern const struct nl_set_info nl_notification_header_info;

static inline int nl_notification_header_from_attrs(struct nl_notification_header *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_notification_header_info, v, nest, mode, present);
}

static inline int nl_put_notification_header(struct sk_buff *skb, const struct nl_notification_header *v, u64 fields)
{
	return nl_encode_set(&nl_notification_header_info, skb, v, fields);
}

extern const struct nl_set_info nl_helper_info_info;

static inline int nl_helper_info_from_attrs(struct nl_helper_info *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_helper_info_info, v, nest, mode, present);
}

static inline int nl_put_helper_info(struct sk_buff *skb, const struct nl_helper_info *v, u64 fields)
{
	return nl_encode_set(&nl_helper_info_info, skb, v, fields);
}

extern const struct nl_set_info nl_invalidate_parms_info;

static inline int nl_invalidate_parms_from_attrs(struct nl_invalidate_parms *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_invalidate_parms_info, v, nest, mode, present);
}

static inline int nl_put_invalidate_parms(struct sk_buff *skb, const struct nl_invalidate_parms *v, u64 fields)
{
	return nl_encode_set(&nl_invalidate_parms_info, skb, v, fields);
}

extern const struct nl_set_info nl_forget_peer_parms_info;

static inline int nl_forget_peer_parms_from_attrs(struct nl_forget_peer_parms *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_forget_peer_parms_info, v, nest, mode, present);
}

static inline int nl_put_forget_peer_parms(struct sk_buff *skb, const struct nl_forget_peer_parms *v, u64 fields)
{
	return nl_encode_set(&nl_forget_peer_parms_info, skb, v, fields);
}

extern const struct nl_set_info nl_peer_device_opts_info;

static inline int nl_peer_device_opts_from_attrs(struct nl_peer_device_opts *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_peer_device_opts_info, v, nest, mode, present);
}

static inline int nl_put_peer_device_opts(struct sk_buff *skb, const struct nl_peer_device_opts *v, u64 fields)
{
	return nl_encode_set(&nl_peer_device_opts_info, skb, v, fields);
}

extern const struct nl_set_info nl_path_parms_info;

static inline int nl_path_parms_from_attrs(struct nl_path_parms *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_path_parms_info, v, nest, mode, present);
}

static inline int nl_put_path_parms(struct sk_buff *skb, const struct nl_path_parms *v, u64 fields)
{
	return nl_encode_set(&nl_path_parms_info, skb, v, fields);
}

extern const struct nl_set_info nl_connect_parms_info;

static inline int nl_connect_parms_from_attrs(struct nl_connect_parms *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_connect_parms_info, v, nest, mode, present);
}

static inline int nl_put_connect_parms(struct sk_buff *skb, const struct nl_connect_parms *v, u64 fields)
{
	return nl_encode_set(&nl_connect_parms_info, skb, v, fields);
}

extern const struct nl_set_info nl_path_info_info;

static inline int nl_path_info_from_attrs(struct nl_path_info *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_path_info_info, v, nest, mode, present);
}

static inline int nl_put_path_info(struct sk_buff *skb, const struct nl_path_info *v, u64 fields)
{
	return nl_encode_set(&nl_path_info_info, skb, v, fields);
}

extern const struct nl_set_info nl_rename_resource_parms_info;

static inline int nl_rename_resource_parms_from_attrs(struct nl_rename_resource_parms *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_rename_resource_parms_info, v, nest, mode, present);
}

static inline int nl_put_rename_resource_parms(struct sk_buff *skb, const struct nl_rename_resource_parms *v, u64 fields)
{
	return nl_encode_set(&nl_rename_resource_parms_info, skb, v, fields);
}

extern const struct nl_set_info nl_rename_resource_info_info;

static inline int nl_rename_resource_info_from_attrs(struct nl_rename_resource_info *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_rename_resource_info_info, v, nest, mode, present);
}

static inline int nl_put_rename_resource_info(struct sk_buff *skb, const struct nl_rename_resource_info *v, u64 fields)
{
	return nl_encode_set(&nl_rename_resource_info_info, skb, v, fields);
}

extern const struct nl_set_info nl_inval_peer_params_info;

static inline int nl_inval_peer_params_from_attrs(struct nl_inval_peer_params *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_inval_peer_params_info, v, nest, mode, present);
}

static inline int nl_put_inval_peer_params(struct sk_buff *skb, const struct nl_inval_peer_params *v, u64 fields)
{
	return nl_encode_set(&nl_inval_peer_params_info, skb, v, fields);
}

extern const struct nl_set_info nl_suspend_io_params_info;

static inline int nl_suspend_io_params_from_attrs(struct nl_suspend_io_params *v, struct nlattr *nest,
				     enum nl_mode mode, u64 *present)
{
	return nl_decode_set(&nl_suspend_io_params_info, v, nest, mode, present);
}

static inline int nl_put_suspend_io_params(struct sk_buff *skb, const struct nl_suspend_io_params *v, u64 fields)
{
	return nl_encode_set(&nl_suspend_io_params_info, skb, v, fields);
}

#endif
