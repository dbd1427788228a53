import { eventSchema, type Event } from "../../core/api/events.js";
import { isAppError } from "../../core/errors/app-error.js";
import { apiPath } from "./api-path.js";
import type { Client } from "./client.js";
import { RemoteError } from "./remote-error.js";

export interface FollowEventsOptions {
  /** Of this app alone. */
  readonly app?: string | undefined;
  /** How many of the past come first. */
  readonly last: number;
  /** False: it ends with what has happened by now. */
  readonly follows: boolean;
  readonly onEvent: (event: Event) => void;
  /** The server is gone: called once each time, before it is waited for. */
  readonly onGone: () => void;
  readonly pause: () => Promise<void>;
}

/** What a server that stops, or is on its way up, answers. */
const PASSING = ["server-stopping", "redis-unavailable"];

/** Hands on events as they come; when the server restarts, it goes on after the last one. Throws what `Client.events` does at first. */
export async function followEvents(client: Client, options: FollowEventsOptions): Promise<void> {
  const { follows, onEvent, onGone, pause } = options;
  let after: string | undefined;
  let isGone = false;
  for (;;) {
    try {
      for await (const part of client.events(pathOf(options, after), eventSchema)) {
        isGone = false;
        if ("data" in part) onEvent(part.data);
        after = "data" in part ? part.data.id : part.id;
      }
    } catch (error) {
      if (!follows || after === undefined || !isPassing(error)) throw error;
    }
    if (!follows) return;
    if (!isGone) onGone();
    isGone = true;
    await pause();
  }
}

function pathOf({ app, last, follows }: FollowEventsOptions, after: string | undefined): string {
  const query = new URLSearchParams({
    follow: String(follows),
    ...(after === undefined ? { last: String(last) } : { after }),
    ...(app === undefined ? {} : { app }),
  });
  return `${apiPath("events")}?${query.toString()}`;
}

function isPassing(error: unknown): boolean {
  if (error instanceof RemoteError) return PASSING.includes(error.code);
  return isAppError(error, "not-running", "connection-lost");
}
