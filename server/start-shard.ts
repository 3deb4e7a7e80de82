import { join } from "node:path";
import { createGate, type MutableGate } from "../shared/credentials/index.js";
import { IsobatchError, messageOf } from "../shared/errors.js";
import { elementsOf, layoutFromJson, WIRE_FORMATS, type WireFormat } from "../shared/layout/index.js";
import type { Logger } from "../shared/log.js";
import { version } from "../shared/version.js";
import {
  type Address,
  type Connection,
  connect,
  createServer,
  createWriter,
  type MessageWriter,
  readMessages,
  type ServerTls,
  type ShardCommand,
  type ShardReportMessage,
  type ShardWelcome,
  shardService,
} from "../shared/wire/index.js";
import { createCheckpointStore } from "./checkpoint/index.js";
import { RUN_FILES } from "./record/index.js";
import {
  commandEvent,
  createShard,
  failureMessage,
  type NearFolder,
  type NearMemoryOptions,
  openNearFolder,
  reportMessage,
  type Shard,
  trafficMessage,
} from "./shard/index.js";

export interface ShardProcessOptions {
  /** From 1; shard 0 runs in the coordinator's process. */
  readonly index: number;
  readonly coordinator: Address;
  /** The token that admits it to the coordinator. */
  readonly token: string;
  /** The certificate for workers; without it nothing is encrypted. */
  readonly tls?: ServerTls;
  /** The run directory. */
  readonly out: string;
  readonly listen: Address;
  /** See ServerOptions. */
  readonly memory?: NearMemoryOptions;
  readonly log: Logger;
}

export interface RunningShard {
  /** Resolves when the coordinator has ended the run, rejects when it is lost or refuses. */
  readonly finished: Promise<void>;
  abort(): Promise<void>;
}

const CONNECT_MS = 30_000;
const WELCOME_MS = 10_000;
/** Commands arrive at the run's pace; the writer stalls only if the coordinator hangs. */
const STALL_MS = 60_000;
const SHUTDOWN_MS = 2_000;
/** The greatest age of this process's metrics. */
const TRAFFIC_MS = 1_000;

/**
 * Runs one shard other than the first: it listens for workers and follows the coordinator's commands on its Serve
 * stream. It ends with that stream: its state is void then, and its parent process starts it again.
 */
export async function startShard(options: ShardProcessOptions): Promise<RunningShard> {
  const stopped = new AbortController();
  const stream = await openStream(options, stopped.signal);
  const gate = createGate();
  const server = createServer({ gate, tls: options.tls });
  const crash = createCrash();
  let closeShard = (): void => {};
  const close = async (): Promise<void> => {
    stream.writer.end();
    await server.shutdown(SHUTDOWN_MS);
    closeShard();
    gate.close();
    stream.connection.close();
  };

  try {
    const welcome = await askWelcome(stream, options.index, stopped);
    gate.replace(welcome.passes);
    const wire = wireFormatOf(welcome.wire);
    const near = await openNearFolder(options.memory, options.log);
    const shard = shardOf(options, { ...welcome, wire }, stream, near, crash.crash);
    closeShard = shard.close;
    server.addService(shardService, shard.handlers);
    const address = await server.listen(options.listen);
    server.setServing(true);
    await stream.writer.write({ ready: { address: `:${address.port}`, checkpoints: shard.checkpoints() } });
    const reporting = reportTraffic(shard, stream);
    const finished = Promise.race([followCommands(stream, shard, gate), crash.crashed]).finally(() => {
      clearInterval(reporting);
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
}

/** The shard's side of its Serve stream. */
interface Stream {
  readonly connection: Connection;
  readonly writer: MessageWriter<ShardReportMessage>;
  readonly commands: AsyncGenerator<ShardCommand>;
  /** Sends a report. A failure is only logged, since the reading side ends then as well. */
  send(report: ShardReportMessage): void;
}

async function openStream({ coordinator, token, log }: ShardProcessOptions, signal: AbortSignal): Promise<Stream> {
  const connection = await connect(coordinator, { token, waitMs: CONNECT_MS });
  const call = connection.coordinator.serve();
  const writer = createWriter<ShardReportMessage>(call, { stallMs: STALL_MS, what: "The stream to the coordinator" });
  const commands = readMessages(call, { what: "The coordinator", signal });
  return {
    connection,
    writer,
    commands,
    send: (report) => void writer.write(report).catch((error: unknown) => log.debug(messageOf(error))),
  };
}

/** @throws {IsobatchError} `unavailable` if the coordinator does not answer with a welcome */
async function askWelcome(
  { writer, commands }: Stream,
  index: number,
  stopped: AbortController,
): Promise<ShardWelcome> {
  await writer.write({ hello: { index, version } });
  const timer = setTimeout(() => stopped.abort(), WELCOME_MS);
  try {
    const first = await commands.next();
    const welcome: ShardWelcome | undefined = first.value?.welcome;
    if (welcome === undefined) throw new IsobatchError("unavailable", "The coordinator did not welcome this shard.");
    return welcome;
  } finally {
    clearTimeout(timer);
  }
}

function shardOf(
  options: ShardProcessOptions,
  { runId, taskHash, leaseKey, layoutJson, firstChunk, endChunk, wire }: ShardWelcome & { readonly wire: WireFormat },
  { send }: Stream,
  near: NearFolder | undefined,
  crash: (error: unknown) => void,
): Shard {
  const layout = layoutFromJson(layoutJson);
  const range = { firstChunk, endChunk };
  const slice = elementsOf(layout, range);
  const folder = join(options.out, RUN_FILES.checkpoints);
  return createShard({
    layout,
    range,
    runId,
    leaseKey,
    near,
    wire,
    store: createCheckpointStore({ folder, layout, slice, runId, taskHash }),
    log: options.log.child({ shard: options.index, run: runId }),
    report: (report) => send(reportMessage(report)),
    onFailed(error) {
      // A bug ends this process, and a restarted one may succeed. Any other error would happen again: the coordinator
      // ends the run, and then this shard.
      if (error instanceof IsobatchError) send(failureMessage(error));
      else crash(error);
    },
  });
}

function wireFormatOf(word: string): WireFormat {
  const known = WIRE_FORMATS.find((format) => format === word);
  if (known !== undefined) return known;
  throw new IsobatchError(
    "damaged",
    `The coordinator's welcome has the wire format "${word}"; there are ${WIRE_FORMATS.join(" and ")}.`,
  );
}

/** Reports the shard's traffic whenever it has changed. */
function reportTraffic({ traffic }: Shard, { send }: Stream): NodeJS.Timeout {
  let reported = "";
  return setInterval(() => {
    const message = trafficMessage(traffic);
    const text = JSON.stringify(message);
    if (text !== reported) send(message);
    reported = text;
  }, TRAFFIC_MS);
}

/** Carries out the coordinator's commands until it sends stop. */
async function followCommands({ commands }: Stream, shard: Shard, gate: MutableGate): Promise<void> {
  for await (const command of commands) {
    if (command.stop != null) return;
    if (command.keep != null) shard.keep(command.keep.steps);
    if (command.passes != null) gate.replace(command.passes);
    const event = commandEvent(command);
    if (event !== undefined) shard.handle(event);
  }
  throw new IsobatchError("unavailable", "The connection to the coordinator was lost.");
}

/** A way to end the process from inside the shard. */
function createCrash(): { crashed: Promise<never>; crash: (error: unknown) => void } {
  let crash: (error: unknown) => void = () => {};
  const crashed = new Promise<never>((_, reject) => {
    crash = reject;
  });
  crashed.catch(() => {});
  return { crashed, crash };
}
