package handshake_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/runtime/handshake"
)

func TestNegotiateVersion(t *testing.T) {
	tests := []struct {
		served, offered []int
		want            int
		ok              bool
	}{
		{[]int{1}, []int{1}, 1, true},
		{[]int{1, 3, 2}, []int{2, 3, 4}, 3, true},
		{[]int{6, 5}, []int{5, 5}, 5, true},
		{[]int{0}, []int{0}, 0, true},
		{[]int{7, 5, 6}, []int{8}, 5, false},
		{[]int{7, 5, 6}, nil, 5, false},
		{nil, []int{1}, 0, false},
	}
	for _, test := range tests {
		got, ok := handshake.NegotiateVersion(test.served, test.offered)
		if got != test.want || ok != test.ok {
			t.Errorf("served %v, offered %v: got %d, %v, want %d, %v", test.served, test.offered, got, ok, test.want, test.ok)
		}
	}
}

func TestNegotiateVersionLeavesItsArgumentsAlone(t *testing.T) {
	served := []int{3, 1, 2}
	handshake.NegotiateVersion(served, []int{2})
	equal(t, served, []int{3, 1, 2})
}

func TestParseVersions(t *testing.T) {
	long := strings.Repeat("9", 500)
	tests := map[string]struct {
		list     string
		versions []int
		bad      []string
	}{
		"nothing":     {"", nil, nil},
		"commas":      {" ,, ", nil, nil},
		"sorted":      {"6,5,0", []int{0, 5, 6}, nil},
		"twice":       {"5, 5 ,5", []int{5}, nil},
		"odd ones":    {"5,v6,-1,1.0,٦,", []int{5}, []string{`"v6"`, `"-1"`, `"1.0"`, `"\u0666"`}},
		"terminal":    {"\x1b[2J", nil, []string{`"\x1b[2J"`}},
		"overlong":    {long, nil, []string{`"` + long[:100] + `"... (500 bytes)`}},
		"too large":   {"2147483648", nil, []string{`"2147483648"`}},
		"go-plugin's": {"5,6", []int{5, 6}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			versions, bad := handshake.ParseVersions(test.list)
			equal(t, versions, test.versions)
			equal(t, bad, test.bad)
		})
	}
}

func TestFormatVersions(t *testing.T) {
	for want, versions := range map[string][]int{"": nil, "1": {1}, "2,5,10": {10, 5, 2, 5}} {
		equal(t, handshake.FormatVersions(versions), want)
	}
}

func TestNegotiateTransport(t *testing.T) {
	tests := []struct{ served, offered, want string }{
		{"unix,tcp", "unix,tcp", "unix"},
		{"tcp,unix", "tcp,unix", "unix"},
		{"unix,tcp", "tcp", "tcp"},
		{"tcp", "unix,tcp", "tcp"},
		{"unix,tcp", "", "unix"},
		{"tcp", "", "tcp"},
		{"unix,tcp", "lane, tcp", "tcp"},
	}
	for _, test := range tests {
		got, err := handshake.NegotiateTransport(handshake.ParseTransports(test.served), handshake.ParseTransports(test.offered))
		if got != test.want || err != nil {
			t.Errorf("served %s, offered %s: got %q, %v, want %q", test.served, test.offered, got, err, test.want)
		}
	}
}

func TestNegotiateTransportNamesBothSides(t *testing.T) {
	for _, test := range []struct{ served, offered, says string }{
		{"unix", "tcp", `serves "unix", the host takes "tcp"`},
		{"", "unix", `serves none, the host takes "unix"`},
		{"UNIX", "", `serves "UNIX", the host takes "unix, tcp"`},
		{"lane", "lane", `serves "lane", the host takes "lane"`},
	} {
		got, err := handshake.NegotiateTransport(handshake.ParseTransports(test.served), handshake.ParseTransports(test.offered))
		checkError(t, err, handshake.ErrTransport)
		if got != "" || !strings.Contains(err.Error(), test.says) {
			t.Errorf("got %q, %v, want an error that says %s", got, err, test.says)
		}
	}
}

func TestFormatTransports(t *testing.T) {
	for list, want := range map[string]string{"": "", "tcp,unix": "unix,tcp", "tcp,lane,tcp,lane": "tcp,lane"} {
		equal(t, handshake.FormatTransports(handshake.ParseTransports(list)), want)
	}
}

func ExampleNegotiateVersion() {
	offered, _ := handshake.ParseVersions("5,6")
	fmt.Println(handshake.NegotiateVersion([]int{4, 5}, offered))
	fmt.Println(handshake.NegotiateVersion([]int{3, 4}, offered))
	// Output:
	// 5 true
	// 3 false
}

func ExampleNegotiateTransport() {
	fmt.Println(handshake.NegotiateTransport([]string{"tcp", "unix"}, nil))
	_, err := handshake.NegotiateTransport([]string{"unix"}, []string{"tcp"})
	fmt.Println(err)
	// Output:
	// unix <nil>
	// handshake: negotiate transport: no transport in common: the plugin serves "unix", the host takes "tcp"
}

func ExampleParseVersions() {
	fmt.Println(handshake.ParseVersions("6,5,five"))
	// Output: [5 6] ["five"]
}

func ExampleParseTransports() {
	fmt.Println(handshake.ParseTransports("unix, tcp"))
	// Output: [unix tcp]
}

func ExampleFormatVersions() {
	fmt.Println(handshake.FormatVersions([]int{6, 5, 6}))
	// Output: 5,6
}

func ExampleFormatTransports() {
	fmt.Println(handshake.FormatTransports([]string{"tcp", "unix"}))
	// Output: unix,tcp
}
