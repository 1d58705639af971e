package transporttpm

import "github.com/google/go-tpm/tpm2/transport"

type TPM = transport.TPM
