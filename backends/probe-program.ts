/**
 * A program that opens the backend named on its command line, with the settings there in JSON, and prints the outcome
 * in JSON.
 */
import { probeByOpening } from "./choose.js";
import { type BackendSettings, isBackendName } from "./machine/index.js";

const [name = "", settings = ""] = process.argv.slice(2);
if (!isBackendName(name)) throw new RangeError(`no backend "${name}"`);
const probe = await probeByOpening(name, JSON.parse(settings) as BackendSettings);
process.stdout.write(`${JSON.stringify(probe)}\n`);
