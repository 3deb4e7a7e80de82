/**
 * Every layer's outputs and gradients against Keras': one line of JSON for each layer, with the worst errors on each
 * backend, and a table of the same on standard error.
 */

import { type BackendName, openBackend, probeBackends } from "../../backends/index.js";
import { settings } from "../../backends/settings.test.helper.js";
import { messageOf } from "../../shared/errors.js";
import { layerTable } from "../../tasks/index.js";
import { type KerasCase, readReference } from "./cases.js";
import { compare, type Errors, isRight, TOLERANCE } from "./compare.js";

export interface LayerLine {
  readonly scenario: "gradients-against-keras";
  readonly layer: string;
  /** Why the layer, or some of its cases, are refused. */
  readonly refused?: readonly string[];
  readonly cases: number;
  /** Worst errors of the cases that are not refused. */
  readonly backends: Readonly<Record<string, Errors>>;
  readonly wrong?: readonly string[];
}

export async function kerasScenario(backends?: readonly string[]): Promise<LayerLine[]> {
  const { cases, batch } = readReference();
  const lines = new Map<string, Line>();
  for (const [layer, entry] of Object.entries(layerTable)) {
    lines.set(layer, { cases: 0, refused: new Set(entry.trained ? [] : [entry.reason]), backends: {}, wrong: [] });
  }
  for (const { layer } of cases) lineOf(lines, layer).cases += 1;
  for (const backend of backends ?? (await available())) {
    await openBackend(backend as BackendName, settings);
    for (const example of cases) measure(example, batch, backend, lineOf(lines, example.layer));
  }
  return [...lines].map(([layer, { cases, refused, backends, wrong }]) => ({
    ...{ scenario: "gradients-against-keras", layer, cases },
    ...(refused.size > 0 && { refused: [...refused] }),
    backends,
    ...(wrong.length > 0 && { wrong }),
  }));
}

interface Line {
  cases: number;
  readonly refused: Set<string>;
  readonly backends: Record<string, Errors>;
  readonly wrong: string[];
}

function lineOf(lines: Map<string, Line>, layer: string): Line {
  const line = lines.get(layer);
  if (line === undefined) throw new Error(`${layer} is not in the table of layers`);
  return line;
}

async function available(): Promise<string[]> {
  return (await probeBackends(settings)).filter((probe) => probe.available).map(({ name }) => name);
}

function measure(example: KerasCase, batch: number, backend: string, line: Line): void {
  try {
    const compared = compare(example, batch);
    if (compared.refused !== undefined) {
      line.refused.add(compared.refused);
      return;
    }
    const { output = 0, gradients = 0 } = line.backends[backend] ?? {};
    line.backends[backend] = {
      output: Math.max(output, Number(compared.output.toPrecision(2))),
      gradients: Math.max(gradients, Number(compared.gradients.toPrecision(2))),
    };
    if (!isRight(compared)) line.wrong.push(`${backend}: ${example.name}`);
  } catch (error) {
    line.wrong.push(`${backend}: ${example.name}: ${messageOf(error)}`);
  }
}

/** The sentence that says what is wrong; undefined if nothing is. */
export function wrongIn(lines: readonly LayerLine[]): string | undefined {
  const wrong = lines.flatMap((line) => line.wrong ?? []);
  return wrong.length === 0 ? undefined : `results differ from those of Keras: ${wrong.join("; ")}`;
}

/** The lines as a table for people. */
export function tableOf(lines: readonly LayerLine[]): string {
  const names = [...new Set(lines.flatMap(({ backends }) => Object.keys(backends)))];
  const cells = ({ output, gradients }: Errors): string => `${shown(output)} / ${shown(gradients)}`;
  const rows = lines.map(({ layer, cases, backends, refused }) => [
    layer,
    String(cases),
    ...names.map((name) => (backends[name] === undefined ? "refused" : cells(backends[name]))),
    refused !== undefined && Object.keys(backends).length > 0 ? "some settings refused" : "",
  ]);
  const head = ["layer", "cases", ...names.map((name) => `${name}: output / gradients`), ""];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  const text = [head, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join("  ")
      .trimEnd(),
  );
  return `${text.join("\n")}\nErrors relative to a tensor's length; at most ${shown(TOLERANCE.output)} / ${shown(TOLERANCE.gradients)} is float32's.`;
}

const shown = (error: number): string => (error === 0 ? "0" : error.toExponential(1));
