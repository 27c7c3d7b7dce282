package advisory

import (
	"cmp"
	"strings"

	"github.com/plimsoll/plimsoll/internal/purl"
)

// ecosystemOf gives the OSV ecosystem of a package URL without a release, and the package's name in it; "" when there is
// no ecosystem for the type, or none for the distribution.
func ecosystemOf(p purl.PURL) (ecosystem, name string) {
	path := strings.TrimPrefix(p.Namespace+"/"+p.Name, "/")
	switch p.Type {
	case "npm":
		return "npm", path
	case "pypi":
		return "PyPI", p.Name
	case "maven":
		return "Maven", p.Namespace + ":" + p.Name
	case "golang":
		if path == "std" || path == "go" {
			path = "stdlib"
		}
		return "Go", path
	case "nuget":
		return "NuGet", p.Name
	case "cargo":
		return "crates.io", p.Name
	case "gem":
		return "RubyGems", p.Name
	case "composer":
		return "Packagist", path
	case "pub":
		return "Pub", p.Name
	case "hex":
		return "Hex", path
	case "github", "githubactions":
		return "GitHub Actions", path
	case "swift":
		return "SwiftURL", path
	case "conan":
		return "ConanCenter", p.Name
	case "cran":
		return "CRAN", p.Name
	case "bioconductor":
		return "Bioconductor", p.Name
	case "bitnami":
		return "Bitnami", p.Name
	case "hackage":
		return "Hackage", p.Name
	case "julia":
		return "Julia", p.Name
	case "vscode-extension":
		return "VSCode", path
	case "deb", "apk", "rpm":
		return distributionOf(p.Type, p.Namespace), p.Name
	}
	return "", ""
}

// distributionOf knows the namespaces that tools write for distributions that publish in OSV.
func distributionOf(kind, namespace string) string {
	switch kind + "/" + namespace {
	case "deb/debian":
		return "Debian"
	case "deb/ubuntu":
		return "Ubuntu"
	case "deb/echo":
		return "Echo"
	case "apk/alpine":
		return "Alpine"
	case "apk/wolfi":
		return "Wolfi"
	case "apk/chainguard":
		return "Chainguard"
	case "apk/minimos":
		return "MinimOS"
	case "apk/alpaquita":
		return "Alpaquita"
	case "apk/bellsoft-hardened-containers":
		return "BellSoft Hardened Containers"
	case "rpm/redhat", "rpm/rhel":
		return "Red Hat"
	case "rpm/almalinux", "rpm/alma":
		return "AlmaLinux"
	case "rpm/rocky-linux", "rpm/rocky", "rpm/rockylinux":
		return "Rocky Linux"
	case "rpm/suse", "rpm/sles":
		return "SUSE"
	case "rpm/opensuse", "rpm/opensuse-leap", "rpm/opensuse-tumbleweed":
		return "openSUSE"
	case "rpm/openeuler":
		return "openEuler"
	case "rpm/mageia":
		return "Mageia"
	case "rpm/photon":
		return "Photon OS"
	case "rpm/azurelinux":
		return "Azure Linux"
	}
	return ""
}

// schemeOf gives the versioning scheme of VERS, which is the type of package URLs; "generic" where nothing has one.
func schemeOf(base string) string {
	switch base {
	case "npm", "PyPI", "Maven", "NuGet", "Pub", "Hex", "CRAN", "Bitnami", "Hackage", "Julia", "Bioconductor":
		return strings.ToLower(base)
	case "Go":
		return "golang"
	case "crates.io":
		return "cargo"
	case "RubyGems":
		return "gem"
	case "Packagist":
		return "composer"
	case "GitHub Actions":
		return "githubactions"
	case "SwiftURL":
		return "swift"
	case "ConanCenter":
		return "conan"
	case "VSCode":
		return "vscode-extension"
	}
	return cmp.Or(packagingOf(base), "generic")
}

// packagingOf tells how a distribution packs: deb, apk, rpm, or "" for what is none.
func packagingOf(base string) string {
	switch base {
	case "Debian", "Ubuntu", "Echo":
		return "deb"
	case "Alpine", "Wolfi", "Chainguard", "MinimOS", "Alpaquita", "BellSoft Hardened Containers":
		return "apk"
	case "Red Hat", "AlmaLinux", "Rocky Linux", "SUSE", "openSUSE", "openEuler", "Mageia", "Photon OS", "Azure Linux":
		return "rpm"
	}
	return ""
}

// namesInstalled tells of an RPM distribution whether its advisories list the packages that are installed. Those of the
// others name the source package.
func namesInstalled(base string) bool { return base == "Red Hat" || base == "AlmaLinux" }

// spelled gives the name of an ecosystem as OSV spells it, whatever the case of its letters; one that is not known as it is.
func spelled(base string) string {
	known := [...]string{
		"npm", "PyPI", "Maven", "Go", "NuGet", "crates.io", "RubyGems", "Packagist", "Pub", "Hex", "GitHub Actions", "SwiftURL",
		"ConanCenter", "CRAN", "Bioconductor", "Bitnami", "Hackage", "Julia", "VSCode", "Debian", "Ubuntu", "Echo", "Alpine", "Wolfi",
		"Chainguard", "MinimOS", "Alpaquita", "BellSoft Hardened Containers", "Red Hat", "AlmaLinux", "Rocky Linux", "SUSE", "openSUSE",
		"openEuler", "Mageia", "Photon OS", "Azure Linux", "GHC", "Kubernetes",
	}
	for _, name := range known {
		if len(name) == len(base) && strings.EqualFold(name, base) {
			return name
		}
	}
	return base
}

// foldName gives the one spelling under which names of an ecosystem meet. Go's names have case, which package URLs lose.
func foldName(base, name string) string {
	switch base {
	case "PyPI": // PEP 503
		return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(c rune) bool { return c == '-' || c == '_' || c == '.' }), "-")
	case "crates.io": // no two crates differ in this alone
		return strings.ReplaceAll(strings.ToLower(name), "_", "-")
	case "SwiftURL":
		return strings.TrimSuffix(strings.TrimPrefix(strings.ToLower(name), "https://"), ".git")
	case "npm", "Maven", "RubyGems", "CRAN", "Bioconductor", "Hackage", "Julia":
		return name
	}
	if packagingOf(base) == "rpm" {
		return name
	}
	return strings.ToLower(name)
}
