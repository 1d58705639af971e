package generators

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	teamModule  = "bench.example/acme"
	startModule = "bench.example/start"
	teamVersion = "v1.0.0"
)

// proxyEnv is what the environment needs so that the published modules are found, and remembered, in folders below dir alone.
func proxyEnv(dir string) []string {
	return []string{
		"GOPROXY=file://" + filepath.ToSlash(filepath.Join(dir, "proxy")), "GOSUMDB=off", "GOFLAGS=-modcacherw", "GOMODCACHE=" + filepath.Join(dir, "modules"),
		"XDG_CONFIG_HOME=" + filepath.Join(dir, "config"),
	}
}

// publishTeam publishes the repository's example of a team's template set.
func publishTeam(root, dir string) error {
	return publish(dir, teamModule, os.DirFS(filepath.Join(root, "..", "examples", "acme-templates")))
}

// publishStart publishes, for gonew to copy, the project that ours makes.
func publishStart(ctx context.Context, dir string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(dir, OursName), "new", newProject, "--module", startModule, "--dir", "start")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", OursName, err, out)
	}
	return publish(dir, startModule, os.DirFS(filepath.Join(dir, "start")))
}

// publish puts the files as a module into a folder that the go command takes for a proxy.
func publish(dir, module string, files fs.FS) error {
	at := filepath.Join(dir, "proxy", filepath.FromSlash(module), "@v")
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	archive, err := os.Create(filepath.Join(at, teamVersion+".zip"))
	if err != nil {
		return err
	}
	w := zip.NewWriter(archive)
	err = addFiles(w, module, files)
	return errors.Join(err, w.Close(), archive.Close(),
		os.WriteFile(filepath.Join(at, teamVersion+".mod"), []byte("module "+module+"\n"), 0o644),
		os.WriteFile(filepath.Join(at, teamVersion+".info"), []byte(`{"Version":"`+teamVersion+`"}`), 0o644),
	)
}

func addFiles(w *zip.Writer, module string, files fs.FS) error {
	prefix := module + "@" + teamVersion + "/"
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
