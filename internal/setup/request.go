package setup

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"drbd/internal/genl"
)

// checkArguments compares the positional arguments with the command's row.
func (c *call) checkArguments() error {
	if extra := len(c.args) - len(c.cmd.args); extra > 0 {
		return usage("Excess arguments: %s", strings.Join(c.args[len(c.cmd.args):], " "))
	}
	for i, a := range c.cmd.args {
		if i >= len(c.args) && !a.optional {
			return usage("Missing argument '%s'\n%s", a.name, c.cmd.usageLine())
		}
	}
	return nil
}

// sendRequest is what most commands do: context from the arguments, payload from options and arguments, answer to people.
func sendRequest(c *call) error {
	r, err := c.buildRequest()
	if err != nil {
		return err
	}
	return c.do(r)
}

func (c *call) do(r genl.Request) error {
	if c.cmd.changesMinor {
		release, err := c.lockMinor(r.Minor)
		if err != nil {
			return err
		}
		defer release()
	}
	reply, err := c.client.Do(c.ctx, r)
	return c.report(reply, err)
}

func (c *call) buildRequest() (genl.Request, error) {
	r := genl.New(c.cmd.op, "")
	r.SetDefaults = c.setDefaults
	var params *genl.Params
	if nr := c.cmd.op.PayloadSet(); nr != 0 {
		params = genl.NewParams(nr)
	}
	r.Params = params
	for _, o := range c.options {
		switch {
		case o.spec.field == nil:
		case o.spec.field.Type == genl.TypeString:
			params.PutString(o.spec.field.Nr, o.text)
		default:
			params.Put(o.spec.field.Nr, o.value)
		}
	}
	for i, text := range c.args {
		if err := c.addArgument(&r, c.cmd.args[i], text); err != nil {
			return r, err
		}
	}
	return r, nil
}

// addArgument puts one positional argument where the request wants it.
func (c *call) addArgument(r *genl.Request, a argument, text string) error {
	switch a.kind {
	case argResource, argResourceOrAll:
		r.Resource = text
	case argMinor, argNewMinor:
		minor, err := parseMinor(text)
		if err != nil {
			return err
		}
		r.Minor = minor
	case argNode:
		return c.addNode(r, text)
	case argVolume:
		volume, err := parseUint(text, "volume number", genl.VolumeMax)
		if err != nil {
			return err
		}
		*r = r.WithVolume(volume)
	case argNewName:
		r.Params.PutString(genl.RenameResourceParmsNrNewResourceName, text)
	case argDisk, argMetaDisk:
		nr := map[argKind]uint16{argDisk: genl.DiskConfNrBackingDev, argMetaDisk: genl.DiskConfNrMetaDev}[a.kind]
		r.Params.PutString(nr, text)
		return c.env.CheckDisk(text)
	case argMetaIndex:
		index, err := genl.SetDiskConf.Info().FieldByNr(genl.DiskConfNrMetaDevIdx).ParseIndex(text)
		if err != nil {
			return usage("meta_data_index: %v", err)
		}
		r.Params.Put(genl.DiskConfNrMetaDevIdx, index)
	case argLocalAddress, argPeerAddress:
		nr := map[argKind]uint16{argLocalAddress: genl.PathParmsNrMyAddr, argPeerAddress: genl.PathParmsNrPeerAddr}[a.kind]
		address, err := parseAddress(text)
		if err != nil {
			return usage("%v", err)
		}
		r.Params.PutBinary(nr, address)
	}
	return nil
}

// addNode: for two requests the node id is part of the payload, for the others it is context.
func (c *call) addNode(r *genl.Request, text string) error {
	node, err := parseUint(text, "node id", genl.NodeIDMax)
	if err != nil {
		return err
	}
	switch c.cmd.op {
	case genl.OpNewResource:
		r.Params.Put(genl.ResourceOptsNrNodeID, uint64(node))
	case genl.OpForgetPeer:
		r.Params.Put(genl.ForgetPeerParmsNrForgetPeerNodeID, uint64(node))
	default:
		*r = r.WithNode(node)
	}
	return nil
}

