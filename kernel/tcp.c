// SPDX-License-Identifier: GPL-2.0
/*
 * Two TCP connections to one peer (wire.md 2): listening and connecting at the
 * same time, which of the sockets becomes what, sending and receiving on them.
 * The rules are core's (core/wire/connect.c); here is waiting and sockets.
 */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/random.h>
#include <linux/tcp.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "glue.h"

#define POLL_MS		50	/* how soon an order of the loop is seen while connecting */
#define PRIO_DATA	4
#define PRIO_META	6

static bool must_stop(struct drbd_connection *conn)
{
	return smp_load_acquire(&conn->order) == ORDER_STOP || kthread_should_stop();
}

/* Sleeps up to @ms; true if the loop wants the attempt to end. */
static bool nap(struct drbd_connection *conn, u32 ms)
{
	wait_event_timeout(conn->rcv_wait, must_stop(conn), msecs_to_jiffies(ms) + 1);
	return must_stop(conn);
}

/* --- sending and receiving ------------------------------------------------------------- */

int drbd_tcp_recv(struct socket *sock, void *buf, size_t len, int flags)
{
	struct kvec vec = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = { .msg_flags = flags | MSG_NOSIGNAL };

	return kernel_recvmsg(sock, &msg, &vec, 1, len, msg.msg_flags);
}

static u32 nr_bvecs(struct bio *bio)
{
	struct bvec_iter iter;
	struct bio_vec bv;
	u32 n = 0;

	bio_for_each_bvec(bv, bio, iter)
		n++;
	return n;
}

static void iter_of_bio(struct iov_iter *iter, int direction, struct bio *bio)
{
	iov_iter_bvec(iter, direction, __bvec_iter_bvec(bio->bi_io_vec, bio->bi_iter),
		      nr_bvecs(bio), bio->bi_iter.bi_size);
	iter->iov_offset = bio->bi_iter.bi_bvec_done;
}

/* What is there already; if nothing is, the receiver first does what others wait for. */
static int wait_flags(struct drbd_connection *conn)
{
	if (!skb_queue_empty_lockless(&conn->data->sk->sk_receive_queue))
		return MSG_DONTWAIT;
	drbd_receiver_idle(conn);
	return 0;
}

/* A long payload wakes the receiver by pieces of this size, not with each packet. */
#define RECV_PIECE 65536u

static int recv_msg(struct drbd_connection *conn, struct msghdr *msg)
{
	int r = sock_recvmsg(conn->data, msg, msg->msg_flags = MSG_NOSIGNAL | wait_flags(conn));

	if (r == -EAGAIN && (msg->msg_flags & MSG_DONTWAIT)) {
		drbd_receiver_idle(conn);
		r = sock_recvmsg(conn->data, msg, msg->msg_flags = MSG_NOSIGNAL);
	}
	return r ?: -ECONNRESET;
}

int drbd_tcp_recv_some(struct drbd_connection *conn, void *buf, size_t len)
{
	struct kvec vec = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = {};

	iov_iter_kvec(&msg.msg_iter, READ, &vec, 1, len);
	return recv_msg(conn, &msg);
}

static void wake_at(struct drbd_connection *conn, u32 bytes)
{
	WRITE_ONCE(conn->data->sk->sk_rcvlowat, bytes);
}

/*
 * Sleeps until sk_rcvlowat bytes, an error or the end of the stream wake it. The
 * call that reads must not be the one that sleeps: woken early, it takes what is
 * there and then waits for as many bytes once more, which may be the peer's last.
 */
static void await_piece(struct drbd_connection *conn)
{
	struct sock *sk = conn->data->sk;
	long timeout = sk->sk_rcvtimeo;

	lock_sock(sk);
	if (skb_queue_empty(&sk->sk_receive_queue) && !sk->sk_err &&
	    !(sk->sk_shutdown & RCV_SHUTDOWN))
		sk_wait_data(sk, &timeout, NULL);
	release_sock(sk);
}

