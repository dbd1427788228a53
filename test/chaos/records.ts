import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Redis } from "ioredis";
import { mkdtemp, rm } from "node:fs/promises";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../support/eventually.js";
import { freePort } from "../support/network/free-port.js";

const PASSWORD = "of-the-chaos";

/** A Redis that can be killed, behind a relay that can lose its answers. What it was told it keeps (synced at each write). */
export class Records {
  private server: ChildProcess | undefined;
  private readonly relay: Server;
  private readonly pairs = new Set<{ client: Socket; redis: Socket }>();
  /** Whether requests reach Redis and their answers reach nobody. */
  private losesAnswers = false;

  private constructor(
    private readonly folder: string,
    private readonly redisPort: number,
    readonly port: number,
  ) {
    this.relay = createServer((client) => this.carry(client));
  }

  static async start(): Promise<Records> {
    const folder = await mkdtemp(join(tmpdir(), "chaos-redis-"));
    const records = new Records(folder, await freePort(), await freePort());
    await records.up();
    records.relay.listen(records.port, "127.0.0.1");
    await once(records.relay, "listening");
    return records;
  }

  get url(): string {
    return `redis://:${PASSWORD}@127.0.0.1:${this.port}/0`;
  }

  /** With all that it was told before. */
  async up(): Promise<void> {
    this.server = spawn(
      "redis-server",
      ["--port", String(this.redisPort), "--bind", "127.0.0.1", "--dir", this.folder].concat([
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
        "--save",
        "",
        "--requirepass",
        PASSWORD,
      ]),
      { stdio: "ignore" },
    );
    const redis = new Redis(this.redisPort, "127.0.0.1", { password: PASSWORD, retryStrategy: () => 20 });
    redis.on("error", () => undefined);
    await eventually("Redis answers", async () => redis.ping());
    redis.disconnect();
  }

  async kill(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    this.server = undefined;
    server.kill("SIGKILL");
    await once(server, "exit");
  }

  /** For so long each connection is cut after a request went through and before its answer. */
  async loseAnswers(ms: number): Promise<void> {
    this.losesAnswers = true;
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.losesAnswers = false;
  }

  async dispose(): Promise<void> {
    this.relay.close();
    for (const { client, redis } of this.pairs) for (const socket of [client, redis]) socket.destroy();
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  private carry(client: Socket): void {
    const redis = createConnection({ host: "127.0.0.1", port: this.redisPort });
    const pair = { client, redis };
    this.pairs.add(pair);
    const cut = (): void => {
      for (const socket of [client, redis]) socket.destroy();
      this.pairs.delete(pair);
    };
    for (const socket of [client, redis]) {
      socket.on("error", cut);
      socket.on("close", cut);
    }
    client.on("data", (bytes: Buffer) => redis.write(bytes));
    redis.on("data", (bytes: Buffer) => (this.losesAnswers ? cut() : client.write(bytes)));
  }
}
