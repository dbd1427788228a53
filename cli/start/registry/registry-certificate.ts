import { createHash, X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rename, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { outputOf } from "../../../core/exec/exec.js";
import { removeTree } from "../../../core/files/remove-tree.js";

/** Some clients refuse longer ones (CA/Browser Forum, Baseline Requirements 6.3.2). */
const SERVER_DAYS = 397;
const AUTHORITY_DAYS = 7300;
/** In the last third of its life a certificate is replaced. */
const RENEW_SHARE = 1 / 3;
const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

export interface CertificateOptions {
  /** Has `ca.key`, `ca.crt`, `server.key` and `server.crt` afterwards; all 0600. */
  readonly folder: string;
  /** The folder of the authority, where that is another. */
  readonly authority?: string;
  /** Of the server's certificate. */
  readonly days?: number;
  /** Names and IP addresses at which the registry is reached. */
  readonly hosts: readonly string[];
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * A certificate for a server, by an authority that vouches for nothing else; both are made when they are missing, the
 * server's also when it ends soon or is for other hosts. Returns the authority's certificate (PEM), by which clients know
 * the server; it stays the same for as long as its key does.
 */
export async function ensureCertificate(options: CertificateOptions): Promise<string> {
  const { folder, hosts, now } = options;
  const known = await certificate(join(options.authority ?? folder, "ca.crt"));
  const authority = known ?? (await makeAuthority(options));
  const server = await certificate(join(folder, "server.crt"));
  if (server === undefined || !isUsable(server, authority, hosts, now)) await makeServer(options);
  return authority.toString();
}

/** Whether a certificate can serve these hosts for some time to come. */
export function isUsable(
  server: X509Certificate,
  authority: X509Certificate,
  hosts: readonly string[],
  now: number,
): boolean {
  const [from, to] = [Date.parse(server.validFrom), Date.parse(server.validTo)];
  const isFresh = now < to - (to - from) * RENEW_SHARE;
  const names = alternativeNames(hosts).map(([kind, host]) =>
    kind === "IP" ? server.checkIP(host) : server.checkHost(host),
  );
  return isFresh && server.verify(authority.publicKey) && names.every((name) => name !== undefined);
}

async function makeAuthority({ folder, path }: CertificateOptions): Promise<X509Certificate> {
  // A name of its own: clients that know an earlier authority must not take this one for it.
  const id = createHash("sha256").update(`${folder} ${Date.now()}`).digest("hex").slice(0, 8);
  await inDraft(folder, async (draft) => {
    const files = ["-keyout", join(draft, "ca.key"), "-out", join(draft, "ca.crt")];
    const uses = ["basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign"];
    await openssl(path, [
      ...["req", "-x509", ...KEY, ...files, "-days", String(AUTHORITY_DAYS)],
      ...["-subj", `/CN=Sluice registry ${id}`],
      ...uses.flatMap((use) => ["-addext", use]),
    ]);
    return ["ca.key", "ca.crt"];
  });
  return new X509Certificate(await readFile(join(folder, "ca.crt")));
}

async function makeServer({
  folder,
  authority = folder,
  days = SERVER_DAYS,
  hosts,
  path,
}: CertificateOptions): Promise<void> {
  await inDraft(folder, async (draft) => {
    const [key, request, extensions] = ["server.key", "server.csr", "extensions"].map((name) =>
      join(draft, name),
    ) as [string, string, string];
    await openssl(path, [
      "req",
      "-new",
      ...KEY,
      "-keyout",
      key,
      "-out",
      request,
      "-subj",
      "/CN=Sluice registry",
    ]);
    const names = alternativeNames(hosts).map(([kind, host]) => `${kind}:${host}`);
    await writeFile(
      extensions,
      `subjectAltName=${names.join(",")}\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n`,
    );
    await openssl(path, [
      ...["x509", "-req", "-in", request, "-days", String(days), "-extfile", extensions],
      ...["-CA", join(authority, "ca.crt"), "-CAkey", join(authority, "ca.key"), "-CAcreateserial"],
      ...["-CAserial", join(draft, "serial"), "-out", join(draft, "server.crt")],
    ]);
    return ["server.key", "server.crt"];
  });
}

function alternativeNames(hosts: readonly string[]): [kind: "IP" | "DNS", host: string][] {
  return hosts.map((host) => {
    if (!/^[\w.:-]+$/.test(host)) throw new Error(`${JSON.stringify(host)} is no host`);
    return [isIP(host) === 0 ? "DNS" : "IP", host];
  });
}

/** The files that `make` names are there whole or, the last one, not at all. */
async function inDraft(folder: string, make: (draft: string) => Promise<string[]>): Promise<void> {
  const draft = await mkdtemp(join(folder, ".draft-"));
  try {
    for (const name of await make(draft)) await rename(join(draft, name), join(folder, name));
  } finally {
    await removeTree(draft);
  }
}

async function openssl(path: string, args: readonly string[]): Promise<void> {
  // Only we may read a key, from the moment it is there.
  await outputOf({
    argv: ["/bin/sh", "-c", 'umask 077; exec openssl "$@"', "--", ...args],
    env: { PATH: path },
  });
}

async function certificate(file: string): Promise<X509Certificate | undefined> {
  try {
    return new X509Certificate(await readFile(file));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
