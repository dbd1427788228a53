import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, chmod, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../test/support/eventually.js";
import { TestSluice } from "../test/support/running/test-sluice.js";

export interface Program {
  readonly pid: number;
  /** The end of what it printed, to say why it failed. */
  output(): string;
}

const GRACE_MS = 3000;
/** From `sluice up` to the file that tells who runs. */
const CLAIM_MS = 3000;
/** A second Ctrl-C reaches `sluice down` too. */
const MOST_DOWNS = 3;

/** Everything a bench starts or makes, taken away again by `close`, last first, also when it is cut short. */
export class Workshop {
  private readonly undo: (() => Promise<unknown>)[] = [];
  private closing: Promise<void> | undefined;

  /** Throws when the bench is over already (it was cut short); `take` is called all the same. */
  onClose(take: () => Promise<unknown>): void {
    if (this.closing !== undefined) {
      void attempt(take);
      throw new Error("the bench is over");
    }
    this.undo.push(take);
  }

  /** Can be called again; also while a first call is under way. */
  async close(): Promise<void> {
    this.closing ??= this.takeAllAway();
    return this.closing;
  }

  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
    this.onClose(async () => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
    await chmod(folder, 0o755);
    return folder;
  }

  /** A Sluice with the default settings, but for `settings`. */
  async sluice(settings?: object, ...up: readonly string[]): Promise<TestSluice> {
    const sluice = await TestSluice.prepare(settings === undefined ? {} : { settings });
    let isUp = false;
    this.onClose(async () => {
      // Cut short while it starts: `down` finds a server only once it has claimed its folder.
      if (!isUp) await eventually("a server", () => hasServer(sluice), CLAIM_MS).catch(() => undefined);
      for (let attempts = 0; attempts < MOST_DOWNS; attempts++)
        if ((await sluice.cli("down")).status === 0) break;
      await sluice.dispose();
    });
    await sluice.up(...up);
    isUp = true;
    return sluice;
  }

  /** Runs another program until the end. Throws when it cannot be started. */
  async program(argv: readonly [string, ...string[]], env: Record<string, string> = {}): Promise<Program> {
    const [command, ...args] = argv;
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (text = (text + chunk.toString()).slice(-2000)));
    this.adopt(child);
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    return { pid: child.pid ?? 0, output: () => text.trim() };
  }

  /** Ends a child with the rest: TERM, grace, KILL. */
  adopt(child: ChildProcess): void {
    const ended = new Promise<void>((resolve) => {
      child.once("exit", () => resolve());
      child.once("error", () => resolve());
    });
    this.onClose(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
      await ended;
      clearTimeout(timer);
    });
  }

  private async takeAllAway(): Promise<void> {
    for (let take = this.undo.pop(); take !== undefined; take = this.undo.pop()) {
      await attempt(take);
    }
  }
}

async function attempt(take: () => Promise<unknown>): Promise<void> {
  await take().catch((error: unknown) => process.stderr.write(` !     not cleaned up: ${String(error)}\n`));
}

async function hasServer(sluice: TestSluice): Promise<boolean> {
  return (await sluice.pid().catch(() => 0)) > 0;
}
