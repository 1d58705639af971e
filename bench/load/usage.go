package load

import (
	"fmt"
	"runtime"
	"time"
)

// Usage is what a process has used since its start.
type Usage struct {
	MainAt     time.Time     // when the process reached this package's initialisation, which is before most others
	CPU        time.Duration // user and system
	Mallocs    int64
	Bytes      int64 // allocated, not held
	Goroutines int64
	Heap       int64 // bytes held
}

// initialised is when this package was; there is no other place for a clock that starts with the process.
//
//nolint:gochecknoglobals // read once, before anything else runs
var initialised = time.Now()

// MeasureUsage asks the system and the Go runtime about this process. It stops the world for a moment.
func MeasureUsage() Usage {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Usage{
		MainAt:     initialised,
		CPU:        processCPU(),
		Mallocs:    int64(m.Mallocs),
		Bytes:      int64(m.TotalAlloc),
		Goroutines: int64(runtime.NumGoroutine()),
		Heap:       int64(m.HeapInuse + m.StackInuse),
	}
}

// Since is what was used between earlier and u; what is held is u's.
func (u Usage) Since(earlier Usage) Usage {
	u.CPU -= earlier.CPU
	u.Mallocs -= earlier.Mallocs
	u.Bytes -= earlier.Bytes
	return u
}

// Fields is u for the wire.
func (u Usage) Fields() []int64 {
	return []int64{u.MainAt.UnixNano(), int64(u.CPU), u.Mallocs, u.Bytes, u.Goroutines, u.Heap}
}

// ParseUsage undoes Fields.
func ParseUsage(fields []int64) (Usage, error) {
	if len(fields) != 6 {
		return Usage{}, fmt.Errorf("usage: %d fields instead of 6", len(fields))
	}
	return Usage{
		MainAt: time.Unix(0, fields[0]), CPU: time.Duration(fields[1]), Mallocs: fields[2], Bytes: fields[3],
		Goroutines: fields[4], Heap: fields[5],
	}, nil
}
