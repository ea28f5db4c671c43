// SPDX-License-Identifier: GPL-2.0
/*
 * The lock-step part of the handshake, with nothing else on the stream:
 * features, authentication, Protocol (wire.md 5.2 to 5.4).
 */
#include <crypto/algapi.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <net/sock.h>

#include "glue.h"

enum { RETRY = 1, STANDALONE = -1 };

struct greet_packet {
	struct packet_header hdr;
	u8 body[WIRE_CONTROL_MAX];
};

static int send_packet(struct drbd_connection *conn, u16 cmd, const void *body, u32 len)
{
	u8 buf[PACKET_HEADER_MAX + WIRE_CONTROL_MAX];
	u32 head = drbd_packet_encode(&conn->wire, buf, cmd, 0, len);

	memcpy(buf + head, body, len);
	return drbd_tcp_send(conn, buf, head + len, NULL) ? RETRY : 0;
}

static int read_exactly(struct drbd_connection *conn, void *buf, u32 len)
{
	return drbd_tcp_recv(conn->data, buf, len, MSG_WAITALL) == (int)len ? 0 : RETRY;
}

static int refused(struct drbd_connection *conn, const char *expected,
		   const struct greet_packet *p, const char *why)
{
	drbd_err(conn->res, "%s: expected %s packet, received: %s (0x%04x), %s",
		 conn->conf.name, expected, drbd_packet_name(p->hdr.cmd), p->hdr.cmd, why);
	return STANDALONE;
}

static int recv_packet(struct drbd_connection *conn, u16 cmd, struct greet_packet *p)
{
	enum wire_error err;
	u8 head[PACKET_HEADER_MAX];
	u32 have = 0, need = 8;

	do {
		if (read_exactly(conn, head + have, need - have))
			return RETRY;
		have = need;
		err = drbd_packet_decode(&conn->wire, STREAM_DATA, head, have, &p->hdr, &need);
	} while (err == WIRE_MORE);
	if (err || p->hdr.cmd != cmd)
		return refused(conn, drbd_packet_name(cmd), p,
			       err ? drbd_wire_strerror(err) : "check that both configurations match");
	if (p->hdr.length > sizeof(p->body))
		return refused(conn, drbd_packet_name(cmd), p, "too long");
	return read_exactly(conn, p->body, p->hdr.length);
}

static const char *const problems[] = {
	[FEATURES_DISJOINT] = "no common protocol version",
	[FEATURES_GAP] = "the peer's protocol version (102 to 117) is not supported: upgrade it",
	[FEATURES_BROKEN_DAGTAG] = "the peer is a DRBD 9.2.0 to 9.2.2: upgrade it",
	[FEATURES_MANY_CONNECTIONS] = "the peer knows one connection per resource only",
	[FEATURES_NODE_ID] = "the peer presents another node id than configured",
	[FEATURES_PEER_NODE_ID] = "the peer expects another node id than ours",
};

/*
 * 8.4 and 9 look for a digest behind P_ZEROES, which nobody sends (wire.md 6.3):
 * with digests a zero-out travels as P_TRIM, and the peer takes it as one.
 */
static u32 own_features(const struct drbd_connection *conn)
{
	return conn->conf.integrity_alg[0] ? DRBD_FEATURES & ~FEATURE_WZEROES : DRBD_FEATURES;
}

static int features(struct drbd_connection *conn)
{
	struct features_offer own = {
		.version_min = DRBD_PROTO_MIN, .version_max = DRBD_PROTO_MAX,
		.features = own_features(conn), .node_id = conn->res->core.node_id,
		.peer_node_id = conn->peer_node_id, .nr_connections = 1,
	};
	struct wire_features offer, peer;
	struct features_result agreed;
	struct greet_packet p;
	u8 body[WIRE_CONTROL_MAX];
	int r;

	drbd_connect_offer(&own, &offer);
	r = send_packet(conn, P_CONNECTION_FEATURES, body, drbd_wire_put_features(body, &offer));
	if (!r)
		r = recv_packet(conn, P_CONNECTION_FEATURES, &p);
	if (r)
		return r;
	if (drbd_wire_get_features(&p.hdr, p.body, &peer))
		return refused(conn, "ConnectionFeatures", &p, "malformed");
	drbd_connect_agree(&own, &peer, &agreed);
	if (agreed.verdict != FEATURES_OK) {
		drbd_err(conn->res, "%s: %s (peer %u-%u, this node %u-%u)", conn->conf.name,
			 problems[agreed.problem], peer.version_min, peer.version_max,
			 own.version_min, own.version_max);
		return agreed.verdict == FEATURES_RETRY ? RETRY : STANDALONE;
	}
	conn->wire.version = agreed.version;
	conn->wire.features = agreed.features;
	drbd_info(conn->res, "%s: agreed network protocol version %u, features 0x%x",
		  conn->conf.name, agreed.version, agreed.features);
	return 0;
}

