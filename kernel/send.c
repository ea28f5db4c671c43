// SPDX-License-Identifier: GPL-2.0
/*
 * drbd_s_<resource>: walks the transfer log with the cursor of its connection
 * and sends what core says comes next; in between answers to the peer's reads,
 * out-of-sync notices and the requests of a resync.
 */
#include <linux/slab.h>
#include <net/sock.h>

#include "glue.h"

void drbd_sender_kick(struct drbd_connection *conn)
{
	if (!conn)
		return;
	WRITE_ONCE(conn->snd_kick, true);
	wake_up(&conn->snd_wait);
}

void drbd_senders_kick(struct drbd_resource *res)
{
	u32 i;

	rcu_read_lock();
	for (i = 0; i < CORE_MAX_PEERS && i < READ_ONCE(res->log.nr_conns); i++)
		drbd_sender_kick(READ_ONCE(res->by_index[i]));
	rcu_read_unlock();
}

/* Header and body into the connection's buffer, behind what waits there; returns the
 * length of all. */
static u32 frame(struct drbd_connection *conn, u16 cmd, u16 vnr, const void *body, u32 len,
		 u32 payload)
{
	u8 *buf = (u8 *)conn->snd_buf + conn->snd_lead;
	u32 head = drbd_packet_encode(&conn->wire, buf, cmd, vnr, len + payload);

	memcpy(buf + head, body, len);
	return conn->snd_lead + head + len;
}

static int send_packet(struct drbd_connection *conn, u16 cmd, u16 vnr, const void *body, u32 len,
		       struct bio *bio)
{
	u32 n = frame(conn, cmd, vnr, body, len, bio ? bio->bi_iter.bi_size : 0);

	conn->snd_lead = 0;
	return drbd_tcp_send(conn, conn->snd_buf, n, bio);
}

/*
 * A body and the data of @bio, with a digest in between if one is wanted; @body has
 * room for it. What an application does to its buffer meanwhile the peer takes for a
 * fault of the network: this side can tell.
 */
static int send_payload(struct drbd_connection *conn, u16 cmd, u16 vnr, u8 *body, u32 len,
			struct bio *bio, u64 sector)
{
	const struct drbd_digest *d = conn->digest[DIGEST_OUT];	/* exchanged here only */
	u8 after[WIRE_MAX_DIGEST];
	int err;

	if (!d)
		return send_packet(conn, cmd, vnr, body, len, bio);
	drbd_digest_bio(d, bio, &bio->bi_iter, body + len);
	err = send_packet(conn, cmd, vnr, body, len + d->size, bio);
	if (err)
		return err;
	drbd_digest_bio(d, bio, &bio->bi_iter, after);
	if (memcmp(body + len, after, d->size))
		drbd_warn(conn->res, "%s: Digest mismatch, buffer modified by upper layers during write: %llus +%u: the peer will refuse the block if the change came before it was sent; programs that do this (swap, some databases with direct I/O) need data-integrity-alg off",
			  conn->conf.name, (unsigned long long)sector, bio->bi_iter.bi_size);
	return 0;
}

static struct drbd_peer_device *pd_of(struct drbd_connection *conn, struct log_device *ldev)
{
	struct drbd_device *dev = container_of(ldev, struct drbd_device, ldev);
	struct drbd_peer_device *pd, *found = NULL;

	rcu_read_lock();
	list_for_each_entry_rcu(pd, &conn->peer_devices, of_conn)
		if (pd->dev == dev)
			found = pd;
	rcu_read_unlock();
	return found;
}

/* --- entries of the log -------------------------------------------------------------- */

