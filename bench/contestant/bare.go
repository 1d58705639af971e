package contestant

import (
	"context"
	"errors"

	"github.com/plugingen/plugingen/bench/bare"
)

// startBare is Open's first half for libraries that start no processes and relay no logs.
func startBare(ctx context.Context, o Options) (*bare.Process, error) {
	if o.Log != nil {
		return nil, errors.ErrUnsupported
	}
	return bare.Start(ctx, o.Path, nil)
}

func closeAfter(p *bare.Process, err error) error { return errors.Join(err, p.Close()) }
