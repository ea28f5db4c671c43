// SPDX-License-Identifier: GPL-2.0-only
/*
 * data/request.c - the leg tables.
 */
#include "request.h"

/* Table entries that depend on attributes are decided in drbd_leg_next(). */
enum special {
	S_SENT = 0x80,		/* A: counts as written now */
	S_RESEND_ACKED = 0x81,	/* A: nobody has the data any more */
};

#define NONE 0		/* empty table entry: the event is illegal here */

static const u8 next[LEG_NR_STATES][LEG_NR_EVENTS] = {
	[LEG_LOCAL_PENDING] = {
		[LEG_EV_LOCAL_OK] = LEG_OK,
		[LEG_EV_LOCAL_ERROR] = LEG_LOCAL_HELD,
		[LEG_EV_LOST] = LEG_LOCAL_HELD,
	},
	[LEG_LOCAL_HELD] = {
		[LEG_EV_LOST] = LEG_LOCAL_HELD,
		[LEG_EV_RESOLVE_LOST] = LEG_FAILED,
		[LEG_EV_RESOLVE_RESEND] = LEG_LOCAL_PENDING,
	},
	[LEG_QUEUED] = {
		[LEG_EV_SEND] = LEG_SENDING,
		[LEG_EV_LOST] = LEG_HELD,
	},
	[LEG_SENDING] = {
		[LEG_EV_SENT] = S_SENT,
		[LEG_EV_SEND_FAILED] = LEG_HELD,
		[LEG_EV_ACK] = LEG_SENDING_ACKED,
		[LEG_EV_NEG_ACK] = LEG_SENDING_NEG,
		[LEG_EV_SUPERSEDED] = LEG_SENDING_OVER,
		[LEG_EV_RETRY] = LEG_SENDING_RETRY,
		[LEG_EV_LOST] = LEG_HELD_SENDING,
	},
	[LEG_SENDING_ACKED] = {
		[LEG_EV_SENT] = LEG_ACKED,
		[LEG_EV_SEND_FAILED] = LEG_HELD_ACKED,
		[LEG_EV_ACK] = LEG_SENDING_ACKED,
		[LEG_EV_NEG_ACK] = LEG_SENDING_NEG,
		[LEG_EV_LOST] = LEG_HELD_SENDING,
	},
	[LEG_SENDING_NEG] = {
		[LEG_EV_SENT] = LEG_NEG,
		[LEG_EV_SEND_FAILED] = LEG_NEG,
		[LEG_EV_LOST] = LEG_HELD_SENDING,
		[LEG_EV_RESOLVE_LOST] = LEG_NEG_RESOLVED_SENDING,
		[LEG_EV_RESOLVE_RESEND] = LEG_NEG_RESOLVED_SENDING,
	},
	[LEG_SENDING_OVER] = {
		[LEG_EV_SENT] = LEG_OK,
		[LEG_EV_SEND_FAILED] = LEG_OK,
		[LEG_EV_LOST] = LEG_HELD_SENDING,
	},
	[LEG_SENDING_RETRY] = {
		[LEG_EV_SENT] = LEG_RETRY,
		[LEG_EV_SEND_FAILED] = LEG_RETRY,
		[LEG_EV_LOST] = LEG_HELD_SENDING,
	},
	[LEG_SENT] = {
		[LEG_EV_ACK] = LEG_ACKED,
		[LEG_EV_NEG_ACK] = LEG_NEG,
		[LEG_EV_SUPERSEDED] = LEG_OK,
		[LEG_EV_RETRY] = LEG_RETRY,
		[LEG_EV_LOST] = LEG_HELD,
	},
	[LEG_ACKED] = {
		[LEG_EV_ACK] = LEG_ACKED,
		[LEG_EV_NEG_ACK] = LEG_NEG,
		[LEG_EV_BARRIER_ACK] = LEG_OK,
		[LEG_EV_UNCONFIRMED] = LEG_FAILED,
		[LEG_EV_LOST] = LEG_HELD_ACKED,
	},
	[LEG_NEG] = {
		[LEG_EV_BARRIER_ACK] = LEG_NEG_STABLE,
		[LEG_EV_LOST] = LEG_HELD,
		[LEG_EV_RESOLVE_LOST] = LEG_NEG_RESOLVED,
		[LEG_EV_RESOLVE_RESEND] = LEG_NEG_RESOLVED,
	},
	[LEG_NEG_STABLE] = {
		[LEG_EV_LOST] = LEG_NEG_STABLE,
		[LEG_EV_RESOLVE_LOST] = LEG_FAILED,
		[LEG_EV_RESOLVE_RESEND] = LEG_FAILED,
	},
	[LEG_NEG_RESOLVED] = {
		[LEG_EV_BARRIER_ACK] = LEG_FAILED,
		[LEG_EV_LOST] = LEG_FAILED,
	},
	[LEG_NEG_RESOLVED_SENDING] = {
		[LEG_EV_SENT] = LEG_NEG_RESOLVED,
		[LEG_EV_SEND_FAILED] = LEG_NEG_RESOLVED,
		[LEG_EV_LOST] = LEG_HELD_LOST,
	},
	[LEG_HELD] = {
		[LEG_EV_LOST] = LEG_HELD,
		[LEG_EV_RESOLVE_LOST] = LEG_FAILED,
		[LEG_EV_RESOLVE_RESEND] = LEG_QUEUED,
	},
	[LEG_HELD_SENDING] = {
		[LEG_EV_SENT] = LEG_HELD,
		[LEG_EV_SEND_FAILED] = LEG_HELD,
		[LEG_EV_LOST] = LEG_HELD_SENDING,
		[LEG_EV_RESOLVE_LOST] = LEG_HELD_LOST,
	},
	[LEG_HELD_LOST] = {
		[LEG_EV_SENT] = LEG_FAILED,
		[LEG_EV_SEND_FAILED] = LEG_FAILED,
		[LEG_EV_LOST] = LEG_HELD_LOST,
	},
	[LEG_HELD_ACKED] = {
		[LEG_EV_LOST] = LEG_HELD_ACKED,
		[LEG_EV_RESOLVE_LOST] = LEG_FAILED,
		[LEG_EV_RESOLVE_RESEND] = S_RESEND_ACKED,
	},
	[LEG_READ_QUEUED] = {
		[LEG_EV_SEND] = LEG_READ_SENT,
		[LEG_EV_LOST] = LEG_FAILED,
	},
	[LEG_READ_SENT] = {
		[LEG_EV_REPLY] = LEG_READ_RECEIVING,
		[LEG_EV_NEG_REPLY] = LEG_FAILED,
		[LEG_EV_LOST] = LEG_FAILED,
	},
	[LEG_READ_RECEIVING] = {
		[LEG_EV_REPLY_OK] = LEG_OK,
		[LEG_EV_NEG_REPLY] = LEG_FAILED,
		/* The receiver has the buffer; its answer ends the leg. */
		[LEG_EV_LOST] = LEG_READ_RECEIVING,
	},
	[LEG_MARKER_QUEUED] = {
		[LEG_EV_SEND] = LEG_MARKER_SENDING,
		[LEG_EV_LOST] = LEG_FAILED,
	},
	[LEG_MARKER_SENDING] = {
		[LEG_EV_SENT] = LEG_OK,
		[LEG_EV_SEND_FAILED] = LEG_FAILED,
		/* The sender has the packet; its answer ends the leg. */
		[LEG_EV_LOST] = LEG_MARKER_SENDING,
	},
	[LEG_NOTICE] = {
		[LEG_EV_LOST] = LEG_FAILED,
	},
	[LEG_FLUSH_WAIT] = {
		[LEG_EV_BARRIER_ACK] = LEG_OK,
		[LEG_EV_LOST] = LEG_FLUSH_HELD,
	},
	[LEG_FLUSH_HELD] = {
		[LEG_EV_LOST] = LEG_FLUSH_HELD,
		[LEG_EV_RESOLVE_LOST] = LEG_FAILED,
		[LEG_EV_RESOLVE_RESEND] = LEG_FLUSH_WAIT,
	},
};

