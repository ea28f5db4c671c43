package main

import (
	"bytes"
	"fmt"
	"strings"
)

const cNotice = "/* SPDX-License-Identifier: GPL-2.0 */\n/* Made by internal/genl/gen from kernel/netlink.yaml: do not edit. */\n"

// page collects lines of C.
type page struct{ bytes.Buffer }

func (p *page) f(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func upper(s string) string { return strings.ToUpper(s) }

func cTypesFile(s *schema) []byte {
	p := &page{}
	p.WriteString(cNotice)
	p.f("/*\n * Numbers, ranges, defaults and plain structures of the netlink interface, for\n * everything that must not know netlink itself. See the YAML file for the words.\n */")
	p.f("#ifndef NL_TYPES_H\n#define NL_TYPES_H\n\n#include \"base.h\"\n")
	p.f("/* Bit of a field in a mask of fields. */\n#define NL_BIT(field) (1ULL << (field))\n#define NL_ALL_FIELDS (~0ULL)\n")
	p.f("/* Operations. */\nenum nl_op {")
	last := 0
	for _, op := range s.Operations {
		p.f("\tNLOP_%s = %d,", upper(op.Name), op.Nr)
		last = max(last, op.Nr)
	}
	p.f("\tNLOP_MAX = %d,\n};\n", last)
	p.f("/* Attribute sets: top-level attributes. */\nenum nl_set {")
	last = 0
	for _, st := range s.Sets {
		p.f("\tNLSET_%s = %d,", upper(st.Name), st.Nr)
		last = max(last, st.Nr)
	}
	p.f("\tNLSET_MAX = %d,\n};\n", last)
	cReturnCodes(p, s)
	for _, e := range s.Enums {
		if e.COwner == "" {
			cEnum(p, e)
		}
	}
	for _, l := range s.Limits {
		p.f("#define %s_MIN %d\n#define %s_MAX %d", upper(l.Name), l.Min, upper(l.Name), l.Max)
	}
	p.f("")
	for _, st := range s.Sets {
		cSet(p, s, st)
	}
	p.f("#endif")
	return p.Bytes()
}

func cReturnCodes(p *page, s *schema) {
	p.f("/*\n * Results of a request: above 100 configuration, 1 to 4 success of a state\n * change, 0 and below its refusals.\n */\nenum nl_code {")
	for _, c := range s.ReturnCodes {
		if c.Name != "" && !c.Historic {
			p.f("\t%s = %d,", c.Name, c.Nr)
		}
	}
	p.f("};\n")
}

func cEnum(p *page, e enum) {
	p.f("enum nl_%s {", e.Name)
	for _, v := range e.Values {
		p.f("\t%s_%s = %d,", upper(e.Name), upper(v.ident()), v.V)
	}
	p.f("};\n")
	p.f("/* The word for a value, NULL when there is none. */")
	p.f("static inline const char *nl_%s_word(int value)\n{\n\tswitch (value) {", e.Name)
	for _, v := range e.Values {
		p.f("\tcase %s_%s: return %q;", upper(e.Name), upper(v.ident()), v.Word)
	}
	p.f("\tdefault: return NULL;\n\t}\n}\n")
}

// cNumber writes a default or bound so that the C type of the constant is right.
func cNumber(f field, v uint64) string {
	switch {
	case f.Type == "s32":
		return fmt.Sprintf("(%d)", int64(v))
	case f.Type == "u64":
		return fmt.Sprintf("%dULL", v)
	case v > 0x7fffffff:
		return fmt.Sprintf("%dU", v)
	}
	return fmt.Sprintf("%d", v)
}

func cMember(f field) string {
	switch f.Type {
	case "flag":
		return "bool " + f.Name
	case "string":
		return fmt.Sprintf("char %s[%d]", f.Name, f.Size)
	case "binary":
		if f.Element == "u64" {
			return fmt.Sprintf("u64 %s[%d];\n\tu32 %s_len", f.Name, f.Size/8, f.Name)
		}
		return fmt.Sprintf("u8 %s[%d];\n\tu32 %s_len", f.Name, f.Size, f.Name)
	}
	return f.Type + " " + f.Name
}

func cSet(p *page, s *schema, st set) {
	name := upper(st.Name)
	p.f("/* Set %d: %s. */\nenum nl_%s_field {", st.Nr, strings.ReplaceAll(st.Name, "_", " "), st.Name)
	for _, f := range st.Fields {
		p.f("\tNLF_%s_%s = %d,", name, upper(f.Name), f.Nr)
	}
	p.f("\tNLF_%s_MAX = %d,\n};\n", name, st.maxField())
	for _, f := range st.Fields {
		id := name + "_" + upper(f.Name)
		if f.Min != nil {
			p.f("#define %s_MIN %s\n#define %s_MAX %s", id, cNumber(f, uint64(*f.Min)), id, cNumber(f, uint64(*f.Max)))
		}
		if f.Def.Given {
			p.f("#define %s_DEF %s", id, cNumber(f, f.Def.Value))
		}
	}
	p.f("struct nl_%s {", st.Name)
	for _, f := range st.Fields {
		p.f("\t%s;", cMember(f))
	}
	p.f("};\n")
	if s.isPayload(st.Name) {
		cDefaults(p, st)
	}
}

// cDefaults writes the two ways to the defaults: all of it (create), or without what only a creating request may set.
func cDefaults(p *page, st set) {
	p.f("static inline void nl_%s_defaults(struct nl_%s *v)\n{\n\tmemset(v, 0, sizeof(*v));", st.Name, st.Name)
	invariant := false
	for _, f := range st.Fields {
		invariant = invariant || f.Invariant
		if f.Def.Given && f.Def.Value != 0 {
			p.f("\tv->%s = %s_%s_DEF;", f.Name, upper(st.Name), upper(f.Name))
		}
	}
	p.f("}\n")
	p.f("/* To the defaults, except what only a creating request may set. */")
	p.f("static inline void nl_%s_reset(struct nl_%s *v)\n{", st.Name, st.Name)
	if invariant {
		p.f("\tstruct nl_%s old = *v;\n", st.Name)
	}
	p.f("\tnl_%s_defaults(v);", st.Name)
	for _, f := range st.Fields {
		if !f.Invariant {
			continue
		}
		if f.Size > 0 {
			p.f("\tmemcpy(v->%s, old.%s, sizeof(v->%s));", f.Name, f.Name, f.Name)
		} else {
			p.f("\tv->%s = old.%s;", f.Name, f.Name)
		}
	}
	p.f("}\n")
}

func cHeaderFile(s *schema) []byte {
	p := &page{}
	p.WriteString(cNotice)
	p.f("/*\n * What the module needs to read and write the attribute sets: tables for the\n * codec of nl_codec.c, and typed calls of it.\n */")
	p.f("#ifndef NL_GEN_H\n#define NL_GEN_H\n\n#include \"nl_codec.h\"\n")
	p.f("#define NL_FAMILY_NAME %q\n#define NL_FAMILY_VERSION %d\n#define NL_HEADER_SIZE %d\n#define NL_GROUP_NAME %q\n",
		s.Family.Name, s.Family.Version, s.Family.HeaderSize, s.Family.Group)
	p.f("/* Top level: strict, every set a nest. */\nextern const struct nla_policy nl_top_policy[NLSET_MAX + 1];\n")
	p.f("/* By operation number. */\nextern const struct nl_op_info nl_ops[NLOP_MAX + 1];\n")
	for _, st := range s.Sets {
		n := st.Name
		p.f("extern const struct nl_set_info nl_%s_info;\n", n)
		p.f("static inline int nl_%s_from_attrs(struct nl_%s *v, struct nlattr *nest,\n\t\t\t\t     enum nl_mode mode, u64 *present)\n{\n\treturn nl_decode_set(&nl_%s_info, v, nest, mode, present);\n}\n", n, n, n)
		p.f("static inline int nl_put_%s(struct sk_buff *skb, const struct nl_%s *v, u64 fields)\n{\n\treturn nl_encode_set(&nl_%s_info, skb, v, fields);\n}\n", n, n, n)
		sensitive := []string{}
		for _, f := range st.Fields {
			if f.Sensitive {
				sensitive = append(sensitive, fmt.Sprintf("NL_BIT(NLF_%s_%s)", upper(n), upper(f.Name)))
			}
		}
		if len(sensitive) > 0 {
			p.f("/* What everybody may see. */\n#define NL_%s_PUBLIC (~(%s))\n", upper(n), strings.Join(sensitive, " | "))
		}
	}
	p.f("#endif")
	return p.Bytes()
}

func cSourceFile(s *schema) []byte {
	p := &page{}
	p.WriteString(strings.Replace(cNotice, "/* SPDX-License-Identifier: GPL-2.0 */", "// SPDX-License-Identifier: GPL-2.0", 1))
	p.f("#include \"nl_gen.h\"\n")
	p.f("const struct nla_policy nl_top_policy[NLSET_MAX + 1] = {")
	for _, st := range s.Sets {
		p.f("\t[NLSET_%s] = { .type = NLA_NESTED },", upper(st.Name))
	}
	p.f("};\n")
	p.f("const struct nl_op_info nl_ops[NLOP_MAX + 1] = {")
	for _, op := range s.Operations {
		needs, setNr := "NL_NEEDS_NOTHING", ""
		if op.Needs != "" {
			needs = "NL_NEEDS_" + upper(op.Needs)
		}
		if op.Set != "" {
			setNr = fmt.Sprintf(", .set = NLSET_%s", upper(op.Set))
		}
		p.f("\t[NLOP_%s] = { .name = %q, .kind = NL_KIND_%s, .needs = %s%s },", upper(op.Name), op.Name, upper(op.Kind), needs, setNr)
	}
	p.f("};\n")
	for _, st := range s.Sets {
		cTables(p, st)
	}
	return p.Bytes()
}

func cTables(p *page, st set) {
	p.f("static const struct nla_policy nl_%s_policy[NLF_%s_MAX + 1] = {", st.Name, upper(st.Name))
	for _, f := range st.Fields {
		policy := map[string]string{
			"flag": "NLA_U8", "u32": "NLA_U32", "s32": "NLA_U32", "u64": "NLA_U64",
			"string": fmt.Sprintf("NLA_NUL_STRING, .len = %d", f.Size-1),
			"binary": fmt.Sprintf("NLA_BINARY, .len = %d", f.Size),
		}[f.Type]
		p.f("\t[NLF_%s_%s] = { .type = %s },", upper(st.Name), upper(f.Name), policy)
	}
	p.f("};\n")
	p.f("static const struct nl_field_info nl_%s_fields[] = {", st.Name)
	for _, f := range st.Fields {
		flags := ""
		for _, flag := range []struct {
			on   bool
			name string
		}{{f.Required, "NL_REQUIRED"}, {f.Invariant, "NL_INVARIANT"}} {
			if flag.on && flags != "" {
				flags += " | "
			}
			if flag.on {
				flags += flag.name
			}
		}
		line := fmt.Sprintf("\t{ %d, NL_%s, offsetof(struct nl_%s, %s)", f.Nr, upper(f.Type), st.Name, f.Name)
		if f.Size > 0 {
			line += fmt.Sprintf(", .size = %d", f.Size)
		}
		if f.Type == "binary" {
			line += fmt.Sprintf(",\n\t  .len_offset = offsetof(struct nl_%s, %s_len)", st.Name, f.Name)
		}
		if flags != "" {
			line += ",\n\t  .flags = " + flags
		}
		p.f("%s },", line)
	}
	p.f("};\n")
	p.f("const struct nl_set_info nl_%s_info = {\n\t.nr = NLSET_%s,\n\t.max_field = NLF_%s_MAX,\n\t.nested_flag = %t,", st.Name, upper(st.Name), upper(st.Name), st.nested())
	p.f("\t.policy = nl_%s_policy,\n\t.fields = nl_%s_fields,\n\t.field_count = ARRAY_SIZE(nl_%s_fields),\n};\n", st.Name, st.Name, st.Name)
}
