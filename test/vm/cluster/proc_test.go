package cluster

import "testing"

const sample = `version: 8.4.11 (api:1/proto:86-101)
srcversion: 211FB288A383ED945B83420 
 0: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----
    ns:1048508 nr:0 dw:204 dr:1050636 al:8 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0
 1: cs:SyncSource ro:Primary/Secondary ds:UpToDate/Inconsistent C r-----
    ns:512816 nr:7 dw:0 dr:515944 al:0 bm:0 lo:0 pe:3 ua:4 ap:0 ep:1 wo:f oos:536668
	[========>...........] sync'ed: 48.9% (536668/1048508)K
	finish: 0:00:17 speed: 31,248 (30,160) K/sec
 3: cs:Unconfigured

 7: cs:StandAlone ro:Secondary/Unknown ds:UpToDate/DUnknown   r-----
    ns:0 nr:0 dw:0 dr:0 al:8 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0
`

func TestParseProc(t *testing.T) {
	devices, err := ParseProc(sample)
	if err != nil {
		t.Fatal(err)
	}
	states := map[int]string{
		0: "cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate",
		1: "cs:SyncSource ro:Primary/Secondary ds:UpToDate/Inconsistent",
		3: "cs:Unconfigured ro:/ ds:/",
		7: "cs:StandAlone ro:Secondary/Unknown ds:UpToDate/DUnknown",
	}
	if len(devices) != len(states) {
		t.Errorf("%d devices found", len(devices))
	}
	for minor, want := range states {
		if got := devices[minor].State(); got != want {
			t.Errorf("minor %d: %q, want %q", minor, got, want)
		}
	}
	d := devices[1]
	if d.SentKiB != 512816 || d.ReceivedKiB != 7 || d.OutOfSyncKiB != 536668 || d.Pending != 3 || d.Unacked != 4 || d.Percent != 48.9 {
		t.Errorf("counters: %+v", d)
	}
	if devices[7].Protocol != "" || devices[7].Flags != "r-----" || devices[0].Protocol != "C" {
		t.Errorf("protocol and flags: %+v", devices[7])
	}
}

func TestParseProcRefusesUnknownForms(t *testing.T) {
	if _, err := ParseProc("version\nsrc\n 0: cs:Connected st:Primary\n"); err == nil {
		t.Error("an unknown entry line was taken")
	}
}
