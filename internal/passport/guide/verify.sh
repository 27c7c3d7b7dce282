#!/usr/bin/env bash
# Checks a passport of a release with stock tools alone: cosign, opa, jq, openssl, sha256sum and base64.
#
#   verify.sh [--release-key FILE.pub]… [--log-key FILE.vkey] [--complete] [DIR]
#
# DIR is the unpacked passport; without it, the folder that this program lies in. Ends with 0 when all that is here holds, with 1 when
# something does not (a line "WRONG: path: why" each), and with 2 when a tool is missing. What could not be checked is a line
# "NOT CHECKED: path: why"; with --complete that is a failure, too. It runs no program of the passport but those whose digests
# stand below, and reaches no network.
set -u
export LC_ALL=C
# The programs of an exported decision (verify.sh, decide.jq) that may be run: every pair that was ever given out.
replay_programs="
22c1f5c36ee8bf9a025813c1340daae2b34458fee3105b8e70c3d095fe39f8f1 88cb4ab575bb9082b7512d9321f2f2739b7a3ef97a3003de9dfccf96bce32670"

release_keys=() log_key='' complete=0 dir=$(dirname "$0")
while [ $# -gt 0 ]; do
  case $1 in
    --release-key) release_keys+=("$(realpath -- "${2:?--release-key needs a file}")") && shift ;;
    --log-key) log_key=$(realpath -- "${2:?--log-key needs a file}") && shift ;;
    --complete) complete=1 ;;
    -*) echo "verify.sh [--release-key FILE.pub] [--log-key FILE.vkey] [--complete] [DIR]" >&2; exit 2 ;;
    *) dir=$1 ;;
  esac
  shift
done
for tool in cosign opa jq openssl sha256sum base64; do
  command -v "$tool" >/dev/null || { echo "verify.sh: $tool is missing" >&2; exit 2; }
done
for file in ${release_keys[@]+"${release_keys[@]}"} ${log_key:+"$log_key"}; do
  [ -f "$file" ] || { echo "verify.sh: $file is no file" >&2; exit 2; }
done
cd -- "$dir" || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

failed=0
wrong() { echo "WRONG: $1: $2" | tr -cd '[:print:]\n' >&2; failed=1; }
not_checked() { echo "NOT CHECKED: $1: $2" | tr -cd '[:print:]\n'; [ "$complete" -eq 0 ] || failed=1; }
sum() { sha256sum | cut -d' ' -f1; }
hex() { base64 -d 2>/dev/null | od -An -v -tx1 | tr -d ' \n'; }
bytes() { printf "$(sed 's/../\\x&/g' <<<"$1")"; } # hexadecimal digits as bytes
index() { jq -r "$@" passport.json; }
files() { index --arg kind "$1" '.files[] | select(.kind == $kind and (.leftOut | not)).path' | sort; }

