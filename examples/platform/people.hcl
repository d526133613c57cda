# Roles and users. A user's line in users.csv names the role.

locals {
  people = { for p in csvdecode(file("users.csv")) : p.user_name => p }
  roles  = ["ops_users", "finance", "auditor", "user", "app_admin"]
}

resource "is_user" "people" {
  for_each      = local.people
  user_name     = each.key
  password      = var.first_password
  given_name    = each.value.given_name
  family_name   = each.value.family_name
  emails        = { "" = each.value.email }
  phone_numbers = { mobile = each.value.mobile }
}

resource "is_role" "roles" {
  for_each     = toset(local.roles)
  display_name = each.key
  users        = [for name, p in local.people : is_user.people[name].id if p.role == each.key]
}
