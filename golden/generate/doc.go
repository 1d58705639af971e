// Package generate holds what right looks like when a contract is generated: interfaces, the code for them, and the faults
// of those that cannot be served. Its tests also build the code, and call it over real connections.
package generate
