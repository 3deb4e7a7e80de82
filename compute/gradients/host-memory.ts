/**
 * How much memory this process uses, and how much the machine has left. Only Linux reports a peak since a given time.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { machineShare } from "../../shared/machine/index.js";
import type { HostMemory } from "./fitting.js";

export const hostMemory: HostMemory = {
  reset() {
    try {
      writeFileSync("/proc/self/clear_refs", "5");
    } catch {
      // Then the peak is the one since the process started, which is at least as high.
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
