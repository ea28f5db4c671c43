/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control half of core: what a resource knows about itself and its peers,
 * and the events and actions through which it meets the rest of the world.
 *
 * One struct core_resource is stepped only by the worker of that resource:
 * core_step(resource, event) fills an ordered list of actions, which the
 * worker executes one after the other; none of them sleeps. Nothing in here
 * locks, allocates, reads a clock or draws a random number: memory comes from
 * the caller, time and entropy with each step.
 *
 * Every object has its state twice: `now` is what the world has been told,
 * `next` is what a handler wants. change_commit() (state/effects.c) sanitises
 * `next`, emits the actions that the difference demands, and copies.
 */
#ifndef CORE_STATE_MODEL_H
#define CORE_STATE_MODEL_H

#include "../base.h"
#include "../nl_types.h"
#include "../wire/control.h"
#include "../disk/superblock.h"
#include "../data/plan.h"
#include "board.h"

/* actions that one step can need, for a resource with this many volumes */
#define CORE_ACTIONS_FOR(volumes)	(48 + 24 * (volumes))
#define CORE_PACKET_BODY_MAX	160
#define CORE_TEXT_MAX		320	/* a sentence for the administrator, bytes */

/* connected, no replication yet: the number that both kinds of state share */
#define REPL_OFF	CONN_CONNECTED

/* behaviour.md 2.5: what a state change, and so a job, answers. */
enum core_result {
	RES_CW_NO_NEED = 4, RES_CW_SUCCESS = 3, RES_NOTHING_TO_DO = 2,
	RES_SUCCESS = 1, RES_PENDING = 0, RES_TWO_PRIMARIES = -1,
	RES_NO_UP_TO_DATE_DISK = -2, RES_NO_LOCAL_DISK = -4,
	RES_NO_REMOTE_DISK = -5, RES_CONNECTED_OUTDATES = -6,
	RES_PRIMARY_NOP = -7, RES_RESYNC_RUNNING = -8,
	RES_ALREADY_STANDALONE = -9, RES_CW_FAILED_BY_PEER = -10,
	RES_IS_DISKLESS = -11, RES_DEVICE_IN_USE = -12, RES_NO_NET_CONFIG = -13,
	RES_NO_VERIFY_ALG = -14, RES_NEED_CONNECTION = -15,
	RES_LOWER_THAN_OUTDATED = -16, RES_NOT_SUPPORTED = -17,
	RES_IN_TRANSIENT_STATE = -18, RES_CONCURRENT_ST_CHG = -19,
	RES_O_VOL_PEER_PRI = -20, RES_INTERRUPTED = -21, RES_TIMEOUT = -23,
	RES_WEAKLY_CONNECTED = -24,
};

struct core_resource;
struct core_connection;
struct core_device;
struct core_peer_device;

/* --- what a handler may wish to change ------------------------------------ */

struct core_resource_state {
	u8 role;		/* enum drbd_role */
	bool susp_user;		/* suspend-io by the administrator */
	bool susp_nod;		/* on-no-data-accessible=suspend-io hit */
	bool susp_fen;		/* a fence-peer handler must finish first */
};

struct core_connection_state {
	u8 cstate;		/* enum drbd_conn_state */
	u8 peer_role;		/* enum drbd_role */
};

struct core_device_state {
	u8 disk;		/* enum drbd_disk_state */
	bool gen_pending;	/* a new generation must be stable before the next write */
};

struct core_peer_device_state {
	u8 repl;		/* enum drbd_conn_state, REPL_OFF = CONN_CONNECTED */
	u8 pdsk;		/* enum drbd_disk_state */
	bool user_isp;		/* paused by pause-sync here */
	bool peer_isp;		/* paused by the peer */
	bool aftr_isp;		/* paused by a resync-after dependency */
};

/* --- objects --------------------------------------------------------------- */

