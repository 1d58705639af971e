package main

import (
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/plugingen/plugingen/generator"
)

// versions is what there is to say about a build.
type versions struct {
	Plugingen string `json:"plugingen"`
	Revision  string `json:"revision,omitempty"`
	Modified  bool   `json:"modified,omitempty"`
	Runtime   string `json:"runtime"`
	Wire      string `json:"wire"`
	Go        string `json:"go"`
	Platform  string `json:"platform"`
}

func newVersionCommand(s streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of the command, of the runtime, of the wire protocol, and of Go",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			info, _ := debug.ReadBuildInfo()
			v, err := describeBuild(info)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(s, v)
			}
			return v.print(s)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	return cmd
}

// describeBuild takes nil for a build without information.
func describeBuild(info *debug.BuildInfo) (versions, error) {
	v := versions{Plugingen: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	var err error
	if v.Runtime, v.Wire, err = generator.RuntimeVersions(); err != nil || info == nil {
		return v, err
	}
	if info.Main.Version != "" {
		v.Plugingen = withoutCredentials(info.Main.Version)
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			v.Revision = withoutCredentials(setting.Value)
		case "vcs.modified":
			v.Modified = setting.Value == "true"
		}
	}
	return v, nil
}

// credentials are what a URL may have between its scheme and its host.
var credentials = regexp.MustCompile(`://[^/@\s]*@`)

func withoutCredentials(text string) string { return credentials.ReplaceAllString(text, "://") }

func (v versions) print(s streams) error {
	revision := ""
	if v.Revision != "" {
		revision = " (" + v.Revision
		if v.Modified {
			revision += ", modified"
		}
		revision += ")"
	}
	_, err := fmt.Fprintf(s.out, "plugingen  %s%s\nruntime    %s\nwire       %s\ngo         %s %s\n",
		v.Plugingen, revision, v.Runtime, v.Wire, v.Go, v.Platform)
	return err
}
