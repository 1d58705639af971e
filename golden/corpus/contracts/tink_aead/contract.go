package tinkaead

import "github.com/tink-crypto/tink-go/v2/tink"

// AEAD is tink.AEAD, as it stands.
type AEAD = tink.AEAD
