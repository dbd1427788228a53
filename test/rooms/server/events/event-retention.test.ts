import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { EVENT_DAYS, EVENTS_KEPT } from "../../../../core/records/events/add-events.js";
import { addEventsIn } from "../../../../core/records/events/change-field.js";
import { HostRecords } from "../../../../core/records/hosts/host-records.js";
import { redisTime } from "../../../../core/redis/connection.js";
import { keys } from "../../../../core/redis/keys.js";
import { SecretBox } from "../../../../core/secrets.js";
import { AppStore } from "../../../../server/apps/app-store.js";
import { EventStream } from "../../../../server/events/event-stream.js";
import { OwnRedis } from "../../../support/redis/own-redis.js";

const DAY_MS = 24 * 3_600_000;
/** Redis forgets entries a hundred at a time. */
const NODE = 100;

describe("events", function () {
  this.timeout(30_000);
  let own: OwnRedis;
  beforeEach(async () => (own = await OwnRedis.start()));
  afterEach(async () => own.stop());

  const happens = async (name: string): Promise<unknown> =>
    new AppStore(own.redis, new SecretBox(randomBytes(32)), 200_000, []).ensure(name, {
      by: "ann",
      from: "192.0.2.7",
    });
  const ids = async (): Promise<string[]> =>
    (await own.redis.xrange(keys.events, "-", "+")).map(([id]) => id);

  it("are kept for ninety days by Redis' clock", async () => {
    const now = await redisTime(own.redis);
    const [old, young] = [now - EVENT_DAYS * DAY_MS - 2000, now - EVENT_DAYS * DAY_MS + 60_000];
    for (const at of [old, young]) await own.redis.xadd(keys.events, `${at}-0`, "event", "{}");
    await happens("shop");
    expect((await ids()).slice(0, -1)).to.deep.equal([`${young}-0`]);
  });

  it("are no more than Redis has room for", async () => {
    const batch = own.redis.pipeline();
    for (let index = 0; index < EVENTS_KEPT + 1000; index++) batch.xadd(keys.events, "*", "event", "{}");
    await batch.exec();
    await happens("shop");
    expect(await own.redis.xlen(keys.events)).to.be.within(EVENTS_KEPT, EVENTS_KEPT + NODE);
  });

  it("say where a request came from, and have no app where they are about none", async () => {
    await happens("shop");
    await own.redis.hset(keys.hosts, "web-1", "{}");
    await new HostRecords(own.redis).remove("web-1", { by: "bob", from: "socket" });
    await new HostRecords(own.redis).remove("web-1", { by: "bob", from: "socket" });
    const batch = own.redis.multi();
    addEventsIn(batch, []);
    await batch.exec();
    const { events } = await new EventStream(own.redis).last(10);
    expect(events.map(({ app, type, by, from, data }) => [app, type, by, from, data])).to.deep.equal([
      ["shop", "app.created", "ann", "192.0.2.7", {}],
      ["", "host.removed", "bob", "socket", { subject: "web-1" }],
    ]);
  });
});
