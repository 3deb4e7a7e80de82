// The reference pages and the code they describe, held against each other.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { z } from "zod";
import { statusJson } from "../../cli/status/json.js";
import { RUN_FILES } from "../../server/record/index.js";
import { taskInputSchema } from "../../tasks/task.js";
import { codeIn, ROOT, read, tableRows } from "./markdown.test.helper.js";

interface JsonSchema {
  readonly properties?: Record<string, JsonSchema>;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

const schema = z.toJSONSchema(taskInputSchema, { io: "input" }) as JsonSchema;
const PAGE = "docs/reference/task-fields.md";

const branchesOf = (field: JsonSchema): readonly JsonSchema[] => field.anyOf ?? field.oneOf ?? [field];

/** All names of fields and all words of a schema. */
function wordsOf(field: JsonSchema): string[] {
  return branchesOf(field).flatMap((branch) => [
    ...[branch.const, ...(branch.enum ?? [])].filter((word) => typeof word === "string"),
    ...Object.entries(branch.properties ?? {}).flatMap(([name, inner]) => [name, ...wordsOf(inner)]),
  ]);
}

/** The product's own sources in a room. */
function sourcesOf(room: string): string[] {
  return readdirSync(join(ROOT, room), { recursive: true })
    .map((path) => join(ROOT, room, String(path)))
    .filter((path) => path.endsWith(".ts") && !path.includes(".test."))
    .map((path) => readFileSync(path, "utf8"));
}

describe("docs/reference/task-fields.md", () => {
  /** Top-level fields are in tables of three columns; a row has two fields if they belong together. */
  const rows = tableRows(PAGE).filter((cells) => cells.length === 3 && cells[0] !== "field");
  const documented = new Map(
    rows.flatMap(([names, defaults]) => {
      const fields = codeIn(names);
      const values = fields.length === 1 ? [defaults] : defaults.split(", ");
      return fields.map((name, i) => [name, values[i].replaceAll("`", "")] as const);
    }),
  );

  it("describes every field of a task and no other, with its default", () => {
    const fields = schema.properties!;
    // `extends` is read before the schema is.
    assert.deepEqual([...documented.keys()].filter((name) => name !== "extends").sort(), Object.keys(fields).sort());
    for (const [name, field] of Object.entries(fields)) {
      const value = documented.get(name)!;
      if (schema.required!.includes(name))
        assert.ok(value === "–" || name === "name", `${name} has no default: ${value}`);
      else if (/Every/.test(name)) assert.equal(field.default, null);
      else if (name === "schedule") assert.equal((field.default as { kind: string }).kind, JSON.parse(value).kind);
      else assert.deepEqual(JSON.parse(value), field.default, name);
    }
  });

  it("names every field and word of models, data sets, optimizers and schedules", () => {
    const text = read(PAGE);
    for (const name of ["model", "dataset", "optimizer", "schedule", "loss"]) {
      for (const word of new Set(wordsOf(schema.properties![name]))) {
        assert.match(text, new RegExp(`\`"?${word}"?[\`:]|"${word}"`), `${name}: ${word}`);
      }
    }
  });
});

describe("docs/reference/run-directory.md", () => {
  it("describes every file", () => {
    const described = tableRows("docs/reference/run-directory.md").map(([name]) => name.replace(/[`/]/g, ""));
    for (const file of [...Object.values(RUN_FILES), "metrics.jsonl", "ledger.jsonl", "token", "lock.json"]) {
      assert.ok(described.includes(file), file);
    }
  });
});

describe("docs/reference/command-line.md", () => {
  it("describes every variable of the environment that a user may set, and no others", () => {
    const forTests = ["ISOBATCH_FAIL_AT", "ISOBATCH_FLIP_GRADIENT_BIT"];
    const rooms = ["cli", "server", "viewing", "worker", "compute", "backends", "tasks", "shared", "experiment"];
    const named = rooms.flatMap(sourcesOf).flatMap((source) => source.match(/\bISOBATCH_[A-Z_]+\b/g) ?? []);
    const described = codeIn(read("docs/reference/command-line.md")).filter((code) => /^ISOBATCH_[A-Z_]+$/.test(code));
    assert.deepEqual(
      [...new Set(described)].sort(),
      [...new Set(named)].filter((name) => !forTests.includes(name)).sort(),
    );
  });

  it("describes the fields of status --json, and no others", () => {
    const nothing = { workers: [], shards: [] };
    const fields = Object.keys(statusJson(nothing as unknown as Parameters<typeof statusJson>[0]));
    const [, section] = read("docs/reference/command-line.md").split("## Status for programs");
    const [table] = section.split("\n## ");
    const described = table
      .split("\n")
      .filter((line) => line.startsWith("| `"))
      .flatMap((line) => codeIn(line.split("|")[1]));
    assert.deepEqual([...described].sort(), [...fields].sort());
  });
});
