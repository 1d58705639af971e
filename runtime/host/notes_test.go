//go:build unix

package host_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/plugin"
)

// notesEnv names the file in which a plugin notes each call that it does.
const notesEnv = "HOST_TEST_NOTES"

// notes are the numbers of the calls that a plugin has begun to do. They outlive it.
type notes struct {
	path string
	last atomic.Uint64
}

func newNotes(t *testing.T) *notes {
	t.Helper()
	n := &notes{path: filepath.Join(t.TempDir(), "notes")}
	if err := os.WriteFile(n.path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *notes) env() string { return notesEnv + "=" + n.path }

// deed has a number that no other one has.
func (n *notes) deed(size int) string {
	return fmt.Sprintf("call-%d-%s", n.last.Add(1), strings.Repeat("x", size))
}

// check fails the test when a call was done twice: nobody may repeat a call that is lost.
func (n *notes) check(t *testing.T) {
	t.Helper()
	noted, err := os.ReadFile(n.path)
	if err != nil || len(noted) == 0 || len(noted)%8 != 0 {
		t.Fatalf("%d bytes of notes, %v", len(noted), err)
	}
	done := map[uint64]bool{}
	for ; len(noted) > 0; noted = noted[8:] {
		number := binary.LittleEndian.Uint64(noted)
		if done[number] {
			t.Errorf("call %d was done twice", number)
		}
		done[number] = true
	}
}

// noting is a good plugin that notes what it does, before it does it.
func noting() int {
	file, err := os.OpenFile(os.Getenv(notesEnv), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return goodWith(func(c *plugin.Config) {
		c.Services = map[int][]runtime.Implementation{1: {runtime.Raw("test.Deeds", func(r grpc.ServiceRegistrar) {
			registerDoing(r, func(ctx context.Context, deed string) (*wrapperspb.StringValue, error) {
				if err := note(file, deed); err != nil {
					return nil, err
				}
				return perform(ctx, deed, noListener{})
			})
		})}}
	})
}

func note(file *os.File, deed string) error {
	digits, _, _ := strings.Cut(strings.TrimPrefix(deed, "call-"), "-")
	number, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return err
	}
	_, err = file.Write(binary.LittleEndian.AppendUint64(nil, number))
	return err
}
