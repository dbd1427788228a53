import { execa } from "execa";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, open, readdir, readFile, writeFile } from "node:fs/promises";
import { request, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { removeTree } from "../../../core/files/remove-tree.js";
import { Database } from "../../../core/redis/database.js";
import { eventually } from "../eventually.js";
import { freePort } from "../network/free-port.js";
import { TestClone } from "../git/test-clone.js";

/** No command of a test may hang for ever. */
const COMMAND_TIMEOUT_MS = 90_000;
const BIN = new URL("../../../bin/sluice", import.meta.url).pathname;

/** What tests send to, and fetch from, is on this machine. `network: {}` in a test's settings takes that away. */
const REACHABLE = { allow: ["127.0.0.0/8"], sourceFolders: [tmpdir()] };

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface TestSluiceOptions {
  /** `sluice.yml`. Without rules of the monitor unless there are some in it: a busy machine must change no test. */
  readonly settings?: object;
  /** A folder to be the home instead of one made for the test. */
  readonly homeFolder?: string;
  /** PATH instead of the test's own. */
  readonly path?: string;
}

const SHARED = "shared";

/** A Sluice of its own: temporary home, free ports, the real programs. `dispose` leaves nothing. */
export class TestSluice {
  private constructor(
    readonly folder: string,
    readonly home: string,
    readonly httpPort: number,
    readonly controlPort: number,
    readonly sshPort: number,
    readonly httpsPort: number,
    private readonly path: string,
  ) {}

  static async start(options: TestSluiceOptions = {}): Promise<TestSluice> {
    const sluice = await TestSluice.prepare(options);
    try {
      await sluice.up();
    } catch (error) {
      await sluice.dispose();
      throw error;
    }
    return sluice;
  }

  /** Home and ports only; nothing runs. */
  static async prepare(options: TestSluiceOptions = {}): Promise<TestSluice> {
    const folder = await mkdtemp(join(tmpdir(), "sluice-test-"));
    // Apps' users pass through it.
    await chmod(folder, 0o711);
    const home = options.homeFolder ?? join(folder, "home");
    await mkdir(home, { recursive: true });
    const shared = join(folder, SHARED);
    await mkdir(shared);
    await chmod(shared, 0o1777);
    const path = options.path ?? process.env["PATH"] ?? "";
    const ports = [await freePort(), await freePort(), await freePort(), await freePort()] as const;
    const sluice = new TestSluice(folder, home, ...ports, path);
    await sluice.configure(options.settings ?? {});
    return sluice;
  }

  /** Writes `sluice.yml`. */
  async configure(settings: object): Promise<void> {
    const usual = {
      monitor: { rules: [] },
      network: REACHABLE,
      sandbox: { folders: [{ path: this.shared, access: "write" }] },
    };
    await writeFile(join(this.home, "sluice.yml"), stringify({ ...usual, ...settings }));
  }

  /** A folder in which the test and its apps can write. */
  get shared(): string {
    return join(this.folder, SHARED);
  }

  get env(): Record<string, string> {
    return {
      PATH: this.path,
      HOME: this.folder,
      SLUICE_HOME: this.home,
      SLUICE_HTTP_PORT: String(this.httpPort),
      SLUICE_HTTPS_PORT: String(this.httpsPort),
      SLUICE_CONTROL_PORT: String(this.controlPort),
      SLUICE_SSH_PORT: String(this.sshPort),
    };
  }

  /** As `sluice up --detach`, without a process that only waits. */
  async up(...args: string[]): Promise<void> {
    const path = join(this.home, "up.log");
    const output = await open(path, "w", 0o600);
    const child = spawn(BIN, ["up", ...args], {
      detached: true,
      stdio: ["ignore", output.fd, output.fd],
      env: this.env,
      cwd: "/",
    });
    await output.close();
    let hasEnded = false;
    child.once("exit", () => (hasEnded = true));
    const said = await eventually(
      "sluice up says that it is up, or why not",
      async () => {
        const text = await readFile(path, "utf8");
        return (hasEnded || text.includes("Sluice is up")) && text;
      },
      COMMAND_TIMEOUT_MS,
    );
    if (!said.includes("Sluice is up")) throw new Error(`sluice up failed:\n${said}`);
    child.unref();
  }

  async cli(...args: string[]): Promise<CommandResult> {
    return this.run(args, {});
  }

  /** What a command prints that succeeds. */
  async says(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.cli(...args);
    if (status !== 0) throw new Error(`sluice ${args.join(" ")} ended with ${status}: ${stderr}`);
    return stdout;
  }

  /** What a command prints that is refused. */
  async refuses(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.cli(...args);
    if (status !== 1) throw new Error(`sluice ${args.join(" ")} ended with ${status}: ${stdout}${stderr}`);
    return stderr;
  }

  /** A command with some of its environment changed. */
  async cliWith(env: Record<string, string>, ...args: string[]): Promise<CommandResult> {
    return this.run(args, { env });
  }

  /** A command that reads what is piped into it. */
  async feed(input: string, ...args: string[]): Promise<CommandResult> {
    return this.run(args, { input });
  }

  private async run(
    args: readonly string[],
    { input, env }: { input?: string; env?: Record<string, string> },
  ): Promise<CommandResult> {
    const { exitCode, stdout, stderr } = await execa(process.execPath, [BIN, ...args], {
      ...(input === undefined ? {} : { input }),
      env: { ...this.env, ...env },
      extendEnv: false,
      reject: false,
      timeout: COMMAND_TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    return { status: exitCode ?? -1, stdout, stderr };
  }

  /** What `GET /api/PATH` answers, as the reading commands show it, without a process for each look. */
  async read<T>(path: string): Promise<T> {
    const { status, body } = await this.control(`/api/${path}`, {
      authorization: `Bearer ${await this.token()}`,
    });
    if (status !== 200) throw new Error(body);
    return JSON.parse(body) as T;
  }

  /** A reading command's answer. */
  async json<T>(...args: string[]): Promise<T> {
    const { status, stdout, stderr } = await this.cli(...args, "--json");
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as T;
  }

  async token(): Promise<string> {
    return (await readFile(join(this.home, "token"), "utf8")).trim();
  }

  /** A connection to its private Redis. */
  async redis(): Promise<{ redis: Database; close(): void }> {
    const password = (await readFile(join(this.home, "redis/password"), "utf8")).trim();
    const redis = new Database({ path: join(this.home, "redis/redis.sock"), password });
    return { redis, close: () => redis.disconnect() };
  }

  /** The Node server's process. */
  async pid(): Promise<number> {
    return Number((await readFile(join(this.home, "server.pid"), "utf8")).split(" ")[0]);
  }

  async kill(): Promise<void> {
    const pid = await this.pid();
    process.kill(pid, "SIGKILL");
    await eventually("the server is gone", async () => !(await isAlive(pid)));
  }

  /** A request to the traffic port. `host` without the domain: `hello`, `v2.hello`. */
  async get(host: string, path = "/", headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return httpGet(this.httpPort, path, { host: `${host}.localhost`, ...headers });
  }

  async control(path: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return httpGet(this.controlPort, path, headers);
  }

  /** A clone of an app that pushes over HTTP with the admin token. */
  async clone(app: string, files: Record<string, string>): Promise<TestClone> {
    const remote = `http://git:${await this.token()}@127.0.0.1:${this.controlPort}/git/${app}.git`;
    return TestClone.make(join(this.folder, `clone-${app}-${randomBytes(3).toString("hex")}`), remote, files);
  }

  /** Ids of instances that run now, by the service folders. */
  async instances(): Promise<string[]> {
    const names = await readdir(join(this.home, "services")).catch(() => []);
    return names.filter((name) => name.includes(".")).sort();
  }

  async serverLog(): Promise<string> {
    return readFile(join(this.home, "server.log"), "utf8").catch(() => "");
  }

  async dispose(): Promise<void> {
    await this.cli("down");
    await removeTree(this.folder);
  }
}

export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat !== "" && !stat.slice(stat.lastIndexOf(")")).startsWith(") Z");
}

export async function httpGet(
  port: number,
  path: string,
  headers: Record<string, string>,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, path, headers, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
      response.on("error", reject);
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}
