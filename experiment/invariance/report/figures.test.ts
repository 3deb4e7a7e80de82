import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { figuresOf, type Shown } from "./figures.js";

const namesOf = (learningRates: number[], kappas: number[]): string[] => {
  const protocol = { learningRates, kappas, arms: [{ name: "invariant" }] };
  const shown = { protocol, results: [], summary: { cells: [], floors: [] } } as unknown as Shown;
  return figuresOf(shown).map(({ name }) => name);
};

describe("figuresOf()", () => {
  it("leaves out figures over a single learning rate or κ, which would be a dot on an empty plane", () => {
    assert.deepEqual(namesOf([0.01, 0.1], [4, 16]), [
      ...["gap-over-learning-rate", "gap-over-kappa", "curves-1e-2", "curves-1e-1", "speed", "noise-scale"],
    ]);
    assert.deepEqual(namesOf([0.01, 0.1], [4]), ["gap-over-learning-rate", "curves-1e-2", "curves-1e-1"]);
    assert.deepEqual(namesOf([0.01], [4, 16]), ["gap-over-kappa", "curves-1e-2", "speed", "noise-scale"]);
    assert.deepEqual(namesOf([0.01], [4]), ["curves-1e-2"]);
  });
});
