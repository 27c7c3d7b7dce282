-- +goose Up
-- create "new_components" table
CREATE TABLE `new_components` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `identity` text NOT NULL, `purl` text NULL, `name` text NOT NULL, `version` text NOT NULL, `package_key` text NOT NULL DEFAULT (''));
-- copy rows from old table "components" to new temporary table "new_components"
INSERT INTO `new_components` (`id`, `identity`, `purl`, `name`, `version`) SELECT `id`, `identity`, `purl`, `name`, `version` FROM `components`;
-- drop "components" table after copying rows
DROP TABLE `components`;
-- rename temporary table "new_components" to "components"
ALTER TABLE `new_components` RENAME TO `components`;
-- create index "components_identity_key" to table: "components"
CREATE UNIQUE INDEX `components_identity_key` ON `components` (`identity`);
-- create index "component_package_key" to table: "components"
CREATE INDEX `component_package_key` ON `components` (`package_key`) WHERE package_key <> '';
-- create "new_packages" table
CREATE TABLE `new_packages` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `purl` text NOT NULL, `deprecated_reason` text NOT NULL DEFAULT (''), `deprecated_at` datetime NULL, `created_at` datetime NOT NULL);
-- copy rows from old table "packages" to new temporary table "new_packages"
INSERT INTO `new_packages` (`id`, `purl`, `created_at`) SELECT `id`, `purl`, `created_at` FROM `packages`;
-- drop "packages" table after copying rows
DROP TABLE `packages`;
-- rename temporary table "new_packages" to "packages"
ALTER TABLE `new_packages` RENAME TO `packages`;
-- create index "packages_purl_key" to table: "packages"
CREATE UNIQUE INDEX `packages_purl_key` ON `packages` (`purl`);
-- create index "pkg_created_at" to table: "packages"
CREATE INDEX `pkg_created_at` ON `packages` (`created_at`);
-- create index "pkg_deprecated_at" to table: "packages"
CREATE INDEX `pkg_deprecated_at` ON `packages` (`deprecated_at`) WHERE deprecated_at IS NOT NULL;
-- create "advisories" table
CREATE TABLE `advisories` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `digest` text NOT NULL, `modified_at` datetime NOT NULL, `withdrawn_at` datetime NULL, `imported_at` datetime NOT NULL, `vulnerability_id` integer NOT NULL, CONSTRAINT `advisories_vulnerabilities_vulnerability` FOREIGN KEY (`vulnerability_id`) REFERENCES `vulnerabilities` (`id`) ON DELETE RESTRICT);
-- create index "advisories_name_key" to table: "advisories"
CREATE UNIQUE INDEX `advisories_name_key` ON `advisories` (`name`);
-- create index "advisory_vulnerability_id" to table: "advisories"
CREATE INDEX `advisory_vulnerability_id` ON `advisories` (`vulnerability_id`);
-- create index "advisory_digest" to table: "advisories"
CREATE INDEX `advisory_digest` ON `advisories` (`digest`);
-- create "affected_packages" table
CREATE TABLE `affected_packages` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `package_key` text NOT NULL, `advisory_id` integer NOT NULL, CONSTRAINT `affected_packages_advisories_advisory` FOREIGN KEY (`advisory_id`) REFERENCES `advisories` (`id`) ON DELETE RESTRICT);
-- create index "affectedpackage_package_key_advisory_id" to table: "affected_packages"
CREATE UNIQUE INDEX `affectedpackage_package_key_advisory_id` ON `affected_packages` (`package_key`, `advisory_id`);
-- create index "affectedpackage_advisory_id" to table: "affected_packages"
CREATE INDEX `affectedpackage_advisory_id` ON `affected_packages` (`advisory_id`);
-- create "component_matches" table
CREATE TABLE `component_matches` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `because` text NOT NULL, `vers` text NOT NULL DEFAULT (''), `fixed_in` json NOT NULL, `created_at` datetime NOT NULL, `component_id` integer NOT NULL, `advisory_id` integer NOT NULL, `vulnerability_id` integer NOT NULL, CONSTRAINT `component_matches_components_component` FOREIGN KEY (`component_id`) REFERENCES `components` (`id`) ON DELETE RESTRICT, CONSTRAINT `component_matches_advisories_advisory` FOREIGN KEY (`advisory_id`) REFERENCES `advisories` (`id`) ON DELETE RESTRICT, CONSTRAINT `component_matches_vulnerabilities_vulnerability` FOREIGN KEY (`vulnerability_id`) REFERENCES `vulnerabilities` (`id`) ON DELETE RESTRICT);
-- create index "componentmatch_component_id_advisory_id" to table: "component_matches"
CREATE UNIQUE INDEX `componentmatch_component_id_advisory_id` ON `component_matches` (`component_id`, `advisory_id`);
-- create index "componentmatch_vulnerability_id_component_id" to table: "component_matches"
CREATE INDEX `componentmatch_vulnerability_id_component_id` ON `component_matches` (`vulnerability_id`, `component_id`);
-- create index "componentmatch_advisory_id" to table: "component_matches"
CREATE INDEX `componentmatch_advisory_id` ON `component_matches` (`advisory_id`);
-- create "deployments" table
CREATE TABLE `deployments` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `environment` text NOT NULL, `cluster` text NOT NULL DEFAULT (''), `kind` text NOT NULL, `status` text NOT NULL, `started_at` datetime NULL, `finished_at` datetime NULL, `decision` text NOT NULL, `live` bool NOT NULL DEFAULT (false), `created_at` datetime NOT NULL, `version_id` integer NOT NULL, `application_id` integer NOT NULL, `project_id` integer NOT NULL, `created_by` integer NOT NULL, CONSTRAINT `deployments_application_versions_version` FOREIGN KEY (`version_id`) REFERENCES `application_versions` (`id`) ON DELETE RESTRICT, CONSTRAINT `deployments_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `deployments_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT, CONSTRAINT `deployments_principals_creator` FOREIGN KEY (`created_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT);
-- create index "deployment_version_id" to table: "deployments"
CREATE INDEX `deployment_version_id` ON `deployments` (`version_id`);
-- create index "deployment_project_id" to table: "deployments"
CREATE INDEX `deployment_project_id` ON `deployments` (`project_id`);
-- create index "deployment_application_id_environment_cluster_created_at" to table: "deployments"
CREATE INDEX `deployment_application_id_environment_cluster_created_at` ON `deployments` (`application_id`, `environment`, `cluster`, `created_at`);
-- create index "deployment_created_at" to table: "deployments"
CREATE INDEX `deployment_created_at` ON `deployments` (`created_at`);
-- create index "deployment_live_version_id" to table: "deployments"
CREATE INDEX `deployment_live_version_id` ON `deployments` (`live`, `version_id`) WHERE live;
-- create "vulnerabilities" table
CREATE TABLE `vulnerabilities` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `summary` text NOT NULL DEFAULT (''), `severity` text NOT NULL DEFAULT ('UNKNOWN'), `cvss` real NULL, `cvss_vector` text NOT NULL DEFAULT (''), `kev` bool NOT NULL DEFAULT (false), `kev_due` datetime NULL, `epss` real NULL, `published_at` datetime NULL, `modified_at` datetime NULL, `withdrawn_at` datetime NULL, `created_at` datetime NOT NULL);
-- create index "vulnerabilities_name_key" to table: "vulnerabilities"
CREATE UNIQUE INDEX `vulnerabilities_name_key` ON `vulnerabilities` (`name`);
-- create index "vulnerability_modified_at" to table: "vulnerabilities"
CREATE INDEX `vulnerability_modified_at` ON `vulnerabilities` (`modified_at`);
-- create index "vulnerability_published_at" to table: "vulnerabilities"
CREATE INDEX `vulnerability_published_at` ON `vulnerabilities` (`published_at`);
-- create index "vulnerability_severity" to table: "vulnerabilities"
CREATE INDEX `vulnerability_severity` ON `vulnerabilities` (`severity`);
-- create index "vulnerability_kev" to table: "vulnerabilities"
CREATE INDEX `vulnerability_kev` ON `vulnerabilities` (`kev`) WHERE kev;
-- create "vulnerability_aliases" table
CREATE TABLE `vulnerability_aliases` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `vulnerability_id` integer NOT NULL, CONSTRAINT `vulnerability_aliases_vulnerabilities_vulnerability` FOREIGN KEY (`vulnerability_id`) REFERENCES `vulnerabilities` (`id`) ON DELETE RESTRICT);
-- create index "vulnerability_aliases_name_key" to table: "vulnerability_aliases"
CREATE UNIQUE INDEX `vulnerability_aliases_name_key` ON `vulnerability_aliases` (`name`);
-- create index "vulnerabilityalias_vulnerability_id" to table: "vulnerability_aliases"
CREATE INDEX `vulnerabilityalias_vulnerability_id` ON `vulnerability_aliases` (`vulnerability_id`);
