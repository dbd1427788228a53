import { expect } from "chai";
import { parseEvent } from "../../../../../core/records/events/event-record.js";

const EVENT = { app: "shop", type: "app.created", by: "me", data: {} };

describe("an entry of the event stream", () => {
  it("has its time by its id", () => {
    const event = parseEvent("1795735432210-3", ["event", JSON.stringify(EVENT)]);
    expect(event).to.deep.equal({ ...EVENT, id: "1795735432210-3", at: "2026-11-26T23:23:52.210Z" });
  });

  it("is left out when it cannot be read: a later version may have written it", () => {
    for (const text of ["{", "{}", JSON.stringify({ ...EVENT, type: "app.painted" })])
      expect(parseEvent("1-0", ["event", text]), text).to.equal(undefined);
    expect(parseEvent("1-0", [])).to.equal(undefined);
  });
});
