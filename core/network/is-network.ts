import { isIP } from "node:net";

/** Whether this is an address, or a network as CIDR writes it (`10.0.0.0/8`, `2001:db8::/32`). */
export function isNetwork(text: string): boolean {
  const [address = "", prefix = "0", ...more] = text.split("/");
  const kind = address.includes("%") ? 0 : isIP(address);
  const most = kind === 4 ? 32 : 128;
  return kind !== 0 && more.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= most;
}
