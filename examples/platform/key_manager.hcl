# Identity Server 7 issues the tokens of the platform; API Manager's resident key manager does not.

# The issuer is what Identity Server says of itself, by whatever name it is reached.
data "is_openid_configuration" "is7" {}

resource "apim_key_manager" "is7" {
  name         = "WSO2IS"
  display_name = "Identity Server 7"
  type         = "WSO2-IS-7"
  issuer       = data.is_openid_configuration.is7.issuer

  well_known_endpoint          = "${var.is_inside}/oauth2/token/.well-known/openid-configuration"
  client_registration_endpoint = "${var.is_inside}/api/identity/oauth2/dcr/v1.1/register"
  introspection_endpoint       = "${var.is_inside}/oauth2/introspect"
  token_endpoint               = "${var.is_inside}/oauth2/token"
  display_token_endpoint       = "${var.is_inside}/oauth2/token"
  revoke_endpoint              = "${var.is_inside}/oauth2/revoke"
  display_revoke_endpoint      = "${var.is_inside}/oauth2/revoke"
  user_info_endpoint           = "${var.is_inside}/scim2/Me"
  authorize_endpoint           = "${var.is_inside}/oauth2/authorize"
  scope_management_endpoint    = "${var.is_inside}/api/identity/oauth2/v1.0/scopes"

  grant_types = [
    "authorization_code", "client_credentials", "password", "refresh_token",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:saml2-bearer",
    "urn:ietf:params:oauth:grant-type:token-exchange",
  ]
  enable_token_generation    = true
  enable_oauth_app_creation  = true
  enable_self_validation_jwt = true

  certificates {
    type  = "JWKS"
    value = "${var.is_inside}/oauth2/jwks"
  }

  claim_mapping {
    remote_claim = "sub"
    local_claim  = "http://wso2.org/claims/enduser"
  }

  additional_properties = {
    Username                         = var.is_admin.username
    api_resource_management_endpoint = "${var.is_inside}/api/server/v1/api-resources"
    is7_roles_endpoint               = "${var.is_inside}/scim2/v2/Roles"
    enable_roles_creation            = "Enable"
  }
  secret_properties = {
    Password = var.is_admin.password
  }
}

# API Manager's own: adopted, switched off, and given back as it was by destroy.
resource "apim_key_manager" "resident" {
  name       = "Resident Key Manager"
  type       = "default"
  enabled    = false
  depends_on = [apim_key_manager.is7]
}
