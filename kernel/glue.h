/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The objects of the module and what its files offer each other. Glue converts,
 * locks, allocates and waits; what is to be done it asks of core.
 *
 * Locks, outer first (docs/architecture.md): registry_mutex > resource
 * adm_mutex > backing metadata mutex; spinning: extent_lock > log_lock >
 * bm_lock; leaves: ev_lock, status_lock, park_lock, ack_lock, epoch_lock,
 * digest_lock, open_lock, submit_lock. Spinlocks that a bio end takes are irq-safe.
 */
#ifndef DRBD_GLUE_H
#define DRBD_GLUE_H

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "core/state/model.h"
#include "core/data/bitmap.h"
#include "core/data/extent.h"
#include "core/data/log.h"
#include "core/data/notice.h"
#include "core/data/receive.h"
#include "core/data/resync.h"
#include "core/data/verify.h"
#include "core/disk/alblock.h"
#include "core/disk/layout.h"
#include "core/disk/move.h"
#include "core/wire/bitcode.h"
#include "core/wire/connect.h"
#include "core/wire/data.h"
#include "compat/compat.h"

#define DRBD_MAJOR		147
#define DRBD_RELEASE		"9.3.90"
#define DRBD_GENL_VERSION	2
/* what this module speaks: the dialect of 8.4 from the version with volumes on */
#define DRBD_PROTO_MIN		100u
#define DRBD_PROTO_MAX		101u
#define DRBD_FEATURES		(FEATURE_TRIM | FEATURE_THIN_RESYNC | FEATURE_WSAME | FEATURE_WZEROES)
#define DRBD_LOG_SIZE		8192u

struct drbd_resource;
struct drbd_device;
struct drbd_connection;
struct drbd_peer_device;
struct drbd_peer_req;
struct crypto_shash;
struct drbd_outbox;

/* Embedded in its source, so that queueing cannot fail and is idempotent. */
struct drbd_event {
	struct list_head node;
	struct core_event ev;
	bool queued;
};

/* A job of core with somebody who sleeps until it is done. */
struct drbd_job {
	struct core_job core;
	struct drbd_event start, cancel;
	struct completion done;
};

struct drbd_path {
	struct list_head node;
	struct sockaddr_storage my_addr, peer_addr;
	int my_len, peer_len;
	bool established;
	bool told, told_established;		/* nl_notify.c */
};

/* What dumps, /proc and notifications show; copied by the loop after each step. */
struct drbd_status {
	struct core_resource_state res;		/* resource */
	struct core_connection_state conn;	/* connection */
	struct core_device_state dev;		/* device */
	struct core_peer_device_state pd;	/* peer device */
};

/* What user space was told of an object last; nl_notify.c, under its mutex. */
struct drbd_told {
	bool created;
	bool open;
	struct drbd_status status;
};

struct drbd_resource {
	struct core_resource core;		/* the worker's only */
	struct core_action *actions, *spare_actions; /* spare: larger, taken by the loop */
	u32 max_actions, spare_max;
	char name[128];
	struct list_head node;			/* registry_mutex; RCU readers */
	struct kref kref;
	struct rcu_head rcu;
	struct mutex adm_mutex;			/* one administrator's request at a time */
	struct list_head devices;		/* adm_mutex and registry_mutex; RCU; by volume */
	struct list_head connections;		/* the same */
	struct nl_resource_opts opts;		/* adm_mutex */
	bool going_down;			/* new opens fail */

	struct task_struct *worker;
	spinlock_t ev_lock;
	struct list_head events;		/* ev_lock */
	wait_queue_head_t ev_wait;
	struct drbd_event ev_timer;
	struct delayed_work timer;

	spinlock_t status_lock;
	struct drbd_status status;		/* status_lock */
	struct drbd_told told;

	spinlock_t log_lock;
	struct xfer_log log;			/* log_lock */
	struct log_entry *ring;
	struct drbd_connection *by_index[CORE_MAX_PEERS];	/* log_lock */
	bool drain_wanted;			/* log_lock: a device waits for EV_DRAINED */
	struct workqueue_struct *wq;		/* ordered: retirer */
	struct work_struct retire_work;
	atomic_t retire_kicks;			/* not zero: somebody is the retirer */
	struct log_retired *retired;		/* the retirer's batch */
};

struct drbd_backing {
	struct block_device *bdev, *md_bdev;
	struct compat_bdev handle, md_handle;
	bool md_shared;				/* one handle for both */
	struct md_layout layout;		/* changed under md_io, in the submit work, and md_lock */
	u64 md_bytes;				/* of md_bdev, when the layout was made; the same */
	struct md_shape shape;
	u32 al_stripes, al_stripe_4k;
	bool md_flushes;
	struct percpu_ref ref;
	struct drbd_device *dev;
	struct work_struct close_work;
};

