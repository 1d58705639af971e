package source_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator/internal/source"
)

func TestParse(t *testing.T) {
	cases := map[string]source.Reference{
		"./acme":                              {Path: "./acme"},
		"../acme@v1":                          {Path: "../acme@v1"},
		".":                                   {Path: "."},
		"corp.example/tpl@v1.0.0":             {Kind: source.Module, Path: "corp.example/tpl", Version: "v1.0.0"},
		"corp.example/tpl//a/b@latest":        {Kind: source.Module, Path: "corp.example/tpl", Sub: "a/b", Version: "latest"},
		"https://example.com/a/b.git@v1.2.3":  {Kind: source.Git, Path: "https://example.com/a/b.git", Version: "v1.2.3"},
		"git+https://example.com/a//sub@main": {Kind: source.Git, Path: "https://example.com/a", Sub: "sub", Version: "main"},
		"ssh://git@example.com/a":             {Kind: source.Git, Path: "ssh://git@example.com/a"},
		"git@example.com:a/b.git@v1":          {Kind: source.Git, Path: "git@example.com:a/b.git", Version: "v1"},
		"git@example.com:a/b.git":             {Kind: source.Git, Path: "git@example.com:a/b.git"},
		"git@example.com:a/b//sub@feature/x":  {Kind: source.Git, Path: "git@example.com:a/b", Sub: "sub", Version: "feature/x"},
		"https://example.com/a@latest":        {Kind: source.Git, Path: "https://example.com/a"},
		"file:///srv/tpl@v1":                  {Kind: source.Git, Path: "file:///srv/tpl", Version: "v1"},
	}
	for text, want := range cases {
		if got, err := source.Parse(text); err != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", text, got, err, want)
		}
	}
}

// TestHostileReferences would be an option, a way out, or a place for a secret.
func TestHostileReferences(t *testing.T) {
	for _, text := range []string{
		"", "nothing-here", "-rf", "--help@v1", "corp.example/tpl", "corp.example/tpl@", "corp.example/tpl@-x", "corp.example/tpl@v1 v2", "corp.example/tpl@v1\n",
		"corp.example/../tpl@v1", "corp.example/%2e%2e/tpl@v1", "corp.example/tpl//../x@v1", "corp.example/tpl//a/../../x@v1", "corp.example/tpl///etc@v1",
		"corp.example/tpl//%2e%2e@v1", `corp.example/tpl//a\b@v1`, "Corp Example/tpl@v1", "@v1", "x@y@z",
		"https://user@example.com/a@v1", "https://user:secret@example.com/a@v1", "ssh://git:secret@example.com/a", "https://example.com/../a@v1", "https://example.com/a/../../b@v1",
		"https://example.com/%2e%2e/a@v1", "https://example.com/a%00b@v1", "https://example.com/a?x=y@v1", "https://example.com/a#x@v1", "https://-x/a@v1", "ssh://-oProxyCommand=x/a@v1",
		"http://example.com/a@v1", "git://example.com/a@v1", "ftp://example.com/a", "ext::sh -c x", "ext::sh@v1", "git+ext::sh@v1", "https://@v1", "https:///a@v1", "file://@v1",
		"https://example.com/a@--upload-pack=x", "https://example.com/a@a..b", "https://example.com/a@:x", "https://example.com/a@^x", "git@example.com:../../a@v1", "git@-x:a@v1",
		"git@example.com:-x@v1", "https://example.com/a//../b@v1", "https://example.com/a//b/../../c@v1", "https://example.com/a///etc@v1",
	} {
		if got, err := source.Parse(text); !errors.Is(err, source.ErrReference) {
			t.Errorf("Parse(%q) = %+v, %v, want ErrReference", text, got, err)
		} else if strings.ContainsAny(err.Error(), "\n\x00") {
			t.Errorf("error %q repeats control characters", err)
		}
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	full := filepath.Join(dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o755), os.WriteFile(full, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func fetchFolder(t *testing.T, dir string, only ...string) (map[string][]byte, error) {
	t.Helper()
	f, err := source.Fetcher{}.Fetch(t.Context(), source.Reference{Path: dir}, only)
	return f.Files, err
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "template.yaml", "a")
	write(t, dir, "plugin/deep/x.tmpl", "b")
	write(t, dir, "other/y", "c")
	write(t, dir, ".git/config", "d")
	files, err := fetchFolder(t, dir, "template.yaml", "plugin")
	if err != nil || len(files) != 2 || string(files["plugin/deep/x.tmpl"]) != "b" {
		t.Errorf("files %q, %v", files, err)
	}
	all, err := fetchFolder(t, dir)
	if err != nil || len(all) != 3 {
		t.Errorf("all files %q, %v", all, err)
	}
	if _, err := fetchFolder(t, filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such folder: %v", err)
	}
}

// TestLinksAreNotFollowed: a link in a set would make its user's files part of a project that others get to see.
func TestLinksAreNotFollowed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege there")
	}
	secret := t.TempDir()
	write(t, secret, "id_ed25519", "secret")
	for name, link := range map[string]struct{ at, to string }{
		"a file outside":     {"plugin/key.tmpl", filepath.Join(secret, "id_ed25519")},
		"a folder outside":   {"plugin/keys", secret},
		"a kind's folder":    {"plugin", secret},
		"relative":           {"partials/x.tmpl", "../../../../../../../../etc/passwd"},
		"the manifest":       {"template.yaml", filepath.Join(secret, "id_ed25519")},
		"within the set":     {"plugin/same.tmpl", "../other.txt"},
		"to nowhere":         {"plugin/x.tmpl", "nowhere"},
		"to itself":          {"plugin/x.tmpl", "x.tmpl"},
		"to a device":        {"plugin/x.tmpl", "/dev/zero"},
		"to the root itself": {"plugin/x", "/"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "other.txt", "x")
			at := filepath.Join(dir, filepath.FromSlash(link.at))
			if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.Symlink(link.to, at)); err != nil {
				t.Fatal(err)
			}
			files, err := fetchFolder(t, dir, "template.yaml", "plugin", "partials")
			if !errors.Is(err, source.ErrContent) {
				t.Errorf("files %q, error %v, want ErrContent", files, err)
			}
		})
	}
}

