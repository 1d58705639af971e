package main

import (
	"path/filepath"
	"strings"
)

// protoFiles are the files that --proto names; none without it.
func (o generateOptions) protoFiles() []string {
	var files []string
	for file := range strings.SplitSeq(o.proto, ",") {
		if file = strings.TrimSpace(file); file != "" {
			files = append(files, file)
		}
	}
	return files
}

// defaultDir is the folder of the .proto where that is the current one or below it, and the current one otherwise.
func (o generateOptions) defaultDir() string {
	files := o.protoFiles()
	if len(files) == 0 || !filepath.IsLocal(files[0]) {
		return "."
	}
	return filepath.Dir(files[0])
}

// protos are the files relative to the contract's folder: names in the generated code are the same wherever the command runs.
func (o generateOptions) protos(dir string) ([]string, error) {
	if o.types != "" && o.proto != "" {
		return nil, usagef("--type is for Go interfaces, --proto makes the interfaces: give one of them")
	}
	var files []string
	for _, file := range o.protoFiles() {
		rel, err := relativeTo(dir, file)
		if err != nil {
			return nil, usagef("--proto %s: %w", file, err)
		}
		files = append(files, rel)
	}
	return files, nil
}
