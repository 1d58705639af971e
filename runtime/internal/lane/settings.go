package lane

import (
	"encoding/binary"
	"io"
	"math"
)

// Version is the framing's version that this package speaks.
const Version = 1

// magic begins the preface: neither HTTP/2 nor TLS begins so.
const magic = "\xf0lane"

const (
	prefaceSize = len(magic) + 3 // magic, version, length of the settings
	settingSize = 6
)

const (
	settingMaxMessage uint16 = 1
	settingMaxCalls   uint16 = 2
	settingWindow     uint16 = 3
)

// What a peer may count on before it has read the other's settings, and the least that settings may say.
const (
	floorMessage = 64 << 10
	floorCalls   = 16
	floorWindow  = 64 << 10
)

// settings are the limits that one side states in its preface.
type settings struct {
	maxMessage int // bytes of one message that it takes
	maxCalls   int // calls it serves at once: their ids are below
	window     int // bytes of messages on a call that it takes before it returns credit
}

func floorSettings() settings {
	return settings{maxMessage: floorMessage, maxCalls: floorCalls, window: floorWindow}
}

func (s settings) preface() []byte {
	b := append([]byte(magic), Version)
	b = binary.LittleEndian.AppendUint16(b, 3*settingSize)
	for _, v := range []struct {
		id    uint16
		value int
	}{{settingMaxMessage, s.maxMessage}, {settingMaxCalls, s.maxCalls}, {settingWindow, s.window}} {
		b = binary.LittleEndian.AppendUint16(b, v.id)
		b = binary.LittleEndian.AppendUint32(b, uint32(v.value))
	}
	return b
}

// readPreface reads the peer's preface. A higher version is fine: both sides then speak the lower one, which is ours.
func readPreface(r io.Reader) (settings, error) {
	var b [prefaceSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return settings{}, err
	}
	if string(b[:len(magic)]) != magic {
		return settings{}, protocolError("preface begins with %q", b[:len(magic)])
	}
	if v := b[len(magic)]; v < Version {
		return settings{}, protocolError("version %d, need %d", v, Version)
	}
	body := make([]byte, settingsSize(b[:]))
	if _, err := io.ReadFull(r, body); err != nil {
		return settings{}, err
	}
	return parseSettings(body)
}

// settingsSize is how many bytes of settings follow the beginning of a preface.
func settingsSize(b []byte) int { return int(binary.LittleEndian.Uint16(b[len(magic)+1:])) }

func parseSettings(body []byte) (settings, error) {
	s := floorSettings()
	if len(body)%settingSize != 0 {
		return s, protocolError("settings of %d bytes", len(body))
	}
	for ; len(body) > 0; body = body[settingSize:] {
		value := int(min(binary.LittleEndian.Uint32(body[2:]), math.MaxInt32))
		switch binary.LittleEndian.Uint16(body) {
		case settingMaxMessage:
			s.maxMessage = value
		case settingMaxCalls:
			s.maxCalls = value
		case settingWindow:
			s.window = value
		}
	}
	if s.maxMessage < floorMessage || s.maxCalls < floorCalls || s.window < floorWindow {
		return s, protocolError("settings below the least: messages of %d bytes, %d calls, window of %d bytes", s.maxMessage, s.maxCalls, s.window)
	}
	return s, nil
}
