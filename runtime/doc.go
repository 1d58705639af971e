// Package runtime is what generated contract code links: services, versions and errors that cross the process boundary.
//
// Programs use its neighbours: [github.com/plugingen/plugingen/runtime/plugin] in a plugin's main,
// [github.com/plugingen/plugingen/runtime/host] in the program that starts plugins.
package runtime
