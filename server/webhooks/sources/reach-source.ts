import { realpath } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError, isAppError } from "../../../core/errors/app-error.js";
import { quote } from "../../../core/exec/quote.js";
import { AddressPolicy } from "../../../core/network/address-policy.js";
import { RefusedAddress, resolveHost } from "../../../core/network/resolve-host.js";
import type { WebhooksNeeds } from "../needs.js";

/** How git gets to a source, without its password in a command line and without resolving its name again. */
export interface SourceWay {
  /** What git is given. */
  readonly url: string;
  /** The one protocol that it may use (GIT_ALLOW_PROTOCOL, git(1)). */
  readonly protocol: string;
  /** Settings of git. */
  readonly config: readonly (readonly [string, string])[];
  readonly env: Readonly<Record<string, string>>;
  /** Options of ssh. */
  readonly ssh: readonly string[];
}

const USER = "SLUICE_SOURCE_USER";
const PASSWORD = "SLUICE_SOURCE_PASSWORD";
/** gitcredentials(7), "Custom helpers". printf is built into the shell, so that no process has the values in its command line. */
const CREDENTIAL_HELPER = `!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$${USER}" "$${PASSWORD}"; }; f`;
const SCP_LIKE = /^[^@]+@([^:]+):/;

/**
 * Looks at where a source is. Its address is resolved here, once; git and ssh connect to what was found. Throws
 * `address-refused`, `source-folder-refused`, and what the resolver says.
 */
export async function reachSource(
  source: string,
  { settings: { network }, networkEnv }: Pick<WebhooksNeeds, "settings" | "networkEnv">,
): Promise<SourceWay> {
  const policy = new AddressPolicy(network.allow);
  if (!source.includes("://")) return sshWay(source, SCP_LIKE.exec(source)?.[1] ?? "", "", policy);
  const url = new URL(source);
  switch (url.protocol) {
    case "file:":
      return folderWay(url, network.sourceFolders);
    case "ssh:": {
      // ssh takes none.
      url.password = "";
      return sshWay(url.href, url.hostname, url.port, policy);
    }
    case "git:":
      return gitWay(url, policy);
    default:
      return webWay(url, policy, hasProxy(networkEnv));
  }
}

/** Behind a proxy (HTTPS_PROXY) this machine may know no names; then the proxy decides where it leads. */
async function webWay(url: URL, policy: AddressPolicy, isBehindProxy: boolean): Promise<SourceWay> {
  const addresses = await addressesOf(url.hostname, policy).catch((error: unknown): string[] => {
    if (isAppError(error) || !isBehindProxy) throw error;
    return [];
  });
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  url.username = "";
  url.password = "";
  const isAnonymous = user === "" && password === "";
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  return {
    ...{ url: url.href, protocol: url.protocol.slice(0, -1), ssh: [] },
    env: isAnonymous ? {} : { [USER]: user, [PASSWORD]: password },
    config: [
      // No redirect, and no alternates of a server that hands out files: both lead to other addresses (git-config(1)).
      ["http.followRedirects", "false"],
      // CURLOPT_RESOLVE; git has it since 2.37.
      ...(addresses.length === 0
        ? []
        : ([["http.curloptResolve", `${url.hostname}:${port}:${addresses.join(",")}`]] as const)),
      ["credential.helper", ""],
      // For this host alone: a proxy on the way is not told.
      ...(isAnonymous ? [] : ([[`credential.${url.origin}.helper`, CREDENTIAL_HELPER]] as const)),
    ],
  };
}

async function sshWay(url: string, host: string, port: string, policy: AddressPolicy): Promise<SourceWay> {
  const [address = ""] = await addressesOf(host, policy);
  // The key is remembered under the name, as ssh itself writes it (sshd(8), "known_hosts").
  const alias = port === "" || port === "22" ? host : `[${host}]:${port}`;
  return {
    ...{ url, protocol: "ssh", config: [], env: {} },
    ssh: ["-o", `HostName=${address}`, "-o", `HostKeyAlias=${alias}`],
  };
}

/** Git's own protocol has no way to be told the address beside the name. */
async function gitWay(url: URL, policy: AddressPolicy): Promise<SourceWay> {
  const [address = ""] = await addressesOf(url.hostname, policy);
  const host = address.includes(":") ? `[${address}]` : address;
  const port = url.port === "" ? "" : `:${url.port}`;
  return { url: `git://${host}${port}${url.pathname}`, protocol: "git", config: [], env: {}, ssh: [] };
}

async function folderWay(url: URL, folders: readonly string[]): Promise<SourceWay> {
  const refused = (): AppError => new AppError("source-folder-refused", { folder: url.pathname });
  if (url.hostname !== "") throw refused();
  const [path, ...open] = await Promise.all([fileURLToPath(url), ...folders].map(withoutLinks));
  if (path === undefined || !open.some((folder) => isIn(path, folder))) throw refused();
  return { url: `file://${path}`, protocol: "file", config: [], env: {}, ssh: [] };
}

function hasProxy(networkEnv: Readonly<Record<string, string>>): boolean {
  return Object.keys(networkEnv).some((name) => /^https?_proxy$/i.test(name));
}

/** A folder that is not there (yet) has no links; git says that it is missing. */
async function withoutLinks(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}

function isIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

async function addressesOf(host: string, policy: AddressPolicy): Promise<string[]> {
  return resolveHost(host, policy).catch((error: unknown) => {
    if (error instanceof RefusedAddress) throw new AppError("address-refused", { host: error.host });
    throw error;
  });
}

/** GIT_SSH_COMMAND: a host's key is believed the first time and must be the same ever after. */
export function sshCommand(keyFile: string, gitHome: string, more: readonly string[]): string {
  const options = [
    ...["IdentitiesOnly=yes", "IdentityAgent=none", "BatchMode=yes", "StrictHostKeyChecking=accept-new"],
    ...[`UserKnownHostsFile=${join(gitHome, "known_hosts")}`, "ConnectTimeout=10", "ServerAliveInterval=10"],
  ];
  const argv = ["ssh", "-F", "none", "-i", keyFile, ...options.flatMap((option) => ["-o", option]), ...more];
  return argv.map(quote).join(" ");
}
