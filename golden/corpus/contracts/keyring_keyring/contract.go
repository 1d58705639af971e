package keyringkeyring

import "github.com/99designs/keyring"

// Keyring is keyring.Keyring, as it stands.
type Keyring = keyring.Keyring
