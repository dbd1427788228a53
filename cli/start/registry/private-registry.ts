import { hash } from "bcryptjs";
import { X509Certificate } from "node:crypto";
import { chmod, chown, mkdir, readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { stringify } from "yaml";
import { captureCommand, type User } from "../../../core/exec/exec.js";
import { quote } from "../../../core/exec/quote.js";
import { endService } from "../../../core/exec/runsv.js";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import type { Home } from "../../../core/home.js";
import { readOrMakeSecret } from "../../../core/secrets.js";
import { RegistryClient } from "../../../server/builds/image/registry/registry-client.js";
import type { RegistryAccess } from "../../../server/builds/image/registry/registry-access.js";
import { ensureCertificate } from "./registry-certificate.js";
import { asUser, SERVICE_GRACE_MS, startService } from "../services/service.js";
import { waitUntilUp } from "../services/wait-until-up.js";

export interface RegistryOptions {
  readonly home: Home;
  readonly path: string;
  /** Of this machine, at which hosts reach it; it listens there only. */
  readonly host: string;
  readonly port: number;
  /** Other names and addresses in its certificate. */
  readonly otherHosts?: readonly string[];
  /** Whom it runs as; undefined for whom we run as. */
  readonly user: User | undefined;
}

const USER = "sluice";
/**
 * The registry computes this hash anew for each request. Our password is 256 random bits: a slow hash would protect
 * nothing. The fastest that bcrypt has takes 1 ms, the usual one 60.
 */
const BCRYPT_ROUNDS = 4;
const PROBE_MS = 1000;

/**
 * Debian's docker-registry under its own `runsv`: TLS by an authority of its own, one user with a password, images in the
 * state folder. It outlives the server.
 */
export class PrivateRegistry {
  constructor(private readonly options: RegistryOptions) {}

  /** `HOST:PORT` */
  get address(): string {
    const { host, port } = this.options;
    return hostAndPort(host, port);
  }

  /** Starts it, unless it runs already, and resolves when it answers. Throws `service-failed`. */
  async start(): Promise<RegistryAccess> {
    const access = await this.access();
    await this.serve("writable", access);
    return access;
  }

  async stop(): Promise<void> {
    await endService(this.options.home.service("registry"), SERVICE_GRACE_MS);
  }

  /**
   * Removes layers that no image uses, and images without a tag. Meanwhile images can be fetched, and pushes
   * are refused: a layer that is sent while garbage is collected would be garbage. It is restarted before and after that.
   */
  async collectGarbage(signal: AbortSignal): Promise<void> {
    const access = await this.access();
    try {
      await this.stop();
      await this.serve("read-only", access);
      await this.runCollector(signal);
    } finally {
      await this.stop();
      await this.serve("writable", access);
    }
  }

  private async runCollector(signal: AbortSignal): Promise<void> {
    const { home, path, user } = this.options;
    const { exit, stderr } = await captureCommand(
      {
        argv: ["docker-registry", "garbage-collect", "--delete-untagged", home.registry("config.yml")],
        env: { PATH: path },
        cwd: "/",
        ...(user === undefined ? {} : { user }),
      },
      { signal },
    );
    if (exit.status !== 0) throw new Error(`docker-registry garbage-collect failed: ${stderr.slice(-500)}`);
  }

  /** How it is reached. Its files are as they must be afterwards, whoever made them. */
  async access(): Promise<RegistryAccess> {
    const { home, path, host, otherHosts = [], user } = this.options;
    await mkdir(home.registry("storage"), { recursive: true, mode: 0o700 });
    await chmod(home.registry(), 0o711);
    const { secret: password } = await readOrMakeSecret(home.registry("password"));
    const hosts = [...new Set([host, ...otherHosts])];
    const ca = await ensureCertificate({ folder: home.registry(), hosts, path, now: Date.now() });
    const users = `${USER}:${await hash(password, BCRYPT_ROUNDS)}\n`;
    await writeFileAtomically(home.registry("htpasswd"), users, 0o600, user);
    if (user !== undefined)
      for (const name of ["server.key", "server.crt", "storage"])
        await chown(home.registry(name), user.uid, user.gid);
    return { address: this.address, prefix: "", user: USER, password, ca };
  }

  private async serve(mode: "writable" | "read-only", access: RegistryAccess): Promise<void> {
    const { home, path, user } = this.options;
    const file = home.registry("config.yml");
    const before = await readFile(file, "utf8").catch(() => "");
    const text = await this.configuration(mode, access);
    if (before !== text) {
      // One that was collecting garbage when Sluice was killed, or has an earlier certificate.
      await this.stop();
      await writeFileAtomically(file, text, 0o600, user);
    }
    const run = `cd /\nexec ${asUser(user)}docker-registry serve ${quote(file)}`;
    await startService({ home, name: "registry", run, path });
    const client = new RegistryClient(access);
    try {
      await waitUntilUp(home, "registry", async () => client.tags(USER, AbortSignal.timeout(PROBE_MS)));
    } finally {
      client.close();
    }
  }

  /** See "Configuring a registry" in distribution's manual, version 2.8. It reads its certificate at its start only. */
  private async configuration(mode: "writable" | "read-only", { address }: RegistryAccess): Promise<string> {
    const { home } = this.options;
    const { secret } = await readOrMakeSecret(home.registry("http-secret"));
    const [certificate, key] = [home.registry("server.crt"), home.registry("server.key")];
    const { fingerprint256 } = new X509Certificate(await readFile(certificate));
    return `# Written by Sluice; changes made by hand are lost.\n# Certificate ${fingerprint256}\n${stringify(
      {
        version: 0.1,
        log: { level: "warn", accesslog: { disabled: true } },
        storage: {
          filesystem: { rootdirectory: home.registry("storage") },
          delete: { enabled: true },
          // No cache of what lies where: it would know layers that garbage collection has removed.
          maintenance: {
            uploadpurging: { enabled: true, age: "24h", interval: "24h", dryrun: false },
            readonly: { enabled: mode === "read-only" },
          },
        },
        http: { addr: address, secret, tls: { certificate, key, minimumtls: "tls1.2" } },
        auth: { htpasswd: { realm: "sluice", path: home.registry("htpasswd") } },
      },
    )}`;
  }
}

function hostAndPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
