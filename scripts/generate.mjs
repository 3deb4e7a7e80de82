// Writes the TypeScript types of proto/ into shared/wire/generated. With --check it writes nothing and fails if the
// files there are out of date.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, "shared/wire/generated");

// The same options as in shared/wire/service.ts, as this tool spells them, so that messages have the types written here.
const options = ["--longs=Number", "--enums=String", "--defaults", "--oneofs", "--grpcLib=@grpc/grpc-js"];

function generate(folder) {
  execFileSync(
    join(root, "node_modules/.bin/proto-loader-gen-types"),
    [...options, "--importFileExtension=.js", "-O", folder, "-I", "proto", "--", "isobatch/v1/isobatch.proto"],
    { cwd: root, stdio: "inherit" },
  );
  const types = readdirSync(join(folder, "isobatch/v1")).sort();
  writeFileSync(
    join(folder, "index.ts"),
    types.map((file) => `export type * from "./isobatch/v1/${basename(file, ".ts")}.js";\n`).join(""),
  );
}

function contents(folder) {
  const files = readdirSync(folder, { recursive: true }).map(String);
  return new Map(
    files
      .filter((file) => file.endsWith(".ts"))
      .sort()
      .map((file) => [file, readFileSync(join(folder, file), "utf8")]),
  );
}

if (process.argv.includes("--check")) {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-generate-"));
  try {
    generate(folder);
    const [expected, found] = [contents(folder), contents(target)];
    const stale = [...new Set([...expected.keys(), ...found.keys()])].filter((f) => expected.get(f) !== found.get(f));
    if (stale.length > 0) {
      console.error(`shared/wire/generated does not match proto/ (${stale.join(", ")}): run \`npm run generate\`.`);
      process.exitCode = 1;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
} else {
  rmSync(target, { recursive: true, force: true });
  generate(target);
}
