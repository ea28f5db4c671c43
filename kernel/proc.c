// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/drbd in the format of 8.4, for eyes and for scripts (netlink.md 17.2), and
 * /proc/drbd_handshakes of our own: what the last comparison with each peer came to,
 * for `drbdadm explain`.
 */
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include "glue.h"

#define BITS_PER_4GIB ((4ULL << 30) / 4096)

/* What one entry shows, copied at one time. */
struct entry {
	struct core_resource_state res;
	struct core_connection_state conn;
	struct core_device_state dev;
	struct core_peer_device_state pd;
	bool has_peer, progress;
	u64 oos_bits;
	struct progress_view view;
	u32 want;
	char protocol;
};

static struct drbd_peer_device *first_peer(struct drbd_device *dev)
{
	return list_first_or_null_rcu(&dev->peer_devices, struct drbd_peer_device, of_dev);
}

static bool shows_progress(u8 repl)
{
	return repl == REPL_SYNC_SOURCE || repl == REPL_SYNC_TARGET ||
	       repl == REPL_VERIFY_S || repl == REPL_VERIFY_T;
}

static void copy_bits(struct drbd_device *dev, struct drbd_peer_device *pd, struct entry *e)
{
	s32 slot = READ_ONCE(pd->slot);

	spin_lock_irq(&dev->bm_lock);
	if (dev->bitmap && slot >= 0)
		e->oos_bits = dev->bitmap->core.weight[slot];
	if (pd->ov.active) {
		e->progress = shows_progress(e->pd.repl);
		drbd_progress_view(&pd->ov.progress, pd->ov.left, ktime_get_ns() / NSEC_PER_MSEC,
				   &e->view);
		e->want = pd->rate.want;
	} else if (pd->resync_runs) {
		e->progress = shows_progress(e->pd.repl);
		drbd_progress_view(&pd->pass.progress, drbd_resync_left(&pd->pass),
				   ktime_get_ns() / NSEC_PER_MSEC, &e->view);
		e->want = pd->rate.want;
	}
	spin_unlock_irq(&dev->bm_lock);
}

static void copy_entry(struct drbd_device *dev, struct drbd_peer_device *pd, struct entry *e)
{
	struct drbd_resource *res = dev->res;

	memset(e, 0, sizeof(*e));
	spin_lock_irq(&res->status_lock);
	e->res = res->status.res;
	e->dev = dev->status.dev;
	if (pd) {
		e->has_peer = true;
		e->conn = pd->conn->status.conn;
		e->pd = pd->status.pd;
	}
	spin_unlock_irq(&res->status_lock);
	if (!pd) {
		e->pd.repl = REPL_OFF;
		e->pd.pdsk = DISK_UNKNOWN;
		return;
	}
	e->protocol = e->conn.cstate > CONN_STANDALONE && pd->conn->conf.wire_protocol - 1 < 3
		      ? 'A' + pd->conn->conf.wire_protocol - 1 : ' ';
	copy_bits(dev, pd, e);
}

static void grouped(struct seq_file *m, u64 v)
{
	if (v >= 1000000)
		seq_printf(m, "%llu,%03llu,%03llu", v / 1000000, v / 1000 % 1000, v % 1000);
	else if (v >= 1000)
		seq_printf(m, "%llu,%03llu", v / 1000, v % 1000);
	else
		seq_printf(m, "%llu", v);
}

static void show_bar(struct seq_file *m, const struct progress_view *v, const char *done)
{
	u32 x = v->permille / 50, i;
	bool mega = v->total > BITS_PER_4GIB;

	seq_puts(m, "\t[");
	for (i = 1; i < x; i++)
		seq_putc(m, '=');
	seq_putc(m, '>');
	for (i = x; i < 20; i++)
		seq_putc(m, '.');
	seq_printf(m, "] %s:%3u.%u%% (%llu/%llu)%c\n", done, v->permille / 10, v->permille % 10,
		   mega ? v->left >> 8 : v->left << 2, mega ? v->total >> 8 : v->total << 2,
		   mega ? 'M' : 'K');
}

static void show_progress(struct seq_file *m, const struct entry *e)
{
	const struct progress_view *v = &e->view;

	show_bar(m, v, e->pd.repl == REPL_VERIFY_S || e->pd.repl == REPL_VERIFY_T
		 ? "verified" : "sync'ed");
	seq_printf(m, "\tfinish: %llu:%02llu:%02llu speed: ", v->eta_s / 3600,
		   v->eta_s / 60 % 60, v->eta_s % 60);
	grouped(m, v->speed_now * 4);
	seq_puts(m, " (");
	grouped(m, v->speed_average * 4);
	seq_putc(m, ')');
	if (e->pd.repl == REPL_SYNC_TARGET || e->pd.repl == REPL_VERIFY_S) {
		seq_puts(m, " want: ");
		grouped(m, e->want);
	}
	seq_printf(m, " K/sec%s\n", v->stalled ? " (stalled)" : "");
}

static void show_states(struct seq_file *m, u32 minor, const struct entry *e)
{
	bool susp = e->res.susp_user || e->res.susp_nod || e->res.susp_fen;

	seq_printf(m, "%2u: cs:%s ro:%s/%s ds:%s/%s %c %c%c%c%c%c%c\n", minor,
		   core_conn84_name(e->conn.cstate, e->pd.repl), core_role_name(e->res.role),
		   core_role_name(e->conn.peer_role), core_disk_name(e->dev.disk),
		   core_disk_name(e->pd.pdsk), e->protocol ? e->protocol : ' ',
		   susp ? 's' : 'r', e->pd.aftr_isp ? 'a' : '-', e->pd.peer_isp ? 'p' : '-',
		   e->pd.user_isp ? 'u' : '-', '-', '-');
}

