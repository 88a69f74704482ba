package s3

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy stands between the store and the server, and cuts what the store sends.
type proxy struct {
	address string
	cut     atomic.Int64 // after so many bytes of a connection; 0: never
}

func (p *proxy) cutAfter(bytes int64) { p.cut.Store(bytes) }

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: l.Addr().String()}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			in, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				continue
			}
			all.Go(func() { p.pass(in, to) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.cutAfter(1) // those that are open end with their next byte
	})
	return p
}

// pass hands the bytes of a connection on, both ways.
func (p *proxy) pass(in net.Conn, to string) {
	defer in.Close()
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer out.Close()
	var back sync.WaitGroup
	back.Go(func() {
		io.Copy(in, out)
		in.Close()
	})
	buffer := make([]byte, 256)
	for sent := int64(0); ; {
		n, err := in.Read(buffer)
		sent += int64(n)
		if most := p.cut.Load(); err != nil || most > 0 && sent > most {
			break
		}
		if _, err := out.Write(buffer[:n]); err != nil {
			break
		}
	}
	in.Close()
	out.Close()
	back.Wait()
}