static int send_write(struct drbd_connection *conn, const struct log_emit *e)
{
	struct drbd_request *req = e->entry->owner;
	struct drbd_peer_device *pd = pd_of(conn, e->entry->dev);
	struct wire_data d = {
		.sector = e->entry->sector, .block_id = e->position,
		.seq = atomic_inc_return(&pd->seq_out), .size = e->entry->size,
	};
	u8 body[WIRE_BODY_MAX + WIRE_MAX_DIGEST];
	u32 len;

	d.flags = drbd_wire_dp_flags(conn->wire.version, e->dp_flags |
				     drbd_wire_ack_flags(conn->wire.version, e->protocol,
							 e->may_set_in_sync));
	len = drbd_wire_put_data(e->cmd, body, &d);
	atomic64_add(e->entry->size >> SECTOR_BITS, &pd->sent_sectors);
	if (e->cmd == P_DATA)
		return send_payload(conn, e->cmd, pd->dev->vnr, body, len, req->bio, d.sector);
	return send_packet(conn, e->cmd, pd->dev->vnr, body, len, NULL);
}

static int send_read(struct drbd_connection *conn, const struct log_emit *e,
		     const struct log_entry *read)
{
	struct drbd_peer_device *pd = pd_of(conn, read->dev);
	struct wire_block b = {
		.sector = read->sector, .block_id = e->position, .size = read->size,
	};
	u8 body[WIRE_BODY_MAX];
	u32 len = drbd_wire_put_block(P_DATA_REQUEST, body, &b);

	return send_packet(conn, P_DATA_REQUEST, pd->dev->vnr, body, len, NULL);
}

/* What is emitted next is a write or a read: the barrier in front of it leaves with it. */
static bool write_follows(struct drbd_connection *conn)
{
	bool follows;
	u32 size;

	spin_lock_irq(&conn->res->log_lock);
	follows = drbd_log_next_is_short(&conn->res->log, conn->index, &size) && size;
	spin_unlock_irq(&conn->res->log_lock);
	return follows;
}

static int send_barrier(struct drbd_connection *conn, u32 number)
{
	struct wire_barrier b = { .number = number };
	u8 body[WIRE_BODY_MAX];
	u32 len = drbd_wire_put_barrier(P_BARRIER, body, &b);

	if (write_follows(conn)) {
		conn->snd_lead = frame(conn, P_BARRIER, 0, body, len, 0);
		return 0;
	}
	return send_packet(conn, P_BARRIER, 0, body, len, NULL);
}

/* All packets of a bitmap are contiguous on the stream: this is its only writer. */
static int send_bitmap(struct drbd_connection *conn, struct drbd_peer_device *pd)
{
	struct drbd_device *dev = pd->dev;
	struct bitcode_cursor c;
	enum bitcode_result r;
	u8 *chunk = (u8 *)conn->snd_buf + PACKET_HEADER_MAX;
	u32 len, head;
	u16 cmd;
	int err = 0;

	if (!dev->bitmap || pd->slot < 0)
		return 0;
	spin_lock_irq(&dev->bm_lock);
	drbd_bitcode_start(&c, &conn->wire, &dev->bitmap->core, pd->slot, conn->conf.use_rle);
	spin_unlock_irq(&dev->bm_lock);
	while (!err) {
		u8 header[PACKET_HEADER_MAX];

		spin_lock_irq(&dev->bm_lock);
		r = drbd_bitcode_encode(&c, &cmd, chunk, &len);
		spin_unlock_irq(&dev->bm_lock);
		if (r == BITCODE_DONE)
			break;
		head = drbd_packet_encode(&conn->wire, header, cmd, dev->vnr, len);
		memcpy(chunk - head, header, head);
		err = drbd_tcp_send(conn, chunk - head, head + len, NULL);
	}
	spin_lock_irq(&dev->bm_lock);
	drbd_bitmap_unlock(&dev->bitmap->core, pd->slot, BITMAP_NO_CLEAR);
	spin_unlock_irq(&dev->bm_lock);
	return err;
}

