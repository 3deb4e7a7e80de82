/** The comparison as a table in Markdown, a row for each layout of each model, ratios first. */
import type { ModelName } from "./comparison.js";
import { TRANSPORT_NAMES, type TransportName } from "./ours.js";
import type { Beside, PeersLine } from "./scenario.js";

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
  const rows = [
    [
      "model, micro-batches per step",
      "workers × threads",
      ...transports.map((name) => TRANSPORTS[name]),
      "DDP",
      "PyTorch otherwise",
    ],
    ["---", "---", ...transports.map(() => "---"), "---", "---"],
    ...groupBy(lines, layoutOf).map((cells) => rowOf(cells, transports)),
  ];
  return [
    `Isobatch's step ÷ DDP's of the same round, medians of ${rounds} rounds (lowest–highest); ms per step in brackets.`,
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node.slice(1)}, PyTorch ${machine.pytorch}; load ${machine.load} before.`,
    "",
    ...rows.map((cells) => `| ${cells.join(" | ")} |`),
    ...notesOf(lines),
  ].join("\n");
}

function rowOf(cells: readonly PeersLine[], transports: readonly TransportName[]): string[] {
  const [{ model, parameters, batch, microBatchesPerStep, workers, computeThreads }] = cells;
  const measured = cells.flatMap((cell) => cell.measured ?? [])[0];
  return [
    `${MODELS[model]}, ${(parameters / 1e6).toFixed(2)} M, ${microBatchesPerStep} × b = ${batch}`,
    `${workers} × ${computeThreads}`,
    ...transports.map((name) => cellOf(cells.find(({ transport }) => transport === name))),
    measured ? peerOf(measured.ddp) : "",
    measured ? measured.others.map(peerOf).join("; ") : "",
  ];
}

function cellOf(line: PeersLine | undefined): string {
  if (line?.measured === undefined) return "absent";
  const { ddp, ms } = line.measured;
  const { ratio, lowest, highest } = ddp.ratio;
  return `**${ratio}** (${lowest}–${highest}; ${ms} ms)`;
}

const peerOf = ({ processes, threads, ms }: Beside): string => `${processes} × ${threads}: ${ms} ms`;

/** What a reader must know of the table: what is absent, and where steps are not all of the time. */
function notesOf(lines: readonly PeersLine[]): string[] {
  const absent = new Map(lines.flatMap(({ transport, absent }) => (absent ? [[transport, absent] as const] : [])));
  const notes = [...absent].map(([transport, why]) => `${TRANSPORTS[transport]} is absent: ${why}`);
  const apart = lines.filter(
    ({ measured }) => measured && measured.ddp.ratioByWall.ratio > WALL_APART * measured.ddp.ratio.ratio,
  );
  for (const { model, transport, workers, computeThreads, measured } of apart) {
    const ratio = measured?.ddp.ratioByWall.ratio;
    notes.push(
      `By the wall clock, ${model} with ${workers} × ${computeThreads} over ${TRANSPORTS[transport]} is at ${ratio}.`,
    );
  }
  return notes.length > 0 ? ["", ...notes] : [];
}

/** A median of steps must not hide what is between them or what some of them cost. */
const WALL_APART = 1.1;

const layoutOf = (line: PeersLine): string =>
  [line.model, line.microBatchesPerStep, line.workers, line.computeThreads].join();

function groupBy<Item>(items: readonly Item[], key: (item: Item) => string): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups.values()];
}
