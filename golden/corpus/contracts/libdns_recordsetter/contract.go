package libdnsrecordsetter

import "github.com/libdns/libdns"

// RecordSetter is libdns.RecordSetter, as it stands.
type RecordSetter = libdns.RecordSetter
