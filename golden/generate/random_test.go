package generate

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// randomContracts is how many contracts of types put together by chance are compiled; the same ones each time.
const randomContracts = 12

// layRandom generates contracts that nobody would write, each in a package of its own.
func layRandom(t *testing.T, root string) {
	t.Helper()
	for i := range uint64(randomContracts) {
		c := &testCase{name: fmt.Sprintf("random%d", i), types: []string{"I"}}
		dir := filepath.Join(root, c.name)
		write(t, filepath.Join(dir, "random.go"), []byte(randomSource(c.name, rand.New(rand.NewPCG(i, 2)))))
		r := c.generate(t, dir)
		if !r.succeeded {
			t.Fatalf("%s: %v", c.name, r.wanted)
		}
		for _, f := range r.files {
			write(t, filepath.Join(dir, filepath.FromSlash(f.Name)), f.Data)
		}
	}
}

func randomSource(name string, r *rand.Rand) string {
	const named = `type (
	NS   string
	NI   int16
	NK   uint32
	NB   bool
	NF   float32
	NRaw []byte
	NArr [4]byte
	NE   int
	NE8  uint8
	NP   *S0
	NAny any
	//plugingen:oneof *S0, S1, NI, *NE, NSl
	NSum interface{ sum() }
	Key  struct { A NS; B [2]NF }
	NErr struct { S S1; Err error }
)
const (
	NE1 NE = iota + 1
	NE2
	NE8A NE8 = 200
)
func (*S0) sum() {}
func (S1) sum() {}
func (NI) sum() {}
func (NE) sum() {}
func (NSl) sum() {}
func (*NErr) Error() string { return "" }
`
	body := named + "type NSl []" + randomType(r, 1) + "\ntype NM map[NK]" + randomType(r, 1) + "\n"
	for i := range 2 {
		body += fmt.Sprintf("type S%d struct {\n", i)
		for f := range r.IntN(6) {
			body += fmt.Sprintf("\tF%d []%s\n\tG%d map[NI]%s\n", f, randomType(r, 2), f, randomType(r, 1))
		}
		body += "}\n"
	}
	body += "type NIface interface {\n\tA" + randomSignature(r) + "\n\tB(NIface) error\n}\ntype NFunc func" + randomSignature(r) + "\ntype NChan <-chan " + randomType(r, 1) + "\n"
	body += "//plugingen:any []NE, Key, map[NS]*Key\ntype I interface {\n"
	for m := range 1 + r.IntN(4) {
		body += fmt.Sprintf("\tM%d%s\n", m, randomSignature(r))
	}
	body += "}\n"
	imports := ""
	for _, i := range []struct{ path, use string }{{"context", "context."}, {"io", "io."}, {"iter", "iter."}, {"net/url", "url."}, {"time", "time."}} {
		if strings.Contains(body, i.use) {
			imports += fmt.Sprintf("\t%q\n", i.path)
		}
	}
	return "package " + name + "\n\nimport (\n" + imports + ")\n\n" + body
}

func randomSignature(r *rand.Rand) string {
	var params, results []string
	if r.IntN(10) < 7 {
		params = append(params, "ctx context.Context")
	}
	for p := range r.IntN(4) {
		params = append(params, fmt.Sprintf("p%d %s", p, randomType(r, 3)))
	}
	if r.IntN(3) == 0 {
		params = append(params, "v ..."+randomType(r, 2))
	}
	for range r.IntN(3) {
		results = append(results, randomType(r, 3))
	}
	if r.IntN(4) > 0 {
		results = append(results, "error")
	}
	return "(" + strings.Join(params, ", ") + ") (" + strings.Join(results, ", ") + ")"
}

func randomType(r *rand.Rand, depth int) string {
	basics := strings.Fields("bool int int8 int16 int32 int64 uint uint8 uint16 uint32 uint64 float32 float64 string byte rune")
	others := strings.Fields("NIface NFunc NChan io.Reader io.WriteCloser NS NI NB NF []byte NRaw time.Time time.Duration time.Month S0 S1 url.URL NArr NSl NM struct{} NE NE8 NP NSum NAny any error Key")
	keys := strings.Fields("bool int int8 int16 int32 int64 uint uint8 uint16 uint32 uint64 string NS NI NK time.Month NE NE8 float64 NF Key [3]NS any time.Time")
	switch n := r.IntN(100); {
	case depth == 0 || n < 35:
		all := slices.Concat(basics, others)
		return all[r.IntN(len(all))]
	case n < 55:
		return "[]" + randomType(r, depth-1)
	case n < 68:
		return "map[" + keys[r.IntN(len(keys))] + "]" + randomType(r, depth-1)
	case n < 78:
		return fmt.Sprintf("[%d]%s", r.IntN(4), randomType(r, depth-1))
	case n < 83:
		return fmt.Sprintf("struct { A %s; B %s }", randomType(r, depth-1), randomType(r, depth-1))
	case n < 88:
		return randomLive(r, depth-1)
	default:
		return "*" + randomType(r, depth-1)
	}
}

// randomLive is a type without a name whose values stay in their process.
func randomLive(r *rand.Rand, depth int) string {
	switch r.IntN(5) {
	case 0:
		return "<-chan " + randomType(r, depth)
	case 1:
		return "chan<- " + randomType(r, depth)
	case 2:
		return "iter.Seq[" + randomType(r, depth) + "]"
	case 3:
		return "iter.Seq2[" + randomType(r, depth) + ", " + randomType(r, depth) + "]"
	default:
		return "func(" + randomType(r, depth) + ", " + randomType(r, depth) + ") (" + randomType(r, depth) + ", error)"
	}
}
