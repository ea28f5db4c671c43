// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network, and the threads of a connection: receiver, sender and acker as
 * in kernel/receive.c, send.c and meta.c. Packets travel in their real encoding;
 * only payload is replaced by the versions of its units.
 */
#include "sim.h"

/* --- sessions ------------------------------------------------------------------ */

static int other(int n)
{
	return 1 - n;
}

static struct stream *in_stream(const struct host *h, int channel)
{
	return &h->ses->stream[other(h->id)][channel];
}

static struct stream *out_stream(const struct host *h, int channel)
{
	return &h->ses->stream[h->id][channel];
}

static void pkt_free(struct pkt *p)
{
	free(p->v);
	free(p);
}

static void stream_purge(struct stream *s)
{
	struct core_node *n;

	while ((n = core_list_pop(&s->pkts)))
		pkt_free(container_of(n, struct pkt, link));
	s->count = 0;
}

static struct session *session_new(void)
{
	struct session *s = calloc(1, sizeof(*s));
	int n, c;

	for (n = 0; n < NODES; n++)
		for (c = 0; c < CHANNELS; c++)
			core_list_init(&s->stream[n][c].pkts);
	s->next = W->sessions;
	W->sessions = s;
	return s;
}

void sessions_free(void)
{
	struct session *s;
	int n, c;

	while ((s = W->sessions)) {
		W->sessions = s->next;
		for (n = 0; n < NODES; n++)
			for (c = 0; c < CHANNELS; c++)
				stream_purge(&s->stream[n][c]);
		free(s);
	}
}

/* Data behind the end is lost, or arrives before it. */
static void end_writing(struct session *s, int n)
{
	struct core_node *last;
	int c;

	for (c = 0; c < CHANNELS; c++) {
		if (chance(50)) {
			stream_purge(&s->stream[n][c]);
			continue;
		}
		while (s->stream[n][c].count && chance(50)) {
			last = s->stream[n][c].pkts.prev;
			core_list_del(last);
			pkt_free(container_of(last, struct pkt, link));
			s->stream[n][c].count--;
		}
		last = s->stream[n][c].pkts.prev;
		if (s->stream[n][c].count && c == CH_DATA && chance(50))
			container_of(last, struct pkt, link)->torn = true;
	}
}

static void shut(struct host *h)
{
	if (!h->ses || h->ses->shut[h->id])
		return;
	h->ses->shut[h->id] = true;
	end_writing(h->ses, h->id);
}

void link_shutdown(struct host *h)
{
	shut(h);
}

void session_node_died(struct host *h)
{
	if (!h->ses)
		return;
	h->ses->dead[h->id] = true;
	end_writing(h->ses, h->id);
}

/* Nothing more will come: its end is closed, and we can know it. */
static bool peer_is_gone(const struct host *h)
{
	int n = other(h->id);
	const struct session *s = h->ses;

	if (W->cut[n] || W->cut[h->id])
		return false;
	if (s->shut[n])
		return true;
	return s->dead[n] && W->host[n];	/* a restarted node resets old streams */
}

static struct pkt *arrived(const struct host *h, int channel)
{
	struct stream *s = in_stream(h, channel);
	struct pkt *p;

	if (core_list_empty(&s->pkts) || W->cut[other(h->id)])
		return NULL;
	p = container_of(s->pkts.next, struct pkt, link);
	return p->arrives <= W->now ? p : NULL;
}

/* A write whose number says that acks which were sent before it are still on their way. */
static bool out_of_sequence(const struct host *h, const struct pkt *p)
{
	struct packet_header hdr;
	struct wire_limits l = { .capacity = h->capacity, .max_bio = WIRE_MAX_BIO };
	struct wire_data d;
	u32 need;

	if (!p || h->ldev.plan->peer[0].conflicts != RANGE_DECIDE ||
	    drbd_packet_decode(&h->wire, STREAM_DATA, p->bytes, p->len, &hdr, &need) ||
	    hdr.cmd != P_DATA ||
	    drbd_wire_get_data(&h->wire, &hdr, p->bytes + hdr.header_len, &l, &d))
		return false;
	return !drbd_recv_in_sequence(h->seq_data, h->seq_acks, d.seq);
}

static bool readable(const struct host *h, int channel)
{
	return h->ses->shut[h->id] || arrived(h, channel) ||
	       (core_list_empty(&in_stream(h, channel)->pkts) && peer_is_gone(h));
}

static struct pkt *take_pkt(struct host *h, int channel)
{
	struct pkt *p = h->ses->shut[h->id] ? NULL : arrived(h, channel);

	if (!p)
		return NULL;
	core_list_del(&p->link);
	in_stream(h, channel)->count--;
	return p;
}

