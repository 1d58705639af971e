// Package plugintest tests plugins inside go test.
//
// [New] and [Dial] call an implementation in this process, over a real connection: fast, and the debugger sees both sides. It
// can call back, as package broker has it.
// [Main] and [Open] run the test binary itself as the plugin, a process of its own that crashes alone. [Build] builds a
// plugin's own program. All of it is cleaned up when the test ends.
package plugintest
