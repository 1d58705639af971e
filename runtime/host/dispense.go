package host

import (
	"fmt"

	"github.com/plugingen/plugingen/runtime"
)

// Dispense returns a T whose methods call p. Of a call's metadata, only what runtime.WithMetadata lists crosses. It asks the plugin nothing: a service that the plugin does not have shows with
// the first call, as Unimplemented. The error is an *Error when the plugin has ended or was closed.
func Dispense[T any](p *Plugin, s runtime.Service[T]) (T, error) {
	var none T
	if s.NewClient == nil {
		return none, fmt.Errorf("dispense %q: the service has no NewClient: use the one that generated code declares", s.Name)
	}
	if gone := p.gone(); gone != nil {
		return none, fmt.Errorf("dispense %s: %w", s.Name, gone)
	}
	return s.NewClient(p.contracts), nil
}
