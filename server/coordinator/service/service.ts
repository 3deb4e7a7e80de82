import { layoutToJson } from "../../../shared/layout/index.js";
import {
  type CoordinatorHandlers,
  callerOf,
  createHandlers,
  createWriter,
  type RunDescription,
} from "../../../shared/wire/index.js";
import type { SampleSpec } from "../../../tasks/index.js";
import { control } from "../control.js";
import { fetchSamples } from "./fetch-samples.js";
import { join } from "./join.js";
import { type ServiceOptions, SILENCE_MS } from "./options.js";
import { serve } from "./serve.js";
import { work } from "./work.js";

/** The interval of the workers' heartbeats; a worker that misses three is silent. */
const HEARTBEAT_MS = 1_000;

/** The coordinator's gRPC handlers: each turns a call into events, and answers from the state. */
export function createCoordinatorHandlers(options: ServiceOptions): CoordinatorHandlers {
  const { coordinator, metrics, log } = options;
  const { unary, serverStream, bidi } = createHandlers((error, method) => {
    log.error({ err: error, method }, "a handler failed");
  });
  const shared = forEveryWorker(options);

  return {
    Join: unary((call) => join(options, shared, call.request, callerOf(call)?.name ?? "")),

    Work: bidi((call) => work(options, call)),

    Serve: bidi((call) => serve(options, shared.layoutJson, call)),

    FetchSamples: serverStream((call) => fetchSamples(options, call)),

    GetStatus: unary(() => options.status()),

    WatchMetrics: serverStream(async (call) => {
      const writer = createWriter(call, { stallMs: SILENCE_MS, what: "The metrics' stream" });
      const unsubscribe = metrics.subscribe(call.request.fromLine, (json, line) => writer.write({ line, json }));
      await new Promise<void>((resolve) => {
        writer.ended.addEventListener("abort", () => resolve(), { once: true });
      });
      unsubscribe();
    }),

    Control: unary(({ request }) => {
      const aboutTokens = options.controlTokens(request);
      if (aboutTokens === undefined) return { message: control(coordinator, request), name: "", token: "", tokens: [] };
      log.info({ request: Object.keys(request)[0] }, aboutTokens.message || "tokens were listed");
      return aboutTokens;
    }),
  };
}

/** The part of Join's answer that is the same for every worker. */
function forEveryWorker({ prepared, directory, samples }: ServiceOptions) {
  const { task, data, built } = prepared;
  const form: SampleSpec = { input: data.train.input, label: data.train.label };
  return {
    runId: directory.identity.runId,
    taskJson: JSON.stringify(task),
    topologyJson: built.topology,
    layoutJson: layoutToJson(built.layout),
    datasetFingerprint: data.fingerprint,
    sampleFormJson: JSON.stringify(form),
    heartbeatMs: HEARTBEAT_MS,
    evaluationBatches: samples.evaluationBatches,
  } satisfies RunDescription;
}
