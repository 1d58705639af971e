package runtime_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/runtimepb"
)

var errTest = errors.New("no such greeting")

// across sends err through the wire's bytes and back.
func across(t *testing.T, err error) error {
	t.Helper()
	set := runtime.NewErrorSet(runtime.Sentinel{Name: "example.com/greeter.ErrTest", Err: errTest})
	data, merr := proto.Marshal(set.Encode(err))
	if merr != nil {
		t.Fatal(merr)
	}
	got := new(runtimepb.Error)
	if uerr := proto.Unmarshal(data, got); uerr != nil {
		t.Fatal(uerr)
	}
	return set.Decode(got)
}

func TestErrorsKeepTheirText(t *testing.T) {
	for name, err := range map[string]error{
		"plain":        errors.New("plain"),
		"empty":        errors.New(""),
		"wrapped":      fmt.Errorf("read config: %w", io.ErrUnexpectedEOF),
		"joined":       errors.Join(errors.New("one"), errors.New("two")),
		"invalid utf8": errors.New("caf\xe9"),
		"path":         &fs.PathError{Op: "open", Path: "/x", Err: syscall.ENOENT},
	} {
		t.Run(name, func(t *testing.T) {
			if got := across(t, err); got.Error() != err.Error() {
				t.Errorf("text %q, want %q", got, err)
			}
		})
	}
}

func TestErrorsKeepTheirIdentity(t *testing.T) {
	_, notExist := os.Open("/does/not/exist")
	for name, c := range map[string]struct {
		err  error
		is   []error
		isNo []error
	}{
		"wrapped sentinel":  {fmt.Errorf("greet: %w", errTest), []error{errTest}, []error{io.EOF}},
		"standard sentinel": {fmt.Errorf("read: %w", io.EOF), []error{io.EOF}, []error{io.ErrUnexpectedEOF}},
		"joined":            {errors.Join(errTest, fmt.Errorf("and %w", fs.ErrExist)), []error{errTest, fs.ErrExist}, []error{fs.ErrNotExist}},
		"by Is method":      {notExist, []error{fs.ErrNotExist}, []error{fs.ErrExist}},
	} {
		t.Run(name, func(t *testing.T) {
			got := across(t, c.err)
			for _, want := range c.is {
				if !errors.Is(got, want) {
					t.Errorf("errors.Is(%v, %v) is false", got, want)
				}
			}
			for _, other := range c.isNo {
				if errors.Is(got, other) {
					t.Errorf("errors.Is(%v, %v) is true", got, other)
				}
			}
		})
	}
}

func TestSentinelIsTheSameVariable(t *testing.T) {
	for _, want := range []error{errTest, io.EOF, fs.ErrNotExist} {
		if got := across(t, want); got != want { //nolint:errorlint // == is what is promised
			t.Errorf("%v came back as another value", want)
		}
	}
}

func TestRemoteErrorTellsItsType(t *testing.T) {
	var remote *runtime.RemoteError
	if got := across(t, &os.SyscallError{Syscall: "open", Err: errTest}); !errors.As(got, &remote) {
		t.Fatalf("%T is no RemoteError", got)
	}
	if got, want := remote.Type(), "*os.SyscallError"; got != want {
		t.Errorf("type %q, want %q", got, want)
	}
}

// An error may be anything that somebody wrote: its methods panic, it wraps itself, it cannot be compared.
type (
	panicking         struct{}
	selfWrappingError struct{}
	bottomless        struct{ depth int }
	uncomparable      []string
)

func (*panicking) Error() string            { panic("no text") }
func (selfWrappingError) Error() string     { return "self" }
func (e selfWrappingError) Unwrap() []error { return []error{e, e, e} }
func (e bottomless) Error() string          { return fmt.Sprint(e.depth) }
func (e bottomless) Unwrap() error          { return bottomless{e.depth + 1} }
func (e uncomparable) Error() string        { return strings.Join(e, ",") }

func TestHostileErrorsAreBounded(t *testing.T) {
	for name, err := range map[string]error{
		"panicking":     (*panicking)(nil),
		"wraps itself":  selfWrappingError{},
		"bottomless":    bottomless{},
		"uncomparable":  uncomparable{"a", "b"},
		"nil in a join": nilJoinError{},
	} {
		t.Run(name, func(t *testing.T) {
			got := across(t, err)
			if got == nil || got.Error() == "" {
				t.Fatalf("got %v, want an error with a text", got)
			}
			if n := count(got); n > 300 {
				t.Errorf("%d errors crossed", n)
			}
			if errors.Is(got, err) && name == "uncomparable" {
				t.Error("an uncomparable error is said to be the same")
			}
		})
	}
}

type nilJoinError struct{}

func (nilJoinError) Error() string   { return "nil inside" }
func (nilJoinError) Unwrap() []error { return []error{nil, errTest} }

func count(err error) int {
	n := 1
	if u, ok := err.(interface{ Unwrap() []error }); ok {
		for _, cause := range u.Unwrap() {
			n += count(cause)
		}
	}
	if cause := errors.Unwrap(err); cause != nil {
		n += count(cause)
	}
	return n
}

func TestNoErrorCrossesAsNone(t *testing.T) {
	set := runtime.NewErrorSet()
	if e := set.Encode(nil); e != nil {
		t.Errorf("Encode(nil) = %v", e)
	}
	if err := set.Decode(nil); err != nil {
		t.Errorf("Decode(nil) = %v", err)
	}
}

