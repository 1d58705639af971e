package run

import (
	"context"

	"github.com/plugingen/plugingen/bench/contestant"
	"github.com/plugingen/plugingen/bench/inits"
	"github.com/plugingen/plugingen/bench/measure"
	"github.com/plugingen/plugingen/bench/programs"
)

// Work of which the plugins' programs are measured alone, without their hosts.
const (
	SizeWork = "the plugin's program"
	InitWork = "package init of the plugin's program"
)

// programs measures each contestant's program once for all that share it.
func (r Runner) programs(ctx context.Context) ([]Record, error) {
	var records []Record
	for round := range r.Plan.Rounds {
		seen := map[string][2]measure.Sample{}
		for _, c := range r.Contestants {
			path := contestant.Path(r.Dir, c)
			if _, have := seen[path]; !have {
				size, err := programs.Size(path)
				if err != nil {
					return nil, err
				}
				init, err := inits.Trace(ctx, path)
				if err != nil {
					return nil, err
				}
				seen[path] = [2]measure.Sample{{measure.Megabytes: float64(size) / 1e6}, init}
			}
			records = append(records,
				Record{Contestant: c.Name(), Work: SizeWork, Round: round, Sample: seen[path][0]},
				Record{Contestant: c.Name(), Work: InitWork, Round: round, Sample: seen[path][1]})
		}
	}
	return records, nil
}
