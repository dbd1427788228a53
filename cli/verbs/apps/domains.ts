import { Argument, type Command } from "commander";
import { domainsSchema, type DomainSummary } from "../../../core/api/apps/domains.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { show, type Format } from "../../show/show.js";
import { table } from "../../show/table.js";

interface DomainOptions extends Format {
  readonly redirectTo?: string;
}

/** `sluice domains APP [list | add DOMAIN … | remove DOMAIN …]` */
export function domainsVerb(command: Command, context: () => Promise<Context>): void {
  command
    .argument("<app>")
    .addArgument(new Argument("[action]").choices(["list", "add", "remove"]).default("list"))
    .argument("[domains...]", "www.example.com, or *.example.com for all names one level below")
    .option("--redirect-to <domain>", "with add: visitors are sent on to this other domain of the app")
    .option("--json", "as JSON")
    .action(async (app: string, action: string, domains: string[], options: DomainOptions) => {
      if (action !== "list" && domains.length === 0) command.error(`error: ${action} needs a domain`);
      if (action === "list" && domains.length > 0) command.error("error: list takes no domain");
      if (action !== "add" && options.redirectTo !== undefined)
        command.error("error: --redirect-to is for add alone");
      const given = await context();
      if (action === "add") await add(given, app, domains, options);
      else if (action === "remove") await remove(given, app, domains);
      else await list(given, app, options);
    });
}

async function add(
  context: Context,
  app: string,
  domains: readonly string[],
  { redirectTo, json }: DomainOptions,
): Promise<void> {
  const added: DomainSummary[] = [];
  for (const domain of domains) {
    const body = { domain, ...(redirectTo === undefined ? {} : { redirectTo }) };
    added.push(
      await new Client(context).call("POST", apiPath("apps", app, "domains"), domainsSchema.element, body),
    );
  }
  show(context, { json }, added, (all) =>
    all.flatMap((one) => [
      one.redirectTo === null
        ? `${one.domain} leads to ${app}.`
        : `${one.domain} sends its visitors on to ${one.redirectTo}.`,
      ...hintOf(one),
    ]),
  );
}

async function remove(context: Context, app: string, domains: readonly string[]): Promise<void> {
  for (const domain of domains) {
    await new Client(context).send("DELETE", apiPath("apps", app, "domains", domain));
    context.print(`${domain} does not lead to ${app} any more.`);
  }
}

async function list(context: Context, app: string, { json }: DomainOptions): Promise<void> {
  const all = await new Client(context).call("GET", apiPath("apps", app, "domains"), domainsSchema);
  show(context, { json }, all, (domains) =>
    domains.length === 0
      ? [`${app} has no domain of its own: sluice domains ${app} add www.example.com`]
      : [
          ...table(
            ["domain", "leads to", "name servers"],
            domains.map((one) => [one.domain, one.redirectTo ?? app, dnsText(one.dns)]),
          ),
          ...domains.flatMap(hintOf),
        ],
  );
}

function dnsText(dns: DomainSummary["dns"]): string {
  if (dns === null) return "-";
  const { state, found } = dns;
  if (state === "here") return found.join(", ");
  if (state === "elsewhere") return `${found.join(", ")}, elsewhere`;
  return state === "nowhere" ? "no address" : "no answer";
}

/** What is to be done at the name servers. */
function hintOf({ domain, dns }: DomainSummary): string[] {
  if (dns === null || dns.state === "here") return [];
  const { state, found, expected } = dns;
  const addresses = expected.join(" or ");
  const now = {
    elsewhere: `points to ${found.join(", ")}`,
    nowhere: "has no address yet",
    unknown: "could not be looked up: the name servers do not answer",
  }[state];
  return [` !     ${domain} ${now}. It should point to ${addresses} (docs/domains.md).`];
}
