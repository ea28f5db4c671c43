/* SPDX-License-Identifier: GPL-2.0 */
/* Made by internal/genl/gen from kernel/netlink.yaml: do not edit. */
/*
 * Numbers, ranges, defaults and plain structures of the netlink interface, for
 * everything that must not know netlink itself. See the YAML file for the words.
 */
#ifndef NL_TYPES_H
#define NL_TYPES_H

#include "base.h"

/* Bit of a field in a mask of fields. */
#define NL_BIT(field) (1ULL << (field))
#define NL_ALL_FIELDS (~0ULL)

/* Operations. */
enum nl_op {
	NLOP_EVENT = 1,
	NLOP_GET_STATUS = 2,
	NLOP_NEW_MINOR = 5,
	NLOP_DEL_MINOR = 6,
	NLOP_NEW_RESOURCE = 7,
	NLOP_DEL_RESOURCE = 8,
	NLOP_RESOURCE_OPTS = 9,
	NLOP_CONNECT = 10,
	NLOP_DISCONNECT = 11,
	NLOP_ATTACH = 12,
	NLOP_RESIZE = 13,
	NLOP_PRIMARY = 14,
	NLOP_SECONDARY = 15,
	NLOP_NEW_C_UUID = 16,
	NLOP_START_OV = 17,
	NLOP_DETACH = 18,
	NLOP_INVALIDATE = 19,
	NLOP_INVAL_PEER = 20,
	NLOP_PAUSE_SYNC = 21,
	NLOP_RESUME_SYNC = 22,
	NLOP_SUSPEND_IO = 23,
	NLOP_RESUME_IO = 24,
	NLOP_OUTDATE = 25,
	NLOP_GET_TIMEOUT_TYPE = 26,
	NLOP_DOWN = 27,
	NLOP_CHG_DISK_OPTS = 28,
	NLOP_CHG_NET_OPTS = 29,
	NLOP_GET_RESOURCES = 30,
	NLOP_GET_DEVICES = 31,
	NLOP_GET_CONNECTIONS = 32,
	NLOP_GET_PEER_DEVICES = 33,
	NLOP_RESOURCE_STATE = 34,
	NLOP_DEVICE_STATE = 35,
	NLOP_CONNECTION_STATE = 36,
	NLOP_PEER_DEVICE_STATE = 37,
	NLOP_GET_INITIAL_STATE = 38,
	NLOP_HELPER = 40,
	NLOP_INITIAL_STATE_DONE = 41,
	NLOP_FORGET_PEER = 42,
	NLOP_CHG_PEER_DEVICE_OPTS = 43,
	NLOP_NEW_PEER = 44,
	NLOP_NEW_PATH = 45,
	NLOP_DEL_PEER = 46,
	NLOP_DEL_PATH = 47,
	NLOP_PATH_STATE = 48,
	NLOP_RENAME_RESOURCE = 49,
	NLOP_GET_PATHS = 50,
	NLOP_MAX = 50,
};

/* Attribute sets: top-level attributes. */
enum nl_set {
	NLSET_CFG_REPLY = 1,
	NLSET_CFG_CONTEXT = 2,
	NLSET_DISK_CONF = 3,
	NLSET_RESOURCE_OPTS = 4,
	NLSET_NET_CONF = 5,
	NLSET_SET_ROLE_PARMS = 6,
	NLSET_RESIZE_PARMS = 7,
	NLSET_START_OV_PARMS = 9,
	NLSET_NEW_C_UUID_PARMS = 10,
	NLSET_TIMEOUT_PARMS = 11,
	NLSET_DISCONNECT_PARMS = 12,
	NLSET_DETACH_PARMS = 13,
	NLSET_DEVICE_CONF = 14,
	NLSET_RESOURCE_INFO = 15,
	NLSET_DEVICE_INFO = 16,
	NLSET_CONNECTION_INFO = 17,
	NLSET_PEER_DEVICE_INFO = 18,
	NLSET_RESOURCE_STATISTICS = 19,
	NLSET_DEVICE_STATISTICS = 20,
	NLSET_CONNECTION_STATISTICS = 21,
	NLSET_PEER_DEVICE_STATISTICS = 22,
	NLSET_NOTIFICATION_HEADER = 23,
	NLSET_HELPER_INFO = 24,
	NLSET_INVALIDATE_PARMS = 25,
	NLSET_FORGET_PEER_PARMS = 26,
	NLSET_PEER_DEVICE_OPTS = 27,
	NLSET_PATH_PARMS = 28,
	NLSET_CONNECT_PARMS = 29,
	NLSET_PATH_INFO = 30,
	NLSET_RENAME_RESOURCE_PARMS = 31,
	NLSET_RENAME_RESOURCE_INFO = 32,
	NLSET_INVAL_PEER_PARAMS = 33,
	NLSET_SUSPEND_IO_PARAMS = 34,
	NLSET_MAX = 34,
};

/*
 * Results of a request: above 100 configuration, 1 to 4 success of a state
 * change, 0 and below its refusals.
 */
enum nl_code {
	NO_ERROR = 101,
	ERR_LOCAL_ADDR = 102,
	ERR_PEER_ADDR = 103,
	ERR_OPEN_DISK = 104,
	ERR_OPEN_MD_DISK = 105,
	ERR_DISK_TOO_SMALL = 111,
	ERR_MD_DISK_TOO_SMALL = 112,
	ERR_MD_IDX_INVALID = 116,
	ERR_IO_MD_DISK = 118,
	ERR_MD_INVALID = 119,
	ERR_AUTH_ALG = 120,
	ERR_NOMEM = 122,
	ERR_DISCARD_IMPOSSIBLE = 123,
	ERR_DISK_CONFIGURED = 124,
	ERR_NET_CONFIGURED = 125,
	ERR_MANDATORY_TAG = 126,
	ERR_MINOR_INVALID = 127,
	ERR_INTR = 129,
	ERR_RESIZE_RESYNC = 130,
	ERR_NO_PRIMARY = 131,
	ERR_RESYNC_AFTER = 132,
	ERR_RESYNC_AFTER_CYCLE = 133,
	ERR_PAUSE_IS_SET = 134,
	ERR_PAUSE_IS_CLEAR = 135,
	ERR_NO_DISK = 138,
	ERR_NOT_PROTO_C = 139,
	ERR_NOMEM_BITMAP = 140,
	ERR_INTEGRITY_ALG = 141,
	ERR_CPU_MASK_PARSE = 143,
	ERR_CSUMS_ALG = 144,
	ERR_VERIFY_ALG = 146,
	ERR_CSUMS_RESYNC_RUNNING = 148,
	ERR_VERIFY_RUNNING = 149,
	ERR_DATA_NOT_CURRENT = 150,
	ERR_CONNECTED = 151,
	ERR_NEED_APV_93 = 153,
	ERR_STONITH_AND_PROT_A = 154,
	ERR_CONG_NOT_PROTO_A = 155,
	ERR_PIC_AFTER_DEP = 156,
	ERR_PIC_PEER_DEP = 157,
	ERR_RES_NOT_KNOWN = 158,
	ERR_RES_IN_USE = 159,
	ERR_MINOR_CONFIGURED = 160,
	ERR_MINOR_OR_VOLUME_EXISTS = 161,
	ERR_INVALID_REQUEST = 162,
	ERR_NEED_APV_100 = 163,
	ERR_NEED_ALLOW_TWO_PRI = 164,
	ERR_MD_UNCLEAN = 165,
	ERR_MD_LAYOUT_CONNECTED = 166,
	ERR_MD_LAYOUT_TOO_BIG = 167,
	ERR_MD_LAYOUT_TOO_SMALL = 168,
	ERR_MD_LAYOUT_NO_FIT = 169,
	ERR_IMPLICIT_SHRINK = 170,
	ERR_INVALID_PEER_NODE_ID = 171,
	ERR_CREATE_TRANSPORT = 172,
	ERR_LOCAL_AND_PEER_ADDR = 173,
	ERR_ALREADY_EXISTS = 174,
	ERR_APV_TOO_LOW = 175,
	ERR_PATH_COLLISION = 176,
	SS_CW_NO_NEED = 4,
	SS_CW_SUCCESS = 3,
	SS_NOTHING_TO_DO = 2,
	SS_SUCCESS = 1,
	SS_UNKNOWN_ERROR = 0,
	SS_TWO_PRIMARIES = -1,
	SS_NO_UP_TO_DATE_DISK = -2,
	SS_NO_LOCAL_DISK = -4,
	SS_NO_REMOTE_DISK = -5,
	SS_CONNECTED_OUTDATES = -6,
	SS_PRIMARY_NOP = -7,
	SS_RESYNC_RUNNING = -8,
	SS_ALREADY_STANDALONE = -9,
	SS_CW_FAILED_BY_PEER = -10,
	SS_IS_DISKLESS = -11,
	SS_DEVICE_IN_USE = -12,
	SS_NO_NET_CONFIG = -13,
	SS_NO_VERIFY_ALG = -14,
	SS_NEED_CONNECTION = -15,
	SS_LOWER_THAN_OUTDATED = -16,
	SS_NOT_SUPPORTED = -17,
	SS_IN_TRANSIENT_STATE = -18,
	SS_CONCURRENT_ST_CHG = -19,
	SS_O_VOL_PEER_PRI = -20,
	SS_INTERRUPTED = -21,
	SS_PRIMARY_READER = -22,
	SS_TIMEOUT = -23,
	SS_WEAKLY_CONNECTED = -24,
	SS_NO_QUORUM = -25,
	SS_ATTACH_NO_BITMAP = -26,
	SS_HANDSHAKE_DISCONNECT = -27,
	SS_HANDSHAKE_RETRY = -28,
};

