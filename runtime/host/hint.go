package host

import (
	"cmp"
	"slices"
	"strings"
)

const (
	hintNetRPC      = "the plugin serves go-plugin's net/rpc: give its plugin.ServeConfig a GRPCServer"
	hintCertificate = "the plugin was told to use TLS by something else than this host: look for a TLS setting of its own, or set TLS to TLSMutual"
	hintNoTLS       = "the plugin does not know PLUGIN_CLIENT_CERT, or has certificates of its own: then give their TLSConfig to the host; TLSOff takes plugins without TLS"
	hintExposed     = "set TLS to TLSMutual so that the plugin is asked for it, or to TLSOff if every user of the machine may call the plugin"
	hintSubstituted = "something else answers on the plugin's address: another program may have taken its port or socket"
	hintTLS         = "the plugin does not speak TLS as this host does: compare the certificates and settings of both sides"
	hintRefused     = "the plugin takes another client certificate: compare the TLS settings of both sides"
	hintOwner       = "the plugin must make its socket in the folder that PLUGIN_UNIX_SOCKET_DIR names; set TLS to TLSMutual if it runs as another user"
	hintMultiplex   = "the plugin was told to multiplex by something else than this host: look for a setting of its own"
	hintNoMultiplex = "the plugin does not know PLUGIN_MULTIPLEX_GRPC, as many in other languages do not: leave Multiplex out"
	hintTransport   = "the plugin does not heed PLUGIN_TRANSPORTS: let the host take both transports"
	hintRemote      = "set AllowRemote if the plugin is meant to run elsewhere"
	hintCookie      = "the program is a plugin, of another host or contract: its magic cookie is not this host's; compare the handshake.Config of both"
	hintNeedsTLS    = "the plugin and this host do not want the same TLS: one that insists on it needs TLSMutual"
	hintMemory      = "something outside killed the plugin: possibly the system, for want of memory (OOM)"
	hintSilent      = "the program ended well and without a handshake line: is it a plugin?"
	hintCrash       = "the program crashed: what it wrote on its standard error may say where"
	hintEarly       = "the plugin announced itself and ended: what it wrote on its standard error may say why"
	hintNoSpeech    = "the plugin accepts connections and does not answer as a gRPC server: does it serve after it printed its line, and without TLS if this host uses none?"
	hintNotServing  = "the plugin's health service must say SERVING before it prints its line; its log may say what it waits for"
	hintNoSocket    = "nothing listens where the plugin said that it does: it must listen before it prints its line, and not remove the socket"
	hintSlow        = "the program runs and is not ready: raise StartTimeout, or the deadline of the context, if it needs longer"
	hintShell       = "a shell started something that it could not find or run: the plugin's path may be a script whose program is missing"
	hintGone        = "the plugin that is described has ended: take the description of one that runs"
	hintContract    = "the plugin is of another contract: compare the handshake.Config of both"
	hintAttachTLS   = "give host and plugin the contract's TLSConfig, or let the plugin serve on a unix socket; with TLSOff every user of the machine may pose as it"
	hintChecksum    = "the file was rebuilt, replaced or damaged: get the plugin again, or take the new checksum if you know that the file is right"
	hintTranslator  = "the Launcher's PluginToHost must return a network and an address as handshake lines have them"
	hintFiles       = "this process has no file descriptors left: raise its limit (ulimit -n) or open fewer plugins"
)

// advise picks the advice that fits best: to what the plugin said, to how it ended, to what went wrong, to how far it came.
func advise(e *Error, ended bool) string {
	advice := ""
	if e.Stage != StageRun { // later, what is logged about such things is about other programs
		advice = adviceFromOutput(e.Stderr)
	}
	if ended {
		advice = cmp.Or(advice, adviceFromExit(e))
	}
	return cmp.Or(advice, e.Hint, adviceFromStage(e.Stage))
}

// adviceFromOutput recognises what plugins of each make print when they refuse to start.
func adviceFromOutput(lines []string) string {
	text := strings.ToLower(strings.Join(lines, "\n"))
	switch {
	case strings.Contains(text, "plugin_client_cert"):
		return hintNeedsTLS
	case strings.Contains(text, "this binary is a plugin"), strings.Contains(text, "this program is a plugin"),
		strings.Contains(text, "magic cookie"):
		return hintCookie
	default:
		return ""
	}
}

func adviceFromExit(e *Error) string {
	switch {
	case e.Signal == "SIGKILL":
		return hintMemory
	case isOutOfMemory(e.Stderr):
		return hintExhausted
	case e.Signal != "":
		return hintCrash
	case e.ExitCode == 126, e.ExitCode == 127:
		return hintShell
	case e.ExitCode == 0 && e.Stage == StageHandshake:
		return hintSilent
	case e.Stage == StageConnect, e.Stage == StageVerify:
		return hintEarly
	default:
		return ""
	}
}

const hintExhausted = "the plugin ran out of memory: it keeps too much, or its limit is too low"

// isOutOfMemory tells what Go's runtime says when the system gives it no more.
func isOutOfMemory(lines []string) bool {
	return slices.ContainsFunc(lines, func(line string) bool {
		return strings.HasPrefix(line, "fatal error: ") && (strings.Contains(line, "out of memory") || strings.Contains(line, "cannot allocate memory"))
	})
}

func adviceFromStage(stage Stage) string {
	switch stage {
	case StageConnect:
		return hintNoSocket
	case StageVerify:
		return hintNoSpeech
	default:
		return ""
	}
}
