package main

import (
	"errors"
	"fmt"
	"go/format"
	"regexp"
)

// What protoc-gen-go writes to make a file's messages ready when the program starts, and how it refers to them.
var (
	initNow  = regexp.MustCompile(`(?m)^func init\(\) \{ (\w+)_init\(\) \}\n`)
	initOnce = regexp.MustCompile(`(?m)^func (\w+)_init\(\) \{\n\tif \w+ != nil \{\n\t\treturn\n\t\}\n`)
	makeNow  = regexp.MustCompile(`(?m)^var (\w+)_(msg|enum)Types = make\(\[\](\S+), (\d+)\)\n`)
	theType  = regexp.MustCompile(`(&?)\b(file_\w+)_((?:msg|enum)Types)\[(\d+)\](\.Descriptor\(\))?\n`)
)

// late has the messages made ready by the first of them that is used.
func late(code []byte) ([]byte, error) {
	for _, want := range []*regexp.Regexp{initNow, initOnce, makeNow, theType} {
		if !want.Match(code) {
			return nil, errors.New("protoc-gen-go writes something else than late knows")
		}
	}
	var made []byte
	for _, m := range makeNow.FindAllSubmatch(code, -1) {
		made = fmt.Appendf(made, "\t%s_%sTypes = make([]%s, %s)\n", m[1], m[2], m[3], m[4])
	}
	code = makeNow.ReplaceAll(code, []byte("var ${1}_${2}Types []$3\n"))
	code = theType.ReplaceAll(code, []byte("$1${2}_ready().$3[$4]$5\n"))
	code = initNow.ReplaceAll(code, nil)
	return format.Source(initOnce.ReplaceAll(code, []byte(`
// ${1}_types are the file's, once they are ready.
type ${1}_types struct {
	msgTypes  []protoimpl.MessageInfo
	enumTypes []protoimpl.EnumInfo
}

var ${1}_ready = sync.OnceValue(func() ${1}_types {
	${1}_init()
	return ${1}_types{${1}_msgTypes, ${1}_enumTypes}
})

func ${1}_init() {
`+string(made))))
}
