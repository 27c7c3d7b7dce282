-- +goose Up
-- add columns to tables that may be large: nothing is copied
ALTER TABLE `evaluations` ADD COLUMN `feeds` text NOT NULL DEFAULT '[]';
ALTER TABLE `evidence` ADD COLUMN `says_vex` bool NOT NULL DEFAULT false;
ALTER TABLE `component_matches` ADD COLUMN `undecided` bool NOT NULL DEFAULT false;
-- what is there already says for itself whether it has VEX statements, and whether it was decided
UPDATE `evidence` SET `says_vex` = true WHERE `view` LIKE '%"vex":%';
UPDATE `component_matches` SET `undecided` = true WHERE `because` LIKE '% cannot be ruled out: %';
-- create index "evidence_says_vex" to table: "evidence"
CREATE INDEX `evidence_says_vex` ON `evidence` (`says_vex`) WHERE says_vex;
-- create "feeds" table
CREATE TABLE `feeds` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `format` text NOT NULL, `source` text NOT NULL DEFAULT (''), `digest` text NOT NULL DEFAULT (''), `snapshots` integer NOT NULL DEFAULT (0), `changed_at` datetime NULL, `checked_at` datetime NULL, `tried_at` datetime NULL, `validator` text NOT NULL DEFAULT (''), `failure` text NOT NULL DEFAULT (''));
-- create index "feeds_name_key" to table: "feeds"
CREATE UNIQUE INDEX `feeds_name_key` ON `feeds` (`name`);
-- create "notices" table
CREATE TABLE `notices` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `opened_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `owner_id` integer NOT NULL, CONSTRAINT `notices_owners_owner` FOREIGN KEY (`owner_id`) REFERENCES `owners` (`id`) ON DELETE RESTRICT);
-- create index "notice_owner_id_opened_at" to table: "notices"
CREATE INDEX `notice_owner_id_opened_at` ON `notices` (`owner_id`, `opened_at`);
-- create index "notice_opened_at" to table: "notices"
CREATE INDEX `notice_opened_at` ON `notices` (`opened_at`);
-- create "notice_entries" table
CREATE TABLE `notice_entries` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `severity` text NOT NULL, `vulnerabilities` integer NOT NULL, `named` json NOT NULL, `versions` json NOT NULL, `notice_id` integer NOT NULL, `application_id` integer NOT NULL, `project_id` integer NOT NULL, CONSTRAINT `notice_entries_notices_notice` FOREIGN KEY (`notice_id`) REFERENCES `notices` (`id`) ON DELETE RESTRICT, CONSTRAINT `notice_entries_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `notice_entries_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT);
-- create index "noticeentry_notice_id_application_id" to table: "notice_entries"
CREATE UNIQUE INDEX `noticeentry_notice_id_application_id` ON `notice_entries` (`notice_id`, `application_id`);
-- create index "noticeentry_project_id_notice_id" to table: "notice_entries"
CREATE INDEX `noticeentry_project_id_notice_id` ON `notice_entries` (`project_id`, `notice_id`);
-- create index "noticeentry_application_id" to table: "notice_entries"
CREATE INDEX `noticeentry_application_id` ON `notice_entries` (`application_id`);
-- create "triage_decisions" table
CREATE TABLE `triage_decisions` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `vulnerability` text NOT NULL, `purl` text NOT NULL DEFAULT (''), `vers` text NOT NULL DEFAULT (''), `status` text NOT NULL, `justification` text NOT NULL, `label_key` text NOT NULL DEFAULT (''), `label_value` text NOT NULL DEFAULT (''), `decided_at` datetime NOT NULL, `expires_at` datetime NULL, `revoked_at` datetime NULL, `revocation` text NOT NULL DEFAULT (''), `project_id` integer NULL, `application_id` integer NULL, `owner_id` integer NULL, `decided_by` integer NOT NULL, `revoked_by` integer NULL, CONSTRAINT `triage_decisions_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT, CONSTRAINT `triage_decisions_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `triage_decisions_owners_owner` FOREIGN KEY (`owner_id`) REFERENCES `owners` (`id`) ON DELETE RESTRICT, CONSTRAINT `triage_decisions_principals_decider` FOREIGN KEY (`decided_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT, CONSTRAINT `triage_decisions_principals_revoker` FOREIGN KEY (`revoked_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT);
-- create index "triagedecision_vulnerability" to table: "triage_decisions"
CREATE INDEX `triagedecision_vulnerability` ON `triage_decisions` (`vulnerability`);
-- create index "triagedecision_application_id" to table: "triage_decisions"
CREATE INDEX `triagedecision_application_id` ON `triage_decisions` (`application_id`);
-- create index "triagedecision_project_id" to table: "triage_decisions"
CREATE INDEX `triagedecision_project_id` ON `triage_decisions` (`project_id`);
-- create index "triagedecision_label_key_label_value" to table: "triage_decisions"
CREATE INDEX `triagedecision_label_key_label_value` ON `triage_decisions` (`label_key`, `label_value`) WHERE label_key <> '';
