import { quote } from "../../../core/exec/quote.js";
import { AppError } from "../../../core/errors/app-error.js";
import type { RemoteHost } from "../../ssh/remote-host.js";
import { DEADLINE_MS, type Task } from "../task.js";
import { installScript } from "./install-script.js";

const LEAST_FREE_MEGABYTES = 700;

/** The Debian packages that a host's roles need. */
export const packages: Task = {
  name: "packages",
  deadlineMs: DEADLINE_MS.slow,
  check: async (host, plan) => {
    const missing = await missingOf(host, plan.packages);
    if (missing.length > 0) await checkRoom(host, plan.name);
    return missing.length === 0 ? [] : [`not installed: ${missing.join(" ")}`];
  },
  apply: async (host, plan, tell) => {
    const missing = await missingOf(host, plan.packages);
    tell(`installing ${missing.join(" ")}`);
    const timeoutMs = DEADLINE_MS.slow;
    await host.output(installScript(missing), { timeoutMs });
  },
};

async function missingOf(host: RemoteHost, wanted: readonly string[]): Promise<string[]> {
  const format = "${db:Status-Status} ${binary:Package}\\n";
  const list = await host.output(`dpkg-query --show --showformat=${quote(format)}`);
  const installed = new Set(
    list
      .split("\n")
      .filter((line) => line.startsWith("installed "))
      .map((line) => line.slice("installed ".length).split(":")[0]),
  );
  return wanted.filter((name) => !installed.has(name));
}

async function checkRoom(host: RemoteHost, name: string): Promise<void> {
  const free = Number(await host.output("df --output=avail -BM / | tail -n 1 | tr -dc 0-9"));
  if (free >= LEAST_FREE_MEGABYTES) return;
  throw new AppError("host-unfit", {
    host: name,
    problem: `its disk has ${free} MB free, and the packages need ${LEAST_FREE_MEGABYTES} MB`,
    fix: "Make room on it, or take a larger machine.",
  });
}
