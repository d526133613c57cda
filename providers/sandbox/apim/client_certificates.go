package apim

import (
	"bytes"
	"crypto/x509"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A clientCertificate may call one API by mutual TLS.
type clientCertificate struct {
	Alias   string `json:"alias"`
	KeyType string `json:"keyType"` // "PRODUCTION", "SANDBOX"
	Tier    string `json:"tier"`
	DER     []byte `json:"der"`
}

// clientCertificateRoutes: the older paths, without a key type, are those of production.
func clientCertificateRoutes() []route {
	view := []string{"apim:api_view", "apim:api_manage", "apim:client_certificates_view", "apim:client_certificates_manage"}
	add := []string{"apim:api_create", "apim:api_manage", "apim:client_certificates_add", "apim:client_certificates_manage"}
	update := []string{"apim:api_create", "apim:api_manage", "apim:client_certificates_update", "apim:client_certificates_manage"}
	var out []route
	for _, base := range []string{"/apis/{api}/client-certificates", "/apis/{api}/client-certs/{keyType}"} {
		content := get(publisher, base+"/{alias}/content", view, clientCertificateContent)
		content.produces = ""
		out = append(out,
			get(publisher, base, view, listClientCertificates),
			form(post(publisher, base, add, addClientCertificate)),
			get(publisher, base+"/{alias}", view, readClientCertificate),
			form(put(publisher, base+"/{alias}", update, updateClientCertificate)),
			remove(publisher, base+"/{alias}", update[:3], deleteClientCertificate),
			content)
	}
	return out
}

// certificateMeta is the DTO ClientCertMetadata.
type certificateMeta struct {
	Alias string `json:"alias"`
	APIID string `json:"apiId"`
	Tier  string `json:"tier"`
}

// keyType is that of the path.
func (c *call) keyType() string {
	if kind := c.vars["keyType"]; kind != "" {
		return strings.ToUpper(kind)
	}
	return "PRODUCTION"
}

// certificated finds the API or the product of the path: certificates of products have the paths of APIs (apim-behaviour 5.7).
func (c *call) certificated() (*apiRecord, *answer) {
	if p := c.tenant.Products.get(c.vars["api"]); p != nil {
		return p, nil
	}
	return c.ownAPI(c.vars["api"])
}

func listClientCertificates(c *call) *answer {
	a, bad := c.certificated()
	if bad != nil { // an API that there is not has none (seen)
		return ok(map[string]any{"certificates": []any{}, "count": 0, "pagination": map[string]any{"offset": 0, "limit": 25, "total": 0, "next": nil, "previous": nil}})
	}
	alias := c.request.URL.Query().Get("alias")
	out := []certificateMeta{}
	for _, k := range a.Certificates {
		if k.KeyType == c.keyType() && (alias == "" || k.Alias == alias) {
			out = append(out, certificateMeta{k.Alias, a.ID, k.Tier})
		}
	}
	cut, bad := c.cut(len(out))
	if bad != nil {
		return bad
	}
	query := c.request.URL.Query()
	limit, _ := number(query, "limit", 25) // cut has read it
	return ok(map[string]any{"count": cut.to - cut.from, "certificates": out[cut.from:cut.to],
		"pagination": map[string]any{"offset": cut.from, "limit": limit, "total": len(out), "next": nil, "previous": nil}})
}

// addClientCertificate adds a certificate. The tier need not exist (seen); an alias is taken in the whole tenant, as is a certificate in one API.
func addClientCertificate(c *call) *answer {
	a, bad := c.certificated()
	if bad != nil {
		return bad
	}
	alias, hasAlias := c.fields["alias"]
	tier, hasTier := c.fields["tier"]
	file, hasFile := c.fields["certificate"]
	if !hasAlias || !hasTier || !hasFile {
		return empty(http.StatusBadRequest)
	}
	if strings.TrimSpace(alias.text) == "" {
		return badRequest("The alias and/ or apiId should not be empty")
	}
	list, valid := certificatesOf([]byte(file.text))
	if !valid {
		return internal("")
	}
	if !list[0].NotAfter.After(c.server.now()) {
		return badRequest("Error while adding the client certificate. Certificate Expired.")
	}
	for _, other := range slices.Concat(c.tenant.APIs.list, c.tenant.Products.list) {
		for _, k := range other.Certificates {
			if k.Alias == alias.text && k.KeyType == c.keyType() || other.ID == a.ID && k.KeyType == c.keyType() && bytes.Equal(k.DER, list[0].Raw) {
				return exists("The alias '" + alias.text + "' already exists in the trust store.")
			}
		}
	}
	changed := *a
	changed.Certificates = append(slices.Clone(a.Certificates), clientCertificate{alias.text, c.keyType(), tier.text, list[0].Raw})
	c.keepAPI(&changed)
	return created(publisher.location+"/client-certs/"+c.keyType()+"?alias="+url.QueryEscape(alias.text), certificateMeta{alias.text, a.ID, tier.text})
}

// ownCertificate finds a client certificate of the API of the path and its place.
func (c *call) ownCertificate() (*apiRecord, int, *answer) {
	a, bad := c.certificated()
	if bad != nil {
		return nil, 0, bad
	}
	i := slices.IndexFunc(a.Certificates, func(k clientCertificate) bool { return k.Alias == c.vars["alias"] && k.KeyType == c.keyType() })
	if i < 0 {
		return nil, 0, refuse(http.StatusNotFound, 404, "Not Found", "Certificate for alias '"+c.vars["alias"]+"' is not found.")
	}
	return a, i, nil
}

func readClientCertificate(c *call) *answer {
	a, i, bad := c.ownCertificate()
	if bad != nil {
		return bad
	}
	cert, err := x509.ParseCertificate(a.Certificates[i].DER)
	if err != nil {
		return internal("")
	}
	const javaDate = "Mon Jan 02 15:04:05 MST 2006"
	status := "Active"
	if !cert.NotAfter.After(c.server.now()) {
		status = "Expired"
	}
	return ok(map[string]any{"status": status, "version": strconv.Itoa(cert.Version), "subject": javaName(cert.RawSubject),
		"validity": map[string]any{"from": cert.NotBefore.UTC().Format(javaDate), "to": cert.NotAfter.UTC().Format(javaDate)}})
}

// updateClientCertificate changes the tier, the certificate, or both.
func updateClientCertificate(c *call) *answer {
	a, i, bad := c.ownCertificate()
	if bad != nil {
		return bad
	}
	k := a.Certificates[i]
	if file, given := c.fields["certificate"]; given && file.text != "" {
		list, valid := certificatesOf([]byte(file.text))
		switch {
		case !valid:
			return internal("")
		case !list[0].NotAfter.After(c.server.now()):
			return badRequest("Error while updating the client certificate. Certificate Expired.")
		}
		k.DER = list[0].Raw
	}
	if tier, given := c.fields["tier"]; given && tier.text != "" {
		k.Tier = tier.text
	}
	changed := *a
	changed.Certificates = slices.Clone(a.Certificates)
	changed.Certificates[i] = k
	c.keepAPI(&changed)
	return ok(certificateMeta{k.Alias, a.ID, k.Tier})
}

func deleteClientCertificate(c *call) *answer {
	a, i, bad := c.ownCertificate()
	if bad != nil {
		return bad
	}
	changed := *a
	changed.Certificates = slices.Delete(slices.Clone(a.Certificates), i, i+1)
	c.keepAPI(&changed)
	return empty(http.StatusOK)
}

func clientCertificateContent(c *call) *answer {
	a, i, bad := c.ownCertificate()
	if bad != nil {
		return bad
	}
	return &answer{status: http.StatusOK, kind: "application/octet-stream", download: a.Certificates[i].Alias + ".crt",
		body: a.Certificates[i].DER}
}
