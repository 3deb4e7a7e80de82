import { join } from "node:path";
import { invalid } from "../shared/errors.js";
import type { Layout } from "../shared/layout/index.js";
import { parseWritten } from "../shared/parse-json.js";
import { during } from "../shared/trace/index.js";
import { version } from "../shared/version.js";
import { type PreparedTask, prepareTask, savedFormJson, type Task } from "../tasks/index.js";
import { microBatchesDone } from "./checkpoint/index.js";
import type { CleanUp } from "./clean-up.js";
import { factsOf } from "./facts-of.js";
import { writeFirstCheckpoint } from "./first-checkpoint.js";
import {
  type EventLine,
  type KappaFile,
  openKappaRecord,
  openRunDirectory,
  RUN_FILES,
  type RunDirectory,
  type RunFacts,
  readKappaRecord,
} from "./record/index.js";
import { extensionEvent, resumeTask } from "./resume-task.js";
import type { ServerOptions } from "./server-options.js";
import { taskHash } from "./task-hash.js";

/** A run, new or resumed, with its directory and everything that its task needs. */
export interface OpenRun {
  /** Its task is the run's: for a resumed run, as recorded. */
  readonly prepared: PreparedTask;
  readonly facts: RunFacts;
  readonly directory: RunDirectory;
  readonly kappa: KappaFile;
  /** The event to record if the run has been made longer. */
  readonly extension: EventLine | undefined;
}

const PORT_MAX = 65_535;

/**
 * Prepares the task and opens its run directory; a new run gets its first checkpoint.
 * @throws {IsobatchError} if the task, the options or the directory are invalid; nothing has been changed then
 */
export async function openRun(options: ServerOptions, cleanUp: CleanUp): Promise<OpenRun> {
  const { task: wanted, out, extend = false, replayKappa } = options;
  const asked = await during("prepare", () => prepareTask(wanted, { model: options.model }));
  const { layout, notes } = asked.built;
  for (const note of notes) options.log.warn(note);
  checkShards(options, layout);
  const { microBatchesPerStep, microBatchSize } = wanted;
  const replayed = replayKappa === undefined ? undefined : readKappaRecord(replayKappa, microBatchesPerStep);
  const { fingerprint, trainFingerprint } = asked.data;
  const data = { fingerprint, trainFingerprint };
  const facts = factsOf(asked);
  let extension: EventLine | undefined;
  const directory = openRunDirectory({
    folder: out,
    task: { name: wanted.name, hash: taskHash(wanted, fingerprint), json: jsonOf(wanted) },
    data,
    facts,
    version,
    topology: asked.built.topology,
    layout,
    samples: savedFormJson(asked.data.train),
    goOn({ identity, taskJson }) {
      const range = { firstElement: 0, endElement: layout.length };
      const samplesDone = microBatchesDone(join(out, RUN_FILES.checkpoints), range) * microBatchSize;
      const recorded = parseWritten<Task>(taskJson, join(out, RUN_FILES.task));
      const resumed = resumeTask({ folder: out, identity, recorded, wanted, data, samplesDone, extend });
      extension = extensionEvent(recorded, resumed);
      return jsonOf(resumed);
    },
  });
  cleanUp.add(() => directory.close());
  const prepared = { ...asked, task: JSON.parse(directory.taskJson) as Task };
  await during("first checkpoint", () => writeFirstCheckpoint(prepared, directory, directory.identity.taskHash));
  const kappa = openKappaRecord(out, microBatchesPerStep, directory.identity.term > 0, replayed);
  cleanUp.add(() => kappa.close());
  return { prepared, facts, directory, kappa, extension };
}

function jsonOf(task: Task): string {
  return `${JSON.stringify(task, null, 2)}\n`;
}

function checkShards({ shards, listen }: Pick<ServerOptions, "shards" | "listen">, layout: Layout): void {
  const chunks = layout.chunks.length;
  if (!(shards >= 1 && shards <= chunks)) {
    invalid(`--shards is ${shards}; this model has ${chunks} chunks to share out, so choose 1 to ${chunks}.`);
  }
  if (shards > 1 && listen.port + shards > PORT_MAX) {
    invalid(
      `--listen has port ${listen.port}; ${shards} shards take those up to the ${shards}th after it, and ${PORT_MAX} is the last.`,
    );
  }
}