u64 session_next_arrival(void)
{
	u64 at = NEVER;
	int n, c;

	for (n = 0; n < NODES; n++) {
		struct host *h = W->host[n];

		for (c = 0; h && h->ses && c < CHANNELS; c++) {
			struct stream *s = in_stream(h, c);
			u64 arrives;

			if (core_list_empty(&s->pkts) || W->cut[other(n)])
				continue;
			arrives = container_of(s->pkts.next, struct pkt, link)->arrives;
			if (arrives > W->now)
				at = min(at, arrives);
		}
	}
	return at;
}

bool stream_idle(void)
{
	int n, c;

	for (n = 0; n < NODES; n++)
		for (c = 0; W->host[n] && W->host[n]->ses && c < CHANNELS; c++)
			if (in_stream(W->host[n], c)->count)
				return false;
	return true;
}

static bool send_fails(const struct host *h)
{
	return !h->ses || h->ses->shut[h->id] || (peer_is_gone(h) && chance(30));
}

/* @v: versions of the payload, or NULL with the same version for all. */
static int transmit(struct host *h, int channel, u16 cmd, u16 vnr, const void *body, u32 len,
		    const ver *v, ver same, u32 payload)
{
	u8 head[PACKET_HEADER_MAX];
	u32 n = drbd_packet_encode(&h->wire, head, cmd, vnr, len + payload), i;
	struct stream *s;
	struct pkt *p;

	if (send_fails(h))
		return -ECONNRESET;
	s = out_stream(h, channel);
	p = calloc(1, sizeof(*p) + n + len + 1);
	memcpy(p->bytes, head, n);
	memcpy(p->bytes + n, body, len);
	p->len = n + len;
	p->nv = payload / UNIT_BYTES;
	p->v = p->nv ? calloc(p->nv, sizeof(ver)) : NULL;
	for (i = 0; i < p->nv; i++)
		p->v[i] = v ? v[i] : same;
	p->arrives = max(s->last_arrival, W->now + 20 + below(W->net_delay));
	s->last_arrival = p->arrives;
	core_list_add_tail(&p->link, &s->pkts);
	s->count++;
	note("n%d > %s%s", h->id, drbd_packet_name(cmd), channel == CH_META ? " (meta)" : "");
	return 0;
}

/* Both receivers look for each other, and the network lets them. */
void sessions_connect(void)
{
	struct session *s;
	int first = (int)below(2), n;
	struct wire_link wire = {
		.version = 101, .phase = PHASE_CONNECTED, .verify_digest = sizeof(u64),
		.features = FEATURE_TRIM | FEATURE_THIN_RESYNC | FEATURE_WSAME | FEATURE_WZEROES,
	};
	s = session_new();
	W->r.sessions++;
	for (n = 0; n < NODES; n++) {
		struct host *h = W->host[n];

		if (n != first && permille(30)) {
			s->shut[n] = true;	/* the other end gave up at the last moment */
			continue;
		}
		h->ses = s;
		h->wire = wire;
		h->rcv = R_SESSION;
		h->ev_up.ev.link.wire = wire;
		h->ev_up.ev.link.resolve_conflicts = n == first;
	}
	note("session");
}

/* --- receiver --------------------------------------------------------------------- */

void link_failed(struct host *h, u8 reason)
{
	if (h->dropped)
		return;
	h->ev_down.ev.down.reason = reason;
	post(h, &h->ev_down);
}

static void hand_over(struct host *h, struct event *e)
{
	post(h, e);
	h->rcv = R_WAIT_GO;
}

static int hand_packet(struct host *h, u8 type, bool volume)
{
	h->ev_packet.ev.type = type;
	h->ev_packet.ev.pd = volume ? &h->pd : NULL;
	h->ev_packet.ev.dev = volume ? &h->dev : NULL;
	hand_over(h, &h->ev_packet);
	return 0;
}

static void bad_packet(struct host *h, const struct packet_header *hdr, const char *why)
{
	violated("n%d: receiving %s: %s", h->id, drbd_packet_name(hdr->cmd), why);
}

static struct wire_limits limits(const struct host *h)
{
	return (struct wire_limits){
		.capacity = h->capacity, .max_bio = WIRE_MAX_BIO,
		.max_discard = drbd_wire_max_discard(h->wire.features),
	};
}

static int recv_blocks(struct host *h, const struct packet_header *hdr, const u8 *body,
		       const struct pkt *p)
{
	struct wire_limits l = limits(h);
	struct wire_data d;
	enum wire_error err = drbd_wire_get_data(&h->wire, hdr, body, &l, &d);

	if (err)
		bad_packet(h, hdr, drbd_wire_strerror(err));
	if (hdr->cmd == P_RS_DATA_REPLY)
		return recv_rs_reply(h, &d, p);
	if (hdr->cmd == P_DATA_REPLY)
		return recv_read_reply(h, &d, p);
	return recv_data(h, hdr, &d, p);
}