struct drbd_bitmap {
	struct bitmap core;
	void **pages;
	u8 *page_flags;
	u32 nr_pages;
};

struct drbd_al {
	struct act_log core;
	struct al_slot *slots;
	u32 *extents;
	u16 *hash;
	void *block;				/* page for transactions */
};

struct drbd_device {
	struct core_device core;		/* the worker's only */
	struct drbd_resource *res;
	u32 minor, vnr;
	struct list_head node;			/* of the resource */
	struct list_head peer_devices;		/* of this device; RCU */
	struct kref kref;
	struct rcu_head rcu;
	struct gendisk *disk;
	bool disk_added;
	struct nl_device_conf conf;
	bool intentional_diskless;

	spinlock_t open_lock;
	u32 open_cnt, write_open_cnt;		/* open_lock */
	bool opens_blocked;			/* open_lock */

	struct drbd_status status;		/* res->status_lock */
	struct drbd_told told;
	struct nl_disk_conf disk_conf;		/* adm_mutex */

	struct board_entry board;		/* turns.c */

	struct log_device ldev;			/* res->log_lock */
	u64 drain_to;				/* res->log_lock: position, 0 = nobody waits */
	u32 read_turn;				/* round robin of reads; races are harmless */

	spinlock_t extent_lock;
	struct range_table ranges;		/* extent_lock */
	struct drbd_al *al;			/* extent_lock; exchanged while no disk is used */
	u32 al_gen;				/* extent_lock: attaches; a reference belongs to one */

	spinlock_t bm_lock;
	struct drbd_bitmap *bitmap;		/* bm_lock; exchanged while no disk is used */

	struct drbd_backing __rcu *backing;

	spinlock_t submit_lock;
	struct bio_list parked;			/* submit_lock: bios that may not enter */
	struct list_head granted;		/* submit_lock: requests whose range came free */
	struct list_head cold;			/* submit_lock: requests that need extents */
	struct bio_list failed_reads;		/* submit_lock: passed on, and failed by the disk */
	struct list_head retries;		/* submit_lock: reads to be tried elsewhere */
	struct list_head peer_cold;		/* submit_lock: peer writes that need extents */
	struct list_head remakes;		/* submit_lock: writes that the peer wants again */
	struct workqueue_struct *submit_wq;	/* ordered: drbd<minor>_submit */
	struct work_struct submit_work;

	/* superblock and bitmap I/O, each one job at a time */
	struct mutex md_io;			/* one user of md_page at a time */
	void *md_page;
	spinlock_t md_lock;
	struct md_superblock md_next;		/* md_lock: newest content asked for */
	u32 md_next_gen;
	u32 md_queued_gen;
	struct work_struct md_work, bm_work, set_bits_work, offer_work, resize_work;
	u64 resize_to, resize_set_from;		/* of the resize that runs: sectors */
	u32 offered_discard, offered_zeroes;	/* bytes: offer_work */
	struct drbd_peer_device *set_bits_pd;	/* NULL: all slots */
	bool clear_bits;		/* set_bits_work: clear instead */

	atomic_t al_writes, bm_writes;		/* transactions, pages */
	atomic64_t read_sectors, write_sectors;
	atomic_t local_pending, app_pending;

	struct drbd_event ev_md, ev_bm, ev_bits, ev_drained, ev_openers, ev_gen,
			  ev_error, ev_md_error, ev_closed, ev_helper, ev_resized;
};

/* A plan that readers may look at under RCU (reads take no lock). */
struct drbd_plan {
	struct io_plan core;
	struct rcu_head rcu;
};

/* A control packet or a bitmap at its place in the log. */
struct drbd_marker {
	struct core_packet packet;
	struct drbd_peer_device *bitmap_of;	/* send this slot instead of a packet */
};

struct drbd_ack {
	struct list_head node;
	u16 cmd, vnr;
	u8 len;
	u8 body[32];
};

/* What a connection makes digests for. */
enum drbd_digest_use { DIGEST_IN, DIGEST_OUT, DIGEST_CSUMS, DIGEST_VERIFY, DIGEST_USES };

struct drbd_digest {
	refcount_t ref;
	struct crypto_shash *tfm;
	u32 size;
	char name[WIRE_ALG_MAX];
};

enum drbd_link_order { ORDER_NONE = 0, ORDER_RECONNECT, ORDER_STOP };

