package is

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"wso2plan/config/schema"
	"wso2plan/providers/rest"
)

// applicationChanges returns the bodies of the PATCH requests that bring an application from now to
// planned, none when nothing differs. What a PATCH leaves out stays; but the claims, the sequence, a
// trusted application and an attestation are replaced as a whole, so each is sent whole or not at all
// (is-behaviour 7). A block that is null in planned goes back to the server's default.
func applicationChanges(t *schema.Type, now, planned cty.Value) ([]map[string]any, error) {
	body := map[string]any{}
	for i := range t.Attributes {
		a := &t.Attributes[i]
		want := planned.GetAttr(a.Name)
		if a.ReadOnly || want.IsNull() || !want.IsKnown() || rest.Equal(a, want, now.GetAttr(a.Name)) {
			continue
		}
		if a.Name == "allowed_audience" {
			// Roles are linked after it, in a request of its own: the server refuses both at once.
			body["associatedRoles"] = map[string]any{"allowedAudience": want.AsString(), "roles": []any{}}
			continue
		}
		body[a.JSONName()] = rest.EncodeValue(want)
	}
	before := func(name string) (*schema.Block, cty.Value, cty.Value) {
		return &t.NestedBlock(name).Block, blockOf(now, name), blockOf(planned, name)
	}
	if doc := claimsChange(before("claims")); doc != nil {
		body["claimConfiguration"] = doc
	}
	if doc := provisioningChange(before("provisioning")); doc != nil {
		body["provisioningConfigurations"] = doc
	}
	b, was, is := before("advanced")
	doc, err := advancedChange(b, was, is)
	if err != nil {
		return nil, err
	}
	if len(doc) > 0 {
		body["advancedConfigurations"] = doc
	}
	var bodies []map[string]any
	sequence, clear := sequenceChange(before("authentication"))
	if clear {
		// IS 7.1 keeps the script for a blank one; it goes when the sequence goes back to the default.
		bodies = append(bodies, map[string]any{"authenticationSequence": map[string]any{"type": defaultSequence}})
	}
	if sequence != nil {
		body["authenticationSequence"] = sequence
	}
	if len(body) > 0 {
		bodies = append(bodies, body)
	}
	return bodies, nil
}

// claimsChange returns the claims to send, nil when they do not differ.
func claimsChange(b *schema.Block, now, planned cty.Value) map[string]any {
	switch {
	case !planned.IsKnown(), planned.IsNull() && !known(now):
		return nil
	case planned.IsNull():
		return map[string]any{"dialect": localDialect, "requestedClaims": []any{}, "role": map[string]any{"mappings": []any{}}}
	case known(now) && !differs(b, now, planned):
		return nil
	}
	doc := rest.Encode(b, planned)
	encodeClaims(doc)
	if doc["requestedClaims"] == nil {
		doc["requestedClaims"] = []any{}
	}
	if !known(now) {
		return doc
	}
	same := func(names ...string) bool {
		for _, name := range names {
			if a := b.Attribute(name); a != nil && !rest.Equal(a, planned.GetAttr(name), now.GetAttr(name)) {
				return false
			}
		}
		return true
	}
	// The subject is merged, so only what changes of it is sent: the defaults that the server shows are
	// not made settings. The two that go together are sent together.
	if subject, ok := doc["subject"].(map[string]any); ok {
		for attribute, member := range map[string]string{
			"subject_claim": "claim", "subject_include_user_domain": "includeUserDomain", "subject_include_tenant_domain": "includeTenantDomain",
		} {
			if same(attribute) {
				delete(subject, member)
			}
		}
		if same("use_mapped_local_subject", "mapped_local_subject_mandatory") {
			delete(subject, "useMappedLocalSubject")
			delete(subject, "mappedLocalSubjectMandatory")
		}
		if len(subject) == 0 {
			delete(doc, "subject")
		}
	}
	// What is said of roles replaces their mappings. A claim is sent only when it changes: IS 7.1
	// refuses to take back the default that it shows.
	mappings := b.NestedBlock("role_mapping")
	only := schema.Block{Blocks: []schema.NestedBlock{*mappings}}
	if same("role_claim", "role_include_user_domain") && !differs(&only, now, planned) {
		delete(doc, "role")
	} else {
		role, ok := doc["role"].(map[string]any)
		if !ok {
			role = map[string]any{}
			doc["role"] = role
		}
		if role["mappings"] == nil {
			role["mappings"] = []any{}
		}
		if same("role_claim") {
			delete(role, "claim")
		}
	}
	return doc
}

