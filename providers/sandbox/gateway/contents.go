package gateway

// Contents is what a control plane has told a gateway.
type Contents struct {
	APIs          []*API
	KeyManagers   []KeyManager
	Keys          []Key
	Applications  []Application
	Subscriptions []Subscription
	Deny          []Deny
	// Policies by tenant and name, "carbon.super\x00Gold"; see PolicyKey.
	ApplicationPolicies, SubscriptionPolicies, AdvancedPolicies map[string]*Policy
	// Trusted are the certificates that backends may have, DER.
	Trusted [][]byte
}

// PolicyKey is the key of a policy in Contents.
func PolicyKey(tenant, name string) string { return tenant + "\x00" + name }

// An API is an API, or an API product, as it was deployed: the snapshot of its revision. Only State is the working copy's.
type API struct {
	ID, Name, Version string
	Revision          string // id of the revision
	Context           string // with the version: "/pizza/1.0.0", "/t/acme.com/pizza/1.0.0"
	DefaultContext    string // the context without version, where this is the default version; else empty
	Provider          string
	Tenant            string
	Type              string // "HTTP", "SOAP", "GRAPHQL", …
	State             string // "PUBLISHED", "BLOCKED", …
	Security          []string
	AuthorizationHead string              // the header that holds the token; empty is Authorization
	KeyManagers       []string            // names or ids of those that may issue tokens; "all" is all
	Bindings          map[string][]string // roles of scopes, for users with Basic credentials
	Policy            string              // advanced policy of the whole API; empty: each operation has its own
	Tiers             []string
	CORS              *CORS // nil is the server's own
	Operations        []Operation
	Backends          Backends
	Certificates      []ClientCertificate
	MaxTPS            map[string]Limit // by key type
	Schema            string           // of a GraphQL API
	Costs             []Cost           // of its fields
}

// An Operation is one verb on one path template.
type Operation struct {
	Target   string // "/menu/{id}", "/*"; of a GraphQL API the name of a field
	Verb     string // "GET"; of a GraphQL API QUERY, MUTATION or SUBSCRIPTION
	Public   bool   // authType None
	Scopes   []string
	Policy   string
	Backends *Backends // of the API that a product has it from; nil is the API's own
	Request  []Step    // policies of the request
	Response []Step

	groups [][]string // of a GraphQL query: scopes of each field, of which one is needed
}

// A Step is an operation policy that the gateway knows how to run.
type Step struct {
	Name       string // "addHeader"
	Parameters map[string]string
}

// A Cost is how much a field of a GraphQL type costs.
type Cost struct {
	Type, Field string
	Value       int
}

// Backends are the endpoints of an API by key type. A missing one refuses keys of that type.
type Backends struct{ Production, Sandbox *Backend }

// A Backend is one endpoint.
type Backend struct {
	URLs     []string // the first, unless it is Balanced; the next when one does not answer and Failover is set
	Balanced bool
	Failover bool
	Security *BackendSecurity
}

// BackendSecurity is what a backend wants to see.
type BackendSecurity struct {
	Type               string // "BASIC", "OAUTH", "apikey"
	Username, Password string // BASIC
	TokenURL           string // OAUTH, by client credentials
	ClientID, Secret   string
	Name, Value, In    string // apikey: In is HEADER or QUERY
}

// CORS is the configuration of one API.
type CORS struct {
	Origins, Headers, Methods []string
	Credentials               bool
}

// A ClientCertificate may call an API by mutual TLS.
type ClientCertificate struct {
	KeyType string // "PRODUCTION", "SANDBOX"
	Tier    string
	DER     []byte
}

// A KeyManager issues tokens.
type KeyManager struct {
	ID, Name, Tenant string // Tenant "" is a global one
	Issuer           string
	JWKS             string // URL of its key set
	PEM              []byte // its certificate, where there is no key set
	ConsumerKeyClaim string // "azp"
	ScopesClaim      string // "scope"
	Introspection    string // URL
	User, Password   string // of the introspection
	Introspects      bool   // also JWTs are introspected
	Resident         bool
}

// A Key is a client of an application.
type Key struct{ KeyManager, ConsumerKey, Application, Type string }

// An Application calls APIs.
type Application struct{ ID, Name, Owner, Tenant, Policy string }

// A Subscription lets an application call an API. Status is API Manager's: UNBLOCKED, BLOCKED, PROD_ONLY_BLOCKED, ON_HOLD, ….
type Subscription struct{ Application, API, Policy, Status string }

// Deny refuses calls.
type Deny struct {
	Type   string // "API", "APPLICATION", "USER", "IP", "IPRANGE"
	Tenant string
	Value  string // "/pizza/1.0.0", "ann:mobile", "ann@carbon.super", an address, or "from-to"
	Invert bool
}

// A Policy limits calls.
type Policy struct {
	Limit           Limit
	Burst           Limit
	Overdraws       bool // calls over the limit pass (stopOnQuotaReach false)
	Groups          []Group
	QueryDepth      int // of GraphQL; 0 is any
	QueryComplexity int
}

// A Limit is so many requests, or so many bytes, in a window. Zero is none.
type Limit struct {
	Requests int64
	Bytes    int64
	Unit     string // "sec", "min", "hour", "day", "week", "month", "year", or with an s
	Count    int64  // of units
}

// A Group is a limit for the calls that all its conditions hold for.
type Group struct {
	Conditions []Condition
	Limit      Limit
}

// A Condition looks at a call.
type Condition struct {
	Kind   string // "header", "query", "claim", "ip", "range"
	Name   string // of header, parameter or claim
	Value  string // a regular expression for the three; an address, or "from-to"
	Invert bool
}
