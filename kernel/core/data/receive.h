/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * data/receive.h - epochs of writes that arrive from a peer, and which acks
 * they get.
 *
 * A write is active from reception on, not from submission. A barrier closes
 * the open epoch and the receiver goes on; writes of later epochs are held
 * before the backend until the earlier ones are finished and flushed. Barrier
 * acks leave in order, after the acks of their writes, with the exact count.
 *
 * Lock: the connection's epoch lock (spinning), around every function.
 *
 * Specification: wire.md 6.2, 6.4, 6.5; behaviour.md 12.2.
 */
#ifndef DRBD_CORE_DATA_RECEIVE_H
#define DRBD_CORE_DATA_RECEIVE_H

#include "../base.h"

#define RECV_EPOCHS 64u		/* closed and open ones at a time */

enum recv_method {
	RECV_NONE = 0,		/* no ordering: write-through storage */
	RECV_DRAIN = 1,
	RECV_FLUSH = 2,
};

struct recv_epoch {
	u32 number;		/* of the barrier that closed it */
	u32 writes;
	u32 active;
	u32 retried;		/* writes that have to come again before it is acked */
	bool closed;
	bool flushed;
};

struct recv_epochs {
	u32 acked;		/* oldest epoch that is not acked, as a running number */
	u32 first;		/* oldest one that is not finished */
	u32 open;		/* the one that takes writes */
	u32 released;		/* writes of epochs up to this one may go to the backend */
	u32 active;		/* over all epochs: "peer writes of a connection = 0" */
	bool flushing;		/* a flush is under way for epoch first */
	u8 method;		/* enum recv_method */
	struct recv_epoch e[RECV_EPOCHS];
};

enum recv_submit {
	RECV_GO,		/* submit it now */
	RECV_HOLD,		/* keep it until its epoch is released */
};

enum recv_action {
	RECV_NOTHING,
	RECV_DO_FLUSH,		/* flush all backing devices, then drbd_recv_flushed() */
	RECV_DO_ACK,		/* queue P_BARRIER_ACK(number, count) */
	RECV_DO_RELEASE,	/* submit the held writes of epoch @tag */
};

struct recv_step {
	enum recv_action action;
	u32 number, count;
	u32 tag;
};

void drbd_recv_init(struct recv_epochs *r, u8 method);
/* Changes the ordering method; takes effect for the oldest open epoch on. */
void drbd_recv_set_method(struct recv_epochs *r, u8 method);

/* A write arrived. *@tag is to be kept with it. */
enum recv_submit drbd_recv_write(struct recv_epochs *r, u32 *tag);
/*
 * A write of epoch @tag is finished and its ack is queued (or: it never went to
 * a disk). Then run drbd_recv_next() until nothing is left.
 */
void drbd_recv_write_done(struct recv_epochs *r, u32 tag);
/* The same for a write that was answered with P_SUPERSEDED: it does not count. */
void drbd_recv_write_superseded(struct recv_epochs *r, u32 tag);
/*
 * And with P_RETRY_WRITE. Until it comes again it may count in the books of an 8.4
 * peer (docs/findings.md), so its epoch is not acked before; but nothing else waits.
 */
void drbd_recv_write_retried(struct recv_epochs *r, u32 tag);
void drbd_recv_came_again(struct recv_epochs *r, u32 tag);
/* Acks or releases may be due. */
static inline bool drbd_recv_has_steps(const struct recv_epochs *r)
{
	return r->acked != r->open;
}
/*
 * P_BARRIER. False: too many epochs are open, the receiver has to wait and
 * call it again.
 */
bool drbd_recv_barrier(struct recv_epochs *r, u32 number);
/* The flush that RECV_DO_FLUSH asked for ended. Not @ok: ordering degrades to
 * drain, as the device cannot flush. */
void drbd_recv_flushed(struct recv_epochs *r, bool ok);
/* What to do next; call until RECV_NOTHING. */
void drbd_recv_next(struct recv_epochs *r, struct recv_step *out);

/*
 * Sequence numbers of one volume of a connection (wire.md 6.4). Data and acks
 * travel on different sockets: with two Primaries the one that decides must not
 * look at a write before the acks that its sender had given before, for it would
 * see a conflict that is over. @data, @acks: the newest number of either kind that
 * was dealt with. True: all that was sent before number @seq has been.
 */
static inline bool drbd_recv_in_sequence(u32 data, u32 acks, u32 seq)
{
	return (s32)(seq - 1 - data) <= 0 || (s32)(seq - 1 - acks) <= 0;
}

/* Which acks a write gets. Packet ids; 0 = none. */
struct recv_acks {
	u16 on_receive;		/* P_RECV_ACK or 0 */
	u16 on_success;		/* P_WRITE_ACK, P_RS_WRITE_ACK, P_WRITE_ACK_IN_SYNC or 0 */
};
/*
 * @dp_flags of the packet; @protocol: ours, which counts below 100; @in_sync:
 * the flag DP_MAY_SET_IN_SYNC is set, still valid, and we are in a state 16..21
 * with the sender, so the bits are cleared with the ack (wire.md 6.4). A failed
 * write always gets P_NEG_ACK.
 */
struct recv_acks drbd_recv_acks(u16 version, u32 dp_flags, u8 protocol, bool in_sync);

#endif
