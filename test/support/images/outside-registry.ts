import { hash } from "bcryptjs";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureCertificate } from "../../../cli/start/registry/registry-certificate.js";
import { removeTree } from "../../../core/files/remove-tree.js";
import type { RegistryAccess } from "../../../server/builds/image/registry/registry-access.js";
import { parseAddress } from "../../../core/instances/address.js";
import { eventually } from "../eventually.js";
import { acceptsConnections } from "../../../server/engines/swarm/accepts-connections.js";
import { freePort } from "../network/free-port.js";
import { registryConfiguration } from "./registry-configuration.js";
import { TokenServer } from "./token-server.js";

export interface OutsideRegistryPlan {
  readonly auth: "basic" | "token";
  readonly deletes?: boolean;
}

const ADDRESS = "127.0.0.1";
const USER = "robot";
const PASSWORD = "a password of the test";

/** Debian's docker-registry on this machine, as an administrator sets it up who has never heard of Sluice. */
export class OutsideRegistry {
  private constructor(
    private readonly folder: string,
    private readonly child: ChildProcess,
    /** Repositories lie below `team/apps`. */
    readonly access: RegistryAccess,
    /** Of one with tokens. */
    readonly tokens: TokenServer | undefined,
  ) {}

  static async start({ auth, deletes = true }: OutsideRegistryPlan): Promise<OutsideRegistry> {
    const folder = await mkdtemp(join(tmpdir(), "sluice-outside-"));
    const path = process.env["PATH"] ?? "";
    const ca = await ensureCertificate({ folder, hosts: [ADDRESS], path, now: Date.now() });
    const login = { user: USER, password: PASSWORD };
    const tokens =
      auth === "token"
        ? await TokenServer.start({ folder, address: ADDRESS, port: await freePort(), ...login })
        : undefined;
    await writeFile(join(folder, "htpasswd"), `${USER}:${await hash(PASSWORD, 4)}\n`);
    const port = await freePort();
    const realm = tokens === undefined ? {} : { realm: tokens.realm };
    const file = join(folder, "config.yml");
    await writeFile(file, registryConfiguration({ address: ADDRESS, port, folder, deletes, ...realm }));
    const child = spawn("docker-registry", ["serve", file], { stdio: "ignore" });
    await eventually("the registry listens", async () =>
      acceptsConnections(parseAddress(`${ADDRESS}:${port}`)),
    );
    const access = { address: `${ADDRESS}:${port}`, prefix: "team/apps", ca, ...login };
    return new OutsideRegistry(folder, child, access, tokens);
  }

  async dispose(): Promise<void> {
    this.tokens?.close();
    const ended = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await ended;
    await removeTree(this.folder);
  }
}
