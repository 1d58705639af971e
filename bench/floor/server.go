package floor

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"

	"github.com/plugingen/plugingen/bench/load"
)

// Serve answers every connection of l until l is closed.
func Serve(l net.Listener, work load.Work) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer func() { _ = conn.Close() }()
			serve(&frames{conn: conn}, work)
		}()
	}
}

// serve ends with the connection.
func serve(f *frames, work load.Work) {
	for {
		op, body, err := f.read()
		if err != nil {
			return
		}
		reply, err := answer(work, op, body)
		if err != nil {
			op, reply = opError, []byte(err.Error())
		}
		if err := f.write(op, reply); err != nil {
			return
		}
	}
}

func answer(work load.Work, op byte, body []byte) ([]byte, error) {
	ctx := context.Background()
	switch {
	case op == opEcho:
		return body, nil
	case op == opPut:
		size, err := work.Put(ctx, body)
		return number(size), err
	case op == opGet && len(body) == 8:
		return work.Get(ctx, int64(binary.LittleEndian.Uint64(body)))
	case op == opHold && len(body) == 8:
		return nil, work.Hold(ctx, int64(binary.LittleEndian.Uint64(body)))
	case op == opPrint && len(body) > 8:
		return nil, work.Print(ctx, string(body[8:]), int64(binary.LittleEndian.Uint64(body)))
	case op == opUsage:
		usage, err := work.Usage(ctx)
		return numbers(usage), err
	default:
		return nil, fmt.Errorf("floor: operation %d with %d bytes is not served", op, len(body))
	}
}

func number(n int64) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(n)) }

func numbers(all []int64) []byte {
	var out []byte
	for _, n := range all {
		out = append(out, number(n)...)
	}
	return out
}
