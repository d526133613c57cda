package apim

import "encoding/json"

// apiBody is the DTO API of requests. What is not checked has no type of its own.
type apiBody struct {
	Name                        *string             `json:"name" is:"required,min=1" pattern:"(^[^~!@#;:%^*()+={}|\\\\<>\"',&$\\[\\]/]*$)"`
	Context                     *string             `json:"context" is:"required,min=1,max=232"`
	Version                     *string             `json:"version" is:"required,min=1,max=30" pattern:"^[^~!@#;:%^*()+={}|\\\\<>\"',&/$\\[\\]\\s+/]+$"`
	DisplayName                 *string             `json:"displayName"`
	Description                 *string             `json:"description" is:"min=0,max=32766"`
	Provider                    *string             `json:"provider" is:"min=0,max=200"`
	Type                        *string             `json:"type" enum:"HTTP,WS,SOAPTOREST,SOAP,GRAPHQL,WEBSUB,SSE,WEBHOOK,ASYNC"`
	Visibility                  *string             `json:"visibility" enum:"PUBLIC,PRIVATE,RESTRICTED"`
	AccessControl               *string             `json:"accessControl" enum:"NONE,RESTRICTED"`
	SubscriptionAvailability    *string             `json:"subscriptionAvailability" enum:"CURRENT_TENANT,ALL_TENANTS,SPECIFIC_TENANTS"`
	EndpointImplementationType  *string             `json:"endpointImplementationType" enum:"INLINE,ENDPOINT,MOCKED_OAS"`
	AuthorizationHeader         *string             `json:"authorizationHeader" pattern:"(^[^~!@#;:%^*()+={}|\\\\<>\"',&$\\s+]*$)"`
	APIKeyHeader                *string             `json:"apiKeyHeader" pattern:"(^[^~!@#;:%^*()+={}|\\\\<>\"',&$\\s+]*$)"`
	Policies                    []string            `json:"policies"`
	Tags                        []string            `json:"tags"`
	Transport                   []string            `json:"transport"`
	Categories                  []string            `json:"categories"`
	VisibleRoles                []string            `json:"visibleRoles"`
	AccessControlRoles          []string            `json:"accessControlRoles"`
	Audiences                   []string            `json:"audiences"`
	SecurityScheme              []string            `json:"securityScheme"`
	KeyManagers                 any                 `json:"keyManagers"`
	Operations                  []operationBody     `json:"operations"`
	ID                          *string             `json:"id"`
	LifeCycleStatus             *string             `json:"lifeCycleStatus"`
	WSDLInfo                    *wsdlInfoBody       `json:"wsdlInfo"`
	WSDLUrl                     *string             `json:"wsdlUrl"`
	ResponseCachingEnabled      *bool               `json:"responseCachingEnabled"`
	CacheTimeout                *int64              `json:"cacheTimeout"`
	HasThumbnail                *bool               `json:"hasThumbnail"`
	IsDefaultVersion            *bool               `json:"isDefaultVersion"`
	IsRevision                  *bool               `json:"isRevision"`
	RevisionedAPIID             *string             `json:"revisionedApiId"`
	RevisionID                  *int64              `json:"revisionId"`
	EnableSchemaValidation      *bool               `json:"enableSchemaValidation"`
	EnableSubscriberVerifcation *bool               `json:"enableSubscriberVerification"`
	Audience                    *string             `json:"audience" enum:"PUBLIC,SINGLE"`
	OrganizationPolicies        []organizationTiers `json:"organizationPolicies"`
	APIThrottlingPolicy         *string             `json:"apiThrottlingPolicy"`
	MaxTPS                      *maxTPSBody         `json:"maxTps"`
	VisibleTenants              []string            `json:"visibleTenants"`
	VisibleOrganizations        []string            `json:"visibleOrganizations"`
	MediationPolicies           []mediationBody     `json:"mediationPolicies"`
	APIPolicies                 *flowsBody          `json:"apiPolicies"`
	APIHubPolicies              []policyUse         `json:"apiHubPolicies"`
	SubscriptionAvailTenants    []string            `json:"subscriptionAvailableTenants"`
	AdditionalProperties        []propertyBody      `json:"additionalProperties"`
	AdditionalPropertiesMap     map[string]any      `json:"additionalPropertiesMap"`
	Monetization                *apiMonetization    `json:"monetization"`
	BusinessInformation         *businessBody       `json:"businessInformation"`
	CORSConfiguration           *corsBody           `json:"corsConfiguration"`
	WebsubConfiguration         *websubBody         `json:"websubSubscriptionConfiguration"`
	WorkflowStatus              *string             `json:"workflowStatus"`
	CreatedTime                 *string             `json:"createdTime"`
	LastUpdatedTimestamp        *string             `json:"lastUpdatedTimestamp"`
	LastUpdatedTime             *string             `json:"lastUpdatedTime"`
	EndpointConfig              any                 `json:"endpointConfig"`
	PrimaryProductionEndpointID *string             `json:"primaryProductionEndpointId"`
	PrimarySandboxEndpointID    *string             `json:"primarySandboxEndpointId"`
	SubtypeConfiguration        *subtypeBody        `json:"subtypeConfiguration"`
	Scopes                      []apiScopeBody      `json:"scopes"`
	ThreatProtectionPolicies    map[string]any      `json:"threatProtectionPolicies"`
	ServiceInfo                 *serviceInfoBody    `json:"serviceInfo"`
	AdvertiseInfo               *advertiseBody      `json:"advertiseInfo"`
	GatewayVendor               *string             `json:"gatewayVendor"`
	GatewayType                 *string             `json:"gatewayType"`
	InitiatedFromGateway        *bool               `json:"initiatedFromGateway"`
	AsyncTransportProtocols     []string            `json:"asyncTransportProtocols"`
	Egress                      *bool               `json:"egress"`
}

