import { writeFile } from "node:fs/promises";
import { setPriority } from "node:os";
import { fork, type ChildProcess } from "node:child_process";
import type { Workshop } from "../workshop.js";
import type { Answer } from "./answer.js";
import type { LoadOptions } from "./generator.js";

/** Steady load from a process of its own, so that nothing the bench does delays it. */
export class Load {
  private constructor(private readonly child: ChildProcess) {}

  static async start(workshop: Workshop, options: LoadOptions): Promise<Load> {
    const child = fork(new URL("process.ts", import.meta.url), { serialization: "advanced", detached: true });
    workshop.adopt(child);
    await message(child);
    await putFirst(child.pid ?? 0);
    child.send(options);
    return new Load(child);
  }

  async stop(): Promise<Answer[]> {
    this.child.send("stop");
    return (await message(this.child)) as Answer[];
  }
}

/** As if the visitors had a machine of their own: what they wait for is Sluice, not their own turn (sched(7), autogroup). */
async function putFirst(pid: number): Promise<void> {
  try {
    setPriority(pid, -10);
    await writeFile(`/proc/${pid}/autogroup`, "-10");
  } catch {
    // Only root may, and not every kernel knows autogroups: then it waits its turn like everybody else.
  }
}

async function message(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("error", reject);
    child.once("exit", (status) =>
      reject(new Error(`the load generator ended with status ${status ?? "none"}`)),
    );
  });
}