# 1. Every file against passport.json. What fails here fails by accident as well: nothing else is looked at then.
jq -cjS . passport.json 2>/dev/null | cmp -s - passport.json || { wrong passport.json "is missing, or not canonical JSON"; exit 1; }
index -e '
  def kind: if . == "manifest.json" then "manifest" elif test("^attestations/[^/]+[.]bundle[.]json$") then "attestation"
    elif test("^evidence/[0-9a-f]{64}$") then "evidence" elif test("^evidence/[0-9a-f]{64}[.]json$") then "evidence-record"
    elif test("^decisions/[^/]+/") then "decision" elif . == "log/checkpoint" then "checkpoint" elif test("^log/[0-9]+[.]leaf$") then "leaf"
    elif test("^log/[0-9]+[.]tlog-proof$") then "proof" elif test("^keys/release-[^/]+[.]pub$") then "release-key"
    elif . == "keys/log.vkey" then "log-key" elif test("^keys/anchors/[^/]+[.](pub|json)$") then "anchor"
    elif test("/") then "unknown" else "guide" end;
  def good: (.path | test("\\A[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*\\z")) and (.digest | test("\\Asha256:[0-9a-f]{64}\\z"))
    and (.size | type == "number") and .kind == (.path | kind) and (.leftOut == null or .leftOut == true)
    and (if .kind == "evidence" then (.names // .digest) == "sha256:" + .path[9:73]
      elif .kind == "evidence-record" then .names == null or .names == "sha256:" + .path[9:73] else .names == null end);
  if .schema != "plimsoll.passport/v1" or (.files | length) > 4096 then "is no passport of this kind"
  elif ([.files[].path] | length) != ([.files[].path] | unique | length) then "names a file twice"
  else first(.files[] | select(good | not) | "the entry of \(.path) is not one of a passport"), null end | strings' >"$work/why" 2>/dev/null &&
  { wrong passport.json "$(head -1 "$work/why")"; exit 1; }
index '.files[].path' >"$work/paths"
index '.files[] | select(.leftOut | not) | "\(.size)\t\(.path)"' | sort >"$work/listed"
find . -type f ! -path ./passport.json -printf '%s\t%P\n' | sort >"$work/here"
while IFS= read -r path; do wrong "$path" "is neither a file nor a folder"; done < <(find . ! -type f ! -type d -printf '%P\n')
while IFS=$'\t' read -r _ path; do
  if [ -f "$path" ]; then wrong "$path" "has another size than passport.json says"; else wrong "$path" "is missing, and was not left out on purpose"; fi
done < <(comm -13 "$work/here" "$work/listed")
while IFS=$'\t' read -r _ path; do
  cut -f2 "$work/listed" | grep -qxF -- "$path" || wrong "$path" "is not in passport.json, or was left out there"
done < <(comm -23 "$work/here" "$work/listed")
[ "$failed" -eq 0 ] || exit 1
while IFS= read -r line; do
  wrong "${line%%: FAILED*}" "was altered: it does not have the digest that passport.json says"
done < <(index '.files[] | select(.leftOut | not) | .digest[7:] + "  " + .path' | sha256sum --check --quiet 2>/dev/null)
[ "$failed" -eq 0 ] || exit 1
while IFS=$'\t' read -r kind path; do
  case $kind in
    evidence | evidence-record | decision) not_checked "$path" "was left out" ;;
    *) wrong "$path" "cannot be left out" ;;
  esac
done < <(index '.files[] | select(.leftOut) | "\(.kind)\t\(.path)"')

# 2. The statements: signed with a release key, about this manifest first.
manifest=$(sum <manifest.json)
jq -e --slurpfile m manifest.json --arg digest "sha256:$manifest" \
  '.manifestDigest == $digest and .application == $m[0].application and .version == $m[0].version' passport.json >/dev/null 2>&1 ||
  wrong manifest.json "is not the manifest that passport.json names"
