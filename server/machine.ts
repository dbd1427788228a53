import type { User } from "../core/exec/exec.js";
import type { Home } from "../core/home.js";
import type { AppRecord } from "../core/records/apps/app-record.js";

/** The machine that the server runs on, as far as it runs something there. */
export interface Machine {
  readonly home: Home;
  /** PATH of everything that Sluice runs. */
  readonly path: string;
  /** How this machine reaches the network (proxies, certificates), for builds and gates. */
  readonly networkEnv: Readonly<Record<string, string>>;
  /** Whether apps can have a user of their own. */
  readonly isRoot: boolean;
}

/** The app's own user, where the server may choose it. */
export function userOf(app: AppRecord, { isRoot }: Pick<Machine, "isRoot">): User | undefined {
  return isRoot ? { uid: app.uid, gid: app.uid } : undefined;
}
