// SPDX-License-Identifier: GPL-2.0-only
/* Quorum (behaviour.md 17.1, 17.4): rules row by row, and clusters of up to five
 * nodes that fall apart and meet again in all ways: never two sides with quorum. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include "harness.h"
#include "../../kernel/core/state/quorum.h"

#define UTD DISK_UP_TO_DATE
#define OUTD DISK_OUTDATED
#define UNKNOWN DISK_UNKNOWN
#define MAJ QUORUM_MAJORITY

/*
 * A node in a letter, as node 0 (a disk of its own) or a diskless node 0 sees it:
 *   U  connected, UpToDate          P  connected, Outdated
 *   D  connected, diskless on purpose    d  the same, not connected
 *   o  gone, known to be Outdated   m  gone, metadata say Outdated
 *   u  gone, a member               q  gone, no member
 *   Q  connected, UpToDate, says that it has quorum
 *   X  connected, Diskless by accident
 *   r  connected, UpToDate, allow-remote-read no
 *   t  connected, diskless on purpose, peer-tiebreaker no
 *   .  no such node
 */
static void see(struct core_quorum_input *in, const char *others)
{
	u32 i;

	for (i = 1; *others; others++, i++) {
		struct core_quorum_node *n = &in->node[i];

		*n = (struct core_quorum_node){
			.counts = *others != '.', .configured = true, .remote_read = *others != 'r',
			.connected = !!strchr("UPDQXrt", *others), .diskless_on_purpose = !!strchr("Ddt", *others),
			.tiebreaker = *others != 't', .outdated = *others == 'm', .quorate = *others == 'Q',
			.pdsk = strchr("UQr", *others) ? UTD : strchr("Po", *others) ? OUTD :
				strchr("DXt", *others) ? DISK_DISKLESS : UNKNOWN,
		};
		if (*others != 'q')
			in->members |= 1ull << i;
	}
	in->members |= 1;
}