#define PU (LEG_PENDING | LEG_UNDONE)

const u8 drbd_leg_trait_table[LEG_NR_STATES] = {
	[LEG_LOCAL_PENDING] = PU,
	[LEG_LOCAL_HELD] = PU | LEG_IS_HELD,
	[LEG_QUEUED] = PU | LEG_PAGES,
	[LEG_SENDING] = PU | LEG_PAGES | LEG_COUNTS,
	[LEG_SENDING_ACKED] = PU | LEG_PAGES | LEG_COUNTS,
	[LEG_SENDING_NEG] = PU | LEG_PAGES | LEG_COUNTS | LEG_IS_HELD,
	[LEG_SENT] = PU | LEG_PAGES | LEG_COUNTS,
	[LEG_ACKED] = LEG_UNDONE | LEG_COUNTS,
	[LEG_NEG] = PU | LEG_COUNTS | LEG_IS_HELD,
	[LEG_NEG_STABLE] = PU | LEG_IS_HELD,
	[LEG_NEG_RESOLVED] = LEG_UNDONE | LEG_COUNTS,
	[LEG_NEG_RESOLVED_SENDING] = PU | LEG_PAGES | LEG_COUNTS,
	[LEG_SENDING_OVER] = PU | LEG_PAGES,
	[LEG_SENDING_RETRY] = PU | LEG_PAGES | LEG_AGAIN,
	[LEG_RETRY] = LEG_AGAIN,
	[LEG_HELD] = PU | LEG_PAGES | LEG_IS_HELD,
	[LEG_HELD_SENDING] = PU | LEG_PAGES | LEG_IS_HELD,
	[LEG_HELD_LOST] = PU | LEG_PAGES,
	[LEG_HELD_ACKED] = LEG_UNDONE | LEG_IS_HELD,
	[LEG_READ_QUEUED] = PU,
	[LEG_READ_SENT] = PU,
	[LEG_READ_RECEIVING] = PU,
	[LEG_MARKER_QUEUED] = PU,
	[LEG_MARKER_SENDING] = PU,
	[LEG_FLUSH_WAIT] = PU,
	[LEG_FLUSH_HELD] = PU | LEG_IS_HELD,
};

