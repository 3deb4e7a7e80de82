import { messageOf } from "../../shared/errors.js";
import type { Logger } from "../../shared/log.js";
import type { MessageWriter, ShardCommand } from "../../shared/wire/index.js";
import type { MeasuredReport, Shard } from "../shard/index.js";
import type { CoordinatorEffect, CoordinatorEvent } from "./core/index.js";

/** How the coordinator sends commands to a shard: the same for the shard in this process and for those in others. */
export interface ShardPeer {
  /** The address that is sent to workers; see ShardAddress. */
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
  // A write fails only when the stream has ended, which the reading side reports as well.
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