enum nl_notify {
	NOTIFY_EXISTS = 0,
	NOTIFY_CREATE = 1,
	NOTIFY_CHANGE = 2,
	NOTIFY_DESTROY = 3,
	NOTIFY_CALL = 4,
	NOTIFY_RESPONSE = 5,
	NOTIFY_RENAME = 6,
	NOTIFY_CONTINUES = 32768,
};

/* The word for a value, NULL when there is none. */
static inline const char *nl_notify_word(int value)
{
	switch (value) {
	case NOTIFY_EXISTS: return "exists";
	case NOTIFY_CREATE: return "create";
	case NOTIFY_CHANGE: return "change";
	case NOTIFY_DESTROY: return "destroy";
	case NOTIFY_CALL: return "call";
	case NOTIFY_RESPONSE: return "response";
	case NOTIFY_RENAME: return "rename";
	case NOTIFY_CONTINUES: return "continues";
	default: return NULL;
	}
}

enum nl_write_ordering {
	WRITE_ORDERING_NONE = 0,
	WRITE_ORDERING_DRAIN = 1,
	WRITE_ORDERING_FLUSH = 2,
	WRITE_ORDERING_BARRIER = 3,
};

/* The word for a value, NULL when there is none. */
static inline const char *nl_write_ordering_word(int value)
{
	switch (value) {
	case WRITE_ORDERING_NONE: return "none";
	case WRITE_ORDERING_DRAIN: return "drain";
	case WRITE_ORDERING_FLUSH: return "flush";
	case WRITE_ORDERING_BARRIER: return "barrier";
	default: return NULL;
	}
}

enum nl_timeout_type {
	TIMEOUT_TYPE_DEFAULT = 0,
	TIMEOUT_TYPE_DEGRADED = 1,
	TIMEOUT_TYPE_PEER_OUTDATED = 2,
};

/* The word for a value, NULL when there is none. */
static inline const char *nl_timeout_type_word(int value)
{
	switch (value) {
	case TIMEOUT_TYPE_DEFAULT: return "default";
	case TIMEOUT_TYPE_DEGRADED: return "degraded";
	case TIMEOUT_TYPE_PEER_OUTDATED: return "peer-outdated";
	default: return NULL;
	}
}

enum nl_on_io_error {
	ON_IO_ERROR_PASS_ON = 0,
	ON_IO_ERROR_CALL_LOCAL_IO_ERROR = 1,
	ON_IO_ERROR_DETACH = 2,
};

/* The word for a value, NULL when there is none. */
static inline const char *nl_on_io_error_word(int value)
{
	switch (value) {
	case ON_IO_ERROR_PASS_ON: return "pass_on";
	case ON_IO_ERROR_CALL_LOCAL_IO_ERROR: return "call-local-io-error";
	case ON_IO_ERROR_DETACH: return "detach";
	default: return NULL;
	}
}

enum nl_fencing {
	FENCING_DONT_CARE = 0,
	FENCING_RESOURCE_ONLY = 1,
	FENCING_RESOURCE_AND_STONITH = 2,
};

/* The word for a value, NULL when there is none. */
static inline const char *nl_fencing_word(int value)
{
	switch (value) {
	case FENCING_DONT_CARE: return "dont-care";
	case FENCING_RESOURCE_ONLY: return "resource-only";
	case FENCING_RESOURCE_AND_STONITH: return "resource-and-stonith";
	default: return NULL;
	}
}

enum nl_after_sb_0p {
	AFTER_SB_0P_DISCONNECT = 0,
	AFTER_SB_0P_DISCARD_YOUNGER_PRIMARY = 1,
	AFTER_SB_0P_DISCARD_OLDER_PRIMARY = 2,
	AFTER_SB_0P_DISCARD_ZERO_CHANGES = 3,
	AFTER_SB_0P_DISCARD_LEAST_CHANGES = 4,
	AFTER_SB_0P_DISCARD_LOCAL = 5,
	AFTER_SB_0P_DISCARD_REMOTE = 6,
};

/* The word for a value, NULL when there is none. */
static inline const char *nl_after_sb_0p_word(int value)
{
	switch (value) {
	case AFTER_SB_0P_DISCONNECT: return "disconnect";
	case AFTER_SB_0P_DISCARD_YOUNGER_PRIMARY: return "discard-younger-primary";
	case AFTER_SB_0P_DISCARD_OLDER_PRIMARY: return "discard-older-primary";
	case AFTER_SB_0P_DISCARD_ZERO_CHANGES: return "discard-zero-changes";
	case AFTER_SB_0P_DISCARD_LEAST_CHANGES: return "discard-least-changes";
	case AFTER_SB_0P_DISCARD_LOCAL: return "discard-local";
	case AFTER_SB_0P_DISCARD_REMOTE: return "discard-remote";
	default: return NULL;
	}
}

enum nl_after_sb_1p {
	AFTER_SB_1P_DISCONNECT = 0,
	AFTER_SB_1P_CONSENSUS = 7,
	AFTER_SB_1P_DISCARD_SECONDARY = 8,
	AFTER_SB_1P_CALL_PRI_LOST_AFTER_SB = 9,
	AFTER_SB_1P_VIOLENTLY_AS0P = 10,
};

/* The word for a value, NULL when there is none. */
static inline const char *nl_after_sb_1p_word(int value)
{
	switch (value) {
	case AFTER_SB_1P_DISCONNECT: return "disconnect";
	case AFTER_SB_1P_CONSENSUS: return "consensus";
	case AFTER_SB_1P_DISCARD_SECONDARY: return "discard-secondary";
	case AFTER_SB_1P_CALL_PRI_LOST_AFTER_SB: return "call-pri-lost-after-sb";
	case AFTER_SB_1P_VIOLENTLY_AS0P: return "violently-as0p";
	default: return NULL;
	}
}

enum nl_after_sb_2p {
	AFTER_SB_2P_DISCONNECT = 0,
	AFTER_SB_2P_CALL_PRI_LOST_AFTER_SB = 9,
	AFTER_SB_2P_VIOLENTLY_AS0P = 10,
};

/* The word for a value, NULL when there is none. */
static inline const char *nl_after_sb_2p_word(int value)
{
	switch (value) {
	case AFTER_SB_2P_DISCONNECT: return "disconnect";
	case AFTER_SB_2P_CALL_PRI_LOST_AFTER_SB: return "call-pri-lost-after-sb";
	case AFTER_SB_2P_VIOLENTLY_AS0P: return "violently-as0p";
	default: return NULL;
	}
}

enum nl_rr_conflict {
	RR_CONFLICT_DISCONNECT = 0,
	RR_CONFLICT_CALL_PRI_LOST = 9,
	RR_CONFLICT_VIOLENTLY = 10,
	RR_CONFLICT_RETRY_CONNECT = 11,
	RR_CONFLICT_AUTO_DISCARD = 12,
};

/* The word for a value, NULL when there is none. */
static inline const char *nl_rr_conflict_word(int value)
{
	switch (value) {
	case RR_CONFLICT_DISCONNECT: return "disconnect";
	case RR_CONFLICT_CALL_PRI_LOST: return "call-pri-lost";
	case RR_CONFLICT_VIOLENTLY: return "violently";
	case RR_CONFLICT_RETRY_CONNECT: return "retry-connect";
	case RR_CONFLICT_AUTO_DISCARD: return "auto-discard";
	default: return NULL;
	}
}

enum nl_on_no_data {
	ON_NO_DATA_IO_ERROR = 0,
	ON_NO_DATA_SUSPEND_IO = 1,
};

/* The word for a value, NULL when there is none. */
static inline const char *nl_on_no_data_word(int value)
{
	switch (value) {
	case ON_NO_DATA_IO_ERROR: return "io-error";
	case ON_NO_DATA_SUSPEND_IO: return "suspend-io";
	default: return NULL;
	}
}

enum nl_on_no_quorum {
	ON_NO_QUORUM_IO_ERROR = 0,
	ON_NO_QUORUM_SUSPEND_IO = 1,
};

/* The word for a value, NULL when there is none. */
static inline const char *nl_on_no_quorum_word(int value)
{
	switch (value) {
	case ON_NO_QUORUM_IO_ERROR: return "io-error";
	case ON_NO_QUORUM_SUSPEND_IO: return "suspend-io";
	default: return NULL;
	}
}

enum nl_on_susp_primary_outdated {
	ON_SUSP_PRIMARY_OUTDATED_DISCONNECT = 0,
	ON_SUSP_PRIMARY_OUTDATED_FORCE_SECONDARY = 1,
};

