// SPDX-License-Identifier: GPL-2.0
/*
 * drbd_r_<resource>: connects, greets, then reads the data stream packet by
 * packet until the link ends, and takes it down in the order that keeps data
 * safe (wire.md 9.5). Control packets are handed to the loop; the next packet
 * is read when core says "go on".
 */
#include <linux/slab.h>
#include <net/sock.h>

#include "glue.h"

#define CONTROL_MAX PACKET_ORDINARY_MAX
/* The longest header and body in front of a payload: one call reads both, and never payload. */
#define AHEAD_MAX (PACKET_HEADER_MAX + 24u)
/* So many packets of a burst share a packet of acks. */
#define ACK_BATCH 16u

/* A packet of the data stream whose header was read. */
struct incoming {
	struct packet_header hdr;
	struct drbd_peer_device *pd;	/* NULL for packets of the connection */
	u8 body[CONTROL_MAX];
	u8 ahead[AHEAD_MAX];	/* read, but not yet taken */
	u32 have;
};

static bool wait_dropped(struct drbd_connection *conn)
{
	wait_event(conn->rcv_wait, READ_ONCE(conn->dropped) || kthread_should_stop());
	return true;
}

void drbd_link_failed(struct drbd_connection *conn, u8 reason)
{
	if (READ_ONCE(conn->dropped))
		return;
	conn->ev_down.ev.down.reason = reason;
	drbd_post(conn->res, &conn->ev_down);
}

void drbd_limits(struct drbd_device *dev, const struct drbd_connection *conn,
		 struct wire_limits *limits)
{
	limits->capacity = get_capacity(dev->disk);
	limits->max_bio = WIRE_MAX_BIO;
	limits->max_discard = drbd_wire_max_discard(conn->wire.features);
}

/* Hands a packet to the loop and waits until the stream may go on. */
static int hand_over(struct drbd_connection *conn, struct drbd_event *e)
{
	drbd_post(conn->res, e);
	wait_event(conn->rcv_wait, READ_ONCE(conn->go_on) || READ_ONCE(conn->dropped));
	conn->go_on = false;
	return 0;
}

static int hand_packet(struct drbd_connection *conn, struct incoming *in, u8 type)
{
	struct core_event *ev = &conn->ev_packet.ev;

	ev->type = type;
	ev->pd = in->pd ? &in->pd->core : NULL;
	ev->dev = in->pd ? &in->pd->dev->core : NULL;
	return hand_over(conn, &conn->ev_packet);
}

/* --- one handler a packet ------------------------------------------------------------- */

static int bad(struct drbd_connection *conn, const struct incoming *in, const char *why)
{
	drbd_err(conn->res, "%s: error receiving %s, l: %u: %s", conn->conf.name,
		 drbd_packet_name(in->hdr.cmd), in->hdr.length, why);
	return -EPROTO;
}

static int bad_wire(struct drbd_connection *conn, const struct incoming *in, enum wire_error err)
{
	return bad(conn, in, drbd_wire_strerror(err));
}

static int read_stream(struct drbd_connection *conn, u8 *buf, u32 len)
{
	while (len) {
		int r = drbd_tcp_recv_some(conn, buf, len);

		if (r < 0)
			return -ECONNRESET;
		buf += r;
		len -= r;
	}
	return 0;
}

int drbd_recv_payload(struct drbd_connection *conn, struct bio *bio, const struct wire_data *d)
{
	u8 sent[WIRE_MAX_DIGEST], got[WIRE_MAX_DIGEST];
	int err = read_stream(conn, sent, d->digest_len);

	if (!err)
		err = drbd_tcp_recv_bio(conn, bio);
	if (err || !d->digest_len)
		return err;
	/* the receiver alone exchanges this one */
	drbd_digest_bio(conn->digest[DIGEST_IN], bio, &bio->bi_iter, got);
	if (!memcmp(sent, got, d->digest_len))
		return 0;
	drbd_err(conn->res, "%s: Digest integrity check FAILED: %llus +%u: the block is not what the peer made a digest of. Its kernel log tells whether a program there changed the buffer while it was sent (\"buffer modified by upper layers\"); if not, look for broken network hardware or memory. The block is not written, the connection is made anew",
		 conn->conf.name, (unsigned long long)d->sector, d->size);
	return -EPROTO;
}

