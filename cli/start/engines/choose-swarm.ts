import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { parseDocument } from "yaml";
import { AppError } from "../../../core/errors/app-error.js";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import { isPublicAddress } from "../../../core/network/address-policy.js";
import type { Context } from "../context.js";

/** Docker's and Sluice's own networks: no other host is in them. */
const VIRTUAL = /^(?:docker|br-|veth|sluice|lo)/;

/** Writes the engine and this machine's private address into sluice.yml. Returns what was written. Throws `fleet-address-missing`. */
export async function chooseSwarm({ home, settings }: Context): Promise<string[]> {
  const file = home.settings();
  const address = settings.fleet.address ?? privateAddress(file);
  const text = await readFile(file, "utf8").catch(() => "");
  const document = parseDocument(text);
  document.setIn(["engine"], "swarm");
  document.setIn(["fleet", "address"], address);
  await writeFileAtomically(file, document.toString(), 0o600);
  return [`${file}: engine: swarm`, `${file}: fleet.address: ${address}`];
}

/** The only one that other hosts may reach. */
function privateAddress(file: string): string {
  const addresses = Object.entries(networkInterfaces())
    .filter(([name]) => !VIRTUAL.test(name))
    .flatMap(([, found]) => found ?? [])
    .filter(({ family, internal, address }) => family === "IPv4" && !internal && !isPublicAddress(address))
    .map(({ address }) => address);
  const [address] = addresses;
  if (address === undefined || addresses.length > 1)
    throw new AppError("fleet-address-missing", { addresses, file });
  return address;
}
