package main

import (
	"bytes"
	"runtime/debug"
	"strings"
	"testing"
)

func TestDescribeBuild(t *testing.T) {
	info := &debug.BuildInfo{
		Main: debug.Module{Version: "v1.2.3-https://user:secret@example.com/x"},
		Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "ssh://git:token@example.com/repo 0123abcd"},
			{Key: "vcs.modified", Value: "true"},
		},
	}
	v, err := describeBuild(info)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := v.print(streams{out: &out}); err != nil {
		t.Fatal(err)
	}
	if err := writeJSON(streams{out: &out}, v); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"secret", "token", "user", "git:"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is in the output:\n%s", secret, out.String())
		}
	}
	for _, want := range []string{"https://example.com/x", "0123abcd, modified", `"wire": "1"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in the output:\n%s", want, out.String())
		}
	}
}

func TestDescribeBuildWithoutInformation(t *testing.T) {
	v, err := describeBuild(nil)
	if err != nil || v.Plugingen != "(devel)" || v.Runtime == "" {
		t.Errorf("describeBuild(nil) = %+v, %v", v, err)
	}
}
