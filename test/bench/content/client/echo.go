package main

import (
	"io"
	"net"
	"time"
)

// serveEcho gives every byte back, until it is ended.
func serveEcho(socket string) error {
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			_, _ = io.Copy(conn, conn)
		}()
	}
}

// echo times round trips of one byte; without a connection it does nothing.
type echo struct {
	conn  net.Conn
	times []time.Duration
	start time.Time
}

func dialEcho(socket string) (*echo, error) {
	if socket == "" {
		return &echo{}, nil
	}
	conn, err := net.Dial("unix", socket)
	return &echo{conn: conn, start: time.Now()}, err
}

func (e *echo) roundTrip() error {
	if e.conn == nil {
		return nil
	}
	before := time.Now()
	one := []byte{1}
	if _, err := e.conn.Write(one); err != nil {
		return err
	}
	if _, err := io.ReadFull(e.conn, one); err != nil {
		return err
	}
	e.times = append(e.times, time.Since(before))
	time.Sleep(time.Millisecond)
	return nil
}

func (e *echo) results() []result {
	if e.conn == nil {
		return nil
	}
	_ = e.conn.Close()
	return []result{summary("echo of another process", e.times, time.Since(e.start))}
}
