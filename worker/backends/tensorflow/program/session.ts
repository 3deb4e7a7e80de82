/** The typed door to session.cc, whose head says what each function does. */
import type { Numbers } from "../../compiler.js";

/** Opaque. */
export type SessionHandle = object;

export interface FeedPlace {
  readonly name: string;
  /** TensorFlow's number of the element type. */
  readonly type: number;
  readonly shape: readonly number[];
  /** Whether TensorFlow reads the one array that it is where that is; by default it is copied first. */
  readonly borrowed?: boolean;
}

export interface SessionAddon {
  open(graph: Uint8Array, config: Uint8Array): SessionHandle;
  prepare(
    session: SessionHandle,
    feeds: readonly FeedPlace[],
    fetches: readonly string[],
    targets: readonly string[],
  ): number;
  /** Adds nodes to the graph, which may take those of `outer` that are in it. Not in addons that an older Isobatch has made. */
  extend?(session: SessionHandle, graph: Uint8Array, outer: readonly string[]): void;
  /**
   * @param unchecked whether numbers need not be looked at.
   * @returns undefined where an older Isobatch has made the addon.
   */
  run(
    session: SessionHandle,
    call: number,
    inputs: readonly (readonly Numbers[])[],
    outputs: readonly (readonly Numbers[])[],
    unchecked?: boolean,
  ): boolean | undefined;
  /** As `run`, in another thread; until it is settled the session can do nothing else. Not in older addons. */
  runLater?(...call: Parameters<SessionAddon["run"]>): Promise<boolean>;
  /** Not in addons that an older Isobatch has made. */
  assign?(session: SessionHandle, call: number, read: number, inputs: readonly (readonly Numbers[])[]): void;
  close(session: SessionHandle): void;
}

export type ExtendableAddon = SessionAddon & Required<Pick<SessionAddon, "extend">>;
