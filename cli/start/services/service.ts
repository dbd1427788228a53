import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import type { Home } from "../../../core/home.js";
import type { User } from "../../../core/exec/exec.js";
import { quote } from "../../../core/exec/quote.js";
import { control, serviceState, supervise } from "../../../core/exec/runsv.js";

/** Sluice's own programs, in the order in which they are stopped. */
export const SERVICES = ["haproxy", "registry", "apps-redis", "redis"] as const;
/** TERM, so long, KILL. */
export const SERVICE_GRACE_MS = 10_000;

export interface Service {
  readonly home: Home;
  readonly name: (typeof SERVICES)[number];
  /** The last line of its run script. */
  readonly run: string;
  readonly path: string;
}

/** Puts one of Sluice's own programs under `runsv`; one that runs already is left alone. */
export async function startService({ home, name, run, path }: Service): Promise<void> {
  const folder = home.service(name);
  const log = home.serviceLog(name);
  await mkdir(join(folder, "log"), { recursive: true, mode: 0o700 });
  await mkdir(log, { recursive: true, mode: 0o700 });
  await writeFileAtomically(join(log, "config"), "s1000000\nn5\n");
  await writeFileAtomically(join(folder, "run"), `#!/bin/sh\nexec 2>&1\n${run}\n`, 0o700);
  await writeFileAtomically(join(folder, "log/run"), `#!/bin/sh\nexec svlogd -tt ${quote(log)}\n`, 0o700);
  await supervise(folder, { PATH: path });
  if ((await serviceState(folder)).supervised) await control(folder, "u");
}

/** The words before a program that run it as a user; none where it runs as we do. */
export function asUser(user: User | undefined): string {
  return user === undefined ? "" : `chpst -u :${user.uid}:${user.gid} `;
}

/** The last lines that a service wrote, for a person. */
export async function lastLogLines(home: Home, name: string, lines: number): Promise<string> {
  const text = await readFile(join(home.serviceLog(name), "current"), "utf8").catch(() => "");
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}
