package pluginlog_test

import (
	"log/slog"
	"os"

	"github.com/plugingen/plugingen/runtime/plugin/pluginlog"
)

// A plugin's main does this first. What it logs then arrives at its host with level and attributes.
func ExampleNewHandler() {
	handler := pluginlog.NewHandler(os.Stdout, pluginlog.Options{}) // os.Stderr in a plugin
	log := slog.New(withoutTime{handler})                           // the example's output must not change

	log.Warn("disk is nearly full", "free", 42, slog.Group("disk", "name", "sda1", "share", 0.97))
	// Output: {"@level":"warn","@message":"disk is nearly full","free":42,"disk.name":"sda1","disk.share":0.97}
}
