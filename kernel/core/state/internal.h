/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the control half share and nobody else sees. The owner of
 * each function is named by the file above its group.
 */
#ifndef CORE_STATE_INTERNAL_H
#define CORE_STATE_INTERNAL_H

#include "model.h"

#define for_each_device(dev, res) \
	for ((dev) = (res)->devices; (dev); (dev) = (dev)->next)
#define for_each_connection(conn, res) \
	for ((conn) = (res)->connections; (conn); (conn) = (conn)->next)
#define for_each_pd_of_conn(pd, conn) \
	for ((pd) = (conn)->pds; (pd); (pd) = (pd)->next_of_conn)
#define for_each_pd_of_dev(pd, dev) \
	for ((pd) = (dev)->pds; (pd); (pd) = (pd)->next_of_dev)

/* step.c */
struct core_action *emit(struct core_resource *res, u8 type);
struct core_action *emit_conn(struct core_connection *conn, u8 type);
struct core_action *emit_dev(struct core_device *dev, u8 type);
struct core_action *emit_pd(struct core_peer_device *pd, u8 type);
void emit_log(struct core_resource *res, const char *fmt, ...) core_printf(2, 3);
void go_on(struct core_connection *conn);
u64 draw(struct core_resource *res);
void write_bitmap(struct core_device *dev);

/* effects.c */
void change_commit(struct core_resource *res, const char *tag);
void change_revert(struct core_resource *res);
bool link_usable(const struct core_connection *conn);

/* sanitize.c */
void sanitize(struct core_resource *res);

/* rules84.c */
s32 check_soft(const struct core_resource *res);
bool in_transient_state(const struct core_resource *res);

/* plan.c */
bool data_accessible(const struct core_resource *res, const struct core_device *dev, bool next);
bool plan_update(struct core_device *dev);

/* generation.c */
void write_md(struct core_device *dev);
u32 md_flags_of(const struct core_device *dev);
bool serves_primary(const struct core_device *dev, bool next);
void generation_rotate(struct core_device *dev);
void generation_sync_start_source(struct core_peer_device *pd);
void generation_sync_start_target(struct core_peer_device *pd);
void generation_sync_finished(struct core_peer_device *pd);
void generation_set_primary_bit(struct core_device *dev, bool primary);
void generation_clear_tracking(struct core_peer_device *pd);
u64 *bitmap_uuid(struct core_peer_device *pd);
bool generation_step(struct core_device *dev);

/* newgen.c */
bool job_new_generation(struct core_job *job);
bool skip_told(struct core_peer_device *pd);
bool skip_step(struct core_peer_device *pd);

void generation_needed(struct core_resource *res, const struct core_event *ev);
void md_written(struct core_resource *res, const struct core_event *ev);

/* send.c */
void send_handshake(struct core_connection *conn);
void send_protocol_update(struct core_connection *conn);
void send_sync_param(struct core_peer_device *pd);
void send_sizes(struct core_peer_device *pd);
void send_new_sizes(struct core_peer_device *pd, bool answer, u16 dds_flags);
void send_uuids(struct core_peer_device *pd);
void send_uuids_of_fresh(struct core_peer_device *pd);
void send_state(struct core_peer_device *pd);
void send_sync_uuid(struct core_peer_device *pd);
void send_state_request(struct core_connection *conn, u16 vnr, const struct wire_state_req *req,
			bool connection_wide);
void send_state_reply(struct core_connection *conn, u16 vnr, s32 code, bool connection_wide);

/* size.c */
bool sizes_received(struct core_peer_device *pd, const struct wire_sizes *sizes);
void take_size(struct core_device *dev, u64 sectors);
void resized(struct core_resource *res, const struct core_event *ev);
bool resize_step(struct core_device *dev);
bool job_resize(struct core_job *job);

/* handshake.c */
void link_up(struct core_resource *res, const struct core_event *ev);
void got_sync_param(struct core_resource *res, const struct core_event *ev);
void got_sizes(struct core_resource *res, const struct core_event *ev);
void got_uuids(struct core_resource *res, const struct core_event *ev);
void got_state(struct core_resource *res, const struct core_event *ev);
void give_up(struct core_connection *conn, const char *why);

/* link.c */
void link_down(struct core_resource *res, const struct core_event *ev);
void link_drained(struct core_resource *res, const struct core_event *ev);
void receiver_exit(struct core_resource *res, const struct core_event *ev);
void ping_acked(struct core_resource *res, const struct core_event *ev);
void ping(struct core_connection *conn);
u32 ping_target(struct core_connection *conn);
bool ping_answered(const struct core_connection *conn, u32 target);
bool job_connect(struct core_job *job);
bool job_disconnect(struct core_job *job);
bool link_step(struct core_connection *conn);

