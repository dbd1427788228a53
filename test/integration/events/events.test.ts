import { expect } from "chai";
import { execa } from "execa";
import { request } from "node:http";
import type { Event } from "../../../core/api/events.js";
import { eventually } from "../../support/eventually.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

const BIN = new URL("../../../bin/sluice", import.meta.url).pathname;

describe("sluice events", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let clone: TestClone;
  const streams: Stream[] = [];
  before(async () => {
    sluice = await TestSluice.start();
    clone = await sluice.clone("shop", tinyApp());
    await clone.mustPush();
    await (await sluice.clone("blog", tinyApp())).mustPush();
  });
  afterEach(() => streams.splice(0).forEach((stream) => stream.close()));
  after(async () => sluice.dispose());

  it("shows what happened, when and by whom, oldest first", async () => {
    await sluice.cli("config", "shop", "KEY=a-secret");
    await sluice.cli("scale", "shop", "web=2");
    const { stdout } = await sluice.cli("events");
    const [head, ...lines] = stdout.split("\n");
    expect(head).to.match(/^time \(UTC\) +app +what +who$/);
    for (const line of lines)
      expect(line).to.match(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}\S+ +\S.* admin \((127\.0\.0\.1|socket)\)$/);
    const what = lines.map((line) =>
      line
        .slice(21)
        .replace(/ {2,}/g, " ")
        .replace(/ \(127\.0\.0\.1\)$/, ""),
    );
    expect(what).to.deep.equal([
      ...["shop app.created admin", "shop release.queued v1: production (master) admin"],
      ...["shop release.live v1: production (master) admin", "blog app.created admin"],
      ...[
        "blog release.queued v1: production (master) admin",
        "blog release.live v1: production (master) admin",
      ],
      ...["shop config.changed: KEY admin (socket)", "shop scale.changed v1: web 1 → 2 admin (socket)"],
    ]);
    expect(stdout).not.to.include("secret");
  });

  it("shows the last ones, of one app, and as JSON", async () => {
    const { stdout } = await sluice.cli("events", "--app", "blog", "-n", "2", "--json");
    const events = stdout.split("\n").map((line) => JSON.parse(line) as Event);
    expect(events.map(({ type }) => type)).to.deep.equal(["release.queued", "release.live"]);
    expect(events[1]).to.have.all.keys("id", "at", "app", "type", "by", "from", "release", "data");
    expect((await sluice.cli("events", "-n", "x")).status).to.equal(2);
  });

  it("are streamed by the API, from any event on, to whoever has a token", async () => {
    const all = await open("?last=100");
    const known = await eventually("all are there", () => all.events.length >= 8 && all.events.slice(0, 8));
    const [first, second] = known;
    const resumed = await open("?app=shop&last=100", { "last-event-id": second?.id ?? "" });
    const named = await open(`?after=${first?.id ?? ""}`);
    await eventually("the rest is there", () => named.events.length >= 7);
    expect(named.events[0]).to.deep.equal(second);
    await clone.mustPush("+HEAD:topic");
    await eventually("what is new comes", () => resumed.events.some(({ data }) => data.branch === "topic"));
    expect(resumed.events[0]?.type).to.equal("release.live");
    expect(new Set(resumed.events.map(({ app }) => app))).to.deep.equal(new Set(["shop"]));
    const ids = all.events.map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);

    const none = await open();
    expect(none.type).to.match(/^text\/event-stream/);
    await eventually("where it goes on is said", () => none.lastId !== "");
    expect(none.events).to.deep.equal([]);

    expect((await sluice.control("/api/events")).status).to.equal(401);
    const authorization = `Bearer ${await sluice.token()}`;
    for (const query of ["after=lunch", "last=-1", "after=99999999999999999999-0"])
      expect((await sluice.control(`/api/events?${query}`, { authorization })).status, query).to.equal(400);
  });

  it("are followed over a restart, killed or not, without a gap and without one twice", async () => {
    const { stdout: before } = await sluice.cli("events", "-n", "1", "--json");
    const stream = await open();
    const following = execa(process.execPath, [BIN, "events", "-f", "-n", "1", "--json"], {
      ...{ env: sluice.env, extendEnv: false, reject: false, buffer: true },
    });
    const lines: string[] = [];
    following.stdout.setEncoding("utf8").on("data", (text: string) => lines.push(...text.trim().split("\n")));
    const types = (): string[] => lines.map((line) => (JSON.parse(line) as Event).type);
    try {
      await eventually("the last one is shown", () => lines.length === 1);
      expect(lines).to.deep.equal([before]);
      await sluice.kill();
      await sluice.up();
      await sluice.cli("config", "shop", "ONE=1");
      await eventually("what came after it is shown", () => lines.length === 2);
      expect(stream.isClosed).to.equal(true);
      const ended = await open();
      await sluice.cli("down", "--keep-traffic");
      await eventually("a server that stops ends its streams", () => ended.isClosed);
      expect(ended.isBroken).to.equal(false);
      // With nobody there to hear of it.
      const connection = await sluice.redis();
      const event = { app: "shop", type: "config.changed", by: "nobody", data: { names: ["TWO"] } };
      await connection.redis.xadd("sluice:events", "*", "event", JSON.stringify(event));
      connection.close();
      await sluice.up();
      await clone.mustPush("+HEAD:other");
      await eventually("all of it is shown", () => types().includes("release.live") && lines.length >= 5);
      expect(types().slice(1)).to.deep.equal([
        ...["config.changed", "config.changed", "release.queued", "release.live"],
      ]);
    } finally {
      following.kill("SIGKILL");
    }
    const { stderr } = await following;
    expect(stderr.match(/The server is away/g)).to.have.length(2);
  });

  async function open(query = "", headers: Record<string, string> = {}): Promise<Stream> {
    const stream = new Stream();
    streams.push(stream);
    await stream.open(sluice.controlPort, `/api/events${query}`, {
      authorization: `Bearer ${await sluice.token()}`,
      ...headers,
    });
    return stream;
  }
});

/** As a browser's `EventSource` reads it. */
class Stream {
  readonly events: Event[] = [];
  type = "";
  lastId = "";
  isClosed = false;
  isBroken = false;
  close = (): void => undefined;

  async open(port: number, path: string, headers: Record<string, string>): Promise<void> {
    return new Promise((resolve, reject) => {
      const outgoing = request({ host: "127.0.0.1", port, path, headers, agent: false }, (response) => {
        this.type = response.headers["content-type"] ?? "";
        let rest = "";
        response.setEncoding("utf8").on("data", (text: string) => {
          const blocks = (rest + text).split("\n\n");
          rest = blocks.pop() ?? "";
          for (const block of blocks) this.take(block);
        });
        response.on("close", () => (this.isClosed = true)).on("error", () => (this.isBroken = true));
        resolve();
      });
      outgoing.on("error", reject).end();
      this.close = () => outgoing.destroy();
    });
  }

  private take(block: string): void {
    for (const line of block.split("\n")) {
      if (line.startsWith("id: ")) this.lastId = line.slice(4);
      if (line.startsWith("data: ")) this.events.push(JSON.parse(line.slice(6)) as Event);
    }
  }
}
