import { coversApp } from "../../core/api/access/scope.js";
import { requireRight, type Holder } from "../access/holder.js";
import type { AppStore } from "../apps/app-store.js";
import type { PushDesk } from "./push-desk.js";

export interface Repositories {
  readonly apps: AppStore;
  readonly desk: PushDesk;
}

/**
 * The path of an app's repository, for whoever may push to it or fetch from it. The first push makes it. Throws `app-unknown`,
 * `forbidden` and `disk-full`.
 */
export async function openRepository(
  { apps, desk }: Repositories,
  holder: Holder,
  app: string,
  what: "push" | "fetch",
): Promise<string> {
  requireRight(holder, what === "push" ? "push" : "read", app);
  if (what === "push") return desk.repositoryForPush(app);
  const known = (await apps.list()).map(({ name }) => name).filter((name) => coversApp(holder.scope, name));
  return desk.repositoryForFetch(app, known);
}
