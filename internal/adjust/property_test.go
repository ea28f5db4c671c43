package adjust_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"drbd/internal/adjust"
	"drbd/internal/conf"
	"drbd/internal/conf/conftest"
)

func view(t *testing.T, text string) *conf.View {
	t.Helper()
	v := conf.Resolve(conf.Parse("f", text), conf.Identity{Node: "alpha", Pretended: true})
	if err := v.Diagnostics.Err(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return v
}

func run(t *testing.T, m *module, plan *adjust.Plan, about string) {
	t.Helper()
	for _, c := range plan.Lines() {
		if err := m.run(c); err != nil {
			t.Fatalf("refused: %v\nplan:\n%v\n%s", err, plan, about)
		}
	}
}

func adjustPlan(v *conf.View, m *module) *adjust.Plan {
	p := &adjust.Planner{View: v}
	return p.Adjust(v.Resources, conf.ParseShow(m.show()), adjust.What{Volume: -1})
}

// From any state, adjust gives what the configuration says, in an order that the module accepts, and then has nothing left to do.
func TestAdjustReachesTheConfiguration(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 7))
		before, after := conftest.Config(r), conftest.Config(r)
		about := "--- before\n" + before + "--- after\n" + after
		m := newModule()
		first, second := view(t, before), view(t, after)
		if first.Resources[0].Me.NodeID != second.Resources[0].Me.NodeID {
			continue // another node id is another resource
		}
		run(t, m, (&adjust.Planner{View: first}).Up(first.Resources), about)
		if plan := adjustPlan(first, m); !plan.Empty() {
			t.Fatalf("seed %d: adjust after up is not empty:\n%v\n%s\n%s", seed, plan, m.show(), before)
		}
		run(t, m, adjustPlan(second, m), about)
		fresh := newModule()
		run(t, fresh, (&adjust.Planner{View: second}).Up(second.Resources), about)
		if diff := cmp.Diff(withoutEmpty(fresh.show()), withoutEmpty(m.show())); diff != "" {
			t.Fatalf("seed %d: adjust reaches something else than up (-up +adjust):\n%s\n%s", seed, diff, about)
		}
		if plan := adjustPlan(second, m); !plan.Empty() {
			t.Fatalf("seed %d: a second adjust is not empty:\n%v\n%s\n%s", seed, plan, m.show(), about)
		}
	}
}

// withoutEmpty drops sections with nothing in them, and the order of paths.
func withoutEmpty(show string) string {
	for {
		next := show
		for _, head := range []string{"disk {\n}\n", "net {\n}\n", "options {\n}\n", "volume 0 {\n}\n", "volume 1 {\n}\n", "volume 2 {\n}\n"} {
			next = strings.ReplaceAll(next, head, "")
		}
		if next == show {
			return show
		}
		show = next
	}
}
