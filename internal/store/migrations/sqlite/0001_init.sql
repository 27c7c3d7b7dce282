-- +goose Up
-- create "activity_events" table
CREATE TABLE `activity_events` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `at` datetime NOT NULL, `type` text NOT NULL, `category` text NOT NULL, `result` text NOT NULL, `project_key` text NOT NULL DEFAULT (''), `application_key` text NOT NULL DEFAULT (''), `subject` text NOT NULL, `summary` text NOT NULL, `leaf` blob NOT NULL, `leaf_hash` blob NOT NULL, `log_index` integer NULL, `project_id` integer NULL, CONSTRAINT `activity_events_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT);
-- create index "activityevent_project_id" to table: "activity_events"
CREATE INDEX `activityevent_project_id` ON `activity_events` (`project_id`);
-- create index "activityevent_application_key" to table: "activity_events"
CREATE INDEX `activityevent_application_key` ON `activity_events` (`application_key`);
-- create index "activityevent_project_key" to table: "activity_events"
CREATE INDEX `activityevent_project_key` ON `activity_events` (`project_key`);
-- create index "activityevent_type" to table: "activity_events"
CREATE INDEX `activityevent_type` ON `activity_events` (`type`);
-- create index "activityevent_subject" to table: "activity_events"
CREATE INDEX `activityevent_subject` ON `activity_events` (`subject`);
-- create index "activityevent_at" to table: "activity_events"
CREATE INDEX `activityevent_at` ON `activity_events` (`at`);
-- create index "activityevent_log_index" to table: "activity_events"
CREATE UNIQUE INDEX `activityevent_log_index` ON `activity_events` (`log_index`);
-- create "activity_openings" table
CREATE TABLE `activity_openings` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `commitment` text NOT NULL, `salt` text NOT NULL, `name` text NOT NULL, `actor` bool NOT NULL, `event_id` integer NOT NULL, CONSTRAINT `activity_openings_activity_events_event` FOREIGN KEY (`event_id`) REFERENCES `activity_events` (`id`) ON DELETE RESTRICT);
-- create index "activityopening_event_id" to table: "activity_openings"
CREATE INDEX `activityopening_event_id` ON `activity_openings` (`event_id`);
-- create index "activityopening_name" to table: "activity_openings"
CREATE INDEX `activityopening_name` ON `activity_openings` (`name`);
-- create "applications" table
CREATE TABLE `applications` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `key` text NOT NULL, `name` text NOT NULL, `description` text NOT NULL DEFAULT (''), `criticality` text NOT NULL DEFAULT ('UNSPECIFIED'), `maturity` text NOT NULL DEFAULT ('UNSPECIFIED'), `created_at` datetime NOT NULL, `project_id` integer NOT NULL, `lifecycle_id` integer NULL, CONSTRAINT `applications_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT, CONSTRAINT `applications_lifecycles_lifecycle` FOREIGN KEY (`lifecycle_id`) REFERENCES `lifecycles` (`id`) ON DELETE RESTRICT);
-- create index "applications_key_key" to table: "applications"
CREATE UNIQUE INDEX `applications_key_key` ON `applications` (`key`);
-- create index "application_project_id_name" to table: "applications"
CREATE UNIQUE INDEX `application_project_id_name` ON `applications` (`project_id`, `name`);
-- create index "application_lifecycle_id" to table: "applications"
CREATE INDEX `application_lifecycle_id` ON `applications` (`lifecycle_id`);
-- create "application_versions" table
CREATE TABLE `application_versions` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `version` text NOT NULL, `tag` text NOT NULL DEFAULT (''), `status` text NOT NULL DEFAULT ('LOCKED'), `trust` text NOT NULL DEFAULT ('PRE_RELEASE'), `standing` text NULL, `manifest_digest` text NOT NULL, `manifest` text NOT NULL, `context` text NOT NULL, `releasable_count` integer NOT NULL, `moves` integer NOT NULL DEFAULT (0), `created_at` datetime NOT NULL, `project_id` integer NOT NULL, `application_id` integer NOT NULL, `stage_id` integer NULL, `created_by` integer NOT NULL, CONSTRAINT `application_versions_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT, CONSTRAINT `application_versions_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `application_versions_stages_current_stage` FOREIGN KEY (`stage_id`) REFERENCES `stages` (`id`) ON DELETE RESTRICT, CONSTRAINT `application_versions_principals_creator` FOREIGN KEY (`created_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT);
-- create index "applicationversion_application_id_version" to table: "application_versions"
CREATE UNIQUE INDEX `applicationversion_application_id_version` ON `application_versions` (`application_id`, `version`);
-- create index "applicationversion_project_id" to table: "application_versions"
CREATE INDEX `applicationversion_project_id` ON `application_versions` (`project_id`);
-- create index "applicationversion_manifest_digest" to table: "application_versions"
CREATE INDEX `applicationversion_manifest_digest` ON `application_versions` (`manifest_digest`);
-- create index "applicationversion_stage_id" to table: "application_versions"
CREATE INDEX `applicationversion_stage_id` ON `application_versions` (`stage_id`);
-- create "attestations" table
CREATE TABLE `attestations` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `digest` text NOT NULL, `predicate_type` text NOT NULL, `statement` text NOT NULL, `bundle` text NOT NULL, `created_at` datetime NOT NULL, `project_id` integer NOT NULL, `version_id` integer NOT NULL, `promotion_id` integer NULL, `signing_key_id` integer NOT NULL, CONSTRAINT `attestations_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT, CONSTRAINT `attestations_application_versions_version` FOREIGN KEY (`version_id`) REFERENCES `application_versions` (`id`) ON DELETE RESTRICT, CONSTRAINT `attestations_promotions_promotion` FOREIGN KEY (`promotion_id`) REFERENCES `promotions` (`id`) ON DELETE RESTRICT, CONSTRAINT `attestations_signing_keys_signing_key` FOREIGN KEY (`signing_key_id`) REFERENCES `signing_keys` (`id`) ON DELETE RESTRICT);
-- create index "attestation_digest" to table: "attestations"
CREATE INDEX `attestation_digest` ON `attestations` (`digest`);
-- create index "attestation_version_id" to table: "attestations"
CREATE INDEX `attestation_version_id` ON `attestations` (`version_id`);
-- create index "attestation_promotion_id" to table: "attestations"
CREATE INDEX `attestation_promotion_id` ON `attestations` (`promotion_id`);
-- create index "attestation_project_id" to table: "attestations"
CREATE INDEX `attestation_project_id` ON `attestations` (`project_id`);
-- create index "attestation_signing_key_id" to table: "attestations"
CREATE INDEX `attestation_signing_key_id` ON `attestations` (`signing_key_id`);
-- create "bindings" table
CREATE TABLE `bindings` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `since` datetime NOT NULL, `until` datetime NULL, `package_id` integer NOT NULL, `package_version_id` integer NULL, `application_id` integer NOT NULL, `bound_by` integer NOT NULL, `unbound_by` integer NULL, CONSTRAINT `bindings_packages_package` FOREIGN KEY (`package_id`) REFERENCES `packages` (`id`) ON DELETE RESTRICT, CONSTRAINT `bindings_package_versions_package_version` FOREIGN KEY (`package_version_id`) REFERENCES `package_versions` (`id`) ON DELETE RESTRICT, CONSTRAINT `bindings_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `bindings_principals_binder` FOREIGN KEY (`bound_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT, CONSTRAINT `bindings_principals_unbinder` FOREIGN KEY (`unbound_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT);
-- create index "binding_package_open" to table: "bindings"
CREATE UNIQUE INDEX `binding_package_open` ON `bindings` (`package_id`) WHERE until IS NULL AND package_version_id IS NULL;
-- create index "binding_version_open" to table: "bindings"
CREATE UNIQUE INDEX `binding_version_open` ON `bindings` (`package_version_id`) WHERE until IS NULL;
-- create index "binding_package_id_since" to table: "bindings"
CREATE INDEX `binding_package_id_since` ON `bindings` (`package_id`, `since`);
-- create index "binding_application_id" to table: "bindings"
CREATE INDEX `binding_application_id` ON `bindings` (`application_id`);
-- create "blobs" table
CREATE TABLE `blobs` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `digest` text NOT NULL, `size` integer NOT NULL, `content` blob NOT NULL);
-- create index "blobs_digest_key" to table: "blobs"
CREATE UNIQUE INDEX `blobs_digest_key` ON `blobs` (`digest`);
-- create "components" table
CREATE TABLE `components` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `identity` text NOT NULL, `purl` text NULL, `name` text NOT NULL, `version` text NOT NULL);
-- create index "components_identity_key" to table: "components"
CREATE UNIQUE INDEX `components_identity_key` ON `components` (`identity`);
-- create "evaluations" table
CREATE TABLE `evaluations` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `eval_id` text NOT NULL, `stage_name` text NOT NULL, `gate_kind` text NOT NULL, `decision` text NOT NULL, `explanation` text NOT NULL, `evaluated_at` datetime NOT NULL, `input_digest` text NOT NULL, `input_parts` text NOT NULL, `capabilities_digest` text NOT NULL, `policies` text NOT NULL, `results_digest` text NOT NULL, `project_id` integer NOT NULL, `version_id` integer NOT NULL, `promotion_id` integer NOT NULL, CONSTRAINT `evaluations_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT, CONSTRAINT `evaluations_application_versions_version` FOREIGN KEY (`version_id`) REFERENCES `application_versions` (`id`) ON DELETE RESTRICT, CONSTRAINT `evaluations_promotions_promotion` FOREIGN KEY (`promotion_id`) REFERENCES `promotions` (`id`) ON DELETE RESTRICT);
-- create index "evaluations_eval_id_key" to table: "evaluations"
CREATE UNIQUE INDEX `evaluations_eval_id_key` ON `evaluations` (`eval_id`);
-- create index "evaluation_version_id" to table: "evaluations"
CREATE INDEX `evaluation_version_id` ON `evaluations` (`version_id`);
-- create index "evaluation_promotion_id" to table: "evaluations"
CREATE INDEX `evaluation_promotion_id` ON `evaluations` (`promotion_id`);
-- create index "evaluation_project_id" to table: "evaluations"
CREATE INDEX `evaluation_project_id` ON `evaluations` (`project_id`);
-- create "evidence" table
CREATE TABLE `evidence` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `digest` text NOT NULL, `signer_key` text NOT NULL, `realm` text NOT NULL, `raw_digest` text NOT NULL, `media_type` text NOT NULL, `size` integer NOT NULL, `predicate_type` text NOT NULL, `category` text NOT NULL, `verified` bool NOT NULL, `verification` text NOT NULL, `provider` text NOT NULL DEFAULT (''), `created_at` datetime NOT NULL, `anchor_id` integer NULL, `project_id` integer NULL, `stage_id` integer NULL, `sbom_id` integer NULL, `created_by` integer NOT NULL, CONSTRAINT `evidence_trust_anchors_anchor` FOREIGN KEY (`anchor_id`) REFERENCES `trust_anchors` (`id`) ON DELETE RESTRICT, CONSTRAINT `evidence_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT, CONSTRAINT `evidence_stages_stage` FOREIGN KEY (`stage_id`) REFERENCES `stages` (`id`) ON DELETE RESTRICT, CONSTRAINT `evidence_sboms_sbom` FOREIGN KEY (`sbom_id`) REFERENCES `sboms` (`id`) ON DELETE RESTRICT, CONSTRAINT `evidence_principals_creator` FOREIGN KEY (`created_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT);
-- create index "evidence_digest_signer_key_realm" to table: "evidence"
CREATE UNIQUE INDEX `evidence_digest_signer_key_realm` ON `evidence` (`digest`, `signer_key`, `realm`);
-- create index "evidence_predicate_type" to table: "evidence"
CREATE INDEX `evidence_predicate_type` ON `evidence` (`predicate_type`);
-- create index "evidence_anchor_id" to table: "evidence"
CREATE INDEX `evidence_anchor_id` ON `evidence` (`anchor_id`);
-- create index "evidence_project_id" to table: "evidence"
CREATE INDEX `evidence_project_id` ON `evidence` (`project_id`);
-- create index "evidence_stage_id" to table: "evidence"
CREATE INDEX `evidence_stage_id` ON `evidence` (`stage_id`);
-- create index "evidence_sbom_id" to table: "evidence"
CREATE INDEX `evidence_sbom_id` ON `evidence` (`sbom_id`);
-- create "evidence_subjects" table
CREATE TABLE `evidence_subjects` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL DEFAULT (''), `digest` text NOT NULL, `evidence_id` integer NOT NULL, CONSTRAINT `evidence_subjects_evidence_evidence` FOREIGN KEY (`evidence_id`) REFERENCES `evidence` (`id`) ON DELETE RESTRICT);
-- create index "evidencesubject_digest" to table: "evidence_subjects"
CREATE INDEX `evidencesubject_digest` ON `evidence_subjects` (`digest`);
-- create index "evidencesubject_evidence_id" to table: "evidence_subjects"
CREATE INDEX `evidencesubject_evidence_id` ON `evidence_subjects` (`evidence_id`);
-- create "policies" table
CREATE TABLE `policies` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `revision` integer NOT NULL, `mode` text NOT NULL, `enabled` bool NOT NULL, `waivable` bool NOT NULL, `stage_name` text NOT NULL, `gate_kind` text NOT NULL, `scope_type` text NOT NULL, `label_selectors` json NULL, `criticality_selectors` json NULL, `latest` bool NOT NULL, `created_at` datetime NOT NULL, `created_by` integer NOT NULL, CONSTRAINT `policies_principals_creator` FOREIGN KEY (`created_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT);
-- create index "gatepolicy_name_revision" to table: "policies"
CREATE UNIQUE INDEX `gatepolicy_name_revision` ON `policies` (`name`, `revision`);
-- create index "policy_latest" to table: "policies"
CREATE UNIQUE INDEX `policy_latest` ON `policies` (`name`) WHERE latest;
-- create index "gatepolicy_stage_name_gate_kind" to table: "policies"
CREATE INDEX `gatepolicy_stage_name_gate_kind` ON `policies` (`stage_name`, `gate_kind`);
-- create "labels" table
CREATE TABLE `labels` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `key` text NOT NULL, `value` text NOT NULL, `project_id` integer NULL, `application_id` integer NULL, CONSTRAINT `labels_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT, CONSTRAINT `labels_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT);
-- create index "label_project_id_key_value" to table: "labels"
CREATE UNIQUE INDEX `label_project_id_key_value` ON `labels` (`project_id`, `key`, `value`);
-- create index "label_application_id_key_value" to table: "labels"
CREATE UNIQUE INDEX `label_application_id_key_value` ON `labels` (`application_id`, `key`, `value`);
-- create index "label_key_value" to table: "labels"
CREATE INDEX `label_key_value` ON `labels` (`key`, `value`);
-- create "lifecycles" table
CREATE TABLE `lifecycles` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `enforce_order` bool NOT NULL, `revision` integer NOT NULL DEFAULT (1), `created_at` datetime NOT NULL, `project_id` integer NOT NULL, CONSTRAINT `lifecycles_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT);
-- create index "lifecycle_project_id_name" to table: "lifecycles"
CREATE UNIQUE INDEX `lifecycle_project_id_name` ON `lifecycles` (`project_id`, `name`);
-- create "lifecycle_steps" table
CREATE TABLE `lifecycle_steps` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `position` integer NOT NULL, `lifecycle_id` integer NOT NULL, `stage_id` integer NOT NULL, CONSTRAINT `lifecycle_steps_lifecycles_lifecycle` FOREIGN KEY (`lifecycle_id`) REFERENCES `lifecycles` (`id`) ON DELETE RESTRICT, CONSTRAINT `lifecycle_steps_stages_stage` FOREIGN KEY (`stage_id`) REFERENCES `stages` (`id`) ON DELETE RESTRICT);
-- create index "lifecyclestep_lifecycle_id_position" to table: "lifecycle_steps"
CREATE UNIQUE INDEX `lifecyclestep_lifecycle_id_position` ON `lifecycle_steps` (`lifecycle_id`, `position`);
-- create index "lifecyclestep_stage_id" to table: "lifecycle_steps"
CREATE INDEX `lifecyclestep_stage_id` ON `lifecycle_steps` (`stage_id`);
-- create "owners" table
CREATE TABLE `owners` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `ref` text NOT NULL, `pseudonym` text NOT NULL, `display_name` text NOT NULL DEFAULT (''), `contact` text NOT NULL DEFAULT (''), `created_at` datetime NOT NULL);
-- create index "owners_ref_key" to table: "owners"
CREATE UNIQUE INDEX `owners_ref_key` ON `owners` (`ref`);
-- create index "owners_pseudonym_key" to table: "owners"
CREATE UNIQUE INDEX `owners_pseudonym_key` ON `owners` (`pseudonym`);
-- create "ownerships" table
CREATE TABLE `ownerships` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `since` datetime NOT NULL, `until` datetime NULL, `application_id` integer NOT NULL, `owner_id` integer NOT NULL, `assigned_by` integer NOT NULL, `removed_by` integer NULL, CONSTRAINT `ownerships_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `ownerships_owners_owner` FOREIGN KEY (`owner_id`) REFERENCES `owners` (`id`) ON DELETE RESTRICT, CONSTRAINT `ownerships_principals_assigner` FOREIGN KEY (`assigned_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT, CONSTRAINT `ownerships_principals_remover` FOREIGN KEY (`removed_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT);
-- create index "ownership_application_id_owner_id" to table: "ownerships"
CREATE UNIQUE INDEX `ownership_application_id_owner_id` ON `ownerships` (`application_id`, `owner_id`) WHERE until IS NULL;
-- create index "ownership_application_id_since" to table: "ownerships"
CREATE INDEX `ownership_application_id_since` ON `ownerships` (`application_id`, `since`);
-- create index "ownership_owner_id" to table: "ownerships"
CREATE INDEX `ownership_owner_id` ON `ownerships` (`owner_id`);
-- create "package_versions" table
CREATE TABLE `package_versions` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `purl` text NOT NULL, `digest` text NULL, `created_at` datetime NOT NULL, `package_id` integer NOT NULL, CONSTRAINT `package_versions_packages_package` FOREIGN KEY (`package_id`) REFERENCES `packages` (`id`) ON DELETE RESTRICT);
-- create index "package_versions_purl_key" to table: "package_versions"
CREATE UNIQUE INDEX `package_versions_purl_key` ON `package_versions` (`purl`);
-- create index "packageversion_package_id" to table: "package_versions"
CREATE INDEX `packageversion_package_id` ON `package_versions` (`package_id`);
-- create "packages" table
CREATE TABLE `packages` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `purl` text NOT NULL, `created_at` datetime NOT NULL);
-- create index "packages_purl_key" to table: "packages"
CREATE UNIQUE INDEX `packages_purl_key` ON `packages` (`purl`);
-- create "policy_targets" table
CREATE TABLE `policy_targets` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `policy_id` integer NOT NULL, `project_id` integer NOT NULL, `application_id` integer NULL, CONSTRAINT `policy_targets_policies_policy` FOREIGN KEY (`policy_id`) REFERENCES `policies` (`id`) ON DELETE RESTRICT, CONSTRAINT `policy_targets_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT, CONSTRAINT `policy_targets_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT);
-- create index "policytarget_policy_id" to table: "policy_targets"
CREATE INDEX `policytarget_policy_id` ON `policy_targets` (`policy_id`);
-- create index "policytarget_project_id" to table: "policy_targets"
CREATE INDEX `policytarget_project_id` ON `policy_targets` (`project_id`);
-- create index "policytarget_application_id" to table: "policy_targets"
CREATE INDEX `policytarget_application_id` ON `policy_targets` (`application_id`);
-- create "policy_templates" table
CREATE TABLE `policy_templates` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `revision` integer NOT NULL, `category` text NOT NULL, `title` text NOT NULL DEFAULT (''), `description` text NOT NULL DEFAULT (''), `remediation` text NOT NULL DEFAULT (''), `controls` json NULL, `rego` text NOT NULL, `parameters_schema` text NOT NULL, `digest` text NOT NULL, `created_at` datetime NOT NULL, `created_by` integer NULL, CONSTRAINT `policy_templates_principals_creator` FOREIGN KEY (`created_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT);
-- create index "policytemplate_name_revision" to table: "policy_templates"
CREATE UNIQUE INDEX `policytemplate_name_revision` ON `policy_templates` (`name`, `revision`);
-- create "principals" table
CREATE TABLE `principals` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `kind` text NOT NULL, `created_at` datetime NOT NULL);
-- create index "principals_name_key" to table: "principals"
CREATE UNIQUE INDEX `principals_name_key` ON `principals` (`name`);
-- create "projects" table
CREATE TABLE `projects` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `key` text NOT NULL, `name` text NOT NULL, `created_at` datetime NOT NULL);
-- create index "projects_key_key" to table: "projects"
CREATE UNIQUE INDEX `projects_key_key` ON `projects` (`key`);
-- create "promotions" table
CREATE TABLE `promotions` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `kind` text NOT NULL, `status` text NOT NULL, `comment` text NOT NULL DEFAULT (''), `at` datetime NOT NULL, `project_id` integer NOT NULL, `version_id` integer NOT NULL, `from_stage_id` integer NULL, `to_stage_id` integer NULL, `undoes_id` integer NULL, `actor_id` integer NOT NULL, CONSTRAINT `promotions_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT, CONSTRAINT `promotions_application_versions_version` FOREIGN KEY (`version_id`) REFERENCES `application_versions` (`id`) ON DELETE RESTRICT, CONSTRAINT `promotions_stages_from_stage` FOREIGN KEY (`from_stage_id`) REFERENCES `stages` (`id`) ON DELETE RESTRICT, CONSTRAINT `promotions_stages_to_stage` FOREIGN KEY (`to_stage_id`) REFERENCES `stages` (`id`) ON DELETE RESTRICT, CONSTRAINT `promotions_promotions_undone_by` FOREIGN KEY (`undoes_id`) REFERENCES `promotions` (`id`) ON DELETE RESTRICT, CONSTRAINT `promotions_principals_principal` FOREIGN KEY (`actor_id`) REFERENCES `principals` (`id`) ON DELETE RESTRICT);
-- create index "promotions_undoes_id_key" to table: "promotions"
CREATE UNIQUE INDEX `promotions_undoes_id_key` ON `promotions` (`undoes_id`);
-- create index "promotion_version_id" to table: "promotions"
CREATE INDEX `promotion_version_id` ON `promotions` (`version_id`);
-- create index "promotion_project_id" to table: "promotions"
CREATE INDEX `promotion_project_id` ON `promotions` (`project_id`);
-- create "releasables" table
CREATE TABLE `releasables` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `purl` text NULL, `digest` text NULL, `kind` text NOT NULL, `version_id` integer NOT NULL, `package_id` integer NULL, `package_version_id` integer NULL, CONSTRAINT `releasables_application_versions_version` FOREIGN KEY (`version_id`) REFERENCES `application_versions` (`id`) ON DELETE RESTRICT, CONSTRAINT `releasables_packages_package` FOREIGN KEY (`package_id`) REFERENCES `packages` (`id`) ON DELETE RESTRICT, CONSTRAINT `releasables_package_versions_package_version` FOREIGN KEY (`package_version_id`) REFERENCES `package_versions` (`id`) ON DELETE RESTRICT);
-- create index "releasable_version_id" to table: "releasables"
CREATE INDEX `releasable_version_id` ON `releasables` (`version_id`);
-- create index "releasable_digest" to table: "releasables"
CREATE INDEX `releasable_digest` ON `releasables` (`digest`);
-- create index "releasable_package_id" to table: "releasables"
CREATE INDEX `releasable_package_id` ON `releasables` (`package_id`);
-- create index "releasable_package_version_id" to table: "releasables"
CREATE INDEX `releasable_package_version_id` ON `releasables` (`package_version_id`);
-- create "role_bindings" table
CREATE TABLE `role_bindings` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `role` text NOT NULL, `principal_id` integer NOT NULL, `project_id` integer NULL, CONSTRAINT `role_bindings_principals_principal` FOREIGN KEY (`principal_id`) REFERENCES `principals` (`id`) ON DELETE RESTRICT, CONSTRAINT `role_bindings_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT);
-- create index "rolebinding_principal_id_role_project_id" to table: "role_bindings"
CREATE UNIQUE INDEX `rolebinding_principal_id_role_project_id` ON `role_bindings` (`principal_id`, `role`, `project_id`);
-- create index "rolebinding_project_id" to table: "role_bindings"
CREATE INDEX `rolebinding_project_id` ON `role_bindings` (`project_id`);
-- create "rules" table
CREATE TABLE `rules` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `parameters` text NOT NULL, `created_at` datetime NOT NULL, `template_id` integer NOT NULL, `created_by` integer NOT NULL, CONSTRAINT `rules_policy_templates_template` FOREIGN KEY (`template_id`) REFERENCES `policy_templates` (`id`) ON DELETE RESTRICT, CONSTRAINT `rules_principals_creator` FOREIGN KEY (`created_by`) REFERENCES `principals` (`id`) ON DELETE RESTRICT);
-- create index "rules_name_key" to table: "rules"
CREATE UNIQUE INDEX `rules_name_key` ON `rules` (`name`);
-- create index "rule_template_id" to table: "rules"
CREATE INDEX `rule_template_id` ON `rules` (`template_id`);
-- create "sboms" table
CREATE TABLE `sboms` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `digest` text NOT NULL, `format` text NOT NULL, `spec_version` text NOT NULL, `component_count` integer NOT NULL, `complete` bool NOT NULL, `created_at` datetime NOT NULL);
-- create index "sboms_digest_key" to table: "sboms"
CREATE UNIQUE INDEX `sboms_digest_key` ON `sboms` (`digest`);
-- create "sbom_components" table
CREATE TABLE `sbom_components` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `licenses` json NOT NULL, `direct` bool NOT NULL, `sbom_id` integer NOT NULL, `component_id` integer NOT NULL, CONSTRAINT `sbom_components_sboms_sbom` FOREIGN KEY (`sbom_id`) REFERENCES `sboms` (`id`) ON DELETE RESTRICT, CONSTRAINT `sbom_components_components_component` FOREIGN KEY (`component_id`) REFERENCES `components` (`id`) ON DELETE RESTRICT);
-- create index "sbomcomponent_sbom_id_component_id" to table: "sbom_components"
CREATE UNIQUE INDEX `sbomcomponent_sbom_id_component_id` ON `sbom_components` (`sbom_id`, `component_id`);
-- create index "sbomcomponent_component_id" to table: "sbom_components"
CREATE INDEX `sbomcomponent_component_id` ON `sbom_components` (`component_id`);
-- create "signing_keys" table
CREATE TABLE `signing_keys` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `fingerprint` text NOT NULL, `public_key` text NOT NULL, `created_at` datetime NOT NULL);
-- create index "signing_keys_fingerprint_key" to table: "signing_keys"
CREATE UNIQUE INDEX `signing_keys_fingerprint_key` ON `signing_keys` (`fingerprint`);
-- create "stages" table
CREATE TABLE `stages` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `category` text NOT NULL, `production` bool NOT NULL, `realm` text NOT NULL, `created_at` datetime NOT NULL, `project_id` integer NULL, CONSTRAINT `stages_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT);
-- create index "stage_realm_name" to table: "stages"
CREATE UNIQUE INDEX `stage_realm_name` ON `stages` (`realm`, `name`);
-- create index "stage_project_id" to table: "stages"
CREATE INDEX `stage_project_id` ON `stages` (`project_id`);
-- create "tokens" table
CREATE TABLE `tokens` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `hash` text NOT NULL, `evidence_types` json NULL, `created_at` datetime NOT NULL, `expires_at` datetime NULL, `revoked_at` datetime NULL, `role` text NOT NULL, `principal_id` integer NOT NULL, `project_id` integer NULL, CONSTRAINT `tokens_principals_principal` FOREIGN KEY (`principal_id`) REFERENCES `principals` (`id`) ON DELETE RESTRICT, CONSTRAINT `tokens_projects_project` FOREIGN KEY (`project_id`) REFERENCES `projects` (`id`) ON DELETE RESTRICT);
-- create index "tokens_hash_key" to table: "tokens"
CREATE UNIQUE INDEX `tokens_hash_key` ON `tokens` (`hash`);
-- create index "token_principal_id" to table: "tokens"
CREATE INDEX `token_principal_id` ON `tokens` (`principal_id`);
-- create index "token_project_id" to table: "tokens"
CREATE INDEX `token_project_id` ON `tokens` (`project_id`);
-- create "trust_anchors" table
CREATE TABLE `trust_anchors` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `alias` text NOT NULL, `kind` text NOT NULL, `public_key` text NOT NULL, `fingerprint` text NOT NULL, `algorithm` text NOT NULL, `valid_from` datetime NULL, `valid_to` datetime NULL, `revoked_at` datetime NULL, `created_at` datetime NOT NULL);
-- create index "trust_anchors_alias_key" to table: "trust_anchors"
CREATE UNIQUE INDEX `trust_anchors_alias_key` ON `trust_anchors` (`alias`);
-- create index "trust_anchors_fingerprint_key" to table: "trust_anchors"
CREATE UNIQUE INDEX `trust_anchors_fingerprint_key` ON `trust_anchors` (`fingerprint`);
-- create "gate_policy_rules" table
CREATE TABLE `gate_policy_rules` (`gate_policy_id` integer NOT NULL, `rule_id` integer NOT NULL, PRIMARY KEY (`gate_policy_id`, `rule_id`), CONSTRAINT `gate_policy_rules_gate_policy_id` FOREIGN KEY (`gate_policy_id`) REFERENCES `policies` (`id`) ON DELETE CASCADE, CONSTRAINT `gate_policy_rules_rule_id` FOREIGN KEY (`rule_id`) REFERENCES `rules` (`id`) ON DELETE CASCADE);
