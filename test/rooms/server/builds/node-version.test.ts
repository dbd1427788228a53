import { expect } from "chai";
import { execa } from "execa";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AppError } from "../../../../core/errors/app-error.js";
import { Home } from "../../../../core/home.js";
import { nodeFolderFor, nodeVersionOf } from "../../../../server/builds/node/node-version.js";
import { NpmRegistry } from "../../../support/git/npm-registry.js";

const PACKAGE = `node-${process.platform}-${process.arch}`;
const SOURCE = "engines.node in package.json";

/** The real npm, and a registry beside it whose certificate only those trust who name its authority. */
describe("the Node.js of an app", function () {
  this.timeout(60_000);
  let folder: string;
  let registry: NpmRegistry;
  let npm: string;
  let homes = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-node-"));
    registry = await NpmRegistry.start(folder, {
      [PACKAGE]: { "97.1.0": "#!/bin/sh\necho v97.1.0\n", "97.2.0": "#!/bin/sh\necho v97.2.0\n" },
      // As of this one npm would say that there is a newer npm.
      npm: { "99.0.0": "" },
    });
    npm = (await execa("sh", ["-c", "command -v npm"])).stdout;
  });
  after(async () => {
    registry.close();
    await rm(folder, { recursive: true, force: true });
  });

  interface Machine {
    /** Lines of the machine's own npmrc. */
    readonly npmrc?: readonly string[];
    readonly networkEnv?: Readonly<Record<string, string>>;
  }

  /** A machine of its own: its npm reads PREFIX/etc/npmrc, as Debian's reads /usr/etc/npmrc, and always has something to say on stderr. */
  async function machine({ npmrc = [], networkEnv = {} }: Machine) {
    const prefix = join(folder, `machine-${homes++}`);
    await mkdir(join(prefix, "etc"), { recursive: true });
    await writeFile(join(prefix, "etc/npmrc"), npmrc.map((line) => `${line}\n`).join(""));
    await mkdir(join(prefix, "bin"));
    await writeFile(
      join(prefix, "bin/npm"),
      `#!/bin/sh\necho 'npm notice New major version of npm available!' >&2\nPREFIX=${prefix} exec ${npm} "$@"\n`,
    );
    await chmod(join(prefix, "bin/npm"), 0o755);
    const home = new Home(join(prefix, "home"));
    await mkdir(home.gitHome(), { recursive: true });
    const path = `${prefix}/bin:${process.env["PATH"] ?? ""}`;
    return { tools: { home, path, networkEnv }, out: { line: () => undefined } };
  }

  type Work = Awaited<ReturnType<typeof machine>>;

  async function ask(work: Work, range: string): Promise<string | undefined> {
    return nodeFolderFor(work, { nodeRange: { range, source: SOURCE } }, AbortSignal.timeout(50_000));
  }

  /** A fetched Node.js 97.3.0 that is this program. */
  async function hostileNode(program: string): Promise<string> {
    const bin = join(folder, "hostile/97.3.0/bin");
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, "node"), program, { mode: 0o755 });
    return bin;
  }

  async function refusal(work: Work, range = "97.x"): Promise<AppError> {
    return ask(work, range).then(
      () => expect.fail("it was not refused"),
      (error: unknown) => error as AppError,
    );
  }

  it("is fetched as the machine's own npm settings say, whatever npm says on stderr", async () => {
    const work = await machine({ npmrc: [`registry=${registry.url}/`, `cafile=${registry.caFile}`] });
    const [bin, again] = await Promise.all([ask(work, "97.x"), ask(work, "^97.2.0")]);
    expect(bin).to.equal(again);
    expect(await nodeVersionOf({ kind: "tree", nodeFolder: bin ?? "" }, "")).to.equal("v97.2.0");
    expect(await readdir(work.tools.home.runtimes())).to.deep.equal(["97.2.0"]);
  });

  it("is not run by the server, as whatever a registry gives would be", async () => {
    const mark = join(folder, "was-run");
    const nodeFolder = await hostileNode(`#!/bin/sh\ntouch ${mark}\necho v97.3.0\n`);
    expect(await nodeVersionOf({ kind: "tree", nodeFolder }, "")).to.equal("v97.3.0");
    expect(await readdir(folder)).not.to.include("was-run");
  });

  it("is fetched from a registry whose authority NODE_EXTRA_CA_CERTS names", async () => {
    const networkEnv = { NODE_EXTRA_CA_CERTS: registry.caFile, npm_config_registry: `${registry.url}/` };
    const bin = await ask(await machine({ networkEnv }), "97.1.0");
    expect(await nodeVersionOf({ kind: "tree", nodeFolder: bin ?? "" }, "")).to.equal("v97.1.0");
  });

  it("cannot be fetched with a certificate that the machine does not trust, which is told as that", async () => {
    const work = await machine({ npmrc: [`registry=${registry.url}/`] });
    const { code, message } = await refusal(work);
    expect(code).to.equal("npm-registry-untrusted");
    expect(message).to.include(registry.url);
    expect(await readdir(work.tools.home.runtimes())).to.deep.equal([]);
  });

  it("cannot be fetched when nobody answers, which is told as that", async () => {
    const { code, message } = await refusal(await machine({ npmrc: ["registry=http://127.0.0.1:1/"] }));
    expect(code).to.equal("npm-registry-failed");
    expect(message).to.include("ECONNREFUSED");
  });

  it("may be a version that does not exist", async () => {
    const work = await machine({ npmrc: [`registry=${registry.url}/`, `cafile=${registry.caFile}`] });
    const { code, message } = await refusal(work, "98.x");
    expect(code).to.equal("node-version-unknown");
    expect(message).to.include('"98.x"').and.to.include("the npm registry has no such version");
  });

  it("may be missing in a registry of one's own, which is no matter of the version", async () => {
    const other = await NpmRegistry.start(await mkdtemp(join(folder, "other-")), {});
    const work = await machine({ npmrc: [`registry=${other.url}/`, `cafile=${other.caFile}`] });
    const { code, message } = await refusal(work).finally(() => other.close());
    expect(code).to.equal("npm-registry-failed");
    expect(message).to.include(`Not Found - GET ${other.url}/${PACKAGE}`);
  });
});
