package genl

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"net/netip"
	"testing"

	"drbd/internal/genl/trace"
	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/genetlink"
)

func recorded(t *testing.T, line string) trace.Command {
	t.Helper()
	commands, err := trace.Stock9()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commands {
		if c.Line == line {
			return c
		}
	}
	t.Fatalf("%q was not recorded", line)
	return trace.Command{}
}

func client(t *testing.T, k *trace.Kernel) *Client {
	t.Helper()
	c, err := NewClient(k.Open)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func address(t *testing.T, text string) Address {
	t.Helper()
	a, err := NewAddress("ipv4", netip.MustParseAddrPort(text))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Our requests are, byte for byte, those of the stock tool.
func TestRequestsAsRecorded(t *testing.T) {
	paths := NewParams(SetPathParms).
		PutBinary(PathParmsNrMyAddr, address(t, "10.77.0.12:7789")).
		PutBinary(PathParmsNrPeerAddr, address(t, "10.77.0.11:7789"))
	peer := func(op Op) Request { return New(op, "r0").WithNode(1) }
	for _, c := range []struct {
		line    string
		request Request
	}{
		{"new-resource r0 0 --quorum=majority --on-no-quorum=io-error", Request{Op: OpNewResource, Minor: NoMinor, Resource: "r0",
			Params: NewParams(SetResourceOpts).Put(ResourceOptsNrQuorum, 1024).Put(ResourceOptsNrOnNoQuorum, 0).Put(ResourceOptsNrNodeID, 0)}},
		{"new-minor r0 0 0", Request{Op: OpNewMinor, Minor: 0, Resource: "r0"}.WithVolume(0)},
		{"new-peer r0 1 --_name=n1 --protocol=C --verify-alg=crc32c", withParams(peer(OpNewPeer),
			NewParams(SetNetConf).PutString(NetConfNrName, "n1").Put(NetConfNrWireProtocol, 3).PutString(NetConfNrVerifyAlg, "crc32c"))},
		{"new-path r0 1 ipv4:10.77.0.12:7789 ipv4:10.77.0.11:7789", withParams(peer(OpNewPath), paths)},
		{"connect r0 1", peer(OpConnect)},
		{"primary r0 --force", withParams(New(OpPrimary, "r0"), NewParams(SetSetRoleParms).Put(SetRoleParmsNrForce, 1))},
		{"peer-device-options r0 1 0 --resync-rate=10M", withParams(peer(OpChgPeerDeviceOpts).WithVolume(0),
			NewParams(SetPeerDeviceOpts).Put(PeerDeviceOptsNrResyncRate, 10240))},
		{"suspend-io 0", ForMinor(OpSuspendIO, 0)},
	} {
		rec := recorded(t, c.line)
		kernel := trace.NewKernel(rec)
		_, err := client(t, kernel).Do(context.Background(), c.request)
		var refused *RequestError
		if err != nil && !errors.As(err, &refused) {
			t.Errorf("%s: %v", c.line, err)
			continue
		}
		want := rec.Exchanges[len(rec.Exchanges)-1].Body()
		if got := kernel.Sent[len(kernel.Sent)-1]; !bytes.Equal(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", c.line, hex.EncodeToString(got), hex.EncodeToString(want))
		}
	}
}

func withParams(r Request, p *Params) Request {
	r.Params = p
	return r
}

func TestFamilyAsRecorded(t *testing.T) {
	c := client(t, trace.NewKernel(recorded(t, "status")))
	if diff := cmp.Diff(Family{ID: 0x20, Version: 2, HeaderSize: 8, Group: 9, Paths: true}, c.Family()); diff != "" {
		t.Errorf("family (-want +got):\n%s", diff)
	}
	if err := c.CheckVersion(); err != nil {
		t.Error(err)
	}
	c.family.Version = 1
	if c.CheckVersion() == nil {
		t.Error("family version 1 accepted")
	}
}

func TestRefusalKeepsCodeAndTexts(t *testing.T) {
	rec := recorded(t, "attach 0 /dev/vda /dev/vda internal")
	c := client(t, trace.NewKernel(rec))
	params := NewParams(SetDiskConf).PutString(DiskConfNrBackingDev, "/dev/vda").PutString(DiskConfNrMetaDev, "/dev/vda").
		Put(DiskConfNrMetaDevIdx, Signed(-3))
	_, err := c.Do(context.Background(), withParams(ForMinor(OpAttach, 0), params))
	if !errors.Is(err, ErrMDUnclean) {
		t.Fatalf("got %v, want code 165", err)
	}
	var refused *RequestError
	errors.As(err, &refused)
	if diff := cmp.Diff([]string{"Found unclean meta data. Did you \"drbdadm apply-al\"?\n"}, refused.Texts); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
}

// Every dump of the stock module is understood, down to the numbers.
func TestDumpsAsRecorded(t *testing.T) {
	c := client(t, trace.NewKernel(recorded(t, "status"), recorded(t, "events2 --now")))
	ctx := context.Background()
	resources, err := c.Resources(ctx)
	if err != nil || len(resources) != 1 {
		t.Fatalf("resources: %v, %v", resources, err)
	}
	if r := resources[0]; r.Name != "r0" || r.Opts.Quorum != 1024 || r.Info.Role != RoleSecondary || r.Opts.NrRequests != 8000 {
		t.Errorf("resource: %+v", r)
	}
	devices, err := c.Devices(ctx, "r0")
	if err != nil || len(devices) != 1 {
		t.Fatalf("devices: %v, %v", devices, err)
	}
	if d := devices[0]; d.Minor != 0 || d.HasDisk || d.Info.DiskState != DiskDiskless || d.Statistics.Size != 2*16344 {
		t.Errorf("device: %+v", d)
	}
	connections, err := c.Connections(ctx, "r0")
	if err != nil || len(connections) != 1 {
		t.Fatalf("connections: %v, %v", connections, err)
	}
	if n := connections[0]; n.Name != "n1" || n.Node != 1 || n.Net.VerifyAlg != "crc32c" || n.Info.ConnectionState != ConnConnecting ||
		len(n.Paths) != 1 || n.Paths[0].Local.String() != "ipv4:10.77.0.12:7789" || n.Paths[0].Peer.String() != "ipv4:10.77.0.11:7789" {
		t.Errorf("connection: %+v", n)
	}
	peers, err := c.PeerDevices(ctx, "r0")
	if err != nil || len(peers) != 1 || peers[0].Info.DiskState != DiskInconsistent || peers[0].Opts.CFillTarget != 100 {
		t.Errorf("peer devices: %+v, %v", peers, err)
	}
	paths, err := c.Paths(ctx, "r0")
	if err != nil || len(paths) != 1 || paths[0].Local.String() != "ipv4:10.77.0.12:7789" || paths[0].Info.PathEstablished {
		t.Errorf("paths: %+v, %v", paths, err)
	}
}

// After an initial state the connection is usable for the next request.
func TestInitialStateThenRequest(t *testing.T) {
	c := client(t, trace.NewKernel(recorded(t, "events2 --now"), recorded(t, "status")))
	messages, err := c.InitialState(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	var ops []Op
	for _, m := range messages {
		ops = append(ops, m.Op)
	}
	want := []Op{OpResourceState, OpConnectionState, OpPathState, OpDeviceState, OpPeerDeviceState}
	if diff := cmp.Diff(want, ops); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
	if _, err := c.Resources(context.Background()); err != nil {
		t.Errorf("dump after an initial state: %v", err)
	}
}

func TestAddressRoundTrip(t *testing.T) {
	for _, c := range []struct{ family, text string }{
		{"ipv4", "10.0.0.1:7789"}, {"sdp", "10.0.0.1:7789"}, {"ipv6", "[fd00::1]:7788"}, {"ipv6", "[fe80::1%lo]:1"}, {"ipv6", "[::ffff:10.0.0.1]:7789"},
	} {
		raw, err := NewAddress(c.family, netip.MustParseAddrPort(c.text))
		if err != nil {
			t.Errorf("%s %s: %v", c.family, c.text, err)
			continue
		}
		if got := raw.String(); got != c.family+":"+c.text {
			t.Errorf("%s %s came back as %s", c.family, c.text, got)
		}
	}
	if _, err := NewAddress("ipv4", netip.MustParseAddrPort("[fd00::1]:1")); err == nil {
		t.Error("IPv6 address accepted as ipv4")
	}
	for _, raw := range []Address{nil, {2, 0}, {2, 0, 1, 2, 3}, {99, 0, 0, 0, 0, 0, 0, 0}} {
		if family, _ := raw.Parse(); family != "unknown" {
			t.Errorf("%v: family %s", []byte(raw), family)
		}
	}
}

// Messages from the kernel are input like any other: no cut message may panic, all are errors or shorter results.
func TestCutMessages(t *testing.T) {
	rec := recorded(t, "status")
	for _, e := range rec.Exchanges[1:] {
		full := e.Replies[0].Body[4:]
		for n := range len(full) {
			m, err := parseMessage(genlMessage(full[:n]), 1)
			if err != nil {
				continue
			}
			_, _ = m.Resource()
			_, _ = m.Device()
			_, _ = m.Connection()
			_, _ = m.PeerDevice()
			_, _ = m.Path()
			for nr := range sets {
				_, _ = m.Values(nr)
			}
		}
	}
}

func TestParamsKeepFirstError(t *testing.T) {
	p := NewParams(SetNetConf).PutString(NetConfNrSharedSecret, string(make([]byte, 3))).Put(99, 1)
	if p.Err() == nil || !bytes.Contains([]byte(p.Err().Error()), []byte("--shared-secret")) {
		t.Errorf("got %v, want the error about the secret", p.Err())
	}
	long := NewParams(SetNetConf).PutString(NetConfNrName, string(bytes.Repeat([]byte("x"), 64)))
	if long.Err() == nil {
		t.Error("text of 64 bytes accepted for a field of 64 with its NUL")
	}
	fits := NewParams(SetNetConf).PutString(NetConfNrName, string(bytes.Repeat([]byte("x"), 63)))
	if fits.Err() != nil {
		t.Error(fits.Err())
	}
}

func genlMessage(data []byte) genetlink.Message {
	return genetlink.Message{Header: genetlink.Header{Command: uint8(OpGetResources)}, Data: data}
}
