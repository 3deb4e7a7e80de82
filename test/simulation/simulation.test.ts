import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bugs } from "./planted-bugs.js";
import { simulate, type WorldOptions } from "./world.js";

const cluster = (seed: number): WorldOptions => ({
  seed,
  workers: 3,
  shards: 2,
  chunks: 3,
  microBatchesPerStep: 6,
  microBatchesTotal: 6 * 32 + 4,
  faultsUntilMs: 15_000,
  faultEveryMs: 700,
});

const seedsFrom = Number(process.env.ISOBATCH_SIMULATION_SEED ?? 1);
const seeds = Number(process.env.ISOBATCH_SIMULATION_SEEDS ?? 40);

describe("a simulated cluster", () => {
  it("ends with the reference's weights when nothing goes wrong, without recomputing a step", () => {
    const result = simulate({ ...cluster(1), faultsUntilMs: 0 });
    assert.equal(result.outcome?.ok, true);
    assert.equal(result.recomputed, 0);
    assert.equal(result.steps, 33);
  });

  it(`keeps every invariant and ends with the reference's weights through faults, on ${seeds} seeds`, (context) => {
    const totals: Record<string, number> = {};
    let virtualMs = 0;
    for (let seed = seedsFrom; seed < seedsFrom + seeds; seed++) {
      const first = simulate(cluster(seed));
      const second = simulate(cluster(seed));
      assert.deepEqual(second.trace, first.trace, `seed ${seed} ran differently the second time`);
      assert.equal(first.outcome?.ok, true, `seed ${seed} ended with ${JSON.stringify(first.outcome)}`);
      for (const [what, count] of Object.entries(first.counts)) totals[what] = (totals[what] ?? 0) + count;
      virtualMs += first.virtualMs;
    }
    context.diagnostic(`${(virtualMs / 3_600_000).toFixed(1)} simulated hours: ${JSON.stringify(totals)}`);
    if (seeds < 20) return;
    for (const what of EXPECTED) assert.ok((totals[what] ?? 0) > 0, `"${what}" never happened`);
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
  "fault: worker paused",
  "fault: worker's stream broken",
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
  "checkpoint written",
];
