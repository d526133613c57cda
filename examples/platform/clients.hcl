# One application for each client of the platform, with keys at Identity Server.

locals {
  clients = {
    web = {
      description = "Web front end"
      grants      = ["authorization_code", "refresh_token"]
      callback    = var.web_callback
    }
    mobile = {
      description = "Mobile app"
      grants      = ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"]
      callback    = "payments://callback"
    }
    back-office = {
      description = "Back office"
      grants      = ["client_credentials"]
      callback    = null
    }
  }
}

resource "apim_application" "clients" {
  for_each          = local.clients
  name              = each.key
  description       = each.value.description
  throttling_policy = "Unlimited"
}

resource "apim_application_keys" "clients" {
  for_each       = local.clients
  application_id = apim_application.clients[each.key].id
  key_type       = "PRODUCTION"
  key_manager    = apim_key_manager.is7.name
  grant_types    = each.value.grants
  callback_url   = each.value.callback
}

output "client_ids" {
  description = "OAuth2 client of each application."
  value       = { for name, keys in apim_application_keys.clients : name => keys.consumer_key }
}

output "client_secrets" {
  description = "Their secrets, for the deployment of the clients."
  value       = { for name, keys in apim_application_keys.clients : name => keys.consumer_secret }
  sensitive   = true
}
