package relay_test

import (
	"io"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plugingen/plugingen/runtime/relay"
	"golang.org/x/tools/txtar"
)

// settings are what a case's comment may say.
type settings struct {
	relay.Config
	min      slog.Level // the logger's level
	panicsOn string     // the handler panics on a record with this in its message
	failsOn  string     // the handler returns an error
	blocksOn string     // the handler blocks until "release"
}

func parseSettings(t *testing.T, comment string) settings {
	s := settings{min: relay.LevelTrace, Config: relay.Config{Stream: "stderr"}}
	for line := range strings.Lines(comment) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " = "); ok {
			s.set(t, name, value)
		}
	}
	return s
}

func (s *settings) set(t *testing.T, name, value string) {
	var err error
	switch name {
	case "level":
		err = s.Level.UnmarshalText([]byte(value))
	case "min":
		err = s.min.UnmarshalText([]byte(value))
	case "stream":
		s.Stream, err = strconv.Unquote(value)
	case "max-line":
		s.MaxLine, err = strconv.Atoi(value)
	case "tail-lines":
		s.TailLines, err = strconv.Atoi(value)
	case "buffer":
		s.Buffer, err = strconv.Atoi(value)
	case "handler panics on":
		s.panicsOn = value
	case "handler fails on":
		s.failsOn = value
	case "handler blocks on":
		s.blocksOn = value
	default:
		t.Fatalf("unknown setting %q", name)
	}
	if err != nil {
		t.Fatalf("setting %s: %v", name, err)
	}
}

// play relays the questions and returns the answers.
func play(t *testing.T, s settings, questions []txtar.File) []txtar.File {
	h := newRecorder(t, s)
	s.Logger = slog.New(h)
	r := relay.New(s.Config)
	src, plugin := io.Pipe()
	failed := make(chan error, 1)
	go func() { failed <- r.Run(src) }()
	for _, f := range questions {
		speak(t, plugin, h, f)
	}
	plugin.Close()
	err := <-failed
	answers := []txtar.File{{Name: "records", Data: []byte(h.text.String())}}
	if err != nil {
		answers = append(answers, txtar.File{Name: "error", Data: []byte(err.Error() + "\n")})
	}
	h.letGo()
	return append(answers, txtar.File{Name: "tail", Data: joinLines(r.Tail())})
}

func joinLines(lines []string) []byte {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(line + "\n")
	}
	return []byte(b.String())
}

// speak is the plugin. After each step it waits until the relay has done all that it can do.
func speak(t *testing.T, plugin io.Writer, h *recorder, f txtar.File) {
	if f.Name == "in" {
		write(t, plugin, string(f.Data))
		return
	}
	for line := range strings.Lines(string(f.Data)) {
		line = strings.TrimSpace(line)
		if pause, ok := strings.CutPrefix(line, "pause "); ok {
			d, err := time.ParseDuration(pause)
			if err != nil {
				t.Fatal(err)
			}
			<-time.After(d) // of the bubble: takes no time
		} else if line == "release" {
			h.letGo()
		} else {
			text, err := strconv.Unquote(line)
			if err != nil {
				t.Fatalf("script: %q: %v", line, err)
			}
			write(t, plugin, text)
		}
		synctest.Wait()
	}
}

func write(t *testing.T, w io.Writer, text string) {
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}
