import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IsobatchError } from "../../shared/errors.js";
import { trafficMessage, trafficOf } from "./report-messages.js";
import { createTraffic, rejection, rejectionOf } from "./traffic.js";

describe("a shard's traffic", () => {
  it("counts refused pushes by why, and not those whose worker has gone", () => {
    const traffic = createTraffic();
    traffic.received(300);
    traffic.received(200);
    traffic.sent(70);
    traffic.ended(rejection("term", "The push is refused: term 1 is over, the run is in 2."));
    traffic.ended(rejection("term", "The push is refused: term 1 is over, the run is in 2."));
    traffic.ended(rejection("lease", "The push is refused: worker w has no such lease in this run."));
    traffic.ended(new IsobatchError("interrupted", "The worker has gone."));
    traffic.ended(new Error("a bug"));
    assert.deepEqual([traffic.bytesReceived, traffic.bytesSent], [500, 70]);
    assert.deepEqual(
      [...traffic.rejected],
      [
        ["term", 2],
        ["lease", 1],
      ],
    );
  });

  it("takes what the wire found damaged or malformed for a rejection too", () => {
    assert.equal(rejectionOf(new IsobatchError("damaged", "Chunk 3 came damaged.")), "checksum");
    assert.equal(rejectionOf(new IsobatchError("invalid_input", "A push must start with its lease.")), "malformed");
    assert.equal(rejectionOf(rejection("not_finite", "Chunk 3 is not finite.")), "not_finite");
    assert.equal(rejection("not_finite", "Chunk 3 is not finite.").code, "damaged");
  });

  it("reaches the coordinator as it is", () => {
    const traffic = createTraffic();
    traffic.received(1);
    traffic.ended(rejection("node", "The push is refused: [0, 3) is not a node."));
    const { bytesReceived, bytesSent, rejected } = traffic;
    const { traffic: message } = trafficMessage(traffic);
    assert.deepEqual(trafficOf(message as Parameters<typeof trafficOf>[0]), { bytesReceived, bytesSent, rejected });
  });
});
