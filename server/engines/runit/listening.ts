import { readdir, readFile, readlink } from "node:fs/promises";
import { groupMembers } from "../../../core/process-group.js";

/** The addresses on which processes of one process group listen (TCP, from /proc), for people: `0.0.0.0:3000`. */
export async function listeningAddresses(group: number): Promise<string[]> {
  const inodes = new Set((await Promise.all((await groupMembers(group)).map(socketInodes))).flat());
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((file) => readFile(file, "utf8").catch(() => "")),
  );
  const rows = tables.flatMap(parseListeners).filter((row) => inodes.has(row.inode));
  return [...new Set(rows.map((row) => row.address))].sort();
}

/** proc(5), /proc/net/tcp: `sl local_address rem_address st … inode`; state 0A is LISTEN. */
export function parseListeners(table: string): { address: string; inode: string }[] {
  return table
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === "0A")
    .map((fields) => ({ address: readableAddress(fields[1] ?? ""), inode: fields[9] ?? "" }));
}

function readableAddress(hex: string): string {
  const [address = "", port = ""] = hex.split(":");
  return `${readableHost(address)}:${parseInt(port, 16)}`;
}

/** Four bytes in the machine's (little-endian) order; IPv6 only as "all" or not. */
function readableHost(hex: string): string {
  if (hex.length !== 8) return /^0+$/.test(hex) ? "[::]" : "[IPv6]";
  const bytes = hex.match(/../g) ?? [];
  return bytes
    .reverse()
    .map((byte) => parseInt(byte, 16))
    .join(".");
}

async function socketInodes(pid: number): Promise<string[]> {
  const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const targets = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => "")));
  return targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []);
}
