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
	"sync"

	"github.com/plugingen/plugingen"
	"github.com/plugingen/plugingen/generator/internal/glue"
	"github.com/plugingen/plugingen/generator/internal/inspect"
	"github.com/plugingen/plugingen/generator/internal/schema"
	"github.com/plugingen/plugingen/generator/model"
	"github.com/plugingen/plugingen/templates"
)

// ContractRequest says which interfaces make a contract, and where its package is.
type ContractRequest struct {
	// Dir is the folder of the contract's package. It need not exist when Overlay has the package's files.
	Dir string
	// Overlay holds files by absolute path that take the place of those on disk, or that are not there yet:
	// Go files, go.mod and go.sum, the .proto of an earlier run. Nil means that only the disk counts.
	Overlay map[string][]byte
	// Types are the names of the interfaces in the package; at least one, unless there are Protos.
	Types []string
	// Protos are .proto files whose services make the contract: the interfaces are made of them. They are relative to Dir, or
	// absolute. A package that was made of .proto files before is made of them again when neither Protos nor Types are given,
	// or when Types names its interfaces.
	Protos []string
	// Env is the environment of the go command, which is asked only about packages of other modules; nil means the process's.
	Env []string
	// Remember records what decided about the result, for ContractResult.Remember.
	Remember bool
}

// ContractResult is what Contract made; nothing of it has been written.
type ContractResult struct {
	Contract *model.Contract
	// Files are the generated files, sorted by name.
	Files []ContractFile
	// Warnings are what the owner of the contract should know although the files are right.
	Warnings model.Diagnostics

	memory *memory
}

// ContractFile is a generated file: Name is relative to the contract's folder, with slashes. A .pb.go of a package of its own
// may lie elsewhere in the module.
type ContractFile struct {
	Name string
	Data []byte
	// Once says that the file is the owner's as soon as it is there.
	Once bool
}

// ErrNoTypes says that a ContractRequest names no interface. It wraps ErrInput.
var ErrNoTypes = fmt.Errorf("%w: no interface is named: give -type", ErrInput)

// Contract reads the interfaces that req names and returns their .proto, .pb.go and glue. Field numbers are those of
// the .proto of an earlier run, where there is one. For Protos it is the other way round: the interfaces are made, too.
// Faults of the interfaces or of the files come all at once, as [model.Diagnostics];
// a folder that is no package of a module, and a request without types, are ErrInput.
// It reads files, and runs the go command only for types of other modules, until ctx ends; it writes nothing.
func Contract(ctx context.Context, req ContractRequest) (*ContractResult, error) {
	req, err := req.completed()
	if err != nil {
		return nil, err
	}
	if len(req.Protos) > 0 {
		return protoContract(ctx, req)
	}
	if len(req.Types) == 0 {
		return nil, ErrNoTypes
	}
	memory := req.memory()
	c, warnings, err := inspect.Inspect(ctx, inspect.Config{Dir: req.Dir, Overlay: req.Overlay, Types: distinct(req.Types), Env: req.Env, Trace: memory.recorder()})
	if errors.Is(err, inspect.ErrNoModule) || errors.Is(err, inspect.ErrNoGoFiles) {
		return nil, fmt.Errorf("%w: %w", ErrInput, err)
	}
	if err != nil {
		return nil, err
	}
	earlier, err := req.earlier(c)
	if err != nil {
		return nil, err
	}
	notes, err := schema.Lay(c, earlier)
	if err != nil {
		return nil, err
	}
	files, err := contractFiles(ctx, c)
	if err != nil {
		return nil, err
	}
	warnings = append(warnings, notes...)
	memory.settle(earlier, files, warnings)
	return &ContractResult{Contract: c, Files: files, Warnings: warnings, memory: memory}, nil
}

// distinct drops what is named twice.
func distinct(names []string) []string {
	var list []string
	for _, name := range names {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// earlier is the .proto of an earlier run; nil when there is none.
func (req ContractRequest) earlier(c *model.Contract) ([]byte, error) {
	dir, err := filepath.Abs(req.Dir)
	if err != nil {
		return nil, fmt.Errorf("contract folder: %w", err)
	}
	name := filepath.Join(dir, schema.Folder(c), schema.ProtoName(c))
	if data, ok := req.Overlay[name]; ok {
		return data, nil
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("field numbers of the earlier run: %w", err)
	}
	return append([]byte{}, data...), nil
}

func contractFiles(ctx context.Context, c *model.Contract) ([]ContractFile, error) {
	runtimeModule, err := schema.RuntimeModule(plugingen.Source)
	if err != nil {
		return nil, err
	}
	glue.Name(c)
	protoText, compiled, err := schema.Build(ctx, c, plugingen.Source)
	if err != nil {
		return nil, err
	}
	pbCode, glueCode, err := renderBoth(c, compiled, runtimeModule)
	if err != nil {
		return nil, err
	}
	folder := schema.Folder(c)
	return []ContractFile{ // sorted: a package's name comes before zz
		{Name: path.Join(folder, c.Package.Name+".pb.go"), Data: pbCode},
		{Name: path.Join(folder, schema.ProtoName(c)), Data: protoText},
		{Name: glue.FileName, Data: glueCode},
	}, nil
}

// renderBoth makes the two Go files side by side: formatting them is most of the work.
func renderBoth(c *model.Contract, compiled *schema.Compiled, runtimeModule string) (pbCode, glueCode []byte, err error) {
	var pbErr error
	var wg sync.WaitGroup
	wg.Go(func() { pbCode, pbErr = compiled.Code() })
	glueCode, err = glue.Render(c, runtimeModule, templates.Glue)
	wg.Wait()
	return pbCode, glueCode, errors.Join(err, pbErr)
}
