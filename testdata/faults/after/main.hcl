# What ../before becomes: objects of each kind are changed, replaced, removed and added.

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
  for_each   = { ann = "Sales", dora = "Sales" }
  user_name  = each.key
  password   = var.first_password
  department = each.value
}

resource "is_user" "bob" {
  user_name = "bob"
  password  = var.bobs_password
}

resource "is_group" "desk" {
  display_name = "counter"
  members      = [is_user.staff["dora"].id, is_user.bob.id]
}

resource "is_role" "clerk" {
  display_name = "clerk"
  permissions  = ["internal_user_mgt_view", "internal_user_mgt_update"]
  users        = [for u in is_user.staff : u.id]
  groups       = [is_group.desk.id]
}

resource "apim_key_manager" "is" {
  name                         = "IS"
  type                         = "WSO2-IS-7"
  description                  = "Identity Server 7"
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
  description = "Ours alone"
  depends_on  = [apim_key_manager.is]
}

resource "apim_application_throttling_policy" "slow" {
  name = "slower"
  request_count {
    request_count = 5
    unit_time     = 1
    time_unit     = "min"
  }
}

resource "apim_application" "shop" {
  name              = "shop"
  description       = "The shop and its desk"
  throttling_policy = apim_application_throttling_policy.slow.name
}

resource "apim_application_keys" "shop" {
  application_id = apim_application.shop.id
  key_type       = "PRODUCTION"
  key_manager    = apim_key_manager.is.name
  grant_types    = ["client_credentials", "password"]
}

resource "apim_application" "new" {
  name              = "new"
  throttling_policy = "Unlimited"
}

resource "apim_application_keys" "new" {
  application_id = apim_application.new.id
  key_type       = "PRODUCTION"
  key_manager    = apim_key_manager.is.name
  grant_types    = ["password"]
}

resource "apim_application_keys" "trial" {
  application_id = apim_application.shop.id
  key_type       = "SANDBOX"
  key_manager    = apim_key_manager.is.name
  grant_types    = ["client_credentials"]
  validity_time  = 7200
}
