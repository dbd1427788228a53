import { connect } from "node:net";
import type { Address } from "../../../core/instances/address.js";

const TIMEOUT_MS = 500;

/** Whether somebody listens there. */
export async function acceptsConnections(address: Address): Promise<boolean> {
  const target =
    address.kind === "port" ? { host: address.host, port: address.port } : { path: address.path };
  return new Promise((resolve) => {
    const socket = connect({ ...target, timeout: TIMEOUT_MS });
    const finish = (does: boolean): void => {
      socket.destroy();
      resolve(does);
    };
    socket.on("connect", () => finish(true));
    socket.on("timeout", () => finish(false));
    socket.on("error", () => finish(false));
  });
}
