/* SPDX-License-Identifier: GPL-2.0 */
/* What resync and verify share: peer requests that hold a range (syncio.c). */
#ifndef DRBD_SYNCIO_H
#define DRBD_SYNCIO_H

#include "glue.h"

/* Takes the request for this range off @list; NULL if there is none. */
struct drbd_peer_req *drbd_rs_take(struct drbd_peer_device *pd, struct list_head *list,
				   u64 sector, u32 size);
/* To a list of the connection that its sender serves. */
void drbd_rs_queue(struct drbd_peer_req *pr, struct list_head *list);
void drbd_rs_release(struct drbd_peer_req *pr);
/* Ends @pr with the ack @cmd. */
void drbd_rs_refuse(struct drbd_peer_req *pr, u16 cmd);
enum range_result drbd_rs_reserve(struct drbd_peer_req *pr, struct io_range *r, u8 cls);
/* The same for pr->range, and on @list at once: a teardown finds it in either state. */
enum range_result drbd_rs_reserve_listed(struct drbd_peer_req *pr, struct list_head *list, u8 cls);
/* Reads pr->size bytes into pr->bio; then what the kind of the request asks for. The
 * caller has made it active. */
void drbd_rs_submit_read(struct drbd_peer_req *pr);
/* Writes of the peer that came before now have their range, or are on the disk. May sleep. */
bool drbd_rs_order_behind_writes(struct drbd_peer_device *pd, u64 sector, u32 size);
/* An answer of ours with data or a digest was acked: whoever is last frees it. */
void drbd_rs_answer_acked(struct drbd_peer_req *pr);
/* What came back is known to the controller, and a new step begun if it is time. */
void drbd_rs_refill(struct drbd_peer_device *pd, struct progress *progress, u64 left);
void drbd_rs_begin_pacing(struct drbd_peer_device *pd);

/* verify.c, called from syncio.c: the block was read, in process context */
void drbd_ov_read(struct drbd_peer_req *pr, int error);

#endif