struct drbd_connection {
	struct core_connection core;		/* the worker's only */
	struct drbd_resource *res;
	u8 peer_node_id, index;
	struct list_head node;			/* of the resource */
	struct list_head peer_devices;		/* of this connection; RCU */
	struct list_head paths;			/* adm_mutex; RCU */
	struct kref kref;
	struct rcu_head rcu;
	struct nl_net_conf conf;		/* adm_mutex for change; copied at link up */
	struct net *net;

	struct drbd_status status;		/* res->status_lock */
	struct drbd_told told;

	struct task_struct *receiver, *sender, *acker;
	struct mutex sock_lock;			/* exchange of the sockets */
	struct socket *data, *meta, *listener;	/* sock_lock */
	struct connect_state sockets;
	bool warned_address;
	struct wire_link wire;			/* between greeting and teardown: constant, but for
						 * the lengths of the digests */
	spinlock_t digest_lock;
	struct drbd_digest *digest[DIGEST_USES]; /* digest_lock */

	/* orders of the loop to the receiver */
	wait_queue_head_t rcv_wait;
	bool go_on;
	bool dropped;				/* ACT_DROP_LINK: leave the receive loop */
	enum drbd_link_order order;
	u32 order_delay_ms;

	wait_queue_head_t snd_wait;
	bool snd_kick;
	struct mutex snd_mutex;			/* whoever writes to the data stream */
	bool snd_open, snd_failed;		/* snd_mutex */
	u32 snd_lead;				/* snd_mutex: bytes of a barrier that wait in snd_buf */
	spinlock_t snd_lock;
	struct list_head replies;		/* snd_lock: peer requests whose answer has data */
	struct list_head rs_ready;		/* snd_lock: resync requests that may be sent */
	u32 ko_left;
	void *snd_buf;				/* a page for headers and bitmap chunks */

	wait_queue_head_t ack_wait;
	spinlock_t ack_lock;
	struct list_head acks;			/* ack_lock: meta packets to be sent, in order */
	struct mutex out_mutex;			/* whoever writes to the meta stream */
	struct drbd_outbox *out;		/* out_mutex */
	bool out_open;				/* out_mutex */
	bool rcv_busy;				/* the receiver will send acks before it sleeps */
	u32 rcv_batch;				/* receiver: packets since it last did */
	int meta_error;				/* socket lock: of the packets that came */
	bool meta_readable, meta_writable;
	bool ping_due;				/* ack_lock: send one now */
	bool ping_answer_due;
	bool ping_out;
	u8 *meta_buf;				/* socket lock */
	u32 meta_have;
	unsigned long last_meta, ping_sent_at;	/* jiffies */
	unsigned long expiry_checked;		/* acker: jiffies */
	void (*old_data_ready)(struct sock *sk);
	void (*old_write_space)(struct sock *sk);
	void (*old_state_change)(struct sock *sk);

	spinlock_t epoch_lock;
	struct recv_epochs epochs;		/* epoch_lock */
	struct list_head held;			/* epoch_lock: peer writes of later epochs */
	struct list_head retried;		/* epoch_lock: those that have to come again */
	struct work_struct epoch_work;		/* flushes and barrier acks */
	atomic_t epoch_kicks;			/* not zero: somebody takes the steps of epochs */
	bool flush_due;				/* whoever does: a flush is the next one */
	atomic_t active;			/* peer requests that are not finished */
	wait_queue_head_t idle_wait;
	atomic_t buffers;			/* pages in use for this peer */

	struct drbd_event ev_up, ev_down, ev_drained, ev_exit, ev_packet, ev_reply,
			  ev_ping, ev_helper;
};

struct drbd_peer_device {
	struct core_peer_device core;		/* the worker's only */
	struct drbd_device *dev;
	struct drbd_connection *conn;
	struct list_head of_dev, of_conn;
	struct kref kref;
	struct rcu_head rcu;
	struct nl_peer_device_opts conf;	/* adm_mutex */

	struct drbd_status status;		/* res->status_lock */
	struct core_explanation explained;	/* res->status_lock */
	const char *given_up;			/* res->status_lock: of the connection */
	struct drbd_told told;

	s32 slot;				/* of the bitmap, -1 = none; set by the loop */

	struct notice_set notices;		/* res->log_lock */
	atomic_t seq_out;			/* sequence numbers of data and acks */
	u32 seq_data, seq_acks;			/* newest of the peer's; written by receiver, acker */
	struct bitcode_cursor rx;		/* receiver: bitmap that arrives */
	bool rx_active;

