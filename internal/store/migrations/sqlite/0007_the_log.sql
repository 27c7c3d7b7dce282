-- +goose Up
-- create "log_checkpoints" table
CREATE TABLE `log_checkpoints` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `size` integer NOT NULL, `root` blob NOT NULL, `note` text NOT NULL, `created_at` datetime NOT NULL);
-- create index "log_checkpoints_size_key" to table: "log_checkpoints"
CREATE UNIQUE INDEX `log_checkpoints_size_key` ON `log_checkpoints` (`size`);
-- create "log_tiles" table
CREATE TABLE `log_tiles` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `level` integer NOT NULL, `position` integer NOT NULL, `hashes` blob NOT NULL);
-- create index "logtile_level_position" to table: "log_tiles"
CREATE UNIQUE INDEX `logtile_level_position` ON `log_tiles` (`level`, `position`);
-- Facts are final: neither the program nor who works on the database by mistake changes them.
-- +goose StatementBegin
CREATE TRIGGER `evaluations_never_updated` BEFORE UPDATE ON `evaluations` BEGIN SELECT RAISE(ABORT, 'evaluations are never updated'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER `promotions_never_updated` BEFORE UPDATE ON `promotions` BEGIN SELECT RAISE(ABORT, 'promotions are never updated'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER `evidence_never_updated` BEFORE UPDATE ON `evidence` BEGIN SELECT RAISE(ABORT, 'evidence are never updated'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER `attestations_never_updated` BEFORE UPDATE ON `attestations` BEGIN SELECT RAISE(ABORT, 'attestations are never updated'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER `log_checkpoints_never_updated` BEFORE UPDATE ON `log_checkpoints` BEGIN SELECT RAISE(ABORT, 'log_checkpoints are never updated'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER `evaluations_never_deleted` BEFORE DELETE ON `evaluations` BEGIN SELECT RAISE(ABORT, 'evaluations are never deleted'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER `promotions_never_deleted` BEFORE DELETE ON `promotions` BEGIN SELECT RAISE(ABORT, 'promotions are never deleted'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER `evidence_never_deleted` BEFORE DELETE ON `evidence` BEGIN SELECT RAISE(ABORT, 'evidence are never deleted'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER `attestations_never_deleted` BEFORE DELETE ON `attestations` BEGIN SELECT RAISE(ABORT, 'attestations are never deleted'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER `log_checkpoints_never_deleted` BEFORE DELETE ON `log_checkpoints` BEGIN SELECT RAISE(ABORT, 'log_checkpoints are never deleted'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER `activity_events_never_deleted` BEFORE DELETE ON `activity_events` BEGIN SELECT RAISE(ABORT, 'activity_events are never deleted'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER `log_tiles_never_deleted` BEFORE DELETE ON `log_tiles` BEGIN SELECT RAISE(ABORT, 'log_tiles are never deleted'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER `activity_events_never_updated` BEFORE UPDATE ON `activity_events` WHEN OLD.`log_index` IS NOT NULL OR NEW.`log_index` IS NULL OR NEW.`id` IS NOT OLD.`id` OR NEW.`at` IS NOT OLD.`at` OR NEW.`type` IS NOT OLD.`type` OR NEW.`category` IS NOT OLD.`category` OR NEW.`result` IS NOT OLD.`result` OR NEW.`project_key` IS NOT OLD.`project_key` OR NEW.`application_key` IS NOT OLD.`application_key` OR NEW.`subject` IS NOT OLD.`subject` OR NEW.`summary` IS NOT OLD.`summary` OR NEW.`leaf` IS NOT OLD.`leaf` OR NEW.`leaf_hash` IS NOT OLD.`leaf_hash` OR NEW.`project_id` IS NOT OLD.`project_id` BEGIN SELECT RAISE(ABORT, 'activity_events are given their log_index once, and never updated'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER `log_tiles_never_updated` BEFORE UPDATE ON `log_tiles` WHEN length(NEW.`hashes`) <= length(OLD.`hashes`) OR substr(NEW.`hashes`, 1, length(OLD.`hashes`)) IS NOT OLD.`hashes` OR NEW.`id` IS NOT OLD.`id` OR NEW.`level` IS NOT OLD.`level` OR NEW.`position` IS NOT OLD.`position` BEGIN SELECT RAISE(ABORT, 'log_tiles grow, and are never updated'); END;
-- +goose StatementEnd
