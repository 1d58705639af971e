package tinkaead

import "github.com/tink-crypto/tink-go/v2/tink"

type AEAD = tink.AEAD
