import { basename } from "node:path";
import type { DatasetSpec } from "../tasks/index.js";
import type { DataIdentity } from "./record/index.js";

/** How a run's data differs from what it was when the run began. */
export interface ChangedData {
  /** Whether the training part is the same, and with it what columns and classes mean. */
  readonly onlyTest: boolean;
  /** The files, or the folder, that it is in. */
  readonly files: string;
}

/** @param known undefined where the run directory does not say what it was. @returns undefined if it is the same. */
export function changedData(
  known: DataIdentity | undefined,
  now: DataIdentity,
  dataset: DatasetSpec,
): ChangedData | undefined {
  if (known?.fingerprint === now.fingerprint) return undefined;
  const onlyTest = known?.trainFingerprint === now.trainFingerprint;
  return { onlyTest, files: filesOf(dataset, known === undefined, onlyTest).join(", ") };
}

function filesOf(dataset: DatasetSpec, either: boolean, onlyTest: boolean): string[] {
  if (dataset.kind === "mnist") return ["mnist"];
  if (dataset.kind === "text") return [basename(dataset.file)];
  if (dataset.kind !== "csv") return [basename(dataset.folder)];
  const { file, testFile } = dataset;
  if (testFile === null) return [basename(file)];
  return either ? [basename(file), basename(testFile)] : [basename(onlyTest ? testFile : file)];
}
