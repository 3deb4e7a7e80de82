import type { Task } from "./task.js";

/**
 * SHA-256 of the code that makes a task's model, or "" if no code does. Workers need that code only for the user's own
 * layers; tfjs's travel in the topology.
 */
export function taskCodeHash(task: Pick<Task, "model">): string {
  return task.model.kind === "module" ? task.model.hash : "";
}
