import type { Socket } from "node:net";

/** The origin of requests over the control socket, which only the server's user can open. */
export const LOCAL_SOCKET = "socket";
/** The client disconnected before its address was read. */
const GONE = "unknown";

/** Where a request comes from: an address, or `socket`. */
export function originOf({ remoteAddress, destroyed }: Pick<Socket, "remoteAddress" | "destroyed">): string {
  if (remoteAddress !== undefined) return withoutMapping(remoteAddress);
  return destroyed ? GONE : LOCAL_SOCKET;
}

/** `::ffff:192.0.2.1` → `192.0.2.1` (RFC 4291, section 2.5.5.2) */
export function withoutMapping(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}
