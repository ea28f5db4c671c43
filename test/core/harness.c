// SPDX-License-Identifier: GPL-2.0-only
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>

#if __has_include("core_sum.h")
#include "core_sum.h"
#else
#define CORE_SUM "unknown"
#endif

/* Undefined behaviour is a failure, not a line in a log. */
const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "halt_on_error=1:print_stacktrace=1";
}

const char *core_sum(void)
{
	return CORE_SUM;
}

#ifdef COVERAGE
void __gcov_dump(void);
#endif

/* Go ends a process without what C does at its end. */
int core_finish(void)
{
#ifdef COVERAGE
	__gcov_dump();
#endif
	return 0;
}

int core_has_asan(void)
{
#ifdef __SANITIZE_ADDRESS__
	return 1;
#else
	return 0;
#endif
}

u64 t_run_seed;

static jmp_buf out;
static char failure[1024];

void t_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;
	const char *slash = strrchr(file, '/');
	int n = snprintf(failure, sizeof(failure), "%s:%d: ", slash ? slash + 1 : file, line);

	va_start(ap, fmt);
	vsnprintf(failure + n, sizeof(failure) - (size_t)n, fmt, ap);
	va_end(ap);
	longjmp(out, 1);
}

extern const struct c_test wire_tests[], log_tests[], data_tests[], bitmap_tests[], state_tests[],
			   feature_tests[], life_tests[], resize_tests[], cluster_tests[], compare9_tests[], quorum_tests[], agree_tests[];

static const struct c_test *const tables[] = { wire_tests, bitmap_tests, log_tests, data_tests, state_tests,
					      feature_tests, life_tests, resize_tests, cluster_tests, compare9_tests, quorum_tests, agree_tests };

static const struct c_test *find(int i)
{
	u32 t;

	for (t = 0; t < ARRAY_SIZE(tables); t++) {
		const struct c_test *c;

		for (c = tables[t]; c->name; c++)
			if (!i--)
				return c;
	}
	return NULL;
}

const char *t_name(int i)
{
	const struct c_test *c = find(i);

	return c ? c->name : NULL;
}

const char *t_run(int i)
{
	if (setjmp(out))
		return failure;
	find(i)->run();
	return NULL;
}

void t_seed(struct t_random *r, u64 seed)
{
	r->s = (seed + t_run_seed) * 0x9e3779b97f4a7c15ull + 0x1234567;
	if (!r->s)
		r->s = 1;
}

u64 t_next(struct t_random *r)
{
	r->s ^= r->s >> 12;
	r->s ^= r->s << 25;
	r->s ^= r->s >> 27;
	return r->s * 0x2545f4914f6cdd1dull;
}

u32 t_below(struct t_random *r, u32 n)
{
	return (u32)((t_next(r) >> 33) % n);
}

struct bitmap *t_bitmap(u64 capacity, u32 slots, u32 shift)
{
	u32 n = drbd_bitmap_pages(capacity, slots, shift), i;
	struct bitmap *bm = malloc(sizeof(*bm));
	void **pages = malloc((n ? n : 1) * sizeof(*pages));

	for (i = 0; i < n; i++)
		pages[i] = calloc(1, BITMAP_PAGE);
	drbd_bitmap_init(bm, pages, calloc(n ? n : 1, 1), capacity, slots, shift);
	return bm;
}

void t_bitmap_free(struct bitmap *bm)
{
	u32 i;

	for (i = 0; i < bm->nr_pages; i++)
		free(bm->page[i]);
	free(bm->page);
	free(bm->page_flags);
	free(bm);
}
