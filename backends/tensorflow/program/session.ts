/** The types of session.cc's functions, which the head of that file describes. */
import type { Numbers } from "../../compiler.js";

/** JavaScript's handle of a session. */
export type SessionHandle = object;

export interface FeedPlace {
  readonly name: string;
  /** TensorFlow's number for the element type. */
  readonly type: number;
  readonly shape: readonly number[];
  /** Whether TensorFlow reads the single array in place; by default it is copied first. */
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
  /**
   * Adds nodes, which may take the outputs `outer` of nodes in the graph. Not in addons that an older Isobatch has
   * made.
   */
  extend?(session: SessionHandle, graph: Uint8Array, outer: readonly string[]): void;
  /**
   * @param unchecked whether the check for finite numbers is left out
   * @returns whether all outputs are finite; undefined if an older Isobatch has made the addon
   */
  run(
    session: SessionHandle,
    call: number,
    inputs: readonly (readonly Numbers[])[],
    outputs: readonly (readonly Numbers[])[],
    unchecked?: boolean,
  ): boolean | undefined;
  /** Like `run`, in another thread; until it is settled the session can do nothing else. Not in older addons. */
  runLater?(...call: Parameters<SessionAddon["run"]>): Promise<boolean>;
  /** Not in addons that an older Isobatch has made. */
  assign?(session: SessionHandle, call: number, read: number, inputs: readonly (readonly Numbers[])[]): void;
  close(session: SessionHandle): void;
}

export type ExtendableAddon = SessionAddon & Required<Pick<SessionAddon, "extend">>;
