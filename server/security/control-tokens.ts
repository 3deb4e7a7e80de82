import type { ControlRequest__Output, ControlResponse } from "../../shared/wire/index.js";
import { tokenManager } from "./manage-tokens.js";
import type { Security } from "./security.js";

/**
 * What an admin asks a running server about tokens. What it changes counts before it answers.
 *
 * @param folder the run directory
 */
export function createTokenControl(folder: string, security: Pick<Security, "server" | "reload" | "saveUses">) {
  const manager = tokenManager(folder, security.server);
  return ({ createToken, listTokens, revokeToken }: ControlRequest__Output): ControlResponse | undefined => {
    if (createToken != null) {
      const { name, role, lastsMs } = createToken;
      const made = manager.create({
        role,
        name: name === "" ? undefined : name,
        lastsMs: lastsMs === 0 ? undefined : lastsMs,
      });
      security.reload();
      return { ...made, message: `The token "${made.name}" is made.` };
    }
    if (listTokens != null) {
      security.saveUses();
      const tokens = manager.list().map(({ hash, ...token }) => token);
      return { tokens, message: "" };
    }
    if (revokeToken == null) return undefined;
    manager.revoke(revokeToken.name);
    security.reload();
    return { message: `The token "${revokeToken.name}" is revoked.` };
  };
}
