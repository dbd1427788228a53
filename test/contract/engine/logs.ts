import { expect } from "chai";
import { writeFile } from "node:fs/promises";
import type { LogLine } from "../../../server/engines/instance-logs.js";
import { eventually } from "../../support/eventually.js";
import { answerAt, type EngineTrial } from "./engine-trial.js";

const ID = "shop.v1.worker.1";

export function keepsLogs(trial: EngineTrial): void {
  const ifFilesAreShared = trial.itIf("sharesFiles");
  it("keeps what an instance writes to both outputs, oldest first, each line with its time", async () => {
    const began = Date.now();
    await trial.start(
      trial.worker("echo one; echo two >&2; echo '  žluť \\\\ 3 '; echo; echo end; exec sleep 1000"),
    );
    await trial.said(ID, "end");
    const lines = await linesOf(trial, 100);
    expect(lines.map(({ text }) => text)).to.deep.equal(["one", "two", "  žluť \\ 3 ", "", "end"]);
    for (const { at } of lines) {
      expect(at).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(Date.parse(at)).to.be.within(began - 1, Date.now());
    }
  });

  it("answers the last lines, as many as are asked for", async () => {
    await trial.start(trial.worker("seq 1000; exec sleep 1000"));
    await trial.said(ID, "1000");
    const numbers = async (lines: number): Promise<number[]> => (await trial.logOf(ID, lines)).map(Number);
    expect(await numbers(3)).to.deep.equal([998, 999, 1000]);
    expect(await numbers(0)).to.deep.equal([]);
    expect(await numbers(5000)).to.deep.equal(Array.from({ length: 1000 }, (_, index) => index + 1));
  });

  ifFilesAreShared(
    "follows: the last lines, then every one that comes, until it is told to end",
    async function () {
      const go = trial.path("go");
      const command = `echo before; echo last; while [ ! -e ${go} ]; do sleep 0.02; done; seq 3000; exec sleep 1000`;
      await trial.start(trial.worker(command));
      await trial.said(ID, "last");
      const ending = new AbortController();
      const lines: string[] = [];
      const followed = (async () => {
        for await (const { text } of trial.logs.read(ID, { lines: 1, follow: true, signal: ending.signal }))
          lines.push(text);
      })();
      await eventually("the last line", () => lines.length > 0);
      await writeFile(go, "");
      await eventually("all lines", () => lines.at(-1) === "3000");
      expect(lines).to.deep.equal(["last", ...Array.from({ length: 3000 }, (_, index) => String(index + 1))]);
      ending.abort();
      await followed;
    },
  );

  it("ends to follow as soon as it is told to, whatever it is doing at that moment", async () => {
    await trial.start(trial.worker("echo one; exec sleep 1000"));
    await trial.said(ID, "one");
    const began = Date.now();
    for (let afterMs = 0; afterMs < 12; afterMs++) {
      const signal = AbortSignal.timeout(afterMs);
      const lines = [];
      for await (const line of trial.logs.read(ID, { lines: 1, follow: true, signal })) lines.push(line);
    }
    // Were one of them to wait for the next look at the file, all together would take over ten seconds.
    expect(Date.now() - began).to.be.lessThan(8000);
  });

  it("follows an instance that has written nothing yet", async () => {
    const ending = new AbortController();
    const lines: string[] = [];
    const followed = (async () => {
      for await (const { text } of trial.logs.read(ID, { lines: 10, follow: true, signal: ending.signal }))
        lines.push(text);
    })();
    await trial.start(trial.worker("echo first; exec sleep 1000"));
    await eventually("the first line", () => lines.includes("first"));
    ending.abort();
    await followed;
  });

  it("goes on in the same log when an instance is restarted", async () => {
    await trial.start(trial.worker("echo again; exit 1"));
    await trial.reaches(ID, "has ended twice", ({ ends }) => ends >= 2);
    await eventually("two lines", async () => {
      const log = await trial.logOf(ID);
      return log.filter((text) => text === "again").length >= 2;
    });
  });

  it("keeps a log when its instance is stopped, to its last word, until it is told to forget it", async () => {
    const { address } = await trial.start(trial.web());
    await answerAt(address);
    await trial.engine.stop("shop.v1.web.1", 10);
    expect((await trial.logOf("shop.v1.web.1")).at(-1)).to.equal("goodbye");
    await trial.logs.forget("shop.v1.web.1");
    expect(await trial.logOf("shop.v1.web.1")).to.deep.equal([]);
    await trial.logs.forget("shop.v1.web.1");
  });

  it("forgets the logs of a release or an app at once, but those of what runs and of others", async () => {
    for (const id of ["shop.v1.web.1", "shop.v1.web.2", "shop.v10.web.1", "shopper.v1.web.1"]) {
      await trial.start(trial.web({ id }));
      await trial.said(id, "listening");
      if (id !== "shop.v1.web.2") await trial.engine.stop(id, 10);
    }
    const kept = async (): Promise<boolean[]> =>
      Promise.all(
        ["shop.v1.web.1", "shop.v1.web.2", "shop.v10.web.1", "shopper.v1.web.1"].map(
          async (id) => (await trial.logOf(id)).length > 0,
        ),
      );
    await trial.logs.forget("shop.v1");
    expect(await kept()).to.deep.equal([false, true, true, true]);
    await trial.logs.forget("shop");
    expect(await kept()).to.deep.equal([false, true, false, true]);
  });

  it("has no lines of one that it does not know", async () => {
    expect(await trial.logOf("shop.v9.web.1")).to.deep.equal([]);
  });
}

async function linesOf(trial: EngineTrial, lines: number): Promise<LogLine[]> {
  const found: LogLine[] = [];
  const signal = new AbortController().signal;
  for await (const line of trial.logs.read(ID, { lines, follow: false, signal })) found.push(line);
  return found;
}
