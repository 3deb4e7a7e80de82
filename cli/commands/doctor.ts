import { collectReport } from "../doctor/collect.js";
import { describeReport } from "../doctor/describe.js";
import type { Environment } from "../environment.js";

/** Prints what this machine can compute with. */
export async function doctor({ json }: { readonly json?: boolean }, { variables }: Environment): Promise<void> {
  const report = await collectReport({ ...variables });
  process.stdout.write(`${json ? JSON.stringify(report, null, 2) : describeReport(report).join("\n")}\n`);
}
