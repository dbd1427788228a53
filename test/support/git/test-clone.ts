import { execa } from "execa";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expectAccepted } from "../accepted.js";

export interface PushResult {
  readonly status: number;
  /** What the pusher saw, `remote: ` taken off. */
  readonly output: string;
}

/** A developer's clone with a remote named `sluice`. */
export class TestClone {
  private constructor(
    readonly folder: string,
    readonly remote: string,
  ) {}

  static async make(folder: string, remote: string, files: Record<string, string>): Promise<TestClone> {
    await mkdir(folder, { recursive: true });
    const clone = new TestClone(folder, remote);
    await clone.git("init", "--quiet", "--initial-branch=master");
    await clone.git("config", "user.name", "Test");
    await clone.git("config", "user.email", "test@localhost");
    await clone.git("remote", "add", "sluice", remote);
    await clone.commit(files);
    return clone;
  }

  /** Writes files (undefined removes one) and commits all. */
  async commit(files: Record<string, string | undefined>, message = "change"): Promise<string> {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.folder, name);
      if (text === undefined) {
        await rm(path, { recursive: true, force: true });
        continue;
      }
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
      if (text.startsWith("#!")) await chmod(path, 0o755);
    }
    await this.git("add", "--all");
    await this.git("commit", "--quiet", "--allow-empty", "--message", message);
    return this.git("rev-parse", "HEAD");
  }

  /** `push()` pushes master; `push("HEAD:refs/heads/x", "-o", "y")` whatever is said. */
  async push(...args: string[]): Promise<PushResult> {
    const { exitCode, all } = await execa(
      "git",
      ["push", "sluice", ...(args.length === 0 ? ["HEAD:master"] : args)],
      this.options(true),
    );
    return { status: exitCode ?? -1, output: cleaned(all ?? "") };
  }

  /** As `push`; one that does not go through fails the test with what it said. */
  async mustPush(...args: string[]): Promise<PushResult> {
    const pushed = await this.push(...args);
    expectAccepted(pushed);
    return pushed;
  }

  /** A push that is under way; `stop` interrupts it as Ctrl-C does. */
  startPush(...args: string[]): { readonly done: Promise<PushResult>; stop(): void; output(): string } {
    const running = execa("git", ["push", "sluice", ...(args.length === 0 ? ["HEAD:master"] : args)], {
      ...this.options(true),
      detached: true,
    });
    let text = "";
    running.all?.on("data", (chunk: Buffer) => (text += chunk.toString()));
    return {
      done: running.then(({ exitCode }) => ({ status: exitCode ?? -1, output: cleaned(text) })),
      stop: () => {
        if (running.pid !== undefined) process.kill(-running.pid, "SIGINT");
      },
      output: () => cleaned(text),
    };
  }

  async git(...args: string[]): Promise<string> {
    const { stdout } = await execa("git", args, { ...this.options(false), reject: true });
    return stdout;
  }

  private options(all: boolean) {
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: this.folder,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
      LANG: "C.UTF-8",
    };
    return { cwd: this.folder, env, extendEnv: false, reject: false, all } as const;
  }
}

function cleaned(text: string): string {
  return text.replace(/^remote: ?/gm, "").replace(/[ \t]+$/gm, "");
}
