package generator

import (
	"fmt"
	"path"
	"strings"

	"github.com/plugingen/plugingen/generator/model"
)

// handshakeFile is where a contract of .proto files gets its Handshake when it has none.
const handshakeFile = "handshake.go"

// handshakeCode is a file that the owner of the contract has from then on.
func handshakeCode(c *model.Contract, runtimeModule string) []byte {
	key := strings.ToUpper(strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, c.Package.Name), "_"))
	protos := strings.Join(c.Protos, ",")
	if strings.Contains(protos, "/") {
		protos += " ."
	}
	return fmt.Appendf(nil, handshakeText, c.Package.Name, path.Join(runtimeModule, "runtime", "handshake"), "go:generate", protos, key+"_MAGIC_COOKIE", cookieValue(c.Package.Path))
}

// handshakeText has its directive put in, or go generate would find it here.
const handshakeText = `package %s

import %q

//%s plugingen generate --proto %s

// Handshake is what a host and its plugins have to agree on before they talk. The cookie is no secret: it lets a program that
// somebody starts by hand say that it is a plugin. It must stay the same for as long as there are plugins.
var Handshake = handshake.Config{
	MagicCookieKey:   %q,
	MagicCookieValue: %q,
}
`
