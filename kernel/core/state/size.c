// SPDX-License-Identifier: GPL-2.0
/* The size that all replicas can hold (behaviour.md 18.1, 18.2, column 8.4). */
#include "internal.h"

static u64 min_not_zero64(u64 a, u64 b)
{
	if (!a || !b)
		return a | b;
	return a < b ? a : b;
}

void take_size(struct core_device *dev, u64 sectors)
{
	if (dev->size == sectors)
		return;
	dev->size = sectors;
	dev->md.effective_size = sectors;
	emit_dev(dev, ACT_SET_SIZE)->sectors = sectors;
}

/* What a device offers when it is attached and no peer has been heard. */
u64 core_size_at_attach(const struct core_attach *attach)
{
	u64 size = min_not_zero64(attach->d_size, attach->conf.disk_size);

	return min_not_zero64(size, attach->md.effective_size);
}

static bool with_disk(struct core_peer_device *pd, const struct wire_sizes *s)
{
	struct core_device *dev = pd->dev;
	u64 u_size = min_not_zero64(dev->conf.disk_size, s->u_size);
	u64 size = s->d_size ? min_not_zero64(dev->d_size, s->d_size) : dev->size;

	size = min_not_zero64(size, u_size);
	if (size < dev->size && dev->now.disk >= DISK_OUTDATED) {
		emit_log(dev->res, "%u drbd%u %s: The peer's disk size is too small! (%llu < %llu sectors): use a disk of at least this size there",
			 dev->vnr, dev->minor, pd->conn->conf.name,
			 (unsigned long long)size, (unsigned long long)dev->size);
		return false;
	}
	take_size(dev, size);
	return true;
}

static bool without_disk(struct core_peer_device *pd, const struct wire_sizes *s)
{
	struct core_device *dev = pd->dev;
	u64 size = s->c_size ? s->c_size : s->u_size ? s->u_size : s->d_size;

	if (!size)
		return true;
	if (size < dev->size && dev->res->now.role == ROLE_PRIMARY) {
		emit_log(dev->res, "%u drbd%u %s: The peer's device size is too small! (%llu < %llu sectors); demote me first!",
			 dev->vnr, dev->minor, pd->conn->conf.name,
			 (unsigned long long)size, (unsigned long long)dev->size);
		return false;
	}
	take_size(dev, size);
	return true;
}

/* False: the peer cannot be a replica of this device; the reason is logged. */
bool sizes_received(struct core_peer_device *pd, const struct wire_sizes *sizes)
{
	if ((sizes->d_size && sizes->c_size > sizes->d_size) ||
	    (sizes->u_size && sizes->c_size > sizes->u_size)) {
		emit_log(pd->dev->res, "%u drbd%u %s: peer sent bogus sizes: current size larger than its disk or limit",
			 pd->dev->vnr, pd->dev->minor, pd->conn->conf.name);
		return false;
	}
	if (!(pd->dev->now.disk >= DISK_NEGOTIATING ? with_disk(pd, sizes) : without_disk(pd, sizes)))
		return false;
	pd->peer_sizes = *sizes;
	return true;
}
