/** States of a task that has ended, or never begins (swarmkit, "Task lifecycle"). */
const OVER = new Set(["complete", "shutdown", "failed", "rejected", "orphaned", "remove"]);

/** Whether nothing of a task runs any more. */
export function isOver(state: string): boolean {
  return OVER.has(state);
}
