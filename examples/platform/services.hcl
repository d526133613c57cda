# The services behind the gateway. A line here is an API: NameAPI 1.0.0 with the context /key and the
# backend http://key-service:port, deployed and published. Adding a service is one line.

locals {
  services = {
    forex   = { name = "Forex", port = 8001 }
    ledger  = { name = "Ledger", port = 8002 }
    payment = { name = "Payment", port = 8003 }
    profile = { name = "Profile", port = 8004 }
    rules   = { name = "RuleEngine", port = 8005 }
    wallet  = { name = "Wallet", port = 8006 }
    banking = { name = "Banking", port = 8007 }
  }

  # Every service offers these. Whoever subscribed may read; who writes needs the service's scope too.
  operations = [
    { verb = "GET", target = "/health", public = true, write = false },
    { verb = "GET", target = "/*", public = false, write = false },
    { verb = "POST", target = "/*", public = false, write = true },
    { verb = "PUT", target = "/*", public = false, write = true },
    { verb = "DELETE", target = "/*", public = false, write = true },
  ]

  # A token is always asked for; of a service that has client certificates, one of them too.
  token       = ["oauth2", "oauth_basic_auth_api_key_mandatory"]
  certificate = ["mutualssl", "mutualssl_mandatory"]
}

resource "apim_api" "services" {
  for_each        = local.services
  name            = "${each.value.name}API"
  version         = "1.0.0"
  context         = "/${each.key}"
  description     = "${each.value.name} service of the payments platform"
  lifecycle_state = "PUBLISHED"
  transport       = ["https"]
  key_managers    = [apim_key_manager.is7.name]
  policies        = [for plan in apim_subscription_throttling_policy.plans : plan.name]
  security_scheme = contains(keys(var.client_certificates), each.key) ? concat(local.token, local.certificate) : local.token

  # Identity Server issues this scope to clients that ask for it: API Manager registers it there.
  scope {
    name        = "${each.key}:write"
    description = "Change what the ${each.value.name} service holds"
  }

  dynamic "operation" {
    for_each = local.operations
    content {
      verb              = operation.value.verb
      target            = operation.value.target
      auth_type         = operation.value.public ? "None" : "Application & Application User"
      scopes            = operation.value.write ? ["${each.key}:write"] : []
      throttling_policy = operation.value.write ? apim_advanced_throttling_policy.writes.name : "Unlimited"
    }
  }

  endpoint {
    url = "http://${each.key}-service:${each.value.port}"
  }

  dynamic "client_certificate" {
    for_each = lookup(var.client_certificates, each.key, {})
    content {
      alias       = client_certificate.key
      certificate = client_certificate.value
      tier        = apim_subscription_throttling_policy.plans["Batch"].name
    }
  }

  # The web front end calls from the browser.
  cors {
    enabled           = true
    allow_origins     = [var.web_origin]
    allow_headers     = ["authorization", "content-type"]
    allow_methods     = ["GET", "POST", "PUT", "DELETE"]
    allow_credentials = false
  }

  deployment {
    environment = "Default"
  }
}

output "services" {
  description = "Where the gateway serves each API."
  value       = { for key, api in apim_api.services : key => "${var.gateway}${api.context}/${api.version}" }
}
