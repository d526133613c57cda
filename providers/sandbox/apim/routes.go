package apim

import "slices"

// routes is the table of everything that the server serves, one resource after the other.
func routes() []route {
	return slices.Concat(
		keyManagerRoutes(),
		usageRoutes(),
		policyRoutes(),
		denyRoutes(),
		categoryRoutes(),
		environmentRoutes(),
		labelRoutes(),
		organizationRoutes(),
		aiProviderRoutes(),
		systemScopeRoutes(),
		tenantConfigRoutes(),
		workflowRoutes(),
		applicationRoutes(),
		keyRoutes(),
		adminApplicationRoutes(),
		apiRoutes(),
		definitionRoutes(),
		graphQLRoutes(),
		asyncRoutes(),
		lifecycleRoutes(),
		revisionRoutes(),
		documentRoutes(),
		thumbnailRoutes(),
		endpointRoutes(),
		clientCertificateRoutes(),
		partRoutes(),
		productRoutes(),
		sharedScopeRoutes(),
		operationPolicyRoutes(),
		gatewayPolicyRoutes(),
		serviceRoutes(),
		governanceRoutes(),
		gatewayRoutes(),
		publisherRoutes(),
		devportalAPIRoutes(),
		subscriptionRoutes(),
		endpointCertificateRoutes(),
		settingRoutes(),
		registrationRoutes(),
	)
}
