-- +goose Up
-- create "builds" table
CREATE TABLE `builds` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `number` text NOT NULL, `realm` text NOT NULL, `digest` text NOT NULL, `started_at` datetime NULL, `repository` text NOT NULL, `revision` text NOT NULL, `branch` text NOT NULL DEFAULT (''), `created_at` datetime NOT NULL, `project_id` integer NULL, `created_by` integer NOT NULL, CONSTRAINT `builds_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT, CONSTRAINT `builds_principals_creator` FOREIGN KEY (`created_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT);
-- create index "build_name_number_realm" to table: "builds"
CREATE UNIQUE INDEX `build_name_number_realm` ON `builds` (`name`, `number`, `realm`);
-- create index "build_digest" to table: "builds"
CREATE INDEX `build_digest` ON `builds` (`digest`);
-- create index "build_revision" to table: "builds"
CREATE INDEX `build_revision` ON `builds` (`revision`);
-- create index "build_project_id" to table: "builds"
CREATE INDEX `build_project_id` ON `builds` (`project_id`);
-- create index "build_created_at" to table: "builds"
CREATE INDEX `build_created_at` ON `builds` (`created_at`);
-- create "new_application_versions" table
CREATE TABLE `new_application_versions` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `version` text NOT NULL, `tag` text NOT NULL DEFAULT (''), `status` text NOT NULL DEFAULT ('LOCKED'), `trust` text NOT NULL DEFAULT ('PRE_RELEASE'), `standing` text NULL, `manifest_digest` text NOT NULL, `manifest` text NOT NULL, `properties` text NOT NULL DEFAULT ('[]'), `context` text NOT NULL, `releasable_count` integer NOT NULL, `moves` integer NOT NULL DEFAULT (0), `created_at` datetime NOT NULL, `locked_at` datetime NULL, `archived_at` datetime NULL, `project_id` integer NOT NULL, `application_id` integer NOT NULL, `stage_id` integer NULL, `created_by` integer NOT NULL, CONSTRAINT `application_versions_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT, CONSTRAINT `application_versions_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `application_versions_stages_current_stage` FOREIGN KEY (`stage_id`) REFERENCES `stages` (`id`) ON DELETE RESTRICT, CONSTRAINT `application_versions_principals_creator` FOREIGN KEY (`created_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT);
-- copy rows from old table "application_versions" to new temporary table "new_application_versions"
INSERT INTO `new_application_versions` (`id`, `version`, `tag`, `status`, `trust`, `standing`, `manifest_digest`, `manifest`, `context`, `releasable_count`, `moves`, `created_at`, `project_id`, `application_id`, `stage_id`, `created_by`) SELECT `id`, `version`, `tag`, `status`, `trust`, `standing`, `manifest_digest`, `manifest`, `context`, `releasable_count`, `moves`, `created_at`, `project_id`, `application_id`, `stage_id`, `created_by` FROM `application_versions`;
-- drop "application_versions" table after copying rows
DROP TABLE `application_versions`;
-- rename temporary table "new_application_versions" to "application_versions"
ALTER TABLE `new_application_versions` RENAME TO `application_versions`;
-- create index "applicationversion_application_id_version" to table: "application_versions"
CREATE UNIQUE INDEX `applicationversion_application_id_version` ON `application_versions` (`application_id`, `version`);
-- create index "applicationversion_project_id" to table: "application_versions"
CREATE INDEX `applicationversion_project_id` ON `application_versions` (`project_id`);
-- create index "applicationversion_manifest_digest" to table: "application_versions"
CREATE INDEX `applicationversion_manifest_digest` ON `application_versions` (`manifest_digest`);
-- create index "applicationversion_stage_id" to table: "application_versions"
CREATE INDEX `applicationversion_stage_id` ON `application_versions` (`stage_id`);
-- create index "applicationversion_version" to table: "application_versions"
CREATE INDEX `applicationversion_version` ON `application_versions` (`version`);
-- create index "applicationversion_created_at" to table: "application_versions"
CREATE INDEX `applicationversion_created_at` ON `application_versions` (`created_at`);
-- create index "applicationversion_trust" to table: "application_versions"
CREATE INDEX `applicationversion_trust` ON `application_versions` (`trust`);
-- create index "applicationversion_standing" to table: "application_versions"
CREATE INDEX `applicationversion_standing` ON `application_versions` (`standing`) WHERE standing IS NOT NULL;
-- create "new_releasables" table
CREATE TABLE `new_releasables` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `purl` text NULL, `digest` text NULL, `kind` text NOT NULL, `source_kind` text NOT NULL DEFAULT ('ARTIFACT'), `version_id` integer NOT NULL, `source_build_id` integer NULL, `source_version_id` integer NULL, `origin_application_id` integer NULL, `package_id` integer NULL, `package_version_id` integer NULL, CONSTRAINT `releasables_application_versions_version` FOREIGN KEY (`version_id`) REFERENCES `application_versions` (`id`) ON DELETE RESTRICT, CONSTRAINT `releasables_builds_source_build` FOREIGN KEY (`source_build_id`) REFERENCES `builds` (`id`) ON DELETE RESTRICT, CONSTRAINT `releasables_application_versions_source_version` FOREIGN KEY (`source_version_id`) REFERENCES `application_versions` (`id`) ON DELETE RESTRICT, CONSTRAINT `releasables_applications_origin_application` FOREIGN KEY (`origin_application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `releasables_packages_package` FOREIGN KEY (`package_id`) REFERENCES `packages` (`id`) ON DELETE RESTRICT, CONSTRAINT `releasables_package_versions_package_version` FOREIGN KEY (`package_version_id`) REFERENCES `package_versions` (`id`) ON DELETE RESTRICT);
-- copy rows from old table "releasables" to new temporary table "new_releasables"
INSERT INTO `new_releasables` (`id`, `name`, `purl`, `digest`, `kind`, `version_id`, `package_id`, `package_version_id`) SELECT `id`, `name`, `purl`, `digest`, `kind`, `version_id`, `package_id`, `package_version_id` FROM `releasables`;
-- drop "releasables" table after copying rows
DROP TABLE `releasables`;
-- rename temporary table "new_releasables" to "releasables"
ALTER TABLE `new_releasables` RENAME TO `releasables`;
-- create index "releasable_version_id" to table: "releasables"
CREATE INDEX `releasable_version_id` ON `releasables` (`version_id`);
-- create index "releasable_digest" to table: "releasables"
CREATE INDEX `releasable_digest` ON `releasables` (`digest`);
-- create index "releasable_source_build_id" to table: "releasables"
CREATE INDEX `releasable_source_build_id` ON `releasables` (`source_build_id`);
-- create index "releasable_source_version_id" to table: "releasables"
CREATE INDEX `releasable_source_version_id` ON `releasables` (`source_version_id`);
-- create index "releasable_origin_application_id" to table: "releasables"
CREATE INDEX `releasable_origin_application_id` ON `releasables` (`origin_application_id`);
-- create index "releasable_package_id" to table: "releasables"
CREATE INDEX `releasable_package_id` ON `releasables` (`package_id`);
-- create index "releasable_package_version_id" to table: "releasables"
CREATE INDEX `releasable_package_version_id` ON `releasables` (`package_version_id`);
-- create "new_evidence" table
CREATE TABLE `new_evidence` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `digest` text NOT NULL, `signer_key` text NOT NULL, `realm` text NOT NULL, `raw_digest` text NOT NULL, `raw_in_objects` bool NOT NULL DEFAULT (false), `media_type` text NOT NULL, `size` integer NOT NULL, `predicate_type` text NOT NULL, `view` text NOT NULL DEFAULT (''), `category` text NOT NULL, `verified` bool NOT NULL, `verification` text NOT NULL, `collected` bool NOT NULL DEFAULT (false), `provider` text NOT NULL DEFAULT (''), `created_at` datetime NOT NULL, `anchor_id` integer NULL, `project_id` integer NULL, `stage_id` integer NULL, `sbom_id` integer NULL, `created_by` integer NOT NULL, CONSTRAINT `evidence_trust_anchors_anchor` FOREIGN KEY (`anchor_id`) REFERENCES `trust_anchors` (`id`) ON DELETE RESTRICT, CONSTRAINT `evidence_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT, CONSTRAINT `evidence_stages_stage` FOREIGN KEY (`stage_id`) REFERENCES `stages` (`id`) ON DELETE RESTRICT, CONSTRAINT `evidence_sboms_sbom` FOREIGN KEY (`sbom_id`) REFERENCES `sboms` (`id`) ON DELETE RESTRICT, CONSTRAINT `evidence_principals_creator` FOREIGN KEY (`created_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT);
-- copy rows from old table "evidence" to new temporary table "new_evidence"
INSERT INTO `new_evidence` (`id`, `digest`, `signer_key`, `realm`, `raw_digest`, `media_type`, `size`, `predicate_type`, `view`, `category`, `verified`, `verification`, `provider`, `created_at`, `anchor_id`, `project_id`, `stage_id`, `sbom_id`, `created_by`) SELECT `id`, `digest`, `signer_key`, `realm`, `raw_digest`, `media_type`, `size`, `predicate_type`, `view`, `category`, `verified`, `verification`, `provider`, `created_at`, `anchor_id`, `project_id`, `stage_id`, `sbom_id`, `created_by` FROM `evidence`;
-- drop "evidence" table after copying rows
DROP TABLE `evidence`;
-- rename temporary table "new_evidence" to "evidence"
ALTER TABLE `new_evidence` RENAME TO `evidence`;
-- create index "evidence_digest_signer_key_realm" to table: "evidence"
CREATE UNIQUE INDEX `evidence_digest_signer_key_realm` ON `evidence` (`digest`, `signer_key`, `realm`);
-- create index "evidence_predicate_type_created_at" to table: "evidence"
CREATE INDEX `evidence_predicate_type_created_at` ON `evidence` (`predicate_type`, `created_at`);
-- create index "evidence_category_created_at" to table: "evidence"
CREATE INDEX `evidence_category_created_at` ON `evidence` (`category`, `created_at`);
-- create index "evidence_verified_created_at" to table: "evidence"
CREATE INDEX `evidence_verified_created_at` ON `evidence` (`verified`, `created_at`);
-- create index "evidence_signer_key" to table: "evidence"
CREATE INDEX `evidence_signer_key` ON `evidence` (`signer_key`);
-- create index "evidence_created_at" to table: "evidence"
CREATE INDEX `evidence_created_at` ON `evidence` (`created_at`);
-- create index "evidence_raw_digest" to table: "evidence"
CREATE INDEX `evidence_raw_digest` ON `evidence` (`raw_digest`) WHERE raw_in_objects;
-- create index "evidence_anchor_id" to table: "evidence"
CREATE INDEX `evidence_anchor_id` ON `evidence` (`anchor_id`) WHERE anchor_id IS NOT NULL;
-- create index "evidence_project_id" to table: "evidence"
CREATE INDEX `evidence_project_id` ON `evidence` (`project_id`) WHERE project_id IS NOT NULL;
-- create index "evidence_stage_id" to table: "evidence"
CREATE INDEX `evidence_stage_id` ON `evidence` (`stage_id`) WHERE stage_id IS NOT NULL;
-- create index "evidence_sbom_id" to table: "evidence"
CREATE INDEX `evidence_sbom_id` ON `evidence` (`sbom_id`) WHERE sbom_id IS NOT NULL;
-- create "attachments" table
CREATE TABLE `attachments` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `digest` text NOT NULL, `media_type` text NOT NULL, `size` integer NOT NULL, `created_at` datetime NOT NULL, `evidence_id` integer NOT NULL, `created_by` integer NOT NULL, CONSTRAINT `attachments_evidence_evidence` FOREIGN KEY (`evidence_id`) REFERENCES `evidence` (`id`) ON DELETE RESTRICT, CONSTRAINT `attachments_principals_creator` FOREIGN KEY (`created_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT);
-- create index "attachment_evidence_id_name_digest" to table: "attachments"
CREATE UNIQUE INDEX `attachment_evidence_id_name_digest` ON `attachments` (`evidence_id`, `name`, `digest`);
-- create index "attachment_digest" to table: "attachments"
CREATE INDEX `attachment_digest` ON `attachments` (`digest`);
-- create "build_artifacts" table
CREATE TABLE `build_artifacts` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `digest` text NOT NULL, `purl` text NULL, `build_id` integer NOT NULL, CONSTRAINT `build_artifacts_builds_build` FOREIGN KEY (`build_id`) REFERENCES `builds` (`id`) ON DELETE RESTRICT);
-- create index "buildartifact_build_id" to table: "build_artifacts"
CREATE INDEX `buildartifact_build_id` ON `build_artifacts` (`build_id`);
-- create index "buildartifact_digest" to table: "build_artifacts"
CREATE INDEX `buildartifact_digest` ON `build_artifacts` (`digest`);
-- create "image_children" table
CREATE TABLE `image_children` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `index_digest` text NOT NULL, `digest` text NOT NULL, `media_type` text NOT NULL, `platform` text NOT NULL DEFAULT (''), `size` integer NOT NULL);
-- create index "imagechild_index_digest_digest" to table: "image_children"
CREATE UNIQUE INDEX `imagechild_index_digest_digest` ON `image_children` (`index_digest`, `digest`);
-- create index "imagechild_digest" to table: "image_children"
CREATE INDEX `imagechild_digest` ON `image_children` (`digest`);
-- every version so far was locked when it was reported
UPDATE `application_versions` SET `locked_at` = `created_at`;
-- every part so far was named as what it is
UPDATE `releasables` SET `source_kind` = `kind`;
