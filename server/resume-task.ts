/**
 * The task with which a run continues. Nothing that enters a step may change: it would be a different run. It may be
 * made longer. But if the learning rate falls until the run's end, a longer run differs from its first step on, so this
 * is done only on request, and recorded in the task.
 */
import { IsobatchError, invalid } from "../shared/errors.js";
import { count } from "../shared/format.js";
import { learningRateAt } from "../shared/optimizer/index.js";
import type { Task } from "../tasks/index.js";
import { changedData } from "./changed-data.js";
import type { DataIdentity, EventLine, RunIdentity } from "./record/index.js";
import { datasetDifferences, listDifferences, taskDifferences } from "./task-differences.js";
import { isHashOf } from "./task-hash.js";

export interface ResumeOptions {
  /** The run directory, for the messages. */
  readonly folder: string;
  readonly identity: RunIdentity;
  /** The task that the run has had so far, from its directory. */
  readonly recorded: Task;
  /** The task that is asked for now. */
  readonly wanted: Task;
  readonly data: DataIdentity;
  /** The number of samples trained so far. */
  readonly samplesDone: number;
  /** Whether a schedule that ends with the run may be stretched. */
  readonly extend: boolean;
}

/**
 * @throws {IsobatchError} `invalid_input`, with the tasks' differences, or the effect of a longer run on the learning
 * rate.
 */
export function resumeTask(options: ResumeOptions): Task {
  const { folder, identity, recorded, wanted, samplesDone } = options;
  checkRecord(options);
  const found = [
    ...taskDifferences(wanted, recorded),
    ...scheduleDifferences(wanted, recorded),
    ...dataDifferences(options),
  ];
  if (found.length > 0) {
    const who = identity.taskName === wanted.name ? "this one" : `"${wanted.name}"`;
    invalid(
      `${folder} holds a run of task "${identity.taskName}" that ${who} can't continue: ${listDifferences(found)}. Use the ` +
        "same values as there, or choose another folder with --out.",
    );
  }
  if (wanted.samples < samplesDone) {
    invalid(
      `${folder} holds a run that has trained ${samplesDone} samples already, more than the ${wanted.samples} of this command; give ` +
        "more with --steps or --samples, or choose another folder with --out.",
    );
  }
  return { ...wanted, schedule: { ...wanted.schedule, ...scheduleOf(options) } };
}

/** Checks that task.json has not been changed since it was written. */
function checkRecord({ folder, identity, recorded, data }: ResumeOptions): void {
  const known = identity.data?.fingerprint;
  // Older versions recorded no fingerprint: only the hash shows whether the data is the same, see dataDifferences.
  if (known === undefined || isHashOf(identity.taskHash, recorded, known)) return;
  if (isHashOf(identity.taskHash, recorded, data.fingerprint)) return;
  throw new IsobatchError(
    "damaged",
    `${folder}/task.json is not the task with which this run started; restore it from a backup.`,
  );
}

function scheduleDifferences(wanted: Task, recorded: Task): string[] {
  const [here, there] = [wanted.schedule, recorded.schedule];
  const differences: string[] = [];
  if (
    there.kind !== "constant" &&
    here.totalSamples !== there.totalSamples &&
    !(endsWithRun(wanted) && endsWithRun(recorded))
  ) {
    differences.push(`schedule.totalSamples is ${here.totalSamples} here and ${there.totalSamples} there`);
  }
  if (here.earlier !== undefined && JSON.stringify(here.earlier) !== JSON.stringify(there.earlier ?? [])) {
    differences.push("schedule.earlier differs");
  }
  return differences;
}

function dataDifferences({ identity, recorded, wanted, data }: ResumeOptions): string[] {
  const changed = changedData(identity.data, data, wanted.dataset);
  if (changed === undefined) return [];
  if (identity.data === undefined && isHashOf(identity.taskHash, recorded, data.fingerprint)) return [];
  const settings = datasetDifferences(wanted, recorded);
  return settings.length > 0 ? settings : [`the data has changed: ${changed.files}`];
}

/** The schedule's end, and the earlier ends that applied to the samples so far. */
function scheduleOf({ folder, recorded, wanted, samplesDone, extend }: ResumeOptions): Partial<Task["schedule"]> {
  const { schedule: before, samples: length, learningRate } = recorded;
  const { earlier } = before;
  const kept = earlier === undefined ? {} : { earlier };
  const { kind, warmupSamples } = before;
  // The samples so far have the same learning rates on both schedules.
  const isSame = kind === "constant" || before.totalSamples === wanted.schedule.totalSamples;
  if (isSame || samplesDone <= warmupSamples) return kept;
  if (!extend) {
    const rate = (task: Task): string => shown(learningRateAt(task.schedule, learningRate, samplesDone));
    invalid(
      `${folder} holds a run of ${length} samples whose ${kind} schedule ends with it. At ${wanted.samples} samples the learning rate, ` +
        `after the ${samplesDone} samples trained so far, would be ${rate(wanted)} instead of ${rate(recorded)}, so the result would not be ` +
        `that of a run of this length: add --extend to continue anyway, set schedule.totalSamples to ${before.totalSamples} to keep the ` +
        "schedule's end, or train from the start in another folder with --out.",
    );
  }
  return { earlier: [...(earlier ?? []), { untilSamples: samplesDone, totalSamples: before.totalSamples }] };
}

/** The line of metrics.jsonl about a schedule that was stretched; undefined if it was not. */
export function extensionEvent(before: Task, now: Task): EventLine | undefined {
  const last = now.schedule.earlier?.at(-1);
  if (last === undefined || now.schedule.earlier?.length === before.schedule.earlier?.length) return undefined;
  const { untilSamples: samples, totalSamples: from } = last;
  const to = now.schedule.totalSamples;
  const learningRate = learningRateAt(now.schedule, now.learningRate, samples);
  const learningRateBefore = learningRateAt(before.schedule, before.learningRate, samples);
  const message =
    `the ${now.schedule.kind} schedule now ends after ${count(to)} samples instead of ${count(from)}: after the ${count(samples)} trained so far the ` +
    `learning rate is ${shown(learningRate)} instead of ${shown(learningRateBefore)}`;
  const at = new Date().toISOString();
  return { type: "event", event: "extended", at, samples, from, to, learningRate, learningRateBefore, message };
}

function endsWithRun({ schedule, samples }: Task): boolean {
  return schedule.totalSamples === samples;
}

/** The learning rate with four digits. */
function shown(rate: number): string {
  return String(Number(rate.toPrecision(4)));
}