static int recv_piece(struct drbd_connection *conn, struct msghdr *msg)
{
	int r;

	if (skb_queue_empty_lockless(&conn->data->sk->sk_receive_queue)) {
		drbd_receiver_idle(conn);
		wake_at(conn, min3(msg_data_left(msg), (size_t)RECV_PIECE,
				   (size_t)conn->data->sk->sk_rcvbuf / 2));
		await_piece(conn);
		wake_at(conn, 1);
	}
	r = sock_recvmsg(conn->data, msg, msg->msg_flags = MSG_NOSIGNAL | MSG_DONTWAIT);
	return r == -EAGAIN ? recv_msg(conn, msg) : r ?: -ECONNRESET;
}

int drbd_tcp_recv_bio(struct drbd_connection *conn, struct bio *bio)
{
	struct msghdr msg = {};
	int r;

	iter_of_bio(&msg.msg_iter, READ, bio);
	while (msg_data_left(&msg)) {
		r = msg_data_left(&msg) > PAGE_SIZE ? recv_piece(conn, &msg) : recv_msg(conn, &msg);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Reads and forgets. */
int drbd_tcp_drain(struct drbd_connection *conn, u32 len)
{
	u8 buf[256];
	int r;

	while (len) {
		r = drbd_tcp_recv_some(conn, buf, min_t(u32, len, sizeof(buf)));
		if (r < 0)
			return r;
		len -= r;
	}
	return 0;
}

/* wire.md 9.2: overloaded is not dead, until ko-count says so. */
static bool give_up_sending(struct drbd_connection *conn)
{
	if (READ_ONCE(conn->dropped) || !conn->ko_left)
		return READ_ONCE(conn->dropped);
	if (!--conn->ko_left)
		return true;
	drbd_warn(conn->res, "%s: sending time expired, ko = %u", conn->conf.name, conn->ko_left);
	drbd_ping(conn);
	return false;
}

static int send_msg(struct drbd_connection *conn, struct socket *sock, struct msghdr *msg)
{
	int r;

	while (msg_data_left(msg)) {
		r = sock_sendmsg(sock, msg);
		if (r == -EAGAIN || r == -EINTR) {
			if (give_up_sending(conn))
				return -ETIMEDOUT;
			continue;
		}
		if (r <= 0)
			return r ?: -ECONNRESET;
	}
	return 0;
}

#define JOINED_MAX 8u	/* pieces of a payload that leave in one call with their header */

static bool join(struct bio_vec *vec, const void *head, u32 head_len, struct bio *bio, u32 *n)
{
	struct bvec_iter iter;
	struct bio_vec bv;

	vec[0].bv_page = virt_to_page(head);
	vec[0].bv_offset = offset_in_page(head);
	vec[0].bv_len = head_len;
	*n = 1;
	bio_for_each_bvec(bv, bio, iter) {
		if (*n > JOINED_MAX)
			return false;
		vec[(*n)++] = bv;
	}
	return true;
}

/*
 * Header and body, then the payload of @bio from its current position, if any.
 * @head: in a page of the kernel's, not on the stack.
 */
int drbd_tcp_send(struct drbd_connection *conn, const void *head, u32 head_len, struct bio *bio)
{
	struct kvec vec = { .iov_base = (void *)head, .iov_len = head_len };
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL | (bio ? MSG_MORE : 0) };
	struct bio_vec all[JOINED_MAX + 1];
	u32 n;
	int err;

	conn->ko_left = conn->conf.ko_count;
	if (bio && join(all, head, head_len, bio, &n)) {
		msg.msg_flags = MSG_NOSIGNAL;
		iov_iter_bvec(&msg.msg_iter, WRITE, all, n, head_len + bio->bi_iter.bi_size);
		return send_msg(conn, conn->data, &msg);
	}
	iov_iter_kvec(&msg.msg_iter, WRITE, &vec, 1, head_len);
	err = send_msg(conn, conn->data, &msg);
	if (err || !bio)
		return err;
	msg.msg_flags = MSG_NOSIGNAL;
	iter_of_bio(&msg.msg_iter, WRITE, bio);
	return send_msg(conn, conn->data, &msg);
}

void drbd_tcp_cork(struct socket *sock, bool on)
{
	tcp_sock_set_cork(sock->sk, on);
}

/* --- sockets ------------------------------------------------------------------------------ */

static struct drbd_path *first_path(struct drbd_connection *conn)
{
	return list_first_or_null_rcu(&conn->paths, struct drbd_path, node);
}

static void tune(struct drbd_connection *conn, struct socket *sock, u32 prio)
{
	struct sock *sk = sock->sk;

	sk->sk_allocation = GFP_NOIO;
	compat_no_task_frag(sk);
	sk->sk_priority = prio;
	sk->sk_sndtimeo = conn->conf.timeout * HZ / 10;
	tcp_sock_set_nodelay(sk);
}

static void set_buffers(struct drbd_connection *conn, struct socket *sock)
{
	struct sock *sk = sock->sk;

	if (conn->conf.sndbuf_size) {
		sk->sk_sndbuf = conn->conf.sndbuf_size;
		sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
	}
	if (conn->conf.rcvbuf_size) {
		sk->sk_rcvbuf = conn->conf.rcvbuf_size;
		sk->sk_userlocks |= SOCK_RCVBUF_LOCK;
	}
}

static void zero_port(struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET6)
		((struct sockaddr_in6 *)a)->sin6_port = 0;
	else
		((struct sockaddr_in *)a)->sin_port = 0;
}

