import { messageOf } from "../../shared/errors.js";
import type { Logger } from "../../shared/log.js";
import type { MessageWriter, ShardCommand } from "../../shared/wire/index.js";
import type { MeasuredReport, Shard } from "../shard/index.js";
import type { CoordinatorEffect, CoordinatorEvent } from "./core/index.js";

/** What the coordinator sends to a shard, and how it hears of it: the same for one in this process and for others. */
export interface ShardPeer {
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
export function localLink(shard: Shard, address: string): ShardPeer {
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
): ShardPeer {
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
          return send({ plan: effect.plan });
        case "checkpoint":
          return send({ checkpoint: { term: effect.term, mark: effect.mark } });
        case "keep":
          return send({ keep: { steps: effect.steps } });
      }
    },
    stop: (reason) => send({ stop: { reason } }),
  };
}
