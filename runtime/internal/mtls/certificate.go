package mtls

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"time"
)

// Tags of DER.
const (
	tagBitString = 0x03
	tagOctets    = 0x04
	tagSequence  = 0x30
	tagTime      = 0x17 // before 2050
	tagLongTime  = 0x18
	tagTagged3   = 0xa3
)

// What does not change from one certificate to the next, in DER.
const (
	derVersion3     = "\xa0\x03\x02\x01\x02"
	derECDSASHA256  = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
	derLocalhost    = "\x30\x14\x31\x12\x30\x10\x06\x03\x55\x04\x03\x13\x09" + ServerName
	derP256         = "\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
	derKeyUsage     = "\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x02\xac"                                                             // signature, encipherment, agreement, signing certificates
	derExtKeyUsage  = "\x30\x1d\x06\x03\x55\x1d\x25\x04\x16\x30\x14\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02" // server, client
	derIsCA         = "\x30\x0f\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff"
	derSubjectKeyID = "\x06\x03\x55\x1d\x0e"
	derNames        = "\x30\x2c\x06\x03\x55\x1d\x11\x04\x25\x30\x23\x82\x09" + ServerName +
		"\x87\x04\x7f\x00\x00\x01\x87\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
)

const serialSize = 16

// certificate is what x509.CreateCertificate makes of the same facts, without what that costs a process that has just begun: reflection over
// all of it, and a check of the signature that was just made.
func certificate(key *ecdsa.PrivateKey, serial [serialSize]byte, from, until time.Time) ([]byte, error) {
	public, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	id := sha256.Sum256(public)
	serial[0] = serial[0]&0x7f | 0x40 // positive, and of this length
	tbs := der(tagSequence, derVersion3,
		"\x02"+string([]byte{serialSize})+string(serial[:]),
		derECDSASHA256, derLocalhost, der(tagSequence, derTime(from), derTime(until)), derLocalhost,
		der(tagSequence, derP256, der(tagBitString, "\x00", string(public))),
		der(tagTagged3, der(tagSequence, derKeyUsage, derExtKeyUsage, derIsCA,
			der(tagSequence, derSubjectKeyID, der(tagOctets, der(tagOctets, string(id[:20])))), derNames)))
	sum := sha256.Sum256([]byte(tbs))
	signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return []byte(der(tagSequence, tbs, derECDSASHA256, der(tagBitString, "\x00", string(signature)))), nil
}

// der is one element that consists of parts, of less than 64 KiB.
func der(tag byte, parts ...string) string {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	b := make([]byte, 0, size+4)
	switch b = append(b, tag); {
	case size < 1<<7:
		b = append(b, byte(size))
	case size < 1<<8:
		b = append(b, 0x81, byte(size))
	default:
		b = append(b, 0x82, byte(size>>8), byte(size))
	}
	for _, part := range parts {
		b = append(b, part...)
	}
	return string(b)
}

func derTime(t time.Time) string {
	if t = t.UTC(); t.Year() < 2050 {
		return der(tagTime, t.Format("060102150405Z"))
	}
	return der(tagLongTime, t.Format("20060102150405Z"))
}
