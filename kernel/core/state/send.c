// SPDX-License-Identifier: GPL-2.0
/*
 * Packets of the handshake and of state changes, filled from the model. Their
 * content is captured here, when the action is created (ordering table).
 */
#include "internal.h"

static struct core_packet *packet(struct core_connection *conn, u8 action, u16 cmd, u16 vnr)
{
	struct core_packet *p = &emit_conn(conn, action)->packet;

	p->cmd = cmd;
	p->vnr = vnr;
	p->len = 0;
	return p;
}

static struct core_packet *pd_packet(struct core_peer_device *pd, u16 cmd)
{
	return packet(pd->conn, ACT_SEND, cmd, pd->dev->vnr);
}

void send_sync_param(struct core_peer_device *pd)
{
	struct core_packet *p = pd_packet(pd, P_SYNC_PARAM89);
	struct wire_sync_param s = {
		.resync_rate = pd->conf.resync_rate,
		.c_plan_ahead = pd->conf.c_plan_ahead,
		.c_delay_target = pd->conf.c_delay_target,
		.c_fill_target = pd->conf.c_fill_target,
		.c_max_rate = pd->conf.c_max_rate,
	};

	core_strcopy(s.verify_alg, pd->conn->conf.verify_alg, sizeof(s.verify_alg));
	core_strcopy(s.csums_alg, pd->conn->conf.csums_alg, sizeof(s.csums_alg));
	p->len = drbd_wire_put_sync_param(&pd->conn->wire, p->body, &s, &p->cmd);
}

static void put_sizes(struct core_peer_device *pd, bool answer, u16 dds_flags)
{
	struct core_packet *p = pd_packet(pd, P_SIZES);
	const struct core_device *dev = pd->dev;
	bool disk = dev->next_state.disk >= DISK_NEGOTIATING;
	struct wire_sizes s = {
		.d_size = disk ? dev->d_size : 0,
		.u_size = disk ? dev->conf.disk_size : 0,
		/* 8.4 answers to a size that is not its own */
		.c_size = answer ? 0 : dev->size,
		.dds_flags = dds_flags,
		.max_bio_size = disk ? dev->backing_max_bio : WIRE_MAX_BIO,
		.has_limits = true,
		.physical_block_size = 512, .logical_block_size = 512,
		.io_min = 512,
		.discard_enabled = disk && dev->backing_discard,
	};

	p->len = drbd_wire_put_sizes(&pd->conn->wire, p->body, &s);
}

void send_sizes(struct core_peer_device *pd)
{
	put_sizes(pd, false, 0);
}

/* While connected: a resize, or the answer to one; @answer: the peer shall do so. */
void send_new_sizes(struct core_peer_device *pd, bool answer, u16 dds_flags)
{
	put_sizes(pd, answer, dds_flags);
}

static void send_uuids_flagged(struct core_peer_device *pd, u64 flags)
{
	const struct core_device *dev = pd->dev;
	struct wire_uuids *u = &pd->sent_uuids;
	struct core_packet *p;

	/* in the 8.4 dialect a diskless node has no identifiers to show */
	if (dev->next_state.disk < DISK_NEGOTIATING)
		return;
	memset(u, 0, sizeof(*u));
	u->flags = flags;
	u->current_uuid = dev->md.current_uuid;
	u->bitmap_uuid = *bitmap_uuid(pd);
	u->history[0] = dev->md.history[0];
	u->history[1] = dev->md.history[1];
	u->dirty_bits = pd->dirty_bits;
	if (pd->conn->discard_my_data)
		u->flags |= UUID_DISCARD_MY_DATA;
	if (dev->crashed_primary)
		u->flags |= UUID_CRASHED_PRIMARY;
	if (dev->next_state.disk == DISK_NEGOTIATING && !(dev->md.flags & MDF_CONSISTENT))
		u->flags |= UUID_INCONSISTENT;
	p = pd_packet(pd, P_UUIDS);
	p->len = drbd_wire_put_uuids(p->body, u);
}

void send_uuids(struct core_peer_device *pd)
{
	send_uuids_flagged(pd, 0);
}

/* The peer, whose metadata is fresh as ours was, shall take ours over and skip the sync. */
void send_uuids_of_fresh(struct core_peer_device *pd)
{
	send_uuids_flagged(pd, UUID_SKIP_INITIAL_SYNC);
}

static struct wire_state state_word(const struct core_peer_device *pd)
{
	const struct core_connection *conn = pd->conn;
	const struct core_resource *res = pd->dev->res;

	return (struct wire_state){
		.role = res->next.role,
		.peer = conn->next_state.peer_role,
		.conn = pd->next.repl > REPL_OFF ? pd->next.repl : conn->next_state.cstate,
		.disk = pd->dev->next_state.disk,
		.pdsk = pd->next.pdsk,
		.susp = res->next.susp_user,
		.susp_nod = res->next.susp_nod,
		.susp_fen = res->next.susp_fen,
		.aftr_isp = pd->next.aftr_isp,
		.peer_isp = pd->next.peer_isp,
		.user_isp = pd->next.user_isp,
	};
}

void send_state(struct core_peer_device *pd)
{
	struct core_packet *p = pd_packet(pd, P_STATE);
	struct wire_state s = state_word(pd);

	pd->shown_role = s.role;
	p->len = drbd_wire_put_state(&pd->conn->wire, p->body, &s);
}

void send_sync_uuid(struct core_peer_device *pd)
{
	struct core_packet *p = pd_packet(pd, P_SYNC_UUID);

	p->len = drbd_wire_put_uuid(p->body, pd->sync_uuid);
}

/* Net options changed while connected (wire.md 5.4). */
void send_protocol_update(struct core_connection *conn)
{
	struct core_packet *p = packet(conn, ACT_SEND, P_PROTOCOL_UPDATE, 0);
	struct wire_protocol w = {
		.protocol = conn->conf.wire_protocol,
		.after_sb_0p = conn->conf.after_sb_0p,
		.after_sb_1p = conn->conf.after_sb_1p,
		.after_sb_2p = conn->conf.after_sb_2p,
		.two_primaries = conn->conf.two_primaries,
	};

	core_strcopy(w.integrity_alg, conn->conf.integrity_alg, sizeof(w.integrity_alg));
	p->len = drbd_wire_put_protocol(&conn->wire, p->body, &w);
}

/* wire.md 5.1: SIZES, UUIDs and STATE of a volume in this order. */
void send_handshake(struct core_connection *conn)
{
	struct core_peer_device *pd;

	for_each_pd_of_conn(pd, conn) {
		send_sync_param(pd);
		send_sizes(pd);
		send_uuids(pd);
		send_state(pd);
	}
}

void send_state_request(struct core_connection *conn, u16 vnr, const struct wire_state_req *req,
			bool connection_wide)
{
	struct core_packet *p = packet(conn, ACT_SEND,
				       connection_wide ? P_CONN_ST_CHG_REQ : P_STATE_CHG_REQ, vnr);

	p->len = drbd_wire_put_state_req(&conn->wire, p->body, req);
}

void send_state_reply(struct core_connection *conn, u16 vnr, s32 code, bool connection_wide)
{
	struct core_packet *p = packet(conn, ACT_SEND_META,
				       connection_wide ? P_CONN_ST_CHG_REPLY : P_STATE_CHG_REPLY, vnr);

	p->len = drbd_wire_put_state_reply(p->body, code);
}