int drbd_drain_payload(struct drbd_connection *conn, const struct wire_data *d)
{
	return drbd_tcp_drain(conn, d->digest_len + d->size);
}

static int recv_data(struct drbd_connection *conn, struct incoming *in)
{
	struct wire_limits limits;
	struct wire_data d;
	enum wire_error err;

	drbd_limits(in->pd->dev, conn, &limits);
	err = drbd_wire_get_data(&conn->wire, &in->hdr, in->body, &limits, &d);
	if (err)
		return bad_wire(conn, in, err);
	switch (in->hdr.cmd) {
	case P_RS_DATA_REPLY:
		return drbd_recv_rs_reply(in->pd, &d);
	case P_DATA_REPLY:
		return drbd_recv_read_reply(in->pd, &d);
	default:
		return drbd_recv_data(conn, in->pd, &in->hdr, &d);
	}
}

static int recv_block(struct drbd_connection *conn, struct incoming *in)
{
	struct wire_limits limits;
	struct wire_block b;
	enum wire_error err;

	drbd_limits(in->pd->dev, conn, &limits);
	err = drbd_wire_get_block(&conn->wire, &in->hdr, in->body, &limits, &b);
	if (err)
		return bad_wire(conn, in, err);
	/* a digest, which is as long as the header says, lies behind the fixed part */
	switch (in->hdr.cmd) {
	case P_OUT_OF_SYNC:
		return drbd_recv_out_of_sync(in->pd, &b);
	case P_OV_REQUEST:
		return drbd_recv_ov_request(in->pd, &b);
	case P_OV_REPLY:
		return drbd_recv_ov_reply(in->pd, &b, in->body + in->hdr.length - b.digest_len);
	case P_DATA_REQUEST:
		return drbd_recv_read_request(in->pd, &b, PEER_READ, NULL, false);
	case P_CSUM_RS_REQUEST:
		return drbd_recv_read_request(in->pd, &b, PEER_RS_READ,
					      in->body + in->hdr.length - b.digest_len, false);
	case P_RS_DEALLOCATED:
		return drbd_recv_rs_deallocated(in->pd, &b);
	default:
		return drbd_recv_read_request(in->pd, &b, PEER_RS_READ, NULL,
					      in->hdr.cmd == P_RS_THIN_REQ);
	}
}

static int recv_barrier(struct drbd_connection *conn, struct incoming *in)
{
	struct wire_barrier b;
	enum wire_error err = drbd_wire_get_barrier(&in->hdr, in->body, &b);

	return err ? bad_wire(conn, in, err) : drbd_peer_barrier(conn, b.number);
}

static int recv_ignore(struct drbd_connection *conn, struct incoming *in)
{
	return 0;
}

/* The peer's administrator may change it while no verify, no resync runs. */
static int adopt_algorithm(struct drbd_connection *conn, enum drbd_digest_use use,
			   const char *option, const char *alg)
{
	int err = drbd_digest_set(conn, use, alg);

	if (!err)
		return 0;
	drbd_err(conn->res, "%s: Can not allocate \"%s\" as %s (reason: %d)", conn->conf.name, alg,
		 option, err);
	return -EOPNOTSUPP;
}

static int recv_sync_param(struct drbd_connection *conn, struct incoming *in)
{
	const struct wire_sync_param *p = &conn->ev_packet.ev.sync_param;
	enum wire_error err = drbd_wire_get_sync_param(&conn->wire, &in->hdr, in->body,
						       &conn->ev_packet.ev.sync_param);

	if (err)
		return bad_wire(conn, in, err);
	hand_packet(conn, in, EV_SYNC_PARAM);
	/* core has dropped the link if it does not agree */
	if (READ_ONCE(conn->dropped))
		return 0;
	return adopt_algorithm(conn, DIGEST_VERIFY, "verify-alg", p->verify_alg) ?:
	       adopt_algorithm(conn, DIGEST_CSUMS, "csums-alg", p->csums_alg);
}

