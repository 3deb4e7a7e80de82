import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { CheckReport } from "./report.js";
import { parseReport, tableOf } from "./table.js";
import { targetsOf } from "./targets.js";

/** What `npm run check:cuda -- --on cpu` has printed, without the machine's folders. */
const FILE = fileURLToPath(new URL("../../../bench/cuda/report.test.json", import.meta.url));
const report = parseReport(readFileSync(FILE, "utf8"), FILE);

describe("parseReport()", () => {
  it("takes the last line of what was printed", () => {
    const printed = `> isobatch@0.1.0 check:cuda\n\n{ not JSON\n${JSON.stringify(report)}\n`;
    assert.deepEqual(parseReport(printed, "check.json"), report);
  });

  it("refuses a file without a report", () => {
    for (const text of ["", "no report", '{"check":"other","parts":{}}', '{"check":"cuda"']) {
      assert.throws(
        () => parseReport(text, "check.json"),
        /^IsobatchError: check\.json has no report of check:cuda; its/,
      );
    }
  });
});

describe("tableOf()", () => {
  const lines = tableOf(report).split("\n");
  const has = (line: string): void => assert.ok(lines.includes(line), `${line}\nis not among\n${lines.join("\n")}`);

  it("says when, on what and with what", () => {
    const { at, commit, seconds, doctor } = report;
    assert.equal(
      lines[0],
      `${at.slice(0, 10)} at ${commit}, backend tfjs-node, small models, ${seconds} s: ${doctor.processor}, 2 cores, ` +
        "Node 20.20.2, TensorFlow 2.21.0, PyTorch 2.15.0+cu132.",
    );
  });

  it("has a row for each part", () => {
    has("| kinks | right | 0.9 | 63 of 63 gradients at kinks and ties are Keras' |");
    has("| masks | right | 1.1 | 5 of 5 masks of dropout are wasm's |");
    has("| folding | right | 1.7 | 40 of 40 κ up to 40, cut into leases anywhere, have the host's bits |");
    for (const part of Object.keys(report.parts))
      assert.ok(lines.some((line) => line.startsWith(`| ${part} | right |`)));
  });

  it("has gradients next to PyTorch's", () => {
    // 15.3 and 26.0099 ms; 588 bytes.
    has("| resnet18 | 0.18 M | 16 | 15.3 | 26 | 0.588 | – | – | – | 20.3 | 24.4 | 173 | 0.574 KiB |");
  });

  it("has runs next to the faster of PyTorch's loops", () => {
    // 825.34 samples/s; PyTorch's loop 1048.87 at once and 747.33 one by one.
    const phases = "pull 6.38, wait 1.96, compute 29.5, push 1.32, samples 1.72, merge 0, update 0.266";
    has(`| resnet18, 4 × 8 | 1 | 825 | 1050 | 0.787 | – | – | 41.1 (${phases}) | \`52458a5cdc07\` |`);
  });

  it("has the settings of programs next to the plain one", () => {
    has("| layout | gpt | 3.09 | 0.458 | 206 | same |  |");
  });

  it("compares no setting of programs with another one where the plain one was not timed", () => {
    const { variants } = report.parts;
    const rows = variants!.rows.filter(({ variant }) => variant !== "plain");
    const text = tableOf({ ...report, parts: { variants: { ...variants!, rows } } });
    assert.match(text, /^\| layout \| gpt \| 3\.09 \| – \| 206 \| – \| {2}\|$/m);
  });

  it("shows what is wrong, what is absent, and on a GPU how busy it was and what was wanted", () => {
    const { cluster, torch, gradients, kinks } = report.parts;
    const busy = { share: 0.834, memoryMiB: 4096, samples: 20 };
    const [first, ...rest] = cluster!.rows;
    const rounded = { step: 41.1, wait: 4.55e-13, update: 0.266 };
    const parts: CheckReport["parts"] = {
      ...{ gradients, torch, cluster: { ...cluster!, rows: [{ ...first, busy, phases: rounded }, ...rest] } },
      kinks: { ...kinks!, ok: false, rows: [], failures: ["It did not end within 10 s, and was killed."] },
    };
    const nvidia = {
      ...report.doctor.nvidia!,
      driver: "580.1",
      gpus: [{ model: "NVIDIA H200", name: "0", nearCores: null }],
    };
    const doctor = { ...report.doctor, nvidia };
    const text = tableOf({ ...report, on: "gpu", doctor, parts, targets: targetsOf(parts) });
    assert.match(text, /^\S+ at \S+, backend tfjs-node, 103 s: NVIDIA H200 \(driver 580\.1\), 2 cores, Node /);
    assert.match(text, /\| kinks \| \*\*wrong\*\* \| 0\.9 \| It did not end within 10 s, and was killed\. \|/);
    assert.match(
      text,
      /\| resnet18, 4 × 8 \| 1 \| 825 \| 1050 \| 0\.787 \| 83\.4 % \| 4096 MiB \| 41\.1 \(wait 0, update 0\.266\)/,
    );
    assert.match(text, /^- met: gradient of resnet18 ÷ PyTorch's, float32: 0\.588 \(wanted: ≤ 1\.1\)$/m);
    assert.match(text, /^- met: share of the time that the GPU is busy with resnet18: 0\.834 \(wanted: ≥ 0\.7\)$/m);
    assert.match(text, /^- NOT MET: samples\/s of gpt ÷ PyTorch's loop: 0\.366 \(wanted: ≥ 0\.7\)$/m);
  });
});
