# METADATA
# title: Licences are allowed
# description: |
#   The licence of every component in the version's SBOMs is allowed. `licenses` of a component is a list of SPDX
#   identifiers or expressions, all of which must be satisfied: in an expression OR needs one side, AND both, and
#   WITH an exception is allowed where the licence without it is.
#   A licence is refused when `deny` names it, and, where there is an `allow`, when that does not name it. The more
#   exact name wins (GPL-2.0-only WITH Classpath-exception-2.0 over GPL-2.0-only), then `deny` over `allow`. "Or later"
#   (GPL-2.0-or-later, Apache-2.0+) counts as the version it starts from where it is not named itself. Case does not
#   matter; GPL-2.0 is GPL-2.0-only and GPL-2.0+ is GPL-2.0-or-later, and so on for the GNU family.
#   A licence that is missing, NOASSERTION or NONE, or not on the SPDX list and not in `allow` is unknown. What cannot
#   be read, or nests parentheses deeper than eight, is never allowed.
#   Components that nobody lists cannot be judged: use it together with sbom-complete.
# custom:
#   category: AUDIT
#   remediation: >-
#     Replace {subject} in {application} {version}, or have its licence cleared and the SBOM corrected; if it is
#     acceptable here, ask for a waiver that names it.
#   controls:
#     - NIST-SSDF PW.4.1
#     - NIST-SSDF PW.4.4
#   evidence: CycloneDX or SPDX documents that list the components with their licences.
#   predicates:
#     - https://cyclonedx.org/bom
#     - https://spdx.dev/Document
#   parameters:
#     - allow
#     - deny
package plimsoll.bom.license_allowed

# An object even where a replay forgets the parameters: what is undefined would silence the rules that read it.
default _parameters := {}

_parameters := data.parameters if is_object(data.parameters)

# METADATA
# description: The components, by package URL where they have one.
examined contains component.purl if {
	some component in _components
	is_string(component.purl)
	component.purl != ""
}

examined contains _subject(i, component) if {
	some i in _without_purl
	component := _components[i]
	is_object(component)
}

# METADATA
# description: One for each component and code; beyond nine hundred the rest is summed up in one.
violations contains v if some v in array.slice(_found, 0, 900)

violations contains v if {
	more := count(_found) - 900
	more > 0
	v := {
		"code": "MORE_COMPONENTS",
		"subject": "components",
		"message": sprintf("%d more violations of this rule are not listed", [more]),
		"remediation": "Mend those that are listed first, or allow the licences they have in common.",
	}
}

violations contains v if {
	count(_components) == 0
	v := {
		"code": "COMPONENTS_MISSING",
		"subject": "components",
		"message": "no SBOM of the version lists a component, so no licence can be judged",
		"remediation": "Make an SBOM of each artifact and push it with the artifact's digest as its subject.",
	}
}

# A rule whose lists say nothing would let everything pass.
violations contains v if {
	not _usable_parameters
	v := {
		"code": "PARAMETERS_UNUSABLE",
		"subject": "parameters",
		"message": "the rule has neither an allow nor a deny list of SPDX licences that can be read",
		"remediation": "Give the rule an allow or a deny list of SPDX identifiers.",
	}
}

violations contains v if {
	some name in _deny
	not _known(name)
	v := {
		"code": "PARAMETERS_UNUSABLE",
		"subject": name,
		"message": sprintf("deny names %s, which is not on the SPDX list, so it would deny nothing", [name]),
		"remediation": "Correct the identifier in the rule's deny list.",
	}
}

# The components that violate, in order, so that the same ones are listed each time.

_found := sort(array.concat(_unreadable, _refused))

_unreadable := [v |
	some i, component in _components
	not is_object(component)
	v := {
		"code": "COMPONENT_UNREADABLE",
		"subject": sprintf("components[%d]", [i]),
		"message": sprintf("component %d cannot be read", [i]),
		"remediation": "Push an SBOM that lists the component with its package URL and licence.",
	}
]

