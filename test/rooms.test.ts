import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** The root's `index.ts`, which exports everything public. */
const PUBLIC = "index.js";

/** What each room may import besides itself; a longer path is a separate room. Tests may import anything. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  shared: [],
  tasks: ["shared"],
  server: ["shared", "tasks"],
  "server/coordinator/core": ["shared"],
  "server/shard/core": ["shared"],
  viewing: ["shared", "tasks", "server"],
  backends: ["shared", "tasks"],
  compute: ["shared", "tasks", "backends"],
  worker: ["shared", "tasks", "backends", "compute"],
  "worker/core": ["shared"],
  experiment: ["shared", "tasks", "backends", "compute"],
  api: ["shared", "tasks", "backends", "compute", "worker", "server", "viewing", "experiment"],
  cli: ["shared", "tasks", "backends", "compute", "worker", "server", "viewing", "experiment", "api"],
};

/** The pure cores: everything except arithmetic goes in and out as events and effects. */
const PURE = [
  "server/coordinator/core",
  "server/shard/core",
  "worker/core",
  "shared/sums",
  "shared/layout",
  "shared/optimizer",
  "viewing/dashboard/view",
];

function everyFile(room: string): string[] {
  return readdirSync(join(root, room), { recursive: true })
    .map((path) => join(room, String(path)))
    .filter((path) => path.endsWith(".ts"));
}

function sources(room: string): string[] {
  return everyFile(room).filter((path) => !/\.test(\.\w+)?\.ts$/.test(path) && !path.includes("/assembly/"));
}

