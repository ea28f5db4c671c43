// SPDX-License-Identifier: GPL-2.0
/*
 * The meta stream: acks and pings. What arrives is taken in the softirq that brings
 * it, so that an ack wakes nobody but the application. What leaves is written by
 * the receiver between two packets of the peer, or by drbd_a_<resource>, which also
 * watches the clock. Nothing here waits for the socket: acks and answers to pings
 * cannot wait for each other.
 */
#include <linux/slab.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "glue.h"

#define META_BODY_MAX 64u
#define OUT_MAX 4096u

struct drbd_outbox {
	struct list_head acks;		/* taken off the queue, not yet in buf */
	u8 buf[OUT_MAX];
	u32 len, off;
};

struct drbd_outbox *drbd_outbox_alloc(void)
{
	struct drbd_outbox *o = kzalloc(sizeof(*o), GFP_KERNEL);

	if (o)
		INIT_LIST_HEAD(&o->acks);
	return o;
}

void drbd_acker_kick(struct drbd_connection *conn)
{
	wake_up(&conn->ack_wait);
}

/* --- queueing ------------------------------------------------------------------------------ */

/* The receiver looks at the queue before it sleeps. */
static void kick_for_ack(struct drbd_connection *conn)
{
	smp_mb();	/* pairs with drbd_receiver_idle() */
	if (!READ_ONCE(conn->rcv_busy))
		drbd_acker_kick(conn);
}

static void queue(struct drbd_connection *conn, struct drbd_ack *ack)
{
	unsigned long flags;

	spin_lock_irqsave(&conn->ack_lock, flags);
	list_add_tail(&ack->node, &conn->acks);
	spin_unlock_irqrestore(&conn->ack_lock, flags);
	kick_for_ack(conn);
}

void drbd_ack_queue(struct drbd_connection *conn, u16 cmd, u16 vnr, const void *body, u32 len)
{
	struct drbd_ack *ack = kmalloc(sizeof(*ack), GFP_NOIO | __GFP_NOFAIL);

	if (!core_check(len <= sizeof(ack->body))) {
		kfree(ack);
		return;
	}
	ack->cmd = cmd;
	ack->vnr = vnr;
	ack->len = len;
	memcpy(ack->body, body, len);
	queue(conn, ack);
}

/* Sequence numbers are given in the order of the queue: under its lock. */
void drbd_ack_send_block(struct drbd_peer_device *pd, struct drbd_ack *ack, u16 cmd,
			 u64 sector, u32 size, u64 block_id)
{
	struct drbd_connection *conn = pd->conn;
	struct wire_block b = { .sector = sector, .size = size, .block_id = block_id };
	unsigned long flags;

	ack->cmd = cmd;
	ack->vnr = pd->dev->vnr;
	spin_lock_irqsave(&conn->ack_lock, flags);
	b.seq = atomic_inc_return(&pd->seq_out);
	ack->len = drbd_wire_put_block(cmd, ack->body, &b);
	list_add_tail(&ack->node, &conn->acks);
	spin_unlock_irqrestore(&conn->ack_lock, flags);
	kick_for_ack(conn);
}

void drbd_acks_free(struct drbd_connection *conn)
{
	struct drbd_ack *ack, *tmp;
	LIST_HEAD(list);

	mutex_lock(&conn->out_mutex);
	list_splice_init(&conn->out->acks, &list);
	mutex_unlock(&conn->out_mutex);
	spin_lock_irq(&conn->ack_lock);
	list_splice_tail_init(&conn->acks, &list);
	spin_unlock_irq(&conn->ack_lock);
	list_for_each_entry_safe(ack, tmp, &list, node)
		kfree(ack);
}

void drbd_ping(struct drbd_connection *conn)
{
	unsigned long flags;

	spin_lock_irqsave(&conn->ack_lock, flags);
	conn->ping_due = true;
	spin_unlock_irqrestore(&conn->ack_lock, flags);
	drbd_acker_kick(conn);
}

/* --- what arrives ------------------------------------------------------------------------------ */

