import { unlessAborted } from "../../core/async/unless-aborted.js";

/**
 * Apps that an earlier server may have left half done. Their releases wait in the queue; whoever else starts, stops or removes
 * what an app runs must not touch one of these.
 */
export class RecoveringApps {
  private readonly apps = new Map<string, Promise<void>>();

  /** `recovered` must not reject. */
  add(app: string, recovered: Promise<void>): void {
    this.apps.set(
      app,
      recovered.then(() => {
        this.apps.delete(app);
      }),
    );
  }

  has(app: string): boolean {
    return this.apps.has(app);
  }

  names(): string[] {
    return [...this.apps.keys()].sort();
  }

  /** Resolves when the app is recovered, at once when there is nothing to wait for. Rejects with the signal's reason. */
  async wait(app: string, signal: AbortSignal): Promise<void> {
    await unlessAborted(this.apps.get(app) ?? Promise.resolve(), signal);
  }

  /** The same for all apps. */
  async waitForAll(signal: AbortSignal): Promise<void> {
    await unlessAborted(Promise.all(this.apps.values()), signal);
  }
}
