package measure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// JobTimeout bounds every job.
const JobTimeout = 2 * time.Minute

// Reply is what a host process answers a job with.
type Reply struct {
	Sample      Sample
	Others      float64 // cores that others kept busy meanwhile
	Unsupported bool    // the contestant cannot do this
	Refused     string  // what limit keeps it from doing this
	Error       string
}

// Serve answers the jobs that come in, one after another, until there are no more. It is the main of a host process.
func (b *Bench) Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	decoder, encoder := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var job Job
		err := decoder.Decode(&job)
		if errors.Is(err, io.EOF) {
			return b.Close()
		}
		if err != nil {
			return errors.Join(fmt.Errorf("read a job: %w", err), b.Close())
		}
		if err := encoder.Encode(b.reply(ctx, job)); err != nil {
			return errors.Join(fmt.Errorf("answer a job: %w", err), b.Close())
		}
	}
}

func (b *Bench) reply(ctx context.Context, job Job) Reply {
	ctx, cancel := context.WithTimeout(ctx, JobTimeout)
	defer cancel()
	w := b.watch()
	sample, err := b.Do(ctx, job)
	reply := Reply{Sample: sample, Others: b.others(w)}
	var refused *RefusedError
	switch {
	case errors.As(err, &refused):
		reply.Refused = refused.Reason
	case errors.Is(err, errors.ErrUnsupported):
		reply.Unsupported = true
	case err != nil:
		reply.Error = err.Error()
	}
	return reply
}
