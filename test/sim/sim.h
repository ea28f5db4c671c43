/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The simulated world: two nodes that run kernel/core, their disks, the network
 * between them, an application and an administrator.
 *
 * Everything that the module would do in a thread, a work or an interrupt is an
 * actor or an item of the pool; a step of the world runs one of those that could
 * run now, chosen by the seed. Within such a step the calls of core are made as
 * kernel/ makes them, each under the lock that glue would hold; between two
 * steps anything else may happen. One world lives in one thread.
 */
#ifndef TEST_SIM_H
#define TEST_SIM_H

#include <setjmp.h>

#include "base_hook.h"
#include "../../kernel/core/wire/packet.h"
#include "../../kernel/core/wire/data.h"
#include "../../kernel/core/wire/control.h"
#include "../../kernel/core/wire/bitcode.h"
#include "../../kernel/core/disk/superblock.h"
#include "../../kernel/core/disk/layout.h"
#include "../../kernel/core/disk/alblock.h"
#include "../../kernel/core/data/log.h"
#include "../../kernel/core/data/notice.h"
#include "../../kernel/core/data/receive.h"
#include "../../kernel/core/data/extent.h"
#include "../../kernel/core/data/resync.h"
#include "../../kernel/core/data/verify.h"
#include "../../kernel/core/state/model.h"

#define NODES 2
#define UNIT_SECTORS 4u			/* half a block: smallest write of the application */
#define UNIT_BYTES (UNIT_SECTORS * SECTOR_BYTES)
#define BLOCK_UNITS 2u
#define LOG_RING 256u
#define AL_RING 8u			/* blocks */
#define NEVER (~0ull)
#define MS 1000ull			/* the clock counts microseconds */

/* Content of a unit: the number of the write it came from; 0 = as the disk was made. */
typedef u32 ver;

struct host;
struct world;

/* --- the pool --------------------------------------------------------------- */

struct item {
	u64 at;			/* runs at this time or later */
	struct host *h;		/* goes with it; NULL = the world's own */
	void (*fn)(struct item *);
	u32 index;		/* in the pool */
};

struct slot {
	u64 at;
	struct host *h;
	struct item *item;
};

/* --- the application ---------------------------------------------------------- */

enum op_kind { OP_READ, OP_WRITE, OP_FLUSH };

struct op {
	u8 kind, node, branch;
	bool fua;
	bool ended;		/* with success or without */
	bool local, local_failed;	/* its node had a disk when it ended; that could not do it */
	bool broken;		/* it failed, or its node has gone away since */
	u8 in_forks;		/* branches that began while it was under way, with its data */
	u64 sector;
	u32 size;
	ver v;
	u64 submitted;		/* counters of the world's events, not times */
	u64 completed;		/* NEVER unless it ended with success */
	u64 *floor;		/* a read: what was certain when it was submitted, per unit */
	ver *data;		/* a read: what it got */
	struct core_node node_link;
};

/* --- disks --------------------------------------------------------------------- */

struct cached {
	u32 unit;
	ver v;
};

/* What survives a crash, and what may not. */
struct disk {
	u32 units;
	ver *stable, *cur;
	struct cached *cache;	/* completed writes that no flush has covered */
	u64 cache_base;		/* number of cache[0] */
	u32 n_cache, max_cache;
	u32 md_blocks;
	u8 *md;			/* superblock, activity log ring, bitmap pages */
	struct flat_bitmap *view;	/* of the bitmap pages as they are there */
	struct al_replay al_replay;	/* of the ring, kept up with each block */
	u32 *al_slots;
	u8 *hot;		/* extents hot on stable storage */
};

#define MD_SB 0u
#define MD_AL 1u
#define MD_BM (1u + AL_RING)

enum io_kind { IO_READ, IO_WRITE, IO_FLUSH, IO_MD };

struct io {
	struct item it;
	u8 kind;
	bool fua;
	bool flush;		/* before it is done */
	u64 flush_to;		/* cache numbers before this */
	u64 sector;
	u32 size;
	ver *v;			/* IO_READ: filled; IO_WRITE: content */
	u32 md_block;
	u8 *md;
	void (*done)(struct io *, int error);
	void *owner;
	struct core_node link;	/* on host->ios */
};

/* --- network -------------------------------------------------------------------- */

struct pkt {
	struct core_node link;
	u64 arrives;
	bool torn;		/* only its beginning arrives */
	u32 len;
	u32 nv;
	ver *v;			/* payload, per unit */
	u8 bytes[];
};