func TestErrorsKeepTheirTree(t *testing.T) {
	joined := errors.Join(errTest, io.EOF)
	got := across(t, fmt.Errorf("outer: %w", fmt.Errorf("inner: %w", joined)))
	inner := errors.Unwrap(got)
	list, ok := errors.Unwrap(inner).(interface{ Unwrap() []error })
	if !ok || len(list.Unwrap()) != 2 || list.Unwrap()[0] != errTest || list.Unwrap()[1] != io.EOF { //nolint:errorlint // == is what is promised
		t.Errorf("the tree of %v is %T of %T", got, got, inner)
	}
	if one, ok := across(t, errors.Join(errTest)).(interface{ Unwrap() []error }); !ok || len(one.Unwrap()) != 1 {
		t.Error("a join of one is none any more")
	}
	var remote *runtime.RemoteError
	if !errors.As(across(t, joined), &remote) || remote.Type() != "*errors.joinError" {
		t.Error("a joined error is no RemoteError")
	}
}

// quotaError is an error that both sides know, with an error inside.
type quotaError struct {
	limit int64
	err   error
}

func (e *quotaError) Error() string { return fmt.Sprintf("over %d: %v", e.limit, e.err) }
func (e *quotaError) Unwrap() error { return e.err }

// typedSet carries quotaErrors in messages that have a number and an error.
func typedSet() *runtime.ErrorSet {
	set := runtime.NewErrorSet(runtime.Sentinel{Name: "example.com/greeter.ErrTest", Err: errTest})
	encode := func(e *quotaError, depth int) (*runtimepb.Error, error) {
		if e == nil {
			return nil, nil
		}
		return &runtimepb.Error{Text: fmt.Sprint(e.limit), Causes: []*runtimepb.Error{set.EncodeAt(e.err, depth)}}, nil
	}
	decode := func(m *runtimepb.Error, depth int) (*quotaError, error) {
		e := &quotaError{}
		if _, err := fmt.Sscan(m.GetText(), &e.limit); err != nil {
			return nil, err
		}
		for _, cause := range m.GetCauses() {
			e.err = set.DecodeAt(cause, depth)
		}
		return e, nil
	}
	set.Register(runtime.NewValueType("*example.com/greeter.quotaError", encode, decode))
	return set
}

func TestErrorsKeepTheirType(t *testing.T) {
	set := typedSet()
	for name, err := range map[string]error{
		"itself":  &quotaError{limit: 3, err: errTest},
		"wrapped": fmt.Errorf("put: %w", &quotaError{limit: 3, err: errTest}),
		"joined":  errors.Join(io.EOF, &quotaError{limit: 3, err: fmt.Errorf("deep: %w", &quotaError{limit: 4, err: errTest})}),
	} {
		got := set.Decode(set.Encode(err))
		var quota *quotaError
		if !errors.As(got, &quota) || quota.limit != 3 || !errors.Is(got, errTest) || got.Error() != err.Error() {
			t.Errorf("%s: got %v, want %v", name, got, err)
		}
		old := runtime.NewErrorSet(runtime.Sentinel{Name: "example.com/greeter.ErrTest", Err: errTest}).Decode(set.Encode(err))
		if !errors.Is(old, errTest) || old.Error() != err.Error() {
			t.Errorf("%s: a peer that does not know the type got %v", name, old)
		}
	}
	if got := set.Decode(set.Encode((*quotaError)(nil))); got == nil || got.Error() == "" {
		t.Errorf("a nil pointer came back as %v", got)
	}
}

func TestNestedTypesAreBounded(t *testing.T) {
	set := typedSet()
	err := errTest
	for range 200 {
		err = &quotaError{err: err}
	}
	e := set.Encode(err)
	if n := proto.Size(e); n > 1<<20 {
		t.Errorf("%d bytes", n)
	}
	if got := set.Decode(e); got.Error() != err.Error() {
		t.Errorf("another text: %.80s", got)
	}
}

func TestErrorsOfFiles(t *testing.T) {
	_, missing := os.Open("/does/not/exist")
	link := os.Link("/does/not/exist", "/neither")
	for name, err := range map[string]error{
		"system": missing, "link": link, "sentinel": &fs.PathError{Op: "stat", Path: "x", Err: fs.ErrExist},
		"wrapped": fmt.Errorf("config: %w", missing), "joined": errors.Join(link, missing),
	} {
		got := across(t, err)
		if got.Error() != err.Error() || os.IsNotExist(got) != os.IsNotExist(err) || os.IsExist(got) != os.IsExist(err) {
			t.Errorf("%s: got %#v, want %#v", name, got, err)
		}
		var path, wantPath *fs.PathError
		var link, wantLink *os.LinkError
		var errno, wantErrno syscall.Errno
		if errors.As(got, &path) != errors.As(err, &wantPath) || errors.As(got, &link) != errors.As(err, &wantLink) ||
			errors.As(got, &errno) != errors.As(err, &wantErrno) || errno != wantErrno {
			t.Errorf("%s: errors.As differs: %#v", name, got)
		}
	}
	if got := across(t, (*fs.PathError)(nil)); got == nil {
		t.Error("a nil pointer became no error at all")
	}
}
