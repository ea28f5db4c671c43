/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of the transfer log share: a log with one device, a plan that
 * can be changed, and a list of what the sink heard. */
#ifndef TEST_CORE_LOG_ENV_H
#define TEST_CORE_LOG_ENV_H

#include "harness.h"

#define RING 256u

struct env {
	struct xfer_log log;
	struct log_entry ring[RING];
	struct log_device dev;
	struct io_plan plan;
	struct log_sink sink;
	u32 heard[RING * 4];
	u64 heard_at[RING * 4];
	u32 n;
	u64 now;
};

extern struct env *E;

void env_setup(u8 epoch_mode);
void env_plan_peer(u32 i, u8 leg, u8 protocol, u8 in_sync);
void random_interleavings(void);

#endif