struct stream {
	struct core_node pkts;
	u32 count;
	u64 last_arrival;
};

enum { CH_DATA, CH_META, CHANNELS };

/* A pair of sockets at both ends. stream[n][c] is written by node n. */
struct session {
	struct session *next;
	struct stream stream[NODES][CHANNELS];
	bool shut[NODES];	/* this end was shut down */
	bool dead[NODES];	/* this end's node crashed */
};

/* --- a node that runs -------------------------------------------------------------- */

struct event {
	struct core_event ev;
	bool queued;
	struct core_node link;
};

struct request {
	struct host *h;
	struct op *op;		/* NULL when it has been completed */
	ver v;
	u64 sector;
	u32 size;
	bool write, flush, hot, reserved, tried_local, remade;
	u32 tried_peers;
	u8 flags;
	int error;
	int ref;
	u32 what;
	u32 al_generation;
	ver *data;		/* a read */
	struct log_entry *entry;
	struct io_range range;
	struct core_node node, walk;
};

enum preq_kind { PEER_WRITE, PEER_READ, PEER_RS_READ, PEER_RS_WRITE, PEER_OV_READ, PEER_OV_CHECK };

struct preq {
	struct host *h;
	u64 sector;
	u32 size;
	u8 kind;
	u32 flags;
	u64 block_id;
	u32 tag;
	u32 al_generation;
	bool in_sync, track, hot, backing, submitted, sent, dead;
	u64 digest;		/* of a verify */
	struct recv_acks acks;
	struct io_range range, range2;
	ver *v;
	struct core_node node, rs_node;
	struct core_node granted;
};

struct ack {
	struct core_node link;
	u16 cmd, vnr;
	u32 len;
	u8 body[64];
};

struct marker {
	struct core_packet packet;
	bool bitmap;
};

struct job {
	struct core_job core;
	struct event start, cancel;
	struct core_attach attach;
	bool done;
	u64 since;
	struct core_node link;
	void (*then)(struct job *);
};

enum order { ORDER_NONE, ORDER_RECONNECT, ORDER_STOP };

enum receiver_state {
	R_STOPPED, R_CONNECT, R_SESSION, R_WAIT_GO, R_READ, R_WAIT_IDLE,
	R_BARRIER, R_WAIT_DROPPED, R_DRAIN, R_AWAIT_ORDER, R_PAUSE, R_EXITED,
};

/* The md_io mutex of a device: who holds it. */
enum md_owner { MD_NOBODY, MD_SUPERBLOCK, MD_BITMAP, MD_SET_BITS, MD_LOG };

enum submit_phase {
	SUB_IDLE, SUB_PEER, SUB_PEER_COMMIT, SUB_HEAT, SUB_HEAT_COMMIT, SUB_PARKED,
};

enum al_phase { TR_IDLE, TR_FLUSH, TR_PAGES, TR_PAGE_IO, TR_BLOCK, TR_BLOCK_IO };

struct page_walk {
	u32 page, last;
	u8 flags;
	u8 *held;		/* copy of the page, while the data is flushed */
	u64 flushed;		/* bm->clears that the last flush of the data covers */
	bool busy;
	int error;
};

enum actor_id {
	A_WORKER, A_RECEIVER, A_SENDER, A_ACK_IN, A_ACK_OUT, A_SUBMIT, A_RETIRE,
	A_EPOCH, A_MD, A_BITMAP, A_SET_BITS, ACTORS,
};

/* Memory of a node between start and crash. Everything reachable from here is
 * allocated by host_alloc() and vanishes with it. */
struct host {
	int id;
	struct disk *disk;
	struct core_node memory;
	struct core_node ios;

	/* loop */
	struct core_resource res;
	struct core_connection conn;
	struct core_device dev;
	struct core_peer_device pd;
	struct core_action actions[CORE_ACTIONS_FOR(1)];
	u32 act_at;
	struct core_node events;
	struct event ev_up, ev_down, ev_drained, ev_exit, ev_packet, ev_reply, ev_ping, ev_bitmap,
		ev_bm, ev_bits, ev_bits_pd, ev_done, ev_ov_done, ev_helper_pd, ev_helper_dev, ev_helper_conn, ev_md, ev_drain,
		ev_openers, ev_gen, ev_error, ev_md_error, ev_refused,
		ev_congested, ev_log_full, ev_closed, ev_timer;
	struct core_node jobs;
	u64 timer_at;
	u64 still_until;

