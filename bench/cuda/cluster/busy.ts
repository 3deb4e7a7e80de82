/** How busy the GPU is, sampled by nvidia-smi while something runs on it. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A line that nvidia-smi printed, with the time by performance.now(). */
export interface BusySample {
  readonly atMs: number;
  /** The fraction of nvidia-smi's last sample period in which a kernel ran. */
  readonly busy: number;
  readonly memoryMiB: number;
}

export interface Busy {
  /** The mean of the samples. */
  readonly share: number;
  /** The most memory that was in use. */
  readonly memoryMiB: number;
  readonly samples: number;
}

export interface BusySampler {
  readonly samples: readonly BusySample[];
  stop(): void;
}

const EVERY_MS = 200;
const QUERY = ["--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits", "-lms", String(EVERY_MS)];

/** @param gpu its number or UUID, as nvidia-smi takes it. */
export function sampleBusy(gpu: string, command = "nvidia-smi"): BusySampler {
  const samples: BusySample[] = [];
  const child = spawn(command, [`--id=${gpu}`, ...QUERY], { stdio: ["ignore", "pipe", "ignore"] });
  child.once("error", () => {}); // Then there are no samples, which is reported.
  createInterface({ input: child.stdout }).on("line", (line) => {
    const [busy, memoryMiB] = line.split(",").map(Number);
    if (Number.isFinite(busy) && Number.isFinite(memoryMiB)) {
      samples.push({ atMs: performance.now(), busy: busy / 100, memoryMiB });
    }
  });
  return { samples, stop: () => void child.kill("SIGKILL") };
}

/** How busy the GPU was, by the samples within a span of time; undefined if there are none. */
export function busyBetween(samples: readonly BusySample[], fromMs: number, toMs: number): Busy | undefined {
  const within = samples.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
  if (within.length === 0) return undefined;
  return {
    share: within.reduce((sum, { busy }) => sum + busy, 0) / within.length,
    memoryMiB: Math.max(...within.map(({ memoryMiB }) => memoryMiB)),
    samples: within.length,
  };
}
