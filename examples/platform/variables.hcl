variable "is_inside" {
  description = "Identity Server's address as API Manager reaches it, inside the container network."
  type        = string
  default     = "https://wso2is:9443"
}

variable "is_admin" {
  description = "Login that API Manager uses at Identity Server."
  type        = object({ username = string, password = string })
  sensitive   = true
  default     = { username = "admin", password = "admin" }
}

variable "first_password" {
  description = "Password of new users, until they change it."
  type        = string
  sensitive   = true
  default     = "Change-me-1"
}

variable "web_callback" {
  description = "Where the web front end receives the authorization code."
  type        = string
  default     = "http://localhost:3000/callback"
}
