import { isIPv4 } from "node:net";
import { AppError } from "../../../core/errors/app-error.js";
import { isPublicAddress } from "../../../core/network/address-policy.js";
import type { RemoteHost } from "../../ssh/remote-host.js";

/** machine-id(5) */
const MACHINE_ID = /^[0-9a-f]{32}$/;

/**
 * The host's own address on the way to another. All hosts let it in at every port, so it must be an address of a private
 * network, and no other host's. Throws `host-unfit`.
 */
export async function addressTowards(
  remote: RemoteHost,
  other: string,
  { host, taken }: { readonly host: string; readonly taken: readonly string[] },
): Promise<string> {
  const route = await remote.output(`ip -4 -o route get ${other}`);
  const address = / src (\S+)/.exec(route)?.[1] ?? "";
  return checkPrivateAddress(address, { host, taken });
}

/** Throws `host-unfit`. */
export function checkPrivateAddress(
  address: string,
  { host, taken }: { readonly host: string; readonly taken: readonly string[] },
): string {
  const unfit = (problem: string): AppError =>
    new AppError("host-unfit", {
      ...{ host, problem },
      fix: "Connect it to the server by a private network or a VPN, and name its address there with --private-address.",
    });
  if (!isIPv4(address)) throw unfit("it has no IPv4 address from which it reaches the server");
  if (isPublicAddress(address)) throw unfit(`its address ${address} is a public one`);
  if (taken.includes(address)) throw unfit(`its address ${address} is another host's`);
  return address;
}

/** Throws `host-unfit`. */
export async function machineIdOf(remote: RemoteHost, host: string): Promise<string> {
  const id = await remote.output("cat /etc/machine-id");
  if (MACHINE_ID.test(id)) return id;
  throw new AppError("host-unfit", {
    ...{ host, problem: "/etc/machine-id has no machine id" },
    fix: "Make one there: rm -f /etc/machine-id && systemd-machine-id-setup.",
  });
}
