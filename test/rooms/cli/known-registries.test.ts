import { expect } from "chai";
import { mkdir, mkdtemp, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KnownRegistries, type KnownRegistry } from "../../../cli/start/registry/known-registries.js";
import { removeTree } from "../../../core/files/remove-tree.js";
import { Home } from "../../../core/home.js";

const OWN = "10.0.0.2:5443";

function outside(prefix: string, password = "a secret password"): KnownRegistry {
  const access = { address: "r.example.com", prefix, user: "robot", password, ca: undefined };
  return { kind: "outside", access };
}

describe("the registries that releases have their images in", () => {
  let home: Home;
  beforeEach(async () => (home = new Home(await mkdtemp(join(tmpdir(), "sluice-known-")))));
  afterEach(async () => removeTree(home.root));

  const open = async (): Promise<KnownRegistries> => KnownRegistries.open(home, OWN);

  it("are known after a restart, the last one first, until they are forgotten", async () => {
    const known = await open();
    await known.use({ kind: "own", address: OWN });
    await known.use(outside("a"));
    await known.use(outside("b", "another password"));
    const again = await open();
    expect(again.formerOf("r.example.com/b")).to.deep.equal([outside("a"), { kind: "own", address: OWN }]);
    expect(again.has("r.example.com/a")).to.equal(true);
    expect(again.has("r.example.com")).to.equal(false);
    await again.forget(OWN);
    expect((await open()).hasOwn).to.equal(false);
    expect((await open()).formerOf("r.example.com/a")).to.deep.equal([outside("b", "another password")]);
  });

  it("have the login of the settings that named them last", async () => {
    const known = await open();
    await known.use(outside("a", "old"));
    await known.use(outside("a", "new"));
    expect((await open()).formerOf("any")).to.deep.equal([outside("a", "new")]);
  });

  it("show nobody a password", async () => {
    await (await open()).use(outside("a"));
    expect(await readFile(home.registry("known.json"), "utf8")).not.to.include("secret");
    expect((await stat(home.registry("known.json"))).mode & 0o777).to.equal(0o600);
  });

  it("include Sluice's own one, if an earlier version has kept images there", async () => {
    expect((await open()).has(OWN)).to.equal(false);
    await mkdir(home.registry("storage"), { recursive: true });
    expect((await open()).has(OWN)).to.equal(true);
  });
});
