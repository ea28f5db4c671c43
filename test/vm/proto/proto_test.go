package proto

import (
	"bytes"
	"strings"
	"testing"
)

func TestFramesSurviveTheTrip(t *testing.T) {
	var buf bytes.Buffer
	w := NewWriter(&buf)
	want := []Frame{{Start, 7, []byte("{}")}, {Stdin, 7, []byte{}}, {Stdout, 1 << 31, bytes.Repeat([]byte{0xa5}, MaxPayload)}}
	for _, f := range want {
		if err := w.Send(f.Kind, f.ID, f.Payload); err != nil {
			t.Fatal(err)
		}
	}
	for i, f := range want {
		got, err := Read(&buf)
		if err != nil {
			t.Fatal(err)
		}
		if got.Kind != f.Kind || got.ID != f.ID || !bytes.Equal(got.Payload, f.Payload) {
			t.Errorf("frame %d: got %c %d with %d bytes", i, got.Kind, got.ID, len(got.Payload))
		}
	}
}

func TestTooLongFrameIsRefused(t *testing.T) {
	w := NewWriter(&bytes.Buffer{})
	if err := w.Send(Stdout, 1, make([]byte, MaxPayload+1)); err == nil {
		t.Error("a frame longer than MaxPayload was sent")
	}
	_, err := Read(strings.NewReader("O\x00\x00\x00\x01\xff\xff\xff\xffgarbage"))
	if err == nil || !strings.Contains(err.Error(), "out of step") {
		t.Errorf("got %v", err)
	}
}