	struct resync_pass pass;		/* dev->bm_lock */
	struct rate_control rate;		/* sender */
	struct rate_options rate_opts;		/* sender, taken at start */
	bool resync_runs;			/* dev->bm_lock */
	u32 rs_run;				/* dev->bm_lock: counts them */
	bool rs_csums;				/* dev->bm_lock: as target, ask with checksums */
	struct verify_run ov;			/* dev->bm_lock; active while one runs */
	u32 ov_run;				/* dev->bm_lock: counts them */
	bool ov_told;				/* dev->bm_lock: EV_VERIFY_DONE was posted */
	u64 ov_resume;				/* dev->bm_lock: sector where the next one begins */
	bool resync_told;			/* dev->bm_lock: EV_RESYNC_DONE was posted */
	unsigned long rate_last;		/* jiffies of the last step */
	atomic_t rate_received;			/* sectors that the sender has not seen yet */
	struct list_head rs_requests;		/* dev->extent_lock: target, in flight */
	struct list_head rs_reads;		/* dev->extent_lock: source, not yet acked */
	struct list_head ov_requests;		/* dev->extent_lock: VerifyS, not yet answered */
	struct list_head ov_reads;		/* dev->extent_lock: VerifyT, without result */
	struct list_head write_waits;		/* dev->extent_lock: writes that wait for their range */

	atomic64_t sent_sectors, recv_sectors;
	atomic_t ap_pending, rs_pending, unacked;

	struct drbd_event ev_bitmap, ev_done, ev_ov_done, ev_bits, ev_helper, ev_refused,
		ev_congested, ev_log_full;
};

/* An application request: the front pad of the clone that goes to the disk. */
struct drbd_request {
	struct drbd_device *dev;
	struct bio *bio;			/* of the application; NULL once completed */
	struct io_range range;
	struct list_head node;			/* granted, cold, retries, remakes */
	struct list_head walk;			/* of a drbd_sink */
	struct log_entry *entry;
	struct drbd_backing *backing;
	struct work_struct work;		/* local leg of a discard or zero-out */
	refcount_t ref;
	u64 sector;
	u32 size;
	u32 what;				/* consequences collected by a walk */
	u32 tried_peers;
	s16 error;
	u8 op;					/* enum log_op */
	u8 flags;				/* enum log_flag */
	u32 al_gen;				/* with hot */
	unsigned long started;			/* jiffies, if counted (iostat) */
	bool write, flush;
	bool reserved, hot, counted;
	bool tried_local;
	bool remade;				/* until it enters only its extents tell of its blocks */
	struct bio clone;			/* last */
};

/* A read whose bio was passed on to the backing device itself. */
struct drbd_read {
	struct drbd_device *dev;
	struct drbd_backing *backing;
	bio_end_io_t *end_io;			/* the bio's own, and where it was */
	void *private;
	struct bvec_iter iter;
	unsigned long started;			/* jiffies, if counted (iostat) */
	bool counted;
};

enum drbd_peer_req_kind {
	PEER_WRITE,
	PEER_READ,		/* P_DATA_REQUEST */
	PEER_RS_READ,		/* we are source */
	PEER_RS_WRITE,		/* we are target: request, later its reply */
	PEER_OV_READ,		/* we are VerifyT */
	PEER_OV_CHECK,		/* we are VerifyS: request, later the read to compare with */
};

/* A request that arrived from, or concerns, a peer. */
struct drbd_peer_req {
	struct list_head node;			/* held, replies, rs_ready, granted, cold */
	struct list_head rs_node;		/* rs_requests, rs_reads, write_waits */
	struct drbd_peer_device *pd;
	struct io_range range, range2;
	struct drbd_backing *backing;
	struct bio *bio;
	u64 sector, block_id;
	u32 size, pages;
	u32 tag;				/* receive epoch */
	u32 flags;				/* dp_flags */
	struct recv_acks acks;
	struct drbd_digest *alg;		/* of the digest that is to be made */
	u8 hash[WIRE_MAX_DIGEST];		/* of the peer's block, or of ours for the peer */
	u32 hash_len;
	int error;				/* of a read */
	u8 kind;				/* enum drbd_peer_req_kind */
	u8 op;					/* enum log_op; of an answer that is all zeroes: discard */
	bool in_sync, hot, track;
	bool thin;				/* resync: the answer may be "all zeroes" */
	bool started;				/* a granted range was acted upon */
	u32 al_gen;				/* with hot */
	bool sent, dead;			/* dev->extent_lock: answer handed over, acked */
	struct bvec_iter iter;			/* of the bio before it was read */
	struct drbd_ack *ack;
	struct work_struct work;
};

