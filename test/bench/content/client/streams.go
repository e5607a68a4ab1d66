package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"sync"
	"time"

	contentapi "github.com/containerd/containerd/api/services/content/v1"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/content/proxy"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc"
)

const mib = 1 << 20

// write sends one blob by 1 MiB Writes and commits it; every MiB differs, and blobs of another seed do.
func write(ctx context.Context, conn *grpc.ClientConn, o options) ([]result, error) {
	w, err := proxy.NewContentStore(conn).Writer(ctx, content.WithRef(fmt.Sprintf("%s/%d", o.ref, time.Now().UnixNano())))
	if err != nil {
		return nil, err
	}
	chunk := make([]byte, mib)
	rand.New(rand.NewSource(o.seed)).Read(chunk)
	times := make([]time.Duration, 0, o.size/mib)
	start := time.Now()
	for i := int64(0); i < o.size/mib; i++ {
		chunk[0], chunk[1], chunk[2] = byte(i), byte(i>>8), byte(i>>16)
		before := time.Now()
		if _, err := w.Write(chunk); err != nil {
			return nil, err
		}
		o.count(len(chunk))
		times = append(times, time.Since(before))
	}
	if err := w.Commit(ctx, o.size, ""); err != nil {
		return nil, err
	}
	r := summary("write", times, time.Since(start))
	r.MiBps = mibps(o.size, time.Since(start))
	r.Digest = w.Digest().String()
	return []result{r}, nil
}

// smallReads is what unpacking does: 32 KiB ReadAts, one after another, by so many readers at once.
func smallReads(ctx context.Context, conn *grpc.ClientConn, o options, readers int) ([]result, error) {
	var group sync.WaitGroup
	times := make([][]time.Duration, readers)
	failures := make([]error, readers)
	start := time.Now()
	for reader := range readers {
		group.Add(1)
		go func() {
			defer group.Done()
			share := o.size / int64(readers)
			times[reader], failures[reader] = readRange(ctx, conn, o.digest, int64(reader)*share, share)
		}()
	}
	group.Wait()
	took := time.Since(start)
	if err := errors.Join(failures...); err != nil {
		return nil, err
	}
	var all []time.Duration
	for _, some := range times {
		all = append(all, some...)
	}
	r := summary(fmt.Sprintf("read32x%d", readers), all, took)
	r.MiBps = mibps(o.size, took)
	return []result{r}, nil
}

func readRange(ctx context.Context, conn *grpc.ClientConn, of string, from, length int64) ([]time.Duration, error) {
	ra, err := proxy.NewContentStore(conn).ReaderAt(ctx, ocispec.Descriptor{Digest: digest.Digest(of)})
	if err != nil {
		return nil, err
	}
	buffer := make([]byte, 32*1024)
	times := make([]time.Duration, 0, length/int64(len(buffer)))
	for at := from; at < from+length; at += int64(len(buffer)) {
		before := time.Now()
		n, err := ra.ReadAt(buffer, at)
		if err != nil || n != len(buffer) {
			return nil, fmt.Errorf("read %d bytes at %d: %w", n, at, err)
		}
		times = append(times, time.Since(before))
	}
	return times, nil
}

// oneRead reads the whole blob by a single call.
func oneRead(ctx context.Context, conn *grpc.ClientConn, o options) ([]result, error) {
	start := time.Now()
	stream, err := contentapi.NewContentClient(conn).Read(ctx, &contentapi.ReadContentRequest{Digest: o.digest})
	if err != nil {
		return nil, err
	}
	var total int64
	for {
		message, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		total += int64(len(message.Data))
		o.count(len(message.Data))
	}
	if total != o.size {
		return nil, fmt.Errorf("read %d bytes of %d", total, o.size)
	}
	took := time.Since(start)
	return []result{{What: "readone", MiBps: mibps(total, took), Seconds: took.Seconds()}}, nil
}
