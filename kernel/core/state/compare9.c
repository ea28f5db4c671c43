// SPDX-License-Identifier: GPL-2.0
#include "compare9.h"

/* Bit 0 tells "was Primary" and takes no part in any comparison. */
static u64 gen(u64 uuid)
{
	return uuid & ~1ULL;
}

static bool fresh(u64 uuid)
{
	return gen(uuid) == 0 || gen(uuid) == UUID_JUST_CREATED;
}

bool core_slot_tracks(u64 uuid)
{
	return gen(uuid) != 0 && gen(uuid) != gen(~0ULL);
}

u64 core_slot_of(const struct core_side9 *side, u8 node)
{
	return gen(side->uuids->bitmap[node]);
}

s8 core_slot_with(const struct core_side9 *side, u64 uuid, u8 but)
{
	u32 i;

	for (i = 0; i < WIRE_NODES; i++)
		if (i != but && core_slot_tracks(uuid) && gen(side->uuids->bitmap[i]) == gen(uuid))
			return (s8)i;
	return WIRE_NO_NODE;
}

struct ctx9 {
	const struct core_side9 *s, *p;
	struct core_compare9_result *r;
	u32 version;
	u8 protocol;
	bool resolve_conflicts;
	u64 self, peer;		/* currents */
};

static bool decide(struct ctx9 *c, u8 rule, u8 strategy)
{
	c->r->rule = rule;
	c->r->strategy = strategy;
	return true;
}

static bool decide_slot(struct ctx9 *c, u8 rule, u8 strategy, s8 slot)
{
	c->r->slot = slot;
	return decide(c, rule, strategy);
}

static bool both(const struct ctx9 *c, u64 flag)
{
	return c->s->uuids->flags & c->p->uuids->flags & flag;
}

static bool mine(const struct ctx9 *c, u64 flag)
{
	return c->s->uuids->flags & flag;
}

static bool theirs(const struct ctx9 *c, u64 flag)
{
	return c->p->uuids->flags & flag;
}

static bool row_just_created(struct ctx9 *c)
{
	bool s4 = fresh(c->self), p4 = fresh(c->peer);

	if (s4 && p4)
		return decide(c, RULE_JUST_CREATED_BOTH, STRATEGY_NO_SYNC);
	if (s4)
		return decide(c, RULE_JUST_CREATED_SELF, STRATEGY_TARGET_SET_BITMAP);
	if (p4)
		return decide(c, RULE_JUST_CREATED_PEER, STRATEGY_SOURCE_SET_BITMAP);
	return false;
}

/* Does the slot still track an older generation, while the other side's says "in sync"? */
static bool left_behind(u64 slot, u64 others, u64 current_uuid)
{
	return core_slot_tracks(slot) && slot != current_uuid && others == 0;
}

/* Currents equal: one side has not seen the end of a resync. */
static bool row_missed_finish(struct ctx9 *c)
{
	u64 sb = core_slot_of(c->s, c->p->node_id), pb = core_slot_of(c->p, c->s->node_id);

	if (c->self != c->peer)
		return false;
	if (left_behind(sb, pb, c->self))
		return decide(c, RULE_MISSED_FINISH_SELF, STRATEGY_SOURCE_USE_BITMAP);
	if (left_behind(pb, sb, c->self))
		return decide(c, RULE_MISSED_FINISH_PEER, STRATEGY_TARGET_USE_BITMAP);
	return false;
}

static bool row_reconnected(struct ctx9 *c)
{
	if (c->self != c->peer || c->version < 120 || !both(c, UUID9_RECONNECT))
		return false;
	return decide(c, RULE_RECONNECTED, STRATEGY_NO_SYNC);
}

/* With A or B the Primary may have written more than it has sent. */
static bool row_crashed_primary(struct ctx9 *c)
{
	bool sc = mine(c, UUID_CRASHED_PRIMARY), pc = theirs(c, UUID_CRASHED_PRIMARY);

	if (c->self != c->peer || c->version < 121 || c->protocol == 3 || sc == pc)
		return false;
	return decide(c, RULE_CRASHED_PRIMARY,
		      sc ? STRATEGY_SOURCE_USE_BITMAP : STRATEGY_TARGET_USE_BITMAP);
}

