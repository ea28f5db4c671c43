// SPDX-License-Identifier: GPL-2.0-only
/*
 * wire/connect.c - decisions on the way to an agreed protocol version.
 */
#include "connect.h"

static const struct wire_link first_link = { .phase = PHASE_FIRST };

void drbd_connect_first_put(void *buf, enum packet_stream stream)
{
	drbd_packet_encode(&first_link, buf,
			   stream == STREAM_DATA ? P_INITIAL_DATA : P_INITIAL_META,
			   0, 0);
}

enum packet_stream drbd_connect_first_get(const void *buf)
{
	struct packet_header h;
	u32 need;

	if (!drbd_packet_decode(&first_link, STREAM_DATA, buf, FIRST_PACKET_LEN, &h, &need))
		return STREAM_DATA;
	if (!drbd_packet_decode(&first_link, STREAM_META, buf, FIRST_PACKET_LEN, &h, &need))
		return STREAM_META;
	return 0;
}

enum packet_stream drbd_connect_opened(struct connect_state *s, bool own_is_greater)
{
	bool data;

	if (!s->have_data && !s->have_meta)
		data = own_is_greater;
	else
		data = !s->have_data;

	if (data) {
		s->have_data = true;
		return STREAM_DATA;
	}
	s->have_meta = true;
	s->resolve_conflicts = false;
	return STREAM_META;
}

enum connect_step drbd_connect_accepted(struct connect_state *s,
					enum packet_stream stream, bool coin)
{
	bool crossed;

	if (stream != STREAM_DATA && stream != STREAM_META)
		return CONNECT_REFUSE;
	if (stream == STREAM_DATA) {
		crossed = s->have_data;
		s->have_data = true;
	} else {
		crossed = s->have_meta;
		s->have_meta = true;
		s->resolve_conflicts = true;
	}
	if (!crossed)
		return CONNECT_KEEP;
	return coin ? CONNECT_REPLACE_ACCEPT : CONNECT_REPLACE_ROUND;
}

void drbd_connect_dropped(struct connect_state *s, enum packet_stream stream)
{
	if (stream == STREAM_DATA)
		s->have_data = false;
	if (stream == STREAM_META) {
		s->have_meta = false;
		s->resolve_conflicts = false;
	}
}

u32 drbd_connect_wait_ms(u32 connect_int_s, u32 random)
{
	u32 ms = connect_int_s * 1000;

	return random & 1 ? ms + ms / 7 : ms - ms / 7;
}

void drbd_connect_offer(const struct features_offer *own, struct wire_features *out)
{
	memset(out, 0, sizeof(*out));
	out->version_min = own->version_min;
	out->version_max = own->version_max;
	out->features = own->features;
	/* 8.4 has reserved bytes where newer nodes put the node ids. */
	if (own->version_max >= PRO_VERSION_MIN_9) {
		out->node_id = own->node_id;
		out->peer_node_id = own->peer_node_id;
	}
}

static enum features_problem find_problem(const struct features_offer *own,
					  const struct wire_features *peer,
					  u32 version, u32 features)
{
	if (own->version_max < peer->version_min || own->version_min > peer->version_max)
		return FEATURES_DISJOINT;
	if (peer->version_max > PRO_VERSION_MAX_84 && peer->version_max < PRO_VERSION_MIN_9)
		return FEATURES_GAP;
	/* A range that spans the gap can meet in it when ours ends below it. */
	if (version > PRO_VERSION_MAX_84 && version < PRO_VERSION_MIN_9)
		return FEATURES_GAP;
	if (version == 121 && features & FEATURE_RESYNC_DAGTAG)
		return FEATURES_BROKEN_DAGTAG;
	if (version < 110 && own->nr_connections > 1)
		return FEATURES_MANY_CONNECTIONS;
	if (version >= 110 && peer->node_id != own->peer_node_id)
		return FEATURES_NODE_ID;
	if (version >= 110 && peer->peer_node_id != own->node_id)
		return FEATURES_PEER_NODE_ID;
	return FEATURES_FINE;
}

static const enum features_verdict verdicts[] = {
	[FEATURES_FINE] = FEATURES_OK,
	[FEATURES_DISJOINT] = FEATURES_STANDALONE,
	[FEATURES_GAP] = FEATURES_STANDALONE,
	[FEATURES_BROKEN_DAGTAG] = FEATURES_STANDALONE,
	[FEATURES_MANY_CONNECTIONS] = FEATURES_STANDALONE,
	/* A peer that is being reconfigured may be right the next time. */
	[FEATURES_NODE_ID] = FEATURES_RETRY,
	[FEATURES_PEER_NODE_ID] = FEATURES_RETRY,
};

void drbd_connect_agree(const struct features_offer *own,
			const struct wire_features *peer,
			struct features_result *out)
{
	u32 version = min(own->version_max, peer->version_max);

	out->version = (u16)version;
	out->features = own->features & peer->features;
	out->problem = find_problem(own, peer, version, out->features);
	out->verdict = verdicts[out->problem];
}

/* What the peer calls local is remote here. */
static u8 turn_around(u8 policy)
{
	if (policy == SB_DISCARD_LOCAL)
		return SB_DISCARD_REMOTE;
	if (policy == SB_DISCARD_REMOTE)
		return SB_DISCARD_LOCAL;
	return policy;
}

const char *drbd_connect_protocol_mismatch(const struct wire_protocol *own,
					   const struct wire_protocol *peer)
{
	if (own->protocol != peer->protocol)
		return "protocol";
	if (own->after_sb_0p != turn_around(peer->after_sb_0p))
		return "after-sb-0pri";
	if (own->after_sb_1p != turn_around(peer->after_sb_1p))
		return "after-sb-1pri";
	if (own->after_sb_2p != turn_around(peer->after_sb_2p))
		return "after-sb-2pri";
	if (own->discard_my_data && peer->discard_my_data)
		return "discard-my-data";
	if (own->two_primaries != peer->two_primaries)
		return "allow-two-primaries";
	if (strcmp(own->integrity_alg, peer->integrity_alg))
		return "data-integrity-alg";
	return NULL;
}
