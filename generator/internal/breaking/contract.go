package breaking

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/plugingen/plugingen/generator/internal/schema"
)

// Snapshot is a state of a contract's folder: its Go files and its .proto, by names relative to it, with slashes.
// It may also be a .proto alone.
type Snapshot map[string][]byte

// wants says whether a snapshot holds the file with that name.
func wants(name string) bool {
	dir, base := path.Split(name)
	switch path.Ext(base) {
	case ".go":
		return dir == "" && !strings.HasSuffix(base, "_test.go")
	case ".proto":
		return strings.Count(dir, "/") <= 1
	}
	return false
}

// protoName is the contract's .proto; empty when there is none.
func (s Snapshot) protoName(goName string) string {
	if name := path.Join(goName+"pb", goName+".proto"); s[name] != nil {
		return name
	}
	if name := s.madeOf(); s[name] != nil {
		return name
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if path.Ext(name) == ".proto" {
			names = append(names, name)
		}
	}
	if len(names) != 1 { // no other way to tell which one it is
		return ""
	}
	return names[0]
}

// madeOf is the first .proto that a contract was made of; empty for one made of Go interfaces.
func (s Snapshot) madeOf() string {
	_, rest, found := strings.Cut(string(s["zz_plugingen.go"]), "\n// source: ")
	if name, _, ended := strings.Cut(rest, "\n"); found && ended {
		return strings.TrimSuffix(name, "\r")
	}
	return ""
}

// IsContract says whether there is a .proto to compare.
func (s Snapshot) IsContract() bool { return s.protoName(readGo(s).name) != "" }

// open finds an import in the folder: contracts import each other's files by longer names than they have here.
func (s Snapshot) open(name string) ([]byte, error) {
	for _, file := range slices.Sorted(maps.Keys(s)) {
		if path.Ext(file) == ".proto" && (file == name || path.Base(file) == path.Base(name)) {
			return s[file], nil
		}
	}
	return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
}

// Contracts compares two states of a contract. Runtime is the source of the runtime's module. A fault in one of the .proto
// files is model.Diagnostics.
func Contracts(ctx context.Context, was, now Snapshot, runtime fs.FS) ([]Change, error) {
	oldGo, newGo := readGo(was), readGo(now)
	oldFile, err := was.describe(ctx, oldGo.name, runtime)
	if err != nil {
		return nil, fmt.Errorf("the earlier state: %w", err)
	}
	newFile, err := now.describe(ctx, newGo.name, runtime)
	if err != nil {
		return nil, err
	}
	changes := Files(oldFile, newFile)
	if oldGo.name != "" {
		services, messages := declared(oldFile, newFile)
		changes = append(changes, goSources(oldGo, newGo, services, messages)...)
	}
	return sorted(changes), nil
}

func (s Snapshot) describe(ctx context.Context, goName string, runtime fs.FS) (protoreflect.FileDescriptor, error) {
	name := s.protoName(goName)
	return schema.Describe(ctx, name, s[name], runtime, s.open)
}

// declared are the names of services and messages: interfaces and structs of the contract's package are called the same.
func declared(files ...protoreflect.FileDescriptor) (services, messages map[string]bool) {
	services, messages = map[string]bool{}, map[string]bool{}
	for _, fd := range files {
		for i := range fd.Services().Len() {
			services[string(fd.Services().Get(i).Name())] = true
		}
		for i := range fd.Messages().Len() {
			messages[string(fd.Messages().Get(i).Name())] = true
		}
	}
	return services, messages
}

// Removed is the change of a contract that is not there any more.
func Removed() []Change {
	return []Change{{
		Rule: contractRemoved.ID, Level: contractRemoved.Level, Why: "the contract is gone: programs built before speak to nobody",
		Hint: "keep it as long as there are such programs",
	}}
}

// Added is the change of a contract that was not there before.
func Added() []Change {
	return []Change{{Rule: contractAdded.ID, Level: contractAdded.Level, Why: "the contract is new: there is nothing to compare"}}
}