_refused := [v |
	some i in (_places - _clean)
	component := _components[i]
	is_object(component)
	some code, licenses in _by_code(component)
	subject := _subject(i, component)
	v := {
		"code": code,
		"subject": subject,
		"message": sprintf("%s: %s%s", [subject, _because[code], concat(", ", sort(licenses))]),
		"remediation": _remedy[code],
	}
]

# Sets of places instead of a function for each component: most components are clean, and a gate waits for this.

_places := {i | some i, _ in _components}

_without_purl := _places - {i |
	some i, component in _components
	is_string(component.purl)
	component.purl != ""
}

# Clean is what has a list of licences, of which none is unsatisfied: what is neither is looked at, never left out.
_clean := {i |
	some i, component in _components
	is_array(component.licenses)
	count(component.licenses) > 0
} - {i |
	some i, component in _components
	some license in component.licenses
	not license in _satisfied
}

_by_code(component) := {code: licenses |
	some code in {c | some license in _licenses(component); c := _code(license)}
	code != "OK"
	licenses := {sprintf("%v", [license]) | some license in _licenses(component); _code(license) == code}
}

# A component without a licence has an unknown one.
_licenses(component) := {license | some license in component.licenses} if {
	is_array(component.licenses)
	count(component.licenses) > 0
}

else := {"NOASSERTION"}

_code(license) := _codes[license] if is_string(license)

else := "LICENSE_UNPARSABLE"

_because := {
	"LICENSE_DENIED": "the licence is denied: ",
	"LICENSE_NOT_ALLOWED": "the licence is not among those that are allowed: ",
	"LICENSE_UNKNOWN": "the licence is not known: ",
	"LICENSE_UNPARSABLE": "the licence is not an SPDX expression that can be read: ",
}

_remedy := {
	"LICENSE_DENIED": "Replace the component, or ask for a waiver that names it.",
	"LICENSE_NOT_ALLOWED": "Replace the component, have its licence added to the allow list, or ask for a waiver that names it.",
	"LICENSE_UNKNOWN": "Find out the licence and put its SPDX identifier into the SBOM.",
	"LICENSE_UNPARSABLE": "Write the licence as an SPDX expression in the SBOM.",
}

default _components := []

_components := input.components if is_array(input.components)

_subject(i, component) := component.purl if {
	is_string(component.purl)
	component.purl != ""
}

else := sprintf("%s@%s", [component.name, component.version]) if {
	is_string(component.name)
	is_string(component.version)
}

else := sprintf("components[%d]", [i])

# Every expression is judged once, however many components have it.

_codes := {expression: _judge(expression) | some expression in _expressions}

_expressions := {"NOASSERTION"} | {license |
	some component in _components
	is_array(component.licenses)
	some license in component.licenses
	is_string(license)
}

_satisfied := {expression | some expression, code in _codes; code == "OK"}

# The formula of an expression has a letter for each licence: (A)llowed, (N)ot listed, (U)nknown, (D)enied. The code is
# that of the worst thing that keeps it from being true.
_judge(expression) := code if {
	formula := concat("", [_symbol(chunk) | some chunk in _chunks(expression)])
	code := _judge_formula(formula)
}

_judge_formula(formula) := "OK" if {
	_truth(formula, _if_allowed) == "T"
}

else := "LICENSE_UNKNOWN" if {
	_truth(formula, _if_known) == "T"
}

else := "LICENSE_NOT_ALLOWED" if {
	_truth(formula, _if_listed) == "T"
}

else := "LICENSE_DENIED" if {
	_truth(formula, _if_listed) == "F"
}

else := "LICENSE_UNPARSABLE"

_if_allowed := {"A": "T", "U": "F", "N": "F", "D": "F"}

_if_known := {"A": "T", "U": "T", "N": "F", "D": "F"}

_if_listed := {"A": "T", "U": "T", "N": "T", "D": "F"}

