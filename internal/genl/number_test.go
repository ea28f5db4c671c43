package genl

import "testing"

func TestParseNumber(t *testing.T) {
	for _, c := range []struct {
		text, scale string
		want        uint64
		bad         bool
	}{
		{"0", "", 0, false}, {"17", "k", 17, false}, {"10M", "k", 10240, false}, {"1G", "s", 2097152, false}, {"1", "s", 1, false},
		{"1k", "", 1024, false}, {"1s", "k", 1, false}, {"3s", "k", 2, false}, {"512", "k", 512, false}, {"2097152s", "s", 2097152, false},
		{"2K", "", 2048, false}, {"1m", "s", 2048, false}, {"18446744073709551615", "", 1<<64 - 1, false},
		{"", "", 0, true}, {"x", "", 0, true}, {"5x", "", 0, true}, {"-1", "", 0, true}, {"5kk", "", 0, true}, {"k", "", 0, true},
		{"18446744073709551616", "", 0, true}, {"18446744073709551615k", "", 0, true}, {"18446744073709551615s", "k", 0, true},
	} {
		got, err := ParseNumber(c.text, c.scale)
		if (err != nil) != c.bad || got != c.want && !c.bad {
			t.Errorf("%q in %q: got %d, %v; want %d, error %v", c.text, c.scale, got, err, c.want, c.bad)
		}
	}
}
