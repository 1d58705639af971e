package generator

import (
	"context"
	"errors"

	"github.com/plugingen/plugingen/generator/model"
)

// ContractRequest says which interfaces make a contract, and where its package is.
type ContractRequest struct {
	// Dir is the folder of the contract's package. It need not exist when Overlay has the package's files.
	Dir string
	// Overlay holds files by absolute path that take the place of those on disk, or that are not there yet:
	// Go files, go.mod and go.sum, the .proto of an earlier run. Nil means that only the disk counts.
	Overlay map[string][]byte
	// Types are the names of the interfaces in the package; at least one.
	Types []string
	// Env is the environment of the go command, which is asked only about packages of other modules; nil means the process's.
	Env []string
}

// ContractResult is what Contract made; nothing of it has been written.
type ContractResult struct {
	Contract *model.Contract
	// Files are the generated files, sorted by name.
	Files []ContractFile
	// Warnings are what the owner of the contract should know although the files are right.
	Warnings model.Diagnostics
}

// ContractFile is a generated file: Name is relative to the contract's folder, with slashes.
type ContractFile struct {
	Name string
	Data []byte
}

// Contract reads the interfaces that req names and returns their .proto, .pb.go and glue. Field numbers are those of
// the .proto of an earlier run, where there is one. Faults of the interfaces come all at once, as [model.Diagnostics].
// It reads files, and runs the go command only for types of other modules, until ctx ends; it writes nothing.
func Contract(ctx context.Context, req ContractRequest) (*ContractResult, error) {
	return nil, errors.ErrUnsupported
}
