import { parse, stringify } from "yaml";
import { z } from "zod";
import { AppError } from "../../core/errors/app-error.js";
import type { Clock } from "../../core/clock.js";
import { quote } from "../../core/exec/quote.js";
import { convergeHost, type Recap, type TaskProgress } from "../converge/converge-host.js";
import { packagesOf, tasksOf, upRolesOf } from "../roles/roles.js";
import { RemoteHost } from "../ssh/remote-host.js";
import type { SshLogin } from "../ssh/ssh-login.js";
import type { ShippedRelease } from "../tasks/host-plan.js";
import { HOME } from "../tasks/sluice/sluice-settings.js";

export interface ServerOrder {
  readonly login: SshLogin;
  /** A line for `authorized_keys`, of who logs in. */
  readonly publicKey: string;
  /** Its host name; undefined: it keeps its own. */
  readonly name: string | undefined;
  /** Apps are at `APP.DOMAIN`. */
  readonly domain: string | undefined;
  readonly release: ShippedRelease;
  readonly mode: "apply" | "dry-run";
  readonly onProgress: (progress: TaskProgress) => void;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export interface ProvisionedServer {
  readonly name: string;
  /** What it has shown. */
  readonly hostKey: string;
  readonly recap: Recap;
  readonly httpPort: number;
  readonly domain: string | undefined;
}

const ROLES = ["server"] as const;

/**
 * Makes a machine a Sluice server, from any other one. Nothing of it is known before: what it is to be follows from what it is,
 * and its sluice.yml is written once and then its owner's. Throws as `convergeHost`, and `RemoteHost.connect`.
 */
export async function provisionServer(order: ServerOrder): Promise<ProvisionedServer> {
  const { login, publicKey, release, mode, signal, clock, onProgress } = order;
  const host = await RemoteHost.connect(login, signal);
  try {
    const name = order.name ?? (await host.output("hostname"));
    const known = await host.read(`${HOME}/sluice.yml`);
    const text = known ?? firstSettings(await freePort(host), order.domain);
    const settings = readSettings(text);
    const { httpPort, domain, instances } = settings;
    refuseOtherDomain(domain, order, name);
    const recap = await convergeHost(host, {
      ...{ tasks: tasksOf(ROLES), mode, onProgress, signal, clock },
      plan: {
        ...{ name, release, adminKeys: [publicKey], sshPort: login.port, settings: text, files: [] },
        ...{ packages: packagesOf(ROLES, { sharesAddress: false }), upRoles: upRolesOf(ROLES) },
        ...{ peers: HOSTS_NETWORKS, openPorts: openPortsOf(settings) },
        instanceReach: { offers: [], networks: instances.allowNetworks },
        // What only hosts besides a server have.
        ...{ privateAddress: "", virtualAddress: undefined, swarm: undefined },
      },
    });
    if (mode === "apply") await letPush(host, publicKey);
    return { name, hostKey: host.hostKey, recap, httpPort, domain };
  } finally {
    host.close();
  }
}

/** The hosts of its fleet come later, and from these networks alone (own-words.ts). */
const HOSTS_NETWORKS = ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"];
const LOOPBACK = /^(?:127\.|::1$|localhost$)/;

/** What of a sluice.yml matters here, with its defaults (core/settings). */
const settingsSchema = z.object({
  domain: z.string().optional(),
  httpPort: z.number().default(8080),
  httpsPort: z.number().optional(),
  controlBind: z.string().default("127.0.0.1"),
  controlPort: z.number().default(8081),
  sshPort: z.number().default(2222),
  instances: z.object({ allowNetworks: z.array(z.string()).default([]) }).prefault({}),
});

function readSettings(text: string): z.infer<typeof settingsSchema> {
  // Sluice itself says what is wrong with it.
  return settingsSchema.catch(settingsSchema.parse({})).parse(parse(text) ?? {});
}

/** What everybody reaches who is meant to. */
function openPortsOf({
  httpPort,
  httpsPort = 8443,
  controlBind,
  controlPort,
  sshPort,
}: z.infer<typeof settingsSchema>): number[] {
  return [80, 443, httpPort, httpsPort, sshPort, ...(LOOPBACK.test(controlBind) ? [] : [controlPort])];
}

/** The port of HTTP, unless something else listens there. */
async function freePort(host: RemoteHost): Promise<number> {
  const taken = await host.run("ss -Hltn 'sport = :80' | grep -q .");
  return taken.status === 0 ? 8080 : 80;
}

function firstSettings(httpPort: number, domain: string | undefined): string {
  const settings = {
    bind: "0.0.0.0",
    httpPort,
    sshBind: "0.0.0.0",
    ...(domain === undefined ? {} : { domain }),
  };
  return `# See docs/sluice-yml.md; restart Sluice after a change: systemctl restart sluice\n${stringify(settings)}`;
}

/** What is declared and not done would be a surprise. */
function refuseOtherDomain(now: string | undefined, { domain, login }: ServerOrder, name: string): void {
  if (domain === undefined || now === domain) return;
  throw new AppError("host-unfit", {
    host: name,
    problem: `its ${HOME}/sluice.yml has ${now === undefined ? "no domain" : `the domain ${now}`}, not ${domain}`,
    fix: `Change it there and restart Sluice: ssh ${login.user}@${login.address}, then systemctl restart sluice.`,
  });
}

/** Whoever may log in as root may push. */
async function letPush(host: RemoteHost, publicKey: string): Promise<void> {
  const [, blob = ""] = publicKey.split(" ");
  await host.output(
    `cd / && ${KEYS} --json | grep -qF "$(printf %s ${quote(blob)} | base64 -d | openssl dgst -sha256 -binary | base64 | tr -d =)" ||
     printf '%s\\n' ${quote(publicKey)} | ${KEYS} add -`,
  );
}

const KEYS = "/usr/local/bin/sluice keys";
