// Package advisory reads advisories in the OSV format, and says which versions of which packages they speak of.
//
// It is asked from two sides. When an advisory comes in, Record.Keys names the packages whose stored versions are to be
// judged; when a bill of materials comes in, PackageOf and Package.Key name the advisories to judge its components by.
// Where keys meet, Affects compares by the rules of the ecosystem and says why. What cannot be compared is never taken
// for unaffected: such a match is Undecided and gives its reason.
//
// Beside that it rates severities (CVSS 2.0 to 4.0), finds the records that speak of one vulnerability (Groups), and reads
// what tells urgent ones from others: the catalogue of known exploited vulnerabilities of CISA (KEV) and the exploit
// prediction scores of FIRST (EPSS). Feed walks over what a mirror of such records is made of: folders, zip files, files.
//
// Everything comes from outside and is bounded in size, depth and number. The package knows no database and no clock.
package advisory
