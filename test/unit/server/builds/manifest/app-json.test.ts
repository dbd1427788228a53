import { expect } from "chai";
import { parseAppJson } from "../../../../../server/builds/manifest/app-json.js";

describe("app.json", () => {
  it("has a default for everything", () => {
    const { sluice, healthchecks, env, formation, scripts } = parseAppJson("{}");
    expect(sluice).to.deep.equal({
      domains: [],
      https: "redirect",
      allowAddresses: [],
      limits: {},
      accessLog: false,
      listen: "port",
      sessions: "none",
      sessionIdleSeconds: 900,
      standbySeconds: 600,
      canary: {
        share: 30,
        header: "x-client-mode",
        steps: [],
        stepSeconds: 300,
        onPass: "hold",
        baseline: false,
        onFail: "abort",
        minRequests: 100,
      },
      previews: { env: {}, max: 20, sleepSeconds: 1800, expireDays: 30, allowAddresses: [] },
    });
    expect({ healthchecks, env, formation, scripts }).to.deep.equal({
      healthchecks: { web: [] },
      env: {},
      formation: {},
      scripts: { dokku: {} },
    });
  });

  it("may hold comments, trailing commas and others' keys", () => {
    const { healthchecks } = parseAppJson(
      '{ // a\n "stack": "x", "healthchecks": {"web": [{"path": "/up", "uptime": 3,}]}, /* b */ }',
    );
    expect(healthchecks.web[0]).to.deep.include({
      path: "/up",
      attempts: 3,
      timeout: 5,
      wait: 5,
      initialDelay: 0,
      type: "startup",
    });
  });

  it("reads variables as Heroku does", () => {
    const { env } = parseAppJson(
      '{"env": {"A": "1", "B": {"generator": "secret"}, "C": {"required": false}}}',
    );
    expect(env["A"]).to.deep.include({ value: "1", required: false });
    expect(env["B"]).to.deep.include({ generator: "secret", required: true });
    expect(env["C"]).to.deep.include({ required: false, sync: false });
  });

  it("tells what is wrong, with the nearest key in its own section", () => {
    const cases: [string, RegExp][] = [
      ['{"sluice": {"sesions": "sticky"}}', /sluice\.sesions: unknown key; did you mean sluice\.sessions\?/],
      ['{"sluice": {"listen": "udp"}}', /sluice\.listen/],
      [
        '{"sluice": {"canary": {"goal": {"path": "/x", "pat": 1}}}}',
        /sluice\.canary\.goal\.pat: unknown key; did you mean sluice\.canary\.goal\.path\?/,
      ],
      [
        '{"sluice": {"limits": {"requestPerMinute": 1}}}',
        /sluice\.limits\.requestPerMinute: unknown key; did you mean sluice\.limits\.requestsPerMinute\?/,
      ],
      ['{"sluice": {"limits": {"connections": 0}}}', /sluice\.limits\.connections/],
      [
        '{"sluice": {"previews": {"allowAddresses": ["10.0.0.0/33"]}}}',
        /allowAddresses\.0: must be an address/,
      ],
      ['{"sluice": {"canary": {"share": 0.004}}}', /sluice\.canary\.share/],
      ['{\n"a": 1\n"b": 2}', /line 3: CommaExpected/],
      ['{"healthchecks": {"web": [{"path": "no slash"}]}}', /healthchecks\.web\.0\.path: must begin with \//],
      ["[]", /the file|expected object/i],
    ];
    for (const [text, message] of cases) expect(() => parseAppJson(text), text).to.throw(message);
  });
});
