// The timeline of a run in which a worker is killed and Ctrl-C is pressed, checked against the format's documentation.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { EVENTS, type EventKind, type EventName } from "../../shared/trace/events.js";
import { openWorkplace, TINY_TASK, type Workplace } from "./isobatch.test.helper.js";

interface TraceEvent {
  readonly ph: "M" | "X" | "b" | "e" | "i";
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly id2: { readonly local: string };
  readonly bind_id?: string;
  readonly args: Readonly<Record<string, number>> & { readonly name: string };
}

interface Span {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly start: number;
  readonly end: number;
  readonly lease?: string;
  readonly args: Readonly<Record<string, number>>;
}

const ENDLESS = { ...TINY_TASK, samples: 64_000_000, evaluateEverySamples: 64_000_000, checkpointEverySamples: 64_000 };
const KINDS: Readonly<Record<string, EventKind>> = EVENTS;
/** All times are rounded to three decimals of a microsecond. */
const ROUNDING = 0.002;

/** The spans of the events; starts and ends must match. */
function spansOf(events: readonly TraceEvent[]): Span[] {
  const open = new Map<string, TraceEvent>();
  const spans: Span[] = [];
  for (const event of events) {
    const { ph, name, pid, tid, ts, args } = event;
    if (ph === "X") spans.push({ name, pid, tid, start: ts, end: ts + event.dur, lease: event.bind_id, args });
    if (ph !== "b" && ph !== "e") continue;
    const pair = [pid, event.id2.local, name].join();
    const begun = open.get(pair);
    if (ph === "b") {
      assert.equal(begun, undefined, `${pair} starts twice`);
      open.set(pair, event);
    } else {
      assert.ok(begun !== undefined && begun.ts <= ts, `${pair} ends before it starts`);
      open.delete(pair);
      spans.push({ name, pid, tid, start: begun.ts, end: ts, lease: begun.bind_id, args: begun.args });
    }
  }
  assert.equal(open.size, 0);
  return spans;
}

