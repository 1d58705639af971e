package relay

import "time"

// roles says which attributes of a line are the record's own: their places, or -1.
type roles struct {
	message, time, level int
	messageRank          int // the lower the better
	timeRank             int
	text                 string // of the message
	name                 string // of the level
	plain                bool   // the name says no more than the level
	at                   time.Time
}

const noRank = 100

func noRoles() roles {
	return roles{message: -1, time: -1, level: -1, messageRank: noRank, timeRank: noRank}
}

// known says whether the line is a log record at all, and not any other data.
func (r *roles) known() bool { return r.message >= 0 || r.level >= 0 }

// see notes a string: raw is how it is written, text is its value, safe to show. Of two candidates the better key wins,
// of two equal ones the first; the other stays an attribute. For the level only what is written counts, and the first
// that is one: as classify has seen it.
func (r *roles) see(at int, key, raw []byte, text string) {
	switch {
	case isLevelKey(key):
		if _, ok := parseLevel(raw); ok && r.level < 0 {
			r.level = at
			r.name = text
			r.plain = isPlainLevel(raw)
		}
	case messageRank(key) < r.messageRank:
		r.message, r.messageRank, r.text = at, messageRank(key), text
	case timeRank(key) < r.timeRank:
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil && !t.IsZero() {
			r.time, r.timeRank, r.at = at, timeRank(key), t
		}
	}
}

// seeOther notes a value that is not a string; raw is its JSON. It can only be the message of a careless logger.
func (r *roles) seeOther(at int, key []byte, raw string) {
	if rank := messageRank(key); rank <= 1 && rank < r.messageRank {
		r.message, r.messageRank, r.text = at, rank, string(safeJSON(raw))
	}
}

func messageRank(key []byte) int {
	switch string(key) {
	case "@message":
		return 0
	case "msg":
		return 1
	case "message":
		return 2
	case "event": // Python's structlog
		return 3
	}
	return noRank
}

func timeRank(key []byte) int {
	switch string(key) {
	case "@timestamp":
		return 0
	case "time":
		return 1
	case "timestamp", "ts":
		return 2
	}
	return noRank
}
