import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { introLines, type RunStart } from "./intro.js";
import { createLink } from "./links.js";
import { createPaint } from "./view.js";

const run: RunStart = {
  ...{ modelKind: "sequential", modelLayers: 4, parameters: 669_706, trainedParameters: 669_706 },
  ...{ trainingSamples: 60_000, testSamples: 10_000, task: "mnist", folder: "runs/mnist", server: "127.0.0.1:40000" },
  ...{ dashboard: undefined, resumedAt: undefined, samplesTotal: 240_000 },
};
const linesOf = (more: Partial<RunStart>) =>
  introLines({ ...run, ...more }, "report.html", createPaint(false), createLink(false));

describe("introLines()", () => {
  it("say what is trained, on what, for how long, and where to look", () => {
    assert.deepEqual(linesOf({}), [
      "mnist starting in runs/mnist, server at 127.0.0.1:40000",
      "  model      sequential, 4 layers, 669,706 parameters",
      "  data       60,000 training and 10,000 test samples",
      "  length     240,000 samples, 4 epochs",
      "  dashboard  none; --http 127.0.0.1:7401 serves one",
      "  report     runs/mnist/report.html, written when the run ends",
    ]);
  });

  it("say at which step a run resumes, and who reaches its dashboard", () => {
    const [first] = linesOf({ resumedAt: 1_200 });
    assert.equal(first, "mnist resuming at step 1,200 in runs/mnist, server at 127.0.0.1:40000");
    const dashboardAt = (dashboard: string) => linesOf({ dashboard })[4];
    const local = "  dashboard  http://127.0.0.1:7401/ (for other machines: --http 0.0.0.0:7401)";
    assert.equal(dashboardAt("http://127.0.0.1:7401/"), local);
    assert.equal(dashboardAt("https://10.0.0.7:7401/"), "  dashboard  https://10.0.0.7:7401/");
  });
});
