import { expect } from "chai";
import { planOrders, type PlanOptions } from "../../../../server/certificates/plan-orders.js";

const NOW = 1000;
const issued = (id: string, ...names: string[]) => ({ id, names, source: "acme" as const, notAfter: 2000 });
const plan = (options: Partial<PlanOptions>) =>
  planOrders({
    ...{ wanted: [], certificates: [], isDue: () => false, isHeld: () => false, now: NOW },
    ...options,
  });

describe("what is ordered for an app", () => {
  it("is one certificate for all names that have none", () => {
    const certificates = [issued("1", "a.test")];
    expect(plan({ wanted: ["a.test", "b.test", "c.test"], certificates })).to.deep.equal({
      orders: [{ names: ["b.test", "c.test"], replaced: [] }],
      unneeded: [],
    });
  });

  it("is nothing for a name that is held, below a wildcard, or has a certificate that somebody gave", () => {
    const own = { ...issued("2", "own.test"), source: "own" as const };
    const options = {
      wanted: ["held.test", "x.wild.test", "own.test"],
      certificates: [issued("1", "*.wild.test"), own],
      isHeld: (name: string) => name === "held.test",
    };
    expect(plan(options).orders).to.deep.equal([]);
  });

  it("takes the place of what is due, with the names that are still wanted", () => {
    const certificates = [issued("1", "a.test", "gone.test"), issued("2", "b.test")];
    const isDue = ({ id }: { id: string }): boolean => id === "1";
    expect(plan({ wanted: ["a.test", "b.test"], certificates, isDue })).to.deep.equal({
      orders: [{ names: ["a.test"], replaced: ["1"] }],
      unneeded: [],
    });
  });

  it("combines what is due at once", () => {
    const certificates = [issued("1", "a.test"), issued("2", "b.test")];
    const { orders } = plan({ wanted: ["a.test", "b.test"], certificates, isDue: () => true });
    expect(orders).to.deep.equal([{ names: ["a.test", "b.test"], replaced: ["1", "2"] }]);
  });

  it("leaves a certificate whose names cannot all be had now beside the new one, and orders nothing twice", () => {
    const certificates = [issued("1", "a.test", "held.test")];
    const isHeld = (name: string): boolean => name === "held.test";
    const wanted = ["a.test", "held.test"];
    const isDue = ({ id }: { id: string }): boolean => id === "1";
    const { orders } = plan({ wanted, certificates, isDue, isHeld });
    expect(orders).to.deep.equal([{ names: ["a.test"], replaced: [] }]);
    const later = [...certificates, issued("2", "a.test")];
    expect(plan({ wanted, certificates: later, isDue, isHeld })).to.deep.equal({ orders: [], unneeded: [] });
    expect(plan({ wanted, certificates: later, isDue })).to.deep.equal({
      orders: [{ names: ["held.test"], replaced: ["1"] }],
      unneeded: [],
    });
  });

  it("replaces one that has expired", () => {
    const expired = { ...issued("1", "a.test"), notAfter: NOW - 1 };
    expect(plan({ wanted: ["a.test"], certificates: [expired], isDue: () => true })).to.deep.equal({
      orders: [{ names: ["a.test"], replaced: ["1"] }],
      unneeded: [],
    });
  });

  it("is in parts of at most 100 names", () => {
    const wanted = Array.from({ length: 250 }, (_, index) => `${index}.test`);
    const { orders } = plan({ wanted });
    expect(orders.map(({ names }) => names.length)).to.deep.equal([100, 100, 50]);
  });

  it("is in parts whose names fit into a command to the proxy", () => {
    const wanted = Array.from({ length: 50 }, (_, index) => `${"x".repeat(240)}${index}.test`);
    const { orders } = plan({ wanted });
    expect(orders.flatMap(({ names }) => names)).to.deep.equal(wanted);
    for (const { names } of orders) expect(names.join("").length).to.be.at.most(5000);
  });

  it("removes what none of whose names is wanted", () => {
    expect(plan({ certificates: [issued("1", "a.test")] })).to.deep.equal({ orders: [], unneeded: ["1"] });
    const own = { ...issued("1", "a.test"), source: "own" as const };
    expect(plan({ certificates: [own] }), "but not somebody's own").to.deep.equal({
      orders: [],
      unneeded: [],
    });
  });
});
