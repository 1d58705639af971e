package generate

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/plugingen/plugingen/generator"
)

// keeper generates one contract again and again, each time over the .proto of the time before, all in memory.
type keeper struct {
	t     *testing.T
	dir   string
	files map[string][]byte
}

func newKeeper(t *testing.T) *keeper {
	dir := filepath.Join(t.TempDir(), "nowhere", "kept") // does not exist, and need not
	return &keeper{t: t, dir: dir, files: map[string][]byte{filepath.Join(filepath.Dir(dir), "go.mod"): []byte("module example.com/nowhere\n\ngo 1.26\n")}}
}

func (k *keeper) generate(body string) (protoText, glue, warnings string) {
	k.t.Helper()
	k.files[filepath.Join(k.dir, "kept.go")] = []byte("package kept\n\nimport \"context\"\n\nvar _ context.Context\n\n" + body)
	r, err := generator.Contract(context.Background(), generator.ContractRequest{Dir: k.dir, Overlay: k.files, Types: []string{"Kept"}})
	if err != nil {
		k.t.Fatal(err)
	}
	for _, f := range r.Files {
		k.files[filepath.Join(k.dir, filepath.FromSlash(f.Name))] = f.Data
		switch filepath.Ext(f.Name) {
		case ".proto":
			protoText = string(f.Data)
		case ".go":
			glue = string(f.Data)
		}
	}
	return protoText, glue, r.Warnings.Error()
}

const keptFirst = `
type Item struct { Name string; Count int; Tags []string }
type Other struct { Item *Item }
type Kept interface {
	Get(ctx context.Context, key string, deep bool) (Item, error)
	Put(ctx context.Context, key string, item Item, other Other) error
	Del(ctx context.Context, keys ...string) (n int, err error)
}`

func same(t *testing.T, what, got, want string) {
	t.Helper()
	if d := diff.Diff("want "+what, []byte(want), "got", []byte(got)); len(d) > 0 {
		t.Errorf("%s", d)
	}
}

func TestOrderDoesNotMatter(t *testing.T) {
	k := newKeeper(t)
	protoText, glue, _ := k.generate(keptFirst)
	shuffled, shuffledGlue, warnings := k.generate(`
type Kept interface {
	Del(ctx context.Context, keys ...string) (n int, err error)
	Put(ctx context.Context, key string, item Item, other Other) error
	Get(ctx context.Context, key string, deep bool) (Item, error)
}
type Other struct { Item *Item }
type Item struct { Name string; Count int; Tags []string }`)
	same(t, "proto", shuffled, protoText)
	same(t, "glue", shuffledGlue, glue)
	same(t, "warnings", warnings, "")
	members, _, _ := k.generate(`
type Item struct { Tags []string; Count int; Name string }
type Other struct { Item *Item }
type Kept interface {
	Get(ctx context.Context, deep bool, key string) (Item, error)
	Put(ctx context.Context, other Other, key string, item Item) error
	Del(ctx context.Context, keys ...string) (n int, err error)
}`)
	same(t, "proto", members, protoText)
}

func TestRemovedNumbersStayReserved(t *testing.T) {
	k := newKeeper(t)
	first, _, _ := k.generate(keptFirst)
	removed, _, warnings := k.generate(`
type Item struct { Name string; Tags []string }
type Kept interface {
	Get(ctx context.Context, id int, deep bool) (Item, error)
}`)
	contains(t, removed, "message KeptGetRequest {\n  reserved 1;\n  reserved key;\n  bool deep = 2;\n  int64 id = 3;\n}")
	contains(t, removed, "message Item {\n  reserved 2;\n  reserved count;\n  string name = 1;\n  repeated string tags = 3;\n}")
	contains(t, removed, "message KeptPutRequest {\n  reserved 1 to 3;\n  reserved item, key, other;\n}")
	contains(t, warnings, "KeptGetRequest: field key is gone: its number 1 stays reserved")
	again, _, warnings := k.generate(keptFirst)
	contains(t, again, "message KeptGetRequest {\n  reserved 1, 3;\n  reserved id;\n  bool deep = 2;\n  string key = 4;\n}")
	contains(t, again, "message KeptPutRequest {\n  reserved 1 to 3;\n  string key = 4;\n  Item item = 5;\n  Other other = 6;\n}")
	contains(t, again, "message Item {\n  reserved 2;\n  string name = 1;\n  repeated string tags = 3;\n  int64 count = 4;\n}")
	contains(t, warnings, "field id is gone")
	if again == first {
		t.Error("numbers of what was removed are used again")
	}
}

func TestOtherTypeGetsANewNumber(t *testing.T) {
	k := newKeeper(t)
	k.generate(keptFirst)
	changed, _, warnings := k.generate(strings.Replace(keptFirst, "Count int", "Count string", 1))
	contains(t, changed, "message Item {\n  reserved 2;\n  string name = 1;\n  repeated string tags = 3;\n  string count = 4;\n}")
	contains(t, warnings, "field count has another type: it gets a new number, 2 stays reserved")
	optional, _, warnings := k.generate(strings.Replace(keptFirst, "Count int", "Count *string", 1))
	contains(t, optional, "string count = 4 [features.field_presence = EXPLICIT];")
	same(t, "warnings", warnings, "")
}

