import type { Socket } from "node:net";
import { networksOf } from "../../access/networks-of.js";

export interface ConnectionLimits {
  readonly inAll: number;
  /** From one address; of IPv6, from one /64. */
  readonly perAddress: number;
  /** Connections that have not logged in yet. */
  readonly halfOpen: number;
}

/** Limits the number of open connections. */
export class ConnectionLimit {
  private readonly open = new Map<Socket, string>();
  private readonly loggedIn = new Set<Socket>();

  constructor(private readonly limits: ConnectionLimits) {}

  /** Every open connection. */
  sockets(): Iterable<Socket> {
    return this.open.keys();
  }

  /** Counts a connection until it is closed. False: there are too many already, and it is not counted. */
  take(socket: Socket): boolean {
    const [network] = networksOf(socket.remoteAddress ?? "");
    const name = network?.name ?? "";
    const fromThere = [...this.open.values()].filter((other) => other === name).length;
    const halfOpen = this.open.size - this.loggedIn.size;
    const { inAll, perAddress, halfOpen: mostHalfOpen } = this.limits;
    if (this.open.size >= inAll || fromThere >= perAddress || halfOpen >= mostHalfOpen) return false;
    this.open.set(socket, name);
    socket.once("close", () => {
      this.open.delete(socket);
      this.loggedIn.delete(socket);
    });
    return true;
  }

  /** From now on the connection is not counted as half open. */
  markLoggedIn(socket: Socket): void {
    if (this.open.has(socket)) this.loggedIn.add(socket);
  }
}