/* main.c */
extern struct workqueue_struct *drbd_md_wq;	/* metadata I/O, closing of disks */
extern struct workqueue_struct *drbd_helper_wq;
extern char drbd_usermode_helper[80];
extern unsigned int drbd_minor_count;
extern bool drbd_lazy_epochs;
int drbd_thread_start(struct task_struct **task, int (*fn)(void *), void *data,
		      char letter, const char *resource);

/* registry.c */
extern struct mutex registry_mutex;
extern struct list_head drbd_resources;		/* registry_mutex; RCU readers */
struct drbd_resource *drbd_resource_find(const char *name);	/* RCU or registry_mutex */
struct drbd_device *drbd_device_by_minor(u32 minor);		/* RCU or registry_mutex */
struct drbd_device *drbd_device_next(u32 *minor);		/* RCU */
struct drbd_device *drbd_device_by_volume(struct drbd_resource *res, u32 vnr);
struct drbd_connection *drbd_connection_find(struct drbd_resource *res, u32 peer_node_id);
struct drbd_peer_device *drbd_peer_device_find(struct drbd_connection *conn, u32 vnr);
/*
 * Creation and removal; may sleep, registry_mutex (and for parts of a resource
 * its adm_mutex) held. 0 or an ERR_ code; @text gets a sentence of up to CORE_TEXT_MAX bytes.
 */
int drbd_resource_create(const char *name, const struct nl_resource_opts *opts,
			 struct drbd_resource **out, char *text);
int drbd_resource_destroy(struct drbd_resource *res, char *text);
int drbd_device_create(struct drbd_resource *res, u32 minor, u32 vnr,
		       const struct nl_device_conf *conf, struct drbd_device **out, char *text);
int drbd_device_destroy(struct drbd_device *dev, char *text);
int drbd_connection_create(struct drbd_resource *res, u32 peer_node_id,
			   const struct nl_net_conf *conf, struct drbd_connection **out,
			   char *text);
int drbd_connection_destroy(struct drbd_connection *conn, char *text);
int drbd_path_add(struct drbd_connection *conn, const void *my, int my_len,
		  const void *peer, int peer_len, char *text);
int drbd_path_del(struct drbd_connection *conn, const void *my, int my_len,
		  const void *peer, int peer_len, char *text);
void drbd_resource_get(struct drbd_resource *res);
void drbd_resource_put(struct drbd_resource *res);
struct drbd_device *drbd_device_get_minor(u32 minor);
void drbd_device_get(struct drbd_device *dev);
void drbd_device_put(struct drbd_device *dev);
void drbd_connection_get(struct drbd_connection *conn);
void drbd_connection_put(struct drbd_connection *conn);
int drbd_registry_init(void);
void drbd_registry_exit(void);

/* loop.c */
int drbd_loop_start(struct drbd_resource *res);
void drbd_loop_stop(struct drbd_resource *res);
void drbd_event_init(struct drbd_event *e, u8 type, struct drbd_connection *conn,
		     struct drbd_device *dev, struct drbd_peer_device *pd);
/* Queues @e; its content must not change until it was handled. Any context. */
void drbd_post(struct drbd_resource *res, struct drbd_event *e);
/* Takes back what the loop has not seen; for objects that go away. */
void drbd_unpost(struct drbd_resource *res, struct drbd_event *e);
/*
 * Runs a job of core to its end; may sleep, interruptible: then the job is
 * cancelled and still waited for. Returns core's result; job->core.text.
 */
s32 drbd_job_run(struct drbd_resource *res, struct drbd_job *job);
void drbd_job_init(struct drbd_job *job, u8 type);

/* backing.c: opening, for the requester of an attach */
struct drbd_attach {
	struct core_attach core;
	struct drbd_backing *backing;
	struct drbd_bitmap *bitmap;
	struct drbd_al *al;
};
int drbd_attach_prepare(struct drbd_device *dev, const struct nl_disk_conf *conf,
			struct drbd_attach *a, char *text);
void drbd_attach_install(struct drbd_device *dev, struct drbd_attach *a);
void drbd_attach_undo(struct drbd_device *dev, struct drbd_attach *a);
/* A whole attach as the netlink request wants it. 0, or an ERR_ or SS_ code. */
int drbd_attach(struct drbd_device *dev, const struct nl_disk_conf *conf, char *text);
struct drbd_backing *drbd_backing_get(struct drbd_device *dev);
void drbd_backing_put(struct drbd_backing *b);
void drbd_backing_close_when_idle(struct drbd_device *dev);

