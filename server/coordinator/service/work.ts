import type { ServerDuplexStream } from "@grpc/grpc-js";
import { IsobatchError, messageOf } from "../../../shared/errors.js";
import {
  callerOf,
  createWriter,
  readMessages,
  type WorkerCommand,
  type WorkerReportMessage,
} from "../../../shared/wire/index.js";
import type { Coordinator } from "../coordinator.js";
import { isOver } from "../status.js";
import { type ServiceOptions, SILENCE_MS } from "./options.js";
import { workerEvent } from "./worker-event.js";

/** A worker's stream: its reports become events until it ends. */
export async function work(
  { coordinator, log }: ServiceOptions,
  call: ServerDuplexStream<WorkerReportMessage, WorkerCommand>,
): Promise<void> {
  const writer = createWriter(call, { stallMs: SILENCE_MS, what: "The worker's stream" });
  const reports = readMessages(call, { stallMs: SILENCE_MS, what: "The worker" });
  const first = await reports.next();
  const id = first.value?.attach?.workerId;
  if (id === undefined) throw new IsobatchError("invalid_input", "The first report on Work must be attach.");
  const member = coordinator.members.attach(id, writer, callerOf(call)?.name ?? "");
  coordinator.dispatch({ kind: "workerAttached", worker: id, machine: member.host });
  let reason = "its stream broke";
  try {
    reason = await receiveReports(coordinator, id, reports);
  } catch (error) {
    reason = messageOf(error);
  } finally {
    coordinator.members.leave(id);
    coordinator.dispatch({ kind: "workerLost", worker: id, reason });
    log.info({ worker: id, reason }, "a worker has left");
  }
}

/** @returns why the worker leaves */
async function receiveReports(
  coordinator: Coordinator,
  worker: string,
  reports: AsyncIterable<WorkerReportMessage>,
): Promise<string> {
  for await (const report of reports) {
    const event = workerEvent(worker, report);
    if (report.leaseComputed != null) coordinator.waitedForSamples(report.leaseComputed.samplesMs);
    if (report.transport != null) coordinator.members.transport(worker, report.transport.name);
    if (event !== undefined) coordinator.dispatch(event);
  }
  return isOver(coordinator) ? "the run has ended" : "it has left";
}
