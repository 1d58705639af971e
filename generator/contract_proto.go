package generator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/plugingen/plugingen"
	"github.com/plugingen/plugingen/generator/internal/glue"
	"github.com/plugingen/plugingen/generator/internal/inspect"
	"github.com/plugingen/plugingen/generator/internal/protofile"
	"github.com/plugingen/plugingen/generator/internal/schema"
	"github.com/plugingen/plugingen/templates"
)

// protoContract makes interfaces and what carries them of the services of .proto files.
func protoContract(ctx context.Context, req ContractRequest) (*ContractResult, error) {
	memory := req.memory()
	place, err := inspect.Locate(inspect.Config{Dir: req.Dir, Overlay: req.Overlay, Trace: memory.recorder()})
	if errors.Is(err, inspect.ErrNoModule) {
		return nil, fmt.Errorf("%w: %w", ErrInput, err)
	}
	if err != nil {
		return nil, err
	}
	read, err := protofile.Read(ctx, place, absolute(place.Dir, req.Protos))
	if err != nil {
		return nil, err
	}
	files, err := protoFiles(place, read)
	if err != nil {
		return nil, err
	}
	kept := slices.DeleteFunc(slices.Clone(files), func(f ContractFile) bool { return f.Once })
	memory.settle(nil, kept, read.Warnings)
	return &ContractResult{Contract: read.Model, Files: files, Warnings: read.Warnings, memory: memory}, nil
}

func absolute(dir string, files []string) []string {
	var list []string
	for _, file := range distinct(files) {
		if file = filepath.FromSlash(file); !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		list = append(list, filepath.Clean(file))
	}
	return list
}

// protoFiles are the Go code of the messages, made while that of the services is, and a handshake where there is none.
func protoFiles(place *inspect.Place, read *protofile.Contract) ([]ContractFile, error) {
	runtimeModule, err := schema.RuntimeModule(plugingen.Source)
	if err != nil {
		return nil, err
	}
	glue.Name(read.Model)
	var made []protofile.File
	var madeErr error
	var wg sync.WaitGroup
	wg.Go(func() { made, madeErr = read.Code() })
	code, err := glue.RenderRPC(read.Model, runtimeModule, templates.GlueRPC)
	wg.Wait()
	if err := errors.Join(err, madeErr); err != nil {
		return nil, err
	}
	files := []ContractFile{{Name: glue.FileName, Data: code}}
	for _, m := range made {
		rel, err := filepath.Rel(place.Dir, m.Name)
		if err != nil {
			return nil, fmt.Errorf("place of %s: %w", m.Name, err)
		}
		files = append(files, ContractFile{Name: filepath.ToSlash(rel), Data: m.Data})
	}
	if !slices.Contains(read.Model.Declared, "Handshake") && !place.Has(filepath.Join(place.Dir, handshakeFile)) {
		files = append(files, ContractFile{Name: handshakeFile, Data: handshakeCode(read.Model, runtimeModule), Once: true})
		read.Model.Declared = append(read.Model.Declared, "Handshake")
	}
	slices.SortFunc(files, func(a, b ContractFile) int { return strings.Compare(a.Name, b.Name) })
	return files, nil
}

// sourceMark begins the lines by which a generated file tells the .proto files that it was made of.
const sourceMark = "// source: "

// ProtosIn reads off the generated file of the package in dir which .proto files it was made of, relative to dir, with slashes;
// none for a contract made of Go interfaces, and where nothing was generated.
func ProtosIn(dir string) ([]string, error) {
	data, err := os.ReadFile(filepath.Join(dir, GluedName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return sourcesOf(data), nil
}

func sourcesOf(data []byte) []string {
	var list []string
	for line := range bytes.Lines(data) {
		line = bytes.TrimRight(line, "\r\n")
		if source, ok := bytes.CutPrefix(line, []byte(sourceMark)); ok {
			list = append(list, string(source))
		} else if !bytes.HasPrefix(line, []byte("//")) {
			break
		}
	}
	return list
}

// completed adds the .proto files of the last run. That was not for Go interfaces which are named and are none of its own.
func (req ContractRequest) completed() (ContractRequest, error) {
	if len(req.Protos) > 0 {
		return req, nil
	}
	protos, err := ProtosIn(req.Dir)
	if err != nil || len(protos) == 0 {
		return req, err
	}
	made, err := ServicesIn(req.Dir)
	if err != nil {
		return req, err
	}
	for _, name := range req.Types {
		if !slices.Contains(made, name) {
			return req, nil
		}
	}
	req.Protos = protos
	return req, nil
}
