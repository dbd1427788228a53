import { expect } from "chai";
import fc from "fast-check";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readLog } from "../../../../../server/engines/log-files.js";
import { LogFrames } from "../../../../../server/engines/swarm/logs/log-frames.js";
import { StoredLog } from "../../../../../server/engines/swarm/logs/stored-log.js";

const TIME = "2026-11-27T21:23:55.733422343Z";

function frame(output: number, text: string): Buffer {
  const content = Buffer.from(text);
  const header = Buffer.alloc(8);
  header.writeUInt8(output, 0);
  header.writeUInt32BE(content.length, 4);
  return Buffer.concat([header, content]);
}

describe("Docker's frames of a log", () => {
  it("give the lines of both outputs, however the bytes come", () => {
    const stream = Buffer.concat([frame(1, "one\ntw"), frame(2, "three\n"), frame(1, "o\n"), frame(1, "")]);
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
        const frames = new LogFrames();
        const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const lines = places.slice(1).flatMap((to, index) => frames.push(stream.subarray(places[index], to)));
        expect(lines).to.deep.equal(["one", "three", "two"]);
      }),
    );
  });
});

describe("a stored log", () => {
  let folder = "";
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "sluice-log-"))));
  afterEach(async () => rm(folder, { recursive: true }));

  const read = async (): Promise<string[]> => {
    const lines: string[] = [];
    const { signal } = new AbortController();
    for await (const { at, text } of readLog(folder, { lines: 1000, follow: false, signal })) {
      expect(at).to.equal("2026-11-27T21:23:55.733Z");
      lines.push(text);
    }
    return lines;
  };

  it("is read as svlogd's logs are, whatever is in a line", async () => {
    const texts = ["hello", "", "  žluť \\ 3 ", "a\rb", `${TIME} again`];
    await new StoredLog(folder, 1e6).append(texts.map((text) => `${TIME} ${text}`));
    expect(await read()).to.deep.equal(texts);
  });

  it("knows when its last line was written, also after a restart", async () => {
    const log = new StoredLog(folder, 1e6);
    expect(await log.lastTime()).to.equal("");
    await log.append([`${TIME} hello`]);
    expect(await log.lastTime()).to.equal(TIME);
    await log.append([`${TIME.replace("55.", "56.")} ${"x".repeat(16_000)}`]);
    expect(await new StoredLog(folder, 1e6).lastTime()).to.equal(TIME.replace("55.", "56."));
  });

  it("keeps no more than it may, and the newest of it", async () => {
    const log = new StoredLog(folder, 10_000);
    for (let number = 1; number <= 1000; number++) await log.append([`${TIME} line ${number}`]);
    const names = await readdir(folder);
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).to.be.within(5000, 13_000);
    const lines = await read();
    expect(lines.at(-1)).to.equal("line 1000");
    expect(lines).to.deep.equal(lines.map((_, index) => `line ${1000 - lines.length + 1 + index}`));
    expect(await readFile(join(folder, "current"), "utf8")).to.include("line 1000");
  });
});