func TestNamesShow(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("such names cannot be there")
	}
	dir := t.TempDir()
	write(t, dir, "plugin/\x1b[2J.tmpl", "x")
	if _, err := fetchFolder(t, dir); !errors.Is(err, source.ErrContent) || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("a name that clears the screen: %q", err)
	}
}

func TestFoldersAreBounded(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "plugin/large", strings.Repeat("x", 5<<20))
	if _, err := fetchFolder(t, dir); !errors.Is(err, source.ErrContent) {
		t.Errorf("a large file: %v", err)
	}
}

// TestHash: names and contents count, and how files are ordered does not.
func TestHash(t *testing.T) {
	one, err := source.Hash(map[string][]byte{"a": []byte("x"), "b": []byte("y")})
	if err != nil || !strings.HasPrefix(one, "h1:") {
		t.Fatalf("%q, %v", one, err)
	}
	for _, other := range []map[string][]byte{{"a": []byte("y"), "b": []byte("x")}, {"a": []byte("x")}, {"a": []byte("x"), "c": []byte("y")}} {
		if two, err := source.Hash(other); err != nil || two == one {
			t.Errorf("%q has the same hash, %v", other, err)
		}
	}
}

// TestKeptArchives: what lies in the cache is looked at as if it came from outside.
func TestKeptArchives(t *testing.T) {
	const commit = "0123456789012345678901234567890123456789"
	for name, h := range map[string]tar.Header{
		"a link":        {Name: "plugin/x", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
		"a hard link":   {Name: "plugin/x", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"},
		"a device":      {Name: "plugin/x", Typeflag: tar.TypeChar},
		"a way out":     {Name: "../x", Typeflag: tar.TypeReg},
		"another":       {Name: "a/../../x", Typeflag: tar.TypeReg},
		"absolute":      {Name: "/etc/x", Typeflag: tar.TypeReg},
		"an empty name": {Name: "", Typeflag: tar.TypeReg},
	} {
		t.Run(name, func(t *testing.T) {
			cache := t.TempDir()
			var b bytes.Buffer
			w := tar.NewWriter(&b)
			if err := errors.Join(w.WriteHeader(&h), w.Close()); err != nil {
				t.Fatal(err)
			}
			write(t, cache, "git/"+cacheName+"/"+commit+".tar", b.String())
			f := source.Fetcher{Cache: cache, Env: []string{"PATH="}}
			files, err := f.Fetch(t.Context(), source.Reference{Kind: source.Git, Path: "file:///nowhere", Version: commit}, nil)
			if !errors.Is(err, source.ErrContent) {
				t.Errorf("files %q, error %v, want ErrContent", files.Files, err)
			}
		})
	}
}

// cacheName is where the cache keeps what came from file:///nowhere.
const cacheName = "aa93e6cbbca85f3c"

// FuzzParse: no text panics, and what is taken leads nowhere but where it says.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"./x", "corp.example/tpl//sub@v1.0.0", "https://example.com/a//b@main", "git@example.com:a/b@v1", "ssh://git@h/a@x", "file:///a@b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := source.Parse(text)
		if err != nil || r.Kind == source.Folder {
			return
		}
		for _, part := range strings.FieldsFunc(r.Path+"/"+r.Sub, func(c rune) bool { return c == '/' || c == '\\' || c == ':' }) {
			if part == ".." {
				t.Errorf("%q has a way out: %+v", text, r)
			}
		}
		if strings.Contains(r.Path+r.Sub, "%") || strings.HasPrefix(r.Path, "-") || strings.HasPrefix(r.Version, "-") {
			t.Errorf("%q passed: %+v", text, r)
		}
		if again, err := source.Parse(r.String()); err != nil || again != r {
			t.Errorf("%q is %+v, and its text %q is %+v, %v", text, r, r.String(), again, err)
		}
	})
}