/* Where a resync stands between "decided" and "running" (behaviour.md 14.2). */
enum core_sync_phase {
	SYNC_NONE = 0,
	SYNC_BITMAP,		/* bitmaps are travelling */
	SYNC_SET_ALL,		/* full sync: all bits are being set and written first */
	SYNC_HELPER,		/* before-resync-* runs */
	SYNC_WRITE,		/* the bitmap is being written */
	SYNC_MD,		/* the new identifiers are being written */
	SYNC_NOTICES,		/* source: writes that are notices must be told before SyncUUID */
	SYNC_WAIT_UUID,		/* target below 110: SyncUUID must come */
	SYNC_AHEAD,		/* source: until the peer has confirmed what it was sent */
	SYNC_AHEAD_WAIT,	/* ... and for a while then */
	SYNC_RUN,
	SYNC_FINISH_PING,	/* the peer must be alive before anybody is UpToDate */
	SYNC_FINISH_MD,
	SYNC_VERIFY,		/* sync_source: we are VerifyS */
	SYNC_VERIFY_PING,	/* VerifyS: all results must be with the peer */
};

/* What the last comparison with a peer came to, and from what: for `drbdadm explain`. */
struct core_explanation {
	bool known;
	s16 decision;			/* enum core_decision */
	u16 rule;			/* row of behaviour.md 9.1 */
	u8 verdict;			/* enum core_verdict */
	bool full;
	u8 role, peer_role, disk, pdsk;
	struct wire_uuids self, peer;	/* as they were shown */
	const char *why;		/* constant text */
	u64 at_ms;
};

struct core_peer_device {
	struct core_connection *conn;
	struct core_device *dev;
	struct core_peer_device *next_of_conn;
	struct core_peer_device *next_of_dev;
	void *glue;

	struct core_peer_device_state now, next;
	struct nl_peer_device_opts conf;

	/* handshake: what this connection has told us so far */
	bool got_sizes, got_uuids, got_state;
	bool uuids_are_new;		/* came since the last decision */
	bool uuids_answer;		/* came since our disk negotiates */
	bool decided;			/* the first State was acted upon */
	u64 dirty_bits;			/* weight of the slot; glue refreshes it before each step */
	struct wire_uuids peer_uuids;
	struct wire_uuids sent_uuids;
	u8 shown_role;			/* in the last State */
	struct wire_sizes peer_sizes;

	enum core_sync_phase sync;
	bool sync_source;		/* direction of `sync` */
	bool full_sync;
	bool exchange;			/* bitmaps travel; not so after invalidate or a growth */
	bool sizes_wait;		/* peer_sizes has not been acted upon: we are resizing */
	bool sizes_work;		/* ... that is what we are resizing for */
	bool bitmap_received;
	bool helper_started, helper_done;
	u64 sync_uuid;
	u8 skip;			/* enum in newgen.c */
	u64 early_sync_uuid;		/* came before this target was ready for it; 0 = none */
	u32 sync_md_gen;		/* SYNC_MD, SYNC_FINISH_MD: generation of the superblock waited for */
	u32 finish_ping;		/* SYNC_FINISH_PING: see ping_target() */
	u64 rs_failed;			/* blocks that could not be resynced */
	bool peer_is_behind;		/* SYNC_AHEAD: it has said so */
	u64 wake_ms;			/* SYNC_AHEAD, SYNC_AHEAD_WAIT: absolute */
	u64 ov_found;			/* blocks that a verify has found to differ */
	u8 repair;			/* enum in verify.c */
	bool use_csums;			/* as target: ask with checksums */
	s32 helper_status;		/* of the last before-resync helper */
	bool refused;			/* the peer could not write: such legs are held */
	u64 refused_until_ms;		/* it must have said by then what became of its disk */
	struct core_explanation explained;
};

/* An administrator's own request to the peer below 110 (behaviour.md 4.1). */
struct core_request84 {
	struct core_job *job;		/* whose; NULL = none is out */
	bool answered;
	bool abandoned;			/* its job was given up; the reply is still to come */
	s32 reply;
};

enum core_link_phase {
	LINK_DOWN = 0,		/* no socket, or not through the greeting yet */
	LINK_HANDSHAKE,		/* sets of packets are exchanged */
	LINK_UP,
	LINK_DRAINING,		/* the receiver takes the connection down */
	LINK_RESOLVING,		/* drained; legs wait for a stable generation */
};

struct core_connection {
	struct core_resource *res;
	struct core_connection *next;
	struct core_peer_device *pds;
	void *glue;
	u8 peer_node_id;
	u8 index;			/* place in the transfer log and in plans */

	struct core_connection_state now, next_state;
	struct nl_net_conf conf;