// sequenceChange returns the sequence to send, nil when it does not differ, and whether the old one
// has to be cleared before.
func sequenceChange(b *schema.Block, now, planned cty.Value) (doc map[string]any, clear bool) {
	isDefault := !known(now) || stringOf(now, "type") == defaultSequence
	switch {
	case !planned.IsKnown():
		return nil, false
	case planned.IsNull():
		if isDefault {
			return nil, false
		}
		return map[string]any{"type": defaultSequence}, false
	case known(now) && !differs(b, now, planned):
		return nil, false
	}
	doc = rest.Encode(b, planned)
	if stringOf(planned, "type") == defaultSequence {
		short := map[string]any{"type": defaultSequence}
		if list, ok := doc["requestPathAuthenticators"]; ok {
			short["requestPathAuthenticators"] = list
		}
		return short, false
	}
	encodeSequence(doc)
	clear = !isDefault && strings.TrimSpace(stringOf(now, "script")) != "" && strings.TrimSpace(stringOf(planned, "script")) == ""
	return doc, clear
}

// advancedChange returns the further settings to send, none when they do not differ.
func advancedChange(b *schema.Block, now, planned cty.Value) (map[string]any, error) {
	doc := map[string]any{}
	if !planned.IsKnown() || !known(now) && planned.IsNull() {
		return nil, nil
	}
	for i := range b.Attributes {
		a := &b.Attributes[i]
		if a.ReadOnly {
			continue
		}
		have := cty.False
		if known(now) && known(now.GetAttr(a.Name)) {
			have = now.GetAttr(a.Name)
		}
		want := cty.False
		if known(planned) {
			want = planned.GetAttr(a.Name)
		}
		if known(want) && !want.RawEquals(have) {
			doc[a.JSONName()] = want.True()
		}
	}
	for i := range b.Blocks {
		n := &b.Blocks[i]
		have, want := blockOf(now, n.Name), blockOf(planned, n.Name)
		switch {
		case !want.IsKnown(), want.IsNull() && !known(have):
		case want.IsNull():
			doc[n.JSONName()] = map[string]map[string]any{
				// A null removes no certificate, blank content does.
				"certificate": {"type": "PEM", "value": ""},
				"attestation": {"enableClientAttestation": false},
				"trusted_app": {"isFIDOTrustedApp": false, "isConsentGranted": false, "androidPackageName": "", "appleAppId": "", "androidThumbprints": []any{}},
			}[n.Name]
		case !known(have), differs(&n.Block, have, want), n.Name == "attestation" && known(want.GetAttr("android_credentials")):
			doc[n.JSONName()] = rest.Encode(&n.Block, want)
		}
	}
	return doc, encodeAdvanced(doc)
}

// provisioningChange returns the provisioning to send, nil when it does not differ. Outbound
// provisioning is left out unless it changes: IS 7.1 refuses even an empty list of it (APP-60514).
func provisioningChange(b *schema.Block, now, planned cty.Value) map[string]any {
	inbound := func(proxy bool, store string) map[string]any {
		return map[string]any{"proxyMode": proxy, "provisioningUserstoreDomain": store}
	}
	outbound := schema.Block{Blocks: []schema.NestedBlock{*b.NestedBlock("outbound")}}
	switch {
	case !planned.IsKnown(), planned.IsNull() && !known(now):
		return nil
	case planned.IsNull():
		doc := map[string]any{"inboundProvisioning": inbound(false, primaryStore)}
		if len(elements(now.GetAttr("outbound"))) > 0 {
			doc["outboundProvisioningIdps"] = []any{}
		}
		return doc
	case known(now) && !differs(b, now, planned):
		return nil
	}
	doc := rest.Encode(b, planned)
	if !known(now) || differs(&outbound, now, planned) {
		if doc["outboundProvisioningIdps"] == nil && known(now) {
			doc["outboundProvisioningIdps"] = []any{}
		}
	} else {
		delete(doc, "outboundProvisioningIdps")
	}
	return doc
}