static int recv_protocol_update(struct drbd_connection *conn, struct incoming *in)
{
	enum wire_error err = drbd_wire_get_protocol(&conn->wire, &in->hdr, in->body,
						     &conn->ev_packet.ev.protocol);

	if (err)
		return bad_wire(conn, in, err);
	/* the next data packet has the digest that is announced here */
	if (drbd_digest_set(conn, DIGEST_IN, conn->ev_packet.ev.protocol.integrity_alg)) {
		drbd_err(conn->res, "%s: peer data-integrity-alg %s not supported", conn->conf.name,
			 conn->ev_packet.ev.protocol.integrity_alg);
		return -EOPNOTSUPP;
	}
	return hand_packet(conn, in, EV_PROTOCOL_UPDATE);
}

static int recv_sizes(struct drbd_connection *conn, struct incoming *in)
{
	enum wire_error err = drbd_wire_get_sizes(&conn->wire, &in->hdr, in->body,
						  &conn->ev_packet.ev.sizes);

	return err ? bad_wire(conn, in, err) : hand_packet(conn, in, EV_SIZES);
}

static int recv_uuids(struct drbd_connection *conn, struct incoming *in)
{
	enum wire_error err = drbd_wire_get_uuids(&in->hdr, in->body, &conn->ev_packet.ev.uuids);

	return err ? bad_wire(conn, in, err) : hand_packet(conn, in, EV_UUIDS);
}

static int recv_state(struct drbd_connection *conn, struct incoming *in)
{
	enum wire_error err = drbd_wire_get_state(&conn->wire, &in->hdr, in->body,
						  &conn->ev_packet.ev.state);

	return err ? bad_wire(conn, in, err) : hand_packet(conn, in, EV_STATE);
}

static int recv_sync_uuid(struct drbd_connection *conn, struct incoming *in)
{
	enum wire_error err = drbd_wire_get_uuid(&in->hdr, in->body, &conn->ev_packet.ev.uuid);

	return err ? bad_wire(conn, in, err) : hand_packet(conn, in, EV_SYNC_UUID);
}

static int recv_state_req(struct drbd_connection *conn, struct incoming *in)
{
	enum wire_error err = drbd_wire_get_state_req(&conn->wire, &in->hdr, in->body,
						      &conn->ev_packet.ev.chg_req);

	conn->ev_packet.ev.flag = in->hdr.cmd == P_CONN_ST_CHG_REQ;
	return err ? bad_wire(conn, in, err) : hand_packet(conn, in, EV_STATE_CHG_REQ);
}

/* --- bitmap: its packets follow each other without a gap ------------------------------------- */

static int begin_bitmap(struct drbd_connection *conn, struct incoming *in)
{
	struct drbd_peer_device *pd = in->pd;
	struct drbd_device *dev = pd->dev;

	if (pd->rx_active)
		return 0;
	if (!dev->bitmap || pd->slot < 0)
		return bad(conn, in, "Cannot receive bitmap, local disk gone");
	spin_lock_irq(&dev->bm_lock);
	drbd_bitcode_start(&pd->rx, &conn->wire, &dev->bitmap->core, pd->slot, false);
	drbd_bitmap_lock(&dev->bitmap->core, pd->slot, BITMAP_NO_CLEAR);
	spin_unlock_irq(&dev->bm_lock);
	pd->rx_active = true;
	return 0;
}

static void end_bitmap(struct drbd_peer_device *pd)
{
	struct drbd_device *dev = pd->dev;

	if (!pd->rx_active)
		return;
	spin_lock_irq(&dev->bm_lock);
	if (pd->slot >= 0)
		drbd_bitmap_unlock(&dev->bitmap->core, pd->slot, BITMAP_NO_CLEAR);
	spin_unlock_irq(&dev->bm_lock);
	pd->rx_active = false;
}

