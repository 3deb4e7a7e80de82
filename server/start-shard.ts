import { join } from "node:path";
import { createGate } from "../shared/credentials/index.js";
import { IsobatchError, messageOf } from "../shared/errors.js";
import { elementsOf, layoutFromJson } from "../shared/layout/index.js";
import type { Logger } from "../shared/log.js";
import { version } from "../shared/version.js";
import {
  type Address,
  connect,
  createServer,
  createWriter,
  readMessages,
  type ServerTls,
  type ShardReport,
  shardService,
} from "../shared/wire/index.js";
import { createCheckpointStore } from "./checkpoint/index.js";
import { RUN_FILES } from "./observe/index.js";
import {
  commandEvent,
  createShard,
  failureMessage,
  passesOf,
  reportMessage,
  type Shard,
  trafficMessage,
} from "./shard/index.js";

export interface ShardProcessOptions {
  /** From 1; shard 0 lives with the coordinator. */
  readonly index: number;
  readonly coordinator: Address;
  /** Admits it to the coordinator. */
  readonly token: string;
  /** Shown to workers; without it nothing is encrypted. */
  readonly tls?: ServerTls;
  /** The run directory. */
  readonly out: string;
  readonly listen: Address;
  readonly log: Logger;
}

export interface RunningShard {
  /** Resolves when the coordinator has ended the run, rejects when it is lost or refuses. */
  readonly finished: Promise<void>;
  abort(): Promise<void>;
}

const CONNECT_MS = 30_000;
const WELCOME_MS = 10_000;
/** Serve's commands come at the run's own pace; the writer stalls only when the coordinator hangs. */
const STALL_MS = 60_000;
const FAREWELL_MS = 2_000;
/** Metrics of this process are so old at most. */
const TRAFFIC_MS = 1_000;

/**
 * Runs one shard beyond the first: it listens for workers, and obeys the coordinator on its Serve stream. It ends
 * with that stream: what it holds is void then, and whoever started it starts it again.
 */
export async function startShard(options: ShardProcessOptions): Promise<RunningShard> {
  const { index, token } = options;
  let log = options.log.child({ shard: index });
  const stopped = new AbortController();
  const connection = await connect(options.coordinator, { token, waitMs: CONNECT_MS });
  const call = connection.coordinator.Serve();
  const writer = createWriter<ShardReport>(call, { stallMs: STALL_MS, what: "The stream to the coordinator" });
  const what = "The coordinator";
  const commands = readMessages(call, { what, signal: stopped.signal });
  const gate = createGate();
  const server = createServer({ gate, tls: options.tls });
  let crash: (error: unknown) => void;
  const crashed = new Promise<never>((_, reject) => {
    crash = reject;
  });
  crashed.catch(() => {});
  const close = async (): Promise<void> => {
    writer.end();
    await server.shutdown(FAREWELL_MS);
    gate.close();
    connection.close();
  };

  try {
    const shard = await welcomed();
    const telling = tellTraffic(shard);
    const finished = Promise.race([obey(shard), crashed]).finally(() => {
      clearInterval(telling);
      return close();
    });
    finished.catch(() => {});
    return {
      finished,
      async abort() {
        stopped.abort();
        await finished.catch(() => {});
      },
    };
  } catch (error) {
    await close();
    throw error;
  }

  async function welcomed() {
    await writer.write({ hello: { index, version: version } });
    const timer = setTimeout(() => stopped.abort(), WELCOME_MS);
    const first = await commands.next();
    clearTimeout(timer);
    const welcome = first.value?.welcome;
    if (welcome == null) throw new IsobatchError("unavailable", "The coordinator did not welcome this shard.");
    gate.replace(passesOf(welcome.passes));
    const layout = layoutFromJson(welcome.layoutJson);
    const range = { firstChunk: welcome.firstChunk, endChunk: welcome.endChunk };
    const slice = elementsOf(layout, range);
    const folder = join(options.out, RUN_FILES.checkpoints);
    const { runId, taskHash, leaseKey } = welcome;
    log = log.child({ run: runId });
    const shard = createShard({
      layout,
      range,
      runId,
      leaseKey,
      store: createCheckpointStore({ folder, layout, slice, runId, taskHash }),
      log,
      report: (report) => send(reportMessage(report)),
      onFailed(error) {
        // A bug ends this process, and its successor may fare better. Anything else would happen again: the
        // coordinator ends the run, and then this shard.
        if (error instanceof IsobatchError) send(failureMessage(error));
        else crash(error);
      },
    });
    server.addService(shardService, shard.handlers);
    const address = await server.listen(options.listen);
    server.setServing(true);
    await writer.write({ ready: { address: `:${address.port}`, checkpoints: shard.checkpoints() } });
    return shard;
  }

  function send(report: ShardReport): void {
    writer.write(report).catch((error: unknown) => log.debug(messageOf(error)));
  }

  /** Says what has gone through the shard, when something has. */
  function tellTraffic({ traffic }: Shard): NodeJS.Timeout {
    let told = "";
    return setInterval(() => {
      const message = trafficMessage(traffic);
      const text = JSON.stringify(message);
      if (text !== told) send(message);
      told = text;
    }, TRAFFIC_MS);
  }

  async function obey(shard: Shard): Promise<void> {
    for await (const command of commands) {
      if (command.stop != null) return;
      if (command.keep != null) shard.keep(command.keep.steps);
      if (command.passes != null) gate.replace(passesOf(command.passes));
      const event = commandEvent(command);
      if (event !== undefined) shard.handle(event);
    }
    throw new IsobatchError("unavailable", "The coordinator has gone.");
  }
}