	/* published after each step of core */
	struct core_resource_state st_res;
	struct core_connection_state st_conn;
	struct core_device_state st_dev;
	struct core_peer_device_state st_pd;
	s32 slot;
	u64 capacity;

	/* log lock */
	struct xfer_log log;
	struct log_entry ring[LOG_RING];
	struct log_device ldev;
	u64 drain_to;

	/* backing device, bitmap, activity log */
	bool attached, killed;
	u32 backing_refs;
	struct bitmap *bm;
	struct act_log *al;
	u32 al_generation;	/* counts attaches: references of older ones are void */
	struct range_table ranges;
	u8 md_owner;
	struct md_superblock md_next;
	u32 md_next_gen;
	bool md_kick, bm_kick, set_bits_kick, set_bits_pd, set_bits_clear;
	struct page_walk bm_walk, set_walk, al_walk;
	bool set_bits_set;

	/* submission */
	struct core_node parked, granted, retries, cold, peer_cold, batch, remakes;
	bool submit_kick, opens_blocked;
	u8 submit_phase, al_phase;
	bool batch_full, batch_starved;
	struct preq *peer_cold_now;
	u32 al_evict;
	int al_error;
	u8 al_block[AL_BLOCK];
	u32 al_tr;

	/* retirer */
	bool retire_kick;
	struct log_retired retired[32];
	u32 n_retired, retire_at;

	/* connection */
	u8 rcv;
	u8 rcv_step;
	u64 rcv_until;
	u8 order;
	u32 order_delay;
	bool dropped, go_on;
	struct session *ses;
	struct wire_link wire;
	struct recv_epochs epochs;
	struct core_node held;
	bool epoch_kick, epoch_flush;
	u32 barrier;
	struct wire_block at_hand;	/* waits until the peer's writes are on the disk */
	u16 at_hand_cmd;
	u64 at_hand_digest;
	u32 active;
	u32 seq_out, seq_data, seq_acks;
	struct bitcode_cursor rx;
	bool rx_active;

	bool sender_runs, snd_kick, snd_failed, snd_busy, snd_bitmap;
	struct log_emit snd_emit;
	struct bitcode_cursor snd_cursor;
	struct notice_set notices;
	struct core_node replies, rs_ready;

	bool acker_runs, ack_failed;
	struct core_node acks;
	bool ping_due, answer_due, ping_out;
	u64 ping_at, last_meta;

	/* resync */
	struct resync_pass pass;
	bool resync_runs, resync_told;
	u32 rs_run;
	u32 budget;
	struct core_node rs_requests, rs_reads, write_waits, retried;
	struct verify_run ov;
	u32 ov_run;
	bool ov_told;
	struct core_node ov_requests, ov_reads;

	/* application */
	u32 open_ops;
	bool opened;
	struct item client;
	bool must_wait;		/* for a device that this world does not have (resync-after) */
};

/* --- what must hold: see check.c ------------------------------------------------------ */

#define BRANCHES 8

/* One history of the data. A second one begins where a node becomes Primary
 * without all that the first has acknowledged. */
struct branch {
	bool used;
	u8 parent;
	u64 *floor;		/* per unit: newest submission among its acknowledged writes */
	u64 acked;		/* writes acknowledged in it */
	u64 parent_acked;	/* of the parent when it forked */
	bool stale;		/* forked from content that lacked acknowledged writes */
	bool untold;		/* no generation can tell of what it lacks (docs/reliability.md) */
	bool gone;		/* with the disk that had it */
	bool untracked;		/* that is so since nobody made a generation for it */
	u64 forked;		/* when */
};

struct sim_options {
	u64 seed;
	u32 actions;		/* of the administrator and of fate */
	bool trace;
};

struct sim_result {
	bool failed;
	char what[512];
	u64 steps, ms;
	u32 writes, reads, flushes, crashes, cuts, syncs, full_syncs, split_brains, forced, jobs;
	u32 verifies, verified;	/* begun; blocks compared */
	u32 pauses, torn, no_memory;	/* nodes that stood still; metadata blocks; receivers */
	u32 odd;		/* commands that a reasonable administrator would not type */
	u32 turns;		/* resyncs that had to wait for their turn */
	u32 forks, resyncs_done, sessions, negotiations, errors, superseded, retried, fenced, resent;
	char *trace;		/* malloc()ed */
};