/* A write of the peer has its range when its epoch may go: wait for those that may
 * not, and for what is on its way to these blocks. */
static bool writes_before(const struct host *h, const struct wire_block *b)
{
	return h->epochs.released != h->epochs.open || h->epoch_kick ||
	       drbd_range_busy(&h->ranges, 1u << RANGE_PEER_WRITE, b->sector,
			       b->size >> SECTOR_BITS);
}

static int take_at_hand(struct host *h)
{
	const struct wire_block *b = &h->at_hand;

	switch (h->at_hand_cmd) {
	case P_OUT_OF_SYNC:
		drbd_range_touch(&h->ranges, 1u << RANGE_RESYNC_REQUEST, b->sector,
				 b->size >> SECTOR_BITS);
		bits_set_range(h, b->sector, b->size);
		return 0;
	case P_OV_REQUEST:
		ov_request(h, b);
		return 0;
	case P_OV_REPLY:
		ov_reply(h, b, h->at_hand_digest);
		return 0;
	default:
		return recv_read_request(h, b, h->at_hand_cmd == P_DATA_REQUEST ? PEER_READ
										: PEER_RS_READ);
	}
}

static int recv_address(struct host *h, const struct packet_header *hdr, const u8 *body)
{
	struct wire_limits l = limits(h);
	struct wire_block b;
	enum wire_error err = drbd_wire_get_block(&h->wire, hdr, body, &l, &b);

	if (err)
		bad_packet(h, hdr, drbd_wire_strerror(err));
	if (hdr->cmd == P_OV_REPLY)
		memcpy(&h->at_hand_digest, body + hdr->length - sizeof(u64), sizeof(u64));
	h->at_hand = b;
	h->at_hand_cmd = hdr->cmd;
	if (hdr->cmd == P_OUT_OF_SYNC || writes_before(h, &b)) {
		h->rcv = R_WAIT_IDLE;
		return 0;
	}
	return take_at_hand(h);
}

static void end_bitmap(struct host *h)
{
	if (!h->rx_active)
		return;
	if (h->slot >= 0)
		drbd_bitmap_unlock(h->bm, (u32)h->slot, BITMAP_NO_CLEAR);
	h->rx_active = false;
}

static int recv_bitmap(struct host *h, const struct packet_header *hdr, const u8 *body)
{
	const char *error = NULL;
	enum bitcode_result r;

	if (!h->rx_active) {
		if (!h->bm || h->slot < 0)
			return -EPROTO;
		drbd_bitcode_start(&h->rx, &h->wire, h->bm, (u32)h->slot, false);
		drbd_bitmap_lock(h->bm, (u32)h->slot, BITMAP_NO_CLEAR);
		h->rx_active = true;
	}
	do
		r = drbd_bitcode_decode(&h->rx, hdr->cmd, body, hdr->length, &error);
	while (r == BITCODE_AGAIN);
	if (r == BITCODE_PACKET)
		return 0;
	end_bitmap(h);
	if (r == BITCODE_ERROR)
		bad_packet(h, hdr, error ? error : "bitmap cannot be decoded");
	hand_over(h, &h->ev_bitmap);
	return 0;
}

static enum wire_error decode_control(struct host *h, const struct packet_header *hdr,
				      const u8 *body, u8 *type)
{
	struct core_event *ev = &h->ev_packet.ev;

	switch (hdr->cmd) {
	case P_SYNC_PARAM89:
		*type = EV_SYNC_PARAM;
		return drbd_wire_get_sync_param(&h->wire, hdr, body, &ev->sync_param);
	case P_SIZES:
		*type = EV_SIZES;
		return drbd_wire_get_sizes(&h->wire, hdr, body, &ev->sizes);
	case P_UUIDS:
		*type = EV_UUIDS;
		return drbd_wire_get_uuids(hdr, body, &ev->uuids);
	case P_STATE:
		*type = EV_STATE;
		return drbd_wire_get_state(&h->wire, hdr, body, &ev->state);
	case P_SYNC_UUID:
		*type = EV_SYNC_UUID;
		return drbd_wire_get_uuid(hdr, body, &ev->uuid);
	case P_STATE_CHG_REQ:
	case P_CONN_ST_CHG_REQ:
		*type = EV_STATE_CHG_REQ;
		ev->flag = hdr->cmd == P_CONN_ST_CHG_REQ;
		return drbd_wire_get_state_req(&h->wire, hdr, body, &ev->chg_req);
	default:
		return WIRE_BAD_COMMAND;
	}
}

static int recv_control(struct host *h, const struct packet_header *hdr, const u8 *body)
{
	u8 type = 0;
	enum wire_error err = decode_control(h, hdr, body, &type);

	if (err)
		bad_packet(h, hdr, drbd_wire_strerror(err));
	return hand_packet(h, type, hdr->cmd != P_CONN_ST_CHG_REQ);
}

