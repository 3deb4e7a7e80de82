import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ALL } from "../../shared/all-cases.test.helper.js";
import { openWorkplace, TINY_TASK, type Workplace } from "./isobatch.test.helper.js";

/** Each mistake with its exit code, 2, or 1 if the input may be right elsewhere, and its one sentence on standard error. */
const CASES: readonly (readonly [args: string, code: number, sentence: RegExp])[] = [
  ["rum mnist", 2, /^Unknown command 'rum' \(did you mean run\?\); isobatch --help lists what there is\.$/],
  ["run", 2, /^Missing required argument 'task'; isobatch run --help lists what there is\.$/],
  ["run mnist cifar", 2, /^Too many arguments for 'run'\. Expected 1 argument but got 2; isobatch run --help .*\.$/],
  ["run mnist --step 3", 2, /^Unknown option '--step' \(did you mean --steps\?\); isobatch run --help .*\.$/],
  [
    "train mnist --step=3 --wrokers 2",
    2,
    /^Unknown options '--step' \(did you mean --steps\?\), '--wrokers' \(did you mean --workers\?\); isobatch run --help .*\.$/,
  ],
  ["run mnist --steps", 2, /^Option '--steps <n>' argument missing; isobatch run --help .*\.$/],
  ["run mnist --steps 1.5", 2, /^--steps is "1.5"; it must be a whole number from 1 to 1000000000000\.$/],
  ["run mnist --workers 0", 2, /^--workers is "0"; it must be a whole number from 1 to 256\.$/],
  ["run mnist --seed -1", 2, /^--seed is "-1"; it must be a whole number from 0 to 2147483647\.$/],
  ["run mnist --listen here:port", 2, /^--listen: "here:port" has a port that is not a number from 0 to 65535: .*\.$/],
  ["run mnist --tls --insecure", 2, /^--insecure and --tls contradict each other; give one of them\.$/],
  ["server mnist --tls-cert none.pem", 2, /^--tls-cert was given without --tls-key; .*\.$/],
  [
    "server mnist --tls-cert none.pem --tls-key none.key",
    2,
    /^--tls-cert none\.pem cannot be read: there is no such file or folder\.$/,
  ],
  ["worker join 127.0.0.1:1 --tls-ca tiny.json", 2, /^--tls-ca tiny\.json holds no certificate in PEM .*\.$/],
  ["run mnist --backend abacus", 2, /^The backend "abacus" is unknown; choose one of .*\.$/],
  ["run nosuch", 2, /^There is no task "nosuch": .*\.$/],
  ["run tiny.json --shards 256", 2, /^--shards is 256; this model has \d+ chunks? to share out, so choose 1 to \d+\.$/],
  ["run wrong-type.json", 2, /^wrong-type\.json: learningRate is "fast"; it must be a number.*\.$/],
  [
    "run wide.json",
    2,
    /^wide\.json: microBatchesPerStep reaches 4, but the linear rule allows at most 2 .*"exponential".*\.$/,
  ],
  ["run greedy.json", 2, /^microBatchSize is 2000, but the data set has only 1000 samples .*\.$/],
  ["run misfit.json", 2, /^The model's output has the shape \[7\], .* give the last layer 10 units\.$/],
  [
    "run words.json",
    2,
    /tokens\.csv, line 3: column "b" is 9, but the Embedding layer "embedding_1" has inputDim 4: .*\.$/,
  ],
  [
    "run words.json --data latin.csv",
    2,
    /latin\.csv, line 2: byte 5 of the line in column "y" is 0xE4, .* not UTF-8; .*\.$/,
  ],
  ["run tiny.json --out full", 2, /^full is not empty and not a run directory .*--out\.$/],
  ["worker join", 2, /^Missing required argument 'host:port'; isobatch worker join --help .*\.$/],
  [
    "worker join nowhere.invalid:1 --wait 0.2",
    1,
    /^Cannot reach nowhere\.invalid:1: its name cannot be looked up.*\.$/,
  ],
  ["worker join 127.0.0.1:1 --wait 0.2", 1, /^Cannot reach 127\.0\.0\.1:1: nothing listens there .*\.$/],
  ["worker join 127.0.0.1:1 --wait soon", 2, /^--wait is "soon"; it must be a number of seconds from 0 to 86400\.$/],
  ["worker join 127.0.0.1:1 --token-file none", 2, /^--token-file none: the token cannot be read: .*\.$/],
  ["worker join 127.0.0.1:1 --token secret", 2, /^--token is "secret"; it must be one of -\.$/],
  ["status 127.0.0.1:1", 1, /^Cannot reach 127\.0\.0\.1:1: nothing listens there .*\.$/],
  ["status 127.0.0.1:1 --run full", 2, /^--run full holds no token; name the directory of a run .*\.$/],
  ["drain 127.0.0.1:1", 2, /^No worker is named: give the server's HOST:PORT and the worker's name, or .*\.$/],
  ["status", 2, /^No server is named: give its HOST:PORT or, on its machine, its run directory with --run DIR\.$/],
  ["evaluate full", 2, /^full is not a run directory: .*\.$/],
  ["export full --format onnx", 2, /^--format is "onnx"; it must be one of tfjs, safetensors\.$/],
  ["export full", 2, /^full is not a run directory: .*\.$/],
  [
    "samples mnist --micro-batch x",
    2,
    /^--micro-batch is "x"; it must be a whole number from 0 to 9007199254740991\.$/,
  ],
];

/** `npm test` runs one case in four; most sentences also have a unit test of the function that writes them. */
const SHARE = 4;

describe("bad input", () => {
  let workplace: Workplace;
  let files: string[];
  before(() => {
    workplace = openWorkplace();
    workplace.write("tiny.json", TINY_TASK);
    workplace.write("wrong-type.json", { ...TINY_TASK, learningRate: "fast" });
    workplace.write("wide.json", { ...TINY_TASK, beta1: 0.5, microBatchesPerStep: 4 });
    workplace.write("greedy.json", { ...TINY_TASK, microBatchSize: 2_000 });
    const layers = TINY_TASK.model.layers.with(-1, { layer: "Dense", units: 7 });
    workplace.write("misfit.json", { ...TINY_TASK, model: { ...TINY_TASK.model, layers } });
    workplace.write("tokens.csv", "a,b,y\n0,1,0\n1,9,1\n");
    writeFileSync(join(workplace.folder, "latin.csv"), "a,b,y\n0,1,\u00e4\n1,2,\u00f6\n", "latin1");
    workplace.write("words.json", {
      ...{ name: "words", loss: "softmaxCrossEntropy", microBatchSize: 1, samples: 2, learningRate: 1e-3 },
      dataset: { kind: "csv", file: "tokens.csv", label: "y", target: "classes", testFraction: 0 },
      model: {
        kind: "sequential",
        layers: [
          { layer: "Embedding", inputDim: 4, outputDim: 2, inputShape: [2] },
          { layer: "Flatten" },
          { layer: "Dense", units: 2 },
        ],
      },
    });
    mkdirSync(join(workplace.folder, "full"));
    workplace.write("full/notes.txt", "");
    files = readdirSync(workplace.folder).sort();
  });
  after(() => workplace.close());

  describe("is answered with one sentence, and creates nothing", { concurrency: 2 }, () => {
    for (const [args, code, sentence] of ALL ? CASES : CASES.filter((_, i) => i % SHARE === 0)) {
      it(`isobatch ${args}`, { timeout: 60_000 }, async () => {
        const ended = await workplace.run(args.split(" "), { ISOBATCH_LOG: "warn", ISOBATCH_TOKEN: "isobatch_x" });
        assert.match(ended.stderr.trimEnd(), sentence);
        assert.equal(ended.stderr.trimEnd().split("\n").length, 1, ended.stderr);
        assert.deepEqual([ended.code, ended.stdout], [code, ""]);
        assert.deepEqual(readdirSync(workplace.folder).sort(), files);
      });
    }
  });

  it("leaves no process behind", () => assert.deepEqual(workplace.processes(), []));
});

describe("bad input that only a server can detect", () => {
  let workplace: Workplace;
  before(() => {
    workplace = openWorkplace();
    workplace.write("tiny.json", TINY_TASK);
  });
  after(() => workplace.close());

  it("a port in use", { timeout: 60_000 }, async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as { port: number };
    const ended = await workplace.run(["run", "tiny.json", "--listen", `127.0.0.1:${port}`]);
    other.close();
    assert.equal(ended.code, 2);
    assert.match(ended.stderr, new RegExp(`^Cannot listen on 127.0.0.1:${port}: port ${port} is in use; .*\\.\n$`));
  });

  it("a wrong token, or none", { timeout: 60_000 }, async () => {
    const server = workplace.start(["server", "tiny.json", "--listen", "127.0.0.1:0", "--out", "served"]);
    await server.until(/worker join (\S+)\n/);
    const address = /worker join (\S+)\n/.exec(server.output.stdout)![1];
    const none = await Promise.all([["worker", "join"], ["status"]].map((ask) => workplace.run([...ask, address])));
    assert.deepEqual(
      none.map(({ code, stderr }) => [code, stderr]),
      [
        [2, "There is no token: set ISOBATCH_TOKEN or give --token-file; the server printed it at its first start.\n"],
        [2, "There is no token: set ISOBATCH_TOKEN, give --token-file or, on the server's machine, --run DIR.\n"],
      ],
    );
    const wrong = await workplace.run(["status", address], { ISOBATCH_TOKEN: "isobatch_guess" });
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /^The join token is not valid on this server: .*\.\n$/);
    server.kill("SIGTERM");
    assert.equal((await server.ended).code, 0);
  });

  it("leaves no process behind", () => assert.deepEqual(workplace.processes(), []));
});
