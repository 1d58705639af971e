package generator

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plugingen/plugingen"
	"github.com/plugingen/plugingen/generator/internal/breaking"
)

// BreakingRequest says which contracts to compare with which earlier state.
type BreakingRequest struct {
	// Dir is the folder of a contract. With All, the contracts in it and below count.
	Dir string
	All bool
	// Against is a folder, a .proto file, or a revision of the git repository that Dir lies in; what is on disk wins, and
	// "git:" before a revision says that it is one. Empty means HEAD. A folder stands for Dir.
	Against string
}

// ChangeLevel is what a change breaks.
type ChangeLevel string

// The levels of changes.
const (
	ChangeCompatible ChangeLevel = "compatible" // programs built before go on working, and source compiles
	ChangeSource     ChangeLevel = "source"     // the wire is as it was; source that uses the contract has to change
	ChangeWire       ChangeLevel = "wire"       // programs built before misunderstand what is sent, or cannot call
)

// ContractChange is a difference between two states of a contract. BREAKING.md lists the rules.
type ContractChange struct {
	Rule         string // stable, such as "field-type"
	Level        ChangeLevel
	File         string // relative to the folder of the contract, in its new state; may be empty
	Line, Column int    // zero where there is no one place
	Where        string // such as "GreeterGreetRequest.name"; may be empty
	Why, Hint    string // Hint may be empty
}

// ContractChanges are the changes of one contract; none when nothing matters has changed.
type ContractChanges struct {
	Dir     string
	Changes []ContractChange
	// Stale is the contract's .proto, relative to Dir with slashes, when its Go interfaces would make another one now: what they
	// changed is not among Changes yet. Empty when it is up to date, or when that cannot be told.
	Stale string
}

// Count is the number of changes of a level.
func (c ContractChanges) Count(level ChangeLevel) int {
	n := 0
	for _, change := range c.Changes {
		if change.Level == level {
			n++
		}
	}
	return n
}

// Breaking compares the .proto and the Go interfaces of contracts, as they lie in their folders, with an earlier state. A contract
// that was not there before is no error. It is ErrInput when there is no contract, or nothing to compare with; faults of a
// .proto are [model.Diagnostics]. It runs git when Against is a revision, until ctx ends, and writes nothing.
func Breaking(ctx context.Context, req BreakingRequest) ([]ContractChanges, error) {
	earlier, err := req.earlier(ctx)
	if err != nil {
		return nil, err
	}
	folders := []string{"."}
	if req.All {
		if folders, err = req.folders(ctx, earlier); err != nil {
			return nil, err
		}
	}
	var all []ContractChanges
	for _, folder := range folders {
		changes, err := compareContract(ctx, filepath.Join(req.Dir, filepath.FromSlash(folder)), folder, earlier)
		if err != nil {
			return nil, err
		}
		all = append(all, changes)
	}
	return all, nil
}

// earlierState is where the earlier state of contracts comes from. Folders are relative to the request's, with slashes.
type earlierState interface {
	Read(ctx context.Context, folder string) (breaking.Snapshot, error)
	Folders(ctx context.Context, folder, base string) ([]string, error)
}

func (req BreakingRequest) earlier(ctx context.Context) (earlierState, error) {
	name, isRevision := strings.CutPrefix(req.Against, "git:")
	if info, err := os.Stat(req.Against); err == nil && !isRevision {
		if info.IsDir() {
			return folderState(req.Against), nil
		}
		if req.All {
			return nil, req.refuse("it is one file, and there may be many contracts", "name a folder or a revision")
		}
		return fileState(req.Against), nil
	}
	if info, err := os.Stat(req.Dir); err != nil || !info.IsDir() {
		return nil, &InputError{What: "contract", Value: req.Dir, Reason: "it is no folder"}
	}
	if name == "" {
		name = "HEAD"
	}
	rev, err := breaking.FindRevision(ctx, req.Dir, name)
	if err != nil {
		return nil, fmt.Errorf("%w: compare with an earlier state: %w", ErrInput, err)
	}
	return rev, nil
}

func (req BreakingRequest) refuse(reason, hint string) error {
	return &InputError{What: "earlier state", Value: req.Against, Reason: reason, Hint: hint}
}

// folders are those of contracts that are there, or were.
func (req BreakingRequest) folders(ctx context.Context, earlier earlierState) ([]string, error) {
	now, err := folderState(req.Dir).Folders(ctx, ".", GluedName)
	if err != nil {
		return nil, err
	}
	was, err := earlier.Folders(ctx, ".", GluedName)
	if err != nil {
		return nil, err
	}
	all := append(now, was...)
	all = slices.DeleteFunc(all, func(folder string) bool { return slices.ContainsFunc(strings.Split(folder, "/"), isSkipped) })
	slices.Sort(all)
	return slices.Compact(all), nil
}

func isSkipped(part string) bool { return part != "." && skipped(part) }

func compareContract(ctx context.Context, dir, folder string, earlier earlierState) (ContractChanges, error) {
	result := ContractChanges{Dir: dir}
	now, err := breaking.ReadFolder(dir)
	if err != nil {
		return result, err
	}
	was, err := earlier.Read(ctx, folder)
	if err != nil {
		return result, err
	}
	var changes []breaking.Change
	switch isThere, wasThere := now.IsContract(), was.IsContract(); {
	case isThere && wasThere:
		changes, err = breaking.Contracts(ctx, was, now, plugingen.Source)
	case isThere:
		changes = breaking.Added()
	case wasThere && folder != ".":
		changes = breaking.Removed()
	default:
		return result, &InputError{What: "contract", Value: dir, Reason: "there is no .proto of a contract", Hint: "run plugingen generate there first"}
	}
	for _, c := range changes {
		result.Changes = append(result.Changes, ContractChange{c.Rule, ChangeLevel(c.Level), c.File, c.Line, c.Column, c.Where, c.Why, c.Hint})
	}
	if err == nil && now.IsContract() {
		result.Stale = staleProto(ctx, dir)
	}
	return result, err
}

// folderState is an earlier state in another folder.
type folderState string

// Read implements earlierState.
func (f folderState) Read(_ context.Context, folder string) (breaking.Snapshot, error) {
	return breaking.ReadFolder(filepath.Join(string(f), filepath.FromSlash(folder)))
}

// Folders implements earlierState.
func (f folderState) Folders(_ context.Context, folder, base string) ([]string, error) {
	var found []string
	root := filepath.Join(string(f), filepath.FromSlash(folder))
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrPermission):
			return nil
		case err != nil:
			return err
		case d.IsDir() && name != root && skipped(d.Name()):
			return fs.SkipDir
		case d.Name() != base || !d.Type().IsRegular():
			return nil
		}
		rel, err := filepath.Rel(string(f), filepath.Dir(name))
		found = append(found, filepath.ToSlash(rel))
		return err
	})
	return found, err
}

// fileState is a .proto alone.
type fileState string

// Read implements earlierState.
func (f fileState) Read(context.Context, string) (breaking.Snapshot, error) {
	data, err := os.ReadFile(string(f))
	if err != nil {
		return nil, err
	}
	if filepath.Ext(string(f)) != ".proto" {
		return nil, &InputError{What: "earlier state", Value: string(f), Reason: "it is not a .proto file", Hint: "name one, a folder or a revision"}
	}
	return breaking.Snapshot{path.Base(filepath.ToSlash(string(f))): data}, nil
}

// Folders implements earlierState; nobody asks.
func (f fileState) Folders(context.Context, string, string) ([]string, error) { return nil, nil }
