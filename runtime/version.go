package runtime

// Version is the version of this package. A released plugingen generates code for the runtime of its own version.
const Version = "0.1.0"

// IsAtLeastVersion0_1 is named by generated code:
//
//	const _ = runtime.IsAtLeastVersion0_1
//
// When that line does not compile, the runtime in go.mod is older than the plugingen that generated the code:
// require a newer github.com/plugingen/plugingen there.
const IsAtLeastVersion0_1 = true
