# Makes outcomes and decision again, from what the rules said, with the policies and the waivers that were recorded.
# Called as: jq --null-input --slurpfile policies … --slurpfile waivers … --slurpfile said … -f decide.jq
# "said" is {rule: what its Rego said}; a rule that could not be judged is not in it.

def spelled:
  gsub("^\\s+|\\s+$"; "")
  | if test("^cve-"; "i") then ascii_upcase
    elif test("^ghsa-"; "i") then "GHSA-" + (.[5:] | ascii_downcase)
    else . end;

# A package without its version: an @ behind the last slash begins the version.
def bare: sub("[?#].*$"; "") | sub("@[^@/]*$"; "");

def same($waived; $about): $waived == $about or (($waived | bare) == $waived and ($about | bare) == $waived);

def about($policy; $rule): if .policy != "" then .policy == $policy else .rule == $rule end;

def whole: .code == "" and .subject == "" and (.vulnerabilities | length) == 0 and .package == "";

def covers($v):
  (.code == "" or .code == $v.code)
  and (.subject == "" or .subject == $v.subject)
  and ((.vulnerabilities | length) == 0 or ($v.vulnerability != null and (.vulnerabilities | index($v.vulnerability | spelled)) != null))
  and (.package == "" or ($v.purl != null and same(.package; $v.purl)));

# What a rule says under a policy. $in_force are the waivers about the two.
def outcome($said; $in_force):
  if $said == null then "ERROR"
  elif ($said.examined | length) == 0 then if any($in_force[]; whole) then "WAIVED" else "NOT_EVIDENCED" end
  elif ($said.violations | length) == 0 then "PASS"
  elif all($said.violations[]; . as $v | any($in_force[]; covers($v))) then "WAIVED"
  else "VIOLATION" end;

def satisfied: .outcome == "PASS" or .outcome == "WAIVED";

[$policies[0][] as $p | $p.rules[] as $rule
  | (if $p.waivable then [$waivers[0][] | select(about($p.name; $rule))] else [] end) as $in_force
  | {policy: $p.name, mode: $p.mode, rule: $rule, outcome: outcome($said[0][$rule]; $in_force)}] as $outcomes
| [$outcomes[] | select(satisfied | not)] as $open
| {
    decision: (
      if any($open[]; .mode == "BLOCK" and .outcome != "ERROR") then "FAIL"
      elif any($open[]; .mode == "BLOCK") then "ERROR"
      elif ($open | length) > 0 then "WARN"
      else "PASS" end),
    outcomes: [$outcomes[] | {policy, rule, outcome}]
  }