async function untilWritten(path: string, text: string): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!readFileSync(path, "utf8").includes(text)) {
    assert.ok(performance.now() < deadline, `no ${text} in ${path}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("isobatch run --trace", { timeout: 300_000 }, () => {
  let workplace: Workplace;
  let events: TraceEvent[];
  let spans: Span[];
  let killed: number;
  before(async () => {
    workplace = openWorkplace();
    workplace.write("endless.json", ENDLESS);
    const path = join(workplace.folder, "trace.json");
    const args = ["--workers", "1", "--compute-threads", "2", "--shards", "2", "--backend", "wasm"];
    const run = workplace.start(["run", "endless.json", ...args, "--trace", "trace.json"]);
    await run.until(/[1-9][\d,]* of 64,000,000 samples.*loss/);
    // A worker whose sums and weights go over the wire, as from another machine, with its own trace.
    const { address } = JSON.parse(readFileSync(join(workplace.folder, "runs/endless/lock.json"), "utf8"));
    const far = ["--compute-threads", "1", "--backend", "wasm", "--transport", "wire", "--trace", "far.json"];
    const token = readFileSync(join(workplace.folder, "runs/endless/token"), "utf8").trim();
    const farWorker = workplace.start(["worker", "join", address, ...far], { ISOBATCH_TOKEN: token });
    await untilWritten(path, '"name":"received"');
    const lines = readFileSync(path, "utf8").split("\n");
    const computing = lines.find((line) => line.includes('"name":"gradient"'))!;
    killed = JSON.parse(computing.replace(/,$/, "")).pid;
    process.kill(killed, "SIGKILL");
    await run.until(/died/);
    run.pressCtrlC();
    const { code, stderr } = await run.ended;
    assert.deepEqual([code, stderr], [130, ""]);
    assert.equal((await farWorker.ended).code, 0);
    events = ["trace.json", "far.json"].flatMap((name) =>
      JSON.parse(readFileSync(join(workplace.folder, name), "utf8")),
    );
    spans = spansOf(events);
  });
  after(() => workplace.close());

  const named = (what: string): Map<string, string> =>
    new Map(
      events
        .filter(({ name }) => name === what)
        .map(({ pid, tid, args }) => [`${pid} ${what === "process_name" ? "" : tid}`, args.name]),
    );
  const of = (name: EventName): Span[] => spans.filter((span) => span.name === name);
  const isWithin = (inner: Span, outer: Span): boolean =>
    inner.start >= outer.start - ROUNDING && inner.end <= outer.end + ROUNDING;

  it("names every process and thread", () => {
    const processes = named("process_name");
    const names = [...processes.values()].map((name) => name.replace(/ .*-\d+$/, ""));
    assert.deepEqual([...new Set(names)].sort(), ["server", "shard 1", "worker"]);
    assert.ok(names.filter((name) => name === "worker").length >= 2);
    const threads = named("thread_name");
    for (const { pid, tid, name } of spans) {
      assert.ok(processes.has(`${pid} `) && threads.has(`${pid} ${tid}`), `${name} of ${pid} ${tid}`);
    }
    const ofKilled = [...threads].filter(([place]) => place.startsWith(`${killed} `)).map(([, name]) => name);
    assert.deepEqual(ofKilled.sort(), ["compute thread 0", "compute thread 1", "main", "probe"]);
  });

  it("has every kind of event, with its numbers", () => {
    // Nothing is downloaded where gradients are summed on the host.
    const seen = Object.keys(EVENTS).filter((name) => of(name as EventName).length > 0);
    assert.deepEqual(
      seen,
      Object.keys(EVENTS).filter((name) => name !== "download"),
    );
    for (const { name, args } of spans) {
      assert.deepEqual(Object.keys(args), KINDS[name].numbers, name);
      for (const number of Object.values(args)) assert.ok(Number.isSafeInteger(number), `${name}: ${number}`);
    }
    assert.ok(!events.some(({ name }) => name === "events lost"));
  });

  it("nests the spans of one thread", () => {
    const own = spans.filter(({ name }) => KINDS[name].waits === undefined);
    for (const place of new Set(own.map(({ pid, tid }) => `${pid} ${tid}`))) {
      const ofThread = own.filter(({ pid, tid }) => `${pid} ${tid}` === place);
      ofThread.sort((a, b) => a.start - b.start || b.end - a.end);
      const enclosing: Span[] = [];
      for (const span of ofThread) {
        while (enclosing.length > 0 && enclosing.at(-1)!.end <= span.start + ROUNDING) enclosing.pop();
        const outer = enclosing.at(-1);
        assert.ok(outer === undefined || isWithin(span, outer), `${span.name} at ${span.start} and ${outer?.name}`);
        enclosing.push(span);
      }
    }
  });

  it("shows each gradient within its thread's part, and each part within the worker's lease, on one clock", () => {
    const lasts = (pid: number): number =>
      Math.max(
        ...of("compute")
          .filter((span) => span.pid === pid)
          .map(({ end }) => end),
      );
    const within = (inner: Span, name: EventName, sameThread: boolean): boolean =>
      of(name).some(
        (outer) => outer.pid === inner.pid && (!sameThread || outer.tid === inner.tid) && isWithin(inner, outer),
      );
    // A killed worker's last lease has no end.
    const parts = of("part").filter(({ pid, end }) => end <= lasts(pid));
    const ended = (span: Span): boolean =>
      parts.some(({ pid, tid, end }) => pid === span.pid && tid === span.tid && span.end <= end);
    for (const part of parts.slice(0, 100)) assert.ok(within(part, "compute", false), `part at ${part.start}`);
    for (const gradient of of("gradient").filter(ended).slice(0, 100)) {
      assert.ok(within(gradient, "part", true), `gradient at ${gradient.start}`);
    }
  });

  it("follows each lease from the server to the worker and back to all shards", () => {
    const pushes = of("push").slice(0, 100);
    const firstOf = (name: EventName, lease: string | undefined) =>
      of(name)
        .filter((span) => span.lease === lease)
        .sort((a, b) => a.start - b.start);
    assert.ok(pushes.length > 0);
    for (const push of pushes) {
      const { lease } = push;
      const [given] = firstOf("lease", lease);
      const [leased] = firstOf("leased", lease);
      const [compute] = firstOf("compute", lease);
      assert.equal(Number(lease), push.args.lease);
      assert.ok(
        given.start <= leased.start && leased.start <= compute.start && compute.end <= push.start,
        `lease ${lease}`,
      );
      for (const taken of [...firstOf("received", lease), ...firstOf("borrowed", lease)]) {
        assert.ok(taken.start >= compute.end, `lease ${lease}`);
      }
    }
    for (const name of ["received", "borrowed"] as const) {
      assert.equal(new Set(of(name).map(({ pid }) => pid)).size, 2, `${name} at both shards`);
    }
  });

  it("keeps the events of a worker until it was killed", () => {
    assert.ok(of("gradient").some(({ pid }) => pid === killed));
  });

  it("is of a run whose phases add up to its steps, in metrics.jsonl too", () => {
    const lines = readFileSync(join(workplace.folder, "runs/endless/metrics.jsonl"), "utf8").trim().split("\n");
    const steps = lines.map((line) => JSON.parse(line)).filter(({ type }) => type === "step");
    assert.ok(steps.length > 0);
    for (const { step, ms } of steps) {
      const sum = ms.pull + ms.wait + ms.compute + ms.push;
      assert.ok(Math.abs(sum - ms.step) <= 0.05 * ms.step, `step ${step}: ${JSON.stringify(ms)}`);
    }
  });

  it("is refused in one sentence before the run starts where the file can't be written", async () => {
    const { code, stdout, stderr } = await workplace.run([
      "run",
      "endless.json",
      "--out",
      "unborn",
      "--trace",
      "no/trace",
    ]);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /^Can't write .*no\/trace: there is no such file or folder\. Check the path\.\n$/);
    assert.ok(!existsSync(join(workplace.folder, "unborn")));
  });
});
