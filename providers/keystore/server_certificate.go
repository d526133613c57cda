package keystore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

// serverCertificate reads the certificates that a server presents.
type serverCertificate struct{ typ *schema.Type }

func newServerCertificate() engine.Finder {
	t := &schema.Type{
		Name:     "keystore_server_certificate",
		DataOnly: true,
		Doc: "The certificate chain that a server presents. Nothing about it is verified: whoever puts it into a trust store trusts the network " +
			"at that moment, so compare `sha256` with what the server's owner says.",
		Block: schema.Block{Attributes: append([]schema.Attribute{
			{Name: "address", Type: cty.String, Required: true, Validate: func(v cty.Value) error { _, _, err := addressOf(v.AsString()); return err },
				Doc: "The server, as `host:port` or `https://host`; port 443 by default."},
			{Name: "server_name", Type: cty.String, Validate: notEmpty, Doc: "Name to ask for (SNI), where it is not the host of the address."},
			{Name: "timeout", Type: cty.String, Default: cty.StringVal("10s"), Validate: duration, Doc: "How long to wait for the server."},
			{Name: "certificate", Type: cty.String, ReadOnly: true, Doc: "The server's own certificate, as PEM."},
			{Name: "chain", Type: cty.List(cty.String), ReadOnly: true, Doc: "All that it presents, each as PEM, its own first."},
			{Name: "self_signed", Type: cty.Bool, ReadOnly: true, Doc: "Whether it is its own authority: then `certificate` is what others must trust, else the last of the authorities."},
		}, certificateAttributes("")...)},
	}
	return &serverCertificate{t}
}

// addressOf reads an address and returns "host:port" and the host.
func addressOf(text string) (address, host string, err error) {
	bad := fmt.Errorf("%q is no address of a server: write \"host:port\", such as \"localhost:9443\"", text)
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		if u.Scheme != "https" {
			return "", "", fmt.Errorf("%q is not an https address, and only such servers present certificates", text)
		}
		text = u.Host
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		if host, port, err = net.SplitHostPort(net.JoinHostPort(text, "443")); err != nil || host != text {
			return "", "", bad
		}
	}
	if n, err := net.LookupPort("tcp", port); err != nil || n == 0 || host == "" {
		return "", "", bad
	}
	return net.JoinHostPort(host, port), host, nil
}

// Schema returns the table.
func (d *serverCertificate) Schema() *schema.Type { return d.typ }

// Find asks the server for its chain.
func (d *serverCertificate) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	wanted, _ = wanted.UnmarkDeep()
	fail := func(err error) (*engine.Object, error) {
		return nil, &engine.AttributeError{Attribute: "address", Err: err}
	}
	address, host, err := addressOf(stringOf(wanted, "address"))
	if err != nil {
		return fail(err)
	}
	if name := stringOf(wanted, "server_name"); name != "" {
		host = name
	}
	timeout, err := time.ParseDuration(stringOf(wanted, "timeout"))
	if err != nil {
		return nil, &engine.AttributeError{Attribute: "timeout", Err: err}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("it did not answer within %s", timeout))
	defer cancel()
	chain, err := presented(ctx, address, host)
	if err != nil {
		return fail(err)
	}
	attrs := map[string]cty.Value{}
	for _, name := range []string{"address", "server_name", "timeout"} {
		attrs[name] = wanted.GetAttr(name)
	}
	leaf := chain[0]
	attrs["certificate"] = cty.StringVal(encodePEM([][]byte{leaf.Raw}))
	pems := make([]cty.Value, len(chain))
	for i, c := range chain {
		pems[i] = cty.StringVal(encodePEM([][]byte{c.Raw}))
	}
	attrs["chain"] = cty.ListVal(pems)
	attrs["self_signed"] = cty.BoolVal(leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) == nil)
	describe(attrs, leaf)
	return &engine.Object{ID: address, Value: d.typ.Object(attrs)}, nil
}

// presented returns the chain that a server presents, leaf first, also when the handshake fails
// afterwards: a server may ask us for a certificate.
func presented(ctx context.Context, address, name string) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	conf := &tls.Config{
		ServerName:         name,
		InsecureSkipVerify: true, // to see it is the purpose; nothing is sent
		MinVersion:         tls.VersionTLS10,
		VerifyConnection: func(s tls.ConnectionState) error {
			chain = s.PeerCertificates
			return nil
		},
	}
	dialer := &net.Dialer{}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, fmt.Errorf("%s cannot be reached: %w. Check host and port, and that the server runs", address, err)
	}
	defer conn.Close()
	err = tls.Client(conn, conf).HandshakeContext(ctx)
	if len(chain) > 0 {
		return chain, nil
	}
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &header):
		return nil, fmt.Errorf("%s answers, but not with TLS: it may be the port of plain HTTP", address)
	case err != nil:
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, fmt.Errorf("%s presents no certificate: %w", address, err)
	}
	return nil, fmt.Errorf("%s presents no certificate", address)
}
