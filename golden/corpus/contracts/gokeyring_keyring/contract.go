package gokeyringkeyring

import keyring "github.com/zalando/go-keyring"

type Keyring = keyring.Keyring