/* How long a peer may refuse writes and not say what is wrong with its disk. */
#define REFUSAL_PATIENCE_MS 10000u
bool refusals_step(struct core_connection *conn);
u64 refusals_wake_ms(const struct core_connection *conn);
bool generation_missing(const struct core_connection *conn);
void link_lose(struct core_connection *conn, u8 reason);

/* fence.c */
void fence_link_lost(struct core_connection *conn);
void fence_link_up(struct core_connection *conn);
bool fence_peer(struct core_connection *conn);
bool fence_runs(const struct core_resource *res);
bool fence_step(struct core_connection *conn);
void fence_freeze(struct core_resource *res);
void fence_thaw(struct core_resource *res, const char *tag);

/* sync.c */
bool wants_csums(const struct core_peer_device *pd);
void sync_decided(struct core_peer_device *pd, bool source, bool full);
void sync_full_started(struct core_peer_device *pd, bool source);
void sync_growth(struct core_peer_device *pd, bool source);
bool sync_take_turns(struct core_device *dev);
void sync_abort(struct core_peer_device *pd);
bool sync_step(struct core_peer_device *pd);
void bitmap_received(struct core_resource *res, const struct core_event *ev);
void bits_set(struct core_resource *res, const struct core_event *ev);
void got_sync_uuid(struct core_resource *res, const struct core_event *ev);
void resync_done(struct core_resource *res, const struct core_event *ev);
void sync_peer_finished(struct core_peer_device *pd);

/* congestion.c */
bool congestion_counts(const struct core_connection *conn);
void congested(struct core_resource *res, const struct core_event *ev);
void log_full(struct core_resource *res, const struct core_event *ev);
void fall_behind(struct core_peer_device *pd);
bool ahead_step(struct core_peer_device *pd);

/* verify.c */
void verify_started(struct core_peer_device *pd, bool requester, u64 start, u64 stop);
void verify_ended(struct core_peer_device *pd);
void verify_done(struct core_resource *res, const struct core_event *ev);
bool verify_step(struct core_peer_device *pd);
bool repair_step(struct core_peer_device *pd);
void repair_forget(struct core_peer_device *pd);
s32 repair_allowed(const struct core_peer_device *pd);
const char *repair_refusal(s32 code);
void repair_begin(struct core_peer_device *pd);
bool job_verify(struct core_job *job);

/* agree84.c */
enum ask_result { ASK_WAIT, ASK_YES, ASK_NO };
enum ask_result ask_connection(struct core_job *job, struct core_connection *conn,
			       const struct wire_state_req *req);
void request_abandon(struct core_connection *conn);
enum ask_result ask_volumes(struct core_job *job, const struct core_device *only,
			    const struct wire_state_req *req);
void got_state_request(struct core_resource *res, const struct core_event *ev);
void got_state_reply(struct core_resource *res, const struct core_event *ev);

/* attach.c */
bool job_attach(struct core_job *job);
bool job_detach(struct core_job *job);
bool disk_step(struct core_device *dev);
void disk_error(struct core_resource *res, const struct core_event *ev);
void disk_closed(struct core_resource *res, const struct core_event *ev);
void write_refused(struct core_resource *res, const struct core_event *ev);
u8 disk_from_md(const struct core_device *dev);

/* role.c */
bool job_primary(struct core_job *job);
/* It only waits: nothing has been written, nobody was asked. */
bool primary_waits(const struct core_job *job);
bool job_secondary(struct core_job *job);

/* admin.c: jobs. A job's function is called until it returns true: it has its result. */
bool job_step(struct core_job *job);
void job_start(struct core_resource *res, const struct core_event *ev);
void job_cancel(struct core_resource *res, const struct core_event *ev);
bool finish(struct core_job *job, s32 result);
/* Whether the volume may go to this replication state: RES_SUCCESS, or why not. */
s32 repl_allowed(struct core_peer_device *pd, u8 repl);
/* 0, or why verify-alg or csums-alg of the connection cannot become these now. */
s32 algorithms_in_use(const struct core_connection *conn, const char *csums_alg,
		      const char *verify_alg);
bool fail(struct core_job *job, s32 result, const char *fmt, ...) core_printf(3, 4);

/* A full sync was wished for, and has not begun. */
static inline bool starts_sync(u8 repl)
{
	return repl == REPL_STARTING_SYNC_S || repl == REPL_STARTING_SYNC_T;
}

#endif
