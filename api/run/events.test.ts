import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type MetricsLine, openMetrics } from "../../server/record/index.js";
import type { RunEvent } from "../types/events.js";
import { createNotices, runEvents } from "./events.js";

const evaluation = (samples: number): MetricsLine => ({
  type: "evaluation",
  step: 1,
  samples,
  loss: 1,
  accuracy: null,
});
const restored = (at: string): MetricsLine => ({ type: "event", event: "restored", at, step: 0 });
const OLD = "2020-01-01T00:00:00.000Z";
const NEW = "2999-01-01T00:00:00.000Z";

/** The events of a run whose file has `lines` at first, as `use` takes them. */
async function withRun(
  lines: readonly MetricsLine[],
  use: (run: {
    events(earlier?: boolean): AsyncGenerator<RunEvent>;
    append(line: MetricsLine): void;
    cutBack(step: number): void;
    notice(message: string): void;
    end(): void;
  }) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-events-"));
  const metrics = openMetrics(folder);
  const notices = createNotices();
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const source = { metrics, path: metrics.path, startedAt: NEW, notices, ended };
  try {
    for (const line of lines) metrics.append(line);
    await use({
      events: (earlier) => runEvents(source, { earlier }),
      append: (line) => metrics.append(line),
      cutBack: (step) => metrics.cutBack(step),
      notice: notices.add,
      end() {
        metrics.close();
        end();
      },
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const samplesOf = (events: readonly RunEvent[]): unknown[] =>
  events.map((event) => (event.type === "evaluation" ? event.samples : event.type));

async function all(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const found: RunEvent[] = [];
  for await (const event of events) found.push(event);
  return found;
}

describe("a run's events", () => {
  const file = [restored(OLD), evaluation(100), restored(NEW), evaluation(200)];

  it("are those of this start, and of earlier ones only if they are asked for", async () => {
    await withRun(file, async ({ events, end }) => {
      const [now, everything] = [events(), events(true)];
      end();
      assert.deepEqual(samplesOf(await all(now)), ["restored", 200]);
      assert.deepEqual(samplesOf(await all(everything)), ["restored", 100, "restored", 200]);
    });
  });

  it("reach a reader who is slow, or comes when the run has ended, all the same", async () => {
    await withRun(file, async ({ events, append, end }) => {
      const slow = events();
      assert.equal((await slow.next()).value.type, "restored");
      for (let samples = 300; samples < 1_500; samples += 100) append(evaluation(samples));
      assert.equal((await slow.next()).value.samples, 200);
      end();
      const rest = Array.from({ length: 12 }, (_, i) => 300 + 100 * i);
      assert.deepEqual(samplesOf(await all(slow)), rest);
      assert.deepEqual(samplesOf(await all(events())), ["restored", 200, ...rest]);
    });
  });

  it("come as they happen, and among them what becomes of worker processes", async () => {
    await withRun(file, async ({ events, append, notice, end }) => {
      const reader = events();
      await reader.next();
      await reader.next();
      const next = reader.next();
      append(evaluation(300));
      assert.deepEqual(samplesOf([(await next).value]), [300]);
      const noticed = reader.next();
      notice("Worker 1 died and is started again.");
      const { value } = await noticed;
      assert.equal(value.type === "workerProcess" && value.message, "Worker 1 died and is started again.");
      end();
      assert.equal((await reader.next()).done, true);
    });
  });

  it("are complete for a reader who is in the middle of lines that a rollback removes, also when the run ends then", async () => {
    const lines = [restored(NEW), ...[200, 300, 400].map(evaluation)];
    await withRun(lines, async ({ events, append, cutBack, end }) => {
      const reader = events();
      for (let i = 0; i < 3; i++) await reader.next();
      append({ type: "event", event: "workerLeft", at: NEW });
      cutBack(1);
      append({ type: "event", event: "rollback", at: NEW });
      end();
      assert.deepEqual(samplesOf(await all(reader)), ["workerLeft", "rollback"]);
    });
  });
});
