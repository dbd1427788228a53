import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Argument, InvalidArgumentError, Option, type Command } from "commander";
import { begunSchema, type Begun } from "../../../core/api/machines/provision.js";
import { hostsSchema } from "../../../core/api/machines/hosts.js";
import { systemClock } from "../../../core/clock.js";
import { AppError } from "../../../core/errors/app-error.js";
import { FLEET_ROLES } from "../../../core/records/fleet/fleet-host.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import { untilAnswered } from "../../client/until-answered.js";
import { followHost } from "../../client/follow-host.js";
import { hostLine } from "../../show/host-line.js";
import type { Context } from "../../start/context.js";
import { hostsKey } from "../../start/fleet/hosts-key.js";
import { provisionServerVerb } from "./provision-server.js";
import { provisionSnapshot } from "./provision-snapshot.js";
import { useSwarm } from "./use-swarm.js";

interface ProvisionOptions {
  readonly user?: string;
  readonly port?: number;
  readonly identity?: string;
  readonly name?: string;
  readonly domain?: string;
  readonly role?: Role;
  readonly privateAddress?: string;
  readonly dryRun?: boolean;
  readonly keepFailed?: boolean;
  readonly another?: boolean;
  readonly yes?: boolean;
  readonly all?: boolean;
  readonly host?: string;
  readonly publicKey?: boolean;
}

/** `sluice provision ROLE [ADDRESS]`, `--host HOST`, `--all`, `--public-key` */
export function provisionVerb(command: Command, context: () => Promise<Context>): void {
  command
    .addArgument(
      new Argument("[role]", "what the host is for").choices(["server", ...FLEET_ROLES, "snapshot"]),
    )
    .argument("[address]", "of a machine that you have; without one a droplet is made")
    .option("--user <user>", "who may log in there and become root (default: root)")
    .option("--port <port>", "of its SSH server (default: 22)", parsePort)
    .option("--identity <file>", "private SSH key that it takes (default: Sluice's own)")
    .option("--domain <domain>", "of a server: its apps are at APP.DOMAIN")
    .option("--name <name>", "what it is called (default: its host name; production-1 for a droplet)")
    .option("--private-address <address>", "at which the other hosts reach it")
    .addOption(
      new Option("--role <role>", "for whose droplets a snapshot is (default: production)").choices(
        FLEET_ROLES,
      ),
    )
    .option("--dry-run", "only say what would be changed")
    .option("--keep-failed", "keep a droplet that cannot be configured, for a look at it")
    .option("--another", "order a droplet also while one is being made for the role")
    .option("--yes", "turn the engine to swarm without asking")
    .option("--host <host>", "configure a host that is known once more")
    .option("--all", "configure all hosts once more, one after the other: after an upgrade of Sluice")
    .option("--public-key", "print the SSH key that a machine's authorized_keys must have")
    .action(
      async (
        role: Role | "server" | "snapshot" | undefined,
        address: string | undefined,
        options: ProvisionOptions,
      ) => {
        const given = await context();
        if (options.publicKey) await printPublicKey(given);
        else if (options.all) await configureAll(given);
        else if (options.host !== undefined) await configureAgain(given, options.host);
        else if (role === undefined) command.error("error: missing required argument 'role'");
        else if (role === "server") {
          refuse(command, options, FOR_OTHERS, "is not for a server");
          if (address === undefined)
            command.error("error: a server needs the address of a machine that you have");
          await provisionServerVerb(given, address, options);
        } else if (role === "snapshot") {
          refuse(command, options, FOR_MACHINES, "is not for a snapshot");
          if (address !== undefined) command.error("error: a snapshot is made of a droplet of its own");
          await provisionSnapshot(given, { role: options.role, keepFailed: options.keepFailed });
        } else {
          refuse(command, options, ["role"], "is for a snapshot alone");
          refuse(command, options, ["domain"], "is for a server alone");
          if (address !== undefined) refuse(command, options, ["another"], "is for droplets alone");
          await provision(given, role, address, options);
        }
      },
    );
}

const FOR_OTHERS = ["privateAddress", "keepFailed", "another", "yes", "role"] as const;
const FOR_MACHINES = [
  ...["user", "port", "identity", "domain", "name", "privateAddress", "another", "dryRun", "yes"],
] as const satisfies readonly (keyof ProvisionOptions)[];

/** What is given and would not be used. */
function refuse(
  command: Command,
  options: ProvisionOptions,
  names: readonly (keyof ProvisionOptions)[],
  why: string,
): void {
  const given = names.find((name) => options[name] !== undefined);
  const option = command.options.find((each) => each.attributeName() === given);
  if (given !== undefined) command.error(`error: ${option?.long ?? given} ${why}`);
}

type Role = (typeof FLEET_ROLES)[number];

async function provision(
  context: Context,
  role: Role,
  address: string | undefined,
  options: ProvisionOptions,
): Promise<void> {
  const { user, port, name, privateAddress, dryRun, keepFailed } = options;
  const identity = options.identity === undefined ? undefined : await readIdentity(options.identity);
  const order = {
    ...{ role, address, user, port, identity, name, privateAddress, dryRun, keepFailed },
    ...{ another: options.another, idempotencyKey: randomUUID() },
  };
  const client = new Client(context);
  const begin = async (): Promise<Begun> =>
    untilAnswered(
      async () => client.call("POST", apiPath("hosts"), begunSchema, order),
      async (ms) => systemClock.sleep(ms),
    );
  // The first host besides the server's own: until then one machine did it all.
  const begun = await useSwarm(context, { isAgreed: options.yes === true, isTrial: dryRun === true }, begin);
  const { host, orderedBy } = begun;
  if (orderedBy !== undefined) {
    const text = `${host} is being made for ${role} already, ordered by ${orderedBy}; --another orders one more`;
    context.print(hostLine({ kind: "heading", text }));
  }
  await follow(context, begun, dryRun === true);
}

/** Prints what is done until the host is ready. Throws `provision-failed`. */
async function follow(context: Context, begun: Begun, isTrial = false): Promise<void> {
  let problems = 0;
  const phase = await followHost(new Client(context), begun, {
    onLine: (line) => {
      if (line.kind === "problem") problems++;
      context.print(hostLine(line));
    },
    sleep: async (ms) => systemClock.sleep(ms),
  });
  if (isTrial ? problems > 0 : phase !== "ready")
    throw new AppError("provision-failed", { host: begun.host });
}

async function configureAgain(context: Context, host: string): Promise<void> {
  await follow(
    context,
    await new Client(context).call("POST", apiPath("hosts", host, "provision"), begunSchema),
  );
}

async function configureAll(context: Context): Promise<void> {
  const hosts = await new Client(context).call("GET", apiPath("hosts"), hostsSchema);
  const ours = hosts.filter(({ provisioned }) => provisioned !== null);
  if (ours.length === 0) context.print("There is no host that Sluice configures besides its own.");
  // One after the other: a version that does harm does it to one host.
  for (const { host, phase, roles } of ours) {
    // A droplet that becomes a snapshot has no role.
    const isStaying = roles.length > 0 && phase !== "creating" && phase !== "leaving";
    if (isStaying) await configureAgain(context, host);
    else context.print(hostLine({ kind: "heading", text: `${host} is ${phase}: left out` }));
  }
}

async function printPublicKey(context: Context): Promise<void> {
  const { publicKey } = await hostsKey(context.home);
  context.print(publicKey);
}

async function readIdentity(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError("identity-unreadable", { file, reason }, { cause: error });
  });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535)
    throw new InvalidArgumentError("It must be a port, 1 to 65535.");
  return port;
}
