import { AppError } from "../../core/errors/app-error.js";
import { abortReason } from "../../core/clock.js";

export interface Place {
  readonly app: string;
  /** Told to those who wait behind it: `a rollback`. */
  readonly what: string;
  /** A waiting place for the same branch is given up for this one. */
  readonly push?: { readonly branch: string; readonly commit: string };
  readonly signal: AbortSignal;
  /** Called when it has to wait, with what is ahead. */
  readonly onWait?: (ahead: string) => void;
}

interface Waiting extends Place {
  readonly enter: () => void;
  readonly refuse: (error: Error) => void;
}

interface Line {
  busyWith: string;
  waiting: Waiting[];
}

/** One release at a time per app, in the order of arrival; a newer push of a branch takes the place of a waiting one. */
export class ReleaseQueue {
  private readonly lines = new Map<string, Line>();

  /** Waits for the turn, runs `job`, and lets the next one in. Throws `push-superseded`, or the signal's reason. */
  async run<T>(place: Place, job: () => Promise<T>): Promise<T> {
    await this.enter(place);
    try {
      return await job();
    } finally {
      this.leave(place.app);
    }
  }

  private async enter(place: Place): Promise<void> {
    if (place.signal.aborted) throw abortReason(place.signal);
    const line = this.lines.get(place.app);
    if (line === undefined) {
      this.lines.set(place.app, { busyWith: place.what, waiting: [] });
      return;
    }
    await this.wait(line, place);
  }

  private async wait(line: Line, place: Place): Promise<void> {
    const onAbort = (): void => {
      const index = line.waiting.findIndex((waiting) => waiting.signal === place.signal);
      const [gone] = index < 0 ? [] : line.waiting.splice(index, 1);
      gone?.refuse(abortReason(place.signal));
    };
    place.signal.addEventListener("abort", onAbort, { once: true });
    const { branch = "", commit = "" } = place.push ?? {};
    const same = line.waiting.findIndex(
      ({ push }) => push !== undefined && push.branch === place.push?.branch,
    );
    const index = same < 0 ? line.waiting.length : same;
    const ahead = line.waiting[index - 1];
    place.onWait?.(ahead?.what ?? line.busyWith);
    try {
      await new Promise<void>((enter, refuse) => {
        const [replaced] = line.waiting.splice(index, 1, { ...place, enter, refuse });
        replaced?.refuse(new AppError("push-superseded", { branch, commit: commit.slice(0, 10) }));
      });
    } finally {
      place.signal.removeEventListener("abort", onAbort);
    }
  }

  private leave(app: string): void {
    const line = this.lines.get(app);
    const next = line?.waiting.shift();
    if (line === undefined || next === undefined) {
      this.lines.delete(app);
      return;
    }
    line.busyWith = next.what;
    next.enter();
  }
}
