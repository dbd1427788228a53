import { eventually } from "../support/eventually.js";
import { FixtureApp } from "../support/running/fixture-app.js";

describe("an app that is a cluster", function () {
  this.timeout(120_000);
  let app: FixtureApp;

  before(async () => {
    app = await FixtureApp.prepare("cluster");
    await app.push();
  });
  after(async () => app.dispose());

  async function workers(): Promise<number[]> {
    // Node.js gives a connection to a worker that is just ending, and then nobody answers it.
    const asked = Array.from({ length: 20 }, async () =>
      app.read<{ worker: number }>("/", { signal: AbortSignal.timeout(2000) }),
    );
    return [...new Set((await Promise.all(asked)).map(({ worker }) => worker))];
  }

  it("serves with both of its workers", async () => {
    await eventually("both workers answer", async () => (await workers()).length === 2);
  });

  it("replaces a worker that has crashed", async () => {
    const { worker } = await app.read<{ worker: number }>("/crash");
    await eventually("a new worker answers", async () => {
      const now = await workers();
      return now.length === 2 && !now.includes(worker);
    });
  });
});