function importsOf(path: string): string[] {
  const text = readFileSync(join(root, path), "utf8");
  return [...text.matchAll(/(?:from|import\()\s*"([^"]+)"/g)].map(([, specifier]) => specifier);
}

/** The modules that are loaded with the file; imports of types are not. */
function valueImportsOf(path: string): string[] {
  if (!path.endsWith(".ts")) return [];
  const text = readFileSync(join(root, path), "utf8");
  const statements = text.matchAll(/^(?:import|export)\s+(?!type\b)(?:([^;"']*?)\sfrom\s+)?"([^"]+)";/gm);
  const isOfTypes = (names = ""): boolean => /^\{(\s*type\s[^,]*,?)+\s*\}$/.test(names.trim());
  return [...statements].filter(([, names]) => !isOfTypes(names)).map(([, , specifier]) => specifier);
}

/** The files that are loaded with one, itself included; what it imports when it is called is not. */
function loadedWith(start: string): string[] {
  const reached = new Set([start]);
  for (const file of reached) {
    for (const name of valueImportsOf(file).filter((each) => each.startsWith("."))) {
      reached.add(join(dirname(file), name).replace(/\.js$/, ".ts"));
    }
  }
  return [...reached];
}

/** The most specific room of the table that the path is in. */
function roomOf(path: string): string | undefined {
  return Object.keys(MAY_IMPORT)
    .filter((room) => path.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0];
}

describe("the rooms", () => {
  for (const top of [
    "shared",
    "tasks",
    "backends",
    "compute",
    "worker",
    "server",
    "viewing",
    "experiment",
    "api",
    "cli",
  ]) {
    it(`${top} imports only what the table allows`, () => {
      const files = sources(top);
      assert.ok(files.length > 0);
      for (const file of files) {
        const room = roomOf(file)!;
        for (const specifier of importsOf(file).filter((name) => name.startsWith("."))) {
          const target = relative(root, resolve(root, dirname(file), specifier));
          if (room === "cli" && target === PUBLIC) continue;
          const allowed = [room, ...MAY_IMPORT[room]];
          assert.ok(
            allowed.some((name) => target.startsWith(`${name}/`)),
            `${file} imports ${target}, which ${room} may not`,
          );
        }
      }
    });
  }

  it("are those of the table in ARCHITECTURE.md, with what they may import", () => {
    const rows = [
      ...readFileSync(join(root, "ARCHITECTURE.md"), "utf8").matchAll(/^\| `(\w+)\/` +\|.*\| ([^|]+) \|$/gm),
    ];
    const rooms = rows.map(([, room]) => room).filter((room) => room !== "proto");
    const described = rows.map(([, room, imports]) => {
      if (imports === "all above") return [room, rooms.slice(0, rooms.indexOf(room))];
      return [room, imports === "–" ? [] : imports.split(", ")];
    });
    const sorted = (table: object): object =>
      Object.fromEntries(Object.entries(table).map(([room, imports]) => [room, [...imports].sort()]));
    const { proto, ...table } = Object.fromEntries(described);
    const enforced = Object.fromEntries(Object.entries(MAY_IMPORT).filter(([room]) => !room.includes("/")));
    assert.deepEqual(sorted(table), sorted(enforced), "ARCHITECTURE.md describes other rooms than this test enforces");
  });

  it("are all in what the images are built from", () => {
    const context = readFileSync(join(root, ".dockerignore"), "utf8").split("\n");
    const { references } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8")) as {
      references: { path: string }[];
    };
    // A project of the root's own files is matched by the pattern for all of them.
    const rooms = references
      .map(({ path }) => path.split("/")[1])
      .filter((room) => !/^(bench|test|tsconfig.*)$/.test(room));
    for (const room of [...rooms, "index.ts"])
      assert.ok(context.includes(`!${room}`), `.dockerignore leaves out ${room}/, which is compiled`);
  });

  it("load TensorFlow.js by require, which takes a quarter of the time of an import", () => {
    for (const file of ["tasks", "backends", "compute", "worker", "experiment"].flatMap(sources)) {
      for (const name of valueImportsOf(file)) assert.ok(!name.startsWith("@tensorflow/"), `${file} imports ${name}`);
    }
  });

  it("leave the server's code out of a worker's process, whose start would wait for it", () => {
    for (const start of ["cli/commands/worker.ts", "api/join.ts", "api/programs/work.ts"]) {
      const reached = loadedWith(start);
      assert.ok(reached.includes("compute/compute-lease.ts") || start.startsWith("cli/"));
      assert.deepEqual(
        reached.filter((file) => file.startsWith("server/")),
        [],
      );
    }
  });

  it("start and end runs and workers in api, whose client the command line is", () => {
    for (const file of sources("cli")) {
      for (const name of importsOf(file)) assert.doesNotMatch(name, /\/(worker|compute)\//, `${file} imports ${name}`);
      assert.doesNotMatch(readFileSync(join(root, file), "utf8"), /\b(startServer|startWorker|startChild)\b/, file);
    }
  });

  it("are not loaded by an import of the package, and neither is TensorFlow.js", () => {
    assert.deepEqual(loadedWith("index.ts").sort(), ["index.ts", "shared/errors.ts"]);
  });

  it("below the command line print nothing, end no process and read no environment", () => {
    // The programs are the exception: each is a process, and says on standard error why it ends.
    const programs = (file: string): boolean => file.startsWith("api/programs/") || file === "api/children/parent.ts";
    for (const file of ["api", "server", "tasks", "experiment"].flatMap(sources)) {
      if (programs(file) || file.includes("/page/")) continue;
      const code = readFileSync(join(root, file), "utf8").replaceAll(/\/\*\*[\s\S]*?\*\/|\/\/ .*/g, "");
      assert.doesNotMatch(code, /\bprocess\.(env|exit|stdout|stderr|argv)\b|\bconsole\./, file);
    }
  });

  it("leave TensorFlow.js to the threads and processes that compute", () => {
    for (const door of ["backends/machine/index.ts", "compute/index.ts", "cli/environment.ts"]) {
      assert.deepEqual(
        loadedWith(door).filter((file) => file.startsWith("tasks/tfjs/")),
        [],
        `${door} loads TensorFlow.js, which takes a large part of a second in every process`,
      );
    }
    assert.ok(loadedWith("compute/gradients/index.ts").includes("tasks/tfjs/core.ts"));
  });

  it("read no environment, which only the command line does and what sets it for native libraries", () => {
    const allowed = ["backends/machine/process-environment.ts"];
    const below = Object.keys(MAY_IMPORT).filter((room) => room !== "cli" && !room.includes("/"));
    for (const file of below.flatMap(sources).filter((each) => !allowed.includes(each))) {
      const code = readFileSync(join(root, file), "utf8");
      assert.doesNotMatch(
        code,
        /\benv\b.*from "(node:)?process"|\bprocess\b[^;\n]*\benv\b/,
        `${file} reads the environment`,
      );
    }
  });

  it("see only plain messages of the wire: generated types stay in shared/wire", () => {
    const tops = [...Object.keys(MAY_IMPORT).filter((room) => !room.includes("/")), "viewing", "api", "bench", "test"];
    const files = tops.filter((top) => existsSync(join(root, top))).flatMap(everyFile);
    assert.ok(files.length > 500);
    for (const file of files.filter((path) => !path.startsWith("shared/wire/"))) {
      for (const name of importsOf(file)) assert.doesNotMatch(name, /wire\/generated/, `${file} imports ${name}`);
    }
    // Only the codecs of messages/ know both forms.
    for (const file of sources("shared/wire").filter((path) => !/wire\/(generated|messages)\//.test(path))) {
      for (const name of importsOf(file)) assert.doesNotMatch(name, /generated/, `${file} imports ${name}`);
    }
    for (const file of sources("shared/wire/messages")) {
      assert.doesNotMatch(readFileSync(join(root, file), "utf8"), /export .*from "\.\.\/generated/, file);
    }
  });

  for (const room of PURE) {
    it(`${room} has no I/O, clock or randomness`, () => {
      for (const file of sources(room)) {
        for (const specifier of importsOf(file)) {
          assert.ok(specifier.startsWith("."), `${file} imports ${specifier}`);
        }
        const code = readFileSync(join(root, file), "utf8");
        assert.doesNotMatch(code, /\b(Date\.now|performance\.now|Math\.random|setTimeout|setInterval|process\.)/, file);
      }
    });
  }
});
