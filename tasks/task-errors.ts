/** What is wrong with a task file, one sentence per problem: the field, its value, what it must be. */
import type { z } from "zod";
import { suggestion, withSuggestions } from "../shared/nearest.js";
import { taskInputSchema } from "./task.js";

/** What to do about a field that has a wrong value or none. */
const ADVICE: Readonly<Record<string, string>> = {
  name: "use letters, digits, dots, hyphens and underscores",
  model: 'describe it as {"kind": "sequential", "layers": [...]}, or write a task module with a model function',
  loss: "choose the one that fits what is predicted",
  labelSmoothing: "0 switches it off",
  dataset: 'say where the samples are, e.g. {"kind": "csv", "file": "data.csv", "label": "class", "target": "classes"}',
  "dataset.folder": "name it there or with --data; for CIFAR-10, the folder of its unpacked binary version",
  "dataset.file": "name it there or with --data",
  microBatchSize: "this many samples share one gradient; 64 is a good start",
  microBatchesPerStep:
    'give a number, or a range: {"perWorker": 2, "min": 1, "max": 64} or {"perNoiseScale": 0.1, "min": 2, "max": 64}',
  samples: "this is the length of the run in samples, e.g. ten times the size of the data set",
  learningRate: "give the rate for one micro-batch per step, e.g. 0.001",
  beta1: "0.9 is usual",
  beta2: "0.999 is usual",
  epsilon: "1e-8 is usual",
  weightDecay: "0 switches it off",
  precision: "float32 is usual",
  clipNorm: "null switches it off",
  seed: "any such number will do",
};

/**
 * One line per problem.
 * @param source the task's file or name, with which each line starts.
 * @param input what was parsed.
 */
export function describeProblems(source: string, input: unknown, error: z.ZodError): string {
  return error.issues
    .flatMap((issue) => insideUnion(issue))
    .map((issue) => `${source}: ${describeIssue(input, issue)}`)
    .join("\n");
}

/** What is wrong inside an object that is nearly a member of a union; otherwise that it is not one of them. */
function insideUnion(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union") return [issue];
  const isOther = (inner: z.core.$ZodIssue): boolean =>
    inner.path.length === 0 && (inner.code === "unrecognized_keys" || inner.code === "invalid_type");
  const nearest = issue.errors.find((inner) => inner.length > 0 && !inner.some(isOther));
  return nearest === undefined ? [issue] : nearest.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

function describeIssue(input: unknown, issue: z.core.$ZodIssue): string {
  const field = issue.path.reduce<string>(
    (path, key) => (typeof key === "number" ? `${path}[${key}]` : path === "" ? String(key) : `${path}.${String(key)}`),
    "",
  );
  const value = issue.path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)?.[key], input);
  const advice = ADVICE[field] ?? ADVICE[String(issue.path[0])];
  const ending = advice === undefined ? "." : `; ${advice}.`;
  if (issue.code === "unrecognized_keys") return unknownKeys(field, issue.keys, knownKeys(input, issue.path));
  const subject = field === "" ? "the task" : field;
  if (value === undefined) return `${subject} is missing; it must be ${expectation(issue)}${ending}`;
  return `${subject} is ${shown(value)}; it must be ${expectation(issue)}${ending}`;
}

function unknownKeys(field: string, keys: readonly string[], known: readonly string[]): string {
  const where = field === "" ? "the task" : field;
  const [only, ...more] = keys;
  if (more.length === 0) return `${where} has the unknown field "${only}"; ${suggestion(only, known) ?? "remove it."}`;
  return `${where} has the unknown fields ${withSuggestions(keys, known)}; correct or remove them.`;
}

/** The parts of zod's schemas that are read to list the fields at a place. */
interface Schema {
  readonly def: {
    /** The schema inside one that is optional, nullable or has a default. */
    readonly innerType?: Schema;
    readonly options?: readonly Schema[];
    readonly discriminator?: string;
    readonly element?: Schema;
    /** A literal's values. */
    readonly values?: readonly unknown[];
  };
  readonly shape?: Readonly<Record<string, Schema>>;
}

/** The fields that a task may have at a path; in a union, those of the member that the value's discriminator names. */
function knownKeys(input: unknown, path: readonly PropertyKey[]): string[] {
  let schemas = membersOf(taskInputSchema as unknown as Schema, input);
  let value = input;
  for (const key of path) {
    value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
    const inner = schemas.map(({ def, shape }) => def.element ?? shape?.[String(key)]);
    schemas = inner.flatMap((schema) => (schema === undefined ? [] : membersOf(schema, value)));
  }
  return schemas.flatMap(({ shape }) => Object.keys(shape ?? {}));
}

/** The schemas that a value may follow, without their wrappers. */
function membersOf(schema: Schema, value: unknown): Schema[] {
  const { innerType, options, discriminator } = schema.def;
  if (innerType !== undefined) return membersOf(innerType, value);
  if (options === undefined) return [schema];
  const word = discriminator && (value as Record<string, unknown> | undefined)?.[discriminator];
  const meant = options.filter(({ shape }) => shape?.[discriminator ?? ""]?.def.values?.includes(word));
  return (meant.length > 0 ? meant : options).flatMap((option) => membersOf(option, value));
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "too_small":
      return issue.origin === "array" || issue.origin === "string"
        ? `at least ${issue.minimum} long`
        : `${issue.inclusive ? "at least" : "above"} ${issue.minimum}`;
    case "too_big":
      return issue.origin === "array" || issue.origin === "string"
        ? `at most ${issue.maximum} long`
        : `${issue.inclusive ? "at most" : "below"} ${issue.maximum}`;
    case "invalid_value":
      return issue.values.map((value) => shown(value)).join(" or ");
    case "invalid_type":
      return (
        { int: "a whole number", number: "a number", string: "a string", array: "a list", object: "an object" }[
          issue.expected as string
        ] ?? issue.expected
      );
    case "invalid_format":
      return issue.pattern === undefined ? "well formed" : `of the form ${issue.pattern}`;
    case "invalid_union":
      return unionOf(issue);
    default:
      return `otherwise (${issue.message})`;
  }
}

/** For a union with a discriminating field zod lists that field's words; for any other, each member's own issues. */
function unionOf(issue: z.core.$ZodIssueInvalidUnion): string {
  const words = (issue as { options?: readonly string[] }).options;
  if (words !== undefined) return words.map(shown).join(" or ");
  const choices = issue.errors.map((errors) => errors[0]).filter((first) => first !== undefined);
  return [...new Set(choices.map(expectation))].join(" or ");
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
