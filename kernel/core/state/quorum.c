// SPDX-License-Identifier: GPL-2.0
#include "quorum.h"

/* What all nodes are counted as (behaviour.md 17.1). */
struct votes {
	u32 up_to_date, present;		/* visible, with a disk */
	u32 outdated, quorumless, unknown;	/* not visible */
	u32 diskless, missing_diskless;
	u32 quorate;
};

static void count_other(const struct core_quorum_input *in, u32 id, struct votes *v)
{
	const struct core_quorum_node *n = &in->node[id];

	if (n->connected && n->pdsk == DISK_UP_TO_DATE)
		v->up_to_date++;
	else if (n->connected)
		v->present++;
	else if (n->pdsk <= DISK_OUTDATED || n->outdated)
		v->outdated++;
	else if (in->had_quorum && !(in->members >> id & 1))
		v->quorumless++;
	else
		v->unknown++;
}

static void count_diskless(const struct core_quorum_node *n, struct votes *v)
{
	if (!n->connected)
		v->missing_diskless++;
	else if (n->pdsk == DISK_DISKLESS)
		v->diskless++;
}

static void count_me(const struct core_quorum_input *in, struct votes *v)
{
	if (in->disk == DISK_UP_TO_DATE)
		v->up_to_date++;
	else if (in->disk > DISK_ATTACHING)
		v->present++;
	else if (in->diskless_on_purpose)
		v->diskless++;
	else
		v->unknown++;
}

static void count(const struct core_quorum_input *in, struct votes *v)
{
	bool no_disk = in->disk <= DISK_ATTACHING;
	u32 i;

	memset(v, 0, sizeof(*v));
	count_me(in, v);
	for (i = 0; i < WIRE_NODES; i++) {
		const struct core_quorum_node *n = &in->node[i];

		if (i == in->me || !n->counts || (n->configured && !n->remote_read))
			continue;
		if (no_disk && n->connected && n->quorate && n->pdsk == DISK_UP_TO_DATE)
			v->quorate++;
		if (n->diskless_on_purpose ||
		    (no_disk && n->connected && n->pdsk == DISK_DISKLESS)) {
			if (!n->configured || n->tiebreaker)
				count_diskless(n, v);
		} else {
			count_other(in, i, v);
		}
	}
}

static u32 needed(s32 setting, u32 voters)
{
	switch (setting) {
	case QUORUM_OFF:
		return 0;
	case QUORUM_MAJORITY:
		return voters / 2 + 1;
	case QUORUM_ALL:
		return max(voters, 1u);	/* nobody at all is not enough */
	default:
		return (u32)setting;
	}
}

/* One vote is missing, and most of the diskless nodes are on this side: it may keep
 * what it has. It never gets it so: the other half might, a moment later. */
static bool tiebreaker_keeps(const struct core_quorum_input *in, const struct votes *v,
			     u32 visible, u32 voters)
{
	return in->had_quorum && voters && voters % 2 == 0 &&
	       visible + 1 == needed(in->quorum, voters) &&
	       v->diskless > v->missing_diskless;
}

struct core_quorum_result core_quorum(const struct core_quorum_input *in)
{
	struct core_quorum_result r = { 0 };
	u32 visible, absent, unknown, voters;
	struct votes v;

	count(in, &v);
	visible = v.up_to_date + v.present;
	absent = v.outdated + v.quorumless + v.unknown;
	unknown = v.unknown;
	/* Those that I have seen without quorum may have found each other since. */
	if (absent >= needed(in->quorum, absent + visible))
		unknown += v.quorumless;
	/* Who cannot promote has no vote. */
	voters = unknown ? absent + visible : visible;

	r.visible = (u8)visible;
	r.voters = (u8)voters;
	r.needed = (u8)needed(in->quorum, voters);
	r.up_to_date = (u8)v.up_to_date;
	r.needed_redundancy = (u8)needed(in->min_redundancy, voters);
	r.have = v.quorate || (visible >= r.needed && v.up_to_date >= r.needed_redundancy);
	if (!r.have && tiebreaker_keeps(in, &v, visible, voters))
		r.have = r.by_tiebreaker = true;
	r.forget_outdated = in->had_quorum && !r.have;
	r.enforced = r.have || in->quorum == QUORUM_OFF;
	return r;
}

void core_quorum_reason(const struct core_quorum_input *in,
			const struct core_quorum_result *r, char *text)
{
	if (in->disk <= DISK_ATTACHING)
		snprintf(text, CORE_TEXT_MAX, "no UpToDate peer with quorum");
	else if (r->visible < r->needed)
		snprintf(text, CORE_TEXT_MAX, "%u of %u nodes visible, need %u for quorum",
			 r->visible, r->voters, r->needed);
	else
		snprintf(text, CORE_TEXT_MAX,
			 "%u of %u nodes up_to_date, need %u for quorum-minimum-redundancy",
			 r->up_to_date, r->voters, r->needed_redundancy);
}

bool core_quorum_restored(const struct md_superblock *md, u8 me)
{
	return (md->flags & MDF_HAVE_QUORUM) && (md->flags & MDF_WAS_UP_TO_DATE) &&
	       md->members == 1ULL << me;
}

enum core_no_quorum core_quorum_action(const struct core_quorum_result *r, u8 role,
				       u32 on_no_quorum)
{
	if (r->enforced || role != ROLE_PRIMARY)
		return WITHOUT_QUORUM_GO_ON;
	return on_no_quorum == ON_NO_QUORUM_IO_ERROR ? WITHOUT_QUORUM_IO_ERROR : WITHOUT_QUORUM_SUSPEND;
}

static u64 node_mask(s8 node)
{
	return node < 0 ? 0 : 1ULL << node;
}

u64 core_members_after(u64 members, bool quorate, bool reachable_valid, u64 reachable,
		       s8 initiator, s8 target)
{
	/* 9.3.3 has been seen to call an empty mask valid; nobody reaches nobody */
	if (quorate && reachable_valid && reachable)
		members = reachable;
	if (initiator >= 0 && target >= 0)
		members |= node_mask(initiator) | node_mask(target);
	return members;
}

u64 core_outdated_after(u64 outdated, u64 reachable, s8 initiator, s8 target)
{
	if (initiator < 0 || target < 0)
		return outdated;
	return outdated & ~(reachable | node_mask(initiator) | node_mask(target));
}

u64 core_weak_nodes(u8 role, bool has_data, u64 direct)
{
	return role == ROLE_PRIMARY && has_data ? ~direct : 0;
}

bool core_is_weak(u64 primary_nodes, bool primary_incapable, u64 direct, u8 me)
{
	return !primary_incapable && (primary_nodes & ~(direct | 1ULL << me));
}
