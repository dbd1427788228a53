import { expect } from "chai";
import { eventually } from "../../support/eventually.js";
import { throughout } from "../../support/throughout.js";

describe("a test that waits", () => {
  it("goes on with the first answer, whatever failed before", async () => {
    const answers = [undefined, false, new Error("not yet"), 7] as const;
    let asked = 0;
    const answer = await eventually("an answer", () => {
      const next = answers[asked++];
      if (next instanceof Error) throw next;
      return next;
    });
    expect([answer, asked]).to.deep.equal([7, 4]);
  });

  it("fails with the last assertion that did not hold, and with what it compared", async () => {
    let asked = 0;
    const grows = (): true => {
      expect(++asked).to.equal(0);
      return true;
    };
    const error = await failureOf(eventually("it grows", grows, 100));
    expect(error).to.include({ name: "AssertionError", actual: asked, expected: 0 });
    expect(error.message).to.equal(`not in 100 ms: it grows: expected ${asked} to equal +0`);
  });

  it("does not fail with one that held again", async () => {
    let asked = 0;
    const error = await failureOf(
      eventually(
        () => `it is asked, ${asked} times`,
        () => {
          if (asked++ === 0) throw new Error("only once");
          return false;
        },
        100,
      ),
    );
    expect(error.message).to.equal(`not in 100 ms: it is asked, ${asked} times`);
  });

  it("fails at once where something has to hold all the while", async () => {
    let looks = 0;
    const look = (): void => void expect(++looks).not.to.equal(3);
    const error = await failureOf(throughout(() => looks > 10, look));
    expect([error.name, looks]).to.deep.equal(["AssertionError", 3]);
  });

  it("is over when it is, and not before it has looked", async () => {
    let looks = 0;
    const look = (): void => {
      looks++;
    };
    await throughout(() => true, look);
    expect(looks).to.equal(1);
    const error = await failureOf(
      throughout(
        () => false,
        () => undefined,
        50,
      ),
    );
    expect(error.message).to.equal("not over in 50 ms");
  });
});

async function failureOf(asked: Promise<unknown>): Promise<Error> {
  const error: unknown = await asked.then(
    () => new Error("it did not fail"),
    (failure: unknown) => failure,
  );
  return error instanceof Error ? error : new Error(String(error));
}
