import type { Command } from "commander";
import { systemClock } from "../../../core/clock.js";
import { Client } from "../../client/client.js";
import { followEvents } from "../../client/follow-events.js";
import { EVENTS_HEAD, eventLine } from "../../show/event-line.js";
import type { Context } from "../../start/context.js";
import { parseCount } from "../arguments/parse-count.js";

const PAUSE_MS = 300;

/** `sluice events` */
export function eventsVerb(command: Command, context: () => Promise<Context>): void {
  command
    .option("-f, --follow", "go on until Ctrl-C, also when the server restarts")
    .option("--app <app>", "of one app")
    .option("-n, --lines <count>", "how many of the last ones", parseCount, 20)
    .option("--json", "as JSON, a line each")
    .action(async (options: EventsOptions) => events(await context(), options));
}

interface EventsOptions {
  readonly follow?: boolean;
  readonly app?: string;
  readonly lines: number;
  readonly json?: boolean;
}

async function events(context: Context, { follow = false, app, lines, json }: EventsOptions): Promise<void> {
  if (!json) context.print(EVENTS_HEAD);
  await followEvents(new Client(context), {
    app,
    last: lines,
    follows: follow,
    onEvent: (event) => context.print(json ? JSON.stringify(event) : eventLine(event)),
    onGone: () => context.errors().write(" !     The server is away. Waiting for it.\n"),
    pause: async () => systemClock.sleep(PAUSE_MS),
  });
}
