// Package conformance runs containerd's own ContentSuite against a server of ours, over its socket, through the same
// proxy that containerd uses for a content plugin.
package conformance

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/content/proxy"
	"github.com/containerd/containerd/v2/core/content/testsuite"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// SHOAL_CONTENT_SERVER is the command that serves: words separated by blanks; {root} and {socket} are filled in.
const commandVariable = "SHOAL_CONTENT_SERVER"

func TestContentSuite(t *testing.T) {
	command := strings.Fields(os.Getenv(commandVariable))
	if len(command) == 0 {
		t.Fatalf("%s does not say how to start the server", commandVariable)
	}
	testsuite.ContentSuite(t, "shoal", func(ctx context.Context, root string) (context.Context, content.Store, func() error, error) {
		socket := filepath.Join(root, "content.sock")
		stop, err := start(command, map[string]string{"{root}": filepath.Join(root, "store"), "{socket}": socket})
		if err != nil {
			return ctx, nil, nil, err
		}
		client, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return ctx, nil, nil, errors.Join(err, stop())
		}
		return ctx, proxy.NewContentStore(client), func() error { return errors.Join(client.Close(), stop()) }, nil
	})
}

// start runs the server and waits for its socket; the returned function ends it by closing its standard input.
func start(command []string, places map[string]string) (func() error, error) {
	words := make([]string, len(command))
	for i, word := range command {
		for place, value := range places {
			word = strings.ReplaceAll(word, place, value)
		}
		words[i] = word
	}
	server := exec.Command(words[0], words[1:]...)
	server.Stderr = os.Stderr
	server.WaitDelay = 10 * time.Second
	input, err := server.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := server.Start(); err != nil {
		return nil, err
	}
	stop := func() error {
		return errors.Join(ignoreClosed(input.Close()), server.Wait())
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(places["{socket}"]); err == nil {
			return stop, nil
		}
	}
	return nil, errors.Join(errors.New("the server's socket did not appear"), server.Process.Kill(), stop())
}

func ignoreClosed(err error) error {
	if errors.Is(err, io.ErrClosedPipe) {
		return nil
	}
	return err
}
