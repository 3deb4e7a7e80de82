import type { Role } from "./roles.js";
import { hashSecret } from "./token.js";

/**
 * Who is admitted: a list of passes, each the hash of a secret with a name and a role, which can be replaced while calls
 * are open. A pass that is revoked or expires takes the calls made with it along; see `admitCalls` in shared/wire.
 * Looking up the hash of a secret, and not the secret, tells nothing by the time it takes.
 */
export interface Pass {
  /** For people, and unique. */
  readonly name: string;
  readonly role: Role;
  /** Of the secret; see `hashSecret`. */
  readonly hash: string;
  /** Unix time from which it is good no more. */
  readonly expiresMs?: number;
  readonly revokedMs?: number;
}

export interface Identity {
  readonly name: string;
  readonly role: Role;
}

export type Admission =
  | { readonly admitted: true; readonly identity: Identity }
  | { readonly admitted: false; readonly reason: string };

export interface Gate {
  /** Who has this secret, or why nobody is admitted with it, as a sentence. */
  admit(secret: string): Admission;
  /** Hears of each pass that was good and is no longer, with the reason as a sentence. Returns how to stop hearing. */
  onClosed(listener: (name: string, reason: string) => void): () => void;
}

export interface MutableGate extends Gate {
  readonly passes: readonly Pass[];
  /** From now on these count, and no others. */
  replace(passes: readonly Pass[]): void;
  /** Hears of each replacement; returns how to stop hearing. */
  onReplaced(listener: (passes: readonly Pass[]) => void): () => void;
  close(): void;
}

export interface GateOptions {
  readonly passes?: readonly Pass[];
  /** Unix time in ms. */
  now?(): number;
  /** Is told of every admission. */
  onUse?(name: string): void;
}

/** A timer can't wait longer. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export function createGate({ passes: first = [], now = Date.now, onUse }: GateOptions = {}): MutableGate {
  const closedListeners = new Set<(name: string, reason: string) => void>();
  const replacedListeners = new Set<(passes: readonly Pass[]) => void>();
  let passes: readonly Pass[] = [];
  let byHash = new Map<string, Pass>();
  /** Names of those that are good, as far as the listeners know. */
  let good = new Map<string, Pass>();
  let timer: NodeJS.Timeout | undefined;

  const refusal = (pass: Pass): string | undefined => {
    if (pass.revokedMs !== undefined) return `The token "${pass.name}" has been revoked: ask for a new one.`;
    if (pass.expiresMs !== undefined && pass.expiresMs <= now()) {
      return `The token "${pass.name}" expired on ${new Date(pass.expiresMs).toISOString()}: ask for a new one.`;
    }
    return undefined;
  };

  /** Tells of those that have just become bad, and looks again when the next one expires. */
  const check = (): void => {
    clearTimeout(timer);
    const before = good;
    good = new Map(passes.filter((pass) => refusal(pass) === undefined).map((pass) => [pass.name, pass]));
    for (const [name, pass] of before) {
      if (good.get(name)?.hash === pass.hash) continue;
      const now = passes.find(({ hash }) => hash === pass.hash);
      const reason = (now && refusal(now)) ?? `The token "${name}" is no longer this server's: ask for a new one.`;
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
        return { admitted: false, reason: "The join token is not this server's: use the one that it printed." };
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
