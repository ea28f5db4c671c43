// SPDX-License-Identifier: GPL-2.0-only
/*
 * data/plan.c - which path a read takes. behaviour.md 11.4
 */
#include "plan.h"

/* Peers a read may go to: of those with the safest protocol only, because only
 * with C is a peer known to have every completed write. */
static u32 best_readers(const struct io_plan *plan, u32 tried)
{
	u32 best = 0, i;
	u8 protocol = 0;

	for (i = 0; i < plan->nr_peers; i++) {
		const struct plan_peer *p = &plan->peer[i];

		if (!p->read || tried >> i & 1)
			continue;
		if (p->protocol > protocol) {
			protocol = p->protocol;
			best = 0;
		}
		if (p->protocol == protocol)
			best |= 1u << i;
	}
	return best;
}

static int nth_bit(u32 mask, u32 n)
{
	u32 count = core_popcount(mask);

	for (n %= count; n; n--)
		mask &= mask - 1;
	return __builtin_ctz(mask);
}

static bool prefer_remote(const struct io_plan *plan, u64 sector, u32 turn,
			  u32 local_pending, u32 remote_pending)
{
	switch (plan->balance) {
	case PLAN_PREFER_REMOTE:
		return true;
	case PLAN_ROUND_ROBIN:
		return turn & 1;
	case PLAN_LEAST_PENDING:
		return local_pending > remote_pending;
	default:
		break;
	}
	/* 32 KiB stripes take bit 15 of the byte address, 1 MiB stripes bit 20. */
	if (plan->balance >= PLAN_STRIPE_32K && plan->balance <= PLAN_STRIPE_1M)
		return sector >> (plan->balance - PLAN_STRIPE_32K + 15 - SECTOR_BITS) & 1;
	return false;
}

int drbd_plan_read_path(const struct io_plan *plan, u64 sector, bool clean,
			bool tried_local, u32 tried_peers, u32 turn,
			u32 local_pending, u32 remote_pending)
{
	u32 peers = best_readers(plan, tried_peers);
	bool local = !tried_local && (plan->read_rule == PLAN_READ_LOCAL ||
				      (plan->read_rule == PLAN_READ_CLEAN && clean));

	if (!peers)
		return local ? PLAN_READ_FROM_LOCAL : PLAN_READ_FROM_NOBODY;
	if (local && !prefer_remote(plan, sector, turn, local_pending, remote_pending))
		return PLAN_READ_FROM_LOCAL;
	/* Round robin spends every second turn on the local disk. */
	return nth_bit(peers, local ? turn / 2 : turn);
}