static bool same_ip(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET6)
		return ipv6_addr_equal(&((struct sockaddr_in6 *)a)->sin6_addr,
				       &((struct sockaddr_in6 *)b)->sin6_addr);
	return ((struct sockaddr_in *)a)->sin_addr.s_addr ==
	       ((struct sockaddr_in *)b)->sin_addr.s_addr;
}

static int new_socket(struct drbd_connection *conn, const struct drbd_path *path,
		      struct socket **sock)
{
	int err = sock_create_kern(conn->net, path->my_addr.ss_family, SOCK_STREAM, IPPROTO_TCP,
				   sock);

	if (err)
		return err;
	(*sock)->sk->sk_reuse = SK_CAN_REUSE;
	set_buffers(conn, *sock);
	return 0;
}

static int listen_on(struct drbd_connection *conn, const struct drbd_path *path)
{
	struct sockaddr_storage addr = path->my_addr;
	struct socket *sock;
	int err = new_socket(conn, path, &sock);

	if (err)
		return err;
	err = kernel_bind(sock, (struct compat_sockaddr *)&addr, path->my_len);
	if (!err)
		err = kernel_listen(sock, 5);
	if (err) {
		sock_release(sock);
		return err;
	}
	conn->listener = sock;
	return 0;
}

static void stop_listening(struct drbd_connection *conn)
{
	if (conn->listener)
		sock_release(conn->listener);
	conn->listener = NULL;
}

/* Connects without blocking in the socket, so that an order is seen soon. */
static int connect_to(struct drbd_connection *conn, const struct drbd_path *path,
		      struct socket **out)
{
	struct sockaddr_storage my = path->my_addr, peer = path->peer_addr;
	unsigned long end = jiffies + conn->conf.connect_int * HZ;
	struct socket *sock;
	int err = new_socket(conn, path, &sock);

	if (err)
		return err;
	zero_port(&my);
	err = kernel_bind(sock, (struct compat_sockaddr *)&my, path->my_len);
	if (!err)
		err = kernel_connect(sock, (struct compat_sockaddr *)&peer, path->peer_len, O_NONBLOCK);
	while (err == -EINPROGRESS && sock->sk->sk_state == TCP_SYN_SENT &&
	       time_before(jiffies, end))
		if (nap(conn, POLL_MS))
			break;
	if (err == -EINPROGRESS)
		err = sock->sk->sk_state == TCP_ESTABLISHED ? 0 : sock_error(sock->sk) ?: -ETIMEDOUT;
	if (err) {
		sock_release(sock);
		return err;
	}
	*out = sock;
	return 0;
}

