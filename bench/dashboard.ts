import type { Browser, Page } from "playwright-core";
import { createLog } from "../shared/log.js";
import { launch, skip } from "../test/browser/chromium.test.helper.js";
import { startDashboard } from "../viewing/dashboard/index.js";
import { createMadeUpRun, type MadeUpRun } from "../viewing/dashboard/made-up-run.test.helper.js";
import { median } from "./statistics.js";

/**
 * The dashboard in the machine's Chromium, of a run of 100,000 steps and 8 workers on loopback: how soon the page paints
 * and has all its curves, and how evenly frames come while 60 steps per second arrive, compared with a blank page at the
 * same time, which shows how many frames the machine drops anyway.
 */

const STEPS = 100_000;
const LOADS = 5;
const STEPS_PER_SECOND = 60;
const FRAME_MS = 1_000 / 60;
const WATCHED_MS = 10_000;

export async function dashboardScenario(): Promise<Record<string, unknown>> {
  if (skip !== false) throw new Error(skip);
  const run = createMadeUpRun({ workers: 8, steps: STEPS });
  const dashboard = await startDashboard({
    source: run.source,
    address: { host: "127.0.0.1", port: 0 },
    verify: () => undefined,
    joinCommand: () => "",
    log: createLog({ level: "silent", pretty: false }),
  });
  const browser = await launch();
  try {
    const loads: Load[] = [];
    for (let i = 0; i < LOADS; i++) loads.push(await load(browser, dashboard.url));
    const blank = await watch(await openPage(browser, "about:blank"), undefined);
    const page = await openPage(browser, dashboard.url);
    const live = await watch(page, run);
    return {
      scenario: "dashboard",
      steps: STEPS,
      workers: 8,
      firstPaintMs: Math.round(median(loads.map(({ firstPaintMs }) => firstPaintMs))),
      curvesMs: Math.round(median(loads.map(({ curvesMs }) => curvesMs))),
      stepsPerSecond: STEPS_PER_SECOND,
      live,
      blank,
      consoleMessages: loads.reduce((sum, { complaints }) => sum + complaints.length, page.complaints.length),
    };
  } finally {
    await browser.close();
    await dashboard.close();
  }
}

interface Opened {
  readonly page: Page;
  /** Messages of the console, and errors of the page. */
  readonly complaints: string[];
}

async function openPage(browser: Browser, url: string): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 900 } });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(url);
  return { page, complaints };
}

interface Load {
  readonly firstPaintMs: number;
  /** Milliseconds until the visible curves are drawn. */
  readonly curvesMs: number;
  readonly complaints: readonly string[];
}

async function load(browser: Browser, url: string): Promise<Load> {
  const { page, complaints } = await openPage(browser, url);
  const curvesMs = Number(
    await page.evaluate(`new Promise((resolve) => {
      const look = () => (document.querySelectorAll("canvas").length >= 3 ? resolve(performance.now()) : requestAnimationFrame(look));
      look();
    })`),
  );
  const firstPaintMs = Number(
    await page.evaluate(`performance.getEntriesByName("first-contentful-paint")[0].startTime`),
  );
  await page.context().close();
  return { firstPaintMs, curvesMs, complaints };
}

interface Frames {
  readonly frames: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** The share of the frames that were due and did not come, in percent. */
  readonly droppedPercent: number;
  /** Steps per second that the page showed as the newest one. */
  readonly shownPerSecond?: number;
}

/** Watches a page's frames, while the run commits steps if there is one. */
async function watch({ page }: Opened, run: MadeUpRun | undefined): Promise<Frames> {
  if (run !== undefined) await page.waitForSelector("canvas");
  const startMs = performance.now();
  let committed = 0;
  // Timers are coarse: whenever one fires, all steps that are due are committed.
  const stepping = setInterval(() => {
    const due = ((performance.now() - startMs) * STEPS_PER_SECOND) / 1_000;
    for (; run !== undefined && committed < due; committed++) run.step();
  }, 4);
  const { intervals, shown } = (await page.evaluate(`new Promise((resolve) => {
    const [intervals, shown, place] = [[], new Set(), document.querySelector("#facts > div:nth-child(5) .value")];
    let [first, last] = [undefined, undefined];
    const frame = (now) => {
      if (last !== undefined) intervals.push(now - last);
      if (place) shown.add(place.textContent);
      first ??= now;
      last = now;
      if (now - first < ${WATCHED_MS}) requestAnimationFrame(frame);
      else resolve({ intervals, shown: shown.size });
    };
    requestAnimationFrame(frame);
  })`)) as { intervals: number[]; shown: number };
  clearInterval(stepping);
  const sorted = intervals.sort((a, b) => a - b);
  const quantile = (q: number): number => Number(sorted[Math.floor(q * (sorted.length - 1))].toFixed(1));
  const missed = intervals.reduce((sum, ms) => sum + Math.max(0, Math.round(ms / FRAME_MS) - 1), 0);
  return {
    frames: intervals.length,
    ...{ p50Ms: quantile(0.5), p95Ms: quantile(0.95), p99Ms: quantile(0.99) },
    droppedPercent: Number(((100 * missed) / (missed + intervals.length)).toFixed(2)),
    ...(run !== undefined && { shownPerSecond: Number(((1_000 * shown) / WATCHED_MS).toFixed(1)) }),
  };
}
