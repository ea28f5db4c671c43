// SPDX-License-Identifier: GPL-2.0
/*
 * One decoder and one encoder for all attribute sets, driven by the generated
 * tables. No knowledge of what the fields mean.
 */
#include "nl_gen.h"

#define NL_MAX_FIELDS 63

static void put_scalar(void *out, const struct nl_field_info *f, const struct nlattr *attr)
{
	void *member = out + f->offset;

	switch ((enum nl_field_type)f->type) {
	case NL_FLAG:
		*(bool *)member = nla_get_u8(attr) != 0;
		break;
	case NL_U32:
	case NL_S32:
		*(u32 *)member = nla_get_u32(attr);
		break;
	case NL_U64:
		*(u64 *)member = nla_get_u64(attr);
		break;
	case NL_STRING:
		/* The policy saw a NUL within size bytes. */
		memset(member, 0, f->size);
		memcpy(member, nla_data(attr), strnlen(nla_data(attr), min_t(int, nla_len(attr), f->size - 1)));
		break;
	case NL_BINARY:
		memset(member, 0, f->size);
		memcpy(member, nla_data(attr), nla_len(attr));
		*(u32 *)(out + f->len_offset) = nla_len(attr);
		break;
	}
}

/* A field we do not know, sent by somebody who says it must not be ignored (2.3). */
static bool unknown_mandatory(const struct nl_set_info *info, struct nlattr *nest)
{
	struct nlattr *attr;
	int left;

	nla_for_each_nested(attr, nest, left)
		if ((attr->nla_type & NL_MANDATORY_BIT) && nla_type(attr) > info->max_field)
			return true;
	return false;
}

static int check_presence(const struct nl_set_info *info, struct nlattr **attrs, enum nl_mode mode)
{
	unsigned int i;

	for (i = 0; i < info->field_count; i++) {
		const struct nl_field_info *f = &info->fields[i];

		if (mode == NL_CREATE && (f->flags & NL_REQUIRED) && !attrs[f->nr])
			return -ENOMSG;
		if (mode == NL_CHANGE && (f->flags & NL_INVARIANT) && attrs[f->nr])
			return -EEXIST;
	}
	return 0;
}

int nl_decode_set(const struct nl_set_info *info, void *out, struct nlattr *nest,
		  enum nl_mode mode, u64 *present)
{
	struct nlattr *attrs[NL_MAX_FIELDS + 1] = {};
	u64 seen = 0;
	unsigned int i;
	int err;

	if (present)
		*present = 0;
	if (nest) {
		if (unknown_mandatory(info, nest))
			return -EOPNOTSUPP;
		err = nla_parse_nested_deprecated(attrs, info->max_field, nest, info->policy, NULL);
		if (err)
			return -EINVAL;
	}
	err = check_presence(info, attrs, mode);
	if (err)
		return err;
	for (i = 0; i < info->field_count; i++) {
		const struct nl_field_info *f = &info->fields[i];

		if (!attrs[f->nr])
			continue;
		put_scalar(out, f, attrs[f->nr]);
		seen |= NL_BIT(f->nr);
	}
	if (present)
		*present = seen;
	return 0;
}

static int put_field(struct sk_buff *skb, const struct nl_field_info *f, const void *v)
{
	const void *member = v + f->offset;

	switch ((enum nl_field_type)f->type) {
	case NL_FLAG:
		return nla_put_u8(skb, f->nr, *(const bool *)member);
	case NL_U32:
	case NL_S32:
		return nla_put_u32(skb, f->nr, *(const u32 *)member);
	case NL_U64:
		return nla_put_u64_64bit(skb, f->nr, *(const u64 *)member, 0);
	case NL_STRING:
		return nla_put_string(skb, f->nr, member);
	case NL_BINARY:
		return nla_put(skb, f->nr, *(const u32 *)(v + f->len_offset), member);
	}
	return -EINVAL;
}

int nl_encode_set(const struct nl_set_info *info, struct sk_buff *skb, const void *v, u64 fields)
{
	struct nlattr *nest = info->nested_flag ? nla_nest_start(skb, info->nr)
						: nla_nest_start_noflag(skb, info->nr);
	unsigned int i;

	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < info->field_count; i++) {
		if (!(fields & NL_BIT(info->fields[i].nr)))
			continue;
		if (put_field(skb, &info->fields[i], v)) {
			nla_nest_cancel(skb, nest);
			return -EMSGSIZE;
		}
	}
	nla_nest_end(skb, nest);
	return 0;
}

const char *nl_decode_error_text(int err)
{
	switch (err) {
	case -ENOMSG:
		return "required attribute missing";
	case -EEXIST:
		return "can not change invariant setting";
	case -EOPNOTSUPP:
		return "unknown mandatory attribute";
	default:
		return "invalid attribute value";
	}
}
