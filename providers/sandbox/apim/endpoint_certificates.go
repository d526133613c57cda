package apim

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// An endpointCertificate is a certificate of a backend, under the alias that it has in the trust
// store. All of this file is [seen] on 9.33.90 where it does not say otherwise.
type endpointCertificate struct {
	Alias    string `json:"alias"`
	Endpoint string `json:"endpoint"`
	DER      []byte `json:"der"` // as it was uploaded first: PUT changes the trust store alone
}

func (e *endpointCertificate) rowID() string { return e.Alias }

// certificateMetadata is the DTO CertMetadata.
type certificateMetadata struct {
	Alias    string `json:"alias"`
	Endpoint string `json:"endpoint"`
}

func endpointCertificateRoutes() []route {
	const at, item = "/endpoint-certificates", "/endpoint-certificates/{alias}"
	view := []string{"apim:api_view", "apim:api_manage", "apim:ep_certificates_view", "apim:ep_certificates_manage"}
	add := []string{"apim:api_create", "apim:api_manage", "apim:ep_certificates_add", "apim:ep_certificates_manage"}
	update := []string{"apim:api_create", "apim:api_manage", "apim:ep_certificates_update", "apim:ep_certificates_manage"}
	return []route{
		get(publisher, at, view, searchEndpointCertificates),
		form(post(publisher, at, add, addEndpointCertificate)),
		get(publisher, item, view, readEndpointCertificate),
		form(put(publisher, item, update, updateEndpointCertificate)),
		remove(publisher, item, update, deleteEndpointCertificate),
		get(publisher, item+"/content", view, contentOfEndpointCertificate),
		get(publisher, item+"/usage", view, usageOfEndpointCertificate),
	}
}

// trustStore is the server's own, of all tenants together: DER by alias, in small letters as key
// stores keep them.
type trustStore map[string][]byte

// certificatesOf reads certificates as Java's factory does one after the other: PEM, or DER.
func certificatesOf(text []byte) ([]*x509.Certificate, bool) {
	var out []*x509.Certificate
	for len(bytes.TrimSpace(text)) > 0 {
		der := text
		block, rest := pem.Decode(text)
		if block != nil {
			der, text = block.Bytes, rest
		} else {
			var raw asn1.RawValue
			after, err := asn1.Unmarshal(text, &raw)
			if err != nil {
				return nil, false
			}
			der, text = raw.FullBytes, after
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, false
		}
		out = append(out, cert)
	}
	return out, len(out) > 0
}

// certificateFile finds the part "certificate" of a form; without it CXF refuses before any code of
// the server runs.
func certificateFile(fields map[string]formField) (formField, *answer) {
	file, given := fields["certificate"]
	if !given {
		return file, empty(http.StatusBadRequest)
	}
	return file, nil
}

func addEndpointCertificate(c *call) *answer {
	file, bad := certificateFile(c.fields)
	alias, hasAlias := c.fields["alias"]
	endpoint, hasEndpoint := c.fields["endpoint"]
	name, at := strings.TrimSpace(alias.text), strings.TrimSpace(endpoint.text)
	switch {
	case bad != nil:
		return bad
	case !hasAlias || !hasEndpoint:
		return empty(http.StatusBadRequest)
	case name == "" || at == "":
		return badRequest("The alias and/ or endpoint should not be empty")
	case strings.TrimSpace(file.name) == "":
		return badRequest("Certificate update failed. Proper Certificate file should be provided")
	}
	inTrustStore := exists("The alias '" + name + "' already exists in the trust store.")
	if c.tenant.EndpointCertificates.get(name) != nil {
		return inTrustStore
	}
	list, valid := certificatesOf([]byte(file.text))
	if !valid {
		return internal("")
	}
	// The first of several is kept in the trust store although the request fails: its alias is taken
	// from then on.
	trusted, key := c.server.contents.trusted(), strings.ToLower(name)
	taken, expired := false, false
	for _, cert := range list {
		switch _, has := trusted[key]; {
		case has:
			taken = true
		case !cert.NotAfter.After(c.server.now()):
			expired = true
		default:
			trusted[key] = cert.Raw
		}
	}
	switch {
	case expired:
		return badRequest("Error while adding the certificate. Certificate Expired.")
	case taken:
		return inTrustStore
	}
	c.tenant.EndpointCertificates.add(&endpointCertificate{name, at, list[0].Raw})
	if strings.ContainsAny(name, " \"<>[]^`{|}\\") {
		return internal("") // no URI can be made of it; the certificate is stored all the same
	}
	return created(publisher.location+"/certificates?alias="+url.QueryEscape(name), certificateMetadata{name, at})
}

