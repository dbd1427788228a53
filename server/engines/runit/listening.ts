import { readdir, readFile, readlink } from "node:fs/promises";
import { groupMembers, processFamily } from "../../../core/exec/process-group.js";

/**
 * The addresses on which an instance's processes listen (TCP, from /proc, in the network of its first process), for people: `0.0.0.0:3000`. `leader` is its first
 * process; the others are in its control group (`grouped`), descend from it, or are in its process group. The latter are looked
 * for, among all processes of the machine, only when nobody else listens at the `expected` port: who leaves the control group,
 * or forks away from a parent that ends, is rare.
 */
export async function listeningAddresses(
  leader: number,
  expected?: number,
  grouped?: readonly number[],
): Promise<string[]> {
  const near = await listenersAmong(leader, grouped ?? (await processFamily(leader)));
  const isThere = near.some((address) => address.endsWith(`:${expected}`));
  if (expected !== undefined && isThere) return near;
  return [...new Set([...near, ...(await listenersAmong(leader, await groupMembers(leader)))])].sort();
}

async function listenersAmong(leader: number, pids: readonly number[]): Promise<string[]> {
  const inodes = new Set((await Promise.all(pids.map(socketInodes))).flat());
  if (inodes.size === 0) return [];
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((table) => readFile(`/proc/${leader}/net/${table}`, "utf8").catch(() => "")),
  );
  const rows = tables.flatMap(parseListeners).filter((row) => inodes.has(row.inode));
  return [...new Set(rows.map((row) => row.address))].sort();
}

/** proc(5), /proc/net/tcp: `sl local_address rem_address st … inode`; state 0A is LISTEN. */
export function parseListeners(table: string): { address: string; inode: string }[] {
  return (
    table
      .split("\n")
      .slice(1)
      // Most are connections, which nobody asks for: they are not taken apart.
      .filter((line) => line.includes(" 0A "))
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === "0A")
      .map((fields) => ({ address: readableAddress(fields[1] ?? ""), inode: fields[9] ?? "" }))
  );
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
