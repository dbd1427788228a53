import { expect } from "chai";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readResolver } from "../../../../../../server/engines/runit/network/resolver.js";

describe("whom apps ask for names", () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "resolver-"))));
  afterEach(async () => rm(folder, { recursive: true }));

  const readAll = async (...texts: string[]): Promise<unknown> => {
    const files = texts.map((_, at) => join(folder, String(at)));
    for (const [at, file] of files.entries()) await writeFile(file, texts[at] ?? "");
    return readResolver(files);
  };

  it("are the machine's name servers, as far as another network reaches them", async () => {
    expect(
      await readAll("search lan\nnameserver 192.0.2.1\nnameserver 127.0.0.1\nnameserver 2001:db8::1\n"),
    ).to.deep.equal({ nameservers: ["192.0.2.1"], text: "nameserver 192.0.2.1\nsearch lan\n" });
  });

  it("are those that the machine's own one asks, where it answers nobody else", async () => {
    const stub = "nameserver 127.0.0.53\noptions edns0 trust-ad\n";
    expect(await readAll(stub, "nameserver 192.0.2.1\nnameserver 192.0.2.2\n")).to.deep.equal({
      nameservers: ["192.0.2.1", "192.0.2.2"],
      text: "nameserver 192.0.2.1\nnameserver 192.0.2.2\n",
    });
  });

  it("is the machine's own one at the address of what is offered, where nobody else is known", async () => {
    for (const [text, ownNameserver] of [
      ["nameserver 127.0.0.53\n", "127.0.0.53"],
      ["", "127.0.0.1"],
    ] as const)
      expect(await readAll(text)).to.deep.equal({
        ...{ nameservers: [], ownNameserver },
        text: "nameserver 198.18.0.1\n",
      });
  });
});
