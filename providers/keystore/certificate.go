package keystore

import (
	"context"
	"crypto/x509"
	"fmt"
	"math"
	"time"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/engine"
)

// warnDays is how many days before a certificate ends plans warn of it.
const warnDays = 30

// daysLeft returns the whole days until a certificate ends, negative when it has.
func daysLeft(c *x509.Certificate, now time.Time) int64 {
	return int64(math.Floor(c.NotAfter.Sub(now).Hours() / 24))
}

// names returns the names that a certificate is for.
func names(c *x509.Certificate) []string {
	out := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		out = append(out, ip.String())
	}
	out = append(out, c.EmailAddresses...)
	for _, u := range c.URIs {
		out = append(out, u.String())
	}
	return out
}

// certificateAttributes are what is read of a certificate, when the named attribute holds it.
func certificateAttributes(of string) []schema.Attribute {
	var with []string
	if of != "" {
		with = []string{of}
	}
	attrs := []schema.Attribute{
		{Name: "subject", Type: cty.String, Doc: "Whose certificate it is."},
		{Name: "issuer", Type: cty.String, Doc: "Who issued it."},
		{Name: "subject_alternative_names", Type: cty.List(cty.String), Doc: "Hosts, addresses and so on that it is for."},
		{Name: "not_before", Type: cty.String, Doc: "Since when it is valid, as RFC 3339."},
		{Name: "not_after", Type: cty.String, Doc: "Until when it is valid, as RFC 3339."},
		{Name: "days_left", Type: cty.Number, Doc: "Whole days until then; negative afterwards. Plans warn when fewer than 30 are left."},
		{Name: "sha256", Type: cty.String, Doc: "SHA-256 of its DER, in lower-case hexadecimal."},
	}
	for i := range attrs {
		attrs[i].ReadOnly, attrs[i].ChangesWith = true, with
	}
	return attrs
}

// describe fills in what certificateAttributes declares.
func describe(attrs map[string]cty.Value, c *x509.Certificate) {
	attrs["subject"] = cty.StringVal(c.Subject.String())
	attrs["issuer"] = cty.StringVal(c.Issuer.String())
	list := cty.ListValEmpty(cty.String)
	if all := names(c); len(all) > 0 {
		values := make([]cty.Value, len(all))
		for i, name := range all {
			values[i] = cty.StringVal(name)
		}
		list = cty.ListVal(values)
	}
	attrs["subject_alternative_names"] = list
	attrs["not_before"] = cty.StringVal(c.NotBefore.UTC().Format(time.RFC3339))
	attrs["not_after"] = cty.StringVal(c.NotAfter.UTC().Format(time.RFC3339))
	attrs["days_left"] = cty.NumberIntVal(daysLeft(c, time.Now()))
	attrs["sha256"] = cty.StringVal(fingerprint(c.Raw))
}

// expiring warns of planned certificates that have ended or will soon.
func expiring(_ context.Context, attribute string, planned []engine.Planned) []engine.PlanProblem {
	var out []engine.PlanProblem
	for i, p := range planned {
		if p.After == cty.NilVal || p.After.IsNull() || p.Action == engine.Delete {
			continue
		}
		v, _ := p.After.UnmarkDeep()
		text := stringOf(v, attribute)
		if text == "" {
			continue
		}
		list, err := certificates(text)
		if err != nil {
			continue // the attribute's own check says so
		}
		for _, c := range list {
			problem := engine.PlanProblem{Index: i, Attribute: attribute, Warning: true}
			switch left := daysLeft(c, time.Now()); {
			case left >= warnDays:
				continue
			case left < 0:
				problem.Summary = "Certificate expired"
				problem.Detail = fmt.Sprintf("The certificate of %s of %s ended on %s: nobody accepts it. Renew it.",
					c.Subject, p.Address, c.NotAfter.UTC().Format(time.DateOnly))
			default:
				problem.Summary = "Certificate expires soon"
				problem.Detail = fmt.Sprintf("The certificate of %s of %s ends in %d days, on %s. Renew it before.",
					c.Subject, p.Address, left, c.NotAfter.UTC().Format(time.DateOnly))
			}
			out = append(out, problem)
		}
	}
	return out
}
