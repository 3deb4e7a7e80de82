import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { openMetrics, openRunDirectory } from "../../server/record/index.js";
import { createLayout } from "../../shared/layout/index.js";
import { renderRunsReport, writeReport } from "../../viewing/index.js";
import { launch, skip, until } from "./chromium.test.helper.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** A run of 60 steps with everything that a report can show. */
function writeRun(folder: string): void {
  const task = {
    ...{
      name: "browser </script> test",
      microBatchSize: 64,
      microBatchesPerStep: 4,
      learningRate: 0.001,
      samples: 15_360,
    },
    optimizer: { name: "invariant", rule: "linear" },
  };
  const layout = createLayout([{ name: "w", shape: [2], kind: "parameter", decay: true }]);
  const json = JSON.stringify(task);
  const run = openRunDirectory({ folder, task: { name: "t", hash: "h", json }, version: "0", topology: "{}", layout });
  const metrics = openMetrics(folder);
  for (let step = 0; step < 60; step++) {
    if (step % 20 === 0)
      metrics.append({ type: "evaluation", step, samples: 256 * step, loss: 2 - step / 60, accuracy: 0.5 });
    metrics.append({
      ...{ type: "step", step, samples: 256 * (step + 1), loss: 2 / (step + 1), learningRate: 0.004, gamma1: 0.4 },
      ...{ gamma2: 0.004, microBatches: 4, workers: 1 + (step >> 5), ms: { step: 20, compute: 15 } },
      noiseScale: { trace: 1, squaredGradient: 1, scale: 100 + step },
    });
  }
  metrics.close();
  run.close();
}

/** For each chart, the pixels of its canvas that are clearly coloured, as curves are and axes are not. */
const COLOURED = `[...document.querySelectorAll("figure")].map((figure) => {
  const canvas = figure.querySelector("canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let coloured = 0;
  for (let i = 0; i < data.length; i += 4) {
    const [least, most] = [Math.min(data[i], data[i + 1], data[i + 2]), Math.max(data[i], data[i + 1], data[i + 2])];
    if (data[i + 3] > 128 && most - least > 60) coloured += 1;
  }
  return [figure.id, coloured];
})`;

describe("report.html in a browser", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-report-"));
  let browser: Browser;
  let url: string;
  before(async () => {
    writeRun(folder);
    url = pathToFileURL(writeReport(folder)).href;
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  /** Opens the report and resolves when all charts are drawn; fails on any error or request. */
  async function withReport(
    options: { colorScheme: "light" | "dark"; width: number },
    use: (page: Page) => Promise<void>,
  ): Promise<void> {
    const { colorScheme, width } = options;
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (request.url() !== url && !request.url().startsWith("data:")) complaints.push(`asked for ${request.url()}`);
    });
    page.on("dialog", (dialog) => complaints.push(`dialog ${dialog.message()}`));
    try {
      await page.goto(url);
      await until(page, `document.querySelectorAll("canvas").length === 4`);
      await use(page);
      assert.deepEqual(complaints, []);
    } finally {
      await page.close();
    }
  }

  for (const colorScheme of ["light", "dark"] as const) {
    it(`draws every curve in ${colorScheme} colours, without an error or a request`, async () => {
      await withReport({ colorScheme, width: 1200 }, async (page) => {
        for (const summary of await page.locator("summary").all()) await summary.click();
        await until(page, `document.querySelectorAll("canvas").length === 7`);
        const coloured = (await page.evaluate(COLOURED)) as [string, number][];
        const ids = coloured.map(([id]) => id);
        assert.deepEqual(ids, ["loss", "accuracy", "learning-rate", "noise", "cluster", "time", "gammas"]);
        for (const [id, pixels] of coloured) assert.ok(pixels > 200, `${id} has ${pixels} coloured pixels`);
        const background = await page.evaluate(`getComputedStyle(document.body).backgroundColor`);
        const brightness = Number(/rgb\((\d+)/.exec(String(background))?.[1]);
        assert.equal(brightness < 128, colorScheme === "dark");
        assert.equal(await page.textContent("h1"), "browser </script> test");
        await page.evaluate(axe);
        assert.deepEqual(
          await page.evaluate(
            `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html]))`,
          ),
          [],
        );
      });
    });
  }

  it("fits a phone's width", async () => {
    await withReport({ colorScheme: "light", width: 360 }, async (page) => {
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 360);
    });
  });

  it("shows the values under the cursor, in all charts at once", async () => {
    await withReport({ colorScheme: "light", width: 1200 }, async (page) => {
      await page.locator("#loss .u-over").hover();
      for (const id of ["loss", "accuracy", "noise"]) {
        const values = await page.locator(`#${id} .u-series:not(:first-child) .u-value`).allTextContents();
        assert.match((await page.locator(`#${id} .u-value`).first().textContent()) ?? "", /^at [\d,]+ samples$/);
        assert.ok(
          values.every((value) => /^[\d.,e−]+( %)?$/.test(value)),
          `${id}: ${values.join(" | ")}`,
        );
      }
    });
  });

  it("unfolds everything for a printer, in light colours, and folds it again", async () => {
    await withReport({ colorScheme: "dark", width: 1200 }, async (page) => {
      const background = () => page.evaluate(`getComputedStyle(document.body).backgroundColor`);
      const dark = await background();
      await page.evaluate(`dispatchEvent(new Event("beforeprint"))`);
      assert.equal(await page.locator("canvas").count(), 7);
      assert.notEqual(await background(), dark);
      assert.equal(await page.evaluate("getComputedStyle(document.documentElement).colorScheme"), "light");
      await page.evaluate(`dispatchEvent(new Event("afterprint"))`);
      assert.equal(await page.locator("details[open]").count(), 0);
      assert.equal(await background(), dark);
    });
  });

  it("compares several runs, with a legend that names them", async () => {
    const comparison = join(folder, "runs.html");
    writeFileSync(comparison, renderRunsReport([folder, folder]));
    for (const width of [390, 1280]) {
      const page = await browser.newPage({ viewport: { width, height: 900 } });
      const complaints: string[] = [];
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(error.message));
      await page.goto(pathToFileURL(comparison).href);
      await until(page, `document.querySelectorAll("canvas").length === 4`);
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), width);
      const names = await page.locator("#runs-accuracy .u-series:not(:first-child) .u-label").allTextContents();
      assert.deepEqual(names, [basename(folder), basename(folder)]);
      await page.evaluate(axe);
      assert.deepEqual(await page.evaluate(`axe.run().then(({ violations }) => violations.map(({ id }) => id))`), []);
      assert.deepEqual(complaints, []);
      await page.close();
    }
  });

  it("changes the loss axis at a click", async () => {
    await withReport({ colorScheme: "light", width: 1200 }, async (page) => {
      const button = page.locator("#loss button");
      const before = await button.getAttribute("aria-pressed");
      await button.click();
      assert.notEqual(await button.getAttribute("aria-pressed"), before);
      assert.equal(await page.locator("#loss canvas").count(), 1);
    });
  });
});
