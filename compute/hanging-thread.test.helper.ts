/**
 * A thread that says it is ready, answers `load`, and then hangs: at a micro-batch in JavaScript, from which it can be
 * ended; at an evaluation inside a native call, from which it can't; and at joining while another thread makes such a
 * call for it.
 */
import { readFile, readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import type { Note, Reply, Request } from "./protocol.js";

/** What it starts with, besides what a compute thread does. */
export interface HangingStart {
  /** A named pipe that nobody writes to. */
  readonly pipe: string;
}

const port = parentPort!;
const send = (reply: Reply): void => port.postMessage(reply);
port.on("message", ({ name }: Request | Note) => {
  if (name === "lease") return;
  if (name === "samples") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  if (name === "evaluate") readFileSync((workerData as HangingStart).pipe);
  if (name === "join") readFile((workerData as HangingStart).pipe, () => send({ reply: null }));
  else send({ reply: null });
});
send({ ready: { numerics: { backend: "wasm", version: "", architecture: "", flags: "" }, device: "none" } });