static const struct {
	const char *others;
	u8 disk;
	s32 quorum, redundancy;
	bool had, have, enforced;
	u8 voters;
	bool on_purpose;	/* node 0: no disk, on purpose */
} rows[] = {
	/* off: never enforced; only redundancy can say no */
	{ "u", UTD, QUORUM_OFF, QUORUM_OFF, false, true, true, 2 },
	{ "u", UTD, QUORUM_OFF, 2, false, false, true, 2 },
	{ "", UTD, MAJ, 0, false, true, true, 1 },

	/* majority, all, a number */
	{ "UU", UTD, MAJ, 0, false, true, true, 3 },
	{ "Uu", UTD, MAJ, 0, false, true, true, 3 },
	{ "uu", UTD, MAJ, 0, true, false, false, 3 },
	{ "u", UTD, MAJ, 0, true, false, false, 2 },
	{ "Uuu", UTD, MAJ, 0, true, false, false, 4 },
	{ "UU", UTD, QUORUM_ALL, 0, false, true, true, 3 },
	{ "Uu", UTD, QUORUM_ALL, 0, true, false, false, 3 },
	{ "uu", UTD, 1, 0, true, true, true, 3 },
	{ "uu", UTD, 2, 0, true, false, false, 3 },
	{ "Po", OUTD, MAJ, 0, false, true, true, 2 },

	/* who cannot promote has no vote: the last of three that left in order */
	{ "oo", UTD, MAJ, 0, true, true, true, 1 },
	{ "om", UTD, MAJ, 0, true, true, true, 1 },
	{ "ou", UTD, MAJ, 0, true, false, false, 3 },
	{ "oq", UTD, MAJ, 0, true, false, false, 3 },	/* two are absent: they may have met */
	{ "Uq", UTD, MAJ, 0, true, true, true, 2 },
	{ "Uq", UTD, MAJ, 0, false, true, true, 3 },	/* without quorum I know nothing of them */
	{ "Uqq", UTD, MAJ, 0, true, true, true, 2 },
	{ "Uqqq", UTD, MAJ, 0, true, false, false, 5 },	/* three of five: a majority */
	{ "Uoqq", UTD, MAJ, 0, true, false, false, 5 },

	/* redundancy */
	{ "Uu", UTD, MAJ, MAJ, true, true, true, 3 },
	{ "Pu", UTD, MAJ, MAJ, true, false, false, 3 },
	{ "Pu", UTD, MAJ, 1, true, true, true, 3 },
	{ "UU", UTD, MAJ, QUORUM_ALL, true, true, true, 3 },
	{ "UP", UTD, MAJ, QUORUM_ALL, true, false, false, 3 },

	/* tie-breaker: keeps, never gives */
	{ "uD", UTD, MAJ, 0, true, true, true, 2 },
	{ "uD", UTD, MAJ, 0, false, false, false, 2 },
	{ "ud", UTD, MAJ, 0, true, false, false, 2 },
	{ "uDd", UTD, MAJ, 0, true, false, false, 2 },	/* half of the diskless is no majority */
	{ "uDDd", UTD, MAJ, 0, true, true, true, 2 },
	{ "ut", UTD, MAJ, 0, true, false, false, 2 },	/* peer-tiebreaker no */
	{ "uuD", UTD, MAJ, 0, true, false, false, 3 },	/* an odd number needs none */
	{ "UuuD", UTD, MAJ, 0, true, true, true, 4 },
	{ "uuuD", UTD, MAJ, 0, true, false, false, 4 },	/* two votes are missing */

	/* allow-remote-read no: no vote */
	{ "r", UTD, MAJ, 0, false, true, true, 1 },
	{ "ru", UTD, MAJ, 0, true, false, false, 2 },
	{ ".u", UTD, MAJ, 0, true, false, false, 2 },

	/* without a disk of my own */
	{ "UU", DISK_DISKLESS, MAJ, 0, false, true, true, 2, true },
	{ "Uu", DISK_DISKLESS, MAJ, 0, true, true, true, 2, true },	/* I am the tie-breaker */
	{ "Uu", DISK_DISKLESS, MAJ, 0, false, false, false, 2, true },
	{ "Qu", DISK_DISKLESS, MAJ, 0, false, true, true, 2, true },	/* a peer says so */
	{ "uu", DISK_DISKLESS, MAJ, 0, true, false, false, 2, true },
	{ "Uu", DISK_DISKLESS, MAJ, 0, true, false, false, 3 },		/* not on purpose: a vote is missing */
	{ "UU", DISK_DISKLESS, MAJ, 0, true, true, true, 3 },
	{ "UX", DISK_DISKLESS, MAJ, 0, false, true, true, 1, true },
	{ "UXu", DISK_DISKLESS, MAJ, 0, true, true, true, 2, true },
	{ "P", DISK_DISKLESS, MAJ, 0, false, true, true, 1, true },
	{ "", DISK_DISKLESS, MAJ, 0, true, false, false, 0, true },
	{ "o", DISK_DISKLESS, QUORUM_ALL, 0, true, false, false, 0, true },
	{ "QQ", UTD, QUORUM_ALL, 4, true, false, false, 3 },		/* with a disk it counts itself */
};

static void rules(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct core_quorum_input in = {
			.disk = rows[i].disk, .quorum = rows[i].quorum, .min_redundancy = rows[i].redundancy,
			.had_quorum = rows[i].had, .diskless_on_purpose = rows[i].on_purpose,
		};
		struct core_quorum_result r;

		see(&in, rows[i].others);
		r = core_quorum(&in);
		T_EQ(r.forget_outdated, rows[i].had && !rows[i].have);
		if (r.have != rows[i].have || r.enforced != rows[i].enforced || r.voters != rows[i].voters)
			t_fail(__FILE__, __LINE__, "row %u, \"%s\": quorum %d, enforced %d, %u voters; want %d, %d, %u",
			       i, rows[i].others, r.have, r.enforced, r.voters, rows[i].have,
			       rows[i].enforced, rows[i].voters);
	}
}

