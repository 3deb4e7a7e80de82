/**
 * A compute thread: answers the main thread's requests, one after the other, each synchronously. Its θ, gradient and
 * sums lie in the worker's shared memories; its model, its backend and its kernels are its own.
 */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { IsobatchError, messageOf } from "../../shared/errors.js";
import { systemError } from "../../shared/system-errors.js";
import { during, joinTrace } from "../../shared/trace/index.js";
import { openBackend } from "../backends/index.js";
import { createFold, type Fold } from "./fold.js";
import { createGradients } from "./gradients.js";
import { attachMemory, gradientAddresses, planMemory, sumAddresses } from "./memory.js";
import { NonFiniteError } from "./non-finite-error.js";
import type { Failure, Reply, ReplyOf, Request, RequestName, RequestOf, ThreadStart } from "./protocol.js";
import { createSums } from "./sums.js";

type Handlers = { [Name in RequestName]: (request: RequestOf<Name>) => ReplyOf<Name> };

async function start(options: ThreadStart, port: MessagePort): Promise<void> {
  const { thread, threads, memories, join } = options;
  joinTrace(options.trace);
  const backend = await during("backend", () => openBackend(options.backend));
  const plan = planMemory(options.layout, threads);
  const memory = attachMemory({ plan, memories });
  const sums = createSums(memory, thread);
  const send = (reply: Reply): void => port.postMessage(reply);
  const { flip } = options;
  const notice = (line: string): void => send({ notice: line });
  const gradients = await during("model", () => createGradients({ ...join, backend, memory, notice, flip }));

  let current: (RequestOf<"fold"> & { fold: Fold; computedAt?: number }) | undefined;

  const handlers: Handlers = {
    load() {
      gradients.load();
      return null;
    },
    fold(request) {
      current = { ...request, fold: createFold(request.lo, request.hi, request.microBatches, request.slots) };
      return null;
    },
    microBatch({ batch }) {
      if (current === undefined) throw new Error(`micro-batch ${batch.number} without a fold`);
      const { fold, weights, firstMicroBatch, computedAt } = current;
      if (batch.number !== firstMicroBatch + fold.leaf) {
        throw new Error(`micro-batch ${batch.number} in the place of ${firstMicroBatch + fold.leaf}`);
      }
      const waitedMs = computedAt === undefined ? 0 : performance.now() - computedAt;
      const { target } = fold;
      const addresses = target === "gradient" ? gradientAddresses(plan, thread) : sumAddresses(plan, target.slot, "s1");
      const loss = gradients.gradient(batch, addresses);
      for (const operation of fold.accept()) sums.perform(operation, weights, { index: 0, of: 1 });
      current.computedAt = performance.now();
      return { loss, waitedMs };
    },
    nodes() {
      const nodes = current?.fold.nodes() ?? [];
      current = undefined;
      return { nodes };
    },
    join({ operations, nodes, weights, part }) {
      for (const operation of operations) sums.perform(operation, weights, part);
      return { finite: nodes.map((node) => sums.nodeFinite(node, part)) };
    },
    evaluate: ({ batch }) => gradients.evaluate(batch),
  };

  port.on("message", (request: Request) => {
    const handle = handlers[request.name] as (request: Request) => ReplyOf<RequestName>;
    try {
      send({ reply: handle(request) });
    } catch (error) {
      send({ failed: failureOf(error) });
    }
  });
  send({ ready: { numerics: backend.numerics, device: backend.device } });
}

function failureOf(thrown: unknown): Failure {
  const error = systemError(thrown);
  return {
    message: messageOf(error),
    stack: error instanceof Error ? error.stack : undefined,
    code: error instanceof IsobatchError ? error.code : undefined,
    microBatch: error instanceof NonFiniteError ? error.microBatch : undefined,
  };
}

const port = parentPort!;
await start(workerData as ThreadStart, port).catch((error: unknown) => {
  port.postMessage({ failed: failureOf(error) } satisfies Reply);
});
