# API Manager and Identity Server trust each other's certificates: what one presents is an entry of
# the other's trust store, a file that is mounted into its container. Set the variable "security" to
# the folder of these files.
#
# Both servers read their stores when they start, and API Manager must trust Identity Server before
# it can make keys there. So, the first time, the trust goes first:
#
#   wso2plan apply -target=keystore_trusted_certificate.other
#   wso2plan apply

locals {
  trust = {
    for name, other in {
      apim = { alias = "wso2is", address = var.is_outside }
      is   = { alias = "wso2am", address = var.apim_outside }
    } : name => other if var.security != null
  }
}

data "keystore_server_certificate" "other" {
  for_each = local.trust
  address  = each.value.address
}

resource "keystore_trusted_certificate" "other" {
  for_each    = local.trust
  store       = "${each.key}_trust"
  alias       = each.value.alias
  certificate = data.keystore_server_certificate.other[each.key].certificate
}

provider "keystore" {
  server {
    name = "apim"

    restart {
      command  = var.restart["apim"]
      wait_url = "${var.apim_outside}/services/Version"
    }
  }

  server {
    name = "is"

    restart {
      command  = var.restart["is"]
      wait_url = "${var.is_outside}/oauth2/jwks"
    }
  }

  store {
    name   = "apim_trust"
    path   = "${coalesce(var.security, "security")}/apim/client-truststore.jks"
    server = "apim"
  }

  store {
    name   = "is_trust"
    path   = "${coalesce(var.security, "security")}/is/client-truststore.p12"
    server = "is"
  }
}