	enum core_link_phase link;
	struct wire_link wire;		/* what was agreed; for the encoders */
	bool resolve_conflicts;		/* we accepted the meta socket */
	bool discard_my_data;		/* of this connect */
	bool want_standalone;		/* do not try again */
	bool receiver_runs;
	const char *given_up;		/* why it is not tried again: constant text, NULL = it is */
	u32 ping_sent, ping_acked;	/* sequence numbers; equal: none outstanding */
	bool ping_again;
	struct core_request84 req;
	bool agreed;			/* to the promotion that is being made stable */
	bool legs_held;			/* of the last link, while I/O is frozen for fencing */
	u32 outage;			/* counts link losses: a fence result counts for its own only */
	u32 fence_outage;		/* the one that fence-peer was called for */
	bool fence_runs, fence_answered;
	s32 fence_status;
	bool fence_ok;			/* the peer is known to be outdated since: go on without it */
	bool unfenced;			/* all is UpToDate at both ends, and unfence-peer was told */
	u64 held_mask;			/* volumes 0..63 that had undone entries when the link broke */
	bool go_on_due;			/* the receiver waits for us */
};

struct core_device {
	struct core_resource *res;
	struct core_device *next;
	struct core_peer_device *pds;
	void *glue;
	u32 minor;
	u32 vnr;

	struct core_device_state now, next_state;
	struct nl_disk_conf conf;
	struct io_plan plan;		/* the newest one; each ACT_PLAN has the one of its time */

	struct md_superblock md;	/* valid while disk > DISKLESS */
	u64 d_size;			/* sectors that the backing device offers for data */
	u64 offer;			/* ... with the metadata moved to its present end;
					 * glue refreshes it before each step */
	u64 size;			/* sectors of /dev/drbdN */
	u64 exposed_uuid;		/* generation that the application has seen */
	bool parted_as_primary;		/* this node was Primary when the last peer went */
	bool backing_discard;
	u32 backing_max_bio;		/* bytes */
	bool crashed_primary;
	bool served;			/* a Primary without disk wrote here: PRIMARY_IND stays
					 * until the bits of its writes are on the disk */
	bool served_ending;		/* they are being written */

	bool gen_wanted;		/* somebody waits for the pending generation */
	bool gen_writing;
	u32 gen_md;			/* superblock generation that makes it stable */

	u32 md_gen;			/* counts requested superblock writes */
	u32 md_stable;			/* newest one known to be on the disk */
	u32 md_failed;			/* newest one known to have failed */

	bool gate_shut;			/* a job has asked for writes to drain */
	bool drained;			/* answer to ACT_DRAIN */
	bool bitmap_written;		/* all that was dirty at the last write_bitmap() is on the disk */
	bool bitmap_writing, bitmap_again; /* ACT_WRITE_BITMAP is out; another must follow it */
	bool bits_set, bits_ok;		/* answer to ACT_SET_ALL_BITS, ACT_CLEAR_ALL_BITS of all slots */
	bool told_fresh;		/* our administrator has skipped the initial sync */
	bool openers_known;		/* answer to ACT_BLOCK_OPENS */
	u32 openers;
	u32 job_md_gen;			/* superblock a job waits for */

	bool disk_error;		/* an I/O error waits to be acted upon */
	bool md_error;			/* ... of metadata: the disk cannot stay */
	bool helper_started, helper_done; /* local-io-error */
	bool resolve_due;		/* held local legs end when error_md_gen is settled */
	u32 error_md_gen;
	u8 close_phase;			/* enum in attach.c */
	bool must_wait;			/* resync-after: another device goes first; glue refreshes
					 * it before each step */
	bool resizing;			/* ACT_RESIZE is out */
	bool resized_ok;		/* how the last one ended */
	s32 resize_code;
	u16 resize_flags;		/* enum dds_flag of it */
	bool grown;			/* by our administrator: the peer's answer starts the resync */
	bool leaves_clean;		/* the last superblock of a detach: nothing is in flight */
};

/* --- jobs ------------------------------------------------------------------ */

enum core_job_type {
	JOB_NONE = 0,
	JOB_ADD_DEVICE, JOB_DEL_DEVICE, JOB_ADD_CONNECTION, JOB_DEL_CONNECTION,
	JOB_RES_OPTS, JOB_NET_CONF, JOB_DISK_CONF, JOB_PEER_DEVICE_CONF,
	JOB_ATTACH, JOB_DETACH, JOB_CONNECT, JOB_DISCONNECT, JOB_PRIMARY,
	JOB_SECONDARY, JOB_INVALIDATE, JOB_INVALIDATE_PEER, JOB_OUTDATE,
	JOB_PAUSE_SYNC, JOB_RESUME_SYNC, JOB_SUSPEND_IO, JOB_RESUME_IO,
	JOB_VERIFY, JOB_NEW_GENERATION, JOB_RESIZE,
	JOB_TYPES
};

