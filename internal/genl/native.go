package genl

import (
	"encoding/binary"
	"fmt"
	"net"
	"strconv"
)

// Netlink integers are in the byte order of the host.

func nativeEndianPut16(b []byte, v uint16) { binary.NativeEndian.PutUint16(b, v) }
func nativeEndianPut32(b []byte, v uint32) { binary.NativeEndian.PutUint32(b, v) }
func nativeEndian16(b []byte) uint16       { return binary.NativeEndian.Uint16(b) }
func nativeEndian32(b []byte) uint32       { return binary.NativeEndian.Uint32(b) }

// scopeID turns the zone of a link-local address (eth0, or a number) into the kernel's index.
func scopeID(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n), nil
	}
	iface, err := net.InterfaceByName(zone)
	if err != nil {
		return 0, fmt.Errorf("interface %q of a link-local address: %w", zone, err)
	}
	return uint32(iface.Index), nil
}

func scopeName(scope uint32) string {
	if scope == 0 {
		return ""
	}
	if iface, err := net.InterfaceByIndex(int(scope)); err == nil {
		return iface.Name
	}
	return strconv.FormatUint(uint64(scope), 10)
}