/* The word for a value, NULL when there is none. */
static inline const char *nl_on_susp_primary_outdated_word(int value)
{
	switch (value) {
	case ON_SUSP_PRIMARY_OUTDATED_DISCONNECT: return "disconnect";
	case ON_SUSP_PRIMARY_OUTDATED_FORCE_SECONDARY: return "force-secondary";
	default: return NULL;
	}
}

enum nl_on_congestion {
	ON_CONGESTION_BLOCK = 0,
	ON_CONGESTION_PULL_AHEAD = 1,
	ON_CONGESTION_DISCONNECT = 2,
};

/* The word for a value, NULL when there is none. */
static inline const char *nl_on_congestion_word(int value)
{
	switch (value) {
	case ON_CONGESTION_BLOCK: return "block";
	case ON_CONGESTION_PULL_AHEAD: return "pull-ahead";
	case ON_CONGESTION_DISCONNECT: return "disconnect";
	default: return NULL;
	}
}

enum nl_read_balancing {
	READ_BALANCING_PREFER_LOCAL = 0,
	READ_BALANCING_PREFER_REMOTE = 1,
	READ_BALANCING_ROUND_ROBIN = 2,
	READ_BALANCING_LEAST_PENDING = 3,
	READ_BALANCING_WHEN_CONGESTED_REMOTE = 4,
	READ_BALANCING_32K_STRIPING = 5,
	READ_BALANCING_64K_STRIPING = 6,
	READ_BALANCING_128K_STRIPING = 7,
	READ_BALANCING_256K_STRIPING = 8,
	READ_BALANCING_512K_STRIPING = 9,
	READ_BALANCING_1M_STRIPING = 10,
};

/* The word for a value, NULL when there is none. */
static inline const char *nl_read_balancing_word(int value)
{
	switch (value) {
	case READ_BALANCING_PREFER_LOCAL: return "prefer-local";
	case READ_BALANCING_PREFER_REMOTE: return "prefer-remote";
	case READ_BALANCING_ROUND_ROBIN: return "round-robin";
	case READ_BALANCING_LEAST_PENDING: return "least-pending";
	case READ_BALANCING_WHEN_CONGESTED_REMOTE: return "when-congested-remote";
	case READ_BALANCING_32K_STRIPING: return "32K-striping";
	case READ_BALANCING_64K_STRIPING: return "64K-striping";
	case READ_BALANCING_128K_STRIPING: return "128K-striping";
	case READ_BALANCING_256K_STRIPING: return "256K-striping";
	case READ_BALANCING_512K_STRIPING: return "512K-striping";
	case READ_BALANCING_1M_STRIPING: return "1M-striping";
	default: return NULL;
	}
}

enum nl_quorum {
	QUORUM_OFF = 0,
	QUORUM_MAJORITY = 1024,
	QUORUM_ALL = 1025,
};

/* The word for a value, NULL when there is none. */
static inline const char *nl_quorum_word(int value)
{
	switch (value) {
	case QUORUM_OFF: return "off";
	case QUORUM_MAJORITY: return "majority";
	case QUORUM_ALL: return "all";
	default: return NULL;
	}
}

enum nl_protocol {
	PROTOCOL_A = 1,
	PROTOCOL_B = 2,
	PROTOCOL_C = 3,
};

/* The word for a value, NULL when there is none. */
static inline const char *nl_protocol_word(int value)
{
	switch (value) {
	case PROTOCOL_A: return "A";
	case PROTOCOL_B: return "B";
	case PROTOCOL_C: return "C";
	default: return NULL;
	}
}

enum nl_meta_dev_idx {
	META_DEV_IDX_INTERNAL = -3,
	META_DEV_IDX_FLEXIBLE = -2,
};

/* The word for a value, NULL when there is none. */
static inline const char *nl_meta_dev_idx_word(int value)
{
	switch (value) {
	case META_DEV_IDX_INTERNAL: return "internal";
	case META_DEV_IDX_FLEXIBLE: return "flexible";
	default: return NULL;
	}
}

#define MINOR_MIN 0
#define MINOR_MAX 1048575
#define VOLUME_MIN 0
#define VOLUME_MAX 65534
#define NODE_ID_MIN 0
#define NODE_ID_MAX 31
#define WFC_TIMEOUT_MIN 0
#define WFC_TIMEOUT_MAX 300000

/* Set 1: cfg reply. */
enum nl_cfg_reply_field {
	NLF_CFG_REPLY_INFO_TEXT = 1,
	NLF_CFG_REPLY_MAX = 1,
};

struct nl_cfg_reply {
	char info_text[256];
};

/* Set 2: cfg context. */
enum nl_cfg_context_field {
	NLF_CFG_CONTEXT_CTX_VOLUME = 1,
	NLF_CFG_CONTEXT_CTX_RESOURCE_NAME = 2,
	NLF_CFG_CONTEXT_CTX_PEER_NODE_ID = 6,
	NLF_CFG_CONTEXT_CTX_CONN_NAME = 5,
	NLF_CFG_CONTEXT_CTX_MY_ADDR = 3,
	NLF_CFG_CONTEXT_CTX_PEER_ADDR = 4,
	NLF_CFG_CONTEXT_MAX = 6,
};

struct nl_cfg_context {
	u32 ctx_volume;
	char ctx_resource_name[128];
	u32 ctx_peer_node_id;
	char ctx_conn_name[64];
	u8 ctx_my_addr[128];
	u32 ctx_my_addr_len;
	u8 ctx_peer_addr[128];
	u32 ctx_peer_addr_len;
};

/* Set 3: disk conf. */
enum nl_disk_conf_field {
	NLF_DISK_CONF_BACKING_DEV = 1,
	NLF_DISK_CONF_META_DEV = 2,
	NLF_DISK_CONF_META_DEV_IDX = 3,
	NLF_DISK_CONF_DISK_SIZE = 4,
	NLF_DISK_CONF_ON_IO_ERROR = 6,
	NLF_DISK_CONF_RESYNC_AFTER = 9,
	NLF_DISK_CONF_AL_EXTENTS = 10,
	NLF_DISK_CONF_DISK_BARRIER = 16,
	NLF_DISK_CONF_DISK_FLUSHES = 17,
	NLF_DISK_CONF_DISK_DRAIN = 18,
	NLF_DISK_CONF_MD_FLUSHES = 19,
	NLF_DISK_CONF_DISK_TIMEOUT = 20,
	NLF_DISK_CONF_READ_BALANCING = 21,
	NLF_DISK_CONF_UNPLUG_WATERMARK = 22,
	NLF_DISK_CONF_AL_UPDATES = 23,
	NLF_DISK_CONF_DISCARD_ZEROES_IF_ALIGNED = 24,
	NLF_DISK_CONF_RS_DISCARD_GRANULARITY = 25,
	NLF_DISK_CONF_DISABLE_WRITE_SAME = 26,
	NLF_DISK_CONF_D_BITMAP = 27,
	NLF_DISK_CONF_MAX = 27,
};

#define DISK_CONF_DISK_SIZE_MIN 0ULL
#define DISK_CONF_DISK_SIZE_MAX 2199023255552ULL
#define DISK_CONF_DISK_SIZE_DEF 0ULL
#define DISK_CONF_ON_IO_ERROR_DEF 2
#define DISK_CONF_RESYNC_AFTER_MIN (-1)
#define DISK_CONF_RESYNC_AFTER_MAX (1048575)
#define DISK_CONF_RESYNC_AFTER_DEF (-1)
#define DISK_CONF_AL_EXTENTS_MIN 67
#define DISK_CONF_AL_EXTENTS_MAX 65534
#define DISK_CONF_AL_EXTENTS_DEF 1237
#define DISK_CONF_DISK_BARRIER_DEF 0
#define DISK_CONF_DISK_FLUSHES_DEF 1
#define DISK_CONF_DISK_DRAIN_DEF 1
#define DISK_CONF_MD_FLUSHES_DEF 1
#define DISK_CONF_DISK_TIMEOUT_MIN 0
#define DISK_CONF_DISK_TIMEOUT_MAX 6000
#define DISK_CONF_DISK_TIMEOUT_DEF 0
#define DISK_CONF_READ_BALANCING_DEF 0
#define DISK_CONF_UNPLUG_WATERMARK_DEF 128
#define DISK_CONF_AL_UPDATES_DEF 1
#define DISK_CONF_DISCARD_ZEROES_IF_ALIGNED_DEF 1
#define DISK_CONF_RS_DISCARD_GRANULARITY_MIN 0
#define DISK_CONF_RS_DISCARD_GRANULARITY_MAX 1048576
#define DISK_CONF_RS_DISCARD_GRANULARITY_DEF 0
#define DISK_CONF_DISABLE_WRITE_SAME_DEF 0
#define DISK_CONF_D_BITMAP_DEF 1
struct nl_disk_conf {
	char backing_dev[128];
	char meta_dev[128];
	s32 meta_dev_idx;
	u64 disk_size;
	u32 on_io_error;
	s32 resync_after;
	u32 al_extents;
	bool disk_barrier;
	bool disk_flushes;
	bool disk_drain;
	bool md_flushes;
	u32 disk_timeout;
	u32 read_balancing;
	u32 unplug_watermark;
	bool al_updates;
	bool discard_zeroes_if_aligned;
	u32 rs_discard_granularity;
	bool disable_write_same;
	bool d_bitmap;
};