static const enum log_ack log_acks[] = {
	[P_RECV_ACK] = LOG_ACK_RECV, [P_WRITE_ACK] = LOG_ACK_WRITE,
	[P_SUPERSEDED] = LOG_ACK_SUPERSEDED, [P_RETRY_WRITE] = LOG_ACK_RETRY,
	[P_RS_WRITE_ACK] = LOG_ACK_IN_SYNC, [P_NEG_ACK] = LOG_ACK_NEG,
	[P_NEG_DREPLY] = LOG_ACK_NEG_READ,
};

static int protocol_error(struct drbd_connection *conn, const struct packet_header *hdr,
			  const char *why)
{
	drbd_err(conn->res, "%s: %s on the meta stream: %s", conn->conf.name,
		 drbd_packet_name(hdr->cmd), why);
	return -EPROTO;
}

/* A block that the peer could not write, of a request that is gone or of a resync. */
static void refused_block(struct drbd_peer_device *pd, const struct wire_block *b)
{
	if (b->size)
		drbd_bits_set(pd->dev, pd, b->sector, b->size);
}

static int write_ack(struct drbd_connection *conn, struct drbd_peer_device *pd,
		     const struct packet_header *hdr, const struct wire_block *b)
{
	enum log_ack kind = log_acks[hdr->cmd];
	struct drbd_resource *res = conn->res;
	struct drbd_request *req = NULL;
	struct log_entry *e = NULL;
	unsigned long flags;
	u32 what;

	spin_lock_irqsave(&res->log_lock, flags);
	what = drbd_log_ack(&res->log, conn->index, kind, b->block_id, pd->dev->vnr,
			    b->sector, b->size, &e);
	if (e && what) {
		req = e->owner;
		drbd_request_grab(req, what);
	}
	spin_unlock_irqrestore(&res->log_lock, flags);
	if (req)
		drbd_request_act(req, what);
	if (what & LOG_HELD)
		drbd_post(res, &pd->ev_refused);
	if (what & LOG_BAD)
		return protocol_error(conn, hdr, "does not fit the request it names");
	if (!(what & LOG_GONE))
		return 0;
	if (kind != LOG_ACK_NEG)
		return protocol_error(conn, hdr, "names a request that is not outstanding");
	refused_block(pd, b);
	return 0;
}

static int barrier_ack(struct drbd_connection *conn, const struct packet_header *hdr,
		       const void *body)
{
	struct drbd_resource *res = conn->res;
	struct drbd_sink sink;
	struct log_barrier r;
	struct wire_barrier b;

	if (drbd_wire_get_barrier(hdr, body, &b))
		return protocol_error(conn, hdr, "malformed");
	drbd_sink_init(&sink);
	spin_lock_irq(&res->log_lock);
	drbd_log_barrier_ack(&res->log, conn->index, b.number, b.set_size, &sink.core, &r);
	spin_unlock_irq(&res->log_lock);
	drbd_sink_run(res, &sink);
	if (r.error == LOG_BARRIER_OK) {
		drbd_retire_kick(res);
		return 0;
	}
	drbd_err(res, "%s: BAD! BarrierAck #%u received with n_writes=%u, expected #%u with n_writes=%u!",
		 conn->conf.name, b.number, b.set_size, r.number, r.count);
	return -EPROTO;
}

static int block_answer(struct drbd_connection *conn, struct drbd_peer_device *pd,
			const struct packet_header *hdr, const struct wire_block *b)
{
	switch (hdr->cmd) {
	case P_RS_WRITE_ACK:
	case P_NEG_ACK:
		if (b->block_id == BLOCK_ID_SYNCER)
			return drbd_rs_answer(pd, hdr->cmd, b);
		return write_ack(conn, pd, hdr, b);
	case P_OV_RESULT:
		return drbd_recv_ov_result(pd, b);
	case P_RS_IS_IN_SYNC:
	case P_NEG_RS_DREPLY:
	case P_RS_CANCEL:
		return drbd_rs_answer(pd, hdr->cmd, b);
	case P_SUPERSEDED:
	case P_RETRY_WRITE:
		if (drbd_plan_of(pd).conflicts != RANGE_FOLLOW)
			return protocol_error(conn, hdr, "the peer has nothing to decide here");
		return write_ack(conn, pd, hdr, b);
	case P_RECV_ACK:
	case P_WRITE_ACK:
	case P_NEG_DREPLY:
		return write_ack(conn, pd, hdr, b);
	default:
		return protocol_error(conn, hdr, "not expected in this state");
	}
}