/* behaviour.md 3.5 */
static void texts(void)
{
	static const struct {
		const char *others;
		u8 disk;
		s32 redundancy;
		const char *text;
	} want[] = {
		{ "Uuuu", UTD, 0, "2 of 5 nodes visible, need 3 for quorum" },
		{ "PPuu", UTD, 2, "1 of 5 nodes up_to_date, need 2 for quorum-minimum-redundancy" },
		{ "uu", DISK_DISKLESS, 0, "no UpToDate peer with quorum" },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(want); i++) {
		struct core_quorum_input in = { .disk = want[i].disk, .quorum = MAJ,
						.min_redundancy = want[i].redundancy };
		struct core_quorum_result r;
		char text[CORE_TEXT_MAX];

		see(&in, want[i].others);
		r = core_quorum(&in);
		T_OK(!r.enforced);
		core_quorum_reason(&in, &r, text);
		if (strcmp(text, want[i].text))
			t_fail(__FILE__, __LINE__, "\"%s\"", text);
	}
}

static void consequences(void)
{
	struct core_quorum_result no = { .have = false }, yes = { .have = true, .enforced = true };
	struct md_superblock md = { .flags = MDF_HAVE_QUORUM | MDF_WAS_UP_TO_DATE, .members = 4 };

	T_EQ(core_quorum_action(&yes, ROLE_PRIMARY, ON_NO_QUORUM_IO_ERROR), WITHOUT_QUORUM_GO_ON);
	T_EQ(core_quorum_action(&no, ROLE_SECONDARY, ON_NO_QUORUM_IO_ERROR), WITHOUT_QUORUM_GO_ON);
	T_EQ(core_quorum_action(&no, ROLE_PRIMARY, ON_NO_QUORUM_IO_ERROR), WITHOUT_QUORUM_IO_ERROR);
	T_EQ(core_quorum_action(&no, ROLE_PRIMARY, ON_NO_QUORUM_SUSPEND_IO), WITHOUT_QUORUM_SUSPEND);

	T_OK(core_quorum_restored(&md, 2));
	T_OK(!core_quorum_restored(&md, 1));
	md.members = 6;
	T_OK(!core_quorum_restored(&md, 2));
	md.members = 4;
	md.flags = MDF_HAVE_QUORUM;
	T_OK(!core_quorum_restored(&md, 2));
	md.flags = MDF_WAS_UP_TO_DATE;
	T_OK(!core_quorum_restored(&md, 2));

	/* members: what was reached, if somebody has quorum; both ends of a new link */
	T_EQ(core_members_after(7, true, true, 3, WIRE_NO_NODE, WIRE_NO_NODE), 3);
	T_EQ(core_members_after(7, false, true, 3, WIRE_NO_NODE, WIRE_NO_NODE), 7);
	T_EQ(core_members_after(7, true, false, 3, WIRE_NO_NODE, WIRE_NO_NODE), 7);
	T_EQ(core_members_after(7, true, true, 0, WIRE_NO_NODE, WIRE_NO_NODE), 7);
	T_EQ(core_members_after(1, false, true, 3, 4, 0), 0x11);
	T_EQ(core_members_after(1, false, true, 3, 4, WIRE_NO_NODE), 1);
	T_EQ(core_members_after(1, true, true, 3, 4, 5), 0x33);

	/* a connection far away may make good what is known to be Outdated */
	T_EQ(core_outdated_after(0x1f, 0, 4, 0), 0xe);
	T_EQ(core_outdated_after(0x1f, 2, 4, 0), 0xc);
	T_EQ(core_outdated_after(0x1f, 2, 4, WIRE_NO_NODE), 0x1f);
	T_EQ(core_outdated_after(0x1f, 2, WIRE_NO_NODE, 4), 0x1f);

	/* weak: whoever is not linked to a Primary that has data */
	T_EQ(core_weak_nodes(ROLE_PRIMARY, true, 3), ~3ull);
	T_EQ(core_weak_nodes(ROLE_PRIMARY, false, 3), 0);
	T_EQ(core_weak_nodes(ROLE_SECONDARY, true, 3), 0);
	T_OK(core_is_weak(4, false, 3, 0));
	T_OK(!core_is_weak(4, true, 3, 0));	/* it has nothing to give */
	T_OK(!core_is_weak(2, false, 2, 0));
	T_OK(!core_is_weak(1, false, 2, 0));	/* myself */
	T_OK(!core_is_weak(0, false, 2, 0));
}

