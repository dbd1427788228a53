import { Router } from "express";
import { eventsQuerySchema } from "../../core/api/events.js";
import type { Log } from "../../core/log.js";
import { AppError } from "../../core/errors/app-error.js";
import type { EventPage, EventStream } from "../events/event-stream.js";
import { parse } from "./requests/parse-body.js";
import { streamEvents } from "./requests/stream-events.js";

export interface EventsApiOptions {
  readonly events: EventStream;
  readonly log: Log;
}

/** `GET /events?app&after&last&follow`: server-sent events. A client that resumes sends `Last-Event-ID`. */
export function eventsApi({ events, log }: EventsApiOptions): Router {
  const router = Router();
  router.get("/events", async (request, response) => {
    const resumed = request.get("Last-Event-ID");
    const query = parse(eventsQuerySchema, {
      ...request.query,
      ...(resumed === undefined || resumed === "" ? {} : { after: resumed }),
    });
    // Before the answer begins: an absent Redis is an error.
    const first = await firstPage(events, query);
    if (events.stopped.aborted) throw new AppError("server-stopping", {});
    await streamEvents(response, { events, log, first, app: query.app, follows: query.follow });
  });
  return router;
}

async function firstPage(
  events: EventStream,
  {
    after,
    last,
    app,
  }: { readonly after?: string | undefined; readonly last: number; readonly app?: string | undefined },
): Promise<EventPage> {
  return after === undefined ? events.last(last, app) : { events: [], cursor: after, size: 0 };
}
