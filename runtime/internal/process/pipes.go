package process

import "os"

// pipes are the two that a child writes to.
type pipes struct {
	outR, outW, errR, errW *os.File
}

func openPipes() (*pipes, error) {
	outR, outW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	errR, errW, err := os.Pipe()
	if err != nil {
		_ = outR.Close()
		_ = outW.Close()
		return nil, err
	}
	return &pipes{outR: outR, outW: outW, errR: errR, errW: errW}, nil
}

func (p *pipes) closeWriters() {
	_ = p.outW.Close()
	_ = p.errW.Close()
}

func (p *pipes) closeReaders() {
	_ = p.outR.Close()
	_ = p.errR.Close()
}
