package lint

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"drbd/internal/conf"
	"drbd/internal/genl"
)

// optionChecks look at the configuration alone.
var optionChecks = []check{
	{"dual-primary-fencing", "two Primaries allowed without fencing", func(l *linter, r *conf.Resolved) {
		links(r, func(o conf.Options) {
			two, pos := option(o, "allow-two-primaries")
			fencing, _ := option(o, "fencing")
			if two == "yes" && fencing != "resource-and-stonith" {
				l.add(r, pos, fmt.Sprintf("resource '%s' may be Primary on both nodes, but fencing is '%s'", r.Name, or(fencing, "dont-care")),
					"when the connection breaks, both nodes go on writing and each has data that the other lacks: one side's writes will be thrown away",
					"net { fencing resource-and-stonith; } with a handler 'fence-peer' that stops the peer, or remove allow-two-primaries")
			}
		})
	}},
	{"dual-primary-protocol", "two Primaries allowed with a protocol other than C", func(l *linter, r *conf.Resolved) {
		links(r, func(o conf.Options) {
			two, pos := option(o, "allow-two-primaries")
			if protocol, _ := option(o, "protocol"); two == "yes" && protocol != "" && protocol != "C" {
				l.add(r, pos, fmt.Sprintf("resource '%s' may be Primary on both nodes with protocol %s", r.Name, protocol),
					"a cluster file system relies on the other node's writes being there; only protocol C promises that, and the module refuses the others",
					"net { protocol C; }")
			}
		})
	}},
	{"become-primary-both", "both nodes shall become Primary where only one may", func(l *linter, r *conf.Resolved) {
		links(r, func(o conf.Options) {
			two, _ := option(o, "allow-two-primaries")
			if two != "yes" && (slices.Contains(r.BecomePrimaryOn, "both") || len(r.BecomePrimaryOn) > 1) {
				l.add(r, r.Pos, fmt.Sprintf("resource '%s' is to become Primary on several nodes, but allow-two-primaries is not set", r.Name),
					"the node that starts second is refused, at each start", "name one host in become-primary-on, or set net { allow-two-primaries yes; }")
			}
		})
	}},
	{"fencing-handler", "fencing without a handler, or a handler that is never called", func(l *linter, r *conf.Resolved) {
		handler, handlerPos := option(r.Options[conf.ClassHandlers], "fence-peer")
		any := false
		links(r, func(o conf.Options) {
			fencing, pos := option(o, "fencing")
			fences := fencing != "" && fencing != "dont-care"
			any = any || fences
			if fences && handler == "" {
				l.add(r, pos, fmt.Sprintf("resource '%s' has fencing %s, but no handler 'fence-peer'", r.Name, fencing),
					"when the peer is lost nothing can be found out about it: I/O stays frozen, or a promotion is refused",
					"handlers { fence-peer \"PROGRAM\"; unfence-peer \"PROGRAM\"; }")
			}
		})
		if handler != "" && !any {
			l.add(r, handlerPos, fmt.Sprintf("the handler 'fence-peer' of resource '%s' is never called", r.Name),
				"fencing is 'dont-care', which is the default", "net { fencing resource-only; } or resource-and-stonith")
		}
	}},
	{"protocol-a-quorum", "quorum with a protocol that answers before the peer has the data", func(l *linter, r *conf.Resolved) {
		quorum, _ := option(r.Options[conf.ClassResource], "quorum")
		if quorum == "" || quorum == "off" {
			return
		}
		links(r, func(o conf.Options) {
			if protocol, pos := option(o, "protocol"); protocol == "A" {
				l.add(r, pos, fmt.Sprintf("resource '%s' has quorum %s and protocol A", r.Name, quorum),
					"quorum keeps a node from going on alone, but with protocol A writes that were confirmed may be on no other node: after a failover they are gone",
					"net { protocol C; }, or accept that and remove quorum")
			}
		})
	}},
	{"quorum-two-nodes", "a majority of two nodes", func(l *linter, r *conf.Resolved) {
		quorum, pos := option(r.Options[conf.ClassResource], "quorum")
		if quorum == "majority" && len(r.Hosts) == 2 || quorum == "all" && len(r.Hosts) > 1 {
			l.add(r, pos, fmt.Sprintf("resource '%s' has %d nodes and quorum %s", r.Name, len(r.Hosts), quorum),
				"the loss of any one node stops the service, which is what replication was to prevent",
				"add a third node ('disk none;' is enough), or set quorum off and use fencing")
		}
	}},
	{"quorum-io-error", "what happens without quorum was left to the default", func(l *linter, r *conf.Resolved) {
		quorum, pos := option(r.Options[conf.ClassResource], "quorum")
		action, _ := option(r.Options[conf.ClassResource], "on-no-quorum")
		if quorum != "" && quorum != "off" && action == "" {
			l.add(r, pos, fmt.Sprintf("resource '%s' has quorum %s without on-no-quorum", r.Name, quorum),
				"the default freezes I/O until quorum is back: programs hang, and a cluster manager may not see why",
				"options { on-no-quorum io-error; } to let programs fail, or suspend-io to say that freezing is wanted")
		}
	}},
	{"automatic-split-brain", "recovery from split brain that may discard the newer data", func(l *linter, r *conf.Resolved) {
		links(r, func(o conf.Options) {
			for _, name := range []string{"after-sb-0pri", "after-sb-1pri", "after-sb-2pri", "rr-conflict"} {
				value, pos := option(o, name)
				if strings.HasPrefix(value, "violently") || value == "discard-younger-primary" || value == "discard-older-primary" {
					l.add(r, pos, fmt.Sprintf("resource '%s': %s %s", r.Name, name, value),
						"after a split brain one side's writes are thrown away without asking anybody, even when that side has all the recent ones",
						name+" disconnect;  (or discard-zero-changes for after-sb-0pri, consensus for after-sb-1pri)")
				}
			}
		})
	}},
	{"secret", "a shared secret that is not used, or authentication without one", func(l *linter, r *conf.Resolved) {
		links(r, func(o conf.Options) {
			secret, secretPos := option(o, "shared-secret")
			method, methodPos := option(o, "cram-hmac-alg")
			switch {
			case secret != "" && method == "":
				l.add(r, secretPos, fmt.Sprintf("the shared-secret of resource '%s' is not used", r.Name), "without cram-hmac-alg peers do not prove anything",
					"net { cram-hmac-alg sha256; }")
			case secret == "" && method != "":
				l.add(r, methodPos, fmt.Sprintf("resource '%s' has cram-hmac-alg without a shared-secret", r.Name), "peers prove that they know nothing",
					"net { shared-secret \"...\"; }")
			}
		})
	}},
	{"timeouts", "time-outs in an order that cannot work", func(l *linter, r *conf.Resolved) {
		links(r, func(o conf.Options) {
			timeout := netNumber(o, "timeout")
			for _, other := range []string{"connect-int", "ping-int"} {
				if _, pos := option(o, "timeout"); timeout >= 10*netNumber(o, other) {
					l.add(r, pos, fmt.Sprintf("resource '%s': timeout is %d tenths of a second, %s %d seconds", r.Name, timeout, other, netNumber(o, other)),
						"a dead peer is found by timeout; when it is not shorter, the other timer fires first and the connection flaps",
						fmt.Sprintf("net { timeout %d; } or a longer %s", 5*netNumber(o, other), other))
				}
			}
			if ping, pos := option(o, "ping-timeout"); ping != "" && netNumber(o, "ping-timeout") >= 10*netNumber(o, "ping-int") {
				l.add(r, pos, fmt.Sprintf("resource '%s': ping-timeout is not shorter than ping-int", r.Name),
					"the next ping is sent before the answer to the last one was due", "net { ping-timeout 5; }")
			}
		})
	}},
	{"congestion", "a congestion policy that does nothing", func(l *linter, r *conf.Resolved) {
		links(r, func(o conf.Options) {
			policy, pos := option(o, "on-congestion")
			if policy == "" || policy == "block" {
				return
			}
			fill, _ := option(o, "congestion-fill")
			if protocol, _ := option(o, "protocol"); protocol != "A" {
				l.add(r, pos, fmt.Sprintf("resource '%s': on-congestion %s works with protocol A only", r.Name, policy),
					"with other protocols the writer waits for the peer anyway", "net { protocol A; }, or remove on-congestion")
			} else if fill == "" || fill == "0" {
				l.add(r, pos, fmt.Sprintf("resource '%s': on-congestion %s without congestion-fill", r.Name, policy),
					"the default 0 switches the measurement of the network's fill off", "net { congestion-fill 400M; } somewhat below sndbuf-size or the proxy's memory")
			}
		})
	}},
	{"integrity-checksum", "a checksum of everything that is sent, in production", func(l *linter, r *conf.Resolved) {
		links(r, func(o conf.Options) {
			if value, pos := option(o, "data-integrity-alg"); value != "" {
				l.add(r, pos, fmt.Sprintf("resource '%s' has data-integrity-alg %s", r.Name, value),
					"programs that change a buffer while it is written (many do) look like a broken network and drop the connection; and it costs a CPU",
					"use it to find a fault, then remove it; 'drbdadm verify' compares the data at rest")
			}
		})
	}},
	{"verify", "no way to compare the data of the nodes", func(l *linter, r *conf.Resolved) {
		for _, link := range r.Links {
			if value, _ := option(link.Options, "verify-alg"); value == "" && len(r.Hosts) > 1 {
				l.add(r, r.Pos, fmt.Sprintf("resource '%s' has no verify-alg", r.Name),
					"'drbdadm verify' is refused, so nobody finds out when the copies differ", "net { verify-alg crc32c; } and a verify every month")
				return
			}
		}
	}},
	{"flushes", "flushes switched off", func(l *linter, r *conf.Resolved) {
		volumes(r, func(v *conf.Volume) {
			for _, name := range []string{"disk-flushes", "md-flushes"} {
				if value, pos := option(v.Options[conf.ClassDisk], name); value == "no" {
					l.add(r, pos, fmt.Sprintf("resource '%s', volume %d: %s is off", r.Name, v.Nr, name),
						"what the disk has in a volatile cache is lost when the power fails, although it was confirmed",
						"keep this only if the disk's write cache has a battery; else "+name+" yes")
				}
			}
		})
	}},
	{"disk-timeout", "a time-out for the disk", func(l *linter, r *conf.Resolved) {
		volumes(r, func(v *conf.Volume) {
			if value, pos := option(v.Options[conf.ClassDisk], "disk-timeout"); value != "" && value != "0" {
				l.add(r, pos, fmt.Sprintf("resource '%s', volume %d: disk-timeout %s", r.Name, v.Nr, value),
					"a driver that does not cancel requests may write into memory that has a new owner by then: data of anybody is damaged",
					"disk-timeout 0; let the disk's own driver time out")
			}
		})
	}},
	{"io-errors", "errors of the local disk handed to programs", func(l *linter, r *conf.Resolved) {
		volumes(r, func(v *conf.Volume) {
			if value, pos := option(v.Options[conf.ClassDisk], "on-io-error"); value == "pass_on" && len(r.Hosts) > 1 {
				l.add(r, pos, fmt.Sprintf("resource '%s', volume %d: on-io-error pass_on", r.Name, v.Nr),
					"a bad sector of one disk reaches the program, although the peer has the data", "disk { on-io-error detach; }")
			}
		})
	}},
	{"resync-rate", "rates of the resync that have no effect or exclude each other", checkRates},
	{"waiting", "time-outs of the start in an order that cannot work", func(l *linter, r *conf.Resolved) {
		startup := r.Options[conf.ClassStartup]
		wfc, pos := option(startup, "wfc-timeout")
		degraded, _ := option(startup, "degr-wfc-timeout")
		w, _ := strconv.Atoi(wfc)
		d, _ := strconv.Atoi(degraded)
		if w > 0 && degraded != "" && (d == 0 || d > w) {
			l.add(r, pos, fmt.Sprintf("resource '%s': degr-wfc-timeout (%s) is not shorter than wfc-timeout (%s)", r.Name, degraded, wfc),
				"it is cut to wfc-timeout; the file promises what will not happen", fmt.Sprintf("startup { degr-wfc-timeout %d; }", max(1, w/2)))
		}
	}},
	{"handler-generation", "a handler of DRBD 8.4 with several peers", func(l *linter, r *conf.Resolved) {
		for _, o := range r.Options[conf.ClassHandlers] {
			base := path.Base(firstWord(o.Value))
			if strings.HasPrefix(base, "crm-") && !strings.Contains(base, ".9.") && len(r.Hosts) > 2 {
				l.add(r, o.Pos, fmt.Sprintf("resource '%s' has %d nodes and the handler %s", r.Name, len(r.Hosts), base),
					"it knows of one peer only and fences the wrong one", strings.Replace(base, "-peer.sh", "-peer.9.sh", 1))
			}
		}
	}},
}

