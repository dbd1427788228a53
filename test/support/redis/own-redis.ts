import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Database } from "../../../core/redis/database.js";
import { eventually } from "../eventually.js";

/** A Redis of its own for a test: a Unix socket in a temporary folder, nothing written to disk. */
export class OwnRedis {
  private constructor(
    readonly redis: Database,
    private readonly folder: string,
    private readonly server: ChildProcess,
  ) {}

  static async start(): Promise<OwnRedis> {
    const folder = await mkdtemp(join(tmpdir(), "redis-"));
    const path = join(folder, "redis.sock");
    const server = spawn("redis-server", ["--port", "0", "--unixsocket", path, "--save", ""], {
      cwd: folder,
      stdio: "ignore",
    });
    const redis = new Database({ path, maxRetriesPerRequest: null });
    redis.on("error", () => undefined);
    await eventually("Redis answers", async () => redis.ping());
    return new OwnRedis(redis, folder, server);
  }

  async stop(): Promise<void> {
    this.redis.disconnect();
    this.server.kill("SIGKILL");
    await once(this.server, "exit");
    await rm(this.folder, { recursive: true });
  }
}
