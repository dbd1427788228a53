import type { Load } from "../../proxy.js";
import type { ObservedServer } from "../config/state.js";

/** `show map`: one `ADDRESS KEY VALUE` per line. Undefined: the worker has no such map. */
export function parseMap(answer: string): Map<string, string> | undefined {
  if (answer.startsWith("Unknown map identifier")) return undefined;
  return new Map(
    rows(answer).map((line) => {
      const [, key = "", value = ""] = line.split(" ");
      return [key, value] as const;
    }),
  );
}

/** SRV_ADMF_FMAINT in `srv_admin_state`. */
const MAINTENANCE = 1;

/** `show servers state`, format 1: a version line, a header `# name name …`, then fields separated by blanks. */
export function parseServers(answer: string): ObservedServer[] {
  const [version, header = "", ...lines] = rows(answer);
  if (version !== "1") throw new Error(`show servers state has format ${version ?? "none"}, not 1`);
  const column = columns(header.replace(/^# /, "").split(" "));
  return lines.map((line) => {
    const fields = line.split(" ");
    const address = fields[column("srv_addr")] ?? "";
    const port = fields[column("srv_port")] ?? "";
    return {
      slot: fields[column("be_name")] ?? "",
      server: fields[column("srv_name")] ?? "",
      isOut: (Number(fields[column("srv_admin_state")]) & MAINTENANCE) !== 0,
      address: port === "0" ? `unix@${address.replace(/^unix@/, "")}` : `${address}:${port}`,
    };
  });
}

/** `show stat`, CSV whose header begins with `# `: backend → its load. */
export function parseLoads(answer: string): Map<string, Load> {
  const loads = new Map<string, Load>();
  let column = columns([]);
  for (const line of rows(answer)) {
    const fields = line.split(",");
    if (line.startsWith("# ")) column = columns(line.slice(2).split(","));
    else if (fields[column("svname")] === "BACKEND") loads.set(fields[0] ?? "", loadOf(fields, column));
  }
  return loads;
}

/** `show stat SLOT 4 -1`: one server's open streams. */
export function parseOpenStreams(answer: string, server: string): number {
  const [header = "", ...lines] = rows(answer);
  const column = columns(header.replace(/^# /, "").split(","));
  const fields = lines.map((line) => line.split(",")).find((row) => row[column("svname")] === server);
  return Number(fields?.[column("scur")] ?? 0);
}

/** `show stat SLOT 4 -1` of several slots: the servers with open streams, as `SLOT/SERVER`. */
export function parseOpenServers(answer: string): Set<string> {
  const open = new Set<string>();
  let column = columns([]);
  for (const line of rows(answer)) {
    const fields = line.split(",");
    if (line.startsWith("# ")) column = columns(line.slice(2).split(","));
    else if (Number(fields[column("scur")]) > 0)
      open.add(`${fields[0] ?? ""}/${fields[column("svname")] ?? ""}`);
  }
  return open;
}

function loadOf(fields: readonly string[], column: (name: string) => number): Load {
  const last = Number(fields[column("lastsess")] ?? -1);
  return { connections: Number(fields[column("scur")] ?? 0), idleSeconds: last < 0 ? Infinity : last };
}

/** `show proc` on the master: the pids of present and old workers, and how many reloads there were and how many failed. */
export function parseProcesses(answer: string): {
  workers: number[];
  oldWorkers: number[];
  reloads: number;
  failed: number;
} {
  const found = { workers: [] as number[], oldWorkers: [] as number[], reloads: 0, failed: 0 };
  let old = false;
  for (const line of rows(answer)) {
    if (line.startsWith("# ")) old = line.startsWith("# old");
    const [pid = "", type, reloads] = line.split(/\s+/);
    if (type === "worker") (old ? found.oldWorkers : found.workers).push(Number(pid));
    if (type !== "master") continue;
    found.reloads = Number(reloads);
    found.failed = Number(/\[failed: (\d+)\]/.exec(line)?.[1] ?? 0);
  }
  return found;
}

function rows(answer: string): string[] {
  return answer.split("\n").filter((line) => line.trim() !== "");
}

function columns(names: readonly string[]): (name: string) => number {
  return (name) => names.indexOf(name);
}