/* mdio.c, bitmapio.c, alio.c */
int drbd_flush_data(struct drbd_backing *b);
int drbd_md_sync_io(struct drbd_backing *b, void *page, u64 sector, bool write);
int drbd_md_write_pages(struct drbd_backing *b, void **page, u32 n, u64 sector);
void drbd_md_write(struct drbd_device *dev, u32 gen);
void drbd_md_work(struct work_struct *work);
struct drbd_bitmap *drbd_bitmap_alloc(u64 capacity, u32 slots, u32 shift);
void drbd_bitmap_free(struct drbd_bitmap *bm);
int drbd_bitmap_read(struct drbd_backing *b, struct drbd_bitmap *bm);
int drbd_bitmap_write_dirty(struct drbd_device *dev, struct drbd_backing *b, u8 flags);
int drbd_bitmap_write_extent(struct drbd_device *dev, struct drbd_backing *b, u32 extent);
void drbd_bitmap_resize(struct drbd_device *dev, u64 capacity);
void drbd_bm_work(struct work_struct *work);
int drbd_bitmap_room(struct drbd_bitmap *bm, u64 capacity, struct drbd_bitmap *more);
void drbd_bitmap_take_room(struct drbd_device *dev, struct drbd_bitmap *more);
void drbd_bitmap_set_from(struct drbd_device *dev, u64 sector);
int drbd_bitmap_write_all(struct drbd_device *dev, struct drbd_backing *b);
int drbd_bitmap_write_changed(struct drbd_device *dev, struct drbd_backing *b);
int drbd_al_write_ring(struct drbd_device *dev, struct drbd_backing *b);

/* turns.c: resync-after */
void drbd_turns_refresh(struct drbd_device *dev);
void drbd_turns_tell(struct drbd_resource *res);
int drbd_turns_set(struct drbd_device *dev, s32 after, char *text);

/* resize.c */
void drbd_resize_work(struct work_struct *work);
/* Sectors for data if the metadata moved to where the backing device ends now. */
u64 drbd_backing_offer(struct drbd_backing *b);

void drbd_set_bits_work(struct work_struct *work);
/* Drops the references of a write to its extents, unless the disk of that time is gone. */
void drbd_al_drop(struct drbd_device *dev, u32 gen, u64 sector, u32 size);
struct drbd_al *drbd_al_alloc(u32 extents);
void drbd_al_free(struct drbd_al *al);
int drbd_al_commit(struct drbd_device *dev, struct drbd_backing *b);

/* disk.c */
int drbd_disk_create(struct drbd_device *dev);
int drbd_disk_add(struct drbd_device *dev);
void drbd_disk_remove(struct drbd_device *dev);
void drbd_disk_put(struct drbd_device *dev);
void drbd_disk_set_size(struct drbd_device *dev, u64 sectors);
void drbd_disk_limits(struct drbd_device *dev, struct drbd_backing *b);
/* A new plan is published: what it offers becomes the device's limits, soon. */
void drbd_disk_offer(struct drbd_device *dev);
void drbd_disk_offer_work(struct work_struct *work);
void drbd_disk_uevent(struct drbd_device *dev);
void drbd_disk_block_opens(struct drbd_device *dev);
void drbd_disk_allow_opens(struct drbd_device *dev);

/* discard.c */
int drbd_discard(struct drbd_device *dev, struct drbd_backing *b, u8 op, bool unmap, u64 sector,
		 u32 size);

/* A clock of a tick's precision, ms: for what is measured in tenths of seconds. */
static inline u64 drbd_now_ms(void)
{
	return ktime_get_coarse_ns() / NSEC_PER_MSEC;
}

/* passread.c */
int drbd_pass_read_init(void);
void drbd_pass_read_exit(void);
bool drbd_pass_read(struct drbd_device *dev, struct bio *bio);

/* submit.c, retire.c */
int drbd_submit_init(void);
void drbd_submit_exit(void);
void drbd_submit_bio(struct bio *bio);
void drbd_submit_work(struct work_struct *work);
void drbd_submit_kick(struct drbd_device *dev);
void drbd_local_read_failed(struct drbd_device *dev, u64 sector, int error);

/* Ranges that came free: their owners go on from the submit work. */
void drbd_ranges_granted(struct drbd_device *dev, struct core_node *granted);
void drbd_range_end(struct drbd_device *dev, struct io_range *r);
/* Under the log lock: keeps @req, and its result, for drbd_request_act(). */
void drbd_request_grab(struct drbd_request *req, u32 what);
/* Consequences of a log call, after unlocking; drops the reference of the grab. */
void drbd_request_act(struct drbd_request *req, u32 what);
void drbd_request_hold(struct drbd_request *req);
void drbd_request_put(struct drbd_request *req);