// TestRenamedParametersKeepTheirNumbers holds the rule: one name gone, one new, of one type.
func TestRenamedParametersKeepTheirNumbers(t *testing.T) {
	for name, c := range map[string]struct{ method, want, warning string }{
		"parameter":         {"(ctx context.Context, id string, deep bool) (n int, err error)", "string id = 1;\n  bool deep = 2;", "KeptGetRequest: field key is called id now: it keeps its number 1"},
		"last one moved up": {"(ctx context.Context, far bool, key string) (n int, err error)", "string key = 1;\n  bool far = 2;", "field deep is called far now"},
		"result":            {"(ctx context.Context, key string, deep bool) (int, error)", "message KeptGetResponse {\n  int64 r0 = 1;", "KeptGetResponse: field n is called r0 now"},
		"unnamed":           {"(context.Context, string, bool) (n int, err error)", "reserved 1 to 2;\n  reserved deep, key;\n  string arg0 = 3;\n  bool arg1 = 4;", "rename one at a time and generate in between"},
		"two of them":       {"(ctx context.Context, id string, far bool) (n int, err error)", "reserved 1 to 2;\n  reserved deep, key;\n  string id = 3;\n  bool far = 4;", "field key is gone"},
		"another type":      {"(ctx context.Context, id []byte, deep bool) (n int, err error)", "reserved 1;\n  reserved key;\n  bool deep = 2;\n  bytes id = 3", "field key is gone"},
		"one more":          {"(ctx context.Context, id, more string, deep bool) (n int, err error)", "reserved 1;\n  reserved key;\n  bool deep = 2;\n  string id = 3;\n  string more = 4;", "field key is gone"},
		"no error":          {"(ctx context.Context, key string, deep bool) (e error, n int)", "reserved 2;\n  reserved error;\n  int64 n = 1;\n  .plugingen.runtime.v1.Error e = 3;", "field error is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKeeper(t)
			k.generate("type Kept interface { Get(ctx context.Context, key string, deep bool) (n int, err error) }")
			got, _, warnings := k.generate("type Kept interface { Get" + c.method + " }")
			contains(t, got, c.want)
			contains(t, warnings, c.warning)
			again, _, warnings := k.generate("type Kept interface { Get" + c.method + " }")
			same(t, "proto", again, got)
			if strings.Contains(warnings, "PG0105") {
				t.Errorf("a name that is not new is told again: %s", warnings)
			}
		})
	}
}

// TestStructFieldsAreNotGuessedAt: Go goes by their names, so one that is gone is gone.
func TestStructFieldsAreNotGuessedAt(t *testing.T) {
	k := newKeeper(t)
	k.generate(keptFirst)
	got, _, _ := k.generate(strings.Replace(keptFirst, "Count int", "Total int", 1))
	contains(t, got, "message Item {\n  reserved 2;\n  reserved count;\n  string name = 1;\n  repeated string tags = 3;\n  int64 total = 4;\n}")
}

func contains(t *testing.T, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) {
		t.Errorf("missing:\n%s\nin:\n%s", want, text)
	}
}

const keptEnum = `
type Kind int
const (
	KindA Kind = iota
	KindB
	KindC
)
type Kept interface { Get(ctx context.Context, kind Kind, kinds ...Kind) (map[Kind]Kind, error) }`

func TestNumbersBecomeEnumsAndBack(t *testing.T) {
	k := newKeeper(t)
	plain, _, _ := k.generate(hideConstants(keptEnum))
	contains(t, plain, "int64 kind = 1;\n  repeated int64 kinds = 2;")
	named, _, warnings := k.generate(keptEnum)
	contains(t, named, "Kind kind = 1;\n  repeated Kind kinds = 2;")
	contains(t, named, "map<int64, Kind> r0 = 1;")
	contains(t, named, "enum Kind {\n  KIND_A = 0;\n  KIND_B = 1;\n  KIND_C = 2;\n}")
	same(t, "warnings", warnings, "")
	again, _, warnings := k.generate(hideConstants(keptEnum))
	same(t, "proto", again, plain)
	same(t, "warnings", warnings, "")
}

func TestEnumValuesFollowTheConstants(t *testing.T) {
	k := newKeeper(t)
	k.generate(keptEnum)
	renamed, _, warnings := k.generate(strings.Replace(keptEnum, "KindB", "KindBee", 1))
	contains(t, renamed, "enum Kind {\n  reserved KIND_B;\n  KIND_A = 0;\n  KIND_BEE = 1;\n  KIND_C = 2;\n}")
	same(t, "warnings", warnings, "")
	removed, _, warnings := k.generate(strings.Replace(keptEnum, "\tKindC\n", "", 1))
	contains(t, removed, "enum Kind {\n  reserved 2;\n  reserved KIND_BEE, KIND_C;\n  KIND_A = 0;\n  KIND_B = 1;\n}")
	same(t, "warnings", warnings, "")
	moved, _, warnings := k.generate(strings.Replace(keptEnum, "KindA Kind = iota\n", "KindNew Kind = iota\n\tKindA\n", 1))
	contains(t, moved, "KIND_NEW = 0;\n  KIND_A = 1;\n  KIND_B = 2;\n  KIND_C = 3;\n")
	contains(t, warnings, "keptpb/kept.proto: Kind: value KIND_A was 0 and is 1 now: plugins and hosts built before take it for another one: give the constants the numbers that they had; add new ones at the end [PG0103]")
	message, _, _ := k.generate("type Kind struct { A int }\ntype Kept interface { Get(ctx context.Context, kind Kind) error }")
	contains(t, message, "message Kind {\n  int64 a = 1;\n}")
	back, _, _ := k.generate(keptEnum)
	contains(t, back, "message Kind {\n  reserved 1;\n  reserved a;\n}")
	contains(t, back, "enum Kind_2 {\n  KIND_2_A = 0;")
}

func hideConstants(text string) string {
	return strings.NewReplacer("KindA", "kindA", "KindB", "kindB", "KindC", "kindC").Replace(text)
}
