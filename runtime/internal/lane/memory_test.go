package lane

import (
	"runtime"
	"testing"
)

func TestFreshMemory(t *testing.T) {
	for _, n := range []int{1, 100, 64 << 10, 1<<20 + 1, hugeMessage, hugeMessage + 4095} {
		first, second := freshMemory(n), freshMemory(n)
		for i := range first {
			first[i], second[i] = 1, 2
		}
		runtime.GC() // would complain of what is not one allocation
		for i := range first {
			if first[i] != 1 || second[i] != 2 {
				t.Fatalf("%d bytes: byte %d is shared", n, i)
			}
		}
	}
}

// TestReserve: a small process gets one reserve, however many connections it has.
func TestReserve(t *testing.T) {
	var all [10]reserve
	made := 0
	for i := range all {
		all[i].ensure()
		all[i].ensure()
		if all[i].memory != nil {
			made++
		}
	}
	if made > 1 {
		t.Errorf("%d reserves were made", made)
	}
	runtime.KeepAlive(&all)
}
