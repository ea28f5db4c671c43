package main

func init() { mutants = append(mutants, mutants9...) }

// mutants9 are those of what only generation 9 has; table tests and the simulation of
// the two-phase commit find them.
var mutants9 = []mutant{
	// packets
	{"identifiers of more nodes than the packet has", "104", "wire/cluster.c",
		"if (hdr->length < 40 + 8 * core_popcount((u32)mask))", "if (hdr->length < 40)"},
	{"a transaction of node 32 is believed", "104", "wire/cluster.c",
		"return node < WIRE_NODES;", "return node <= WIRE_NODES;"},
	{"a state change that says too much is read in part", "104", "wire/cluster.c",
		"return drbd_wire_state_req_unpack(link->version, get_be32_at(p + 28),", "return drbd_wire_state_req_unpack(link->version, 0x1fff & get_be32_at(p + 28),"},

	// the comparison of identifiers
	{"what is unknown is taken for a common past", "63", "state/compare9.c",
		"return gen(uuid) != 0 && gen(uuid) != gen(~0ULL);", "return gen(uuid) != 0;"},
	{"a crashed Primary is target with protocol A", "59", "state/compare9.c",
		"sc ? STRATEGY_SOURCE_USE_BITMAP : STRATEGY_TARGET_USE_BITMAP);", "sc ? STRATEGY_TARGET_USE_BITMAP : STRATEGY_SOURCE_USE_BITMAP);"},
	{"an end of resync that one side missed stays missed", "52", "state/compare9.c",
		"row_missed_finish, row_reconnected,", "row_reconnected, row_missed_finish,"},
	{"both were off, both are source", "63", "state/compare9.c",
		"if (sc && !(pc && c->resolve_conflicts))", "if (sc)"},
	{"histories that name each other have an order", "63", "state/compare9.c",
		"if (at_peer == at_self)\n\t\treturn false;", "if (!at_peer && !at_self)\n\t\treturn false;"},
	{"the worse disk is source", "63", "state/policy9.c",
		"v->direction = mine > theirs ? 1 : -1;", "v->direction = mine > theirs ? -1 : 1;"},
	{"bits that were lost as target of a third node are believed", "62", "state/policy9.c",
		"if (!(low->uuids->flags & UUID9_SYNC_TARGET) || !slot ||", "if (slot ||"},
	{"a split brain without common bitmap is resynced by bitmap", "62", "state/policy9.c",
		"v->r.slot_step = recover ? SLOT_KEEP : SLOT_SET;", "v->r.slot_step = SLOT_KEEP;"},
	{"who has followed a lost Primary less is source", "79", "state/policy9.c",
		"v->direction = in->lost_offset > 0 ? 1 : in->lost_offset < 0 ? -1 :", "v->direction = in->lost_offset > 0 ? -1 : in->lost_offset < 0 ? 1 :"},
	{"a Primary without failure becomes target", "59", "state/policy9.c",
		"if (!v->if_both_failed || (!mine && !theirs))", "if (true)"},
	{"a Primary's data change below it", "68", "state/policy9.c",
		"if (!me || v->in->rr_conflict == ASB_VIOLENTLY)", "if (true)"},
	{"quorum has no say in a split brain", "58", "state/policy9.c",
		"v->direction = vote_by_quorum(in);", "v->direction = 0;"},
	{"discard-my-data takes data that are not whole", "62", "state/policy9.c",
		"target->disk > DISK_INCONSISTENT && target->disk != DISK_UNKNOWN)", "true)"},

	// quorum
	{"a node that has just died is no member", "75", "state/quorum.c",
		"else if (in->had_quorum && !(in->members >> id & 1))", "else if (in->had_quorum)"},
	{"nodes without quorum never find each other", "75", "state/quorum.c",
		"\t\tunknown += v.quorumless;", "\t\tunknown += 0;"},
	{"the tie-breaker gives quorum to who had none", "75", "state/quorum.c",
		"return in->had_quorum && voters &&", "return voters &&"},
	{"half of the diskless nodes break the tie", "75", "state/quorum.c",
		"v->diskless > v->missing_diskless", "v->diskless >= v->missing_diskless && v->diskless"},
	{"nobody at all is a quorum", "75", "state/quorum.c",
		"return max(voters, 1u);", "return voters;"},
	{"what was Outdated before quorum was lost still is", "75", "state/quorum.c",
		"r.forget_outdated = in->had_quorum && !r.have;", "r.forget_outdated = false;"},
	{"what was Outdated before it met another one still is", "75", "state/quorum.c",
		"return outdated & ~(reachable | node_mask(initiator) | node_mask(target));", "return outdated;"},
	{"a Primary without data outdates good copies", "78", "state/quorum.c",
		"return !primary_incapable && (primary_nodes", "return (primary_nodes"},
}
