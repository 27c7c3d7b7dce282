// Package estate makes up the software of a whole organisation and loads it through the services, as many pipelines
// would: applications with owners, the artifacts of their versions, a bill of materials for each artifact, versions in
// stages and in production, and advisories. It is what measurements of size run on.
//
// The same seed makes the same estate. Nothing of it is held in memory: an application is made when it is loaded.
package estate
