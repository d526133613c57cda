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

variable "web_origin" {
  description = "Where the web front end is: it receives authorization codes at /callback there, and its pages may call the gateway."
  type        = string
  default     = "http://localhost:3000"
}

variable "gateway" {
  description = "The gateway's address as clients reach it."
  type        = string
  default     = "https://localhost:8243"
}

variable "writes_per_minute" {
  description = "Writes that an operation of an API takes in a minute."
  type        = number
  default     = 3000
}

variable "client_certificates" {
  description = "Certificates, in PEM and by alias, of which callers of a service must show one: { banking = { acme-bank = \"-----BEGIN …\" } }."
  type        = map(map(string))
  default     = {}
}

variable "apim_outside" {
  description = "API Manager's address as this machine reaches it."
  type        = string
  default     = "https://localhost:9443"
}

variable "is_outside" {
  description = "Identity Server's address as this machine reaches it."
  type        = string
  default     = "https://localhost:9444"
}

variable "security" {
  description = "Folder with both servers' trust stores, apim/client-truststore.jks and is/client-truststore.p12. Without it they are left alone."
  type        = string
  default     = null
}

variable "restart" {
  description = "How each server is restarted, so that it reads its trust store."
  type        = map(list(string))
  default = {
    apim = ["docker", "restart", "wso2am"]
    is   = ["docker", "restart", "wso2is"]
  }
}
