import { readFile } from "node:fs/promises";
import { homedir, machine } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../core/clock.js";
import { AppError } from "../../../core/errors/app-error.js";
import { publicKeyOf } from "../../../core/ssh-key-pair.js";
import { shippedRelease } from "../../../provisioning/converge/shipped-release.js";
import { progressLine } from "../../../provisioning/converge/progress-line.js";
import { provisionServer, type ProvisionedServer } from "../../../provisioning/server/provision-server.js";
import { KnownHosts } from "../../../provisioning/ssh/known-hosts.js";
import { hostLine } from "../../show/host-line.js";
import type { Context } from "../../start/context.js";

export interface ServerOptions {
  readonly user?: string;
  readonly port?: number;
  readonly identity?: string;
  readonly name?: string;
  readonly domain?: string;
  readonly dryRun?: boolean;
}

/** What ssh(1) would try, too. */
const IDENTITIES = ["id_ed25519", "id_ecdsa", "id_rsa"];

/** `sluice provision server ADDRESS`: no Sluice needs to run anywhere yet. */
export async function provisionServerVerb(
  context: Context,
  address: string,
  options: ServerOptions,
): Promise<void> {
  const { user = "root", port = 22, name, domain, dryRun } = options;
  const privateKey = await identityOf(options.identity);
  const publicKey = publicKeyOf(privateKey);
  if (publicKey === undefined)
    throw new AppError("identity-unreadable", {
      file: options.identity ?? "~/.ssh",
      reason: "it is no private SSH key, or it has a passphrase",
    });
  const knownHosts = new KnownHosts(join(homedir(), ".ssh/known_hosts"));
  const known = await knownHosts.find(address, port);
  const { installation, version } = context;
  const beganAt = systemClock.now();
  context.print(hostLine({ kind: "heading", text: `Configuring ${user}@${address}` }));
  const made = await provisionServer({
    login: { host: address, address, port, user, privateKeys: [privateKey], hostKeys: known },
    ...{ publicKey, name, domain, mode: dryRun ? "dry-run" : "apply", clock: systemClock },
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
  if (!dryRun) for (const line of whatNow(made, address, user)) context.print(line);
}

function whatNow({ name, domain, httpPort }: ProvisionedServer, address: string, user: string): string[] {
  const port = httpPort === 80 ? "" : `:${httpPort}`;
  return [
    `-----> ${name} is a Sluice server`,
    domain === undefined
      ? `       traffic  http://${address}${port} for the only app; --domain gives each app a name`
      : `       traffic  http://APP.${domain}${port}; *.${domain} must point to ${address}`,
    `       push     git push ssh://git@${address}:2222/APP HEAD:master`,
    `       look     ssh ${user}@${address} sluice status`,
  ];
}

async function identityOf(file: string | undefined): Promise<string> {
  const folder = join(homedir(), ".ssh");
  const files = file === undefined ? IDENTITIES.map((name) => join(folder, name)) : [file];
  for (const each of files) {
    try {
      return await readFile(each, "utf8");
    } catch (error) {
      if (file === undefined) continue;
      const reason = error instanceof Error ? error.message : String(error);
      throw new AppError("identity-unreadable", { file, reason }, { cause: error });
    }
  }
  const reason = `there is none of ${IDENTITIES.join(", ")}`;
  throw new AppError("identity-unreadable", { file: folder, reason });
}
