/** Tables in Markdown of how fast gradients and whole runs were, next to PyTorch's. */
import { markdownTable } from "../markdown-table.js";
import type { CheckedModelName } from "./models.js";
import type { TorchGradient, TorchLoop } from "./parts/torch.js";
import { PLAIN } from "./parts/variants.js";
import type { CheckReport } from "./report.js";

type Parts = CheckReport["parts"];

/** Three digits; a time below a microsecond is a rounding error, and shown as 0. */
const three = (value: number): string => (Math.abs(value) < 1e-3 ? "0" : String(Number(value.toPrecision(3))));
const NONE = "–";

/** A row for each model; empty if none was measured. */
export function gradientTable({ gradients, precision, torch }: Parts): string {
  if (gradients === undefined || gradients.rows.length === 0) return "";
  const peerOf = (model: CheckedModelName, precision: TorchGradient["precision"]): TorchGradient | undefined =>
    torch?.rows.find(
      (row): row is TorchGradient => row.kind === "gradient" && row.model === model && row.precision === precision,
    );
  const head = [
    "model",
    "parameters",
    "b",
    "ms",
    "PyTorch float32",
    "ratio",
    "ms in TF32",
    "PyTorch TF32",
    "ratio",
    "left there",
    "PyTorch",
    "operations",
    "constants",
  ];
  const rows = gradients.rows.map(({ model, parameters, batch, ms, inPlaceMs, size }) => {
    const [float32, tf32] = [peerOf(model, "float32"), peerOf(model, "tf32")];
    const inTf32 = precision?.rows.find((row) => row.kind === "gradient" && row.model === model);
    const msInTf32 = inTf32?.kind === "gradient" ? inTf32.ms : undefined;
    return [
      ...[model, `${(parameters / 1e6).toFixed(2)} M`, batch, three(ms)],
      ...[float32 ? three(float32.ms) : NONE, float32 ? three(ms / float32.ms) : NONE],
      ...[msInTf32 ? three(msInTf32) : NONE, tf32 ? three(tf32.ms) : NONE],
      msInTf32 && tf32 ? three(msInTf32 / tf32.ms) : NONE,
      ...[inPlaceMs === null ? NONE : three(inPlaceMs), float32 ? three(float32.inPlaceMs) : NONE],
      ...(size === null ? [NONE, NONE] : [size.operations, bytesIn(size.constantBytes)]),
    ];
  });
  const what =
    "Median milliseconds of one micro-batch's gradient, from samples in the host's memory to a gradient there; and with the " +
    "gradient left on the device, where it is summed.";
  return `${what}\n\n${markdownTable(head, rows)}`;
}

/** A row for each run; empty if there was none. */
export function clusterTable({ cluster, torch }: Parts): string {
  if (cluster === undefined || cluster.rows.length === 0) return "";
  const loops = (torch?.rows ?? []).filter((row): row is TorchLoop => row.kind === "loop");
  const head = ["task", "workers", "samples/s", "PyTorch's loop", "ratio", "GPU busy", "memory", "ms a step"];
  const rows = cluster.rows.map((row) => {
    const theirs = loops.filter(({ task }) => task === row.task).map(({ samplesPerSecond }) => samplesPerSecond);
    const best = theirs.length === 0 ? undefined : Math.max(...theirs);
    const { busy, phases } = row;
    const { step, ...parts } = phases;
    const inParts = Object.entries(parts).map(([name, ms]) => `${name} ${three(ms)}`);
    return [
      ...[`${row.task}, ${row.microBatches} × ${row.batch}`, row.workers, three(row.samplesPerSecond)],
      ...(best === undefined ? [NONE, NONE] : [three(best), three(row.samplesPerSecond / best)]),
      ...(busy === null ? [NONE, NONE] : [`${three(100 * busy.share)} %`, `${Math.round(busy.memoryMiB)} MiB`]),
      `${three(step)} (${inParts.join(", ")})`,
      `\`${row.stateHash.slice(0, 12)}\``,
    ];
  });
  const what = "Whole runs without their first steps, next to the faster of PyTorch's loops.";
  return `${what}\n\n${markdownTable([...head, "stateHash"], rows)}`;
}

/** A row for each program setting and model; empty if none was timed. */
export function variantTable({ variants }: Parts): string {
  if (variants === undefined || variants.rows.length === 0) return "";
  const rows = variants.rows.map(({ variant, model, ms, firstMs, sameBits, refused }) => {
    const plain = variants.rows.find((row) => row.model === model && row.variant === PLAIN);
    const ratio = ms !== null && plain?.ms ? three(ms / plain.ms) : NONE;
    return [
      variant,
      model,
      ms === null ? NONE : three(ms),
      ratio,
      firstMs ?? NONE,
      plain?.digest ? (sameBits ? "same" : "other") : NONE,
      refused ?? "",
    ];
  });
  const what = "Milliseconds of a gradient with each setting of `ISOBATCH_TENSORFLOW_PROGRAM`.";
  const head = ["setting", "model", "ms", "÷ plain", "first ms", "bits", "why not"];
  return `${what}\n\n${markdownTable(head, rows)}`;
}

function bytesIn(bytes: number): string {
  return bytes < 2 ** 20 ? `${three(bytes / 2 ** 10)} KiB` : `${three(bytes / 2 ** 20)} MiB`;
}
