// A project that depends on the package, as strict as TypeScript is. It is compiled against what is packed, and never run.
import {
  defineTask,
  type ErrorCode,
  evaluate,
  experiment,
  exportModel,
  IsobatchError,
  join,
  type LoadedRun,
  loadRun,
  predict,
  type RunEvent,
  type RunSummary,
  serve,
  type TaskDefinition,
  train,
} from "isobatch";
import { SelfAttention } from "isobatch/layers";

const task: TaskDefinition = defineTask({
  extends: "mnist",
  name: "mine",
  model: (tf) =>
    tf.sequential({
      layers: [tf.layers.flatten({ inputShape: [28, 28, 1] }), tf.layers.dense({ units: 10, activation: "linear" })],
    }),
  optimizer: { name: "invariant", rule: "pathwise" },
  microBatchesPerStep: { perWorker: 2, max: 64 },
});

function lineOf(event: RunEvent): string {
  switch (event.type) {
    case "step":
      return `${event.samples}: ${event.loss.toFixed(3)}`;
    case "evaluation":
      return event.accuracy === null ? "" : `${event.accuracy}`;
    case "failed":
      return `${event.code}: ${event.reason}`;
    case "kappa":
      return `${event.from ?? "-"} → ${event.kappa}`;
    default:
      return event.type;
  }
}

export async function all(signal: AbortSignal): Promise<RunSummary> {
  const run = await train(task, {
    workers: 2,
    out: "runs/mine",
    signal,
    onLog: ({ level, message }) => [level, message],
  });
  for await (const event of run.events()) lineOf(event);
  const { outcome, summary } = await run.result;
  const word: "complete" | "already complete" | "stopped" = outcome;
  // @ts-expect-error a word that no run ends with
  if (word === "failed") throw new Error(word);
  await run.checkpoint();
  const workers: readonly { readonly id: string }[] = run.status().workers;

  const server = await serve("mnist", {
    listen: "127.0.0.1:0",
    tls: { certFile: "a.pem", keyFile: "a.key" },
    stay: true,
  });
  if (server.token === undefined) return summary;
  const worker = await join(server.joinAddress, { token: server.token, computeThreads: workers.length });
  await worker.leave();
  await server.stop({ workersWait: true });

  const { accuracy, notes } = await evaluate("runs/mine");
  const loaded: LoadedRun = await loadRun("runs/mine");
  const shape: (number | null)[] | undefined = loaded.model.inputs[0]?.shape;
  const predictions = await predict("runs/mine", [new Uint8Array(784), [1, 2], { x: 1 }, "text"]);
  const best: number | undefined = predictions[0]?.probabilities?.[predictions[0].class ?? 0];
  const { file } = await exportModel("runs/mine", { format: "tfjs" });
  const { cells } = await experiment("invariance", { preset: "quick" });
  const { arms } = await experiment("elastic");
  if (![accuracy, notes, shape, best, file, cells, arms].length) throw new IsobatchError("damaged", "no");
  return summary;
}

export function codeOf(error: unknown): ErrorCode | undefined {
  return error instanceof IsobatchError ? error.code : undefined;
}

// @ts-expect-error a field that no task has
defineTask({ lr: 1 });
// @ts-expect-error a loss that there is not
defineTask({ loss: "crossEntropy" });
// @ts-expect-error a worker needs a token
void join("127.0.0.1:7400", {});

export const attention = new SelfAttention({ heads: 2 });
