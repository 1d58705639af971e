package update_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator/tree"
	"github.com/plugingen/plugingen/generator/update"
)

const addedMethod = "\t// Wave waves.\n\tWave(ctx context.Context) error\n"

// addMethod works on the contract as its owner would, without generating anew.
func addMethod(t *testing.T, dir string) {
	t.Helper()
	edit(t, dir, "greeter/greeter.go", "\t// Invite writes", addedMethod+"\t// Invite writes")
}

func commit(t *testing.T, u *update.Update) {
	t.Helper()
	if err := u.Commit(); err != nil {
		t.Fatal(err)
	}
}

// What is generated follows the contract that the owner works on, never the one that the project started with.
func TestOwnContract(t *testing.T) {
	dir := newProject(t, nil)
	if u := mustPlan(t, request(dir, nil)); u.Differs() {
		t.Fatalf("an update of a new project would change %v", u.Changes)
	}
	addMethod(t, dir)
	u := mustPlan(t, request(dir, nil))
	if c := change(t, u, "greeter/zz_plugingen.go"); c.Action != update.Replace {
		t.Errorf("generated code: %+v, want it replaced", c)
	}
	if c := change(t, u, "greeter/greeter.go"); c.Action != update.Same {
		t.Errorf("the contract: %+v, want it left alone", c)
	}
	commit(t, u)
	proto := read(t, dir, "greeter/greeterpb/greeter.proto")
	if !strings.Contains(proto, "rpc Wave(") {
		t.Errorf("the .proto lacks the new method:\n%s", proto)
	}
}

// Who edits what is generated from the contract is told: go generate would replace it without a word.
func TestGeneratedByHand(t *testing.T) {
	dir := newProject(t, nil)
	edit(t, dir, "greeter/zz_plugingen.go", "package greeter", "package greeter // mine")
	u := mustPlan(t, request(dir, nil))
	if c := change(t, u, "greeter/zz_plugingen.go"); c.Action != update.Replace || c.Reason == "" {
		t.Errorf("%+v, want it replaced, with a word", c)
	}
}

// Numbers that are gone stay taken: the .proto is the memory, also when the contract is as the template makes it again.
func TestNumbersAreKept(t *testing.T) {
	dir := newProject(t, nil)
	edit(t, dir, "greeter/greeter.go", "Visits int", "Visits int\n\tStays int")
	commit(t, mustPlan(t, request(dir, nil)))
	edit(t, dir, "greeter/greeter.go", "\n\tStays int", "")
	commit(t, mustPlan(t, request(dir, nil)))
	if again := mustPlan(t, request(dir, nil)); again.Differs() {
		t.Errorf("a second update would change %v", again.Changes)
	}
	if proto := read(t, dir, "greeter/greeterpb/greeter.proto"); !strings.Contains(proto, "reserved 3") {
		t.Errorf("the .proto has forgotten a number:\n%s", proto)
	}
}

// The contract's own file is merged, and what is generated from it is made from the merged one.
func TestContractOfBoth(t *testing.T) {
	dir := newProject(t, nil)
	addMethod(t, dir)
	write(t, dir, "greeter/more.go", "package greeter\n\n// Mood is more.\ntype Mood int\n")
	edit(t, dir, "greeter/greeter.go", "Visits int", "Mood   Mood\n\tVisits int")
	theirs := strings.Replace(starter(t), "// Card is an invitation.", "// Card is an invitation to a party.", 1)
	u := mustPlan(t, withStarter(dir, theirs))
	if c := change(t, u, "greeter/greeter.go"); c.Action != update.Merge {
		t.Errorf("the contract: %+v, want it merged", c)
	}
	commit(t, u)
	if text := read(t, dir, "greeter/greeter.go"); !strings.Contains(text, "to a party") || !strings.Contains(text, "Wave(") {
		t.Errorf("the merged contract:\n%s", text)
	}
	if proto := read(t, dir, "greeter/greeterpb/greeter.proto"); !strings.Contains(proto, "rpc Wave(") || !strings.Contains(proto, "mood") {
		t.Errorf("the .proto:\n%s", proto)
	}
}

// starter is the contract file of a new project.
func starter(t *testing.T) string { return read(t, newProject(t, nil), "greeter/greeter.go") }