struct world {
	struct sim_options opt;
	struct sim_result r;
	jmp_buf out;
	u64 rng;
	u64 now;
	u64 count;		/* of events that must be ordered */
	struct slot *pool;
	u32 n_pool, max_pool;
	u32 weight[NODES][ACTORS];

	/* shape of this seed */
	u64 sectors;
	u32 slots, al_slots;
	u8 format;
	bool fresh;		/* disks as create-md leaves them */
	bool external_md;
	bool io_errors;
	bool reckless;		/* the administrator may promote a node that lacks data */
	bool dual;		/* allow-two-primaries, and both are */
	bool diskless;		/* a Primary may lose its disk and go on with the peer's */
	u8 protocol, fencing, on_congestion, on_no_data;
	u32 latency, net_delay, stream_cap, keep;
	u32 spots;		/* addresses the application likes */
	u32 spot[64];

	struct disk disk[NODES];
	u32 *touched;		/* units that a write was submitted for: all others are as they were made */
	u32 n_touched;
	bool *is_touched;
	u32 n_differ;		/* units that are not the same on both disks */
	struct host *host[NODES];	/* NULL: powered off */
	bool cut[NODES];	/* nothing leaves this node */
	struct session *sessions;
	bool connect_pending;

	struct op **ops;	/* by version */
	u32 n_ops, max_ops;
	u32 n_durable;		/* operations before it are durable, or never will be */
	struct branch branch[BRANCHES];
	u8 on_branch[NODES];	/* of the content of the disk */
	bool lost_cache[NODES];	/* it crashed and lost acknowledged writes that its peer has */
	bool lost_any[NODES];	/* ... anything: acks of it may still be under way */
	bool lost_followed[NODES];	/* ... when its peer could have to follow it */
	u64 *lost_at[NODES];	/* per unit: the crash of this node that took it, 0 = it is whole */
	u64 *durable[NODES];	/* per unit: newest submission that a flush of this node covered */
	bool forced[NODES];	/* made good by command, after a disk error */
	bool split_reported[NODES];
	bool unrelated;		/* a node has said that the data are unrelated: only a person can go on */
	bool unchecked;		/* more was lost than is modelled: no check of content any more */

	/* administrator */
	u32 left;
	bool client_on[NODES];
	u32 eager[NODES];	/* operations that the application has for this action */
	bool closing;		/* faults are over: all must settle */
	u64 closing_since;
	bool discard_allowed[NODES];
	int victim;		/* whose data is discarded at the next split brain */
	u64 up_at[NODES];
	FILE *trace;
	size_t trace_size;
};

extern __thread struct world *W;

