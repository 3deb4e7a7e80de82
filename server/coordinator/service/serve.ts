import type { ServerDuplexStream } from "@grpc/grpc-js";
import { IsobatchError, messageOf } from "../../../shared/errors.js";
import { createWriter, readMessages, type ShardCommand, type ShardReportMessage } from "../../../shared/wire/index.js";
import { failureOf, reportOf, trafficOf } from "../../shard/index.js";
import { remoteLink, reportEvent } from "../shard-links.js";
import { checkVersion } from "./check-version.js";
import { type ServiceOptions, SILENCE_MS } from "./options.js";

/** The stream of a shard in its own process: after the welcome, its reports become events until the stream ends. */
export async function serve(
  options: ServiceOptions,
  layoutJson: string,
  call: ServerDuplexStream<ShardReportMessage, ShardCommand>,
): Promise<void> {
  const { coordinator, directory, slices, leaseKey, gate, log } = options;
  const writer = createWriter(call, { stallMs: SILENCE_MS, what: "The shard's stream" });
  const reports = readMessages(call, { what: "The shard" });
  const hello = (await reports.next()).value?.hello;
  if (hello == null) throw new IsobatchError("invalid_input", "The first report on Serve must be hello.");
  const { index } = hello;
  checkVersion(hello.version, options.version, `Shard ${index}`);
  const slice = slices[index];
  if (slice === undefined || index === 0) {
    throw new IsobatchError("refused", `This run has no shard ${index} for another process; it has ${slices.length}.`);
  }
  const { runId, taskHash } = directory.identity;
  await writer.write({
    welcome: {
      runId,
      taskHash,
      leaseKey,
      layoutJson,
      ...slice,
      passes: gate.passes,
      wire: options.prepared.task.wire,
    },
  });
  const unlisten = gate.onReplaced((passes) => {
    writer.write({ passes }).catch(() => {});
  });
  writer.ended.addEventListener("abort", unlisten, { once: true });
  const ready = (await reports.next()).value?.ready;
  if (ready == null) throw new IsobatchError("invalid_input", "The second report on Serve must be ready.");
  const link = remoteLink(ready.address, writer, log);
  coordinator.attachShard(index, link, ready.checkpoints);
  let reason = "it has left";
  try {
    for await (const report of reports) {
      if (report.failed != null) coordinator.fail(failureOf(report.failed));
      else if (report.traffic != null) coordinator.shardTraffic[index] = trafficOf(report.traffic);
      else coordinator.dispatch(reportEvent(index, reportOf(report)));
    }
  } catch (error) {
    reason = messageOf(error);
  } finally {
    coordinator.detachShard(index, link, reason);
  }
}