static bool row_lost_quorum(struct ctx9 *c)
{
	bool sl = mine(c, UUID9_LOST_QUORUM), pl = theirs(c, UUID9_LOST_QUORUM);
	bool source = sl && (!pl || c->resolve_conflicts);

	if (c->self != c->peer || (!sl && !pl))
		return false;
	return decide(c, RULE_LOST_QUORUM,
		      source ? STRATEGY_SOURCE_IF_BOTH_FAILED : STRATEGY_TARGET_IF_BOTH_FAILED);
}

/* One was there all the time: what a crashed Primary had beyond that nobody has seen. */
static bool row_one_stayed(struct ctx9 *c)
{
	bool sc = mine(c, UUID_CRASHED_PRIMARY), pc = theirs(c, UUID_CRASHED_PRIMARY);
	bool sr = mine(c, UUID9_RECONNECT), pr = theirs(c, UUID9_RECONNECT);

	if (c->self != c->peer || (!sr && !pr))
		return false;
	if (sr && pr)
		return decide(c, RULE_RECONNECTED, STRATEGY_NO_SYNC);
	if (pc && sr)
		return decide(c, RULE_RECONNECTED, STRATEGY_SOURCE_IF_BOTH_FAILED);
	if (sc && pr)
		return decide(c, RULE_RECONNECTED, STRATEGY_TARGET_IF_BOTH_FAILED);
	return decide(c, RULE_RECONNECTED, STRATEGY_NO_SYNC);
}

static bool row_both_off(struct ctx9 *c)
{
	bool sc = mine(c, UUID_CRASHED_PRIMARY), pc = theirs(c, UUID_CRASHED_PRIMARY);
	u8 strategy = STRATEGY_NO_SYNC;

	if (c->self != c->peer)
		return false;
	if (sc && !(pc && c->resolve_conflicts))
		strategy = STRATEGY_SOURCE_IF_BOTH_FAILED;
	else if (sc || pc)
		strategy = STRATEGY_TARGET_IF_BOTH_FAILED;
	return decide(c, RULE_BOTH_OFF, strategy);
}

static bool row_peer_tracks(struct ctx9 *c)
{
	s8 slot;

	if (core_slot_tracks(c->self) && core_slot_of(c->p, c->s->node_id) == c->self)
		return decide(c, RULE_BITMAP_PEER, STRATEGY_TARGET_USE_BITMAP);
	slot = core_slot_with(c->p, c->self, c->s->node_id);
	if (slot == WIRE_NO_NODE)
		return false;
	return decide_slot(c, RULE_BITMAP_PEER_OTHER, STRATEGY_TARGET_CLEAR_BITMAP, slot);
}

static bool row_self_tracks(struct ctx9 *c)
{
	s8 slot;

	if (core_slot_tracks(c->peer) && core_slot_of(c->s, c->p->node_id) == c->peer)
		return decide(c, RULE_BITMAP_SELF, STRATEGY_SOURCE_USE_BITMAP);
	slot = core_slot_with(c->s, c->peer, c->p->node_id);
	if (slot == WIRE_NO_NODE)
		return false;
	return decide_slot(c, RULE_BITMAP_SELF_OTHER, STRATEGY_SOURCE_COPY_OTHER, slot);
}

static bool in_history(const struct core_side9 *side, u64 uuid)
{
	u32 i;

	for (i = 0; i < WIRE_HISTORY_9; i++)
		if (gen(side->uuids->history[i]) == uuid)
			return true;
	return false;
}

static bool row_history(struct ctx9 *c)
{
	bool at_peer = in_history(c->p, c->self), at_self = in_history(c->s, c->peer);

	if (at_peer == at_self)
		return false;
	if (at_peer)
		return decide(c, RULE_HISTORY_PEER, STRATEGY_TARGET_SET_BITMAP);
	return decide(c, RULE_HISTORY_SELF, STRATEGY_SOURCE_SET_BITMAP);
}

