import { FakeProxy } from "../support/fakes/fake-proxy.js";
import { countsTraffic } from "./proxy/counting.js";
import { ProxyTrial } from "./proxy/proxy-trial.js";

describe("FakeProxy's counters", () => {
  const trial = new ProxyTrial(async () => FakeProxy.start());
  beforeEach(async () => trial.begin());
  afterEach(async () => trial.end());
  countsTraffic(trial);
});
