package work

import "time"

// Patience is how long anything may take before it counts as hung.
const Patience = time.Minute

// Job is what a host does with a plugin once it has started it.
type Job string

// The jobs. All of them end with the stop of the plugin.
const (
	Everything  Job = "everything"   // every kind of call, prints, logs, callbacks when asked for
	Negotiate   Job = "negotiate"    // asks which version's service it got
	HangCall    Job = "hang-call"    // stops while a call hangs that does not heed its context
	HangProcess Job = "hang-process" // stops a process that does not run
	Reattach    Job = "reattach"     // attaches to the running plugin once more and stops it from there
	Checksum    Job = "checksum"     // starts it with its checksum, and then with another's
)

// Request says what a host is to do.
type Request struct {
	Command  []string
	Env      []string // KEY=VALUE, the plugin's whole environment but for the protocol
	TLS      bool     // automatic mutual TLS
	TCP      bool     // for plugins that can be asked for it, by PLUGIN_TRANSPORTS
	Broker   bool     // callbacks, both ways
	Mux      bool     // broker's connections within the main one
	Versions []int    // that the host offers; nil means Version
	Job      Job
}

// Report is what the host has seen. What it was not asked for is zero.
type Report struct {
	Error    string  `json:"error"`    // why the plugin did not start, in the host's words
	PID      int     `json:"pid"`      // of the last process that it started
	Version  int     `json:"version"`  // agreed on
	Network  string  `json:"network"`  // by which the call of Served went
	TLS      bool    `json:"tls"`      // whether it was encrypted
	Served   int32   `json:"served"`   // the version whose service answers
	Ping     bool    `json:"ping"`     // health of "plugin" is SERVING
	Double   int32   `json:"double"`   // of 21
	Count    []int32 `json:"count"`    // to 5
	Sum      int32   `json:"sum"`      // of 0 to 9
	Stream   []int32 `json:"stream"`   // doubles of 0 to 4
	Callback string  `json:"callback"` // what the host answered to the plugin, as the plugin says
	Offer    string  `json:"offer"`    // what the plugin answered to the host, over a brokered connection
	Stdout   string  `json:"stdout"`   // what arrived of a print
	Stderr   string  `json:"stderr"`
	Logged   bool    `json:"logged"` // whether the print on stderr came as a log does, and not by stdio
	Log      Record  `json:"log"`
	Checked  string  `json:"checked"`  // that a wrong checksum was refused, before the start with the right one
	Attached int32   `json:"attached"` // double of 21, by the second connection
	Exit     *int    `json:"exit"`     // the plugin's code; nil when it had to be killed
}

// Record is the plugin's record as the host has it.
type Record struct {
	Level  string `json:"level"`
	Answer string `json:"answer"`
	Name   string `json:"name"`
}
