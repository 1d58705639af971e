package handshake_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/runtime/handshake"
)

func unixResponse(path string) handshake.Response {
	return handshake.Response{CoreVersion: 1, ProtocolVersion: 1, Network: "unix", Address: path, Protocol: "grpc"}
}

func tcpResponse(address string) handshake.Response {
	r := unixResponse(address)
	r.Network = "tcp"
	return r
}

func with(r handshake.Response, change func(*handshake.Response)) handshake.Response {
	change(&r)
	return r
}

func TestParseAccepts(t *testing.T) {
	der := newCertificate(t)
	certified := with(unixResponse("/s"), func(r *handshake.Response) { r.Certificate = der })
	multiplexed := with(unixResponse("/s"), func(r *handshake.Response) { r.Multiplex = true })
	netrpc := with(unixResponse("/s"), func(r *handshake.Response) { r.Protocol = "netrpc" })
	raw := rawBase64(der)

	tests := map[string]struct {
		line string
		want handshake.Response
	}{
		"six fields":                  {"1|1|unix|/s|grpc|", unixResponse("/s")},
		"line feed":                   {"1|1|unix|/s|grpc|\n", unixResponse("/s")},
		"carriage return":             {"1|1|unix|/s|grpc|\r\n", unixResponse("/s")},
		"blanks around":               {"\t 1|1|unix|/s|grpc| \n", unixResponse("/s")},
		"four fields":                 {"1|1|unix|/s", netrpc},
		"five fields":                 {"1|1|unix|/s|grpc", unixResponse("/s")},
		"netrpc":                      {"1|1|unix|/s|netrpc|", netrpc},
		"seven fields":                {"1|1|unix|/s|grpc||true", multiplexed},
		"seventh false":               {"1|1|unix|/s|grpc||false", unixResponse("/s")},
		"seventh empty":               {"1|1|unix|/s|grpc||", unixResponse("/s")},
		"version zero":                {"1|0|unix|/s|grpc|", with(unixResponse("/s"), func(r *handshake.Response) { r.ProtocolVersion = 0 })},
		"version highest":             {"1|2147483647|unix|/s|grpc|", with(unixResponse("/s"), func(r *handshake.Response) { r.ProtocolVersion = 1<<31 - 1 })},
		"leading zeros":               {"01|01|unix|/s|grpc|", unixResponse("/s")},
		"unix:":                       {"1|1|unix|unix:/s|grpc|", unixResponse("/s")},
		"unix://":                     {"1|1|unix|unix:///s|grpc|", unixResponse("/s")},
		"unix://, relative":           {"1|1|unix|unix://s|grpc|", unixResponse("/s")},
		"many slashes":                {"1|1|unix|///s|grpc|", unixResponse("/s")},
		"path with blanks and colons": {"1|1|unix|/a b/c:d é|grpc|", unixResponse("/a b/c:d é")},
		"long path":                   {"1|1|unix|/" + strings.Repeat("p", 4000) + "|grpc|", unixResponse("/" + strings.Repeat("p", 4000))},
		"localhost":                   {"1|1|tcp|LocalHost:1|grpc|", tcpResponse("localhost:1")},
		"ipv4":                        {"1|1|tcp|127.0.0.1:65535|grpc|", tcpResponse("127.0.0.1:65535")},
		"ipv6":                        {"1|1|tcp|[::1]:080|grpc|", tcpResponse("[::1]:80")},
		"remote":                      {"1|1|tcp|192.0.2.1:80|grpc|", tcpResponse("192.0.2.1:80")},
		"certificate unpadded":        {"1|1|unix|/s|grpc|" + raw, certified},
		"certificate padded":          {"1|1|unix|/s|grpc|" + padBase64(raw), certified},
		"certificate with real CRLF":  {"1|1|unix|/s|grpc|" + brokenUp(raw, "\r\n"), certified},
		"certificate with literal \n": {"1|1|unix|/s|grpc|" + brokenUp(raw, `\n`), certified},
		"certificate with \\r\\n":     {"1|1|unix|/s|grpc|" + brokenUp(padBase64(raw), `\r\n`) + "|", certified},
		"50 characters are none":      {"1|1|unix|/s|grpc|" + strings.Repeat("!", 50), unixResponse("/s")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := handshake.Parse(test.line)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, got, test.want)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	der := newCertificate(t)
	tests := map[string]struct {
		line string
		want error
	}{
		"nothing":               {"", handshake.ErrMalformed},
		"blank":                 {" \r\n", handshake.ErrMalformed},
		"three fields":          {"1|1|unix", handshake.ErrMalformed},
		"eight fields":          {"1|1|unix|/s|grpc||true|", handshake.ErrMalformed},
		"two lines":             {"1|1|unix|/s|grpc|\n1|1|unix|/s|grpc|", handshake.ErrMalformed},
		"core no number":        {"x|1|unix|/s|grpc|", handshake.ErrMalformed},
		"core other digits":     {"١|1|unix|/s|grpc|", handshake.ErrMalformed},
		"core with sign":        {"+1|1|unix|/s|grpc|", handshake.ErrMalformed},
		"core too large":        {"4294967297|1|unix|/s|grpc|", handshake.ErrMalformed},
		"core 0":                {"0|1|unix|/s|grpc|", handshake.ErrUnsupportedCore},
		"core 2":                {"2|1|unix|/s|grpc|", handshake.ErrUnsupportedCore},
		"version empty":         {"1||unix|/s|grpc|", handshake.ErrMalformed},
		"version negative":      {"1|-1|unix|/s|grpc|", handshake.ErrMalformed},
		"version with blank":    {"1| 1|unix|/s|grpc|", handshake.ErrMalformed},
		"version underscore":    {"1|1_0|unix|/s|grpc|", handshake.ErrMalformed},
		"version hexadecimal":   {"1|0x1|unix|/s|grpc|", handshake.ErrMalformed},
		"version too large":     {"1|2147483648|unix|/s|grpc|", handshake.ErrMalformed},
		"invalid UTF-8":         {"1|1|unix|/\xff|grpc|", handshake.ErrMalformed},
		"network empty":         {"1|1||/s|grpc|", handshake.ErrNetwork},
		"network in capitals":   {"1|1|UNIX|/s|grpc|", handshake.ErrNetwork},
		"network udp":           {"1|1|udp|127.0.0.1:1|grpc|", handshake.ErrNetwork},
		"protocol empty":        {"1|1|unix|/s||", handshake.ErrProtocol},
		"protocol unknown":      {"1|1|unix|/s|http|", handshake.ErrProtocol},
		"unix empty":            {"1|1|unix||grpc|", handshake.ErrAddress},
		"unix prefix alone":     {"1|1|unix|unix:|grpc|", handshake.ErrAddress},
		"unix relative":         {"1|1|unix|s|grpc|", handshake.ErrAddress},
		"unix abstract":         {"1|1|unix|@s|grpc|", handshake.ErrAddress},
		"unix prefix twice":     {"1|1|unix|unix:unix:/s|grpc|", handshake.ErrAddress},
		"unix with line feed":   {"1|1|unix|/a\nb|grpc|", handshake.ErrAddress},
		"unix with NUL":         {"1|1|unix|/a\x00b|grpc|", handshake.ErrAddress},
		"unix with escape":      {"1|1|unix|/a\x1b[2Jb|grpc|", handshake.ErrAddress},
		"tcp empty":             {"1|1|tcp||grpc|", handshake.ErrAddress},
		"tcp without port":      {"1|1|tcp|127.0.0.1|grpc|", handshake.ErrAddress},
		"tcp without host":      {"1|1|tcp|:80|grpc|", handshake.ErrAddress},
		"tcp host name":         {"1|1|tcp|example.com:80|grpc|", handshake.ErrAddress},
		"tcp port name":         {"1|1|tcp|127.0.0.1:http|grpc|", handshake.ErrAddress},
		"tcp port 0":            {"1|1|tcp|127.0.0.1:0|grpc|", handshake.ErrAddress},
		"tcp port 65536":        {"1|1|tcp|127.0.0.1:65536|grpc|", handshake.ErrAddress},
		"tcp port other digits": {"1|1|tcp|127.0.0.1:٨٠|grpc|", handshake.ErrAddress},
		"tcp octal address":     {"1|1|tcp|127.0.0.01:80|grpc|", handshake.ErrAddress},
		"certificate no base64": {"1|1|unix|/s|grpc|" + strings.Repeat("!", 51), handshake.ErrCertificate},
		"certificate no x509":   {"1|1|unix|/s|grpc|" + strings.Repeat("A", 100), handshake.ErrCertificate},
		"certificate cut":       {"1|1|unix|/s|grpc|" + rawBase64(der[:len(der)-1]), handshake.ErrCertificate},
		"certificate and more":  {"1|1|unix|/s|grpc|" + rawBase64(append(der[:len(der):len(der)], 0)), handshake.ErrCertificate},
		"two certificates":      {"1|1|unix|/s|grpc|" + rawBase64(append(der[:len(der):len(der)], der...)), handshake.ErrCertificate},
		"certificate in URL base64": {
			"1|1|unix|/s|grpc|" + base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("\xff", 60))), handshake.ErrCertificate,
		},
		"seventh no bool": {"1|1|unix|/s|grpc||yes", handshake.ErrMalformed},
		"too long":        {"1|1|unix|/" + strings.Repeat("p", handshake.MaxLine) + "|grpc|", handshake.ErrTooLong},
		"far too long":    {strings.Repeat("|", 10<<20), handshake.ErrTooLong},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := handshake.Parse(test.line)
			checkError(t, err, test.want)
			equal(t, got, handshake.Response{})
		})
	}
}

