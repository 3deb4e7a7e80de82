import { invalid } from "../../shared/errors.js";
import type { Dataset } from "./dataset.js";

/**
 * Checks that a test part from separate files is of the same kind as the training part: a model that was trained on one
 * shape can't be evaluated on another, and a class that it has never seen is a mistake in one of the two.
 * @throws {IsobatchError} `invalid_input`.
 */
export function checkParts(train: Dataset, test: Dataset): void {
  const [trainName, testName] = [train.origin ?? "the training part", test.origin ?? "the test part"];
  for (const what of ["input", "label"] as const) {
    const [a, b] = [train[what].shape, test[what].shape];
    if (a.join() !== b.join()) {
      invalid(
        `${testName} has samples whose ${what} has the shape ${show(b)}, but in ${trainName} it is ${show(a)}; both must be the same.`,
      );
    }
  }
  const { firstPlaces: known } = train;
  const { firstPlaces: tested } = test;
  if (known === undefined || tested === undefined) return;
  for (const [name, place] of tested) {
    if (known.has(name)) continue;
    invalid(
      `${place} is ${JSON.stringify(name)}, a class that ${trainName} does not have; it has ${list([...known.keys()])}. Correct the label, or ` +
        "add samples of that class to train on.",
    );
  }
}

const SHOWN_MAX = 12;

function list(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN_MAX).map((name) => JSON.stringify(name));
  return names.length > SHOWN_MAX ? `${shown.join(", ")}, …` : shown.join(", ");
}

function show(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
