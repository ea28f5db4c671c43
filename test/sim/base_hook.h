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

/* A sixth of a run would be this sum. The table tests have the one of core. */
#ifdef __x86_64__
__attribute__((target("sse4.2")))
static inline u32 sim_crc32c_by_machine(u32 crc, const u8 *p, size_t len)
{
	u64 c = crc, v;

	for (; len >= sizeof(v); len -= sizeof(v), p += sizeof(v)) {
		memcpy(&v, p, sizeof(v));
		c = __builtin_ia32_crc32di(c, v);
	}
	while (len--)
		c = __builtin_ia32_crc32qi((u32)c, *p++);
	return (u32)c;
}

static inline u32 sim_crc32c(u32 crc, const void *data, size_t len)
{
	return __builtin_cpu_supports("sse4.2") ? sim_crc32c_by_machine(crc, data, len)
						: core_crc32c(crc, data, len);
}

#define core_crc32c sim_crc32c
#endif

#endif
