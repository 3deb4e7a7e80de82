import { IsobatchError, messageOf } from "../../shared/errors.js";
import { type Address, formatAddress, type Status } from "../../shared/wire/index.js";
import type { Paint } from "../progress/view.js";
import type { Screen } from "./screen.js";
import { statusLines } from "./view.js";

export interface WatchOptions {
  readonly first: Status;
  ask(signal: AbortSignal): Promise<Status>;
  readonly address: Address;
  readonly screen: Pick<Screen, "columns" | "rows" | "draw" | "onChange" | "left">;
  readonly paint: Paint;
  readonly refreshMs?: number;
}

const REFRESH_MS = 500;

/**
 * Shows a run until it has ended or the person leaves. A server that does not answer is asked again and again, since it
 * may be restarted; meanwhile the screen shows for how long it has not answered.
 * @returns the last known status
 * @throws {IsobatchError} an error that asking again would not change, such as a wrong token
 */
export async function watchStatus(options: WatchOptions): Promise<Status> {
  const { ask, screen, paint, refreshMs = REFRESH_MS } = options;
  const { left } = screen;
  let status = options.first;
  let lost: { readonly sinceMs: number; readonly reason: string } | undefined;

  const draw = (): void => {
    const { columns, rows } = screen;
    const gone =
      lost === undefined ? undefined : { seconds: (performance.now() - lost.sinceMs) / 1_000, reason: lost.reason };
    screen.draw(statusLines({ status, address: formatAddress(options.address), gone }, { columns, rows, paint }));
  };
  screen.onChange(draw);

  while (!left.aborted && status.phase !== "ended") {
    draw();
    await pause(refreshMs, left);
    try {
      status = await ask(left);
      lost = undefined;
    } catch (error) {
      if (left.aborted) break;
      if (!(error instanceof IsobatchError && error.code === "unavailable")) throw error;
      lost = { sinceMs: lost?.sinceMs ?? performance.now(), reason: messageOf(error) };
    }
  }
  return status;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
