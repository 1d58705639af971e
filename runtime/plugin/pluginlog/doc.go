// Package pluginlog writes a plugin's log/slog records so that its host shows them as records: with level, message and attributes.
//
// A host reads what a plugin writes on standard error, line by line. hashicorp/go-plugin's hosts take a line for a record
// when it is a JSON object with hclog's keys, and show any other line as a text at debug level. [Handler] writes such
// lines; hosts made with this module's runtime/host understand them as well. In a plugin's main:
//
//	slog.SetDefault(slog.New(pluginlog.NewHandler(os.Stderr, pluginlog.Options{})))
//
// A line's own keys are @level, @message, @timestamp, and where asked for @module and @caller. Attributes follow in their order:
//
//   - Groups are flattened: member b of group a has the key a.b. Hosts of go-plugin show objects in Go's syntax, not as pairs.
//   - An attribute that has the name of one of the line's own keys gets an underscore behind it: @level_. A host
//     of go-plugin crashes when @level is no string.
//   - Integers and finite floats are numbers, and a float always looks like one: 3.0. go-plugin reads all of them as float64.
//     Infinities and NaN are texts.
//   - Durations are texts such as 1.5s, times are texts as in RFC 3339, errors are their texts. Other values are what
//     encoding/json makes of them, and a text that begins with !ERROR: or !PANIC: where it cannot.
//   - Bytes that are no UTF-8 become U+FFFD.
//   - Levels have the names trace, debug, info, warn and error: that of the nearest one below, and trace for all below debug.
//     Where the name does not say it all, the attribute level_name has slog's, such as INFO+2.
//
// A host of either make cuts a line of more than 64 KiB into pieces, which are texts.
package pluginlog
