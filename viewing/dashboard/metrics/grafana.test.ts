import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import parse from "parse-prometheus-text-format";
import { createMadeUpRun } from "../made-up-run.test.helper.js";
import { createRunMetrics } from "./metrics.js";

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}

const file = new URL("../../../../deploy/observability/grafana/dashboards/isobatch.json", import.meta.url);
/** What a name of a histogram ends in, in a query. */
const PARTS = /_(bucket|sum|count)$/;

describe("the Grafana dashboard", () => {
  it("asks for metrics and labels that there are, and for all that matter", async (test) => {
    const run = createMadeUpRun({ workers: 2, steps: 3 });
    const metrics = createRunMetrics(run.source);
    test.after(() => metrics.close());
    run.step();
    const families = parse(await metrics.text()) as { name: string; metrics: { labels?: Record<string, string> }[] }[];
    const labelsOf = new Map(
      families.map(({ name, metrics: all }) => [name, new Set(all.flatMap(({ labels }) => Object.keys(labels ?? {})))]),
    );
    const { panels } = JSON.parse(readFileSync(file, "utf8")) as { panels: Panel[] };
    const asked = new Set<string>();
    for (const { title, targets } of panels) {
      for (const { expr } of targets) {
        const names = expr.match(/\b(isobatch|process|nodejs)_\w+/g) ?? [];
        assert.ok(names.length > 0, `${title}: ${expr}`);
        const labels = [...expr.matchAll(/(?:by|ignoring) \(([^)]*)\)/g)].flatMap(([, list]) => list.split(", "));
        for (const name of names) {
          const family = labelsOf.has(name) ? name : name.replace(PARTS, "");
          assert.ok(labelsOf.has(family), `${title} asks for ${name}, which there is not`);
          asked.add(family);
          if (names.length > 1) continue;
          for (const label of labels) {
            assert.ok(label === "le" || labelsOf.get(family)?.has(label), `${title}: ${name} has no label ${label}`);
          }
        }
      }
    }
    const unasked = [...labelsOf.keys()].filter((name) => name.startsWith("isobatch_") && !asked.has(name));
    assert.ok(unasked.length < 15, `not on the dashboard: ${unasked.join(", ")}`);
  });
});