// defaults: an absent list is empty, and an absent choice has its default; only one that is null, or no value of an enum, is null.
func (b *apiBody) defaults() {
	b.Policies, b.Categories, b.Tags, b.Operations, b.Scopes = []string{}, []string{}, []string{}, []operationBody{}, []apiScopeBody{}
	b.VisibleRoles, b.OrganizationPolicies = []string{}, []organizationTiers{}
	b.Type, b.EndpointImplementationType, b.GatewayType, b.Egress = ptr("HTTP"), ptr("ENDPOINT"), ptr("wso2/synapse"), ptr(false)
}

type operationBody struct {
	ID                        *string     `json:"id"`
	Target                    *string     `json:"target"`
	Verb                      *string     `json:"verb"`
	AuthType                  *string     `json:"authType"`
	ThrottlingPolicy          *string     `json:"throttlingPolicy"`
	Scopes                    []string    `json:"scopes"`
	UsedProductIDs            []string    `json:"usedProductIds"`
	AmznResourceName          *string     `json:"amznResourceName"`
	AmznResourceTimeout       *int64      `json:"amznResourceTimeout"`
	AmznResourceContentEncode *bool       `json:"amznResourceContentEncode"`
	PayloadSchema             *string     `json:"payloadSchema"`
	URIMapping                *string     `json:"uriMapping"`
	OperationPolicies         *flowsBody  `json:"operationPolicies"`
	OperationHubPolicies      []policyUse `json:"operationHubPolicies"`
}

// flowsBody is the DTO APIOperationPolicies.
type flowsBody struct {
	Request  []policyUse `json:"request"`
	Response []policyUse `json:"response"`
	Fault    []policyUse `json:"fault"`
}

// policyUse is the DTO OperationPolicy: a policy as an API uses it.
type policyUse struct {
	PolicyName    *string        `json:"policyName" is:"required"`
	PolicyVersion *string        `json:"policyVersion"`
	PolicyType    *string        `json:"policyType"`
	PolicyID      *string        `json:"policyId"`
	Parameters    map[string]any `json:"parameters"`
}

func (p *policyUse) defaults() { p.PolicyVersion = ptr("v1") }

type apiScopeBody struct {
	Scope  *scopeBody `json:"scope" is:"required"`
	Shared *bool      `json:"shared"`
}

// scopeBody is the DTO Scope.
type scopeBody struct {
	ID          *string  `json:"id"`
	Name        *string  `json:"name" is:"required,min=1,max=255"`
	DisplayName *string  `json:"displayName" is:"min=0,max=255"`
	Description *string  `json:"description" is:"min=0,max=512"`
	Bindings    []string `json:"bindings"`
	UsageCount  *int64   `json:"usageCount"`
}

type propertyBody struct {
	Name    *string `json:"name"`
	Value   *string `json:"value"`
	Display *bool   `json:"display"`
}

