import { Readable } from "node:stream";
import { captureCommand } from "../../../../core/exec/exec.js";

type Argv = readonly [string, ...string[]];

/** Runs ip(8), nft(8) and their like. */
export class NetworkTools {
  constructor(private readonly path: string) {}

  /** Returns what it prints. Throws what it says when it fails. */
  async run(argv: Argv, input?: string): Promise<string> {
    const { status, stdout, stderr } = await this.attempt(argv, input);
    if (status === 0) return stdout;
    throw new Error(`${argv.slice(0, 3).join(" ")}: ${stderr.trim().split("\n")[0] ?? ""}`);
  }

  async attempt(
    argv: Argv,
    input?: string,
  ): Promise<{ readonly status: number | undefined; readonly stdout: string; readonly stderr: string }> {
    const options = input === undefined ? {} : { input: Readable.from([input]) };
    const { exit, stdout, stderr } = await captureCommand({ argv, env: { PATH: this.path } }, options);
    return { status: exit.status, stdout, stderr };
  }
}
