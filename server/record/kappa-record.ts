import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { syncFolder, writeFileDurably } from "../../shared/durable-file.js";
import { IsobatchError } from "../../shared/errors.js";
import { type KappaFact, type KappaRule, largestKappa, recordFault } from "../../shared/steps/index.js";
import { openJsonLines, readJsonLines } from "./json-lines.js";

/**
 * `kappa.jsonl`: how κ, the micro-batches of a step, has changed. With the task and a numerics class it determines a
 * run's bits, so it is never cut back, and another run that follows it produces the same bits. The first line says
 * whether the run replays another one's record.
 */
export interface KappaFile {
  readonly facts: readonly KappaFact[];
  /** Whether κ follows the record to the end. */
  readonly replay: boolean;
  /** Returns once the facts will survive a power failure. */
  append(facts: readonly KappaFact[]): void;
  close(): void;
}

export const KAPPA_FILE = "kappa.jsonl";

type KappaLine = KappaFact | { readonly replay: true };

/**
 * Opens a run directory's record; a fixed κ has none.
 * @param hasSteps whether the run has taken a step, or may have
 * @param replayed what another run recorded, to be followed by this one
 * @throws {IsobatchError} `invalid_input` if the directory holds another history
 */
export function openKappaRecord(
  folder: string,
  rule: KappaRule,
  hasSteps: boolean,
  replayed: readonly KappaFact[] | undefined,
): KappaFile {
  const path = join(folder, KAPPA_FILE);
  if (replayed !== undefined && !hasSteps) {
    const lines: KappaLine[] = [{ replay: true }, ...replayed];
    writeFileDurably(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  }
  const known = parse([...readJsonLines<KappaLine>(path)]);
  if (replayed !== undefined && hasSteps) checkSameHistory(folder, known, replayed);
  const { facts, replay } = known;
  if (typeof rule === "number" && !replay) {
    const append = (): never => {
      throw new RangeError("κ is fixed");
    };
    return { facts, replay, append, close() {} };
  }
  const lines = openJsonLines<KappaLine>(path);
  syncFolder(folder);
  return {
    facts,
    replay,
    append(added) {
      for (const line of added) lines.append(line);
      lines.sync();
      facts.push(...added);
    },
    close: () => lines.close(),
  };
}

/**
 * Reads another run's record, to be replayed.
 * @param place its run directory, or the file in it
 * @param rule the task's rule, for whose largest κ workers reserve memory
 * @throws {IsobatchError} `invalid_input`
 */
export function readKappaRecord(place: string, rule: KappaRule): KappaFact[] {
  const refuse = (what: string): never => {
    throw new IsobatchError("invalid_input", `--replay-kappa is ${place}, but ${what}.`);
  };
  if (!existsSync(place)) refuse("there is nothing; name a run directory, or the kappa.jsonl in one");
  const path = statSync(place).isDirectory() ? join(place, KAPPA_FILE) : place;
  if (!existsSync(path))
    refuse(`it has no ${KAPPA_FILE}; a run has one if its task gives microBatchesPerStep as a range`);
  const { facts } = parse([...readJsonLines<KappaLine>(path)]);
  const fault = recordFault(facts);
  if (fault !== undefined) refuse(`it is not a record of micro-batches per step: ${fault}`);
  const largest = Math.max(...facts.map(({ microBatches }) => microBatches));
  if (largest > largestKappa(rule)) {
    const most = largestKappa(rule);
    refuse(
      `it has steps of ${largest} micro-batches, and the task's microBatchesPerStep goes up to ${most}; raise that`,
    );
  }
  return facts;
}

function parse(lines: readonly KappaLine[]): { facts: KappaFact[]; replay: boolean } {
  return {
    facts: lines.flatMap((line) => ("replay" in line ? [] : [line])),
    replay: lines.some((line) => "replay" in line),
  };
}

/** A resumed run may be given the record that it replays once more; facts may have been added at its end. */
function checkSameHistory(
  folder: string,
  known: { readonly facts: readonly KappaFact[]; readonly replay: boolean },
  replayed: readonly KappaFact[],
): void {
  const shape = (fact: KappaFact | undefined): string =>
    fact === undefined ? "none" : `κ = ${fact.microBatches} from step ${fact.step} on`;
  const different = replayed.findIndex((fact, i) => {
    const { step, firstMicroBatch, microBatches } = known.facts[i] ?? {};
    return step !== fact.step || firstMicroBatch !== fact.firstMicroBatch || microBatches !== fact.microBatches;
  });
  if (known.replay && different < 0) return;
  const what = known.replay
    ? `replays another record, whose entry ${different + 1} is ${shape(known.facts[different])} and not ${shape(replayed[different])}`
    : "has recorded its own micro-batches per step";
  throw new IsobatchError(
    "invalid_input",
    `${folder} holds a run that ${what}, so --replay-kappa can't change it; choose another folder with --out.`,
  );
}
