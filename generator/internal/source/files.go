package source

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxFiles, maxFile and maxAll bound what a set may hold.
	maxFiles = 4096
	maxFile  = 4 << 20
	maxAll   = 32 << 20
)

// ErrContent is what every error wraps about files that no set may hold.
var ErrContent = errors.New("not a template set")

func refuseFile(name, reason string) error {
	return fmt.Errorf("%w: %+q: %s", ErrContent, name, reason)
}

// collector takes files until there are too many.
type collector struct {
	files map[string][]byte
	size  int64
}

// add reads one file.
func (c *collector) add(name string, from io.Reader) error {
	if c.files == nil {
		c.files = map[string][]byte{}
	}
	if !showable(name) {
		return refuseFile(name, "its name has a character that does not show")
	}
	if len(c.files) == maxFiles {
		return refuseFile(name, fmt.Sprintf("there are more than %d files", maxFiles))
	}
	data, err := io.ReadAll(io.LimitReader(from, maxFile+1))
	if err != nil {
		return err
	}
	if len(data) > maxFile {
		return refuseFile(name, fmt.Sprintf("it is larger than %d bytes", maxFile))
	}
	if c.size += int64(len(data)); c.size > maxAll {
		return refuseFile(name, fmt.Sprintf("all files together are larger than %d bytes", maxAll))
	}
	c.files[name] = data
	return nil
}

// showable: names are repeated in errors.
func showable(name string) bool {
	return utf8.ValidString(name) && strings.IndexFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// readFolder reads the entries of a folder that are named, with what is below them; all when only is nil. It follows no links: one
// that leads out would let a set read the files of who uses it.
func readFolder(dir string, only []string) (map[string][]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // it only holds a place in the file system
	var c collector
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if first, _, _ := strings.Cut(name, "/"); name != "." && only != nil && !slices.Contains(only, first) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() && name == ".git" {
			return fs.SkipDir // it is git's, and no part of a set
		}
		if d.IsDir() {
			return nil
		}
		return c.addFrom(root, name, d)
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", dir, err)
	}
	return c.files, nil
}

func (c *collector) addFrom(root *os.Root, name string, d fs.DirEntry) error {
	if !d.Type().IsRegular() {
		return refuseFile(name, "it is "+what(d.Type())+"; sets hold plain files alone")
	}
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return refuseFile(name, "it is no plain file any more")
	}
	return c.add(name, f)
}

func what(mode fs.FileMode) string {
	if mode&fs.ModeSymlink != 0 {
		return "a symbolic link"
	}
	return "not a plain file"
}

// readTar reads an archive as git makes it.
func readTar(r io.Reader) (map[string][]byte, error) {
	var c collector
	for archive := tar.NewReader(r); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return c.files, nil
		}
		if err != nil {
			return nil, err
		}
		name := path.Clean(h.Name)
		switch {
		case h.Typeflag == tar.TypeXGlobalHeader || h.Typeflag == tar.TypeDir:
			continue
		case h.Typeflag != tar.TypeReg:
			return nil, refuseFile(name, "it is a link or something else than a plain file; sets hold plain files alone")
		case !fs.ValidPath(name) || name == ".":
			return nil, refuseFile(name, "it is not a path below the root")
		}
		if err := c.add(name, archive); err != nil {
			return nil, err
		}
	}
}

// below is the part of files in a folder, by paths relative to it.
func below(files map[string][]byte, dir string) map[string][]byte {
	if dir == "" || dir == "." {
		return files
	}
	part := map[string][]byte{}
	for name, data := range files {
		if rel, found := strings.CutPrefix(name, dir+"/"); found {
			part[rel] = data
		}
	}
	return part
}
