/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * data/log.h - the transfer log of a resource: one order for writes, remote
 * reads, flushes and markers of all its devices.
 *
 * A bounded ring of entries with 64-bit positions. The position is the block_id
 * on the wire; an ack is looked up by index and checked, no pointer from a peer
 * is ever followed. Entering chooses the legs by the device's current plan;
 * publishing a plan is done under the same lock, so every plan change is a
 * position: entries before it have the old legs, from it on the new ones.
 *
 * LOCK: every function here, without exception, is called under the resource's
 * log lock (spinning, interrupts off). None of them calls back except through
 * struct log_sink, which must only queue. Bios are completed after unlocking.
 *
 * Contract with glue about life times: an entry's owner must stay valid until
 * drbd_log_retire_commit() has taken the entry off. While an entry is with a
 * sender (between drbd_log_next() and drbd_log_sent()) it neither completes nor
 * retires.
 *
 * Specification: DESIGN 2.2, 3.1; behaviour.md 11, 12; wire.md 6.
 */
#ifndef DRBD_CORE_DATA_LOG_H
#define DRBD_CORE_DATA_LOG_H

#include "../base.h"
#include "extent.h"
#include "plan.h"
#include "request.h"

#define LOG_LEGS (CORE_MAX_PEERS + 1)	/* [0] is the local disk, [1 + peer] a peer */
#define LOG_MAX_EPOCH_DEFAULT 2048u
#define LOG_LAZY_EPOCH_MS 100u
#define LOG_MARKER_RESERVE 64u	/* entries that only markers may use */

enum log_kind {
	LOG_FREE = 0,
	LOG_WRITE,
	LOG_READ,		/* from a peer; local reads do not enter */
	LOG_FLUSH,		/* an empty flush of the application */
	LOG_MARKER,		/* a control packet of core's, for some connections */
};

enum log_op {
	LOG_OP_DATA,
	LOG_OP_DISCARD,
	LOG_OP_ZEROES,		/* write zeroes; with LOG_F_UNMAP it may unmap */
};

enum log_flag {
	LOG_F_SYNC = 1,
	LOG_F_FUA = 2,
	LOG_F_PREFLUSH = 4,
	LOG_F_UNMAP = 8,
	LOG_F_COMPLETED = 16,	/* owner was told */
	LOG_F_PAGES_FREE = 32,	/* owner was told that pages are free */
	LOG_F_HELD_BACK = 64,	/* could complete, but the plan says not yet */
	LOG_F_REMAKING = 128,	/* stays until drbd_log_remade() */
};

/* One device as the log sees it; embedded in glue's device. */
struct log_device {
	const struct io_plan *plan;	/* current; set by drbd_log_publish() */
	u16 volume;
	u32 in_flight;		/* entries of this device that are not completed */
};

struct log_entry {
	u64 position;
	u64 sector;
	u64 dagtag;		/* after this write */
	u64 started;		/* caller's time at entering, ms */
	u64 sent;		/* when it was last given to a sender, ms; 0 = never */
	struct log_device *dev;	/* NULL for markers without a device */
	void *owner;		/* glue's request or marker */
	u32 size;		/* bytes */
	u32 epoch;
	u32 pending, undone, pages, again; /* legs by trait; bit = index into leg[] */
	s16 error;		/* first bad result, negative errno */
	u8 kind, op, flags;
	u8 leg[LOG_LEGS];	/* enum leg_state */
	u8 attr[LOG_LEGS];	/* enum leg_attr */
};

/* One connection's place in the log. */
struct log_conn {
	bool attached;		/* entries may have legs to it */
	bool dagtags;		/* version >= 110: announce gaps */
	u64 cursor;		/* next entry to look at for sending */
	u64 done;		/* all entries before it are done at this peer */
	u64 dagtag;		/* last dagtag the peer can derive */
	bool dagtag_known;
	/* the epoch being sent */
	u32 epoch;
	u32 epoch_writes;	/* sent in it; 0 = no barrier owed */
	u32 barriers_unacked;
	/* For ko-count: since when a barrier is unanswered, ms, or a later time;
	 * 0 = none is. And when the newest one was sent. */
	u64 barrier_sent_at, barrier_last_at;
	bool decided_by_peer;	/* it has superseded a write, or wanted it again */
	bool gave_up;		/* epochs up to this one are not waited for any more */
	u32 gave_up_epoch;
	u64 in_flight_sectors;	/* data sent or queued, not acked (congestion) */
	u64 sent_sectors;	/* statistics */
};

enum log_epoch_mode {
	LOG_EPOCH_LAZY,		/* stays open while all data legs are protocol C */
	LOG_EPOCH_PER_COMPLETION,	/* closed at each completion, for comparison */
};

