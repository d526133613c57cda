# What ../before becomes when blocks and their keys get other names: nothing that is there is
# touched. Beside that there are keys whose secret can be renewed.

variable "first_password" {
  type      = string
  sensitive = true
}

variable "bobs_password" {
  type      = string
  sensitive = true
}

variable "secret_version" {
  type = number
}

data "is_openid_configuration" "is" {}

resource "is_user" "staff" {
  for_each = {
    first  = { name = "ann", department = "Finance" }
    second = { name = "cem", department = "Sales" }
  }
  user_name  = each.value.name
  password   = var.first_password
  department = each.value.department
}

resource "is_user" "robert" {
  user_name = "bob"
  password  = var.bobs_password
}

resource "is_group" "counter" {
  display_name = "desk"
  members      = [is_user.staff["first"].id, is_user.robert.id]
}

resource "is_role" "clerk" {
  display_name = "clerk"
  permissions  = ["internal_user_mgt_view"]
  users        = [for u in is_user.staff : u.id]
  groups       = [is_group.counter.id]
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

resource "apim_application" "clients" {
  for_each          = { shop = apim_application_throttling_policy.slow.name, old = "Unlimited" }
  name              = each.key
  description       = each.key == "shop" ? "The shop" : null
  throttling_policy = each.value
}

resource "apim_application_keys" "clients" {
  for_each       = { shop = "PRODUCTION", old = "SANDBOX" }
  application_id = apim_application.clients[each.key].id
  key_type       = each.value
  key_manager    = apim_key_manager.is.name
  grant_types    = ["client_credentials"]
}

resource "apim_application_keys" "trial" {
  application_id = apim_application.clients["shop"].id
  key_type       = "SANDBOX"
  key_manager    = apim_key_manager.is.name
  grant_types    = ["client_credentials"]
  validity_time  = 3600
}

resource "apim_application_keys" "own" {
  application_id = apim_application.clients["old"].id
  key_type       = "PRODUCTION"
  key_manager    = apim_key_manager.resident.name
  grant_types    = ["client_credentials"]
  secret_version = var.secret_version
}
