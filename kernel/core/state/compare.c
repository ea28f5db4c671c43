// SPDX-License-Identifier: GPL-2.0
#include "compare.h"

/* Bit 0 tells "was Primary" and takes no part in any comparison. */
static u64 gen(u64 uuid)
{
	return uuid & ~1ULL;
}

static bool fresh(u64 uuid)
{
	return gen(uuid) == 0 || gen(uuid) == UUID_JUST_CREATED;
}

struct ctx {
	const struct core_compare_side *s, *p;
	struct wire_uuids *fs, *fp;	/* sets that a row may repair */
	struct core_compare_result *r;
	u32 version;
	bool resolve_conflicts, peer_wsame;
	u64 self, peer;			/* currents */
};

#define SELF(c)		(&(c)->s->uuids)
#define PEER(c)		(&(c)->p->uuids)

static bool in_history(u64 uuid, const struct wire_uuids *set)
{
	return uuid == gen(set->history[0]) || uuid == gen(set->history[1]);
}

/* Take the row (rule) and its decision; newer protocols only if asked. */
static bool decide(struct ctx *c, u16 rule, s16 decision, u32 need)
{
	c->r->rule = rule;
	c->r->decision = c->version >= need ? decision : DECIDE_NEED_PROTOCOL;
	return true;
}

static bool row_fresh(struct ctx *c)
{
	bool s4 = fresh(c->self), p4 = fresh(c->peer);

	if (s4 && p4)
		return decide(c, 10, DECIDE_NO_SYNC, 0);
	if (s4)
		return decide(c, 20, DECIDE_TARGET_FULL, 0);
	if (p4)
		return decide(c, 30, DECIDE_SOURCE_FULL, 0);
	return false;
}

/* Currents equal, one side missed the end of a resync (34..37). */
static bool row_missed_finish(struct ctx *c)
{
	u64 sb = gen(SELF(c)->bitmap_uuid), pb = gen(PEER(c)->bitmap_uuid);

	if (c->self != c->peer)
		return false;
	if (pb == 0 && sb != 0) {
		if (sb == gen(PEER(c)->history[0]) &&
		    gen(SELF(c)->history[0]) == gen(PEER(c)->history[1])) {
			if (c->version >= 91) {
				c->r->fix_self = true;
				c->fs->history[1] = c->fs->history[0];
				c->fs->history[0] = c->fs->bitmap_uuid;
				c->fs->bitmap_uuid = 0;
			}
			return decide(c, 34, DECIDE_SOURCE_BITMAP, 91);
		}
		return decide(c, 36, DECIDE_SOURCE_BITMAP, 91);
	}
	if (sb == 0 && pb != 0) {
		if (gen(SELF(c)->history[0]) == pb &&
		    gen(SELF(c)->history[1]) == gen(PEER(c)->history[0])) {
			if (c->version >= 91) {
				c->r->fix_peer = true;
				c->fp->history[1] = c->fp->history[0];
				c->fp->history[0] = c->fp->bitmap_uuid;
				c->fp->bitmap_uuid = 0;
			}
			return decide(c, 35, DECIDE_TARGET_BITMAP, 91);
		}
		return decide(c, 37, DECIDE_TARGET_BITMAP, 91);
	}
	return false;
}

/* Currents equal: did somebody crash while it was Primary (40, 41)? */
static bool row_equal(struct ctx *c)
{
	bool sp = c->s->role == ROLE_PRIMARY, pp = c->p->role == ROLE_PRIMARY;
	bool sc = c->s->crashed_primary, pc = c->p->crashed_primary;

	if (c->self != c->peer)
		return false;
	if (!sc && !pc)
		return decide(c, 40, DECIDE_NO_SYNC, 0);
	if (sp || pp) {
		c->r->rule = 41;
		if (!c->peer_wsame)
			c->r->decision = DECIDE_NEED_WSAME;
		else if (sp && pp)
			c->r->decision = DECIDE_SPLIT_BRAIN;
		else
			c->r->decision = sp ? DECIDE_SOURCE_BITMAP : DECIDE_TARGET_BITMAP;
		return true;
	}
	if (sc && pc)
		return decide(c, 40, c->resolve_conflicts ? DECIDE_TARGET_BITMAP
							  : DECIDE_SOURCE_BITMAP, 0);
	return decide(c, 40, sc ? DECIDE_SOURCE_BITMAP : DECIDE_TARGET_BITMAP, 0);
}

