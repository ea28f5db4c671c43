/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading and writing one attribute set by its table. The tables are generated
 * (nl_gen.c); callers use the typed functions of nl_gen.h.
 */
#ifndef NL_CODEC_H
#define NL_CODEC_H

#include <net/genetlink.h>
#include "core/nl_types.h"

/* What stock tools and modules call the mandatory bit: bit 14 of a type. */
#define NL_MANDATORY_BIT 0x4000

enum nl_field_type { NL_FLAG, NL_U32, NL_S32, NL_U64, NL_STRING, NL_BINARY };
enum nl_field_flag { NL_REQUIRED = 1, NL_INVARIANT = 2 };

/* Which rules of 2.4 hold: a creating request, a changing one, or neither. */
enum nl_mode { NL_PLAIN, NL_CREATE, NL_CHANGE };

enum nl_op_kind { NL_KIND_NOTHING, NL_KIND_REQUEST, NL_KIND_DUMP, NL_KIND_NOTIFICATION, NL_KIND_DONE };

/* What must exist before the handler of an operation runs; each includes those above it but minor. */
enum nl_needs {
	NL_NEEDS_NOTHING,
	NL_NEEDS_MINOR,
	NL_NEEDS_RESOURCE,
	NL_NEEDS_PEER_NODE,
	NL_NEEDS_CONNECTION,
	NL_NEEDS_PEER_DEVICE,
};

struct nl_op_info {
	const char *name;
	u8 kind;
	u8 needs;
	u8 set;
};

struct nl_field_info {
	u8 nr;
	u8 type;
	u16 offset;
	u16 size;	/* string, with its NUL; binary */
	u16 len_offset;	/* binary: the u32 with the used bytes */
	u8 flags;
};

struct nl_set_info {
	u8 nr;
	u8 max_field;
	bool nested_flag;
	const struct nla_policy *policy;
	const struct nl_field_info *fields;
	unsigned int field_count;
};

/*
 * Overwrite the members of *out that the nest carries, nothing else: the caller
 * has put defaults or the old values there. A missing nest is an empty one.
 * *present (may be NULL) gets one bit per field number.
 * Errors: -ENOMSG a required field is missing (NL_CREATE), -EEXIST an invariant
 * one is given (NL_CHANGE), -EOPNOTSUPP an unknown field with the mandatory
 * bit, -EINVAL a malformed value. On error *out is unchanged.
 */
int nl_decode_set(const struct nl_set_info *info, void *out, struct nlattr *nest,
		  enum nl_mode mode, u64 *present);

/* Append the set, with those of its fields whose bit is set; -EMSGSIZE undoes it. */
int nl_encode_set(const struct nl_set_info *info, struct sk_buff *skb, const void *v, u64 fields);

/* The text that goes with an error of nl_decode_set(), and with code 126. */
const char *nl_decode_error_text(int err);

#endif
