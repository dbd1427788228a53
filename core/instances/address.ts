/** Where an instance listens. */
export type Address =
  | { readonly kind: "port"; readonly host: string; readonly port: number }
  | { readonly kind: "socket"; readonly path: string };

const SOCKET = "unix@";

/** `HOST:PORT` or `unix@/PATH`, as HAProxy writes them and as records keep them. */
export function formatAddress(address: Address): string {
  return address.kind === "socket" ? `${SOCKET}${address.path}` : `${address.host}:${address.port}`;
}

/** The other way round. Throws a `TypeError` for any other text. */
export function parseAddress(text: string): Address {
  if (text.startsWith(`${SOCKET}/`)) return { kind: "socket", path: text.slice(SOCKET.length) };
  const [, host = "", port = ""] = /^([A-Za-z0-9.-]+):(\d{1,5})$/.exec(text) ?? [];
  if (host === "") throw new TypeError(`${JSON.stringify(text)} is not the address of an instance`);
  return { kind: "port", host, port: Number(port) };
}

/** The variable that tells a process where to listen: `PORT` or `SOCKET`. */
export function addressVariable(address: Address): Record<string, string> {
  return address.kind === "socket" ? { SOCKET: address.path } : { PORT: String(address.port) };
}