// withStarter is a request whose templates have another starter contract: its file goes by the name that the set gives it.
func withStarter(dir, text string) update.Request {
	req := request(dir, nil)
	req.Project.Templates = append(req.Project.Templates, starterLayer(text))
	return req
}

// While the contract has conflicts nothing can be generated from it; afterwards an update does.
func TestContractWithConflicts(t *testing.T) {
	dir := newProject(t, nil)
	edit(t, dir, "greeter/greeter.go", "// Card is an invitation.", "// Card is mine.")
	theirs := strings.Replace(starter(t), "// Card is an invitation.", "// Card is theirs.", 1)
	req := withStarter(dir, theirs)
	u := mustPlan(t, req)
	if c := change(t, u, "greeter/greeter.go"); c.Action != update.Conflict || c.Marked != 1 || c.Line == 0 {
		t.Errorf("the contract: %+v, want one conflict", c)
	}
	if c := change(t, u, "greeter/zz_plugingen.go"); c.Action != update.Keep || len(u.Notes) != 1 {
		t.Errorf("generated code: %+v, notes %q, want it kept, and a note", c, u.Notes)
	}
	commit(t, u)
	if _, err := update.New(t.Context(), req); !errors.As(err, new(*update.UnresolvedError)) {
		t.Errorf("an update before that: %v, want *UnresolvedError", err)
	}
	write(t, dir, "greeter/greeter.go", strings.Replace(theirs, "Visits int", "Visits, Stays int", 1))
	commit(t, mustPlan(t, req))
	if proto := read(t, dir, "greeter/greeterpb/greeter.proto"); !strings.Contains(proto, "stays") {
		t.Errorf("the .proto:\n%s", proto)
	}
	if _, err := os.Stat(filepath.Join(dir, tree.JournalDir)); err == nil {
		t.Error("the way back is still there, although the conflicts are resolved")
	}
}

// A file that a template generates from the contract waits for it, too, and is not taken for one that was edited.
func TestGeneratedWaitsForContract(t *testing.T) {
	layer := files{"f.tmpl": "# Code generated by plugingen. DO NOT EDIT.\n{{range .Services}}{{range .Methods}}{{.Name}}\n{{end}}{{end}}"}
	dir := newProject(t, layer)
	edit(t, dir, "greeter/greeter.go", "// Card is an invitation.", addedType+"// Card is mine.")
	addMethod(t, dir)
	req := request(dir, layer)
	req.Project.Templates = append(req.Project.Templates, starterLayer(strings.Replace(starter(t), "// Card is an invitation.", "// Card is theirs.", 1)))
	u := mustPlan(t, req)
	if c := change(t, u, "f"); c.Action != update.Keep {
		t.Errorf("f: %+v, want it kept", c)
	}
	commit(t, u)
	resolve(t, dir, u.Conflicts())
	u = mustPlan(t, req)
	if c := change(t, u, "f"); c.Action != update.Replace {
		t.Errorf("f: %+v, want it replaced", c)
	}
	commit(t, u)
	if got := read(t, dir, "f"); !strings.Contains(got, "Wave\n") {
		t.Errorf("f: %q", got)
	}
}

const addedType = "// Mood is mine.\ntype Mood int\n\n"

// Who moved the contract elsewhere keeps it there.
func TestContractMoved(t *testing.T) {
	dir := newProject(t, files{"f": "a\n"})
	if err := os.Rename(filepath.Join(dir, "greeter"), filepath.Join(dir, "api")); err != nil {
		t.Fatal(err)
	}
	u := mustPlan(t, request(dir, files{"f": "Y\n"}))
	commit(t, u)
	if got := read(t, dir, "greeter/zz_plugingen.go"); got != missing || len(u.Notes) != 1 {
		t.Errorf("greeter/zz_plugingen.go: %.20q, notes %q", got, u.Notes)
	}
	if got := read(t, dir, "f"); got != "Y\n" {
		t.Errorf("f: %q", got)
	}
}

// The owner's contract has a fault: it is reported with its position, and nothing is written.
func TestContractWithFaults(t *testing.T) {
	dir := newProject(t, files{"f": "a\n"})
	edit(t, dir, "greeter/greeter.go", "Visits int", "Visits chan int")
	_, err := update.New(t.Context(), request(dir, files{"f": "Y\n"}))
	if err == nil || !strings.Contains(err.Error(), "greeter.go:") {
		t.Errorf("New: %v, want a fault with its position", err)
	}
}
