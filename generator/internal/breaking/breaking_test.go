package breaking

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/plugingen/plugingen"
)

// ruleCase is a change of a contract and what is said of it. The .proto files lack their first lines.
type ruleCase struct {
	name         string
	was, now     string // .proto
	goWas, goNow string // body of the Go file; empty means none
	want         []string
}

const call = "service S { rpc Do(In) returns (Out); } message In { string a = 1; } message Out { int64 r = 1; } "

func ruleCases() []ruleCase {
	const in, fields = "p.proto:2:", "message M { string a = 1; int64 b = 2; } "
	return []ruleCase{
		{name: "nothing", was: call, now: call},
		{name: "package", was: "package a; " + call, now: "package b; " + call, want: []string{"package-changed"}},
		{name: "service gone", was: call, now: strings.Replace(call, "service S { rpc Do(In) returns (Out); }", "", 1), want: []string{"service-removed"}},
		{name: "service renamed", was: call, now: strings.Replace(call, "service S", "service T", 1), want: []string{"service-renamed"}},
		{
			name: "second service", was: call, now: call + "service T { rpc Do(In) returns (Out); }",
			want: []string{in + "99 T service-added"},
		},
		{
			name: "method gone, method new", was: call, now: strings.Replace(call, "rpc Do(", "rpc Done(", 1),
			want: []string{in + "1 S.Do method-removed", in + "13 S.Done method-added"},
		},
		{
			name: "other messages", was: call + fields, now: strings.Replace(call, "Do(In) returns (Out)", "Do(M) returns (In)", 1) + fields,
			want: []string{"S.Do method-request", "S.Do method-response"},
		},
		{name: "streaming", was: call, now: strings.Replace(call, "(In) returns (Out)", "(stream In) returns (stream Out)", 1), want: []string{"S.Do method-streaming"}},
		{name: "message gone", was: fields + "message N { string a = 1; }", now: fields, want: []string{"N message-removed"}},
		{name: "nested message gone", was: "message M { message N { string a = 1; } }", now: "message M { }", want: []string{in + "1 M.N message-removed"}},
		{name: "nested field", was: "message M { message N { string a = 1; } }", now: "message M { message N { bytes a = 1; } }", want: []string{in + "25 M.N.a field-type"}},
		{name: "message new", was: fields, now: fields + "message N { }", want: []string{"N message-added"}},
		{name: "parameter gone", was: call, now: strings.Replace(call, "string a = 1;", "reserved 1; reserved a;", 1), want: []string{"In.a parameter-removed"}},
		{name: "result gone", was: call, now: strings.Replace(call, "int64 r = 1;", "reserved 1;", 1), want: []string{"Out.r parameter-removed"}},
		{
			name: "method gone, its parameters reserved", was: call + "service T { rpc Do(In) returns (Out); }",
			now:  "service S { } service T { rpc Do(M) returns (Out); } message M { } message In { reserved 1; } message Out { int64 r = 1; } ",
			want: []string{"S.Do method-removed", "T.Do method-request"},
		},
		{name: "field gone", was: fields, now: "message M { reserved 1; int64 b = 2; }", want: []string{in + "1 M.a field-removed"}},
		{name: "field gone and free", was: fields, now: "message M { int64 b = 2; }", want: []string{in + "1 M.a field-removed-unreserved"}},
		{name: "number", was: fields, now: "message M { reserved 1; string a = 3; int64 b = 2; }", want: []string{in + "25 M.a field-renumbered"}},
		{name: "numbers swapped", was: fields, now: "message M { int64 b = 1; string a = 2; }", want: []string{"M.b field-type", "M.b field-renamed", "M.a field-type", "M.a field-renamed"}},
		{name: "type", was: fields, now: "message M { bytes a = 1; int32 b = 2; }", want: []string{"M.a field-type", "M.b field-type"}},
		{name: "message type", was: fields + "message N { M m = 1; }", now: fields + "message N { O m = 1; } message O { }", want: []string{"N.m field-type", "O message-added"}},
		{name: "list", was: fields, now: "message M { repeated string a = 1; int64 b = 2; }", want: []string{"M.a field-cardinality"}},
		{name: "map", was: "message M { map<string, int64> a = 1; }", now: "message M { map<string, bool> a = 1; }", want: []string{"M.a field-type"}},
		{name: "map to list", was: "message M { map<string, int64> a = 1; }", now: "message M { repeated N a = 1; } message N { }", want: []string{"M.a field-cardinality", "N message-added"}},
		{name: "map of another message", was: fields + "message N { map<string, M> a = 1; }", now: fields + "message N { map<string, O> a = 1; } message O { }", want: []string{"N.a field-type", "O message-added"}},
		{name: "into a oneof", was: fields, now: "message M { oneof o { string a = 1; int64 b = 2; } }", want: []string{"M.a field-oneof", "M.b field-oneof"}},
		{name: "delimited", was: fields + "message N { M m = 1; }", now: fields + "message N { M m = 1 [features.message_encoding = DELIMITED]; }", want: []string{"N.m field-type"}},
		{name: "reserved number", was: "message M { reserved 1; }", now: "message M { string a = 1; }", want: []string{"M.a field-reuses-number"}},
		{name: "field new", was: fields, now: "message M { string a = 1; int64 b = 2; bool c = 3; }", want: []string{"M.c field-added"}},
		{name: "field renamed", was: fields, now: "message M { string aa = 1; int64 b = 2; }", want: []string{in + "13 M.aa field-renamed"}},
		{name: "presence", was: fields, now: "message M { string a = 1 [features.field_presence = EXPLICIT]; int64 b = 2; }", want: []string{"M.a field-presence"}},
		{name: "number gets names", was: "message M { int64 a = 1; }", now: "message M { E a = 1; } enum E { Z = 0; }", want: []string{"M.a field-encoding", "E enum-added"}},
		{name: "reserved range shrinks", was: "message M { reserved 1 to 9, 12 to max; }", now: "message M { reserved 1 to 4, 6 to 9, 11 to max; }", want: []string{in + "1 M reserved-removed"}},
		{name: "reserved ranges joined", was: "message M { reserved 1 to 4, 5 to 9; }", now: "message M { reserved 1 to 9; }"},
		{name: "closed", was: "enum E { Z = 0; }", now: "enum E { option features.enum_type = CLOSED; Z = 0; }", want: []string{"E enum-closed"}},
		{name: "value gone and free", was: "enum E { Z = 0; A = 1; }", now: "enum E { Z = 0; }", want: []string{in + "1 E.A enum-value-removed-unreserved"}},
		{name: "value gone", was: "enum E { Z = 0; A = 1; }", now: "enum E { reserved 1; Z = 0; }", want: []string{"E.A enum-value-removed"}},
		{name: "value renumbered", was: "enum E { Z = 0; A = 1; }", now: "enum E { Z = 0; A = 2; }", want: []string{in + "17 E.A enum-value-renumbered"}},
		{name: "value renamed", was: "enum E { Z = 0; A = 1; }", now: "enum E { Z = 0; B = 1; }", want: []string{"E.B enum-value-renamed"}},
		{name: "value new", was: "enum E { Z = 0; }", now: "enum E { Z = 0; A = 1; }", want: []string{"E.A enum-value-added"}},
		{name: "value on a reserved number", was: "enum E { reserved 1; Z = 0; }", now: "enum E { Z = 0; A = 1; }", want: []string{"E.A enum-value-reuses-number"}},
		{name: "reserved values", was: "enum E { reserved -2 to -1, 1 to 5; Z = 0; }", now: "enum E { reserved -2 to -1, 1 to 4; Z = 0; }", want: []string{"E reserved-removed"}},
		{name: "enum gone", was: fields + "enum E { Z = 0; }", now: fields, want: []string{"E enum-removed"}},
	}
}

