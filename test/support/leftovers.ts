import { readdir, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { TestSluice } from "./test-sluice.js";

export interface Leftovers {
  /** Processes of installs, gates and builds. */
  readonly jobs: string[];
  /** Service folders of instances. */
  readonly instances: string[];
  /** Releases with more than their log on disk. */
  readonly trees: string[];
  /** HAProxy's servers. */
  readonly servers: string[];
}

/** What lies about of an app, to be compared with what should. */
export async function leftoversOf(sluice: TestSluice, app: string): Promise<Leftovers> {
  const releases = join(sluice.home, "apps", app, "releases");
  const names = (await readdir(releases).catch(() => [])).sort();
  const contents = await Promise.all(names.map(async (name) => readdir(join(releases, name))));
  const servers = await haproxy(sluice, "show servers state");
  return {
    jobs: await jobsOf(sluice.home),
    instances: (await sluice.instances()).filter((id) => id.startsWith(`${app}.`)),
    trees: names.filter((_, index) => contents[index]?.some((file) => file !== "output.log")),
    servers: servers
      .split("\n")
      .flatMap((line) => new RegExp(` (${app}\\.v\\d+\\.\\w+\\.\\d+)[: ]`).exec(line)?.[1] ?? [])
      .sort(),
  };
}

/** One command on HAProxy's runtime API. */
export async function haproxy(sluice: TestSluice, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect({ path: join(sluice.home, "haproxy/admin.sock") }, () =>
      socket.write(`${command}\n`),
    );
    socket.on("data", (bytes) => (text += bytes.toString()));
    socket.on("end", () => resolve(text));
    socket.on("error", reject);
  });
}

async function jobsOf(home: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const marked = await Promise.all(
    pids.map(async (pid) =>
      (await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "")).includes(`SLUICE_JOB=${home}:`),
    ),
  );
  return pids.filter((_, index) => marked[index]);
}