static void store(struct drbd_connection *conn, enum packet_stream stream, struct socket *sock)
{
	struct socket **slot = stream == STREAM_DATA ? &conn->data : &conn->meta;
	struct socket *old;

	mutex_lock(&conn->sock_lock);
	old = *slot;
	*slot = sock;
	mutex_unlock(&conn->sock_lock);
	if (old)
		sock_release(old);
}

static bool both(const struct drbd_connection *conn)
{
	return conn->data && conn->meta;
}

static int send_first(struct socket *sock, enum packet_stream stream)
{
	u8 buf[FIRST_PACKET_LEN];
	struct kvec vec = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL };

	drbd_connect_first_put(buf, stream);
	return kernel_sendmsg(sock, &msg, &vec, 1, sizeof(buf)) == sizeof(buf) ? 0 : -EPIPE;
}

static bool own_is_greater(const struct drbd_path *p)
{
	return memcmp(&p->my_addr, &p->peer_addr, min(p->my_len, p->peer_len)) > 0;
}

static void connect_once(struct drbd_connection *conn, const struct drbd_path *path)
{
	enum packet_stream stream;
	struct socket *sock;
	int err = connect_to(conn, path, &sock);

	if (err) {
		if (err == -EADDRNOTAVAIL && !conn->warned_address)
			drbd_warn(conn->res, "%s: the configured local address is not found on this host, retrying every %u s: check 'ip addr'",
				  conn->conf.name, conn->conf.connect_int);
		conn->warned_address = err == -EADDRNOTAVAIL;
		return;
	}
	stream = drbd_connect_opened(&conn->sockets, own_is_greater(path));
	tune(conn, sock, stream == STREAM_DATA ? PRIO_DATA : PRIO_META);
	if (send_first(sock, stream)) {
		drbd_connect_dropped(&conn->sockets, stream);
		sock_release(sock);
		return;
	}
	store(conn, stream, sock);
}

/* The peer may have dropped its end after a crossing. */
static bool alive(struct socket *sock)
{
	u8 c;
	int r;

	if (sock->sk->sk_state != TCP_ESTABLISHED)
		return false;
	r = drbd_tcp_recv(sock, &c, 1, MSG_DONTWAIT | MSG_PEEK);
	return r > 0 || r == -EAGAIN;
}

static void drop_dead(struct drbd_connection *conn)
{
	if (conn->data && !alive(conn->data)) {
		drbd_connect_dropped(&conn->sockets, STREAM_DATA);
		store(conn, STREAM_DATA, NULL);
	}
	if (conn->meta && !alive(conn->meta)) {
		drbd_connect_dropped(&conn->sockets, STREAM_META);
		store(conn, STREAM_META, NULL);
	}
}

/* wire.md 2.4: one round trip later a dropped socket shows. */
static bool established(struct drbd_connection *conn)
{
	if (!both(conn))
		return false;
	nap(conn, (conn->conf.sock_check_timeo ?: conn->conf.ping_timeo) * 100);
	drop_dead(conn);
	return both(conn);
}

static bool from_our_peer(struct drbd_connection *conn, const struct drbd_path *path,
			  struct socket *sock)
{
	struct sockaddr_storage addr = {};

	if (kernel_getpeername(sock, (struct sockaddr *)&addr) < 0)
		return false;
	if (same_ip(&addr, &path->peer_addr))
		return true;
	drbd_warn(conn->res, "Closing unexpected connection from %pISpc", &addr);
	return false;
}

/* What an incoming connection is; 0 = nothing of ours. */
static enum packet_stream read_first(struct drbd_connection *conn, struct socket *sock)
{
	u8 buf[FIRST_PACKET_LEN];

	sock->sk->sk_rcvtimeo = 4 * conn->conf.ping_timeo * HZ / 10;
	if (drbd_tcp_recv(sock, buf, sizeof(buf), MSG_WAITALL) != sizeof(buf))
		return 0;
	return drbd_connect_first_get(buf);
}

