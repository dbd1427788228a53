import type { Response } from "express";
import { once } from "node:events";
import type { Event } from "../../../core/api/events.js";
import type { Log } from "../../../core/log.js";
import { Ticker } from "../../../core/loop/ticker.js";
import type { EventRecord } from "../../../core/records/events/event-record.js";
import type { EventPage, EventStream } from "../../events/event-stream.js";

export interface StreamEventsOptions {
  readonly events: EventStream;
  readonly log: Log;
  /** What is sent first; it goes on from its cursor. */
  readonly first: EventPage;
  readonly isWanted: (event: EventRecord) => boolean;
  /** False: it ends with what has happened by now. */
  readonly follows: boolean;
}

/** A comment is sent when nothing else was for so long, so that neither side takes the other for gone. */
const HEARTBEAT_MS = 15_000;
const RETRY_MS = 1000;

/**
 * Answers with server-sent events (the WHATWG's HTML standard, section 9.2) until the client leaves or the server stops. Only
 * as fast as the client reads.
 */
export async function streamEvents(response: Response, options: StreamEventsOptions): Promise<void> {
  const { events, log, first, isWanted, follows } = options;
  const gone = new AbortController();
  response.on("close", () => gone.abort(new Error("the client left")));
  const ended = AbortSignal.any([gone.signal, events.stopped]);
  response.type("text/event-stream").set({ "Cache-Control": "no-store", "X-Accel-Buffering": "no" });
  response.flushHeaders();
  const write = async (text: string): Promise<void> => {
    const isFull = !response.write(text);
    if (isFull) await once(response, "drain", { signal: ended });
  };
  let { cursor } = first;
  let isAway = false;
  const sendNew = async (): Promise<boolean> => {
    const before = cursor;
    for (;;) {
      const page = await events.after(cursor);
      for (const event of page.events) if (isWanted(event)) await write(block(event));
      if (page.size === 0) return cursor !== before;
      ({ cursor } = page);
    }
  };
  try {
    // Whoever resumes before the first event came goes on from here, too.
    await write(`retry: ${RETRY_MS}\n\n${first.events.map(block).join("")}id: ${cursor}\n\n`);
    if (!follows) {
      await sendNew();
      return;
    }
    const ticker = new Ticker({
      everyMs: HEARTBEAT_MS,
      job: async () => {
        isAway = true;
        if (!(await sendNew())) await write(`: still here\nid: ${cursor}\n\n`);
        isAway = false;
      },
      // Redis is away, or the client is.
      onError: (error) => log.debug({ err: error }, "events are not sent yet"),
      dueInMs: () => (isAway ? RETRY_MS : Infinity),
    });
    const unlisten = events.onNews(() => ticker.wake());
    ticker.start();
    ticker.wake();
    if (!ended.aborted) await once(ended, "abort");
    unlisten();
    await ticker.stop();
  } finally {
    response.end();
  }
}

function block(event: Event): string {
  return `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`;
}
