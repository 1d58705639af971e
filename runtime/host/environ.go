package host

import (
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/plugingen/plugingen/runtime/handshake"
)

// InheritedByDefault lists the variables of the host that every plugin gets; a name that ends in * stands for all that
// begin so. They say where things are and which language to speak. Proxy settings are among them, because a plugin
// that calls out would not work behind a proxy without them; credentials of any kind are not.
func InheritedByDefault() []string {
	names := []string{
		"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TMP", "TEMP", "TZ", "LANG", "LANGUAGE", "LC_*",
		"XDG_*", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
	}
	if runtime.GOOS == "windows" {
		names = append(names, "SystemRoot", "SystemDrive", "windir", "ComSpec", "PATHEXT", "OS", "NUMBER_OF_PROCESSORS",
			"PROCESSOR_ARCHITECTURE", "USERNAME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA",
			"ProgramData", "ProgramFiles*", "CommonProgramFiles*", "PUBLIC", "ALLUSERSPROFILE")
	}
	return names
}

// environ is the plugin's whole environment: what it inherits, then Env, then the protocol's, the last of a name winning.
func (c Config) environ(socketDir string) []string {
	env := c.inherited(os.Environ())
	env = append(env, c.Env...)
	return append(env, c.protocolEnv(socketDir)...)
}

func (c Config) inherited(environ []string) []string {
	names := append(InheritedByDefault(), c.InheritEnv...)
	var kept []string
	for _, entry := range environ {
		key, _, found := strings.Cut(entry, "=")
		if found && key != "" && !c.isForeign(key) && matchesAny(key, names) {
			kept = append(kept, entry)
		}
	}
	return kept
}

// isForeign tells the variables that some host set for some plugin: ours when we are a plugin ourselves, or set by a user.
func (c Config) isForeign(key string) bool {
	upper := strings.ToUpper(key)
	return strings.HasPrefix(upper, "PLUGIN_") || strings.Contains(upper, "MAGIC_COOKIE") || upper == handshake.EnvLane || sameName(key, c.Handshake.MagicCookieKey)
}

func matchesAny(key string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		if prefix, ok := strings.CutSuffix(name, "*"); ok {
			return !isLikeCookie(key) && len(key) >= len(prefix) && sameName(key[:len(prefix)], prefix)
		}
		return sameName(key, name)
	})
}

// isLikeCookie tells by its name what another host may have set to tell its plugin that it is one. Of a name that says nothing of the kind
// nobody can know; all it could do is to make a program that the plugin starts by hand believe in that host.
func isLikeCookie(key string) bool {
	upper := strings.ToUpper(key)
	return strings.Contains(upper, "COOKIE") || strings.HasSuffix(upper, "_PLUGIN")
}

// sameName compares names as the system does.
func sameName(a, b string) bool {
	if runtime.GOOS == "windows" {
		return strings.EqualFold(a, b)
	}
	return a == b
}

// isProtocol tells the variables that only the host itself sets.
func (c Config) isProtocol(key string) bool {
	return sameName(key, c.Handshake.MagicCookieKey) || slices.ContainsFunc([]string{
		handshake.EnvProtocolVersions, handshake.EnvTransports, handshake.EnvMinPort, handshake.EnvMaxPort,
		handshake.EnvClientCert, handshake.EnvMultiplexGRPC, handshake.EnvUnixSocketDir, handshake.EnvUnixSocketGroup,
		handshake.EnvLane,
	}, func(name string) bool { return sameName(key, name) })
}

func (c Config) protocolEnv(socketDir string) []string {
	env := []string{
		c.Handshake.MagicCookieKey + "=" + c.Handshake.MagicCookieValue,
		handshake.EnvProtocolVersions + "=" + handshake.FormatVersions(c.Handshake.Versions()),
		handshake.EnvTransports + "=" + handshake.FormatTransports(c.Handshake.Networks()),
		handshake.EnvMinPort + "=" + strconv.Itoa(c.MinPort),
		handshake.EnvMaxPort + "=" + strconv.Itoa(c.MaxPort),
	}
	if socketDir != "" {
		env = append(env, handshake.EnvUnixSocketDir+"="+socketDir)
	}
	if c.Multiplex {
		env = append(env, handshake.EnvMultiplexGRPC+"=true")
	}
	if c.SocketGroup != "" {
		env = append(env, handshake.EnvUnixSocketGroup+"="+c.SocketGroup)
	}
	return env
}
