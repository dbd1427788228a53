import { expect } from "chai";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readOrMakeSecret } from "../../../core/secrets.js";

describe("the file of a secret", () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "secret-"))));
  afterEach(async () => rm(folder, { recursive: true }));

  it("is made once, for its owner's eyes only, and read from then on", async () => {
    const path = join(folder, "token");
    const { secret, made } = await readOrMakeSecret(path);
    expect([made, /^[0-9a-f]{64}$/.test(secret)]).to.deep.equal([true, true]);
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    expect(await readOrMakeSecret(path)).to.deep.equal({ secret, made: false });
    expect(await readdir(folder)).to.deep.equal(["token"]);
  });

  it("that is empty is no secret: another one is made", async () => {
    const path = join(folder, "token");
    await writeFile(path, "\n");
    const { secret, made } = await readOrMakeSecret(path);
    expect([made, secret.length]).to.deep.equal([true, 64]);
  });

  it("that cannot be read is not replaced", async () => {
    const error: unknown = await readOrMakeSecret(folder).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(Error).with.property("code", "EISDIR");
  });
});
