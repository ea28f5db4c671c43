package bed

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"time"
)

// qmp runs one command on a QEMU monitor socket.
func qmp(socket, command string, arguments any) error {
	conn, err := net.DialTimeout("unix", socket, 5*time.Second)
	if err != nil {
		return fmt.Errorf("QEMU monitor: %w", err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(conn)
	if _, err := r.ReadBytes('\n'); err != nil { // the greeting
		return err
	}
	if err := qmpCall(conn, r, "qmp_capabilities", nil); err != nil {
		return err
	}
	return qmpCall(conn, r, command, arguments)
}

func qmpCall(conn net.Conn, r *bufio.Reader, command string, arguments any) error {
	request := map[string]any{"execute": command}
	if arguments != nil {
		request["arguments"] = arguments
	}
	if err := json.NewEncoder(conn).Encode(request); err != nil {
		return err
	}
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return err
		}
		var reply struct {
			Return json.RawMessage `json:"return"`
			Error  *struct {
				Desc string `json:"desc"`
			} `json:"error"`
		}
		if err := json.Unmarshal(line, &reply); err != nil {
			return fmt.Errorf("QEMU monitor: %w in %q", err, line)
		}
		switch {
		case reply.Error != nil:
			return fmt.Errorf("QEMU monitor: %s: %s", command, reply.Error.Desc)
		case reply.Return != nil:
			return nil
		}
		// Anything else is an event.
	}
}
