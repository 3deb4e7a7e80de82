/** The findings of each part of the check, in a few words. */
import type { CheckReport, PartName } from "./report.js";

type Parts = CheckReport["parts"];

export interface CheckedPart {
  readonly name: PartName;
  /** Describes the findings of a part that has rows. */
  readonly found: (parts: Parts) => string;
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(2))} %`;

function count<Row>(rows: readonly Row[], isCounted: (row: Row) => boolean): string {
  return `${rows.filter(isCounted).length} of ${rows.length}`;
}

export const CHECKED_PARTS: readonly CheckedPart[] = [
  {
    name: "kernels",
    found({ kernels }) {
      const [{ kernels: compared, calls, worst, reference }] = kernels!.rows;
      const used =
        worst.length === 0 ? "" : `; the worst, ${worst[0].kernel}, uses ${percent(worst[0].worst)} of the tolerance`;
      return `${compared} kernels in ${calls.toLocaleString("en")} calls compared with the ${reference} backend's${used}`;
    },
  },
  {
    name: "kinks",
    found({ kinks }) {
      const [{ cases, apart }] = kinks!.rows;
      return `${cases - apart} of ${cases} gradients at kinks and ties are Keras'`;
    },
  },
  {
    name: "training",
    found: ({ training }) =>
      training!.rows
        .map(({ model, firstLoss, firstLossOnWasm, repeats }) => {
          const losses = [firstLoss, firstLossOnWasm].map((loss) => loss.toPrecision(6)).join(", on wasm ");
          return `${model}: first loss ${losses}, ${repeats ? "the same bits" : "other bits"} in a second process`;
        })
        .join("; "),
  },
  {
    name: "partitions",
    found: ({ partitions }) =>
      `${count(partitions!.rows, ({ sameBits }) => sameBits)} small models have the bits of their operations`,
  },
  {
    name: "compiled",
    found: ({ compiled }) => {
      const { rows } = compiled!;
      const same = count(rows, ({ sameBits }) => sameBits);
      const repeated = count(rows, ({ repeats }) => repeats);
      const worst = Math.max(...rows.map(({ worst }) => worst));
      return `${same} models have the bits of their operations (worst difference ${worst.toPrecision(2)}), ${repeated} repeat theirs`;
    },
  },
  {
    name: "folding",
    found: ({ folding }) => {
      const [{ kappas, kappaMax, apart }] = folding!.rows;
      return `${kappas - apart} of ${kappas} κ up to ${kappaMax}, cut into leases anywhere, have the host's bits`;
    },
  },
  {
    name: "masks",
    found: ({ masks }) => `${count(masks!.rows, ({ sameAsWasm }) => sameAsWasm)} masks of dropout are wasm's`,
  },
  { name: "gradients", found: () => "below" },
  {
    name: "precision",
    found: ({ precision }) =>
      precision!.rows
        .flatMap((row) => (row.kind === "factors" ? [`${row.product} in ${row.precision}: ${row.bits} bits`] : []))
        .join(", "),
  },
  {
    name: "torch",
    found: ({ torch }) => {
      const opened = torch!.rows.find((row) => row.kind === "opened");
      return opened?.kind === "opened" ? `PyTorch ${opened.version} on ${opened.device}` : "";
    },
  },
  {
    name: "cluster",
    found: ({ cluster }) => {
      const { rows } = cluster!;
      return [...new Set(rows.map(({ task }) => task))]
        .map((name) => {
          const hashes = rows.filter(({ task }) => task === name).map(({ stateHash }) => stateHash);
          const different = new Set(hashes).size;
          return `${name}: ${different === 1 ? "equal" : `${different} different`} states of ${hashes.length} runs`;
        })
        .join("; ");
    },
  },
  { name: "variants", found: () => "below" },
  {
    name: "memory",
    found: ({ memory }) => {
      const [{ limitMiB, takenMiB, samples, fits }] = memory!.rows;
      const taken = takenMiB === null ? "" : `; ${takenMiB} MiB were taken, the CUDA context included`;
      return `of ${samples.toLocaleString("en")} samples ${fits.toLocaleString("en")} fit in ${limitMiB} MiB${taken}`;
    },
  },
];
