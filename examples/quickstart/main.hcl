# Who works on the payments platform, what they may do, and the application they build.
variable "first_password" {
  type      = string
  sensitive = true
  default   = "Change-me-1"
}

resource "is_user" "team" {
  for_each   = { ann = "Finance", bob = "Operations" }
  user_name  = each.key
  password   = var.first_password
  department = each.value
}

resource "is_role" "finance" {
  display_name = "finance"
  users        = [is_user.team["ann"].id]
}

resource "apim_application" "web" {
  name              = "web"
  throttling_policy = "Unlimited"
}
