package model

import (
	"slices"
	"strings"
	"unicode"
)

// promises says whether the name of a method, or of its interface, promises what an example must not pretend: that something was
// changed, a verdict, a secret. It errs on the side of caution, and reads names alone.
func promises(service, method string) bool {
	return anyWord(service, secrets()) || anyWord(method, secrets()) || anyWord(method, verdicts()) || anyWord(method, changes())
}

// anyWord says whether a word of the name is one of the list, or a form of it.
func anyWord(name string, list []string) bool {
	for _, word := range words(name) {
		for _, ending := range []string{"", "s", "d", "ed", "er", "or", "ing"} {
			if stem, found := strings.CutSuffix(word, ending); found && slices.Contains(list, stem) {
				return true
			}
		}
	}
	return false
}

// words are those of a name, in lower case: "get", "http" and "key" of GetHTTPKey.
func words(name string) []string {
	var list []string
	runes := []rune(name)
	start := 0
	for i := range runes {
		lowerBefore := i > 0 && !unicode.IsUpper(runes[i-1])
		lowerAfter := i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if i > start && unicode.IsUpper(runes[i]) && (lowerBefore || lowerAfter) {
			list, start = append(list, strings.ToLower(string(runes[start:i]))), i
		}
	}
	return append(list, strings.ToLower(string(runes[start:])))
}

// secrets are words for what somebody relies on not to be guessed or forged.
func secrets() []string {
	return []string{
		"aead", "cert", "certificate", "cipher", "credential", "crypto", "decrypt", "encrypt", "hash", "hmac", "key", "keychain", "keyring", "keystore",
		"login", "mac", "nonce", "otp", "passphrase", "password", "private", "random", "salt", "seal", "secret", "sign", "signature", "token", "unseal",
		"vault", "wallet",
	}
}

// verdicts are words for what somebody acts on.
func verdicts() []string {
	return []string{
		"accept", "allow", "assert", "auth", "authenticate", "authorise", "authorize", "check", "compare", "confirm", "diff", "ensure", "health", "permit",
		"ping", "ready", "scan", "test", "valid", "validate", "verify", "verifi",
	}
}

// changes are words for what is done in the world.
func changes() []string {
	return []string{
		"acquire", "add", "alter", "append", "apply", "approve", "archive", "assign", "attach", "backup", "ban", "begin", "bind", "block", "book", "buy",
		"cancel", "change", "charge", "clean", "clear", "clone", "commit", "configure", "connect", "copy", "create", "delete", "deliver", "deploy",
		"destroy", "detach", "disable", "discard", "do", "drop", "emit", "enable", "enqueue", "erase", "exec", "fix", "flush", "grant", "import", "init",
		"insert", "install", "invoke", "kill", "link", "lock", "make", "mark", "merge", "migrate", "mkdir", "mount", "move", "mutate", "notify", "order",
		"patch", "pay", "persist", "post", "present", "prune", "publish", "purge", "push", "put", "reboot", "record", "refund", "register", "release",
		"remove", "rename", "renew", "repair", "replace", "reserve", "reset", "restore", "revoke", "roll", "rotate", "run", "save", "schedule", "sell",
		"send", "set", "shutdown", "snapshot", "start", "stop", "store", "submit", "sync", "terminate", "transact", "transfer", "truncate", "undo",
		"unlink", "unlock", "unmount", "update", "upgrade", "upload", "upsert", "wipe", "with", "write",
	}
}
