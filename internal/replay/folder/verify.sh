#!/usr/bin/env bash
# Makes a recorded decision again with stock tools alone: opa, jq and sha256sum.
#
# First every layer is held against its digest in manifest.json, then every rule is evaluated, then outcomes and decision are
# made from what the rules said. Ends with 0 when all is as it was recorded, with 1 when a layer was altered or says something
# else, and with 2 when a tool is missing.
set -u
export LC_ALL=C
cd "$(dirname "$0")" || exit 2
for tool in opa jq sha256sum; do
  command -v "$tool" >/dev/null || { echo "verify.sh: $tool is missing" >&2; exit 2; }
done
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

failed=0
wrong() {
  echo "WRONG: $1" >&2
  failed=1
}
stop_if_wrong() {
  [ "$failed" -eq 0 ] || exit 1
}
digest() { echo "sha256:$(sha256sum <"$1" | cut -d' ' -f1)"; }
layer() { # what it is, its file, its digest
  if [ ! -f "$2" ]; then
    wrong "$1: $2 is missing"
  elif [ "$(digest "$2")" != "$3" ]; then
    wrong "$1 was altered: $2 does not have the digest $3"
  fi
}

# The manifest says what all the others must be.
if ! grep -q "^$(sha256sum <manifest.json | cut -d' ' -f1)  manifest.json$" SHA256SUMS; then
  wrong "the manifest was altered: manifest.json is not the one in SHA256SUMS"
fi
jq --exit-status .rules manifest.json >"$work/rules.json" 2>/dev/null || wrong "the manifest was altered: it cannot be read"
stop_if_wrong
layer "the input" input.json "$(jq -r .input manifest.json)"
layer "the capabilities" capabilities.json "$(jq -r .capabilities manifest.json)"
layer "the list of policies" policies.json "$(jq -r .policies manifest.json)"
layer "the waivers" waivers.json "$(jq -r .waivers manifest.json)"
layer "the result" result.json "$(jq -r .result manifest.json)"
layer "the program that decides" decide.jq "$(jq -r .decide manifest.json)"
rules=$(jq length "$work/rules.json")
for ((i = 0; i < rules; i++)); do
  rule() { jq -r --argjson i "$i" ".[\$i].$1" "$work/rules.json"; }
  folder=$(rule folder) name=$(rule name)
  layer "the policy (Rego) of rule $name" "$folder/policy.rego" "$(rule template_digest)"
  layer "the parameters of rule $name" "$folder/data.json" "$(rule parameters)"
  layer "the query of rule $name" "$folder/query.txt" "$(rule query)"
  [ "$(rule expected)" = null ] || layer "what rule $name said" "$folder/expected.json" "$(rule expected)"
done
stop_if_wrong
# What is left: this program, the explanation, and the list itself.
while read -r sum file; do
  if [ "$(sha256sum <"$file" 2>/dev/null | cut -d' ' -f1)" != "$sum" ]; then
    wrong "SHA256SUMS or $file was altered: the one is not as the other says"
  fi
done <SHA256SUMS
[ "$(cut -c67- SHA256SUMS)" = "$(jq -r '.files[]' manifest.json; echo manifest.json)" ] || wrong "SHA256SUMS was altered: it lists other files than the manifest"
stop_if_wrong
echo "every layer has its digest"

echo '{}' >"$work/said.json"
for ((i = 0; i < rules; i++)); do
  folder=$(rule folder) name=$(rule name)
  if [ "$(rule expected)" = null ]; then
    echo "rule $name: could not be judged then, so it is not evaluated: $(rule error)"
    continue
  fi
  if ! opa eval --data "$folder/policy.rego" --data "$folder/data.json" --input input.json --capabilities capabilities.json \
    --strict-builtin-errors --format raw "$(cat "$folder/query.txt")" >"$work/again.json" 2>"$work/error.txt"; then
    wrong "rule $name cannot be evaluated: $(head -c 500 "$work/error.txt")"
    continue
  fi
  # opa ends with a newline, and writes <, >, & and two separators of lines as \u escapes; jq writes both sides alike.
  if printf '%s' "$(cat "$work/again.json")" | cmp -s - "$folder/expected.json"; then
    echo "rule $name: the same, byte for byte"
  elif [ "$(jq --compact-output --sort-keys . "$work/again.json")" = "$(jq --compact-output --sort-keys . "$folder/expected.json")" ]; then
    echo "rule $name: the same, byte for byte but for escapes"
  else
    wrong "rule $name says something else: compare $folder/expected.json with $(cat "$work/again.json" | head -c 2000)"
  fi
  jq --arg rule "$name" --slurpfile said "$work/again.json" '.[$rule] = $said[0]' "$work/said.json" >"$work/more.json" && mv "$work/more.json" "$work/said.json"
done
stop_if_wrong

jq --null-input --slurpfile policies policies.json --slurpfile waivers waivers.json --slurpfile said "$work/said.json" \
  --from-file decide.jq >"$work/decided.json" || wrong "outcomes and decision cannot be made again"
jq --sort-keys '{decision, outcomes: [.outcomes[] | {policy, rule, outcome}]}' result.json >"$work/recorded.json"
if [ "$(jq --sort-keys . "$work/decided.json")" != "$(cat "$work/recorded.json")" ]; then
  wrong "outcomes or decision are others: compare result.json with"
  cat "$work/decided.json" >&2
fi
stop_if_wrong
echo "outcomes and decision are the same: $(jq -r .decision result.json)"
