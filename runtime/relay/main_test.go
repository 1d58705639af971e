package relay_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// actEnv makes the test binary a process that writes to its stderr and ends in the way that it names.
const actEnv = "PLUGINGEN_RELAY_TEST_ACT"

func TestMain(m *testing.M) {
	if act := os.Getenv(actEnv); act != "" {
		os.Exit(perform(act))
	}
	goleak.VerifyTestMain(m)
}
