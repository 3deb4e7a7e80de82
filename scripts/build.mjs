// Builds everything into dist/: types and JavaScript (tsc), the SIMD kernels (asc), and the files read at run time.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name) => join(root, "node_modules", ".bin", name);
const run = (name, ...args) => execFileSync(bin(name), args, { cwd: root, stdio: "inherit" });

function newer(source, target) {
  return !existsSync(target) || statSync(source).mtimeMs > statSync(target).mtimeMs;
}

run("tsc", "-b");

const kernelFolder = join(root, "shared/kernels/assembly");
const kernelBinary = join(root, "dist/shared/kernels/kernels.wasm");
if (readdirSync(kernelFolder).some((file) => newer(join(kernelFolder, file), kernelBinary))) {
  mkdirSync(dirname(kernelBinary), { recursive: true });
  run(
    "asc",
    join(kernelFolder, "index.ts"),
    ...["--outFile", kernelBinary, "--optimizeLevel", "3", "--runtime", "stub", "--noAssert"],
    ...["--enable", "simd,threads", "--importMemory", "--sharedMemory", "--maximumMemory", "65536"],
  );
}

cpSync(join(root, "proto"), join(root, "dist/proto"), { recursive: true, filter: (path) => !path.endsWith(".json") });
