/**
 * The backend that is checked. On a processor its compiled graphs have two devices, of which the second, virtual one computes: so
 * they are cut into partitions, as a GPU's are.
 */
import { type Backend, openBackend } from "../../worker/backends/index.js";
import { compiler } from "../../worker/backends/tensorflow/index.js";
import type { SessionDevices } from "../../worker/backends/tensorflow/program/index.js";
import type { PartContext } from "./report.js";

export const VIRTUAL_DEVICES: SessionDevices = { otherDevices: false, cpuDevices: 2, device: "/device:CPU:1" };

export async function openDevice({ backend, on }: Pick<PartContext, "backend" | "on">): Promise<Backend> {
  const opened = await openBackend(backend);
  return on === "gpu" ? opened : { ...opened, compiler: compiler(VIRTUAL_DEVICES) };
}
