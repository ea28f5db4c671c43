// SPDX-License-Identifier: GPL-2.0-only
/*
 * The simulator as a program without Go, for many seeds:
 *
 *	sim FIRST COUNT STRIDE ACTIONS
 *	sim trace SEED ACTIONS
 *
 * prints a line "FAIL seed step what" for each seed that fails, as soon as it does,
 * and at the end a line "TOTAL counter value" for each counter.
 */
#include "../run.h"

#include <inttypes.h>

static int trace(u64 seed, u32 actions)
{
	struct sim_result r = sim_run((struct sim_options){ .seed = seed, .actions = actions, .trace = true });

	fputs(r.trace, stdout);
	free(r.trace);
	return r.failed;
}

int main(int argc, char **argv)
{
	u64 total[SIM_MAX_COUNTERS] = { 0 }, first, count, stride, i;
	u32 actions, c;

	if (argc == 4 && !strcmp(argv[1], "trace"))
		return trace(strtoull(argv[2], NULL, 0), (u32)strtoul(argv[3], NULL, 0));
	if (argc != 5) {
		fputs("usage: sim FIRST COUNT STRIDE ACTIONS\n       sim trace SEED ACTIONS\n", stderr);
		return 2;
	}
	first = strtoull(argv[1], NULL, 0);
	count = strtoull(argv[2], NULL, 0);
	stride = strtoull(argv[3], NULL, 0);
	actions = (u32)strtoul(argv[4], NULL, 0);
	for (i = 0; i < count; i++) {
		u64 seed = first + i * stride;
		struct sim_result r = sim_run((struct sim_options){ .seed = seed, .actions = actions });

		for (c = 0; sim_counter_name(c); c++)
			total[c] += sim_counter(&r, c);
		if (r.failed)
			printf("FAIL %" PRIu64 " %" PRIu64 " %s\n", seed, r.steps, r.what);
		fflush(stdout);
	}
	for (c = 0; sim_counter_name(c); c++)
		printf("TOTAL %s %" PRIu64 "\n", sim_counter_name(c), total[c]);
	return 0;
}
