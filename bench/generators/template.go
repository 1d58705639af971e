package generators

import (
	"archive/zip"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	teamModule  = "bench.example/acme"
	teamVersion = "v1.0.0"
)

// publishTeam makes the repository's example of a team's template set a module, in a folder that the go command takes for a proxy.
// It returns what the environment needs so that plugingen finds it, and remembers it, in folders below dir alone.
func publishTeam(root, dir string) ([]string, error) {
	at := filepath.Join(dir, "proxy", filepath.FromSlash(teamModule), "@v")
	if err := os.MkdirAll(at, 0o755); err != nil {
		return nil, err
	}
	archive, err := os.Create(filepath.Join(at, teamVersion+".zip"))
	if err != nil {
		return nil, err
	}
	w := zip.NewWriter(archive)
	err = addFiles(w, os.DirFS(filepath.Join(root, "..", "examples", "acme-templates")))
	err = errors.Join(err, w.Close(), archive.Close(),
		os.WriteFile(filepath.Join(at, teamVersion+".mod"), []byte("module "+teamModule+"\n"), 0o644),
		os.WriteFile(filepath.Join(at, teamVersion+".info"), []byte(`{"Version":"`+teamVersion+`"}`), 0o644),
	)
	return []string{
		"GOPROXY=file://" + filepath.ToSlash(filepath.Join(dir, "proxy")), "GOSUMDB=off", "GOFLAGS=-modcacherw", "GOMODCACHE=" + filepath.Join(dir, "modules"),
		"XDG_CONFIG_HOME=" + filepath.Join(dir, "config"),
	}, err
}

func addFiles(w *zip.Writer, files fs.FS) error {
	prefix := teamModule + "@" + teamVersion + "/"
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(name, "cases/") {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		f, err := w.Create(prefix + name)
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		return err
	})
}

// teamArgs make a project of the team's set.
func teamArgs() []string {
	return []string{"new", newProject, "--template", teamModule + "@" + teamVersion, "--trust", "--var", "owner=@acme/bench"}
}
