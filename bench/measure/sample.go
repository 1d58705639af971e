// Package measure takes samples: it makes a session do a piece of work and says what that cost.
//
// It runs in a host process of its own for each contestant, so that no heap, goroutine or page fault is another contestant's.
package measure

import "maps"

// Sample is what one piece of work cost, by quantity.
type Sample map[Quantity]float64

// Quantity is what is measured, with its unit; two samples are compared quantity by quantity.
type Quantity string

// Quantities. The table says which of them are better when they are larger.
const (
	P50             Quantity = "p50 µs"
	P99             Quantity = "p99 µs"
	Rate            Quantity = "calls/s"
	HostAllocs      Quantity = "host allocs/call"
	HostBytes       Quantity = "host B/call"
	HostCPU         Quantity = "host CPU µs/call"
	PluginCPU       Quantity = "plugin CPU µs/call"
	Messages        Quantity = "messages/s"
	MessageAllocs   Quantity = "host allocs/message"
	CallsBack       Quantity = "calls back/s"
	HostReadsWrites Quantity = "host reads+writes/call"
	CallFails       Quantity = "kill to failed call ms"
	SaysDead        Quantity = "kill to known dead ms"
	InitTime        Quantity = "init ms"
	InitBytes       Quantity = "init KiB"
	InitAllocs      Quantity = "init allocs"
	Throughput      Quantity = "MB/s"
	Lost            Quantity = "lines lost %"
	FirstReply      Quantity = "exec to first reply ms"
	ToMain          Quantity = "exec to init ms"
	ToOpen          Quantity = "init to open ms"
	ToReply         Quantity = "open to reply ms"
	StartCPU        Quantity = "plugin CPU until then ms"
	Closing         Quantity = "close ms"
	AllReady        Quantity = "all ready ms"
	Goroutines      Quantity = "host goroutines/plugin"
	HostHeap        Quantity = "host KiB/plugin"
	Files           Quantity = "host fds/plugin"
	Memory          Quantity = "plugin RSS MiB"
	Megabytes       Quantity = "MB"
	Wall            Quantity = "ms"
	CPU             Quantity = "CPU ms"
)

// LargerIsBetter tells rates from costs.
func (q Quantity) LargerIsBetter() bool {
	return q == Rate || q == Throughput || q == Messages || q == CallsBack
}

// IsCounted tells what is counted from what is timed: noise does not touch it much.
func (q Quantity) IsCounted() bool {
	switch q {
	case HostAllocs, HostBytes, HostReadsWrites, MessageAllocs, Goroutines, Files, Megabytes, InitBytes, InitAllocs:
		return true
	default:
		return false
	}
}

// with returns s and all of more.
func (s Sample) with(more Sample) Sample {
	maps.Copy(s, more)
	return s
}

// Quantities lists all in the order of the table.
func Quantities() []Quantity {
	return []Quantity{
		FirstReply, ToMain, ToOpen, ToReply, StartCPU,
		AllReady, Goroutines, HostHeap, Files, Memory, Closing,
		P50, P99, Rate, Messages, CallsBack, Throughput, Lost, HostAllocs, MessageAllocs, HostBytes, HostReadsWrites, HostCPU, PluginCPU,
		CallFails, SaysDead, Megabytes, InitTime, InitBytes, InitAllocs, Wall, CPU,
	}
}
