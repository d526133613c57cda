package engine

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// Keys makes and compares fingerprints: keyed hashes by which a value is known again without being
// stored. Safe for concurrent use.
type Keys struct {
	id  string
	key []byte
}

// NewKeys returns Keys over a secret of at least 16 bytes.
func NewKeys(secret []byte) *Keys {
	sum := sha256.Sum256(append([]byte("wso2plan key id\x00"), secret...))
	return &Keys{id: hex.EncodeToString(sum[:4]), key: secret}
}

// ID names the key without giving it away; a fingerprint made with another key cannot be compared.
func (k *Keys) ID() string { return k.id }

// Fingerprint returns the fingerprint of the value at path of the object with that type and id.
// Marks are ignored; v is wholly known. Type, id and path are hashed with the value, so that equal
// passwords of two users do not show.
func (k *Keys) Fingerprint(typeName, id, path string, v cty.Value) string {
	v, _ = v.UnmarkDeep()
	h := hmac.New(sha256.New, k.key)
	for _, s := range []string{typeName, id, path} {
		io.WriteString(h, s)
		h.Write([]byte{0})
	}
	json, err := ctyjson.Marshal(v, cty.DynamicPseudoType)
	if err != nil {
		panic("engine: fingerprint of an unknown value at " + path)
	}
	h.Write(json)
	return k.id + ":hmac-sha256:" + hex.EncodeToString(h.Sum(nil)[:16])
}

// Comparable reports whether fingerprint was made with this key.
func (k *Keys) Comparable(fingerprint string) bool {
	id, _, _ := strings.Cut(fingerprint, ":")
	return id == k.id
}
