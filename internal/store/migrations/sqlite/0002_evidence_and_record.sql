-- +goose Up
-- add column "archived_at" to table: "applications"
ALTER TABLE `applications` ADD COLUMN `archived_at` datetime NULL;
-- create index "application_name" to table: "applications"
CREATE INDEX `application_name` ON `applications` (`name`);
-- create index "application_created_at" to table: "applications"
CREATE INDEX `application_created_at` ON `applications` (`created_at`);
-- create index "application_criticality" to table: "applications"
CREATE INDEX `application_criticality` ON `applications` (`criticality`);
-- create index "application_maturity" to table: "applications"
CREATE INDEX `application_maturity` ON `applications` (`maturity`);
-- create index "applicationversion_version" to table: "application_versions"
CREATE INDEX `applicationversion_version` ON `application_versions` (`version`);
-- create index "applicationversion_created_at" to table: "application_versions"
CREATE INDEX `applicationversion_created_at` ON `application_versions` (`created_at`);
-- create index "applicationversion_trust" to table: "application_versions"
CREATE INDEX `applicationversion_trust` ON `application_versions` (`trust`);
-- create index "applicationversion_standing" to table: "application_versions"
CREATE INDEX `applicationversion_standing` ON `application_versions` (`standing`) WHERE standing IS NOT NULL;
-- create "new_evidence" table
CREATE TABLE `new_evidence` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `digest` text NOT NULL, `signer_key` text NOT NULL, `realm` text NOT NULL, `raw_digest` text NOT NULL, `media_type` text NOT NULL, `size` integer NOT NULL, `predicate_type` text NOT NULL, `view` text NOT NULL DEFAULT (''), `category` text NOT NULL, `verified` bool NOT NULL, `verification` text NOT NULL, `provider` text NOT NULL DEFAULT (''), `created_at` datetime NOT NULL, `anchor_id` integer NULL, `project_id` integer NULL, `stage_id` integer NULL, `sbom_id` integer NULL, `created_by` integer NOT NULL, CONSTRAINT `evidence_trust_anchors_anchor` FOREIGN KEY (`anchor_id`) REFERENCES `trust_anchors` (`id`) ON DELETE RESTRICT, CONSTRAINT `evidence_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT, CONSTRAINT `evidence_stages_stage` FOREIGN KEY (`stage_id`) REFERENCES `stages` (`id`) ON DELETE RESTRICT, CONSTRAINT `evidence_sboms_sbom` FOREIGN KEY (`sbom_id`) REFERENCES `sboms` (`id`) ON DELETE RESTRICT, CONSTRAINT `evidence_principals_creator` FOREIGN KEY (`created_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT);
-- copy rows from old table "evidence" to new temporary table "new_evidence"
INSERT INTO `new_evidence` (`id`, `digest`, `signer_key`, `realm`, `raw_digest`, `media_type`, `size`, `predicate_type`, `category`, `verified`, `verification`, `provider`, `created_at`, `anchor_id`, `project_id`, `stage_id`, `sbom_id`, `created_by`) SELECT `id`, `digest`, `signer_key`, `realm`, `raw_digest`, `media_type`, `size`, `predicate_type`, `category`, `verified`, `verification`, `provider`, `created_at`, `anchor_id`, `project_id`, `stage_id`, `sbom_id`, `created_by` FROM `evidence`;
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
-- create index "evidence_anchor_id" to table: "evidence"
CREATE INDEX `evidence_anchor_id` ON `evidence` (`anchor_id`) WHERE anchor_id IS NOT NULL;
-- create index "evidence_project_id" to table: "evidence"
CREATE INDEX `evidence_project_id` ON `evidence` (`project_id`) WHERE project_id IS NOT NULL;
-- create index "evidence_stage_id" to table: "evidence"
CREATE INDEX `evidence_stage_id` ON `evidence` (`stage_id`) WHERE stage_id IS NOT NULL;
-- create index "evidence_sbom_id" to table: "evidence"
CREATE INDEX `evidence_sbom_id` ON `evidence` (`sbom_id`) WHERE sbom_id IS NOT NULL;
-- create "new_evidence_subjects" table
CREATE TABLE `new_evidence_subjects` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL DEFAULT (''), `digest` text NOT NULL, `purl` text NULL, `evidence_id` integer NOT NULL, CONSTRAINT `evidence_subjects_evidence_evidence` FOREIGN KEY (`evidence_id`) REFERENCES `evidence` (`id`) ON DELETE RESTRICT);
-- copy rows from old table "evidence_subjects" to new temporary table "new_evidence_subjects"
INSERT INTO `new_evidence_subjects` (`id`, `name`, `digest`, `evidence_id`) SELECT `id`, `name`, `digest`, `evidence_id` FROM `evidence_subjects`;
-- drop "evidence_subjects" table after copying rows
DROP TABLE `evidence_subjects`;
-- rename temporary table "new_evidence_subjects" to "evidence_subjects"
ALTER TABLE `new_evidence_subjects` RENAME TO `evidence_subjects`;
-- create index "evidencesubject_digest" to table: "evidence_subjects"
CREATE INDEX `evidencesubject_digest` ON `evidence_subjects` (`digest`);
-- create index "evidencesubject_purl" to table: "evidence_subjects"
CREATE INDEX `evidencesubject_purl` ON `evidence_subjects` (`purl`);
-- create index "evidencesubject_evidence_id" to table: "evidence_subjects"
CREATE INDEX `evidencesubject_evidence_id` ON `evidence_subjects` (`evidence_id`);
-- create index "pkg_created_at" to table: "packages"
CREATE INDEX `pkg_created_at` ON `packages` (`created_at`);
-- create "new_trust_anchors" table
CREATE TABLE `new_trust_anchors` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `alias` text NOT NULL, `kind` text NOT NULL, `public_key` text NOT NULL, `issuer` text NOT NULL DEFAULT (''), `subject` text NOT NULL DEFAULT (''), `trusted_root` text NOT NULL DEFAULT (''), `fingerprint` text NOT NULL, `algorithm` text NOT NULL, `valid_from` datetime NULL, `valid_to` datetime NULL, `revoked_at` datetime NULL, `created_at` datetime NOT NULL);
-- copy rows from old table "trust_anchors" to new temporary table "new_trust_anchors"
INSERT INTO `new_trust_anchors` (`id`, `alias`, `kind`, `public_key`, `fingerprint`, `algorithm`, `valid_from`, `valid_to`, `revoked_at`, `created_at`) SELECT `id`, `alias`, `kind`, `public_key`, `fingerprint`, `algorithm`, `valid_from`, `valid_to`, `revoked_at`, `created_at` FROM `trust_anchors`;
-- drop "trust_anchors" table after copying rows
DROP TABLE `trust_anchors`;
-- rename temporary table "new_trust_anchors" to "trust_anchors"
ALTER TABLE `new_trust_anchors` RENAME TO `trust_anchors`;
-- create index "trust_anchors_alias_key" to table: "trust_anchors"
CREATE UNIQUE INDEX `trust_anchors_alias_key` ON `trust_anchors` (`alias`);
-- create index "trust_anchors_fingerprint_key" to table: "trust_anchors"
CREATE UNIQUE INDEX `trust_anchors_fingerprint_key` ON `trust_anchors` (`fingerprint`);
-- create "search_words" table
CREATE TABLE `search_words` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `word` text NOT NULL, `application_id` integer NULL, `package_id` integer NULL, CONSTRAINT `search_words_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `search_words_packages_package` FOREIGN KEY (`package_id`) REFERENCES `packages` (`id`) ON DELETE RESTRICT);
-- create index "searchword_application_id_word" to table: "search_words"
CREATE UNIQUE INDEX `searchword_application_id_word` ON `search_words` (`application_id`, `word`);
-- create index "searchword_package_id_word" to table: "search_words"
CREATE UNIQUE INDEX `searchword_package_id_word` ON `search_words` (`package_id`, `word`);
-- create index "searchword_word_application_id" to table: "search_words"
CREATE INDEX `searchword_word_application_id` ON `search_words` (`word`, `application_id`);
-- create index "searchword_word_package_id" to table: "search_words"
CREATE INDEX `searchword_word_package_id` ON `search_words` (`word`, `package_id`);
