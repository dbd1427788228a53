import { expect } from "chai";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAppError } from "../../../../../core/errors/app-error.js";
import { readManifest, type Manifest } from "../../../../../server/builds/manifest/manifest.js";

const START = '{"scripts": {"start": "node server.js"}}';

describe("the manifest of a tree", () => {
  const folders: string[] = [];
  after(async () => Promise.all(folders.map(async (folder) => rm(folder, { recursive: true }))));

  async function manifestOf(
    files: Record<string, string>,
    engine: "runit" | "swarm" = "runit",
  ): Promise<Manifest> {
    const folder = await mkdtemp(join(tmpdir(), "manifest-"));
    folders.push(folder);
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const instances = { memoryMegabytes: 512, maxMemoryMegabytes: 2048 };
    return readManifest(folder, { engine, domain: "localhost", control: {}, instances });
  }

  async function refusalOf(
    files: Record<string, string>,
    engine: "runit" | "swarm" = "runit",
  ): Promise<unknown> {
    const error: unknown = await manifestOf(files, engine).catch((reason: unknown) => reason);
    return isAppError(error) ? error.code : error;
  }

  it("takes the processes from the Procfile, else the start script", async () => {
    const processesOf = async (files: Record<string, string>): Promise<string[]> =>
      (await manifestOf(files)).processes.map(({ name, command }) => `${name}: ${command}`);
    const Procfile = "web: ./serve\nworker: ./work\n";
    expect(await processesOf({ Procfile, "package.json": START })).to.deep.equal([
      "web: ./serve",
      "worker: ./work",
    ]);
    for (const files of [{}, { Procfile: "# none yet\n\n" }]) {
      const [started, ...others] = await processesOf({ ...files, "package.json": START });
      expect(started).to.match(/^web: .*exec sh -c .*node server\.js/);
      expect(others).to.deep.equal([]);
    }
    expect(await processesOf({ Procfile, Dockerfile: "FROM scratch" })).to.have.length(2);
  });

  it("says when nothing tells how to start the app, or only a Dockerfile does", async () => {
    expect(await refusalOf({})).to.equal("nothing-to-run");
    expect(await refusalOf({ "package.json": '{"scripts": {"build": "x"}}' })).to.equal("nothing-to-run");
    expect(await refusalOf({ Dockerfile: "FROM scratch", "package.json": "{}" })).to.equal(
      "engine-unsupported",
    );
    expect(await refusalOf({ Procfile: "web ./serve", "package.json": START })).to.equal("procfile-invalid");
  });

  describe("with a Dockerfile, where the engine takes one", () => {
    const Dockerfile = "FROM node AS build\nFROM --platform=$X build as TEST\nFROM scratch\n";
    const PACKAGE = '{"scripts": {"start": "x", "build": "y", "lint": "z", "test": "t"}}';

    it("installs and builds nothing besides, and starts what the image starts", async () => {
      const manifest = await manifestOf({ Dockerfile, "package.json": PACKAGE, ".nvmrc": "18" }, "swarm");
      expect(manifest).to.include({ packageJson: undefined, build: undefined });
      expect(manifest.processes).to.deep.equal([{ name: "web", command: "", quantity: 1 }]);
      const withProcfile = { Dockerfile, Procfile: "worker: work\nrelease: migrate\n" };
      const { processes, releaseCommand } = await manifestOf(withProcfile, "swarm");
      expect([processes.map(({ name }) => name), releaseCommand]).to.deep.equal([["worker"], "migrate"]);
    });

    it("runs the gates in its stage for tests; without one, only those of app.json", async () => {
      const gatesOf = async (files: Record<string, string>): Promise<unknown> => {
        const { gates, dockerfile } = await manifestOf({ "package.json": PACKAGE, ...files }, "swarm");
        return [[...gates.keys()], dockerfile?.gatesTarget];
      };
      expect(await gatesOf({ Dockerfile })).to.deep.equal([["lint", "test"], "test"]);
      expect(await gatesOf({ Dockerfile: "FROM node" })).to.deep.equal([[], undefined]);
      const own = '{"sluice": {"gates": {"unit": "u"}, "dockerfile": {"gatesTarget": "build"}}}';
      expect(await gatesOf({ Dockerfile, "app.json": own })).to.deep.equal([["unit"], "build"]);
    });

    it("may lie elsewhere, or be there for others", async () => {
      const at = (path: string): Record<string, string> => ({
        "app.json": JSON.stringify({ sluice: { dockerfile: { path } } }),
      });
      const { dockerfile } = await manifestOf({ ...at("Other"), Other: Dockerfile }, "swarm");
      expect(dockerfile?.path).to.equal("Other");
      const ignored = '{"sluice": {"dockerfile": false}}';
      const manifest = await manifestOf(
        { Dockerfile, "package.json": PACKAGE, "app.json": ignored },
        "swarm",
      );
      expect(manifest).to.include({ build: "build", hasUnusedDockerfile: false });
      expect((await manifestOf({ Dockerfile, "package.json": PACKAGE })).hasUnusedDockerfile).to.equal(true);
      for (const path of ["../Other", "/Other", "-Other", "Missing"])
        expect(await refusalOf({ ...at(path), Dockerfile }, "swarm"), path).to.equal("manifest-invalid");
    });

    it("is not declared for an engine that takes none, nor with a stage that it has not", async () => {
      const declared = { Dockerfile, "package.json": PACKAGE, "app.json": '{"sluice": {"dockerfile": {}}}' };
      expect(await refusalOf(declared)).to.equal("engine-unsupported");
      const stage = { Dockerfile, "app.json": '{"sluice": {"dockerfile": {"target": "prod"}}}' };
      expect(await refusalOf(stage, "swarm")).to.equal("manifest-invalid");
    });
  });

  it("keeps the release command apart from what runs", async () => {
    const { processes, releaseCommand } = await manifestOf({
      Procfile: "release: ./migrate\nweb: ./serve\n",
    });
    expect(processes.map(({ name }) => name)).to.deep.equal(["web"]);
    expect(releaseCommand).to.equal("./migrate");
    expect((await manifestOf({ "package.json": START })).releaseCommand).to.equal(undefined);
  });

  it("runs `web` once and the others not at all, unless formation says so", async () => {
    const Procfile = "web: a\nworker: b\nclock: c\n";
    const quantitiesOf = async (appJson: string): Promise<number[]> =>
      (await manifestOf({ Procfile, "app.json": appJson })).processes.map(({ quantity }) => quantity);
    expect(await quantitiesOf("{}")).to.deep.equal([1, 0, 0]);
    expect(await quantitiesOf('{"formation": {"web": {}, "worker": {"quantity": 3}}}')).to.deep.equal([
      1, 3, 0,
    ]);
    expect(
      await quantitiesOf('{"formation": {"web": {"quantity": 0}, "other": {"quantity": 2}}}'),
    ).to.deep.equal([0, 0, 0]);
  });

  it("takes the gates from app.json, else from the scripts of package.json", async () => {
    const packageJson = '{"scripts": {"start": "x", "lint": "eslint .", "test": "mocha"}}';
    const gatesOf = async (files: Record<string, string>): Promise<Record<string, string>> =>
      Object.fromEntries((await manifestOf({ "package.json": packageJson, ...files })).gates);
    expect(await gatesOf({})).to.deep.equal({ lint: "npm run lint", test: "npm test" });
    expect(await gatesOf({ "app.json": "{}" })).to.deep.equal({ lint: "npm run lint", test: "npm test" });
    expect(await gatesOf({ "app.json": '{"sluice": {"gates": {"unit": "make check"}}}' })).to.deep.equal({
      unit: "make check",
    });
    expect(await gatesOf({ "app.json": '{"sluice": {"gates": {}}}' })).to.deep.equal({});
  });

  it("takes the Node.js version from engines.node, else .nvmrc, else .node-version", async () => {
    const engines = '{"scripts": {"start": "x"}, "engines": {"node": "22.x"}}';
    const rangeOf = async (files: Record<string, string>): Promise<unknown> =>
      (await manifestOf({ "package.json": START, ...files })).nodeRange;
    const others = { ".nvmrc": "v20.1.0\n", ".node-version": "18\n" };
    expect(await rangeOf({ ...others, "package.json": engines })).to.deep.equal({
      range: "22.x",
      source: "engines.node in package.json",
    });
    expect(await rangeOf(others)).to.deep.equal({ range: "20.1.0", source: ".nvmrc" });
    expect(await rangeOf({ ...others, ".nvmrc": " \n" })).to.deep.equal({
      range: "18",
      source: ".node-version",
    });
    expect(await rangeOf({})).to.equal(undefined);
  });

  it("lets sticky visitors stay longer, unless drainSeconds says how long", async () => {
    const servingOf = async (sluice: string): Promise<unknown> =>
      (await manifestOf({ "package.json": START, "app.json": `{"sluice": {${sluice}}}` })).serving;
    expect(await servingOf("")).to.deep.equal({
      sticky: false,
      listen: "port",
      drainSeconds: 900,
      standbySeconds: 600,
      sessionIdleSeconds: 900,
      memoryMegabytes: 512,
      sleepSeconds: 0,
      expireSeconds: 0,
    });
    expect(await servingOf('"sessions": "sticky"')).to.include({ sticky: true, drainSeconds: 3600 });
    expect(await servingOf('"sessions": "sticky", "drainSeconds": 5')).to.include({ drainSeconds: 5 });
    expect(await servingOf('"memoryMegabytes": 64, "listen": "socket"')).to.include({
      memoryMegabytes: 64,
      listen: "socket",
    });
  });

  it("asks for no more memory than sluice.yml allows", async () => {
    const appJson = (section: string): Record<string, string> => ({
      "package.json": START,
      "app.json": `{"sluice": {${section}}}`,
    });
    const { serving } = await manifestOf(appJson('"memoryMegabytes": 2048'));
    expect(serving.memoryMegabytes).to.equal(2048);
    for (const section of ['"memoryMegabytes": 2049', '"previews": {"memoryMegabytes": 1000000}']) {
      const error: unknown = await manifestOf(appJson(section)).catch((reason: unknown) => reason);
      expect(error).to.include({ code: "manifest-invalid" });
      expect(String(error)).to.match(/is more than 2048, .*instances\.maxMemoryMegabytes in sluice\.yml/);
    }
  });

  it("checks with what stands for a start, and not with liveness checks", async () => {
    const checks =
      '[{"path": "/a"}, {"path": "/b", "type": "liveness"}, {"path": "/c", "type": "readiness"}]';
    const { healthChecks } = await manifestOf({
      "package.json": START,
      "app.json": `{"healthchecks": {"web": ${checks}}}`,
    });
    expect(healthChecks.map(({ path }) => path)).to.deep.equal(["/a", "/c"]);
  });
});
