import type { Role } from "./roles.js";
import { hashSecret } from "./token.js";

/**
 * Decides who is admitted: a list of passes, each the hash of a secret with a name and a role, which can be replaced
 * while calls are open. When a pass is revoked or expires, the calls that were made with it end; see `admitCalls` in
 * shared/wire. Looking up the hash rather than the secret avoids a timing side channel.
 */
export interface Pass {
  /** A unique name for people. */
  readonly name: string;
  readonly role: Role;
  /** The hash of the secret; see `hashSecret`. */
  readonly hash: string;
  /** The Unix time from which it is no longer valid. */
  readonly expiresMs?: number;
  readonly revokedMs?: number;
}

export interface TokenIdentity {
  readonly name: string;
  readonly role: Role;
}

export type Admission =
  | { readonly admitted: true; readonly identity: TokenIdentity }
  | { readonly admitted: false; readonly reason: string };

export interface Gate {
  /** Whose secret this is, or why it is not admitted, as a sentence. */
  admit(secret: string): Admission;
  /**
   * Calls the listener for each pass that is no longer valid, with the reason as a sentence. Returns a function that
   * removes it.
   */
  onClosed(listener: (name: string, reason: string) => void): () => void;
}

export interface MutableGate extends Gate {
  readonly passes: readonly Pass[];
  /** Replaces all passes. */
  replace(passes: readonly Pass[]): void;
  /** Calls the listener after each replacement; returns a function that removes it. */
  onReplaced(listener: (passes: readonly Pass[]) => void): () => void;
  close(): void;
}

export interface GateOptions {
  readonly passes?: readonly Pass[];
  /** The Unix time in ms. */
  now?(): number;
  /** Called for every admission. */
  onUse?(name: string): void;
}

/** The longest that a timer can wait. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export function createGate({ passes: first = [], now = Date.now, onUse }: GateOptions = {}): MutableGate {
  const closedListeners = new Set<(name: string, reason: string) => void>();
  const replacedListeners = new Set<(passes: readonly Pass[]) => void>();
  let passes: readonly Pass[] = [];
  let byHash = new Map<string, Pass>();
  /** The names of the valid passes, as far as the listeners know. */
  let good = new Map<string, Pass>();
  let timer: NodeJS.Timeout | undefined;

  const refusal = (pass: Pass): string | undefined => {
    if (pass.revokedMs !== undefined) return `The token "${pass.name}" has been revoked: ask for a new one.`;
    if (pass.expiresMs !== undefined && pass.expiresMs <= now()) {
      return `The token "${pass.name}" expired on ${new Date(pass.expiresMs).toISOString()}: ask for a new one.`;
    }
    return undefined;
  };

  /** Notifies the listeners of passes that have become invalid, and checks again when the next one expires. */
  const check = (): void => {
    clearTimeout(timer);
    const before = good;
    good = new Map(passes.filter((pass) => refusal(pass) === undefined).map((pass) => [pass.name, pass]));
    for (const [name, pass] of before) {
      if (good.get(name)?.hash === pass.hash) continue;
      const now = passes.find(({ hash }) => hash === pass.hash);
      const reason =
        (now && refusal(now)) ?? `The token "${name}" is no longer valid on this server: ask for a new one.`;
      for (const listener of closedListeners) listener(name, reason);
    }
    const expiries = [...good.values()].flatMap(({ expiresMs }) => expiresMs ?? []);
    if (expiries.length === 0) return;
    timer = setTimeout(check, Math.min(TIMER_MS_MAX, Math.max(0, Math.min(...expiries) - now()) + 1)).unref();
  };

  const gate: MutableGate = {
    get passes() {
      return passes;
    },
    admit(secret) {
      const pass = byHash.get(hashSecret(secret));
      if (pass === undefined) {
        return { admitted: false, reason: "The join token is not valid on this server: use the one that it printed." };
      }
      const reason = refusal(pass);
      if (reason !== undefined) return { admitted: false, reason };
      onUse?.(pass.name);
      return { admitted: true, identity: { name: pass.name, role: pass.role } };
    },
    onClosed(listener) {
      closedListeners.add(listener);
      return () => void closedListeners.delete(listener);
    },
    replace(next) {
      passes = next;
      byHash = new Map(next.map((pass) => [pass.hash, pass]));
      check();
      for (const listener of replacedListeners) listener(next);
    },
    onReplaced(listener) {
      replacedListeners.add(listener);
      return () => void replacedListeners.delete(listener);
    },
    close: () => clearTimeout(timer),
  };
  gate.replace(first);
  return gate;
}
