package generators

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/plugingen/plugingen/bench/machine"
	"github.com/plugingen/plugingen/bench/measure"
	"github.com/plugingen/plugingen/bench/run"
)

// Runner samples all tools.
type Runner struct {
	Rounds   int
	Dir      string // gets the tools and the samples
	Root     string // of the bench's module
	Progress io.Writer
}

// work is something that a tool does.
type work struct {
	name    string
	methods int  // of the interface; zero: a whole project is made
	again   bool // nothing has changed since the last run
	team    bool // the project is made of a team's template set, a module that is in the cache
	update  bool // a project of 40 files follows its templates
}

func works() []work {
	return []work{
		{name: "generate, 10 methods", methods: 10},
		{name: "generate, 200 methods", methods: 200},
		{name: "nothing changed, 10 methods", methods: 10, again: true},
		{name: "nothing changed, 200 methods", methods: 200, again: true},
		{name: "a new project"},
		{name: "a new project, a team's templates", team: true},
		{name: "an update of 40 files", update: true},
	}
}

// Works lists what is measured, in the order of the table.
func Works() []string {
	var names []string
	for _, w := range works() {
		names = append(names, w.name)
	}
	return names
}

// Run builds the tools and goes through the rounds.
func (r Runner) Run(ctx context.Context) ([]run.Record, error) {
	team, err := publishTeam(r.Root, r.Dir)
	if err != nil {
		return nil, err
	}
	var jobs []*job
	for _, t := range tools() {
		if err := t.compile(ctx, r.Root, r.Dir); err != nil {
			return nil, err
		}
		for _, w := range works() {
			if w.methods > 0 || t.name == OursName {
				j := &job{tool: t, work: w, program: t.path(r.Dir), dir: filepath.Join(r.Dir, fmt.Sprint(t.name, "-", len(jobs)))}
				if w.team {
					j.env = append(os.Environ(), team...)
				}
				jobs = append(jobs, j)
			}
		}
	}
	for _, j := range jobs {
		if err := j.prepare(ctx); err != nil {
			return nil, err
		}
	}
	return r.rounds(ctx, jobs)
}

func (r Runner) rounds(ctx context.Context, jobs []*job) ([]run.Record, error) {
	var records []run.Record
	for round := range r.Rounds {
		rand.Shuffle(len(jobs), func(i, j int) { jobs[i], jobs[j] = jobs[j], jobs[i] })
		for _, j := range jobs {
			record, err := j.sample(ctx)
			if err != nil {
				return records, err
			}
			record.Round = round
			records = append(records, record)
		}
	}
	fmt.Fprintf(r.Progress, "generators: %d rounds, %d samples\n", r.Rounds, len(records))
	return records, nil
}

// job is a tool's work in a folder of its own.
type job struct {
	tool    tool
	work    work
	program string
	dir     string
	env     []string // nil: that of this process
}

// prepare runs once, so that a run can find nothing to do, and caches are warm for everybody.
func (j *job) prepare(ctx context.Context) error {
	if err := writeSample(j.dir, max(1, j.work.methods), j.tool.files); err != nil {
		return err
	}
	_, err := j.sample(ctx)
	return err
}

func (j *job) sample(ctx context.Context) (run.Record, error) {
	if err := j.clean(); err != nil {
		return run.Record{}, err
	}
	cmd := exec.CommandContext(ctx, j.program, j.args()...)
	cmd.Dir = j.dir
	cmd.Env = j.env
	busy, own, begun := machine.Busy(), machine.ProcessCPU(os.Getpid()), time.Now()
	out, err := cmd.CombinedOutput()
	wall := time.Since(begun)
	others := machine.Busy() - busy - (machine.ProcessCPU(os.Getpid()) - own)
	if err != nil {
		return run.Record{}, fmt.Errorf("%s, %s: %w\n%s", j.tool.name, j.work.name, err, out)
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return run.Record{
		Contestant: j.tool.name,
		Work:       j.work.name,
		Sample:     measure.Sample{measure.Wall: wall.Seconds() * 1e3, measure.CPU: cpu.Seconds() * 1e3},
		Others:     max(0, others.Seconds()/wall.Seconds()),
	}, nil
}

func (j *job) args() []string {
	switch {
	case j.work.team:
		return teamArgs()
	case j.work.update:
		return []string{"update", "--dir", newProject}
	case j.work.methods == 0:
		return []string{"new", newProject}
	case j.work.again && j.tool.check != nil:
		return j.tool.check
	default:
		return j.tool.run
	}
}

const newProject = "my-plugin"

// clean removes what the last run wrote, where this one is to write it.
func (j *job) clean() error {
	if j.work.update {
		return j.outdate()
	}
	if j.work.again {
		if _, err := os.Stat(filepath.Join(j.dir, j.tool.wrote[0])); err == nil {
			return nil
		}
		return j.first()
	}
	for _, name := range append([]string{newProject}, j.tool.wrote...) {
		if err := os.RemoveAll(filepath.Join(j.dir, name)); err != nil {
			return err
		}
	}
	return os.MkdirAll(filepath.Join(j.dir, "mocks"), 0o755)
}

// first writes what the runs that follow find unchanged.
func (j *job) first() error {
	if err := os.MkdirAll(filepath.Join(j.dir, "mocks"), 0o755); err != nil {
		return err
	}
	cmd := exec.Command(j.program, j.tool.run...)
	cmd.Dir = j.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", j.tool.name, err, out)
	}
	return nil
}