static int dispatch(struct host *h, const struct packet_header *hdr, const u8 *body,
		    const struct pkt *p)
{
	struct wire_barrier b;

	switch (hdr->cmd) {
	case P_DATA:
	case P_DATA_REPLY:
	case P_RS_DATA_REPLY:
		return recv_blocks(h, hdr, body, p);
	case P_DATA_REQUEST:
	case P_RS_DATA_REQUEST:
	case P_OV_REQUEST:
	case P_OV_REPLY:
	case P_OUT_OF_SYNC:
		return recv_address(h, hdr, body);
	case P_BITMAP:
	case P_COMPRESSED_BITMAP:
		return recv_bitmap(h, hdr, body);
	case P_BARRIER:
		if (drbd_wire_get_barrier(hdr, body, &b))
			bad_packet(h, hdr, "malformed");
		h->barrier = b.number;
		h->rcv = R_BARRIER;
		return 0;
	default:
		return recv_control(h, hdr, body);
	}
}

static void decode_header(struct host *h, int stream, const struct pkt *p,
			  struct packet_header *hdr)
{
	enum wire_error err;
	u32 have = 8, need = 8;

	do {
		have = min(need, p->len);
		err = drbd_packet_decode(&h->wire, stream, p->bytes, have, hdr, &need);
	} while (err == WIRE_MORE && have < p->len);
	if (err)
		violated("n%d: header of %s: %s", h->id, drbd_packet_name(hdr->cmd),
		     drbd_wire_strerror(err));
}

static int recv_one(struct host *h)
{
	struct pkt *p = take_pkt(h, CH_DATA);
	struct packet_header hdr;
	int err;

	if (!p)
		return -ECONNRESET;
	if (!W->closing && below(20000) == 0) {
		note("n%d has no memory for what it receives", h->id);
		W->r.no_memory++;
		pkt_free(p);
		return -ENOMEM;
	}
	decode_header(h, STREAM_DATA, p, &hdr);
	note("n%d < %s%s", h->id, drbd_packet_name(hdr.cmd), p->torn ? " (torn)" : "");
	err = p->torn && !p->nv ? -ECONNRESET : dispatch(h, &hdr, p->bytes + hdr.header_len, p);
	pkt_free(p);
	return err;
}

static void reset(struct host *h)
{
	h->go_on = h->dropped = false;
	drbd_recv_init(&h->epochs, RECV_FLUSH);
	h->active = h->seq_out = h->seq_data = h->seq_acks = 0;
	h->rx_active = false;
	drbd_notice_init(&h->notices);
	h->sender_runs = h->acker_runs = true;
	h->snd_failed = h->snd_busy = h->snd_bitmap = h->ack_failed = false;
	h->snd_kick = true;
	h->ping_due = h->answer_due = h->ping_out = false;
	h->last_meta = W->now;
}

static void end_session(struct host *h, int err)
{
	link_failed(h, err == -EPROTO ? CONN_PROTOCOL_ERROR : CONN_BROKEN_PIPE);
	h->rcv = R_WAIT_DROPPED;
}

static u64 hold_legs(struct host *h)
{
	struct sink s;
	bool held;

	sink_init(&s);
	drbd_log_hold_peer(&h->log, 0, &s.core);
	held = drbd_log_has_held(&h->log, 0, h->log.head);
	sink_run(h, &s);
	h->retire_kick = true;
	return held ? ~0ull : 0;
}

static void free_held(struct host *h)
{
	struct core_node *n;

	while ((n = core_list_pop(&h->held)))
		peer_write_dropped(container_of(n, struct preq, node));
}

static void free_acks(struct host *h)
{
	struct core_node *n;

	while ((n = core_list_pop(&h->acks)))
		host_free(container_of(n, struct ack, link));
}

static bool drain_ready(const struct host *h)
{
	switch (h->rcv_step) {
	case 1:
		return !h->snd_busy || h->snd_bitmap;
	case 2:
	case 5:
		return !h->epoch_kick && !h->epoch_flush;
	case 4:
		return !h->active;
	default:
		return true;
	}
}

static void drain(struct host *h)
{
	switch (h->rcv_step++) {
	case 0:
		h->acker_runs = false;
		break;
	case 1:
		if (h->snd_bitmap)
			drbd_bitmap_unlock(h->bm, (u32)h->slot, BITMAP_NO_CLEAR);
		if (h->snd_bitmap)
			drbd_log_sent(&h->log, 0, h->snd_emit.position, false);
		h->sender_runs = h->snd_bitmap = h->snd_busy = false;
		end_bitmap(h);
		break;
	case 3:
		free_held(h);
		peer_writes_forget(h);
		break;
	case 6:
		rs_cancel_all(h);
		free_acks(h);
		shut(h);
		h->ses = NULL;
		h->ev_drained.ev.held_mask = hold_legs(h);
		post(h, &h->ev_drained);
		h->rcv = R_AWAIT_ORDER;
		break;
	default:
		break;
	}
}