type businessBody struct {
	BusinessOwner       *string `json:"businessOwner" is:"min=0,max=120"`
	BusinessOwnerEmail  *string `json:"businessOwnerEmail"`
	TechnicalOwner      *string `json:"technicalOwner" is:"min=0,max=120"`
	TechnicalOwnerEmail *string `json:"technicalOwnerEmail"`
}

type corsBody struct {
	Enabled     *bool    `json:"corsConfigurationEnabled"`
	Origins     []string `json:"accessControlAllowOrigins"`
	Credentials *bool    `json:"accessControlAllowCredentials"`
	Headers     []string `json:"accessControlAllowHeaders"`
	Methods     []string `json:"accessControlAllowMethods"`
}

func (b *corsBody) defaults() {
	b.Enabled, b.Credentials, b.Origins, b.Headers, b.Methods = ptr(false), ptr(false), []string{}, []string{}, []string{}
}

type advertiseBody struct {
	Advertised       *bool   `json:"advertised"`
	ProductionURL    *string `json:"apiExternalProductionEndpoint"`
	SandboxURL       *string `json:"apiExternalSandboxEndpoint"`
	DevPortalURL     *string `json:"originalDevPortalUrl"`
	Owner            *string `json:"apiOwner"`
	AdvertisedVendor *string `json:"vendor" enum:"WSO2,AWS"`
}

func (b *advertiseBody) defaults() { b.Advertised, b.AdvertisedVendor = ptr(false), ptr("WSO2") }

type maxTPSBody struct {
	Production         *int64         `json:"production"`
	ProductionTimeUnit *string        `json:"productionTimeUnit" enum:"SECOND,MINUTE,HOUR"`
	Sandbox            *int64         `json:"sandbox"`
	SandboxTimeUnit    *string        `json:"sandboxTimeUnit" enum:"SECOND,MINUTE,HOUR"`
	Tokens             *maxTokensBody `json:"tokenBasedThrottlingConfiguration"`
}

func (b *maxTPSBody) defaults() {
	b.ProductionTimeUnit, b.SandboxTimeUnit = ptr("SECOND"), ptr("SECOND")
}

type maxTokensBody struct {
	ProductionPrompt     *int64 `json:"productionMaxPromptTokenCount"`
	ProductionCompletion *int64 `json:"productionMaxCompletionTokenCount"`
	ProductionTotal      *int64 `json:"productionMaxTotalTokenCount"`
	SandboxPrompt        *int64 `json:"sandboxMaxPromptTokenCount"`
	SandboxCompletion    *int64 `json:"sandboxMaxCompletionTokenCount"`
	SandboxTotal         *int64 `json:"sandboxMaxTotalTokenCount"`
	Enabled              *bool  `json:"isTokenBasedThrottlingEnabled" is:"required"`
}

func (b *maxTokensBody) defaults() { b.Enabled = ptr(false) }

type apiMonetization struct {
	Enabled    *bool          `json:"enabled" is:"required"`
	Properties map[string]any `json:"properties"`
}

type websubBody struct {
	Enable           *bool   `json:"enable"`
	Secret           *string `json:"secret"`
	SigningAlgorithm *string `json:"signingAlgorithm"`
	SignatureHeader  *string `json:"signatureHeader"`
}

func (b *websubBody) defaults() { b.Enable = ptr(false) }

type subtypeBody struct {
	Subtype       *string `json:"subtype"`
	Configuration any     `json:"configuration"`
}

func (b *subtypeBody) defaults() { b.Subtype = ptr("DEFAULT") }

type serviceInfoBody struct {
	Key      *string `json:"key"`
	Name     *string `json:"name"`
	Version  *string `json:"version"`
	Outdated *bool   `json:"outdated"`
}

type wsdlInfoBody struct {
	Type *string `json:"type" enum:"WSDL,ZIP"`
}

type organizationTiers struct {
	OrganizationID *string  `json:"organizationID" is:"required"`
	Policies       []string `json:"policies"`
}

type mediationBody struct {
	ID     *string `json:"id"`
	Name   *string `json:"name" is:"required"`
	Type   *string `json:"type"`
	Shared *bool   `json:"shared"`
}

// asValue is a DTO as a document holds it: maps, lists, texts, numbers, truths and null.
func asValue(v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	raw, bad := parseBody(b)
	if bad != nil {
		return nil
	}
	return raw
}

// asObject is asValue of a struct.
func asObject(v any) map[string]any {
	m, _ := asValue(v).(map[string]any)
	return m
}
