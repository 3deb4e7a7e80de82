import type { MethodDefinition } from "@grpc/proto-loader";
import { service } from "grpc-health-check";
import { type CertificateFiles, type CertificatePaths, readCertificateFiles } from "../../shared/credentials/index.js";
import { IsobatchError } from "../../shared/errors.js";
import { type Address, anyServer, type Connection, call, connect, formatAddress } from "../../shared/wire/index.js";

export interface HealthOptions extends CertificatePaths {
  /** In seconds. */
  readonly wait: number;
}

const CALL_DEADLINE_MS = 3_000;
const { Check } = service as unknown as { Check: MethodDefinition<{ service: string }, { status: string }> };

/**
 * Prints that a server serves.
 * @throws {IsobatchError} `unavailable` if it doesn't, or can't be reached.
 */
export async function health(address: Address, { wait, ...paths }: HealthOptions): Promise<void> {
  const connection = await reach(address, wait * 1_000, readCertificateFiles(paths, Date.now()));
  try {
    // The empty name stands for the server as a whole.
    const { status } = await call(connection.coordinator, Check, { service: "" }, { deadlineMs: CALL_DEADLINE_MS });
    if (status !== "SERVING") {
      throw new IsobatchError("unavailable", `${formatAddress(address)} answers that it is ${status}.`);
    }
    process.stdout.write("SERVING\n");
  } finally {
    connection.close();
  }
}

/** Connects with or without TLS and without verifying the server: the probe sends no secret and only learns whether it serves. */
async function reach(address: Address, waitMs: number, own: CertificateFiles): Promise<Connection> {
  try {
    return await connect(address, { waitMs });
  } catch (error) {
    if (!(error instanceof IsobatchError && error.code === "refused")) throw error;
    return connect(address, { trust: anyServer(own), waitMs: CALL_DEADLINE_MS });
  }
}
