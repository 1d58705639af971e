package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/plugingen/plugingen/generator"
)

func newTemplateShowCommand(s streams) *cobra.Command {
	var o setOptions
	cmd := &cobra.Command{
		Use:   "show [SET]",
		Short: "Print what a set is made of: variables, files, blocks, layers, origin, version and hash",
		Args:  usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.template = args[0]
			}
			info, err := generator.DescribeTemplate(cmd.Context(), o.looking(s))
			if err != nil {
				return o.failJSON(s, err)
			}
			if o.json {
				return writeJSON(s, shownTemplateOf(info))
			}
			return printTemplate(s.out, info)
		},
	}
	o.register(cmd)
	return cmd
}

// The JSON of a set.
type (
	shownTemplate struct {
		Name        string          `json:"name"`
		Description string          `json:"description,omitempty"`
		Origin      string          `json:"origin"`
		Version     string          `json:"version,omitempty"`
		Hash        string          `json:"hash"`
		MinVersion  string          `json:"plugingen,omitempty"`
		Kinds       []string        `json:"kinds"`
		Layers      []shownLayer    `json:"layers"`
		Variables   []shownVariable `json:"variables"`
		Files       []shownFile     `json:"files"`
		Post        []string        `json:"post,omitempty"`
	}
	shownLayer struct {
		Name    string `json:"name"`
		Origin  string `json:"origin"`
		Version string `json:"version,omitempty"`
		Hash    string `json:"hash"`
		Files   int    `json:"files"`
	}
	shownVariable struct {
		Name     string   `json:"name"`
		Type     string   `json:"type"`
		Prompt   string   `json:"prompt,omitempty"`
		Help     string   `json:"help,omitempty"`
		Pattern  string   `json:"pattern,omitempty"`
		Default  any      `json:"default,omitempty"`
		Choices  []string `json:"choices,omitempty"`
		Required bool     `json:"required,omitempty"`
		Secret   bool     `json:"secret,omitempty"`
		When     string   `json:"when,omitempty"`
		Computed string   `json:"computed,omitempty"`
	}
	shownFile struct {
		Path   string   `json:"path"`
		Layers []string `json:"layers"`
		Blocks []string `json:"blocks,omitempty"`
		When   string   `json:"when,omitempty"`
		Rename string   `json:"rename,omitempty"`
		Policy string   `json:"policy,omitempty"`
		Mode   string   `json:"mode,omitempty"`
	}
)

func shownTemplateOf(info *generator.TemplateInfo) shownTemplate {
	t := shownTemplate{
		Name: info.Name, Description: info.Description, Origin: info.Origin, Version: info.Version, Hash: info.Hash, MinVersion: info.MinVersion,
		Kinds: info.Kinds, Post: info.Post, Variables: []shownVariable{},
	}
	for _, l := range info.Layers {
		t.Layers = append(t.Layers, shownLayer(l))
	}
	for _, v := range info.Variables {
		t.Variables = append(t.Variables, shownVariable(v))
	}
	for _, f := range info.Files {
		s := shownFile{Path: f.Path, Layers: f.Layers, Blocks: f.Blocks, When: f.When, Rename: f.Rename, Policy: f.Policy}
		if f.Mode != 0 {
			s.Mode = fmt.Sprintf("%04o", f.Mode)
		}
		t.Files = append(t.Files, s)
	}
	return t
}

// printTemplate escapes nothing twice: the texts of a set are checked to be printable when they are read.
func printTemplate(out io.Writer, info *generator.TemplateInfo) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\t%s\n", info.Name, shown(info.Description))
	fmt.Fprintf(w, "origin\t%s\n", info.Origin)
	if info.Version != "" {
		fmt.Fprintf(w, "version\t%s\n", info.Version)
	}
	fmt.Fprintf(w, "hash\t%s\n", info.Hash)
	fmt.Fprintf(w, "kinds\t%s\n", strings.Join(info.Kinds, ", "))
	if info.MinVersion != "" {
		fmt.Fprintf(w, "plugingen\t%s or newer\n", info.MinVersion)
	}
	if len(info.Post) > 0 {
		fmt.Fprintf(w, "steps\t%s\n", strings.Join(info.Post, ", "))
	}
	fmt.Fprintf(w, "\nlayers, the lowest first\n")
	for _, l := range info.Layers {
		fmt.Fprintf(w, "  %s\t%s\t%d files\n", l.Name, strings.TrimSuffix(l.Origin+"@"+l.Version, "@"), l.Files)
	}
	if len(info.Variables) > 0 {
		fmt.Fprintf(w, "\nvariables\n")
	}
	for _, v := range info.Variables {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", v.Name, describeVariable(v), shown(v.Prompt))
	}
	fmt.Fprintf(w, "\nfiles, who has them, and the blocks that a set can change\n")
	for _, f := range info.Files {
		fmt.Fprintf(w, "  %s\t%s\n", f.Path, describeFile(f))
		if len(f.Blocks) > 0 {
			fmt.Fprintf(w, "      blocks: %s\n", strings.Join(f.Blocks, " "))
		}
	}
	return w.Flush()
}

func describeVariable(v generator.TemplateVariable) string {
	text := v.Type
	if len(v.Choices) > 0 {
		text += " of " + strings.Join(v.Choices, "|")
	}
	switch {
	case v.Computed != "":
		text += ", computed"
	case v.Required:
		text += ", required"
	case v.Default != nil && !v.Secret:
		text += ", default " + typed(v.Default)
	}
	if v.Secret {
		text += ", secret"
	}
	if v.When != "" {
		text += ", when " + v.When
	}
	return shown(text)
}

func describeFile(f generator.TemplateFile) string {
	text := strings.Join(f.Layers, " + ")
	if f.Rename != "" {
		text += ", as " + f.Rename
	}
	if f.When != "" {
		text += ", when " + f.When
	}
	if f.Policy != "" {
		text += ", " + f.Policy
	}
	if f.Mode != 0 {
		text += fmt.Sprintf(", mode %04o", f.Mode)
	}
	return shown(text)
}
