package apim

// policyBase is what all throttling policies have (apim-behaviour 3.2).
type policyBase struct {
	PolicyID    *string `json:"policyId"`
	PolicyName  *string `json:"policyName" is:"required,min=1,max=60"`
	DisplayName *string `json:"displayName" is:"min=0,max=512"`
	Description *string `json:"description" is:"min=0,max=1024"`
	IsDeployed  *bool   `json:"isDeployed"`
	Type        *string `json:"type"`
}

func (b *policyBase) rowID() string     { return text(b.PolicyID) }
func (b *policyBase) base() *policyBase { return b }

type throttleLimit struct {
	Type         *string       `json:"type" is:"required" enum:"REQUESTCOUNTLIMIT,BANDWIDTHLIMIT,EVENTCOUNTLIMIT,AIAPIQUOTALIMIT"`
	RequestCount *requestCount `json:"requestCount"`
	Bandwidth    *bandwidth    `json:"bandwidth"`
	EventCount   *eventCount   `json:"eventCount"`
	AIAPIQuota   *aiAPIQuota   `json:"aiApiQuota"`
}

type requestCount struct {
	TimeUnit     *string `json:"timeUnit" is:"required"`
	UnitTime     *int64  `json:"unitTime" is:"required"`
	RequestCount *int64  `json:"requestCount" is:"required"`
}

type bandwidth struct {
	TimeUnit   *string `json:"timeUnit" is:"required"`
	UnitTime   *int64  `json:"unitTime" is:"required"`
	DataAmount *int64  `json:"dataAmount" is:"required"`
	DataUnit   *string `json:"dataUnit" is:"required"`
}

type eventCount struct {
	TimeUnit   *string `json:"timeUnit" is:"required"`
	UnitTime   *int64  `json:"unitTime" is:"required"`
	EventCount *int64  `json:"eventCount" is:"required"`
}

type aiAPIQuota struct {
	TimeUnit             *string `json:"timeUnit" is:"required"`
	UnitTime             *int64  `json:"unitTime" is:"required"`
	RequestCount         *int64  `json:"requestCount" is:"required"`
	TotalTokenCount      *int64  `json:"totalTokenCount"`
	PromptTokenCount     *int64  `json:"promptTokenCount"`
	CompletionTokenCount *int64  `json:"completionTokenCount"`
}

type applicationPolicy struct {
	policyBase
	DefaultLimit *throttleLimit `json:"defaultLimit" is:"required"`
	BurstLimit   *burstLimit    `json:"burstLimit"`
}

type burstLimit struct {
	RateLimitCount    *int64  `json:"rateLimitCount"`
	RateLimitTimeUnit *string `json:"rateLimitTimeUnit"`
}

type subscriptionPolicy struct {
	policyBase
	GraphQLMaxComplexity *int64                   `json:"graphQLMaxComplexity"`
	GraphQLMaxDepth      *int64                   `json:"graphQLMaxDepth"`
	DefaultLimit         *throttleLimit           `json:"defaultLimit" is:"required"`
	Monetization         *monetization            `json:"monetization"`
	RateLimitCount       *int64                   `json:"rateLimitCount"`
	RateLimitTimeUnit    *string                  `json:"rateLimitTimeUnit"`
	SubscriberCount      *int64                   `json:"subscriberCount"`
	CustomAttributes     []customAttribute        `json:"customAttributes"`
	StopOnQuotaReach     *bool                    `json:"stopOnQuotaReach"`
	BillingPlan          *string                  `json:"billingPlan"`
	Permissions          *subscriptionPermissions `json:"permissions"`
}

type monetization struct {
	MonetizationPlan *string            `json:"monetizationPlan" enum:"FIXEDRATE,DYNAMICRATE"`
	Properties       map[string]*string `json:"properties" is:"required"`
}

func (m *monetization) defaults() { m.Properties = map[string]*string{} }

type customAttribute struct {
	Name  *string `json:"name" is:"required"`
	Value *string `json:"value" is:"required"`
}

type subscriptionPermissions struct {
	PermissionType *string  `json:"permissionType" is:"required" enum:"ALLOW,DENY"`
	Roles          []string `json:"roles" is:"required"`
}

func (p *subscriptionPermissions) defaults() { p.Roles = []string{} }

type advancedPolicy struct {
	policyBase
	DefaultLimit      *throttleLimit     `json:"defaultLimit" is:"required"`
	ConditionalGroups []conditionalGroup `json:"conditionalGroups"`
}

type conditionalGroup struct {
	Description *string             `json:"description"`
	Conditions  []throttleCondition `json:"conditions" is:"required"`
	Limit       *throttleLimit      `json:"limit" is:"required"`
}

func (g *conditionalGroup) defaults() { g.Conditions = []throttleCondition{} }

type throttleCondition struct {
	Type                    *string                  `json:"type" is:"required" enum:"HEADERCONDITION,IPCONDITION,JWTCLAIMSCONDITION,QUERYPARAMETERCONDITION"`
	InvertCondition         *bool                    `json:"invertCondition"`
	HeaderCondition         *headerCondition         `json:"headerCondition"`
	IPCondition             *ipCondition             `json:"ipCondition"`
	JWTClaimsCondition      *jwtClaimsCondition      `json:"jwtClaimsCondition"`
	QueryParameterCondition *queryParameterCondition `json:"queryParameterCondition"`
}

func (c *throttleCondition) defaults() { c.InvertCondition = ptr(false) }

type headerCondition struct {
	HeaderName  *string `json:"headerName" is:"required"`
	HeaderValue *string `json:"headerValue" is:"required"`
}

type ipCondition struct {
	IPConditionType *string `json:"ipConditionType" enum:"IPRANGE,IPSPECIFIC"`
	SpecificIP      *string `json:"specificIP"`
	StartingIP      *string `json:"startingIP"`
	EndingIP        *string `json:"endingIP"`
}

type jwtClaimsCondition struct {
	ClaimURL  *string `json:"claimUrl" is:"required"`
	Attribute *string `json:"attribute" is:"required"`
}

type queryParameterCondition struct {
	ParameterName  *string `json:"parameterName" is:"required"`
	ParameterValue *string `json:"parameterValue" is:"required"`
}

type customRule struct {
	policyBase
	SiddhiQuery *string `json:"siddhiQuery" is:"required"`
	KeyTemplate *string `json:"keyTemplate" is:"required"`
}