// trusted is the trust store, with the server's own certificate in a fresh one.
func (c *contents) trusted() trustStore {
	if c.TrustStore == nil {
		c.TrustStore = trustStore{"wso2carbon": nil, "gateway_certificate_alias": nil}
	}
	return c.TrustStore
}

func certificateNotFound(format, alias string) *answer {
	return refuse(http.StatusNotFound, 404, "Not Found", fmt.Sprintf(format, alias))
}

func readEndpointCertificate(c *call) *answer {
	e := c.tenant.EndpointCertificates.get(c.vars["alias"])
	if e == nil {
		return certificateNotFound("Certificate for Alias '%s' is not found.", c.vars["alias"])
	}
	cert, err := x509.ParseCertificate(e.DER)
	if err != nil {
		return internal("")
	}
	type validity struct {
		From string `json:"from"`
		To   string `json:"to"`
	}
	const javaDate = "Mon Jan 02 15:04:05 MST 2006"
	status := "Active"
	if !cert.NotAfter.After(c.server.now()) {
		status = "Expired"
	}
	return ok(struct {
		Status   string   `json:"status"`
		Validity validity `json:"validity"`
		Version  string   `json:"version"`
		Subject  string   `json:"subject"`
	}{status, validity{cert.NotBefore.UTC().Format(javaDate), cert.NotAfter.UTC().Format(javaDate)}, strconv.Itoa(cert.Version), javaName(cert.RawSubject)})
}

// contentOfEndpointCertificate answers with DER, though the route claims JSON: it is 406 to a
// client that accepts the type of the answer alone.
func contentOfEndpointCertificate(c *call) *answer {
	e := c.tenant.EndpointCertificates.get(c.vars["alias"])
	if e == nil {
		return certificateNotFound("Certificate for Alias '%s' is not found.", c.vars["alias"])
	}
	return &answer{status: http.StatusOK, kind: "application/octet-stream", download: e.Alias + ".crt", body: e.DER}
}

// updateEndpointCertificate puts the first certificate of the upload into the trust store. What
// reads and gateways see stays what it was: the server has no statement that changes it.
func updateEndpointCertificate(c *call) *answer {
	file, bad := certificateFile(c.fields)
	if bad != nil {
		return bad
	}
	if strings.TrimSpace(file.name) == "" {
		return badRequest("Certificate update failed. The Certificate should not be empty")
	}
	alias := c.vars["alias"]
	e := c.tenant.EndpointCertificates.get(alias)
	if e == nil {
		return certificateNotFound("Could not update the certificate. The alias '%s' not found.", alias)
	}
	trusted, key := c.server.contents.trusted(), strings.ToLower(alias)
	if _, has := trusted[key]; !has {
		return refuse(http.StatusNotFound, 404, "Not Found", "")
	}
	list, valid := certificatesOf([]byte(file.text))
	switch {
	case !valid:
		return internal("")
	case !list[0].NotAfter.After(c.server.now()):
		return badRequest("Error while updating the certificate. Certificate Expired.")
	}
	trusted[key] = list[0].Raw
	return ok(certificateMetadata{e.Alias, e.Endpoint})
}

// deleteEndpointCertificate removes a certificate. One that the trust store has lost is removed
// too, and answered with 500.
func deleteEndpointCertificate(c *call) *answer {
	alias := c.vars["alias"]
	if c.tenant.EndpointCertificates.get(alias) == nil {
		return certificateNotFound("Certificate for alias '%s' is not found.", alias)
	}
	c.tenant.EndpointCertificates.remove(alias)
	trusted, key := c.server.contents.trusted(), strings.ToLower(alias)
	if _, has := trusted[key]; !has {
		return internal("")
	}
	delete(trusted, key)
	return empty(http.StatusOK)
}

