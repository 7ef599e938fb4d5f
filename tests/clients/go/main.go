// A complete client of irhub in Go, in two parts: through the hub, and straight to the adapters.
//
//	client hub HUB MODEL TARGET FOLDER
//	client adapters SOURCE_ADAPTER TARGET_ADAPTER MODEL
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

const usage = `usage:
  client hub HUB MODEL TARGET FOLDER
      convert MODEL with the hub at HUB, and write what comes out into FOLDER
  client adapters SOURCE_ADAPTER TARGET_ADAPTER MODEL
      do the same with two adapters and no hub, and compare the outputs
Set IRHUB_CA to a file of certificates to connect with TLS, IRHUB_TOKEN to a hub's token.`

func main() {
	// A conversion takes as long as it takes; this is when to stop believing in it.
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 5 && args[0] == "hub":
		return throughHub(ctx, args[1], args[2], args[3], args[4])
	case len(args) == 4 && args[0] == "adapters":
		return straight(ctx, args[1], args[2], args[3])
	}
	return errors.New(usage)
}

// connect opens a connection: with TLS where IRHUB_CA says whom to trust, else without.
func connect(address string) (*grpc.ClientConn, error) {
	options := []grpc.DialOption{grpc.WithInsecure()}
	if file := os.Getenv("IRHUB_CA"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificates in PEM", file)
		}
		options = []grpc.DialOption{
			grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: roots})),
		}
		if token := os.Getenv("IRHUB_TOKEN"); token != "" {
			options = append(options, grpc.WithPerRPCCredentials(bearer(token)))
		}
	}
	return grpc.Dial(address, options...)
}

// bearer sends a token with every call.
type bearer string

func (token bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(token)}, nil
}

func (bearer) RequireTransportSecurity() bool { return true }
