// Command client measures a containerd content service over its socket, as containerd itself would use it. It prints one
// JSON object for each measurement. With -serve it is the reference: containerd's own service over its own local store.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"sort"
	"strings"
	"sync/atomic"
	"time"

	contentapi "github.com/containerd/containerd/api/services/content/v1"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/containerd/v2/plugins/services/content/contentserver"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

type options struct {
	size   int64
	digest string
	ref    string
	echo   string
	seed   int64
	// Grows by the bytes that were written or read; nil when nobody counts.
	moved *atomic.Int64
}

func (o options) count(bytes int) {
	if o.moved != nil {
		o.moved.Add(int64(bytes))
	}
}

// result is one measurement; times are in microseconds.
type result struct {
	What    string  `json:"what"`
	MiBps   float64 `json:"mibps,omitempty"`
	Seconds float64 `json:"seconds"`
	Calls   int     `json:"calls,omitempty"`
	P50     float64 `json:"p50_us,omitempty"`
	P99     float64 `json:"p99_us,omitempty"`
	Max     float64 `json:"max_us,omitempty"`
	Digest  string  `json:"digest,omitempty"`
}

var measurements = map[string]func(context.Context, *grpc.ClientConn, options) ([]result, error){
	"write": write,
	"read32x1": func(ctx context.Context, c *grpc.ClientConn, o options) ([]result, error) {
		return smallReads(ctx, c, o, 1)
	},
	"read32x8": func(ctx context.Context, c *grpc.ClientConn, o options) ([]result, error) {
		return smallReads(ctx, c, o, 8)
	},
	"readone": oneRead,
	"info":    infoUnderLoad,
	"infos":   askInfos,
	"load":    load,
	"lock":    timeInLock,
}

func main() {
	var o options
	socket := flag.String("socket", "", "where the service listens")
	root := flag.String("serve", "", "serve containerd's own store below this directory instead")
	what := flag.String("what", "", "measurements, by commas")
	flag.Int64Var(&o.size, "size", 1<<30, "bytes of the blob")
	flag.StringVar(&o.digest, "digest", "", "the blob to read")
	echoSocket := flag.String("serve-echo", "", "serve an echo on this socket instead")
	flag.StringVar(&o.echo, "echo", "", "where an echo listens")
	flag.StringVar(&o.ref, "ref", "bench", "first part of the refs to write")
	flag.Parse()
	if *root != "" {
		log.Fatal(serve(*root, *socket))
	}
	if *echoSocket != "" {
		log.Fatal(serveEcho(*echoSocket))
	}
	o.seed = time.Now().UnixNano()
	conn, err := grpc.NewClient("unix:"+*socket, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(16<<20), grpc.MaxCallSendMsgSize(16<<20)))
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range strings.Split(*what, ",") {
		measure, ok := measurements[name]
		if !ok {
			log.Fatalf("no measurement %q", name)
		}
		results, err := measure(context.Background(), conn, o)
		if err != nil {
			log.Fatalf("%s: %v", name, err)
		}
		for _, r := range results {
			if r.Digest != "" {
				o.digest = r.Digest
			}
			if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
				log.Fatal(err)
			}
		}
	}
}

func serve(root, socket string) error {
	store, err := local.NewStore(root)
	if err != nil {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(16<<20), grpc.MaxSendMsgSize(16<<20))
	contentapi.RegisterContentServer(server, contentserver.New(store))
	fmt.Println("ready")
	return server.Serve(listener)
}

// summary of the times of calls; they are sorted in place.
func summary(what string, times []time.Duration, total time.Duration) result {
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	at := func(share float64) float64 {
		return float64(times[int(share*float64(len(times)-1))].Nanoseconds()) / 1000
	}
	return result{What: what, Seconds: total.Seconds(), Calls: len(times), P50: at(0.5), P99: at(0.99), Max: at(1)}
}

func mibps(bytes int64, took time.Duration) float64 {
	return float64(bytes) / (1 << 20) / took.Seconds()
}
