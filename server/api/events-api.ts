import { Router } from "express";
import { coversApp } from "../../core/api/access/scope.js";
import { eventsQuerySchema, type EventsQuery } from "../../core/api/events.js";
import type { Log } from "../../core/log.js";
import { AppError } from "../../core/errors/app-error.js";
import type { EventRecord } from "../../core/records/events/event-record.js";
import { isForAllApps, requireRight } from "../access/holder.js";
import type { EventPage, EventStream } from "../events/event-stream.js";
import { needs } from "./guards/needs.js";
import { holderOf } from "./guards/require-token.js";
import { parse } from "./requests/parse-body.js";
import { ReaderLimit } from "./requests/reader-limit.js";
import { streamEvents } from "./requests/stream-events.js";

export interface EventsApiOptions {
  readonly events: EventStream;
  readonly log: Log;
}

/**
 * `GET /events?app&after&last&follow`: server-sent events of the apps in the token's scope. Those of no app are for tokens for
 * all apps. A client that resumes sends `Last-Event-ID`.
 */
export function eventsApi({ events, log }: EventsApiOptions): Router {
  const router = Router();
  const readers = new ReaderLimit();
  router.get("/events", needs.any("read"), async (request, response) => {
    const holder = holderOf(response);
    const resumed = request.get("Last-Event-ID");
    const query = parse(eventsQuerySchema, {
      ...request.query,
      ...(resumed === undefined || resumed === "" ? {} : { after: resumed }),
    });
    if (query.app !== undefined) requireRight(holder, "read", query.app);
    readers.take(response, holder);
    const isWanted = ({ app }: EventRecord): boolean =>
      (query.app === undefined || app === query.app) &&
      (isForAllApps(holder) || coversApp(holder.scope, app));
    // Before the answer begins: an absent Redis is an error.
    const first = await firstPage(events, query, isWanted);
    if (events.stopped.aborted) throw new AppError("server-stopping", {});
    await streamEvents(response, { events, log, first, isWanted, follows: query.follow });
  });
  return router;
}

async function firstPage(
  events: EventStream,
  { after, last }: Pick<EventsQuery, "after" | "last">,
  isWanted: (event: EventRecord) => boolean,
): Promise<EventPage> {
  return after === undefined ? events.last(last, isWanted) : { events: [], cursor: after, size: 0 };
}