static bool stopping(const struct host *h)
{
	return h->order == ORDER_STOP;
}

bool receiver_ready(struct host *h)
{
	switch (h->rcv) {
	case R_CONNECT:
		return stopping(h);
	case R_SESSION:
		return true;
	case R_WAIT_GO:
		return h->go_on || h->dropped;
	case R_READ:
		return h->dropped ||
		       (readable(h, CH_DATA) && !out_of_sequence(h, arrived(h, CH_DATA)));
	case R_WAIT_IDLE:
		return !h->active || h->dropped;
	case R_BARRIER:
		return true;
	case R_WAIT_DROPPED:
		return h->dropped;
	case R_DRAIN:
		return drain_ready(h);
	case R_AWAIT_ORDER:
		return h->order != ORDER_NONE;
	case R_PAUSE:
		return stopping(h) || W->now >= h->rcv_until;
	default:
		return false;
	}
}

static void read_next(struct host *h)
{
	int err;

	if (h->dropped) {
		end_session(h, 0);
		return;
	}
	err = recv_one(h);
	if (err)
		end_session(h, err);
}

static void exit_thread(struct host *h)
{
	h->rcv = R_EXITED;
	post(h, &h->ev_exit);
}

static void await_order(struct host *h)
{
	if (stopping(h)) {
		exit_thread(h);
		return;
	}
	h->order = ORDER_NONE;
	h->rcv_until = W->now + h->order_delay * MS;
	h->rcv = R_PAUSE;
}

void receiver_run(struct host *h)
{
	switch (h->rcv) {
	case R_CONNECT:
	case R_PAUSE:
		if (stopping(h))
			exit_thread(h);
		else
			h->rcv = R_CONNECT;
		break;
	case R_SESSION:
		reset(h);
		drbd_log_attach(&h->log, 0, false);
		hand_over(h, &h->ev_up);
		break;
	case R_WAIT_GO:
		h->go_on = false;
		h->rcv = R_READ;
		break;
	case R_READ:
		read_next(h);
		break;
	case R_WAIT_IDLE:
		h->rcv = R_READ;
		if (h->dropped)
			end_session(h, -ECONNRESET);
		else
			take_at_hand(h);
		break;
	case R_BARRIER:
		if (peer_barrier(h, h->barrier))
			h->rcv = R_READ;
		else if (h->dropped)
			end_session(h, -ECONNRESET);
		break;
	case R_WAIT_DROPPED:
		h->rcv = R_DRAIN;
		h->rcv_step = 0;
		break;
	case R_DRAIN:
		drain(h);
		break;
	case R_AWAIT_ORDER:
		await_order(h);
		break;
	}
}

/* --- sender -------------------------------------------------------------------------- */

void sender_kick(struct host *h)
{
	h->snd_kick = true;
}

static int send_write(struct host *h, const struct log_emit *e)
{
	struct request *r = e->entry->owner;
	struct wire_data d = {
		.sector = e->entry->sector, .block_id = e->position, .seq = ++h->seq_out,
		.size = e->entry->size,
	};
	u8 body[WIRE_BODY_MAX];
	u32 len;

	d.flags = drbd_wire_dp_flags(h->wire.version, e->dp_flags |
				     drbd_wire_ack_flags(h->wire.version, e->protocol,
							 e->may_set_in_sync));
	len = drbd_wire_put_data(e->cmd, body, &d);
	return transmit(h, CH_DATA, e->cmd, 0, body, len, NULL, r->v, d.size);
}

static int send_block(struct host *h, u16 cmd, u64 sector, u32 size, u64 block_id)
{
	struct wire_block b = { .sector = sector, .size = size, .block_id = block_id };
	u8 body[WIRE_BODY_MAX];

	return transmit(h, CH_DATA, cmd, 0, body, drbd_wire_put_block(cmd, body, &b), NULL, 0, 0);
}

static int send_barrier(struct host *h, u32 number)
{
	struct wire_barrier b = { .number = number };
	u8 body[WIRE_BODY_MAX];

	return transmit(h, CH_DATA, P_BARRIER, 0, body, drbd_wire_put_barrier(P_BARRIER, body, &b),
			NULL, 0, 0);
}

static bool step_notice(struct host *h, int *err)
{
	u64 sector;
	u32 size;

	if (!h->bm || h->slot < 0 ||
	    !drbd_notice_next(&h->notices, h->bm, (u32)h->slot, h->log.conn[0].cursor, &sector, &size))
		return false;
	*err = send_block(h, P_OUT_OF_SYNC, sector, size, 0);
	return true;
}

