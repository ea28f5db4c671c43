package genl

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

var unitShift = map[string]uint{"": 0, "s": 9, "k": 10, "m": 20, "g": 30}

// ParseNumber reads a number with an optional unit and converts it to the default unit ("", "s" or "k"), rounding up.
func ParseNumber(text, scale string) (uint64, error) {
	digits := strings.TrimRight(text, "kKmMgGs")
	n, err := strconv.ParseUint(digits, 10, 64)
	unit, known := unitShift[strings.ToLower(text[len(digits):])]
	if err != nil || !known || digits == "" {
		return 0, fmt.Errorf("%s is not a valid number", text)
	}
	from, to := unit, unitShift[scale]
	if len(digits) == len(text) {
		from = to
	}
	if from >= to {
		shift := from - to
		if n != 0 && bits.Len64(n)+int(shift) > 64 {
			return 0, fmt.Errorf("%s is not a valid number (too large)", text)
		}
		return n << shift, nil
	}
	shift := to - from
	if n > math.MaxUint64-(1<<shift-1) {
		return 0, fmt.Errorf("%s is not a valid number (too large)", text)
	}
	return (n + 1<<shift - 1) >> shift, nil
}
