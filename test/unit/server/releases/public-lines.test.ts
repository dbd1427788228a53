import { expect } from "chai";
import { problemLines } from "../../../../server/pipeline/output.js";
import { AppError } from "../../../../core/errors/app-error.js";
import { publicLines } from "../../../../server/releases/release-log-page.js";

describe("what the link to a release's log shows", () => {
  it("leaves out what an instance answered and wrote before it failed", () => {
    const failed = new AppError("health-failed", {
      ...{ instance: "web.1", url: "http://127.0.0.1:20000/", result: "answered 500" },
      ...{ body: "password=hush", log: "SECRET=hush\n\nstack" },
    });
    const output = ["-----> Start", ...problemLines(failed), "-----> Undone", "       done", ""].join("\n");
    expect(output).to.include("hush");
    expect(publicLines(output)).to.equal(
      "-----> Start\n !     web.1 is not healthy: GET http://127.0.0.1:20000/ answered 500.\n-----> Undone\n       done\n",
    );
  });
});
