import { join } from "node:path";
import { readNewestCheckpoint } from "../server/checkpoint/index.js";
import { exportSafetensors, exportTfjs, plainDifferences } from "../server/export/index.js";
import { invalid } from "../shared/errors.js";
import { checkOptions, checkText } from "./options.js";
import type { ExportedModel, ExportOptions } from "./types/model.js";

/** Writes a run's newest sound weights in a format that others read. */
export async function exportModel(folder: string, options: ExportOptions): Promise<ExportedModel> {
  checkText("The run directory", folder);
  checkOptions("exportModel", options);
  const { format = "tfjs", out } = options;
  if (format !== "tfjs" && format !== "safetensors") {
    return invalid(`format is ${JSON.stringify(format)}; it must be "tfjs" or "safetensors".`);
  }
  const { identity, topology, layout, state, meta, skipped } = readNewestCheckpoint(folder);
  const notes = skipped.map((sentence) => `${sentence} An older checkpoint is exported.`);
  const { step } = meta;
  const name = join(folder, "export", `step-${step}`);
  if (format === "safetensors") {
    const file = out ?? `${name}.safetensors`;
    exportSafetensors(layout, state.theta, file, { task: identity.taskName, step: String(step) });
    return { file, step, notes };
  }
  const target = out ?? `${name}-tfjs`;
  await exportTfjs(topology, layout, state.theta, target);
  const differences = await plainDifferences(target, topology);
  return { file: join(target, "model.json"), step, notes: [...notes, ...differences] };
}
