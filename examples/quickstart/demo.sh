#!/bin/sh
# The whole story of wso2plan on one screen: plan, apply, an empty plan, a change behind its back,
# drift shown and healed, all destroyed. "make demo" runs it against the sandbox:
#
#   wso2plan sandbox -- examples/quickstart/demo.sh [PROGRAM]
set -eu

program=${1:-wso2plan}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$here/main.hcl" "$here/elsewhere" "$work"
cd "$work"

say() { printf '\n\n### %s\n' "$1"; }

# expect STATUS COMMAND... runs wso2plan and insists on its exit status.
expect() {
  want=$1
  shift
  printf '\n$ wso2plan %s\n\n' "$*"
  got=0
  "$program" "$@" || got=$?
  if [ "$got" -ne "$want" ]; then
    printf 'exit status %s, expected %s\n' "$got" "$want" >&2
    exit 1
  fi
}

say "The configuration"
echo
cat main.hcl

say "Plan: what would change. Nothing is written; exit status 2 says that there are changes."
expect 2 plan -detailed-exitcode

say "Apply"
expect 0 apply -auto-approve

say "A second plan is empty."
expect 0 plan -detailed-exitcode

say "Somebody moves ann to Sales behind our back."
expect 0 -chdir=elsewhere apply -auto-approve

say "Drift: the plan shows exactly that."
expect 2 plan -detailed-exitcode

say "Apply heals it."
expect 0 apply -auto-approve
expect 0 plan -detailed-exitcode

say "Destroy takes everything down again."
expect 0 destroy -auto-approve
expect 0 plan -destroy -detailed-exitcode

say "That was the whole story."
