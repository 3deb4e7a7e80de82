import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadedVersions, versionsText } from "./library-versions.js";

/** What the functions of NVIDIA's libraries return, by the headers of the versions that are expected. */
const answering = (answers: Readonly<Record<string, number>>) => ({
  version: (_: string, name: string) => answers[name],
});

const versions = (...args: Parameters<typeof loadedVersions>) =>
  Object.fromEntries(loadedVersions(...args).map(({ name, version }) => [name, version]));

describe("loadedVersions()", () => {
  it("reads the libraries' numbers as their headers compose them", () => {
    const asked = (cuda: number, cublas: number, cudnn: number) =>
      versions(
        answering({ cudaRuntimeGetVersion: cuda, cublasLtGetVersion: cublas, cudnnGetVersion: cudnn }),
        "/none",
        "",
      );
    assert.deepEqual(asked(12_050, 120_503, 90_300), { CUDA: "12.5", cuBLAS: "12.5.3", cuDNN: "9.3.0" });
    assert.deepEqual(asked(13_010, 130_100, 8_907), { CUDA: "13.1", cuBLAS: "13.1.0", cuDNN: "8.9.7" });
    assert.deepEqual(asked(12_090, 120_900, 91_900), { CUDA: "12.9", cuBLAS: "12.9.0", cuDNN: "9.19.0" });
  });

  it("goes by the loaded file's name where a library can't be asked, as the system's are named", () => {
    const maps = [
      "7f00-7f01 r-xp 00000000 08:01 12  /usr/lib/x86_64-linux-gnu/libcudnn.so.9.3.0",
      "7f02-7f03 r-xp 00000000 08:01 13  /usr/local/cuda-12.5/targets/x86_64-linux/lib/libcublasLt.so.12.5.3.2",
      "7f04-7f05 r-xp 00000000 08:01 14  /opt/libcudart.so.12",
      "7f06-7f07 rw-p 00000000 00:00 0",
    ].join("\n");
    for (const addon of [undefined, {}, answering({})]) {
      assert.deepEqual(versions(addon, "/none", maps), { CUDA: undefined, cuBLAS: "12.5.3", cuDNN: "9.3.0" });
    }
    assert.equal(
      versionsText(loadedVersions(undefined, "/none", maps)),
      "CUDA of an unknown version, cuBLAS 12.5.3, cuDNN 9.3.0",
    );
  });
});
