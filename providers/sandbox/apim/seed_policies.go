package apim

// seedPolicies gives a tenant the throttling policies of a fresh server, in the order in which its
// lists show them (recorded).
func seedPolicies(t *tenant) {
	minute := func(n int64) *throttleLimit {
		return &throttleLimit{Type: ptr("REQUESTCOUNTLIMIT"), RequestCount: &requestCount{ptr("min"), ptr(int64(1)), ptr(n)}}
	}
	events := func(unit string, n int64) *throttleLimit {
		return &throttleLimit{Type: ptr("EVENTCOUNTLIMIT"), EventCount: &eventCount{ptr(unit), ptr(int64(1)), ptr(n)}}
	}
	tokens := func(requests, total int64) *throttleLimit {
		return &throttleLimit{Type: ptr("AIAPIQUOTALIMIT"),
			AIAPIQuota: &aiAPIQuota{ptr("min"), ptr(int64(1)), ptr(requests), ptr(total), ptr(int64(0)), ptr(int64(0))}}
	}
	const unlimited = 1<<31 - 1
	base := func(typeName, name, description string, deployed bool) policyBase {
		return policyBase{ptr(newID()), ptr(name), ptr(name), ptr(description), ptr(deployed), ptr(typeName)}
	}
	for _, p := range []struct {
		name, description string
		limit             *throttleLimit
	}{
		{"50PerMin", "Allows 50 request per minute", minute(50)},
		{"20PerMin", "Allows 20 request per minute", minute(20)},
		{"10PerMin", "Allows 10 request per minute", minute(10)},
		{"Unlimited", "Allows unlimited requests", minute(unlimited)},
	} {
		t.ApplicationPolicies.add(&applicationPolicy{base("ApplicationThrottlePolicy", p.name, p.description, false), p.limit, &burstLimit{RateLimitCount: ptr(int64(0))}})
	}
	for _, p := range []struct {
		name, description string
		limit             *throttleLimit
		subscribers       int64
		deployed          bool
	}{
		{"Gold", "Allows 5000 requests per minute", minute(5000), 0, false},
		{"Silver", "Allows 2000 requests per minute", minute(2000), 0, false},
		{"Bronze", "Allows 1000 requests per minute", minute(1000), 0, false},
		{"Unauthenticated", "Allows 500 request(s) per minute", minute(500), 0, false},
		{"DefaultSubscriptionless", "Allows 10000 requests per minute when subscription validation is disabled", minute(100000), 0, false},
		{"Unlimited", "Allows unlimited requests", minute(unlimited), 0, false},
		{"AsyncGold", "Allows 50000 events per day", events("days", 50000), 0, true},
		{"AsyncSilver", "Allows 25000 events per day", events("days", 25000), 0, true},
		{"AsyncBronze", "Allows 5000 events per day", events("days", 5000), 0, true},
		{"AsyncDefaultSubscriptionless", "Allows 10000 events per day when subscription validation is disabled", events("days", 10000), 0, true},
		{"AsyncUnlimited", "Allows unlimited events", events("days", unlimited), 0, true},
		{"AIGold", "Allows 50000 total tokens and 500 requests per minute", tokens(500, 50000), 0, true},
		{"AISilver", "Allows 10000 total tokens and 100 requests per minute", tokens(100, 10000), 0, true},
		{"AIBronze", "Allows 1000 total tokens and 10 requests per minute", tokens(10, 1000), 0, true},
		{"AsyncWHGold", "Allows 10000 events per month and 1000 active subscriptions", events("months", 10000), 1000, true},
		{"AsyncWHSilver", "Allows 5000 events per month and 500 active subscriptions", events("months", 5000), 500, true},
		{"AsyncWHBronze", "Allows 1000 events per month and 500 active subscriptions", events("months", 1000), 100, true},
		{"AsyncWHUnlimited", "Allows unlimited events and unlimited active subscriptions", events("months", unlimited), unlimited, true},
	} {
		zero := func() *int64 { return ptr(int64(0)) }
		t.SubscriptionPolicies.add(&subscriptionPolicy{policyBase: base("SubscriptionThrottlePolicy", p.name, p.description, p.deployed),
			DefaultLimit: p.limit, GraphQLMaxComplexity: zero(), GraphQLMaxDepth: zero(), RateLimitCount: zero(), SubscriberCount: ptr(p.subscribers),
			CustomAttributes: []customAttribute{}, StopOnQuotaReach: ptr(true), BillingPlan: ptr("FREE")})
	}
	for _, p := range []struct {
		name, description string
		n                 int64
	}{
		{"50KPerMin", "Allows 50000 requests per minute", 50000},
		{"20KPerMin", "Allows 20000 requests per minute", 20000},
		{"10KPerMin", "Allows 10000 requests per minute", 10000},
		{"Unlimited", "Allows unlimited requests", unlimited},
	} {
		t.AdvancedPolicies.add(&advancedPolicy{base("AdvancedThrottlePolicy", p.name, p.description, false), minute(p.n), []conditionalGroup{}})
	}
}
