import type { Command } from "commander";
import {
  webhookAnswerSchema,
  type WebhookAnswer,
  type WebhookRequest,
} from "../../../core/api/apps/webhook.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { readSecret } from "../arguments/read-secret.js";
import { show, type Format } from "../../show/show.js";

const SEEN_BY_OTHERS =
  "Other users of this machine can see a token on the command line; --status-token - reads it from standard input.";

/** `sluice webhook APP`: what to paste into the forge. */
export function webhookVerb(command: Command, context: () => Promise<Context>): void {
  command
    .argument("<app>")
    .option("--source <url>", "address to fetch the app's repository from")
    .option(
      "--status-token <token>",
      'report results to the forge with this token; - reads it from standard input, "" removes it',
    )
    .option("--branches <name...>", "deploy only these; a * at the end matches the rest of a name")
    .option("--json", "as JSON")
    .action(async (app: string, options: WebhookOptions) => webhook(await context(), app, options));
}

interface WebhookOptions extends Format {
  readonly source?: string;
  readonly branches?: string[];
  readonly statusToken?: string;
}

async function webhook(
  context: Context,
  app: string,
  { source, branches, statusToken, json }: WebhookOptions,
): Promise<void> {
  const body: WebhookRequest = {
    source,
    branches,
    statusToken: await statusTokenOf(context, statusToken),
  };
  const path = apiPath("apps", app, "webhook");
  const answer = await new Client(context).call("PUT", path, webhookAnswerSchema, body);
  show(context, { json }, answer, webhookLines);
}

async function statusTokenOf(context: Context, given: string | undefined): Promise<string | undefined> {
  if (given === undefined || given === "") return given;
  if (given === "-") return readSecret(context, "Token");
  context.errors().write(` !     ${SEEN_BY_OTHERS}\n`);
  return given;
}

function webhookLines({
  app,
  url,
  secret,
  deployKey,
  source,
  branches,
  reportsBack,
  problem,
}: WebhookAnswer): string[] {
  return [
    `Webhook of ${app}, to paste into the forge (push events, JSON):`,
    `  url         ${url}`,
    `  secret      ${secret}`,
    "Deploy key, to add to the repository (reading is enough):",
    `  ${deployKey}`,
    source === null
      ? `No source yet: sluice webhook ${app} --source URL   (an https, ssh, git or file address of the repository)`
      : `Source: ${source}${branches.length === 0 ? "" : `, branches ${branches.join(", ")}`}`,
    reportsBack
      ? "Results are reported to the forge."
      : `Results are not reported to the forge: sluice webhook ${app} --status-token -   (a token that may write commit statuses)`,
    ...(problem === undefined ? [] : [` !     ${problem}`, " !     Sluice tries again every few minutes."]),
  ];
}
