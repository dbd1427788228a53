import { expect } from "chai";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AccessFile } from "../../../../proxy/haproxy/access-log/access-file.js";
import { readLog } from "../../../../server/engines/log-files.js";

const LINE = JSON.stringify({ text: "x".repeat(89) });

describe("the files of an access log", () => {
  let folder: string;
  beforeEach(async () => (folder = join(await mkdtemp(join(tmpdir(), "sluice-test-")), "shop")));
  afterEach(async () => rm(join(folder, ".."), { recursive: true }));

  const opened = (maxBytes: number): AccessFile =>
    new AccessFile({ folder, app: "shop", maxBytes, now: () => 1_000_000 });
  const read = async (): Promise<string[]> => {
    const lines: string[] = [];
    const signal = new AbortController().signal;
    for await (const { text } of readLog(folder, { lines: 100_000, follow: false, signal })) lines.push(text);
    return lines;
  };

  it("take no more room than they may, and keep the newest lines in order", async () => {
    const file = opened(4000);
    for (let number = 0; number < 500; number++) {
      file.write(`${LINE} ${number}`);
      if (number % 7 === 0) await file.close();
    }
    await file.close();
    const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size);
    expect((await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)).to.be.within(2500, 4000);
    const numbers = (await read()).map((line) => Number(line.split(" ").at(-1)));
    expect(numbers.at(-1)).to.equal(499);
    expect(numbers).to.deep.equal(Array.from(numbers, (_, index) => 500 - numbers.length + index));
  });

  it("are followed line by line while they are written", async () => {
    const file = opened(40_000);
    file.write(`${LINE} 0`);
    await file.close();
    const ending = new AbortController();
    const numbers: number[] = [];
    const following = (async () => {
      for await (const { text } of readLog(folder, { lines: 10, follow: true, signal: ending.signal }))
        if (numbers.push(Number(text.split(" ").at(-1))) === 201) ending.abort();
    })();
    for (let number = 1; number <= 200; number++) {
      file.write(`${LINE} ${number}`);
      if (number % 20 === 0) await sleep(5);
    }
    await following;
    await file.close();
    expect(numbers).to.deep.equal(Array.from({ length: 201 }, (_, index) => index));
    expect((await readdir(folder)).length).to.be.greaterThan(1);
  });

  it("go on after a line that a crash has cut", async () => {
    await mkdir(folder);
    await writeFile(join(folder, "current"), `${LINE}\n{"text":`);
    const file = opened(4000);
    file.write(LINE);
    await file.close();
    expect(await read()).to.deep.equal([LINE, `{"text":`, LINE]);
  });

  it("say how much is missing when the disk was away, and never make the writer wait", async () => {
    await writeFile(folder, "a file where the folder should be");
    const file = opened(64 * 1024 * 1024);
    file.write(LINE);
    await file.close();
    expect(file.droppedLines).to.equal(1);
    await rm(folder);
    for (let number = 0; number < 50_000; number++) file.write(LINE);
    await file.close();
    file.write(`${LINE} last`);
    await file.close();
    expect(file.droppedLines).to.equal(0);
    const lines = await read();
    const said = lines.filter((line) => line.includes("dropped"));
    const [first, second = 0] = said.map((line) => (JSON.parse(line) as { dropped: number }).dropped);
    expect([said.length, first]).to.deep.equal([2, 1]);
    expect(second).to.be.greaterThan(5000);
    expect(lines.length - said.length + second).to.equal(50_001);
    expect((await readFile(join(folder, "current"), "utf8")).endsWith(" last\n")).to.equal(true);
  });
});
