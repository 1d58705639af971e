package gokeyringkeyring

import keyring "github.com/zalando/go-keyring"

// Keyring is keyring.Keyring, as it stands.
type Keyring = keyring.Keyring
