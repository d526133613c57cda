package apim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
	"wso2plan/providers/rest"
)

// endpointCertificateType is the table of apim_endpoint_certificate (apim-behaviour 5.7).
func endpointCertificateType() *schema.Type {
	ofCertificate := []string{"certificate"}
	return &schema.Type{
		Name: "apim_endpoint_certificate",
		Doc: "The certificate of a backend, which API Manager trusts when it calls it. Certificates are compared by the SHA-256 of " +
			"their DER form, never by their text. A plan warns of one that ends in less than 30 days. The gateway loads a new one in about a minute.",
		Key: []string{"alias"},
		Block: schema.Block{Attributes: []schema.Attribute{
			{Name: "id", Type: cty.String, ReadOnly: true, Doc: "The alias."},
			{Name: "alias", Type: cty.String, Required: true, RequiresReplace: true, Validate: certificateAlias,
				Doc: "Name of it in the trust store, of at most 30 characters. Upper and lower case are one, for all tenants and for what is in the trust store already."},
			{Name: "endpoint", Type: cty.String, Required: true, RequiresReplace: true, Normalize: trimmed, Validate: notBlank,
				Doc: "Address of the backend, such as `https://backend.example.com`."},
			{Name: "certificate", Type: cty.String, Required: true, Normalize: sha256OfCertificate, Validate: oneCertificate,
				Doc: "The certificate in PEM, or that in Base64; one alone, without its chain."},
			{Name: "sha256", Type: cty.String, ReadOnly: true, ChangesWith: ofCertificate, Doc: "SHA-256 of its DER form, in hexadecimal."},
			{Name: "subject", Type: cty.String, ReadOnly: true, ChangesWith: ofCertificate, Doc: "Whose it is, as API Manager writes it."},
			{Name: "issuer", Type: cty.String, ReadOnly: true, ChangesWith: ofCertificate, Doc: "Who signed it."},
			{Name: "serial_number", Type: cty.String, ReadOnly: true, ChangesWith: ofCertificate, Doc: "Serial number, in hexadecimal."},
			{Name: "version", Type: cty.String, ReadOnly: true, ChangesWith: ofCertificate, Doc: "Version of X.509, such as `3`."},
			{Name: "not_before", Type: cty.String, ReadOnly: true, ChangesWith: ofCertificate, Doc: "When it begins, such as `2026-01-31T12:00:00Z`."},
			{Name: "not_after", Type: cty.String, ReadOnly: true, ChangesWith: ofCertificate, Doc: "When it ends."},
			{Name: "status", Type: cty.String, ReadOnly: true, ChangesWith: ofCertificate, Doc: "`Active` or `Expired`, as API Manager says."},
		}},
	}
}

// endpointCertificate is the certificate of a backend.
func endpointCertificate(p *Provider) engine.Type {
	return &endpointCertificates{client: &p.client, table: endpointCertificateType(), now: time.Now}
}

// endpointCertificates is the type apim_endpoint_certificate. It writes forms, and reads an object
// from three places: the search has the endpoint, the item what the server makes of the
// certificate, and its content the certificate.
type endpointCertificates struct {
	client *rest.Client
	table  *schema.Type
	now    func() time.Time
}

const certificatesPath = publisher + "/endpoint-certificates"

func certificatePath(alias string) string { return certificatesPath + "/" + url.PathEscape(alias) }

// Schema returns the table.
func (t *endpointCertificates) Schema() *schema.Type { return t.table }

// Find returns the certificate with the alias of wanted.
func (t *endpointCertificates) Find(ctx context.Context, wanted cty.Value) (*engine.Object, error) {
	return t.Read(ctx, knownString(wanted, "alias"))
}

// Read returns the certificate with that alias.
func (t *endpointCertificates) Read(ctx context.Context, alias string) (*engine.Object, error) {
	var found []struct {
		Alias    string `json:"alias"`
		Endpoint string `json:"endpoint"`
	}
	if err := t.client.GetList(ctx, certificatesPath, url.Values{"alias": {alias}}, "certificates", &found); err != nil {
		return nil, rest.Unfound(err)
	}
	for _, e := range found {
		if e.Alias == alias {
			return t.whole(ctx, alias, e.Endpoint)
		}
	}
	return nil, fmt.Errorf("endpoint certificate %q: %w", alias, engine.ErrNotFound)
}