/* What was sent behind this packet may be looked at now. */
static void saw_sequence(struct drbd_peer_device *pd, u32 seq)
{
	smp_store_release(&pd->seq_acks, seq);
	if (wq_has_sleeper(&pd->conn->rcv_wait))
		wake_up(&pd->conn->rcv_wait);
}

static int block_packet(struct drbd_connection *conn, const struct packet_header *hdr,
			const void *body)
{
	struct drbd_peer_device *pd;
	struct wire_limits limits;
	struct wire_block b;
	enum wire_error err;
	int r;

	rcu_read_lock();
	pd = drbd_peer_device_find(conn, hdr->volume);
	rcu_read_unlock();
	if (!pd)
		return protocol_error(conn, hdr, "unknown volume");
	drbd_limits(pd->dev, conn, &limits);
	err = drbd_wire_get_block(&conn->wire, hdr, body, &limits, &b);
	if (err)
		return protocol_error(conn, hdr, drbd_wire_strerror(err));
	r = block_answer(conn, pd, hdr, &b);
	if (!r)
		saw_sequence(pd, b.seq);
	return r;
}

static int state_reply(struct drbd_connection *conn, const struct packet_header *hdr,
		       const void *body)
{
	s32 code;

	if (drbd_wire_get_state_reply(hdr, body, &code))
		return protocol_error(conn, hdr, "malformed");
	conn->ev_reply.ev.reply = code;
	drbd_post(conn->res, &conn->ev_reply);
	return 0;
}

static int dispatch(struct drbd_connection *conn, const struct packet_header *hdr,
		    const void *body)
{
	unsigned long flags;

	switch (hdr->cmd) {
	case P_PING:
		spin_lock_irqsave(&conn->ack_lock, flags);
		conn->ping_answer_due = true;
		spin_unlock_irqrestore(&conn->ack_lock, flags);
		drbd_acker_kick(conn);
		return 0;
	case P_PING_ACK:
		WRITE_ONCE(conn->ping_out, false);
		drbd_post(conn->res, &conn->ev_ping);
		return 0;
	case P_BARRIER_ACK:
		return barrier_ack(conn, hdr, body);
	case P_STATE_CHG_REPLY:
	case P_CONN_ST_CHG_REPLY:
		return state_reply(conn, hdr, body);
	default:
		return block_packet(conn, hdr, body);
	}
}

/* Takes whole packets off the buffer. */
static int parse(struct drbd_connection *conn)
{
	struct packet_header hdr;
	enum wire_error err;
	u32 at = 0, need;
	int r = 0;

	while (!r) {
		err = drbd_packet_decode(&conn->wire, STREAM_META, conn->meta_buf + at,
					 conn->meta_have - at, &hdr, &need);
		if (err == WIRE_MORE)
			break;
		if (err || hdr.length > META_BODY_MAX)
			return protocol_error(conn, &hdr, err ? drbd_wire_strerror(err) : "too long");
		if (conn->meta_have - at < hdr.header_len + hdr.length)
			break;
		r = dispatch(conn, &hdr, conn->meta_buf + at + hdr.header_len);
		at += hdr.header_len + hdr.length;
	}
	conn->meta_have -= at;
	memmove(conn->meta_buf, conn->meta_buf + at, conn->meta_have);
	return r;
}

/* Under the socket lock; any context. */
static int take_bytes(read_descriptor_t *desc, struct sk_buff *skb, unsigned int offset, size_t len)
{
	struct drbd_connection *conn = desc->arg.data;
	size_t used = 0;

	while (used < len && !conn->meta_error) {
		u32 n = min_t(size_t, len - used, PAGE_SIZE - conn->meta_have);

		if (skb_copy_bits(skb, offset + used, conn->meta_buf + conn->meta_have, n)) {
			conn->meta_error = -EPROTO;
			break;
		}
		conn->meta_have += n;
		used += n;
		conn->meta_error = parse(conn);
	}
	if (conn->meta_error)
		desc->count = 0;
	return used;
}

