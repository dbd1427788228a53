import type { AppError } from "../../../core/errors/app-error.js";
import type { Clock } from "../../../core/clock.js";
import { releaseName } from "../../../core/names.js";
import type { ReleaseWork } from "../step.js";

/** A release that was left neither finished nor undone, and why. */
export interface PostponedWork {
  readonly work: ReleaseWork;
  readonly error: AppError;
}

interface Entry extends PostponedWork {
  readonly failures: number;
  /** ms since 1970 */
  readonly dueAt: number;
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/** Releases whose end had to wait, because Redis was away or the right to release the app was lost. One entry a release. */
export class Postponed {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly clock: Clock) {}

  add({ work, error }: PostponedWork): void {
    this.entries.set(keyOf(work), { work, error, failures: 0, dueAt: 0 });
  }

  remove({ work }: PostponedWork): void {
    this.entries.delete(keyOf(work));
  }

  /** It is tried again later, after a longer pause each time. */
  putOff({ work }: PostponedWork): void {
    const entry = this.entries.get(keyOf(work));
    if (entry === undefined) return;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** entry.failures);
    const dueAt = this.clock.now() + pauseMs;
    this.entries.set(keyOf(work), { ...entry, failures: entry.failures + 1, dueAt });
  }

  /** Of an app, oldest first. */
  of(app: string): PostponedWork[] {
    return [...this.entries.values()].filter(({ work }) => work.app.name === app);
  }

  /** Apps with one that is to be tried now. */
  dueApps(): Set<string> {
    const due = [...this.entries.values()].filter(({ dueAt }) => dueAt <= this.clock.now());
    return new Set(due.map(({ work }) => work.app.name));
  }
}

function keyOf({ record: { app, number } }: ReleaseWork): string {
  return `${app}/${releaseName(number)}`;
}
