/** The first Python interpreter that has PyTorch and, where a GPU is checked, sees one with it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runChild } from "./child.js";
import type { Device } from "./report.js";

/** PyTorch brings CUDA's libraries, of versions of its own. */
export function torchEnvironment(): NodeJS.ProcessEnv {
  const { LD_LIBRARY_PATH: _, ...env } = process.env;
  return { ...env, PYTHONWARNINGS: "ignore", PYTHONDONTWRITEBYTECODE: "1" };
}

const PROBE = "import torch; print('gpu' if torch.cuda.is_available() else 'cpu')";
const PROBE_MS = 60_000;

/**
 * @param named an interpreter, or an environment's folder; by default those on the path are tried.
 * @returns the interpreter, or why there is none.
 */
export async function findTorch(
  on: Device,
  named: string | undefined,
): Promise<{ python: string } | { reason: string }> {
  const candidates = named === undefined ? ["python3", "python"] : [interpreterOf(named)];
  const reasons: string[] = [];
  for (const python of candidates) {
    const { code, stdout, stderr } = await runChild(python, ["-c", PROBE], PROBE_MS, { env: torchEnvironment() });
    if (code !== 0) {
      reasons.push(`${python}: ${stderr.trim().split("\n").at(-1)}`);
    } else if (on === "gpu" && stdout.trim() !== "gpu") {
      reasons.push(`${python}: its PyTorch sees no GPU`);
    } else {
      return { python };
    }
  }
  return { reason: reasons.join("; ") };
}

function interpreterOf(path: string): string {
  const inFolder = join(path, "bin", "python");
  return existsSync(inFolder) ? inFolder : path;
}
