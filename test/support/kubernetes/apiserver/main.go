// Command apiserver is Kubernetes' own API server with an etcd of its own inside, for tests on one machine. Its arguments are
// kube-apiserver's; ETCD_DIRECTORY is where etcd keeps its files, ETCD_CLIENT and ETCD_PEER are its addresses on loopback.
package main

import (
	"fmt"
	"net/url"
	"os"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	if err := startEtcd(); err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		os.Exit(1)
	}
	os.Exit(cli.Run(app.NewAPIServerCommand()))
}

func startEtcd() error {
	client, err := url.Parse(os.Getenv("ETCD_CLIENT"))
	if err != nil {
		return err
	}
	peer, err := url.Parse(os.Getenv("ETCD_PEER"))
	if err != nil {
		return err
	}
	config := embed.NewConfig()
	config.Dir = os.Getenv("ETCD_DIRECTORY")
	config.LogLevel = "warn"
	config.UnsafeNoFsync = true
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	server, err := embed.StartEtcd(config)
	if err != nil {
		return err
	}
	<-server.Server.ReadyNotify()
	return nil
}
