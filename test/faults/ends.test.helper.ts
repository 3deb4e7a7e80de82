/**
 * Short runs whose workers reach the server over links that are cut, hung up, stalled or slowed down at moments drawn
 * from a seed: while they join, fetch samples, pull weights, push sums, evaluate, at the last commit and while they
 * leave. Workers join at 127.0.0.2, where links listen on the ports that the server has on 127.0.0.1. Workers look for
 * shards on the coordinator's host, so all connections pass through a link.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { METRICS_FILE, type MetricsLine, readJsonLines } from "../../server/record/index.js";
import { createRandom, type Random } from "../../shared/random.js";
import { type Link, type LinkConnection, openLink } from "../../shared/wire/link.test.helper.js";
import { type Program, type Scene, until, withScene } from "./programs.test.helper.js";

const LINKS_HOST = "127.0.0.2";
const WORKERS = 2;
const STEPS = 20;
const EVALUATE_STEPS = 10;
const BATCH = 4;
const KAPPA = 4;

/** A model of four chunks and a data set of 96 flowers, so that processes take longer to start than to train. */
const taskOf = (dataset: string) => ({
  name: "ends",
  seed: 5,
  model: {
    kind: "sequential",
    layers: [
      { layer: "Dense", units: 256, activation: "relu", inputShape: [4] },
      { layer: "Dense", units: 1_024, activation: "relu" },
      { layer: "Dense", units: 3 },
    ],
  },
  loss: "softmaxCrossEntropy",
  dataset: { kind: "csv", file: dataset, label: "kind", target: "classes", testFraction: 0.5 },
  microBatchSize: BATCH,
  microBatchesPerStep: KAPPA,
  evaluationBatchSize: 8,
  samples: STEPS * BATCH * KAPPA,
  learningRate: 0.01,
  evaluateEverySamples: EVALUATE_STEPS * BATCH * KAPPA,
  checkpointEverySamples: EVALUATE_STEPS * BATCH * KAPPA,
});

function flowers(): string {
  const row = (i: number): string => [i % 7, (i * i) % 11, (3 * i) % 5, 1, ["rose", "tulip", "daisy"][i % 3]].join();
  return ["a,b,c,d,kind", ...Array.from({ length: 96 }, (_, i) => row(i))].join("\n");
}

/** Enough for one version of the weights per second, so that a slow run does not last minutes. */
const SLOW_BYTES_PER_SECOND = 1_000_000;

type How = "cut" | "hung up" | "stalled" | "slow";

/** What is done to one connection, and when. */
interface Fault {
  readonly how: How;
  /** The direction that a stall stops. */
  readonly direction?: "up" | "down";
  readonly when:
    | { readonly kind: "bytes"; readonly connection: number; readonly bytes: number }
    | { readonly kind: "step"; readonly step: number; readonly which: number }
    | { readonly kind: "leaving"; readonly which: number };
}

/** How a run and its processes ended. */
export interface RunEnd {
  readonly seed: number;
  /** What happened, in words. */
  readonly what: string;
  readonly serverExit: number | string;
  readonly workerExits: readonly (number | string)[];
  readonly stateHash: string;
  readonly lockLeft: boolean;
  readonly processesLeft: number;
  /** Connections that passed through a link. */
  readonly connections: number;
  readonly output: string;
}

/** What happens to a run. */
export interface Plan {
  readonly seed: number;
  readonly encrypted: boolean;
  readonly shards: number;
  readonly transport: "auto" | "wire";
  readonly faults: readonly Fault[];
  /** Whether the second worker starts when the first has all its connections. */
  readonly inOrder: boolean;
}

export const UNDISTURBED: Plan = {
  ...{ seed: 0, encrypted: false, shards: 1, transport: "wire", faults: [], inOrder: false },
};

/**
 * The first worker's connection for weights stalls, with more to be written than it can hold, until both sides give it
 * up; the run takes longer than that, and ends.
 */
export const HALF_OPEN: Plan = {
  ...UNDISTURBED,
  inOrder: true,
  faults: [
    { how: "stalled", when: { kind: "bytes", connection: 1, bytes: 3_000_000 } },
    { how: "slow", when: { kind: "bytes", connection: 3, bytes: 1 } },
  ],
};

export function drawPlan(seed: number): Plan {
  const random = createRandom(seed);
  const encrypted = random.below(2) === 0;
  const shards = 1 + random.below(2);
  const faults = Array.from({ length: 1 + random.below(3) }, () => drawFault(random));
  // The workers are on the server's machine, though they reach it through links.
  const transport = random.below(2) === 0 ? "auto" : "wire";
  return { seed, encrypted, shards, transport, faults, inOrder: false };
}

