/** The comparison as a table in Markdown, a row for each layout of each model, ratios first. */
import { markdownTable } from "../markdown-table.js";
import type { ModelName } from "./comparison.js";
import { TRANSPORT_NAMES, type TransportName } from "./ours.js";
import type { PeersLine, PyTorchTimes } from "./scenario.js";

const MODELS: Record<ModelName, string> = {
  mlp: "MLP 784-512-512-10",
  "mlp-10m": "MLP 784-2750-2750-10",
  cnn: "CNN 32c3-64c3-pool-128-10",
};

const TRANSPORTS: Record<TransportName, string> = {
  memory: "shared memory",
  plain: "gRPC",
  tls: "gRPC, TLS",
  bfloat16: "gRPC, bfloat16",
};

export function tableOf(lines: readonly PeersLine[]): string {
  if (lines.length === 0) return "";
  const [{ machine, rounds }] = lines;
  const transports = TRANSPORT_NAMES.filter((name) => lines.some(({ transport }) => transport === name));
  const names = transports.map((name) => TRANSPORTS[name]);
  const head = ["model, micro-batches per step", "workers × threads", ...names, "DDP", "PyTorch otherwise"];
  const rows = groupBy(lines, layoutOf).map((cells) => rowOf(cells, transports));
  return [
    `Isobatch's step ÷ DDP's of the same round, medians of ${rounds} rounds (lowest–highest); ms per step in brackets.`,
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node.slice(1)}, PyTorch ${machine.pytorch}; load ${machine.load} before.`,
    "",
    markdownTable(head, rows),
    ...notesOf(lines),
  ].join("\n");
}

function rowOf(cells: readonly PeersLine[], transports: readonly TransportName[]): string[] {
  const [{ model, parameters, batch, microBatchesPerStep, workers, computeThreads, measured }] = cells;
  return [
    `${MODELS[model]}, ${(parameters / 1e6).toFixed(2)} M, ${microBatchesPerStep} × b = ${batch}`,
    `${workers} × ${computeThreads}`,
    ...transports.map((name) =>
      cells
        .filter(({ transport }) => transport === name)
        .map(cellOf)
        .join(),
    ),
    peerOf(measured.ddp),
    measured.others.map(peerOf).join("; "),
  ];
}

function cellOf({ measured: { ddp, ms } }: PeersLine): string {
  const { ratio, lowest, highest } = ddp.ratio;
  return `**${ratio}** (${lowest}–${highest}; ${ms} ms)`;
}

const peerOf = ({ processes, threads, ms }: PyTorchTimes): string => `${processes} × ${threads}: ${ms} ms`;

/** A note for the reader of the table: where steps do not take all of the time. */
function notesOf(lines: readonly PeersLine[]): string[] {
  const apart = lines.filter(({ measured: { ddp } }) => ddp.ratioByWall.ratio > WALL_APART * ddp.ratio.ratio);
  const notes = apart.map(
    ({ model, transport, workers, computeThreads, measured }) =>
      `By the wall clock, ${model} with ${workers} × ${computeThreads} over ${TRANSPORTS[transport]} ` +
      `is at ${measured.ddp.ratioByWall.ratio}.`,
  );
  return notes.length > 0 ? ["", ...notes] : [];
}

/** The median of steps must not hide the time between them, nor that some take longer. */
const WALL_APART = 1.1;

const layoutOf = (line: PeersLine): string =>
  [line.model, line.microBatchesPerStep, line.workers, line.computeThreads].join();

function groupBy<Item>(items: readonly Item[], key: (item: Item) => string): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups.values()];
}
