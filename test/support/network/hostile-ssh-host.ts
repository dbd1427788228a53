import { once } from "node:events";
import type { AddressInfo } from "node:net";
import ssh2, { type Connection, type ServerChannel } from "ssh2";
import { newSshKeyPair, type SshKeyPair } from "../../../core/ssh-key-pair.js";

/** What it does with a command; `id -u` is answered as root's. */
export type Behaviour = (channel: ServerChannel, command: string) => void;

/** An SSH server that lets everybody in and answers as a test wants. */
export class HostileSshHost {
  private constructor(
    readonly port: number,
    readonly key: SshKeyPair,
    private readonly server: ssh2.Server,
    private readonly connections: Set<Connection>,
  ) {}

  static async start(behave: Behaviour): Promise<HostileSshHost> {
    const key = newSshKeyPair("hostile");
    const connections = new Set<Connection>();
    const server = new ssh2.Server({ hostKeys: [key.privateKey] }, (connection) => {
      connections.add(connection);
      connection.on("error", () => undefined);
      connection.on("close", () => connections.delete(connection));
      connection.on("authentication", (attempt) => attempt.accept());
      connection.on("session", (accept) => {
        accept().on("exec", (acceptExec, _reject, { command }) => {
          const channel = acceptExec();
          channel.on("error", () => undefined);
          if (command.includes("id -u")) {
            channel.write("0\n");
            channel.exit(0);
            channel.end();
          } else behave(channel, command);
        });
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    // A server that listens on TCP has such an address.
    return new HostileSshHost((server.address() as AddressInfo).port, key, server, connections);
  }

  async stop(): Promise<void> {
    for (const connection of this.connections) connection.end();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