static inline void nl_disk_conf_defaults(struct nl_disk_conf *v)
{
	memset(v, 0, sizeof(*v));
	v->on_io_error = DISK_CONF_ON_IO_ERROR_DEF;
	v->resync_after = DISK_CONF_RESYNC_AFTER_DEF;
	v->al_extents = DISK_CONF_AL_EXTENTS_DEF;
	v->disk_flushes = DISK_CONF_DISK_FLUSHES_DEF;
	v->disk_drain = DISK_CONF_DISK_DRAIN_DEF;
	v->md_flushes = DISK_CONF_MD_FLUSHES_DEF;
	v->unplug_watermark = DISK_CONF_UNPLUG_WATERMARK_DEF;
	v->al_updates = DISK_CONF_AL_UPDATES_DEF;
	v->discard_zeroes_if_aligned = DISK_CONF_DISCARD_ZEROES_IF_ALIGNED_DEF;
	v->d_bitmap = DISK_CONF_D_BITMAP_DEF;
}

/* To the defaults, except what only a creating request may set. */
static inline void nl_disk_conf_reset(struct nl_disk_conf *v)
{
	struct nl_disk_conf old = *v;

	nl_disk_conf_defaults(v);
	memcpy(v->backing_dev, old.backing_dev, sizeof(v->backing_dev));
	memcpy(v->meta_dev, old.meta_dev, sizeof(v->meta_dev));
	v->meta_dev_idx = old.meta_dev_idx;
	v->disk_size = old.disk_size;
}

/* Set 4: resource opts. */
enum nl_resource_opts_field {
	NLF_RESOURCE_OPTS_CPU_MASK = 1,
	NLF_RESOURCE_OPTS_ON_NO_DATA = 2,
	NLF_RESOURCE_OPTS_AUTO_PROMOTE = 3,
	NLF_RESOURCE_OPTS_NODE_ID = 4,
	NLF_RESOURCE_OPTS_PEER_ACK_WINDOW = 5,
	NLF_RESOURCE_OPTS_TWOPC_TIMEOUT = 6,
	NLF_RESOURCE_OPTS_TWOPC_RETRY_TIMEOUT = 7,
	NLF_RESOURCE_OPTS_PEER_ACK_DELAY = 8,
	NLF_RESOURCE_OPTS_AUTO_PROMOTE_TIMEOUT = 9,
	NLF_RESOURCE_OPTS_NR_REQUESTS = 10,
	NLF_RESOURCE_OPTS_QUORUM = 11,
	NLF_RESOURCE_OPTS_ON_NO_QUORUM = 12,
	NLF_RESOURCE_OPTS_QUORUM_MIN_REDUNDANCY = 13,
	NLF_RESOURCE_OPTS_ON_SUSP_PRIMARY_OUTDATED = 14,
	NLF_RESOURCE_OPTS_DRBD8_COMPAT_MODE = 15,
	NLF_RESOURCE_OPTS_EXPLICIT_DRBD8_COMPAT = 16,
	NLF_RESOURCE_OPTS_MAX = 16,
};

#define RESOURCE_OPTS_ON_NO_DATA_DEF 0
#define RESOURCE_OPTS_AUTO_PROMOTE_DEF 1
#define RESOURCE_OPTS_NODE_ID_MIN 0
#define RESOURCE_OPTS_NODE_ID_MAX 31
#define RESOURCE_OPTS_PEER_ACK_WINDOW_MIN 2048
#define RESOURCE_OPTS_PEER_ACK_WINDOW_MAX 204800
#define RESOURCE_OPTS_PEER_ACK_WINDOW_DEF 4096
#define RESOURCE_OPTS_TWOPC_TIMEOUT_MIN 50
#define RESOURCE_OPTS_TWOPC_TIMEOUT_MAX 600
#define RESOURCE_OPTS_TWOPC_TIMEOUT_DEF 300
#define RESOURCE_OPTS_TWOPC_RETRY_TIMEOUT_MIN 1
#define RESOURCE_OPTS_TWOPC_RETRY_TIMEOUT_MAX 50
#define RESOURCE_OPTS_TWOPC_RETRY_TIMEOUT_DEF 1
#define RESOURCE_OPTS_PEER_ACK_DELAY_MIN 1
#define RESOURCE_OPTS_PEER_ACK_DELAY_MAX 10000
#define RESOURCE_OPTS_PEER_ACK_DELAY_DEF 100
#define RESOURCE_OPTS_AUTO_PROMOTE_TIMEOUT_MIN 0
#define RESOURCE_OPTS_AUTO_PROMOTE_TIMEOUT_MAX 600
#define RESOURCE_OPTS_AUTO_PROMOTE_TIMEOUT_DEF 20
#define RESOURCE_OPTS_NR_REQUESTS_MIN 4
#define RESOURCE_OPTS_NR_REQUESTS_MAX 4294967295U
#define RESOURCE_OPTS_NR_REQUESTS_DEF 8000
#define RESOURCE_OPTS_QUORUM_MIN (1)
#define RESOURCE_OPTS_QUORUM_MAX (32)
#define RESOURCE_OPTS_QUORUM_DEF (0)
#define RESOURCE_OPTS_ON_NO_QUORUM_DEF 1
#define RESOURCE_OPTS_QUORUM_MIN_REDUNDANCY_MIN (1)
#define RESOURCE_OPTS_QUORUM_MIN_REDUNDANCY_MAX (32)
#define RESOURCE_OPTS_QUORUM_MIN_REDUNDANCY_DEF (0)
#define RESOURCE_OPTS_ON_SUSP_PRIMARY_OUTDATED_DEF 0
#define RESOURCE_OPTS_DRBD8_COMPAT_MODE_DEF 0
#define RESOURCE_OPTS_EXPLICIT_DRBD8_COMPAT_DEF 0
struct nl_resource_opts {
	char cpu_mask[256];
	u32 on_no_data;
	bool auto_promote;
	u32 node_id;
	u32 peer_ack_window;
	u32 twopc_timeout;
	u32 twopc_retry_timeout;
	u32 peer_ack_delay;
	u32 auto_promote_timeout;
	u32 nr_requests;
	s32 quorum;
	u32 on_no_quorum;
	s32 quorum_min_redundancy;
	u32 on_susp_primary_outdated;
	bool drbd8_compat_mode;
	bool explicit_drbd8_compat;
};

static inline void nl_resource_opts_defaults(struct nl_resource_opts *v)
{
	memset(v, 0, sizeof(*v));
	v->auto_promote = RESOURCE_OPTS_AUTO_PROMOTE_DEF;
	v->peer_ack_window = RESOURCE_OPTS_PEER_ACK_WINDOW_DEF;
	v->twopc_timeout = RESOURCE_OPTS_TWOPC_TIMEOUT_DEF;
	v->twopc_retry_timeout = RESOURCE_OPTS_TWOPC_RETRY_TIMEOUT_DEF;
	v->peer_ack_delay = RESOURCE_OPTS_PEER_ACK_DELAY_DEF;
	v->auto_promote_timeout = RESOURCE_OPTS_AUTO_PROMOTE_TIMEOUT_DEF;
	v->nr_requests = RESOURCE_OPTS_NR_REQUESTS_DEF;
	v->on_no_quorum = RESOURCE_OPTS_ON_NO_QUORUM_DEF;
}

/* To the defaults, except what only a creating request may set. */
static inline void nl_resource_opts_reset(struct nl_resource_opts *v)
{
	struct nl_resource_opts old = *v;

	nl_resource_opts_defaults(v);
	v->node_id = old.node_id;
}

/* Set 5: net conf. */
enum nl_net_conf_field {
	NLF_NET_CONF_SHARED_SECRET = 1,
	NLF_NET_CONF_CRAM_HMAC_ALG = 2,
	NLF_NET_CONF_INTEGRITY_ALG = 3,
	NLF_NET_CONF_VERIFY_ALG = 4,
	NLF_NET_CONF_CSUMS_ALG = 5,
	NLF_NET_CONF_WIRE_PROTOCOL = 6,
	NLF_NET_CONF_CONNECT_INT = 7,
	NLF_NET_CONF_TIMEOUT = 8,
	NLF_NET_CONF_PING_INT = 9,
	NLF_NET_CONF_PING_TIMEO = 10,
	NLF_NET_CONF_SNDBUF_SIZE = 11,
	NLF_NET_CONF_RCVBUF_SIZE = 12,
	NLF_NET_CONF_KO_COUNT = 13,
	NLF_NET_CONF_MAX_EPOCH_SIZE = 15,
	NLF_NET_CONF_AFTER_SB_0P = 17,
	NLF_NET_CONF_AFTER_SB_1P = 18,
	NLF_NET_CONF_AFTER_SB_2P = 19,
	NLF_NET_CONF_RR_CONFLICT = 20,
	NLF_NET_CONF_ON_CONGESTION = 21,
	NLF_NET_CONF_CONG_FILL = 22,
	NLF_NET_CONF_CONG_EXTENTS = 23,
	NLF_NET_CONF_TWO_PRIMARIES = 24,
	NLF_NET_CONF_TCP_CORK = 26,
	NLF_NET_CONF_ALWAYS_ASBP = 27,
	NLF_NET_CONF_USE_RLE = 29,
	NLF_NET_CONF_FENCING_POLICY = 30,
	NLF_NET_CONF_NAME = 31,
	NLF_NET_CONF_CSUMS_AFTER_CRASH_ONLY = 33,
	NLF_NET_CONF_SOCK_CHECK_TIMEO = 34,
	NLF_NET_CONF_TRANSPORT_NAME = 35,
	NLF_NET_CONF_MAX_BUFFERS = 36,
	NLF_NET_CONF_ALLOW_REMOTE_READ = 37,
	NLF_NET_CONF_TLS = 38,
	NLF_NET_CONF_TLS_PRIVKEY = 39,
	NLF_NET_CONF_TLS_CERTIFICATE = 40,
	NLF_NET_CONF_TLS_KEYRING = 41,
	NLF_NET_CONF_LOAD_BALANCE_PATHS = 42,
	NLF_NET_CONF_RDMA_CTRL_RCVBUF_SIZE = 43,
	NLF_NET_CONF_RDMA_CTRL_SNDBUF_SIZE = 44,
	NLF_NET_CONF_MAX = 44,
};