func goCases() []ruleCase {
	return []ruleCase{
		{name: "the same in other words", goWas: `import "time"
type S interface { Do(a []byte, at time.Time) (r interface{}, err error) }`, goNow: `import t "time"
type S interface { Doer }
type Doer interface { Do(a []uint8, at t.Time) (r any, err error) }`},
		{name: "type", goWas: "type S interface { Do(a int) error }", goNow: "type S interface {\n\tDo(a int64) error\n}", want: []string{"p.go:4:2 S.Do go-method-signature"}},
		{name: "variadic", goWas: "type S interface { Do(a []int) error }", goNow: "type S interface { Do(a ...int) error }", want: []string{"S.Do go-method-signature"}},
		{name: "no error", goWas: "type S interface { Do(a int) }", goNow: "type S interface { Do(a int) error }", want: []string{"S.Do go-method-signature"}},
		{name: "order", goWas: "type S interface { Do(a, b int, c string) error }", goNow: "type S interface { Do(b, a int, c string) error }", want: []string{"S.Do go-parameters-reordered"}},
		{name: "order of types", goWas: "type S interface { Do(a int, c string) error }", goNow: "type S interface { Do(c string, a int) error }", want: []string{"S.Do go-parameters-reordered"}},
		{name: "name", goWas: "type S interface { Do(a int) (int, error) }", goNow: "type S interface { Do(b int) (n int, err error) }", want: []string{"S.Do go-parameter-renamed"}},
		{name: "embedded elsewhere", goWas: "import \"io\"\ntype S interface { io.Closer; Do(a int) }", goNow: "type S interface { Do(a int) }", want: []string{"S go-embedded-interfaces"}},
		{name: "no interface any more", goWas: "type S interface { Do(a int) }", goNow: "type S struct{}", want: []string{"S go-interface-removed"}},
		{name: "not of the contract", goWas: "type T interface { Do(a int) }\ntype N struct { A int }", goNow: "type T interface { Do(a string) }\ntype N struct { A string }"},
		{
			name: "struct", goWas: "type In struct { A int; b int; C string; T }", goNow: "type In struct { A int64; b string; D string; T }",
			want: []string{"In.C go-struct-field", "In.A go-struct-field"},
		},
		{name: "no Go, but what can be read of it", goWas: "type S interface { Do(a int) error }", goNow: "type S interface { Do(a int64) error }\nfunc (", want: []string{"S.Do go-method-signature"}},
	}
}

