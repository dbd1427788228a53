import { expect } from "chai";
import type { AppClient } from "../../../cli/start/apps-redis/app-clients.js";
import { surplusClients } from "../../../cli/start/apps-redis/connection-limit.js";

describe("the connections that are closed when there are too many", () => {
  let nextId = 100;
  const clients = (count: number, client: Partial<AppClient>): AppClient[] =>
    Array.from({ length: count }, () => ({
      ...{ id: String(nextId++), address: "127.0.0.1:1", app: undefined, ageSeconds: 60 },
      ...{ isByPort: true, isReplication: false },
      ...client,
    }));

  it("are the newest of an app that has more than its part, and nobody else's", () => {
    const greedy = clients(600, { app: "greedy" });
    const surplus = surplusClients([...greedy.slice().reverse(), ...clients(400, { app: "modest" })]);
    expect(surplus.map(({ id }) => id)).to.deep.equal(greedy.slice(500).map(({ id }) => id));
  });

  it("are those that have not said who they are in time, but for Sluice's own", () => {
    const late = clients(2, { ageSeconds: 5 });
    const others = [
      ...clients(2, { ageSeconds: 1 }),
      ...clients(2, { isByPort: false, address: "/redis.sock:0" }),
    ];
    expect(surplusClients([...late, ...others])).to.deep.equal(late);
  });
});