func parseUint(text, what string, limit uint64) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n > limit {
		return 0, usage("%s is no %s: possible is 0 to %d", text, what, limit)
	}
	return uint32(n), nil
}

// parseMinor reads digits, /dev/drbd<digits>, or an existing node of DRBD's major (section 14).
func parseMinor(text string) (uint32, error) {
	digits := strings.TrimPrefix(text, "/dev/drbd")
	if n, err := strconv.ParseUint(digits, 10, 32); err == nil && n <= genl.MinorMax {
		return uint32(n), nil
	}
	if minor, ok := deviceNumber(text); ok {
		return minor, nil
	}
	return 0, usage("Cannot determine minor device number of device '%s'", text)
}

const defaultPort = 7788

// parseAddress reads [local:|peer:][family:]address[:port].
func parseAddress(text string) (genl.Address, error) {
	rest := strings.TrimPrefix(strings.TrimPrefix(text, "local:"), "peer:")
	family := "ipv4"
	for _, name := range []string{"ipv4", "ipv6", "sdp", "ssocks"} {
		if after, ok := strings.CutPrefix(rest, name+":"); ok {
			family, rest = name, after
			break
		}
	}
	host, port, err := splitHostPort(rest)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", text, err)
	}
	ip, err := resolve(family, host)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", text, err)
	}
	address, err := genl.NewAddress(family, netip.AddrPortFrom(ip, port))
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", text, err)
	}
	return address, nil
}

// splitHostPort: [host]:port, host:port, or a host alone. Without brackets the last of several colons starts the port.
func splitHostPort(text string) (host string, port uint16, err error) {
	host, portText := text, ""
	if after, ok := strings.CutPrefix(text, "["); ok {
		var rest string
		if host, rest, ok = strings.Cut(after, "]"); !ok {
			return "", 0, errors.New("the bracket is not closed")
		}
		portText = strings.TrimPrefix(rest, ":")
		if rest != "" && portText == rest {
			return "", 0, fmt.Errorf("unexpected %q behind the bracket", rest)
		}
	} else if i := strings.LastIndexByte(text, ':'); i >= 0 {
		host, portText = text[:i], text[i+1:]
	}
	if portText == "" {
		return host, defaultPort, nil
	}
	n, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || n == 0 {
		return "", 0, fmt.Errorf("%q is no port: possible is 1 to 65535", portText)
	}
	return host, uint16(n), nil
}

