package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plugingen/plugingen/generator"
)

// templateOptions are what commands that use templates have in common.
type templateOptions struct {
	template, answersFile string
	vars, skip            []string
	yes, trust            bool
	recorded              bool // a project says which set it is made from: settings do not

	term *terminal
}

func (o *templateOptions) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.template, "template", "", "template set: a folder, MODULE@VERSION, or the URL of a git repository with @REF")
	f.StringArrayVar(&o.vars, "var", nil, "value of one of the template's variables: NAME=VALUE; lists are separated by commas")
	f.StringVar(&o.answersFile, "answers", "", "file with values of the template's variables, in YAML")
	f.StringSliceVar(&o.skip, "skip", nil, "steps to leave out: "+strings.Join(generator.PostSteps(), ", "))
	f.BoolVar(&o.yes, "yes", false, "ask nothing: variables have their defaults")
	registerTrust(cmd, &o.trust)
	completeTemplates(cmd)
}

func registerTrust(cmd *cobra.Command, trust *bool) {
	cmd.Flags().BoolVar(trust, "trust", false, "use templates of a module or repository that was not used before, and remember it")
}

// completeTemplates offers the sets that were used before.
func completeTemplates(cmd *cobra.Command) {
	complete := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return knownTemplates(), cobra.ShellCompDirectiveDefault
	}
	steps := cobra.FixedCompletions(generator.PostSteps(), cobra.ShellCompDirectiveNoFileComp)
	for name, f := range map[string]cobra.CompletionFunc{"template": complete, "skip": steps} {
		if err := cmd.RegisterFlagCompletionFunc(name, f); err != nil {
			panic(err) // the flag was registered just before
		}
	}
}

// knownTemplates are the built-in set and the newest version seen of each origin.
func knownTemplates() []string {
	names := []string{generator.BuiltinTemplate}
	known, err := readTrusted(configDir())
	if err != nil {
		return names
	}
	for _, origin := range slices.Sorted(maps.Keys(known.Templates)) {
		for _, version := range slices.Sorted(maps.Keys(known.Templates[origin])) {
			names = append(names, origin+"@"+version)
		}
	}
	return names
}

// apply puts what the flags and the settings say into the request.
func (o *templateOptions) apply(ctx context.Context, s streams, r *generator.ProjectRequest, asJSON bool) error {
	if !o.yes && !asJSON {
		o.term = s.term
		r.Ask = o.asker(ctx)
	}
	r.Approve = approver(ctx, s, o.terminalFor(s, asJSON), o.trust)
	r.SkipPost = o.skip
	settings, err := generator.FindSettings(ctx, generator.SettingsRequest{Dir: r.Dir, UserDir: configDir(), Approve: r.Approve, Progress: s.err})
	if err != nil {
		return err
	}
	r.Template, r.Overrides, r.Suggested = o.template, settings.Overrides, settings.Answers
	if !o.recorded && r.Template == "" && settings.Template != "" && settings.Template != generator.BuiltinTemplate {
		r.Template = settings.Template
		s.note("using the template %s (%s says so)", r.Template, relative(settings.From))
	}
	r.Answers, err = o.answers()
	return err
}

// terminalFor is who confirms that templates are used; --yes leaves this question: it is about defaults.
func (o *templateOptions) terminalFor(s streams, asJSON bool) *terminal {
	if asJSON {
		return nil
	}
	return s.term
}

// asker returns nil when there is nobody to ask.
func (o *templateOptions) asker(ctx context.Context) func(generator.Question) (any, error) {
	if o.term == nil {
		return nil
	}
	return func(q generator.Question) (any, error) { return o.term.ask(ctx, q) }
}

// answers are those of the file, and over them those of --var.
func (o *templateOptions) answers() (map[string]any, error) {
	answers := map[string]any{}
	if o.answersFile != "" {
		data, err := os.ReadFile(o.answersFile)
		if err != nil {
			return nil, err
		}
		if answers, err = generator.ParseAnswers(o.answersFile, data); err != nil {
			return nil, err
		}
	}
	for _, v := range o.vars {
		name, value, found := strings.Cut(v, "=")
		if !found {
			return nil, usagef("--var %q: say NAME=VALUE", v)
		}
		answers[name] = generator.Typed(value)
	}
	return answers, nil
}

// repeat is the command that does the same again without asking, for who was asked; else it is empty. Secrets are not in it.
func (o *templateOptions) repeat(cmd *cobra.Command, args []string, p *generator.Project, dir string) string {
	if o.term == nil || o.term.asked == 0 {
		return ""
	}
	words := append([]string{cmd.CommandPath()}, args...)
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "var", "answers", "yes", "trust", "template":
		default:
			words = append(words, "--"+f.Name+"="+quoted(f.Value.String()))
		}
	})
	if !p.Template.IsBuiltin() {
		words = append(words, "--template", quoted(p.Template.Reference(dir, "")))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Answers)) {
		if a := p.Answers[name]; !a.Secret {
			words = append(words, "--var", quoted(name+"="+typed(a.Value)))
		}
	}
	return strings.Join(append(words, "--yes"), " ")
}

// typed is a value as --var takes it.
func typed(value any) string {
	if list, ok := value.([]string); ok {
		return strings.Join(list, ",")
	}
	return fmt.Sprint(value)
}

// quoted makes one word of text for a shell.
func quoted(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:=@+,%", r)
	}
	if text != "" && strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// runPost does what is left once a project is on disk.
func runPost(ctx context.Context, s streams, dir string, steps []string) error {
	if !slices.Contains(steps, "git-init") || insideRepository(dir) {
		return nil
	}
	cmd := exec.CommandContext(ctx, "git", "-c", "core.hooksPath="+os.DevNull, "init", "--quiet", "--template=", ".")
	cmd.Dir = dir
	cmd.Stderr = s.err
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("git init (--skip git-init leaves it out): %w", err)
	}
	return nil
}

func insideRepository(dir string) bool {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	for ; ; abs = filepath.Dir(abs) {
		if _, err := os.Lstat(filepath.Join(abs, ".git")); err == nil {
			return true
		}
		if abs == filepath.Dir(abs) {
			return false
		}
	}
}
