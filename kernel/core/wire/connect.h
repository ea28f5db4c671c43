/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wire/connect.h - from two TCP connections to an agreed protocol version.
 *
 * Decisions only: which of the two streams a socket becomes, what to do when
 * first packets crossed, whether the peer's features are acceptable. Glue
 * connects, accepts, sleeps and tosses the coin.
 *
 * Specification: wire.md 1.2, 1.3, 2.2 to 2.5, 5.2.
 */
#ifndef DRBD_CORE_WIRE_CONNECT_H
#define DRBD_CORE_WIRE_CONNECT_H

#include "control.h"

#define PRO_VERSION_MIN 86u
#define PRO_VERSION_MAX_84 101u
#define PRO_VERSION_MIN_9 118u
#define PRO_VERSION_MAX 124u

#define FIRST_PACKET_LEN 8u

/* The sockets one connection attempt has so far. */
struct connect_state {
	bool have_data, have_meta;
	/* Set when the meta stream in use was accepted, not opened, by us. */
	bool resolve_conflicts;
};

enum connect_step {
	CONNECT_KEEP,		/* keep the socket; if both exist: established check */
	CONNECT_REPLACE_ACCEPT,	/* drop own socket of that stream, use the incoming one,
				 * then wait for another incoming one only */
	CONNECT_REPLACE_ROUND,	/* the same, then begin the next round */
	CONNECT_REFUSE,		/* not a first packet: close it */
};

/* First packet of a stream: writes FIRST_PACKET_LEN bytes. */
void drbd_connect_first_put(void *buf, enum packet_stream stream);
/* Reads one; 0 if it is none. */
enum packet_stream drbd_connect_first_get(const void *buf);

/*
 * An outgoing connect succeeded: which stream does it become? Two rules
 * (wire.md 2.3); @own_is_greater is the comparison of the two socket addresses.
 * Records it in @s.
 */
enum packet_stream drbd_connect_opened(struct connect_state *s, bool own_is_greater);
/* An incoming connection sent the first packet of @stream. @coin is a random bit. */
enum connect_step drbd_connect_accepted(struct connect_state *s,
					enum packet_stream stream, bool coin);
/* The socket of @stream was found dead. */
void drbd_connect_dropped(struct connect_state *s, enum packet_stream stream);

/* The time to wait for an incoming connection: @connect_int plus or minus a
 * seventh of it, in ms; @random any random number. */
u32 drbd_connect_wait_ms(u32 connect_int_s, u32 random);

struct features_offer {
	u32 version_min, version_max;	/* our own range */
	u32 features;
	u32 node_id, peer_node_id;
	u32 nr_connections;		/* configured in the resource */
};

enum features_verdict {
	FEATURES_OK,
	FEATURES_RETRY,			/* drop the sockets, try again */
	FEATURES_STANDALONE,		/* give up */
};

/* What the refusal is about; the caller prints the numbers. */
enum features_problem {
	FEATURES_FINE,
	FEATURES_DISJOINT,		/* no common version */
	FEATURES_GAP,			/* peer's maximum is 102..117 */
	FEATURES_BROKEN_DAGTAG,		/* 121 with RESYNC_DAGTAG */
	FEATURES_MANY_CONNECTIONS,	/* below 110 with several connections */
	FEATURES_NODE_ID,		/* peer presents another node id */
	FEATURES_PEER_NODE_ID,		/* peer expects another node id */
};

struct features_result {
	enum features_verdict verdict;
	enum features_problem problem;
	u16 version;
	u32 features;
};

void drbd_connect_offer(const struct features_offer *own, struct wire_features *out);
void drbd_connect_agree(const struct features_offer *own,
			const struct wire_features *peer,
			struct features_result *out);

/* P_PROTOCOL against our own settings: the name of the first one that differs
 * ("after-sb-0pri", ...) or NULL. wire.md 5.4. */
const char *drbd_connect_protocol_mismatch(const struct wire_protocol *own,
					   const struct wire_protocol *peer);

#endif
