package keystore

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/keystore/container"
)

// keyPair is a private key with its certificate chain.
type keyPair struct{ entryType }

func newKeyPair(ss *stores) engine.Type {
	t := &schema.Type{
		Name: "keystore_key_pair",
		Doc: "The key that a server shows, with its certificate chain: an entry of a JKS or PKCS12 file, such as the alias `wso2carbon` of " +
			"`wso2carbon.jks`. All other entries stay as they are. Servers read the file when they start. A pack's own entry must be imported " +
			"before it can be changed.",
		Key:   []string{"store", "alias"},
		Check: checkKeyPair,
		Block: schema.Block{Attributes: append(append(entryAttributes(),
			schema.Attribute{Name: "certificate_chain", Type: cty.String, Required: true, Normalize: normalCertificates,
				Validate: func(v cty.Value) error { _, err := chainOf(v.AsString()); return err },
				Doc: "The certificates as PEM, from the server's own to the authority's, one after the other. They are compared by the SHA-256 of " +
					"their DER, never by their text."},
			schema.Attribute{Name: "private_key", Type: cty.String, Required: true, Sensitive: true, WriteOnly: true, Keep: schema.KeepResend, Normalize: normalKey,
				Validate: func(v cty.Value) error { _, err := privateKey(v.AsString()); return err },
				Doc:      "The private key of the first certificate, as PEM and not encrypted. It is compared by the SHA-256 of its public key."},
			schema.Attribute{Name: "key_password", Type: cty.String, Sensitive: true, WriteOnly: true, Keep: schema.KeepResend,
				Doc: "Password of the key, where a JKS store has it apart. Default: the store's. Set the same in the server's `deployment.toml`."},
			schema.Attribute{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The entry, as `STORE#ALIAS`."}),
			certificateAttributes("certificate_chain")...)},
	}
	return &keyPair{entryType{stores: ss, typ: t, kind: container.Key, chain: "certificate_chain"}}
}

// checkKeyPair refuses a key of another certificate.
func checkKeyPair(v cty.Value) []schema.Problem {
	v, _ = v.UnmarkDeep()
	chain, err := chainOf(stringOf(v, "certificate_chain"))
	if err != nil {
		return nil // said of the attribute, or not known yet
	}
	key, err := privateKey(stringOf(v, "private_key"))
	if err != nil || fits(key, chain[0]) {
		return nil
	}
	return []schema.Problem{{Path: cty.GetAttrPath("private_key"), Summary: "Key of another certificate", Detail: fmt.Sprintf(
		"private_key does not belong to the first certificate of certificate_chain, that of %s. Give the key for which that was issued, "+
			"or put the server's own certificate first.", chain[0].Subject)}}
}

// fits reports whether a key is that of a certificate.
func fits(key crypto.Signer, c *x509.Certificate) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(c.PublicKey)
}

// Create adds the entry, and the file where there is none.
func (t *keyPair) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	return t.write(ctx, nil, planned)
}

// Update puts another key or chain under the alias. Without a private key in planned, the stored
// one stays, if it is that of the new chain.
func (t *keyPair) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	return t.write(ctx, live, planned)
}

func (t *keyPair) write(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	plain, _ := planned.UnmarkDeep()
	chain, err := chainOf(stringOf(plain, "certificate_chain"))
	if err != nil {
		return nil, refusal{&engine.AttributeError{Attribute: "certificate_chain", Summary: "Invalid certificate chain", Err: err}}
	}
	return t.put(ctx, live, planned, func(s *store, c container.Store, alias string) error {
		password := stringOf(plain, "key_password")
		if password == "" {
			password = s.password
		}
		if c.Format() == container.PKCS12 && password != s.password {
			return &engine.AttributeError{Attribute: "key_password", Summary: "Key password not possible", Err: fmt.Errorf(
				"%s is a PKCS12 store, in which Java reads keys with the store's own password. Leave key_password out", s.label())}
		}
		key, err := t.key(plain, c, alias, password, chain[0])
		if err != nil {
			return err
		}
		if err := c.SetKey(alias, key, rawOf(chain), password); err != nil {
			return err
		}
		return completed(s, c, alias, chain)
	})
}

// completed refuses a chain that Java would read as another: in a PKCS12 store it looks for issuers
// among all certificates, trusted ones and those of other keys too.
func completed(s *store, c container.Store, alias string, chain []*x509.Certificate) error {
	e, _ := container.Find(c, alias)
	if slices.EqualFunc(e.Chain, rawOf(chain), bytes.Equal) {
		return nil
	}
	read, err := certificates(encodePEM(e.Chain))
	if err != nil {
		return err
	}
	subjects := make([]string, len(read))
	for i, c := range read {
		subjects[i] = c.Subject.String()
	}
	return &engine.AttributeError{Attribute: "certificate_chain", Summary: "Another chain in the store", Err: fmt.Errorf(
		"with what else is in %s, Java reads the chain as that of %s, of %d certificates. Write the same chain here, with all issuers that the store "+
			"holds, or take the entry out that holds another certificate of an issuer", s.label(), strings.Join(subjects, "; "), len(read))}
}

// key returns the private key to write, as PKCS #8 in DER: the planned one, or the one that is stored.
func (t *keyPair) key(planned cty.Value, c container.Store, alias, password string, leaf *x509.Certificate) ([]byte, error) {
	bad := func(err error) error { return &engine.AttributeError{Attribute: "private_key", Err: err} }
	if text := stringOf(planned, "private_key"); text != "" {
		signer, err := privateKey(text)
		if err != nil {
			return nil, bad(err)
		}
		if !fits(signer, leaf) {
			return nil, bad(fmt.Errorf("it does not belong to the first certificate of certificate_chain, that of %s", leaf.Subject))
		}
		return x509.MarshalPKCS8PrivateKey(signer)
	}
	stored, err := c.Key(alias, password)
	if errors.Is(err, container.ErrKeyPassword) {
		return nil, &engine.AttributeError{Attribute: "key_password", Err: errors.New("the stored key has another password. Give it as key_password, or write " +
			"the key with -rewrite-secrets")}
	}
	if err != nil {
		return nil, bad(err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(stored)
	if err != nil {
		return nil, bad(errors.New("the stored key cannot be read. Write it with -rewrite-secrets"))
	}
	if signer, ok := parsed.(crypto.Signer); !ok || !fits(signer, leaf) {
		return nil, bad(errors.New("the new chain is of another key than the stored one, and private_key cannot be compared with that. " +
			"Run with -rewrite-secrets, which writes it"))
	}
	return stored, nil
}
