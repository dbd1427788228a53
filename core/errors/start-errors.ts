import { entry } from "./catalogue-entry.js";

/** Starting Sluice, and this machine. */
export const startErrors = {
  "settings-invalid": entry<{ file: string; problems: readonly string[] }>(
    400,
    ({ file, problems }) => `${file} cannot be used:\n${problems.map((line) => `  - ${line}`).join("\n")}`,
    () => "Fix the lines above; docs/sluice-yml.md lists every setting with its default.",
  ),
  "home-unwritable": entry<{ home: string; reason: string }>(
    500,
    ({ home, reason }) => `The state folder ${home} cannot be written (${reason}).`,
    ({ home }) =>
      `Run \`sudo chown "$USER" ${home}\`, or name another folder: SLUICE_HOME=~/sluice sluice up.`,
  ),
  "home-unreachable": entry<{ home: string; folder: string }>(
    500,
    ({ home, folder }) =>
      `Apps run as users of their own, and those cannot pass through ${folder} to ${home}.`,
    ({ folder }) =>
      `Run \`chmod o+x ${folder}\`, or choose another place: SLUICE_HOME=/var/lib/sluice sluice up.`,
  ),
  "home-path-too-long": entry<{ home: string; limit: number }>(
    500,
    ({ home, limit }) =>
      `The state folder's path is longer than ${limit} characters: ${home}. Unix sockets cannot live there.`,
    () => "Name a shorter one: SLUICE_HOME=/var/lib/sluice sluice up.",
  ),
  "already-running": entry<{ home: string; pid: number }>(
    409,
    ({ home, pid }) => `Sluice already runs with the state folder ${home} (process ${pid}).`,
    ({ home }) =>
      `Stop it first (SLUICE_HOME=${home} sluice down), or give this one a folder and ports of its own.`,
  ),
  "not-running": entry<{ home: string }>(
    503,
    ({ home }) => `No Sluice server answers for the state folder ${home}.`,
    () => "Start it: sluice up --detach. If it runs with another folder, set SLUICE_HOME to that.",
    true,
  ),
  "port-taken": entry<{ port: number; what: string; setting: string; another: number }>(
    409,
    ({ port, what, setting }) => `Port ${port} (${what}, ${setting}) is in use by another program.`,
    ({ port, setting, another }) =>
      `See who has it: ss -ltnp 'sport = :${port}'. Stop that, or choose another: ${setting}=${another} sluice up.`,
  ),
  "program-missing": entry<{ programs: readonly string[]; packages: readonly string[] }>(
    500,
    ({ programs }) => `Not installed on this machine: ${programs.join(", ")}.`,
    ({ packages }) => `Run: sudo apt-get install -y ${packages.join(" ")}`,
  ),
  "program-closed": entry<{ file: string; folder: string }>(
    500,
    ({ file, folder }) => `${file} cannot be run by the apps' users: they cannot use ${folder}.`,
    ({ folder }) =>
      `Install it where everybody can run it (Node.js in /usr/local, for example), or run: chmod o+x ${folder}`,
  ),
  "host-key-invalid": entry<{ file: string; reason: string }>(
    500,
    ({ file, reason }) => `The key of Git over SSH, ${file}, cannot be read (${reason}).`,
    ({ file }) =>
      `Put it back from a backup; or run \`rm ${file}\` and start again: a new one is made, and pushers are warned that the host has changed.`,
  ),
  "service-failed": entry<{ service: string; log: string }>(
    500,
    ({ service, log }) => `${service} does not start. Its last lines:\n${log}`,
    ({ service }) =>
      `Fix what ${service} says above and run the command again; \`sluice doctor\` checks everything.`,
  ),
  "start-failed": entry<{ output: string }>(
    500,
    ({ output }) => `Sluice did not start in the background:\n${output}`,
    () => "Fix that and run the command again; without --detach it shows more.",
  ),
  "machine-unfit": entry<{ count: number }>(
    500,
    ({ count }) => `${count} of the checks above failed.`,
    () => "Each says how to fix it.",
  ),
} as const;
