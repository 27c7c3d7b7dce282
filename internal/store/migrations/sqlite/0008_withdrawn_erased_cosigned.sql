-- +goose Up
-- add column "erased_at" to table: "owners"
ALTER TABLE `owners` ADD COLUMN `erased_at` datetime NULL;
-- add column "erased_at" to table: "principals"
ALTER TABLE `principals` ADD COLUMN `erased_at` datetime NULL;
-- create "evidence_withdrawals" table
CREATE TABLE `evidence_withdrawals` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `reason` text NOT NULL, `at` datetime NOT NULL, `evidence_id` integer NOT NULL, `withdrawn_by` integer NOT NULL, CONSTRAINT `evidence_withdrawals_evidence_evidence` FOREIGN KEY (`evidence_id`) REFERENCES `evidence` (`id`) ON DELETE RESTRICT, CONSTRAINT `evidence_withdrawals_principals_withdrawer` FOREIGN KEY (`withdrawn_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT);
-- create index "evidencewithdrawal_evidence_id" to table: "evidence_withdrawals"
CREATE UNIQUE INDEX `evidencewithdrawal_evidence_id` ON `evidence_withdrawals` (`evidence_id`);
-- create index "evidencewithdrawal_withdrawn_by" to table: "evidence_withdrawals"
CREATE INDEX `evidencewithdrawal_withdrawn_by` ON `evidence_withdrawals` (`withdrawn_by`);
-- create "log_cosignatures" table
CREATE TABLE `log_cosignatures` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `size` integer NOT NULL, `witness` text NOT NULL, `line` text NOT NULL, `created_at` datetime NOT NULL);
-- create index "logcosignature_size_witness" to table: "log_cosignatures"
CREATE UNIQUE INDEX `logcosignature_size_witness` ON `log_cosignatures` (`size`, `witness`);
-- Facts are final.
-- +goose StatementBegin
CREATE TRIGGER `evidence_withdrawals_never_updated` BEFORE UPDATE ON `evidence_withdrawals` BEGIN SELECT RAISE(ABORT, 'evidence_withdrawals are never updated'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER `evidence_withdrawals_never_deleted` BEFORE DELETE ON `evidence_withdrawals` BEGIN SELECT RAISE(ABORT, 'evidence_withdrawals are never deleted'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER `log_cosignatures_never_updated` BEFORE UPDATE ON `log_cosignatures` BEGIN SELECT RAISE(ABORT, 'log_cosignatures are never updated'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER `log_cosignatures_never_deleted` BEFORE DELETE ON `log_cosignatures` BEGIN SELECT RAISE(ABORT, 'log_cosignatures are never deleted'); END;
-- +goose StatementEnd
