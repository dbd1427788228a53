import { expect } from "chai";
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AppError } from "../../../../../core/errors/app-error.js";
import { endGroup } from "../../../../../core/exec/exec.js";
import { removeTree } from "../../../../../core/files/remove-tree.js";
import { aptSources, ownSettings } from "../../../../../server/builds/image/apt-settings.js";
import { baseLayer, releaseOf, type BaseWork } from "../../../../../server/builds/image/base-image.js";
import { LayerStore } from "../../../../../server/builds/image/layers/layer-store.js";
import { eventually } from "../../../../support/eventually.js";
import { cannotRunImages } from "../../../../support/images/image-root.js";
import { processesWith } from "../../../../support/running/processes-with.js";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

describe("the base of images", () => {
  let folder: string;
  const { signal } = new AbortController();

  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "sluice-base-"))));
  afterEach(async () => removeTree(folder));

  function work(tools: Partial<BaseWork["tools"]> = {}): BaseWork {
    return {
      layers: new LayerStore(join(folder, "layers")),
      tools: { path: PATH, networkEnv: {}, isRoot: true, ...tools },
      out: { line: () => undefined, alive: async (_, running) => running },
      basePackages: [],
    };
  }

  async function failure(running: Promise<unknown>): Promise<AppError> {
    return running.then(
      () => expect.fail("it went well"),
      (error: unknown) => error as AppError,
    );
  }

  /** dpkg runs in the root, with what is mounted there. */
  async function untilInstalling(): Promise<void> {
    const layers = join(folder, "layers");
    const isInstalling = async (): Promise<boolean> => {
      const [scratch = ""] = await readdir(layers);
      return (await readdir(join(layers, scratch, "root/var/lib/dpkg/info"))).includes("dpkg.list");
    };
    await eventually("packages are installed", isInstalling, 100_000);
  }

  async function expectNothingLeft(): Promise<void> {
    expect(await readdir(join(folder, "layers"))).to.deep.equal([]);
    expect(await readFile("/proc/mounts", "utf8")).not.to.include(folder);
    expect(await processesWith(folder)).to.deep.equal([]);
  }

  it("cannot be made without root", async () => {
    const error = await failure(baseLayer(work({ isRoot: false }), "plain", signal));
    expect(error.code).to.equal("base-image-failed");
    expect(error.message).to.include("does not run as root");
  });

  it("cannot be made without apt and mmdebstrap, and says which is missing", async function () {
    if ((await cannotRunImages()) !== undefined) return this.skip();
    const error = await failure(
      baseLayer(work({ networkEnv: {}, path: join(folder, "empty") }), "plain", signal),
    );
    expect(`${error.code} ${error.message}`).to.match(/^base-image-failed .*apt-config/);
    expect(await readdir(join(folder, "layers"))).to.deep.equal([]);
  });

  it("says what apt said when packages cannot be reached", async function () {
    this.timeout(60_000);
    if ((await cannotRunImages()) !== undefined) return this.skip();
    const proxy = "http://127.0.0.1:1";
    const networkEnv = { http_proxy: proxy, https_proxy: proxy, no_proxy: "" };
    const error = await failure(baseLayer(work({ networkEnv }), "plain", signal));
    expect(`${error.code} ${error.message}`).to.match(/^base-image-failed .*mmdebstrap: status \d+: E: /);
    expect(error.message).to.include("127.0.0.1");
    expect(error.hint).to.include("apt-get must reach Debian's packages");
    await expectNothingLeft();
  });

  it("is given up when nobody waits for it, and leaves neither files nor mounts nor processes", async function () {
    this.timeout(120_000);
    if ((await cannotRunImages()) !== undefined) return this.skip();
    const abort = new AbortController();
    const making = failure(baseLayer(work(), "plain", abort.signal));
    await untilInstalling();
    const reason = new Error("the push was given up");
    abort.abort(reason);
    expect(await making).to.equal(reason);
    await expectNothingLeft();
  });

  it("leaves nothing either when it is killed", async function () {
    this.timeout(120_000);
    if ((await cannotRunImages()) !== undefined) return this.skip();
    const making = failure(baseLayer(work(), "plain", signal));
    await untilInstalling();
    for (const name of await readdir("/proc")) {
      const line = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
      // The whole group at once, or one would tidy up after the other.
      if (line.includes(folder)) endGroup(Number(name), "SIGKILL");
    }
    const error = await making;
    expect(`${error.code} ${error.message}`).to.match(/^base-image-failed .*killed by SIGKILL/);
    await expectNothingLeft();
  });

  it("is of the machine's own release", () => {
    expect(releaseOf('NAME="Debian"\nVERSION_CODENAME=bookworm\n')).to.equal("bookworm");
    expect(releaseOf('VERSION_CODENAME="trixie"')).to.equal("trixie");
    for (const text of ["", "VERSION_CODENAME=", "VERSION_CODENAME=--help", "XVERSION_CODENAME=sid"])
      expect(() => releaseOf(text), text).to.throw("VERSION_CODENAME");
  });

  it("comes from where this machine's apt gets its packages", async function () {
    const sources = await aptSources();
    for (const file of sources) expect(await readFile(file, "utf8")).to.match(/^\s*(?:deb|Types:)/m);
    const settings = ownSettings(
      [
        'APT::Architecture "amd64";',
        'Acquire::http::Proxy "http://proxy.test:3142/";',
        'Acquire::IndexTargets::deb::Packages "";',
        'Dir::Etc::sourcelist "sources.list";',
        'DPkg::Post-Invoke:: "rm -f /var/cache/apt/archives/*.deb || true";',
      ].join("\n"),
    );
    expect(settings.split("\n")).to.deep.equal([
      'Acquire::http::Proxy "http://proxy.test:3142/";',
      'Dir::Etc::netrc "/etc/apt/auth.conf";',
      'Dir::Etc::netrcparts "/etc/apt/auth.conf.d/";',
      'Dir::Etc::preferences "/etc/apt/preferences";',
      'Dir::Etc::preferencesparts "/etc/apt/preferences.d/";',
      "",
    ]);
  });
});
