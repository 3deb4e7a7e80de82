/**
 * A process whose compute thread hangs, in what its command line names, inside a native call, at the pipe that it
 * names.
 */

import { processLeaver } from "../backends/machine/index.js";
import { settings } from "../backends/settings.test.helper.js";
import type { HangingStart } from "./hanging-thread.test.helper.js";
import type { ThreadStart } from "./protocol.js";
import { startComputeThread } from "./thread-client.js";
import { patienceFor } from "./watchdog.js";

const [pipe, work] = process.argv.slice(2);
const thread = await startComputeThread({
  start: { thread: 0, backend: "wasm", pipe } as Partial<ThreadStart> & HangingStart as unknown as ThreadStart,
  patience: patienceFor("wasm", 20),
  lookMs: 10,
  leave: processLeaver("wasm", settings),
  script: new URL("./hanging-thread.test.helper.js", import.meta.url),
});
const batch = { number: 0, samples: 0, inputs: new Uint8Array(), labels: new Uint8Array() };
const join = { operations: [], nodes: [], coefficients: undefined, part: { index: 0, of: 1 } };
const asked = work === "join" ? thread.ask(work, join) : thread.ask("evaluate", { batch });
await asked.catch((error: Error) => console.log(error.message));
console.log(`ended: ${await thread.close()}`);
process.exitCode = 1;
