import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLog } from "../shared/log.js";
import { watchFirstLoss } from "./first-loss.js";

/** What is logged of a run with these steps, from a record that has `count` lines already. */
function logOf(steps: readonly { step: number; loss: number }[]): string[] {
  const lines: string[] = [];
  const log = createLog({ level: "warn", pretty: false, write: (line) => lines.push(JSON.parse(line).msg) });
  const subscribe = (_: number, listener: (json: string, line: number) => void) => {
    const all = [{ type: "event", event: "restored" }, ...steps.map((step) => ({ type: "step", ...step }))];
    for (const [i, line] of all.entries()) listener(JSON.stringify(line), i);
    return () => all.length;
  };
  watchFirstLoss({ count: 0, subscribe }, log);
  return lines;
}

describe("watchFirstLoss()", () => {
  it("gives one line of advice if the first loss is above a million", () => {
    const lines = logOf([
      { step: 0, loss: 2.46e9 },
      { step: 1, loss: 2.4e9 },
    ]);
    assert.equal(lines.length, 1);
    assert.match(
      lines[0],
      /^the loss of the first step is 2\.46e\+9: numbers so large train badly; scale what is predicted/,
    );
  });

  it("logs nothing for a smaller one, for a later step, or for a resumed run", () => {
    assert.deepEqual(
      logOf([
        { step: 0, loss: 1e6 },
        { step: 1, loss: 1e9 },
      ]),
      [],
    );
    assert.deepEqual(logOf([{ step: 7, loss: 1e9 }]), []);
  });
});
