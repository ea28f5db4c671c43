/* SPDX-License-Identifier: GPL-2.0-only */
/* A core_check() that fails ends the run of this seed, not the program. */
#ifndef TEST_SIM_BASE_HOOK_H
#define TEST_SIM_BASE_HOOK_H

#include <stdio.h>
#include <stdlib.h>

/* Changes with any file of kernel/core, so that all of it is compiled again. */
#if __has_include("core_sum.h")
#include "core_sum.h"
#else
#define CORE_SUM "unknown"
#endif

void sim_core_check_failed(const char *file, int line, const char *cond)
	__attribute__((noreturn));

#define fprintf(stream, fmt, ...) sim_core_check_failed(__VA_ARGS__)
#define abort() ((void)0)
#include "../../kernel/core/base.h"
#undef fprintf
#undef abort

#endif
