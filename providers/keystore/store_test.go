package keystore

import (
	"crypto"
	"crypto/x509"
	"testing"
)

func encodedKey(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