/* world.c */
void violated(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void write_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#define note(...)                                                              \
	do {                                                                   \
		if (W->trace)                                                  \
			write_note(__VA_ARGS__);                               \
	} while (0)
u64 rnd(void);
u32 below(u32 n);
bool chance(u32 percent);
bool permille(u32 n);
void item_add(struct item *it, struct host *h, u64 delay, void (*fn)(struct item *));
void item_del(struct item *it);
static inline u64 now_ms(void)
{
	return W->now / MS;
}

/* admin.c */
void crash_node(int n);

/* host.c */
struct host *host_start(int id);
void host_crash(struct host *h);
void host_end(struct host *h);
void *host_alloc(struct host *h, size_t size);
void host_free(void *p);
void post(struct host *h, struct event *e);
bool worker_ready(struct host *h);
void worker_run(struct host *h);
void job_run(struct host *h, struct job *job, void (*then)(struct job *));
struct job *job_new(struct host *h, u8 type);

/* disk.c */
void disk_init(struct disk *d);
void disk_free(struct disk *d);
void disk_crash(struct host *h);
struct io *io_new(struct host *h, u8 kind, void *owner, void (*done)(struct io *, int));
void io_submit(struct host *h, struct io *io);
void disk_create_md(struct disk *d, int node, u64 uuid, bool up_to_date);
void disk_apply_al(struct disk *d);
bool disk_bit(const struct disk *d, u64 block, u32 slot);
bool backing_get(struct host *h);
void backing_put(struct host *h);
void backing_close_when_idle(struct host *h);
void attach_install(struct host *h, struct core_attach *a);
bool md_ready(struct host *h);
void md_run(struct host *h);
bool bitmap_ready(struct host *h);
void bitmap_run(struct host *h);
bool set_bits_ready(struct host *h);
void set_bits_run(struct host *h);
bool al_begin(struct host *h);
bool al_ready(const struct host *h);
bool al_run(struct host *h);
void bits_set_range(struct host *h, u64 sector, u32 size);

/* submit.c */
void submit_op(struct host *h, struct op *op);
void submit_kick(struct host *h);
bool submit_ready(struct host *h);
void submit_run(struct host *h);
void request_grab(struct request *r, u32 what);
void request_act(struct request *r, u32 what);
void request_put(struct request *r);
void range_end(struct host *h, struct io_range *r);
void ranges_granted(struct host *h, struct core_node *granted);
bool retire_ready(struct host *h);
void retire_run(struct host *h);
void check_drains(struct host *h);
struct sink {
	struct log_sink core;
	struct core_node list;
	u32 what;
};
void sink_init(struct sink *s);
void sink_run(struct host *h, struct sink *s);

/* link.c */
bool receiver_ready(struct host *h);
void receiver_run(struct host *h);
bool sender_ready(struct host *h);
void sender_run(struct host *h);
bool ack_in_ready(struct host *h);
void ack_in_run(struct host *h);
bool ack_out_ready(struct host *h);
void ack_out_run(struct host *h);
void sender_kick(struct host *h);
void link_failed(struct host *h, u8 reason);
void link_shutdown(struct host *h);
void ack_queue(struct host *h, u16 cmd, u16 vnr, const void *body, u32 len);
void ack_block(struct host *h, u16 cmd, u64 sector, u32 size, u64 block_id);
void sessions_connect(void);
void session_node_died(struct host *h);
void sessions_free(void);
u64 session_next_arrival(void);
void link_tick(struct host *h);
bool stream_idle(void);

/* peer.c */
int recv_data(struct host *h, const struct packet_header *hdr, const struct wire_data *d,
	      const struct pkt *p);
int recv_rs_reply(struct host *h, const struct wire_data *d, const struct pkt *p);
int recv_read_reply(struct host *h, const struct wire_data *d, const struct pkt *p);
struct preq *preq_new(struct host *h, u64 sector, u32 size, u8 kind);
void preq_free(struct preq *pr);
void preq_ack(struct preq *pr, u16 cmd, u64 block_id);
struct preq *preq_take(struct core_node *list, u64 sector, u32 size);
void preq_release(struct preq *pr);
enum range_result preq_reserve(struct preq *pr, struct io_range *r, u8 cls);
void preq_read(struct preq *pr);
void preq_acked(struct preq *pr);
int recv_read_request(struct host *h, const struct wire_block *b, u8 kind);
bool peer_barrier(struct host *h, u32 number);
void peer_writes_cold_done(struct host *h, int error);
bool peer_writes_cold_step(struct host *h);
void peer_writes_forget(struct host *h);
void peer_writes_give_up(struct host *h);
void peer_write_dropped(struct preq *pr);
bool epoch_ready(struct host *h);
void epoch_run(struct host *h);
/* verify.c */
void ov_start(struct host *h, u64 start, u64 stop);
void ov_stop(struct host *h);
bool ov_step(struct host *h);
void ov_request(struct host *h, const struct wire_block *b);
void ov_reply(struct host *h, const struct wire_block *b, u64 digest);
void ov_result(struct host *h, const struct wire_block *b);
bool ov_refused(struct host *h, const struct wire_block *b);
void ov_answer(struct preq *pr, int error);
void ov_compare(struct preq *pr, int error);

void rs_start(struct host *h);
void rs_stop(struct host *h);
bool rs_step(struct host *h);
void rs_cancel_all(struct host *h);
int rs_answer(struct host *h, u16 cmd, const struct wire_block *b);
void rs_range_granted(struct preq *pr, struct io_range *r);
void reply_sent(struct preq *pr);

/* world's people: admin.c */
void admin_start(void);
void admin_job_done(struct job *job);
void client_done(struct op *op, int error);
bool settled(void);

/* check.c */
void oracle_init(void);
void oracle_free(void);
void oracle_submit(struct op *op);
void oracle_done(struct op *op);
void oracle_crash(struct host *h);
void oracle_borrow(int node);
void oracle_alone(int node);
void oracle_disk_failed(int node);
void oracle_promote(int node);
void oracle_parted(int node);
bool oracle_complete(int node);
void oracle_sync_start(int target);
void oracle_sync_end(int target);
void oracle_established(int node);
void oracle_local_write(struct host *h, u64 sector, u32 size);
void oracle_al_written(struct host *h);
void check_step(void);
void disk_set(struct disk *d, u32 unit, ver v);
void check_equal(const char *when);
void check_marked(void);

#endif
