import { mkdir } from "node:fs/promises";
import { AppError } from "../../core/errors/app-error.js";
import { writeFileAtomically } from "../../core/files/atomic-file.js";
import {
  captureCommand,
  describeExit,
  runCommand,
  type Exit,
  type RunOptions,
} from "../../core/exec/exec.js";

export interface DockerCliOptions {
  readonly socket: string;
  /** Where its settings lie, one file for what may log in to the registry, one for what may not. */
  readonly folder: string;
  readonly path: string;
  /** How builds reach the network. */
  readonly networkEnv: Readonly<Record<string, string>>;
  /** What takes longer, of what nobody else limits, is given up; for tests. */
  readonly patienceMs?: number;
  readonly login: { readonly username: string; readonly password: string; readonly serveraddress: string };
}

/** Whether a command may use Sluice's login for the registry. What an app's own files decide may not. */
export type Standing = "own" | "foreign";

const SHOWN_LINES = 3;
/** A container is made in a moment, but its image may have to be fetched first. */
const PATIENCE_MS = 300_000;

/**
 * Docker's command, for what its API alone is not enough for: BuildKit takes its context and secrets over a connection that
 * only this program and buildx speak.
 */
export class DockerCli {
  private constructor(private readonly options: DockerCliOptions) {}

  static async open(options: DockerCliOptions): Promise<DockerCli> {
    const { login, folder } = options;
    const auth = Buffer.from(`${login.username}:${login.password}`).toString("base64");
    const settings = { own: { auths: { [login.serveraddress]: { auth } } }, foreign: {} };
    for (const [standing, text] of Object.entries(settings)) {
      await mkdir(`${folder}/${standing}`, { recursive: true, mode: 0o700 });
      await writeFileAtomically(`${folder}/${standing}/config.json`, JSON.stringify(text), 0o600);
    }
    return new DockerCli(options);
  }

  /** Runs it to its end, whatever that is. Rejects with the signal's reason. */
  async run(args: readonly string[], standing: Standing, options: RunOptions): Promise<Exit> {
    return runCommand(this.command(args, standing), options);
  }

  /** What it prints. Throws `docker-failed`, also when Docker is silent and no signal limits that. */
  async output(args: readonly string[], standing: Standing, signal?: AbortSignal): Promise<string> {
    const [command = ""] = args;
    const { patienceMs = PATIENCE_MS } = this.options;
    const patience = AbortSignal.timeout(patienceMs);
    const running = captureCommand(this.command(args, standing), { signal: signal ?? patience });
    const { exit, stdout, stderr } = await running.catch((error: unknown) => {
      if (signal !== undefined || !patience.aborted) throw error;
      throw new AppError("docker-failed", { command, reason: `no answer within ${patienceMs / 1000} s` });
    });
    if (exit.status === 0) return stdout.trim();
    const said = stderr.split("\n").slice(-SHOWN_LINES).join("; ");
    throw new AppError("docker-failed", { command, reason: said === "" ? describeExit(exit) : said });
  }

  private command(args: readonly string[], standing: Standing): Parameters<typeof runCommand>[0] {
    const { socket, folder, path, networkEnv } = this.options;
    return {
      // It ends with the server: what it was doing is undone by whoever comes next.
      argv: ["setpriv", "--pdeathsig", "TERM", "docker", ...args],
      cwd: "/",
      env: {
        ...networkEnv,
        PATH: path,
        DOCKER_HOST: `unix://${socket}`,
        DOCKER_CONFIG: `${folder}/${standing}`,
        DOCKER_BUILDKIT: "1",
        // An image is then one manifest, as registries of all ages know it.
        BUILDX_NO_DEFAULT_ATTESTATIONS: "1",
      },
    };
  }
}
