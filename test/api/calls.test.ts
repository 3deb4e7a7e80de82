import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  evaluate,
  experiment,
  exportModel,
  type IsobatchError,
  join,
  loadRun,
  predict,
  serve,
  train,
} from "../../index.js";

/** Calls a function as a program without types may. */
const calling = (call: unknown, ...values: unknown[]): (() => Promise<unknown>) => {
  return async () => (call as (...values: unknown[]) => unknown)(...values);
};

describe("a call of the public API", () => {
  const calls: readonly [() => Promise<unknown>, string][] = [
    [calling(train, "mnist", null), "The options of train() are null; they must be an object."],
    [calling(train, "mnist", { out: 5 }), "out is 5; it must be a text that is not empty."],
    [calling(train, "mnist", { out: "" }), 'out is ""; it must be a text that is not empty.'],
    [calling(train, "mnist", { signal: 5 }), "signal is 5; it must be an AbortSignal."],
    [
      calling(train, "mnist", { logLevel: "loud" }),
      'logLevel is "loud"; it must be "debug" or "info" or "warn" or "error" or "silent".',
    ],
    [calling(train, "mnist", { transport: "mem" }), 'transport is "mem"; it must be "auto" or "memory" or "wire".'],
    [calling(train, "mnist", { tls: "no" }), 'tls is "no"; it must be "auto", true, false, or an object with files.'],
    [
      calling(train, "mnist", { backend: "cpu", steps: 2, samples: 100 }),
      "steps is 2 and samples is 100; give the length of the run as one of them.",
    ],
    [calling(train, null, { backend: "cpu" }), "The task: the task is null; it must be an object."],
    [calling(serve, "mnist", { dashboard: true }), "dashboard is true; it must be HOST:PORT or false."],
    [calling(join, undefined, {}), "The server's address is undefined; it must be a text that is not empty."],
    [calling(join, "localhost"), "The options of join() are undefined; they must be an object."],
    [
      calling(join, "localhost", { token: "t", waitSeconds: "x" }),
      'waitSeconds is "x"; it must be a number of at least 0.',
    ],
    [calling(evaluate), "The run directory is undefined; it must be a text that is not empty."],
    [calling(exportModel, 5), "The run directory is 5; it must be a text that is not empty."],
    [calling(loadRun, null), "The run directory is null; it must be a text that is not empty."],
    [calling(predict, "run", {}), "The samples are not an array; give an array with one entry per sample."],
    [calling(predict, "run", [null]), "Sample 0 is null; it must be an array of numbers, a row or a text."],
    [calling(experiment, "nonsense"), 'There is no experiment "nonsense"; choose "invariance" or "elastic".'],
    [calling(experiment, "elastic", { workers: 4 }), "workers is 4; it must be a list."],
  ];
  for (const [call, message] of calls) {
    it(`is refused in a sentence: ${message}`, async () => {
      await assert.rejects(call, (error: IsobatchError) => {
        assert.equal(error.message, message);
        assert.equal(error.code, "invalid_input");
        return true;
      });
    });
  }
});
