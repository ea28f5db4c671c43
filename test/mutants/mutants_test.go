package main

import "testing"

// Each mutant still has the rule that it undoes.
func TestTableFits(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutants {
		if names[m.name] {
			t.Errorf("%s: there twice", m.name)
		}
		names[m.name] = true
		if text, err := m.text(); err != nil {
			t.Errorf("%s: %v", m.name, err)
		} else if text == "" || m.old == m.new {
			t.Errorf("%s: undoes nothing", m.name)
		}
	}
	if len(mutants) < 40 {
		t.Errorf("only %d mutants", len(mutants))
	}
}
