package keystore

import (
	"context"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/keystore/container"
)

// trustedCertificate is an entry of a trust store.
type trustedCertificate struct{ entryType }

func newTrustedCertificate(ss *stores) engine.Type {
	t := &schema.Type{
		Name: "keystore_trusted_certificate",
		Doc: "A certificate that a server trusts: an entry of a JKS or PKCS12 file, such as `client-truststore.jks`. " +
			"All other entries stay as they are. Servers read the file when they start.",
		Key: []string{"store", "alias"},
		Block: schema.Block{Attributes: append(append(entryAttributes(),
			schema.Attribute{Name: "certificate", Type: cty.String, Required: true, Normalize: normalCertificates,
				Validate: func(v cty.Value) error { _, err := oneCertificate(v.AsString()); return err },
				Doc:      "The certificate, as PEM. It is compared by the SHA-256 of its DER, never by its text."},
			schema.Attribute{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The entry, as `STORE#ALIAS`."}),
			certificateAttributes("certificate")...)},
	}
	return &trustedCertificate{entryType{stores: ss, typ: t, kind: container.Trusted, chain: "certificate"}}
}

// Create adds the entry, and the file where there is none.
func (t *trustedCertificate) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	return t.write(ctx, nil, planned)
}

// Update puts another certificate under the alias.
func (t *trustedCertificate) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	return t.write(ctx, live, planned)
}

func (t *trustedCertificate) write(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	plain, _ := planned.UnmarkDeep()
	c, err := oneCertificate(stringOf(plain, "certificate"))
	if err != nil {
		return nil, refusal{&engine.AttributeError{Attribute: "certificate", Summary: "Invalid certificate", Err: err}}
	}
	return t.put(ctx, live, planned, func(_ *store, s container.Store, alias string) error {
		return s.SetTrusted(alias, c.Raw)
	})
}