#define NET_CONF_WIRE_PROTOCOL_DEF 3
#define NET_CONF_CONNECT_INT_MIN 1
#define NET_CONF_CONNECT_INT_MAX 120
#define NET_CONF_CONNECT_INT_DEF 10
#define NET_CONF_TIMEOUT_MIN 1
#define NET_CONF_TIMEOUT_MAX 600
#define NET_CONF_TIMEOUT_DEF 60
#define NET_CONF_PING_INT_MIN 1
#define NET_CONF_PING_INT_MAX 120
#define NET_CONF_PING_INT_DEF 10
#define NET_CONF_PING_TIMEO_MIN 1
#define NET_CONF_PING_TIMEO_MAX 300
#define NET_CONF_PING_TIMEO_DEF 5
#define NET_CONF_SNDBUF_SIZE_MIN 0
#define NET_CONF_SNDBUF_SIZE_MAX 134217728
#define NET_CONF_SNDBUF_SIZE_DEF 0
#define NET_CONF_RCVBUF_SIZE_MIN 0
#define NET_CONF_RCVBUF_SIZE_MAX 134217728
#define NET_CONF_RCVBUF_SIZE_DEF 0
#define NET_CONF_KO_COUNT_MIN 0
#define NET_CONF_KO_COUNT_MAX 200
#define NET_CONF_KO_COUNT_DEF 7
#define NET_CONF_MAX_EPOCH_SIZE_MIN 1
#define NET_CONF_MAX_EPOCH_SIZE_MAX 20000
#define NET_CONF_MAX_EPOCH_SIZE_DEF 2048
#define NET_CONF_AFTER_SB_0P_DEF 0
#define NET_CONF_AFTER_SB_1P_DEF 0
#define NET_CONF_AFTER_SB_2P_DEF 0
#define NET_CONF_RR_CONFLICT_DEF 0
#define NET_CONF_ON_CONGESTION_DEF 0
#define NET_CONF_CONG_FILL_MIN 0
#define NET_CONF_CONG_FILL_MAX 20971520
#define NET_CONF_CONG_FILL_DEF 0
#define NET_CONF_CONG_EXTENTS_MIN 67
#define NET_CONF_CONG_EXTENTS_MAX 65534
#define NET_CONF_CONG_EXTENTS_DEF 1237
#define NET_CONF_TWO_PRIMARIES_DEF 0
#define NET_CONF_TCP_CORK_DEF 1
#define NET_CONF_ALWAYS_ASBP_DEF 0
#define NET_CONF_USE_RLE_DEF 1
#define NET_CONF_FENCING_POLICY_DEF 0
#define NET_CONF_CSUMS_AFTER_CRASH_ONLY_DEF 0
#define NET_CONF_SOCK_CHECK_TIMEO_MIN 0
#define NET_CONF_SOCK_CHECK_TIMEO_MAX 300
#define NET_CONF_SOCK_CHECK_TIMEO_DEF 0
#define NET_CONF_MAX_BUFFERS_MIN 32
#define NET_CONF_MAX_BUFFERS_MAX 131072
#define NET_CONF_MAX_BUFFERS_DEF 2048
#define NET_CONF_ALLOW_REMOTE_READ_DEF 1
#define NET_CONF_TLS_DEF 0
#define NET_CONF_TLS_PRIVKEY_DEF (0)
#define NET_CONF_TLS_CERTIFICATE_DEF (0)
#define NET_CONF_TLS_KEYRING_DEF (0)
#define NET_CONF_LOAD_BALANCE_PATHS_DEF 0
#define NET_CONF_RDMA_CTRL_RCVBUF_SIZE_MIN 0
#define NET_CONF_RDMA_CTRL_RCVBUF_SIZE_MAX 10485760
#define NET_CONF_RDMA_CTRL_RCVBUF_SIZE_DEF 0
#define NET_CONF_RDMA_CTRL_SNDBUF_SIZE_MIN 0
#define NET_CONF_RDMA_CTRL_SNDBUF_SIZE_MAX 10485760
#define NET_CONF_RDMA_CTRL_SNDBUF_SIZE_DEF 0
struct nl_net_conf {
	char shared_secret[64];
	char cram_hmac_alg[64];
	char integrity_alg[64];
	char verify_alg[64];
	char csums_alg[64];
	u32 wire_protocol;
	u32 connect_int;
	u32 timeout;
	u32 ping_int;
	u32 ping_timeo;
	u32 sndbuf_size;
	u32 rcvbuf_size;
	u32 ko_count;
	u32 max_epoch_size;
	u32 after_sb_0p;
	u32 after_sb_1p;
	u32 after_sb_2p;
	u32 rr_conflict;
	u32 on_congestion;
	u32 cong_fill;
	u32 cong_extents;
	bool two_primaries;
	bool tcp_cork;
	bool always_asbp;
	bool use_rle;
	u32 fencing_policy;
	char name[64];
	bool csums_after_crash_only;
	u32 sock_check_timeo;
	char transport_name[64];
	u32 max_buffers;
	bool allow_remote_read;
	bool tls;
	s32 tls_privkey;
	s32 tls_certificate;
	s32 tls_keyring;
	bool load_balance_paths;
	u32 rdma_ctrl_rcvbuf_size;
	u32 rdma_ctrl_sndbuf_size;
};

static inline void nl_net_conf_defaults(struct nl_net_conf *v)
{
	memset(v, 0, sizeof(*v));
	v->wire_protocol = NET_CONF_WIRE_PROTOCOL_DEF;
	v->connect_int = NET_CONF_CONNECT_INT_DEF;
	v->timeout = NET_CONF_TIMEOUT_DEF;
	v->ping_int = NET_CONF_PING_INT_DEF;
	v->ping_timeo = NET_CONF_PING_TIMEO_DEF;
	v->ko_count = NET_CONF_KO_COUNT_DEF;
	v->max_epoch_size = NET_CONF_MAX_EPOCH_SIZE_DEF;
	v->cong_extents = NET_CONF_CONG_EXTENTS_DEF;
	v->tcp_cork = NET_CONF_TCP_CORK_DEF;
	v->use_rle = NET_CONF_USE_RLE_DEF;
	v->max_buffers = NET_CONF_MAX_BUFFERS_DEF;
	v->allow_remote_read = NET_CONF_ALLOW_REMOTE_READ_DEF;
}

/* To the defaults, except what only a creating request may set. */
static inline void nl_net_conf_reset(struct nl_net_conf *v)
{
	struct nl_net_conf old = *v;

	nl_net_conf_defaults(v);
	memcpy(v->transport_name, old.transport_name, sizeof(v->transport_name));
	v->load_balance_paths = old.load_balance_paths;
}

/* Set 6: set role parms. */
enum nl_set_role_parms_field {
	NLF_SET_ROLE_PARMS_FORCE = 1,
	NLF_SET_ROLE_PARMS_MAX = 1,
};

#define SET_ROLE_PARMS_FORCE_DEF 0
struct nl_set_role_parms {
	bool force;
};

static inline void nl_set_role_parms_defaults(struct nl_set_role_parms *v)
{
	memset(v, 0, sizeof(*v));
}

/* To the defaults, except what only a creating request may set. */
static inline void nl_set_role_parms_reset(struct nl_set_role_parms *v)
{
	nl_set_role_parms_defaults(v);
}

/* Set 7: resize parms. */
enum nl_resize_parms_field {
	NLF_RESIZE_PARMS_RESIZE_SIZE = 1,
	NLF_RESIZE_PARMS_RESIZE_FORCE = 2,
	NLF_RESIZE_PARMS_NO_RESYNC = 3,
	NLF_RESIZE_PARMS_AL_STRIPES = 4,
	NLF_RESIZE_PARMS_AL_STRIPE_SIZE = 5,
	NLF_RESIZE_PARMS_MAX = 5,
};

