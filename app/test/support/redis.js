import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { temporaryFolder } from "./folder.js";

export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

const PASSWORD = "a-secret-of-the-test";

/** A Redis of its own, with an app user as narrow as can be: `url` is the app's, `adminUrl` may do everything. */
export async function startRedis({ app }) {
  const { folder, remove } = await temporaryFolder();
  const config = path.join(folder, "redis.conf");
  const port = await freePort();
  await writeFile(
    config,
    `port ${port}
bind 127.0.0.1
dir ${folder}
save ""
user ${app} on >${PASSWORD} ~app:${app}:* -@all +get +set
`,
  );
  let child = await startServer(config);
  return {
    url: `redis://${app}:${PASSWORD}@127.0.0.1:${port}`,
    adminUrl: `redis://127.0.0.1:${port}`,
    password: PASSWORD,
    signal: (name) => child.kill(name),
    async kill() {
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    },
    async restart() {
      child = await startServer(config);
    },
    async end() {
      if (child.exitCode === null && child.signalCode === null) await this.kill();
      await remove();
    },
  };
}

async function startServer(config) {
  const child = spawn("redis-server", [config], { stdio: ["ignore", "pipe", "inherit"] });
  const said = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (line.includes("Ready to accept connections")) {
      child.stdout.resume();
      return child;
    }
  }
  throw new Error(`redis-server did not start:\n${said.join("\n")}`);
}

export async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
