package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A counter counts what came in one window.
type counter struct {
	until    time.Time
	requests int64
	bytes    int64
}

// counters count per key. Windows begin at full units, as those of the traffic manager do: a minute's limit is free again at the next full minute.
type counters struct {
	mu    sync.Mutex
	by    map[string]*counter
	sweep time.Time
}

func newCounters() *counters { return &counters{by: map[string]*counter{}} }

// A quota is a limit that counts for a call.
type quota struct {
	code  string // of the refusal
	key   string
	limit Limit
	soft  bool // counted, and not refused
}

// take counts a call in all quotas, or in none and returns the first that is used up and the time when it is not any more.
func (c *counters) take(now time.Time, size int64, quotas []quota) (*quota, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.sweep) > time.Minute {
		c.sweep = now
		for key, n := range c.by {
			if !n.until.After(now) {
				delete(c.by, key)
			}
		}
	}
	for i := range quotas {
		q := &quotas[i]
		n := c.by[q.key]
		if n == nil || !n.until.After(now) {
			n = &counter{until: windowEnd(now, q.limit)}
			c.by[q.key] = n
		}
		if !q.soft && (q.limit.Requests > 0 && n.requests >= q.limit.Requests || q.limit.Bytes > 0 && n.bytes >= q.limit.Bytes) {
			return q, n.until
		}
	}
	for _, q := range quotas {
		c.by[q.key].requests++
		c.by[q.key].bytes += size
	}
	return nil, time.Time{}
}

// windowEnd is when the window ends that now is in.
func windowEnd(now time.Time, l Limit) time.Time {
	count := max(l.Count, 1)
	now = now.UTC()
	unit := time.Minute
	switch strings.TrimSuffix(strings.ToLower(l.Unit), "s") {
	case "sec", "second":
		unit = time.Second
	case "hour":
		unit = time.Hour
	case "day":
		unit = 24 * time.Hour
	case "week":
		unit = 7 * 24 * time.Hour
	case "month":
		return time.Date(now.Year(), now.Month()+time.Month(count), 1, 0, 0, 0, 0, time.UTC)
	case "year":
		return time.Date(now.Year()+int(count), 1, 1, 0, 0, 0, 0, time.UTC)
	}
	size := int64(unit/time.Second) * count
	return time.Unix((now.Unix()/size+1)*size, 0)
}

// throttle refuses calls of whom deny policies name and calls past a limit: of the API or the operation, of the subscription, of the application.
func (c *call) throttle() *fault {
	address := c.address()
	for i := range c.contents.Deny {
		if c.denied(&c.contents.Deny[i], address) {
			return forbidden("900805", "Message blocked", "You have been blocked from accessing the resource")
		}
	}
	quotas := c.quotas(address)
	if len(quotas) == 0 {
		return nil
	}
	used, next := c.gateway.counters.take(c.gateway.options.Now(), max(c.request.ContentLength, 0), quotas)
	switch {
	case used == nil:
		return nil
	case used.code == "900801":
		return &fault{status: http.StatusServiceUnavailable, Code: used.code, Message: "API Limit Reached", Description: "API not accepting requests"}
	}
	return throttled(used.code, next)
}

// Codes of the limits.
const (
	apiLimit          = "900800"
	hardLimit         = "900801"
	resourceLimit     = "900802"
	applicationLimit  = "900803"
	subscriptionLimit = "900804"
	burstLimit        = "900807"
)

