package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/plugingen/plugingen/generator"
)

// terminal is where somebody can be asked. Nil means that nobody is there.
type terminal struct {
	in  *os.File
	out io.Writer
	buf *bufio.Reader
	// asked counts the questions so far.
	asked int
}

// newTerminal returns nil in continuous integration, and when in is no terminal. Where out, which gets the questions, is none,
// the terminal that belongs to the process gets them.
func newTerminal(in, out *os.File, ci string) *terminal {
	if ci != "" && ci != "0" && !strings.EqualFold(ci, "false") || !term.IsTerminal(int(in.Fd())) {
		return nil
	}
	if !term.IsTerminal(int(out.Fd())) {
		var err error
		if out, err = os.OpenFile("/dev/tty", os.O_WRONLY, 0); err != nil {
			return nil
		}
	}
	return &terminal{in: in, out: out, buf: bufio.NewReader(in)}
}

// errNoAnswer says that the terminal was closed instead of an answer.
var errNoAnswer = errors.New("no answer")

// maxTries is how often an answer may be wrong.
const maxTries = 20

// ask puts a question until the answer will do. An empty answer is the default.
func (t *terminal) ask(ctx context.Context, q generator.Question) (any, error) {
	t.asked++
	fmt.Fprintln(t.out, shown(q.Prompt))
	if q.Help != "" {
		fmt.Fprintln(t.out, "  "+shown(q.Help))
	}
	if len(q.Choices) > 0 {
		fmt.Fprintln(t.out, "  one of: "+shown(strings.Join(q.Choices, ", ")))
	}
	for range maxTries {
		text, err := t.read(ctx, q.Name+hint(q)+": ", q.Secret)
		if err != nil {
			return nil, err
		}
		if text == "" && q.Default != nil {
			return q.Default, nil
		}
		value, err := q.Check(text)
		if err == nil && text == "" {
			err = errors.New("an answer is needed")
		}
		if err == nil {
			return value, nil
		}
		fmt.Fprintf(t.out, "  %v\n", err)
	}
	return nil, errNoAnswer
}

// hint shows what an empty answer means.
func hint(q generator.Question) string {
	switch d := q.Default.(type) {
	case nil:
		return ""
	case string:
		if d == "" || q.Secret {
			return ""
		}
		return " [" + shown(d) + "]"
	case []string:
		return " [" + shown(strings.Join(d, ",")) + "]"
	default:
		return fmt.Sprintf(" [%v]", d)
	}
}

// shown drops what could move the cursor: questions come from templates.
func shown(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return -1
		}
		return r
	}, text)
}

// confirm asks for a yes.
func (t *terminal) confirm(ctx context.Context, question string) (bool, error) {
	text, err := t.read(ctx, question+" [y/N]: ", false)
	text = strings.ToLower(text)
	return text == "y" || text == "yes", err
}

// read returns one line. When ctx ends it does not wait for the line any more: reading a terminal cannot be interrupted.
func (t *terminal) read(ctx context.Context, prompt string, secret bool) (string, error) {
	fmt.Fprint(t.out, prompt)
	type answer struct {
		text string
		err  error
	}
	state, stateErr := term.GetState(int(t.in.Fd()))
	got := make(chan answer, 1)
	go func() {
		if secret {
			data, err := term.ReadPassword(int(t.in.Fd()))
			fmt.Fprintln(t.out)
			got <- answer{string(data), err}
			return
		}
		text, err := t.buf.ReadString('\n')
		got <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		if secret && stateErr == nil {
			_ = term.Restore(int(t.in.Fd()), state) // the terminal goes on without us
		}
		return "", context.Cause(ctx)
	case a := <-got:
		if a.err != nil && a.text == "" {
			return "", errNoAnswer
		}
		return strings.TrimSpace(a.text), nil
	}
}
