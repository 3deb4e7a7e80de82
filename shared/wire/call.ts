import { type Client, Metadata, type MethodDefinition } from "@grpc/grpc-js";
import { IsobatchError } from "../errors.js";
import { fromStatus } from "./status.js";
import { cancelClientCall } from "./stream.js";

export interface UnaryCallOptions {
  /** The answer must be there within this time. */
  deadlineMs: number;
  /** Cancels the call. */
  signal?: AbortSignal;
}

/**
 * Makes a unary call: `await call(client, coordinatorService.Join, request, { deadlineMs: 5_000 })`.
 *
 * @throws IsobatchError with the server's sentence; `unavailable` if it cannot be reached or does not answer in
 *   time, `interrupted` if the signal was aborted.
 */
export function call<Request, Response>(
  client: Client,
  method: MethodDefinition<Request, Response>,
  request: NoInfer<Request>,
  { deadlineMs, signal }: UnaryCallOptions,
): Promise<Response> {
  const name = method.path.slice(method.path.lastIndexOf("/") + 1);
  const what = `${name} at ${client.getChannel().getTarget().replace(/^dns:/, "")}`;
  return new Promise((resolve, reject) => {
    const cancelled = (): IsobatchError => new IsobatchError("interrupted", `${what} was cancelled.`);
    if (signal?.aborted) return reject(cancelled());
    const cancel = (): void => cancelClientCall(running);
    const running = client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      new Metadata(),
      { deadline: Date.now() + deadlineMs },
      (error, response) => {
        signal?.removeEventListener("abort", cancel);
        if (error) reject(signal?.aborted ? cancelled() : fromStatus(error, what));
        else resolve(response as Response);
      },
    );
    signal?.addEventListener("abort", cancel, { once: true });
  });
}
