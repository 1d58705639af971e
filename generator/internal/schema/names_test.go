package schema

import "testing"

func TestSnake(t *testing.T) {
	for in, want := range map[string]string{
		"name": "name", "fooBar": "foo_bar", "userID": "user_id", "HTTPServer": "http_server", "URL": "url", "A": "a", "fooBAR": "foo_bar",
		"foo_bar": "foo_bar", "x1": "x1", "Wert_": "wert", "_": "x", "größe": "gru00f6u00dfe", "2x": "x2x", "A_b": "a_b", "IDs": "i_ds",
	} {
		if got := snake(in); got != want {
			t.Errorf("snake(%q): got %q, want %q", in, got, want)
		}
	}
}

func TestProtoPackage(t *testing.T) {
	for in, want := range map[string]string{
		"example.com/my-plugin/greeter": "example_com.my_plugin.greeter",
		"github.com/Azure/x/v2":         "github_com.azure.x.v2",
		"demo":                          "demo",
		"example.com/2fa/~u":            "example_com._2fa._u",
	} {
		if got := protoPackage(in); got != want {
			t.Errorf("protoPackage(%q): got %q, want %q", in, got, want)
		}
	}
}

func TestUnique(t *testing.T) {
	taken := map[string]bool{}
	for _, c := range [][2]string{{"foo_bar", "foo_bar"}, {"fooBar", "fooBar_2"}, {"FOO_BAR", "FOO_BAR_3"}, {"foo_bar_2", "foo_bar_2_2"}} {
		if got := unique(c[0], taken); got != c[1] {
			t.Errorf("unique(%q): got %q, want %q", c[0], got, c[1])
		}
	}
}
