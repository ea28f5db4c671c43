/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * base.h - what core needs from its surroundings.
 *
 * Core is compiled into the kernel module, into the Go tests and into the
 * simulator. This is the only header that knows which of them it is. It holds
 * integer types, byte order, assertions and a few helpers; no locks, no
 * allocation, no clock.
 */
#ifndef DRBD_CORE_BASE_H
#define DRBD_CORE_BASE_H

#ifdef __KERNEL__

#include <linux/types.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/bug.h>
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/crc32c.h>

/* True if @cond holds. If not: one warning with a stack trace, and the caller
 * goes on by its safe path. */
#define core_check(cond) (!WARN_ON_ONCE(!(cond)))

/* Set bits of a u32. */
#define core_popcount(v) hweight32(v)
#define core_popcount64(v) hweight64(v)

/* CRC-32C, reflected, of @len bytes, going on from @crc; neither end is inverted. */
#define core_crc32c(crc, data, len) crc32c((crc), (data), (len))

#define core_div64(a, b) div64_u64((a), (b))
#define core_mod64(a, b)                                                       \
	({                                                                     \
		u64 rem_;                                                      \
		div64_u64_rem((a), (b), &rem_);                                \
		rem_;                                                          \
	})

#else /* tests and simulator */

#include <errno.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BUILD_BUG_ON(cond) _Static_assert(!(cond), #cond)

#ifndef container_of
#define container_of(ptr, type, member)                                        \
	((type *)((char *)(ptr) - offsetof(type, member)))
#endif

#define min(a, b)                                                              \
	({                                                                     \
		__typeof__(a) a_ = (a);                                        \
		__typeof__(b) b_ = (b);                                        \
		a_ < b_ ? a_ : b_;                                             \
	})
#define max(a, b)                                                              \
	({                                                                     \
		__typeof__(a) a_ = (a);                                        \
		__typeof__(b) b_ = (b);                                        \
		a_ > b_ ? a_ : b_;                                             \
	})
#define min_t(type, a, b) min((type)(a), (type)(b))
#define max_t(type, a, b) max((type)(a), (type)(b))

/* Tests and simulator stop at once: a failed check is a bug of ours. */
static inline void core_check_failed(const char *cond, const char *file, int line)
{
	fprintf(stderr, "%s:%d: core_check(%s) failed\n", file, line, cond);
	abort();
}
#define core_check(cond)                                                       \
	(likely(cond) ? true : (core_check_failed(#cond, __FILE__, __LINE__), false))

#define core_popcount(v) ((u32)__builtin_popcount(v))
#define core_popcount64(v) ((u32)__builtin_popcountll(v))

#include "crc32c.h"

#define core_div64(a, b) ((u64)(a) / (u64)(b))
#define core_mod64(a, b) ((u64)(a) % (u64)(b))

#ifndef fallthrough
#define fallthrough __attribute__((__fallthrough__))
#endif

#endif /* __KERNEL__ */

/* A printf-like function: format is argument @f, the values begin at @a. */
#define core_printf(f, a) __attribute__((__format__(__printf__, f, a)))

/* An assertion whose failure has no better way on than to continue. */
#define core_assert(cond) ((void)core_check(cond))

/* Peers of a resource: 32 nodes, one of them is this one. */
#define CORE_MAX_PEERS 31

#define SECTOR_BYTES 512u
#define SECTOR_BITS 9

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define core_swap_be16(v) __builtin_bswap16(v)
#define core_swap_be32(v) __builtin_bswap32(v)
#define core_swap_be64(v) __builtin_bswap64(v)
#define core_swap_le32(v) (v)
#define core_swap_le64(v) (v)
#else
#define core_swap_be16(v) (v)
#define core_swap_be32(v) (v)
#define core_swap_be64(v) (v)
#define core_swap_le32(v) __builtin_bswap32(v)
#define core_swap_le64(v) __builtin_bswap64(v)
#endif

/* Unaligned loads and stores in a given byte order. */
#define CORE_ACCESS(order, bits)                                               \
	static inline u##bits get_##order##bits##_at(const void *p)            \
	{                                                                      \
		u##bits v;                                                     \
                                                                               \
		memcpy(&v, p, sizeof(v));                                      \
		return core_swap_##order##bits(v);                             \
	}                                                                      \
	static inline void put_##order##bits##_at(void *p, u##bits v)          \
	{                                                                      \
		v = core_swap_##order##bits(v);                                \
		memcpy(p, &v, sizeof(v));                                      \
	}

CORE_ACCESS(be, 16)
CORE_ACCESS(be, 32)
CORE_ACCESS(be, 64)
CORE_ACCESS(le, 32)
CORE_ACCESS(le, 64)

/* Powers of two only. */
#define core_align_up(x, a) (((x) + ((__typeof__(x))(a) - 1)) & ~((__typeof__(x))(a) - 1))
#define core_align_down(x, a) ((x) & ~((__typeof__(x))(a) - 1))

static inline bool core_is_pow2(u64 v)
{
	return v && !(v & (v - 1));
}

static inline u64 core_div_up(u64 a, u64 b)
{
	return core_div64(a, b) + (core_mod64(a, b) ? 1 : 0);
}

/* Copies the string @src into @dst of @size bytes, always terminated. True if
 * it fitted. */
static inline bool core_strcopy(char *dst, const char *src, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size && src[i]; i++)
		dst[i] = src[i];
	if (size)
		dst[i] = 0;
	return !src[i];
}

/* A doubly linked list without a kernel header. The head is a node, too. */
struct core_node {
	struct core_node *next, *prev;
};

static inline void core_list_init(struct core_node *n)
{
	n->next = n;
	n->prev = n;
}

static inline bool core_list_empty(const struct core_node *head)
{
	return head->next == head;
}

static inline void core_list_add_tail(struct core_node *n, struct core_node *head)
{
	n->prev = head->prev;
	n->next = head;
	head->prev->next = n;
	head->prev = n;
}

/* Removes @n; it is then an empty list, so that a second removal is harmless. */
static inline void core_list_del(struct core_node *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	core_list_init(n);
}

/* The first node of the list, removed, or NULL. */
static inline struct core_node *core_list_pop(struct core_node *head)
{
	struct core_node *n = head->next;

	if (n == head)
		return NULL;
	core_list_del(n);
	return n;
}

#endif /* DRBD_CORE_BASE_H */
