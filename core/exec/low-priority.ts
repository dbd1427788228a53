type Argv = readonly [string, ...string[]];

/**
 * The same command, but giving way to the traffic. Where the kernel shares its time between sessions first
 * (sched_autogroup, sched(7)), nice(1) alone would only count inside the command's own session.
 */
export function atLowPriority(argv: Argv): Argv {
  return ["/bin/sh", "-c", `${niceSession(10)}; exec nice -n 10 "$@"`, "sh", ...argv];
}

/**
 * A shell line by which a program of the traffic's comes a little before others; only root may. With more than that HAProxy
 * would wake up for every single request, and a busy machine would serve fewer of them.
 */
export const BEFORE_OTHERS = niceSession(-4);

function niceSession(nice: number): string {
  return `{ echo ${nice} >/proc/self/autogroup; } 2>/dev/null`;
}
