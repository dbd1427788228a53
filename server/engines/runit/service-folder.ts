import { quote } from "../../../core/exec/quote.js";
import { addressVariable, type Address } from "../../../core/instances/address.js";
import type { InstanceSpec } from "../engine.js";

export interface ServiceFolder {
  readonly spec: InstanceSpec;
  readonly address: Address | undefined;
  readonly logFolder: string;
  readonly logBytes: number;
  /** Shell lines that put the present process under its memory limit. */
  readonly memoryLimit: readonly string[];
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
    finish: FINISH,
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
 * an app's would run that app's programs as root.
 */
function launchScript({ spec, memoryLimit }: ServiceFolder): string {
  const user = spec.user === undefined ? "" : `chpst -u :${spec.user.uid}:${spec.user.gid} `;
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
    ...memoryLimit,
    `exec ${user}/bin/sh <instance`,
    "",
  ].join("\n");
}

/** What the instance's user does; read from stdin, since that user may not open it, and its values must not be seen by `ps`. */
function instanceScript({ spec, address }: ServiceFolder): string {
  const place = address === undefined ? {} : addressVariable(address);
  const variables = Object.entries({ ...spec.env, ...place }).map(
    ([name, value]) => `export ${name}=${quote(value)}`,
  );
  return [
    `cd ${quote(spec.artifact.folder)} || exit 1`,
    // A socket must be writable for the proxy's group, which its folder hands down.
    ...(address?.kind === "socket" ? ["umask 002", `rm -f ${quote(address.path)}`] : []),
    "unset PATH PWD OLDPWD",
    ...variables,
    `exec /bin/sh -c ${quote(spec.command)} </dev/null`,
    "",
  ].join("\n");
}

/** runsv gives the exit status (-1 after a signal) and the signal. What is left of the group goes with its leader. */
const FINISH = `#!/bin/sh
[ -s group ] && kill -s KILL -- "-$(cat group)" 2>/dev/null
lived=$(($(date +%s) - $(cat started 2>/dev/null || echo 0)))
if [ "$lived" -lt ${STEADY_SECONDS} ]; then
  echo $(($(cat failures 2>/dev/null || echo 0) + 1)) >failures
else
  rm -f failures
fi
ends=$(($(cut -d ' ' -f 1 end 2>/dev/null || echo 0) + 1))
rm -f pausing
echo "$ends $1 $2" >end.new && mv end.new end
`;

/** runsv would TERM the leader alone. */
const CONTROL_TERM = `#!/bin/sh
[ -s group ] && kill -s TERM -- "-$(cat group)" 2>/dev/null
`;
