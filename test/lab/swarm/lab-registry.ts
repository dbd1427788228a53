import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureCertificate } from "../../../cli/start/registry/registry-certificate.js";
import { removeTree } from "../../../core/files/remove-tree.js";
import type { RegistryAccess } from "../../../server/builds/image/registry/registry-access.js";
import { RegistryClient } from "../../../server/builds/image/registry/registry-client.js";
import { eventually } from "../../support/eventually.js";
import { freePort } from "../../support/network/free-port.js";
import { registryConfiguration } from "../../support/images/registry-configuration.js";
import { TokenServer } from "../../support/images/token-server.js";
import type { LabHost } from "../lab-host.js";

const FOLDER = "/srv/registry";
const PORT = 5000;
const LOGIN = { user: "robot", password: "a-password-of-the-registry" };
const START = `systemd-run --quiet --unit=outside-registry docker-registry serve ${FOLDER}/config.yml`;

/** Debian's docker-registry on a host of its own, with tokens that a server on this machine gives. Sluice's repositories lie below `team/apps`. */
export class LabRegistry {
  private constructor(
    private readonly host: LabHost,
    readonly access: RegistryAccess,
    readonly client: RegistryClient,
    readonly tokens: TokenServer,
  ) {}

  static async start(host: LabHost): Promise<LabRegistry> {
    const folder = await mkdtemp(join(tmpdir(), "sluice-lab-registry-"));
    try {
      const hosts = [host.address, host.gateway];
      const ca = await ensureCertificate({ folder, hosts, path: process.env["PATH"] ?? "", now: Date.now() });
      const tokens = await TokenServer.start({
        folder,
        address: host.gateway,
        port: await freePort(),
        ...LOGIN,
      });
      await host.run("systemctl disable --now docker-registry 2>&1");
      await host.feed(
        ["tar", "-c", "-C", folder, "."],
        `mkdir ${FOLDER} && tar -x --no-same-owner -C ${FOLDER}`,
      );
      const text = registryConfiguration({
        ...{ address: host.address, port: PORT, folder: FOLDER, realm: tokens.realm },
      });
      await host.run(`cat >${FOLDER}/config.yml <<'END'\n${text}\nEND`);
      const access = { address: `${host.address}:${PORT}`, prefix: "team/apps", ca, ...LOGIN };
      const registry = new LabRegistry(host, access, new RegistryClient(access), tokens);
      await registry.run();
      return registry;
    } finally {
      await removeTree(folder);
    }
  }

  /** Starts it again. */
  async run(): Promise<void> {
    await this.host.run(START);
    await eventually("the outside registry answers", async () => this.tags("any").then(() => true));
  }

  async stop(): Promise<void> {
    await this.host.run("systemctl stop outside-registry");
  }

  /** Of an app, as it was tagged by whichever Sluice: `v1`. */
  async tags(app: string): Promise<string[]> {
    const tags = await this.client.tags(app, AbortSignal.timeout(2000));
    return tags.map((tag) => tag.split("-")[0] ?? "").sort();
  }

  /** For sluice.yml's `fleet`. */
  settings(caFile: string, password = LOGIN.password): string {
    const { address, prefix, user } = this.access;
    return `registry: { address: "${address}/${prefix}", user: ${user}, password: ${password}, caFile: ${caFile} }`;
  }

  close(): void {
    this.client.close();
    this.tokens.close();
  }
}

/** Images that an app's services have, without what tells releases apart. */
export async function placesOfImages(server: LabHost, app: string): Promise<string[]> {
  const list = `docker service ls --quiet --filter label=sluice.app=${app}`;
  const inspect = "docker service inspect --format '{{.Spec.TaskTemplate.ContainerSpec.Image}}'";
  const images = await server.run(`${list} | xargs --no-run-if-empty ${inspect}`);
  return [...new Set(images.split("\n").map((image) => image.split("@")[0] ?? ""))];
}
