import { readFile } from "node:fs/promises";
import { isIPv4 } from "node:net";
import { MACHINE_ADDRESS } from "./network-plan.js";

export const RESOLV_CONF = "/etc/resolv.conf";
/** Where systemd-resolved(8) writes down whom it asks itself. It answers nobody but this machine's own network. */
const BEHIND_RESOLVED = "/run/systemd/resolve/resolv.conf";

export interface Resolver {
  /** Name servers that another network reaches, too. */
  readonly nameservers: readonly string[];
  /** One at an address of 127.0.0.0/8. */
  readonly ownNameserver?: string;
  /** resolv.conf(5) for another network. */
  readonly text: string;
}

/** Whom the programs in another network ask for a name. Without any name server, programs ask 127.0.0.1 (resolv.conf(5)). */
export async function readResolver(files = [RESOLV_CONF, BEHIND_RESOLVED]): Promise<Resolver> {
  const found = (await Promise.all(files.map(read))).filter((text) => text !== undefined);
  const reached = found.find((text) => nameserversOf(text).some((server) => !isOwn(server)));
  if (reached !== undefined) {
    const nameservers = nameserversOf(reached).filter((server) => !isOwn(server));
    return { nameservers, text: textFor(reached, nameservers) };
  }
  const text = found[0] ?? "";
  const [ownNameserver = "127.0.0.1"] = nameserversOf(text);
  return { nameservers: [], ownNameserver, text: textFor(text, [MACHINE_ADDRESS]) };
}

function nameserversOf(text: string): string[] {
  return [...text.matchAll(/^nameserver\s+(\S+)/gm)].map(([, server = ""]) => server).filter(isIPv4);
}

function isOwn(address: string): boolean {
  return address.startsWith("127.");
}

function textFor(text: string, nameservers: readonly string[]): string {
  const others = text.split("\n").filter((line) => /^(search|domain|options|sortlist)\s/.test(line));
  return [...nameservers.map((server) => `nameserver ${server}`), ...others, ""].join("\n");
}

async function read(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch(() => undefined);
}
