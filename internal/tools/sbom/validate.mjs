// Holds CycloneDX 1.6 documents in JSON against the official schema, strictly: node validate.mjs FILE...
import { readFile } from 'node:fs/promises';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('usage: node validate.mjs FILE...');
  process.exit(2);
}

const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
let failed = false;
for (const file of files) {
  const errors = await validator.validate(await readFile(file, 'utf8'));
  if (errors !== null) {
    failed = true;
    console.error(`${file}: ${JSON.stringify(errors, null, 2)}`);
  }
}
process.exit(failed ? 1 : 0);