static void read_locked(struct drbd_connection *conn, struct sock *sk)
{
	read_descriptor_t desc = { .arg.data = conn, .count = 1 };

	if (!conn->meta_error && tcp_read_sock(sk, &desc, take_bytes) > 0)
		conn->last_meta = jiffies;
}

static int end_of_stream(const struct sock *sk)
{
	if (sk->sk_err)
		return -sk->sk_err;
	return sk->sk_shutdown & RCV_SHUTDOWN || sk->sk_state != TCP_ESTABLISHED ? -ECONNRESET : 0;
}

static void wake_reader(struct drbd_connection *conn)
{
	WRITE_ONCE(conn->meta_readable, true);
	wake_up(&conn->ack_wait);
}

/* The softirq has the socket, or a task that will see what we leave when it gives it back. */
static void data_ready(struct sock *sk)
{
	struct drbd_connection *conn;

	read_lock_bh(&sk->sk_callback_lock);
	conn = sk->sk_user_data;
	if (conn) {
		if (!sock_owned_by_user_nocheck(sk))
			read_locked(conn, sk);
		if (sock_owned_by_user_nocheck(sk) || conn->meta_error || end_of_stream(sk))
			wake_reader(conn);
	}
	read_unlock_bh(&sk->sk_callback_lock);
}

static void state_change(struct sock *sk)
{
	struct drbd_connection *conn;

	read_lock_bh(&sk->sk_callback_lock);
	conn = sk->sk_user_data;
	if (conn)
		wake_reader(conn);
	read_unlock_bh(&sk->sk_callback_lock);
}

static void write_space(struct sock *sk)
{
	struct drbd_connection *conn;

	read_lock_bh(&sk->sk_callback_lock);
	conn = sk->sk_user_data;
	if (conn && sk_stream_is_writeable(sk)) {
		clear_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		WRITE_ONCE(conn->meta_writable, true);
		wake_up(&conn->ack_wait);
	}
	read_unlock_bh(&sk->sk_callback_lock);
}

void drbd_meta_hook(struct drbd_connection *conn)
{
	struct sock *sk = conn->meta->sk;

	conn->meta_have = 0;
	conn->meta_error = 0;
	conn->last_meta = jiffies;
	conn->ping_out = conn->ping_due = conn->ping_answer_due = false;
	conn->rcv_busy = false;
	mutex_lock(&conn->out_mutex);
	conn->out->len = conn->out->off = 0;
	conn->out_open = true;
	mutex_unlock(&conn->out_mutex);
	write_lock_bh(&sk->sk_callback_lock);
	conn->old_data_ready = sk->sk_data_ready;
	conn->old_write_space = sk->sk_write_space;
	conn->old_state_change = sk->sk_state_change;
	sk->sk_user_data = conn;
	sk->sk_data_ready = data_ready;
	sk->sk_state_change = state_change;
	sk->sk_write_space = write_space;
	write_unlock_bh(&sk->sk_callback_lock);
	conn->meta_readable = conn->meta_writable = true;
}

void drbd_meta_unhook(struct drbd_connection *conn)
{
	struct sock *sk = conn->meta->sk;

	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_user_data = NULL;
	sk->sk_data_ready = conn->old_data_ready;
	sk->sk_state_change = conn->old_state_change;
	sk->sk_write_space = conn->old_write_space;
	write_unlock_bh(&sk->sk_callback_lock);
	mutex_lock(&conn->out_mutex);
	conn->out_open = false;
	mutex_unlock(&conn->out_mutex);
}

/* What the softirq had to leave, and the end of the stream. */
static int read_meta(struct drbd_connection *conn)
{
	struct sock *sk = conn->meta->sk;
	int err;

	if (!READ_ONCE(conn->meta_readable))
		return 0;
	WRITE_ONCE(conn->meta_readable, false);
	smp_mb();
	lock_sock(sk);
	read_locked(conn, sk);
	err = conn->meta_error ?: end_of_stream(sk);
	release_sock(sk);
	return err;
}

