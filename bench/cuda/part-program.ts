/** The process of one part of the check. Its arguments are the part's name and its context in JSON. */
import { messageOf } from "../../shared/errors.js";
import type { CheckPart, PartContext, PartLine } from "./report.js";

const [name, context] = process.argv.slice(2);
/** Writes at once, so that everything is known that a process had found before it was killed. */
const say = (line: PartLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

try {
  const { part } = (await import(`./parts/${name}.js`)) as { part: CheckPart<object> };
  await part(JSON.parse(context) as PartContext, {
    row: (row) => say({ row }),
    fail: (fail) => say({ fail }),
    absent: (absent) => say({ absent }),
  });
} catch (error) {
  say({ fail: `It failed: ${messageOf(error)}` });
}
process.exit(0);
