import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { cudaBuildOf, findCudaLibraries } from "./cuda-libraries.js";

const BUILD_INFO = "[('cuda_version', '12.5.1'), ('cudnn_version', '9'), ('is_cuda_build', True)]";

describe("findCudaLibraries()", () => {
  it("goes by the version that TensorFlow was built for", () => {
    const place = mkdtempSync(join(tmpdir(), "isobatch-cuda-"));
    try {
      const folder = join(place, "site-packages", "tensorflow");
      mkdirSync(join(folder, "python", "platform"), { recursive: true });
      const libraries = join(place, "site-packages", "nvidia", "cu13", "lib");
      mkdirSync(libraries, { recursive: true });
      writeFileSync(join(libraries, "libcusolver.so.12"), "");
      const solver = () => findCudaLibraries(folder).find(({ name }) => name.startsWith("libcusolver"))!;
      assert.deepEqual(solver(), { name: "libcusolver.so.11", path: undefined, needed: true });
      writeFileSync(join(folder, "python", "platform", "build_info.py"), BUILD_INFO.replace("12.5.1", "13.0.2"));
      assert.deepEqual(solver(), {
        name: "libcusolver.so.12",
        path: join(libraries, "libcusolver.so.12"),
        needed: true,
      });
    } finally {
      rmSync(place, { recursive: true });
    }
  });
});

describe("cudaBuildOf()", () => {
  it("distinguishes a build for CUDA from one without", () => {
    assert.deepEqual(cudaBuildOf(BUILD_INFO), { cuda: "12.5.1", cudnn: "9" });
    assert.equal(cudaBuildOf("('is_cuda_build', False)"), undefined);
  });
});
