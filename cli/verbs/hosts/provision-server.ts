import { homedir, machine } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../core/clock.js";
import { shippedRelease } from "../../../provisioning/converge/shipped-release.js";
import { progressLine } from "../../../provisioning/converge/progress-line.js";
import { provisionServer, type ProvisionedServer } from "../../../provisioning/server/provision-server.js";
import { KnownHosts } from "../../../provisioning/ssh/known-hosts.js";
import { hostLine } from "../../show/host-line.js";
import type { Context } from "../../start/context.js";
import { loginKey } from "./login-key.js";

export interface ServerOptions {
  readonly user?: string;
  readonly port?: number;
  readonly identity?: string;
  readonly name?: string;
  readonly domain?: string;
  readonly dryRun?: boolean;
}

/** `sluice provision server ADDRESS`: no Sluice needs to run anywhere yet. */
export async function provisionServerVerb(
  context: Context,
  address: string,
  options: ServerOptions,
): Promise<void> {
  const { user = "root", port = 22, name, domain, dryRun } = options;
  const folder = join(homedir(), ".ssh");
  const key = await loginKey(options.identity, { folder, agent: context.env["SSH_AUTH_SOCK"] });
  const knownHosts = new KnownHosts(join(folder, "known_hosts"));
  const known = await knownHosts.find(address, port);
  const { installation, version } = context;
  const beganAt = systemClock.now();
  context.print(hostLine({ kind: "heading", text: `Configuring ${user}@${address}` }));
  const made = await provisionServer({
    login: { host: address, address, port, user, ...key, hostKeys: known },
    ...{ publicKey: key.publicKey, name, domain, mode: dryRun ? "dry-run" : "apply", clock: systemClock },
    release: await shippedRelease({
      ...{ installation, version, node: process.execPath, architecture: machine() },
    }),
    onProgress: (progress) => {
      const line = progressLine(progress);
      if (line !== undefined) context.print(hostLine(line));
    },
    signal: new AbortController().signal,
  });
  if (known.length === 0) await knownHosts.add(address, port, made.hostKey);
  const { ok, changed } = made.recap;
  const seconds = ((systemClock.now() - beganAt) / 1000).toFixed(1);
  const verb = dryRun ? "would change" : "changed";
  context.print(hostLine({ kind: "task", text: `${ok} ok, ${changed} ${verb}, in ${seconds} s` }));
  if (dryRun) return;
  context.print(hostLine({ kind: "heading", text: `${made.name} is a Sluice server` }));
  for (const text of whatNow(made, address, user)) context.print(hostLine({ kind: "task", text }));
}

function whatNow({ domain, httpPort }: ProvisionedServer, address: string, user: string): string[] {
  const port = httpPort === 80 ? "" : `:${httpPort}`;
  return [
    domain === undefined
      ? `traffic  http://${address}${port} for the only app; --domain gives each app a name`
      : `traffic  http://APP.${domain}${port}; *.${domain} must point to ${address}`,
    `push     git push ssh://git@${address}:2222/APP HEAD:master`,
    `look     ssh ${user}@${address} sluice status`,
  ];
}
