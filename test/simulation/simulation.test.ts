import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ALL } from "../../shared/all-cases.test.helper.js";
import type { KappaRule } from "../../shared/steps/index.js";
import { broken } from "../promises.test.helper.js";
import { bugs } from "./planted-bugs.js";
import { type PlantedBug, simulate, type WorldOptions } from "./world.js";

/** κ is fixed, follows the workers as they come and go, or follows the noise. */
const RULES: readonly KappaRule[] = [6, { perWorker: 2, min: 1, max: 6 }, { perNoiseScale: 0.1, min: 2, max: 12 }];

const cluster = (seed: number, rule = RULES[seed % RULES.length]): WorldOptions => ({
  seed,
  workers: 3,
  shards: 2,
  chunks: 3,
  microBatchesPerStep: rule,
  microBatchesTotal: typeof rule === "object" && "perNoiseScale" in rule ? 310 : 6 * 32 + 4,
  faultsUntilMs: 15_000,
  faultEveryMs: 700,
});

const seedsFrom = Number(process.env.ISOBATCH_SIMULATION_SEED ?? 1);
const seeds = Number(process.env.ISOBATCH_SIMULATION_SEEDS ?? (ALL ? 400 : 40));

describe("a simulated cluster", () => {
  it("ends with the reference's weights when nothing goes wrong, without recomputing a step", () => {
    const result = simulate({ ...cluster(1, 6), faultsUntilMs: 0 });
    assert.equal(result.outcome?.ok, true);
    assert.equal(result.recomputed, 0, broken("fewStepsLost", "Steps were computed again though nothing had crashed."));
    assert.equal(result.steps, 33);
  });

  it("uses the same κ at every step if κ follows the noise, for any faults and any workers", () => {
    const undisturbed = simulate({ ...cluster(2), workers: 1, faultsUntilMs: 0 }).kappas;
    assert.ok(new Set(undisturbed).size >= 3, `κ hardly changed: ${undisturbed}`);
    for (let seed = 2; seed < 20; seed += RULES.length) {
      const { kappas } = simulate(cluster(seed));
      assert.deepEqual(kappas, undisturbed, broken("sameBits", `Seed ${seed} used other κ than an undisturbed run.`));
    }
  });

  it("follows its workers: κ shrinks as two of three leave for good", () => {
    const { kappas } = simulate({
      ...cluster(1, RULES[1]),
      faultsUntilMs: 0,
      workersLeave: [
        { atMs: 1_000, worker: 1 },
        { atMs: 2_000, worker: 2 },
      ],
    });
    assert.deepEqual([...new Set(kappas)], [6, 4, 2]);
  });

  it(`keeps every invariant and ends with the reference's weights through faults, on ${seeds} seeds`, (context) => {
    const totals: Record<string, number> = {};
    let virtualMs = 0;
    for (let seed = seedsFrom; seed < seedsFrom + seeds; seed++) {
      const first = simulate(cluster(seed));
      const second = simulate(cluster(seed));
      assert.deepEqual(second.trace, first.trace, `seed ${seed} ran differently the second time`);
      const end = JSON.stringify(first.outcome);
      assert.equal(first.outcome?.ok, true, broken("advances", `Seed ${seed} ended with ${end}.`));
      for (const [what, count] of Object.entries(first.counts)) totals[what] = (totals[what] ?? 0) + count;
      virtualMs += first.virtualMs;
    }
    context.diagnostic(`${(virtualMs / 3_600_000).toFixed(1)} simulated hours: ${JSON.stringify(totals)}`);
    if (seeds < 20) return;
    for (const what of EXPECTED) assert.ok((totals[what] ?? 0) > 0, `"${what}" never happened`);
  });
});

describe("a simulated cluster whose workers fail", () => {
  /** A micro-batch about a third into the run, anywhere in its step. */
  const POISONED = 70;
  const outcomes = (options: (seed: number) => WorldOptions) =>
    Array.from({ length: 9 }, (_, i) => simulate(options(i + 1)).outcome);

  it("ends with the error that all of them meet, even if more goes wrong", () => {
    for (const outcome of outcomes((seed) => ({ ...cluster(seed), poisonedMicroBatch: POISONED }))) {
      assert.ok(outcome?.ok === false && outcome.code === "failed", JSON.stringify(outcome));
      assert.match(outcome.reason, /^index \d+ is not in \[0, 4\) on/);
    }
  });

  it("would wait forever if it did not count failures", () => {
    const deaf: PlantedBug = {
      coordinatorEvent: (event) => [event.kind === "leaseFailed" ? { ...event, transient: true } : event],
    };
    assert.throws(() => simulate({ ...cluster(1), poisonedMicroBatch: POISONED, bug: deaf }), /no end/);
  });

  it("ends well if only one of them fails, at everything it does", () => {
    for (const outcome of outcomes((seed) => ({ ...cluster(seed), failingWorker: seed % 3, faultsUntilMs: 0 }))) {
      assert.equal(
        outcome?.ok,
        true,
        broken("advances", `One worker fails at everything: ${JSON.stringify(outcome)}.`),
      );
    }
  });
});

describe("a planted bug", () => {
  for (const [name, bug] of Object.entries(bugs)) {
    it(`is caught: ${name}`, () => {
      let caught = 0;
      for (let seed = 1; seed <= 12 && caught === 0; seed++) {
        try {
          if (simulate({ ...cluster(seed), bug }).outcome?.ok === false) caught++;
        } catch {
          caught++;
        }
      }
      assert.ok(caught > 0, "no seed noticed it");
    });
  }
});

/** A campaign in which one of these never happens has not tried what it claims. */
const EXPECTED = [
  "fault: worker killed",
  "fault: worker gone for long",
  "fault: worker paused",
  "fault: worker's stream broken",
  "fault: all workers killed during a step",
  "fault: worker asked to leave",
  "fault: worker fails for good",
  "event workerFailed",
  "fault: threads restarted",
  "fault: push broken",
  "fault: shard killed",
  "fault: shard's stream broken",
  "fault: checkpoint damaged",
  "fault: coordinator killed",
  "fault: everything killed",
  "event restoreFailed",
  "event leaseFailed",
  "event evaluated",
  "non-finite",
  "duplicated push",
  "push lost",
  "push accepted",
  "push dropped",
  "push wait",
  "push refused",
  "rolled back",
  "committed steps that were never recorded",
  "checkpoint written",
  "κ changed",
  "event kappaSaved",
  "a forgotten step at another κ",
  "a stranded step",
  "worker attachFailed",
  "worker streamLost",
  "worker weightsStreamEnded",
  "worker shardWeights",
  "worker loadFailed",
  "worker workFailed",
  "worker streamClosed",
  "slots lent",
  "θ moved while it was loaded",
];
