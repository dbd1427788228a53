import { expect } from "chai";
import { fleetHostSchema, type FleetHost } from "../../../../../core/records/fleet/fleet-host.js";
import type { HostRecord } from "../../../../../core/records/hosts/host-record.js";
import { hostSummaries, type KnownHosts } from "../../../../../server/api/machines/host-summaries.js";
import type { EngineHost } from "../../../../../server/engines/engine-hosts.js";

const node = (name: string, more: Partial<EngineHost> = {}): EngineHost => ({
  ...{ id: `id-${name}`, name, address: "10.0.0.9", roles: [], isServer: false, state: "ready" },
  ...{ takesInstances: true, draining: false, instances: [] },
  ...more,
});
const configured = (name: string, more: Partial<FleetHost> = {}): FleetHost => ({
  ...fleetHostSchema.parse({
    ...{ v: 1, name, roles: ["production"], phase: "ready", since: "", createdAt: "", by: "ann" },
    ...{ port: 22, user: "root" },
  }),
  ...more,
});
const record: HostRecord = {
  ...{ v: 1, id: "web-1", roles: ["proxy"], startedAt: "2026-01-01T00:00:00.000Z" },
  inventory: { system: "", kernel: "", processor: "", cpus: 2, memoryMegabytes: 1, virtual: "" },
};

function summaries(known: Partial<KnownHosts>): ReturnType<typeof hostSummaries> {
  const nothing = { records: [], newest: new Map(), fleet: [], engine: [], problemOf: () => undefined };
  return hostSummaries({ ...nothing, ...known });
}
const phases = (known: Partial<KnownHosts>): string[] =>
  summaries(known).map(({ host, phase }) => `${host} ${phase}`);

describe("the list of hosts", () => {
  it("has one of each, by its name, from whoever knows it", () => {
    const [one, two, ...more] = summaries({
      records: [record],
      fleet: [configured("web-1", { privateAddress: "10.0.0.1" }), configured("web-2")],
      engine: [node("web-2", { roles: ["staging"] })],
    });
    expect(more).to.deep.equal([]);
    expect(one).to.deep.include({ host: "web-1", roles: ["proxy", "production"], address: "10.0.0.1" });
    expect(two).to.deep.include({ roles: ["production", "staging"], address: "10.0.0.9", inventory: null });
    expect([one?.provisioned?.by, two?.startedAt]).to.deep.equal(["ann", null]);
  });

  it("knows a host of the engine by the record of it, whatever it calls itself", () => {
    const fleet = [configured("production-1", { node: "id-debian" })];
    expect(phases({ fleet, engine: [node("debian")] })).to.deep.equal(["production-1 ready"]);
  });

  it("tells how far a host is", () => {
    const engine = [
      ...[node("a"), node("b", { draining: true, instances: ["x"] }), node("c", { draining: true })],
      ...[node("d", { state: "down" }), node("e", { state: "unknown" }), node("f")],
    ];
    const fleet = [configured("f", { phase: "leaving" }), configured("g", { phase: "creating" })];
    expect(phases({ engine, fleet })).to.deep.equal([
      ...["a ready", "b draining", "c drained", "d down", "e unknown", "f leaving", "g creating"],
    ]);
  });

  it("is ready with one host and no Swarm, and does not guess while the Swarm is silent", () => {
    expect(phases({ records: [record] })).to.deep.equal(["web-1 ready"]);
    expect(phases({ records: [record], engine: undefined })).to.deep.equal(["web-1 unknown"]);
  });

  it("tells what a host that drains still runs, and why that stays", () => {
    const engine = [node("a", { draining: true, instances: ["x", "y"] }), node("b", { instances: ["z"] })];
    const problemOf = (id: string): string | undefined => (id === "y" ? "no room" : undefined);
    const left = summaries({ engine, problemOf }).map((summary) => summary.left);
    expect(left).to.deep.equal([
      [
        { instance: "x", problem: null },
        { instance: "y", problem: "no room" },
      ],
      [],
    ]);
  });
});
