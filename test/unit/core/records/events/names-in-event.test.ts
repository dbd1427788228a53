import { expect } from "chai";
import { namesInEvent } from "../../../../../core/records/events/names-in-event.js";

describe("the names in an event", () => {
  const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `NAME_${index}`);

  it("are all that changed", () => {
    expect(namesInEvent(names(20))).to.deep.equal(names(20));
  });

  it("are the first ones where an app sets very many, with the number of the others", () => {
    expect(namesInEvent(names(100_000))).to.deep.equal([...names(20), "… and 99980 more"]);
  });
});
