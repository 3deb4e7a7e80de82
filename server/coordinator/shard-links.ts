import type { Pass } from "../../shared/credentials/index.js";
import { messageOf } from "../../shared/errors.js";
import type { Logger } from "../../shared/log.js";
import type { MessageWriter, Passes, ShardCommand } from "../../shared/wire/index.js";
import { type MeasuredReport, planMessage, type Shard } from "../shard/index.js";
import type { CoordinatorEffect, CoordinatorEvent } from "./core/index.js";

/** What the coordinator sends to a shard, and how it hears of it: the same for one in this process and for others. */
export interface ShardLink {
  /** As workers are told it; see ShardAddress. */
  readonly address: string;
  perform(effect: ShardBoundEffect): void;
  stop(reason: string): void;
}

export type ShardBoundEffect = Extract<CoordinatorEffect, { readonly shard: number }>;

/** A shard's report as the coordinator's event. */
export function reportEvent(shard: number, report: MeasuredReport): CoordinatorEvent {
  if (report.kind !== "committed") return { ...report, shard };
  const { term, step, ledger, losses, measured } = report;
  return { kind: "committed", shard, term, step, scalars: { ledger, losses, ...measured! } };
}

/** The link to a shard in this process. */
export function localLink(shard: Shard, address: string): ShardLink {
  return {
    address,
    perform(effect) {
      if (effect.kind === "keep") shard.keep(effect.steps);
      else shard.handle(effect);
    },
    stop() {},
  };
}

/** The link to a shard that has called Serve; its reports become events until the stream ends. */
export function remoteLink(
  address: string,
  writer: Pick<MessageWriter<ShardCommand>, "write">,
  log: Logger,
): ShardLink {
  // A write fails only when the stream has ended, and then the reading side says so too.
  const send = (command: ShardCommand): void => {
    writer.write(command).catch((error: unknown) => log.debug({ error: messageOf(error) }, "a shard has gone"));
  };
  return {
    address,
    perform(effect) {
      switch (effect.kind) {
        case "restore":
          return send({ restore: { term: effect.term, step: effect.step } });
        case "plan":
          return send(planMessage(effect.plan));
        case "checkpoint":
          return send({ checkpoint: { term: effect.term, ...effect.mark } });
        case "keep":
          return send({ keep: { steps: [...effect.steps] } });
      }
    },
    stop: (reason) => send({ stop: { reason } }),
  };
}

/** Who is admitted, for shards in other processes. */
export function passesMessage(passes: readonly Pass[]): Passes {
  return {
    passes: passes.map(({ name, role, hash, expiresMs = 0, revokedMs = 0 }) => ({
      ...{ name, role, hash, expiresMs, revokedMs },
    })),
  };
}
