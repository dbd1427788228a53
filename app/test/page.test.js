import { expect } from "chai";
import { identify } from "../identity.js";
import { renderPage } from "../page.js";

describe("page", () => {
  it("says which release, commit and instance answered", () => {
    const page = renderPage(
      identify({ RELEASE: "v42", GIT_REV: "abc123", DYNO: "web.2", SLUICE_TRACK: "canary" }),
    );
    for (const text of ["v42", "abc123", "web.2", "canary", "hello"]) expect(page).to.include(text);
  });

  it("escapes what it prints", () => {
    const page = renderPage(identify({ RELEASE: `<script>"&'` }));
    expect(page).to.include("&lt;script&gt;&quot;&amp;&#39;").and.not.include("<script>");
  });

  it("has a language, a title, one heading and no address of elsewhere", () => {
    const page = renderPage(identify({}));
    expect(page).to.match(/<html lang="en">/);
    expect(page).to.match(/<title>hello unknown<\/title>/);
    expect(page.match(/<h1>/g)).to.have.length(1);
    expect(page).not.to.match(/\/\//);
  });
});