believed=given
if [ ${#release_keys[@]} -eq 0 ]; then mapfile -t release_keys < <(files release-key) && believed=passport; fi
fingerprint() { openssl pkey -pubin -in "$1" -outform DER 2>/dev/null | sum; }
for key in "${release_keys[@]}"; do
  [[ $key != keys/release-* || $key == *$(fingerprint "$key")* ]] || wrong "$key" "is not the key with that fingerprint"
done
mkdir "$work/statements"
statements=0
for path in $(files attestation); do
  statement=$work/statements/$(basename "$path" .bundle.json).json
  statements=$((statements + 1))
  jq -r .dsseEnvelope.payload "$path" 2>/dev/null | base64 -d >"$statement" 2>/dev/null
  type=$(jq -r .predicateType "$statement" 2>/dev/null)
  signed=0
  for key in "${release_keys[@]}"; do
    cosign verify-blob-attestation --key "$key" --bundle "$path" --insecure-ignore-tlog --type "$type" manifest.json >/dev/null 2>"$work/error" && signed=1 && break
  done
  if [ "$signed" -eq 0 ]; then
    wrong "$path" "its signature does not verify with a release key over a statement about manifest.json: $(tail -1 "$work/error" 2>/dev/null | head -c 300)"
  elif [ "$(jq -r '.subject[0].digest.sha256' "$statement")" != "$manifest" ]; then
    wrong "$path" "is about something else first than manifest.json"
  fi
done

# 3. The release, and what the last change of standing says. Signed instants count, not the names of files.
jq -s '[.[] | select(type == "object" and (.predicate | type) == "object")]' "$work"/statements/*.json >"$work/all.json" 2>/dev/null || echo '[]' >"$work/all.json"
said() { jq -r '
  def untrusted: .predicateType == "https://plimsoll.dev/attestations/promotion/v1" and .predicate.trust == "RELEASED";
  def release: .predicateType == "https://plimsoll.dev/attestations/release/v1" or untrusted; def status: .predicateType == "https://plimsoll.dev/attestations/status/v1";
  def decided: .predicateType | test("^https://plimsoll.dev/attestations/(release|promotion)/v1$");
  def instant: (.predicate.since // .predicate.decidedAt) | sub("Z$"; "");
  '"$1" "$work/all.json"; }
[ "$(said '[.[] | select(release)] | length')" -gt 0 ] || wrong passport.json "there is no signed release in it: no file under attestations/ is one"
said '.[] | select((release or status or decided) and .predicate.manifestDigest != "sha256:'"$manifest"'") | .predicateType' |
  grep -q . && wrong manifest.json "a statement names another manifest"
standing=$(said '[.[] | select(release or status)] | sort_by(instant) | last
  | "\(.predicate.standing // if untrusted then "WITHOUT_TRUST" else "GOOD" end) since \(.predicate.since // .predicate.decidedAt)"' 2>/dev/null)

# 4. The evidence: that it is what the statements name, and who signed it.
said '.[] | select(decided).predicate.evidence[]?' | sort -u >"$work/named"
index '.files[] | select(.kind == "evidence") | "sha256:" + .path[9:]' | sort >"$work/brought"
while read -r digest; do wrong "evidence/${digest#sha256:}" "the release names it, and it is not in the passport"; done < <(comm -23 "$work/named" "$work/brought")
while read -r digest; do wrong "evidence/${digest#sha256:}" "no statement names it"; done < <(comm -13 "$work/named" "$work/brought")
# What decisions saw of the evidence: their inputs are named by statements.
for path in $(files decision | grep '/input\.json$'); do
  jq -r '(.evidence // [])[], (.index_evidence // [])[] | "\(.digest)\t\(.verified)\t\(.signer // "")"' "$path" 2>/dev/null
done | sort -u >"$work/seen"
verifies() { # key, message, signature: as DSSE does not say which hash, those that are in use
  openssl pkeyutl -verify -pubin -inkey "$1" -rawin -in "$2" -sigfile "$3" >/dev/null 2>&1 && return # Ed25519; others with SHA-256
  openssl dgst -sha256 -verify "$1" -signature "$3" "$2" >/dev/null 2>&1 && return
  if openssl pkey -pubin -in "$1" -noout -text 2>/dev/null | grep -q Modulus; then
    openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:auto -verify "$1" -signature "$3" "$2" >/dev/null 2>&1
  else
    openssl dgst -sha384 -verify "$1" -signature "$3" "$2" >/dev/null 2>&1 || openssl dgst -sha512 -verify "$1" -signature "$3" "$2" >/dev/null 2>&1
  fi
}
signed_by() { # the keys: whether one of them made one of the signatures over the payload
  local type key sig
  type=$(jq -r .payloadType "$work/envelope")
  { printf 'DSSEv1 %d %s %d ' "${#type}" "$type" "$(stat -c %s "$work/payload")"; cat "$work/payload"; } >"$work/pae"
  for sig in $(jq -r '.signatures[].sig' "$work/envelope"); do
    tr -- '-_' '+/' <<<"$sig" | base64 -d >"$work/sig" 2>/dev/null
    for key in "$@"; do verifies "$key" "$work/pae" "$work/sig" && return; done
  done
  return 1
}
keyless() { # path, anchor: cosign with the trusted root that came with the anchor
  jq .trustedRoot "$2" >"$work/root.json"
  if ! jq -e '(.tlogs | length) > 0 and (.ctlogs | length) > 0' "$work/root.json" >/dev/null || ! jq -e .dsseEnvelope "$1" >/dev/null; then
    not_checked "$1" "the identity $(jq -r .alias "$2") cannot be checked by cosign offline; plimsoll verify does it"
  elif ! cosign verify-blob-attestation --bundle "$1" --trusted-root "$work/root.json" --check-claims=false --type "$(jq -r .predicateType "$work/payload")" \
    --certificate-oidc-issuer "$(jq -r .issuer "$2")" --digest "$manifest" --digestAlg sha256 \
    --certificate-identity-regexp "^$(jq -r .subject "$2" | sed 's/[][\.^$+?(){}|]/\\&/g; s/\*/.*/g')\$" >/dev/null 2>"$work/error"; then
    wrong "$1" "the signature of the identity $(jq -r .alias "$2") does not verify: $(tail -1 "$work/error" | head -c 300)"
  fi
}
pieces=0 signatures=0
for path in $(files evidence); do
  digest=${path#evidence/} record=$path.json
  pieces=$((pieces + 1))
  if [ "$(sum <"$path")" = "$digest" ]; then
    rm -f "$work/envelope" # a document
  else
    jq -c '.dsseEnvelope // .' "$path" >"$work/envelope" 2>/dev/null
    jq -r '.payload // empty' "$work/envelope" 2>/dev/null | tr -- '-_' '+/' | base64 -d >"$work/payload" 2>/dev/null
    if [ "$(sum <"$work/payload")" != "$digest" ]; then
      if jq -e .messageSignature "$path" >/dev/null 2>&1 && [ "$(jq -r .messageSignature.messageDigest.digest "$path" | hex)" = "$digest" ]; then
        not_checked "$path" "it signs a digest without a statement; plimsoll verify checks that"
      else
        wrong "$path" "its payload does not have the digest that the release names"
      fi
      continue
    fi
  fi
  [ -f "$record" ] || { grep -qxF "$record" "$work/paths" || wrong "$record" "is not in the passport"; continue; }
  read -r named verified signer < <(jq -r '"\(.digest) \(.verified) \(.signer // "")"' "$record" 2>/dev/null)
  [ "${named:-}" = "sha256:$digest" ] || { wrong "$record" "is about something else"; continue; }
  if grep -q "^$named	" "$work/seen" && ! grep -qxF "$named	$verified	$signer" "$work/seen"; then
    wrong "$record" "says something else of who signed than the decisions were given"
  elif [ ! -f "$work/envelope" ] || [ "$verified" != true ]; then
    : # nobody's signature counted: the digest is all there is
  elif [ "$(jq -r .predicateType "$record")" != "$(jq -r .predicateType "$work/payload")" ]; then
    wrong "$record" "is of another type than the evidence"
  elif [ "$signer" = collector ]; then # this installation, for having received it
    signatures=$((signatures + 1))
    signed_by "${release_keys[@]}" || wrong "$path" "its signature does not verify with a release key"
  else
    anchor=$(for a in $(files anchor | grep '\.json$'); do [ "$(jq -r .alias "$a" 2>/dev/null)" = "$signer" ] && echo "$a" && break; done)
    signatures=$((signatures + 1))
    if [ -z "$anchor" ]; then
      wrong "$record" "the anchor that signed is not in keys/anchors: $signer"
    elif [ "$(jq -r .kind "$anchor")" = KEYLESS ]; then
      keyless "$path" "$anchor"
    elif [ "sha256:$(fingerprint "${anchor%.json}.pub")" != "$(jq -r .fingerprint "$anchor")" ]; then
      wrong "${anchor%.json}.pub" "is not the key with the fingerprint in $anchor"
    else
      signed_by "${anchor%.json}.pub" || wrong "$path" "its signature does not verify with ${anchor%.json}.pub"
    fi
  fi
done

# 5. The decisions: those that the statements name, made again.
decisions=0
decision() { # its id, the statement that names it
  local d=decisions/$1 bad=$failed i folder pkg
  if index -e --arg d "$d/" '[.files[] | select(.path == $d + "manifest.json" and .leftOut != true)] == []' >/dev/null; then
    index -e --arg d "$d/" '[.files[] | select(.path | startswith($d))] == []' >/dev/null && wrong "$d" "a statement names it, and it is not in the passport"
    return
  fi
  jq -e --slurpfile m "$d/manifest.json" --arg id "$1" '.predicate.gates[] | select(.evalId == $id)
    | $m[0].evaluation == $id and $m[0].gate == {stage, kind} and $m[0].input == .inputDigest and $m[0].capabilities == .capabilitiesDigest
    and ([$m[0].rules[] | {key: .name, value: .template_digest}] | from_entries) == ([.policies[].rules[]? | {key: .name, value: .templateDigest}] | from_entries)
    and all($m[0].rules[]; .folder | test("\\Arules/[0-9]+-[A-Za-z0-9_-]*\\z"))' "$2" >/dev/null 2>&1 ||
    wrong "$d/manifest.json" "names another gate, input, capabilities or Rego than the signed statement"
  for i in input capabilities; do
    index -e --arg path "$d/$i.json" --slurpfile m "$d/manifest.json" ".files[] | select(.path == \$path) | .digest == \$m[0].$i" >/dev/null ||
      wrong "$d/$i.json" "is not what the signed statement names"
  done
  if index -e --arg d "$d/" 'any(.files[]; .leftOut and (.path | startswith($d)))' >/dev/null; then
    not_checked "$d" "it cannot be made again without what was left out"
    return
  fi
  [[ $replay_programs == *"
$(sum <"$d/verify.sh") $(sum <"$d/decide.jq")"* ]] || { wrong "$d/verify.sh" "it or decide.jq is not a program that is known here, and was not run; take a newer verify.sh"; return; }
  jq -e '.allow_net == [] and all(.builtins[]; .name != "http.send" and .name != "opa.runtime")' "$d/capabilities.json" >/dev/null 2>&1 ||
    { wrong "$d/capabilities.json" "allows more than a decision needs, and nothing was run"; return; }
  jq -e --slurpfile s "$2" --slurpfile r "$d/result.json" --arg id "$1" '[.[] | {name, revision, mode, rules}] as $p | $s[0].predicate.gates[]
    | select(.evalId == $id) | .decision == $r[0].decision and $p == [.policies[] | {name, revision, mode, rules: [.rules[]?.name]}]' "$d/policies.json" >/dev/null 2>&1 ||
    wrong "$d/policies.json" "they, or the decision in result.json, are not those of the signed statement"
  while IFS=$'\t' read -r folder digest; do
    # A query asks for the two sets of the package in the Rego, whose digest is signed.
    pkg=$(sed -nE 's/^[[:space:]]*package[[:space:]]+([^#]*[^#[:space:]])[[:space:]]*(#.*)?$/\1/p' "$d/$folder/policy.rego" | head -1)
    [[ $pkg == '['* ]] || pkg=.$pkg
    [ "$(cat "$d/$folder/query.txt")" = "{\"examined\": data$pkg.examined, \"violations\": data$pkg.violations}" ] || wrong "$d/$folder/query.txt" "does not ask for what the Rego says"
    [ "sha256:$(jq -cjS .parameters "$d/$folder/data.json" 2>/dev/null | sum)" = "$digest" ] || [ "sha256:$(tail -c +15 "$d/$folder/data.json" | head -c -1 | sum)" = "$digest" ] ||
      wrong "$d/$folder/data.json" "holds other parameters than the signed statement names"
  done < <(jq -r --slurpfile m "$d/manifest.json" --arg id "$1" '[.predicate.gates[] | select(.evalId == $id).policies[].rules[]? | {key: .name, value: .parametersDigest}]
    | from_entries as $sums | $m[0].rules[] | "\(.folder)\t\($sums[.name])"' "$2")
  [ "$failed" -eq "$bad" ] || return
  bash "$d/verify.sh" >/dev/null 2>"$work/error" || { wrong "$d" "$(head -1 "$work/error" | head -c 500)"; return; }
  # Only waivers that the statement lists count: with them alone the decision is the same.
  jq -n --slurpfile m "$d/manifest.json" '$m[0].rules[] | select(.expected) | "\(.name)\t\(.folder)"' -r |
    while IFS=$'\t' read -r name folder; do jq -c --arg name "$name" '{($name): .}' "$d/$folder/expected.json"; done | jq -s add >"$work/said.json"
  jq --slurpfile s "$2" 'def it: [.policy, .rule, .code, .subject, .package, (.vulnerabilities // [.vulnerability // empty])[0]] | map(. // "");
    [$s[0].predicate.waivers[] | [.id, it]] as $listed | map(select([.waiver, it] as $w | $listed | index([$w])))' "$d/waivers.json" >"$work/waivers.json"
  [ "$(jq -nS --slurpfile policies "$d/policies.json" --slurpfile waivers "$work/waivers.json" --slurpfile said "$work/said.json" -f "$d/decide.jq")" = \
    "$(jq -S '{decision, outcomes: [.outcomes[] | {policy, rule, outcome}]}' "$d/result.json")" ] || wrong "$d/waivers.json" "something is waived by what the signed statement does not list"
  decisions=$((decisions + 1))
}
for statement in "$work"/statements/*.json; do
  jq -e '.predicateType | test("^https://plimsoll.dev/attestations/(release|promotion)/v1$")' "$statement" >/dev/null 2>&1 || continue
  for id in $(jq -r '.predicate.gates[]?.evalId | select(test("\\A[A-Za-z0-9_-]+\\z"))' "$statement"); do echo "$id" >>"$work/ids" && decision "$id" "$statement"; done
done
while read -r id; do wrong "decisions/$id" "no statement names it"; done < <(
  comm -13 <(sort -u "$work/ids" 2>/dev/null) <(index '.files[] | select(.kind == "decision").path | split("/")[1]' | sort -u))

# 6. The log. RFC 6962: the hash of a leaf is SHA-256(0x00 ‖ leaf), of two hashes SHA-256(0x01 ‖ left ‖ right).
[ -n "$log_key" ] || { log_key=keys/log.vkey; log_believed=passport; }
note() { # a checkpoint: that the log signed it, and those of its witnesses whose keys are here. Sets origin, size and root.
  local line name sum4 key alg text signature found=0
  text=$(sed '/^$/,$d' "$1"; echo .) && text=${text%.}
  { read -r origin; read -r size; read -r root; } < <(sed -n 1,3p "$1")
  [[ $size =~ ^(0|[1-9][0-9]{0,17})$ ]] || return 1
  while IFS= read -r line || [ -n "$line" ]; do
    [ -n "$line" ] || continue
    name=${line%%+*} sum4=${line#*+} && key=$(hex <<<"${sum4#*+}") && sum4=${sum4%%+*}
    alg=${key:0:2} key=${key:2}
    [ "$alg" = 01 ] || [ "$alg" = 04 ] || { not_checked "$1" "openssl cannot check cosignatures of the kind that $name makes"; continue; }
    [ "$( { printf '%s\n' "$name"; bytes "$alg$key"; } | sum | cut -c1-8)" = "$sum4" ] && [ ${#key} -eq 64 ] || return 1
    signature=$(sed '1,/^$/d' "$1" | grep -F "— $name " | while read -r _ _ s; do s=$(hex <<<"$s") && [ "${s:0:8}" = "$sum4" ] && echo "${s:8}" && break; done)
    [ -n "$signature" ] || continue
    { echo "-----BEGIN PUBLIC KEY-----"; bytes "302a300506032b6570032100$key" | base64; echo "-----END PUBLIC KEY-----"; } >"$work/log.pem"
    if [ "$alg" = 04 ]; then # a witness signs the time, too (C2SP tlog-cosignature)
      printf 'cosignature/v1\ntime %d\n%s' "0x${signature:0:16}" "$text" >"$work/note" && signature=${signature:16}
    else
      printf '%s' "$text" >"$work/note"
    fi
    bytes "$signature" >"$work/sig"
    openssl pkeyutl -verify -pubin -inkey "$work/log.pem" -rawin -in "$work/note" -sigfile "$work/sig" >/dev/null 2>&1 || return 1
    [ "$alg $name" != "01 $origin" ] || found=1
  done <"$log_key"
  [ "$found" -eq 1 ]
}
included() { # leaf, proof: in the tree of $size leaves with the root $root (RFC 9162, 2.1.3.2)
  local fn sn r p
  fn=$(sed -n 's/^index \(0\|[1-9][0-9]\{0,17\}\)$/\1/p' "$2" | head -1)
  [[ $(head -1 "$2") == c2sp.org/tlog-proof@v1 && -n $fn && ${1##*/} == "$fn.leaf" && $fn -lt $size ]] || return 1
  sn=$((size - 1)) r=$({ bytes 00; cat "$1"; } | sum)
  for p in $(sed '/^$/,$d' "$2" | sed '1,/^index /d'); do
    p=$(hex <<<"$p")
    [ ${#p} -eq 64 ] && [ "$sn" -gt 0 ] || return 1
    if [ $((fn & 1)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
      r=$(bytes "01$p$r" | sum)
      while [ $((fn & 1)) -eq 0 ] && [ "$fn" -ne 0 ]; do fn=$((fn >> 1)) sn=$((sn >> 1)); done
    else
      r=$(bytes "01$r$p" | sum)
    fi
    fn=$((fn >> 1)) sn=$((sn >> 1))
  done
  [ "$sn" -eq 0 ] && [ "$r" = "$(hex <<<"$root")" ]
}
said '.[].predicate.logCheckpoint // "" | select(. != "") | @base64' | while read -r line; do
  base64 -d <<<"$line" >"$work/earlier" && ! note "$work/earlier" && echo bad
done | grep -q bad && wrong "$log_key" "it does not verify the checkpoint that stands in a statement"
leaves=0
if [ ! -f log/checkpoint ] || ! note log/checkpoint; then
  wrong log/checkpoint "its signature does not verify with $log_key"
else
  for leaf in $(files leaf); do
    proof=${leaf%.leaf}.tlog-proof leaves=$((leaves + 1))
    sed '1,/^$/d' "$proof" 2>/dev/null | cmp -s - log/checkpoint || wrong "$proof" "is not there, or is of another checkpoint than log/checkpoint"
    included "$leaf" "$proof" || wrong "$proof" "does not prove that $leaf is in the tree of the checkpoint"
    jq -r '.changes[]? | select(.field | startswith("attestation ")).to | strings' "$leaf" 2>/dev/null
  done >"$work/logged"
fi
for path in $(files attestation); do
  grep -qxF "sha256:$(sum <"$work/statements/$(basename "$path" .bundle.json).json")" "$work/logged" 2>/dev/null || wrong "$path" "its digest stands in no leaf of the log"
done

[ "$failed" -eq 0 ] || exit 1
echo "$(wc -l <"$work/listed") files, $statements statements, $pieces pieces of evidence ($signatures by their signatures), $decisions decisions, $leaves leaves: nothing is wrong"
for key in "${release_keys[@]}"; do echo "release key $(fingerprint "$key") ($([ "$believed" = given ] && echo "which you gave" || echo "believed because it is in the passport"))"; done
echo "log $origin, $size leaves ($([ -z "${log_believed:-}" ] && echo "its key is the one that you gave" || echo "its key was believed because it is in the passport"))"
echo "standing when the passport was made: $standing"
