package source

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/mod/module"
)

// Kind says how a set is brought.
type Kind uint8

// The kinds of references.
const (
	Folder Kind = iota
	Module
	Git
)

// Reference names a set.
type Reference struct {
	Kind Kind
	// Path is a folder, the path of a module, or the URL of a repository.
	Path string
	// Sub is the folder of the set below the root of module or repository; empty means the root.
	Sub string
	// Version is a module's version or query, or a repository's branch, tag or commit; empty means the newest.
	Version string
}

// Origin is the reference without a version.
func (r Reference) Origin() string {
	if r.Sub == "" {
		return r.Path
	}
	return r.Path + "//" + r.Sub
}

// String is what Parse reads.
func (r Reference) String() string {
	if r.Version == "" {
		return r.Origin()
	}
	return r.Origin() + "@" + r.Version
}

// ErrReference is what every refused reference wraps.
var ErrReference = errors.New("not a reference to a template set")

var (
	// moduleVersion is a version, a branch, a commit or latest. Never an option of the go command.
	moduleVersion = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+_/-]*$`)
	// gitRef is narrower than what git takes: never an option, never a range or a path.
	gitRef = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/+-]*$`)
	// shortForm is git's user@host:path.
	shortForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[A-Za-z0-9._~][A-Za-z0-9._~/-]*$`)
	hexCommit = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

// Parse reads a reference: a folder, MODULE@VERSION, or the URL of a git repository with @REF after it. //DIR before the @
// names a folder in a module or repository. The error wraps ErrReference.
func Parse(text string) (Reference, error) {
	switch {
	case text == "":
		return Reference{}, refuse(text, "it is empty")
	case strings.ContainsAny(text, "\x00\r\n\t"):
		return Reference{}, refuse(text, "it has a control character")
	case isPath(text):
		return Reference{Kind: Folder, Path: text}, nil
	case isGit(text):
		return parseGit(text)
	case strings.Contains(text, "@"):
		return parseModule(text)
	case isFolder(text):
		return Reference{Kind: Folder, Path: text}, nil
	}
	return Reference{}, refuse(text, "there is no such folder; a module has its version after it, as in "+harmless(text)+"@latest")
}

// harmless is text for a hint: as it is when it could be the path of a module.
func harmless(text string) string {
	if module.CheckPath(text) == nil {
		return text
	}
	return "example.com/templates"
}

func refuse(text, reason string) error { return fmt.Errorf("%w: %+q: %s", ErrReference, text, reason) }

// isPath goes by the form alone: whether something exists must not change what such a reference means.
func isPath(text string) bool {
	slashed := filepath.ToSlash(text)
	return slashed == "." || slashed == ".." || strings.HasPrefix(slashed, "./") || strings.HasPrefix(slashed, "../") || filepath.IsAbs(text)
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

func isGit(text string) bool {
	return strings.Contains(text, "://") || strings.HasPrefix(text, "git+") || shortForm.MatchString(withoutVersion(text))
}

// withoutVersion drops an @REF that stands behind the last colon.
func withoutVersion(text string) string {
	if i := strings.LastIndex(text, "@"); i > strings.LastIndex(text, ":") {
		return text[:i]
	}
	return text
}

func parseModule(text string) (Reference, error) {
	r := Reference{Kind: Module}
	r.Path, r.Version, _ = strings.Cut(text, "@")
	r.Path, r.Sub, _ = strings.Cut(r.Path, "//")
	if !moduleVersion.MatchString(r.Version) {
		return r, refuse(text, "what follows the @ is not a version")
	}
	if err := module.CheckPath(r.Path); err != nil {
		return r, refuse(text, "it is not the path of a module")
	}
	return r, checkSub(text, r.Sub)
}

func parseGit(text string) (Reference, error) {
	r := Reference{Kind: Git}
	rest := strings.TrimPrefix(text, "git+")
	if strings.Contains(rest, "%") {
		return r, refuse(text, "it has a %: write the characters themselves")
	}
	// The last @ starts the ref, unless it belongs to the user before the host.
	if i := strings.LastIndex(rest, "@"); i > strings.LastIndexAny(pathless(rest), ":/") {
		rest, r.Version = rest[:i], rest[i+1:]
		if !gitRef.MatchString(r.Version) || strings.Contains(r.Version, "..") {
			return r, refuse(text, "what follows the @ is not a branch, tag or commit")
		}
		if r.Version == "latest" { // as modules have it: what the repository itself shows
			r.Version = ""
		}
	}
	if scheme, after, found := strings.Cut(rest, "://"); found {
		host, sub, _ := strings.Cut(after, "//")
		r.Path, r.Sub = scheme+"://"+host, sub
		if err := checkURL(text, r.Path); err != nil {
			return r, err
		}
	} else {
		r.Path, r.Sub, _ = strings.Cut(rest, "//")
		if !shortForm.MatchString(r.Path) || climbs(r.Path) {
			return r, refuse(text, "it is not the URL of a repository")
		}
	}
	return r, checkSub(text, r.Sub)
}

// pathless is the part of a URL in which an @ belongs to a user: up to the host's end.
func pathless(rest string) string {
	scheme, after, found := strings.Cut(rest, "://")
	if !found {
		host, _, _ := strings.Cut(rest, ":")
		return host + ":"
	}
	host, _, _ := strings.Cut(after, "/")
	return scheme + "://" + host + "/"
}

func checkURL(text, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return refuse(text, "it is not the URL of a repository")
	}
	_, hasPassword := u.User.Password()
	switch {
	case u.Scheme != "https" && u.Scheme != "ssh" && u.Scheme != "file":
		return refuse(text, "a repository is reached by https, ssh or file")
	case hasPassword || u.User != nil && u.Scheme != "ssh":
		return refuse(text, "it has credentials in it, which would be recorded; leave them to git")
	case strings.HasPrefix(u.Host, "-") || strings.HasPrefix(u.User.Username(), "-"):
		return refuse(text, "it has an option in it")
	case u.RawQuery != "" || u.Fragment != "" || u.Path == "" || u.Scheme != "file" && u.Host == "":
		return refuse(text, "it is not the URL of a repository")
	case climbs(u.Path):
		return refuse(text, "it has a .. in it")
	}
	return nil
}

func climbs(name string) bool {
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '/' || r == '\\' || r == ':' }) {
		if part == ".." {
			return true
		}
	}
	return false
}

func checkSub(text, sub string) error {
	if sub == "" {
		return nil
	}
	if !fs.ValidPath(sub) || sub == "." || strings.ContainsAny(sub, `\:%`) {
		return refuse(text, "what follows the // is not a folder below the root")
	}
	return nil
}
