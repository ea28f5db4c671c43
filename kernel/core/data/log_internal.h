/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * data/log_internal.h - what log.c and log_walk.c share. Under the log lock.
 */
#ifndef DRBD_CORE_DATA_LOG_INTERNAL_H
#define DRBD_CORE_DATA_LOG_INTERNAL_H

#include "log.h"

static inline struct log_entry *log_at(const struct xfer_log *log, u64 position)
{
	return &log->ring[position & (log->size - 1)];
}

/* The entry of a position that came from outside, or NULL. */
static inline struct log_entry *log_find(const struct xfer_log *log, u64 position)
{
	return position >= log->tail && position < log->head ? log_at(log, position) : NULL;
}

/* Puts a leg into a state, keeping the entry's masks and the counters. */
void log_leg_set(struct xfer_log *log, struct log_entry *e, u32 i, u8 state);
/* Consequences of what the legs are now. Each is reported once, LOG_DONE is not. */
u32 log_settle(struct xfer_log *log, struct log_entry *e);
/* One event of one leg; LOG_BAD and no change if it is not legal. */
u32 log_leg_event(struct xfer_log *log, struct log_entry *e, u32 i, enum leg_event event);
/* Does @peer owe a barrier ack for, or still have to be sent, a write before @before? */
bool log_owes_data(const struct xfer_log *log, u32 peer, u64 before);
/* What a finished write means for the bitmap. */
void log_outcome(const struct xfer_log *log, const struct log_entry *e, struct log_retired *out);

#endif