// searchEndpointCertificates lists what has the alias, or an endpoint at the same scheme, host and
// port, even when both are asked for. An offset past the end begins again at the first.
func searchEndpointCertificates(c *call) *answer {
	query := c.request.URL.Query()
	alias, endpoint := query.Get("alias"), query.Get("endpoint")
	if len([]rune(alias)) > 30 {
		return violations([]violation{{"getEndpointCertificates.arg2", "size must be between 0 and 30"}})
	}
	limit, offset, bad := c.limits()
	if bad != nil {
		return bad
	}
	list := []certificateMetadata{}
	for _, e := range c.tenant.EndpointCertificates.list {
		if alias == "" && endpoint == "" || alias != "" && e.Alias == alias || endpoint != "" && sameHost(e.Endpoint, endpoint) {
			list = append(list, certificateMetadata{e.Alias, e.Endpoint})
		}
	}
	if offset < 0 {
		return internal("")
	}
	total := len(list)
	if offset > total {
		offset = 0
	}
	end := min(max(offset+limit, offset), total)
	more := ""
	for _, name := range []string{"alias", "endpoint"} {
		if v := query.Get(name); v != "" {
			more += "&" + name + "=" + v
		}
	}
	p := pagination{Offset: offset, Limit: limit, Total: total}
	at := func(offset int) string { return fmt.Sprintf("/certificates?limit=%d&offset=%d%s", limit, offset, more) }
	if offset+limit < total {
		p.Next = at(offset + limit)
	}
	if offset > 0 {
		p.Previous = at(max(offset-limit, 0))
	}
	return ok(struct {
		Count        int                   `json:"count"`
		Certificates []certificateMetadata `json:"certificates"`
		Page         pagination            `json:"pagination"`
	}{end - offset, list[offset:end], p})
}

// sameHost tells whether an endpoint is at the scheme, host and port of the one that is asked for.
func sameHost(endpoint, asked string) bool {
	u, err := url.Parse(asked)
	if err != nil || u.Host == "" {
		return endpoint == asked
	}
	return strings.HasPrefix(endpoint, u.Scheme+"://"+u.Host)
}

// usageOfEndpointCertificate lists the APIs with an endpoint at the host of a certificate's
// (apim-behaviour 5.7); none for an alias that does not exist.
func usageOfEndpointCertificate(c *call) *answer {
	type metadata struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Context  string `json:"context"`
		Version  string `json:"version"`
		Provider string `json:"provider"`
		Type     string `json:"type"`
	}
	out := []metadata{}
	if e := c.tenant.EndpointCertificates.get(c.vars["alias"]); e != nil {
		for _, a := range c.tenant.APIs.list {
			if usesEndpoint(a.Document["endpointConfig"], e.Endpoint) {
				out = append(out, metadata{a.ID, a.field("name"), a.field("context"), a.field("version"), a.field("provider"), a.field("type")})
			}
		}
	}
	return page(c, out, pageLinks{})
}

// usesEndpoint tells whether an endpoint configuration names an address at the host of endpoint.
func usesEndpoint(config any, endpoint string) bool {
	switch v := config.(type) {
	case map[string]any:
		for name, e := range v {
			if at, isText := e.(string); isText && name == "url" && sameHost(at, endpoint) || usesEndpoint(e, endpoint) {
				return true
			}
		}
	case []any:
		for _, e := range v {
			if usesEndpoint(e, endpoint) {
				return true
			}
		}
	}
	return false
}

var nameKeywords = map[string]string{
	"2.5.4.3": "CN", "2.5.4.4": "SURNAME", "2.5.4.5": "SERIALNUMBER", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "STREET",
	"2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "T", "2.5.4.42": "GIVENNAME", "0.9.2342.19200300.100.1.25": "DC",
	"0.9.2342.19200300.100.1.1": "UID", "1.2.840.113549.1.9.1": "EMAILADDRESS",
}

// javaName writes a distinguished name as Java does: last part first, values with a special
// character in quotation marks.
func javaName(raw []byte) string {
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(raw, &name); err != nil {
		return ""
	}
	var parts []string
	for i := len(name) - 1; i >= 0; i-- {
		var pairs []string
		for _, a := range name[i] {
			key := nameKeywords[a.Type.String()]
			if key == "" {
				key = "OID." + a.Type.String()
			}
			value := fmt.Sprint(a.Value)
			if strings.ContainsAny(value, ",+=\n<>#;\\\"") || strings.TrimSpace(value) != value {
				value = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
			}
			pairs = append(pairs, key+"="+value)
		}
		parts = append(parts, strings.Join(pairs, " + "))
	}
	return strings.Join(parts, ", ")
}