func (c *call) quotas(address string) []quota {
	var out []quota
	add := func(code, key string, limit Limit, soft bool) {
		if limit.Requests > 0 && limit.Requests < 1<<31-1 || limit.Bytes > 0 {
			out = append(out, quota{code, code + "\x00" + key + "\x00" + strconv.FormatInt(limit.Count, 10) + limit.Unit, limit, soft})
		}
	}
	policy := func(from map[string]*Policy, name string) *Policy { return from[PolicyKey(c.api.Tenant, name)] }
	at := c.api.Context
	name, code := c.operation.Policy, resourceLimit
	key := at + c.operation.Target + ":" + c.operation.Verb
	if c.api.Policy != "" { // a policy of the whole API goes before those of its operations
		name, code, key = c.api.Policy, apiLimit, at
	}
	if p := policy(c.contents.AdvancedPolicies, name); p != nil && !c.caller.certificate {
		matched := false
		for i, g := range p.Groups {
			if c.matches(g, address) {
				matched = true
				add(code, key+"#"+strconv.Itoa(i), g.Limit, false)
			}
		}
		if !matched {
			add(code, key, p.Limit, false)
		}
	}
	tier, app := c.caller.tier, ""
	if c.caller.application != nil {
		app = c.caller.application.ID
	}
	if c.caller.subscription != nil {
		tier = c.caller.subscription.Policy
	}
	if tier == "" {
		tier = "Unauthenticated"
		if len(c.api.Tiers) == 1 && c.api.Tiers[0] == subscriptionless {
			tier = subscriptionless
		}
	}
	if p := policy(c.contents.SubscriptionPolicies, tier); p != nil {
		add(subscriptionLimit, app+":"+at, p.Limit, p.Overdraws)
		add(burstLimit, app+":"+at, p.Burst, false)
	}
	if c.caller.application != nil {
		if p := c.contents.ApplicationPolicies[PolicyKey(c.caller.application.Tenant, c.caller.application.Policy)]; p != nil {
			add(applicationLimit, app+":"+c.caller.user, p.Limit, false)
			add(burstLimit, app+":"+c.caller.user, p.Burst, false)
		}
	}
	if limit, has := c.api.MaxTPS[c.caller.keyType]; has {
		add(hardLimit, at+":"+c.caller.keyType, limit, false)
	}
	return out
}

// matches tells whether all conditions of a group hold.
func (c *call) matches(g Group, address string) bool {
	for _, condition := range g.Conditions {
		held := false
		switch condition.Kind {
		case "header":
			held = c.any(condition, c.request.Header.Values(condition.Name))
		case "query":
			held = c.any(condition, c.request.URL.Query()[condition.Name])
		case "claim":
			if v, has := c.caller.claims[condition.Name]; has {
				held = c.any(condition, append(scopesOf(v), textOf(c.caller.claims, condition.Name)))
			}
		case "ip":
			held = address == condition.Value
		case "range":
			held = within(address, condition.Value)
		}
		if held == condition.Invert {
			return false
		}
	}
	return len(g.Conditions) > 0
}

// any tells whether one of the values matches the pattern of a condition as a whole.
func (c *call) any(condition Condition, values []string) bool {
	pattern, err := regexp.Compile("^(?:" + condition.Value + ")$")
	for _, v := range values {
		if v == condition.Value || err == nil && pattern.MatchString(v) {
			return true
		}
	}
	return false
}

// denied tells whether a deny policy names the call.
func (c *call) denied(d *Deny, address string) bool {
	if d.Tenant != c.api.Tenant {
		return false
	}
	switch d.Type {
	case "API":
		return d.Value == c.api.Context
	case "APPLICATION":
		return c.caller.application != nil && d.Value == c.caller.application.Owner+":"+c.caller.application.Name
	case "USER":
		return strings.EqualFold(d.Value, c.caller.user)
	case "IP":
		return (d.Value == address) != d.Invert
	case "IPRANGE":
		return within(address, d.Value) != d.Invert
	}
	return false
}

// within tells whether an address is in a range "from-to".
func within(address, between string) bool {
	from, to, _ := strings.Cut(between, "-")
	low, err1 := netip.ParseAddr(from)
	high, err2 := netip.ParseAddr(to)
	at, err3 := netip.ParseAddr(address)
	return err1 == nil && err2 == nil && err3 == nil && low.BitLen() == at.BitLen() && low.Compare(at) <= 0 && at.Compare(high) <= 0
}

// address is where a call comes from: the first of X-Forwarded-For, or the other end of the connection.
func (c *call) address() string {
	if forwarded := c.request.Header.Get("X-Forwarded-For"); forwarded != "" {
		first, _, _ := strings.Cut(forwarded, ",")
		return strings.TrimSpace(first)
	}
	host, _, err := net.SplitHostPort(c.request.RemoteAddr)
	if err != nil {
		return c.request.RemoteAddr
	}
	return host
}