func TestParseStrict(t *testing.T) {
	der := newCertificate(t)
	got, err := handshake.ParseStrict("1|1|unix|/s|grpc|" + rawBase64(der) + "\n")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, with(unixResponse("/s"), func(r *handshake.Response) { r.Certificate = der }))
	for _, line := range []string{"1|1|unix|/s", "1|1|unix|/s|grpc", "1|1|unix|/s|grpc||true", "1|1|unix|/s|grpc||"} {
		_, err := handshake.ParseStrict(line)
		checkError(t, err, handshake.ErrMalformed)
	}
	_, err = handshake.ParseStrict("1|1|unix|/s|netrpc|")
	checkError(t, err, handshake.ErrProtocol)
	_, err = handshake.ParseStrict("1|1|unix|/s|grpc|abc123")
	checkError(t, err, handshake.ErrCertificate)
}

func TestBuild(t *testing.T) {
	der := newCertificate(t)
	tests := map[string]struct {
		response handshake.Response
		want     string
	}{
		"zero core and protocol": {handshake.Response{ProtocolVersion: 5, Network: "unix", Address: "/s"}, "1|5|unix|/s|grpc|\n"},
		"netrpc":                 {handshake.Response{Network: "tcp", Address: "127.0.0.1:1", Protocol: "netrpc"}, "1|0|tcp|127.0.0.1:1|netrpc|\n"},
		"prefix goes":            {unixResponse("unix:///s"), "1|1|unix|/s|grpc|\n"},
		"multiplex":              {with(unixResponse("/s"), func(r *handshake.Response) { r.Multiplex = true }), "1|1|unix|/s|grpc||true\n"},
		"certificate":            {with(unixResponse("/s"), func(r *handshake.Response) { r.Certificate = der }), "1|1|unix|/s|grpc|" + rawBase64(der) + "\n"},
		"empty certificate":      {with(unixResponse("/s"), func(r *handshake.Response) { r.Certificate = []byte{} }), "1|1|unix|/s|grpc|\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := handshake.Build(test.response)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, got, test.want)
		})
	}
}

