// Builds everything into dist/: types and JavaScript (tsc), the SIMD kernels (asc), and the files read at run time. With
// --product it leaves out bench and test, which need not be there.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
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
run("tsc", "-b", ...(isProduct ? rooms.filter((room) => !/bench|test/.test(room)) : []));

/** Compiles the SIMD kernels in `room`/assembly; `flags` say what kind of memory they import. */
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
kernels("worker/backends/wasm", "--enable", "simd");

cpSync(join(root, "proto"), join(root, "dist/proto"), { recursive: true, filter: (path) => !path.endsWith(".json") });

const copied = ["worker/backends/tensorflow/program/session.cc", "shared/native/process.cc"];
if (!isProduct) copied.push("bench/cuda/torch_check.py", "bench/peers/models.py");
for (const source of copied) cpSync(join(root, source), join(root, "dist", source));