static void send_notices(struct host *h)
{
	int err = 0;

	while (!err && step_notice(h, &err))
		;
}

static int emit_entry(struct host *h, const struct log_emit *e, const struct log_entry *read)
{
	const struct marker *m;

	switch (e->kind) {
	case LOG_EMIT_BARRIER:
		return send_barrier(h, e->number);
	case LOG_EMIT_DATA:
		return send_write(h, e);
	case LOG_EMIT_READ:
		return send_block(h, P_DATA_REQUEST, read->sector, read->size, e->position);
	case LOG_EMIT_MARKER:
		m = e->entry->owner;
		if (!m->bitmap && m->packet.cmd == P_SYNC_UUID)
			send_notices(h);
		if (!m->bitmap)
			return transmit(h, CH_DATA, m->packet.cmd, m->packet.vnr, m->packet.body,
					m->packet.len, NULL, 0, 0);
		if (!h->bm || h->slot < 0)
			return 0;
		drbd_bitcode_start(&h->snd_cursor, &h->wire, h->bm, (u32)h->slot,
				   h->conn.conf.use_rle);
		h->snd_bitmap = true;
		return 0;
	default:
		return 0;
	}
}

static void was_sent(struct host *h, bool ok)
{
	const struct log_emit *e = &h->snd_emit;
	struct request *r = NULL;
	u32 what = drbd_log_sent(&h->log, 0, e->position, ok);

	h->snd_busy = false;
	if (what && e->kind != LOG_EMIT_MARKER) {
		r = e->entry->owner;
		request_grab(r, what);
	}
	if (r)
		request_act(r, what);
	else if (what & LOG_DONE)
		h->retire_kick = true;
}

static void sender_error(struct host *h)
{
	h->snd_failed = true;
	link_failed(h, CONN_NETWORK_FAILURE);
}

/* One packet of a bitmap; with the last one its marker is sent. */
static void step_bitmap(struct host *h)
{
	u8 chunk[PACKET_ORDINARY_MAX];
	u32 len;
	u16 cmd;
	int err = 0;

	if (drbd_bitcode_encode(&h->snd_cursor, &cmd, chunk, &len) == BITCODE_PACKET) {
		err = transmit(h, CH_DATA, cmd, 0, chunk, len, NULL, 0, 0);
		if (!err)
			return;
	}
	h->snd_bitmap = false;
	drbd_bitmap_unlock(h->bm, (u32)h->slot, BITMAP_NO_CLEAR);
	was_sent(h, !err);
	if (err)
		sender_error(h);
}

static bool step_log(struct host *h, int *err)
{
	struct log_entry read;

	if (drbd_log_epoch_deadline(&h->log) && drbd_log_epoch_deadline(&h->log) <= now_ms())
		drbd_log_close_epoch(&h->log);
	drbd_log_next(&h->log, 0, now_ms(), &h->snd_emit);
	if (h->snd_emit.kind == LOG_EMIT_NOTHING)
		return false;
	if (h->snd_emit.kind == LOG_EMIT_READ)
		read = *h->snd_emit.entry;
	*err = emit_entry(h, &h->snd_emit, &read);
	if (h->snd_emit.kind != LOG_EMIT_DATA && h->snd_emit.kind != LOG_EMIT_MARKER)
		return true;
	if (*err)
		was_sent(h, false);
	else
		h->snd_busy = true;	/* the send call returns in a step of its own */
	return true;
}

static struct preq *pop_reply(struct core_node *list)
{
	struct core_node *n = core_list_pop(list);

	return n ? container_of(n, struct preq, node) : NULL;
}

static int send_digest(struct host *h, const struct preq *pr)
{
	struct wire_block b = {
		.sector = pr->sector, .size = pr->size, .block_id = BLOCK_ID_SYNCER,
	};
	u8 body[WIRE_BODY_MAX + sizeof(u64)];
	u32 len = drbd_wire_put_block(P_OV_REPLY, body, &b);

	memcpy(body + len, &pr->digest, sizeof(u64));
	return transmit(h, CH_DATA, P_OV_REPLY, 0, body, len + sizeof(u64), NULL, 0, 0);
}

static bool step_reply(struct host *h, int *err)
{
	struct preq *pr = pop_reply(&h->replies);
	struct wire_data d = { 0 };
	u8 body[WIRE_BODY_MAX];
	u16 cmd;
	u32 len;

	if (!pr)
		return false;
	if (pr->kind == PEER_OV_READ) {
		*err = send_digest(h, pr);
		reply_sent(pr);
		return true;
	}
	cmd = pr->kind == PEER_READ ? P_DATA_REPLY : P_RS_DATA_REPLY;
	d.sector = pr->sector;
	d.block_id = pr->block_id;
	d.size = pr->size;
	len = drbd_wire_put_data(cmd, body, &d);
	*err = transmit(h, CH_DATA, cmd, 0, body, len, pr->v, 0, pr->size);
	reply_sent(pr);
	return true;
}