func checkRates(l *linter, r *conf.Resolved) {
	for _, link := range r.Links {
		for _, d := range link.Devices {
			rate, pos := option(d.Options, "resync-rate")
			ahead, _ := option(d.Options, "c-plan-ahead")
			if rate != "" && ahead != "0" {
				l.add(r, pos, fmt.Sprintf("resource '%s': resync-rate %s is only where the resync starts", r.Name, rate),
					"since 8.4 a controller adapts the rate between c-min-rate and c-max-rate", "disk { c-max-rate "+rate+"; }, or c-plan-ahead 0 for a fixed rate")
			}
			low, lowPos := option(d.Options, "c-min-rate")
			if _, written := d.Options.Get("c-max-rate"); low != "" && written {
				if lowest, highest := number(conf.ClassPeerDevice, d.Options, "c-min-rate"), number(conf.ClassPeerDevice, d.Options, "c-max-rate"); lowest > highest {
					l.add(r, lowPos, fmt.Sprintf("resource '%s': c-min-rate is above c-max-rate", r.Name), "the controller has no rate to choose",
						"disk { c-min-rate 250k; }")
				}
			}
		}
	}
}

// number is a setting in its own unit, or its default.
func number(c conf.Class, options conf.Options, name string) int {
	f := c.Field(name)
	value, _ := option(options, name)
	if value == "" {
		return int(f.Default)
	}
	n, err := f.Parse(value, genl.ParseNumber)
	if err != nil {
		return int(f.Default) // the configuration is not valid then, and that was told
	}
	return int(n)
}

func netNumber(options conf.Options, name string) int { return number(conf.ClassNet, options, name) }

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

func firstWord(command string) string {
	words := strings.Fields(command)
	if len(words) == 0 {
		return ""
	}
	return words[0]
}