/* A sink that collects requests of a walk; run it after unlocking. */
struct drbd_sink {
	struct log_sink core;
	struct list_head list;
	u32 what;
};
void drbd_sink_init(struct drbd_sink *s);
void drbd_sink_run(struct drbd_resource *res, struct drbd_sink *s);
#define DRBD_RETIRE_BATCH 32u
void drbd_retire_work(struct work_struct *work);
void drbd_retire_kick(struct drbd_resource *res);
void drbd_check_drains(struct drbd_resource *res);

/* transport: tcp.c */
int drbd_tcp_connect(struct drbd_connection *conn);
void drbd_tcp_close(struct drbd_connection *conn);
void drbd_tcp_shutdown(struct drbd_connection *conn);
int drbd_tcp_recv(struct socket *sock, void *buf, size_t len, int flags);
/* Some bytes of the data stream, at least one, at most @len. */
int drbd_tcp_recv_some(struct drbd_connection *conn, void *buf, size_t len);
int drbd_tcp_recv_bio(struct drbd_connection *conn, struct bio *bio);
int drbd_tcp_drain(struct drbd_connection *conn, u32 len);
int drbd_tcp_send(struct drbd_connection *conn, const void *head, u32 head_len,
		  struct bio *bio);
void drbd_tcp_cork(struct socket *sock, bool on);

/* send.c, receive.c, greet.c, meta.c */
int drbd_sender(void *arg);
void drbd_sender_kick(struct drbd_connection *conn);
void drbd_senders_kick(struct drbd_resource *res);
/* Sends what is next for @peers in the caller's context, unless it might have to wait. */
void drbd_send_now(struct drbd_device *dev, u32 peers);
void drbd_send_open(struct drbd_connection *conn, bool open);
int drbd_receiver(void *arg);
int drbd_greet(struct drbd_connection *conn);
int drbd_acker(void *arg);
void drbd_acker_kick(struct drbd_connection *conn);
void drbd_meta_hook(struct drbd_connection *conn);
void drbd_meta_unhook(struct drbd_connection *conn);
void drbd_ack_queue(struct drbd_connection *conn, u16 cmd, u16 vnr, const void *body, u32 len);
void drbd_ack_send_block(struct drbd_peer_device *pd, struct drbd_ack *ack, u16 cmd,
			 u64 sector, u32 size, u64 block_id);
void drbd_acks_free(struct drbd_connection *conn);
struct drbd_outbox *drbd_outbox_alloc(void);
/* The receiver is about to sleep: acks that it has held back go out. */
void drbd_receiver_idle(struct drbd_connection *conn);
void drbd_ping(struct drbd_connection *conn);
void drbd_link_failed(struct drbd_connection *conn, u8 reason);
/* The payload of a data packet, checked against its digest if it has one, or forgotten. */
int drbd_recv_payload(struct drbd_connection *conn, struct bio *bio, const struct wire_data *d);
int drbd_drain_payload(struct drbd_connection *conn, const struct wire_data *d);
void drbd_limits(struct drbd_device *dev, const struct drbd_connection *conn,
		 struct wire_limits *limits);

/* peerwrite.c */
struct drbd_peer_req *drbd_peer_req_alloc(struct drbd_peer_device *pd, u64 sector, u32 size,
					  u8 kind, bool pages);
void drbd_peer_req_pages(struct drbd_peer_req *pr);
void drbd_peer_req_drop_pages(struct drbd_peer_req *pr);
void drbd_peer_req_free(struct drbd_peer_req *pr);
void drbd_peer_req_ack(struct drbd_peer_req *pr, u16 cmd, u64 block_id);
void drbd_peer_active(struct drbd_connection *conn);
void drbd_peer_inactive(struct drbd_connection *conn);
void drbd_wait_peer_idle(struct drbd_connection *conn);
bool drbd_receiver_wait_idle(struct drbd_connection *conn);
/* For what sleeps in the block layer, of the peer or of the application. */
void drbd_peer_queue(struct work_struct *work);
struct plan_peer drbd_plan_of(const struct drbd_peer_device *pd);
int drbd_recv_data(struct drbd_connection *conn, struct drbd_peer_device *pd,
		   const struct packet_header *hdr, const struct wire_data *d);
