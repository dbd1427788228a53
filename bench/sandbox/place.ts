import { Home } from "../../core/home.js";
import type { User } from "../../core/exec/exec.js";
import type { Sandbox } from "../../core/exec/sandbox/sandbox.js";
import { silentLog } from "../../core/log.js";
import { Networks } from "../../server/engines/runit/network/networks.js";
import { testSandbox } from "../../test/support/running/test-sandbox.js";
import type { Workshop } from "../workshop.js";

/** An app's, which nobody else on this machine has. */
export const USER: User = { uid: 299_999, gid: 299_999 };
export const PATH = process.env["PATH"] ?? "";

/** What a server makes sandboxes with, in a state folder of its own. */
export interface Place {
  readonly home: Home;
  readonly sandbox: Sandbox;
  readonly networks: Networks;
}

export async function openPlace(workshop: Workshop): Promise<Place> {
  const home = new Home(await workshop.folder());
  const ofHome = { folder: home.networks(), owner: home.root, resolvConf: home.resolvConf(), path: PATH };
  workshop.onClose(async () => Networks.removeAll(ofHome));
  const networks = await Networks.open({ ...ofHome, offered: [], allowed: [], log: silentLog });
  workshop.onClose(async () => networks.stop());
  return { home, sandbox: await testSandbox(home), networks };
}

/** The command as this user with nothing around it, as a server without sandboxes would start it. */
export function bare(argv: readonly [string, ...string[]]): readonly [string, ...string[]] {
  const ids = ["--reuid", String(USER.uid), "--regid", String(USER.gid), "--clear-groups"];
  return ["setpriv", ...ids, "--no-new-privs", ...argv];
}