export function runToTheEnd({ seed, encrypted, shards, transport, faults, inOrder }: Plan): Promise<RunEnd> {
  return withScene({}, async (scene) => {
    const dataset = join(dirname(scene.task), "flowers.csv");
    writeFileSync(dataset, flowers());
    writeFileSync(scene.task, JSON.stringify(taskOf(dataset)));
    const ports = await freePorts(seed);
    const links: Link[] = [];
    try {
      const server = await startServer(scene, { port: ports[0], shards, encrypted });
      const made: LinkConnection[] = [];
      const onConnection = (connection: LinkConnection): void => {
        const number = made.push(connection) - 1;
        for (const { when, ...fault } of faults) {
          if (when.kind !== "bytes" || when.connection !== number) continue;
          connection.onBytes(when.bytes, () => spoil(connection, fault));
        }
      };
      // Shard 1 skips a port, which is the dashboard's.
      for (const port of [ports[0], ports[2]].slice(0, shards)) {
        const options = { target: { host: "127.0.0.1", port }, listen: { host: LINKS_HOST, port }, onConnection };
        links.push(await openLink(options));
      }
      const token = readFileSync(join(scene.out, "token"), "utf8").trim();
      const workers: Program[] = [];
      for (let i = 0; i < WORKERS; i++) {
        const options = ["--compute-threads", "1", "--reconnect-for", "600", "--wait", "60"];
        const worker = ["worker", "join", `${LINKS_HOST}:${ports[0]}`, ...options];
        workers.push(scene.start(worker, { ISOBATCH_TOKEN: token, ISOBATCH_TRANSPORT: transport }));
        if (inOrder)
          await until(() => made.length >= 2 * workers.length, "a worker's connections", [server, ...workers]);
      }
      await untilEnded(scene, server, made, faults);
      // As a user would end workers that look for a server that is gone.
      for (const worker of workers) if (worker.exit === undefined) worker.signal("SIGTERM");
      for (const worker of workers) await until(() => worker.exit !== undefined, "a worker's end", []);
      return {
        seed,
        what: [encrypted ? "TLS" : "plain", `${shards} shards`, transport, ...faults.map(describeFault)].join(", "),
        serverExit: exitOf(server),
        workerExits: workers.map(exitOf),
        stateHash: hashIn(scene.out),
        lockLeft: existsSync(join(scene.out, "lock.json")),
        processesLeft: [server, ...workers].flatMap((program) => program.children()).length,
        connections: made.length,
        output: [server, ...workers].map(({ output }) => output.slice(-3_000)).join("\n---\n"),
      };
    } finally {
      await Promise.all(links.map((link) => link.close()));
    }
  });
}

function drawFault(random: Random): Fault {
  const how = (["cut", "cut", "cut", "hung up", "hung up", "stalled", "slow"] as const)[random.below(7)];
  const direction = ([undefined, "up", "down"] as const)[random.below(3)];
  const kind = (["bytes", "bytes", "step", "step", "leaving"] as const)[random.below(5)];
  const which = random.below(1_000);
  if (kind === "leaving") return { how, direction, when: { kind, which } };
  // The end of the run and the boundary at which it is evaluated are drawn as often as all other steps together.
  const step = [random.below(STEPS), EVALUATE_STEPS, STEPS, STEPS][random.below(4)];
  if (kind === "step") return { how, direction, when: { kind, step, which } };
  // As often among the first hundred bytes as at about a hundred thousand.
  const bytes = Math.floor(2 ** (random.below(2_000) / 100));
  return { how, direction, when: { kind, connection: random.below(8), bytes } };
}

function spoil(connection: LinkConnection, { how, direction }: Omit<Fault, "when">): void {
  if (how === "cut") connection.cut();
  else if (how === "hung up") connection.hangUp();
  else if (how === "stalled") connection.stall(direction);
  else connection.slowDown(SLOW_BYTES_PER_SECOND);
}

/** Breaks connections when the run reaches the drawn moments, until the server has ended. */
async function untilEnded(scene: Scene, server: Program, made: readonly LinkConnection[], faults: readonly Fault[]) {
  const rest = new Set(faults.filter(({ when }) => when.kind !== "bytes"));
  await until(() => {
    if (rest.size === 0) return server.exit !== undefined;
    const steps = stepsIn(scene.out);
    for (const fault of rest) {
      const { when } = fault;
      const due = when.kind === "step" ? steps >= when.step : /ends trained/.test(server.output);
      if (!due || when.kind === "bytes") continue;
      rest.delete(fault);
      const open = made.filter(({ closed }) => !closed);
      if (open.length > 0) spoil(open[when.which % open.length], fault);
    }
    return server.exit !== undefined;
  }, "the server's end");
}

function stepsIn(out: string): number {
  let steps = 0;
  for (const line of readJsonLines<MetricsLine>(join(out, METRICS_FILE)))
    if (line.type === "step") steps = line.step + 1;
  return steps;
}

function describeFault({ how, direction, when }: Fault): string {
  const what = how === "stalled" ? `stalled ${direction ?? "both ways"}` : how;
  if (when.kind === "bytes") return `connection ${when.connection} ${what} after ${when.bytes} bytes`;
  return `a connection ${what} ${when.kind === "step" ? `at step ${when.step}` : "while leaving"}`;
}

const exitOf = ({ exit }: Program): number | string => exit?.code ?? exit?.signal ?? "none";

function hashIn(out: string): string {
  const file = join(out, "summary.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).stateHash : "no summary";
}

async function startServer(scene: Scene, options: { port: number; shards: number; encrypted: boolean }) {
  const { port, shards, encrypted } = options;
  const places = ["--listen", `127.0.0.1:${port}`, "--shards", `${shards}`, "--workers-awaited", `${WORKERS}`];
  const tls = encrypted ? ["--tls", "--advertise", `${LINKS_HOST}:${port}`] : [];
  const server = scene.start(["server", scene.task, "--out", scene.out, "--no-http", ...places, ...tls]);
  await until(() => server.output.includes("worker join"), "the server's join line", [server]);
  return server;
}

const PORTS_FIRST = 20_000;
const PORTS = 3;
const BLOCKS = 3_000;

/** Adjacent ports that are free on both hosts, below the range from which the system assigns them. */
async function freePorts(seed: number): Promise<number[]> {
  for (let block = process.pid + 7 * seed; ; block++) {
    const ports = Array.from({ length: PORTS }, (_, i) => PORTS_FIRST + PORTS * (block % BLOCKS) + i);
    const free = await Promise.all(
      ports.flatMap((port) => ["127.0.0.1", LINKS_HOST].map((host) => isFree(host, port))),
    );
    if (free.every(Boolean)) return ports;
    await sleep(1);
  }
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