static bool step_rs_ready(struct host *h, int *err)
{
	struct preq *pr = pop_reply(&h->rs_ready);

	if (!pr)
		return false;
	*err = send_block(h, pr->kind == PEER_OV_CHECK ? P_OV_REQUEST : P_RS_DATA_REQUEST, pr->sector, pr->size, BLOCK_ID_SYNCER);
	return true;
}

static bool sender_step(struct host *h, int *err)
{
	return step_log(h, err) || *err || step_reply(h, err) || *err || step_notice(h, err) ||
	       *err || step_rs_ready(h, err) || *err || rs_step(h) ||
	       ov_step(h);
}

bool sender_ready(struct host *h)
{
	if (!h->sender_runs || h->snd_failed)
		return false;
	if (h->snd_bitmap || !h->snd_busy)
		return (h->snd_bitmap || h->snd_kick) &&
		       (h->ses->shut[h->id] || out_stream(h, CH_DATA)->count < W->stream_cap);
	return true;
}

void sender_run(struct host *h)
{
	int err = 0;

	if (h->snd_bitmap) {
		step_bitmap(h);
		return;
	}
	if (h->snd_busy) {
		was_sent(h, true);
		h->snd_kick = true;
		return;
	}
	h->snd_kick = false;
	if (sender_step(h, &err))
		h->snd_kick = true;
	if (err)
		sender_error(h);
}

/* --- acker ------------------------------------------------------------------------------ */

void ack_queue(struct host *h, u16 cmd, u16 vnr, const void *body, u32 len)
{
	struct ack *a = host_alloc(h, sizeof(*a));

	core_assert(len <= sizeof(a->body));
	a->cmd = cmd;
	a->vnr = vnr;
	a->len = len;
	memcpy(a->body, body, len);
	core_list_add_tail(&a->link, &h->acks);
}

void ack_block(struct host *h, u16 cmd, u64 sector, u32 size, u64 block_id)
{
	struct wire_block b = {
		.sector = sector, .size = size, .block_id = block_id, .seq = ++h->seq_out,
	};
	u8 body[WIRE_BODY_MAX];

	ack_queue(h, cmd, 0, body, drbd_wire_put_block(cmd, body, &b));
}

static void write_ack(struct host *h, const struct packet_header *hdr, const struct wire_block *b)
{
	static const enum log_ack kinds[] = {
		[P_RECV_ACK] = LOG_ACK_RECV, [P_WRITE_ACK] = LOG_ACK_WRITE,
		[P_SUPERSEDED] = LOG_ACK_SUPERSEDED, [P_RETRY_WRITE] = LOG_ACK_RETRY,
		[P_RS_WRITE_ACK] = LOG_ACK_IN_SYNC, [P_NEG_ACK] = LOG_ACK_NEG,
		[P_NEG_DREPLY] = LOG_ACK_NEG_READ,
	};
	struct request *r = NULL;
	struct log_entry *e = NULL;
	u32 what;

	what = drbd_log_ack(&h->log, 0, kinds[hdr->cmd], b->block_id, 0, b->sector, b->size, &e);
	if (e && what) {
		r = e->owner;
		request_grab(r, what);
	}
	if (r)
		request_act(r, what);
	if (what & LOG_HELD)
		post(h, &h->ev_refused);
	if (what & LOG_BAD)
		violated("n%d: %s does not fit the request it names", h->id, drbd_packet_name(hdr->cmd));
	if (!(what & LOG_GONE))
		return;
	if (kinds[hdr->cmd] != LOG_ACK_NEG)
		violated("n%d: %s names a request that is not outstanding", h->id,
		     drbd_packet_name(hdr->cmd));
	bits_set_range(h, b->sector, b->size);
}

static void barrier_ack(struct host *h, const struct packet_header *hdr, const u8 *body)
{
	struct log_barrier r;
	struct wire_barrier b;
	struct sink s;

	if (drbd_wire_get_barrier(hdr, body, &b))
		violated("n%d: malformed barrier ack", h->id);
	sink_init(&s);
	drbd_log_barrier_ack(&h->log, 0, b.number, b.set_size, &s.core, &r);
	sink_run(h, &s);
	if (r.error != LOG_BARRIER_OK)
		violated("n%d: BarrierAck %u with %u writes, expected %u with %u (error %d)", h->id,
		     b.number, b.set_size, r.number, r.count, r.error);
	h->retire_kick = true;
}