/* --- clusters that fall apart ------------------------------------------------------------ */

#define MOST 5

struct node {
	bool disk, had;
	u8 state;		/* of the disk */
	u64 members, outdated;	/* whom it knows to be Outdated */
	u32 links;
};

struct cluster {
	struct node n[MOST];
	u32 size;
	s32 quorum, redundancy;
};

static bool quorum_of(struct cluster *c, u32 me)
{
	struct core_quorum_input in = {
		.me = (u8)me, .quorum = c->quorum, .min_redundancy = c->redundancy,
		.had_quorum = c->n[me].had, .members = c->n[me].members,
		.disk = c->n[me].disk ? c->n[me].state : DISK_DISKLESS, .diskless_on_purpose = !c->n[me].disk,
	};
	struct core_quorum_result r;
	u32 i;

	for (i = 0; i < c->size; i++) {
		bool linked = c->n[me].links >> i & 1;

		in.node[i] = (struct core_quorum_node){
			.counts = true, .configured = true, .remote_read = true, .tiebreaker = true,
			.connected = linked, .diskless_on_purpose = !c->n[i].disk,
			.outdated = c->n[me].outdated >> i & 1,
			.pdsk = linked ? (c->n[i].disk ? c->n[i].state : DISK_DISKLESS) : UNKNOWN,
			.quorate = c->n[i].had,
		};
	}
	r = core_quorum(&in);
	if (r.forget_outdated)
		c->n[me].outdated = 0;
	return r.enforced;
}

/* Those with a disk first: the diskless repeat what their peers say. */
static void recount(struct cluster *c)
{
	bool now[MOST];
	u32 i, round;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < c->size; i++)
			now[i] = c->n[i].disk == !round ? quorum_of(c, i) : c->n[i].had;
		for (i = 0; i < c->size; i++)
			c->n[i].had = now[i];
	}
}

static u32 reach(const struct cluster *c, u32 from)
{
	u32 mask = 1u << from, before, i;

	do {
		before = mask;
		for (i = 0; i < c->size; i++)
			if (mask >> i & 1)
				mask |= c->n[i].links;
	} while (mask != before);
	return mask;
}

/* The empty transaction: who has quorum, or a neighbour that has, knows who is here. */
static void settle_members(struct cluster *c)
{
	u64 members[MOST];
	u32 i, k;

	for (i = 0; i < c->size; i++) {
		bool quorate = c->n[i].had;

		for (k = 0; k < c->size; k++)
			quorate |= c->n[k].had && c->n[i].links >> k & 1;
		members[i] = core_members_after(c->n[i].members, quorate, true, reach(c, i),
						WIRE_NO_NODE, WIRE_NO_NODE);
	}
	for (i = 0; i < c->size; i++)
		c->n[i].members = members[i];
}

static bool good_disk(const struct cluster *c, u32 i)
{
	return c->n[i].disk && c->n[i].state == UTD;
}

/* Somebody with good data that the node itself is linked to. */
static bool has_source(const struct cluster *c, u32 node)
{
	u32 i;

	for (i = 0; i < c->size; i++)
		if (c->n[node].links >> i & 1 && good_disk(c, i))
			return true;
	return false;
}

