import { mkdir } from "node:fs/promises";
import { openSandbox } from "../../../cli/start/open-sandbox.js";
import type { Home } from "../../../core/home.js";
import type { Sandbox } from "../../../core/exec/sandbox/sandbox.js";
import { settingsSchema } from "../../../core/settings/settings.js";

/** The sandbox that a server with this state folder would have; in `folders` its programs may write. */
export async function testSandbox(home: Home, ...folders: string[]): Promise<Sandbox> {
  await mkdir(home.root, { recursive: true });
  return openSandbox({
    home,
    settings: {
      ...settingsSchema.parse({ sandbox: { folders: folders.map((path) => ({ path, access: "write" })) } }),
      token: undefined,
    },
    isRoot: process.getuid?.() === 0,
    path: process.env["PATH"] ?? "",
    networkEnv: {},
  });
}
