package contestant

import (
	"context"
	"maps"
	"path"
	"path/filepath"
	"slices"

	"github.com/plugingen/plugingen/bench/programs"
)

// Build builds the programs of all that are named, each as its library tells its users to, into dir. root is the bench's module.
func Build(ctx context.Context, root, dir string, all []Contestant) error {
	packages := map[programs.Settings]map[string]bool{}
	for _, c := range all {
		s := settings(c)
		if packages[s] == nil {
			packages[s] = map[string]bool{}
		}
		packages[s][c.Program()] = true
		if more, has := c.(CallbackProgram); has {
			packages[s][more.CallbackProgram()] = true
		}
	}
	for s, set := range packages {
		if err := s.Build(ctx, root, dir, slices.Sorted(maps.Keys(set))...); err != nil {
			return err
		}
	}
	return nil
}

// Path is where Build has put the program of c.
func Path(dir string, c Contestant) string {
	return filepath.Join(settings(c).Folder(dir), path.Base(c.Program()))
}

func settings(c Contestant) programs.Settings {
	if has, ok := c.(interface{ Settings() programs.Settings }); ok {
		return has.Settings()
	}
	return programs.Plain
}
