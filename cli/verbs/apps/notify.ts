import { Argument, type Command } from "commander";
import { APP_EVENT_TYPES, type AppEventType } from "../../../core/records/apps/app-event-type.js";
import {
  createdReceiverSchema,
  receiversSchema,
  testedReceiversSchema,
  type NewReceiverRequest,
  type ReceiverSummary,
} from "../../../core/api/apps/notifications.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { parseSomeOf } from "../arguments/parse-some-of.js";
import { readSecret } from "../arguments/read-secret.js";
import { show, type Format } from "../../show/show.js";
import { table } from "../../show/table.js";
import { utcTime } from "../../show/utc-time.js";

const ACTIONS = ["add", "remove", "test"] as const;

/** `sluice notify APP [add URL | remove ID | test]`. */
export function notifyVerb(command: Command, context: () => Promise<Context>): void {
  command
    .argument("<app>")
    .addArgument(new Argument("[action]").choices(ACTIONS))
    .argument(
      "[receiver]",
      "the URL to add (- reads it from standard input, without echo), or the id to remove",
    )
    .option("--slack", "add: the URL is a Slack incoming webhook")
    .option(
      "--events <types>",
      `add: only some of ${APP_EVENT_TYPES.join(",")} (default: all)`,
      parseSomeOf(APP_EVENT_TYPES),
    )
    .option("--json", "as JSON")
    .action(
      async (
        app: string,
        action: (typeof ACTIONS)[number] | undefined,
        receiver: string | undefined,
        options: NotifyOptions,
      ) => {
        const needsReceiver = action === "add" || action === "remove";
        if (needsReceiver !== (receiver !== undefined))
          command.error(`error: use \`notify APP\` alone, or with \`add URL\`, \`remove ID\` or \`test\``);
        if (action === undefined) await list(await context(), app, options);
        else if (action === "test") await test(await context(), app);
        else if (action === "add") await add(await context(), app, receiver ?? "", options);
        else await remove(await context(), app, receiver ?? "");
      },
    );
}

interface NotifyOptions extends Format {
  readonly slack?: boolean;
  readonly events?: AppEventType[];
}

async function list(context: Context, app: string, options: Format): Promise<void> {
  const path = apiPath("apps", app, "notifications");
  show(context, options, await new Client(context).call("GET", path, receiversSchema), receiverLines);
}

function receiverLines(receivers: readonly ReceiverSummary[]): string[] {
  if (receivers.length === 0) return ["Nobody is notified."];
  const rows = receivers.map(({ id, url, form, events, undelivered }) => [
    id,
    url,
    form,
    events === "all" ? "all" : events.join(","),
    undelivered === null ? "" : `${utcTime(undelivered.at)} ${undelivered.reason}`,
  ]);
  return table(["id", "url", "form", "events", "last failed delivery (UTC)"], rows);
}

async function add(
  context: Context,
  app: string,
  given: string,
  { slack, events }: NotifyOptions,
): Promise<void> {
  // A Slack URL is a secret.
  const url = given === "-" ? await readSecret(context, "URL") : given;
  const body: NewReceiverRequest = {
    url,
    form: slack ? "slack" : "standard",
    ...(events === undefined ? {} : { events }),
  };
  const path = apiPath("apps", app, "notifications");
  const answer = await new Client(context).call("POST", path, createdReceiverSchema, body);
  if (answer.secret !== undefined) context.print(answer.secret);
  context.print(
    answer.secret === undefined
      ? `(id ${answer.id})`
      : `(id ${answer.id}; the signing secret, shown only once)`,
  );
}

async function remove(context: Context, app: string, id: string): Promise<void> {
  await new Client(context).send("DELETE", apiPath("apps", app, "notifications", id));
  context.print(`Removed ${id}.`);
}

async function test(context: Context, app: string): Promise<void> {
  const path = apiPath("apps", app, "notifications", "test");
  const { receivers } = await new Client(context).call("POST", path, testedReceiversSchema);
  context.print(`A test release.live is on its way to ${receivers} receiver${receivers === 1 ? "" : "s"}.`);
}
