/** The process of one part of the check: its name and its context, in JSON, are on the command line. */
import { messageOf } from "../../shared/errors.js";
import type { Part, PartContext, PartLine } from "./report.js";

const [name, context] = process.argv.slice(2);
/** Written at once: a process that is killed has said what it knew. */
const say = (line: PartLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

try {
  const { part } = (await import(`./parts/${name}.js`)) as { part: Part<object> };
  await part(JSON.parse(context) as PartContext, {
    row: (row) => say({ row }),
    fail: (fail) => say({ fail }),
    absent: (absent) => say({ absent }),
  });
} catch (error) {
  say({ fail: `It failed: ${messageOf(error)}` });
}
process.exit(0);
