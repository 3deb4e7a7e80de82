import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A Python with packages that judge what is written for others. */
export interface Python {
  /** The interpreter; undefined if it is unavailable. */
  readonly interpreter: string | undefined;
  /** Why not. */
  readonly missing: string | undefined;
}

/**
 * Looks for a module in a folder of this machine that later test runs find again, and puts it there with pip.
 * @param packages the module's and those that it imports: no others are installed
 */
export function preparePython(module: string, packages: readonly string[]): Python {
  const name = createHash("sha256").update(packages.join(" ")).digest("hex").slice(0, 8);
  const environment = join(tmpdir(), `isobatch-test-python-${name}`);
  const interpreter = join(environment, "bin", "python");
  const works = () => existsSync(interpreter) && spawnSync(interpreter, ["-c", `import ${module}`]).status === 0;
  const found: Python = { interpreter, missing: undefined };
  if (works()) return found;
  const made = spawnSync("python3", ["-m", "venv", environment], { encoding: "utf8" });
  if (made.status !== 0) {
    return { interpreter: undefined, missing: `no Python environment can be made: ${made.error ?? made.stderr}` };
  }
  const pip = ["-m", "pip", "install", "-q", "--no-compile", "--no-deps", ...packages];
  const installed = spawnSync(interpreter, pip, { encoding: "utf8" });
  if (works()) return found;
  const reason = `pip can't install ${packages.join(" and ")}: ${installed.error ?? installed.stderr}`;
  return { interpreter: undefined, missing: reason };
}