# Rego has no recursion: parentheses are resolved from the inside, one depth each time. What is not well formed is left
# over, and has no truth.
_truth(formula, truth) := value if {
	d0 := strings.replace_n(truth, formula)
	d1 := _resolve(d0)
	d2 := _resolve(d1)
	d3 := _resolve(d2)
	d4 := _resolve(d3)
	d5 := _resolve(d4)
	d6 := _resolve(d5)
	d7 := _resolve(d6)
	d8 := _resolve(d7)
	regex.match(`^[TF](?:[&|][TF])*$`, d8)
	value := _flat(d8)
}

_resolve(formula) := strings.replace_n(
	{group: _flat(trim(group, "()")) |
		some group in regex.find_n(`\([TF](?:[&|][TF])*\)`, formula, -1)
	},
	formula,
)

# Without parentheses: AND binds tighter than OR.
_flat(formula) := "T" if {
	some side in split(formula, "|")
	not contains(side, "F")
}

else := "F"

# Reading: a chunk is a parenthesis, an operator or a licence with its exception.

_chunks(expression) := regex.find_n(`[()]|[^()\s]+(?:\s+(?:WITH|with)\s+[^()\s]+)?`, expression, -1)

_operators := {"(": "(", ")": ")", "AND": "&", "and": "&", "OR": "|", "or": "|"}

_symbol(chunk) := _operators[chunk] if chunk in object.keys(_operators)

else := "!" if not _is_license(chunk)

else := _letter(_name(chunk))

_is_license(chunk) if {
	every word in _words(chunk) {
		regex.match(`^[A-Za-z0-9.:+-]+$`, word)
		not lower(word) in {"and", "or", "with"}
	}
}

_words(chunk) := regex.split(`\s+(?:WITH|with)\s+`, chunk)

_name(chunk) := concat(" with ", [_gnu(lower(word)) | some word in _words(chunk)])

# The GNU family renamed its identifiers; both names are in use.
_gnu(id) := sprintf("%s-only", [id]) if regex.match(`^(?:a|l)?gpl-[0-9.]+$|^gfdl-[0-9.]+$`, id)

else := sprintf("%s-or-later", [trim_suffix(id, "+")]) if regex.match("^(?:(?:a|l)?gpl|gfdl)-[0-9.]+\\+$", id)

else := id

_letter(name) := "U" if name in {"noassertion", "none"}

else := "D" if name in _deny

else := "A" if name in _allow

else := "D" if count(_broader(name) & _deny) > 0

else := "A" if count(_broader(name) & _allow) > 0

else := "U" if not _known(name)

else := "A" if not _has_allow

else := "N"

# The names that stand for a name that is not listed itself: without its exception, and as the version it starts from.
_broader(name) := {b |
	some start in {name, split(name, " with ")[0]}
	some b in {start, trim_suffix(start, "+"), _only(start)}
	b != name
}

_only(id) := sprintf("%s-only", [trim_suffix(id, "-or-later")]) if endswith(id, "-or-later")

else := id

_known(name) if {
	words := split(name, " with ")
	_known_license(words[0])
	every exception in array.slice(words, 1, count(words)) { exception in _spdx_exceptions }
}

_known_license(id) if id in _spdx_licenses

_known_license(id) if trim_suffix(id, "+") in _spdx_licenses

_known_license(id) if {
	id in (_allow | _deny)
	startswith(id, "licenseref-")
}

# The parameters. An entry may be an expression: each licence in it is meant.

_has_allow if "allow" in object.keys(_parameters)

_has_deny if "deny" in object.keys(_parameters)

_allow := _listed("allow")

_deny := _listed("deny")

_listed(parameter) := {_name(chunk) |
	is_array(_parameters[parameter])
	some entry in _parameters[parameter]
	is_string(entry)
	some chunk in _chunks(entry)
	not chunk in object.keys(_operators)
}

_usable_parameters if count(_allow) > 0

_usable_parameters if {
	not _has_allow
	_has_deny
	count(_deny) > 0
}

