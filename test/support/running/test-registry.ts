import { execa } from "execa";
import { chmod, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PrivateRegistry } from "../../../cli/start/registry/private-registry.js";
import { systemUser } from "../../../cli/start/system-user.js";
import { removeTree } from "../../../core/files/remove-tree.js";
import { Home } from "../../../core/home.js";
import { LayerStore } from "../../../server/builds/image/layers/layer-store.js";
import { RegistryClient } from "../../../server/builds/image/registry/registry-client.js";
import type { RegistryAccess } from "../../../server/builds/image/registry/registry-access.js";
import { freePort } from "../network/free-port.js";

const PATH = process.env["PATH"] ?? "";

/** The real docker-registry in a state folder of its own. */
export class TestRegistry {
  private constructor(
    readonly home: Home,
    readonly service: PrivateRegistry,
    readonly access: RegistryAccess,
    readonly client: RegistryClient,
    readonly layers: LayerStore,
  ) {}

  /** For mocha's `before`: skips, with the reason, where there is no docker-registry. */
  static async start(context: Mocha.Context, parent = tmpdir()): Promise<TestRegistry> {
    const { exitCode } = await execa("docker-registry", ["--version"], { reject: false });
    if (exitCode !== 0) {
      process.stdout.write("      skipped: docker-registry is not installed\n");
      context.skip();
    }
    const folder = await mkdtemp(join(parent, "sluice-registry-"));
    await chmod(folder, 0o711);
    const home = new Home(folder);
    const isRoot = process.getuid?.() === 0;
    const service = new PrivateRegistry({
      home,
      path: PATH,
      host: "127.0.0.1",
      port: await freePort(),
      otherHosts: ["registry.test"],
      user: isRoot ? await systemUser("docker-registry") : undefined,
    });
    const access = await service.start();
    return new TestRegistry(home, service, access, new RegistryClient(access), new LayerStore(home.layers()));
  }

  async dispose(): Promise<void> {
    this.client.close();
    await this.service.stop();
    await removeTree(this.home.root);
  }
}
