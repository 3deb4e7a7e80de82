import { join } from "node:path";
import { readNewestCheckpoint } from "../../server/checkpoint/index.js";
import { exportSafetensors, exportTfjs, plainDifferences } from "../../server/export/index.js";

export const EXPORT_FORMATS = ["tfjs", "safetensors"] as const;

export interface ExportOptions {
  readonly format: (typeof EXPORT_FORMATS)[number];
  readonly out?: string;
}

/** Writes a run's newest sound weights in a format that others read, and prints where. */
export async function exportModel(folder: string, { format, out }: ExportOptions): Promise<void> {
  const { identity, topology, layout, state, meta, skipped } = readNewestCheckpoint(folder);
  for (const sentence of skipped) process.stderr.write(`${sentence} An older checkpoint is exported.\n`);
  const name = join(folder, "export", `step-${meta.step}`);
  if (format === "tfjs") {
    const target = out ?? `${name}-tfjs`;
    await exportTfjs(topology, layout, state.theta, target);
    process.stdout.write(`${join(target, "model.json")}\n`);
    for (const sentence of await plainDifferences(target, topology)) process.stderr.write(`${sentence}\n`);
  } else {
    const target = out ?? `${name}.safetensors`;
    exportSafetensors(layout, state.theta, target, { task: identity.taskName, step: String(meta.step) });
    process.stdout.write(`${target}\n`);
  }
}
