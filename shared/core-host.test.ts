import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createCoreHost } from "./core-host.js";

type Event = { readonly name: string };

/**
 * A host of a core that answers an event with the effects of the script, and whose effects write down their names:
 * "event x" brings an event about, "throw" fails, "ask" asks out of turn, "fail" fails without throwing.
 */
function hosted(script: Record<string, string[]>) {
  const done: string[] = [];
  const failures: string[] = [];
  let inside = false;
  const host = createCoreHost<Event, string>({
    handle({ name }) {
      assert.ok(!inside, "the core was entered twice");
      inside = true;
      done.push(`handle ${name}`);
      inside = false;
      return script[name] ?? [];
    },
    perform(effect) {
      if (effect.startsWith("event ")) return host.dispatch({ name: effect.slice("event ".length) });
      if (effect === "throw") throw new Error("the disk is full");
      if (effect === "fail") return host.fail(new Error("from outside"));
      if (effect === "ask") return host.ask(() => ({ answer: undefined, effects: [] }));
      done.push(effect);
    },
    onFailed: (error) => failures.push((error as Error).message),
  });
  return { host, done, failures };
}

describe("a core's host", () => {
  it("performs effects in the order in which they were decided", () => {
    const { host, done } = hosted({ a: ["1", "2"], b: ["3"] });
    host.dispatch({ name: "a" });
    host.dispatch({ name: "b" });
    assert.deepEqual(done, ["handle a", "1", "2", "handle b", "3"]);
  });

  it("lets an event that an effect brings about wait until the other effects are performed", () => {
    const { host, done } = hosted({ a: ["1", "event b", "event c", "2"], b: ["3", "event d"], c: ["4"] });
    host.dispatch({ name: "a" });
    assert.deepEqual(done, ["handle a", "1", "2", "handle b", "3", "handle c", "4", "handle d"]);
  });

  it("stops at the first effect that fails, reports it once, and ignores what comes later", () => {
    const { host, done, failures } = hosted({ a: ["1", "event b", "throw", "2"], b: ["3"] });
    host.dispatch({ name: "a" });
    host.dispatch({ name: "b" });
    host.fail(new Error("later"));
    assert.deepEqual(done, ["handle a", "1"]);
    assert.deepEqual(failures, ["the disk is full"]);
    assert.match(String(host.failure?.error), /the disk is full/);
  });

  it("stops in the midst of the effects when it fails for a reason from outside", () => {
    const { host, done, failures } = hosted({ a: ["1", "fail", "2"] });
    host.dispatch({ name: "a" });
    assert.deepEqual(done, ["handle a", "1"]);
    assert.deepEqual(failures, ["from outside"]);
  });

  it("reports a core that throws like an effect that fails", () => {
    const failures: unknown[] = [];
    const host = createCoreHost<Event, string>({
      handle() {
        throw new Error("a bug");
      },
      perform: () => {},
      onFailed: (error) => failures.push((error as Error).message),
    });
    host.dispatch({ name: "a" });
    assert.deepEqual(failures, ["a bug"]);
  });
});

describe("a question to a core's host", () => {
  it("is answered once its effects, and the events that they bring about, are dealt with", () => {
    const { host, done } = hosted({ b: ["3"] });
    const answer = host.ask(() => ({ answer: 42, effects: ["1", "event b", "2"] }));
    assert.equal(answer, 42);
    assert.deepEqual(done, ["1", "2", "handle b", "3"]);
  });

  it("throws the failure of its effects, and that of any earlier one, without asking again", () => {
    const { host, done, failures } = hosted({});
    let asked = 0;
    const ask = () =>
      host.ask(() => {
        asked++;
        return { answer: 42, effects: ["1", "throw", "2"] };
      });
    assert.throws(ask, /the disk is full/);
    assert.throws(ask, /the disk is full/);
    assert.equal(asked, 1);
    assert.deepEqual(done, ["1"]);
    assert.deepEqual(failures, ["the disk is full"]);
  });

  it("is a bug while effects are performed", () => {
    const { host, failures } = hosted({ a: ["ask"] });
    host.dispatch({ name: "a" });
    assert.match(failures[0], /was asked while/);
  });
});
