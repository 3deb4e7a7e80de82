/** The first Python interpreter that has PyTorch and, where a GPU is checked, sees one with it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { lastLine, runChild } from "./child.js";
import type { Device } from "./report.js";

/** The environment of PyTorch's processes: PyTorch brings its own versions of CUDA's libraries. */
export function torchEnvironment(): NodeJS.ProcessEnv {
  const { LD_LIBRARY_PATH: _, ...env } = process.env;
  return { ...env, PYTHONWARNINGS: "ignore", PYTHONDONTWRITEBYTECODE: "1" };
}

const PROBE = "import torch; print('gpu' if torch.cuda.is_available() else 'cpu')";

/**
 * Looks for a Python interpreter that has PyTorch.
 * @param named an interpreter, or an environment's folder; by default those on the path are tried.
 * @param endsAt when an interpreter that has not answered is given up, by Date.now().
 * @returns the interpreter, or why there is none.
 */
export async function findTorch(
  on: Device,
  named: string | undefined,
  endsAt: number,
): Promise<{ python: string } | { reason: string }> {
  const candidates = named === undefined ? ["python3", "python"] : [interpreterOf(named)];
  const reasons: string[] = [];
  for (const python of candidates) {
    const limitMs = endsAt - Date.now();
    const { code, isLate, stdout, stderr } = await runChild(python, ["-c", PROBE], limitMs, {
      env: torchEnvironment(),
    });
    if (isLate) {
      reasons.push(`${python}: PyTorch was not loaded in time`);
    } else if (code !== 0) {
      reasons.push(`${python}: ${lastLine(stderr)}`);
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
