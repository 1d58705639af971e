package load

import (
	"bufio"
	"fmt"
	"io"
)

// Lines are as long as those that the two loggers write for a message with three attributes.
const (
	textLine  = "2026-11-23T10:00:00.000Z request served: method=GET path=/v1/things/4711 took=1.204ms status=200 ok"
	slogLine  = `{"time":"2026-11-23T10:00:00.123456789Z","level":"INFO","msg":"request served","method":"GET","path":"/v1/things/4711","status":200}`
	hclogLine = `{"@level":"info","@message":"request served","@module":"bench","@timestamp":"2026-11-23T10:00:00.123456Z","method":"GET","path":"/v1/things/4711","status":200}`

	// lastLine is hclog's in every format: the one of these that every host knows the level of.
	lastLine = `{"@level":"error","@message":"` + LastLine + `","@timestamp":"2026-11-23T10:00:00.123456Z"}`
)

func lineOf(format string) (string, error) {
	switch format {
	case Text:
		return textLine, nil
	case Slog:
		return slogLine, nil
	case HCLog:
		return hclogLine, nil
	default:
		return "", fmt.Errorf("print: there is no format %q", format)
	}
}

// LineLength is the length of a line of the format with its newline, in bytes; zero for a format that there is not.
func LineLength(format string) int {
	line, err := lineOf(format)
	if err != nil {
		return 0
	}
	return len(line) + 1
}

// printLines writes in large pieces: how fast a relay is should not be how fast a plugin makes system calls.
func printLines(out io.Writer, format string, lines int64) error {
	line, err := lineOf(format)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 16<<10)
	for range lines {
		_, _ = w.WriteString(line)
		_ = w.WriteByte('\n')
	}
	_, _ = w.WriteString(lastLine + "\n")
	return w.Flush()
}
