package handshake_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plugingen/plugingen/runtime/handshake"
)

func TestParseAttachment(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want handshake.Attachment
	}{
		"go-plugin's": {
			`{"Protocol":"grpc","ProtocolVersion":6,"Pid":3382870,"Test":true,"Addr":{"Network":"unix","String":"/tmp/plugin713096927"}}`,
			handshake.Attachment{Protocol: "grpc", ProtocolVersion: 6, PID: 3382870, Test: true, Network: "unix", Address: "/tmp/plugin713096927"},
		},
		"ours": {
			`{"Protocol":"grpc","ProtocolVersion":1,"Pid":1,"Test":false,"Addr":{"Network":"tcp","String":"[::1]:080"},"Start":"123","TLS":"own","MagicCookieKey":"K","Multiplex":true}`,
			handshake.Attachment{Protocol: "grpc", ProtocolVersion: 1, PID: 1, Network: "tcp", Address: "[::1]:80", Start: "123", TLS: "own", MagicCookieKey: "K", Multiplex: true},
		},
		"of the first days": {
			`{"Addr":{"Network":"unix","String":"/s"}}`,
			handshake.Attachment{Protocol: "netrpc", Network: "unix", Address: "/s"},
		},
		"of days to come": {
			` {"Protocol":"grpc","Addr":{"Network":"unix","String":"/s","Zone":"x"},"Moon":[1]} `,
			handshake.Attachment{Protocol: "grpc", Network: "unix", Address: "/s"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := handshake.ParseAttachment(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			checkEncodesBack(t, got)
		})
	}
}

func checkEncodesBack(t *testing.T, a handshake.Attachment) {
	t.Helper()
	text := a.String()
	if strings.ContainsAny(text, "'\n\x1b") {
		t.Errorf("%q does not stand in a shell's single quotes", text)
	}
	again, err := handshake.ParseAttachment(text)
	if err != nil || again != a {
		t.Errorf("%+v encodes as %s, which parses as %+v, %v", a, text, again, err)
	}
}

func TestParseAttachmentRefuses(t *testing.T) {
	for text, want := range map[string]error{
		``:            handshake.ErrAttachment,
		`[]`:          handshake.ErrAttachment,
		`{}`:          handshake.ErrNetwork,
		`{"Pid":"1"}`: handshake.ErrAttachment,
		`{"Addr":{"Network":"unix","String":""}}`:                                                handshake.ErrAddress,
		`{"Addr":{"Network":"unix","String":"@abstract"}}`:                                       handshake.ErrAddress,
		`{"Addr":{"Network":"tcp","String":"evil.example:1"}}`:                                   handshake.ErrAddress,
		`{"Protocol":"http","Addr":{"Network":"unix","String":"/s"}}`:                            handshake.ErrProtocol,
		`{"ProtocolVersion":-1,"Addr":{"Network":"unix","String":"/s"}}`:                         handshake.ErrVersion,
		`{"Pid":-1,"Addr":{"Network":"unix","String":"/s"}}`:                                     handshake.ErrAttachment,
		`{"Start":"now","Addr":{"Network":"unix","String":"/s"}}`:                                handshake.ErrAttachment,
		`{"TLS":"some","Addr":{"Network":"unix","String":"/s"}}`:                                 handshake.ErrAttachment,
		`{"MagicCookieKey":"A=B","Addr":{"Network":"unix","String":"/s"}}`:                       handshake.ErrAttachment,
		"{\"MagicCookieKey\":\"\xff\",\"Addr\":{\"Network\":\"unix\",\"String\":\"/s\"}}":        handshake.ErrAttachment,
		`{"Addr":{"Network":"unix","String":"/` + strings.Repeat("s", handshake.MaxLine) + `"}}`: handshake.ErrTooLong,
		`{"Addr":{"Network":"unix","String":"/s"}} {"Addr":{"Network":"unix","String":"/s"}}`:    handshake.ErrAttachment,
		`{"Pid":99999999999999999999,"Addr":{"Network":"unix","String":"/s"}}`:                   handshake.ErrAttachment,
	} {
		_, err := handshake.ParseAttachment(text)
		if !errors.Is(err, want) {
			t.Errorf("%.80s: %v, want %v", text, err, want)
		}
		if e, ok := errors.AsType[*handshake.Error](err); !ok || e.Hint == "" {
			t.Errorf("%.80s: no advice in %v", text, err)
		}
	}
}

func TestParseAttachments(t *testing.T) {
	one := handshake.Attachment{Protocol: "grpc", ProtocolVersion: 1, Network: "unix", Address: "/it's"}
	text := handshake.FormatAttachments(map[string]handshake.Attachment{"it's english": one})
	all, err := handshake.ParseAttachments(text)
	if err != nil || len(all) != 1 || all["it's english"] != one || strings.Contains(text, "'") {
		t.Errorf("%s: %v, %v", text, all, err)
	}
	for text, want := range map[string]error{
		"english":                    handshake.ErrAttachment,
		`{"english":{}}`:             handshake.ErrNetwork,
		`{"english":` + one.String(): handshake.ErrAttachment,
	} {
		if _, err := handshake.ParseAttachments(text); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		} else if e, ok := errors.AsType[*handshake.Error](err); !ok || e.Hint == "" {
			t.Errorf("%s: no advice in %v", text, err)
		}
	}
}

func FuzzParseAttachment(f *testing.F) {
	for _, text := range []string{
		`{"Protocol":"grpc","ProtocolVersion":6,"Pid":3382870,"Test":true,"Addr":{"Network":"unix","String":"/tmp/plugin713096927"}}`,
		`{"Protocol":"grpc","ProtocolVersion":1,"Pid":1,"Addr":{"Network":"tcp","String":"LOCALHOST:1"},"Start":"1","TLS":"mutual","MagicCookieKey":"K'\u0027"}`,
		`{"addr":{"network":"unix","string":"unix:///s\u2028<&>"},"Pid":1e1}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := handshake.ParseAttachment(text)
		if err != nil {
			checkError(t, err, nil)
			return
		}
		checkEncodesBack(t, a)
		if _, err := handshake.Build(handshake.Response{ProtocolVersion: a.ProtocolVersion, Network: a.Network, Address: a.Address, Protocol: a.Protocol}); err != nil && !errors.Is(err, handshake.ErrTooLong) {
			t.Errorf("%+v is no handshake line: %v", a, err)
		}
	})
}

func ExampleParseAttachment() {
	to, err := handshake.ParseAttachment(`{"Protocol":"grpc","ProtocolVersion":6,"Pid":4711,"Test":true,"Addr":{"Network":"unix","String":"/tmp/plugin1"}}`)
	fmt.Println(to.Network, to.Address, to.PID, err)
	fmt.Println(handshake.FormatAttachments(map[string]handshake.Attachment{"english": to}))
	// Output:
	// unix /tmp/plugin1 4711 <nil>
	// {"english":{"Protocol":"grpc","ProtocolVersion":6,"Pid":4711,"Test":true,"Addr":{"Network":"unix","String":"/tmp/plugin1"}}}
}