static int meta_block(struct host *h, const struct packet_header *hdr, const u8 *body)
{
	struct wire_limits l = limits(h);
	struct wire_block b;
	enum wire_error err = drbd_wire_get_block(&h->wire, hdr, body, &l, &b);

	if (err)
		bad_packet(h, hdr, drbd_wire_strerror(err));
	h->seq_acks = b.seq;
	switch (hdr->cmd) {
	case P_RS_WRITE_ACK:
	case P_NEG_ACK:
		if (b.block_id == BLOCK_ID_SYNCER)
			return rs_answer(h, hdr->cmd, &b);
		break;
	case P_OV_RESULT:
		ov_result(h, &b);
		return 0;
	case P_RS_IS_IN_SYNC:
	case P_NEG_RS_DREPLY:
	case P_RS_CANCEL:
		return rs_answer(h, hdr->cmd, &b);
	case P_SUPERSEDED:
	case P_RETRY_WRITE:
		if (h->ldev.plan->peer[0].conflicts != RANGE_FOLLOW)
			bad_packet(h, hdr, "the peer has nothing to decide here");
		break;
	}
	write_ack(h, hdr, &b);
	return 0;
}

static int meta_packet(struct host *h, const struct packet_header *hdr, const u8 *body)
{
	s32 code;

	switch (hdr->cmd) {
	case P_PING:
		h->answer_due = true;
		return 0;
	case P_PING_ACK:
		h->ping_out = false;
		post(h, &h->ev_ping);
		return 0;
	case P_BARRIER_ACK:
		barrier_ack(h, hdr, body);
		return 0;
	case P_STATE_CHG_REPLY:
	case P_CONN_ST_CHG_REPLY:
		if (drbd_wire_get_state_reply(hdr, body, &code))
			bad_packet(h, hdr, "malformed");
		h->ev_reply.ev.reply = code;
		post(h, &h->ev_reply);
		return 0;
	default:
		return meta_block(h, hdr, body);
	}
}

bool ack_in_ready(struct host *h)
{
	return h->acker_runs && !h->ack_failed && readable(h, CH_META);
}

void ack_in_run(struct host *h)
{
	struct pkt *p = take_pkt(h, CH_META);
	struct packet_header hdr;
	int err = -ECONNRESET;

	if (p) {
		decode_header(h, STREAM_META, p, &hdr);
		note("n%d < %s (meta)", h->id, drbd_packet_name(hdr.cmd));
		h->last_meta = W->now;
		err = meta_packet(h, &hdr, p->bytes + hdr.header_len);
		pkt_free(p);
	}
	if (!err)
		return;
	h->ack_failed = true;
	link_failed(h, err == -EPROTO ? CONN_PROTOCOL_ERROR : CONN_NETWORK_FAILURE);
}

bool ack_out_ready(struct host *h)
{
	return h->acker_runs && !h->ack_failed &&
	       (h->ping_due || h->answer_due || !core_list_empty(&h->acks));
}

void ack_out_run(struct host *h)
{
	struct core_node *n;
	int err = 0;

	if (h->answer_due) {
		h->answer_due = false;
		err = transmit(h, CH_META, P_PING_ACK, 0, "", 0, NULL, 0, 0);
	} else if (h->ping_due) {
		h->ping_due = false;
		h->ping_out = true;
		h->ping_at = W->now;
		err = transmit(h, CH_META, P_PING, 0, "", 0, NULL, 0, 0);
	} else if ((n = core_list_pop(&h->acks))) {
		struct ack *a = container_of(n, struct ack, link);

		err = transmit(h, CH_META, a->cmd, a->vnr, a->body, a->len, NULL, 0, 0);
		host_free(a);
	}
	if (!err)
		return;
	h->ack_failed = true;
	link_failed(h, CONN_NETWORK_FAILURE);
}

static bool request_expired(const struct host *h)
{
	const struct nl_net_conf *c = &h->conn.conf;
	u64 limit = (u64)c->ko_count * c->timeout * 100;
	const struct log_entry *e = drbd_log_oldest_unacked(&h->log, 0);

	return limit && e && e->sent && now_ms() > e->sent + limit;
}

/* What threads do without being kicked: pings, time-outs, epochs that wait too long. */
void link_tick(struct host *h)
{
	const struct nl_net_conf *c = &h->conn.conf;

	if (h->sender_runs)
		sender_kick(h);
	if (!h->acker_runs || h->ack_failed)
		return;
	if (h->ping_out && W->now > h->ping_at + c->ping_timeo * 100 * MS) {
		note("n%d: PingAck did not arrive in time", h->id);
		h->ack_failed = true;
		link_failed(h, CONN_NETWORK_FAILURE);
	} else if (!h->ping_out && W->now > h->last_meta + c->ping_int * 1000 * MS) {
		h->ping_due = true;
	} else if (request_expired(h)) {
		note("n%d: request expired", h->id);
		h->ack_failed = true;
		link_failed(h, CONN_TIMEOUT);
	}
}