// whole reads what the search does not tell.
func (t *endpointCertificates) whole(ctx context.Context, alias, endpoint string) (*engine.Object, error) {
	var info struct {
		Status  string `json:"status"`
		Version string `json:"version"`
		Subject string `json:"subject"`
	}
	if err := t.client.Get(ctx, certificatePath(alias), nil, &info); err != nil {
		return nil, err
	}
	// APIM 4.5 answers with DER, and with 406 to a client that accepts no JSON [seen], so we ask for
	// JSON.
	content, err := t.client.Do(ctx, rest.Request{Path: certificatePath(alias) + "/content"})
	if err != nil {
		return nil, err
	}
	attrs := map[string]cty.Value{
		"id": cty.StringVal(alias), "alias": cty.StringVal(alias), "endpoint": cty.StringVal(endpoint),
		"status": orNull(info.Status), "version": orNull(info.Version), "subject": orNull(info.Subject),
	}
	if len(content.Body) > 0 { // it may be lost: then a null certificate differs from any
		cert, err := parseCertificate(content.Body)
		if err != nil {
			return nil, fmt.Errorf("endpoint certificate %q: reading what the server sent: %w", alias, err)
		}
		describeCertificate(attrs, cert)
	}
	return &engine.Object{ID: alias, Value: t.table.Object(attrs)}, nil
}

// Create uploads a certificate.
func (t *endpointCertificates) Create(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	planned, _ = planned.UnmarkDeep()
	alias := knownString(planned, "alias")
	if err := t.upload(ctx, planned); err != nil {
		return nil, t.taken(ctx, alias, err)
	}
	return t.written(ctx, planned)
}

func (t *endpointCertificates) upload(ctx context.Context, planned cty.Value) error {
	body, kind := certificateForm(pemText(knownString(planned, "certificate")), "alias", knownString(planned, "alias"),
		"endpoint", knownString(planned, "endpoint"))
	return expired(t.client.Call(ctx, rest.Request{Method: http.MethodPost, Path: certificatesPath, Raw: body, ContentType: kind}, nil))
}

// written reads back what was written.
func (t *endpointCertificates) written(ctx context.Context, planned cty.Value) (*engine.Object, error) {
	alias := knownString(planned, "alias")
	o, err := t.Read(ctx, alias)
	if err != nil {
		return &engine.Object{ID: alias, Value: settled(planned)}, fmt.Errorf("the certificate was stored and could not be read: %w", rest.Unfound(err))
	}
	return o, nil
}

// expired points at the certificate when the server refuses it.
func expired(err error) error {
	if rest.StatusOf(err) != http.StatusBadRequest {
		return err
	}
	return &engine.AttributeError{Attribute: "certificate", Summary: "Certificate refused", Err: err}
}

// taken explains why an alias is refused that no endpoint certificate of the tenant has: the trust
// store of the server holds more than those, and upper and lower case are one in it [seen].
func (t *endpointCertificates) taken(ctx context.Context, alias string, refusal error) error {
	if rest.StatusOf(refusal) != http.StatusConflict {
		return refusal
	}
	if _, err := t.Read(ctx, alias); !errors.Is(err, engine.ErrNotFound) {
		return refusal // the engine says how to adopt it
	}
	return rest.Unwritten(&engine.AttributeError{Attribute: "alias", Summary: "Alias taken",
		Err: fmt.Errorf("the trust store of API Manager has an entry %q that is no endpoint certificate of this tenant (upper and lower case are one there); choose another alias", alias)})
}

// Update puts another certificate in the place of the live one.
//
// APIM 4.5 answers PUT with 200 and changes the trust store of the node alone: reads and gateways
// get the former certificate still [seen]. And it answers 404 when the trust store has lost the
// entry. So we read the certificate back, and where it is not the new one, delete it and add it
// again under its alias.
func (t *endpointCertificates) Update(ctx context.Context, live *engine.Object, planned cty.Value) (*engine.Object, error) {
	planned, _ = planned.UnmarkDeep()
	now, err := t.Read(ctx, live.ID)
	if err != nil {
		return nil, err
	}
	if err := rest.Moved(&t.table.Block, live.Value, planned, now.Value); err != nil {
		return nil, rest.Unwritten(err)
	}
	planned = rest.Rebase(&t.table.Block, live.Value, planned, now.Value)
	if t.same(now, planned) {
		return now, nil
	}
	body, kind := certificateForm(pemText(knownString(planned, "certificate")))
	err = expired(t.client.Call(ctx, rest.Request{Method: http.MethodPut, Path: certificatePath(live.ID), Raw: body, ContentType: kind}, nil))
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return nil, err
	}
	o, err := t.Read(ctx, live.ID)
	if err != nil {
		return nil, fmt.Errorf("the certificate was changed and could not be read: %w", rest.Unclear(err))
	}
	if t.same(o, planned) {
		return o, nil
	}
	return t.renew(context.WithoutCancel(ctx), o, planned) // once begun, it is better ended
}