static int recv_bitmap(struct drbd_connection *conn, struct incoming *in)
{
	struct drbd_peer_device *pd = in->pd;
	const char *error = NULL;
	enum bitcode_result r;

	if (begin_bitmap(conn, in))
		return -EPROTO;
	do {
		spin_lock_irq(&pd->dev->bm_lock);
		r = drbd_bitcode_decode(&pd->rx, in->hdr.cmd, in->body, in->hdr.length, &error);
		spin_unlock_irq(&pd->dev->bm_lock);
	} while (r == BITCODE_AGAIN);
	if (r == BITCODE_PACKET)
		return 0;
	end_bitmap(pd);
	if (r == BITCODE_ERROR)
		return bad(conn, in, error ? error : "bitmap cannot be decoded");
	return hand_over(conn, &pd->ev_bitmap);
}

/* --- dispatch --------------------------------------------------------------------------------- */

struct handler {
	int (*fn)(struct drbd_connection *, struct incoming *);
	bool bulk;	/* what follows the fixed body stays in the socket */
};

static const struct handler handlers[] = {
	[P_DATA] = { recv_data, true },
	[P_DATA_REPLY] = { recv_data, true },
	[P_RS_DATA_REPLY] = { recv_data, true },
	[P_TRIM] = { recv_data },
	[P_ZEROES] = { recv_data },
	[P_BARRIER] = { recv_barrier },
	[P_BITMAP] = { recv_bitmap },
	[P_COMPRESSED_BITMAP] = { recv_bitmap },
	[P_UNPLUG_REMOTE] = { recv_ignore },
	[P_DELAY_PROBE] = { recv_ignore },
	[P_DATA_REQUEST] = { recv_block },
	[P_RS_DATA_REQUEST] = { recv_block },
	[P_CSUM_RS_REQUEST] = { recv_block },
	[P_RS_THIN_REQ] = { recv_block },
	[P_RS_DEALLOCATED] = { recv_block },
	[P_OV_REQUEST] = { recv_block },
	[P_OV_REPLY] = { recv_block },
	[P_OUT_OF_SYNC] = { recv_block },
	[P_SYNC_PARAM] = { recv_sync_param },
	[P_SYNC_PARAM89] = { recv_sync_param },
	[P_PROTOCOL_UPDATE] = { recv_protocol_update },
	[P_SIZES] = { recv_sizes },
	[P_UUIDS] = { recv_uuids },
	[P_STATE] = { recv_state },
	[P_SYNC_UUID] = { recv_sync_uuid },
	[P_STATE_CHG_REQ] = { recv_state_req },
	[P_CONN_ST_CHG_REQ] = { recv_state_req },
};

/* @need bytes, which are at most AHEAD_MAX, lie in in->ahead. */
static int fill_ahead(struct drbd_connection *conn, struct incoming *in, u32 need)
{
	u32 most = drbd_packet_header_len(&conn->wire, 0) + 24;

	while (in->have < need) {
		int r = drbd_tcp_recv_some(conn, in->ahead + in->have, most - in->have);

		if (r < 0)
			return -ECONNRESET;
		in->have += r;
	}
	return 0;
}

static void take_ahead(struct incoming *in, void *to, u32 len)
{
	memcpy(to, in->ahead, len);
	in->have -= len;
	memmove(in->ahead, in->ahead + len, in->have);
}

static int read_exactly(struct drbd_connection *conn, struct incoming *in, u8 *buf, u32 len)
{
	u32 n = min(len, in->have);

	take_ahead(in, buf, n);
	return read_stream(conn, buf + n, len - n);
}

static int read_header(struct drbd_connection *conn, struct incoming *in)
{
	u8 head[PACKET_HEADER_MAX];
	enum wire_error err;
	u32 need = 8;

	do {
		if (fill_ahead(conn, in, need))
			return -ECONNRESET;
		err = drbd_packet_decode(&conn->wire, STREAM_DATA, in->ahead, in->have, &in->hdr,
					 &need);
	} while (err == WIRE_MORE);
	if (err)
		return bad_wire(conn, in, err);
	take_ahead(in, head, in->hdr.header_len);
	return 0;
}

