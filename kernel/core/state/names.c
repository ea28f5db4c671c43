// SPDX-License-Identifier: GPL-2.0
/*
 * Names of states and texts of results, as users have known them
 * (behaviour.md 2). No logic lives here.
 */
#include "model.h"

static const char *const role_names[] = { "Unknown", "Primary", "Secondary" };

static const char *const disk_names[] = {
	[DISK_DISKLESS] = "Diskless", [DISK_ATTACHING] = "Attaching",
	[DISK_DETACHING] = "Detaching", [DISK_FAILED] = "Failed",
	[DISK_NEGOTIATING] = "Negotiating", [DISK_INCONSISTENT] = "Inconsistent",
	[DISK_OUTDATED] = "Outdated", [DISK_UNKNOWN] = "DUnknown",
	[DISK_CONSISTENT] = "Consistent", [DISK_UP_TO_DATE] = "UpToDate",
};

static const char *const conn_names[] = {
	[CONN_STANDALONE] = "StandAlone", [CONN_DISCONNECTING] = "Disconnecting",
	[CONN_UNCONNECTED] = "Unconnected", [CONN_TIMEOUT] = "Timeout",
	[CONN_BROKEN_PIPE] = "BrokenPipe",
	[CONN_NETWORK_FAILURE] = "NetworkFailure",
	[CONN_PROTOCOL_ERROR] = "ProtocolError", [CONN_TEAR_DOWN] = "TearDown",
	[CONN_CONNECTING] = "Connecting", [CONN_CONNECTED] = "Connected",
};

static const char *const repl_names[] = {
	[REPL_OFF] = "Off", [REPL_ESTABLISHED] = "Established",
	[REPL_STARTING_SYNC_S] = "StartingSyncS",
	[REPL_STARTING_SYNC_T] = "StartingSyncT",
	[REPL_WF_BITMAP_S] = "WFBitMapS", [REPL_WF_BITMAP_T] = "WFBitMapT",
	[REPL_WF_SYNC_UUID] = "WFSyncUUID", [REPL_SYNC_SOURCE] = "SyncSource",
	[REPL_SYNC_TARGET] = "SyncTarget", [REPL_VERIFY_S] = "VerifyS",
	[REPL_VERIFY_T] = "VerifyT", [REPL_PAUSED_SYNC_S] = "PausedSyncS",
	[REPL_PAUSED_SYNC_T] = "PausedSyncT", [REPL_AHEAD] = "Ahead",
	[REPL_BEHIND] = "Behind",
};

static const char *const helper_names[HELPERS] = {
	[HELPER_BEFORE_RESYNC_TARGET] = "before-resync-target",
	[HELPER_AFTER_RESYNC_TARGET] = "after-resync-target",
	[HELPER_BEFORE_RESYNC_SOURCE] = "before-resync-source",
	[HELPER_LOCAL_IO_ERROR] = "local-io-error",
	[HELPER_SPLIT_BRAIN] = "split-brain",
	[HELPER_INITIAL_SPLIT_BRAIN] = "initial-split-brain",
	[HELPER_PRI_ON_INCON_DEGR] = "pri-on-incon-degr",
	[HELPER_PRI_LOST] = "pri-lost",
	[HELPER_OUT_OF_SYNC] = "out-of-sync",
	[HELPER_FENCE_PEER] = "fence-peer",
	[HELPER_UNFENCE_PEER] = "unfence-peer",
};

static const struct {
	s32 result;
	const char *text;
} result_texts[] = {
	{ RES_TWO_PRIMARIES, "Multiple primaries not allowed by config" },
	{ RES_NO_UP_TO_DATE_DISK, "Need access to UpToDate data" },
	{ RES_NO_LOCAL_DISK, "Can not resync without local disk" },
	{ RES_NO_REMOTE_DISK, "Can not resync without remote disk" },
	{ RES_CONNECTED_OUTDATES, "Refusing to be Outdated while Connected" },
	{ RES_PRIMARY_NOP, "Refusing to be Primary while peer is not outdated" },
	{ RES_RESYNC_RUNNING, "Can not start OV/resync since it is already active" },
	{ RES_ALREADY_STANDALONE, "Can not disconnect a StandAlone device" },
	{ RES_CW_FAILED_BY_PEER, "State change was refused by peer node" },
	{ RES_IS_DISKLESS, "Device is diskless, the requested operation requires a disk" },
	{ RES_DEVICE_IN_USE, "Device is held open by someone" },
	{ RES_NO_NET_CONFIG, "Have no net/connection configuration" },
	{ RES_NO_VERIFY_ALG, "Need a verify algorithm to start online verify" },
	{ RES_NEED_CONNECTION, "State change requires a connection" },
	{ RES_LOWER_THAN_OUTDATED, "Disk state is lower than outdated" },
	{ RES_NOT_SUPPORTED, "Peer does not support protocol" },
	{ RES_IN_TRANSIENT_STATE, "In transient state, retry after next state change" },
	{ RES_CONCURRENT_ST_CHG, "Concurrent state changes detected and aborted" },
	{ RES_O_VOL_PEER_PRI, "Other vol primary on peer not allowed by config" },
	{ RES_INTERRUPTED, "Interrupted state change" },
	{ RES_TIMEOUT, "Timeout in operation" },
	{ RES_WEAKLY_CONNECTED, "Primary nodes must be strongly connected among each other" },
};

const char *core_role_name(u8 role)
{
	return role < ARRAY_SIZE(role_names) ? role_names[role] : "?";
}

const char *core_disk_name(u8 disk)
{
	return disk < ARRAY_SIZE(disk_names) ? disk_names[disk] : "?";
}

const char *core_conn_name(u8 cstate)
{
	return cstate < ARRAY_SIZE(conn_names) ? conn_names[cstate] : "?";
}

const char *core_repl_name(u8 repl)
{
	if (repl < REPL_OFF || repl >= ARRAY_SIZE(repl_names))
		return "?";
	return repl_names[repl];
}

const char *core_conn84_name(u8 cstate, u8 repl)
{
	if (cstate == CONN_CONNECTING)
		return "WFConnection";
	if (cstate < CONN_CONNECTED)
		return core_conn_name(cstate);
	if (repl == REPL_OFF)
		return "WFReportParams";
	if (repl == REPL_ESTABLISHED)
		return "Connected";
	return core_repl_name(repl);
}

const char *core_result_text(s32 result)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(result_texts); i++)
		if (result_texts[i].result == result)
			return result_texts[i].text;
	return result > 0 ? "Success" : "Unknown error";
}

const char *core_helper_name(u8 helper)
{
	return helper < HELPERS && helper_names[helper] ? helper_names[helper] : "?";
}