struct xfer_log {
	struct log_entry *ring;
	u32 size;		/* entries, power of two */
	u64 head;		/* next position; positions start at 1 */
	u64 tail;		/* oldest entry in the log */
	u64 dagtag;		/* sectors written by this node */
	u32 epoch;		/* of the next write */
	u32 epoch_writes;
	u32 max_epoch;		/* net option max-epoch-size */
	bool epoch_weak;	/* the open epoch has a data leg that is not protocol C */
	u8 epoch_mode;		/* enum log_epoch_mode */
	u64 epoch_started;	/* first write of the open epoch, ms */
	u8 nr_conns;
	struct log_conn conn[CORE_MAX_PEERS];
};

/* Consequences; glue acts on them after unlocking. */
enum log_what {
	LOG_COMPLETE = 1,	/* end the owner with entry->error (0 = success) */
	LOG_DONE = 2,		/* all legs are done: wake the retirer */
	LOG_HELD = 4,		/* a leg became held: raise the event */
	LOG_PAGES_FREE = 8,	/* no peer leg needs the data any more */
	LOG_RETRY = 16,		/* remote read failed here: try another path */
	LOG_RESUBMIT = 32,	/* send the local leg to the disk again */
	LOG_SEND = 64,		/* the sender of some connection has work */
	LOG_BAD = 128,		/* event was not legal: protocol error of the peer */
	LOG_GONE = 256,		/* entry unknown or leg not outstanding */
	LOG_REMAKE = 512,	/* make this write again, behind the peer's that it met */
	LOG_AGAIN = 1024,	/* give the owner back to those that wait on the device */
};

/*
 * Receives the consequences of walks. emit() is called under the log lock: it
 * may put @e->owner on a list, nothing else.
 */
struct log_sink {
	void (*emit)(struct log_sink *sink, struct log_entry *e, u32 what);
};

void drbd_log_init(struct xfer_log *log, struct log_entry *ring, u32 size,
		   u32 max_epoch, u8 epoch_mode);

/* Exchanges the plan of @dev and closes the epoch. Returns P: entries before it
 * have the legs of older plans. */
u64 drbd_log_publish(struct xfer_log *log, struct log_device *dev,
		     const struct io_plan *plan);

/* -- connections -- */

/*
 * Connection @peer is up: its cursor starts here, with nothing owed. Entries
 * with held legs to it keep them until resolved; resolving with resend, which
 * has to come behind this call, moves the cursor back to the oldest of them.
 */
void drbd_log_attach(struct xfer_log *log, u32 peer, bool dagtags);

/* -- entering -- */

struct log_request {
	u64 sector;
	u32 size;		/* bytes; 0 only for a flush */
	u8 op;			/* enum log_op */
	u8 flags;		/* LOG_F_SYNC .. LOG_F_UNMAP */
	void *owner;
	struct io_range *range;	/* its reservation, or NULL */
	u32 al_used;		/* extents of the activity log with writes in flight */
};

enum log_verdict {
	LOG_ENTERED,
	LOG_PARK,		/* plan says wait */
	LOG_FAIL,		/* end it with out->error */
	LOG_FULL,		/* ring is full: park; see drbd_log_full_because() */
	LOG_NEW_GENERATION,	/* park, and raise "generation needed" */
	LOG_NO_DATA,		/* no leg at all could take it: end it with -EIO */
	LOG_OVERTAKEN,		/* by a write of the peer: give the range back, begin again */
};

struct log_entered {
	struct log_entry *entry;
	u64 position;
	s16 error;
	bool local;		/* submit it to the local disk */
	u32 data_peers;		/* bit = peer index */
	u32 notice_peers;
	u32 what;		/* a flush that found nothing to wait for: LOG_COMPLETE */
	u32 congested;		/* peers whose limit is reached; with LOG_FULL, who fills the log
				 * though nobody shall wait for it */
};

/* A write. @now: caller's monotonic time in ms. */
enum log_verdict drbd_log_enter_write(struct xfer_log *log, struct log_device *dev,
				      const struct log_request *rq, u64 now,
				      struct log_entered *out);
/*
 * An empty flush: closes the epoch; has a local leg, or without a local disk
 * waits for the barrier acks of the peers with data legs.
 */
enum log_verdict drbd_log_enter_flush(struct xfer_log *log, struct log_device *dev,
				      void *owner, u64 now, struct log_entered *out);
/* A read from @peer (drbd_plan_read_path()). */
enum log_verdict drbd_log_enter_read(struct xfer_log *log, struct log_device *dev,
				     const struct log_request *rq, u32 peer,
				     u64 now, struct log_entered *out);
/*
 * A marker for the connections in @peers (those not attached are left out).
 * Its sender emits it after everything before it and before everything behind
 * it. NULL if the ring is full, or nobody is left to get it.
 */
