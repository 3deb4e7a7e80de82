import type { ControlRequest, ControlResponse, TokenInfo } from "../../shared/wire/index.js";
import { tokenManager } from "./manage-tokens.js";
import type { Security } from "./security.js";
import type { TokenEntry } from "./token-store.js";

/**
 * Carries out an admin's requests about tokens to a running server. A change is in force before the answer.
 *
 * @param folder the run directory
 */
export function createTokenControl(folder: string, security: Pick<Security, "server" | "reload" | "saveUses">) {
  const manager = tokenManager(folder, security.server);
  return ({ createToken, listTokens, revokeToken }: ControlRequest): ControlResponse | undefined => {
    if (createToken != null) {
      const { name, role, lastsMs } = createToken;
      const made = manager.create({
        role,
        name: name === "" ? undefined : name,
        lastsMs: lastsMs === 0 ? undefined : lastsMs,
      });
      security.reload();
      return { ...NOTHING, ...made, message: `The token "${made.name}" was made.` };
    }
    if (listTokens != null) {
      security.saveUses();
      return { ...NOTHING, tokens: manager.list().map(tokenInfo) };
    }
    if (revokeToken == null) return undefined;
    manager.revoke(revokeToken.name);
    security.reload();
    return { ...NOTHING, message: `The token "${revokeToken.name}" is revoked.` };
  };
}

const NOTHING: ControlResponse = { message: "", name: "", token: "", tokens: [] };

function tokenInfo({ name, role, createdMs, lastUsedMs = 0, expiresMs = 0, revokedMs = 0 }: TokenEntry): TokenInfo {
  return { name, role, createdMs, lastUsedMs, expiresMs, revokedMs };
}
