import { execa } from "execa";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database } from "../../../core/redis/database.js";
import { silentLog } from "../../../core/log.js";
import { connectRedis, openRedis } from "../../../core/redis/connection.js";
import { eventually } from "../eventually.js";

/** A Redis of its own on a Unix socket, with connections made as the server makes them. */
export class TestRedis {
  private server: ChildProcess | undefined;
  private readonly connections: Database[] = [];

  private constructor(private readonly folder: string) {}

  static async start(): Promise<TestRedis> {
    const redis = new TestRedis(await mkdtemp(join(tmpdir(), "redis-")));
    await redis.up();
    return redis;
  }

  get socket(): string {
    return join(this.folder, "redis.sock");
  }

  /** It is there when this resolves. */
  async connect(): Promise<Database> {
    const redis = connectRedis({ kind: "socket", path: this.socket, password: "" }, silentLog);
    this.connections.push(redis);
    await openRedis(redis);
    return redis;
  }

  async up(): Promise<void> {
    this.server = spawn(
      "redis-server",
      ["--port", "0", "--unixsocket", this.socket, "--appendonly", "yes", "--appendfsync", "always"],
      { cwd: this.folder, stdio: "ignore" },
    );
    await eventually("Redis answers", async () => {
      const { stdout } = await execa("redis-cli", ["-s", this.socket, "ping"], { reject: false });
      return stdout === "PONG";
    });
  }

  /** Its data stays. */
  async down(): Promise<void> {
    if (this.server === undefined) return;
    const { server } = this;
    this.server = undefined;
    server.kill("SIGKILL");
    await once(server, "exit");
  }

  async dispose(): Promise<void> {
    for (const redis of this.connections) redis.disconnect();
    await this.down();
    await rm(this.folder, { recursive: true });
  }
}