const protoHead = `edition = "2023"; option features.field_presence = IMPLICIT;`

// snapshot has the .proto in one line after the head.
func snapshot(proto, goBody string) Snapshot {
	s := Snapshot{"p.proto": []byte(protoHead + "\n" + proto)}
	if goBody != "" {
		s["p.go"] = []byte("package p\n\n" + goBody)
	}
	return s
}

func TestRules(t *testing.T) {
	seen := map[string]bool{contractAdded.ID: true, contractRemoved.ID: true} // see TestComingAndGoing
	cases := ruleCases()
	for _, c := range goCases() {
		c.was, c.now = call, call
		cases = append(cases, c)
	}
	levels := map[string]Level{}
	for _, r := range Rules() {
		levels[r.ID] = r.Level
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			changes, err := Contracts(t.Context(), snapshot(c.was, c.goWas), snapshot(c.now, c.goNow), plugingen.Source)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, change := range changes {
				seen[change.Rule] = true
				got = append(got, fmt.Sprintf("%s:%d:%d %s %s", change.File, change.Line, change.Column, change.Where, change.Rule))
				if change.Level != levels[change.Rule] || change.Why == "" || change.Level == Wire && change.Hint == "" {
					t.Errorf("%+v: its level is %q, and what breaks the wire says what to do", change, levels[change.Rule])
				}
			}
			if !slices.EqualFunc(got, c.want, strings.HasSuffix) {
				t.Errorf("got:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
	for _, r := range Rules() {
		if !seen[r.ID] {
			t.Errorf("no case has rule %s", r.ID)
		}
	}
}

func TestComingAndGoing(t *testing.T) {
	if got := Added(); len(got) != 1 || got[0].Level != Compatible {
		t.Errorf("a new contract: %+v", got)
	}
	if got := Removed(); len(got) != 1 || got[0].Level != Wire {
		t.Errorf("a contract that is gone: %+v", got)
	}
}

func TestImports(t *testing.T) {
	with := func(body string) Snapshot {
		s := snapshot(`import "google/protobuf/timestamp.proto"; import "plugingen/runtime/v1/error.proto"; import "example.com/p/other.proto"; message M { `+body+" }", "")
		s["sub/other.proto"] = []byte(protoHead + "package other; message O { }")
		s["ppb/p.proto"] = s["p.proto"]
		s["p.go"] = []byte("package p")
		delete(s, "p.proto")
		return s
	}
	was := with("google.protobuf.Timestamp t = 1; plugingen.runtime.v1.Error e = 2; other.O o = 3;")
	now := with("google.protobuf.Timestamp t = 1; plugingen.runtime.v1.Error e = 2; google.protobuf.Timestamp o = 3;")
	changes, err := Contracts(t.Context(), was, now, plugingen.Source)
	if err != nil || len(changes) != 1 || changes[0].Rule != fieldType.ID {
		t.Errorf("got %v, %+v", err, changes)
	}
}

func TestFaultsHavePositions(t *testing.T) {
	good := snapshot(call, "")
	for name, states := range map[string][2]Snapshot{
		"was": {snapshot("message {", ""), good}, "now": {good, snapshot("message {", "")}, "import": {good, snapshot(`import "nowhere.proto";`, "")},
	} {
		_, err := Contracts(t.Context(), states[0], states[1], plugingen.Source)
		if err == nil || !strings.Contains(err.Error(), "p.proto:2:") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
