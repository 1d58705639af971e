package runtime_test

import (
	"errors"
	"io"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/plugingen/plugingen/runtime/runtimepb"
)

// FuzzDecode gives both sets any bytes that a peer may send: they give an error or a value, and what they give can be sent back.
func FuzzDecode(f *testing.F) {
	for _, err := range []error{io.EOF, errors.Join(errTest, &quotaError{limit: 1, err: errTest})} {
		data, merr := proto.Marshal(typedSet().Encode(err))
		if merr != nil {
			f.Fatal(merr)
		}
		f.Add(data)
	}
	for _, v := range []any{nil, []any{1, "a", span{2}}, map[string]any{"k": []string{"x"}}, int8(1)} {
		m, err := spans().Encode(v, 0)
		if err != nil {
			f.Fatal(err)
		}
		data, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var e runtimepb.Error
		if proto.Unmarshal(data, &e) == nil {
			set := typedSet()
			err := set.Decode(&e)
			if err == nil || err.Error() != e.GetText() {
				t.Errorf("%v became %v", &e, err)
			}
			_ = errors.Is(err, io.EOF)
			set.Encode(err)
		}
		var m runtimepb.Value
		if proto.Unmarshal(data, &m) == nil {
			if v, err := spans().Decode(&m, 0); err == nil {
				if _, err := spans().Encode(v, 0); err != nil {
					t.Errorf("%v became %#v, which cannot be sent: %v", &m, v, err)
				}
			}
		}
	})
}
