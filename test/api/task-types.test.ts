// The public types of tasks say what the schema takes: the compiler compares them, and the test only that both were compared.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DescribedModel, RunEvent, RunStatus, RunSummary, TaskDefinition } from "../../index.js";
import type { MetricsLine, Summary } from "../../server/index.js";
import { resolveTask, type TaskInput } from "../../tasks/index.js";

type Described = Omit<TaskDefinition, "extends" | "model">;
type Schema = Partial<Omit<TaskInput, "model">>;
type SchemaModel = Exclude<TaskInput["model"], { readonly kind: "module" }>;
type Lines = Exclude<MetricsLine, { readonly type: "event" }>;

/** Each function compiles only while the first type is one of the second. */
const compared = [
  (task: Described): Schema => task,
  (task: Schema): Described => task,
  (task: keyof Described): keyof Schema => task,
  (task: keyof Schema): keyof Described => task,
  (model: DescribedModel): SchemaModel => model,
  (model: SchemaModel): DescribedModel => model,
  (summary: Summary): RunSummary => summary,
  (summary: keyof Summary): keyof RunSummary => summary,
  (line: Lines): Extract<RunEvent, { readonly type: "step" | "evaluation" }> => line,
  (line: Extract<RunEvent, { readonly type: "step" | "evaluation" }>): Lines => line,
  (phase: RunStatus["phase"]): string => phase,
];

describe("the public types", () => {
  it("are those of the schema, the summary and the record", () => {
    assert.equal(compared.length, 11);
    const task = { name: "t", model: { kind: "gpt" }, dataset: { kind: "text", file: "a", context: 8 } } as const;
    const rest = { loss: "softmaxCrossEntropy", microBatchSize: 1, samples: 1, learningRate: 1 } as const;
    assert.equal(resolveTask("t", { ...task, ...rest } satisfies TaskDefinition).name, "t");
  });
});
