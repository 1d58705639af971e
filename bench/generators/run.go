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
	env := proxyEnv(r.Dir)
	if err := publishTeam(r.Root, r.Dir); err != nil {
		return nil, err
	}
	var jobs []*job
	for _, t := range tools() {
		if err := t.compile(ctx, r.Root, r.Dir); err != nil {
			return nil, err
		}
		for _, w := range works() {
			if !t.does(w) {
				continue
			}
			j := &job{tool: t, work: w, root: r.Root, program: t.path(r.Dir), dir: filepath.Join(r.Dir, fmt.Sprint(t.name, "-", len(jobs)))}
			if w.team || t.makes != nil {
				j.env = append(os.Environ(), env...)
			}
			jobs = append(jobs, j)
		}
	}
	if err := publishStart(ctx, r.Dir); err != nil {
		return nil, err
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
			if j.work.rounds > 0 && round >= j.work.rounds {
				continue
			}
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
	root    string // of the bench's module
	program string
	dir     string
	env     []string // nil: that of this process
}

// prepare runs once, so that a run can find nothing to do, and caches are warm for everybody.
func (j *job) prepare(ctx context.Context) error {
	if err := writeSample(j.root, j.dir, j.work, j.tool.files); err != nil || j.work.cold {
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
	if j.work.cold {
		cache := filepath.Join(j.dir, "cache")
		defer func() { _ = os.RemoveAll(cache) }() // the folder of all goes at the end
		cmd.Env = append(os.Environ(), "GOCACHE="+cache)
	}
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
	case j.tool.makes != nil:
		return j.tool.makes
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
