package libdnsrecordsetter

import "github.com/libdns/libdns"

type RecordSetter = libdns.RecordSetter
