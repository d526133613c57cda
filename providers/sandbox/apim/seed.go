package apim

import (
	"context"
	"fmt"
	"time"
)

// Seed adds n applications of owner admin with production keys of the resident key manager, and
// n/10 each of application policies and key managers, to the super tenant: contents for load. Names
// are numbered from 1 and the same in each run.
func (s *Server) Seed(ctx context.Context, n int) error {
	type keyed struct {
		application string
		client      Client
	}
	s.mu.Lock()
	c := &call{server: s, user: Principal{User: "admin", Tenant: superTenant}}
	c.enter()
	c.subscriber()
	for i := range n / 10 {
		p := &applicationPolicy{policyBase{ptr(newID()), ptr(fmt.Sprintf("Seed%05d", i+1)), ptr(fmt.Sprintf("Seed %d", i+1)), ptr("made for load"), ptr(false),
			ptr("ApplicationThrottlePolicy")}, &throttleLimit{Type: ptr("REQUESTCOUNTLIMIT"),
			RequestCount: &requestCount{ptr("min"), ptr(int64(1)), ptr(int64(i + 1))}}, &burstLimit{RateLimitCount: ptr(int64(0))}}
		c.tenant.ApplicationPolicies.add(p)
		k := newKeyManager()
		k.ID, k.Name, k.Type = ptr(newID()), ptr(fmt.Sprintf("seed-%05d", i+1)), ptr("WSO2-IS-7")
		k.DisplayName, k.Description, k.Enabled = ptr(fmt.Sprintf("Seed %d", i+1)), ptr("made for load"), ptr(true)
		at := func(path string) *string { return ptr(fmt.Sprintf("https://seed-%05d.example.com%s", i+1, path)) }
		k.Issuer, k.TokenEndpoint, k.ClientRegistrationEndpoint = at("/oauth2/token"), at("/oauth2/token"), at("/api/identity/oauth2/dcr/v1.1/register")
		k.AdditionalProperties = map[string]any{"Username": "admin", "Password": "admin", "api_resource_management_endpoint": *at("/api/server/v1/api-resources"),
			"is7_roles_endpoint": *at("/scim2/v2/Roles")}
		if a := k.normalize(nil); a != nil {
			s.mu.Unlock()
			return fmt.Errorf("seed of key manager %d: %s", i+1, a.body)
		}
		k.loadedAt = time.Time{}
		c.tenant.KeyManagers.add(k)
	}
	made := make([]*application, n)
	for i := range made {
		made[i] = &application{Name: ptr(fmt.Sprintf("seed-%05d", i+1)), ThrottlingPolicy: ptr("Unlimited"), Description: ptr("made for load"),
			Attributes: s.attributes(nil)}
		c.add(made[i])
	}
	resident := c.tenant.keyManagerNamed(residentName)
	s.mu.Unlock()

	keys := make([]keyed, 0, n)
	for _, a := range made {
		client, err := s.options.Resident.CreateClient(ctx, superTenant, Client{Name: clientName("admin", *a.ApplicationID, "PRODUCTION"), Owner: "admin",
			GrantTypes: []string{"client_credentials"}, Extra: map[string]any{}})
		if err != nil {
			return fmt.Errorf("seed of keys: %w", err)
		}
		keys = append(keys, keyed{*a.ApplicationID, client})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range keys {
		c.tenant.Keys.add(&keyMapping{ID: newID(), Application: k.application, KeyManager: *resident.ID, KeyType: "PRODUCTION", ConsumerKey: k.client.ID,
			Mode: modeCreated})
	}
	return nil
}