static int respond(struct drbd_connection *conn, const struct greet_packet *p)
{
	u8 digest[64], msg[WIRE_AUTH_84_MAX + 4];
	u32 len, digest_len = sizeof(digest);

	len = drbd_wire_auth_message(conn->wire.version, msg, p->body, p->hdr.length,
				     conn->res->core.node_id);
	if (drbd_hmac(conn->conf.cram_hmac_alg, conn->conf.shared_secret, msg, len, digest,
		      &digest_len))
		return STANDALONE;
	return send_packet(conn, P_AUTH_RESPONSE, digest, digest_len);
}

static int check_response(struct drbd_connection *conn, const u8 *challenge,
			  const struct greet_packet *p)
{
	u8 digest[64], msg[WIRE_CHALLENGE + 4];
	u32 len, digest_len = sizeof(digest);

	len = drbd_wire_auth_message(conn->wire.version, msg, challenge, WIRE_CHALLENGE,
				     conn->peer_node_id);
	if (drbd_hmac(conn->conf.cram_hmac_alg, conn->conf.shared_secret, msg, len, digest,
		      &digest_len))
		return STANDALONE;
	if (drbd_wire_check_response(&p->hdr, digest_len))
		return RETRY;
	if (crypto_memneq(digest, p->body, digest_len))
		return STANDALONE;
	drbd_info(conn->res, "%s: Peer authenticated using %u bytes HMAC", conn->conf.name,
		  digest_len);
	return 0;
}

static int authenticate(struct drbd_connection *conn)
{
	u8 challenge[WIRE_CHALLENGE];
	struct greet_packet p;
	int r;

	if (!conn->conf.cram_hmac_alg[0])
		return 0;
	conn->wire.phase = PHASE_AUTH;
	get_random_bytes(challenge, sizeof(challenge));
	r = send_packet(conn, P_AUTH_CHALLENGE, challenge, sizeof(challenge));
	if (!r)
		r = recv_packet(conn, P_AUTH_CHALLENGE, &p);
	if (!r && drbd_wire_check_challenge(&conn->wire, &p.hdr, p.body, challenge))
		r = STANDALONE;
	if (!r)
		r = respond(conn, &p);
	if (!r)
		r = recv_packet(conn, P_AUTH_RESPONSE, &p);
	if (!r)
		r = check_response(conn, challenge, &p);
	if (r)
		drbd_err(conn->res, "%s: Authentication of peer failed%s: is shared-secret the same on both nodes?",
			 conn->conf.name, r == RETRY ? ", trying again" : "");
	return r;
}

static int protocol(struct drbd_connection *conn)
{
	const struct nl_net_conf *c = &conn->conf;
	struct wire_protocol own = {
		.protocol = c->wire_protocol, .after_sb_0p = c->after_sb_0p,
		.after_sb_1p = c->after_sb_1p, .after_sb_2p = c->after_sb_2p,
		.discard_my_data = READ_ONCE(conn->core.discard_my_data),
		.two_primaries = c->two_primaries,
	}, peer;
	struct greet_packet p;
	const char *differs;
	u8 body[WIRE_CONTROL_MAX];
	int r;

	strscpy(own.integrity_alg, c->integrity_alg, sizeof(own.integrity_alg));
	conn->wire.phase = PHASE_PROTOCOL;
	r = send_packet(conn, P_PROTOCOL, body, drbd_wire_put_protocol(&conn->wire, body, &own));
	if (!r)
		r = recv_packet(conn, P_PROTOCOL, &p);
	if (r)
		return r;
	if (drbd_wire_get_protocol(&conn->wire, &p.hdr, p.body, &peer))
		return refused(conn, "Protocol", &p, "malformed");
	differs = drbd_connect_protocol_mismatch(&own, &peer);
	if (!differs)
		return 0;
	drbd_err(conn->res, "%s: incompatible %s settings: make them equal on both nodes, then 'drbdadm adjust' and 'drbdadm connect'",
		 conn->conf.name, differs);
	return STANDALONE;
}

static int digests(struct drbd_connection *conn)
{
	const struct nl_net_conf *c = &conn->conf;

	if (drbd_digest_set(conn, DIGEST_IN, c->integrity_alg) ||
	    drbd_digest_set(conn, DIGEST_OUT, c->integrity_alg) ||
	    drbd_digest_set(conn, DIGEST_CSUMS, c->csums_alg) ||
	    drbd_digest_set(conn, DIGEST_VERIFY, c->verify_alg))
		return STANDALONE;
	return 0;
}

int drbd_greet(struct drbd_connection *conn)
{
	int r;

	memset(&conn->wire, 0, sizeof(conn->wire));
	conn->wire.phase = PHASE_FEATURES;
	r = features(conn);
	if (!r)
		r = authenticate(conn);
	if (!r)
		r = protocol(conn);
	if (!r)
		r = digests(conn);
	conn->wire.phase = PHASE_CONNECTED;
	return r;
}
