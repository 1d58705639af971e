package host

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"

	"github.com/plugingen/plugingen/runtime/internal/process"
	"github.com/plugingen/plugingen/runtime/transport"
)

// defaultAlgorithm is that of FileChecksum.
const defaultAlgorithm = "sha256"

// algorithms are those of Config.Checksum.
func algorithms() map[string]func() hash.Hash {
	return map[string]func() hash.Hash{defaultAlgorithm: sha256.New, "sha384": sha512.New384, "sha512": sha512.New}
}

// ChecksumError says that a plugin's file is not the one that Config.Checksum names. Nothing of the file has run.
type ChecksumError struct {
	Path      string
	Want, Got string // as in Config.Checksum
}

// Error names both sums.
func (e *ChecksumError) Error() string {
	return fmt.Sprintf("%v: the file's is %s, not %s", ErrChecksum, e.Got, e.Want)
}

// Unwrap returns ErrChecksum.
func (e *ChecksumError) Unwrap() error { return ErrChecksum }

// FileChecksum returns the checksum of a file as Config.Checksum takes it, with SHA-256.
func FileChecksum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("checksum: %w", err)
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("checksum: %w", err)
	}
	return formatChecksum(defaultAlgorithm, h.Sum(nil)), nil
}

func formatChecksum(algorithm string, sum []byte) string {
	return algorithm + ":" + hex.EncodeToString(sum)
}

// parseChecksum takes letters of either case.
func parseChecksum(text string) (algorithm string, sum *process.Sum, err error) {
	name, digits, found := strings.Cut(text, ":")
	algorithm = strings.ToLower(name)
	newHash, known := algorithms()[algorithm]
	if !found || !known {
		return "", nil, errors.New("checksum: it must be sha256:, sha384: or sha512: and hexadecimal digits")
	}
	want, err := hex.DecodeString(digits)
	if err != nil || len(want) != newHash().Size() {
		return "", nil, fmt.Errorf("checksum: %s needs %d hexadecimal digits", algorithm, 2*newHash().Size())
	}
	return algorithm, &process.Sum{New: newHash, Want: want}, nil
}

// withChecksum makes the process check what it starts.
func (l Launch) withChecksum(cfg process.Config) (process.Config, error) {
	if l.Checksum == "" {
		return cfg, nil
	}
	_, sum, err := parseChecksum(l.Checksum)
	cfg.Sum, cfg.Folder = sum, copyFolder
	return cfg, err
}

// copyFolder is swept like a socket folder when this host is killed, on systems that have those. The socket's own will not do: a
// group may be able to write to it.
func copyFolder() (string, func() error, error) {
	dir, err := transport.NewSocketDir("", "")
	if err == nil {
		return dir.Path(), dir.Remove, nil
	}
	path, err := os.MkdirTemp("", "plugin")
	return path, func() error { return os.RemoveAll(path) }, err
}

// checksumError says what package process found in the words of the Config.
func (l Launch) checksumError(err error) error {
	sums, ok := errors.AsType[*process.SumError](err)
	if !ok {
		return err
	}
	algorithm, _, _ := parseChecksum(l.Checksum)
	return &ChecksumError{Path: l.Path, Want: formatChecksum(algorithm, sums.Want), Got: formatChecksum(algorithm, sums.Got)}
}
