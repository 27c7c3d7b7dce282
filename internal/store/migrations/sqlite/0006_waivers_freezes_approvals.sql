-- +goose Up
-- add columns to tables that may be large: nothing is copied
ALTER TABLE `evaluations` ADD COLUMN `waivers` text NOT NULL DEFAULT '[]';
ALTER TABLE `policies` ADD COLUMN `waiver_approvals` integer NOT NULL DEFAULT 1;
ALTER TABLE `policies` ADD COLUMN `waiver_max_days` integer NOT NULL DEFAULT 90;
ALTER TABLE `policy_templates` ADD COLUMN `tests` text NOT NULL DEFAULT '';
ALTER TABLE `policy_templates` ADD COLUMN `evidence` json NULL;
ALTER TABLE `principals` ADD COLUMN `pseudonym` text NULL;
-- create index "principals_pseudonym_key" to table: "principals"
CREATE UNIQUE INDEX `principals_pseudonym_key` ON `principals` (`pseudonym`);
-- create "freezes" table
CREATE TABLE `freezes` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `label_key` text NOT NULL DEFAULT (''), `label_value` text NOT NULL DEFAULT (''), `reason` text NOT NULL, `starts_at` datetime NOT NULL, `ends_at` datetime NOT NULL, `created_at` datetime NOT NULL, `lifted_at` datetime NULL, `project_id` integer NULL, `application_id` integer NULL, `created_by` integer NOT NULL, `lifted_by` integer NULL, CONSTRAINT `freezes_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT, CONSTRAINT `freezes_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `freezes_principals_creator` FOREIGN KEY (`created_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT, CONSTRAINT `freezes_principals_lifter` FOREIGN KEY (`lifted_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT);
-- create index "freeze_ends_at" to table: "freezes"
CREATE INDEX `freeze_ends_at` ON `freezes` (`ends_at`);
-- create index "freeze_project_id" to table: "freezes"
CREATE INDEX `freeze_project_id` ON `freezes` (`project_id`);
-- create index "freeze_application_id" to table: "freezes"
CREATE INDEX `freeze_application_id` ON `freezes` (`application_id`);
-- create "overrides" table
CREATE TABLE `overrides` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `code` text NOT NULL, `subject` text NOT NULL, `vulnerability` text NOT NULL DEFAULT (''), `purl` text NOT NULL DEFAULT (''), `package` text NOT NULL DEFAULT (''), `waiver_id` integer NOT NULL, `evaluation_id` integer NOT NULL, `version_id` integer NOT NULL, `project_id` integer NOT NULL, CONSTRAINT `overrides_waivers_waiver` FOREIGN KEY (`waiver_id`) REFERENCES `waivers` (`id`) ON DELETE RESTRICT, CONSTRAINT `overrides_evaluations_evaluation` FOREIGN KEY (`evaluation_id`) REFERENCES `evaluations` (`id`) ON DELETE RESTRICT, CONSTRAINT `overrides_application_versions_version` FOREIGN KEY (`version_id`) REFERENCES `application_versions` (`id`) ON DELETE RESTRICT, CONSTRAINT `overrides_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT);
-- create index "override_version_id" to table: "overrides"
CREATE INDEX `override_version_id` ON `overrides` (`version_id`);
-- create index "override_waiver_id" to table: "overrides"
CREATE INDEX `override_waiver_id` ON `overrides` (`waiver_id`);
-- create index "override_project_id" to table: "overrides"
CREATE INDEX `override_project_id` ON `overrides` (`project_id`);
-- create index "override_evaluation_id" to table: "overrides"
CREATE INDEX `override_evaluation_id` ON `overrides` (`evaluation_id`);
-- create index "override_vulnerability" to table: "overrides"
CREATE INDEX `override_vulnerability` ON `overrides` (`vulnerability`) WHERE vulnerability <> '';
-- create index "override_package" to table: "overrides"
CREATE INDEX `override_package` ON `overrides` (`package`) WHERE package <> '';
-- create "version_approvals" table
CREATE TABLE `version_approvals` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `decision` text NOT NULL, `comment` text NOT NULL DEFAULT (''), `roles` json NOT NULL, `at` datetime NOT NULL, `version_id` integer NOT NULL, `project_id` integer NOT NULL, `approver_id` integer NOT NULL, `attestation_id` integer NOT NULL, CONSTRAINT `version_approvals_application_versions_version` FOREIGN KEY (`version_id`) REFERENCES `application_versions` (`id`) ON DELETE RESTRICT, CONSTRAINT `version_approvals_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT, CONSTRAINT `version_approvals_principals_approver` FOREIGN KEY (`approver_id`) REFERENCES `principals` (`id`) ON DELETE RESTRICT, CONSTRAINT `version_approvals_attestations_attestation` FOREIGN KEY (`attestation_id`) REFERENCES `attestations` (`id`) ON DELETE RESTRICT);
-- create index "versionapproval_version_id" to table: "version_approvals"
CREATE INDEX `versionapproval_version_id` ON `version_approvals` (`version_id`);
-- create index "versionapproval_project_id" to table: "version_approvals"
CREATE INDEX `versionapproval_project_id` ON `version_approvals` (`project_id`);
-- create index "versionapproval_attestation_id" to table: "version_approvals"
CREATE INDEX `versionapproval_attestation_id` ON `version_approvals` (`attestation_id`);
-- create "waivers" table
CREATE TABLE `waivers` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `state` text NOT NULL DEFAULT ('PENDING'), `policy` text NOT NULL DEFAULT (''), `rule` text NOT NULL DEFAULT (''), `code` text NOT NULL DEFAULT (''), `subject` text NOT NULL DEFAULT (''), `vulnerability` text NOT NULL DEFAULT (''), `purl` text NOT NULL DEFAULT (''), `justification` text NOT NULL, `approvals_needed` integer NOT NULL, `requested_at` datetime NOT NULL, `expires_at` datetime NOT NULL, `decided_at` datetime NULL, `ended_at` datetime NULL, `warned_at` datetime NULL, `end_reason` text NOT NULL DEFAULT (''), `project_id` integer NOT NULL, `application_id` integer NOT NULL, `version_id` integer NULL, `requested_by` integer NOT NULL, `ended_by` integer NULL, CONSTRAINT `waivers_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT, CONSTRAINT `waivers_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `waivers_application_versions_version` FOREIGN KEY (`version_id`) REFERENCES `application_versions` (`id`) ON DELETE RESTRICT, CONSTRAINT `waivers_principals_requester` FOREIGN KEY (`requested_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT, CONSTRAINT `waivers_principals_ender` FOREIGN KEY (`ended_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT);
-- create index "waiver_application_id_state" to table: "waivers"
CREATE INDEX `waiver_application_id_state` ON `waivers` (`application_id`, `state`);
-- create index "waiver_project_id" to table: "waivers"
CREATE INDEX `waiver_project_id` ON `waivers` (`project_id`);
-- create index "waiver_state_expires_at" to table: "waivers"
CREATE INDEX `waiver_state_expires_at` ON `waivers` (`state`, `expires_at`);
-- create "waiver_decisions" table
CREATE TABLE `waiver_decisions` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `approved` bool NOT NULL, `comment` text NOT NULL DEFAULT (''), `at` datetime NOT NULL, `waiver_id` integer NOT NULL, `decided_by` integer NOT NULL, CONSTRAINT `waiver_decisions_waivers_waiver` FOREIGN KEY (`waiver_id`) REFERENCES `waivers` (`id`) ON DELETE RESTRICT, CONSTRAINT `waiver_decisions_principals_decider` FOREIGN KEY (`decided_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT);
-- create index "waiverdecision_waiver_id_decided_by" to table: "waiver_decisions"
CREATE UNIQUE INDEX `waiverdecision_waiver_id_decided_by` ON `waiver_decisions` (`waiver_id`, `decided_by`);