struct log_entry *drbd_log_enter_marker(struct xfer_log *log, u32 peers,
					void *owner, u64 now);

/* Which peers hold the tail entry (bit = peer index), for a full ring. */
u32 drbd_log_full_because(const struct xfer_log *log);

/* -- epochs -- */

/* Closes the epoch if it has writes. True if it did: senders have a barrier to
 * send even if they are idle. */
bool drbd_log_close_epoch(struct xfer_log *log);
/* When a lazy epoch has to be closed at the latest, ms; 0 = no deadline. */
u64 drbd_log_epoch_deadline(const struct xfer_log *log);

/* -- sending -- */

enum log_emit_kind {
	LOG_EMIT_NOTHING,
	LOG_EMIT_BARRIER,	/* P_BARRIER(number) */
	LOG_EMIT_DAGTAG,	/* P_DAGTAG(dagtag) */
	LOG_EMIT_DATA,		/* P_DATA, P_TRIM or P_ZEROES */
	LOG_EMIT_READ,		/* P_DATA_REQUEST */
	LOG_EMIT_MARKER,
};

struct log_emit {
	enum log_emit_kind kind;
	struct log_entry *entry;	/* DATA, READ, MARKER */
	u64 position;
	u32 number;			/* BARRIER */
	u64 dagtag;			/* DAGTAG */
	u16 cmd;			/* DATA: P_DATA, P_TRIM, P_ZEROES */
	u32 dp_flags;			/* DATA: without version rules; see drbd_wire_ack_flags() */
	u8 protocol;			/* DATA */
	bool may_set_in_sync;		/* DATA */
};

/*
 * What the sender of @peer has to emit next; one sender at a time. DATA and
 * MARKER must be answered with drbd_log_sent() before the next call. BARRIER,
 * DAGTAG and READ (which need nothing of the owner) are taken as sent at once:
 * if that fails the connection is lost anyway.
 */
void drbd_log_next(struct xfer_log *log, u32 peer, u64 now, struct log_emit *out);
/* True if drbd_log_next() would emit a write, a read or a barrier: a marker may
 * stand for a whole bitmap. *@size: of that write at most, bytes. */
bool drbd_log_next_is_short(const struct xfer_log *log, u32 peer, u32 *size);
/* False if drbd_log_next() would certainly emit nothing. */
bool drbd_log_has_work(const struct xfer_log *log, u32 peer);
/* The send call for @position returned; @ok: all of it was handed over. Not @ok:
 * the connection is lost, drbd_log_next() must not be called again for it. */
u32 drbd_log_sent(struct xfer_log *log, u32 peer, u64 position, bool ok);

/* -- events of legs; return enum log_what -- */

/* The backend finished the local leg. @error: 0 or negative errno. */
u32 drbd_log_local_done(struct xfer_log *log, struct log_entry *e, int error);

enum log_ack {
	LOG_ACK_RECV,		/* P_RECV_ACK */
	LOG_ACK_WRITE,		/* P_WRITE_ACK */
	LOG_ACK_IN_SYNC,	/* P_WRITE_ACK_IN_SYNC; below 122 P_RS_WRITE_ACK with our block_id */
	LOG_ACK_SUPERSEDED,	/* P_SUPERSEDED: the peer's own write covers it */
	LOG_ACK_RETRY,		/* P_RETRY_WRITE */
	LOG_ACK_NEG,		/* P_NEG_ACK */
	LOG_ACK_NEG_READ,	/* P_NEG_DREPLY */
};

/*
 * An ack of @peer: checks volume, sector, size and that such an ack is
 * outstanding. *@out is the entry, or NULL. LOG_GONE: nothing such is in the
 * log; for LOG_ACK_NEG that is legal (set the range out of sync), for all others
 * a protocol error. @size 0 is accepted from a negative ack.
 */
u32 drbd_log_ack(struct xfer_log *log, u32 peer, enum log_ack kind, u64 block_id,
		 u16 volume, u64 sector, u32 size, struct log_entry **out);

/* The write at @position has a data leg to @peer that it has not answered. */
bool drbd_log_undecided(const struct xfer_log *log, u64 position, u32 peer);
/*
 * The owner of an entry that was reported with LOG_REMAKE has taken all that it
 * needs to make the write again, its extents above all. LOG_DONE, or 0.
 */
u32 drbd_log_remade(struct xfer_log *log, struct log_entry *e);

/*
 * P_DATA_REPLY arrives: the entry whose buffer gets the data, or NULL (unknown:
 * protocol error). It stays with the receiver until drbd_log_read_done().
 */
struct log_entry *drbd_log_read_reply(struct xfer_log *log, u32 peer, u64 block_id,
				      u16 volume, u64 sector, u32 size);
