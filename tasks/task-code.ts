import type { Task } from "./task.js";

/**
 * SHA-256 of the code that a task's model was made by, or "" where there is none. Workers need that code only for
 * layers of the user's own; tfjs's travel in the topology.
 */
export function taskCodeHash(task: Pick<Task, "model">): string {
  return task.model.kind === "module" ? task.model.hash : "";
}