/* --- what leaves -------------------------------------------------------------------------------- */

static void put(struct drbd_connection *conn, struct drbd_outbox *o, u16 cmd, u16 vnr,
		const void *body, u32 len)
{
	u32 head = drbd_packet_encode(&conn->wire, o->buf + o->len, cmd, vnr, len);

	memcpy(o->buf + o->len + head, body, len);
	o->len += head + len;
}

static void fill_pings(struct drbd_connection *conn, struct drbd_outbox *o)
{
	bool ping, answer;

	if (!READ_ONCE(conn->ping_due) && !READ_ONCE(conn->ping_answer_due))
		return;
	spin_lock_irq(&conn->ack_lock);
	ping = conn->ping_due;
	answer = conn->ping_answer_due;
	conn->ping_due = conn->ping_answer_due = false;
	spin_unlock_irq(&conn->ack_lock);
	if (answer)
		put(conn, o, P_PING_ACK, 0, NULL, 0);
	if (ping) {
		conn->ping_sent_at = jiffies;
		WRITE_ONCE(conn->ping_out, true);
		put(conn, o, P_PING, 0, NULL, 0);
	}
}

static void fill_acks(struct drbd_connection *conn, struct drbd_outbox *o)
{
	struct drbd_ack *ack, *tmp;

	if (list_empty(&o->acks)) {
		spin_lock_irq(&conn->ack_lock);
		list_splice_init(&conn->acks, &o->acks);
		spin_unlock_irq(&conn->ack_lock);
	}
	list_for_each_entry_safe(ack, tmp, &o->acks, node) {
		if (o->len + PACKET_HEADER_MAX + sizeof(ack->body) > sizeof(o->buf))
			return;
		put(conn, o, ack->cmd, ack->vnr, ack->body, ack->len);
		list_del(&ack->node);
		kfree(ack);
	}
}

static int write_meta(struct drbd_connection *conn)
{
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL | MSG_DONTWAIT };
	struct drbd_outbox *o = conn->out;
	struct kvec vec;
	int r;

	while (true) {
		if (o->off == o->len) {
			o->off = o->len = 0;
			fill_pings(conn, o);
			fill_acks(conn, o);
			if (!o->len)
				return 0;
		}
		WRITE_ONCE(conn->meta_writable, false);
		smp_mb();
		vec.iov_base = o->buf + o->off;
		vec.iov_len = o->len - o->off;
		r = kernel_sendmsg(conn->meta, &msg, &vec, 1, vec.iov_len);
		if (r == -EAGAIN) {
			set_bit(SOCK_NOSPACE, &conn->meta->flags);
			return 0;
		}
		if (r <= 0)
			return r ?: -ECONNRESET;
		WRITE_ONCE(conn->meta_writable, true);
		o->off += r;
	}
}

static bool wants_to_write(const struct drbd_connection *conn)
{
	const struct drbd_outbox *o = conn->out;

	return READ_ONCE(conn->ping_due) || READ_ONCE(conn->ping_answer_due) ||
	       !list_empty_careful(&conn->acks) || !list_empty_careful(&o->acks) ||
	       READ_ONCE(o->len) != READ_ONCE(o->off);
}

void drbd_receiver_idle(struct drbd_connection *conn)
{
	int err = 0;

	conn->rcv_batch = 0;
	if (!conn->rcv_busy)
		return;
	WRITE_ONCE(conn->rcv_busy, false);
	smp_mb();	/* pairs with kick_for_ack() */
	if (!wants_to_write(conn))
		return;
	if (!mutex_trylock(&conn->out_mutex)) {
		drbd_acker_kick(conn);
		return;
	}
	if (conn->out_open)
		err = write_meta(conn);
	mutex_unlock(&conn->out_mutex);
	if (err)
		drbd_link_failed(conn, CONN_NETWORK_FAILURE);
	else if (wants_to_write(conn))
		drbd_acker_kick(conn);
}

