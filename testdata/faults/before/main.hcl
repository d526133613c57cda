# A small configuration of every kind of object, for faults at each of its requests. It becomes the
# one of ../after.

variable "first_password" {
  type      = string
  sensitive = true
}

variable "bobs_password" {
  type      = string
  sensitive = true
}

data "is_openid_configuration" "is" {}

resource "is_user" "staff" {
  for_each   = { ann = "Finance", cem = "Sales" }
  user_name  = each.key
  password   = var.first_password
  department = each.value
}

resource "is_user" "bob" {
  user_name = "bob"
  password  = var.bobs_password
}

resource "is_group" "desk" {
  display_name = "desk"
  members      = [is_user.staff["ann"].id, is_user.bob.id]
}

resource "is_role" "clerk" {
  display_name = "clerk"
  permissions  = ["internal_user_mgt_view"]
  users        = [for u in is_user.staff : u.id]
  groups       = [is_group.desk.id]
}

resource "apim_key_manager" "is" {
  name                         = "IS"
  type                         = "WSO2-IS-7"
  description                  = "Identity Server"
  issuer                       = data.is_openid_configuration.is.issuer
  client_registration_endpoint = "https://wso2is:9443/api/identity/oauth2/dcr/v1.1/register"
  introspection_endpoint       = "https://wso2is:9443/oauth2/introspect"
  token_endpoint               = "https://wso2is:9443/oauth2/token"
  revoke_endpoint              = "https://wso2is:9443/oauth2/revoke"
  scope_management_endpoint    = "https://wso2is:9443/api/identity/oauth2/v1.0/scopes"
  grant_types                  = ["client_credentials", "password", "refresh_token"]
  enable_token_generation      = true
  enable_oauth_app_creation    = true

  certificates {
    type  = "JWKS"
    value = "https://wso2is:9443/oauth2/jwks"
  }

  additional_properties = {
    Username                         = "admin"
    api_resource_management_endpoint = "https://wso2is:9443/api/server/v1/api-resources"
    is7_roles_endpoint               = "https://wso2is:9443/scim2/v2/Roles"
    enable_roles_creation            = "Enable"
  }
  secret_properties = {
    Password = "admin"
  }
}

resource "apim_key_manager" "resident" {
  name        = "Resident Key Manager"
  type        = "default"
  description = "Ours"
  depends_on  = [apim_key_manager.is]
}

resource "apim_application_throttling_policy" "slow" {
  name = "slow"
  request_count {
    request_count = 10
    unit_time     = 1
    time_unit     = "min"
  }
}

resource "apim_application" "shop" {
  name              = "shop"
  description       = "The shop"
  throttling_policy = apim_application_throttling_policy.slow.name
}

resource "apim_application" "old" {
  name              = "old"
  throttling_policy = "Unlimited"
}

resource "apim_application_keys" "shop" {
  application_id = apim_application.shop.id
  key_type       = "PRODUCTION"
  key_manager    = apim_key_manager.is.name
  grant_types    = ["client_credentials"]
}

resource "apim_application_keys" "old" {
  application_id = apim_application.old.id
  key_type       = "SANDBOX"
  key_manager    = apim_key_manager.is.name
  grant_types    = ["client_credentials"]
}

resource "apim_application_keys" "trial" {
  application_id = apim_application.shop.id
  key_type       = "SANDBOX"
  key_manager    = apim_key_manager.is.name
  grant_types    = ["client_credentials"]
  validity_time  = 3600
}
