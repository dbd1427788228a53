import { quote } from "../../../core/exec/quote.js";

/** apt waits so long for another one that is at work, such as the first upgrade of a new machine. */
const LOCK_SECONDS = 300;
/** Their own services are not wanted: Sluice runs these programs by itself. */
const NOT_STARTED = ["haproxy", "redis-server", "docker-registry", "keepalived"];

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

/** For bash(1) as root: installs Debian packages, even if apt(8) is at work or was interrupted. Their own services do not start. */
export function installScript(packages: readonly string[]): string {
  const apt = `apt-get -q -o DPkg::Lock::Timeout=${LOCK_SECONDS}`;
  const install = `${apt} install -y --no-install-recommends ${packages.map(quote).join(" ")}`;
  return [
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
    `for unit in ${NOT_STARTED.filter((name) => packages.includes(name)).join(" ")}; do systemctl disable --now $unit 2>/dev/null || true; done`,
  ].join("\n");
}