#define RESIZE_PARMS_RESIZE_SIZE_MIN 0ULL
#define RESIZE_PARMS_RESIZE_SIZE_MAX 2199023255552ULL
#define RESIZE_PARMS_RESIZE_SIZE_DEF 0ULL
#define RESIZE_PARMS_RESIZE_FORCE_DEF 0
#define RESIZE_PARMS_NO_RESYNC_DEF 0
#define RESIZE_PARMS_AL_STRIPES_MIN 1
#define RESIZE_PARMS_AL_STRIPES_MAX 1024
#define RESIZE_PARMS_AL_STRIPES_DEF 1
#define RESIZE_PARMS_AL_STRIPE_SIZE_MIN 4
#define RESIZE_PARMS_AL_STRIPE_SIZE_MAX 16777216
#define RESIZE_PARMS_AL_STRIPE_SIZE_DEF 32
struct nl_resize_parms {
	u64 resize_size;
	bool resize_force;
	bool no_resync;
	u32 al_stripes;
	u32 al_stripe_size;
};

static inline void nl_resize_parms_defaults(struct nl_resize_parms *v)
{
	memset(v, 0, sizeof(*v));
	v->al_stripes = RESIZE_PARMS_AL_STRIPES_DEF;
	v->al_stripe_size = RESIZE_PARMS_AL_STRIPE_SIZE_DEF;
}

/* To the defaults, except what only a creating request may set. */
static inline void nl_resize_parms_reset(struct nl_resize_parms *v)
{
	nl_resize_parms_defaults(v);
}

/* Set 9: start ov parms. */
enum nl_start_ov_parms_field {
	NLF_START_OV_PARMS_OV_START_SECTOR = 1,
	NLF_START_OV_PARMS_OV_STOP_SECTOR = 2,
	NLF_START_OV_PARMS_OV_REPAIR = 31,
	NLF_START_OV_PARMS_MAX = 31,
};

#define START_OV_PARMS_OV_START_SECTOR_MIN 0ULL
#define START_OV_PARMS_OV_START_SECTOR_MAX 2199023255552ULL
#define START_OV_PARMS_OV_START_SECTOR_DEF 0ULL
#define START_OV_PARMS_OV_STOP_SECTOR_MIN 0ULL
#define START_OV_PARMS_OV_STOP_SECTOR_MAX 2199023255552ULL
#define START_OV_PARMS_OV_STOP_SECTOR_DEF 18446744073709551615ULL
#define START_OV_PARMS_OV_REPAIR_DEF 0
struct nl_start_ov_parms {
	u64 ov_start_sector;
	u64 ov_stop_sector;
	bool ov_repair;
};

static inline void nl_start_ov_parms_defaults(struct nl_start_ov_parms *v)
{
	memset(v, 0, sizeof(*v));
	v->ov_stop_sector = START_OV_PARMS_OV_STOP_SECTOR_DEF;
}

/* To the defaults, except what only a creating request may set. */
static inline void nl_start_ov_parms_reset(struct nl_start_ov_parms *v)
{
	nl_start_ov_parms_defaults(v);
}

/* Set 10: new c uuid parms. */
enum nl_new_c_uuid_parms_field {
	NLF_NEW_C_UUID_PARMS_CLEAR_BM = 1,
	NLF_NEW_C_UUID_PARMS_FORCE_RESYNC = 2,
	NLF_NEW_C_UUID_PARMS_MAX = 2,
};

#define NEW_C_UUID_PARMS_CLEAR_BM_DEF 0
#define NEW_C_UUID_PARMS_FORCE_RESYNC_DEF 0
struct nl_new_c_uuid_parms {
	bool clear_bm;
	bool force_resync;
};

static inline void nl_new_c_uuid_parms_defaults(struct nl_new_c_uuid_parms *v)
{
	memset(v, 0, sizeof(*v));
}

/* To the defaults, except what only a creating request may set. */
static inline void nl_new_c_uuid_parms_reset(struct nl_new_c_uuid_parms *v)
{
	nl_new_c_uuid_parms_defaults(v);
}

/* Set 11: timeout parms. */
enum nl_timeout_parms_field {
	NLF_TIMEOUT_PARMS_TIMEOUT_TYPE = 1,
	NLF_TIMEOUT_PARMS_MAX = 1,
};

struct nl_timeout_parms {
	u32 timeout_type;
};

/* Set 12: disconnect parms. */
enum nl_disconnect_parms_field {
	NLF_DISCONNECT_PARMS_FORCE_DISCONNECT = 1,
	NLF_DISCONNECT_PARMS_MAX = 1,
};

#define DISCONNECT_PARMS_FORCE_DISCONNECT_DEF 0
struct nl_disconnect_parms {
	bool force_disconnect;
};

static inline void nl_disconnect_parms_defaults(struct nl_disconnect_parms *v)
{
	memset(v, 0, sizeof(*v));
}

/* To the defaults, except what only a creating request may set. */
static inline void nl_disconnect_parms_reset(struct nl_disconnect_parms *v)
{
	nl_disconnect_parms_defaults(v);
}

/* Set 13: detach parms. */
enum nl_detach_parms_field {
	NLF_DETACH_PARMS_FORCE_DETACH = 1,
	NLF_DETACH_PARMS_INTENTIONAL_DISKLESS_DETACH = 2,
	NLF_DETACH_PARMS_MAX = 2,
};

#define DETACH_PARMS_FORCE_DETACH_DEF 0
#define DETACH_PARMS_INTENTIONAL_DISKLESS_DETACH_DEF 0
struct nl_detach_parms {
	bool force_detach;
	bool intentional_diskless_detach;
};

static inline void nl_detach_parms_defaults(struct nl_detach_parms *v)
{
	memset(v, 0, sizeof(*v));
}

/* To the defaults, except what only a creating request may set. */
static inline void nl_detach_parms_reset(struct nl_detach_parms *v)
{
	nl_detach_parms_defaults(v);
}

/* Set 14: device conf. */
enum nl_device_conf_field {
	NLF_DEVICE_CONF_MAX_BIO_SIZE = 1,
	NLF_DEVICE_CONF_INTENTIONAL_DISKLESS = 2,
	NLF_DEVICE_CONF_BLOCK_SIZE = 3,
	NLF_DEVICE_CONF_DISCARD_GRANULARITY = 4,
	NLF_DEVICE_CONF_MAX = 4,
};

#define DEVICE_CONF_MAX_BIO_SIZE_MIN 512
#define DEVICE_CONF_MAX_BIO_SIZE_MAX 1048576
#define DEVICE_CONF_MAX_BIO_SIZE_DEF 1048576
#define DEVICE_CONF_INTENTIONAL_DISKLESS_DEF 0
#define DEVICE_CONF_BLOCK_SIZE_MIN 512
#define DEVICE_CONF_BLOCK_SIZE_MAX 4096
#define DEVICE_CONF_BLOCK_SIZE_DEF 512
#define DEVICE_CONF_DISCARD_GRANULARITY_MIN 0
#define DEVICE_CONF_DISCARD_GRANULARITY_MAX 134217728
#define DEVICE_CONF_DISCARD_GRANULARITY_DEF 4294967295U
struct nl_device_conf {
	u32 max_bio_size;
	bool intentional_diskless;
	u32 block_size;
	u32 discard_granularity;
};

static inline void nl_device_conf_defaults(struct nl_device_conf *v)
{
	memset(v, 0, sizeof(*v));
	v->max_bio_size = DEVICE_CONF_MAX_BIO_SIZE_DEF;
	v->block_size = DEVICE_CONF_BLOCK_SIZE_DEF;
	v->discard_granularity = DEVICE_CONF_DISCARD_GRANULARITY_DEF;
}

/* To the defaults, except what only a creating request may set. */
static inline void nl_device_conf_reset(struct nl_device_conf *v)
{
	struct nl_device_conf old = *v;

	nl_device_conf_defaults(v);
	v->max_bio_size = old.max_bio_size;
}

/* Set 15: resource info. */
enum nl_resource_info_field {
	NLF_RESOURCE_INFO_RES_ROLE = 1,
	NLF_RESOURCE_INFO_RES_SUSP = 2,
	NLF_RESOURCE_INFO_RES_SUSP_NOD = 3,
	NLF_RESOURCE_INFO_RES_SUSP_FEN = 4,
	NLF_RESOURCE_INFO_RES_SUSP_QUORUM = 5,
	NLF_RESOURCE_INFO_RES_FAIL_IO = 6,
	NLF_RESOURCE_INFO_MAX = 6,
};

struct nl_resource_info {
	u32 res_role;
	bool res_susp;
	bool res_susp_nod;
	bool res_susp_fen;
	bool res_susp_quorum;
	bool res_fail_io;
};

/* Set 16: device info. */
enum nl_device_info_field {
	NLF_DEVICE_INFO_DEV_DISK_STATE = 1,
	NLF_DEVICE_INFO_IS_INTENTIONAL_DISKLESS = 2,
	NLF_DEVICE_INFO_DEV_HAS_QUORUM = 3,
	NLF_DEVICE_INFO_DEV_IS_OPEN = 5,
	NLF_DEVICE_INFO_BACKING_DEV_PATH = 4,
	NLF_DEVICE_INFO_MAX = 5,
};

