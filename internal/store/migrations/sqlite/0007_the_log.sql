-- +goose Up
-- create "log_checkpoints" table
CREATE TABLE `log_checkpoints` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `size` integer NOT NULL, `root` blob NOT NULL, `note` text NOT NULL, `created_at` datetime NOT NULL);
-- create index "log_checkpoints_size_key" to table: "log_checkpoints"
CREATE UNIQUE INDEX `log_checkpoints_size_key` ON `log_checkpoints` (`size`);
-- create "log_tiles" table
CREATE TABLE `log_tiles` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `level` integer NOT NULL, `position` integer NOT NULL, `hashes` blob NOT NULL);
-- create index "logtile_level_position" to table: "log_tiles"
CREATE UNIQUE INDEX `logtile_level_position` ON `log_tiles` (`level`, `position`);
