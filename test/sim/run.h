/* SPDX-License-Identifier: GPL-2.0-only */
/* What Go sees of the simulator. */
#ifndef TEST_SIM_RUN_H
#define TEST_SIM_RUN_H

#include "sim.h"

/* A whole life of the world of one seed. The trace, if asked for, is to be freed. */
struct sim_result sim_run(struct sim_options opt);

/* What it went through: numbers with names, NULL behind the last one. */
#define SIM_MAX_COUNTERS 64
const char *sim_counter_name(u32 i);
u64 sim_counter(const struct sim_result *r, u32 i);

const char *sim_core_sum(void);
int sim_has_asan(void);
int sim_finish(void);

#endif
