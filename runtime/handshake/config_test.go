package handshake_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/runtime/handshake"
)

const secret = "5ecret-value"

func cookie() handshake.Config {
	return handshake.Config{MagicCookieKey: "DEMO_PLUGIN", MagicCookieValue: secret}
}

func environment(pairs map[string]string) func(string) (string, bool) {
	return func(key string) (string, bool) {
		value, ok := pairs[key]
		return value, ok
	}
}

func TestValidateMagicCookie(t *testing.T) {
	if err := handshake.ValidateMagicCookie(cookie(), environment(map[string]string{"DEMO_PLUGIN": secret})); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		config handshake.Config
		got    map[string]string
		want   error
	}{
		"no key":           {handshake.Config{MagicCookieValue: secret}, nil, handshake.ErrCookieKeyNotConfigured},
		"impossible key":   {handshake.Config{MagicCookieKey: "A=B", MagicCookieValue: secret}, nil, handshake.ErrCookieKeyNotConfigured},
		"no value":         {handshake.Config{MagicCookieKey: "K"}, map[string]string{"K": ""}, handshake.ErrCookieValueNotConfigured},
		"impossible value": {handshake.Config{MagicCookieKey: "K", MagicCookieValue: secret + "\x00"}, nil, handshake.ErrCookieValueNotConfigured},
		"missing":          {cookie(), nil, handshake.ErrCookieNotProvided},
		"empty":            {cookie(), map[string]string{"DEMO_PLUGIN": ""}, handshake.ErrCookieNotProvided},
		"other value":      {cookie(), map[string]string{"DEMO_PLUGIN": "0ther-value!"}, handshake.ErrCookieMismatch},
		"prefix":           {cookie(), map[string]string{"DEMO_PLUGIN": secret[:5]}, handshake.ErrCookieMismatch},
		"and more":         {cookie(), map[string]string{"DEMO_PLUGIN": secret + " "}, handshake.ErrCookieMismatch},
	}
	sentinels := []error{
		handshake.ErrCookieKeyNotConfigured, handshake.ErrCookieValueNotConfigured, handshake.ErrCookieNotProvided, handshake.ErrCookieMismatch,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := handshake.ValidateMagicCookie(test.config, environment(test.got))
			checkError(t, err, test.want)
			for _, other := range sentinels {
				if !errors.Is(other, test.want) && errors.Is(err, other) {
					t.Errorf("got %v, which is also %v", err, other)
				}
			}
			if text := fmt.Sprintf("%+v %#v", err, err); strings.Contains(text, secret) || strings.Contains(text, "0ther") {
				t.Errorf("the error holds a cookie's value: %s", text)
			}
		})
	}
}

func TestValidateMagicCookieReadsTheEnvironment(t *testing.T) {
	t.Setenv("DEMO_PLUGIN", secret)
	if err := handshake.ValidateMagicCookie(cookie(), nil); err != nil {
		t.Error(err)
	}
	t.Setenv("DEMO_PLUGIN", "")
	checkError(t, handshake.ValidateMagicCookie(cookie(), nil), handshake.ErrCookieNotProvided)
}

func TestConfigDefaults(t *testing.T) {
	var zero handshake.Config
	equal(t, zero.Versions(), []int{1})
	want := []string{"unix", "tcp"}
	if runtime.GOOS == "windows" {
		want = []string{"tcp"}
	}
	equal(t, zero.Networks(), want)
}

func TestConfigIsOrderedAndNotChanged(t *testing.T) {
	c := handshake.Config{ProtocolVersions: []int{6, 5, 6}, Transports: []string{"tcp", "unix", "tcp"}}
	equal(t, c.Versions(), []int{5, 6})
	equal(t, c.Networks(), []string{"unix", "tcp"})
	equal(t, c.ProtocolVersions, []int{6, 5, 6})
	equal(t, c.Transports, []string{"tcp", "unix", "tcp"})
}

func TestConfigValidateFindsAllFaults(t *testing.T) {
	if err := cookie().Validate(); err != nil {
		t.Error(err)
	}
	err := handshake.Config{ProtocolVersions: []int{-1}, Transports: []string{"pipe"}}.Validate()
	for _, want := range []error{handshake.ErrCookieKeyNotConfigured, handshake.ErrVersion, handshake.ErrTransport} {
		if !errors.Is(err, want) {
			t.Errorf("got %v, want also %v", err, want)
		}
	}
}

func ExampleValidateMagicCookie() {
	config := handshake.Config{MagicCookieKey: "GREETER_PLUGIN", MagicCookieValue: "3c1f"}
	err := handshake.ValidateMagicCookie(config, func(string) (string, bool) { return "", false })

	var detail *handshake.Error
	if errors.As(err, &detail) {
		fmt.Println(err)
		fmt.Println(detail.Hint)
	}
	// Output:
	// handshake: validate magic cookie: magic cookie is not provided: environment variable GREETER_PLUGIN
	// this program is a plugin; start it from its host
}

func ExampleConfig_Validate() {
	fmt.Println(handshake.Config{MagicCookieKey: "GREETER_PLUGIN"}.Validate())
	// Output: handshake: validate config: magic cookie value is not configured for GREETER_PLUGIN
}
