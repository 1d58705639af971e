package measure

import (
	"os"
	"time"

	"github.com/plugingen/plugingen/bench/contestant"
	"github.com/plugingen/plugingen/bench/machine"
)

// watch notices what others do with the machine while a job runs.
type watch struct {
	begun     time.Time
	busy, own time.Duration
}

func (b *Bench) watch() watch { return watch{time.Now(), machine.Busy(), b.ownCPU()} }

// others is how many cores others kept busy since w began. The system counts in hundredths of a second: of short jobs
// it says little, of many jobs enough.
func (b *Bench) others(w watch) float64 {
	others := machine.Busy() - w.busy - (b.ownCPU() - w.own)
	return max(0, others.Seconds()/time.Since(w.begun).Seconds())
}

// ownCPU is this process's, its plugins' that have ended, and those that calls go to.
func (b *Bench) ownCPU() time.Duration {
	own := machine.ProcessCPU(os.Getpid())
	for _, s := range []contestant.Session{b.session, b.caller} {
		if s != nil {
			own += machine.ProcessCPU(s.PID())
		}
	}
	return own
}
