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
		applicationRoutes(),
		keyRoutes(),
		adminApplicationRoutes(),
		apiRoutes(),
		revisionRoutes(),
		subscriptionRoutes(),
		endpointCertificateRoutes(),
		settingRoutes(),
		registrationRoutes(),
	)
}
