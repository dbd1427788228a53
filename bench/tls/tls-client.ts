import { fork, type ChildProcess } from "node:child_process";
import type { Workshop } from "../workshop.js";
import type { TlsLoad, TlsLoadResult } from "./tls-load.js";

/** A client in a process of its own, which runs one load after the other. */
export class TlsClient {
  private constructor(private readonly child: ChildProcess) {}

  static start(workshop: Workshop): TlsClient {
    const child = fork(new URL("process.ts", import.meta.url), { serialization: "advanced", detached: true });
    workshop.adopt(child);
    return new TlsClient(child);
  }

  /** Throws when the load could not be run at all. */
  async run(load: TlsLoad): Promise<TlsLoadResult> {
    const answer = await new Promise<unknown>((resolve, reject) => {
      const ended = (): void => reject(new Error("the TLS client has ended"));
      this.child.once("exit", ended);
      this.child.once("message", (message) => {
        this.child.off("exit", ended);
        resolve(message);
      });
      this.child.send(load);
    });
    if (typeof answer === "string") throw new Error(answer);
    // What process.ts sends.
    return answer as TlsLoadResult;
  }
}
