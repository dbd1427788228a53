import { expect } from "chai";
import { errorsPage } from "../../../support/errors-page.js";
import { catalogue } from "../../../../core/errors/error-catalogue.js";
import { AppError, isAppError, toAppError } from "../../../../core/errors/app-error.js";

describe("errors", () => {
  it("carry message, hint, status and code", () => {
    const error = new AppError("app-unknown", { app: "x", known: ["a", "b"] });
    expect(error).to.include({
      code: "app-unknown",
      message: 'There is no app "x" here.',
      hint: "Apps here: a, b.",
      status: 404,
      retriable: false,
    });
    expect(isAppError(error, "app-unknown")).to.equal(true);
    expect(isAppError(error, "internal")).to.equal(false);
  });

  it("show control characters of user text, and cut it", () => {
    const { message } = new AppError("app-name-invalid", { name: `a\u001b[31m\n${"x".repeat(500)}` });
    expect(message).to.include("a\\x1b[31m\\x0a").and.have.length.below(200);
  });

  it("wrap whatever else is thrown", () => {
    expect(toAppError(new Error("odd"))).to.include({ code: "internal", status: 500 });
    expect(toAppError("text").message).to.include("text");
  });

  it("say each what happened and what to do now, in sentences, with a status of HTTP's errors", () => {
    const entries = errorsPage().split("\n### ").slice(1);
    expect(entries).to.have.length(Object.keys(catalogue).length);
    for (const entry of entries) {
      const [head, message, hint = "", ...rest] = entry.trimEnd().split("\n\n");
      const [, status] = /^[a-z]+(?:-[a-z]+)* \((\d+)\)$/.exec(head ?? "") ?? [];
      expect(Number(status), entry).to.be.within(400, 599);
      expect(message, entry)
        .to.match(/^\S.*\S$/s)
        .and.not.include("undefined");
      expect(hint, entry)
        .to.match(/^→ \S.*\S$/s)
        .and.not.include("undefined");
      expect(rest, entry).to.deep.equal([]);
    }
  });
});
