import { expect } from "chai";
import { sampleApp } from "../../../bench/pushed/sample-app.js";
import { eventually } from "../../support/eventually.js";
import { TestSluice, type HttpAnswer } from "../../support/running/test-sluice.js";

const APP = "hello";
const VISITORS = 8;
const OPEN = 200;
const REFUSED = 403;

describe("the sample app's flag disableSET", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  before(async () => {
    sluice = await TestSluice.start();
    await (await sluice.clone(APP, await sampleApp())).mustPush();
  });
  after(async () => sluice.dispose());

  const set = async (headers = {}): Promise<HttpAnswer> => sluice.get(APP, "/set/greeting/hello", headers);
  const disable = async (value: "0" | "1"): Promise<void> => {
    const path = `/disable/${value}?token=${await sluice.token()}`;
    expect((await sluice.control(path)).status).to.equal(200);
  };

  it("refuses /set with a clear page while it is on; reading goes on", async () => {
    expect((await set()).status).to.equal(OPEN);
    await disable("1");
    const page = await set({ accept: "text/html" });
    expect(page.status).to.equal(REFUSED);
    expect(page.body).to.include("<h1>Writing is switched off</h1>");
    expect((await sluice.get(APP, "/get/greeting")).body).to.include('"hello"');
    await disable("0");
    expect((await set()).status).to.equal(OPEN);
  });

  it("is obeyed at each switch under load, and no request fails", async () => {
    const statuses = new Map<number, number>();
    const problems: unknown[] = [];
    let isOver = false;
    const visit = async (): Promise<void> => {
      while (!isOver) {
        try {
          const { status } = await set();
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        } catch (error) {
          problems.push(error);
        }
      }
    };
    const visits = Array.from({ length: VISITORS }, visit);
    for (let round = 0; round < 10; round++) {
      await disable("1");
      await eventually("it is refused", async () => (await set()).status === REFUSED);
      await disable("0");
      await eventually("it is open", async () => (await set()).status === OPEN);
    }
    isOver = true;
    await Promise.all(visits);
    expect(problems).to.deep.equal([]);
    expect([...statuses.keys()].sort()).to.deep.equal([OPEN, REFUSED]);
  });

  it("stays as it was while the server is down for an upgrade", async () => {
    await disable("1");
    expect((await set()).status).to.equal(REFUSED);
    await sluice.cli("down", "--keep-traffic");
    expect((await set()).status).to.equal(REFUSED);
    await sluice.up();
    await disable("0");
    expect((await set()).status).to.equal(OPEN);
  });
});
