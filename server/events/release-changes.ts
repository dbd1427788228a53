import type { Log } from "../../core/log.js";
import type { ReleaseRecord } from "../../core/records/releases/release-record.js";

/** A release before and after something happened to it: begun (no before), live, failed, on another track. */
export interface ReleaseChange {
  readonly before: ReleaseRecord | undefined;
  readonly after: ReleaseRecord;
}

/** A release that has lost its track to nobody: aborted by hand, or its branch was deleted. */
export interface Departure {
  readonly release: ReleaseRecord;
  /** A sentence. */
  readonly reason: string;
}

interface Listener {
  changed(change: ReleaseChange): Promise<unknown>;
  left?(departure: Departure): Promise<unknown>;
}

/** Tells whoever wants to know what happens to releases. Nobody's failure reaches the release. */
export class ReleaseChanges {
  private readonly listeners: Listener[] = [];

  constructor(private readonly log: Log) {}

  listen(listener: Listener): void {
    this.listeners.push(listener);
  }

  tell(before: ReleaseRecord | undefined, after: ReleaseRecord): void {
    for (const listener of this.listeners) this.heard(after, listener.changed({ before, after }));
  }

  tellLeft(release: ReleaseRecord, reason: string): void {
    for (const listener of this.listeners) this.heard(release, listener.left?.({ release, reason }));
  }

  private heard({ app, number }: ReleaseRecord, hearing: Promise<unknown> | undefined): void {
    hearing?.catch((error: unknown) =>
      this.log.warn({ err: error, app, release: number }, "a change was not told"),
    );
  }
}
