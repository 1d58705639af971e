package host

import (
	"context"
	"errors"
	"strings"
)

const (
	hintNetRPC      = "the plugin serves go-plugin's net/rpc: give its plugin.ServeConfig a GRPCServer"
	hintCertificate = "the plugin was told to use TLS by something else than this host: look for a TLS setting of its own"
	hintMultiplex   = "the plugin was told to multiplex by something else than this host: look for a setting of its own"
	hintTransport   = "the plugin does not heed PLUGIN_TRANSPORTS: let the host take both transports"
	hintRemote      = "set AllowRemote if the plugin is meant to run elsewhere"
	hintCookie      = "the program is a plugin, of another host or contract: its magic cookie is not this host's; compare the handshake.Config of both"
	hintNeedsTLS    = "the plugin insists on TLS, which this host does not offer"
	hintMemory      = "something outside killed the plugin: possibly the system, for want of memory (OOM)"
	hintSilent      = "the program ended well and without a handshake line: is it a plugin?"
	hintNoLine      = "the program ran and printed no handshake line: is it a plugin?"
	hintNoSpeech    = "the plugin accepts connections and does not answer as a gRPC server: does it serve after it printed its line?"
	hintNoSocket    = "nothing listens where the plugin said that it does: it must listen before it prints its line, and not remove the socket"
	hintSlow        = "the program runs and is not ready: raise StartTimeout if it needs longer"
	hintShell       = "a shell started something that it could not find or run: the plugin's path may be a script whose program is missing"
	hintFiles       = "this process has no file descriptors left: raise its limit (ulimit -n) or open fewer plugins"
)

// advise picks the advice that fits best: what the plugin said about itself, then how it ended, then how far it came.
func (c *child) advise(e *Error, ended bool) string {
	if text := adviceFromOutput(e.Stderr); text != "" {
		return text
	}
	if ended {
		if text := adviceFromExit(e); text != "" {
			return text
		}
	}
	if text := adviceFromError(e.Err); text != "" {
		return text
	}
	if e.Hint != "" && !ended {
		return e.Hint
	}
	return adviceFromStage(e)
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
	case e.ExitCode == 126, e.ExitCode == 127:
		return hintShell
	case e.ExitCode == 0 && e.Stage == StageHandshake:
		return hintSilent
	default:
		return ""
	}
}

func adviceFromError(err error) string {
	if isOutOfFiles(err) {
		return hintFiles
	}
	return ""
}

func adviceFromStage(e *Error) string {
	late := errors.Is(e.Err, context.DeadlineExceeded)
	switch {
	case e.Stage == StageHandshake && late:
		return hintSlow
	case e.Stage == StageHandshake:
		return hintNoLine
	case e.Stage == StageConnect:
		return hintNoSocket
	case e.Stage == StageVerify && e.ExitCode < 0:
		return hintNoSpeech
	default:
		return ""
	}
}
