import { exportModel as exportRun } from "../../index.js";

/** As commander reads them from the command line. */
export interface ExportFlags {
  readonly format: "tfjs" | "safetensors";
  readonly out?: string;
}

/** Writes a run's newest sound weights in a format that others read, and prints where. */
export async function exportModel(folder: string, flags: ExportFlags): Promise<void> {
  const { file, notes } = await exportRun(folder, flags);
  process.stdout.write(`${file}\n`);
  for (const sentence of notes) process.stderr.write(`${sentence}\n`);
}
