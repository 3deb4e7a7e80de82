/** The process addon as this source makes it, whatever Isobatch has made the installation of this machine. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type FileMapper, findFileMapper } from "./process-addon.js";

export interface MappingInstallation {
  /** For ISOBATCH_TENSORFLOW: an installation whose addon works, without a TensorFlow. */
  readonly folder: string;
  /** The path of the addon. */
  readonly addon: string;
  readonly mapper: FileMapper;
  remove(): void;
}

/** Compiles it; undefined where there is no compiler. */
export function makeMappingInstallation(): MappingInstallation | undefined {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-mapper-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const addon = join(folder, "cpu", "isobatch_process.node");
  const source = fileURLToPath(new URL("./process.cc", import.meta.url));
  const headers = join(dirname(createRequire(import.meta.url).resolve("node-api-headers/package.json")), "include");
  const linked = process.platform === "darwin" ? ["-bundle", "-undefined", "dynamic_lookup"] : ["-shared"];
  mkdirSync(dirname(addon));
  try {
    const options = ["-std=c++17", "-fPIC", "-DNAPI_VERSION=8", ...linked, "-I", headers, source, "-o", addon];
    execFileSync("c++", options, { stdio: "pipe" });
  } catch (error) {
    remove();
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const installation = {
    format: 1,
    variant: "cpu",
    binding: join(folder, "cpu", "tfjs_binding.node"),
    packageFolder: folder,
    packageVersion: "0",
    tensorflowVersion: "0",
    libraryFolder: folder,
    python: "python3",
    ownEnvironment: false,
  };
  writeFileSync(join(folder, "cpu", "installation.json"), JSON.stringify(installation));
  const mapper = findFileMapper({ ISOBATCH_TENSORFLOW: folder })!;
  return { folder, addon, mapper, remove };
}
