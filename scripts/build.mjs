// Builds everything into dist/: types and JavaScript (tsc), the SIMD kernels (asc), and the files read at run time. With
// --product it leaves out bench and test, which then need not exist.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name) => join(root, "node_modules", ".bin", name);
const run = (name, ...args) => execFileSync(bin(name), args, { cwd: root, stdio: "inherit" });

function newer(source, target) {
  return !existsSync(target) || statSync(source).mtimeMs > statSync(target).mtimeMs;
}

const { references } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8"));
const rooms = references.map(({ path }) => path);
const isProduct = process.argv.includes("--product");
const built = isProduct ? rooms.filter((room) => !/bench|test/.test(room)) : rooms;
// tsc leaves the output of deleted sources in dist, where deleted tests would still be run. Nor does it notice when such a
// source is back; hence --force.
const stale = built.flatMap(staleIn);
run("tsc", "-b", ...(stale.length > 0 ? ["--force"] : []), ...built);
for (const path of stale) rmSync(path, { force: true });

/** The compiled files of a room that have no source. */
function staleIn(room) {
  const folder = join(root, "dist", room);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => {
      const source = path.replace(/\.(js|d\.ts)$/, ".ts");
      return source !== path && !existsSync(join(root, room, source));
    })
    .map((path) => join(folder, path));
}

/** Compiles the SIMD kernels in `room`/assembly; `flags` choose the kind of memory they import. */
function kernels(room, ...flags) {
  const folder = join(root, room, "assembly");
  const binary = join(root, "dist", room, "kernels.wasm");
  if (!readdirSync(folder).some((file) => newer(join(folder, file), binary))) return;
  mkdirSync(dirname(binary), { recursive: true });
  run(
    "asc",
    join(folder, "index.ts"),
    ...["--outFile", binary, "--optimizeLevel", "3", "--runtime", "stub", "--noAssert", "--importMemory"],
    ...flags,
  );
}

kernels("shared/kernels", "--enable", "simd,threads", "--sharedMemory", "--maximumMemory", "65536");
kernels("shared/checksum", "--enable", "threads", "--sharedMemory", "--maximumMemory", "65536");
kernels("backends/wasm", "--enable", "simd");

cpSync(join(root, "proto"), join(root, "dist/proto"), { recursive: true, filter: (path) => !path.endsWith(".json") });

const copied = ["backends/tensorflow/program/session.cc", "shared/native/process.cc"];
if (!isProduct) copied.push("bench/cuda/torch_check.py", "bench/peers/models.py");
for (const source of copied) cpSync(join(root, source), join(root, "dist", source));
