package schema

import (
	"context"
	"testing"
)

const odd = `edition = "2023";
package odd;
import "google/protobuf/descriptor.proto";
option go_package = "example.com/odd";
option (kept) = "a\nb";
option (dropped) = "secret";
extend google.protobuf.FileOptions {
  string kept = 50001;
  string dropped = 50002 [retention = RETENTION_SOURCE];
}
message Open {
  extensions 10 to 20 [verification = DECLARATION, declaration = {number: 12, full_name: ".odd.x", type: ".odd.Open"}];
  enum Kind { option deprecated = true; NONE = 0; }
  message Inner { map<string, Open> all = 1 [deprecated = true]; }
  oneof one { Inner inner = 1; Kind kind = 2; }
}
service Odd { rpc Do(Open) returns (Open.Inner); }
`

// Code puts the descriptor in by itself; it has to be what the generator it is made with would have put there.
func TestCodeHasTheDescriptor(t *testing.T) {
	for name, text := range map[string]string{"odd": odd, "empty": "syntax = \"proto3\";\noption go_package = \"example.com/odd\";\n"} {
		t.Run(name, func(t *testing.T) {
			code := func(by func(c *Compiled) ([]byte, error)) string {
				c, err := Compile(context.Background(), Input{File: "odd.proto", Sources: map[string][]byte{"odd.proto": []byte(text)}})
				if err != nil {
					t.Fatal(err)
				}
				got, err := by(c)
				if err != nil {
					t.Fatal(err)
				}
				return string(got)
			}
			got := code((*Compiled).Code)
			if want := code(func(c *Compiled) ([]byte, error) { return c.generate(c.plugin.FilesByPath[c.file]) }); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
