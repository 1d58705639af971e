//go:build linux || darwin

package lane_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/runtime/internal/lane"
)

func TestPair(t *testing.T) {
	ours, theirs, err := lane.Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ours.Close() }()
	if lane.HasSpoken(ours) {
		t.Error("spoken, and nobody has")
	}
	offer, err := lane.Offer(theirs, int(theirs.Fd())) // as if this were the child
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"", "1", "1:3", "x" + offer, offer + "0", "0" + offer[1:], strings.Replace(offer, ":", ":-", 1)} {
		if conn, err := lane.Accept(wrong); !errors.Is(err, lane.ErrOffer) {
			t.Errorf("%q: %v, %v, want ErrOffer", wrong, conn, err)
		}
	}
	conn, err := lane.Accept(offer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "x"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // looking takes nothing
		if !lane.HasSpoken(ours) {
			t.Error("not spoken")
		}
	}
	_ = conn.Close()
	if got, err := io.ReadAll(ours); string(got) != "x" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if lane.HasSpoken(ours) {
		t.Error("an end is no word")
	}
	_ = theirs.Close() // Accept has closed the descriptor: this only tells the File so
}

// TestOfferOfAFile: what is no socket is left alone.
func TestOfferOfAFile(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if offer, err := lane.Offer(f, 3); err == nil {
		t.Errorf("an offer of a file: %q", offer)
	}
}
