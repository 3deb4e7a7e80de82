/** What the record says of workers that come and go. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { call, coordinatorService } from "../../shared/wire/index.js";
import { type EventLine, METRICS_FILE, type MetricsLine, readJsonLines } from "../record/index.js";
import { CALL, connectTo, joinRequest, serve, smallTask, TOKEN, work } from "../test-server.test.helper.js";
import { createAttendance } from "./attendance.js";

const eventsIn = (out: string): string[] =>
  [...readJsonLines<MetricsLine>(join(out, METRICS_FILE))].flatMap((line) =>
    line.type === "event" ? [[line.event, line.worker, line.reason].filter(Boolean).join(" ")] : [],
  );

describe("the record of a run's workers", { timeout: 60_000 }, () => {
  it("has who came and who was lost, and not who left at the end", async (test) => {
    const server = await serve(test, { task: await smallTask(3), command: "isobatch server small" });
    const { coordinator } = await connectTo(test, server.address, TOKEN);
    const lost = await call(coordinator, coordinatorService.Join, joinRequest({ device: "one thread" }), CALL);
    const stream = coordinator.work();
    const ended = new Promise((resolve) => stream.once("end", resolve).once("error", resolve));
    stream.write({ attach: { workerId: lost.workerId } });
    stream.resume();
    stream.end();
    await ended;
    await work(test, server.address);
    await server.finished;
    const events = eventsIn(server.out);
    assert.equal(events[0], "started");
    assert.deepEqual(
      events.filter((event) => event.startsWith("worker")),
      ["workerJoined tester-1", "workerLeft tester-1 it has left", "workerJoined tester-2"],
    );
    const [started] = readJsonLines<MetricsLine>(join(server.out, METRICS_FILE));
    assert.equal(started.type === "event" && started.command, "isobatch server small");
  });

  it("has no losses when the server ends at once", async (test) => {
    const server = await serve(test, { task: await smallTask(50) });
    let reached = (): void => {};
    const middle = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const worker = await work(test, server.address, { onLease: async () => reached() });
    worker.ended.catch(() => {});
    await middle;
    await server.abort();
    assert.deepEqual(
      eventsIn(server.out).filter((event) => event.startsWith("worker")),
      ["workerJoined tester-1"],
    );
  });

  it("is bounded, however often workers come and go", () => {
    const lines: EventLine[] = [];
    const member = { host: "h", device: "d", computeThreads: 1, numerics: { backend: "wasm" } };
    const attendance = createAttendance({
      members: { get: () => member as never },
      state: { phase: "stepping" },
      progress: { failure: "" },
      record: (line) => void lines.push(line),
    });
    for (let i = 0; i < 5_000; i++) {
      attendance.event({ kind: "workerAttached", worker: `w-${i}` });
      attendance.event({ kind: "workerLost", worker: `w-${i}`, reason: "it has left" });
    }
    assert.equal(lines.length, 1_001);
    assert.match(String(lines.at(-1)?.message), /^1000 arrivals and departures of workers are recorded/);
  });
});