static u64 kib(u64 sectors)
{
	return sectors >> 1;
}

static void show_counters(struct seq_file *m, struct drbd_device *dev,
			  struct drbd_peer_device *pd, const struct entry *e)
{
	seq_printf(m, "    ns:%llu nr:%llu dw:%llu dr:%llu al:%d bm:%d lo:%d pe:%d ua:%d ap:%d ep:%u wo:%c oos:%llu\n",
		   pd ? kib(atomic64_read(&pd->sent_sectors)) : 0ULL,
		   pd ? kib(atomic64_read(&pd->recv_sectors)) : 0ULL,
		   kib(atomic64_read(&dev->write_sectors)), kib(atomic64_read(&dev->read_sectors)),
		   atomic_read(&dev->al_writes), atomic_read(&dev->bm_writes),
		   atomic_read(&dev->local_pending),
		   (int)READ_ONCE(dev->ldev.in_flight) + (pd ? atomic_read(&pd->rs_pending) : 0),
		   pd ? atomic_read(&pd->unacked) : 0, atomic_read(&dev->app_pending), 1u, 'f',
		   e->oos_bits * 4);
}

static void show_device(struct seq_file *m, struct drbd_device *dev)
{
	struct drbd_peer_device *pd = first_peer(dev);
	struct entry e;

	copy_entry(dev, pd, &e);
	if (e.conn.cstate == CONN_STANDALONE && e.dev.disk == DISK_DISKLESS &&
	    e.res.role == ROLE_SECONDARY) {
		seq_printf(m, "%2u: cs:Unconfigured\n", dev->minor);
		return;
	}
	show_states(m, dev->minor, &e);
	show_counters(m, dev, pd, &e);
	if (e.progress)
		show_progress(m, &e);
}

static int show(struct seq_file *m, void *unused)
{
	struct drbd_device *dev;
	u32 minor = 0, expected = 0;

	seq_printf(m, "version: %s (api:%d/proto:%u-%u)\nsrcversion: %-24s\n", DRBD_RELEASE,
		   DRBD_GENL_VERSION, DRBD_PROTO_MIN, DRBD_PROTO_MAX,
		   THIS_MODULE->srcversion ? THIS_MODULE->srcversion : "");
	rcu_read_lock();
	while ((dev = drbd_device_next(&minor))) {
		if (minor != expected)
			seq_putc(m, '\n');
		show_device(m, dev);
		expected = ++minor;
	}
	rcu_read_unlock();
	return 0;
}

static void show_uuids(struct seq_file *m, const char *whose, const struct wire_uuids *u)
{
	seq_printf(m, " %s=%016llX:%016llX:%016llX:%016llX %s_bits=%llu %s_flags=%llx", whose,
		   u->current_uuid, u->bitmap_uuid, u->history[0], u->history[1], whose,
		   u->dirty_bits, whose, u->flags);
}

/* One line for each peer that was compared with: words "key=value"; the last one is a text. */
static void show_handshake(struct seq_file *m, struct drbd_device *dev, struct drbd_peer_device *pd)
{
	struct core_explanation e;
	const char *given_up;

	spin_lock_irq(&dev->res->status_lock);
	e = pd->explained;
	given_up = pd->given_up;
	spin_unlock_irq(&dev->res->status_lock);
	seq_printf(m, "minor=%u volume=%u peer_node_id=%u known=%u", dev->minor, dev->vnr,
		   pd->conn->core.peer_node_id, e.known);
	if (e.known) {
		seq_printf(m, " ago_ms=%llu rule=%u decision=%d verdict=%u full=%u role=%s peer_role=%s disk=%s peer_disk=%s",
			   ktime_get_ns() / NSEC_PER_MSEC - e.at_ms, e.rule, e.decision, e.verdict,
			   e.full, core_role_name(e.role), core_role_name(e.peer_role),
			   core_disk_name(e.disk), core_disk_name(e.pdsk));
		show_uuids(m, "self", &e.self);
		show_uuids(m, "peer", &e.peer);
	}
	seq_printf(m, " why=%s\n", given_up ? given_up : e.known ? e.why : "");
}

static int show_handshakes(struct seq_file *m, void *unused)
{
	struct drbd_peer_device *pd;
	struct drbd_device *dev;
	u32 minor = 0;

	rcu_read_lock();
	for (; (dev = drbd_device_next(&minor)); minor++)
		list_for_each_entry_rcu(pd, &dev->peer_devices, of_dev)
			show_handshake(m, dev, pd);
	rcu_read_unlock();
	return 0;
}

int drbd_proc_init(void)
{
	if (!proc_create_single("drbd", 0444, NULL, show))
		return -ENOMEM;
	if (proc_create_single("drbd_handshakes", 0400, NULL, show_handshakes))
		return 0;
	remove_proc_entry("drbd", NULL);
	return -ENOMEM;
}

void drbd_proc_exit(void)
{
	remove_proc_entry("drbd_handshakes", NULL);
	remove_proc_entry("drbd", NULL);
}
