import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { joinCommand } from "../../api/run/join-command.js";
import { type JoinToken, joinLines } from "./join-lines.js";

const place = {
  ...{ program: "npx isobatch", at: { host: "192.0.2.7", port: 7_400 } },
  ...{ ownCertificate: false, mutual: false },
};
const textOf = (token: JoinToken, host = "192.0.2.7"): string[] =>
  joinLines({ ...place, at: { host, port: 7_400 } }, token).map(
    ({ text, isCommand }) => `${isCommand ? "$ " : ""}${text}`,
  );

describe("joinLines()", () => {
  it("have the token itself once", () => {
    const command = "$ ISOBATCH_TOKEN=isobatch_s.d npx isobatch worker join 192.0.2.7:7400";
    assert.deepEqual(textOf({ kind: "new", token: "isobatch_s.d" }), ["workers join with", command]);
  });

  it("name its file later, and say how other machines get it", () => {
    const file = { kind: "in file", file: "/runs/my net/token" } as const;
    const here = (host: string) => `$ ISOBATCH_TOKEN=$(cat '/runs/my net/token') npx isobatch worker join ${host}:7400`;
    assert.deepEqual(textOf(file, "127.0.0.1"), ["workers join with", here("127.0.0.1")]);
    assert.deepEqual(textOf(file), [
      "workers on this machine join with",
      here("192.0.2.7"),
      "workers on other machines join with this command, with the token in place of …",
      "$ ISOBATCH_TOKEN=… npx isobatch worker join 192.0.2.7:7400",
      "which this command prints on this machine",
      "$ cat '/runs/my net/token'",
    ]);
  });

  it("say how to make one where it was revoked", () => {
    assert.deepEqual(textOf({ kind: "none", runFolder: "runs/a" }).slice(1, 4), [
      "$ npx isobatch token create --run runs/a",
      "and then, with the token in a file:",
      "$ npx isobatch worker join 192.0.2.7:7400 --token-file FILE",
    ]);
  });

  it("leave room for the files with its owner's certificates", () => {
    const command = joinCommand({ ...place, ownCertificate: true, mutual: true }, "x");
    assert.match(command, /7400 --tls-ca FILE --tls-cert FILE --tls-key FILE$/);
  });
});
