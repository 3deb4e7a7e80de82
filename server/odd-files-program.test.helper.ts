/**
 * Opens a run directory again and again, each time with something odd in the place of one of its files, and prints what
 * came of each: a separate program, so that a test can end it if it waits forever.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IsobatchError } from "../shared/errors.js";
import { createLayout } from "../shared/layout/index.js";
import { createLog } from "../shared/log.js";
import { createCheckpointStore, readNewestCheckpoint } from "./checkpoint/index.js";
import { openKappaRecord, openLedger, openMetrics, openRunDirectory } from "./record/index.js";
import { openSecurity } from "./security/index.js";

export interface OddResult {
  readonly file: string;
  readonly oddity: string;
  /** "opened", the sentence, or the stack of a bug. */
  readonly result: string;
}

const layout = createLayout([{ name: "dense_1/kernel", shape: [2, 3], kind: "parameter", decay: true }]);
const slice = { firstElement: 0, endElement: layout.length };
const log = createLog({ level: "silent", pretty: false });
const STEP = "checkpoints/step-000000000";
const FILES = [
  ...["run.json", "task.json", "model.json", "layout.json", "summary.json", "lock.json"],
  ...["metrics.jsonl", "ledger.jsonl", "kappa.jsonl", "token", "security/admin-token", "security/last-use.json"],
  ...["security/ca.crt", "security/ca.key", "security/server.crt", "security/server.key"],
  ...["security/tokens/join.json", `${STEP}/elements-0-6.safetensors`],
];
const FOLDERS = ["checkpoints", STEP, "checkpoints/step-000000009", "security", "security/tokens", "tensorboard"];

const ODDITIES: Readonly<Record<string, (path: string) => void>> = {
  folder: (path) => mkdirSync(path),
  file: (path) => writeFileSync(path, ""),
  pipe: (path) => execFileSync("mkfifo", [path]),
  socket: (path) => void createServer().listen(path).unref(),
  loop: (path) => symlinkSync(path, path),
  "link to nothing": (path) => symlinkSync("/nowhere/at/all", path),
  "full device": (path) => symlinkSync("/dev/full", path),
  "endless device": (path) => symlinkSync("/dev/zero", path),
};

/** Everything that a server opens in its directory, and what evaluation reads of it. */
async function open(folder: string): Promise<void> {
  const task = { name: "tiny", hash: "hash", json: '{"name":"tiny","microBatchSize":1}' };
  const directory = openRunDirectory({ folder, task, version: "1.0.0", topology: "{}", layout });
  const closings: (() => void)[] = [() => directory.close()];
  try {
    const { runId } = directory.identity;
    const store = createCheckpointStore({
      folder: directory.checkpointsFolder,
      layout,
      slice,
      runId,
      taskHash: "hash",
    });
    const zeros = () => new Float32Array(layout.length);
    const state = { theta: zeros(), m: zeros(), v: zeros() };
    if (store.list().length === 0) await store.write(state, { step: 0, microBatches: 0, c1: 0, c2: 0 });
    for (const opened of [
      openKappaRecord(folder, { perWorker: 1, min: 1, max: 2 }, true, undefined),
      openMetrics(folder),
      openLedger(folder),
    ]) {
      closings.push(() => opened.close());
    }
    const security = await openSecurity({ folder, tls: { kind: "own", names: ["localhost"] }, log });
    closings.push(() => security.close());
    readNewestCheckpoint(folder);
  } finally {
    for (const close of closings.reverse()) close();
  }
}

// In memory, where possible, because each case syncs its files.
const root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "isobatch-odd-"));
const sound = join(root, "sound");
await open(sound);
let number = 0;
for (const [oddity, make] of Object.entries(ODDITIES)) {
  for (const file of oddity === "folder" ? FILES : oddity === "file" ? FOLDERS : [...FILES, ...FOLDERS]) {
    const folder = join(root, String(number++));
    cpSync(sound, folder, { recursive: true });
    rmSync(join(folder, file), { recursive: true, force: true });
    make(join(folder, file));
    let result = "opened";
    try {
      await open(folder);
    } catch (error) {
      result = error instanceof IsobatchError ? error.message : String((error as Error).stack);
    }
    process.stdout.write(`${JSON.stringify({ file, oddity, result } satisfies OddResult)}\n`);
  }
}
rmSync(root, { recursive: true });