/* True: go on accepting; false: next round. */
static bool take_incoming(struct drbd_connection *conn, struct socket *sock)
{
	enum packet_stream stream = read_first(conn, sock);
	enum connect_step step = CONNECT_REFUSE;

	drop_dead(conn);
	if (stream)
		step = drbd_connect_accepted(&conn->sockets, stream, get_random_u32() & 1);
	if (step == CONNECT_REFUSE) {
		drbd_warn(conn->res, "%s: what connected to our port did not send a first packet of DRBD: closed",
			  conn->conf.name);
		sock_release(sock);
		return true;
	}
	if (step != CONNECT_KEEP)
		drbd_info(conn->res, "%s: initial packet %c crossed", conn->conf.name,
			  stream == STREAM_DATA ? 'S' : 'M');
	tune(conn, sock, stream == STREAM_DATA ? PRIO_DATA : PRIO_META);
	store(conn, stream, sock);
	return step == CONNECT_REPLACE_ACCEPT;
}

static void accept_for_a_while(struct drbd_connection *conn, const struct drbd_path *path)
{
	unsigned long end = jiffies + msecs_to_jiffies(
		drbd_connect_wait_ms(conn->conf.connect_int, get_random_u32()));
	struct socket *sock;

	while (time_before(jiffies, end) && !nap(conn, POLL_MS)) {
		if (kernel_accept(conn->listener, &sock, O_NONBLOCK) < 0)
			continue;
		if (!from_our_peer(conn, path, sock)) {
			sock_release(sock);
			continue;
		}
		if (!take_incoming(conn, sock))
			return;
		end = max(end, jiffies + HZ);
	}
}

static void finish(struct drbd_connection *conn, struct drbd_path *path)
{
	conn->data->sk->sk_rcvtimeo = 4 * conn->conf.ping_timeo * HZ / 10;
	conn->meta->sk->sk_rcvtimeo = MAX_SCHEDULE_TIMEOUT;
	path->established = true;
}

/* 0: both sockets stand. -EINTR: the loop wants us to stop. Others: cannot work. */
int drbd_tcp_connect(struct drbd_connection *conn)
{
	struct drbd_path *path = first_path(conn);
	bool warned = false;
	int err;

	memset(&conn->sockets, 0, sizeof(conn->sockets));
	if (!path) {
		drbd_err(conn->res, "%s: no path is configured: give one with new-path",
			 conn->conf.name);
		return -EDESTADDRREQ;
	}
	while (!must_stop(conn)) {
		err = conn->listener ? 0 : listen_on(conn, path);
		if (err && !warned) {
			drbd_warn(conn->res, "%s: cannot listen on %pISpc (%d), retrying: is the address configured, the port free?",
				  conn->conf.name, &path->my_addr, err);
			warned = true;
		}
		connect_once(conn, path);
		if (established(conn))
			break;
		if (conn->listener)
			accept_for_a_while(conn, path);
		else
			nap(conn, 1000);
		if (established(conn))
			break;
	}
	stop_listening(conn);
	if (must_stop(conn)) {
		drbd_tcp_close(conn);
		return -EINTR;
	}
	finish(conn, path);
	return 0;
}

void drbd_tcp_close(struct drbd_connection *conn)
{
	struct drbd_path *path = first_path(conn);

	store(conn, STREAM_DATA, NULL);
	store(conn, STREAM_META, NULL);
	if (path)
		path->established = false;
}

/* From any thread: whoever sleeps in one of the sockets wakes up with an error. */
void drbd_tcp_shutdown(struct drbd_connection *conn)
{
	mutex_lock(&conn->sock_lock);
	if (conn->data)
		kernel_sock_shutdown(conn->data, SHUT_RDWR);
	if (conn->meta)
		kernel_sock_shutdown(conn->meta, SHUT_RDWR);
	mutex_unlock(&conn->sock_lock);
}
