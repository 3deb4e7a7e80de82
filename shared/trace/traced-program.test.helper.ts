/** A process with a trace and an additional thread. It ends when its input says so, or waits to be killed. */
import { parentPort, Worker, workerData } from "node:worker_threads";
import { began, joinTrace, span, startTrace, traceThread } from "./index.js";

if (workerData !== null) {
  joinTrace(workerData as SharedArrayBuffer);
  span("backend", began());
  parentPort!.postMessage("recorded");
  // As inside a native call: nothing of this thread's own runs any more.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
} else {
  const [path, end] = process.argv.slice(2);
  startTrace({ path, process: "program", begin: true, warn: (line) => console.error(line) });
  span("start", 0);
  const trace = traceThread("thread");
  const thread = new Worker(new URL(import.meta.url), { workerData: trace!.ring });
  thread.once("message", () => {
    if (end === "now") process.exit();
    console.log(process.hrtime.bigint().toString());
  });
}