struct nl_device_info {
	u32 dev_disk_state;
	bool is_intentional_diskless;
	bool dev_has_quorum;
	bool dev_is_open;
	char backing_dev_path[128];
};

/* Set 17: connection info. */
enum nl_connection_info_field {
	NLF_CONNECTION_INFO_CONN_CONNECTION_STATE = 1,
	NLF_CONNECTION_INFO_CONN_ROLE = 2,
	NLF_CONNECTION_INFO_MAX = 2,
};

struct nl_connection_info {
	u32 conn_connection_state;
	u32 conn_role;
};

/* Set 18: peer device info. */
enum nl_peer_device_info_field {
	NLF_PEER_DEVICE_INFO_PEER_REPL_STATE = 1,
	NLF_PEER_DEVICE_INFO_PEER_DISK_STATE = 2,
	NLF_PEER_DEVICE_INFO_PEER_RESYNC_SUSP_USER = 3,
	NLF_PEER_DEVICE_INFO_PEER_RESYNC_SUSP_PEER = 4,
	NLF_PEER_DEVICE_INFO_PEER_RESYNC_SUSP_DEPENDENCY = 5,
	NLF_PEER_DEVICE_INFO_PEER_IS_INTENTIONAL_DISKLESS = 6,
	NLF_PEER_DEVICE_INFO_PEER_RESYNC_SUSP_MAX_PARALLEL = 7,
	NLF_PEER_DEVICE_INFO_MAX = 7,
};

struct nl_peer_device_info {
	u32 peer_repl_state;
	u32 peer_disk_state;
	u32 peer_resync_susp_user;
	u32 peer_resync_susp_peer;
	u32 peer_resync_susp_dependency;
	bool peer_is_intentional_diskless;
	u32 peer_resync_susp_max_parallel;
};

/* Set 19: resource statistics. */
enum nl_resource_statistics_field {
	NLF_RESOURCE_STATISTICS_RES_STAT_WRITE_ORDERING = 1,
	NLF_RESOURCE_STATISTICS_MAX = 1,
};

struct nl_resource_statistics {
	u32 res_stat_write_ordering;
};

/* Set 20: device statistics. */
enum nl_device_statistics_field {
	NLF_DEVICE_STATISTICS_DEV_SIZE = 1,
	NLF_DEVICE_STATISTICS_DEV_READ = 2,
	NLF_DEVICE_STATISTICS_DEV_WRITE = 3,
	NLF_DEVICE_STATISTICS_DEV_AL_WRITES = 4,
	NLF_DEVICE_STATISTICS_DEV_BM_WRITES = 5,
	NLF_DEVICE_STATISTICS_DEV_UPPER_PENDING = 6,
	NLF_DEVICE_STATISTICS_DEV_LOWER_PENDING = 7,
	NLF_DEVICE_STATISTICS_DEV_UPPER_BLOCKED = 8,
	NLF_DEVICE_STATISTICS_DEV_LOWER_BLOCKED = 9,
	NLF_DEVICE_STATISTICS_DEV_AL_SUSPENDED = 10,
	NLF_DEVICE_STATISTICS_DEV_EXPOSED_DATA_UUID = 11,
	NLF_DEVICE_STATISTICS_DEV_CURRENT_UUID = 12,
	NLF_DEVICE_STATISTICS_DEV_DISK_FLAGS = 13,
	NLF_DEVICE_STATISTICS_HISTORY_UUIDS = 14,
	NLF_DEVICE_STATISTICS_MAX = 14,
};

struct nl_device_statistics {
	u64 dev_size;
	u64 dev_read;
	u64 dev_write;
	u64 dev_al_writes;
	u64 dev_bm_writes;
	u32 dev_upper_pending;
	u32 dev_lower_pending;
	bool dev_upper_blocked;
	bool dev_lower_blocked;
	bool dev_al_suspended;
	u64 dev_exposed_data_uuid;
	u64 dev_current_uuid;
	u32 dev_disk_flags;
	u64 history_uuids[32];
	u32 history_uuids_len;
};

/* Set 21: connection statistics. */
enum nl_connection_statistics_field {
	NLF_CONNECTION_STATISTICS_CONN_CONGESTED = 1,
	NLF_CONNECTION_STATISTICS_AP_IN_FLIGHT = 2,
	NLF_CONNECTION_STATISTICS_RS_IN_FLIGHT = 3,
	NLF_CONNECTION_STATISTICS_MAX = 3,
};

struct nl_connection_statistics {
	bool conn_congested;
	u64 ap_in_flight;
	u64 rs_in_flight;
};

/* Set 22: peer device statistics. */
enum nl_peer_device_statistics_field {
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RECEIVED = 1,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_SENT = 2,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_PENDING = 3,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_UNACKED = 4,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_OUT_OF_SYNC = 5,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RESYNC_FAILED = 6,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_BITMAP_UUID = 7,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_FLAGS = 9,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RS_TOTAL = 10,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_OV_START_SECTOR = 11,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_OV_STOP_SECTOR = 12,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_OV_POSITION = 13,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_OV_LEFT = 14,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_OV_SKIPPED = 15,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RS_SAME_CSUM = 16,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RS_DT_START_MS = 17,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RS_PAUSED_MS = 18,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RS_DT0_MS = 19,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RS_DB0_SECTORS = 20,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RS_DT1_MS = 21,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RS_DB1_SECTORS = 22,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_RS_C_SYNC_RATE = 23,
	NLF_PEER_DEVICE_STATISTICS_PEER_DEV_UUID_FLAGS = 24,
	NLF_PEER_DEVICE_STATISTICS_MAX = 24,
};

struct nl_peer_device_statistics {
	u64 peer_dev_received;
	u64 peer_dev_sent;
	u32 peer_dev_pending;
	u32 peer_dev_unacked;
	u64 peer_dev_out_of_sync;
	u64 peer_dev_resync_failed;
	u64 peer_dev_bitmap_uuid;
	u32 peer_dev_flags;
	u64 peer_dev_rs_total;
	u64 peer_dev_ov_start_sector;
	u64 peer_dev_ov_stop_sector;
	u64 peer_dev_ov_position;
	u64 peer_dev_ov_left;
	u64 peer_dev_ov_skipped;
	u64 peer_dev_rs_same_csum;
	u64 peer_dev_rs_dt_start_ms;
	u64 peer_dev_rs_paused_ms;
	u64 peer_dev_rs_dt0_ms;
	u64 peer_dev_rs_db0_sectors;
	u64 peer_dev_rs_dt1_ms;
	u64 peer_dev_rs_db1_sectors;
	u32 peer_dev_rs_c_sync_rate;
	u64 peer_dev_uuid_flags;
};

/* Set 23: notification header. */
enum nl_notification_header_field {
	NLF_NOTIFICATION_HEADER_NH_TYPE = 1,
	NLF_NOTIFICATION_HEADER_MAX = 1,
};

struct nl_notification_header {
	u32 nh_type;
};

/* Set 24: helper info. */
enum nl_helper_info_field {
	NLF_HELPER_INFO_HELPER_NAME = 1,
	NLF_HELPER_INFO_HELPER_STATUS = 2,
	NLF_HELPER_INFO_MAX = 2,
};

struct nl_helper_info {
	char helper_name[32];
	u32 helper_status;
};

/* Set 25: invalidate parms. */
enum nl_invalidate_parms_field {
	NLF_INVALIDATE_PARMS_SYNC_FROM_PEER_NODE_ID = 1,
	NLF_INVALIDATE_PARMS_RESET_BITMAP = 2,
	NLF_INVALIDATE_PARMS_MAX = 2,
};

#define INVALIDATE_PARMS_SYNC_FROM_PEER_NODE_ID_MIN (-1)
#define INVALIDATE_PARMS_SYNC_FROM_PEER_NODE_ID_MAX (32)
#define INVALIDATE_PARMS_SYNC_FROM_PEER_NODE_ID_DEF (-1)
#define INVALIDATE_PARMS_RESET_BITMAP_DEF 1
struct nl_invalidate_parms {
	s32 sync_from_peer_node_id;
	bool reset_bitmap;
};

static inline void nl_invalidate_parms_defaults(struct nl_invalidate_parms *v)
{
	memset(v, 0, sizeof(*v));
	v->sync_from_peer_node_id = INVALIDATE_PARMS_SYNC_FROM_PEER_NODE_ID_DEF;
	v->reset_bitmap = INVALIDATE_PARMS_RESET_BITMAP_DEF;
}

/* To the defaults, except what only a creating request may set. */
static inline void nl_invalidate_parms_reset(struct nl_invalidate_parms *v)
{
	nl_invalidate_parms_defaults(v);
}

/* Set 26: forget peer parms. */
enum nl_forget_peer_parms_field {
	NLF_FORGET_PEER_PARMS_FORGET_PEER_NODE_ID = 1,
	NLF_FORGET_PEER_PARMS_MAX = 1,
};

#define FORGET_PEER_PARMS_FORGET_PEER_NODE_ID_DEF (-1)
struct nl_forget_peer_parms {
	s32 forget_peer_node_id;
};