func TestBuildRefuses(t *testing.T) {
	tests := map[string]struct {
		change func(*handshake.Response)
		want   error
	}{
		"core":              {func(r *handshake.Response) { r.CoreVersion = 2 }, handshake.ErrUnsupportedCore},
		"negative version":  {func(r *handshake.Response) { r.ProtocolVersion = -1 }, handshake.ErrVersion},
		"huge version":      {func(r *handshake.Response) { r.ProtocolVersion = 1 << 31 }, handshake.ErrVersion},
		"no network":        {func(r *handshake.Response) { r.Network = "" }, handshake.ErrNetwork},
		"no address":        {func(r *handshake.Response) { r.Address = "" }, handshake.ErrAddress},
		"relative address":  {func(r *handshake.Response) { r.Address = "s" }, handshake.ErrAddress},
		"pipe in address":   {func(r *handshake.Response) { r.Address = "/a|b" }, handshake.ErrAddress},
		"break in address":  {func(r *handshake.Response) { r.Address = "/a\nb" }, handshake.ErrAddress},
		"bytes in address":  {func(r *handshake.Response) { r.Address = "/a\xff" }, handshake.ErrAddress},
		"long address":      {func(r *handshake.Response) { r.Address = "/" + strings.Repeat("a", handshake.MaxLine) }, handshake.ErrTooLong},
		"protocol":          {func(r *handshake.Response) { r.Protocol = "http" }, handshake.ErrProtocol},
		"pem":               {func(r *handshake.Response) { r.Certificate = []byte("-----BEGIN CERTIFICATE-----") }, handshake.ErrCertificate},
		"tcp with any port": {func(r *handshake.Response) { r.Network, r.Address = "tcp", "127.0.0.1:0" }, handshake.ErrAddress},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			line, err := handshake.Build(with(unixResponse("/s"), test.change))
			checkError(t, err, test.want)
			equal(t, line, "")
		})
	}
}

