# Takes out of an SBOM what has no place in a repository: the addresses of the registry a build fetched from, and the
# names and addresses of the people who wrote the packages. Components, versions, licences, hashes and the graph stay.
#   jq --from-file clean.jq
def registry: test("://[^/]*(registry|proxy|sum)[^/]*/|/-/|\\.tgz$");
if .bomFormat == "CycloneDX" then
  (.metadata.component, .components[]) |= (
    del(.author, .description)
    | if .externalReferences then
        .externalReferences |= map(select(.type != "distribution" and (.url | registry | not)))
        | if .externalReferences == [] then del(.externalReferences) else . end
      else . end
    | if .properties == [] then del(.properties) else . end)
elif .spdxVersion then
  .packages |= map(
    del(.description)
    | if .downloadLocation | registry then .downloadLocation = "NOASSERTION" else . end)
else error("neither CycloneDX nor SPDX") end
