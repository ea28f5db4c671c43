/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * data/request.h - the legs of a request as a state machine.
 *
 * A request in the transfer log has a leg to the local disk and one to each
 * peer. A leg is a small number; an event is a look-up in a table that gives
 * the next number, and says whether the event was legal. What the numbers mean
 * for the request is in a second table: does this leg keep the request from
 * completing (pending), from leaving the log (undone), is its data good.
 *
 *   peer, data:   QUEUED -> SENDING -> SENT -> ACKED -> OK
 *                 (protocol A goes from SENDING to ACKED)
 *   peer, read:   READ_QUEUED -> READ_SENT -> READ_RECEIVING -> OK
 *   peer, others: MARKER_*, NOTICE, FLUSH_WAIT
 *   local:        LOCAL_PENDING -> LOCAL_OK
 *
 * A leg ends badly only through HELD: NegAck, local error and lost connection
 * hold it, the control half makes the consequence stable, then resolves it
 * (DESIGN 2.2). Specification: behaviour.md 11.2, 11.3, 12.
 */
#ifndef DRBD_CORE_DATA_REQUEST_H
#define DRBD_CORE_DATA_REQUEST_H

#include "../base.h"

enum leg_state {
	LEG_NONE,
	LEG_LOCAL_PENDING,	/* at the backend */
	LEG_LOCAL_HELD,		/* backend failed */
	LEG_QUEUED,		/* the cursor will reach it */
	LEG_SENDING,		/* the sender has the pages in its hands */
	LEG_SENDING_ACKED,	/* the peer was faster than our own send call */
	LEG_SENDING_NEG,
	LEG_SENT,
	LEG_ACKED,		/* counts as written; barrier ack missing */
	LEG_NEG,		/* NegAck: held; barrier ack missing */
	LEG_NEG_STABLE,		/* NegAck: held; barrier ack came */
	LEG_NEG_RESOLVED,	/* failed; barrier ack missing */
	LEG_NEG_RESOLVED_SENDING,
	LEG_SENDING_OVER,	/* two Primaries: superseded, which ends the leg */
	LEG_SENDING_RETRY,	/* two Primaries: the peer wants it again, see LEG_RETRY */
	LEG_RETRY,		/* ... as another request, which ends this leg */
	LEG_HELD,		/* connection lost before the ack */
	LEG_HELD_SENDING,	/* the same, sender not back yet */
	LEG_HELD_LOST,		/* resolved as lost, sender not back yet */
	LEG_HELD_ACKED,		/* connection lost between ack and barrier ack */
	LEG_READ_QUEUED,
	LEG_READ_SENT,
	LEG_READ_RECEIVING,	/* the receiver fills the buffer of the request */
	LEG_MARKER_QUEUED,
	LEG_MARKER_SENDING,
	LEG_NOTICE,		/* out-of-sync notice: released when the entry retires */
	LEG_FLUSH_WAIT,		/* flush: until all earlier entries are done at this peer */
	LEG_FLUSH_HELD,
	LEG_OK,			/* done, the data is there */
	LEG_FAILED,		/* done, the data is not there */
	LEG_NR_STATES
};

enum leg_event {
	LEG_EV_LOCAL_OK,
	LEG_EV_LOCAL_ERROR,
	LEG_EV_SEND,		/* the sender takes it */
	LEG_EV_SENT,		/* the send call returned, data handed to the network */
	LEG_EV_SEND_FAILED,	/* it returned without having sent all of it */
	LEG_EV_ACK,		/* RecvAck or WriteAck that satisfies the protocol */
	LEG_EV_NEG_ACK,
	/* two Primaries; neither counts for the barrier ack: */
	LEG_EV_SUPERSEDED,	/* P_SUPERSEDED: a write of the peer's covers it */
	LEG_EV_RETRY,		/* P_RETRY_WRITE: overlaps a write of the peer's, send it again */
	LEG_EV_BARRIER_ACK,
	LEG_EV_UNCONFIRMED,	/* there will be no barrier ack */
	LEG_EV_REPLY,		/* remote read: data begins to arrive */
	LEG_EV_REPLY_OK,	/* remote read: all of it is there */
	LEG_EV_NEG_REPLY,	/* remote read: peer cannot, or the data was bad */
	LEG_EV_LOST,		/* connection (or disk) is gone: hold */
	LEG_EV_RESOLVE_LOST,
	LEG_EV_RESOLVE_RESEND,
	LEG_NR_EVENTS
};

enum leg_trait {
	LEG_PENDING = 1,	/* the request cannot complete */
	LEG_UNDONE = 2,		/* the entry cannot retire */
	LEG_PAGES = 4,		/* the data pages are still needed */
	LEG_IS_HELD = 8,	/* waits for a resolve */
	LEG_COUNTS = 16,	/* expects a barrier ack */
	LEG_AGAIN = 32,		/* the request has to be made again */
};

/* Per leg, beside its state. */
enum leg_attr {
	LEG_A_PROTOCOL = 3,		/* mask: 1 = A, 2 = B, 3 = C */
	LEG_A_MAY_SET_IN_SYNC = 4,
	LEG_A_WANT_RECV_ACK = 8,	/* such an ack may still come, once */
	LEG_A_WANT_WRITE_ACK = 16,
	LEG_A_GOOD = 32,		/* counted as written at some time */
	LEG_A_IN_SYNC = 64,		/* peer said "in sync": clear the bits */
	LEG_A_ZEROES = 128,		/* the peer knows P_ZEROES */
};

#define LEG_ILLEGAL 0xff

/* Next state of a leg, or LEG_ILLEGAL. @attr decides where protocols differ
 * (A counts as written when sent; its data is gone then). */
u8 drbd_leg_next(u8 state, enum leg_event event, u8 attr);
/* enum leg_trait bits of a state. */
extern const u8 drbd_leg_trait_table[LEG_NR_STATES];
static inline u8 drbd_leg_traits(u8 state)
{
	return state < LEG_NR_STATES ? drbd_leg_trait_table[state] : 0;
}

const char *drbd_leg_name(u8 state);

/* The attributes a data leg starts with: protocol and which acks to expect. */
u8 drbd_leg_data_attr(u8 protocol, bool may_set_in_sync);

#endif
