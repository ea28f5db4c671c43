package main

import "testing"

// The committed files are what the YAML says.
func TestGeneratedFilesAreFresh(t *testing.T) {
	if err := run("../../..", true); err != nil {
		t.Fatal(err)
	}
}

func TestSchemaErrors(t *testing.T) {
	f := func(nr int, typ string, size int) field { return field{Nr: nr, Name: "x", Type: typ, Size: size} }
	for _, c := range []struct {
		name string
		s    schema
	}{
		{"number used twice", schema{Sets: []set{{Nr: 1, Name: "a"}, {Nr: 1, Name: "b"}}}},
		{"field used twice", schema{Sets: []set{{Nr: 1, Name: "a", Fields: []field{f(1, "u32", 0), f(1, "u32", 0)}}}}},
		{"unknown type", schema{Sets: []set{{Nr: 1, Name: "a", Fields: []field{f(1, "u16", 0)}}}}},
		{"string without size", schema{Sets: []set{{Nr: 1, Name: "a", Fields: []field{f(1, "string", 0)}}}}},
		{"field number too large", schema{Sets: []set{{Nr: 1, Name: "a", Fields: []field{f(64, "u32", 0)}}}}},
		{"operation with unknown set", schema{Operations: []operation{{Nr: 1, Name: "x", Set: "nothing"}}}},
	} {
		if c.s.check() == nil {
			t.Errorf("%s: accepted", c.name)
		}
	}
}
