import { takeMemory } from "./message-memory.js";

/**
 * Assembles gRPC's messages from the pieces that HTTP/2 delivers, instead of grpc-js's decoder (1.14), which collects
 * the pieces, 64 per MiB, and copies them into a fresh buffer when the last one has arrived. Here a message has its
 * buffer as soon as its length is known, a used one if possible, and each piece is copied to its place.
 */
export interface MessageDecoder {
  /**
   * Takes the next bytes of the stream.
   * @returns the messages that are complete with them, each behind the five bytes that frame it.
   * @throws if a message is longer than allowed; the text is grpc-js's.
   */
  write(data: Uint8Array): Buffer[];
}

/** A flag, and the length as 32 bits, big-endian. */
export const FRAME_BYTES = 5;

/** @param bytesMax the longest message; −1 for no limit */
export function createMessageDecoder(bytesMax: number): MessageDecoder {
  const head = Buffer.alloc(FRAME_BYTES);
  let headBytes = 0;
  let message: Buffer | undefined;
  let filled = 0;

  const start = (): Buffer => {
    const length = head.readUInt32BE(1);
    if (bytesMax !== -1 && length > bytesMax) {
      throw new Error(`Received message larger than max (${length} vs ${bytesMax})`);
    }
    const started = takeMemory(FRAME_BYTES + length);
    started.set(head);
    filled = FRAME_BYTES;
    return started;
  };

  return {
    write(data) {
      const complete: Buffer[] = [];
      for (let at = 0; at < data.length; ) {
        if (message === undefined) {
          const taken = Math.min(FRAME_BYTES - headBytes, data.length - at);
          head.set(data.subarray(at, at + taken), headBytes);
          headBytes += taken;
          at += taken;
          if (headBytes < FRAME_BYTES) return complete;
          message = start();
        }
        const taken = Math.min(message.length - filled, data.length - at);
        message.set(taken === data.length ? data : data.subarray(at, at + taken), filled);
        filled += taken;
        at += taken;
        if (filled < message.length) return complete;
        complete.push(message);
        message = undefined;
        headBytes = 0;
      }
      return complete;
    },
  };
}