# The identifiers of the SPDX License List, deprecated ones included, in lower case.
_spdx_licenses := {
	"0bsd", "3d-slicer-1.0", "aal", "abstyles", "adacore-doc", "adobe-2006", "adobe-display-postscript",
	"adobe-glyph", "adobe-utopia", "adsl", "advanced-cryptics-dictionary", "afl-1.1", "afl-1.2", "afl-2.0",
	"afl-2.1", "afl-3.0", "afmparse", "agpl-1.0", "agpl-1.0-only", "agpl-1.0-or-later", "agpl-3.0", "agpl-3.0-only",
	"agpl-3.0-or-later", "aladdin", "alglib-documentation", "amd-newlib", "amdplpa", "aml", "aml-glslang", "ampas",
	"antlr-pd", "antlr-pd-fallback", "any-osi", "any-osi-perl-modules", "apache-1.0", "apache-1.1", "apache-2.0",
	"apafml", "apl-1.0", "app-s2p", "apsl-1.0", "apsl-1.1", "apsl-1.2", "apsl-2.0", "arphic-1999", "artistic-1.0",
	"artistic-1.0-cl8", "artistic-1.0-perl", "artistic-2.0", "artistic-dist", "aspell-ru",
	"aswf-digital-assets-1.0", "aswf-digital-assets-1.1", "baekmuk", "bahyph", "barr", "bcrypt-solar-designer",
	"beerware", "bitstream-charter", "bitstream-vera", "bittorrent-1.0", "bittorrent-1.1", "blessing",
	"blueoak-1.0.0", "boehm-gc", "boehm-gc-without-fee", "borceux", "brian-gladman-2-clause",
	"brian-gladman-3-clause", "bsd-1-clause", "bsd-2-clause", "bsd-2-clause-darwin", "bsd-2-clause-first-lines",
	"bsd-2-clause-freebsd", "bsd-2-clause-netbsd", "bsd-2-clause-patent", "bsd-2-clause-pkgconf-disclaimer",
	"bsd-2-clause-views", "bsd-3-clause", "bsd-3-clause-acpica", "bsd-3-clause-attribution", "bsd-3-clause-clear",
	"bsd-3-clause-flex", "bsd-3-clause-hp", "bsd-3-clause-lbnl", "bsd-3-clause-modification",
	"bsd-3-clause-no-military-license", "bsd-3-clause-no-nuclear-license", "bsd-3-clause-no-nuclear-license-2014",
	"bsd-3-clause-no-nuclear-warranty", "bsd-3-clause-open-mpi", "bsd-3-clause-sun", "bsd-3-clause-tso",
	"bsd-4-clause", "bsd-4-clause-shortened", "bsd-4-clause-uc", "bsd-4.3reno", "bsd-4.3tahoe",
	"bsd-advertising-acknowledgement", "bsd-attribution-hpnd-disclaimer", "bsd-inferno-nettverk",
	"bsd-mark-modifications", "bsd-protection", "bsd-source-beginning-file", "bsd-source-code", "bsd-systemics",
	"bsd-systemics-w3works", "bsl-1.0", "buddy", "busl-1.1", "bzip2-1.0.5", "bzip2-1.0.6", "c-uda-1.0", "cal-1.0",
	"cal-1.0-combined-work-exception", "caldera", "caldera-no-preamble", "catharon", "catosl-1.1", "cc-by-1.0",
	"cc-by-2.0", "cc-by-2.5", "cc-by-2.5-au", "cc-by-3.0", "cc-by-3.0-at", "cc-by-3.0-au", "cc-by-3.0-de",
	"cc-by-3.0-igo", "cc-by-3.0-nl", "cc-by-3.0-us", "cc-by-4.0", "cc-by-nc-1.0", "cc-by-nc-2.0", "cc-by-nc-2.5",
	"cc-by-nc-3.0", "cc-by-nc-3.0-de", "cc-by-nc-4.0", "cc-by-nc-nd-1.0", "cc-by-nc-nd-2.0", "cc-by-nc-nd-2.5",
	"cc-by-nc-nd-3.0", "cc-by-nc-nd-3.0-de", "cc-by-nc-nd-3.0-igo", "cc-by-nc-nd-4.0", "cc-by-nc-sa-1.0",
	"cc-by-nc-sa-2.0", "cc-by-nc-sa-2.0-de", "cc-by-nc-sa-2.0-fr", "cc-by-nc-sa-2.0-uk", "cc-by-nc-sa-2.5",
	"cc-by-nc-sa-3.0", "cc-by-nc-sa-3.0-de", "cc-by-nc-sa-3.0-igo", "cc-by-nc-sa-4.0", "cc-by-nd-1.0",
	"cc-by-nd-2.0", "cc-by-nd-2.5", "cc-by-nd-3.0", "cc-by-nd-3.0-de", "cc-by-nd-4.0", "cc-by-sa-1.0",
	"cc-by-sa-2.0", "cc-by-sa-2.0-uk", "cc-by-sa-2.1-jp", "cc-by-sa-2.5", "cc-by-sa-3.0", "cc-by-sa-3.0-at",
	"cc-by-sa-3.0-de", "cc-by-sa-3.0-igo", "cc-by-sa-4.0", "cc-pddc", "cc-pdm-1.0", "cc-sa-1.0", "cc0-1.0",
	"cddl-1.0", "cddl-1.1", "cdl-1.0", "cdla-permissive-1.0", "cdla-permissive-2.0", "cdla-sharing-1.0",
	"cecill-1.0", "cecill-1.1", "cecill-2.0", "cecill-2.1", "cecill-b", "cecill-c", "cern-ohl-1.1", "cern-ohl-1.2",
	"cern-ohl-p-2.0", "cern-ohl-s-2.0", "cern-ohl-w-2.0", "cfitsio", "check-cvs", "checkmk", "clartistic", "clips",
	"cmu-mach", "cmu-mach-nodoc", "cnri-jython", "cnri-python", "cnri-python-gpl-compatible", "coil-1.0",
	"community-spec-1.0", "condor-1.1", "copyleft-next-0.3.0", "copyleft-next-0.3.1", "cornell-lossless-jpeg",
	"cpal-1.0", "cpl-1.0", "cpol-1.02", "cronyx", "crossword", "cryptoswift", "crystalstacker", "cua-opl-1.0",
	"cube", "curl", "cve-tou", "d-fsl-1.0", "dec-3-clause", "diffmark", "dl-de-by-2.0", "dl-de-zero-2.0", "doc",
	"docbook-dtd", "docbook-schema", "docbook-stylesheet", "docbook-xml", "dotseqn", "drl-1.0", "drl-1.1", "dsdp",
	"dtoa", "dvipdfm", "ecl-1.0", "ecl-2.0", "ecos-2.0", "efl-1.0", "efl-2.0", "egenix", "elastic-2.0", "entessa",
	"epics", "epl-1.0", "epl-2.0", "erlpl-1.1", "esa-pl-permissive-2.4", "esa-pl-strong-copyleft-2.4",
	"esa-pl-weak-copyleft-2.4", "etalab-2.0", "eudatagrid", "eupl-1.0", "eupl-1.1", "eupl-1.2", "eurosym", "fair",
	"fbm", "fdk-aac", "ferguson-twofish", "frameworx-1.0", "freebsd-doc", "freeimage", "fsfap",
	"fsfap-no-warranty-disclaimer", "fsful", "fsfullr", "fsfullrsd", "fsfullrwd", "fsl-1.1-alv2", "fsl-1.1-mit",
	"ftl", "furuseth", "fwlw", "game-programming-gems", "gcr-docs", "gd", "generic-xts", "gfdl-1.1",
	"gfdl-1.1-invariants-only", "gfdl-1.1-invariants-or-later", "gfdl-1.1-no-invariants-only",
	"gfdl-1.1-no-invariants-or-later", "gfdl-1.1-only", "gfdl-1.1-or-later", "gfdl-1.2", "gfdl-1.2-invariants-only",
	"gfdl-1.2-invariants-or-later", "gfdl-1.2-no-invariants-only", "gfdl-1.2-no-invariants-or-later",
	"gfdl-1.2-only", "gfdl-1.2-or-later", "gfdl-1.3", "gfdl-1.3-invariants-only", "gfdl-1.3-invariants-or-later",
	"gfdl-1.3-no-invariants-only", "gfdl-1.3-no-invariants-or-later", "gfdl-1.3-only", "gfdl-1.3-or-later",
	"giftware", "gl2ps", "glide", "glulxe", "glwtpl", "gnuplot", "gpl-1.0", "gpl-1.0+", "gpl-1.0-only",
	"gpl-1.0-or-later", "gpl-2.0", "gpl-2.0+", "gpl-2.0-only", "gpl-2.0-or-later",
	"gpl-2.0-with-autoconf-exception", "gpl-2.0-with-bison-exception", "gpl-2.0-with-classpath-exception",
	"gpl-2.0-with-font-exception", "gpl-2.0-with-gcc-exception", "gpl-3.0", "gpl-3.0+", "gpl-3.0-only",
	"gpl-3.0-or-later", "gpl-3.0-with-autoconf-exception", "gpl-3.0-with-gcc-exception", "graphics-gems",
	"gsoap-1.3b", "gtkbook", "gutmann", "haskellreport", "hdf5", "hdparm", "hidapi", "hippocratic-2.1", "hp-1986",
	"hp-1989", "hpnd", "hpnd-dec", "hpnd-doc", "hpnd-doc-sell", "hpnd-export-us", "hpnd-export-us-acknowledgement",
	"hpnd-export-us-modify", "hpnd-export2-us", "hpnd-fenneberg-livingston", "hpnd-inria-imag", "hpnd-intel",
	"hpnd-kevlin-henney", "hpnd-markus-kuhn", "hpnd-merchantability-variant", "hpnd-mit-disclaimer", "hpnd-netrek",
	"hpnd-pbmplus", "hpnd-sell-mit-disclaimer-xserver", "hpnd-sell-regexpr", "hpnd-sell-variant",
	"hpnd-sell-variant-mit-disclaimer", "hpnd-sell-variant-mit-disclaimer-rev", "hpnd-smc", "hpnd-uc",
	"hpnd-uc-export-us", "htmltidy", "hyphen-bulgarian", "ibm-pibs", "icu", "iec-code-components-eula", "ijg",
	"ijg-short", "imagemagick", "imatix", "imlib2", "info-zip", "inner-net-2.0", "innosetup", "intel", "intel-acpi",
	"interbase-1.0", "ipa", "ipl-1.0", "isc", "isc-veillard", "iso-permission", "jam", "jasper-2.0", "jove",
	"jpl-image", "jpnic", "json", "kastrup", "kazlib", "knuth-ctan", "lal-1.2", "lal-1.3", "latex2e",
	"latex2e-translated-notice", "leptonica", "lgpl-2.0", "lgpl-2.0+", "lgpl-2.0-only", "lgpl-2.0-or-later",
	"lgpl-2.1", "lgpl-2.1+", "lgpl-2.1-only", "lgpl-2.1-or-later", "lgpl-3.0", "lgpl-3.0+", "lgpl-3.0-only",
	"lgpl-3.0-or-later", "lgpllr", "libpng", "libpng-1.6.35", "libpng-2.0", "libselinux-1.0", "libtiff",
	"libutil-david-nugent", "liliq-p-1.1", "liliq-r-1.1", "liliq-rplus-1.1", "linux-man-pages-1-para",
	"linux-man-pages-copyleft", "linux-man-pages-copyleft-2-para", "linux-man-pages-copyleft-var", "linux-openib",
	"loop", "lpd-document", "lpl-1.0", "lpl-1.02", "lppl-1.0", "lppl-1.1", "lppl-1.2", "lppl-1.3a", "lppl-1.3c",
	"lsof", "lucida-bitmap-fonts", "lzma-sdk-9.11-to-9.20", "lzma-sdk-9.22", "mackerras-3-clause",
	"mackerras-3-clause-acknowledgment", "magaz", "mailprio", "makeindex", "man2html", "martin-birgmeier",
	"mcphee-slideshow", "metamail", "minpack", "mips", "miros", "mit", "mit-0", "mit-advertising", "mit-click",
	"mit-cmu", "mit-enna", "mit-feh", "mit-festival", "mit-khronos-old", "mit-modern-variant", "mit-open-group",
	"mit-stk", "mit-testregex", "mit-wu", "mitnfa", "mmixware", "motosoto", "mpeg-ssg", "mpi-permissive", "mpich2",
	"mpl-1.0", "mpl-1.1", "mpl-2.0", "mpl-2.0-no-copyleft-exception", "mplus", "ms-lpl", "ms-pl", "ms-rl", "mtll",
	"mulanpsl-1.0", "mulanpsl-2.0", "multics", "mup", "naist-2003", "nasa-1.3", "naumen", "nbpl-1.0", "ncbi-pd",
	"ncgl-uk-2.0", "ncl", "ncsa", "net-snmp", "netcdf", "newsletr", "ngpl", "ngrep", "nicta-1.0", "nist-pd",
	"nist-pd-fallback", "nist-pd-tnt", "nist-software", "nlod-1.0", "nlod-2.0", "nlpl", "nokia", "nosl", "noweb",
	"npl-1.0", "npl-1.1", "nposl-3.0", "nrl", "ntia-pd", "ntp", "ntp-0", "nunit", "o-uda-1.0", "oar", "occt-pl",
	"oclc-2.0", "odbl-1.0", "odc-by-1.0", "offis", "ofl-1.0", "ofl-1.0-no-rfn", "ofl-1.0-rfn", "ofl-1.1",
	"ofl-1.1-no-rfn", "ofl-1.1-rfn", "ogc-1.0", "ogdl-taiwan-1.0", "ogl-canada-2.0", "ogl-uk-1.0", "ogl-uk-2.0",
	"ogl-uk-3.0", "ogtsl", "oldap-1.1", "oldap-1.2", "oldap-1.3", "oldap-1.4", "oldap-2.0", "oldap-2.0.1",
	"oldap-2.1", "oldap-2.2", "oldap-2.2.1", "oldap-2.2.2", "oldap-2.3", "oldap-2.4", "oldap-2.5", "oldap-2.6",
	"oldap-2.7", "oldap-2.8", "olfl-1.3", "oml", "openpbs-2.3", "openssl", "openssl-standalone", "openvision",
	"opl-1.0", "opl-uk-3.0", "opubl-1.0", "oset-pl-2.1", "osl-1.0", "osl-1.1", "osl-2.0", "osl-2.1", "osl-3.0",
	"ossp", "padl", "parity-6.0.0", "parity-7.0.0", "pddl-1.0", "php-3.0", "php-3.01", "pixar", "pkgconf", "plexus",
	"pnmstitch", "polyform-noncommercial-1.0.0", "polyform-small-business-1.0.0", "postgresql", "ppl", "psf-2.0",
	"psfrag", "psutils", "python-2.0", "python-2.0.1", "python-ldap", "qhull", "qpl-1.0", "qpl-1.0-inria-2004",
	"radvd", "rdisc", "rhecos-1.1", "rpl-1.1", "rpl-1.5", "rpsl-1.0", "rsa-md", "rscpl", "ruby", "ruby-pty",
	"sax-pd", "sax-pd-2.0", "saxpath", "scea", "schemereport", "sendmail", "sendmail-8.23",
	"sendmail-open-source-1.1", "sgi-b-1.0", "sgi-b-1.1", "sgi-b-2.0", "sgi-opengl", "sgmlug-pm", "sgp4", "shl-0.5",
	"shl-0.51", "simpl-2.0", "sissl", "sissl-1.2", "sl", "sleepycat", "smail-gpl", "smlnj", "smppl", "snia",
	"snprintf", "sofa", "softsurfer", "soundex", "spencer-86", "spencer-94", "spencer-99", "spl-1.0", "ssh-keyscan",
	"ssh-openssh", "ssh-short", "ssleay-standalone", "sspl-1.0", "standardml-nj", "sugarcrm-1.1.3", "sul-1.0",
	"sun-ppp", "sun-ppp-2000", "sunpro", "swl", "swrule", "symlinks", "tapr-ohl-1.0", "tcl", "tcp-wrappers",
	"tekhvc", "termreadkey", "tgppl-1.0", "thirdeye", "threeparttable", "tmate", "torque-1.1", "tosl", "tpdl",
	"tpl-1.0", "trustedqsl", "ttwl", "ttyp0", "tu-berlin-1.0", "tu-berlin-2.0", "ubuntu-font-1.0", "ucar",
	"ucl-1.0", "ulem", "umich-merit", "unicode-3.0", "unicode-dfs-2015", "unicode-dfs-2016", "unicode-tou",
	"unixcrypt", "unlicense", "unlicense-libtelnet", "unlicense-libwhirlpool", "upl-1.0", "urt-rle", "vim",
	"vostrom", "vsl-1.0", "w3c", "w3c-19980720", "w3c-20150513", "w3m", "watcom-1.0", "widget-workshop", "wordnet",
	"wsuipa", "wtfnmfpl", "wtfpl", "wwl", "wxwindows", "x11", "x11-distribute-modifications-variant",
	"x11-no-permit-persons", "x11-swapped", "xdebug-1.03", "xerox", "xfig", "xfree86-1.1", "xinetd",
	"xkeyboard-config-zinoviev", "xlock", "xnet", "xpp", "xskat", "xzoom", "ypl-1.0", "ypl-1.1", "zed", "zeeff",
	"zend-2.0", "zimbra-1.3", "zimbra-1.4", "zlib", "zlib-acknowledgement", "zpl-1.1", "zpl-2.0", "zpl-2.1",
}