/*
 * What JOB_ATTACH brings along: the requester has opened the devices, read and
 * decoded the superblock, and read the bitmap into memory.
 */
struct core_attach {
	struct nl_disk_conf conf;
	struct md_superblock md;
	u64 d_size;		/* sectors usable for data */
	u32 max_bio;		/* bytes */
	bool discard;
};

/* A request that sleeps until the loop has answered it. Lives with the requester. */
struct core_job {
	u8 type;			/* enum core_job_type */
	u8 phase;			/* private to the job's function; 0 at first */
	u8 tries;
	u8 waits;			/* JOB_PRIMARY: for a peer in the middle of a comparison */
	bool force;
	bool together;			/* JOB_NEW_GENERATION, private: the peer takes it over */
	bool flag;			/* JOB_CONNECT: discard_my_data; JOB_INVALIDATE(_PEER):
					 * only what is marked already; JOB_RESIZE: assume clean;
					 * JOB_VERIFY: copy what differs */
	bool cancel;			/* set by the loop on EV_JOB_CANCEL */
	bool force_disk;		/* JOB_PRIMARY --force: local disk is to be called UpToDate */
	bool fenced;			/* JOB_PRIMARY: fence-peer was called */
	bool trust_disk;		/* ... and said that a Consistent disk is the newest */
	bool force_split;		/* ... and failed, but --force: call the peer outdated */
	u8 outdate;			/* JOB_DISCONNECT: enum in link.c */
	u32 asked;			/* volumes that have agreed so far */
	s32 peer_code;			/* why the peer refused */
	u64 start, stop;		/* JOB_VERIFY: sectors; JOB_RESIZE: start is the size, 0 = all */
	struct core_resource *res;
	struct core_connection *conn;
	struct core_device *dev;
	struct core_peer_device *pd;
	union {
		struct core_attach *attach;
		const struct nl_resource_opts *res_opts;
		const struct nl_net_conf *net_conf;
		const struct nl_disk_conf *disk_conf;
		const struct nl_peer_device_opts *pd_conf;
	} arg;
	s32 result;			/* enum core_result > 0 or <= 0, or an ERR_ code >= 100 */
	char text[CORE_TEXT_MAX];	/* one sentence for the administrator, or "" */
	u64 wake_ms;			/* absolute; 0 = no timer */
	struct core_job *next;
	void *glue;
};

/* --- events ---------------------------------------------------------------- */

enum core_event_type {
	EV_NOTHING = 0,
	EV_JOB,			/* job: start */
	EV_JOB_CANCEL,		/* job: the requester was interrupted */
	EV_LINK_UP,		/* conn: sockets, features, authentication and Protocol are done */
	EV_LINK_DOWN,		/* conn: reason = enum drbd_conn_state */
	EV_LINK_DRAINED,	/* conn: the receiver has finished 9.5 of wire.md; held_mask */
	EV_RECEIVER_EXIT,	/* conn: the receiver thread has ended */
	EV_SYNC_PARAM, EV_PROTOCOL_UPDATE, EV_SIZES, EV_UUIDS, EV_STATE,
	EV_SYNC_UUID, EV_STATE_CHG_REQ, EV_STATE_CHG_REPLY,
	EV_PING_ACK,		/* conn */
	EV_BITMAP_RECEIVED,	/* pd: the peer's bitmap is merged; the receiver waits */
	EV_BITMAP_WRITTEN,	/* dev, ok */
	EV_BITS_SET,		/* dev, pd: ACT_SET_ALL_BITS is done and on the disk, ok */
	EV_RESYNC_DONE,		/* pd: nothing set, nothing in flight; rs_failed */
	EV_VERIFY_DONE,		/* pd: all blocks have their result; found */
	EV_HELPER_DONE,		/* dev, pd or conn, status */
	EV_MD_WRITTEN,		/* dev, md_gen, ok */
	EV_DRAINED,		/* dev: no write open, every entry of the log done */
	EV_OPENERS,		/* dev: answer to ACT_BLOCK_OPENS */
	EV_GENERATION_NEEDED,	/* dev: a write was parked for it */
	EV_DISK_ERROR,		/* dev: flag = metadata I/O */
	EV_WRITE_REFUSED,	/* pd: NegAck of a write */
	EV_DISK_CLOSED,		/* dev */
	EV_RESIZED,		/* dev, ok, resized */
	EV_CONGESTED,		/* pd: a write has reached a limit of its plan */
	EV_LOG_FULL,		/* pd: what this peer owes fills the log, writes wait */
	EV_TIMER,
	EV_TYPES
};

