package keyringkeyring

import "github.com/99designs/keyring"

type Keyring = keyring.Keyring
