import type { Log } from "../../core/log.js";
import type { ReleaseRecord } from "../../core/records/release-record.js";

/** A release before and after something happened to it: begun (no before), live, failed, on another track. */
export interface ReleaseChange {
  readonly before: ReleaseRecord | undefined;
  readonly after: ReleaseRecord;
}

type Listener = (change: ReleaseChange) => Promise<unknown>;

/** Tells whoever wants to know what happens to releases. Nobody's failure reaches the release. */
export class ReleaseChanges {
  private readonly listeners: Listener[] = [];

  constructor(private readonly log: Log) {}

  listen(listener: Listener): void {
    this.listeners.push(listener);
  }

  tell(before: ReleaseRecord | undefined, after: ReleaseRecord): void {
    for (const listener of this.listeners) {
      listener({ before, after }).catch((error: unknown) =>
        this.log.warn({ err: error, app: after.app, release: after.number }, "a change was not told"),
      );
    }
  }
}