struct core_event {
	u8 type;
	bool ok;
	bool flag;
	struct core_job *job;
	struct core_connection *conn;
	struct core_device *dev;
	struct core_peer_device *pd;
	union {
		struct {
			struct wire_link wire;
			bool resolve_conflicts;
		} link;
		struct {
			u8 reason;	/* enum drbd_conn_state */
		} down;
		struct wire_sizes sizes;
		struct wire_uuids uuids;
		struct wire_sync_param sync_param;
		struct wire_protocol protocol;
		struct wire_state state;
		u64 uuid;
		struct wire_state_req chg_req;	/* flag: connection wide */
		s32 reply;
		u32 md_gen;
		u64 held_mask;
		u64 rs_failed;
		u64 found;
		s32 status;
		u32 openers;
		struct {
			u64 size, d_size;
			s32 code;	/* ERR_, if it is not ok */
		} resized;
	};
};

/* --- actions ---------------------------------------------------------------- */

enum core_action_type {
	ACT_NONE = 0,
	ACT_PLAN,		/* dev: publish plan at a position P, close the epoch */
	ACT_SEND,		/* conn, packet: at the present position of the log (data stream) */
	ACT_SEND_META,		/* conn, packet: meta stream */
	ACT_PING,		/* conn: answer EV_PING_ACK */
	ACT_GO_ON,		/* conn: the receiver may read the next packet */
	ACT_START_RECEIVER,	/* conn */
	ACT_STOP_RECEIVER,	/* conn: stop for good; answer EV_RECEIVER_EXIT */
	ACT_DROP_LINK,		/* conn: shut both sockets down; the receiver drains: EV_LINK_DRAINED */
	ACT_RESOLVE_LOST,	/* conn: legs held for this peer end as lost */
	ACT_RESOLVE_RESEND,	/* conn: legs held for this peer are sent again, it is back */
	ACT_RESOLVE_DISK,	/* dev: legs held for the local disk end as lost */
	ACT_RELEASE,		/* dev: completions that the plan held back are decided again */
	ACT_RECONNECT,		/* conn: the drained receiver may try again, after delay_ms */
	ACT_MARK_UNDONE,	/* pd: every undone entry of the log is set in the slot */
	ACT_SEND_BITMAP,	/* pd: slot locked against clearing, streamed from P */
	ACT_SET_ALL_BITS,	/* dev, pd: its slot, without pd all slots, set and written; EV_BITS_SET */
	ACT_CLEAR_ALL_BITS,	/* dev: all slots, cleared and written; EV_BITS_SET */
	ACT_START_RESYNC,	/* pd: begin counting; as target begin requesting */
	ACT_STOP_RESYNC,	/* pd: no further requests; those in flight end */
	ACT_START_VERIFY,	/* pd: count, and as VerifyS ask for [sectors, stop) */
	ACT_STOP_VERIFY,	/* pd: tell what was found; no further requests */
	ACT_WRITE_MD,		/* dev, md_gen: capture dev->md, write it; EV_MD_WRITTEN */
	ACT_WRITE_BITMAP,	/* dev: write dirty pages; EV_BITMAP_WRITTEN */
	ACT_SET_SIZE,		/* dev, sectors: capacity of the block device and the bitmap */
	ACT_RESIZE,		/* dev, sectors, stop: metadata for so many sectors, bits from
				 * stop on set; all of it on the disk; EV_RESIZED */
	ACT_DRAIN,		/* dev: EV_DRAINED when no write is open and the log is done */
	ACT_BLOCK_OPENS,	/* dev: refuse opens for writing from here on; EV_OPENERS */
	ACT_ALLOW_OPENS,	/* dev */
	ACT_CLOSE_DISK,		/* dev: when idle, close the backing device; EV_DISK_CLOSED */
	ACT_HELPER,		/* dev, pd or conn: run a user program; EV_HELPER_DONE */
	ACT_NOTIFY,		/* state of the objects changed: tell user space */
	ACT_UEVENT,		/* dev: block device changed */
	ACT_LOG,		/* text, already complete */
	ACT_JOB_DONE,		/* job */
};