static inline void nl_forget_peer_parms_defaults(struct nl_forget_peer_parms *v)
{
	memset(v, 0, sizeof(*v));
	v->forget_peer_node_id = FORGET_PEER_PARMS_FORGET_PEER_NODE_ID_DEF;
}

/* To the defaults, except what only a creating request may set. */
static inline void nl_forget_peer_parms_reset(struct nl_forget_peer_parms *v)
{
	nl_forget_peer_parms_defaults(v);
}

/* Set 27: peer device opts. */
enum nl_peer_device_opts_field {
	NLF_PEER_DEVICE_OPTS_RESYNC_RATE = 1,
	NLF_PEER_DEVICE_OPTS_C_PLAN_AHEAD = 2,
	NLF_PEER_DEVICE_OPTS_C_DELAY_TARGET = 3,
	NLF_PEER_DEVICE_OPTS_C_FILL_TARGET = 4,
	NLF_PEER_DEVICE_OPTS_C_MAX_RATE = 5,
	NLF_PEER_DEVICE_OPTS_C_MIN_RATE = 6,
	NLF_PEER_DEVICE_OPTS_BITMAP = 7,
	NLF_PEER_DEVICE_OPTS_RESYNC_WITHOUT_REPLICATION = 8,
	NLF_PEER_DEVICE_OPTS_PEER_TIEBREAKER = 9,
	NLF_PEER_DEVICE_OPTS_MAX = 9,
};

#define PEER_DEVICE_OPTS_RESYNC_RATE_MIN 1
#define PEER_DEVICE_OPTS_RESYNC_RATE_MAX 8388608
#define PEER_DEVICE_OPTS_RESYNC_RATE_DEF 250
#define PEER_DEVICE_OPTS_C_PLAN_AHEAD_MIN 0
#define PEER_DEVICE_OPTS_C_PLAN_AHEAD_MAX 300
#define PEER_DEVICE_OPTS_C_PLAN_AHEAD_DEF 20
#define PEER_DEVICE_OPTS_C_DELAY_TARGET_MIN 1
#define PEER_DEVICE_OPTS_C_DELAY_TARGET_MAX 100
#define PEER_DEVICE_OPTS_C_DELAY_TARGET_DEF 10
#define PEER_DEVICE_OPTS_C_FILL_TARGET_MIN 0
#define PEER_DEVICE_OPTS_C_FILL_TARGET_MAX 1048576
#define PEER_DEVICE_OPTS_C_FILL_TARGET_DEF 100
#define PEER_DEVICE_OPTS_C_MAX_RATE_MIN 0
#define PEER_DEVICE_OPTS_C_MAX_RATE_MAX 4194304
#define PEER_DEVICE_OPTS_C_MAX_RATE_DEF 102400
#define PEER_DEVICE_OPTS_C_MIN_RATE_MIN 0
#define PEER_DEVICE_OPTS_C_MIN_RATE_MAX 4194304
#define PEER_DEVICE_OPTS_C_MIN_RATE_DEF 250
#define PEER_DEVICE_OPTS_BITMAP_DEF 1
#define PEER_DEVICE_OPTS_RESYNC_WITHOUT_REPLICATION_DEF 1
#define PEER_DEVICE_OPTS_PEER_TIEBREAKER_DEF 1
struct nl_peer_device_opts {
	u32 resync_rate;
	u32 c_plan_ahead;
	u32 c_delay_target;
	u32 c_fill_target;
	u32 c_max_rate;
	u32 c_min_rate;
	bool bitmap;
	bool resync_without_replication;
	bool peer_tiebreaker;
};

static inline void nl_peer_device_opts_defaults(struct nl_peer_device_opts *v)
{
	memset(v, 0, sizeof(*v));
	v->resync_rate = PEER_DEVICE_OPTS_RESYNC_RATE_DEF;
	v->c_plan_ahead = PEER_DEVICE_OPTS_C_PLAN_AHEAD_DEF;
	v->c_delay_target = PEER_DEVICE_OPTS_C_DELAY_TARGET_DEF;
	v->c_fill_target = PEER_DEVICE_OPTS_C_FILL_TARGET_DEF;
	v->c_max_rate = PEER_DEVICE_OPTS_C_MAX_RATE_DEF;
	v->c_min_rate = PEER_DEVICE_OPTS_C_MIN_RATE_DEF;
	v->bitmap = PEER_DEVICE_OPTS_BITMAP_DEF;
	v->resync_without_replication = PEER_DEVICE_OPTS_RESYNC_WITHOUT_REPLICATION_DEF;
	v->peer_tiebreaker = PEER_DEVICE_OPTS_PEER_TIEBREAKER_DEF;
}

/* To the defaults, except what only a creating request may set. */
static inline void nl_peer_device_opts_reset(struct nl_peer_device_opts *v)
{
	nl_peer_device_opts_defaults(v);
}

/* Set 28: path parms. */
enum nl_path_parms_field {
	NLF_PATH_PARMS_MY_ADDR = 1,
	NLF_PATH_PARMS_PEER_ADDR = 2,
	NLF_PATH_PARMS_MAX = 2,
};

struct nl_path_parms {
	u8 my_addr[128];
	u32 my_addr_len;
	u8 peer_addr[128];
	u32 peer_addr_len;
};

static inline void nl_path_parms_defaults(struct nl_path_parms *v)
{
	memset(v, 0, sizeof(*v));
}

/* To the defaults, except what only a creating request may set. */
static inline void nl_path_parms_reset(struct nl_path_parms *v)
{
	nl_path_parms_defaults(v);
}

/* Set 29: connect parms. */
enum nl_connect_parms_field {
	NLF_CONNECT_PARMS_TENTATIVE = 1,
	NLF_CONNECT_PARMS_DISCARD_MY_DATA = 2,
	NLF_CONNECT_PARMS_MAX = 2,
};

#define CONNECT_PARMS_TENTATIVE_DEF 0
#define CONNECT_PARMS_DISCARD_MY_DATA_DEF 0
struct nl_connect_parms {
	bool tentative;
	bool discard_my_data;
};

static inline void nl_connect_parms_defaults(struct nl_connect_parms *v)
{
	memset(v, 0, sizeof(*v));
}

/* To the defaults, except what only a creating request may set. */
static inline void nl_connect_parms_reset(struct nl_connect_parms *v)
{
	nl_connect_parms_defaults(v);
}

/* Set 30: path info. */
enum nl_path_info_field {
	NLF_PATH_INFO_PATH_ESTABLISHED = 1,
	NLF_PATH_INFO_MAX = 1,
};

struct nl_path_info {
	bool path_established;
};

/* Set 31: rename resource parms. */
enum nl_rename_resource_parms_field {
	NLF_RENAME_RESOURCE_PARMS_NEW_RESOURCE_NAME = 1,
	NLF_RENAME_RESOURCE_PARMS_MAX = 1,
};

struct nl_rename_resource_parms {
	char new_resource_name[128];
};

static inline void nl_rename_resource_parms_defaults(struct nl_rename_resource_parms *v)
{
	memset(v, 0, sizeof(*v));
}

/* To the defaults, except what only a creating request may set. */
static inline void nl_rename_resource_parms_reset(struct nl_rename_resource_parms *v)
{
	nl_rename_resource_parms_defaults(v);
}

/* Set 32: rename resource info. */
enum nl_rename_resource_info_field {
	NLF_RENAME_RESOURCE_INFO_RES_NEW_NAME = 1,
	NLF_RENAME_RESOURCE_INFO_MAX = 1,
};

struct nl_rename_resource_info {
	char res_new_name[128];
};

/* Set 33: inval peer params. */
enum nl_inval_peer_params_field {
	NLF_INVAL_PEER_PARAMS_P_RESET_BITMAP = 1,
	NLF_INVAL_PEER_PARAMS_MAX = 1,
};

#define INVAL_PEER_PARAMS_P_RESET_BITMAP_DEF 1
struct nl_inval_peer_params {
	bool p_reset_bitmap;
};

static inline void nl_inval_peer_params_defaults(struct nl_inval_peer_params *v)
{
	memset(v, 0, sizeof(*v));
	v->p_reset_bitmap = INVAL_PEER_PARAMS_P_RESET_BITMAP_DEF;
}

/* To the defaults, except what only a creating request may set. */
static inline void nl_inval_peer_params_reset(struct nl_inval_peer_params *v)
{
	nl_inval_peer_params_defaults(v);
}

/* Set 34: suspend io params. */
enum nl_suspend_io_params_field {
	NLF_SUSPEND_IO_PARAMS_BDEV_FREEZE = 1,
	NLF_SUSPEND_IO_PARAMS_MAX = 1,
};

#define SUSPEND_IO_PARAMS_BDEV_FREEZE_DEF 1
struct nl_suspend_io_params {
	bool bdev_freeze;
};

static inline void nl_suspend_io_params_defaults(struct nl_suspend_io_params *v)
{
	memset(v, 0, sizeof(*v));
	v->bdev_freeze = SUSPEND_IO_PARAMS_BDEV_FREEZE_DEF;
}

/* To the defaults, except what only a creating request may set. */
static inline void nl_suspend_io_params_reset(struct nl_suspend_io_params *v)
{
	nl_suspend_io_params_defaults(v);
}

#endif