func resolve(family, host string) (netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip, nil
	}
	ips, err := net.LookupIP(host)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, ip := range ips {
		if a, ok := netip.AddrFromSlice(ip); ok && a.Unmap().Is6() == (family == "ipv6") {
			return a.Unmap(), nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%s has no address of family %s", host, family)
}

// report prints the outcome of a request and chooses the exit code (the table of section 13).
func (c *call) report(reply *genl.Message, err error) error {
	var refused *genl.RequestError
	if err == nil {
		if texts := reply.Texts(); len(texts) > 0 {
			heading := "additional info from kernel:"
			if reply.Code == genl.CodeNoError || reply.Code == genl.StateSuccess {
				heading = "warnings from kernel:"
			}
			c.printTexts(heading, texts)
		}
		return nil
	}
	if !errors.As(err, &refused) {
		if errors.Is(err, genl.ErrUnloaded) {
			return failf(ExitUnloaded, "%s: module unloaded", c.object())
		}
		return failf(ExitUsage, "%s: %v", c.object(), err)
	}
	fmt.Fprintln(c.env.Stderr, refusalText(c.object(), refused.Code))
	if len(refused.Texts) > 0 {
		c.printTexts("additional info from kernel:", refused.Texts)
	}
	return failf(exitOf(refused.Code), "")
}

func (c *call) printTexts(heading string, texts []string) {
	fmt.Fprintln(c.env.Stderr, heading)
	for _, t := range texts {
		fmt.Fprintln(c.env.Stderr, t)
	}
}

func refusalText(object string, code genl.Code) string {
	text, known := code.Text()
	switch {
	case code == genl.StateUnknownError:
		return fmt.Sprintf("%s: State change failed: (%d)unknown error.", object, code)
	case !known:
		return fmt.Sprintf("%s: Error code %d unknown.\nYou should update the drbd userland tools.", object, code)
	case code > genl.CodeNoError:
		return fmt.Sprintf("%s: Failure: (%d) %s", object, code, text)
	}
	return fmt.Sprintf("%s: State change failed: (%d) %s", object, code, text)
}

func exitOf(code genl.Code) int {
	_, known := code.Text()
	switch {
	case !known:
		return ExitUsage
	case code == genl.StateNoUpToDateDisk:
		return ExitNoUpToDateData
	case code == genl.StateLowerThanOutdated:
		return ExitWorseThanOutdated
	case code == genl.StateNoLocalDisk:
		return ExitNoLocalDisk
	case code > genl.CodeNoError:
		return ExitRefused
	}
	return ExitStateRefused
}

// runNewMinor looks first whether the block device of an earlier life is still there.
func runNewMinor(c *call) error {
	r, err := c.buildRequest()
	if err != nil {
		return err
	}
	for _, pattern := range []string{"devices/virtual/block/drbd%d", "devices/virtual/bdi/147:%d", "block/drbd%d"} {
		node := filepath.Join(c.env.SysDir, fmt.Sprintf(pattern, r.Minor))
		if _, err := os.Lstat(node); err == nil {
			fmt.Fprintf(c.env.Stderr, "new-minor %s %d %d: sysfs node '%s' (already? still?) exists\n", r.Resource, r.Minor, *r.Volume, node)
			fmt.Fprintln(c.env.Stderr, refusalText(c.object(), genl.ErrMinorOrVolumeExists))
			return failf(ExitRefused, "")
		}
	}
	return c.do(r)
}

func runDelMinor(c *call) error {
	if err := sendRequest(c); err != nil {
		return err
	}
	minor, err := parseMinor(c.args[0])
	if err == nil {
		c.forgetMinor(minor)
	}
	return err
}

func runDelResource(c *call) error {
	if err := sendRequest(c); err != nil {
		return err
	}
	c.forgetResource(c.args[0])
	return nil
}

// The links to the configuration file that was used, made by drbdadm, end with the object.
func (c *call) forgetMinor(minor uint32) {
	_ = os.Remove(filepath.Join(c.env.RunDir, fmt.Sprintf("drbd-minor-%d.conf", minor)))
}

func (c *call) forgetResource(name string) {
	if !strings.Contains(name, "/") {
		_ = os.Remove(filepath.Join(c.env.RunDir, fmt.Sprintf("drbd-resource-%s.conf", name)))
	}
}

// runDown takes one resource or all down. What does not exist is down already.
func runDown(c *call) error {
	resources, err := c.client.Resources(c.ctx)
	if err != nil {
		return err
	}
	var failure error
	for _, r := range resources {
		if c.args[0] != "all" && c.args[0] != r.Name {
			continue
		}
		if err := c.downOne(r.Name); err != nil {
			failure = err
		}
	}
	return failure
}

func (c *call) downOne(name string) error {
	devices, err := c.client.Devices(c.ctx, name)
	if err != nil && !errors.Is(err, genl.ErrResNotKnown) {
		return err
	}
	one := *c
	one.args = []string{name}
	reply, err := c.client.Do(c.ctx, genl.New(genl.OpDown, name))
	if errors.Is(err, genl.ErrResNotKnown) {
		return nil
	}
	if err := one.report(reply, err); err != nil {
		return err
	}
	for _, d := range devices {
		c.forgetMinor(d.Minor)
	}
	c.forgetResource(name)
	return nil
}
