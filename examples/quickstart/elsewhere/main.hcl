# Somebody else's idea of ann. demo.sh applies it to make a change behind our back.
resource "is_user" "ann" {
  user_name  = "ann"
  department = "Sales"
}

import {
  to = is_user.ann
  id = "ann"
}