/* Both went on from a common past. What is 0 or unknown is no past. */
static bool row_split(struct ctx9 *c)
{
	u64 sb = core_slot_of(c->s, c->p->node_id), pb = core_slot_of(c->p, c->s->node_id);
	u32 i;

	if (sb == pb && core_slot_tracks(sb))
		return decide(c, RULE_BITMAP_BOTH, STRATEGY_SPLIT_BRAIN_RECOVER);
	for (i = 0; i < WIRE_HISTORY_9; i++) {
		u64 old = gen(c->s->uuids->history[i]);

		if (core_slot_tracks(old) && in_history(c->p, old))
			return decide(c, RULE_HISTORY_BOTH, STRATEGY_SPLIT_BRAIN);
	}
	return false;
}

struct core_compare9_result compare9(const struct core_side9 *self, const struct core_side9 *peer,
				     u32 version, u8 protocol, bool resolve_conflicts)
{
	static bool (*const rows[])(struct ctx9 *) = {
		row_just_created,
		/* currents equal */
		row_missed_finish, row_reconnected, row_crashed_primary, row_lost_quorum,
		row_one_stayed, row_both_off,
		/* currents differ */
		row_peer_tracks, row_self_tracks, row_history, row_split,
	};
	struct core_compare9_result r = {
		.strategy = STRATEGY_UNRELATED, .rule = RULE_UNRELATED, .slot = WIRE_NO_NODE,
	};
	struct ctx9 c = {
		.s = self, .p = peer, .r = &r, .version = version, .protocol = protocol,
		.resolve_conflicts = resolve_conflicts,
		.self = gen(self->uuids->current_uuid), .peer = gen(peer->uuids->current_uuid),
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i](&c))
			break;
	return r;
}

static const char *const strategy_names[STRATEGIES] = {
	[STRATEGY_NO_SYNC] = "no-sync",
	[STRATEGY_SOURCE_USE_BITMAP] = "source-use-bitmap",
	[STRATEGY_TARGET_USE_BITMAP] = "target-use-bitmap",
	[STRATEGY_SOURCE_COPY_OTHER] = "source-copy-other-bitmap",
	[STRATEGY_TARGET_CLEAR_BITMAP] = "target-clear-bitmap",
	[STRATEGY_SOURCE_SET_BITMAP] = "source-set-bitmap",
	[STRATEGY_TARGET_SET_BITMAP] = "target-set-bitmap",
	[STRATEGY_SOURCE_IF_BOTH_FAILED] = "source-if-both-failed",
	[STRATEGY_TARGET_IF_BOTH_FAILED] = "target-if-both-failed",
	[STRATEGY_SPLIT_BRAIN_RECOVER] = "split-brain-auto-recover",
	[STRATEGY_SPLIT_BRAIN] = "split-brain-disconnect",
	[STRATEGY_UNRELATED] = "unrelated-data",
};

static const char *const rule_names[RULES9] = {
	[RULE_UNRELATED] = "no-match",
	[RULE_JUST_CREATED_BOTH] = "just-created-both",
	[RULE_JUST_CREATED_SELF] = "just-created-self",
	[RULE_JUST_CREATED_PEER] = "just-created-peer",
	[RULE_MISSED_FINISH_SELF] = "sync-source-missed-finish",
	[RULE_MISSED_FINISH_PEER] = "sync-target-peer-missed-finish",
	[RULE_RECONNECTED] = "reconnected",
	[RULE_CRASHED_PRIMARY] = "crashed-primary",
	[RULE_LOST_QUORUM] = "lost-quorum",
	[RULE_BOTH_OFF] = "both-off",
	[RULE_BITMAP_PEER] = "bitmap-peer",
	[RULE_BITMAP_PEER_OTHER] = "bitmap-peer-other",
	[RULE_BITMAP_SELF] = "bitmap-self",
	[RULE_BITMAP_SELF_OTHER] = "bitmap-self-other",
	[RULE_HISTORY_PEER] = "history-peer",
	[RULE_HISTORY_SELF] = "history-self",
	[RULE_BITMAP_BOTH] = "bitmap-both",
	[RULE_HISTORY_BOTH] = "history-both",
};

const char *core_strategy_name(u8 strategy)
{
	return strategy < STRATEGIES ? strategy_names[strategy] : "?";
}

const char *core_rule9_name(u8 rule)
{
	return rule < RULES9 ? rule_names[rule] : "?";
}