static int find_volume(struct drbd_connection *conn, struct incoming *in,
		       const struct packet_info *info)
{
	in->pd = NULL;
	if (!(info->flags & PACKET_VOLUME))
		return 0;
	rcu_read_lock();
	in->pd = drbd_peer_device_find(conn, in->hdr.volume);
	rcu_read_unlock();
	if (!in->pd)
		return bad(conn, in, "unknown volume: the resource has other volumes here");
	return 0;
}

static int recv_one(struct drbd_connection *conn, struct incoming *in)
{
	const struct packet_info *info;
	const struct handler *h;
	u32 len;
	int err = read_header(conn, in);

	if (err)
		return err;
	info = drbd_packet_info(in->hdr.cmd);
	h = in->hdr.cmd < ARRAY_SIZE(handlers) ? &handlers[in->hdr.cmd] : NULL;
	if (!info || !h || !h->fn)
		return bad(conn, in, "not expected here");
	err = find_volume(conn, in, info);
	if (err)
		return err;
	len = h->bulk ? info->body_min : in->hdr.length;
	if (len > in->hdr.length || len > sizeof(in->body))
		return bad(conn, in, "wrong size");
	err = read_exactly(conn, in, in->body, len);
	if (err)
		return err;
	if (h->bulk && in->have)
		return bad(conn, in, "is shorter than its header");
	if ((in->hdr.cmd == P_DATA || in->hdr.cmd == P_RS_DATA_REPLY) &&
	    conn->rcv_batch++ < ACK_BATCH)
		WRITE_ONCE(conn->rcv_busy, true);
	else
		drbd_receiver_idle(conn);
	return h->fn(conn, in);
}

/* --- a session: from two sockets to none --------------------------------------------------------- */

static void reset(struct drbd_connection *conn)
{
	struct drbd_peer_device *pd;

	conn->go_on = false;
	conn->dropped = false;
	drbd_recv_init(&conn->epochs, RECV_FLUSH);
	atomic_set(&conn->active, 0);
	list_for_each_entry(pd, &conn->peer_devices, of_conn) {
		atomic_set(&pd->seq_out, 0);
		pd->seq_data = pd->seq_acks = 0;
		atomic_set(&pd->rs_pending, 0);
		atomic_set(&pd->unacked, 0);
		pd->rx_active = false;
		drbd_notice_init(&pd->notices);
	}
}

static int start_threads(struct drbd_connection *conn)
{
	drbd_meta_hook(conn);
	if (drbd_thread_start(&conn->acker, drbd_acker, conn, 'a', conn->res->name))
		return -ENOMEM;
	if (drbd_thread_start(&conn->sender, drbd_sender, conn, 's', conn->res->name))
		return -ENOMEM;
	drbd_send_open(conn, true);
	return 0;
}

static void stop_thread(struct task_struct **task)
{
	if (!*task)
		return;
	kthread_stop(*task);
	put_task_struct(*task);
	*task = NULL;
}

/* True: some write is not known to be on the peer's disk. */
static bool hold_legs(struct drbd_connection *conn)
{
	struct drbd_resource *res = conn->res;
	struct drbd_sink sink;
	bool held;

	drbd_sink_init(&sink);
	spin_lock_irq(&res->log_lock);
	drbd_log_hold_peer(&res->log, conn->index, &sink.core);
	held = drbd_log_has_held(&res->log, conn->index, res->log.head);
	spin_unlock_irq(&res->log_lock);
	drbd_sink_run(res, &sink);
	drbd_retire_kick(res);
	return held;
}

static void free_held(struct drbd_connection *conn)
{
	struct drbd_peer_req *pr, *tmp;
	LIST_HEAD(list);

	spin_lock_irq(&conn->epoch_lock);
	list_splice_init(&conn->held, &list);
	spin_unlock_irq(&conn->epoch_lock);
	/* they were received but never acked: the peer counts them as lost */
	list_for_each_entry_safe(pr, tmp, &list, node)
		drbd_peer_write_dropped(pr);
}

