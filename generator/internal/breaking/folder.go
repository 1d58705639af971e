package breaking

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// ReadFolder is the state of a contract's folder on disk. A folder that is not there is empty.
func ReadFolder(dir string) (Snapshot, error) {
	s := Snapshot{}
	for _, pattern := range []string{"*.go", "*.proto", filepath.Join("*", "*.proto")} {
		names, err := fs.Glob(os.DirFS(dir), filepath.ToSlash(pattern))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if !wants(name) {
				continue
			}
			data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
			if errors.Is(err, fs.ErrNotExist) {
				continue // a link to nowhere
			}
			if err != nil {
				return nil, err
			}
			s[name] = data
		}
	}
	return s, nil
}
