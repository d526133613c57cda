package apim

import (
	"wso2plan/config/schema"
	"wso2plan/engine"
)

// globalKeyManagerType is the table of apim_global_key_manager, which has all that a tenant's has.
func globalKeyManagerType() *schema.Type {
	t := keyManagerType()
	t.Name = "apim_global_key_manager"
	t.Doc = "An OAuth2 authorization server that all tenants of API Manager trust. The super tenant's administrator makes it; tenants see it and " +
		"cannot change it. Apart from that it is as `apim_key_manager`. Key managers of a tenant may have the same name."
	return t
}

// globalKeyManager is a key manager of all tenants.
func globalKeyManager(p *Provider) engine.Type {
	return newKeyManagers(p, globalKeyManagerType(), "/global-key-managers")
}
