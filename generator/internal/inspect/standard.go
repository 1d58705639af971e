package inspect

import (
	"go/ast"
	"strconv"
	"strings"

	"github.com/plugingen/plugingen/generator/model"
)

// standardSentinels are error values of the standard library that people test for. They cross for contracts whose package
// imports theirs, so that no other plugin links it. Those that the runtime always knows are not here.
func standardSentinels(importPath string) string {
	switch importPath {
	case "archive/tar":
		return "ErrFieldTooLong ErrHeader ErrInsecurePath ErrWriteAfterClose ErrWriteTooLong"
	case "archive/zip":
		return "ErrAlgorithm ErrChecksum ErrFormat ErrInsecurePath"
	case "bufio":
		return "ErrBufferFull ErrNegativeCount ErrTooLong"
	case "compress/gzip":
		return "ErrChecksum ErrHeader"
	case "compress/zlib":
		return "ErrChecksum ErrDictionary ErrHeader"
	case "crypto/rsa":
		return "ErrDecryption ErrMessageTooLong ErrVerification"
	case "crypto/x509":
		return "ErrUnsupportedAlgorithm IncorrectPasswordError"
	case "database/sql":
		return "ErrConnDone ErrNoRows ErrTxDone"
	case "database/sql/driver":
		return "ErrBadConn ErrRemoveArgument ErrSkip"
	case "encoding/csv":
		return "ErrBareQuote ErrFieldCount ErrQuote"
	case "encoding/hex":
		return "ErrLength"
	case "image":
		return "ErrFormat"
	case "mime":
		return "ErrInvalidMediaParameter"
	case "mime/multipart":
		return "ErrMessageTooLarge"
	case "net":
		return "ErrWriteToConnected"
	case "net/http":
		return "ErrAbortHandler ErrBodyNotAllowed ErrBodyReadAfterClose ErrContentLength ErrHandlerTimeout ErrHijacked ErrLineTooLong " +
			"ErrMissingFile ErrNoCookie ErrNoLocation ErrNotMultipart ErrNotSupported ErrSchemeMismatch ErrServerClosed ErrUseLastResponse"
	case "os/exec":
		return "ErrDot ErrNotFound ErrWaitDelay"
	case "path":
		return "ErrBadPattern"
	case "path/filepath":
		return "ErrBadPattern"
	}
	return ""
}

// importedSentinels are those of the packages that the contract's package imports, under any name.
func importedSentinels(files []*ast.File) []model.Sentinel {
	var found []model.Sentinel
	seen := map[string]bool{}
	for _, file := range files {
		for _, spec := range file.Imports {
			importPath, err := strconv.Unquote(spec.Path.Value)
			if err != nil || seen[importPath] {
				continue
			}
			seen[importPath] = true
			for name := range strings.FieldsSeq(standardSentinels(importPath)) {
				found = append(found, model.Sentinel{Package: model.Package{Path: importPath, Name: importPath[strings.LastIndexByte(importPath, '/')+1:]}, Name: name})
			}
		}
	}
	return found
}