_spdx_exceptions := {
	"389-exception", "asterisk-exception", "asterisk-linking-protocols-exception", "autoconf-exception-2.0",
	"autoconf-exception-3.0", "autoconf-exception-generic", "autoconf-exception-generic-3.0",
	"autoconf-exception-macro", "bison-exception-1.24", "bison-exception-2.2", "bootloader-exception",
	"cgal-linking-exception", "classpath-exception-2.0", "classpath-exception-2.0-short", "clisp-exception-2.0",
	"cryptsetup-openssl-exception", "digia-qt-lgpl-exception-1.1", "digirule-foss-exception", "ecos-exception-2.0",
	"erlang-otp-linking-exception", "fawkes-runtime-exception", "fltk-exception", "fmt-exception",
	"font-exception-2.0", "freertos-exception-2.0", "gcc-exception-2.0", "gcc-exception-2.0-note",
	"gcc-exception-3.1", "gmsh-exception", "gnat-exception", "gnome-examples-exception", "gnu-compiler-exception",
	"gnu-javamail-exception", "gpl-3.0-389-ds-base-exception", "gpl-3.0-interface-exception",
	"gpl-3.0-linking-exception", "gpl-3.0-linking-source-exception", "gpl-cc-1.0", "gstreamer-exception-2005",
	"gstreamer-exception-2008", "harbour-exception", "i2p-gpl-java-exception", "independent-modules-exception",
	"kicad-libraries-exception", "kvirc-openssl-exception", "lgpl-3.0-linking-exception",
	"libpri-openh323-exception", "libtool-exception", "linux-syscall-note", "llgpl", "llvm-exception",
	"lzma-exception", "mif-exception", "mxml-exception", "ocaml-lgpl-linking-exception", "occt-exception-1.0",
	"openjdk-assembly-exception-1.0", "openvpn-openssl-exception", "pcre2-exception", "polyparse-exception",
	"ps-or-pdf-font-exception-20170817", "qpl-1.0-inria-2004-exception", "qt-gpl-exception-1.0",
	"qt-lgpl-exception-1.1", "qwt-exception-1.0", "romic-exception", "rrdtool-floss-exception-2.0",
	"sane-exception", "shl-2.0", "shl-2.1", "simple-library-usage-exception", "stunnel-exception", "swi-exception",
	"swift-exception", "texinfo-exception", "u-boot-exception-2.0", "ubdl-exception",
	"universal-foss-exception-1.0", "vsftpd-openssl-exception", "wxwindows-exception-3.1",
	"x11vnc-openssl-exception",
}