static const char *const names[LEG_NR_STATES] = {
	[LEG_NONE] = "none",
	[LEG_LOCAL_PENDING] = "local-pending",
	[LEG_LOCAL_HELD] = "local-held",
	[LEG_QUEUED] = "queued",
	[LEG_SENDING] = "sending",
	[LEG_SENDING_ACKED] = "sending-acked",
	[LEG_SENDING_NEG] = "sending-neg",
	[LEG_SENT] = "sent",
	[LEG_ACKED] = "acked",
	[LEG_NEG] = "neg",
	[LEG_NEG_STABLE] = "neg-stable",
	[LEG_NEG_RESOLVED] = "neg-resolved",
	[LEG_NEG_RESOLVED_SENDING] = "neg-resolved-sending",
	[LEG_SENDING_OVER] = "sending-over",
	[LEG_SENDING_RETRY] = "sending-retry",
	[LEG_RETRY] = "retry",
	[LEG_HELD] = "held",
	[LEG_HELD_SENDING] = "held-sending",
	[LEG_HELD_LOST] = "held-lost",
	[LEG_HELD_ACKED] = "held-acked",
	[LEG_READ_QUEUED] = "read-queued",
	[LEG_READ_SENT] = "read-sent",
	[LEG_READ_RECEIVING] = "read-receiving",
	[LEG_MARKER_QUEUED] = "marker-queued",
	[LEG_MARKER_SENDING] = "marker-sending",
	[LEG_NOTICE] = "notice",
	[LEG_FLUSH_WAIT] = "flush-wait",
	[LEG_FLUSH_HELD] = "flush-held",
	[LEG_OK] = "ok",
	[LEG_FAILED] = "failed",
};

u8 drbd_leg_next(u8 state, enum leg_event event, u8 attr)
{
	bool async = (attr & LEG_A_PROTOCOL) == 1;
	u8 n;

	if (state >= LEG_NR_STATES || (unsigned int)event >= LEG_NR_EVENTS)
		return LEG_ILLEGAL;
	n = next[state][event];
	switch (n) {
	case NONE:
		return LEG_ILLEGAL;
	case S_SENT:
		return async ? LEG_ACKED : LEG_SENT;
	case S_RESEND_ACKED:
		/* An A write was completed when it was sent; whether the peer
		 * got it is unknown, and the data is gone. */
		return async ? LEG_FAILED : LEG_OK;
	default:
		return n;
	}
}

const char *drbd_leg_name(u8 state)
{
	return state < LEG_NR_STATES ? names[state] : "?";
}

u8 drbd_leg_data_attr(u8 protocol, bool may_set_in_sync)
{
	u8 attr = protocol & LEG_A_PROTOCOL;

	if (may_set_in_sync)
		attr |= LEG_A_MAY_SET_IN_SYNC;
	if (protocol == 2)
		attr |= LEG_A_WANT_RECV_ACK;
	if (protocol == 3 || may_set_in_sync)
		attr |= LEG_A_WANT_WRITE_ACK;
	return attr;
}
