/**
 * A step over a slow link: how much of the link's capacity is used, and how more micro-batches per step hide the link. Workers
 * do not compute but wait as long as a micro-batch would take, so that the processors are free for what is measured: the
 * server, the workers and the link itself, each in its own process.
 */
import { type BenchMachine, benchMachine } from "../machine.js";
import { measureCluster } from "../scaling/cluster.js";
import { threeDigits } from "../statistics.js";
import type { LinkRate } from "./limited-link.js";

export interface LinkLine {
  readonly scenario: "link";
  readonly machine: BenchMachine;
  readonly gbitPerSecond: number;
  readonly roundTripMs: number;
  readonly parameters: number;
  readonly workers: number;
  /** κ, over all workers. */
  readonly microBatches: number;
  /** The simulated time of one micro-batch. */
  readonly computeMs: number;
  readonly stepMs: number;
  /** The time that the busier direction of the link needs for the bytes of a step. */
  readonly linkMs: number;
  /** Computing, linkMs and a round trip: the shortest step that is possible if sums are pushed only once all are complete. */
  readonly leastMs: number;
  /** linkMs as a share of the step's time that is not computing. */
  readonly shareOfLink: number;
  /** Computing as a share of the step's time. */
  readonly shareComputing: number;
}

interface Model {
  readonly parameters: number;
  readonly computeMs: number;
  readonly steps: number;
}

const LINKS: readonly LinkRate[] = [
  { bitsPerSecond: 1e9, roundTripMs: 10 },
  { bitsPerSecond: 10e9, roundTripMs: 0.2 },
];
/** The MLPs of 0.67 and 10 million parameters, with the time of their gradients on one core. */
const MODELS: readonly Model[] = [
  { parameters: 670_000, computeMs: 4, steps: 40 },
  { parameters: 10_000_000, computeMs: 50, steps: 8 },
];
const MICRO_BATCHES_PER_WORKER = [1, 4, 16];
const WORKERS = [1, 2];
const WARM_UP_STEPS = 3;

export async function linkScenario(notice: (text: string) => void): Promise<LinkLine[]> {
  const machine = benchMachine();
  const lines: LinkLine[] = [];
  for (const link of LINKS) {
    for (const model of MODELS) {
      for (const workers of WORKERS) {
        for (const each of MICRO_BATCHES_PER_WORKER) {
          const line = { ...(await measure(link, model, workers, each)), scenario: "link", machine } as const;
          notice(sentence(line));
          lines.push(line);
        }
      }
    }
  }
  return lines;
}

async function measure(
  link: LinkRate,
  { parameters: wanted, computeMs, steps }: Model,
  workers: number,
  microBatchesEach: number,
): Promise<Omit<LinkLine, "scenario" | "machine">> {
  const microBatches = workers * microBatchesEach;
  const measured = await measureCluster({
    ...{ parameters: wanted, workers, shards: 1, warmUpSteps: WARM_UP_STEPS, steps },
    ...{ microBatches, computeMs, link },
  });
  const { parameters, stepsPerSecond, leasesPerStep } = measured;
  const stepMs = 1_000 / stepsPerSecond;
  const bytes = bytesPerLease(parameters, microBatches / leasesPerStep) * leasesPerStep;
  const linkMs = (bytes / link.bitsPerSecond) * 8_000;
  const computing = microBatchesEach * computeMs;
  return {
    ...{ gbitPerSecond: link.bitsPerSecond / 1e9, roundTripMs: link.roundTripMs },
    ...{ parameters, workers, microBatches, computeMs },
    stepMs: threeDigits(stepMs),
    linkMs: threeDigits(linkMs),
    leastMs: threeDigits(computing + linkMs + link.roundTripMs),
    shareOfLink: threeDigits(linkMs / (stepMs - computing)),
    shareComputing: threeDigits(computing / stepMs),
  };
}

/** Up: the gradient of one micro-batch, or S1 and S2 of several. The weights that come down are never more. */
function bytesPerLease(parameters: number, microBatches: number): number {
  return parameters * Float32Array.BYTES_PER_ELEMENT * (microBatches < 1.5 ? 1 : 2);
}

function sentence(line: LinkLine): string {
  const { gbitPerSecond, roundTripMs, parameters, workers, microBatches, stepMs, shareOfLink, shareComputing } = line;
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  return (
    `${gbitPerSecond} Gbit/s, ${roundTripMs} ms, ${threeDigits(parameters / 1e6)} M parameters, ${workers} workers, ` +
    `${microBatches} micro-batches: a step of ${stepMs} ms; ${percent(shareOfLink)} of the link, ` +
    `${percent(shareComputing)} of the time computing`
  );
}