func (t *endpointCertificates) same(o *engine.Object, planned cty.Value) bool {
	return rest.Equal(t.table.Attribute("certificate"), o.Value.GetAttr("certificate"), planned.GetAttr("certificate"))
}

// renew deletes a certificate and adds the planned one under its alias. When that is refused, the
// former one is put back.
func (t *endpointCertificates) renew(ctx context.Context, former *engine.Object, planned cty.Value) (*engine.Object, error) {
	if err := t.Delete(ctx, former); err != nil {
		return nil, err
	}
	err := t.upload(ctx, planned)
	if err == nil {
		return t.written(ctx, planned)
	}
	if isSet(former.Value, "certificate") && t.upload(ctx, former.Value) == nil {
		return former, fmt.Errorf("adding the new certificate: %w; the former one is back in its place", err)
	}
	// Not wrapped: a refusal would mean that nothing was written.
	return nil, fmt.Errorf("the former certificate is deleted, and the new one could not be added, so the gateway trusts neither; apply again: %s", err)
}

// Delete removes a certificate.
func (t *endpointCertificates) Delete(ctx context.Context, live *engine.Object) error {
	err := t.client.Call(ctx, rest.Request{Method: http.MethodDelete, Path: certificatePath(live.ID)}, nil)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return nil
	case rest.StatusOf(err) == http.StatusInternalServerError:
		// APIM 4.5 deletes a certificate that its trust store has lost, and answers 500 [seen], so we
		// look.
		if _, read := t.Read(ctx, live.ID); errors.Is(read, engine.ErrNotFound) {
			return nil
		}
	}
	return err
}

// Exclusive lets one write at a time run: API Manager reads and rewrites its whole trust store for
// each [java].
func (t *endpointCertificates) Exclusive(cty.Value) string { return "apim_endpoint_certificate" }

// soon is how long before its end a certificate is warned of.
const soon = 30 * 24 * time.Hour

// CheckPlan refuses certificates that have ended, as the server does, and warns of those that end
// soon or have not begun.
func (t *endpointCertificates) CheckPlan(_ context.Context, planned []engine.Planned) []engine.PlanProblem {
	var out []engine.PlanProblem
	for i, p := range planned {
		cert, err := certificateIn(knownString(p.After, "certificate"))
		if err != nil {
			continue // not known yet, or to be deleted
		}
		problem := engine.PlanProblem{Index: i, Attribute: "certificate", Warning: true}
		of := fmt.Sprintf("The certificate %q of %s", knownString(p.After, "alias"), knownString(p.After, "endpoint"))
		end := cert.NotAfter.UTC().Format(time.RFC3339)
		switch left := cert.NotAfter.Sub(t.now()); {
		case left <= 0 && writes(p.Action):
			problem.Warning, problem.Summary = false, "Certificate ended"
			problem.Detail = fmt.Sprintf("%s ended on %s, and API Manager refuses it. Set certificate to the backend's current one.", of, end)
		case left <= 0:
			problem.Summary = "Certificate ended"
			problem.Detail = fmt.Sprintf("%s ended on %s. Set certificate to the backend's current one.", of, end)
		case left < soon:
			problem.Summary = "Certificate ends soon"
			problem.Detail = fmt.Sprintf("%s ends on %s: %s. Set certificate to the next one before that.", of, end, daysLeft(left))
		case cert.NotBefore.After(t.now()):
			problem.Summary = "Certificate not valid yet"
			problem.Detail = fmt.Sprintf("%s begins on %s. Until then the gateway cannot call that backend.", of, cert.NotBefore.UTC().Format(time.RFC3339))
		default:
			continue
		}
		out = append(out, problem)
	}
	return out
}

func daysLeft(left time.Duration) string {
	switch days := int(left / (24 * time.Hour)); days {
	case 0:
		return "less than a day is left"
	case 1:
		return "1 day is left"
	default:
		return fmt.Sprintf("%d days are left", days)
	}
}

// Consequence says which backends cannot be called any more.
func (t *endpointCertificates) Consequence(action engine.Action, before, _ cty.Value) string {
	endpoint := knownString(before, "endpoint")
	switch action {
	case engine.Delete, engine.Replace:
		return fmt.Sprintf("The gateway trusts %s by this certificate no more.", endpoint)
	case engine.Update:
		return fmt.Sprintf("The gateway trusts %s by its former certificate no more.", endpoint)
	}
	return ""
}
