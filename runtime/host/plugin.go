package host

import (
	"context"

	"google.golang.org/grpc"
)

// Plugin is a running plugin. All its methods may be used concurrently.
type Plugin struct{}

// Open starts a plugin.
func Open(ctx context.Context, cfg Config) (*Plugin, error) { panic("not yet") }

// Close stops.
func (p *Plugin) Close() error { panic("not yet") }

// Ping asks.
func (p *Plugin) Ping(ctx context.Context) error { panic("not yet") }

// Version is the negotiated protocol version.
func (p *Plugin) Version() int { panic("not yet") }

// Done is closed when the plugin has ended.
func (p *Plugin) Done() <-chan struct{} { panic("not yet") }

// Err says why.
func (p *Plugin) Err() error { panic("not yet") }

// Conn is the connection.
func (p *Plugin) Conn() grpc.ClientConnInterface { panic("not yet") }

// PID is the process.
func (p *Plugin) PID() int { panic("not yet") }

// Name is the base name of the program.
func (p *Plugin) Name() string { panic("not yet") }

// Stderr returns the last lines.
func (p *Plugin) Stderr() []string { panic("not yet") }

func (p *Plugin) gone() error { panic("not yet") }
