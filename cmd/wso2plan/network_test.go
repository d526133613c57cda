package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// A memoryNetwork connects what listens and calls in this process. Those that wait for each other by
// it wait in a way that package testing/synctest knows of, so that in its bubbles time passes only
// while all wait: no answer is late because this machine is slow, and no pause takes long.
type memoryNetwork struct {
	mu        sync.Mutex
	listeners map[int]*memoryListener // by port
	ports     int                     // given away so far
}

func newMemoryNetwork() *memoryNetwork {
	return &memoryNetwork{listeners: map[int]*memoryListener{}}
}

// port returns a free one.
func (n *memoryNetwork) port() int {
	n.ports++
	return 1024 + n.ports%60000
}

func loopback(port int) *net.TCPAddr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port} }

// Listen listens at a port of its own choice.
func (n *memoryNetwork) Listen(_, _ string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := &memoryListener{network: n, address: loopback(n.port()), calls: make(chan net.Conn), closed: make(chan struct{})}
	n.listeners[l.address.Port] = l
	return l, nil
}

// DialContext calls a port, whatever the host.
func (n *memoryNetwork) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	l, from := n.listeners[port], loopback(n.port())
	n.mu.Unlock()
	refused := &net.OpError{Op: "dial", Net: network, Addr: loopback(port), Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	if l == nil {
		return nil, refused
	}
	there, back := newMemoryPipe(), newMemoryPipe()
	select {
	case l.calls <- &memoryConn{in: there, out: back, local: l.address, remote: from}:
		return &memoryConn{in: back, out: there, local: from, remote: l.address}, nil
	case <-l.closed:
		return nil, refused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type memoryListener struct {
	network *memoryNetwork
	address *net.TCPAddr
	calls   chan net.Conn
	once    sync.Once
	closed  chan struct{}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.calls:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() {
		l.network.mu.Lock()
		defer l.network.mu.Unlock()
		delete(l.network.listeners, l.address.Port)
		close(l.closed)
	})
	return nil
}

func (l *memoryListener) Addr() net.Addr { return l.address }

// A memoryPipe is one direction of a connection. It holds whatever was written and not read yet.
type memoryPipe struct {
	mu       sync.Mutex
	changed  sync.Cond
	data     []byte
	ended    bool // by its writer
	broken   bool // by its reader
	deadline time.Time
	alarm    *time.Timer
}

func newMemoryPipe() *memoryPipe {
	p := &memoryPipe{}
	p.changed.L = &p.mu
	return p
}

func (p *memoryPipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.broken:
			return 0, net.ErrClosed
		case !p.deadline.IsZero() && !time.Now().Before(p.deadline):
			return 0, os.ErrDeadlineExceeded
		case len(p.data) > 0:
			n := copy(b, p.data)
			p.data = p.data[n:]
			return n, nil
		case p.ended:
			return 0, io.EOF
		case len(b) == 0:
			return 0, nil
		}
		p.changed.Wait()
	}
}

func (p *memoryPipe) write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.ended:
		return 0, net.ErrClosed
	case p.broken:
		return 0, syscall.EPIPE
	}
	p.data = append(p.data, b...)
	p.changed.Broadcast()
	return len(b), nil
}

// set changes the pipe and wakes who waits at it.
func (p *memoryPipe) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	p.changed.Broadcast()
}

func (p *memoryPipe) setDeadline(t time.Time) {
	p.set(func() {
		if p.alarm != nil {
			p.alarm.Stop()
			p.alarm = nil
		}
		if p.deadline = t; !t.IsZero() && !p.broken {
			p.alarm = time.AfterFunc(time.Until(t), func() { p.set(func() {}) })
		}
	})
}

// A memoryConn is one end of a connection.
type memoryConn struct {
	in, out       *memoryPipe
	local, remote net.Addr
}

func (c *memoryConn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *memoryConn) Write(b []byte) (int, error) { return c.out.write(b) }
func (c *memoryConn) LocalAddr() net.Addr         { return c.local }
func (c *memoryConn) RemoteAddr() net.Addr        { return c.remote }

// Close ends both directions. What was written before can still be read at the other end.
func (c *memoryConn) Close() error {
	c.in.setDeadline(time.Time{})
	c.in.set(func() { c.in.broken = true })
	c.out.set(func() { c.out.ended = true })
	return nil
}

func (c *memoryConn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(t)
	return nil
}

// SetWriteDeadline does nothing: no write waits.
func (c *memoryConn) SetWriteDeadline(time.Time) error { return nil }

func (c *memoryConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}
