package glue

import (
	"strconv"
	"strings"
	"unicode"
)

// names gives out identifiers; each only once, and none that was taken before.
type names map[string]bool

func takenNames(lists ...[]string) names {
	n := names{}
	for _, list := range lists {
		n.take(list...)
	}
	return n
}

func (n names) take(list ...string) {
	for _, name := range list {
		n[name] = true
	}
}

// pick returns want, or want with suffix or a number behind it, and takes it.
func (n names) pick(want, suffix string) string {
	try := want
	for i := 2; n[try]; i++ {
		if suffix != "" && try == want {
			try, i = want+suffix, i-1
			continue
		}
		try = want + suffix + strconv.Itoa(i)
	}
	n[try] = true
	return try
}

// lowerFirst makes an exported name the beginning of an unexported one: Greeter is greeter, HTTPStore is httpStore.
func lowerFirst(name string) string {
	runes := []rune(name)
	upper := 0
	for upper < len(runes) && unicode.IsUpper(runes[upper]) {
		upper++
	}
	if upper > 1 && upper < len(runes) && runes[upper] != '_' {
		upper-- // the last capital begins a word
	}
	return strings.ToLower(string(runes[:upper])) + string(runes[upper:])
}
