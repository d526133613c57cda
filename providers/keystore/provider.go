// Package keystore is the provider of what WSO2 servers keep in files: the certificates that they
// trust and the keys that they show, in JKS and PKCS12 stores; and of what servers present.
package keystore

import (
	"context"
	"fmt"
	"os"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/keystore/container"
)

// defaultPassword is that of every store of a fresh pack (platform).
const defaultPassword = "wso2carbon"

// Provider serves one provider block of name "keystore".
type Provider struct {
	stores stores
	types  []engine.Type
	data   []engine.Finder
	getenv func(string) string
}

var (
	_ engine.Provider = (*Provider)(nil)
	_ engine.Finisher = (*Provider)(nil)
)

// New returns a provider that is not configured yet.
func New() *Provider {
	p := &Provider{getenv: os.Getenv}
	p.types = []engine.Type{newTrustedCertificate(&p.stores), newKeyPair(&p.stores)}
	p.data = []engine.Finder{newServerCertificate()}
	return p
}

// Name returns "keystore".
func (p *Provider) Name() string { return "keystore" }

// Types returns the resource types.
func (p *Provider) Types() []engine.Type { return p.types }

// Data returns the types that can only be read.
func (p *Provider) Data() []engine.Finder { return p.data }

// Schema returns the provider block.
func (p *Provider) Schema() schema.Block {
	return schema.Block{
		Attributes: []schema.Attribute{
			{Name: "password", Type: cty.String, Sensitive: true,
				Doc: "Password of stores that have none of their own here. Default: `wso2carbon`, as in fresh packs. Environment: `KEYSTORE_PASSWORD`."},
			{Name: "installation", Type: cty.String,
				Doc: "Name of the installation whose files these are, such as `production`. What was made belongs to it: with another name, a run " +
					"stops before it takes the files of one installation for those of another. Environment: `KEYSTORE_INSTALLATION`."},
		},
		Blocks: []schema.NestedBlock{
			{Name: "store", Nesting: schema.List, Key: []string{"name"}, Doc: "A key store that resources name.", Block: schema.Block{
				Attributes: []schema.Attribute{
					{Name: "name", Type: cty.String, Required: true, Validate: storeName, Doc: "Name by which resources mean it. Objects are known by it, so that the path may differ from machine to machine."},
					{Name: "path", Type: cty.String, Required: true, Validate: notEmpty, Doc: "The file, relative to the working directory. One that does not exist is made, in a folder that does."},
					{Name: "password", Type: cty.String, Sensitive: true, Doc: "Its password. Default: the provider's."},
					{Name: "type", Type: cty.String, Enum: []string{string(container.JKS), string(container.PKCS12)},
						Doc: "Its format. Default: that of the file; of a new one, by its name: `.jks`, or `.p12` and `.pfx`."},
					{Name: "in_place", Type: cty.Bool, Default: cty.False,
						Doc: "Write into the file itself, after a backup, instead of replacing it. That is done anyway where a file is mounted by itself and " +
							"cannot be replaced; set it where the file is mounted into a container that goes on running, which would keep the old one."},
					{Name: "server", Type: cty.String, Doc: "Name of the `server` block of the server that reads it."},
				},
			}},
			{Name: "server", Nesting: schema.List, Key: []string{"name"}, Doc: "A server that reads stores when it starts.", Block: schema.Block{
				Attributes: []schema.Attribute{
					{Name: "name", Type: cty.String, Required: true, Validate: notEmpty, Doc: "Its name here."},
				},
				Blocks: []schema.NestedBlock{{
					Name: "restart", Nesting: schema.Single,
					Doc: "How to restart it: once, after all writes of an apply that wrote one of its stores. Without this block, apply ends with a hint that it must be restarted.",
					Block: schema.Block{Attributes: []schema.Attribute{
						{Name: "command", Type: cty.List(cty.String), Required: true, Validate: notEmptyList,
							Doc: "Program and arguments, such as `[\"docker\", \"restart\", \"wso2am\"]`, without a shell. It must not end before the server has stopped."},
						{Name: "wait_url", Type: cty.String, Validate: webAddress,
							Doc: "Address that answers when the server has started, such as `https://localhost:9443/services/Version`: anything but 404 and errors of the server. The certificate is not verified."},
						{Name: "timeout", Type: cty.String, Default: cty.StringVal("5m"), Validate: duration, Doc: "How long the command and the start may take."},
					}},
				}},
			}},
		},
	}
}

// Configure reads what block declares; no file is opened but to see whether a restart is due.
//
// The realm is "keystore", or "keystore:NAME" with the name of an installation: files have nothing
// about them by which one installation's could be told from another's.
func (p *Provider) Configure(_ context.Context, block cty.Value) (realm string, warnings []string, err error) {
	block, _ = block.UnmarkDeep()
	first := func(value, variable, otherwise string) string {
		if value != "" {
			return value
		}
		if value = p.getenv(variable); value != "" {
			return value
		}
		return otherwise
	}
	d := declaration{password: first(stringOf(block, "password"), "KEYSTORE_PASSWORD", defaultPassword)}
	for _, s := range block.GetAttr("server").AsValueSlice() {
		srv := &server{name: stringOf(s, "name")}
		if r := s.GetAttr("restart"); !r.IsNull() {
			if srv.restart, err = newRestart(r); err != nil {
				return "", nil, fmt.Errorf("server %q: %w", srv.name, err)
			}
		}
		d.servers = append(d.servers, srv)
	}
	for _, s := range block.GetAttr("store").AsValueSlice() {
		st := &store{name: stringOf(s, "name"), path: stringOf(s, "path"), password: stringOf(s, "password"),
			format: container.Format(stringOf(s, "type")), inPlace: s.GetAttr("in_place").True()}
		d.stores = append(d.stores, st)
		d.serverOf = append(d.serverOf, stringOf(s, "server"))
	}
	if err := p.stores.declare(d); err != nil {
		return "", nil, err
	}
	realm = "keystore"
	if name := first(stringOf(block, "installation"), "KEYSTORE_INSTALLATION", ""); name != "" {
		realm += ":" + name
	}
	return realm, p.stores.due(), nil
}

// Finish restarts the servers whose stores were written, once each, or says which must be.
func (p *Provider) Finish(ctx context.Context) (notes []string, err error) {
	return p.stores.finish(ctx)
}

// stringOf returns a string attribute, "" when it is null.
func stringOf(v cty.Value, name string) string {
	x, _ := v.GetAttr(name).Unmark()
	if x.IsNull() || !x.IsKnown() {
		return ""
	}
	return x.AsString()
}
