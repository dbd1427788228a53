import type { Webhook } from "./webhook-store.js";

/** Whether a push to this branch deploys. */
export function matchesBranch({ branches }: Pick<Webhook, "branches">, branch: string): boolean {
  return (
    branches.length === 0 ||
    branches.some((name) => (name.endsWith("*") ? branch.startsWith(name.slice(0, -1)) : branch === name))
  );
}
