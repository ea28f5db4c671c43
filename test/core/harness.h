/* SPDX-License-Identifier: GPL-2.0-only */
/* Tests in C: a table of functions, checks that say where and what. */
#ifndef TEST_CORE_HARNESS_H
#define TEST_CORE_HARNESS_H

#include "../../kernel/core/base.h"
#include "../../kernel/core/wire/packet.h"
#include "../../kernel/core/wire/data.h"
#include "../../kernel/core/wire/control.h"
#include "../../kernel/core/wire/cluster.h"
#include "../../kernel/core/wire/connect.h"
#include "../../kernel/core/wire/bitcode.h"
#include "../../kernel/core/disk/superblock.h"
#include "../../kernel/core/disk/layout.h"
#include "../../kernel/core/disk/move.h"
#include "../../kernel/core/disk/alblock.h"
#include "../../kernel/core/data/log.h"
#include "../../kernel/core/data/notice.h"
#include "../../kernel/core/data/receive.h"
#include "../../kernel/core/data/extent.h"
#include "../../kernel/core/data/resync.h"

struct c_test {
	const char *name;
	void (*run)(void);
};

/* Ends the test at hand. */
void t_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), noreturn));

#define T_OK(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			t_fail(__FILE__, __LINE__, "not true: %s", #cond);     \
	} while (0)
#define T_EQ(got, want)                                                        \
	do {                                                                   \
		long long got_ = (long long)(got), want_ = (long long)(want);  \
		if (got_ != want_)                                             \
			t_fail(__FILE__, __LINE__, "%s is %lld (0x%llx), want %lld (0x%llx)", \
			       #got, got_, got_, want_, want_);                \
	} while (0)

/* A seeded generator (xorshift64*). */
struct t_random {
	u64 s;
};
u64 t_next(struct t_random *r);
u32 t_below(struct t_random *r, u32 n);
void t_seed(struct t_random *r, u64 seed);

/* Seed of this run; tests with random input add it to theirs. */
extern u64 t_run_seed;

/* Run test @i; NULL, or what failed. */
const char *t_run(int i);
const char *t_name(int i);	/* NULL behind the last one */
const char *core_sum(void);
int core_has_asan(void);
int core_finish(void);

/* A bitmap with its own memory. */
struct bitmap *t_bitmap(u64 capacity, u32 slots, u32 shift);
void t_bitmap_free(struct bitmap *bm);

/* Decodes the body of a packet and encodes it again into @out (4096 bytes).
 * Returns the length, or minus an enum wire_error. */
int t_recode(const struct wire_link *link, const struct packet_header *hdr,
	     const void *body, u64 capacity, void *out);

/* One line of a script of testdata/agree; what happens is printed into @out. */
void t_agree_line(const char *line, char *out, u32 room);

#endif
