package genl

import (
	"errors"
	"fmt"
	"strings"
)

// Code is the result of a request (section 7): 101 and 1 to 4 are success, above 101 the configuration is refused, 0 and below a
// state change is.
type Code int32

type codeInfo struct{ name, text string }

// OK tells success.
func (c Code) OK() bool { return c == CodeNoError || c >= 1 && c <= 4 }

// Text is the explanation of a code; known is false for a number we have never heard of.
func (c Code) Text() (text string, known bool) {
	info, known := codes[c]
	return info.text, known
}

// Error makes a Code usable as the target of errors.Is.
func (c Code) Error() string {
	text, known := c.Text()
	if !known {
		return fmt.Sprintf("unknown result %d", int32(c))
	}
	return fmt.Sprintf("(%d) %s", int32(c), strings.TrimSpace(text))
}

// RequestError is a refusal by the module: the operation, its code, and the texts the module sent along.
type RequestError struct {
	Op    Op
	Code  Code
	Texts []string
}

func (e *RequestError) Error() string {
	msg := fmt.Sprintf("%s: %s", e.Op, e.Code.Error())
	for _, t := range e.Texts {
		msg += "; " + strings.TrimSpace(t)
	}
	return msg
}

// Is makes errors.Is(err, genl.ErrNoDisk) work.
func (e *RequestError) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == e.Code
}

// What can be wrong before any request is answered.
var (
	// ErrNotLoaded: the kernel has no family "drbd".
	ErrNotLoaded = errors.New("the drbd module is not loaded")
	// ErrUnloaded: the family vanished while we were talking to it.
	ErrUnloaded = errors.New("the drbd module was unloaded")
	// ErrPermission: the caller lacks CAP_NET_ADMIN or CAP_SYS_ADMIN.
	ErrPermission = errors.New("permission denied: run as root")
)
