package apim

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"strings"
	"time"
	"unicode"

	"github.com/zclconf/go-cty/cty"
)

// parseCertificate reads one certificate, in DER or in PEM.
func parseCertificate(text []byte) (*x509.Certificate, error) {
	if block, _ := pem.Decode(text); block != nil {
		text = block.Bytes
	}
	return x509.ParseCertificate(text)
}

// certificateIn returns the one certificate that text holds, which is PEM or PEM in Base64.
func certificateIn(text string) (*x509.Certificate, error) {
	rest := []byte(pemText(text))
	if len(rest) == 0 {
		return nil, errors.New(`it holds no PEM, which begins with "-----BEGIN CERTIFICATE-----"`)
	}
	var certificates []*pem.Block
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("it holds a %s, and only a certificate is wanted", strings.ToLower(block.Type))
		}
		certificates = append(certificates, block)
	}
	if len(certificates) != 1 {
		// APIM 4.5 refuses several with 409, and keeps the first in its trust store [seen].
		return nil, fmt.Errorf("it holds %d certificates; write one alone, without its chain", len(certificates))
	}
	cert, err := x509.ParseCertificate(certificates[0].Bytes)
	if err != nil {
		return nil, fmt.Errorf("it holds no valid certificate: %w", err)
	}
	return cert, nil
}

// otherThanCertificate returns what PEM holds beside certificates, "PRIVATE KEY", or "".
func otherThanCertificate(text string) string {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return ""
		}
		if block.Type != "CERTIFICATE" {
			return block.Type
		}
	}
}

// oneCertificate is a validation: it refuses what is not exactly one certificate.
func oneCertificate(v cty.Value) error {
	_, err := certificateIn(v.AsString())
	return err
}

// sha256OfCertificate is the normal form of a certificate: the SHA-256 of its DER form. What is no
// certificate stays as it is.
func sha256OfCertificate(v cty.Value) cty.Value {
	cert, err := certificateIn(v.AsString())
	if err != nil {
		return canonicalPEM(v)
	}
	return cty.StringVal(sha256Hex(cert.Raw))
}

func sha256Hex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// describeCertificate sets the attributes that the certificate itself tells.
func describeCertificate(attrs map[string]cty.Value, cert *x509.Certificate) {
	attrs["certificate"] = cty.StringVal(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})))
	attrs["sha256"] = cty.StringVal(sha256Hex(cert.Raw))
	attrs["issuer"] = cty.StringVal(cert.Issuer.String())
	attrs["serial_number"] = cty.StringVal(cert.SerialNumber.Text(16))
	attrs["not_before"] = cty.StringVal(cert.NotBefore.UTC().Format(time.RFC3339))
	attrs["not_after"] = cty.StringVal(cert.NotAfter.UTC().Format(time.RFC3339))
}

// maxAlias is how many characters an alias may have (apim-behaviour 5.7). The server takes longer
// ones, and then cannot find them [seen].
const maxAlias = 30

// certificateAlias refuses aliases that API Manager refuses, or takes and cannot find again: an
// address is made of them.
func certificateAlias(v cty.Value) error {
	if err := lengthIn(1, maxAlias)(v); err != nil {
		return err
	}
	alias := v.AsString()
	if alias == "." || alias == ".." {
		return fmt.Errorf("%q cannot be part of an address", alias)
	}
	for _, r := range alias {
		if strings.ContainsRune("/\\?#%&;\"<>[]^`{|}", r) || unicode.IsSpace(r) || unicode.IsControl(r) {
			return fmt.Errorf("%q holds %q, which cannot be part of an address", alias, r)
		}
	}
	return nil
}

// notBlank is a validation: it refuses what is empty but for blanks.
func notBlank(v cty.Value) error {
	if strings.TrimSpace(v.AsString()) == "" {
		return errors.New("it must not be empty")
	}
	return nil
}

// certificateForm makes the form of an upload: the certificate as a file, and texts in pairs of
// name and value. The same form has the same bytes.
func certificateForm(certificate string, texts ...string) (body []byte, contentType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.SetBoundary("wso2plan" + sha256Hex([]byte(strings.Join(append(texts, certificate), "\x00")))[:32]) // letters and digits: a boundary
	part := func(header textproto.MIMEHeader, text string) {
		p, _ := w.CreatePart(header) // to memory: it does not fail
		_, _ = p.Write([]byte(text))
	}
	for i := 0; i < len(texts); i += 2 {
		part(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + texts[i] + `"`}}, texts[i+1])
	}
	part(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="certificate"; filename="certificate.pem"`},
		"Content-Type":        {"application/octet-stream"},
	}, certificate)
	_ = w.Close()
	return b.Bytes(), w.FormDataContentType()
}