/* --- liveness -------------------------------------------------------------------------------------- */

/* wire.md 9.1. True: the peer is gone. */
static bool ping_expired(struct drbd_connection *conn)
{
	unsigned long interval = conn->conf.ping_int * HZ;
	unsigned long timeout = conn->conf.ping_timeo * HZ / 10;

	if (READ_ONCE(conn->ping_out))
		return time_after(jiffies, conn->ping_sent_at + timeout);
	if (time_after(jiffies, conn->last_meta + interval))
		drbd_ping(conn);
	return false;
}

/* wire.md 9.3: sent, and not answered for ko-count times timeout. */
static bool request_expired(struct drbd_connection *conn)
{
	struct drbd_resource *res = conn->res;
	u64 limit = (u64)conn->conf.ko_count * conn->conf.timeout * 100;
	u64 now = drbd_now_ms();
	const struct log_entry *e;
	bool expired;

	if (!limit || !time_after(jiffies, conn->expiry_checked + HZ / 10))
		return false;
	conn->expiry_checked = jiffies;
	spin_lock_irq(&res->log_lock);
	e = drbd_log_oldest_unacked(&res->log, conn->index);
	expired = e && e->sent && now > e->sent + limit;
	spin_unlock_irq(&res->log_lock);
	if (expired)
		drbd_err(res, "%s: Remote failed to finish a request within %llums > ko-count (%u) * timeout (%u * 0.1s)",
			 conn->conf.name, limit, conn->conf.ko_count, conn->conf.timeout);
	return expired;
}

/* wire.md 6.5: an 8.4 peer forgets epochs in which two writes have met. */
static void give_up_epochs(struct drbd_connection *conn)
{
	struct drbd_resource *res = conn->res;
	struct drbd_sink sink;
	bool gave_up;

	drbd_sink_init(&sink);
	spin_lock_irq(&res->log_lock);
	gave_up = drbd_log_unconfirmed(&res->log, conn->index, ktime_get_ns() / NSEC_PER_MSEC,
				       &sink.core);
	spin_unlock_irq(&res->log_lock);
	drbd_sink_run(res, &sink);
	if (!gave_up)
		return;
	pr_warn_ratelimited("drbd %s: %s: the peer does not confirm writes since two have met: their blocks stay marked until the next resync\n",
			    res->name, conn->conf.name);
	drbd_retire_kick(res);
}

static bool something_to_do(struct drbd_connection *conn)
{
	if (kthread_should_stop() || READ_ONCE(conn->meta_readable))
		return true;
	if (READ_ONCE(conn->out->len) != READ_ONCE(conn->out->off) &&
	    !READ_ONCE(conn->meta_writable))
		return false;
	return wants_to_write(conn);
}

static int serve(struct drbd_connection *conn)
{
	int err = read_meta(conn);

	mutex_lock(&conn->out_mutex);
	if (!err)
		err = write_meta(conn);
	mutex_unlock(&conn->out_mutex);
	if (err == -EPROTO) {
		drbd_link_failed(conn, CONN_PROTOCOL_ERROR);
	} else if (err) {
		drbd_link_failed(conn, CONN_NETWORK_FAILURE);
	} else if (ping_expired(conn)) {
		drbd_err(conn->res, "%s: PingAck did not arrive in time.", conn->conf.name);
		drbd_link_failed(conn, CONN_NETWORK_FAILURE);
		err = -ETIMEDOUT;
	} else if (request_expired(conn)) {
		drbd_link_failed(conn, CONN_TIMEOUT);
		err = -ETIMEDOUT;
	}
	if (!err)
		give_up_epochs(conn);
	return err;
}

int drbd_acker(void *arg)
{
	struct drbd_connection *conn = arg;
	int err = 0;

	while (!kthread_should_stop()) {
		wait_event_interruptible_timeout(conn->ack_wait,
						 err ? kthread_should_stop()
						     : something_to_do(conn), HZ / 10);
		if (!err && !kthread_should_stop())
			err = serve(conn);
	}
	return 0;
}