static bool next_notice(struct drbd_connection *conn, struct drbd_peer_device *pd,
			u64 *sector, u32 *size)
{
	struct drbd_resource *res = conn->res;
	struct drbd_device *dev = pd->dev;
	bool any;

	if (!dev->bitmap || pd->slot < 0)
		return false;
	spin_lock_irq(&res->log_lock);
	spin_lock(&dev->bm_lock);
	any = drbd_notice_next(&pd->notices, &dev->bitmap->core, pd->slot,
			       res->log.conn[conn->index].cursor, sector, size);
	spin_unlock(&dev->bm_lock);
	spin_unlock_irq(&res->log_lock);
	return any;
}

static bool step_notice(struct drbd_connection *conn, int *err)
{
	struct drbd_peer_device *pd;
	struct wire_block b = {};
	u8 body[WIRE_BODY_MAX];
	u32 len;

	list_for_each_entry(pd, &conn->peer_devices, of_conn) {
		if (!next_notice(conn, pd, &b.sector, &b.size))
			continue;
		len = drbd_wire_put_block(P_OUT_OF_SYNC, body, &b);
		*err = send_packet(conn, P_OUT_OF_SYNC, pd->dev->vnr, body, len, NULL);
		return true;
	}
	return false;
}

/* All that may go; true: the link failed with *@err. */
static bool send_notices(struct drbd_connection *conn, int *err)
{
	*err = 0;
	while (!*err && step_notice(conn, err))
		;
	return *err != 0;
}

static int send_marker(struct drbd_connection *conn, const struct drbd_marker *m)
{
	int err;

	if (m->bitmap_of)
		return send_bitmap(conn, m->bitmap_of);
	/* a target that begins must know of every write that was only a notice */
	if (m->packet.cmd == P_SYNC_UUID && send_notices(conn, &err))
		return err;
	err = send_packet(conn, m->packet.cmd, m->packet.vnr, m->packet.body, m->packet.len, NULL);
	/* what was announced holds from the next packet on */
	if (!err && m->packet.cmd == P_PROTOCOL_UPDATE)
		err = drbd_digest_set(conn, DIGEST_OUT, drbd_wire_integrity_alg(m->packet.body,
										m->packet.len));
	return err;
}

static int emit(struct drbd_connection *conn, const struct log_emit *e,
		const struct log_entry *read)
{
	switch (e->kind) {
	case LOG_EMIT_BARRIER:
		return send_barrier(conn, e->number);
	case LOG_EMIT_DATA:
		return send_write(conn, e);
	case LOG_EMIT_READ:
		return send_read(conn, e, read);
	case LOG_EMIT_MARKER:
		return send_marker(conn, e->entry->owner);
	default:	/* dagtags belong to versions from 110 on */
		return 0;
	}
}

static void was_sent(struct drbd_connection *conn, const struct log_emit *e, bool ok)
{
	struct drbd_resource *res = conn->res;
	struct drbd_request *req = NULL;
	u32 what;

	if (e->kind != LOG_EMIT_DATA && e->kind != LOG_EMIT_MARKER)
		return;
	spin_lock_irq(&res->log_lock);
	what = drbd_log_sent(&res->log, conn->index, e->position, ok);
	if (what && e->kind != LOG_EMIT_MARKER) {
		req = e->entry->owner;
		drbd_request_grab(req, what);
	}
	spin_unlock_irq(&res->log_lock);
	if (req)
		drbd_request_act(req, what);
	else if (what & LOG_DONE)
		drbd_retire_kick(res);
}

/* True: something was sent. *@err ends the link. */
static bool step_log(struct drbd_connection *conn, int *err)
{
	struct drbd_resource *res = conn->res;
	u64 now = drbd_now_ms(), deadline;
	struct log_entry read;
	struct log_emit e;

	spin_lock_irq(&res->log_lock);
	deadline = drbd_log_epoch_deadline(&res->log);
	if (deadline && deadline <= now)
		drbd_log_close_epoch(&res->log);
	drbd_log_next(&res->log, conn->index, now, &e);
	/* a read counts as sent already: its answer may be faster than this thread */
	if (e.kind == LOG_EMIT_READ)
		read = *e.entry;
	spin_unlock_irq(&res->log_lock);
	if (e.kind == LOG_EMIT_NOTHING)
		return false;
	*err = emit(conn, &e, &read);
	was_sent(conn, &e, !*err);
	return true;
}

