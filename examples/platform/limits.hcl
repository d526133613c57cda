# How much is let through: by plan for what a client does with one API, by application for all that a
# client does, and for writes of each API, whoever makes them.

locals {
  # Requests in a minute.
  plans = {
    Interactive = { limit = 600, description = "People at a screen" }
    Batch       = { limit = 6000, description = "Programs" }
  }
}

resource "apim_subscription_throttling_policy" "plans" {
  for_each            = local.plans
  name                = each.key
  description         = each.value.description
  billing_plan        = "FREE"
  stop_on_quota_reach = true

  request_count {
    request_count = each.value.limit
    unit_time     = 1
    time_unit     = "min"
  }
}

resource "apim_application_throttling_policy" "clients" {
  name        = "PlatformClient"
  description = "All that one client does"

  request_count {
    request_count = 12000
    unit_time     = 1
    time_unit     = "min"
  }
}

resource "apim_advanced_throttling_policy" "writes" {
  name        = "PlatformWrites"
  description = "Writes to one operation of an API"

  request_count {
    request_count = var.writes_per_minute
    unit_time     = 1
    time_unit     = "min"
  }
}
