import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import {
  INSTALLATION_FILE,
  processAddonOf,
  readInstallation,
  sessionAddonOf,
  tensorFlowFolder,
} from "../../shared/native/installation.js";
import { openWorkplace, TINY_TASK, untilQuiet } from "./isobatch.test.helper.js";

const COMPILER = process.env.CXX || "c++";
const installed = readInstallation(tensorFlowFolder(process.env), "cpu");
const skip =
  installed === undefined || !existsSync(processAddonOf(installed))
    ? "no TensorFlow is installed, or an older Isobatch installed it; run isobatch tensorflow install"
    : spawnSync(COMPILER, ["--version"]).status !== 0 && "there is no C++ compiler";

/** Sessions that never return, like a graph that waits for itself. */
const SESSIONS = `
#include <node_api.h>
#include <unistd.h>
static napi_value Number(napi_env env, napi_callback_info info) {
  napi_value number;
  napi_create_uint32(env, 0, &number);
  return number;
}
static napi_value Run(napi_env env, napi_callback_info info) {
  for (;;) pause();
}
static napi_value Initialize(napi_env env, napi_value exports) {
  const auto add = [&](const char* name, napi_callback callback) {
    napi_value function;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
    napi_set_named_property(env, exports, name, function);
  };
  add("open", Number);
  add("prepare", Number);
  add("run", Run);
  add("close", Number);
  return exports;
}
NAPI_MODULE(hanging_sessions, Initialize)
`;

describe("a run whose only worker hangs inside TensorFlow", { skip }, () => {
  const place = openWorkplace();
  after(() => place.close());

  it("reports what hangs, ends with that reason, and leaves no process behind", async () => {
    const folder = join(place.folder, "tensorflow");
    const binding = join(folder, "cpu", "binding", "tfjs_binding.node");
    mkdirSync(dirname(binding), { recursive: true });
    copyFileSync(installed!.binding, binding);
    copyFileSync(processAddonOf(installed!), processAddonOf({ binding }));
    writeFileSync(join(folder, "cpu", INSTALLATION_FILE), JSON.stringify({ ...installed, binding }));
    const headers = join(dirname(createRequire(import.meta.url).resolve("node-api-headers/package.json")), "include");
    const source = place.write("sessions.cc", SESSIONS);
    execFileSync(COMPILER, ["-shared", "-fPIC", "-I", headers, source, "-o", sessionAddonOf({ binding })]);

    const task = place.write("tiny.json", TINY_TASK);
    const one = ["--workers", "1", "--compute-threads", "1", "--backend", "tfjs-node", "--out", "run"];
    const { code, stderr } = await place.run(["run", task, ...one], {
      ISOBATCH_TENSORFLOW: folder,
      ISOBATCH_PATIENCE: "2",
    });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /Compute thread 0 \(tfjs-node\) has been at a micro-batch's gradient for 1 s.*; it is given up/,
    );
    assert.match(
      stderr,
      /^No worker is left\. Worker 1 can't work\. Compute thread 0 \(tfjs-node\) hangs: a micro-batch's gradient has not finished in 2 s, so this worker ends; .* ISOBATCH_PATIENCE/m,
    );
    await untilQuiet(place);
  });
});
