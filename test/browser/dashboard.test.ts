/** The dashboard in a real browser: served by the real listener, of runs that are made up and of one that is real. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import type { Browser, Page } from "playwright-core";
import { ALL } from "../../shared/all-cases.test.helper.js";
import { loadTask } from "../../tasks/index.js";
import { type Dashboard, startDashboard } from "../../viewing/dashboard/index.js";
import {
  createMadeUpRun,
  type MadeUpOptions,
  type MadeUpRun,
} from "../../viewing/dashboard/made-up-run.test.helper.js";
import { createViewers } from "../../viewing/index.js";
import { quiet, withCluster } from "../cluster/run-cluster.test.helper.js";
import { launch, skip, until } from "./chromium.test.helper.js";

const TOKEN = "isobatch_for-this-test";
const JOIN = "ISOBATCH_TOKEN=isobatch_x isobatch worker join 192.0.2.7:7400";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Look {
  readonly width?: number;
  readonly colorScheme?: "light" | "dark";
}

describe("the dashboard in a browser", { skip, timeout: 120_000 }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  async function serve(test: TestContext, options: MadeUpOptions, address = { host: "127.0.0.1", port: 0 }) {
    const run = createMadeUpRun(options);
    const dashboard = await startDashboard({
      ...{ source: run.source, address, log: quiet, joinCommand: () => JOIN },
      verify: (secret) => (secret === TOKEN ? { name: "admin", mayAct: true } : undefined),
    });
    test.after(() => dashboard.close());
    return { run, dashboard };
  }

  /** Opens a page on which any console error and any request to another host fails the test. */
  async function open(test: TestContext, url: string, { width = 1280, colorScheme = "light" }: Look = {}) {
    const context = await browser.newContext({ viewport: { width, height: 2_400 }, colorScheme });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (new URL(request.url()).host !== new URL(url).host) complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(url);
    test.after(() => context.close());
    return { page, complaints };
  }

  async function logIn(page: Page, { url }: Dashboard): Promise<void> {
    await page.goto(`${url}login`);
    await page.fill("#token", TOKEN);
    await page.keyboard.press("Enter");
    await page.waitForSelector("#stop");
  }

  /** Waits until the page shows the run as it is now, charts included. */
  async function whenShown(page: Page, { status }: MadeUpRun): Promise<void> {
    const step = status.step.toLocaleString("en-US");
    await until(page, `document.querySelector("#facts > div:nth-child(5) .value")?.textContent === "${step}"`);
    const charts = status.step === 0 ? 0 : 4;
    await until(page, `document.querySelectorAll("canvas").length >= ${charts}`);
  }

  const violations = async (page: Page): Promise<unknown> => {
    // addScriptTag would be forbidden by the page's own policy.
    await page.evaluate(axe);
    return page.evaluate(`axe.run({ resultTypes: ["violations"] }).then(({ violations }) =>
      violations.map(({ id, nodes }) => [id, nodes.slice(0, 3).map(({ html, any }) => [html.slice(0, 200), any[0]?.message])]))`);
  };

  const CASES: [workers: number, steps: number, looks: Look[]][] = [
    [1, 10, [{ colorScheme: "dark" }]],
    [8, 100_000, [{ colorScheme: "light" }, { width: 360 }]],
    [64, 1_000, [{ width: 360, colorScheme: "dark" }]],
  ];
  for (const [workers, steps, looks] of ALL ? CASES : CASES.slice(0, 1)) {
    it(`shows ${workers} workers and ${steps.toLocaleString("en")} steps to everybody on this machine`, async (test) => {
      const { run, dashboard } = await serve(test, { workers, steps });
      for (const look of looks) {
        const { page, complaints } = await open(test, dashboard.url, look);
        await whenShown(page, run);
        assert.equal(await page.evaluate("document.documentElement.scrollWidth"), look.width ?? 1280);
        assert.equal(await page.locator("#workers tbody tr").count(), workers);
        assert.equal(await page.locator("button:visible:has-text('Drain')").count(), 0);
        assert.equal(await page.locator(".actions").textContent(), "Log in");
        await page.locator("summary:has-text('More curves')").click();
        await until(page, `document.querySelectorAll("canvas").length === 7`);
        if (look.width === undefined) assert.deepEqual(await violations(page), []);
        assert.deepEqual(complaints, []);
      }
    });
  }

  it("moves with the run, and keeps the newest values in the words of its charts", async (test) => {
    const { run, dashboard } = await serve(test, { workers: 2, steps: 50 });
    const { page } = await open(test, dashboard.url);
    await whenShown(page, run);
    const label = (): Promise<string | null> => page.getAttribute("#learning-rate .plot", "aria-label");
    const earlier = await label();
    assert.match(earlier ?? "", /^Learning rate, newest values: learning rate 0\.00\d+/);
    for (let i = 0; i < 40; i++) run.step();
    await whenShown(page, run);
    await until(
      page,
      `document.querySelector("#learning-rate .plot").getAttribute("aria-label") !== ${JSON.stringify(earlier)}`,
    );
  });

  it("says that it reconnects when the server is gone, and resumes where it was once the server is back", async (test) => {
    const { run, dashboard } = await serve(test, { workers: 2, steps: 30 });
    const { page } = await open(test, dashboard.url);
    await whenShown(page, run);
    await page.waitForSelector("#state:has-text('Training')");
    await dashboard.close();
    await page.waitForSelector("#state:has-text('Connection lost, reconnecting')");
    for (let i = 0; i < 25; i++) run.step();
    await startAgain(test, run, dashboard);
    await page.waitForSelector("#state:has-text('Training')");
    await whenShown(page, run);
  });

  async function startAgain(test: TestContext, run: MadeUpRun, { address }: Dashboard): Promise<void> {
    const options = { source: run.source, address, log: quiet, joinCommand: () => JOIN, verify: () => undefined };
    const dashboard = await startDashboard(options);
    test.after(() => dashboard.close());
  }

  it("shows nothing off loopback before a login, and takes a token there", async (test) => {
    const { run, dashboard } = await serve(test, { workers: 2, steps: 30 }, { host: "0.0.0.0", port: 0 });
    const url = `http://127.0.0.1:${dashboard.address.port}/`;
    for (const colorScheme of ["light", "dark"] as const) {
      const { page, complaints } = await open(test, url, { colorScheme, width: 360 });
      assert.equal(new URL(page.url()).pathname, "/login");
      assert.deepEqual(await violations(page), []);
      await page.keyboard.type("isobatch_wrong");
      await page.keyboard.press("Enter");
      await page.waitForSelector("[role=alert]:has-text('This token does not belong to this run.')");
      assert.deepEqual(await violations(page), []);
      // Chromium itself logs the response's status.
      assert.deepEqual(
        complaints.filter((text) => !/status of 401/.test(text)),
        [],
      );
      await page.keyboard.type(TOKEN);
      await page.keyboard.press("Enter");
      await whenShown(page, run);
      assert.equal(await page.evaluate("document.cookie"), "", "no script reads the session");
      await page.click("text=Log out");
      await page.waitForURL("**/login");
    }
  });

  it("can be used with the keyboard only, asks before it acts, and restores the focus", async (test) => {
    const { run, dashboard } = await serve(test, { workers: 2, steps: 30 });
    const { page, complaints } = await open(test, dashboard.url);
    await logIn(page, dashboard);
    await whenShown(page, run);
    await until(page, `document.getElementById("join-command").textContent === ${JSON.stringify(JOIN)}`);
    assert.deepEqual(await violations(page), []);
    const reached = new Set<string>();
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press("Tab");
      if (await page.evaluate("document.activeElement === document.body")) break;
      const name = await page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()");
      reached.add(String(name));
      const outlined = await page.evaluate(`getComputedStyle(document.activeElement).outlineStyle !== "none"`);
      assert.ok(outlined, `the focus shows on ${[...reached].at(-1)}`);
    }
    for (const name of ["Skip to the run", "checkpoint", "stop", "Log out", "log", "Drain…", "join-command", "copy"]) {
      assert.ok(reached.has(name), `${name} among ${[...reached].join(", ")}`);
    }
    await page.focus("#stop");
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog[open]");
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog:not([open])", { state: "attached" });
    assert.equal(await page.evaluate("document.activeElement.id"), "stop");
    assert.deepEqual(run.asked, []);
    await page.focus("#workers tbody tr:nth-child(2) button");
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog[open] >> text=node-01-2 finishes its work and leaves.");
    await page.click("#confirm-yes");
    await page.waitForSelector("#notice[data-shown]");
    assert.deepEqual(run.asked, [{ drain: { workerId: "node-01-2" } }]);
    assert.deepEqual(complaints, []);
  });

  it("drains a worker, writes a checkpoint and stops a real run", { skip: !ALL }, async (test) => {
    const task = await loadTask("mnist", {
      model: {
        kind: "sequential",
        layers: [
          { layer: "Flatten", inputShape: [28, 28, 1] },
          { layer: "Dense", units: 10 },
        ],
      },
      dataset: { kind: "mnist", limit: 1_000, testLimit: 200 },
      ...{ microBatchSize: 16, microBatchesPerStep: 4, steps: 1_000_000, evaluateEverySamples: 6_400 },
    });
    const { observers, dashboard } = createViewers({
      address: { host: "127.0.0.1", port: 0 },
      joinCommand: () => JOIN,
    });
    await withCluster({ task, workers: 2, observers }, async ({ server, out }) => {
      const { page, complaints } = await open(test, `${dashboard!.url}login`);
      await page.fill("#token", readFileSync(join(out, "security/admin-token"), "utf8").trim());
      await page.keyboard.press("Enter");
      await page.waitForSelector("#state:has-text('Training')");
      await until(page, `document.querySelectorAll("#workers tbody tr").length === 2`);
      await page.click("#checkpoint");
      await page.waitForSelector("#happenings >> text=/Worker .+-2 joined: /");
      await page.waitForSelector("#happenings >> text=/heckpoint.* of step \\d+/");
      await page.click("#workers tbody tr:nth-child(1) button");
      await page.click("#confirm-yes");
      await until(page, `document.querySelectorAll("#workers tbody tr").length === 1`);
      await page.click("#stop");
      await page.click("#confirm-yes");
      const { outcome, summary } = await server.finished;
      assert.equal(outcome, "stopped");
      assert.ok(summary.steps > 0);
      await page.waitForSelector("#state:has-text('The run has ended')");
      assert.deepEqual(
        complaints.filter((text) => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED/.test(text)),
        [],
      );
    });
  });
});
