package generator_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/model"
)

// memoryContract asks for the interface I of a package that is in memory only.
func memoryContract(body string) generator.ContractRequest {
	dir := filepath.Join(os.TempDir(), "plugingen-no-such-folder", "c")
	return generator.ContractRequest{Dir: dir, Types: []string{"I"}, Overlay: map[string][]byte{
		filepath.Join(filepath.Dir(dir), "go.mod"): []byte("module example.com/m\n\ngo 1.26\n"),
		filepath.Join(dir, "c.go"):                 []byte("package c\n\nimport (\n\t\"context\"\n\t\"time\"\n)\n\n" + body),
	}}
}

func TestContractInput(t *testing.T) {
	req := memoryContract("type I interface{ Do() error }")
	req.Types = nil
	if _, err := generator.Contract(t.Context(), req); !errors.Is(err, generator.ErrInput) || !errors.Is(err, generator.ErrNoTypes) {
		t.Errorf("no types: got %v", err)
	}
	if _, err := generator.Contract(t.Context(), generator.ContractRequest{Dir: t.TempDir(), Types: []string{"I"}}); !errors.Is(err, generator.ErrInput) {
		t.Errorf("no module: got %v", err)
	}
	req = memoryContract("type I interface{ Do() error }")
	req.Types = []string{"I", "I"}
	r, err := generator.Contract(t.Context(), req)
	if err != nil || len(r.Contract.Services) != 1 {
		t.Errorf("one interface named twice: %v", err)
	}
}

func TestContractWritesNothing(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/m\n", "c.go": "package c\n\ntype I interface{ Do() error }\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := generator.Contract(t.Context(), generator.ContractRequest{Dir: dir, Types: []string{"I"}})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range r.Files {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != "cpb/c.pb.go cpb/c.proto zz_plugingen.go" {
		t.Errorf("files: %s", got)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
}

// FuzzContract: what is not refused with faults renders to code that parses.
func FuzzContract(f *testing.F) {
	for _, body := range []string{
		"type I interface { Do(ctx context.Context, x map[string][]*T) (T, error) }\ntype T struct { N *T; A []T; M map[int8]*T }",
		"type I interface { Do(err, nil int8, _ string, fmt ...[]byte) (a, b time.Time) }",
		"type I interface { Ä(ß [3][4]byte, Ç *[]time.Duration, ç **int) }\ntype ß int",
		"type I interface { Do(A, a, A_, a_ bool, aA, a_a, AA uint) (error error) }",
		"type I = J[[]string]\ntype J[T any] interface { Do(P[T, P[T, int]]) error }\ntype P[A, B any] struct { A A; B *B }",
		"// %s {{.}} ` */\ntype I interface {\n// %d \\n\nDo() }",
		"type I interface { String(); Reset(); ProtoReflect(x struct{}) map[bool]struct{} }\nvar IService, iClient, newIClient, encodeEmpty int",
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		t.Setenv("PATH", "") // no go command: what would need it is refused
		r, err := generator.Contract(t.Context(), memoryContract(body))
		var faults model.Diagnostics
		switch {
		case errors.As(err, &faults), errors.Is(err, exec.ErrNotFound):
		case err != nil:
			t.Errorf("neither files nor faults: %v", err)
		case len(r.Files) != 3:
			t.Errorf("%d files", len(r.Files))
		}
	})
}
