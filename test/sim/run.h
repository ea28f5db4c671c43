/* SPDX-License-Identifier: GPL-2.0-only */
/* What Go sees of the simulator. */
#ifndef TEST_SIM_RUN_H
#define TEST_SIM_RUN_H

#include "sim.h"

/* A whole life of the world of one seed. The trace, if asked for, is to be freed. */
struct sim_result sim_run(struct sim_options opt);
const char *sim_core_sum(void);
int sim_has_asan(void);
int sim_finish(void);

#endif
