package interop

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
)

// Rows that somebody lacks, or that need a note.
const (
	tcpRow       = "tcp"
	brokerRow    = "callbacks through the broker, both ways"
	muxRow       = "the same, multiplexed"
	stderrRow    = "prints on stderr"
	logRow       = "log records: level, message, pairs"
	noVersionRow = "no version in common: the host says so"
	stoppedRow   = "stop of a process that hangs as a whole"
	checksumRow  = "checksum before the start"
	reattachRow  = "reattaching"
)

// row is one thing that must hold, in all runs that it is about.
type row struct {
	name  string
	over  func(work.Request) bool
	check func(cell) error
}

// Versions that hosts offer to plugins that serve work.OldVersion and work.Version.
func olderHost() []int { return []int{work.OldVersion - 1, work.OldVersion} }
func newerHost() []int { return []int{work.Version, work.Version + 1} }
func otherHost() []int { return []int{work.Version + 6} }

func everything(r work.Request) bool { return r.Job == work.Everything }

func job(j work.Job) func(work.Request) bool {
	return func(r work.Request) bool { return r.Job == j }
}

func offering(versions []int) func(work.Request) bool {
	return func(r work.Request) bool { return reflect.DeepEqual(r.Versions, versions) }
}

// rows is what the table has, in its order.
func rows() []row {
	return []row{
		{"unix sockets", func(r work.Request) bool { return everything(r) && !r.TCP }, connected("unix")},
		{tcpRow, func(r work.Request) bool { return r.TCP }, connected("tcp")},
		{"automatic mutual TLS", func(r work.Request) bool { return r.TLS }, func(c cell) error { return same(c.report.TLS, true) }},
		{"health check", everything, func(c cell) error { return same(c.report.Ping, true) }},
		{"unary call", everything, func(c cell) error { return same(c.report.Double, 42) }},
		{"stream from the plugin", everything, func(c cell) error { return same(c.report.Count, []int32{0, 1, 2, 3, 4}) }},
		{"stream to the plugin", everything, func(c cell) error { return same(c.report.Sum, 45) }},
		{"stream both ways", everything, func(c cell) error { return same(c.report.Stream, []int32{0, 2, 4, 6, 8}) }},
		{brokerRow, func(r work.Request) bool { return r.Broker }, calledBack},
		{muxRow, func(r work.Request) bool { return r.Mux }, calledBack},
		{"prints on stdout", everything, func(c cell) error { return same(c.report.Stdout, "printed by the plugin\n") }},
		{stderrRow, everything, func(c cell) error {
			return errors.Join(same(c.report.Stderr, "printed by the plugin\n"), same(c.report.Logged, c.logged))
		}},
		{logRow, everything, func(c cell) error {
			return same(c.report.Log, work.Record{Level: "warn", Answer: "42", Name: work.LogName})
		}},
		{"an older host: the older version", offering(olderHost()), negotiated(work.OldVersion)},
		{"a newer host: the newest in common", offering(newerHost()), negotiated(work.Version)},
		{noVersionRow, offering(otherHost()), refused},
		{"orderly stop, nothing left", everything, stopped},
		{"stop while a call hangs", job(work.HangCall), stopped},
		{stoppedRow, job(work.HangProcess), killed},
		{checksumRow, job(work.Checksum), func(c cell) error { return same(c.report.Checked, "the wrong one refused") }},
		{reattachRow, job(work.Reattach), func(c cell) error { return errors.Join(same(c.report.Attached, 42), stopped(c)) }},
	}
}

func same[T any](got, want T) error {
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	return nil
}

func connected(network string) func(cell) error {
	return func(c cell) error {
		if err := same(c.report.Network, network); err != nil {
			return err
		}
		return negotiated(work.Version)(c)
	}
}

func negotiated(version int) func(cell) error {
	return func(c cell) error {
		if c.report.Error != "" {
			return fmt.Errorf("it did not start: %s", c.report.Error)
		}
		return same([]int{c.report.Version, int(c.report.Served)}, []int{version, version})
	}
}

func calledBack(c cell) error {
	return same([]string{c.report.Callback, c.report.Offer}, []string{"hello plugin", "hello host"})
}

func refused(c cell) error {
	if !strings.Contains(c.report.Error, "ersion") {
		return fmt.Errorf("got %q, want an error about versions", c.report.Error)
	}
	return nothingLeft(c)
}

// stopped wants an exit of the plugin's own.
func stopped(c cell) error {
	if c.report.Exit == nil || *c.report.Exit != 0 {
		return fmt.Errorf("it ended with %s, want exit status 0", exitText(c.report.Exit))
	}
	return nothingLeft(c)
}

func killed(c cell) error {
	if c.report.PID == 0 || c.report.Exit != nil {
		return fmt.Errorf("process %d ended with %s, want a kill", c.report.PID, exitText(c.report.Exit))
	}
	return nothingLeft(c)
}

func exitText(code *int) string {
	if code == nil {
		return "a kill"
	}
	return fmt.Sprintf("code %d", *code)
}

func nothingLeft(c cell) error { return same(len(c.left), 0) }
