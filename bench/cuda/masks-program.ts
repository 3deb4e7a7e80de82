/** A process that draws the masks of `masks.ts` on a backend, and prints their digests in JSON. */

import { isBackendName, openBackend } from "../../backends/index.js";
import { settings } from "../../backends/settings.test.helper.js";
import { digestOf, factorsOf, maskCases } from "./masks.js";
import type { CheckSize } from "./report.js";

const [backend = "", size = ""] = process.argv.slice(2);
if (!isBackendName(backend)) throw new RangeError(`no backend "${backend}"`);
await openBackend(backend, settings);
process.stdout.write(`${JSON.stringify(maskCases(size as CheckSize).map((each) => digestOf(factorsOf(each))))}\n`);
