package generator_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/plugingen/plugingen/generator"
)

func TestDirectivesAreFound(t *testing.T) {
	for line, want := range map[string][]generator.ContractPlace{
		"//go:generate plugingen generate -type A":                                               {{Dir: ".", Types: []string{"A"}}},
		"//go:generate go tool -modfile=../go.tool.mod plugingen generate --type=A,B":            {{Dir: ".", Types: []string{"A", "B"}}},
		"//go:generate go run github.com/plugingen/plugingen/cmd/plugingen generate -type \"A\"": {{Dir: ".", Types: []string{"A"}}},
		"//go:generate plugingen.exe generate --check -type A":                                   {{Dir: ".", Types: []string{"A"}}},
		"//go:generate plugingen generate":                                                       {{Dir: "."}},
		"//go:generate plugingen generate -type":                                                 {{Dir: "."}},
		"//go:generate plugingen generate --proto a.proto,../b.proto .":                          {{Dir: ".", Protos: []string{"a.proto", "../b.proto"}}},
		"//go:generate plugingen version":                                                        nil,
		"//go:generate generate plugingen":                                                       nil,
		"//  //go:generate plugingen generate -type A":                                           nil,
		"// plugingen generate -type A":                                                          nil,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte("package a\n\n"+line+"\ntype A interface{ Do() }\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := generator.FindGenerated(dir)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, %v", line, got, err)
		}
	}
}