/* Nothing new comes and nothing goes out; what was begun ends. */
static void drain(struct drbd_connection *conn)
{
	struct drbd_peer_device *pd;

	stop_thread(&conn->acker);
	drbd_meta_unhook(conn);
	stop_thread(&conn->sender);
	drbd_send_open(conn, false);
	list_for_each_entry(pd, &conn->peer_devices, of_conn)
		end_bitmap(pd);
	flush_work(&conn->epoch_work);
	free_held(conn);
	drbd_peer_writes_forget(conn);
	drbd_wait_peer_idle(conn);
	flush_work(&conn->epoch_work);
	drbd_rs_cancel_all(conn);
	drbd_acks_free(conn);
	drbd_digests_clear(conn);
	drbd_tcp_close(conn);
	conn->ev_drained.ev.held_mask = hold_legs(conn) ? ~0ULL : 0;
	drbd_post(conn->res, &conn->ev_drained);
}

static u8 reason_of(int err)
{
	if (err == -EOPNOTSUPP)
		return CONN_DISCONNECTING;	/* no use to try again */
	return err == -EPROTO ? CONN_PROTOCOL_ERROR : CONN_BROKEN_PIPE;
}

static void session(struct drbd_connection *conn)
{
	struct incoming *in = kmalloc(sizeof(*in), GFP_NOIO | __GFP_NOFAIL);
	struct drbd_resource *res = conn->res;
	int err;

	in->have = 0;
	reset(conn);
	conn->data->sk->sk_rcvtimeo = MAX_SCHEDULE_TIMEOUT;
	spin_lock_irq(&res->log_lock);
	drbd_log_attach(&res->log, conn->index, false);
	spin_unlock_irq(&res->log_lock);
	conn->ev_up.ev.link.wire = conn->wire;
	conn->ev_up.ev.link.resolve_conflicts = conn->sockets.resolve_conflicts;
	err = start_threads(conn);
	hand_over(conn, &conn->ev_up);
	while (!err && !READ_ONCE(conn->dropped))
		err = recv_one(conn, in);
	drbd_link_failed(conn, reason_of(err));
	wait_dropped(conn);
	drain(conn);
	kfree(in);
}

/* --- the thread ---------------------------------------------------------------------------------------- */

static bool stopping(struct drbd_connection *conn)
{
	return smp_load_acquire(&conn->order) == ORDER_STOP || kthread_should_stop();
}

static void pause_before_retry(struct drbd_connection *conn, u32 ms)
{
	wait_event_timeout(conn->rcv_wait, stopping(conn), msecs_to_jiffies(ms));
}

/* The loop says whether and when to try again. */
static void await_order(struct drbd_connection *conn)
{
	wait_event(conn->rcv_wait, smp_load_acquire(&conn->order) != ORDER_NONE ||
				   kthread_should_stop());
	if (conn->order != ORDER_RECONNECT)
		return;
	conn->order = ORDER_NONE;
	pause_before_retry(conn, conn->order_delay_ms);
}

/* It is no use to try again before an administrator has changed something. */
static void await_stop(struct drbd_connection *conn)
{
	drbd_link_failed(conn, CONN_DISCONNECTING);
	wait_event(conn->rcv_wait, stopping(conn));
}

static void attempt(struct drbd_connection *conn)
{
	int err = drbd_tcp_connect(conn);

	if (err == -EINTR)
		return;
	if (err) {
		await_stop(conn);
		return;
	}
	err = drbd_greet(conn);
	if (!err) {
		session(conn);
		await_order(conn);
		return;
	}
	drbd_tcp_close(conn);
	drbd_digests_clear(conn);
	if (err < 0)
		await_stop(conn);
	else
		pause_before_retry(conn, 1000);
}

int drbd_receiver(void *arg)
{
	struct drbd_connection *conn = arg;

	while (!stopping(conn))
		attempt(conn);
	drbd_post(conn->res, &conn->ev_exit);
	/* the loop, or the removal of the connection, takes the thread down */
	while (!kthread_should_stop()) {
		set_current_state(TASK_IDLE);
		if (!kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	return 0;
}
