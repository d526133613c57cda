package apim

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
)

// contents is everything that the server keeps; Snapshot is its JSON.
type contents struct {
	Tenants map[string]*tenant `json:"tenants"`
	// GlobalKeyManagers are the super tenant administrator's; every tenant can use them.
	GlobalKeyManagers rows[keyManager, *keyManager] `json:"globalKeyManagers"`
	TrustStore        trustStore                    `json:"trustStore,omitempty"`
}

// A tenant holds what belongs to one tenant.
type tenant struct {
	Domain string `json:"domain"`

	KeyManagers          rows[keyManager, *keyManager]                   `json:"keyManagers"`
	ApplicationPolicies  rows[applicationPolicy, *applicationPolicy]     `json:"applicationPolicies"`
	SubscriptionPolicies rows[subscriptionPolicy, *subscriptionPolicy]   `json:"subscriptionPolicies"`
	AdvancedPolicies     rows[advancedPolicy, *advancedPolicy]           `json:"advancedPolicies"`
	CustomRules          rows[customRule, *customRule]                   `json:"customRules"`
	DenyPolicies         rows[denyPolicy, *denyPolicy]                   `json:"denyPolicies"`
	Categories           rows[category, *category]                       `json:"categories"`
	Environments         rows[environment, *environment]                 `json:"environments"`
	Applications         rows[application, *application]                 `json:"applications"`
	Keys                 rows[keyMapping, *keyMapping]                   `json:"keys"`
	APIs                 rows[apiRecord, *apiRecord]                     `json:"apis"`
	Products             rows[apiRecord, *apiRecord]                     `json:"products"`
	SharedScopes         rows[sharedScope, *sharedScope]                 `json:"sharedScopes"`
	OperationPolicies    rows[operationPolicy, *operationPolicy]         `json:"operationPolicies"`
	GatewayPolicies      rows[gatewayPolicy, *gatewayPolicy]             `json:"gatewayPolicies"`
	Services             rows[keptService, *keptService]                 `json:"services"`
	Rulesets             rows[keptRuleset, *keptRuleset]                 `json:"rulesets"`
	GovernancePolicies   rows[governancePolicy, *governancePolicy]       `json:"governancePolicies"`
	Subscriptions        rows[subscription, *subscription]               `json:"subscriptions"`
	EndpointCertificates rows[endpointCertificate, *endpointCertificate] `json:"endpointCertificates"`
	Labels               rows[label, *label]                             `json:"labels"`
	Labelled             map[string][]string                             `json:"labelled"` // ids of labels by those of APIs
	AIProviders          rows[aiProvider, *aiProvider]                   `json:"aiProviders"`
	Workflows            rows[workflow, *workflow]                       `json:"workflows"`
	Config               map[string]any                                  `json:"config"`          // the document of /tenant-config
	Theme                []byte                                          `json:"theme,omitempty"` // an archive
	Organizations        rows[organization, *organization]               `json:"organizations"`
	Subscribers          map[string]bool                                 `json:"subscribers"` // users who have been in the devportal

	global *rows[keyManager, *keyManager] // of the contents that hold this tenant
	index  *apiIndex                      // nil: what there is is indexed
}

// A row is an object that has an id.
type row[T any] interface {
	*T
	rowID() string
}

// rows are the objects of one kind in the order in which they were made. The zero value is empty.
type rows[T any, P row[T]] struct {
	list []P
	byID map[string]P
}

func (r *rows[T, P]) add(v P) {
	if r.byID == nil {
		r.byID = map[string]P{}
	}
	r.list = append(r.list, v)
	r.byID[v.rowID()] = v
}

// get returns the object of an id, nil when there is none.
func (r *rows[T, P]) get(id string) P { return r.byID[id] }

// replace puts a new value in the place of the object that has its id.
func (r *rows[T, P]) replace(v P) {
	i := slices.Index(r.list, r.byID[v.rowID()])
	if i < 0 {
		r.add(v)
		return
	}
	r.list[i] = v
	r.byID[v.rowID()] = v
}

func (r *rows[T, P]) remove(id string) {
	v, found := r.byID[id]
	if !found {
		return
	}
	delete(r.byID, id)
	if i := slices.Index(r.list, v); i >= 0 {
		r.list = slices.Delete(r.list, i, i+1)
	}
}

// find returns the first object that the test accepts, nil when there is none.
func (r *rows[T, P]) find(test func(P) bool) P {
	if i := slices.IndexFunc(r.list, test); i >= 0 {
		return r.list[i]
	}
	return nil
}

// values returns the objects themselves, in order.
func (r *rows[T, P]) values() []P { return slices.Clone(r.list) }

func (r rows[T, P]) MarshalJSON() ([]byte, error) {
	if r.list == nil {
		return []byte("[]"), nil
	}
	return json.Marshal(r.list)
}

func (r *rows[T, P]) UnmarshalJSON(b []byte) error {
	var list []P
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	*r = rows[T, P]{}
	for _, v := range list {
		if v == nil || v.rowID() == "" {
			return fmt.Errorf("an object of %T has no id", v)
		}
		if r.byID[v.rowID()] != nil {
			return fmt.Errorf("two objects of %T have the id %s", v, v.rowID())
		}
		r.add(v)
	}
	return nil
}

// tenantOf returns a tenant, made afresh when it is new. The contents are locked.
func (s *Server) tenantOf(domain string) *tenant {
	t := s.contents.Tenants[domain]
	if t == nil {
		t = s.freshTenant(domain)
		s.contents.Tenants[domain] = t
	}
	t.global = &s.contents.GlobalKeyManagers
	return t
}

// freshTenant is a tenant as the server makes it: seeded policies, the resident key manager, the
// environment of deployment.toml.
func (s *Server) freshTenant(domain string) *tenant {
	t := &tenant{Domain: domain, Subscribers: map[string]bool{}}
	seedPolicies(t)
	seedOperationPolicies(t)
	s.seedGovernance(t)
	seedAIProviders(t)
	seedConfig(t)
	t.KeyManagers.add(residentKeyManager())
	t.Environments.add(defaultEnvironment())
	return t
}

// Snapshot returns all contents, secrets in the clear, as JSON.
func (s *Server) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(s.contents)
}

// Restore puts the contents of a Snapshot in the place of what the server holds; on error nothing
// changes. Clients of the resident key manager are its registry's to restore.
func (s *Server) Restore(snapshot []byte) error {
	var c contents
	if err := json.Unmarshal(snapshot, &c); err != nil {
		return fmt.Errorf("contents of API Manager: %w", err)
	}
	if c.Tenants == nil {
		c.Tenants = map[string]*tenant{}
	}
	for domain, t := range c.Tenants {
		if t == nil {
			return fmt.Errorf("contents of API Manager: tenant %q is null", domain)
		}
		if t.Subscribers == nil {
			t.Subscribers = map[string]bool{}
		}
		if t.Config == nil {
			seedConfig(t)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.contents, s.view = c, view{}
	return nil
}

// newID makes a random UUID.
func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}