enum core_helper {
	HELPER_NONE = 0, HELPER_BEFORE_RESYNC_TARGET, HELPER_AFTER_RESYNC_TARGET,
	HELPER_BEFORE_RESYNC_SOURCE, HELPER_LOCAL_IO_ERROR, HELPER_SPLIT_BRAIN,
	HELPER_INITIAL_SPLIT_BRAIN, HELPER_PRI_ON_INCON_DEGR, HELPER_PRI_LOST, HELPER_OUT_OF_SYNC,
	HELPER_FENCE_PEER, HELPER_UNFENCE_PEER,
	HELPERS
};

struct core_packet {
	u16 cmd;		/* packet.h */
	u16 len;		/* of body, bytes */
	u16 vnr;		/* 0 for connection packets of the 8.4 dialect */
	u8 body[CORE_PACKET_BODY_MAX];
};

struct core_action {
	u8 type;		/* enum core_action_type */
	u8 helper;
	bool wait;		/* ACT_HELPER: an answer is expected */
	struct core_connection *conn;
	struct core_device *dev;
	struct core_peer_device *pd;
	struct core_job *job;
	u32 md_gen;
	u32 delay_ms;
	u64 sectors, stop;
	union {
		struct core_packet packet;
		char text[192];
		struct io_plan plan;
	};
};

struct core_resource {
	const char *name;
	u8 node_id;
	void *glue;
	struct nl_resource_opts opts;

	struct core_resource_state now, next;
	struct core_device *devices;
	struct core_connection *connections;
	struct core_job *jobs;		/* running, oldest first */

	bool promoting;			/* consent is there, superblocks are being written */

	u64 now_ms;			/* of this step */
	u64 rng;
	u64 wake_ms;			/* earliest deadline, 0 = none: glue arms one timer */

	/* room for CORE_ACTIONS_FOR(volumes), from glue before JOB_ADD_DEVICE */
	struct core_action *actions;
	u32 max_actions;
	u32 nr_actions;
};

/* step.c */
void core_resource_init(struct core_resource *res, const char *name, u8 node_id,
			const struct nl_resource_opts *opts, u64 entropy);
void core_device_init(struct core_device *dev, struct core_resource *res, u32 minor, u32 vnr);
void core_connection_init(struct core_connection *conn, struct core_resource *res,
			  u8 peer_node_id, const struct nl_net_conf *conf);
void core_peer_device_init(struct core_peer_device *pd, struct core_connection *conn,
			   struct core_device *dev);
/**
 * core_step() - act on one event
 * @res:	the resource; its worker is the only caller
 * @ev:		what happened; not kept, but ev->job is until ACT_JOB_DONE
 * @now_ms:	monotonic time
 * @entropy:	64 fresh random bits
 *
 * On return res->actions[0 .. res->nr_actions) are to be executed in order
 * before the next call. res->wake_ms is when an EV_TIMER is due.
 */
void core_step(struct core_resource *res, const struct core_event *ev, u64 now_ms, u64 entropy);

/* generation.c: the superblock between its form on the disk and dev->md */
void core_md_from_disk(struct core_device *dev, struct md_superblock *md);
void core_md_to_disk(const struct core_device *dev, struct md_superblock *md);

/* sync.c: what the other devices of this node see of it */
void core_board_entry(const struct core_device *dev, struct board_entry *e);

/* size.c: sectors of a device that is attached before any peer was heard */
u64 core_size_at_attach(const struct core_attach *attach);

/* names.c: shown to users, as in /proc/drbd of 8.4 (which = false) or by the tools of 9 */
const char *core_role_name(u8 role);
const char *core_disk_name(u8 disk);
const char *core_conn_name(u8 cstate);
const char *core_repl_name(u8 repl);
/* the combined field of 8.4 (behaviour.md 2.2) with the names of 8.4 */
const char *core_conn84_name(u8 cstate, u8 repl);
const char *core_result_text(s32 result);
const char *core_helper_name(u8 helper);

#endif