func TestErrorsQuoteSafely(t *testing.T) {
	evil := "1|1|\x1b[31m\u202e" + strings.Repeat("x", 2000) + "|/s|grpc|"
	_, err := handshake.Parse(evil)
	checkError(t, err, handshake.ErrNetwork)
	if want := `\x1b[31m\u202e`; !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want it to show %s", err, want)
	}
}

func TestUnixPath(t *testing.T) {
	for address, want := range map[string]string{
		"/s": "/s", "//s": "/s", "unix:/s": "/s", "unix://s": "/s", "unix:///s": "/s", "unix:s": "s", "s": "s", "": "", "unix:": "", "@s": "@s",
	} {
		equal(t, handshake.UnixPath(address), want)
	}
}

func TestIsLoopback(t *testing.T) {
	loopback := []string{"127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1", "[::ffff:127.0.0.1]:1"}
	remote := []string{"192.0.2.1:1", "0.0.0.0:1", "[::]:1", "[2001:db8::1]:1", "[::ffff:192.0.2.1]:1", "[fe80::1%lo]:1", "example.com:1", "nonsense", ""}
	for want, addresses := range map[bool][]string{true: loopback, false: remote} {
		for _, address := range addresses {
			if got := tcpResponse(address).IsLoopback(); got != want {
				t.Errorf("%s: got %v, want %v", address, got, want)
			}
		}
	}
	equal(t, unixResponse("/s").IsLoopback(), true)
	equal(t, handshake.Response{}.IsLoopback(), false)
}

func TestCheckVersion(t *testing.T) {
	r := with(unixResponse("/s"), func(r *handshake.Response) { r.ProtocolVersion = 4 })
	if err := r.CheckVersion([]int{6, 4}); err != nil {
		t.Error(err)
	}
	err := r.CheckVersion([]int{6, 5})
	checkError(t, err, handshake.ErrVersion)
	if want := "the plugin speaks 4, the host 5,6"; !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want it to say %q", err, want)
	}
	checkError(t, r.CheckVersion(nil), handshake.ErrVersion)
}

func ExampleBuild() {
	line, err := handshake.Build(handshake.Response{ProtocolVersion: 1, Network: handshake.Unix, Address: "/run/plugin.sock"})
	fmt.Printf("%q %v\n", line, err)
	// Output: "1|1|unix|/run/plugin.sock|grpc|\n" <nil>
}

func ExampleParse() {
	r, err := handshake.Parse("1|6|tcp|127.0.0.1:10000|grpc|")
	fmt.Println(r.ProtocolVersion, r.Network, r.Address, r.Protocol, r.IsLoopback(), err)
	// Output: 6 tcp 127.0.0.1:10000 grpc true <nil>
}

func ExampleParseStrict() {
	_, err := handshake.ParseStrict("1|1|unix|/run/plugin.sock|grpc||true")
	fmt.Println(err)
	// Output: handshake: parse line: malformed handshake line: 7 fields, want 6: "1|1|unix|/run/plugin.sock|grpc||true"
}

func ExampleResponse_CheckVersion() {
	r, _ := handshake.Parse("1|3|unix|/run/plugin.sock|grpc|")
	fmt.Println(r.CheckVersion([]int{5, 4}))
	// Output: handshake: check version: incompatible protocol version: the plugin speaks 3, the host 4,5
}
