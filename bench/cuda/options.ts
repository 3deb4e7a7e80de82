/** The options of `npm run check:cuda`. */
import { parseArgs } from "node:util";
import { wholeNumber } from "../../cli/option-values.js";
import { invalid } from "../../shared/errors.js";
import { chosen } from "../chosen.js";
import { PART_NAMES } from "./parts.js";
import type { Device, PartName } from "./report.js";

export interface CheckOptions {
  readonly on: Device;
  readonly quick: boolean;
  readonly parts: readonly PartName[];
  /** The time limit for all parts together. */
  readonly seconds: number;
  /** A Python interpreter, or an environment's folder. */
  readonly torch: string | undefined;
  /** A file that holds a report; it is rendered, and nothing is checked. */
  readonly table: string | undefined;
}

const SECONDS = 345;

/** @throws if there is no such option or value. */
export function readOptions(args: readonly string[]): CheckOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      on: { type: "string", default: "gpu" },
      quick: { type: "boolean", default: false },
      parts: { type: "string" },
      seconds: { type: "string", default: String(SECONDS) },
      torch: { type: "string" },
      table: { type: "string" },
    },
  });
  const { on, quick, torch, table } = values;
  if (on !== "gpu" && on !== "cpu") invalid(`--on is "${on}"; it must be gpu or cpu.`);
  const parts = chosen("--parts", values.parts?.split(","), PART_NAMES);
  return { on, quick, parts, seconds: wholeNumber("--seconds", 1, 86_400)(values.seconds), torch, table };
}
