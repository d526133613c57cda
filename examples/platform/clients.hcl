# One application for each client of the platform, with keys at Identity Server and a subscription to
# each API that it uses.

locals {
  clients = {
    web = {
      description = "Web front end"
      grants      = ["authorization_code", "refresh_token"]
      callback    = "${var.web_origin}/callback"
      plan        = "Interactive"
      services    = ["payment", "profile", "wallet", "forex"]
    }
    mobile = {
      description = "Mobile app"
      grants      = ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"]
      callback    = "payments://callback"
      plan        = "Interactive"
      services    = ["payment", "profile", "wallet"]
    }
    back-office = {
      description = "Back office"
      grants      = ["client_credentials"]
      callback    = null
      plan        = "Batch"
      services    = keys(local.services)
    }
  }

  # "web/payment" and so on.
  subscriptions = merge([
    for client, c in local.clients : {
      for service in c.services : "${client}/${service}" => { client = client, service = service, plan = c.plan }
    }
  ]...)
}

resource "apim_application" "clients" {
  for_each          = local.clients
  name              = each.key
  description       = each.value.description
  throttling_policy = apim_application_throttling_policy.clients.name
}

resource "apim_application_keys" "clients" {
  for_each       = local.clients
  application_id = apim_application.clients[each.key].id
  key_type       = "PRODUCTION"
  key_manager    = apim_key_manager.is7.name
  grant_types    = each.value.grants
  callback_url   = each.value.callback
}

resource "apim_subscription" "clients" {
  for_each          = local.subscriptions
  application_id    = apim_application.clients[each.value.client].id
  api_id            = apim_api.services[each.value.service].id
  throttling_policy = apim_subscription_throttling_policy.plans[each.value.plan].name
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
