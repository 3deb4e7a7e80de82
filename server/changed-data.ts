import { basename } from "node:path";
import type { DatasetSpec } from "../tasks/index.js";
import type { DataIdentity } from "./record/index.js";

/** How a run's data differs from the data with which the run started. */
export interface ChangedData {
  /** Whether the training part, which gives columns and classes their meaning, is the same. */
  readonly onlyTest: boolean;
  /** The data's files, or its folder. */
  readonly files: string;
}

/** @param known undefined if the run directory has no record of it. @returns undefined if the data is the same. */
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
