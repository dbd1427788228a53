import { Argument, InvalidArgumentError, type Command } from "commander";
import { APP_EVENT_TYPES, type AppEventType } from "../server/notify/app-event.js";
import type { ReceiverSummary } from "../server/notify/notify-api.js";
import type { Receiver } from "../server/notify/receiver-store.js";
import { Client } from "./client.js";
import type { Context } from "./context.js";
import { table } from "./table.js";

interface NotifyOptions {
  readonly json?: boolean;
  readonly slack?: boolean;
  readonly events?: AppEventType[];
}

const ACTIONS = ["add", "remove", "test"] as const;

/** `sluice notify APP [add URL | remove ID | test]`. */
export function notifyVerb(command: Command, context: () => Promise<Context>): void {
  command
    .argument("<app>")
    .addArgument(new Argument("[action]").choices(ACTIONS))
    .argument("[receiver]", "the URL to add, or the id to remove")
    .option("--slack", "add: the URL is an incoming webhook of Slack")
    .option("--events <types>", `add: some of ${APP_EVENT_TYPES.join(",")}; without it all`, parseEvents)
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
          command.error(`error: it is \`notify APP\`, then nothing, \`add URL\`, \`remove ID\` or \`test\``);
        const about = {
          context: await context(),
          path: `/api/apps/${encodeURIComponent(app)}/notifications`,
        };
        if (action === undefined) await list(about, options);
        else if (action === "test") await test(about);
        else if (action === "add") await add(about, receiver ?? "", options);
        else await remove(about, receiver ?? "");
      },
    );
}

interface About {
  readonly context: Context;
  /** Of the API. */
  readonly path: string;
}

async function list({ context, path }: About, { json }: NotifyOptions): Promise<void> {
  // The shapes are the server's own: both come from one build.
  const receivers = (await new Client(context).call("GET", path)) as ReceiverSummary[];
  if (json) {
    context.print(JSON.stringify(receivers, undefined, 2));
    return;
  }
  if (receivers.length === 0) context.print("Nobody is told.");
  const rows = receivers.map(({ id, url, form, events, undelivered }) => [
    id,
    url,
    form,
    events === "all" ? "all" : events.join(","),
    undelivered === null ? "" : `${undelivered.at.slice(0, 19).replace("T", " ")} ${undelivered.reason}`,
  ]);
  if (rows.length > 0)
    for (const line of table(["id", "url", "form", "events", "last not delivered (UTC)"], rows))
      context.print(line);
}

async function add({ context, path }: About, url: string, { slack, events }: NotifyOptions): Promise<void> {
  const body = { url, form: slack ? "slack" : "standard", ...(events === undefined ? {} : { events }) };
  const answer = (await new Client(context).call("POST", path, body)) as Receiver & { secret?: string };
  if (answer.secret !== undefined) context.print(answer.secret);
  context.print(
    answer.secret === undefined
      ? `(id ${answer.id})`
      : `(id ${answer.id}; the secret of its signatures, shown this once)`,
  );
}

async function remove({ context, path }: About, id: string): Promise<void> {
  await new Client(context).call("DELETE", `${path}/${encodeURIComponent(id)}`);
  context.print(`Removed ${id}.`);
}

async function test({ context, path }: About): Promise<void> {
  const { receivers } = (await new Client(context).call("POST", `${path}/test`)) as { receivers: number };
  context.print(
    `A made-up release.live is on its way to ${receivers} receiver${receivers === 1 ? "" : "s"}.`,
  );
}

function parseEvents(text: string): AppEventType[] {
  return text.split(",").map((name) => {
    const type = APP_EVENT_TYPES.find((known) => known === name.trim());
    if (type === undefined)
      throw new InvalidArgumentError(`"${name}" is none of: ${APP_EVENT_TYPES.join(", ")}.`);
    return type;
  });
}
