/* SPDX-License-Identifier: GPL-2.0 */
/*
 * May this partition of the cluster go on? Votes of one device, the nodes that are
 * believed to be on this side, the tie-breaker, and which nodes miss the writes of
 * a Primary (behaviour.md 17.1, 17.4). Pure functions of what this node sees.
 */
#ifndef CORE_STATE_QUORUM_H
#define CORE_STATE_QUORUM_H

#include "model.h"
#include "../wire/cluster.h"

/* Another node, as this one sees it. */
struct core_quorum_node {
	bool counts;		/* has a slot, is known to exist or was seen with a disk;
				 * without a disk of ours: is configured */
	bool configured;
	bool connected;		/* replication is more than Off */
	bool diskless_on_purpose; /* configured without bitmap; not configured: never seen
				   * with a disk */
	bool remote_read;	/* option allow-remote-read of its connection */
	bool tiebreaker;	/* option peer-tiebreaker */
	bool outdated;		/* is known to be, since I have quorum (the metadata say so) */
	bool quorate;		/* its State says that it has quorum */
	u8 pdsk;		/* enum drbd_disk_state */
};

struct core_quorum_input {
	u8 me;			/* node id */
	u8 disk;
	bool diskless_on_purpose;
	bool had_quorum;	/* up to now */
	u64 members;		/* nodes of my partition, as far as is known */
	s32 quorum, min_redundancy;	/* options: QUORUM_OFF, ..., or a number of nodes */
	struct core_quorum_node node[WIRE_NODES];	/* node[me] is not looked at */
};

struct core_quorum_result {
	bool have;		/* the truth */
	bool enforced;		/* what the device acts upon: with quorum off always true */
	bool by_tiebreaker;
	bool forget_outdated;	/* lost: others may meet without me from now on, and make good
				 * what I know to be Outdated; those marks no longer count */
	u8 visible, voters, needed;	/* for texts: "2 of 5 nodes visible, need 3" */
	u8 up_to_date, needed_redundancy;
};

struct core_quorum_result core_quorum(const struct core_quorum_input *in);

/* Why there is none, for the administrator; at most CORE_TEXT_MAX bytes into @text. */
void core_quorum_reason(const struct core_quorum_input *in,
			const struct core_quorum_result *r, char *text);

/* After a start: this node was alone, had quorum and good data when it went down. */
bool core_quorum_restored(const struct md_superblock *md, u8 me);

/* What a Primary does with I/O. */
enum core_no_quorum { WITHOUT_QUORUM_GO_ON = 0, WITHOUT_QUORUM_SUSPEND, WITHOUT_QUORUM_IO_ERROR };
enum core_no_quorum core_quorum_action(const struct core_quorum_result *r, u8 role,
				       u32 on_no_quorum);

/*
 * Members after a transaction has been committed: the nodes that it has reached, if
 * this side has quorum (or a neighbour says so) and the packet tells them; both ends
 * of a new connection in any case. @initiator, @target: of a connect, else WIRE_NO_NODE.
 */
u64 core_members_after(u64 members, bool quorate, bool reachable_valid, u64 reachable,
		       s8 initiator, s8 target);

/*
 * Nodes still known to be Outdated after @initiator has connected to @target: nobody
 * whom that transaction has reached. Whoever is on this side now may be resynced by one
 * that I have no link to, and I would not see it; if then the others left, I would count
 * it as unable to promote.
 */
u64 core_outdated_after(u64 outdated, u64 reachable, s8 initiator, s8 target);

/* Nodes that do not get the writes of this one; 0 if it has none to give. */
u64 core_weak_nodes(u8 role, bool has_data, u64 direct);

/* Does a Primary write what I do not get? Then my data are about to be outdated. */
bool core_is_weak(u64 primary_nodes, bool primary_incapable, u64 direct, u8 me);

#endif
