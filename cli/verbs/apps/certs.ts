import { readFile } from "node:fs/promises";
import { Argument, type Command } from "commander";
import {
  addedCertificateSchema,
  certificatesSchema,
  type CertificateSummary,
  type Uncertified,
} from "../../../core/api/apps/certificates.js";
import { AppError } from "../../../core/errors/app-error.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { show, type Format } from "../../show/show.js";
import { table } from "../../show/table.js";

const ACTIONS = ["list", "add", "remove", "retry"] as const;
const DAY_MS = 86_400_000;
const SHORT_ID = 8;

/** `sluice certs [APP [list | add CRT KEY | remove ID | retry]]` */
export function certsVerb(command: Command, context: () => Promise<Context>): void {
  command
    .argument("[app]")
    .addArgument(new Argument("[action]").choices(ACTIONS).default("list"))
    .argument(
      "[files...]",
      "add: the certificate with its chain, and its key (PEM); remove: an id of the list",
    )
    .option("--json", "as JSON")
    .action(async (app: string | undefined, action: string, given: string[], options: Format) => {
      const wanted = { add: 2, remove: 1 }[action] ?? 0;
      if (given.length !== wanted)
        command.error(
          action === "add"
            ? "error: add needs a file with the certificate and one with its key"
            : action === "remove"
              ? "error: remove needs one id"
              : `error: ${action} takes nothing more`,
        );
      const [first = "", second = ""] = given;
      const all = await context();
      if (app === undefined || action === "list") await list(all, app, options);
      else if (action === "add") await add(all, app, [first, second], options);
      else if (action === "remove") await remove(all, app, first);
      else await retry(all, app);
    });
}

async function add(
  context: Context,
  app: string,
  [certificateFile, keyFile]: readonly [string, string],
  { json }: Format,
): Promise<void> {
  const [certificate, key] = [await readText(certificateFile), await readText(keyFile)];
  const path = apiPath("apps", app, "certificates");
  const added = await new Client(context).call("POST", path, addedCertificateSchema, { certificate, key });
  show(context, { json }, added, ({ served, notAfter, issuer, warnings }) => [
    `${served.join(", ")}: served with the certificate of ${issuer}, until ${notAfter.slice(0, 10)}.`,
    ...warnings.map((warning) => ` !     ${warning}.`),
  ]);
}

async function readText(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError("file-unreadable", { file, reason }, { cause: error });
  });
}

async function remove(context: Context, app: string, id: string): Promise<void> {
  await new Client(context).send("DELETE", apiPath("apps", app, "certificates", id));
  context.print(`The certificate ${id} is not served any more.`);
}

async function retry(context: Context, app: string): Promise<void> {
  await new Client(context).send("POST", apiPath("apps", app, "certificates", "retry"));
  context.print(`What ${app} lacks is ordered now: sluice certs ${app}`);
}

async function list(context: Context, app: string | undefined, { json }: Format): Promise<void> {
  const path = app === undefined ? apiPath("certificates") : apiPath("apps", app, "certificates");
  const answer = await new Client(context).call("GET", path, certificatesSchema);
  show(context, { json }, answer, ({ certificates, uncertified }) => [
    ...(certificates.length === 0
      ? ["No certificate yet (docs/https.md)."]
      : table(
          ["id", "app", "served for", "valid until", "issued by"],
          certificates.map((one) => [
            one.id.slice(0, SHORT_ID),
            one.app,
            namesText(one.served),
            untilText(one, Date.now()),
            `${one.issuer}${one.source === "own" ? ", given" : ""}`,
          ]),
        )),
    ...certificates
      .filter(({ refusedBy }) => refusedBy.length > 0)
      .map(
        ({ id, refusedBy }) => ` !     ${id.slice(0, SHORT_ID)} is not served by ${refusedBy.join(", ")}.`,
      ),
    ...uncertified.map(troubleText),
  ]);
}

function namesText(names: readonly string[]): string {
  const [first = "-", second, ...more] = names;
  if (second === undefined) return first;
  return more.length === 0 ? `${first}, ${second}` : `${first} and ${more.length + 1} more`;
}

function untilText({ notAfter, state }: CertificateSummary, now: number): string {
  const days = Math.floor((Date.parse(notAfter) - now) / DAY_MS);
  const date = notAfter.slice(0, 10);
  if (state === "expired") return `${date}, expired`;
  return `${date} (${days === 1 ? "1 day" : `${days} days`})${state === "expiring" ? " !" : ""}`;
}

function troubleText({ name, reason, nextTryAt }: Uncertified): string {
  const next = nextTryAt === null ? "" : ` Next try ${nextTryAt.slice(0, 16).replace("T", " ")} UTC.`;
  return ` !     ${name}: ${reason}.${next}`;
}