u32 drbd_log_read_done(struct xfer_log *log, u32 peer, struct log_entry *e, bool ok);

enum log_barrier_error {
	LOG_BARRIER_OK,
	LOG_BARRIER_NONE,	/* no epoch is waiting */
	LOG_BARRIER_NUMBER,	/* not the oldest one, or its barrier was not sent */
	LOG_BARRIER_COUNT,
	LOG_BARRIER_EARLY,	/* a write of the epoch has not been acked itself */
};
struct log_barrier {
	enum log_barrier_error error;
	u32 number, count;	/* what would have been right, for the log line */
	u64 sectors;
};
/*
 * P_BARRIER_ACK. On LOG_BARRIER_OK the legs of the epoch are done, and flushes
 * that waited for them; consequences go to @sink.
 */
void drbd_log_barrier_ack(struct xfer_log *log, u32 peer, u32 number, u32 count,
			  struct log_sink *sink, struct log_barrier *out);

#define LOG_CONFIRM_MS 3000u
/*
 * DRBD 8.4 never confirms an epoch in which it has superseded a write or wanted it
 * again; the next one without that confirms it, too. If none comes for LOG_CONFIRM_MS
 * the writes whose barriers were sent end as if the peer had not got them: their
 * blocks are marked, the log goes on. False: there was nothing of that kind.
 */
bool drbd_log_unconfirmed(struct xfer_log *log, u32 peer, u64 now, struct log_sink *sink);

/* -- losing and resolving -- */

enum log_resolve {
	LOG_RESOLVE_LOST,	/* the data is not there: complete, set bits */
	LOG_RESOLVE_RESEND,	/* send, or submit, it again in the old order */
};

/*
 * The connection is lost: every leg to @peer is held (reads are given back with
 * LOG_RETRY, markers and notices end). No new legs follow until
 * drbd_log_attach(). Call it after the plan without the peer was published.
 */
void drbd_log_hold_peer(struct xfer_log *log, u32 peer, struct log_sink *sink);
/* The legs of @peer in entries before @before that are held. */
void drbd_log_resolve_peer(struct xfer_log *log, u32 peer, u64 before,
			   enum log_resolve how, struct log_sink *sink);

/* The same for the local disk of @dev. Holding ends local legs early: the
 * backend's late answer must then not be reported to the log. */
void drbd_log_hold_disk(struct xfer_log *log, struct log_device *dev,
			struct log_sink *sink);
void drbd_log_resolve_disk(struct xfer_log *log, struct log_device *dev, u64 before,
			   enum log_resolve how, struct log_sink *sink);
/* Completions that the plan held back (PLAN_COMPLETE_HOLD) are decided again. */
void drbd_log_release(struct xfer_log *log, struct log_device *dev,
		      struct log_sink *sink);

/* True if a leg of @peer (or, with -1, of the disk) before @before is held. */
bool drbd_log_has_held(const struct xfer_log *log, int peer, u64 before);

/*
 * Walks the writes of @dev that are still in the log (a source marks them all
 * in a slot before it sends its bitmap). Start with *@at = 0. NULL at the end.
 */
struct log_entry *drbd_log_unretired(struct xfer_log *log,
				     const struct log_device *dev, u64 *at);

/* -- drains -- */

/* All entries before @before are done at @peer, or, with -1, everywhere. */
bool drbd_log_done_to(const struct xfer_log *log, int peer, u64 before);
/* Oldest write of @peer that was sent and not acked, and since when (ms): for
 * the ko-count check. NULL if none. */
const struct log_entry *drbd_log_oldest_unacked(const struct xfer_log *log, u32 peer);

/* -- retiring: one retirer at a time -- */

struct log_retired {
	u64 position;
	u8 kind;
	struct log_device *dev;
	void *owner;		/* NULL for a read: it was given back with its completion */
	u64 sector;
	u32 size;
	u32 set_slots;		/* for drbd_bitmap_update() */
	u32 clear_slots;
	u32 notice_peers;	/* bit = peer index: release if a bit of its slot changed */
	u32 good_peers;		/* peers that have the write */
	bool local_good;
	u64 dagtag;
};

/*
 * The next entry at the tail that is done, the @nth behind the tail; false if
 * there is none. The entry stays in the log until the commit, so that a walk
 * between the two still sees it. Order for the retirer: bitmap, activity log
 * reference, notices, then commit.
 */
bool drbd_log_retire_peek(const struct xfer_log *log, u32 nth, struct log_retired *out);
/* Takes @n entries off the tail. True if somebody may wait for room. */
bool drbd_log_retire_commit(struct xfer_log *log, u32 n);

/* Entries in the log. */
static inline u32 drbd_log_used(const struct xfer_log *log)
{
	return (u32)(log->head - log->tail);
}

#endif
