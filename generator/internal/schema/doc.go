// Package schema lays a contract out as a .proto whose field numbers never change, and compiles it to Go.
package schema
