/** The report of `npm run check:cuda`: one JSON document with a place for each part. */

import type { BackendName } from "../../backends/machine/index.js";
import type { DoctorReport } from "../../cli/doctor/collect.js";
import type { Rows } from "./rows.js";
import type { SpeedTarget } from "./targets.js";

export type PartName = keyof Rows;
export type Device = "gpu" | "cpu";

export interface CheckReport {
  readonly check: "cuda";
  readonly on: Device;
  readonly quick: boolean;
  /** Whether all parts that were asked for are right, however fast they are. */
  readonly ok: boolean;
  readonly failures: readonly string[];
  /** ISO 8601. */
  readonly at: string;
  /** The checkout's commit; null where git does not know it. */
  readonly commit: string | null;
  readonly seconds: number;
  readonly secondsMax: number;
  readonly backend: BackendName;
  readonly doctor: Partial<DoctorReport>;
  readonly parts: { readonly [Name in PartName]?: PartReport<Rows[Name]> };
  readonly targets: readonly SpeedTarget[];
}

export interface PartReport<Row> {
  readonly ok: boolean;
  readonly seconds: number;
  /** The time after which it is killed; everything it has found by then is kept. */
  readonly limitSeconds: number;
  readonly failures: readonly string[];
  /** Sentences that say what can't be found out here, and why. */
  readonly absent: readonly string[];
  readonly rows: readonly Row[];
}

/** The arguments of a part's process. */
export interface PartContext {
  readonly on: Device;
  readonly backend: BackendName;
  readonly size: CheckSize;
  /** A Python interpreter that may have PyTorch. */
  readonly torch: string | undefined;
  /** An empty folder for its files; it is removed afterwards. */
  readonly folder: string;
  /** When it is killed, by Date.now(). */
  readonly endsAt: number;
}

/** The sizes of models: for a GPU, for a processor, and for a test, which must be short. */
export type CheckSize = "gpu" | "cpu" | "quick";

/** How a part reports what it finds, as soon as it has found it. */
export interface Saying<Row> {
  row(row: Row): void;
  /** @param sentence what is wrong. */
  fail(sentence: string): void;
  /** @param sentence what can't be found out here, and why. */
  absent(sentence: string): void;
}

/** A line that a part's process prints. */
export type PartLine = { readonly row: object } | { readonly fail: string } | { readonly absent: string };

export type CheckPart<Row> = (context: PartContext, say: Saying<Row>) => Promise<void>;