/* --- answers, resync ------------------------------------------------------------ */

static struct drbd_peer_req *pop_reply(struct drbd_connection *conn, struct list_head *list)
{
	struct drbd_peer_req *pr;

	spin_lock_irq(&conn->snd_lock);
	pr = list_first_entry_or_null(list, struct drbd_peer_req, node);
	if (pr)
		list_del_init(&pr->node);
	spin_unlock_irq(&conn->snd_lock);
	return pr;
}

/* A range, and a digest of it if the request has one. */
static int send_range(struct drbd_peer_req *pr, u16 cmd)
{
	struct wire_block b = {
		.sector = pr->sector, .size = pr->size, .block_id = BLOCK_ID_SYNCER,
		.digest_len = pr->hash_len,
	};
	u8 body[WIRE_BODY_MAX + WIRE_MAX_DIGEST];
	u32 len = drbd_wire_put_block(cmd, body, &b);

	memcpy(body + len, pr->hash, pr->hash_len);
	return send_packet(pr->pd->conn, cmd, pr->pd->dev->vnr, body, len + pr->hash_len, NULL);
}

static int send_reply(struct drbd_connection *conn, struct drbd_peer_req *pr)
{
	u16 cmd = pr->kind == PEER_READ ? P_DATA_REPLY : P_RS_DATA_REPLY;
	struct wire_data d = {
		.sector = pr->sector, .block_id = pr->block_id, .size = pr->size,
	};
	u8 body[WIRE_BODY_MAX + WIRE_MAX_DIGEST];
	u32 len = drbd_wire_put_data(cmd, body, &d);

	atomic64_add(pr->size >> SECTOR_BITS, &pr->pd->sent_sectors);
	return send_payload(conn, cmd, pr->pd->dev->vnr, body, len, pr->bio, d.sector);
}

static bool step_reply(struct drbd_connection *conn, int *err)
{
	struct drbd_peer_req *pr = pop_reply(conn, &conn->replies);

	if (!pr)
		return false;
	if (pr->kind == PEER_OV_READ)
		*err = send_range(pr, P_OV_REPLY);
	else if (pr->op == LOG_OP_DISCARD)
		*err = send_range(pr, P_RS_DEALLOCATED);
	else
		*err = send_reply(conn, pr);
	drbd_reply_sent(pr);
	return true;
}

static bool step_rs_ready(struct drbd_connection *conn, int *err)
{
	struct drbd_peer_req *pr = pop_reply(conn, &conn->rs_ready);

	if (!pr)
		return false;
	/* the reply may be here before the call returns: pr is not ours any more */
	*err = send_range(pr, pr->kind == PEER_OV_CHECK ? P_OV_REQUEST :
			       pr->hash_len ? P_CSUM_RS_REQUEST :
			       pr->thin ? P_RS_THIN_REQ : P_RS_DATA_REQUEST);
	return true;
}

static bool step_resync(struct drbd_connection *conn)
{
	struct drbd_peer_device *pd;
	bool did = false;

	list_for_each_entry(pd, &conn->peer_devices, of_conn)
		did |= drbd_rs_step(pd) || drbd_ov_step(pd);
	return did;
}

/* --- in the submitter's context ------------------------------------------------------------- */

#define INLINE_MAX 8u			/* entries one submitter sends: others may have left theirs */
#define SEGMENT_OVERHEAD 4096u		/* what the socket accounts beside the data */

static bool has_room(const struct drbd_connection *conn, u32 size)
{
	const struct sock *sk = conn->data->sk;

	return sk_stream_wspace(sk) >= (int)(size + SEGMENT_OVERHEAD);
}

static bool next_fits(struct drbd_connection *conn)
{
	bool fits;
	u32 size;

	spin_lock_irq(&conn->res->log_lock);
	fits = drbd_log_next_is_short(&conn->res->log, conn->index, &size);
	spin_unlock_irq(&conn->res->log_lock);
	return fits && has_room(conn, size);
}

