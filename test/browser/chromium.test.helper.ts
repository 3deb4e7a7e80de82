import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

/** The machine's own Chromium; CHROMIUM_PATH may name one. */
const executablePath = [
  process.env.CHROMIUM_PATH,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
].find((path) => path !== undefined && existsSync(path));

/** The reason why tests in a browser can't run, for `describe`; false if they can. */
export const skip: string | false =
  executablePath === undefined ? "no Chromium is installed (CHROMIUM_PATH may name one)" : false;

/** Options that keep Chromium from using the network on its own. */
export function launch(): Promise<Browser> {
  const flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking";
  return chromium.launch({
    executablePath,
    args: [...flags.split(" "), "--disable-component-update", "--disable-sync"],
  });
}

const DEADLINE_MS = 60_000;

/** Waits until an expression is true. Not waitForFunction, whose text the pages' policy forbids to evaluate. */
export async function until(page: Page, expression: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await page.evaluate(expression).catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`this did not become true: ${expression}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
