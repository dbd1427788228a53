import { quote } from "../../../core/exec/quote.js";
import { scriptFor } from "../../../core/exec/sandbox/script-for.js";
import { addressVariable, type Address } from "../../../core/instances/address.js";
import { memoryLine } from "../describe-end.js";
import type { InstanceSpec, PlacedTree } from "../engine.js";

export interface TreeSpec extends InstanceSpec {
  readonly artifact: PlacedTree;
}

export interface ServiceFolder {
  readonly spec: TreeSpec;
  readonly address: Address | undefined;
  readonly logFolder: string;
  readonly logBytes: number;
  /** Shell lines that put the present process under its limits. */
  readonly limits: readonly string[];
  /** A file with a line `oom_kill N`, the processes that the kernel has ended for want of memory. */
  readonly killsFile: string | undefined;
  /** Runs a shell in the instance's sandbox. */
  readonly shell: readonly string[];
}

/** How many seconds an instance must live for its end not to count as a failed start. */
const STEADY_SECONDS = 10;
/** svlogd keeps so many beside the one it writes. */
export const LOG_FILES = 5;

/** The files of a folder that `runsv` can supervise: path → text. All of them are programs but `instance`. */
export function serviceFiles(folder: ServiceFolder): Readonly<Record<string, string>> {
  return {
    run: "#!/bin/sh\nexec 2>&1\nexec chpst -P ./launch\n",
    launch: launchScript(folder),
    instance: instanceScript(folder),
    finish: finishScript(folder),
    "control/t": CONTROL_TERM,
    "log/run": `#!/bin/sh\nexec svlogd -tt ${quote(folder.logFolder)}\n`,
  };
}

/** svlogd(8): `s` rotates at that many bytes, `n` keeps that many files. */
export function logConfiguration(logBytes: number): string {
  return `s${Math.max(4096, Math.floor(logBytes / LOG_FILES))}\nn${LOG_FILES}\n`;
}

/**
 * Leads the process group (chpst -P). After a second failed start it waits 1, 2, 4 … 60 s first; that wait is part of the
 * group, so that a stop ends it at once. It knows nothing of the instance's environment: as root, a PATH or LD_PRELOAD of
 * an app's would run that app's programs as root. The instance's script comes by stdin, since its user may not open it.
 */
function launchScript({ limits, shell }: ServiceFolder): string {
  return [
    "#!/bin/sh",
    "echo $$ >group",
    "failures=$(cat failures 2>/dev/null || echo 0)",
    'if [ "$failures" -gt 1 ]; then',
    "  pause=$((failures > 7 ? 60 : 1 << (failures - 2)))",
    `  echo "sluice: ended $failures times within ${STEADY_SECONDS} s of its start; starting again in $pause s"`,
    "  touch pausing",
    '  sleep "$pause"',
    "  rm -f pausing",
    "fi",
    "date +%s >started",
    ": >stopping",
    ...limits,
    `exec ${shell.map(quote).join(" ")} <instance 3<stopping`,
    "",
  ].join("\n");
}

/** TERM may come before there is a program that it could reach: then the script finds it noted, and ends. */
const UNLESS_STOPPING = ["if read -r _ <&3; then exit 143; fi", "exec 3<&-"];

/** What the instance's user does. */
function instanceScript({ spec, address }: ServiceFolder): string {
  return scriptFor({
    folder: spec.artifact.at,
    before: [
      ...UNLESS_STOPPING,
      // A socket must be writable for the proxy's group, which its folder hands down.
      ...(address?.kind === "socket" ? ["umask 002", `rm -f ${quote(address.path)}`] : []),
    ],
    env: { ...spec.env, ...(address === undefined ? {} : addressVariable(address)) },
    command: spec.command,
  });
}

/** runsv gives the exit status (-1 after a signal) and the signal. What is left of the group goes with its leader. */
function finishScript({ spec, killsFile = "/dev/null" }: ServiceFolder): string {
  return `#!/bin/sh
[ -s group ] && kill -s KILL -- "-$(cat group)" 2>/dev/null
lived=$(($(date +%s) - $(cat started 2>/dev/null || echo 0)))
if [ "$lived" -lt ${STEADY_SECONDS} ]; then
  echo $(($(cat failures 2>/dev/null || echo 0) + 1)) >failures
else
  rm -f failures
fi
ends=$(($(cut -d ' ' -f 1 end 2>/dev/null || echo 0) + 1))
kills=$(sed -n 's/^oom_kill //p' ${quote(killsFile)} 2>/dev/null)
why=
[ "\${kills:-0}" -le "$(cat kills 2>/dev/null || echo 0)" ] || why=memory
echo "\${kills:-0}" >kills
[ -z "$why" ] || echo ${quote(memoryLine(spec.limits))}
rm -f pausing
echo "$ends $1 $2 $why" >end.new && mv end.new end
`;
}

/** runsv would TERM the leader alone. */
const CONTROL_TERM = `#!/bin/sh
echo 1 >stopping
[ -s group ] && kill -s TERM -- "-$(cat group)" 2>/dev/null
`;