static void link_broke(struct drbd_connection *conn, int err)
{
	conn->snd_failed = true;
	drbd_link_failed(conn, err == -ETIMEDOUT ? CONN_TIMEOUT : CONN_NETWORK_FAILURE);
}

/*
 * A thread less to wake for each write. What does not fit into the socket's buffer
 * now, what may take long, and whatever comes while another sends is the thread's.
 */
static void send_now(struct drbd_connection *conn)
{
	u32 left = INLINE_MAX;
	bool more = true;
	int err = 0;

	if (!mutex_trylock(&conn->snd_mutex)) {
		drbd_sender_kick(conn);
		return;
	}
	if (conn->snd_open && !conn->snd_failed) {
		while (left-- && next_fits(conn) && step_log(conn, &err) && !err)
			;
		if (err)
			link_broke(conn, err);
		more = drbd_log_has_work(&conn->res->log, conn->index);
	}
	mutex_unlock(&conn->snd_mutex);
	if (more)
		drbd_sender_kick(conn);
}

void drbd_send_now(struct drbd_device *dev, u32 peers)
{
	struct drbd_connection *conn;
	struct drbd_resource *res = dev->res;
	u32 i;

	for (i = 0; peers; i++, peers >>= 1) {
		if (!(peers & 1))
			continue;
		rcu_read_lock();
		conn = READ_ONCE(res->by_index[i]);
		if (conn && !kref_get_unless_zero(&conn->kref))
			conn = NULL;
		rcu_read_unlock();
		if (!conn)
			continue;
		send_now(conn);
		drbd_connection_put(conn);
	}
}

void drbd_send_open(struct drbd_connection *conn, bool open)
{
	mutex_lock(&conn->snd_mutex);
	conn->snd_open = open;
	conn->snd_lead = 0;
	if (open)
		conn->snd_failed = false;
	mutex_unlock(&conn->snd_mutex);
}

/* --- the thread ------------------------------------------------------------------------------ */

static bool step(struct drbd_connection *conn, int *err)
{
	if (step_log(conn, err) || *err)
		return true;
	if (step_reply(conn, err) || *err)
		return true;
	if (step_notice(conn, err) || *err)
		return true;
	if (step_rs_ready(conn, err) || *err)
		return true;
	return step_resync(conn);
}

static long idle_timeout(struct drbd_connection *conn)
{
	struct drbd_peer_device *pd;
	long timeout = HZ / 10;

	list_for_each_entry(pd, &conn->peer_devices, of_conn)
		if (READ_ONCE(pd->resync_runs) || READ_ONCE(pd->ov.active))
			return HZ / 20;
	return timeout;
}

static bool wanted(struct drbd_connection *conn)
{
	return READ_ONCE(conn->snd_kick) || kthread_should_stop();
}

/* One thing, or the end of a burst. False: there is nothing to do. */
static bool serve(struct drbd_connection *conn, bool *corked)
{
	bool did = false;
	int err = 0;

	mutex_lock(&conn->snd_mutex);
	if (!conn->snd_failed)
		did = step(conn, &err);
	if (did && !*corked && conn->conf.tcp_cork)
		drbd_tcp_cork(conn->data, *corked = true);
	else if (!did && *corked)
		drbd_tcp_cork(conn->data, *corked = false);
	if (err && !conn->snd_failed)
		link_broke(conn, err);
	mutex_unlock(&conn->snd_mutex);
	return did && !err;
}

int drbd_sender(void *arg)
{
	struct drbd_connection *conn = arg;
	bool corked = false;

	while (!kthread_should_stop()) {
		WRITE_ONCE(conn->snd_kick, false);
		smp_mb();
		if (serve(conn, &corked) || READ_ONCE(conn->snd_kick))
			continue;
		wait_event_interruptible_timeout(conn->snd_wait, wanted(conn),
						 idle_timeout(conn));
	}
	return 0;
}
