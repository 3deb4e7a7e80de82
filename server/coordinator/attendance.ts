import type { EventLine } from "../record/index.js";
import type { CoordinatorEvent, CoordinatorState } from "./core/index.js";
import type { Members } from "./members.js";
import type { Progress } from "./progress.js";

/** Records which workers join a run, and which ones it loses. */
export interface Attendance {
  event(event: CoordinatorEvent): void;
  /** The server ends: workers that leave because of that are not recorded. */
  close(): void;
}

export interface AttendanceOptions {
  readonly members: Pick<Members, "get">;
  readonly state: Pick<CoordinatorState, "phase">;
  readonly progress: Pick<Progress, "failure">;
  record(line: EventLine): void;
}

/** Events that one process records at most: a worker that joins and leaves repeatedly must not fill the disk. */
const EVENTS_MAX = 1_000;

export function createAttendance({ members, state, progress, record }: AttendanceOptions): Attendance {
  let count = 0;
  let isClosed = false;

  function add(event: string, details: Record<string, unknown>): void {
    count += 1;
    const at = new Date().toISOString();
    if (count <= EVENTS_MAX) record({ type: "event", event, at, ...details });
    if (count !== EVENTS_MAX + 1) return;
    const message = `${EVENTS_MAX} arrivals and departures of workers are recorded; from now on they are only logged`;
    record({ type: "event", event: "note", at, message });
  }

  return {
    event(event) {
      if (isClosed || state.phase === "ended" || progress.failure !== "") return;
      if (event.kind === "workerAttached") {
        const { host, device, computeThreads, numerics } = members.get(event.worker)!;
        add("workerJoined", { worker: event.worker, host, device, backend: numerics.backend, computeThreads });
      } else if (event.kind === "workerLost") {
        add("workerLeft", { worker: event.worker, reason: event.reason });
      }
    },
    close() {
      isClosed = true;
    },
  };
}
