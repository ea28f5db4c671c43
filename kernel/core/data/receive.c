// SPDX-License-Identifier: GPL-2.0-only
/*
 * data/receive.c - receive epochs.
 *
 * Without ordering (RECV_NONE) all epochs are released as they open.
 *
 * Epochs have running numbers (r->first <= released <= open); the barrier
 * number, which is the sender's and opaque, is kept beside.
 */
#include "receive.h"
#include "../wire/packet.h"
#include "../wire/data.h"

static struct recv_epoch *epoch(struct recv_epochs *r, u32 tag)
{
	return &r->e[tag % RECV_EPOCHS];
}

void drbd_recv_init(struct recv_epochs *r, u8 method)
{
	memset(r, 0, sizeof(*r));
	r->method = method;
}

void drbd_recv_set_method(struct recv_epochs *r, u8 method)
{
	r->method = method;
}

enum recv_submit drbd_recv_write(struct recv_epochs *r, u32 *tag)
{
	struct recv_epoch *e = epoch(r, r->open);

	*tag = r->open;
	/* Nobody is held, so there is nothing to release step by step. */
	if (r->method == RECV_NONE && r->released + 1 == r->open)
		r->released = r->open;
	e->writes++;
	e->active++;
	r->active++;
	return r->released == r->open ? RECV_GO : RECV_HOLD;
}

void drbd_recv_write_done(struct recv_epochs *r, u32 tag)
{
	struct recv_epoch *e = epoch(r, tag);

	if (!core_check(e->active && r->active))
		return;
	e->active--;
	r->active--;
}

void drbd_recv_write_superseded(struct recv_epochs *r, u32 tag)
{
	struct recv_epoch *e = epoch(r, tag);

	if (core_check(e->writes))
		e->writes--;
	drbd_recv_write_done(r, tag);
}

void drbd_recv_write_retried(struct recv_epochs *r, u32 tag)
{
	epoch(r, tag)->retried++;
	drbd_recv_write_superseded(r, tag);
}

void drbd_recv_came_again(struct recv_epochs *r, u32 tag)
{
	struct recv_epoch *e = epoch(r, tag);

	if (core_check(e->retried))
		e->retried--;
}

bool drbd_recv_barrier(struct recv_epochs *r, u32 number)
{
	struct recv_epoch *e = epoch(r, r->open);

	/* An epoch without writes is not acknowledged. */
	if (!e->writes && !e->active && !e->retried)
		return true;
	if (r->open - r->acked + 1 >= RECV_EPOCHS)
		return false;
	e->number = number;
	e->closed = true;
	r->open++;
	memset(epoch(r, r->open), 0, sizeof(*e));
	return true;
}

void drbd_recv_flushed(struct recv_epochs *r, bool ok)
{
	core_assert(r->flushing);
	r->flushing = false;
	epoch(r, r->first)->flushed = true;
	if (!ok && r->method == RECV_FLUSH)
		r->method = RECV_DRAIN;
}

/* Acks leave in the order of the epochs; one whose writes were all refused has none. */
static bool next_ack(struct recv_epochs *r, struct recv_step *out)
{
	while (r->acked != r->first && !epoch(r, r->acked)->retried) {
		const struct recv_epoch *e = epoch(r, r->acked);

		r->acked++;
		if (!e->writes)
			continue;
		out->action = RECV_DO_ACK;
		out->number = e->number;
		out->count = e->writes;
		return true;
	}
	return false;
}

void drbd_recv_next(struct recv_epochs *r, struct recv_step *out)
{
	struct recv_epoch *e = epoch(r, r->first);
	/* Behind a finished epoch the next one is the oldest: its writes may go. */
	u32 may_go = r->method == RECV_NONE ? r->open : r->first;

	memset(out, 0, sizeof(*out));
	if (next_ack(r, out))
		return;
	if ((s32)(may_go - r->released) > 0) {
		r->released++;
		out->action = RECV_DO_RELEASE;
		out->tag = r->released;
		return;
	}
	if (!e->closed || e->active || r->flushing)
		return;
	if (r->method == RECV_FLUSH && !e->flushed && e->writes) {
		r->flushing = true;
		out->action = RECV_DO_FLUSH;
		out->number = e->number;
		return;
	}
	e->closed = false;
	r->first++;
	drbd_recv_next(r, out);
}

struct recv_acks drbd_recv_acks(u16 version, u32 dp_flags, u8 protocol, bool in_sync)
{
	struct recv_acks a = { 0, 0 };
	bool recv_ack, write_ack;

	if (version >= 100) {
		recv_ack = dp_flags & DP_SEND_RECEIVE_ACK;
		write_ack = dp_flags & DP_SEND_WRITE_ACK;
	} else {
		recv_ack = protocol == 2;
		write_ack = protocol == 3;
	}
	if (dp_flags & DP_MAY_SET_IN_SYNC)
		write_ack = true;
	if (recv_ack)
		a.on_receive = P_RECV_ACK;
	if (!write_ack)
		return a;
	a.on_success = P_WRITE_ACK;
	if (in_sync && dp_flags & DP_MAY_SET_IN_SYNC)
		a.on_success = version >= 122 ? P_WRITE_ACK_IN_SYNC : P_RS_WRITE_ACK;
	return a;
}
