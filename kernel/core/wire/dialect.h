/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wire/dialect.h - numbers that differ between protocol generations.
 *
 * The state model of core is that of generation 9. Below 110 disk states have
 * other numbers on the wire; both P_STATE and the state change requests are
 * translated here, and nowhere else.
 *
 * Specification: wire.md 5.8, 8.1.
 */
#ifndef DRBD_CORE_WIRE_DIALECT_H
#define DRBD_CORE_WIRE_DIALECT_H

#include "packet.h"

enum drbd_role {
	ROLE_UNKNOWN = 0,
	ROLE_PRIMARY = 1,
	ROLE_SECONDARY = 2,
	ROLE_MASK = 3,
};

/* Connection and replication state in one number, as on the wire. */
enum drbd_conn_state {
	CONN_STANDALONE = 0,
	CONN_DISCONNECTING = 1,
	CONN_UNCONNECTED = 2,
	CONN_TIMEOUT = 3,
	CONN_BROKEN_PIPE = 4,
	CONN_NETWORK_FAILURE = 5,
	CONN_PROTOCOL_ERROR = 6,
	CONN_TEAR_DOWN = 7,
	CONN_CONNECTING = 8,		/* 8.4: WFConnection */
	CONN_CONNECTED = 9,		/* 8.4: WFReportParams; replication Off */
	REPL_ESTABLISHED = 10,		/* 8.4: Connected */
	REPL_STARTING_SYNC_S = 11,
	REPL_STARTING_SYNC_T = 12,
	REPL_WF_BITMAP_S = 13,
	REPL_WF_BITMAP_T = 14,
	REPL_WF_SYNC_UUID = 15,
	REPL_SYNC_SOURCE = 16,
	REPL_SYNC_TARGET = 17,
	REPL_VERIFY_S = 18,
	REPL_VERIFY_T = 19,
	REPL_PAUSED_SYNC_S = 20,
	REPL_PAUSED_SYNC_T = 21,
	REPL_AHEAD = 22,
	REPL_BEHIND = 23,
	CONN_MASK = 31,
};

enum drbd_disk_state {
	DISK_DISKLESS = 0,
	DISK_ATTACHING = 1,
	DISK_DETACHING = 2,		/* no number of its own below 110 */
	DISK_FAILED = 3,
	DISK_NEGOTIATING = 4,
	DISK_INCONSISTENT = 5,
	DISK_OUTDATED = 6,
	DISK_UNKNOWN = 7,
	DISK_CONSISTENT = 8,
	DISK_UP_TO_DATE = 9,
	DISK_MASK = 15,
};

/* The state word, unpacked; numbers are those of the enums above. */
struct wire_state {
	u8 role, peer;
	u8 conn;
	u8 disk, pdsk;
	u8 susp, aftr_isp, peer_isp, user_isp, susp_nod, susp_fen, quorum;
};

/* Packs @s for the agreed @version. */
u32 drbd_wire_state_pack(u16 version, const struct wire_state *s);
/*
 * Unpacks a P_STATE word. WIRE_BAD_VALUE for a role, state or disk number that
 * does not exist. @s is filled in any case.
 */
enum wire_error drbd_wire_state_unpack(u16 version, u32 word,
				       struct wire_state *s);
/*
 * A state change request: @mask says which fields of @val count; a field of
 * @mask is either 0 or all ones. WIRE_BAD_VALUE if not, or if a field of val
 * that counts does not exist. Disk numbers of @val are translated (wire.md 8.1
 * says why), mask fields stay.
 */
enum wire_error drbd_wire_state_req_unpack(u16 version, u32 mask, u32 val,
					   struct wire_state *out_mask,
					   struct wire_state *out_val);
void drbd_wire_state_req_pack(u16 version, const struct wire_state *mask,
			      const struct wire_state *val, u32 *out_mask,
			      u32 *out_val);
/* The same request or state as the other end sees it: role and peer, disk and
 * pdsk swapped, sources and targets exchanged (wire.md 8.1 step 2). As mask and
 * as value alike. */
void drbd_wire_state_mirror(const struct wire_state *in, struct wire_state *out);

/* Disk number of the generation of @version, and back. */
u8 drbd_wire_disk_out(u16 version, u8 disk);
u8 drbd_wire_disk_in(u16 version, u8 disk);

#endif
