package adm

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"drbd/internal/conf"
)

// runHandler runs what is configured for an event; the kernel calls it so (section 11.1). No handler is success.
func (a *App) runHandler() error {
	list, worst := a.selected()
	for _, s := range list {
		command, ok := s.r.Options[conf.ClassHandlers].Get(a.cmd.name)
		if !ok {
			continue
		}
		worst = max(worst, a.handle(s, command))
	}
	return code(worst)
}

func (a *App) handle(s selection, command string) int {
	if a.line.dryRun || a.line.verbose > 0 {
		a.say("/bin/sh -c %s", shellEscape(command))
	}
	if a.line.dryRun {
		return exitOK
	}
	ctx := a.ctx
	if limit := a.limit(classVeryLong); limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	return a.env.Shell(ctx, command, a.handlerEnvironment(s))
}

// handlerEnvironment is what handlers find besides what the kernel gave.
func (a *App) handlerEnvironment(s selection) []string {
	out := []string{"DRBD_CONF=" + a.file, "DRBD_RESOURCE=" + s.r.Name}
	for _, h := range s.r.Hosts {
		if h.NodeID >= 0 {
			out = append(out, fmt.Sprintf("DRBD_NODE_ID_%d=%s", h.NodeID, strings.Join(h.Names, " ")))
		}
	}
	if os.Getenv("DRBD_MY_NODE_ID") == "" {
		out = append(out, "DRBD_MY_NODE_ID="+strconv.Itoa(s.r.Me.NodeID))
	}
	volumes := s.r.Me.Volumes
	if s.v != nil {
		volumes = []*conf.Volume{s.v}
	}
	var minors, numbers, disks []string
	for _, v := range volumes {
		minors, numbers = append(minors, itoa(v.Minor)), append(numbers, itoa(v.Nr))
		if v.Diskless() {
			disks = append(disks, "none")
		} else {
			disks = append(disks, v.Disk)
		}
	}
	out = append(out, "DRBD_MINOR="+strings.Join(minors, " "), "DRBD_VOLUME="+strings.Join(numbers, " "), "DRBD_LL_DISK="+strings.Join(disks, " "))
	return append(out, a.peerEnvironment(s)...)
}

// peerEnvironment tells handlers of old releases who the peer is, unless the kernel did.
func (a *App) peerEnvironment(s selection) []string {
	link := s.l
	if link == nil && len(s.r.Links) == 1 {
		link = s.r.Links[0]
	}
	if link == nil {
		return nil
	}
	out := []string{"DRBD_PEER=" + link.Peer.Names[0], "DRBD_PEERS=" + strings.Join(link.Peer.Names, " ")}
	if os.Getenv("DRBD_PEER_ADDRESS") == "" && len(link.Paths) > 0 {
		to := link.Paths[0].Theirs
		out = append(out, "DRBD_PEER_AF="+to.Family, "DRBD_PEER_ADDRESS="+to.Host)
	}
	return out
}
