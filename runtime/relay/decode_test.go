package relay

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"
	"time"
)

// FuzzDecode compares the decoder with encoding/json: what that takes for an object is one here, and the other way round.
func FuzzDecode(f *testing.F) {
	for _, line := range []string{
		`{"time":"2024-05-06T07:08:09Z","level":"INFO","msg":"a","b":{"c":[1,2.5,null,true,"\u00e9\ud83d\ude00"]}}`,
		`{"@level":"info","@message":42}`, `{"level":"warn","msg":"a","n":-0.0e+1}`, `{}`, `{"a":}`, `{"a":01}`, `[]`, `{"":""}`,
		`level=info msg="a \x1b" b=c`, `[WARN] a`, `2024-05-06T07:08:09Z [INFO] a`, `2024/05/06 07:08:09 INFO a`, "{\"a\":\"\xff\"}",
		`{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}}}`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		line = bytes.ReplaceAll(line, []byte("\n"), []byte(" "))
		before := bytes.Clone(line)
		var d decoder
		form, level := classify(line, slog.LevelInfo)
		r := d.record(form, level, time.Unix(0, 0), line)
		if r.Level != level {
			t.Errorf("level was %v, is %v", level, r.Level)
		}
		if !bytes.Equal(line, before) {
			t.Error("the line was changed")
		}
		object := len(bytes.TrimSpace(line)) > 0 && bytes.TrimSpace(line)[0] == '{' && json.Valid(line)
		d.cursor = cursor{line: line}
		d.text, d.attrs, d.roles = string(line), nil, noRoles()
		if got := d.jsonLine(); got != object && bytes.Count(line, []byte("["))+bytes.Count(line, []byte("{")) < maxDepth {
			t.Errorf("an object: %v, encoding/json says %v", got, object)
		}
		if object {
			compareMembers(t, line, d.attrs)
		}
	})
}

// compareMembers checks the strings of an object without duplicate or unusual keys against what encoding/json reads.
func compareMembers(t *testing.T, line []byte, attrs []slog.Attr) {
	var want map[string]any
	if json.Unmarshal(line, &want) != nil || len(want) != len(attrs) {
		return
	}
	for _, a := range attrs {
		if w, ok := want[a.Key].(string); ok && a.Value.Kind() == slog.KindString && unsafeIndex(w) < 0 &&
			!bytes.Contains(line, []byte(`\u`)) && !bytes.ContainsRune(line, '\uFFFD') && a.Value.String() != w {
			t.Errorf("%s is %q, encoding/json says %q", a.Key, a.Value.String(), w)
		}
	}
}

func TestParseLevelIsTotal(t *testing.T) {
	for _, name := range []string{"", "+", "-1", "INFO-", "INFO+1x", "INFO+1000", "INFO\x00", "ınfo", "infoinfoinfoinfoinfo", "{NFO", "INF\xef"} {
		if level, ok := parseLevel([]byte(name)); ok {
			t.Errorf("%q is level %v", name, level)
		}
	}
	for name, want := range map[string]slog.Level{"Info": 0, "WARN-3": 1, "ERROR+999": 1007, "eRr": 8, "TRACE": -8} {
		if level, ok := parseLevel([]byte(name)); !ok || level != want {
			t.Errorf("%q is level %v, %v; want %v", name, level, ok, want)
		}
	}
}
