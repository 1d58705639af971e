package wire

// What the lane in a gRPC connection goes by; see PROTOCOL.md of package runtime.
const (
	LaneService = "plugingen.Lane"
	// LaneMethod is the full name of the stream that carries a lane.
	LaneMethod = "/" + LaneService + "/Run"
	// LaneKey is metadata of a health check: a host asks by it for the lane, and a plugin that has it answers with the same in its header.
	LaneKey = "plugingen-lane"
	// LaneVersion is its value, that of the framing.
	LaneVersion = "1"
)
