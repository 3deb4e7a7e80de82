/** What this process uses of the machine's memory; the most that it used since a moment, Linux alone tells. */
import { readFileSync, writeFileSync } from "node:fs";
import { machineShare } from "../../shared/machine/index.js";
import type { HostMemory } from "./fitting.js";

export const hostMemory: HostMemory = {
  reset() {
    try {
      writeFileSync("/proc/self/clear_refs", "5");
    } catch {
      // Then the most since the start is told, which is more.
    }
  },
  peakBytes() {
    try {
      const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
      return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
    } catch {
      return undefined;
    }
  },
  usedBytes: () => process.memoryUsage.rss(),
  freeBytes: () => machineShare().freeMemoryBytes,
};
