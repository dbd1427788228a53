import { releaseName } from "../../core/names.js";

/**
 * Whoever starts a release's instances, or stops them, takes turns: one who leads visitors to what runs must not be
 * followed by one who had decided earlier to stop it.
 */
export class ReleaseTurns {
  /** Release → the end of the last turn. */
  private readonly taken = new Map<string, Promise<void>>();

  /** Runs `job` when those before it are through; calls `onWait` first if there are any. */
  async take<T>(app: string, number: number, job: () => Promise<T>, onWait?: () => void): Promise<T> {
    const release = `${app}/${releaseName(number)}`;
    const before = this.taken.get(release);
    if (before !== undefined) onWait?.();
    const turn = before === undefined ? job() : before.then(job);
    const end = turn.then(
      () => undefined,
      () => undefined,
    );
    this.taken.set(release, end);
    try {
      return await turn;
    } finally {
      if (this.taken.get(release) === end) this.taken.delete(release);
    }
  }
}
