package object

import (
	"io"

	"google.golang.org/grpc"

	plugingen "github.com/plugingen/plugingen/runtime"
)

// The interfaces of package io that are served here, with the errors of a contract. A proxy has the methods of its interface
// and no others, except for WriteTo beside Read and ReadFrom beside Write, with which io.Copy moves large chunks.

// ioMethods are the methods that an interface has, as bits.
type ioMethods int

const (
	canRead ioMethods = 1 << iota
	canWrite
	canClose
	canSeek
	canReadAt
	canWriteAt
)

func ioType[T any](name string, can ioMethods, errors *plugingen.ErrorSet, proxy func(p *pipe) T) Type[T] {
	return Type[T]{
		Name:     "plugingen.io." + name,
		Describe: func() *grpc.ServiceDesc { return describeIO(can, errors) },
		Proxy: func(conn grpc.ClientConnInterface) T {
			return proxy(&pipe{conn: conn, errors: errors, name: "io." + name + "."})
		},
	}
}

// Reader is the type of an io.Reader.
func Reader(errors *plugingen.ErrorSet) Type[io.Reader] {
	return ioType("Reader", canRead, errors, func(p *pipe) io.Reader {
		return struct {
			*pipe
			reader
		}{p, reader{p}}
	})
}

// Writer is the type of an io.Writer.
func Writer(errors *plugingen.ErrorSet) Type[io.Writer] {
	return ioType("Writer", canWrite, errors, func(p *pipe) io.Writer {
		return struct {
			*pipe
			writer
		}{p, writer{p}}
	})
}

// Closer is the type of an io.Closer.
func Closer(errors *plugingen.ErrorSet) Type[io.Closer] {
	return ioType("Closer", canClose, errors, func(p *pipe) io.Closer {
		return struct {
			*pipe
			closer
		}{p, closer{p}}
	})
}

// Seeker is the type of an io.Seeker.
func Seeker(errors *plugingen.ErrorSet) Type[io.Seeker] {
	return ioType("Seeker", canSeek, errors, func(p *pipe) io.Seeker {
		return struct {
			*pipe
			seeker
		}{p, seeker{p}}
	})
}

// ReaderAt is the type of an io.ReaderAt.
func ReaderAt(errors *plugingen.ErrorSet) Type[io.ReaderAt] {
	return ioType("ReaderAt", canReadAt, errors, func(p *pipe) io.ReaderAt {
		return struct {
			*pipe
			readerAt
		}{p, readerAt{p}}
	})
}

// WriterAt is the type of an io.WriterAt.
func WriterAt(errors *plugingen.ErrorSet) Type[io.WriterAt] {
	return ioType("WriterAt", canWriteAt, errors, func(p *pipe) io.WriterAt {
		return struct {
			*pipe
			writerAt
		}{p, writerAt{p}}
	})
}

// ReadCloser is the type of an io.ReadCloser.
func ReadCloser(errors *plugingen.ErrorSet) Type[io.ReadCloser] {
	return ioType("ReadCloser", canRead|canClose, errors, func(p *pipe) io.ReadCloser {
		return struct {
			*pipe
			reader
			closer
		}{p, reader{p}, closer{p}}
	})
}

// WriteCloser is the type of an io.WriteCloser.
func WriteCloser(errors *plugingen.ErrorSet) Type[io.WriteCloser] {
	return ioType("WriteCloser", canWrite|canClose, errors, func(p *pipe) io.WriteCloser {
		return struct {
			*pipe
			writer
			closer
		}{p, writer{p}, closer{p}}
	})
}

// ReadWriter is the type of an io.ReadWriter.
func ReadWriter(errors *plugingen.ErrorSet) Type[io.ReadWriter] {
	return ioType("ReadWriter", canRead|canWrite, errors, func(p *pipe) io.ReadWriter {
		return struct {
			*pipe
			reader
			writer
		}{p, reader{p}, writer{p}}
	})
}

// ReadWriteCloser is the type of an io.ReadWriteCloser.
func ReadWriteCloser(errors *plugingen.ErrorSet) Type[io.ReadWriteCloser] {
	return ioType("ReadWriteCloser", canRead|canWrite|canClose, errors, func(p *pipe) io.ReadWriteCloser {
		return struct {
			*pipe
			reader
			writer
			closer
		}{p, reader{p}, writer{p}, closer{p}}
	})
}

// ReadSeeker is the type of an io.ReadSeeker.
func ReadSeeker(errors *plugingen.ErrorSet) Type[io.ReadSeeker] {
	return ioType("ReadSeeker", canRead|canSeek, errors, func(p *pipe) io.ReadSeeker {
		return struct {
			*pipe
			reader
			seeker
		}{p, reader{p}, seeker{p}}
	})
}

// ReadSeekCloser is the type of an io.ReadSeekCloser.
func ReadSeekCloser(errors *plugingen.ErrorSet) Type[io.ReadSeekCloser] {
	return ioType("ReadSeekCloser", canRead|canSeek|canClose, errors, func(p *pipe) io.ReadSeekCloser {
		return struct {
			*pipe
			reader
			seeker
			closer
		}{p, reader{p}, seeker{p}, closer{p}}
	})
}

// WriteSeeker is the type of an io.WriteSeeker.
func WriteSeeker(errors *plugingen.ErrorSet) Type[io.WriteSeeker] {
	return ioType("WriteSeeker", canWrite|canSeek, errors, func(p *pipe) io.WriteSeeker {
		return struct {
			*pipe
			writer
			seeker
		}{p, writer{p}, seeker{p}}
	})
}

// ReadWriteSeeker is the type of an io.ReadWriteSeeker.
func ReadWriteSeeker(errors *plugingen.ErrorSet) Type[io.ReadWriteSeeker] {
	return ioType("ReadWriteSeeker", canRead|canWrite|canSeek, errors, func(p *pipe) io.ReadWriteSeeker {
		return struct {
			*pipe
			reader
			writer
			seeker
		}{p, reader{p}, writer{p}, seeker{p}}
	})
}
