/**
 * A server process of a run: the coordinator with shard 0, or a further shard, which the first process starts. The parent may ask
 * for its usage at any time; nothing is counted in between, so that measuring costs the servers nothing.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type ShardProcessOptions, startServer, startShard } from "../../server/index.js";
import { createToken } from "../../shared/credentials/index.js";
import { createLog } from "../../shared/log.js";
import { formatAddress } from "../../shared/wire/index.js";
import { resolveTask } from "../../tasks/index.js";
import { answerOf } from "../child-answer.js";
import { type Usage, usage } from "./usage.js";

export interface ServerStart {
  /** A task as in a JSON file. */
  readonly task: object;
  readonly out: string;
  readonly shards: number;
  readonly workers: number;
}

/** Its first message. */
export interface ServerReady {
  readonly address: string;
  readonly token: string;
}

/** Its answer to any message. */
export interface ServerUsage {
  /** Committed steps. */
  readonly steps: number;
  readonly coordinator: Usage;
  /** The usage of shards 1, 2, … */
  readonly shards: readonly Usage[];
}

const log = createLog({ level: "warn", pretty: false });
const AWAIT_MS = 120_000;
const self = fileURLToPath(import.meta.url);

async function serve({ task, out, shards, workers }: ServerStart): Promise<void> {
  const token = createToken();
  const children: ChildProcess[] = [];
  const server = await startServer({
    task: resolveTask("the benchmark's task", task),
    ...{ out, shards, log, workersAwaited: workers, awaitMs: AWAIT_MS },
    listen: { host: "127.0.0.1", port: 0 },
    tls: { kind: "none" },
    tokens: [{ name: "bench", role: "worker", token }],
    spawnShard(place) {
      const child = fork(self, ["shard", JSON.stringify({ ...place, out })]);
      children[place.index - 1] = child;
      return { exited: once(child, "exit").then(([code]) => `exit code ${code}`), kill: () => void child.kill() };
    },
  });
  const ask = (child: ChildProcess): Promise<Usage> => {
    child.send("usage");
    return answerOf<Usage>(child);
  };
  process.on("message", async () => {
    const coordinator = usage();
    const answer: ServerUsage = {
      steps: Number(server.status().step),
      coordinator,
      shards: await Promise.all(children.map(ask)),
    };
    // The process that asked may have ended meanwhile.
    process.send?.(answer, () => {});
  });
  process.send?.({ address: formatAddress(server.address), token } satisfies ServerReady);
  await server.finished;
  process.disconnect();
}

async function shard(options: Omit<ShardProcessOptions, "log">): Promise<void> {
  process.on("message", () => process.send?.(usage()));
  const shard = await startShard({ ...options, log });
  // It ends with the first process, which reports any error.
  await shard.finished.catch(() => {});
  process.disconnect();
}

process.once("disconnect", () => process.exit());
const [role, json] = process.argv.slice(2);
await (role === "shard" ? shard(JSON.parse(json)) : serve(JSON.parse(role)));