/* The peer is ahead of me (50, 51, 60). */
static bool row_peer_newer(struct ctx *c)
{
	const struct wire_uuids *s = SELF(c), *p = PEER(c);

	if (c->self == gen(p->bitmap_uuid))
		return decide(c, 50, DECIDE_TARGET_BITMAP, 0);
	if (c->self == gen(p->history[0]) &&
	    (c->version >= 96
	     ? gen(p->history[0]) + UUID_NEW_BITMAP_OFFSET == gen(p->bitmap_uuid)
	     : gen(s->history[0]) == gen(p->history[1]))) {
		/* the SyncUUID was lost: the peer's set as it was before it */
		if (c->version >= 91) {
			c->r->fix_peer = true;
			c->fp->bitmap_uuid = c->fp->history[0];
			c->fp->history[0] = c->fp->history[1];
			c->fp->history[1] = 0;
		}
		return decide(c, 51, DECIDE_TARGET_BITMAP, 91);
	}
	if (in_history(c->self, p))
		return decide(c, 60, DECIDE_TARGET_FULL, 0);
	return false;
}

/* I am ahead of the peer (70, 71, 80). */
static bool row_self_newer(struct ctx *c)
{
	const struct wire_uuids *s = SELF(c), *p = PEER(c);

	if (gen(s->bitmap_uuid) == c->peer)
		return decide(c, 70, DECIDE_SOURCE_BITMAP, 0);
	if (gen(s->history[0]) == c->peer &&
	    (c->version >= 96
	     ? gen(s->history[0]) + UUID_NEW_BITMAP_OFFSET == gen(s->bitmap_uuid)
	     : gen(s->history[1]) == gen(p->history[0]))) {
		if (c->version >= 91) {
			c->r->fix_self = true;
			c->fs->bitmap_uuid = c->fs->history[0];
			c->fs->history[0] = c->fs->history[1];
			c->fs->history[1] = 0;
		}
		return decide(c, 71, DECIDE_SOURCE_BITMAP, 91);
	}
	if (in_history(c->peer, s))
		return decide(c, 80, DECIDE_SOURCE_FULL, 0);
	return false;
}

/*
 * Both went on from a common past (90, 100). A zero history slot is no common
 * past: the reference compares those too and so calls unrelated data a split
 * brain; either way the connection is refused.
 */
static bool row_split(struct ctx *c)
{
	const struct wire_uuids *s = SELF(c), *p = PEER(c);
	u32 i;

	if (gen(s->bitmap_uuid) && gen(s->bitmap_uuid) == gen(p->bitmap_uuid))
		return decide(c, 90, DECIDE_SPLIT_BRAIN_BITMAP, 0);
	for (i = 0; i < ARRAY_SIZE(s->history); i++)
		if (gen(s->history[i]) && in_history(gen(s->history[i]), p))
			return decide(c, 100, DECIDE_SPLIT_BRAIN, 0);
	return false;
}

struct core_compare_result compare84(const struct core_compare_side *self,
				     const struct core_compare_side *peer,
				     u32 version, bool resolve_conflicts, bool peer_wsame)
{
	static bool (*const rows[])(struct ctx *) = {
		row_fresh, row_missed_finish, row_equal,
		row_peer_newer, row_self_newer, row_split,
	};
	struct core_compare_result r = {
		.decision = DECIDE_UNRELATED, .self = self->uuids, .peer = peer->uuids,
	};
	struct ctx c = {
		.s = self, .p = peer, .fs = &r.self, .fp = &r.peer, .r = &r,
		.version = version, .resolve_conflicts = resolve_conflicts,
		.peer_wsame = peer_wsame,
		.self = gen(self->uuids.current_uuid), .peer = gen(peer->uuids.current_uuid),
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i](&c))
			break;
	return r;
}
