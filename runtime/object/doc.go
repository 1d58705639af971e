// Package object lets values that stay where they are cross between a host and its plugins: interfaces, functions, readers
// and writers, channels and iterators. Generated code calls it; programs use its errors.
//
// # What travels
//
// The owner of a value keeps it in a table and sends its number. The other side gets a proxy whose methods are calls. A nil
// stays nil. The same value has the same number for as long as the other side knows it, so that two of its proxies are equal;
// functions, which Go cannot compare, are the exception. A proxy that is sent back to where it came from arrives as the value itself.
//
// # How long a value lasts
//
// A parameter is lent: its proxy works until the call returns, and then fails with [ErrReleased]. A result lasts until its
// Close method has been called, the proxy is garbage, or the connection has ended. The context of a method with such results
// lasts as long as they do, or until the caller's context ends. When a peer is gone, all that it had is released.
//
// A plugin that stops lets calls of its values finish. It cuts off channels, iterators, and readers and writers that are being copied: they
// last as long as the other side likes. A host that needs the rest waits for their end before it closes the plugin; that what it has sent on
// a channel of the plugin's has come, only a call that the plugin answers then can tell.
//
// A call that is cancelled returns at once: functions and readers that it has lent may still be running in their owner's
// process for a moment. Their contexts have ended.
//
// # How calls travel
//
// Calls to a plugin's services travel as ever. Beside them a host opens, when the first value crosses, a stream
// (plugingen.Objects/Connect) in which the plugin calls the host's values, and when it first calls a value of the plugin's a
// second one (plugingen.Objects/Call). Each carries the frames of a lane, so that thousands of values and calls share one connection.
// Where the calls take the lane on a socket, the first has a socket of its own. It works on any gRPC connection, also under other runtimes than this module's.
//
// The number of values that one side keeps for the other is bounded: see [ErrTooMany].
package object
