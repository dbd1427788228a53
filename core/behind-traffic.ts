type Argv = readonly [string, ...string[]];

/**
 * The same command, but giving way to the traffic. Where the kernel shares its time between sessions first
 * (sched_autogroup, sched(7)), nice(1) alone would only count inside the command's own session.
 */
export function behindTraffic(argv: Argv): Argv {
  return ["/bin/sh", "-c", `${lowerSession(10)}; exec nice -n 10 "$@"`, "sh", ...argv];
}

/** A shell line by which a program of the traffic's comes first; only root may. */
export const BEFORE_OTHERS = `${lowerSession(-10)}; renice -n -10 -p $$ >/dev/null 2>&1`;

function lowerSession(nice: number): string {
  return `{ echo ${nice} >/proc/self/autogroup; } 2>/dev/null`;
}
