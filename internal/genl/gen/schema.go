// Command gen makes the C and Go sides of the netlink interface out of kernel/netlink.yaml.
package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

type schema struct {
	Family struct {
		Name       string `yaml:"name"`
		Version    int    `yaml:"version"`
		HeaderSize int    `yaml:"header_size"`
		Group      string `yaml:"group"`
	} `yaml:"family"`
	Operations  []operation  `yaml:"operations"`
	Enums       []enum       `yaml:"enums"`
	Limits      []limit      `yaml:"limits"`
	Sets        []set        `yaml:"sets"`
	ReturnCodes []returnCode `yaml:"return_codes"`
}

type operation struct {
	Nr    int    `yaml:"nr"`
	Name  string `yaml:"name"`
	Kind  string `yaml:"kind"`
	Needs string `yaml:"needs"`
	Set   string `yaml:"set"`
}

type enum struct {
	Name   string      `yaml:"name"`
	COwner string      `yaml:"c_owner"`
	Values []enumValue `yaml:"values"`
}

type enumValue struct {
	V    int64  `yaml:"v"`
	Word string `yaml:"word"`
	Name string `yaml:"name"`
}

// ident is the value's name as an identifier, lower case.
func (v enumValue) ident() string {
	if v.Name != "" {
		return v.Name
	}
	return strings.ReplaceAll(strings.ToLower(v.Word), "-", "_")
}

type limit struct {
	Name string `yaml:"name"`
	Min  int64  `yaml:"min"`
	Max  int64  `yaml:"max"`
}

type set struct {
	Nr         int     `yaml:"nr"`
	Name       string  `yaml:"name"`
	WireName   string  `yaml:"wire_name"`
	NestedFlag *bool   `yaml:"nested_flag"`
	Show       string  `yaml:"show"`
	Fields     []field `yaml:"fields"`
}

func (s set) nested() bool { return s.NestedFlag == nil || *s.NestedFlag }

func (s set) maxField() int {
	n := 0
	for _, f := range s.Fields {
		n = max(n, f.Nr)
	}
	return n
}

type field struct {
	Nr        int    `yaml:"nr"`
	Name      string `yaml:"name"`
	Type      string `yaml:"type"`
	Size      int    `yaml:"size"`
	Element   string `yaml:"element"`
	Required  bool   `yaml:"required"`
	Invariant bool   `yaml:"invariant"`
	Sensitive bool   `yaml:"sensitive"`
	Option    string `yaml:"option"`
	Enum      string `yaml:"enum"`
	Min       *int64 `yaml:"min"`
	Max       *int64 `yaml:"max"`
	Def       number `yaml:"def"`
	Clamp     bool   `yaml:"clamp"`
	Scale     string `yaml:"scale"`
	Unit      string `yaml:"unit"`
}

// number is a default: it may be any s64 or u64 and keeps the difference between absent and 0.
type number struct {
	Given    bool
	Negative bool
	Value    uint64 // two's complement
}

// UnmarshalYAML reads a signed or an unsigned 64-bit number.
func (n *number) UnmarshalYAML(node *yaml.Node) error {
	n.Given = true
	if err := node.Decode(&n.Value); err == nil {
		return nil
	}
	var v int64
	if err := node.Decode(&v); err != nil {
		return err
	}
	n.Negative, n.Value = v < 0, uint64(v)
	return nil
}

type returnCode struct {
	Nr       int    `yaml:"nr"`
	Name     string `yaml:"name"`
	Historic bool   `yaml:"historic"`
	Text     string `yaml:"text"`
}

// isPayload tells that requests carry the set; the others only report.
func (s *schema) isPayload(name string) bool {
	return slices.ContainsFunc(s.Operations, func(op operation) bool { return op.Set == name })
}

var fieldTypes = []string{"flag", "u32", "s32", "u64", "string", "binary"}

func load(path string) (*schema, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &schema{}
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	dec.KnownFields(true)
	if err := dec.Decode(s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// check refuses what would make wrong code: numbers used twice, unknown types, enums, sets.
func (s *schema) check() error {
	enums, sets := map[string]bool{}, map[string]bool{}
	for _, e := range s.Enums {
		enums[e.Name] = true
	}
	numbers := map[int]string{}
	for _, st := range s.Sets {
		if old, used := numbers[st.Nr]; used {
			return fmt.Errorf("set %s: number %d is already that of %s", st.Name, st.Nr, old)
		}
		numbers[st.Nr], sets[st.Name] = st.Name, true
		if err := st.check(enums); err != nil {
			return fmt.Errorf("set %s: %w", st.Name, err)
		}
	}
	operations := map[int]string{}
	for _, op := range s.Operations {
		if old, used := operations[op.Nr]; used {
			return fmt.Errorf("operation %s: number %d is already that of %s", op.Name, op.Nr, old)
		}
		operations[op.Nr] = op.Name
		if op.Set != "" && !sets[op.Set] {
			return fmt.Errorf("operation %s: no set %q", op.Name, op.Set)
		}
	}
	return nil
}

func (s set) check(enums map[string]bool) error {
	numbers := map[int]bool{}
	for _, f := range s.Fields {
		switch {
		case numbers[f.Nr]:
			return fmt.Errorf("field %s: number %d is used twice", f.Name, f.Nr)
		case f.Nr < 1 || f.Nr > 63:
			return fmt.Errorf("field %s: number %d does not fit the mask of present fields (1 to 63)", f.Name, f.Nr)
		case !slices.Contains(fieldTypes, f.Type):
			return fmt.Errorf("field %s: type %q is none of %v", f.Name, f.Type, fieldTypes)
		case (f.Type == "string" || f.Type == "binary") != (f.Size > 0):
			return fmt.Errorf("field %s: size is for string and binary, and needed there", f.Name)
		case f.Enum != "" && !enums[f.Enum]:
			return fmt.Errorf("field %s: no enum %q", f.Name, f.Enum)
		}
		numbers[f.Nr] = true
	}
	return s.checkShow()
}

// checkShow: every option is listed exactly once, nothing else is.
func (s set) checkShow() error {
	if s.Show == "" {
		return nil
	}
	shown := strings.Fields(s.Show)
	for _, f := range s.Fields {
		if f.Option != "" && !slices.Contains(shown, f.Option) {
			return fmt.Errorf("option %s is missing in show", f.Option)
		}
	}
	for i, option := range shown {
		if !slices.ContainsFunc(s.Fields, func(f field) bool { return f.Option == option }) {
			return fmt.Errorf("show: no option %s", option)
		}
		if slices.Contains(shown[:i], option) {
			return fmt.Errorf("show: option %s is listed twice", option)
		}
	}
	return nil
}
