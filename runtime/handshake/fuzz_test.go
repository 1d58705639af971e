package handshake_test

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plugingen/plugingen/runtime/handshake"
)

func FuzzParse(f *testing.F) {
	certificate := rawBase64(newCertificate(f))
	for _, line := range []string{
		"1|1|unix|/s|grpc|\n", "1|1|unix|/s", "1|1|unix|unix:///s|grpc", "1|1|tcp|[::1]:080|netrpc|", "1|2|tcp|LOCALHOST:1|grpc||true",
		"1|1|unix|/s|grpc|" + certificate, "1|1|unix|/s|grpc|" + brokenUp(padBase64(certificate), `\n`) + "|false",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r, err := handshake.Parse(line)
		if err != nil {
			checkError(t, err, nil)
			return
		}
		checkBuildsBack(t, r)
		if strict, err := handshake.ParseStrict(line); err == nil && !cmp.Equal(strict, r) {
			t.Errorf("ParseStrict gives %+v, Parse %+v", strict, r)
		}
	})
}

// checkBuildsBack wants what r builds to be one line that parses as r, strictly too when it can.
func checkBuildsBack(t *testing.T, r handshake.Response) {
	t.Helper()
	line, err := handshake.Build(r)
	if err != nil {
		t.Fatalf("%+v does not build: %v", r, err)
	}
	if strings.Index(line, "\n") != len(line)-1 {
		t.Fatalf("built %q, want one line", line)
	}
	again, err := handshake.Parse(line)
	if err != nil || !cmp.Equal(again, r) {
		t.Fatalf("%+v built %q, which parses as %+v, %v", r, line, again, err)
	}
	strict := !r.Multiplex && r.Protocol == handshake.ProtocolGRPC
	if _, err := handshake.ParseStrict(line); (err == nil) != strict {
		t.Fatalf("%q: strictly: %v", line, err)
	}
}

func FuzzRead(f *testing.F) {
	for _, input := range []string{
		"1|1|unix|/s|grpc|\nrest", "\n\r\nnoise\n1|1|unix|/s|grpc|", "a|b|c|d|e|f\n1|1|tcp|127.0.0.1:1|grpc||true\n", "1|1|uni\nx|/s|grpc|\n",
		"1|1|unix|/s|http|\n", "\xff|1|unix|/s|grpc|\n",
	} {
		f.Add([]byte(input), uint16(64))
	}
	f.Fuzz(func(t *testing.T, input []byte, buffer uint16) {
		r := bufio.NewReaderSize(bytes.NewReader(input), int(buffer))
		skipped, lines := 0, 0
		response, err := handshake.Read(r, func(line []byte) {
			skipped, lines = skipped+len(line), lines+1
			if len(line) == 0 || len(line) > handshake.MaxLine+2 || bytes.ContainsAny(line, "\n") {
				t.Errorf("noise %q", line)
			}
		})
		if limit := handshake.MaxNoiseBytes + handshake.MaxLine + 2; skipped > limit || lines > handshake.MaxNoiseLines+1+limit/handshake.MaxLine {
			t.Errorf("skipped %d bytes in %d lines", skipped, lines)
		}
		checkRead(t, input, r, response, err)
	})
}

func checkRead(t *testing.T, input []byte, r io.Reader, response handshake.Response, err error) {
	t.Helper()
	rest, _ := io.ReadAll(r)
	read, isSuffix := bytes.CutSuffix(input, rest)
	if !isSuffix {
		t.Fatalf("left %q of %q", rest, input)
	}
	if err != nil {
		checkError(t, err, nil)
		return
	}
	if len(rest) > 0 && !bytes.HasSuffix(read, []byte("\n")) {
		t.Errorf("read up to %q, within a line", read[max(0, len(read)-20):])
	}
	line := read[bytes.LastIndexByte(bytes.TrimSuffix(read, []byte("\n")), '\n')+1:]
	want, err := handshake.Parse(string(line))
	if err != nil || !cmp.Equal(want, response) {
		t.Errorf("got %+v, the last line %q parses as %+v, %v", response, line, want, err)
	}
	checkBuildsBack(t, response)
}
