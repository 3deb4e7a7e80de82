/**
 * The runs of an experiment, in the order in which they are trained: first the references, then the arms from the
 * largest κ down, where they differ most.
 *
 * The arms' runs at κ = 1 are one run for all arms of the same arithmetic. Two floors show how small a gap can be
 * distinguished from none: the reference trained again, which must leave the same bits, and the reference with its samples
 * in another order, which differs as much as two runs that nobody would call different.
 */
import { seedOf } from "../../shared/random.js";
import type { Task } from "../../tasks/index.js";
import { arithmeticAtOne } from "./arithmetic.js";
import { type Protocol, taskOfRun } from "./protocol.js";

/**
 * - `reference`: κ = 1;
 * - `repeat`: the same again;
 * - `order`: κ = 1 with the samples in another order;
 * - `arm`: κ above 1.
 */
export type RunRole = "reference" | "repeat" | "order" | "arm";

export interface RunSpec {
  /** Unique in the experiment, and the same each time its runs are listed. */
  readonly key: string;
  readonly role: RunRole;
  /** For a reference: the first of the arms that it stands for. */
  readonly arm: string;
  readonly kappa: number;
  readonly learningRate: number;
  readonly seed: number;
  /** The seed of the samples' order, if that is not `seed`. */
  readonly orderSeed: number | null;
  /** The key of the run that it is compared with; null for a reference. */
  readonly reference: string | null;
  readonly task: Task;
}

/** @throws {IsobatchError} `invalid_input` where an arm's rule has no meaning at one of the κ. */
export function listRuns(base: Task, protocol: Protocol): RunSpec[] {
  const { arms, kappas, learningRates, seeds } = protocol;
  const baseline: RunSpec[] = [];
  const compared: RunSpec[] = [];
  /** The digest of the arithmetic by arm and learning rate; the seed does not matter. */
  const arithmetics = new Map<string, string>();
  const arithmeticOf = ({ arm, learningRate, task }: RunSpec): string => {
    const name = `${arm}/${learningRate}`;
    const found = arithmetics.get(name) ?? arithmeticAtOne(task);
    arithmetics.set(name, found);
    return found;
  };
  for (const [s, seed] of seeds.entries()) {
    for (const learningRate of learningRates) {
      const of = (role: RunRole, arm: Protocol["arms"][number], kappa: number, reference: string | null): RunSpec => ({
        key: `${role}/${arm.name}/${kappa}/${learningRate}/${seed}`,
        role,
        arm: arm.name,
        kappa,
        learningRate,
        seed,
        orderSeed: role === "order" ? seedOf(seed, "another order") : null,
        reference,
        task: taskOfRun(base, protocol, { arm, kappa, learningRate, seed }),
      });
      /** The reference of each arithmetic. */
      const references = new Map<string, RunSpec>();
      for (const arm of arms) {
        const own = of("reference", arm, 1, null);
        const arithmetic = arithmeticOf(own);
        if (!references.has(arithmetic)) references.set(arithmetic, own);
        const reference = references.get(arithmetic)!.key;
        for (const kappa of kappas) compared.push(of("arm", arm, kappa, reference));
      }
      baseline.push(...references.values());
      const [first] = references.values();
      if (s === 0) baseline.push(of("repeat", arms[0], 1, first.key));
      baseline.push(of("order", arms[0], 1, first.key));
    }
  }
  return [...baseline, ...compared.sort((a, b) => b.kappa - a.kappa)];
}
