package glue

import "testing"

func TestLowerFirst(t *testing.T) {
	for in, want := range map[string]string{
		"Greeter": "greeter", "HTTPStore": "httpStore", "HTTP": "http", "A": "a", "AStore": "aStore", "Über": "über", "ÜBer": "üBer", "URL_x": "url_x",
	} {
		if got := lowerFirst(in); got != want {
			t.Errorf("lowerFirst(%q): got %q, want %q", in, got, want)
		}
	}
}

func TestPick(t *testing.T) {
	n := takenNames([]string{"a", "b", "bArg"})
	for _, c := range [][3]string{{"x", "Arg", "x"}, {"a", "Arg", "aArg"}, {"a", "Arg", "aArg2"}, {"b", "Arg", "bArg2"}, {"x", "", "x2"}, {"x", "", "x3"}} {
		if got := n.pick(c[0], c[1]); got != c[2] {
			t.Errorf("pick(%q, %q): got %q, want %q", c[0], c[1], got, c[2])
		}
	}
}
