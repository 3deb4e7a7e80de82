/** A report of the check as Markdown, for docs/reference/gpu.md. */
import { invalid } from "../../shared/errors.js";
import { markdownTable } from "../markdown-table.js";
import { CHECKED_PARTS } from "./findings.js";
import type { CheckReport } from "./report.js";
import { clusterTable, gradientTable, variantTable } from "./speed-tables.js";
import { lineOf } from "./targets.js";

/**
 * @param text a report, or all that `npm run check:cuda` has printed, of which it is the last line.
 * @throws {IsobatchError} `invalid_input` if there is none.
 */
export function parseReport(text: string, file: string): CheckReport {
  const line = text.split("\n").findLast((line) => line.startsWith('{"'));
  const report = [text, line ?? ""].map(parsed).find((value) => value?.check === "cuda" && value.parts !== undefined);
  return report === undefined
    ? invalid(`${file} has no report of check:cuda; its last line must be the JSON that it prints.`)
    : (report as CheckReport);
}

function parsed(text: string): Partial<CheckReport> | undefined {
  try {
    return JSON.parse(text) as Partial<CheckReport>;
  } catch {
    return undefined;
  }
}

export function tableOf(report: CheckReport): string {
  const sections = [
    headOf(report),
    partsTable(report),
    gradientTable(report.parts),
    clusterTable(report.parts),
    variantTable(report.parts),
    report.targets.map((target) => `- ${lineOf(target)}`).join("\n"),
  ];
  return sections.filter((section) => section !== "").join("\n\n");
}

/** When, on what, and with which versions. */
function headOf({ at, on, quick, commit, seconds, backend, doctor, parts }: CheckReport): string {
  const { nvidia, tensorflow, processor, cores, node } = doctor;
  const installed = tensorflow?.installations.find(({ variant }) => variant === (on === "gpu" ? "cuda" : "cpu"));
  const libraries = installed?.libraries;
  const gpu = nvidia?.gpus[0];
  const torch = parts.torch?.rows.find((row) => row.kind === "opened");
  const facts = [
    on === "gpu" ? `${gpu?.model ?? gpu?.name ?? "a GPU"} (driver ${nvidia?.driver})` : `${processor}`,
    `${cores} cores`,
    `Node ${node?.replace(/^v/, "")}`,
    installed?.version && `TensorFlow ${installed.version}`,
    on === "gpu" && libraries?.cuda && `CUDA ${libraries.cuda}`,
    on === "gpu" && libraries?.cudnn && `cuDNN ${libraries.cudnn}`,
    on === "gpu" && libraries?.cublas && `cuBLAS ${libraries.cublas}`,
    torch?.kind === "opened" && `PyTorch ${torch.version}`,
  ].filter((fact) => typeof fact === "string" && fact !== "");
  const sizes = quick ? ", quick" : on === "cpu" ? ", small models" : "";
  const place = commit === null ? "" : ` at ${commit}`;
  return `${at.slice(0, 10)}${place}, backend ${backend}${sizes}, ${seconds} s: ${facts.join(", ")}.`;
}

function partsTable({ parts }: CheckReport): string {
  const rows = CHECKED_PARTS.flatMap(({ name, found }) => {
    const part = parts[name];
    if (part === undefined) return [];
    const notes = [part.rows.length > 0 ? found(parts) : "", ...part.failures, ...part.absent];
    return [[name, part.ok ? "right" : "**wrong**", part.seconds, notes.filter((note) => note !== "").join("; ")]];
  });
  return markdownTable(["part", "result", "seconds", "what was found"], rows);
}