static void link_nodes(struct cluster *c, u32 a, u32 b, bool on)
{
	u32 i, side;

	if (on == (c->n[a].links >> b & 1))
		return;
	c->n[a].links ^= 1u << b;
	c->n[b].links ^= 1u << a;
	if (!on)
		return;
	/* a transaction that all on this side see; one good disk makes the others good */
	side = reach(c, a);
	for (i = 0; i < c->size; i++)
		if (side >> i & 1) {
			c->n[i].members = core_members_after(c->n[i].members, false, true, 0, (s8)a, (s8)b);
			c->n[i].outdated = core_outdated_after(c->n[i].outdated, side, (s8)a, (s8)b);
		}
	for (i = 0; i < c->size; i++)
		if (side >> i & 1 && c->n[i].state == OUTD && has_source(c, i))
			c->n[i].state = UTD;
}

/* Only these links stand from now on: first those that go, all at once and noticed
 * by both ends; then those that come, one by one. */
static void rewire(struct cluster *c, const u32 *links)
{
	u32 a, b;

	for (a = 0; a < c->size; a++)
		for (b = 0; b < a; b++)
			if (!(links[a] >> b & 1))
				link_nodes(c, a, b, false);
	recount(c);
	settle_members(c);
	recount(c);
	for (a = 0; a < c->size; a++)
		for (b = 0; b < a; b++)
			if (links[a] >> b & 1) {
				link_nodes(c, a, b, true);
				recount(c);
			}
	settle_members(c);
	recount(c);
}

/* A node takes its leave: it outdates itself, and all that it is linked to know. */
static void leave(struct cluster *c, u32 who)
{
	u32 i;

	if (c->n[who].disk)
		c->n[who].state = OUTD;
	for (i = 0; i < c->size; i++) {
		if (!(c->n[who].links >> i & 1))
			continue;
		if (c->n[who].disk)
			c->n[i].outdated |= 1ull << who;
		link_nodes(c, who, i, false);
	}
	recount(c);
	settle_members(c);
	recount(c);
}

static void cluster_begin(struct cluster *c, u32 size, u32 disks, s32 quorum, s32 redundancy)
{
	u32 i;

	memset(c, 0, sizeof(*c));
	c->size = size;
	c->quorum = quorum;
	c->redundancy = redundancy;
	for (i = 0; i < size; i++) {
		c->n[i].disk = disks >> i & 1;
		c->n[i].state = UTD;
		c->n[i].links = ((1u << size) - 1) & ~(1u << i);
		c->n[i].members = (1u << size) - 1;
	}
	recount(c);
}

/* Whoever is known to be Outdated has no vote, so that others may keep quorum without
 * it: two of those may make a majority. That they have no data to promote with is the
 * other half of the rule. */
static bool may_promote(const struct cluster *c, u32 a)
{
	return c->n[a].had && (good_disk(c, a) || has_source(c, a));
}

/* What has happened to the cluster, for the message. */
static char trail[1024];

static void note(const struct cluster *c, const char *event, u32 who)
{
	size_t at = strlen(trail);
	u32 i;

	if (at + 128 > sizeof(trail))
		return;
	at += (size_t)snprintf(trail + at, sizeof(trail) - at, " | %s %u:", event, who);
	for (i = 0; i < c->size; i++)
		at += (size_t)snprintf(trail + at, sizeof(trail) - at, " %s%s%x/%llx", c->n[i].had ? "q" : "",
				       !c->n[i].disk ? "d" : c->n[i].state == UTD ? "U" : "o", c->n[i].links,
				       (unsigned long long)c->n[i].members);
}

static void one_side_at_most(const struct cluster *c, const char *what)
{
	u32 a, b;

	for (a = 0; a < c->size; a++)
		for (b = 0; b < a; b++)
			if (may_promote(c, a) && may_promote(c, b) && !(reach(c, a) >> b & 1))
				t_fail(__FILE__, __LINE__, "%s: of %u nodes, both %u and %u may be promoted, which cannot reach each other:%s",
				       what, c->size, b, a, trail);
}