int drbd_peer_barrier(struct drbd_connection *conn, u32 number);
void drbd_peer_write_go(struct drbd_peer_req *pr);
void drbd_peer_write_granted(struct drbd_peer_req *pr);
void drbd_peer_writes_forget(struct drbd_connection *conn);
void drbd_peer_writes_give_up(struct drbd_device *dev);
void drbd_peer_write_dropped(struct drbd_peer_req *pr);
void drbd_peer_writes_cold(struct drbd_device *dev);
void drbd_epoch_work(struct work_struct *work);
int drbd_syncio_init(void);
void drbd_syncio_exit(void);

/* syncio.c */
int drbd_recv_read_request(struct drbd_peer_device *pd, const struct wire_block *b, u8 kind,
			   const u8 *hash, bool thin);
int drbd_recv_read_reply(struct drbd_peer_device *pd, const struct wire_data *d);
int drbd_recv_rs_deallocated(struct drbd_peer_device *pd, const struct wire_block *b);
int drbd_recv_rs_reply(struct drbd_peer_device *pd, const struct wire_data *d);
int drbd_recv_out_of_sync(struct drbd_peer_device *pd, const struct wire_block *b);
void drbd_reply_sent(struct drbd_peer_req *pr);
int drbd_rs_answer(struct drbd_peer_device *pd, u16 cmd, const struct wire_block *b);
void drbd_rs_range_granted(struct drbd_peer_req *pr, struct io_range *r);
void drbd_rs_start(struct drbd_peer_device *pd);
void drbd_rs_stop(struct drbd_peer_device *pd);
bool drbd_rs_step(struct drbd_peer_device *pd);
void drbd_rs_cancel_all(struct drbd_connection *conn);
void drbd_bits_set(struct drbd_device *dev, struct drbd_peer_device *pd, u64 sector, u32 size);

/* verify.c */
void drbd_ov_start(struct drbd_peer_device *pd, u64 start, u64 stop);
void drbd_ov_stop(struct drbd_peer_device *pd);
bool drbd_ov_step(struct drbd_peer_device *pd);
int drbd_recv_ov_request(struct drbd_peer_device *pd, const struct wire_block *b);
int drbd_recv_ov_reply(struct drbd_peer_device *pd, const struct wire_block *b, const u8 *hash);
int drbd_recv_ov_result(struct drbd_peer_device *pd, const struct wire_block *b);
/* False: it was no request of a verify. */
bool drbd_ov_refused(struct drbd_peer_device *pd, const struct wire_block *b);

/* helper.c, crypto.c, proc.c, nl.c */
void drbd_helper_run(struct drbd_resource *res, struct drbd_connection *conn,
		     struct drbd_device *dev, const char *name, struct drbd_event *answer);
/* Whether a digest of @alg can be made; else an errno, and @text of CORE_TEXT_MAX bytes says why. */
int drbd_digest_check(const char *alg, const char *use, char *text);
/* From now on @alg ("" = none) is used for it on this connection; may sleep. 0, or an errno
 * and a message. IN is the receiver's, OUT the sender's; an exchange of the others meets
 * users that have their own reference. */
int drbd_digest_set(struct drbd_connection *conn, enum drbd_digest_use use, const char *alg);
void drbd_digests_clear(struct drbd_connection *conn);
struct drbd_digest *drbd_digest_get(struct drbd_connection *conn, enum drbd_digest_use use);
void drbd_digest_put(struct drbd_digest *d);	/* process context; NULL is fine */
/* The digest, d->size bytes, of what @bio holds from @from on. */
void drbd_digest_bio(const struct drbd_digest *d, struct bio *bio, const struct bvec_iter *from,
		     u8 *out);
int drbd_hmac(const char *alg, const char *secret, const void *msg, u32 len, u8 *out, u32 *out_len);
int drbd_proc_init(void);
void drbd_proc_exit(void);
int drbd_nl_init(void);
void drbd_nl_exit(void);
/* nl_notify.c: the loop calls it after each step that changed something (may sleep) */
void drbd_notify_changes(struct drbd_resource *res);
/* start and end of a helper, for the event stream */
void drbd_notify_helper(struct drbd_resource *res, struct drbd_device *dev,
			struct drbd_connection *conn, const char *name, int status, bool called);

#define drbd_info(res, fmt, ...)  pr_info("drbd %s: " fmt "\n", (res)->name, ##__VA_ARGS__)
#define drbd_warn(res, fmt, ...)  pr_warn("drbd %s: " fmt "\n", (res)->name, ##__VA_ARGS__)
#define drbd_err(res, fmt, ...)   pr_err("drbd %s: " fmt "\n", (res)->name, ##__VA_ARGS__)

#endif
