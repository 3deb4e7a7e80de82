import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { ElementRange } from "../../shared/layout/index.js";
import { isMissing } from "../../shared/regular-file.js";
import { systemError } from "../../shared/system-errors.js";

/** The files of a checkpoints folder, identified by their names. */
export interface SliceFile extends ElementRange {
  readonly path: string;
}

/** The steps whose files in `folder` cover all of `range`, ascending. */
export function listSteps(folder: string, range: ElementRange): number[] {
  return stepsIn(folder).filter((step) => coverOf(filesOf(folder, step), range) !== undefined);
}

/** The files of a step, by first element. */
export function filesOf(folder: string, step: number): SliceFile[] {
  const files: SliceFile[] = [];
  for (const name of namesIn(stepFolder(folder, step))) {
    const match = /^elements-(\d{1,15})-(\d{1,15})\.safetensors$/.exec(name);
    if (match === null) continue;
    const path = join(stepFolder(folder, step), name);
    files.push({ path, firstElement: Number(match[1]), endElement: Number(match[2]) });
  }
  return files.sort((a, b) => a.firstElement - b.firstElement || a.endElement - b.endElement);
}

/** The fewest files, in order, that cover `range` together; undefined if it can't be covered. */
export function coverOf(files: readonly SliceFile[], range: ElementRange): SliceFile[] | undefined {
  const cover: SliceFile[] = [];
  for (let at = range.firstElement; at < range.endElement; ) {
    let best: SliceFile | undefined;
    for (const file of files) {
      if (file.firstElement <= at && file.endElement > (best?.endElement ?? at)) best = file;
    }
    if (best === undefined) return undefined;
    cover.push(best);
    at = best.endElement;
  }
  return cover;
}

export function stepFolder(folder: string, step: number): string {
  return join(folder, `step-${String(step).padStart(9, "0")}`);
}

export function filePath(folder: string, step: number, { firstElement, endElement }: ElementRange): string {
  return join(stepFolder(folder, step), `elements-${firstElement}-${endElement}.safetensors`);
}

/**
 * The temporary file of one slice: shards of one folder must not remove each other's files, and each writes one at a
 * time.
 */
export function temporaryPath(folder: string, step: number, slice: ElementRange): string {
  return `${filePath(folder, step, slice)}.tmp`;
}

/** All steps with a folder, complete or not, ascending. */
export function stepsIn(folder: string): number[] {
  const steps = namesIn(folder).flatMap((name) => {
    const match = /^step-(\d{9,15})$/.exec(name);
    return match === null ? [] : [Number(match[1])];
  });
  return steps.sort((a, b) => a - b);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    // Not made yet, or removed by another shard meanwhile.
    if (isMissing(error, folder)) return [];
    throw systemError(error, `read the folder ${folder}`);
  }
}
