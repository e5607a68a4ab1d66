package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"math/rand"
	"os"
	"sync/atomic"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/content/proxy"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	"google.golang.org/grpc"
)

const infoCalls = 1000

// infoUnderLoad asks Info for known, unknown and claimable digests while a write and a read stream run at full speed on
// the same connection, as containerd's do.
func infoUnderLoad(ctx context.Context, conn *grpc.ClientConn, o options) ([]result, error) {
	loaded, stop := context.WithCancel(ctx)
	defer stop()
	startLoad(loaded, conn, o)
	time.Sleep(time.Second)
	return askInfos(ctx, conn, o)
}

// load runs a write and a read stream at full speed until standard input ends, and says how fast they were.
func load(ctx context.Context, conn *grpc.ClientConn, o options) ([]result, error) {
	loaded, stop := context.WithCancel(ctx)
	defer stop()
	start := time.Now()
	written, read := startLoad(loaded, conn, o)
	_, err := io.Copy(io.Discard, os.Stdin)
	took := time.Since(start)
	return []result{
		{What: "load write", Seconds: took.Seconds(), MiBps: mibps(written.Load(), took)},
		{What: "load read", Seconds: took.Seconds(), MiBps: mibps(read.Load(), took)},
	}, err
}

func startLoad(ctx context.Context, conn *grpc.ClientConn, o options) (written, read *atomic.Int64) {
	// Always the same blob: the service takes and proves all of it each time, and the disk keeps one.
	w := options{size: 256 * mib, ref: o.ref, seed: 1, moved: new(atomic.Int64)}
	r := o
	r.moved = new(atomic.Int64)
	go repeat(ctx, func() error { return ignoreExisting(write(ctx, conn, w)) })
	go repeat(ctx, func() error { _, err := oneRead(ctx, conn, r); return err })
	return w.moved, r.moved
}

func ignoreExisting(_ []result, err error) error {
	if errdefs.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// askInfos times Info for known, unknown and claimable digests. Where an echo listens, each call is followed by a round trip
// to that: what this machine needs for an answer that costs nothing, in the same seconds.
func askInfos(ctx context.Context, conn *grpc.ClientConn, o options) ([]result, error) {
	store := proxy.NewContentStore(conn)
	echo, err := dialEcho(o.echo)
	if err != nil {
		return nil, err
	}
	kinds := []struct {
		name   string
		digest func(i int) digest.Digest
	}{
		{"info known", func(int) digest.Digest { return digest.Digest(o.digest) }},
		{"info unknown", func(i int) digest.Digest { return digest.FromString(fmt.Sprint("unknown", i)) }},
		{"info claimable", func(i int) digest.Digest {
			return digest.Digest(fmt.Sprintf("sha256:c1a1%060x", i))
		}},
	}
	var results []result
	for _, kind := range kinds {
		times := make([]time.Duration, 0, infoCalls)
		start := time.Now()
		for i := range infoCalls {
			before := time.Now()
			_, _ = store.Info(ctx, kind.digest(i))
			times = append(times, time.Since(before))
			time.Sleep(time.Millisecond)
			if err := echo.roundTrip(); err != nil {
				return nil, err
			}
		}
		results = append(results, summary(kind.name, times, time.Since(start)))
	}
	return append(results, echo.results()...), nil
}

// repeat ends the program when the load breaks off: what is measured beside it would look better than it is.
func repeat(ctx context.Context, do func() error) {
	for ctx.Err() == nil {
		if err := do(); err != nil && ctx.Err() == nil {
			log.Fatalf("load: %v", err)
		}
	}
}

// timeInLock is how long containerd's database would be locked by opening, resuming and committing one large Write.
func timeInLock(ctx context.Context, conn *grpc.ClientConn, o options) ([]result, error) {
	store := proxy.NewContentStore(conn)
	ref := content.WithRef(fmt.Sprintf("%s/lock/%d", o.ref, time.Now().UnixNano()))
	var w content.Writer
	var results []result
	timed := func(what string, do func() error) error {
		start := time.Now()
		err := do()
		results = append(results, result{What: what, Seconds: time.Since(start).Seconds()})
		return err
	}
	open := func() (err error) { w, err = content.OpenWriter(ctx, store, ref); return err }
	if err := timed("lock open", open); err != nil {
		return nil, err
	}
	chunk := make([]byte, mib)
	rand.New(rand.NewSource(time.Now().UnixNano())).Read(chunk)
	if err := writeSome(w, chunk, o.size/mib-1); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	time.Sleep(2 * time.Second)
	if err := timed("lock resume", open); err != nil {
		return nil, err
	}
	if err := writeSome(w, chunk, 1); err != nil {
		return nil, err
	}
	commit := func() error {
		if _, err := w.Status(); err != nil {
			return err
		}
		return w.Commit(ctx, o.size, "")
	}
	err := timed("lock commit", commit)
	return results, err
}

func writeSome(w content.Writer, chunk []byte, count int64) error {
	for i := range count {
		chunk[0], chunk[1], chunk[2] = byte(i), byte(i>>8), byte(i>>16)
		if _, err := w.Write(chunk); err != nil {
			return err
		}
	}
	return nil
}
