package script

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdPublish makes a folder a version of a module in a folder that the go command takes for a proxy:
// publish DIR PROXY MODULE VERSION. The environment of the script then uses that proxy, and a module cache of its own.
func cmdPublish(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: publish DIR PROXY MODULE VERSION")
	}
	v := module.Version{Path: args[2], Version: args[3]}
	at := filepath.Join(ts.MkAbs(args[1]), filepath.FromSlash(v.Path), "@v")
	mod, err := os.ReadFile(filepath.Join(ts.MkAbs(args[0]), "go.mod"))
	ts.Check(err)
	var archive bytes.Buffer
	ts.Check(errors.Join(
		os.MkdirAll(at, 0o755),
		zip.CreateFromDir(&archive, v, ts.MkAbs(args[0])),
		os.WriteFile(filepath.Join(at, v.Version+".zip"), archive.Bytes(), 0o644),
		os.WriteFile(filepath.Join(at, v.Version+".mod"), mod, 0o644),
		os.WriteFile(filepath.Join(at, v.Version+".info"), []byte(`{"Version":"`+v.Version+`"}`), 0o644),
	))
	list, err := os.OpenFile(filepath.Join(at, "list"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	ts.Check(err)
	_, err = list.WriteString(v.Version + "\n")
	ts.Check(errors.Join(err, list.Close()))
	ts.Setenv("GOPROXY", "file://"+filepath.ToSlash(ts.MkAbs(args[1])))
	ts.Setenv("GOSUMDB", "off")
	ts.Setenv("GOFLAGS", "-modcacherw")
	ts.Setenv("GOMODCACHE", ts.MkAbs(".modcache"))
}

// cmdRemember makes what the last command printed the value of a variable: remember NAME.
func cmdRemember(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: remember NAME")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}
