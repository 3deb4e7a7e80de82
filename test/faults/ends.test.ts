/**
 * A run must end well and leave nothing behind, no matter what happens to its connections. `npm run faults -- ends 200`
 * makes 200 runs in a row; `npm test` has time for one.
 */
import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { describe, it } from "node:test";
import { ALL } from "../../shared/all-cases.test.helper.js";
import { broken } from "../promises.test.helper.js";
import { drawPlan, HALF_OPEN, type Plan, type RunEnd, runToTheEnd, UNDISTURBED } from "./ends.test.helper.js";

const { ISOBATCH_ENDS = "1", ISOBATCH_ENDS_FIRST = "3", ISOBATCH_ENDS_FIGURES } = process.env;
const [runs, first] = [Number(ISOBATCH_ENDS), Number(ISOBATCH_ENDS_FIRST)];
/** One more run at a time than the machine has cores, so that each of them is short of time. */
const concurrency = Math.min(runs, availableParallelism() + 1);

let undisturbed: Promise<RunEnd> | undefined;

async function check(plan: Plan): Promise<void> {
  undisturbed ??= runToTheEnd(UNDISTURBED);
  const [{ stateHash }, end] = [await undisturbed, await runToTheEnd(plan)];
  const { output, ...figures } = end;
  if (ISOBATCH_ENDS_FIGURES) appendFileSync(ISOBATCH_ENDS_FIGURES, `${JSON.stringify(figures)}\n`);
  const { what, serverExit, workerExits, lockLeft, processesLeft } = end;
  assert.deepEqual(
    { serverExit, workerExits, stateHash: end.stateHash, lockLeft, processesLeft },
    { serverExit: 0, workerExits: workerExits.map(() => 0), stateHash, lockLeft: false, processesLeft: 0 },
    broken("advances", `The run must end with code 0, the same bits and nothing left, after: ${what}\n${output}`),
  );
}

describe("a run whose connections break", { timeout: 14_400_000, concurrency }, () => {
  // It waits until a silent connection is given up, which npm test has no time for.
  it("ends well when one of them was half open while the weights were sent", { skip: !ALL }, () => check(HALF_OPEN));

  for (let seed = first; seed < first + runs; seed++) {
    it(`ends with exit code 0, the undisturbed run's bits and no lock (seed ${seed})`, () => check(drawPlan(seed)));
  }
});
