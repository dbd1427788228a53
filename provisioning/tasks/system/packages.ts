import { quote } from "../../../core/exec/quote.js";
import { AppError } from "../../../core/errors/app-error.js";
import type { RemoteHost } from "../../ssh/remote-host.js";
import { DEADLINE_MS, type Task } from "../task.js";

/** apt waits so long for another one that is at work, such as the first upgrade of a new machine. */
const LOCK_SECONDS = 300;
/** Their own services are not wanted: Sluice runs these programs by itself. */
const NOT_STARTED = ["haproxy", "redis-server", "docker-registry", "keepalived"];
const LEAST_FREE_MEGABYTES = 700;

/**
 * dpkg(1) does not wait for its lock, and apt-get(8) not for that of its lists: one that a killed server had started may still be
 * at work. Prints what a command says when it fails.
 */
const WAITS = `waits() {
  tries=0
  while :; do
    said=$("$@" 2>&1) && return 0 || status=$?
    tries=$((tries + 1))
    case $said in
    *"get lock"* | *"lock was locked"* | *"is locked by"*) [ $tries -lt ${LOCK_SECONDS} ] && sleep 1 && continue ;;
    esac
    printf '%s\\n' "$said"
    exit $status
  done
}`;

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
    const apt = `apt-get -q -o DPkg::Lock::Timeout=${LOCK_SECONDS}`;
    const install = `${apt} install -y --no-install-recommends ${missing.map(quote).join(" ")}`;
    const script = [
      "set -e; export DEBIAN_FRONTEND=noninteractive",
      // While packages are installed, this keeps their services from being started (policy-rc.d(8)).
      "policy=/usr/sbin/policy-rc.d",
      'if [ ! -e "$policy" ]; then',
      `  printf '#!/bin/sh\\ncase $1 in ${NOT_STARTED.join("|")}) exit 101;; esac\\n' >$policy; chmod 755 $policy`,
      "  trap 'rm -f \"$policy\"' EXIT",
      "fi",
      WAITS,
      `waits ${apt} update`,
      // An interrupted run leaves packages half configured.
      "waits dpkg --configure -a",
      `waits ${install}`,
      // What was there before is somebody's own.
      `for unit in ${NOT_STARTED.filter((name) => missing.includes(name)).join(" ")}; do systemctl disable --now $unit 2>/dev/null || true; done`,
    ].join("\n");
    await host.output(script, { timeoutMs });
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
