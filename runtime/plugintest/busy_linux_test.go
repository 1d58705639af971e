package plugintest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestIsBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "program")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("#!/bin/sh\n"); err != nil {
		t.Fatal(err)
	}
	if !isBusy(path) {
		t.Error("a file that is being written is not busy")
	}
	done := make(chan struct{})
	go func() { awaitReady(t, path); close(done) }()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	<-done
	if err := exec.CommandContext(t.Context(), path).Run(); err != nil {
		t.Errorf("start it: %v", err)
	}
	if isBusy(path) || isBusy(filepath.Join(t.TempDir(), "missing")) {
		t.Error("a file that nobody writes is busy")
	}
}
