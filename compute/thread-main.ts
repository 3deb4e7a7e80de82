/**
 * A compute thread: answers the main thread's requests, one at a time. Its θ, gradient and sums are in the
 * worker's shared memories; its model, its backend and its kernels are its own.
 */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { openBackend, withoutStatus } from "../backends/index.js";
import { IsobatchError, messageOf } from "../shared/errors.js";
import { systemError } from "../shared/system-errors.js";
import { began, during, joinTrace, span } from "../shared/trace/index.js";
import { NonFiniteError, TooLargeError } from "./errors.js";
import { createGradients } from "./gradients/index.js";
import { createLeaseWork } from "./lease-work.js";
import { attachMemory, planMemory } from "./memory.js";
import type { Note, Reply, ReplyOf, Request, RequestName, RequestOf, ThreadFailure, ThreadStart } from "./protocol.js";
import { createSums } from "./sums.js";

/** The functions that answer requests; a lease is answered later, by its work. */
type Handlers = { [Name in Exclude<RequestName, "lease">]: (request: RequestOf<Name>) => ReplyOf<Name> };

async function start(options: ThreadStart, port: MessagePort): Promise<void> {
  const { thread, threads, memories, join } = options;
  joinTrace(options.trace);
  const backend = await during("backend", () => openBackend(options.backend, options.backendSettings));
  const plan = planMemory(options.layout, threads);
  const memory = attachMemory({ plan, memories });
  const sums = createSums(memory, thread);
  const send = (reply: Reply): void => port.postMessage(reply);
  const reply = (reply: ReplyOf<RequestName>): void => send({ reply });
  const fail = (error: unknown): void => send({ failed: failureOf(error) });
  const { flip, foldOn } = options;
  const notice = (line: string): void => send({ notice: line });
  const gradients = await during("model", () =>
    createGradients({ ...join, backend, memory, thread, notice, flip, foldOn }),
  );
  const work = createLeaseWork({
    thread,
    memory,
    sums,
    gradients,
    failed: fail,
    ended: reply,
    computed: (number) => send({ computed: number }),
  });
  /** Why the weights could not be loaded; work that needs them may be requested before that is known. */
  let unloaded: { readonly error: unknown } | undefined;

  const handlers: Handlers = {
    load() {
      const begun = began();
      try {
        gradients.load();
        span("load", begun);
        unloaded = undefined;
      } catch (error) {
        unloaded = { error };
        throw error;
      }
      return null;
    },
    join({ operations, nodes, coefficients, part }) {
      const begun = began();
      for (const operation of operations) sums.perform(operation, coefficients, part);
      const finite = nodes.map((node) => sums.nodeFinite(node, part));
      span("joined", begun, operations.length);
      return { finite };
    },
    evaluate({ batch }) {
      if (unloaded !== undefined) throw unloaded.error;
      const begun = began();
      const evaluated = gradients.evaluate(batch);
      span("batch", begun, batch.number);
      return evaluated;
    },
  };

  const answer = (request: Request): void => {
    if (request.name === "lease") {
      if (unloaded !== undefined) return fail(unloaded.error);
      return work.begin(request);
    }
    const handle = handlers[request.name] as (request: Request) => ReplyOf<RequestName>;
    try {
      reply(handle(request));
    } catch (error) {
      fail(error);
    }
  };

  port.on("message", (message: Request | Note) => {
    if (message.name === "samples") return work.give(message.batch);
    if (message.name === "abandon") return work.abandon();
    answer(message);
  });
  send({ ready: { numerics: backend.numerics, device: backend.device } });
}

function failureOf(thrown: unknown): ThreadFailure {
  const error = systemError(thrown);
  return {
    message: withoutStatus(messageOf(error)),
    stack: error instanceof Error ? error.stack : undefined,
    code: error instanceof IsobatchError ? error.code : undefined,
    microBatch: error instanceof NonFiniteError ? error.microBatch : undefined,
    tooLarge: error instanceof TooLargeError,
  };
}

const port = parentPort!;
await start(workerData as ThreadStart, port).catch((error: unknown) => {
  port.postMessage({ failed: failureOf(error) } satisfies Reply);
});
