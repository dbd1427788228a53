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
  /** Where apps find their flags, followed by `/APP`. */
  readonly flagsUrl: string;
  /** Whether apps can have a user of their own. */
  readonly isRoot: boolean;
}

type Owner = Pick<AppRecord, "uid">;

/** Above every number that an app gets: apps and their builders never meet. */
const BUILDERS = 1_000_000_000;

/** The app's own user, where the server may choose it. */
export function userOf({ uid }: Owner, { isRoot }: Pick<Machine, "isRoot">): User | undefined {
  return isRoot ? { uid, gid: uid } : undefined;
}

/** Whom its installations, gates and builds run as: code that has not passed anything yet. */
export function builderOf({ uid }: Owner, machine: Pick<Machine, "isRoot">): User | undefined {
  return userOf({ uid: BUILDERS + uid }, machine);
}