/* Partition number @p of @size nodes, as links; false if there is none. */
static bool partition(u32 size, u32 p, u32 *links)
{
	u8 group[MOST] = { 0 };
	u32 a, b, groups = 1;

	/* the p-th string of growth: a group is one of those before, or the next */
	for (a = 1; a < size; a++) {
		group[a] = (u8)(p % (a + 1));
		p /= a + 1;
		if (group[a] > groups)
			return false;
		if (group[a] == groups)
			groups++;
	}
	if (p)
		return false;
	for (a = 0; a < size; a++) {
		links[a] = 0;
		for (b = 0; b < size; b++)
			if (a != b && group[a] == group[b])
				links[a] |= 1u << b;
	}
	return true;
}

static u32 partitions(u32 size)
{
	u32 n = 1, a;

	for (a = 1; a < size; a++)
		n *= a + 1;
	return n;
}

/* All ways in which so many steps may go: a partition each, or one that leaves. */
static void explore(const struct cluster *before, u32 steps, u64 *tried)
{
	u32 p, links[MOST], all = partitions(before->size);

	for (p = 0; p < all + before->size; p++) {
		struct cluster c = *before;
		size_t end = strlen(trail);

		if (p >= all)
			leave(&c, p - all);
		else if (partition(c.size, p, links))
			rewire(&c, links);
		else
			continue;
		note(&c, p >= all ? "leaves" : "partition", p >= all ? p - all : p);
		(*tried)++;
		one_side_at_most(&c, "all ways");
		if (steps > 1)
			explore(&c, steps - 1, tried);
		trail[end] = 0;
	}
}

static void never_two_sides(void)
{
	u32 size, disks;
	u64 tried = 0;

	for (size = 2; size <= MOST; size++)
		for (disks = 1; disks < 1u << size; disks++) {
			struct cluster c;

			cluster_begin(&c, size, disks, MAJ, 0);
			T_OK(quorum_of(&c, 0));
			trail[0] = 0;
			explore(&c, size < MOST ? 3 : 2, &tried);
			cluster_begin(&c, size, disks, QUORUM_ALL, 0);
			explore(&c, 2, &tried);
		}
	T_OK(tried > 100000);
}

/* Links come and go one by one, in any shape, with nodes that leave. */
static void never_two_sides_in_any_shape(void)
{
	struct t_random rnd;
	u32 run, step, kept = 0;

	t_seed(&rnd, 17);
	for (run = 0; run < 20000; run++) {
		u32 size = 3 + t_below(&rnd, 3), a, b;
		struct cluster c;

		cluster_begin(&c, size, 1 + t_below(&rnd, (1u << size) - 1),
			      t_below(&rnd, 4) ? MAJ : QUORUM_ALL, t_below(&rnd, 3) ? 0 : 1);
		trail[0] = 0;
		for (step = 0; step < 12; step++) {
			u32 links[MOST];

			for (a = 0; a < size; a++)
				links[a] = c.n[a].links;
			a = t_below(&rnd, size);
			b = t_below(&rnd, size);
			if (!t_below(&rnd, 6)) {
				leave(&c, a);
			} else if (a != b) {
				links[a] ^= 1u << b;
				links[b] ^= 1u << a;
				rewire(&c, links);
			}
			note(&c, "link", 10 * a + b);
			one_side_at_most(&c, "any shape");
			for (a = 0; a < size; a++)
				kept += c.n[a].had && c.n[a].links == 0;
		}
	}
	T_OK(kept > 100);	/* the last man standing is among them */
}

const struct c_test quorum_tests[] = {
	{ "quorum: rules", rules },
	{ "quorum: texts", texts },
	{ "quorum: what follows", consequences },
	{ "quorum: never two sides, all ways", never_two_sides },
	{ "quorum: never two sides, any shape", never_two_sides_in_any_shape },
	{ NULL, NULL },
};
