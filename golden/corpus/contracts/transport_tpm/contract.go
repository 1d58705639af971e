package transporttpm

import "github.com/google/go-tpm/tpm2/transport"

// TPM is transport.TPM, as it stands.
type TPM = transport.TPM
