package interop

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
)

// TestMatrix runs every pair in every way, and holds the table in the project's README to what it saw.
func TestMatrix(t *testing.T) {
	hosts := &table{head: "our plugins, under hosts of", pair: func(t *testing.T, other peer) column { return column{other, ours(t)} }}
	plugins := &table{head: "our hosts, with plugins of", pair: func(t *testing.T, other peer) column { return column{ours(t), other} }}
	plugins.others = append(goPlugins(), languages()...)
	hosts.others = append(append(goPlugins(), languages()...), maker{"ours", ours}, maker{"ours, lane off", oursByGRPC})
	t.Run("pairs", func(t *testing.T) {
		hosts.fill(t)
		plugins.fill(t)
	})
	holdReadme(t, hosts, plugins)
}

// TestPeersTogether shows that the peers keep to go-plugin's rules, not merely to ours.
func TestPeersTogether(t *testing.T) {
	newest := goPlugins()[0]
	for _, language := range languages() {
		for _, request := range []work.Request{{Broker: true}, {TLS: true, Broker: true}} {
			request.Job = work.Everything
			t.Run(language.name+", "+title(request), func(t *testing.T) {
				t.Parallel()
				theirs, other := newest.make(t), language.make(t)
				t.Run("its plugin", func(t *testing.T) { column{theirs, other}.do(t, request) })
				t.Run("its host", func(t *testing.T) { column{other, theirs}.do(t, request) })
			})
		}
	}
}

// column is a pair of host and plugin.
type column struct {
	host, plugin peer
}

// cell is one run of a pair and what came of it.
type cell struct {
	request work.Request
	report  work.Report
	err     error
	left    []string // of files in the temporary folder, and of processes
	logged  bool     // prints on stderr are to come as a log does
}

// requests is all that a pair can be asked for.
func requests() []work.Request {
	var all []work.Request
	for _, way := range []work.Request{{}, {TLS: true}, {TCP: true}, {TCP: true, TLS: true}} {
		for _, with := range []struct{ broker, mux bool }{{}, {broker: true}, {mux: true}} {
			way.Broker, way.Mux, way.Job = with.broker, with.mux, work.Everything
			all = append(all, way)
		}
	}
	return append(all,
		work.Request{Job: work.Negotiate, Versions: olderHost()},
		work.Request{Job: work.Negotiate, Versions: newerHost()},
		work.Request{Job: work.Negotiate, Versions: otherHost()},
		work.Request{Job: work.HangCall},
		work.Request{Job: work.HangProcess},
		work.Request{Job: work.Checksum},
		work.Request{Job: work.Reattach},
	)
}

// title is a request's name as a test.
func title(r work.Request) string {
	if r.Job != work.Everything {
		return strings.TrimSuffix(fmt.Sprint(r.Job, " ", r.Versions), " []")
	}
	name := "unix"
	if r.TCP {
		name = "tcp"
	}
	if r.TLS {
		name += " with TLS"
	}
	switch {
	case r.Mux:
		name += ", multiplexed"
	case r.Broker:
		name += ", broker"
	}
	return name
}

// run asks the pair for all that it does not lack. Each request is a test of its own.
func (c column) run(t *testing.T) []cell {
	var cells []cell
	for _, request := range requests() {
		if c.lacks(request) {
			continue
		}
		t.Run(title(request), func(t *testing.T) { cells = append(cells, c.do(t, request)) })
	}
	return cells
}

// wanted is how many requests the pair gets.
func (c column) wanted() int {
	n := 0
	for _, request := range requests() {
		if !c.lacks(request) {
			n++
		}
	}
	return n
}

// lacks says whether a request is for what the pair lacks.
func (c column) lacks(request work.Request) bool {
	for _, r := range rows() {
		if c.why(r.name) != "" && r.over(request) {
			return true
		}
	}
	return false
}

// why says why the pair cannot do what the row is about; empty when it can.
func (c column) why(row string) string {
	if why := c.host.hostLacks[row]; why != "" {
		return why
	}
	return c.plugin.pluginLacks[row]
}

// note is what must be said about a row, although it holds.
func (c column) note(row string) string {
	if note := c.host.hostNotes[row]; note != "" {
		return note
	}
	return c.plugin.pluginNotes[row]
}

// do has the pair do what request says, and fails the test where a row does not hold.
func (c column) do(t *testing.T, request work.Request) cell {
	t.Helper()
	tmp := tempDir(t)
	request.Command, request.Env = c.plugin.plugin, pluginEnv(tmp, c.plugin.mode)
	ctx, cancel := context.WithTimeout(t.Context(), 2*work.Patience)
	defer cancel()
	result := cell{request: request, logged: c.note(stderrRow) == inTheLog}
	result.report, result.err = c.host.run(ctx, request)
	result.left = entries(t, tmp)
	if pid := result.report.PID; pid != 0 && !gone(pid) {
		result.left = append(result.left, fmt.Sprintf("process %d", pid))
	}
	if c.note(noVersionRow) != "" && result.report.Error != "" {
		result.left = nil
	}
	if result.err != nil {
		t.Error(result.err)
	}
	for _, r := range rows() {
		if !r.over(request) {
			continue
		}
		if err := r.check(result); err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
	}
	return result
}
