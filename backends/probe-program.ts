/** A process that opens the backend named on its command line and prints, in JSON, what came of it. */
import { isBackendName } from "./backend.js";
import { probeByOpening } from "./choose.js";

const name = process.argv[2] ?? "";
if (!isBackendName(name)) throw new RangeError(`no backend "${name}"`);
process.stdout.write(`${JSON.stringify(await probeByOpening(name))}\n`);
