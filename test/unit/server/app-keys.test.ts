import { expect } from "chai";
import { readFileSync } from "node:fs";
import { keys } from "../../../core/redis/keys.js";
import { APP_KEYS } from "../../../server/app-keys.js";

const KEYS_FILE = new URL("../../../core/redis/keys.ts", import.meta.url);

describe("what is removed with an app", () => {
  it("is every key that is kept by app, but for the lock and the traffic, which end by themselves", () => {
    const source = readFileSync(KEYS_FILE, "utf8");
    const byApp = [...source.matchAll(/^ {2}(\w+): \(app: string/gm)].map(([, name]) => name ?? "");
    expect(byApp).to.include("releases");
    const elsewhere = ["lock", "trafficSeconds", "trafficMinutes", "trafficReleases", "trafficTotals"];
    const wanted = byApp.filter((name) => !elsewhere.includes(name));
    const removed = APP_KEYS.flatMap(({ own = [], counters = [] }) => [...own, ...counters]);
    const names = Object.entries(keys)
      .filter(([, key]) => removed.some((each) => each === key))
      .map(([name]) => name);
    expect(names).to.have.members(wanted);
  });
});
